//! The claims of a pod, and what they come to on a node.

use std::sync::Arc;

use super::super::super::cluster::devices::{Allocation, Claim, ClaimKey};
use super::super::super::cluster::{Cluster, NodeInfo, PodInfo};
use super::super::super::framework::Context;
use super::allocator::{Failure, allocate};
use super::cel::Selectors;
use super::extended;

/// A request with alternatives scores as many points, less one for each better alternative
/// (`FirstAvailableDeviceRequestMaxSize`).
const MOST_ALTERNATIVES: i64 = 8;

/// Whether a claim that came or changed is worth another try (`isSchedulableAfterClaimChange`).
pub(super) fn claim_helps(context: &Context<'_>, old: Option<&Claim>, new: &Claim) -> bool {
    let Ok(claims) = claims_of(context.pod, context.cluster) else { return false };
    let is_used = claims.iter().any(|claim| claim.key == new.key);
    match old {
        // Its devices are free again.
        Some(old) if old.allocation.is_some() && new.allocation.is_none() => true,
        Some(old) => is_used && (old.allocation != new.allocation || old.reserved_for != new.reserved_for),
        None => is_used,
    }
}

/// The claims of a pod; the error is upstream's text (`foreachPodResourceClaim`).
pub(super) fn claims_of(pod: &PodInfo, cluster: &Cluster) -> Result<Vec<Arc<Claim>>, String> {
    let Some(of_pod) = &pod.rest.claims else { return Ok(Vec::new()) };
    let (namespace, pod_name) = (cluster.symbols.name(pod.namespace), cluster.symbols.name(pod.name));
    let mut claims = Vec::new();
    for one in &of_pod.listed {
        let (name, generated) = if let Some(name) = &one.resource_claim_name {
            (name, false)
        } else if one.resource_claim_template_name.is_some() {
            let statuses = of_pod.statuses.iter().flatten();
            let Some(status) = statuses.into_iter().find(|status| status.name == one.name) else {
                return Err(format!("pod \"{namespace}/{pod_name}\": ResourceClaim not created yet"));
            };
            // Without a name none was needed.
            let Some(name) = &status.resource_claim_name else { continue };
            (name, true)
        } else {
            return Err(format!(
                "pod \"{namespace}/{pod_name}\", spec.resourceClaim {:?}: none of the supported fields are set",
                one.name
            ));
        };
        let known = cluster.symbols.get(name).and_then(|name| cluster.devices.claim((pod.namespace, name)));
        let Some(claim) = known else {
            return Err(format!("could not find ResourceClaim \"{namespace}/{name}\""));
        };
        if claim.terminating {
            return Err(format!("resourceclaim {name:?} is being deleted"));
        }
        if generated && claim.controller_uid.as_deref() != Some(pod.uid()) {
            return Err(format!(
                "ResourceClaim {namespace}/{name} was not created for Pod {namespace}/{pod_name} (Pod is not owner)"
            ));
        }
        claims.push(Arc::clone(claim));
    }
    Ok(claims)
}

/// What the pre-filter found: upstream keeps the pod's claims here, and of a pod without any that it ran.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    /// In the pod's order.
    pub all: Vec<Arc<Claim>>,
    /// Extended resources that devices stand in for, with the class.
    pub extended: Vec<(Arc<str>, Arc<str>)>,
}

/// What all claims of a pod come to on one node.
pub(super) struct OnNode {
    /// The claims that had nothing before, in the pod's order.
    pub claims: Vec<(ClaimKey, Allocation)>,
    pub extended: Option<Allocation>,
}

impl Claims {
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.extended.is_empty()
    }

    /// The claims that have got devices, but not for this node.
    pub fn unavailable<'a>(
        &'a self,
        cluster: &'a Cluster,
        node: &'a NodeInfo,
    ) -> impl Iterator<Item = &'a Arc<Claim>> {
        self.all.iter().filter(|claim| {
            let allocation = claim.allocation.as_ref();
            allocation.is_some_and(|allocation| !allocation.reach.covers(node, &cluster.symbols))
        })
    }

    /// Finds devices on a node for all claims that have none.
    pub fn allocate(
        &self,
        selectors: &Selectors,
        context: &Context<'_>,
        node: &NodeInfo,
    ) -> Result<Option<OnNode>, Failure> {
        let Context { pod, cluster } = *context;
        let mut open: Vec<_> = self.all.iter().filter(|c| c.allocation.is_none()).map(Arc::clone).collect();
        let extended = extended::claim(pod, cluster, node, &self.extended);
        let has_extended = extended.is_some();
        open.extend(extended);
        if open.is_empty() {
            return Ok(Some(OnNode { claims: Vec::new(), extended: None }));
        }
        let Some(mut allocations) = allocate(cluster, selectors, node, &open)? else { return Ok(None) };
        let extended = if has_extended { allocations.pop() } else { None };
        let claims = open.iter().map(|claim| claim.key).zip(allocations).collect();
        Ok(Some(OnNode { claims, extended }))
    }

    /// Points for the alternatives that were taken.
    pub fn score(&self, found: &OnNode) -> i64 {
        let mut score = 0;
        for claim in &self.all {
            let fresh = found.claims.iter().find(|(key, _)| *key == claim.key).map(|(_, fresh)| fresh);
            let Some(allocation) = claim.allocation.as_deref().or(fresh) else { continue };
            for request in claim.requests.iter().filter(|request| request.prioritized) {
                let taken = |name: &Arc<str>| allocation.devices.iter().any(|one| one.request == *name);
                if let Some(place) = request.choices.iter().position(|choice| taken(&choice.name)) {
                    score += MOST_ALTERNATIVES - i64::try_from(place).unwrap_or(MOST_ALTERNATIVES);
                }
            }
        }
        score
    }
}
