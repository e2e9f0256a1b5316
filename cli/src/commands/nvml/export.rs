//! `clusterlab nvml export`.

use anyhow::Result;
use clap::{Args, ValueEnum};
use clusterlab::hardware::GpuModel;
use clusterlab::hardware::source::GpuSource as _;
use clusterlab::hardware::source::labels::MigStrategy;
use clusterlab::kube::kubectl::print::yaml;
use clusterlab_nvml::{HostFacts, NvmlSource, export};
use serde_json::{Value, json};

use super::told;
use crate::output;

/// Write this machine as a Kubernetes node, as lines for Slurm, or as a lab
#[derive(Debug, Args)]
pub struct Export {
    /// For whom
    #[arg(long)]
    to: Target,
    /// How MIG devices become resources of Kubernetes
    #[arg(long, default_value = "mixed")]
    mig_strategy: Strategy,
    /// The model that stands for GPUs that the lab's catalogue lacks
    #[arg(long, value_name = "MODEL")]
    gpu_model: Option<GpuModel>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Target {
    /// A Node with the labels of GPU feature discovery
    Kubernetes,
    /// Lines of slurm.conf and gres.conf
    Slurm,
    /// A spec for clusterlab shell and the browser lab
    Lab,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Strategy {
    None,
    Single,
    Mixed,
}

impl Export {
    /// Writes it; what is left out is said on standard error.
    pub fn run(self, source: &NvmlSource) -> Result<u8> {
        let host = HostFacts::read();
        let inventory = source.inventory().map_err(|error| told(&error))?;
        match self.to {
            Target::Kubernetes => {
                let strategy = match self.mig_strategy {
                    Strategy::None => MigStrategy::None,
                    Strategy::Single => MigStrategy::Single,
                    Strategy::Mixed => MigStrategy::Mixed,
                };
                let node = export::node(&host, &inventory, source.sysfs(), strategy);
                self.print(&serde_json::to_value(node)?)?;
            }
            Target::Slurm => {
                let topology = source.topology().map_err(|error| told(&error))?;
                let lines = export::slurm(&host, &inventory, &topology);
                notes(&lines.left_out)?;
                if self.json {
                    output::json_line(
                        &json!({"slurm.conf": lines.slurm_conf, "gres.conf": lines.gres_conf}),
                    )?;
                } else {
                    output::text(&format!(
                        "# slurm.conf\n{}\n# gres.conf\n{}",
                        lines.slurm_conf, lines.gres_conf
                    ))?;
                }
            }
            Target::Lab => {
                let exported = export::lab_spec(&host, &inventory, self.gpu_model)?;
                notes(&exported.left_out)?;
                self.print(&serde_json::to_value(exported.spec)?)?;
            }
        }
        Ok(0)
    }

    fn print(&self, value: &Value) -> Result<()> {
        if self.json { output::json_line(value) } else { Ok(output::text(&yaml(value))?) }
    }
}

fn notes(left_out: &[String]) -> Result<()> {
    for note in left_out {
        output::error_text(&format!("note: {note}\n"))?;
    }
    Ok(())
}
