//! The pods that a cluster typically gets: what fragmentation is measured against.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::request::MILLI;

/// A size of pods, and how large its part of all pods is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TypicalPod {
    /// CPU in thousandths of a core.
    pub milli_cpu: i64,
    /// Of each GPU, in thousandths; 0 for a pod without GPU.
    pub milli_gpu: u16,
    /// How many GPUs.
    pub gpu_number: u16,
    /// GPU models that will do, as `V100M16|V100M32`; empty: any.
    pub gpu_type: String,
    /// Its part of all pods, 0 to 1.
    pub percentage: f64,
}

/// A pod of a workload.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadPod {
    /// CPU in thousandths of a core.
    pub milli_cpu: i64,
    /// Of each GPU, in thousandths; 0 for a pod without GPU.
    pub milli_gpu: u16,
    /// How many GPUs.
    pub gpu_number: u16,
    /// GPU models that will do, as `V100M16|V100M32`; empty: any.
    pub gpu_type: String,
}

/// How typical pods are found in a workload (`typicalPodsConfig` of the authors' cluster configuration).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TypicalPodsConfig {
    /// Whether pods without GPU count.
    pub is_involved_cpu_pods: bool,
    /// How many per cent of the pods the typical ones must cover.
    pub pod_popularity_threshold: u32,
    /// How many sizes are added at a time until they do.
    pub pod_increase_step: usize,
    /// How much more a pod counts for each whole GPU.
    pub gpu_res_weight: f64,
}

impl Default for TypicalPodsConfig {
    /// As in the experiments of the paper.
    fn default() -> Self {
        Self {
            is_involved_cpu_pods: true,
            pod_popularity_threshold: 95,
            pod_increase_step: 1,
            gpu_res_weight: 0.0,
        }
    }
}

/// The most frequent sizes that together cover most of a workload, with their shares brought to a sum of 1.
///
/// The most frequent size is first; among equals, the larger one.
pub fn typical_pods(pods: &[WorkloadPod], config: &TypicalPodsConfig) -> Vec<TypicalPod> {
    let mut counts: BTreeMap<&WorkloadPod, f64> = BTreeMap::new();
    let mut total = 0.0;
    for pod in pods {
        if !config.is_involved_cpu_pods && pod.gpu_number == 0 {
            continue;
        }
        let heavy = config.gpu_res_weight > 0.0 && pod.milli_gpu == MILLI;
        let weight = if heavy { 1.0 + f64::from(pod.gpu_number) * config.gpu_res_weight } else { 1.0 };
        *counts.entry(pod).or_default() += weight;
        total += weight;
    }
    let mut sizes: Vec<(&WorkloadPod, f64)> = counts.into_iter().collect();
    sizes.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| Reverse(a).cmp(&Reverse(b))));
    let enough = f64::from(config.pod_popularity_threshold) * total / 100.0;
    let (mut taken, mut covered) = (0, 0.0);
    while covered < enough && taken < sizes.len() {
        let next = sizes.iter().skip(taken).take(config.pod_increase_step.max(1));
        covered += next.clone().map(|(_, count)| count).sum::<f64>();
        taken += next.count();
    }
    let all = taken == sizes.len();
    let share = |count: f64| if all { count / total } else { count / total / (covered / total) };
    let typical = |(pod, count): &(&WorkloadPod, f64)| TypicalPod {
        milli_cpu: pod.milli_cpu,
        milli_gpu: pod.milli_gpu,
        gpu_number: pod.gpu_number,
        gpu_type: pod.gpu_type.clone(),
        percentage: share(*count),
    };
    sizes[..taken].iter().map(typical).collect()
}
