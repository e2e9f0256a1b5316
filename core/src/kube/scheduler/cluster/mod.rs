//! What the scheduler knows of the cluster, in dense tables.
//!
//! Objects are converted when they arrive: strings become [`Symbol`]s, resource
//! lists become [`Resources`], nodes and pods become [`NodeInfo`] and
//! [`PodInfo`]. Everything is kept up to date change by change; nothing is
//! rebuilt for a scheduling cycle but the order of nodes, and that only when a
//! node came or went.

mod changes;
mod class;
pub mod devices;
mod node_info;
mod node_tree;
mod owners;
mod pod_info;
mod pod_object;
mod requests;
mod resources;
mod selector;
mod symbols;
mod taint;
pub mod volumes;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;

use super::gang::PodGroups;
use changes::Changes;
pub use changes::Moment;
use class::Classes;
pub use class::PodClass;
pub use node_info::{NodeId, NodeInfo};
use node_tree::{NodeTree, Zone};
pub use owners::OwnerKind;
use owners::Owners;
pub use pod_info::{
    HostPort, NodeAffinityInfo, PodInfo, PodTerm, SpreadConstraint, WhenUnsatisfiable, is_terminal,
    namespace, node_name,
};
pub use pod_object::{ContainerRequests, PodClaims, PodObject};
pub use requests::Requests;
pub use resources::{ResourceId, ResourceNames, Resources};
pub use selector::{NodeTerm, NodeTerms, Selector};
pub use symbols::{Labels, Symbol, Symbols};
pub use taint::{Effect, Taint, Toleration, first_untolerated};

/// What the scheduler knows of the cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Strings.
    pub symbols: Symbols,
    /// Resources.
    pub resources: ResourceNames,
    nodes: Vec<NodeInfo>,
    // Only looked up, never iterated: its order cannot show.
    by_name: HashMap<Symbol, NodeId>,
    tree: NodeTree,
    order: Vec<NodeId>,
    /// The place of each node in `order`.
    positions: Vec<u32>,
    order_is_stale: bool,
    changes: Changes,
    classes: Classes,
    /// On how many nodes each image is.
    image_nodes: BTreeMap<Symbol, u32>,
    /// How often images and the number of nodes have changed.
    image_version: u64,
    /// Labels of namespaces.
    namespaces: BTreeMap<Symbol, Labels>,
    namespaces_version: u64,
    no_labels: Labels,
    owners: Owners,
    /// Groups of pods.
    pub groups: PodGroups,
    /// While a pod group is tried in a part of the cluster: the nodes of that part.
    placement: Option<Vec<NodeId>>,
    /// Volumes, claims, and what CSI drivers say of nodes.
    pub volumes: volumes::Volumes,
    /// Devices that pods can claim, and the claims.
    pub devices: devices::Devices,
    /// Nodes with pods that have terms of affinity or anti-affinity.
    with_affinity: BTreeSet<NodeId>,
    /// Nodes with pods that have required terms of anti-affinity.
    with_required_anti_affinity: BTreeSet<NodeId>,
}

impl Default for Cluster {
    fn default() -> Self {
        let mut symbols = Symbols::default();
        Self {
            resources: ResourceNames::new(&mut symbols),
            symbols,
            nodes: Vec::new(),
            by_name: HashMap::new(),
            tree: NodeTree::default(),
            order: Vec::new(),
            positions: Vec::new(),
            order_is_stale: false,
            changes: Changes::default(),
            classes: Classes::default(),
            image_nodes: BTreeMap::new(),
            image_version: 0,
            namespaces: BTreeMap::new(),
            namespaces_version: 0,
            no_labels: Labels::default(),
            owners: Owners::default(),
            groups: PodGroups::default(),
            placement: None,
            volumes: volumes::Volumes::default(),
            devices: devices::Devices::default(),
            with_affinity: BTreeSet::new(),
            with_required_anti_affinity: BTreeSet::new(),
        }
    }
}

impl Cluster {
    /// Converts a pod.
    pub fn convert_pod(&mut self, pod: &k8s_openapi::api::core::v1::Pod) -> PodInfo {
        let mut info = PodInfo::new(pod, &mut self.resources, &mut self.symbols);
        info.class = self.classes.of(&info, &self.symbols);
        info
    }

    /// The node of that index.
    pub fn node(&self, id: NodeId) -> &NodeInfo {
        &self.nodes[id.index()]
    }

    /// The node of that name, if its object is known.
    pub fn node_by_name(&self, name: &str) -> Option<&NodeInfo> {
        self.node_by_symbol(self.symbols.get(name)?)
    }

    /// The node of that name, if its object is known.
    pub fn node_by_symbol(&self, name: Symbol) -> Option<&NodeInfo> {
        Some(self.node(*self.by_name.get(&name)?)).filter(|node| node.node.is_some())
    }

    /// How often each node has changed, by its index; what is kept of a node holds as long as this is the same.
    pub fn node_versions(&self) -> &[u32] {
        self.changes.versions()
    }

    /// Another number whenever the images on any node or the number of nodes have changed.
    pub const fn image_version(&self) -> u64 {
        self.image_version
    }

    /// Now, as far as nodes are concerned.
    pub fn moment(&self) -> Moment {
        self.changes.now()
    }

    /// The nodes that came, changed, went, or got or lost pods since then, in the order of the changes (a node may
    /// be in it more than once); none if that is too long ago to know: then look at all of them.
    pub fn changed_since(&self, moment: Moment) -> Option<&[NodeId]> {
        self.changes.since(moment)
    }

    /// All nodes there ever were, by number.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// How many nodes there ever were; their numbers are below it.
    pub fn node_slots(&self) -> usize {
        self.nodes.len()
    }

    /// The name of a node.
    pub fn node_name(&self, id: NodeId) -> &Arc<str> {
        self.symbols.name(self.node(id).name)
    }

    /// All nodes in the order in which they are looked at; call [`Cluster::refresh`] before a cycle.
    ///
    /// While a pod group is tried in a placement, only the nodes of that placement.
    pub fn nodes(&self) -> &[NodeId] {
        self.placement.as_deref().unwrap_or(&self.order)
    }

    /// All nodes, in whatever placement a group is tried.
    pub fn all_nodes(&self) -> impl Iterator<Item = NodeId> {
        self.order.iter().copied()
    }

    /// Whether only the nodes of a placement are looked at.
    pub const fn is_placement(&self) -> bool {
        self.placement.is_some()
    }

    /// Leaves only these nodes to be looked at, until [`Cluster::forget_placement`].
    pub(super) fn assume_placement(&mut self, nodes: Vec<NodeId>) {
        self.placement = (nodes.len() < self.order.len()).then_some(nodes);
    }

    pub(super) fn forget_placement(&mut self) {
        self.placement = None;
    }

    /// Brings the order of nodes up to date (upstream's `UpdateSnapshot`).
    pub fn refresh(&mut self) {
        if std::mem::take(&mut self.order_is_stale) {
            self.order = self.tree.list();
            self.positions = vec![u32::MAX; self.nodes.len()];
            for (position, node) in (0..).zip(&self.order) {
                self.positions[node.index()] = position;
            }
        }
    }

    /// The nodes of those names that exist, in the order of [`Cluster::nodes`].
    ///
    /// Upstream walks a hash set here; this order does not depend on how the names were given.
    pub fn nodes_by_name(&self, names: &[Symbol]) -> Vec<NodeId> {
        let known = names.iter().filter_map(|name| self.by_name.get(name).copied());
        let mut nodes: Vec<_> = known.filter(|id| self.node(*id).node.is_some()).collect();
        if let Some(placement) = &self.placement {
            nodes.retain(|id| placement.contains(id));
        }
        nodes.sort_unstable_by_key(|id| self.positions.get(id.index()));
        nodes.dedup();
        nodes
    }

    /// Adds a node or takes over its new state; answers what it was before.
    pub fn set_node(&mut self, node: Arc<Node>) -> (NodeId, Option<NodeInfo>) {
        let id = self.slot(node.metadata.name.as_deref().unwrap_or_default());
        self.changes.note(id, self.nodes.len());
        let info = &mut self.nodes[id.index()];
        let was_there = info.node.is_some();
        // What plugins compare is the object's side; the pods need no copy.
        let old = was_there.then(|| NodeInfo {
            allocatable: info.allocatable.clone(),
            allowed_pods: info.allowed_pods,
            unschedulable: info.unschedulable,
            taints: info.taints.clone(),
            labels: info.labels.clone(),
            images: info.images.clone(),
            node: info.node.clone(),
            ..NodeInfo::absent(id, info.name)
        });
        info.set_node(node, &mut self.resources, &mut self.symbols);
        let zone = Zone::new(&info.labels, &self.symbols);
        if let Some(old) = &old {
            self.count_images(&old.images, false);
            let old_zone = Zone::new(&old.labels, &self.symbols);
            // A node that moves to another zone keeps its place in the order until a node
            // comes or goes, as upstream's snapshot does.
            if old_zone != zone {
                self.tree.remove(old_zone, id);
                self.tree.add(zone, id);
            }
        } else {
            self.tree.add(zone, id);
            self.order_is_stale = true;
            self.image_version += 1;
        }
        let images = std::mem::take(&mut self.nodes[id.index()].images);
        self.count_images(&images, true);
        self.nodes[id.index()].images = images;
        (id, old)
    }

    /// Removes a node; its pods stay until they are removed themselves.
    pub fn remove_node(&mut self, name: &str) -> Option<NodeId> {
        let id = self.node_by_name(name)?.id;
        let zone = Zone::new(&self.node(id).labels, &self.symbols);
        self.tree.remove(zone, id);
        self.changes.note(id, self.nodes.len());
        self.order_is_stale = true;
        self.image_version += 1;
        let images = std::mem::take(&mut self.nodes[id.index()].images);
        self.count_images(&images, false);
        self.nodes[id.index()].unset_node();
        Some(id)
    }

    /// Puts a pod on the node of that name, which need not be known yet.
    pub fn add_pod(&mut self, pod: &Arc<PodInfo>, node: &str) -> NodeId {
        let id = self.slot(node);
        self.changes.note(id, self.nodes.len());
        self.nodes[id.index()].add_pod(pod);
        self.groups.note_scheduled(pod, true);
        self.note_affinity(id, pod);
        id
    }

    /// Takes a pod off its node.
    pub fn remove_pod(&mut self, pod: &PodInfo, node: NodeId) {
        self.changes.note(node, self.nodes.len());
        if self.nodes[node.index()].remove_pod(pod) {
            self.groups.note_scheduled(pod, false);
        }
        self.note_affinity(node, pod);
    }

    /// Keeps the sets of nodes up to date after `pod` came to or went from one.
    fn note_affinity(&mut self, id: NodeId, pod: &PodInfo) {
        if !pod.has_pod_affinity() {
            return;
        }
        let node = &self.nodes[id.index()];
        for (set, pods) in [
            (&mut self.with_affinity, &node.pods_with_affinity),
            (&mut self.with_required_anti_affinity, &node.pods_with_required_anti_affinity),
        ] {
            if pods.is_empty() {
                set.remove(&id);
            } else {
                set.insert(id);
            }
        }
    }

    /// Nodes with pods that have terms of affinity or anti-affinity.
    pub fn nodes_with_affinity(&self) -> impl Iterator<Item = &NodeInfo> {
        self.with_affinity.iter().map(|id| self.node(*id)).filter(|node| node.node.is_some())
    }

    /// Nodes with pods that have required terms of anti-affinity.
    pub fn nodes_with_required_anti_affinity(&self) -> impl Iterator<Item = &NodeInfo> {
        self.with_required_anti_affinity.iter().map(|id| self.node(*id)).filter(|node| node.node.is_some())
    }

    /// What selects the pods that belong together with this one, by its Services and its controller.
    pub fn default_selector(&self, pod: &PodInfo) -> Selector {
        self.owners.default_selector(pod)
    }

    /// The selector of a Service; none takes it away.
    pub fn set_service(&mut self, namespace: &str, name: &str, selector: Option<&BTreeMap<String, String>>) {
        let selector = selector.filter(|selector| !selector.is_empty());
        let selector = selector.map(|selector| Labels::new(selector, &mut self.symbols));
        let (namespace, name) = (self.symbols.intern(namespace), self.symbols.intern(name));
        self.owners.set_service(namespace, name, selector);
    }

    /// The selector of a workload controller; none takes it away.
    pub fn set_workload(&mut self, kind: OwnerKind, namespace: &str, name: &str, selector: Option<Selector>) {
        let (namespace, name) = (self.symbols.intern(namespace), self.symbols.intern(name));
        self.owners.set_workload(kind, namespace, name, selector);
    }

    /// On how many nodes an image is.
    pub fn image_nodes(&self, image: Symbol) -> u32 {
        self.image_nodes.get(&image).copied().unwrap_or(0)
    }

    /// Takes over the labels of a namespace.
    pub fn set_namespace(&mut self, name: &str, labels: &BTreeMap<String, String>) {
        let name = self.symbols.intern(name);
        let labels = Labels::new(labels, &mut self.symbols);
        self.namespaces.insert(name, labels);
        self.namespaces_version += 1;
    }

    /// Forgets a namespace.
    pub fn remove_namespace(&mut self, name: &str) {
        if let Some(name) = self.symbols.get(name) {
            self.namespaces.remove(&name);
            self.namespaces_version += 1;
        }
    }

    /// The labels of a namespace; none for one that is not known.
    pub fn namespace_labels(&self, name: Symbol) -> &Labels {
        self.namespaces.get(&name).unwrap_or(&self.no_labels)
    }

    /// Another number whenever a namespace came, went or changed.
    pub const fn namespaces_version(&self) -> u64 {
        self.namespaces_version
    }

    /// Names and labels of all namespaces.
    pub fn namespaces(&self) -> impl Iterator<Item = (Symbol, &Labels)> {
        self.namespaces.iter().map(|(name, labels)| (*name, labels))
    }

    fn slot(&mut self, name: &str) -> NodeId {
        let symbol = self.symbols.intern(name);
        *self.by_name.entry(symbol).or_insert_with(|| {
            let id = NodeId(self.nodes.len() as u32);
            self.nodes.push(NodeInfo::absent(id, symbol));
            id
        })
    }

    fn count_images(&mut self, images: &[(Symbol, i64)], present: bool) {
        self.image_version += u64::from(!images.is_empty());
        for (image, _) in images {
            let count = self.image_nodes.entry(*image).or_default();
            *count = if present { *count + 1 } else { count.saturating_sub(1) };
            if *count == 0 {
                self.image_nodes.remove(image);
            }
        }
    }
}
