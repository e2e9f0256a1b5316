//! `DynamicResources`: claims of the pod must have, or get, devices that its node can reach.
//!
//! Not modelled: partitionable devices (shared counters), devices that several claims share by capacity, and devices
//! whose binding has conditions; a pod that meets one is told so.

mod allocator;
mod cel;
mod claims;
mod constraints;
mod extended;
mod pools;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use super::super::cluster::devices::Chosen;
use super::super::cluster::{Cluster, NodeId, NodeInfo, PodInfo, Symbol};
use super::super::framework::{
    AllocatedDevice, Binder, ClaimAllocation, Code, Context, CycleState, Filter, NodeStatuses, Plugin,
    PostFilter, PostFilterContext, PostFilterResult, PreBind, PreFilter, PreFilterResult, Prepare, Reason,
    Reserve, Score, Status, default_normalize,
};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::arguments;
use allocator::Failure;
use cel::Selectors;
use claims::{Claims, claim_helps, claims_of};

pub(super) const NAME: &str = "DynamicResources";

/// So many pods can use one claim (`ResourceClaimReservedForMaxSize`).
const MOST_CONSUMERS: usize = 256;

const UNAVAILABLE: &str = "resourceclaim not available on the node";

/// `DynamicResourcesArgs`: a time-out for the search, which counts its steps here instead.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Args {
    #[serde(rename = "filterTimeout")]
    _filter_timeout: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct DynamicResources {
    selectors: Selectors,
}

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let _: Args = arguments(args)?;
    Ok(Box::<DynamicResources>::default())
}

impl Plugin for DynamicResources {
    fn name(&self) -> &str {
        NAME
    }

    fn prepare(&mut self) -> Option<&mut dyn Prepare> {
        Some(self)
    }

    fn pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn post_filter(&self) -> Option<&dyn PostFilter> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn Score> {
        Some(self)
    }

    fn reserve(&mut self) -> Option<&mut dyn Reserve> {
        Some(self)
    }

    fn pre_bind(&self) -> Option<&dyn PreBind> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NODE_ADD
            | EventKinds::NODE_UPDATE_LABEL
            | EventKinds::NODE_UPDATE_ALLOCATABLE
            | EventKinds::RESOURCE_CLAIM
            | EventKinds::DEVICE_CLASS
            | EventKinds::RESOURCE_SLICE
            | EventKinds::POD_GENERATED_CLAIM
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let helps = match change {
            ClusterChange::ResourceClaim { old, new } => claim_helps(context, *old, new),
            ClusterChange::PodUpdated { new, .. } => {
                context.pod.is_same(new) && claims_of(new, context.cluster).is_ok()
            }
            _ => true,
        };
        if helps { Hint::Queue } else { Hint::Skip }
    }
}

/// Whether the plugin has anything to do for a pod.
fn concerns(pod: &PodInfo, cluster: &Cluster) -> bool {
    pod.rest.claims.as_ref().is_some_and(|claims| !claims.listed.is_empty())
        || !extended::resources(pod, cluster).is_empty()
}

impl Prepare for DynamicResources {
    fn prepare(&mut self, context: &Context<'_>, _: &mut CycleState) {
        let Context { pod, cluster } = *context;
        if !concerns(pod, cluster) {
            return;
        }
        let devices = &cluster.devices;
        let mut ask = |class: &str| {
            let class = cluster.symbols.get(class).and_then(|class| devices.class(class));
            for selector in class.iter().flat_map(|class| &class.selectors) {
                self.selectors.prepare(selector, devices);
            }
        };
        let claims = claims_of(pod, cluster).unwrap_or_default();
        let open: Vec<_> = claims.iter().filter(|claim| claim.allocation.is_none()).collect();
        let wanted = || open.iter().flat_map(|claim| &claim.requests).flat_map(|request| &request.choices);
        for wanted in wanted() {
            ask(&wanted.class);
        }
        for (_, class) in &extended::resources(pod, cluster) {
            ask(class);
        }
        for selector in wanted().flat_map(|wanted| &wanted.selectors) {
            self.selectors.prepare(selector, devices);
        }
    }
}

impl PreFilter for DynamicResources {
    fn pre_filter(&self, context: &Context<'_>, state: &mut CycleState) -> PreFilterResult {
        let Context { pod, cluster } = *context;
        let symbols = &cluster.symbols;
        state.write(Claims::default());
        let all = match claims_of(pod, cluster) {
            Ok(all) => all,
            Err(text) => return Status::unresolvable(text).into(),
        };
        let claims = Claims { all, extended: extended::resources(pod, cluster) };
        if claims.is_empty() {
            return Status::skip().into();
        }
        let pod_name = symbols.name(pod.name);
        for claim in &claims.all {
            if claim.in_flight {
                let name = claim.text(symbols);
                let text = format!("resource claim {name} is in the process of being allocated");
                return Status::unresolvable(text).into();
            }
            if claim.allocation.is_some() {
                if claim.reserved_for.len() >= MOST_CONSUMERS && !claim.is_reserved_for(pod_name, pod.uid()) {
                    return Status::unresolvable("resourceclaim in use").into();
                }
                continue;
            }
            for request in &claim.requests {
                if request.choices.is_empty() {
                    let (name, request) = (claim.text(symbols), &request.name);
                    let text = format!("resource claim {name}, request {request}: unknown request type");
                    return Status::unresolvable(text).into();
                }
                for wanted in &request.choices {
                    let class = symbols.get(&wanted.class).and_then(|class| cluster.devices.class(class));
                    if class.is_none() {
                        let (request, class) = (&wanted.name, &wanted.class);
                        let text = format!("request {request}: device class {class} does not exist");
                        return Status::unresolvable(text).into();
                    }
                }
            }
        }
        state.write(claims);
        Status::success().into()
    }
}

impl Filter for DynamicResources {
    fn filter(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> Status {
        let Some(claims) = state.read::<Claims>() else { return Status::success() };
        match claims.allocate(&self.selectors, context, node) {
            Ok(None) => Status::unresolvable(Reason::Fixed("cannot allocate all claims")),
            Ok(Some(_)) if claims.unavailable(context.cluster, node).next().is_some() => {
                Status::unresolvable(Reason::Fixed(UNAVAILABLE))
            }
            Ok(Some(_)) => Status::success(),
            Err(Failure::Node(text)) => Status::unresolvable(text),
            Err(Failure::Error(text)) => Status::new(Code::Error, text),
        }
    }
}

impl PostFilter for DynamicResources {
    fn post_filter(
        &self,
        context: &PostFilterContext<'_>,
        state: &CycleState,
        statuses: &NodeStatuses,
    ) -> PostFilterResult {
        let result = |status| PostFilterResult { status, ..Default::default() };
        let Some(claims) = state.read::<Claims>() else {
            // An earlier pre-filter ended the cycle. Upstream fails to read its state then, which ends
            // the post-filters, preemption too: the pod's message ends with this.
            return result(Status::new(Code::Error, "not found"));
        };
        if claims.is_empty() {
            return result(Status::unschedulable("no new claims to deallocate"));
        }
        let Context { pod, cluster } = context.context;
        let name = cluster.symbols.name(pod.name);
        // Devices of a claim that nobody else uses can be given back. Upstream takes any such claim.
        let refused = statuses
            .iter()
            .filter(|one| one.status.reasons.iter().any(|reason| reason.as_str() == UNAVAILABLE));
        let mut unavailable = refused.flat_map(|one| claims.unavailable(cluster, cluster.node(one.node)));
        let idle = unavailable.find(|claim| match &claim.reserved_for[..] {
            [] => true,
            [_] => claim.is_reserved_for(name, pod.uid()),
            _ => false,
        });
        if let Some(claim) = idle {
            return PostFilterResult {
                status: Status::unschedulable("deallocation of ResourceClaim completed"),
                deallocate: Some(claim.key),
                ..Default::default()
            };
        }
        result(Status::unschedulable("still not schedulable"))
    }
}

impl Score for DynamicResources {
    fn is_local(&self, context: &Context<'_>) -> bool {
        !concerns(context.pod, context.cluster)
    }

    fn score(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64 {
        let Some(claims) = state.read::<Claims>() else { return 0 };
        if !claims.all.iter().flat_map(|claim| &claim.requests).any(|request| request.prioritized) {
            return 0;
        }
        match claims.allocate(&self.selectors, context, node) {
            Ok(Some(found)) => claims.score(&found),
            _ => 0,
        }
    }

    fn normalize(&self, _: &Context<'_>, _: &CycleState, _: &[NodeId], scores: &mut [i64]) {
        default_normalize(scores, false);
    }
}

impl Reserve for DynamicResources {
    fn reserve(&mut self, context: &Context<'_>, state: &mut CycleState, node: NodeId) -> Status {
        let Some(claims) = state.read::<Claims>().filter(|claims| !claims.is_empty()) else {
            return Status::success();
        };
        // Nothing has changed since the filter said yes.
        let node = context.cluster.node(node);
        let Ok(Some(found)) = claims.allocate(&self.selectors, context, node) else {
            return Status::new(Code::Error, "claim allocation not found for node");
        };
        let chosen = Chosen {
            claims: found.claims.into_iter().map(|(key, allocation)| (key, Arc::new(allocation))).collect(),
            used: claims.all.iter().map(|claim| claim.key).collect(),
            extended: found.extended.map(Arc::new),
        };
        state.write(chosen);
        Status::success()
    }

    /// The cluster takes back what was chosen.
    fn unreserve(&mut self, _: &Context<'_>, _: &mut CycleState, _: NodeId) {}
}

impl PreBind for DynamicResources {
    fn pre_bind(
        &self,
        context: &Context<'_>,
        state: &mut CycleState,
        node: NodeId,
        binder: &mut dyn Binder,
    ) -> Status {
        let Some(chosen) = state.read::<Chosen>() else { return Status::success() };
        let symbols = &context.cluster.symbols;
        let name = |symbol: Symbol| Arc::clone(symbols.name(symbol));
        let allocations = chosen.claims.iter().map(|(key, allocation)| ClaimAllocation {
            namespace: name(key.0),
            claim: name(key.1),
            devices: (allocation.devices.iter())
                .map(|one| {
                    let (driver, pool, device) = context.cluster.devices.name(one.device);
                    AllocatedDevice {
                        request: Arc::clone(&one.request),
                        driver: name(driver),
                        pool: name(pool),
                        device: name(device),
                    }
                })
                .collect(),
        });
        let allocations: Vec<_> = allocations.collect();
        match binder.allocate_claims(context.pod, context.cluster.node_name(node), &allocations) {
            Ok(()) => Status::success(),
            Err(text) => Status::new(Code::Error, text),
        }
    }
}
