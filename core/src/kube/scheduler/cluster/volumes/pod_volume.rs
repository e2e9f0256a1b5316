//! The volumes of a pod that have a say in where it can run.

use k8s_openapi::api::core::v1::{PodSpec, Volume};

use super::super::symbols::{Symbol, Symbols};
use super::in_tree::{self, InTree};

/// A network disk that pods on one node cannot share freely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disk {
    /// `gcePersistentDisk`
    Gce {
        /// `pdName`
        name: Symbol,
        /// Only to read.
        read_only: bool,
    },
    /// `awsElasticBlockStore`
    Ebs {
        /// `volumeID`
        id: Symbol,
    },
    /// `iscsi`
    Iscsi {
        /// The target.
        iqn: Symbol,
        /// Only to read.
        read_only: bool,
    },
    /// `rbd`
    Rbd {
        /// Ceph monitors.
        monitors: Vec<Symbol>,
        /// The pool.
        pool: Symbol,
        /// The image in the pool.
        image: Symbol,
        /// Only to read.
        read_only: bool,
    },
}

impl Disk {
    fn new(volume: &Volume, symbols: &mut Symbols) -> Option<Self> {
        if let Some(disk) = &volume.gce_persistent_disk {
            let read_only = disk.read_only == Some(true);
            Some(Self::Gce { name: symbols.intern(&disk.pd_name), read_only })
        } else if let Some(disk) = &volume.aws_elastic_block_store {
            Some(Self::Ebs { id: symbols.intern(&disk.volume_id) })
        } else if let Some(disk) = &volume.iscsi {
            Some(Self::Iscsi { iqn: symbols.intern(&disk.iqn), read_only: disk.read_only == Some(true) })
        } else {
            volume.rbd.as_ref().map(|disk| Self::Rbd {
                monitors: disk.monitors.iter().map(|monitor| symbols.intern(monitor)).collect(),
                pool: symbols.intern(disk.pool.as_deref().unwrap_or("rbd")),
                image: symbols.intern(&disk.image),
                read_only: disk.read_only == Some(true),
            })
        }
    }

    /// Whether pods with these disks cannot be on one node (`isVolumeConflict`).
    pub fn conflicts_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Gce { name, read_only }, Self::Gce { name: b, read_only: other })
            | (Self::Iscsi { iqn: name, read_only }, Self::Iscsi { iqn: b, read_only: other }) => {
                name == b && !(*read_only && *other)
            }
            (Self::Ebs { id }, Self::Ebs { id: b }) => id == b,
            (
                Self::Rbd { monitors, pool, image, read_only },
                Self::Rbd { monitors: m, pool: p, image: i, read_only: other },
            ) => {
                monitors.iter().any(|monitor| m.contains(monitor))
                    && (pool, image) == (p, i)
                    && !(*read_only && *other)
            }
            _ => false,
        }
    }
}

/// A volume of a pod that has a say in where the pod can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodVolume {
    /// A claim.
    Claim {
        /// Its name, in the pod's namespace.
        name: Symbol,
        /// Whether it is made for this pod alone (`volumes[].ephemeral`).
        ephemeral: bool,
    },
    /// `volumes[].csi`, which lives and dies with the pod.
    InlineCsi {
        /// The driver.
        driver: Symbol,
    },
    /// A disk by its name.
    Disk {
        /// If it is one that pods cannot share freely.
        disk: Option<Disk>,
        /// If a CSI driver may stand in for its plugin.
        in_tree: Option<InTree>,
    },
}

impl PodVolume {
    pub(in super::super) fn of_pod(pod: &str, spec: &PodSpec, symbols: &mut Symbols) -> Vec<Self> {
        let volumes = spec.volumes.iter().flatten();
        volumes
            .filter_map(|volume| {
                if let Some(claim) = &volume.persistent_volume_claim {
                    let name = symbols.intern(&claim.claim_name);
                    Some(Self::Claim { name, ephemeral: false })
                } else if volume.ephemeral.is_some() {
                    let name = symbols.intern(&format!("{pod}-{}", volume.name));
                    Some(Self::Claim { name, ephemeral: true })
                } else if let Some(csi) = &volume.csi {
                    Some(Self::InlineCsi { driver: symbols.intern(&csi.driver) })
                } else {
                    let (disk, in_tree) = (Disk::new(volume, symbols), in_tree::of_pod(volume, symbols));
                    (disk.is_some() || in_tree.is_some()).then_some(Self::Disk { disk, in_tree })
                }
            })
            .collect()
    }

    /// The name of its claim, if it is one.
    pub const fn claim(&self) -> Option<Symbol> {
        match self {
            Self::Claim { name, .. } => Some(*name),
            _ => None,
        }
    }

    /// The name of its claim, if it is one that is not made for this pod alone.
    pub const fn shared_claim(&self) -> Option<Symbol> {
        match self {
            Self::Claim { name, ephemeral: false } => Some(*name),
            _ => None,
        }
    }
}
