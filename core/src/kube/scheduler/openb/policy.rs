//! The policies, as configurations of the scheduler.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, from_value, json};

use crate::kube::scheduler::gpu::TypicalPod;
use crate::kube::scheduler::{ConfigError, SchedulerConfiguration};

/// A policy of the paper, or ours of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Fragmentation gradient descent.
    Fgd,
    /// The least that remains.
    BestFit,
    /// Shared GPUs first, then used nodes.
    GpuPacking,
    /// Pods of one size together.
    GpuClustering,
    /// The least that points the way of the request.
    DotProduct,
    /// By chance.
    Random,
    /// The fullest GPUs. Not in the paper.
    MostAllocated,
}

/// A name that is no policy's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?}: expected one of {names}", names = Policy::ALL.map(Policy::name).join(", "))]
pub struct UnknownPolicy(pub String);

impl Policy {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Fgd,
        Self::BestFit,
        Self::GpuPacking,
        Self::GpuClustering,
        Self::DotProduct,
        Self::Random,
        Self::MostAllocated,
    ];

    /// `fgd`, `bestfit`, `gpu-packing`, …
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fgd => "fgd",
            Self::BestFit => "bestfit",
            Self::GpuPacking => "gpu-packing",
            Self::GpuClustering => "gpu-clustering",
            Self::DotProduct => "dot-product",
            Self::Random => "random",
            Self::MostAllocated => "most-allocated",
        }
    }

    /// The name of its score plugin.
    pub const fn plugin(self) -> &'static str {
        match self {
            Self::Fgd => "FGDScore",
            Self::BestFit => "BestFitScore",
            Self::GpuPacking => "GpuPackingScore",
            Self::GpuClustering => "GpuClusteringScore",
            Self::DotProduct => "DotProductScore",
            Self::Random => "RandomScore",
            Self::MostAllocated => "GpuMostAllocatedScore",
        }
    }

    /// The scheduler of the experiment: room is checked by `NodeResourcesFit` and `Open-Gpu-Share`, only the policy
    /// scores, and among equals the name of the node decides. `seed` is for what falls by chance.
    ///
    /// # Errors
    ///
    /// Typical pods that do not add up.
    pub fn configuration(
        self,
        typical: &[TypicalPod],
        seed: u64,
    ) -> Result<SchedulerConfiguration, ConfigError> {
        let select = match self {
            Self::Fgd => "FGDScore",
            Self::Random => "random",
            _ => "best",
        };
        let args = match self {
            Self::Fgd => json!({"typicalPods": typical}),
            Self::DotProduct => json!({"dimExtMethod": "merge", "normMethod": "max"}),
            Self::Random => json!({"seed": seed}),
            _ => Value::Null,
        };
        // The cheaper filter first.
        let names = ["PrioritySort", "Open-Gpu-Share", "NodeResourcesFit", self.plugin(), "NodeNameOrder"];
        let enabled: Vec<_> =
            names.iter().chain(&["DefaultBinder"]).map(|name| json!({"name": name})).collect();
        let config = json!({
            "percentageOfNodesToScore": 100,
            "profiles": [{
                "plugins": {
                    "multiPoint": {"disabled": [{"name": "*"}], "enabled": enabled},
                    "score": {"disabled": [{"name": "NodeResourcesFit"}]},
                },
                "pluginConfig": [
                    {"name": "Open-Gpu-Share", "args": {"gpuSelMethod": select, "seed": seed}},
                    {"name": self.plugin(), "args": args},
                ],
            }],
        });
        from_value(config).map_err(|error| ConfigError::Arguments {
            index: 0,
            name: self.plugin().to_owned(),
            message: error.to_string(),
        })
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        Self::ALL
            .into_iter()
            .find(|policy| policy.name() == text || policy.name().replace('-', "") == text)
            .ok_or_else(|| UnknownPolicy(text.to_owned()))
    }
}
