//! Changes of the cluster that may make a waiting pod fit.

use std::ops::{BitOr, BitOrAssign};

use super::super::cluster::devices::Claim as DeviceClaim;
use super::super::cluster::volumes::{Attachment, Capacity, Claim, Class, Driver, NodeDrivers, Volume};
use super::super::cluster::{NodeInfo, PodInfo};

/// Kinds of changes, as a set (`fwk.ClusterEvent`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventKinds(u32);

impl EventKinds {
    /// No change at all.
    pub const NONE: Self = Self(0);
    /// Any change.
    pub const ALL: Self = Self(u32::MAX);
    /// A node came.
    pub const NODE_ADD: Self = Self(1);
    /// A node went.
    pub const NODE_DELETE: Self = Self(1 << 1);
    /// `status.allocatable` of a node changed.
    pub const NODE_UPDATE_ALLOCATABLE: Self = Self(1 << 2);
    /// Labels of a node changed.
    pub const NODE_UPDATE_LABEL: Self = Self(1 << 3);
    /// Taints of a node changed, or it was cordoned or uncordoned.
    pub const NODE_UPDATE_TAINT: Self = Self(1 << 4);
    /// A condition of a node changed.
    pub const NODE_UPDATE_CONDITION: Self = Self(1 << 5);
    /// Annotations of a node changed.
    pub const NODE_UPDATE_ANNOTATION: Self = Self(1 << 6);
    /// A pod was bound to a node.
    pub const ASSIGNED_POD_ADD: Self = Self(1 << 7);
    /// Labels of a bound pod changed.
    pub const ASSIGNED_POD_UPDATE_LABEL: Self = Self(1 << 8);
    /// A bound pod asks for less than before.
    pub const ASSIGNED_POD_SCALE_DOWN: Self = Self(1 << 9);
    /// A bound pod went or ended.
    pub const ASSIGNED_POD_DELETE: Self = Self(1 << 10);
    /// Labels of the waiting pod itself changed.
    pub const POD_UPDATE_LABEL: Self = Self(1 << 11);
    /// The waiting pod itself got a toleration.
    pub const POD_UPDATE_TOLERATION: Self = Self(1 << 12);
    /// The waiting pod itself lost its last scheduling gate.
    pub const POD_GATES_ELIMINATED: Self = Self(1 << 13);
    /// The waiting pod itself asks for less than before.
    pub const POD_SCALE_DOWN: Self = Self(1 << 14);
    /// A namespace came, went or changed its labels.
    pub const NAMESPACE: Self = Self(1 << 15);
    /// A claim to devices came or changed.
    pub const RESOURCE_CLAIM: Self = Self(1 << 16);
    /// A class of devices came or changed.
    pub const DEVICE_CLASS: Self = Self(1 << 17);
    /// A slice of a pool of devices came or changed.
    pub const RESOURCE_SLICE: Self = Self(1 << 18);
    /// The waiting pod itself learned the name of a claim that was made for it.
    pub const POD_GENERATED_CLAIM: Self = Self(1 << 19);
    /// A persistent volume came or changed.
    pub const PERSISTENT_VOLUME: Self = Self(1 << 24);
    /// A claim came or changed.
    pub const PERSISTENT_VOLUME_CLAIM: Self = Self(1 << 25);
    /// A storage class came or changed.
    pub const STORAGE_CLASS: Self = Self(1 << 26);
    /// What the CSI drivers of a node say came or changed.
    pub const CSI_NODE: Self = Self(1 << 27);
    /// A CSI driver came or changed.
    pub const CSI_DRIVER: Self = Self(1 << 28);
    /// How much is free somewhere came or changed.
    pub const CSI_STORAGE_CAPACITY: Self = Self(1 << 29);
    /// A volume was detached from a node.
    pub const VOLUME_ATTACHMENT_DELETE: Self = Self(1 << 30);

    /// How many bits may be in use.
    pub(in super::super) const BITS: usize = 32;

    /// Whether both have a kind in common.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is no kind in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each kind by its number.
    pub(in super::super) fn bits(self) -> impl Iterator<Item = usize> {
        (0..Self::BITS).filter(move |bit| self.0 & (1 << bit) != 0)
    }
}

impl BitOr for EventKinds {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for EventKinds {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// A change, as a queueing hint sees it.
#[derive(Clone, Copy, Debug)]
pub enum ClusterChange<'a> {
    /// A node came.
    NodeAdded(&'a NodeInfo),
    /// A node changed; the old one is without its pods.
    NodeUpdated {
        /// Before.
        old: &'a NodeInfo,
        /// After.
        new: &'a NodeInfo,
    },
    /// A node went.
    NodeDeleted,
    /// A pod was bound.
    AssignedPodAdded(&'a PodInfo),
    /// A bound pod changed.
    AssignedPodUpdated {
        /// Before.
        old: &'a PodInfo,
        /// After.
        new: &'a PodInfo,
    },
    /// A bound pod went or ended.
    AssignedPodDeleted(&'a PodInfo),
    /// The waiting pod itself changed.
    PodUpdated {
        /// Before.
        old: &'a PodInfo,
        /// After.
        new: &'a PodInfo,
    },
    /// A namespace came, went or changed its labels.
    Namespace,
    /// A persistent volume changed, or came if there is no old one.
    PersistentVolume {
        /// Before.
        old: Option<&'a Volume>,
        /// After.
        new: &'a Volume,
    },
    /// A claim changed, or came if there is no old one.
    PersistentVolumeClaim {
        /// Before.
        old: Option<&'a Claim>,
        /// After.
        new: &'a Claim,
    },
    /// A storage class changed, or came if there is no old one.
    StorageClass {
        /// Before.
        old: Option<&'a Class>,
        /// After.
        new: &'a Class,
    },
    /// What the CSI drivers of a node say changed, or came if there is no old one.
    CsiNode {
        /// Before.
        old: Option<&'a NodeDrivers>,
        /// After.
        new: &'a NodeDrivers,
    },
    /// A CSI driver changed, or came if there is no old one.
    CsiDriver {
        /// Before.
        old: Option<&'a Driver>,
        /// After.
        new: &'a Driver,
    },
    /// How much is free somewhere changed, or came if there is no old one.
    CsiStorageCapacity {
        /// Before.
        old: Option<&'a Capacity>,
        /// After.
        new: &'a Capacity,
    },
    /// A claim to devices changed, or came if there is no old one.
    ResourceClaim {
        /// Before.
        old: Option<&'a DeviceClaim>,
        /// After.
        new: &'a DeviceClaim,
    },
    /// A class of devices came or changed.
    DeviceClass,
    /// A slice of a pool of devices came or changed.
    ResourceSlice,
    /// A volume was detached from a node.
    VolumeAttachmentDeleted(&'a Attachment),
}

impl<'a> ClusterChange<'a> {
    /// The node before and after, for a change of a node.
    pub fn node(&self) -> Option<(Option<&'a NodeInfo>, &'a NodeInfo)> {
        match *self {
            Self::NodeAdded(new) => Some((None, new)),
            Self::NodeUpdated { old, new } => Some((Some(old), new)),
            _ => None,
        }
    }

    /// Which kinds of change it is.
    pub fn kinds(&self) -> EventKinds {
        match self {
            Self::NodeAdded(_) => EventKinds::NODE_ADD,
            Self::NodeUpdated { old, new } => node_kinds(old, new),
            Self::NodeDeleted => EventKinds::NODE_DELETE,
            Self::AssignedPodAdded(_) => EventKinds::ASSIGNED_POD_ADD,
            Self::AssignedPodUpdated { old, new } => {
                let mut kinds = EventKinds::NONE;
                if old.labels != new.labels {
                    kinds |= EventKinds::ASSIGNED_POD_UPDATE_LABEL;
                }
                if asks_for_less(old, new) {
                    kinds |= EventKinds::ASSIGNED_POD_SCALE_DOWN;
                }
                kinds
            }
            Self::AssignedPodDeleted(_) => EventKinds::ASSIGNED_POD_DELETE,
            Self::PodUpdated { old, new } => {
                let mut kinds = EventKinds::NONE;
                if old.labels != new.labels {
                    kinds |= EventKinds::POD_UPDATE_LABEL;
                }
                if old.tolerations.len() != new.tolerations.len() {
                    // Tolerations can only be added.
                    kinds |= EventKinds::POD_UPDATE_TOLERATION;
                }
                if is_gated(old) && !is_gated(new) {
                    kinds |= EventKinds::POD_GATES_ELIMINATED;
                }
                if asks_for_less(old, new) {
                    kinds |= EventKinds::POD_SCALE_DOWN;
                }
                if old.rest.claim_statuses() != new.rest.claim_statuses() {
                    kinds |= EventKinds::POD_GENERATED_CLAIM;
                }
                kinds
            }
            Self::Namespace => EventKinds::NAMESPACE,
            Self::ResourceClaim { .. } => EventKinds::RESOURCE_CLAIM,
            Self::DeviceClass => EventKinds::DEVICE_CLASS,
            Self::ResourceSlice => EventKinds::RESOURCE_SLICE,
            Self::PersistentVolume { .. } => EventKinds::PERSISTENT_VOLUME,
            Self::PersistentVolumeClaim { .. } => EventKinds::PERSISTENT_VOLUME_CLAIM,
            Self::StorageClass { .. } => EventKinds::STORAGE_CLASS,
            Self::CsiNode { .. } => EventKinds::CSI_NODE,
            Self::CsiDriver { .. } => EventKinds::CSI_DRIVER,
            Self::CsiStorageCapacity { .. } => EventKinds::CSI_STORAGE_CAPACITY,
            Self::VolumeAttachmentDeleted(_) => EventKinds::VOLUME_ATTACHMENT_DELETE,
        }
    }
}

fn node_kinds(old: &NodeInfo, new: &NodeInfo) -> EventKinds {
    let mut kinds = EventKinds::NONE;
    let (Some(old_node), Some(new_node)) = (&old.node, &new.node) else { return kinds };
    let allocatable = |node: &k8s_openapi::api::core::v1::Node| {
        node.status.as_ref().and_then(|status| status.allocatable.clone())
    };
    if allocatable(old_node) != allocatable(new_node) {
        kinds |= EventKinds::NODE_UPDATE_ALLOCATABLE;
    }
    if old.labels != new.labels {
        kinds |= EventKinds::NODE_UPDATE_LABEL;
    }
    if old.taints != new.taints || old.unschedulable != new.unschedulable {
        kinds |= EventKinds::NODE_UPDATE_TAINT;
    }
    if old_node.metadata.annotations != new_node.metadata.annotations {
        kinds |= EventKinds::NODE_UPDATE_ANNOTATION;
    }
    let conditions = |node: &k8s_openapi::api::core::v1::Node| -> Vec<(String, String)> {
        let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
        conditions.map(|condition| (condition.type_.clone(), condition.status.clone())).collect()
    };
    if conditions(old_node) != conditions(new_node) {
        kinds |= EventKinds::NODE_UPDATE_CONDITION;
    }
    kinds
}

fn asks_for_less(old: &PodInfo, new: &PodInfo) -> bool {
    use super::super::cluster::ResourceId;
    let (old, new) = (&old.requests.exact, &new.requests.exact);
    [ResourceId::CPU, ResourceId::MEMORY, ResourceId::EPHEMERAL_STORAGE]
        .into_iter()
        .any(|id| new.get(id) < old.get(id))
        || old.scalars().any(|(id, amount)| new.get(id) < amount)
}

fn is_gated(pod: &PodInfo) -> bool {
    !pod.rest.gates.is_empty()
}

/// Whether a change is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// No: what the plugin refused the pod for is still so.
    Skip,
    /// Yes.
    Queue,
}
