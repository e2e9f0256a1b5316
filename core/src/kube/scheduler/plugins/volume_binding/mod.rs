//! `VolumeBinding`: claims of the pod, and the volumes that are bound to them, will be, or must be made.

mod assumed;
mod find;

use crate::order::InOrder;
use serde::Deserialize;
use serde_json::Value;

use super::super::cluster::volumes::{Claim, ClaimKey, PodVolume, Volumes};
use super::super::cluster::{Cluster, NodeId, NodeInfo, PodInfo, Symbol};
use super::super::framework::{
    Binder, Code, Context, CycleState, Filter, Plugin, PreBind, PreFilter, PreFilterResult, Reserve, Status,
    VolumeBinding as Binding,
};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::arguments;
use super::volume_restrictions::claim_not_found;
use assumed::Assumed;
use find::{PodClaims, PodVolumes};

pub(super) const NAME: &str = "VolumeBinding";

/// `VolumeBindingArgs`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Args {
    bind_timeout_seconds: Option<i64>,
    /// Of the alpha feature `StorageCapacityScoring`.
    shape: Option<Value>,
}

#[derive(Clone, Debug, Default)]
struct VolumeBinding {
    /// What has been decided and not been heard back of.
    assumed: Assumed,
}

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let args: Args = arguments(args)?;
    if let Some(seconds) = args.bind_timeout_seconds.filter(|seconds| *seconds < 0) {
        return Err(format!(
            "bindTimeoutSeconds: Invalid value: {seconds}: invalid BindTimeoutSeconds, should not be a negative value"
        ));
    }
    if args.shape.is_some() {
        return Err("shape: Invalid value: unexpected field `shape`, remove it or turn on the feature gate \
                    StorageCapacityScoring"
            .to_owned());
    }
    Ok(Box::<VolumeBinding>::default())
}

impl Plugin for VolumeBinding {
    fn name(&self) -> &str {
        NAME
    }

    fn pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn reserve(&mut self) -> Option<&mut dyn Reserve> {
        Some(self)
    }

    fn pre_bind(&self) -> Option<&dyn PreBind> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::STORAGE_CLASS
            | EventKinds::PERSISTENT_VOLUME_CLAIM
            | EventKinds::PERSISTENT_VOLUME
            | EventKinds::NODE_ADD
            | EventKinds::NODE_UPDATE_LABEL
            | EventKinds::CSI_NODE
            | EventKinds::CSI_DRIVER
            | EventKinds::CSI_STORAGE_CAPACITY
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let pod = context.pod;
        let helps = match change {
            ClusterChange::StorageClass { old: Some(old), new } => !new.has_topologies_of(old),
            ClusterChange::PersistentVolumeClaim { new, .. } => {
                let uses = |volume: &PodVolume| volume.claim() == Some(new.key.1);
                new.key.0 == pod.namespace && pod.volumes.iter().any(uses)
            }
            ClusterChange::CsiNode { old: Some(old), new } => old.migrated != new.migrated,
            ClusterChange::CsiDriver { old, new } => {
                // Only drivers of inline volumes are looked for, though it is claims that it would help.
                let uses = |volume: &PodVolume| *volume == PodVolume::InlineCsi { driver: new.name };
                old.is_some_and(|old| old.storage_capacity && !new.storage_capacity)
                    && pod.volumes.iter().any(uses)
            }
            ClusterChange::CsiStorageCapacity { old: Some(old), new } => {
                new.limit.is_some() && new.limit > old.limit
            }
            _ => true,
        };
        if helps { Hint::Queue } else { Hint::Skip }
    }
}

/// The claims of a pod.
fn claims(pod: &PodInfo) -> impl Iterator<Item = (Symbol, bool)> {
    pod.volumes.iter().filter_map(|volume| match volume {
        PodVolume::Claim { name, ephemeral } => Some((*name, *ephemeral)),
        _ => None,
    })
}

/// Why a pod cannot use one of its claims (`podHasPVCs`).
fn unusable(pod: &PodInfo, cluster: &Cluster, name: Symbol, ephemeral: bool) -> Result<(), String> {
    let symbols = &cluster.symbols;
    let text = &**symbols.name(name);
    let Some(claim) = cluster.volumes.claim((pod.namespace, name)) else {
        return Err(if ephemeral {
            format!("waiting for ephemeral volume controller to create the persistentvolumeclaim {text:?}")
        } else {
            claim_not_found(cluster, name)
        });
    };
    if claim.lost {
        let volume = claim.volume.map(|volume| &**symbols.name(volume)).unwrap_or_default();
        return Err(format!(
            "persistentvolumeclaim {text:?} bound to non-existent persistentvolume {volume:?}"
        ));
    }
    if claim.terminating {
        return Err(format!("persistentvolumeclaim {text:?} is being deleted"));
    }
    if ephemeral { Volumes::is_for_pod(claim, pod, symbols) } else { Ok(()) }
}

impl VolumeBinding {
    /// Sorts the claims of the pod into bound ones and those that wait for it.
    fn sort(&self, context: &Context<'_>) -> Result<PodClaims, Status> {
        let Context { pod, cluster } = *context;
        let mut found = PodClaims::default();
        let mut unbound_immediate = false;
        for (name, _) in claims(pod) {
            let key: ClaimKey = (pod.namespace, name);
            let Some(claim) = cluster.volumes.claim(key) else { continue };
            if claim.bound {
                found.bound.push(std::sync::Arc::clone(claim));
                continue;
            }
            if claim.volume.is_none() && waits(claim, cluster)? {
                found.waiting.push(self.assumed.waiting(claim, cluster));
            } else {
                unbound_immediate = true;
            }
        }
        if unbound_immediate {
            return Err(Status::unresolvable("pod has unbound immediate PersistentVolumeClaims"));
        }
        // The smallest first: they get the smallest volumes.
        found.waiting.order_by_key(|waiting| waiting.claim.size().nanos());
        Ok(found)
    }
}

/// Whether binding waits for the first pod (`IsDelayBindingMode`).
fn waits(claim: &Claim, cluster: &Cluster) -> Result<bool, Status> {
    let Some(class) = claim.class.and_then(|class| cluster.volumes.class(class)) else { return Ok(false) };
    class.waits.ok_or_else(|| {
        let name = &**cluster.symbols.name(class.name);
        Status::new(Code::Error, format!("VolumeBindingMode not set for StorageClass {name:?}"))
    })
}

impl PreFilter for VolumeBinding {
    fn pre_filter(&self, context: &Context<'_>, state: &mut CycleState) -> PreFilterResult {
        let Context { pod, cluster } = *context;
        let mut any = false;
        for (name, ephemeral) in claims(pod) {
            any = true;
            if let Err(text) = unusable(pod, cluster, name, ephemeral) {
                return Status::unresolvable(text).into();
            }
        }
        if !any {
            return Status::skip().into();
        }
        match self.sort(context) {
            Ok(found) => {
                state.write(found);
                Status::success().into()
            }
            Err(status) => status.into(),
        }
    }
}

impl Filter for VolumeBinding {
    fn filter(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> Status {
        let Some(claims) = state.read::<PodClaims>() else { return Status::success() };
        match claims.find(context.cluster, node) {
            Ok(Ok(_)) => Status::success(),
            Ok(Err(reasons)) => Status { code: Code::UnschedulableAndUnresolvable, reasons },
            Err(text) => Status::new(Code::Error, text),
        }
    }
}

impl Reserve for VolumeBinding {
    fn reserve(&mut self, context: &Context<'_>, state: &mut CycleState, node: NodeId) -> Status {
        let Some(claims) = state.read::<PodClaims>().filter(|claims| !claims.waiting.is_empty()) else {
            return Status::success();
        };
        // Nothing has changed since the filter said yes.
        let Ok(Ok(found)) = claims.find(context.cluster, context.cluster.node(node)) else {
            return Status::success();
        };
        self.assumed.assume(&found, context.cluster);
        state.write(found);
        Status::success()
    }

    fn unreserve(&mut self, _: &Context<'_>, state: &mut CycleState, _: NodeId) {
        if let Some(found) = state.read::<PodVolumes>() {
            self.assumed.revert(found);
        }
    }
}

impl PreBind for VolumeBinding {
    fn pre_bind(
        &self,
        context: &Context<'_>,
        state: &mut CycleState,
        node: NodeId,
        binder: &mut dyn Binder,
    ) -> Status {
        let Some(found) = state.read::<PodVolumes>() else { return Status::success() };
        let symbols = &context.cluster.symbols;
        let name = |symbol: Symbol| std::sync::Arc::clone(symbols.name(symbol));
        let matched = found.matched.iter().map(|(claim, volume)| (claim, Some(name(volume.name))));
        let bindings: Vec<_> = matched
            .chain(found.to_make.iter().map(|claim| (claim, None)))
            .map(|(claim, volume)| Binding { namespace: name(claim.key.0), claim: name(claim.key.1), volume })
            .collect();
        match binder.bind_volumes(context.pod, context.cluster.node_name(node), &bindings) {
            Ok(()) => Status::success(),
            Err(text) => Status::new(Code::Error, format!("binding volumes: {text}")),
        }
    }
}
