//! One way to ask about GPUs, whoever answers.
//!
//! [`GpuSource`] is what a monitor, an exporter or an exporter to another system needs to know about the GPUs of one
//! machine. Two things answer it: the simulator's own machine ([`Node::at`]), and real GPUs through NVML, in the crate
//! `clusterlab-nvml`. What is written against the trait runs on both, so that the model cannot say what a real card
//! does not.
//!
//! The answers are NVML's in NVML's units, owned and without handles. What a card or its driver does not support is
//! `None`, never zero; a card that fails while its neighbours answer is a [`Slot`] with an error.
//!
//! ```
//! use clusterlab::hardware::source::GpuSource;
//! use clusterlab::hardware::{Node, SystemModel};
//! use clusterlab::sim::{Seed, SimTime};
//!
//! let node = Node::new("gpu-1", &SystemModel::DgxH100.into(), Seed::new(1))?;
//! let inventory = node.at(SimTime::ZERO).inventory()?;
//! let gpu = inventory.gpus[0].read.as_ref().map_err(ToString::to_string)?;
//! assert_eq!((gpu.name.as_str(), gpu.pci.to_string().as_str()), ("NVIDIA H100 80GB HBM3", "00000000:1B:00.0"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod health;
mod inventory;
pub mod labels;
mod sample;
mod simulated;
mod topology;
mod xid;

use std::time::Duration;

pub use error::{SourceError, SourceErrorKind};
pub use health::{HealthEvent, HealthKind};
pub use inventory::{GpuInfo, Inventory, MigDevice, MigState, Slot};
pub use sample::{
    ClockEvents, EccCounts, GpuSample, InstanceSample, MemoryUse, Profiling, RemappedRows, RunningProcess,
};
pub use simulated::{NodeAt, SeenFaults};
pub use topology::{Topology, TopologyGpu};
pub use xid::{Xid, XidClass};

#[cfg(doc)]
use super::Node;

/// The GPUs of one machine, as somebody who only reads sees them.
pub trait GpuSource {
    /// What a reader of health events has seen so far; each reader has its own.
    type HealthWatch;

    /// Every GPU with what is fixed about it, and its MIG devices.
    ///
    /// # Errors
    ///
    /// When nobody answers at all: no library, no driver. A single GPU that does not answer is a [`Slot`] with an error.
    fn inventory(&self) -> Result<Inventory, SourceError>;

    /// What each GPU measures now.
    ///
    /// # Errors
    ///
    /// As for [`GpuSource::inventory`].
    fn samples(&self) -> Result<Vec<Slot<GpuSample>>, SourceError>;

    /// The processes that hold a context on each GPU.
    ///
    /// # Errors
    ///
    /// As for [`GpuSource::inventory`].
    fn processes(&self) -> Result<Vec<Slot<Vec<RunningProcess>>>, SourceError>;

    /// How the GPUs (and network cards) are connected.
    ///
    /// # Errors
    ///
    /// As for [`GpuSource::inventory`].
    fn topology(&self) -> Result<Topology, SourceError>;

    /// MIG mode and MIG devices of each GPU. [`GpuSource::inventory`] has them too.
    ///
    /// # Errors
    ///
    /// As for [`GpuSource::inventory`].
    fn mig(&self) -> Result<Vec<Slot<MigState>>, SourceError> {
        let slots = self.inventory()?.gpus;
        Ok(slots.into_iter().map(|slot| slot.map(|gpu| gpu.mig)).collect())
    }

    /// Begins to watch: what happens from now on is told by [`GpuSource::health_events`].
    ///
    /// # Errors
    ///
    /// When nobody answers at all.
    fn watch_health(&self) -> Result<Self::HealthWatch, SourceError>;

    /// What happened since the last call with this `watch`, oldest first. Waits at most `wait` for something to happen;
    /// an empty answer means that nothing did. The simulator never waits: its time is moved by others.
    ///
    /// # Errors
    ///
    /// When the source itself is gone. The watch stays good: call again, and it says when the source is back.
    fn health_events(
        &self,
        watch: &mut Self::HealthWatch,
        wait: Duration,
    ) -> Result<Vec<HealthEvent>, SourceError>;
}
