//! `clusterlab nvml topo`.

use anyhow::Result;
use clap::Args;
use clusterlab::hardware::source::GpuSource as _;
use clusterlab_nvml::NvmlSource;

use super::told;
use crate::output;

/// Show how the GPUs and RDMA devices are connected, as nvidia-smi topo -m does
#[derive(Debug, Args)]
pub struct Topo {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Topo {
    /// Shows it.
    pub fn run(self, source: &NvmlSource) -> Result<u8> {
        let topology = source.topology().map_err(|error| told(&error))?;
        if self.json {
            output::json_line(&topology)?;
        } else {
            output::text(&topology.matrix(false))?;
        }
        Ok(0)
    }
}
