//! What the scheduler is told of objects other than nodes and pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::cluster::{OwnerKind, Selector};
use super::engine::{Scheduler, notify};
use super::preemption::Budget;
use super::queue::ClusterChange;

impl Scheduler {
    /// The labels of a namespace changed (or it came): what `namespaceSelector` looks at.
    pub fn set_namespace(&mut self, name: &str, labels: &BTreeMap<String, String>) {
        self.cluster.set_namespace(name, labels);
        notify(&mut self.queue, &self.profiles, &self.cluster, &ClusterChange::Namespace);
    }

    /// A namespace went.
    pub fn remove_namespace(&mut self, name: &str) {
        self.cluster.remove_namespace(name);
    }

    /// A Service changed (or came): pods without spread constraints of their own are spread among those it selects.
    pub fn set_service(&mut self, service: &Service) {
        let metadata = &service.metadata;
        let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        let namespace = metadata.namespace.as_deref().unwrap_or("default");
        self.cluster.set_service(namespace, metadata.name.as_deref().unwrap_or_default(), selector);
    }

    /// A Service went.
    pub fn remove_service(&mut self, namespace: &str, name: &str) {
        self.cluster.set_service(namespace, name, None);
    }

    /// A ReplicaSet, StatefulSet or ReplicationController came, changed its selector, or went (no selector).
    pub fn set_workload(
        &mut self,
        kind: OwnerKind,
        namespace: &str,
        name: &str,
        selector: Option<&LabelSelector>,
    ) {
        let symbols = &mut self.cluster.symbols;
        let selector = selector.map(|selector| Selector::new(Some(selector), symbols));
        self.cluster.set_workload(kind, namespace, name, selector);
    }

    /// A disruption budget changed (or came).
    pub fn set_budget(&mut self, budget: &PodDisruptionBudget) {
        let symbols = &mut self.cluster.symbols;
        let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        let status = budget.status.as_ref();
        let disrupted = status.and_then(|status| status.disrupted_pods.as_ref());
        let new = Budget {
            namespace: symbols.intern(budget.metadata.namespace.as_deref().unwrap_or("default")),
            name: symbols.intern(budget.metadata.name.as_deref().unwrap_or_default()),
            selector: Selector::new(selector, symbols),
            disruptions_allowed: status.and_then(|status| status.disruptions_allowed).unwrap_or(0),
            disrupted_pods: disrupted.into_iter().flatten().map(|(pod, _)| symbols.intern(pod)).collect(),
        };
        match self.budgets.iter_mut().find(|b| b.namespace == new.namespace && b.name == new.name) {
            Some(old) => *old = new,
            None => self.budgets.push(new),
        }
    }

    /// A disruption budget went.
    pub fn remove_budget(&mut self, namespace: &str, name: &str) {
        let symbols = &self.cluster.symbols;
        let key = (symbols.get(namespace), symbols.get(name));
        self.budgets.retain(|budget| (Some(budget.namespace), Some(budget.name)) != key);
    }
}
