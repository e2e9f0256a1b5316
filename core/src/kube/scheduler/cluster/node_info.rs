//! A node as the scheduler sees it, with what its pods take.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;

use super::pod_info::{HostPort, PodInfo};
use super::resources::{self, ResourceId, ResourceNames, Resources};
use super::symbols::{Labels, Symbol, Symbols};
use super::taint::Taint;

/// A node, as an index into the [`Cluster`](super::Cluster)'s table. It stays the same as long as the node exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// Its number, for tables indexed by node.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A node as the scheduler sees it.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// Which one.
    pub id: NodeId,
    /// Its name.
    pub name: Symbol,
    /// Another number after every change; what was worked out for one holds as long as it stays.
    pub version: u64,
    /// What pods may take in all.
    pub allocatable: Resources,
    /// How many pods it may have.
    pub allowed_pods: i64,
    /// What its pods ask for.
    pub requested: Resources,
    /// Cpu and memory that its pods ask for, with defaults for containers that ask for none.
    pub nonzero_requested: [i64; 2],
    /// `spec.unschedulable`: cordoned.
    pub unschedulable: bool,
    /// Its taints, in the order of the object.
    pub taints: Vec<Taint>,
    /// Its labels.
    pub labels: Labels,
    /// Images on its disk, with their sizes in bytes; sorted by symbol.
    pub images: Vec<(Symbol, i64)>,
    /// Its pods, in the order in which they came.
    pub pods: Vec<Arc<PodInfo>>,
    /// Those of its pods that have any term of affinity or anti-affinity to pods.
    pub pods_with_affinity: Vec<Arc<PodInfo>>,
    /// Those of its pods that have required terms of anti-affinity.
    pub pods_with_required_anti_affinity: Vec<Arc<PodInfo>>,
    /// Ports of the host that its pods take.
    pub used_ports: Vec<HostPort>,
    /// The object it was made from; none while pods name a node that nobody has seen yet.
    pub node: Option<Arc<Node>>,
}

impl NodeInfo {
    /// A name without a node.
    pub(super) fn absent(id: NodeId, name: Symbol) -> Self {
        Self {
            id,
            name,
            version: 0,
            allocatable: Resources::default(),
            allowed_pods: 0,
            requested: Resources::default(),
            nonzero_requested: [0; 2],
            unschedulable: false,
            taints: Vec::new(),
            labels: Labels::default(),
            images: Vec::new(),
            pods: Vec::new(),
            pods_with_affinity: Vec::new(),
            pods_with_required_anti_affinity: Vec::new(),
            used_ports: Vec::new(),
            node: None,
        }
    }

    /// Takes over the object's side of a node; its pods stay.
    pub(super) fn set_node(&mut self, node: Arc<Node>, names: &mut ResourceNames, symbols: &mut Symbols) {
        self.version += 1;
        let spec = node.spec.as_ref();
        let status = node.status.as_ref();
        let allocatable = status.and_then(|status| status.allocatable.as_ref());
        // A node whose status was never written has no allocatable; capacity is what it will be.
        let allocatable = allocatable.or_else(|| status.and_then(|status| status.capacity.as_ref()));
        self.allocatable =
            allocatable.map(|list| Resources::from_list(list, names, symbols)).unwrap_or_default();
        self.allowed_pods =
            allocatable.and_then(|list| list.get("pods")).map_or(0, |pods| resources::parse(pods).value());
        self.unschedulable = spec.and_then(|spec| spec.unschedulable).unwrap_or(false);
        let taints = spec.and_then(|spec| spec.taints.as_ref());
        self.taints = taints.into_iter().flatten().filter_map(|taint| Taint::new(taint, symbols)).collect();
        self.labels = Labels::new(node.metadata.labels.iter().flatten(), symbols);
        self.images.clear();
        for image in status.and_then(|status| status.images.as_ref()).into_iter().flatten() {
            for name in image.names.iter().flatten() {
                self.images.push((symbols.intern(name), image.size_bytes.unwrap_or(0)));
            }
        }
        self.images.sort_unstable();
        self.images.dedup_by_key(|(name, _)| *name);
        self.node = Some(node);
    }

    /// The node's object is gone.
    pub(super) fn unset_node(&mut self) {
        let (pods, affinity, anti) = (
            std::mem::take(&mut self.pods),
            std::mem::take(&mut self.pods_with_affinity),
            std::mem::take(&mut self.pods_with_required_anti_affinity),
        );
        let absent = Self::absent(self.id, self.name);
        let old = std::mem::replace(self, absent);
        self.version = old.version + 1;
        self.requested = old.requested;
        self.nonzero_requested = old.nonzero_requested;
        self.used_ports = old.used_ports;
        self.pods = pods;
        self.pods_with_affinity = affinity;
        self.pods_with_required_anti_affinity = anti;
    }

    /// Puts a pod on the node.
    pub fn add_pod(&mut self, pod: &Arc<PodInfo>) {
        self.version += 1;
        self.requested.add(&pod.requests.exact);
        for (total, id) in self.nonzero_requested.iter_mut().zip([ResourceId::CPU, ResourceId::MEMORY]) {
            *total = total.saturating_add(pod.requests.nonzero.get(id));
        }
        self.used_ports.extend_from_slice(&pod.host_ports);
        if pod.has_pod_affinity() {
            self.pods_with_affinity.push(Arc::clone(pod));
        }
        if !pod.required_anti_affinity.is_empty() {
            self.pods_with_required_anti_affinity.push(Arc::clone(pod));
        }
        self.pods.push(Arc::clone(pod));
    }

    /// Takes a pod off the node; says whether it was there.
    pub fn remove_pod(&mut self, pod: &PodInfo) -> bool {
        let Some(pod) = take(&mut self.pods, pod) else { return false };
        self.version += 1;
        self.requested.sub(&pod.requests.exact);
        for (total, id) in self.nonzero_requested.iter_mut().zip([ResourceId::CPU, ResourceId::MEMORY]) {
            *total = total.saturating_sub(pod.requests.nonzero.get(id));
        }
        for port in &pod.host_ports {
            if let Some(index) = self.used_ports.iter().position(|used| used == port) {
                self.used_ports.swap_remove(index);
            }
        }
        take(&mut self.pods_with_affinity, &pod);
        take(&mut self.pods_with_required_anti_affinity, &pod);
        true
    }

    /// Size of an image on this node's disk, in bytes.
    pub fn image_size(&self, image: Symbol) -> Option<i64> {
        self.images.binary_search_by_key(&image, |(name, _)| *name).ok().map(|i| self.images[i].1)
    }
}

/// Takes a pod out of a list without keeping the others' order, as upstream does.
fn take(pods: &mut Vec<Arc<PodInfo>>, pod: &PodInfo) -> Option<Arc<PodInfo>> {
    // Pods that go are mostly those that came last (preemption tries them in turn).
    let index = pods.iter().rposition(|other| other.is_same(pod))?;
    Some(pods.swap_remove(index))
}
