//! A pod as the scheduler sees it: converted once, compared often.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, Pod, PodAffinityTerm, PodSpec, TopologySpreadConstraint,
};

use super::class::PodClass;
use super::pod_object::PodObject;
use super::requests::{Requests, is_sidecar};
use super::resources::ResourceNames;
use super::selector::{NodeTerm, NodeTerms, Selector};
use super::symbols::{Labels, Symbol, Symbols};
use super::taint::Toleration;
use super::volumes::PodVolume;

/// A port of the host that a pod takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// Address of the host; none is every address.
    pub ip: Option<Symbol>,
    /// `TCP`, `UDP`, `SCTP`.
    pub protocol: Symbol,
    /// 1 to 65535.
    pub port: i32,
}

impl HostPort {
    /// Whether both cannot be on one host.
    pub fn conflicts_with(&self, other: &Self) -> bool {
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || self.ip.is_none() || other.ip.is_none())
    }
}

/// A term of affinity or anti-affinity to other pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodTerm {
    /// Namespaces by name; the pod's own if the term names none.
    pub namespaces: Vec<Symbol>,
    /// Namespaces by label.
    pub namespace_selector: Selector,
    /// Which pods.
    pub selector: Selector,
    /// What makes two nodes the same place.
    pub topology_key: Symbol,
}

impl PodTerm {
    fn new(term: &PodAffinityTerm, pod: &PodInfo, symbols: &mut Symbols) -> Self {
        let mut selector = Selector::new(term.label_selector.as_ref(), symbols);
        // The API server merges these keys into the selector when the pod is created; a pod that
        // never passed one gets the same here, and asking twice changes nothing.
        for (keys, equal) in [(&term.match_label_keys, true), (&term.mismatch_label_keys, false)] {
            for key in keys.iter().flatten() {
                let key = symbols.intern(key);
                if let Some(value) = pod.labels.get(key) {
                    selector.require(key, value, equal);
                }
            }
        }
        let named = term.namespaces.as_deref().unwrap_or_default();
        let namespaces = if named.is_empty() && term.namespace_selector.is_none() {
            vec![pod.namespace]
        } else {
            named.iter().map(|name| symbols.intern(name)).collect()
        };
        Self {
            namespaces,
            namespace_selector: Selector::new(term.namespace_selector.as_ref(), symbols),
            selector,
            topology_key: symbols.intern(&term.topology_key),
        }
    }

    /// Whether the term speaks of `pod`, whose namespace has those labels.
    pub fn matches(&self, pod: &PodInfo, namespace_labels: &Labels, symbols: &Symbols) -> bool {
        (self.namespaces.contains(&pod.namespace)
            || self.namespace_selector.matches(namespace_labels, symbols))
            && self.selector.matches(&pod.labels, symbols)
    }
}

/// What to do when a spread constraint cannot be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnsatisfiable {
    /// Wait.
    DoNotSchedule,
    /// Come as near to it as possible.
    ScheduleAnyway,
}

/// A topology spread constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpreadConstraint {
    /// By how much the fullest and the emptiest domain may differ.
    pub max_skew: i32,
    /// Which label names the domain of a node.
    pub topology_key: Symbol,
    /// Hard or soft.
    pub when_unsatisfiable: WhenUnsatisfiable,
    /// Which pods are counted.
    pub selector: Selector,
    /// With fewer domains than this, the emptiest counts as empty.
    pub min_domains: i32,
    /// Whether only nodes that the pod's node affinity allows are counted.
    pub honor_affinity: bool,
    /// Whether only nodes whose taints the pod tolerates are counted.
    pub honor_taints: bool,
}

impl SpreadConstraint {
    /// Converts a constraint of a pod with those labels.
    pub fn new(constraint: &TopologySpreadConstraint, labels: &Labels, symbols: &mut Symbols) -> Self {
        let mut selector = Selector::new(constraint.label_selector.as_ref(), symbols);
        for key in constraint.match_label_keys.iter().flatten() {
            let key = symbols.intern(key);
            if let Some(value) = labels.get(key) {
                selector.require(key, value, true);
            }
        }
        Self {
            max_skew: constraint.max_skew,
            topology_key: symbols.intern(&constraint.topology_key),
            when_unsatisfiable: if constraint.when_unsatisfiable == "DoNotSchedule" {
                WhenUnsatisfiable::DoNotSchedule
            } else {
                WhenUnsatisfiable::ScheduleAnyway
            },
            selector,
            min_domains: constraint.min_domains.unwrap_or(1),
            honor_affinity: constraint.node_affinity_policy.as_deref() != Some("Ignore"),
            honor_taints: constraint.node_taints_policy.as_deref() == Some("Honor"),
        }
    }
}

/// Which nodes a pod may and would rather run on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeAffinityInfo {
    /// `spec.nodeSelector`
    pub node_selector: Selector,
    /// `requiredDuringSchedulingIgnoredDuringExecution`, if it is there.
    pub required: Option<NodeTerms>,
    /// `preferredDuringSchedulingIgnoredDuringExecution` with weights, if it is there.
    pub preferred: Option<Vec<(i64, NodeTerm)>>,
}

impl NodeAffinityInfo {
    fn new(spec: &PodSpec, symbols: &mut Symbols) -> Self {
        let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
        let mut info = affinity.map_or_else(Self::default, |affinity| Self::from_affinity(affinity, symbols));
        info.node_selector = Selector::of_labels(spec.node_selector.iter().flatten(), symbols);
        info
    }

    /// Compiles a node affinity without a node selector.
    pub fn from_affinity(affinity: &NodeAffinity, symbols: &mut Symbols) -> Self {
        let required = affinity.required_during_scheduling_ignored_during_execution.as_ref();
        let preferred = affinity.preferred_during_scheduling_ignored_during_execution.as_ref();
        Self {
            node_selector: Selector::of_labels([], symbols),
            required: required.map(|selector| NodeTerms::new(&selector.node_selector_terms, symbols)),
            preferred: preferred.map(|terms| {
                let terms = terms.iter().filter(|term| term.weight != 0);
                terms
                    .filter_map(|t| Some((i64::from(t.weight), NodeTerm::new(&t.preference, symbols)?)))
                    .collect()
            }),
        }
    }

    /// Whether a node is one on which the pod may run.
    pub fn allows(&self, node: &super::NodeInfo, symbols: &Symbols) -> bool {
        self.node_selector.matches(&node.labels, symbols)
            && self.required.as_ref().is_none_or(|terms| terms.matches(node, symbols))
    }
}

/// A pod as the scheduler sees it.
#[derive(Clone, Debug)]
pub struct PodInfo {
    /// The object it was made from, for plugins that ask for more than is here; none if the scheduler keeps no
    /// objects.
    pub object: Option<Arc<Pod>>,
    /// What few plugins ask for.
    pub rest: Box<PodObject>,
    /// Its namespace.
    pub namespace: Symbol,
    /// Its name.
    pub name: Symbol,
    /// Its labels.
    pub labels: Labels,
    /// Higher goes first and may preempt lower.
    pub priority: i32,
    /// Whether it may preempt (`preemptionPolicy` is not `Never`).
    pub may_preempt: bool,
    /// What it asks for.
    pub requests: Requests,
    /// Ports of the host that it takes.
    pub host_ports: Vec<HostPort>,
    /// Taints that do not keep it away.
    pub tolerations: Vec<Toleration>,
    /// Which nodes it may and would rather run on.
    pub node_affinity: NodeAffinityInfo,
    /// Pods that it must be near.
    pub required_affinity: Vec<PodTerm>,
    /// Pods that it must be away from.
    pub required_anti_affinity: Vec<PodTerm>,
    /// Pods that it would rather be near, with weights.
    pub preferred_affinity: Vec<(i64, PodTerm)>,
    /// Pods that it would rather be away from, with weights.
    pub preferred_anti_affinity: Vec<(i64, PodTerm)>,
    /// How it is to be spread.
    pub spread: Vec<SpreadConstraint>,
    /// Images of its containers, init containers first, with the tag `latest` where none is given.
    pub images: Vec<Symbol>,
    /// Containers, init containers and image volumes: how many images it may have to pull.
    pub image_count: usize,
    /// The group that it is scheduled with (`spec.schedulingGroup.podGroupName`).
    pub group: Option<Symbol>,
    /// Volumes that have a say in where it can run.
    pub volumes: Vec<PodVolume>,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// When the kubelet accepted it.
    pub start_time: Option<Timestamp>,
    /// Pods of one class are told the same by every filter and score that looks only at the pod and one node.
    pub class: PodClass,
}

impl PodInfo {
    /// Converts a pod.
    pub fn new(pod: &Pod, names: &mut ResourceNames, symbols: &mut Symbols) -> Self {
        let none = PodSpec::default();
        let spec = pod.spec.as_ref().unwrap_or(&none);
        let metadata = &pod.metadata;
        let status = pod.status.as_ref();
        let mut info = Self {
            namespace: symbols.intern(namespace(pod)),
            name: symbols.intern(metadata.name.as_deref().unwrap_or_default()),
            labels: Labels::new(metadata.labels.iter().flatten(), symbols),
            priority: spec.priority.unwrap_or(0),
            may_preempt: spec.preemption_policy.as_deref() != Some("Never"),
            requests: Requests::new(pod, names, symbols),
            host_ports: host_ports(spec, symbols),
            tolerations: spec
                .tolerations
                .iter()
                .flatten()
                .filter_map(|toleration| Toleration::new(toleration, symbols))
                .collect(),
            node_affinity: NodeAffinityInfo::new(spec, symbols),
            required_affinity: Vec::new(),
            required_anti_affinity: Vec::new(),
            preferred_affinity: Vec::new(),
            preferred_anti_affinity: Vec::new(),
            spread: Vec::new(),
            images: images(spec, symbols),
            image_count: spec.containers.len()
                + spec.init_containers.iter().flatten().count()
                + image_volumes(spec).count(),
            group: spec
                .scheduling_group
                .as_ref()
                .and_then(|group| Some(symbols.intern(group.pod_group_name.as_deref()?))),
            volumes: PodVolume::of_pod(metadata.name.as_deref().unwrap_or_default(), spec, symbols),
            terminating: metadata.deletion_timestamp.is_some(),
            start_time: status.and_then(|status| status.start_time.as_ref()).map(|time| time.0),
            class: PodClass::default(),
            object: None,
            rest: Box::new(PodObject::new(pod, symbols)),
        };
        if let Some(affinity) = &spec.affinity {
            info.convert_pod_affinity(affinity, symbols);
        }
        for constraint in spec.topology_spread_constraints.iter().flatten() {
            info.spread.push(SpreadConstraint::new(constraint, &info.labels, symbols));
        }
        info
    }

    fn convert_pod_affinity(&mut self, affinity: &Affinity, symbols: &mut Symbols) {
        if let Some(affinity) = &affinity.pod_affinity {
            let required = affinity.required_during_scheduling_ignored_during_execution.iter().flatten();
            let preferred = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
            self.required_affinity = required.map(|term| PodTerm::new(term, self, symbols)).collect();
            self.preferred_affinity = preferred
                .map(|w| (i64::from(w.weight), PodTerm::new(&w.pod_affinity_term, self, symbols)))
                .collect();
        }
        if let Some(affinity) = &affinity.pod_anti_affinity {
            let required = affinity.required_during_scheduling_ignored_during_execution.iter().flatten();
            let preferred = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
            self.required_anti_affinity = required.map(|term| PodTerm::new(term, self, symbols)).collect();
            self.preferred_anti_affinity = preferred
                .map(|w| (i64::from(w.weight), PodTerm::new(&w.pod_affinity_term, self, symbols)))
                .collect();
        }
    }

    /// Whether it has any term of affinity or anti-affinity to pods.
    pub fn has_pod_affinity(&self) -> bool {
        !(self.required_affinity.is_empty()
            && self.required_anti_affinity.is_empty()
            && self.preferred_affinity.is_empty()
            && self.preferred_anti_affinity.is_empty())
    }

    /// Its group, with the namespace.
    pub fn group_key(&self) -> Option<(Symbol, Symbol)> {
        Some((self.namespace, self.group?))
    }

    /// Whether both are the same pod.
    pub fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && self.namespace == other.namespace
    }

    /// The node that it was nominated to after a preemption.
    pub fn nominated_node_name(&self) -> Option<Symbol> {
        self.rest.nominated_node_name
    }

    /// Its unique id; empty for a pod that no API server has seen.
    pub fn uid(&self) -> &str {
        &self.rest.uid
    }
}

/// The namespace of a pod, `default` if it names none.
pub fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().filter(|name| !name.is_empty()).unwrap_or("default")
}

/// The node to which a pod is bound.
pub fn node_name(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|name| !name.is_empty())
}

/// Whether a pod has ended, so that it takes nothing of its node any more.
pub fn is_terminal(pod: &Pod) -> bool {
    matches!(pod.status.as_ref().and_then(|status| status.phase.as_deref()), Some("Succeeded" | "Failed"))
}

/// Host ports of containers and sidecars.
fn host_ports(spec: &PodSpec, symbols: &mut Symbols) -> Vec<HostPort> {
    let sidecars = spec.init_containers.iter().flatten().filter(|container| is_sidecar(container));
    let ports = spec.containers.iter().chain(sidecars).flat_map(|container| container.ports.iter().flatten());
    ports
        .filter_map(|port| {
            // On the host's network a container's port is the host's, as the API server defaults it.
            let on_host = spec.host_network == Some(true);
            let number = port.host_port.filter(|&p| p > 0).or(on_host.then_some(port.container_port))?;
            let ip = port.host_ip.as_deref().filter(|ip| !ip.is_empty() && *ip != "0.0.0.0");
            Some(HostPort {
                ip: ip.map(|ip| symbols.intern(ip)),
                protocol: symbols.intern(port.protocol.as_deref().unwrap_or("TCP")),
                port: number,
            })
        })
        .collect()
}

/// References of volumes that are images.
fn image_volumes(spec: &PodSpec) -> impl Iterator<Item = &str> {
    spec.volumes
        .iter()
        .flatten()
        .filter_map(|volume| volume.image.as_ref())
        .map(|image| image.reference.as_deref().unwrap_or_default())
}

fn images(spec: &PodSpec, symbols: &mut Symbols) -> Vec<Symbol> {
    let init = spec.init_containers.iter().flatten();
    let containers = init.chain(&spec.containers).map(|c| c.image.as_deref().unwrap_or_default());
    containers.chain(image_volumes(spec)).map(|image| symbols.intern(&normalized_image_name(image))).collect()
}

/// An image name with its tag; `latest` if it has neither tag nor digest.
fn normalized_image_name(name: &str) -> String {
    // A colon before the last slash is that of a port.
    if name.rfind(':') <= name.rfind('/') { format!("{name}:latest") } else { name.to_owned() }
}
