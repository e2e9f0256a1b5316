//! Which of a node's devices a pod gets, where that is a policy's business.

use std::fmt;
use std::sync::Arc;

use super::devices::{DeviceList, NodeGpus};
use super::request::GpuRequest;

/// A policy's choice of devices.
pub trait DeviceChoice {
    /// The devices of this node that the pod gets; none if they have no room for it.
    fn choose(&self, node: &NodeGpus, request: &GpuRequest) -> Option<DeviceList>;
}

/// The choices that score plugins offer to `Open-Gpu-Share` in one cycle, by their names; its argument `gpuSelMethod`
/// says which one counts.
#[derive(Clone, Default)]
pub struct DeviceChoosers(pub Vec<(&'static str, Arc<dyn DeviceChoice>)>);

impl fmt::Debug for DeviceChoosers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl DeviceChoosers {
    /// The choice of that name.
    pub fn get(&self, name: &str) -> Option<&dyn DeviceChoice> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, choice)| &**choice)
    }
}
