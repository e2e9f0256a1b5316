//! `NodeVolumeLimits`: how many volumes a CSI driver can attach to a node.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::cluster::volumes::{Claim, CsiVolume, InTree, NodeDrivers, PodVolume, Volumes};
use super::super::cluster::{Cluster, NodeInfo, PodInfo, Symbol};
use super::super::framework::{
    Code, Context, CycleState, Filter, Plugin, PreFilter, PreFilterResult, Status,
};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::no_arguments;
use super::volume_restrictions::claim_not_found;

pub(super) const NAME: &str = "NodeVolumeLimits";

#[derive(Clone, Debug)]
struct NodeVolumeLimits;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(NodeVolumeLimits))
}

impl Plugin for NodeVolumeLimits {
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
        EventKinds::CSI_NODE
            | EventKinds::ASSIGNED_POD_DELETE
            | EventKinds::PERSISTENT_VOLUME_CLAIM
            | EventKinds::VOLUME_ATTACHMENT_DELETE
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let pod = context.pod;
        let helps = match change {
            ClusterChange::CsiNode { old: Some(old), new } => new
                .drivers
                .iter()
                .any(|(driver, limit)| limit.is_some_and(|limit| Some(limit) > old.limit(*driver))),
            ClusterChange::AssignedPodDeleted(gone) => may_attach(gone),
            ClusterChange::PersistentVolumeClaim { old, new } => {
                let uses = |volume: &PodVolume| volume.claim() == Some(new.key.1);
                old.is_none() && new.key.0 == pod.namespace && pod.volumes.iter().any(uses)
            }
            ClusterChange::VolumeAttachmentDeleted(gone) => {
                let volumes = &context.cluster.volumes;
                pod.volumes.iter().any(|volume| match volume {
                    PodVolume::Claim { name, .. } => {
                        let claim = volumes.claim((pod.namespace, *name));
                        claim.is_some_and(|claim| claim.volume.is_none() || claim.volume == gone.volume)
                    }
                    PodVolume::Disk { in_tree, .. } => {
                        in_tree.is_some_and(|in_tree| in_tree.csi.driver == gone.driver)
                    }
                    PodVolume::InlineCsi { .. } => false,
                })
            }
            _ => true,
        };
        if helps { Hint::Queue } else { Hint::Skip }
    }
}

/// Whether the pod has a volume that a CSI driver may have to attach.
fn may_attach(pod: &PodInfo) -> bool {
    pod.volumes.iter().any(|volume| match volume {
        PodVolume::Claim { .. } => true,
        PodVolume::Disk { in_tree, .. } => in_tree.is_some(),
        PodVolume::InlineCsi { .. } => false,
    })
}

impl PreFilter for NodeVolumeLimits {
    fn pre_filter(&self, context: &Context<'_>, _: &mut CycleState) -> PreFilterResult {
        if may_attach(context.pod) { Status::success() } else { Status::skip() }.into()
    }
}

impl Filter for NodeVolumeLimits {
    fn filter(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> Status {
        let Context { pod, cluster } = *context;
        let drivers = cluster.volumes.node(node.name);
        let mut wanted = Attached::new(cluster, drivers);
        if let Err(status) = wanted.add(pod, true) {
            return status;
        }
        if wanted.by_volume.is_empty() {
            return Status::success();
        }
        for driver in wanted.by_volume.values() {
            let required = cluster.volumes.driver(*driver);
            let there = drivers.is_some_and(|known| known.drivers.iter().any(|(name, _)| name == driver));
            if required.is_some_and(|driver| driver.prevent_pod_scheduling_if_missing) && !there {
                let name = cluster.symbols.name(*driver);
                return Status::unschedulable(format!("{name} CSI driver is not installed on the node"));
            }
        }
        let Some(drivers) = drivers.filter(|known| known.drivers.iter().any(|(_, limit)| limit.is_some()))
        else {
            return Status::success();
        };
        let mut attached = Attached::new(cluster, Some(drivers));
        for other in &node.pods {
            if let Err(status) = attached.add(other, false) {
                return status;
            }
        }
        // A volume that another pod of the node uses is attached already.
        wanted.by_volume.retain(|volume, _| !attached.by_volume.contains_key(volume));
        for attachment in cluster.volumes.attached_to(node.name) {
            let volume = attachment.volume.and_then(|name| cluster.volumes.volume(name));
            if let Some(csi) = volume.and_then(|volume| volume.csi) {
                let id = Handle::Known(CsiVolume { driver: attachment.driver, ..csi });
                if !wanted.by_volume.contains_key(&id) {
                    attached.by_volume.insert(id, attachment.driver);
                }
            }
        }
        let count = |of: &Attached<'_>, driver: Symbol| {
            of.by_volume.values().map(|d| i64::from(*d == driver)).sum::<i64>()
        };
        let full = wanted.by_volume.values().any(|driver| {
            drivers
                .limit(*driver)
                .is_some_and(|limit| count(&attached, *driver) + count(&wanted, *driver) > limit)
        });
        if full { Status::unschedulable("node(s) exceed max volume count") } else { Status::success() }
    }
}

/// What tells a volume from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Handle {
    Known(CsiVolume),
    /// The volume that will be made for a claim by that driver.
    ToCome(Symbol, (Symbol, Symbol)),
}

/// Volumes with the drivers that attach them, each volume once.
struct Attached<'a> {
    cluster: &'a Cluster,
    node: Option<&'a NodeDrivers>,
    by_volume: BTreeMap<Handle, Symbol>,
}

impl<'a> Attached<'a> {
    const fn new(cluster: &'a Cluster, node: Option<&'a NodeDrivers>) -> Self {
        Self { cluster, node, by_volume: BTreeMap::new() }
    }

    /// Adds the volumes of a pod. A new pod must have all its claims; of another, what is unclear does not count.
    fn add(&mut self, pod: &PodInfo, is_new: bool) -> Result<(), Status> {
        for volume in &pod.volumes {
            let (name, ephemeral) = match volume {
                PodVolume::Claim { name, ephemeral } => (*name, *ephemeral),
                PodVolume::Disk { in_tree: Some(in_tree), .. } => {
                    self.add_in_tree(*in_tree);
                    continue;
                }
                _ => continue,
            };
            let symbols = &self.cluster.symbols;
            let Some(claim) = self.cluster.volumes.claim((pod.namespace, name)) else {
                if is_new {
                    let (namespace, text) =
                        (symbols.name(pod.namespace), claim_not_found(self.cluster, name));
                    let claim = symbols.name(name);
                    return Err(Status::unresolvable(format!("looking up PVC {namespace}/{claim}: {text}")));
                }
                continue;
            };
            if ephemeral {
                Volumes::is_for_pod(claim, pod, symbols).map_err(|text| Status::new(Code::Error, text))?;
            }
            self.add_claim(claim);
        }
        Ok(())
    }

    fn add_claim(&mut self, claim: &Claim) {
        let volumes = &self.cluster.volumes;
        if let Some(volume) = claim.volume.and_then(|name| volumes.volume(name)) {
            if let Some(csi) = volume.csi {
                self.by_volume.insert(Handle::Known(csi), csi.driver);
            } else if let Some(in_tree) = volume.in_tree {
                self.add_in_tree(in_tree);
            }
            return;
        }
        // The class says who will make it.
        let Some(class) = claim.class.and_then(|class| volumes.class(class)) else { return };
        let symbols = &self.cluster.symbols;
        let driver = match Volumes::driver_for(symbols.name(class.provisioner)) {
            None => Some(class.provisioner),
            // The driver is known if its name was ever heard, for instance as one of this node.
            Some(driver) => symbols.get(driver).filter(|_| self.is_migrated(class.provisioner)),
        };
        if let Some(driver) = driver {
            self.by_volume.insert(Handle::ToCome(driver, claim.key), driver);
        }
    }

    fn add_in_tree(&mut self, in_tree: InTree) {
        if self.is_migrated(in_tree.plugin) {
            self.by_volume.insert(Handle::Known(in_tree.csi), in_tree.csi.driver);
        }
    }

    fn is_migrated(&self, plugin: Symbol) -> bool {
        self.node.is_some_and(|node| node.migrated.contains(&plugin))
    }
}
