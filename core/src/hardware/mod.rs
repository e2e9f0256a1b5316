//! Floor 1: the machines.
//!
//! What a data sheet says and what `nvidia-smi` reads from the card, as plain
//! data. Four questions are answered here and nowhere else:
//!
//! - *Which GPU is that?* [`GpuModel`], the catalogue: names, memory, power,
//!   clocks, NVLink, MIG profiles ([`mig`]).
//! - *Which machine is that?* [`SystemModel`], the catalogue of systems, and
//!   [`Node`], one machine built from it by a [`NodeSpec`] and a seed: the same
//!   name and seed always give the same UUIDs and serial numbers.
//! - *How is the card now?* [`Gpu`]: its health, the processes on it, and what
//!   follows from them (utilisation, memory, power, temperature, clocks).
//! - *How are two devices connected?* [`Node::gpu_link`] and [`Link`], the words of
//!   `nvidia-smi topo -m`.
//!
//! [`source`] asks a machine as a monitor does, and real machines the same way.
//!
//! Nothing here knows of containers, pods or jobs. State is changed only by
//! methods that take the present instant, because temperature has a memory.

mod catalogue;
mod gpu;
pub mod mig;
mod node;
mod rows;
pub mod source;
mod system;
mod topology;
mod wiring;

pub use catalogue::{Architecture, GpuModel, GpuSpec, NvLinkSpec, PerformanceState, UnknownModel};
pub use gpu::{Ecc, Gpu, GpuFault, GpuHealth, GpuProcess, OutOfMemory, XidEvent};
pub use node::{Driver, GpuGroup, Node, NodeError, NodeSpec};
pub use system::{Cpu, Nic, NicKind, SystemModel, SystemSpec, UnknownSystem};
pub use topology::{CpuSet, Link, PciAddress, PciePath};
