//! What few plugins ask of a pod, taken from its object once.
//!
//! A Kubernetes pod with one container takes some 5 kB. A scheduler that places ten thousand of them and is done
//! needs a twentieth of it; see `Scheduler::set_objects_kept`.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    Container, Pod, PodResourceClaim, PodResourceClaimStatus, PodSpec, PodStatus,
};

use super::owners::OwnerKind;
use super::symbols::{Symbol, Symbols};
use crate::kube::quantity::Amount;
use crate::order::Collected;

/// What few plugins ask of a pod.
#[derive(Clone, Debug, Default)]
pub struct PodObject {
    /// `metadata.namespace`, `default` if there is none.
    pub namespace: Arc<str>,
    /// `metadata.name`
    pub name: Arc<str>,
    /// `metadata.uid`; empty for a pod that no API server has seen.
    pub uid: Box<str>,
    /// `metadata.annotations`, by key.
    annotations: Box<[(Symbol, Box<str>)]>,
    /// The owner whose `controller` is true, if its kind has a selector.
    pub controller: Option<(OwnerKind, Symbol)>,
    /// `spec.nodeName`
    pub node_name: Option<Symbol>,
    /// `spec.schedulerName`
    pub scheduler_name: Option<Symbol>,
    /// `spec.schedulingGates`, by name.
    pub gates: Box<[Box<str>]>,
    /// `spec.resourceClaims` and what became of them.
    pub claims: Option<Box<PodClaims>>,
    /// Init containers, then containers; empty if none asks for an extended resource.
    pub extended: Box<[ContainerRequests]>,
    /// `status.nominatedNodeName`
    pub nominated_node_name: Option<Symbol>,
    /// Whether its condition `DisruptionTarget` says that the scheduler preempted it.
    pub preempted: bool,
}

/// The claims of a pod to devices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodClaims {
    /// `spec.resourceClaims`
    pub listed: Vec<PodResourceClaim>,
    /// `status.resourceClaimStatuses`; none before there are any.
    pub statuses: Option<Vec<PodResourceClaimStatus>>,
}

/// What a container asks for of extended resources.
#[derive(Clone, Debug)]
pub struct ContainerRequests {
    /// Whether it ends before the pod's containers run: an init container that is no sidecar.
    pub ends_early: bool,
    /// Name, place among all resources that the container asks for (by name), and amount.
    pub asked: Box<[(Box<str>, usize, usize)]>,
}

impl PodObject {
    /// Takes it from the object.
    pub(super) fn new(pod: &Pod, symbols: &mut Symbols) -> Self {
        let mut intern = |text: Option<&str>| {
            let text = text.filter(|text| !text.is_empty())?;
            Some(symbols.intern(text))
        };
        let spec = pod.spec.as_ref();
        let status = pod.status.as_ref();
        let node_name = intern(super::node_name(pod));
        let scheduler_name = intern(spec.and_then(|spec| spec.scheduler_name.as_deref()));
        let nominated_node_name = intern(status.and_then(|status| status.nominated_node_name.as_deref()));
        let annotations = pod.metadata.annotations.iter().flatten();
        let annotations =
            annotations.map(|(key, value)| (symbols.intern(key), value.as_str().into())).collect();
        let owner = pod.metadata.owner_references.iter().flatten().find(|one| one.controller == Some(true));
        let controller =
            owner.and_then(|owner| Some((OwnerKind::parse(&owner.kind)?, symbols.intern(&owner.name))));
        let mut named = |text: &str| {
            let symbol = symbols.intern(text);
            Arc::clone(symbols.name(symbol))
        };
        Self {
            namespace: named(super::namespace(pod)),
            name: named(pod.metadata.name.as_deref().unwrap_or_default()),
            uid: pod.metadata.uid.as_deref().unwrap_or_default().into(),
            annotations,
            controller,
            node_name,
            scheduler_name,
            gates: spec
                .iter()
                .flat_map(|spec| spec.scheduling_gates.iter().flatten())
                .map(|gate| gate.name.as_str().into())
                .collect(),
            claims: PodClaims::new(spec, status).map(Box::new),
            extended: spec.map(extended).unwrap_or_default(),
            nominated_node_name,
            preempted: status.is_some_and(is_preempted),
        }
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str, symbols: &Symbols) -> Option<&str> {
        // Most pods have none.
        if self.annotations.is_empty() {
            return None;
        }
        let key = symbols.get(key)?;
        self.annotations.iter().find(|(name, _)| *name == key).map(|(_, value)| &**value)
    }

    /// What the claims that were made from templates are called.
    pub fn claim_statuses(&self) -> Option<&[PodResourceClaimStatus]> {
        self.claims.as_ref()?.statuses.as_deref()
    }
}

impl PodClaims {
    fn new(spec: Option<&PodSpec>, status: Option<&PodStatus>) -> Option<Self> {
        let listed = spec.and_then(|spec| spec.resource_claims.clone()).unwrap_or_default();
        let statuses = status.and_then(|status| status.resource_claim_statuses.clone());
        (!listed.is_empty() || statuses.is_some()).then_some(Self { listed, statuses })
    }
}

fn is_preempted(status: &PodStatus) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions.find(|condition| condition.type_ == "DisruptionTarget").is_some_and(|condition| {
        condition.status == "True" && condition.reason.as_deref() == Some("PreemptionByScheduler")
    })
}

fn extended(spec: &PodSpec) -> Box<[ContainerRequests]> {
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let early = init.iter().map(|one| (one.restart_policy.as_deref() != Some("Always"), one));
    let all = early.chain(spec.containers.iter().map(|one| (false, one)));
    let all = all.map(|(ends_early, one)| ContainerRequests { ends_early, asked: asked(one) });
    let all: Box<[_]> = all.collect();
    if all.iter().all(|one| one.asked.is_empty()) { Box::default() } else { all }
}

fn asked(container: &Container) -> Box<[(Box<str>, usize, usize)]> {
    let Some(resources) = container.resources.as_ref() else { return Box::default() };
    // A limit without a request is also the request, as the API server defaults it.
    let lists = [&resources.limits, &resources.requests];
    if !lists.iter().any(|list| list.iter().flat_map(|list| list.keys()).any(|name| name.contains('/'))) {
        return Box::default();
    }
    let all: BTreeMap<_, _> = lists.into_iter().flatten().flatten().into_map();
    let extended = all.iter().enumerate().filter(|(_, (name, _))| name.contains('/'));
    extended
        .filter_map(|(place, (name, amount))| {
            let amount: Amount = amount.0.parse().ok()?;
            Some((name.as_str().into(), place, usize::try_from(amount.value()).ok()?))
        })
        .collect()
}
