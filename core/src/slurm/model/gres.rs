//! Generic resources: GPUs, shards of GPUs, MPS, and things that are only counted.

use smallvec::SmallVec;

use super::Bits;

/// Index of a GRES name (`gpu`, `shard`, …) in [`GresNames`].
pub type GresKind = u8;

/// The names and types of GRES of a cluster, interned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GresNames {
    /// Names in the order of `GresTypes`.
    pub kinds: Vec<String>,
    /// Types (`h100`) in the order in which nodes name them.
    pub types: Vec<String>,
}

impl GresNames {
    /// The index of a name.
    pub fn kind(&self, name: &str) -> Option<GresKind> {
        self.kinds.iter().position(|kind| kind == name).map(|at| at as GresKind)
    }

    /// The index of a type.
    pub fn type_id(&self, name: &str) -> Option<u16> {
        self.types.iter().position(|typ| typ == name).map(|at| at as u16)
    }

    /// The index of a type, which is added if it is new.
    pub fn intern_type(&mut self, name: &str) -> u16 {
        self.type_id(name).unwrap_or_else(|| {
            self.types.push(name.to_owned());
            (self.types.len() - 1) as u16
        })
    }

    /// Whether the name is one whose units are shares of a GPU (`shard`, `mps`).
    pub fn is_shared(&self, kind: GresKind) -> bool {
        matches!(self.kinds.get(usize::from(kind)).map(String::as_str), Some("shard" | "mps"))
    }
}

/// What a node has of one GRES name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeGres {
    /// Which name.
    pub kind: GresKind,
    /// How many in all.
    pub total: u64,
    /// Number of devices that can be told apart (GPU indices); 0 when they are only counted.
    pub devices: usize,
    /// Types with the devices that are of it; empty when the node's GRES has no type.
    pub types: SmallVec<[(u16, Bits, u64); 1]>,
    /// Per device the cores near it; empty when unknown (all cores are near).
    pub cores: Vec<Bits>,
    /// Per device how many shares it has (`shard`, `mps`); empty otherwise.
    pub shares: Vec<u64>,
    /// Its device files have names without a number that CUDA knows (not `/dev/nvidia0`): tasks are not told which.
    pub anonymous: bool,
    /// Shares are given of one device at a time: MPS always, `shard` with `Flags=one_sharing`.
    pub one_sharing: bool,
}

impl NodeGres {
    /// The devices of a type; all of them without one.
    pub fn devices_of(&self, typ: Option<u16>) -> Bits {
        match typ {
            Some(typ) => self
                .types
                .iter()
                .find(|(id, ..)| *id == typ)
                .map(|(_, bits, _)| bits.clone())
                .unwrap_or_default(),
            None => Bits::first(self.devices),
        }
    }

    /// How many units of a type there are in all.
    pub fn total_of(&self, typ: Option<u16>) -> u64 {
        match typ {
            Some(typ) => self.types.iter().find(|(id, ..)| *id == typ).map_or(0, |(_, _, count)| *count),
            None => self.total,
        }
    }
}

/// What of a [`NodeGres`] is given away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GresUsage {
    /// Devices given away as a whole.
    pub devices: Bits,
    /// Units given away: devices, shares, or counted things.
    pub count: u64,
    /// Per device how many shares are given away.
    pub shares: Vec<u64>,
}

impl GresUsage {
    /// Units of `gres` that are free, of a type.
    pub fn free(&self, gres: &NodeGres, typ: Option<u16>) -> u64 {
        if !gres.shares.is_empty() {
            return gres.total.saturating_sub(self.count);
        }
        if gres.devices == 0 {
            return gres.total_of(typ).saturating_sub(self.count);
        }
        let mut free = gres.devices_of(typ);
        free.subtract(&self.devices);
        free.count() as u64
    }

    /// Counts a grant.
    pub fn add(&mut self, gres: &NodeGres, grant: &GresGrant) {
        self.count += grant.count;
        if gres.shares.is_empty() {
            self.devices.union(&grant.devices);
        } else {
            self.shares.resize(gres.shares.len(), 0);
            if let Some(device) = grant.devices.min() {
                self.shares[device] += grant.count;
            }
        }
    }

    /// Takes a grant back.
    pub fn remove(&mut self, gres: &NodeGres, grant: &GresGrant) {
        self.count = self.count.saturating_sub(grant.count);
        if gres.shares.is_empty() {
            self.devices.subtract(&grant.devices);
        } else if let Some(share) = grant.devices.min().and_then(|device| self.shares.get_mut(device)) {
            *share = share.saturating_sub(grant.count);
        }
    }
}

/// What a job was given of one GRES name on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GresGrant {
    /// Which name.
    pub kind: GresKind,
    /// Which type, when the node's GRES has types.
    pub typ: Option<u16>,
    /// Devices (GPU indices); for shares the device that they are of.
    pub devices: Bits,
    /// Units.
    pub count: u64,
}

/// One part of a request such as `gpu:h100:2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GresAsk {
    /// Which name.
    pub kind: GresKind,
    /// Which type; none takes any.
    pub typ: Option<u16>,
    /// Units per job, 0 when not asked for so (`--gpus`).
    pub per_job: u64,
    /// Units per node (`--gres`, `--gpus-per-node`).
    pub per_node: u64,
    /// Units per socket (`--gpus-per-socket`).
    pub per_socket: u64,
    /// Units per task (`--gpus-per-task`).
    pub per_task: u64,
    /// CPUs per unit (`--cpus-per-gpu`).
    pub cpus_per: u32,
    /// MiB per unit (`--mem-per-gpu`).
    pub mem_per: u64,
    /// Tasks per unit (`--ntasks-per-gpu`).
    pub ntasks_per: u32,
}
