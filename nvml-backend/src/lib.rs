//! Real NVIDIA GPUs, through NVML, as ClusterLab's hardware model.
//!
//! [`NvmlSource`] answers [`GpuSource`], as the simulator's machines do: inventory, measurements, processes, topology,
//! MIG, health events. On top of it:
//!
//! - [`export`]: this machine as a Kubernetes `Node` with the labels of GPU feature discovery, as lines of `slurm.conf`
//!   and `gres.conf`, and as a spec for the browser lab;
//! - [`monitor`]: a `tokio` stream of samples and health events;
//! - [`exporter`]: a Prometheus endpoint with the names, labels and defaults of dcgm-exporter.
//!
//! The library is loaded when it is asked for: a program with this crate starts on every machine, and learns in a typed
//! error what is missing.
//!
//! ```
//! use clusterlab::hardware::source::{GpuSource, SourceErrorKind};
//! use clusterlab_nvml::NvmlSource;
//!
//! match NvmlSource::open() {
//!     Ok(source) => {
//!         for (index, gpu) in source.inventory()?.answering() {
//!             println!("GPU {index}: {} ({})", gpu.name, gpu.uuid);
//!         }
//!     }
//!     Err(error) => {
//!         // For example: dlopen: the NVIDIA management library cannot be loaded (libnvidia-ml.so.1: …)
//!         println!("{error}; {}", error.advice());
//!     }
//! }
//! # Ok::<(), clusterlab::hardware::source::SourceError>(())
//! ```
//!
//! # What is survived
//!
//! A GPU that falls off the bus is an error in its own slot, and comes back when it answers again. When the driver is
//! unloaded, reloaded or replaced, calls fail until it is there, then the library is loaded anew. A library that lacks a
//! function gives `None` where the function was needed. Nothing panics.
//!
//! `nvml-backend/HARDWARE.md` in the repository says what was tried on real machines, and what rests on a fake library.
#![deny(unsafe_code)]

pub mod export;
pub mod exporter;
mod gpm;
mod gpu;
mod health;
mod host;
mod library;
pub mod monitor;
mod source;
mod sysfs;
mod topology;

use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(doc)]
use clusterlab::hardware::source::GpuSource;

pub use health::HealthWatch;
pub use host::HostFacts;
pub use source::{NvmlSource, Options};
pub use sysfs::Sysfs;

/// A lock also after a panic of another thread: what lies behind ours is never left half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
