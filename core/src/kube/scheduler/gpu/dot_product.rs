//! `DotProductScore`: what remains of a node is compared with what the pod asks for, as vectors; the less they point
//! the same way, the better, so that the node is taken whose remains suit others less (Tetris, SIGCOMM 2014).
//!
//! A node has many GPUs and a pod asks for one number: `dimExtMethod` says how both become vectors of one length, and
//! `normMethod` what their numbers are divided by.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use smallvec::SmallVec;

use super::super::cluster::{Cluster, NodeId, NodeInfo};
use super::super::framework::{
    Context, CycleState, MAX_NODE_SCORE, Plugin, PreScore, Prepare, Score, Status,
};
use super::super::plugins::arguments;
use super::super::queue::EventKinds;
use super::best_fit::needs_view;
use super::device_choice::{DeviceChoice, DeviceChoosers};
use super::devices::{DeviceList, GpuView, NodeGpus};
use super::request::{GpuRequest, MILLI};

pub(super) const NAME: &str = "DotProductScore";

/// CPU of the largest node of the authors' cluster, in thousandths of a core.
pub(super) const MAX_MILLI_CPU: f64 = 128_000.0;
/// GPUs of the largest node of the authors' cluster, in thousandths.
pub(super) const MAX_MILLI_GPU: f64 = 8_000.0;

/// `GpuPluginCfg`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Args {
    dim_ext_method: Extension,
    norm_method: Norm,
}

/// How the GPUs of a node become dimensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Extension {
    /// All GPUs together are one.
    #[default]
    Merge,
    /// The node is compared once for each GPU in use and once for all idle ones, each time with its whole CPU.
    Share,
    /// The same, with the part of the CPU that falls to that GPU's free part.
    Divide,
    /// Each GPU in use is a dimension, all idle ones are one; the pod is compared once in each.
    Extend,
}

/// What the numbers are divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Norm {
    /// What the node has.
    Node,
    /// What the pod asks for.
    Pod,
    /// What the largest node has.
    #[default]
    Max,
}

#[derive(Clone, Copy, Debug)]
struct DotProduct {
    extension: Extension,
    norm: Norm,
}

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let args: Args = arguments(args)?;
    Ok(Box::new(DotProduct { extension: args.dim_ext_method, norm: args.norm_method }))
}

/// Whether these are arguments of this plugin: the authors' files give them to every policy.
pub(super) fn are_arguments(args: &Value) -> bool {
    arguments::<Args>(args).is_ok()
}

impl Plugin for DotProduct {
    fn name(&self) -> &str {
        NAME
    }

    fn prepare(&mut self) -> Option<&mut dyn Prepare> {
        Some(self)
    }

    fn pre_score(&self) -> Option<&dyn PreScore> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn Score> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

impl Prepare for DotProduct {
    fn prepare(&mut self, _: &Context<'_>, state: &mut CycleState) {
        let mut choosers = state.read::<DeviceChoosers>().cloned().unwrap_or_default();
        choosers.0.push((NAME, Arc::new(*self)));
        state.write(choosers);
    }
}

impl PreScore for DotProduct {
    fn pre_score(&self, _: &Context<'_>, state: &mut CycleState, _: &[NodeId]) -> Status {
        needs_view(state)
    }
}

impl Score for DotProduct {
    fn score(&self, _: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64 {
        state.read::<GpuView>().map_or(0, |view| self.best(view.node(node.id), &view.request).0)
    }

    fn score_all(&self, _: &Context<'_>, state: &CycleState, nodes: &[NodeId], scores: &mut [i64]) {
        let Some(view) = state.read::<GpuView>() else { return };
        for (node, score) in nodes.iter().zip(scores) {
            *score = self.best(view.node(*node), &view.request).0;
        }
    }
}

impl DeviceChoice for DotProduct {
    fn choose(&self, node: &NodeGpus, request: &GpuRequest) -> Option<DeviceList> {
        let devices = self.best(node, request).1;
        // All GPUs together name no device.
        (devices.len() == usize::from(request.count)).then_some(devices).or_else(|| {
            if request.is_shared() {
                node.tightest(request.milli).map(|device| [device].into_iter().collect())
            } else {
                node.first_idle(request.count)
            }
        })
    }
}

/// CPU, then GPUs.
type Vector = SmallVec<[f64; 10]>;

impl DotProduct {
    /// The node's score, and the devices that give it.
    fn best(self, node: &NodeGpus, request: &GpuRequest) -> (i64, DeviceList) {
        let mut best = (-1.0, DeviceList::new());
        if node.milli_cpu_left >= request.milli_cpu {
            self.compare(node, request, |node_vector, pod_vector, devices| {
                let score = self.score_of(node, request, node_vector, pod_vector);
                if best.0 < score {
                    best = (score, devices);
                }
            });
        }
        let score = (MAX_NODE_SCORE as f64 * best.0) as i64;
        (score.clamp(0, MAX_NODE_SCORE), best.1)
    }

    fn score_of(self, node: &NodeGpus, request: &GpuRequest, a: &[f64], b: &[f64]) -> f64 {
        let (cpu, gpu) = match self.norm {
            Norm::Node => (node.milli_cpu as f64, f64::from(MILLI) * node.left().len() as f64),
            Norm::Pod => (request.milli_cpu as f64, request.total_milli() as f64),
            Norm::Max => (MAX_MILLI_CPU, MAX_MILLI_GPU),
        };
        let mut product = 0.0;
        for (dimension, (a, b)) in a.iter().zip(b).enumerate() {
            let norm = if dimension == 0 { cpu } else { gpu };
            if norm > 0.0 {
                product += (a / norm) * (b / norm);
            }
        }
        product /= b.len() as f64;
        if self.norm == Norm::Pod {
            // Twenty times the pod is as good as endless.
            product = libm::tanh(product / 10.0);
        }
        1.0 - product
    }

    /// Every way to see node and pod as vectors, with the devices that it stands for.
    fn compare(
        self,
        node: &NodeGpus,
        request: &GpuRequest,
        mut visit: impl FnMut(&[f64], &[f64], DeviceList),
    ) {
        let (cpu, asked_cpu) = (node.milli_cpu_left as f64, request.milli_cpu as f64);
        let (all, asked) = (f64::from(node.total_left()), request.total_milli());
        let idle = i64::from(node.idle()) * i64::from(MILLI);
        let asked_devices = (asked as u64).div_ceil(u64::from(MILLI)) as u16;
        let in_use = || (0_u8..).zip(node.left()).filter(|(_, left)| **left < MILLI);
        match self.extension {
            Extension::Merge => visit(&[cpu, all], &[asked_cpu, asked as f64], DeviceList::new()),
            Extension::Share | Extension::Divide => {
                let cpu_beside = |left: i64| {
                    let part = (node.milli_cpu_left * left) as f64 / all;
                    if self.extension == Extension::Share { cpu } else { part }
                };
                let pod = [asked_cpu, asked as f64];
                if asked < i64::from(MILLI) {
                    for (device, left) in in_use().filter(|(_, left)| i64::from(**left) >= asked) {
                        let left = i64::from(*left);
                        visit(&[cpu_beside(left), left as f64], &pod, [device].into_iter().collect());
                    }
                }
                if asked <= idle
                    && let Some(devices) = node.first_idle(asked_devices)
                {
                    visit(&[cpu_beside(idle), idle as f64], &pod, devices);
                }
            }
            Extension::Extend => {
                let mut places: SmallVec<[(i64, DeviceList); 9]> = in_use()
                    .filter(|(_, left)| **left > 0)
                    .map(|(device, left)| (i64::from(*left), [device].into_iter().collect()))
                    .collect();
                if idle > 0 {
                    places.push((idle, node.first_idle(asked_devices).unwrap_or_default()));
                }
                let mut vector: Vector = smallvec::smallvec![cpu];
                vector.extend(places.iter().map(|(left, _)| *left as f64));
                for (at, (left, devices)) in places.iter().enumerate() {
                    if *left >= asked {
                        let mut pod: Vector = smallvec::smallvec![0.0; vector.len()];
                        pod[0] = asked_cpu;
                        pod[at + 1] = asked as f64;
                        visit(&vector, &pod, devices.clone());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_the_remains_beside_the_request_the_better() {
        let check = |extension, norm, left: &[u16], request: GpuRequest, expect: f64, devices: &[u8]| {
            let node = NodeGpus::new(64_000, 96_000, left, None);
            let (score, chosen) = DotProduct { extension, norm }.best(&node, &request);
            assert_eq!((score, &chosen[..]), ((100.0 * expect) as i64, devices), "{extension:?} {norm:?}");
        };
        let half = GpuRequest::new(8_000, 500, 1);
        let gpus = [300, 600, 1000, 1000];
        // Half of the CPU's product plus the GPUs'.
        let max = |cpu: f64, gpu: f64| {
            1.0 - f64::midpoint(cpu / 128_000.0 * (8_000.0 / 128_000.0), gpu / 8_000.0 * (500.0 / 8_000.0))
        };
        check(Extension::Merge, Norm::Max, &gpus, half.clone(), max(64_000.0, 2_900.0), &[]);
        check(Extension::Share, Norm::Max, &gpus, half.clone(), max(64_000.0, 600.0), &[1]);
        let part = 64_000.0 * 600.0 / 2_900.0;
        check(Extension::Divide, Norm::Max, &gpus, half.clone(), max(part, 600.0), &[1]);
        let node = 1.0 - f64::midpoint(64.0 / 96.0 * (8.0 / 96.0), 2_900.0 / 4_000.0 * (500.0 / 4_000.0));
        check(Extension::Merge, Norm::Node, &gpus, half.clone(), node, &[]);
        let pod = 1.0 - libm::tanh(f64::midpoint(64.0 / 8.0, 2_900.0 / 500.0) / 10.0);
        check(Extension::Merge, Norm::Pod, &gpus, half.clone(), pod, &[]);
        // Three dimensions beside the CPU: 300, 600, and 2000 idle.
        let extend =
            1.0 - (64_000.0 / 128_000.0 * (8_000.0 / 128_000.0) + 600.0 / 8_000.0 * (500.0 / 8_000.0)) / 4.0;
        check(Extension::Extend, Norm::Max, &gpus, half, extend, &[1]);
        let pair = GpuRequest::new(8_000, 1_000, 2);
        let whole = 1.0
            - f64::midpoint(
                64_000.0 / 128_000.0 * (8_000.0 / 128_000.0),
                2_000.0 / 8_000.0 * (2_000.0 / 8_000.0),
            );
        check(Extension::Share, Norm::Max, &gpus, pair, whole, &[2, 3]);
        check(Extension::Merge, Norm::Max, &gpus, GpuRequest::new(64_001, 500, 1), 0.0, &[]);
    }
}
