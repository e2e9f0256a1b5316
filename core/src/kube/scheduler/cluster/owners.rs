//! Which pods belong together: the selectors of Services and workload controllers.
//!
//! A pod without spread constraints of its own is spread among those that its
//! Services and its controller select.

use std::collections::BTreeMap;

use super::pod_info::PodInfo;
use super::selector::Selector;
use super::symbols::{Labels, Symbol};

/// A kind of workload whose selector counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnerKind {
    /// `v1`
    ReplicationController,
    /// `apps/v1`
    ReplicaSet,
    /// `apps/v1`
    StatefulSet,
}

impl OwnerKind {
    pub(super) fn parse(kind: &str) -> Option<Self> {
        match kind {
            "ReplicationController" => Some(Self::ReplicationController),
            "ReplicaSet" => Some(Self::ReplicaSet),
            "StatefulSet" => Some(Self::StatefulSet),
            _ => None,
        }
    }
}

/// Selectors of Services and workload controllers.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners {
    services: BTreeMap<(Symbol, Symbol), Labels>,
    workloads: BTreeMap<(OwnerKind, Symbol, Symbol), Selector>,
}

impl Owners {
    pub fn set_service(&mut self, namespace: Symbol, name: Symbol, selector: Option<Labels>) {
        match selector {
            Some(selector) => self.services.insert((namespace, name), selector),
            None => self.services.remove(&(namespace, name)),
        };
    }

    pub fn set_workload(
        &mut self,
        kind: OwnerKind,
        namespace: Symbol,
        name: Symbol,
        selector: Option<Selector>,
    ) {
        match selector {
            Some(selector) => self.workloads.insert((kind, namespace, name), selector),
            None => self.workloads.remove(&(kind, namespace, name)),
        };
    }

    /// What selects the pods that belong together with this one; everything if nothing does (`helper.DefaultSelector`).
    pub fn default_selector(&self, pod: &PodInfo) -> Selector {
        let mut selector = Selector::everything();
        for ((namespace, _), labels) in &self.services {
            let selects =
                |labels: &Labels| labels.iter().all(|(key, value)| pod.labels.get(key) == Some(value));
            if *namespace == pod.namespace && selects(labels) {
                for (key, value) in labels.iter() {
                    selector.require(key, value, true);
                }
            }
        }
        let own = pod.rest.controller;
        let own = own.and_then(|(kind, name)| self.workloads.get(&(kind, pod.namespace, name)));
        if let Some(own) = own {
            selector.and(own);
        }
        selector
    }
}
