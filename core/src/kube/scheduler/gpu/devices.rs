//! The GPUs of a node: how much of each is free, and which of them a pod would get.

use std::sync::Arc;

use smallvec::SmallVec;

use super::super::cluster::{NodeId, Symbol};
use super::request::{GpuRequest, MILLI};

/// The most GPUs of one node that are modelled.
pub const MAX_DEVICES: usize = 64;

/// Devices of one node by their index.
pub type DeviceList = SmallVec<[u8; 8]>;

/// The GPUs and the CPU of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeGpus {
    left: SmallVec<[u16; 8]>,
    total_left: u32,
    max_left: u16,
    idle: u16,
    /// CPU that no pod asks for, in thousandths of a core.
    pub milli_cpu_left: i64,
    /// All of its CPU, in thousandths of a core.
    pub milli_cpu: i64,
    /// The model of its GPUs.
    pub model: Option<Symbol>,
    /// The kinds of its GPU pods, as bits; see [`GpuRequest::kind`].
    pub(super) kinds: u64,
    /// Its GPUs are more than are modelled.
    pub(super) too_many: bool,
    /// The [`NodeInfo::version`](super::super::cluster::NodeInfo::version) that this was worked out for.
    pub(super) version: u64,
}

impl NodeGpus {
    /// A node with these free thousandths of its devices.
    pub fn new(milli_cpu_left: i64, milli_cpu: i64, left: &[u16], model: Option<Symbol>) -> Self {
        let left = left.iter().copied().take(MAX_DEVICES).collect();
        let mut node = Self { left, milli_cpu_left, milli_cpu, model, ..Self::default() };
        node.count();
        node
    }

    /// Free thousandths of each device.
    pub fn left(&self) -> &[u16] {
        &self.left
    }

    /// Free thousandths of all devices together.
    pub const fn total_left(&self) -> u32 {
        self.total_left
    }

    /// Free thousandths of the device that has most of them.
    pub const fn max_left(&self) -> u16 {
        self.max_left
    }

    /// How many devices are wholly free.
    pub const fn idle(&self) -> u16 {
        self.idle
    }

    /// Whether the devices have room for the pod.
    pub fn has_room(&self, request: &GpuRequest) -> bool {
        if !request.devices.is_empty() {
            let room = |device: &u8| self.left.get(usize::from(*device)) >= Some(&request.milli);
            return request.devices.iter().all(room);
        }
        match request.count {
            0 => request.milli == 0,
            1 => request.milli <= self.max_left,
            count => request.milli == MILLI && count <= self.idle,
        }
    }

    /// Takes `milli` of each of these devices; a device that has less, or that does not exist, is left alone.
    pub fn take(&mut self, devices: &[u8], milli: u16) {
        for device in devices {
            if let Some(left) = self.left.get_mut(usize::from(*device)) {
                *left = left.checked_sub(milli).unwrap_or(*left);
            }
        }
        self.count();
    }

    /// The fullest device that has room for a share; the first among equals.
    pub fn tightest(&self, milli: u16) -> Option<u8> {
        let room = (0_u8..).zip(&self.left).filter(|(_, left)| **left >= milli);
        room.min_by_key(|(_, left)| **left).map(|(device, _)| device)
    }

    /// The emptiest device that has room for a share; the first among equals.
    pub fn emptiest(&self, milli: u16) -> Option<u8> {
        let room = (0_u8..).zip(&self.left).filter(|(_, left)| **left >= milli);
        room.max_by_key(|(device, left)| (**left, u8::MAX - device)).map(|(device, _)| device)
    }

    /// Devices that have room for a share.
    pub fn with_room(&self, milli: u16) -> DeviceList {
        (0_u8..).zip(&self.left).filter(|(_, left)| **left >= milli).map(|(device, _)| device).collect()
    }

    /// The first `count` idle devices; none if there are fewer.
    pub fn first_idle(&self, count: u16) -> Option<DeviceList> {
        let idle = (0_u8..).zip(&self.left).filter(|(_, left)| **left == MILLI);
        let devices: DeviceList = idle.map(|(device, _)| device).take(usize::from(count)).collect();
        (devices.len() == usize::from(count)).then_some(devices)
    }

    fn count(&mut self) {
        self.total_left = self.left.iter().map(|left| u32::from(*left)).sum();
        self.max_left = self.left.iter().copied().max().unwrap_or(0);
        self.idle = self.left.iter().filter(|left| **left == MILLI).count() as u16;
    }
}

/// What `Open-Gpu-Share` shows the other plugins in one cycle.
#[derive(Clone, Debug)]
pub struct GpuView {
    /// What the pod asks for.
    pub request: GpuRequest,
    pub(super) nodes: Arc<Vec<NodeGpus>>,
}

impl GpuView {
    /// The GPUs of a node.
    pub fn node(&self, id: NodeId) -> &NodeGpus {
        // As many as there are nodes: it was made for this cycle.
        &self.nodes[id.index()]
    }
}
