//! What preemption found, as data.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cluster::{Selector, Symbol};
use super::framework::{Code, Reason};

/// A pod disruption budget as preemption sees it.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Its namespace.
    pub namespace: Symbol,
    /// Its name.
    pub name: Symbol,
    /// Which pods it protects.
    pub selector: Selector,
    /// How many of them may go now.
    pub disruptions_allowed: i32,
    /// Names of pods whose disruption was already counted.
    pub disrupted_pods: Vec<Symbol>,
}

/// How a preemption went.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preemption {
    /// Nodes on which the pod would fit if some pods went.
    pub candidates: BTreeMap<Arc<str>, Candidate>,
    /// Nodes that were tried in vain.
    pub not_candidates: BTreeMap<Arc<str>, NotCandidate>,
    /// The candidate that was chosen.
    pub target: Option<Arc<str>>,
}

/// A node on which the pod would fit if some pods went.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// `namespace/name` of the pods that would have to go, most important first.
    pub victims: Vec<String>,
    /// How many of them a disruption budget protects.
    pub pdb_violations: i64,
}

/// Why preemption on a node does not help.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotCandidate {
    /// The answer of the filter that refused even then.
    pub code: Code,
    /// Its reasons.
    pub reasons: Vec<Reason>,
}

impl Budget {
    /// Whether it counts the disruption of a pod.
    pub(super) fn protects(&self, pod: &super::cluster::PodInfo, symbols: &super::cluster::Symbols) -> bool {
        self.namespace == pod.namespace
            && !pod.labels.is_empty()
            // A budget with an empty selector protects nothing.
            && !self.selector.is_empty()
            && self.selector.matches(&pod.labels, symbols)
            && !self.disrupted_pods.contains(&pod.name)
    }
}
