//! `VolumeRestrictions`: disks and claims that pods cannot share.

use serde_json::Value;

use super::super::cluster::volumes::PodVolume;
use super::super::cluster::{Cluster, NodeInfo, PodInfo, Symbol};
use super::super::framework::{Context, CycleState, Filter, Plugin, PreFilter, PreFilterResult, Status};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::no_arguments;

pub(super) const NAME: &str = "VolumeRestrictions";

#[derive(Clone, Debug)]
struct VolumeRestrictions;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(VolumeRestrictions))
}

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &str {
        NAME
    }

    fn pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::ASSIGNED_POD_DELETE | EventKinds::NODE_ADD | EventKinds::PERSISTENT_VOLUME_CLAIM
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let pod = context.pod;
        let uses = |claim: Symbol| pod.volumes.iter().any(|volume| volume.shared_claim() == Some(claim));
        let helps = match change {
            ClusterChange::AssignedPodDeleted(gone) => {
                gone.namespace == pod.namespace
                    && (share_a_disk(pod, gone)
                        || gone.volumes.iter().filter_map(PodVolume::shared_claim).any(uses))
            }
            ClusterChange::PersistentVolumeClaim { old: None, new } => {
                new.key.0 == pod.namespace && uses(new.key.1)
            }
            // Access modes never change.
            ClusterChange::PersistentVolumeClaim { .. } => false,
            _ => true,
        };
        if helps { Hint::Queue } else { Hint::Skip }
    }
}

/// Claims of the pod that only one pod at a time may use, and how many pods use them at present.
#[derive(Clone, Debug)]
struct OnePodClaims {
    names: Vec<Symbol>,
    users: i64,
}

impl OnePodClaims {
    fn count(&self, other: &PodInfo) -> i64 {
        // By name alone, as upstream does: a pod of another namespace counts, too.
        let claims = other.volumes.iter().filter_map(PodVolume::shared_claim);
        claims.filter(|name| self.names.contains(name)).map(|_| 1).sum()
    }
}

fn disks(pod: &PodInfo) -> impl Iterator<Item = &super::super::cluster::volumes::Disk> {
    pod.volumes.iter().filter_map(|volume| match volume {
        PodVolume::Disk { disk, .. } => disk.as_ref(),
        _ => None,
    })
}

fn share_a_disk(pod: &PodInfo, other: &PodInfo) -> bool {
    disks(pod).any(|disk| disks(other).any(|taken| disk.conflicts_with(taken)))
}

impl PreFilter for VolumeRestrictions {
    fn pre_filter(&self, context: &Context<'_>, state: &mut CycleState) -> PreFilterResult {
        let Context { pod, cluster } = context;
        if pod.volumes.is_empty() {
            return Status::skip().into();
        }
        let mut names = Vec::new();
        for name in pod.volumes.iter().filter_map(PodVolume::shared_claim) {
            let Some(claim) = cluster.volumes.claim((pod.namespace, name)) else {
                return Status::unresolvable(claim_not_found(cluster, name)).into();
            };
            if claim.access_modes.has_read_write_once_pod() && !names.contains(&name) {
                names.push(name);
            }
        }
        let is_used = |name: &&Symbol| {
            let nodes = cluster.all_nodes().map(|id| cluster.node(id));
            let mut pods = nodes.flat_map(|node| &node.pods).filter(|other| other.namespace == pod.namespace);
            pods.any(|other| other.volumes.iter().any(|volume| volume.shared_claim() == Some(**name)))
        };
        let users = names.iter().filter(is_used).map(|_| 1).sum();
        if users == 0 && disks(pod).next().is_none() {
            return Status::skip().into();
        }
        state.write(OnePodClaims { names, users });
        Status::success().into()
    }

    fn add_pod(&self, _: &Context<'_>, state: &mut CycleState, other: &PodInfo, _: &NodeInfo) {
        if let Some(claims) = state.read_mut::<OnePodClaims>() {
            claims.users += claims.count(other);
        }
    }

    fn remove_pod(&self, _: &Context<'_>, state: &mut CycleState, other: &PodInfo, _: &NodeInfo) {
        if let Some(claims) = state.read_mut::<OnePodClaims>() {
            claims.users -= claims.count(other);
        }
    }
}

impl Filter for VolumeRestrictions {
    fn filter(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> Status {
        if node.pods.iter().any(|other| share_a_disk(context.pod, other)) {
            return Status::unschedulable("node(s) had no available disk");
        }
        if state.read::<OnePodClaims>().is_some_and(|claims| claims.users > 0) {
            return Status::unschedulable(
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already \
                 in-use by another pod",
            );
        }
        Status::success()
    }
}

/// What the real scheduler's lister says of a claim that is not there.
pub(super) fn claim_not_found(cluster: &Cluster, name: Symbol) -> String {
    format!("persistentvolumeclaim {:?} not found", &**cluster.symbols.name(name))
}
