//! Quota, as numbers.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSpec, Taint, Toleration};

use crate::kube::quantity::{Amount, Format};

/// Amounts by resource: CPU in thousandths, everything else in units.
pub type Resources = BTreeMap<String, i64>;

/// Amounts by flavor and resource.
pub type Usage = BTreeMap<(String, String), i64>;

/// Namespace and name of a workload.
pub type Key = (String, String);

/// What the nodes of a flavor are like.
#[derive(Clone, Debug, Default)]
pub struct Flavor {
    /// Labels of its nodes.
    pub labels: BTreeMap<String, String>,
    /// Taints of its nodes.
    pub taints: Vec<Taint>,
    /// Tolerations that its pods get.
    pub tolerations: Vec<Toleration>,
}

/// Who may be evicted for a workload of the same queue (`preemption.withinClusterQueue`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preemption {
    /// Nobody.
    #[default]
    Never,
    /// Those of lower priority.
    LowerPriority,
    /// Those, and those of equal priority that are newer.
    LowerOrNewerEqualPriority,
}

/// Resources that are given out together.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// `nvidia.com/gpu`
    pub covered: Vec<String>,
    /// Flavors with their quota, in the order in which they are tried.
    pub flavors: Vec<(String, Resources)>,
}

/// A ClusterQueue.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// A workload that does not fit holds up those behind it.
    pub strict: bool,
    /// Who may be evicted.
    pub preemption: Preemption,
    /// Its quota.
    pub groups: Vec<Group>,
}

impl Queue {
    /// Quota of a resource in a flavor.
    pub fn nominal(&self, flavor: &str, resource: &str) -> i64 {
        let flavors = self.groups.iter().flat_map(|group| &group.flavors);
        flavors
            .filter(|(name, _)| name == flavor)
            .find_map(|(_, quota)| quota.get(resource))
            .copied()
            .unwrap_or(0)
    }
}

/// Pods of a workload that are alike.
#[derive(Clone, Debug, Default)]
pub struct PodSet {
    /// `main` for a single pod.
    pub name: String,
    /// How many.
    pub count: i64,
    /// What all of them ask for together.
    pub requests: Resources,
    /// What one of them is like.
    pub spec: PodSpec,
}

/// A workload that wants quota.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Which one.
    pub key: Key,
    /// Tells apart what is equal otherwise.
    pub uid: String,
    /// The ClusterQueue.
    pub queue: String,
    /// Higher goes first.
    pub priority: i32,
    /// Since when it waits: seconds, and a number that tells apart what happened in one second.
    pub since: (i64, u64),
    /// Its pods.
    pub pod_sets: Vec<PodSet>,
}

/// A workload that has quota.
#[derive(Clone, Debug, Default)]
pub struct Reservation {
    /// What it asked for.
    pub request: Request,
    /// By pod set and resource, the flavor.
    pub flavors: Vec<BTreeMap<String, String>>,
    /// When it was given, in seconds.
    pub at: i64,
    /// It has been told to go, and keeps its quota until its pods are gone.
    pub evicted: bool,
}

impl Reservation {
    /// What it takes.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::new();
        for (set, flavors) in self.request.pod_sets.iter().zip(&self.flavors) {
            for (resource, amount) in &set.requests {
                if let Some(flavor) = flavors.get(resource) {
                    *usage.entry((flavor.clone(), resource.clone())).or_default() += amount;
                }
            }
        }
        usage
    }
}

/// Adds up.
pub fn add(usage: &mut Usage, more: &Usage) {
    for (key, amount) in more {
        let entry = usage.entry(key.clone()).or_default();
        *entry = entry.saturating_add(*amount);
    }
}

/// Takes away.
pub fn sub(usage: &mut Usage, less: &Usage) {
    for (key, amount) in less {
        let entry = usage.entry(key.clone()).or_default();
        *entry = entry.saturating_sub(*amount);
    }
}

/// An amount of a resource as Kueue writes it: `500m` of cpu, `4Gi` of memory, `8` GPUs.
pub fn quantity(resource: &str, amount: i64) -> Amount {
    match resource {
        "cpu" => Amount::milli_units(amount),
        "memory" | "ephemeral-storage" => Amount::units(amount, Format::BinarySi),
        _ if resource.starts_with("hugepages-") => Amount::units(amount, Format::BinarySi),
        _ => Amount::units(amount, Format::DecimalSi),
    }
}
