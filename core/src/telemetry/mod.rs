//! Floor 2: what monitoring systems are told.
//!
//! - [`exposition`]: the text that Prometheus reads;
//! - [`dcgm`]: GPUs under the names, labels and units of NVIDIA's dcgm-exporter, whoever read them
//!   ([`GpuSource`](crate::hardware::source::GpuSource)): the simulator or real cards.

pub mod dcgm;
pub mod exposition;
