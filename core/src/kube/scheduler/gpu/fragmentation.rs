//! Fragmentation: how much of the free GPUs the next pod could not use.
//!
//! The measure of Weng et al. (USENIX ATC 2023, section 3): for a node and a size of pod, the free GPU that a pod of
//! that size could not use there, all of it where the pod does not fit; over the [typical](super::typical_pods)
//! sizes, weighted by how frequent they are, it is what the next pod is expected to leave stranded.

use smallvec::SmallVec;

use super::super::cluster::{Symbol, Symbols};
use super::devices::NodeGpus;
use super::request::split_models;
use super::typical::TypicalPod;

/// Free thousandths of GPUs by what becomes of them when the next pod comes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FragmentationAmounts {
    /// Neither CPU nor GPUs are enough (`q1_lack_both`).
    pub lack_both: f64,
    /// The GPUs are not enough, or too small a part of them is free (`q2_lack_gpu`).
    pub lack_gpu: f64,
    /// The pod can use it (`q3_satisfied`).
    pub satisfied: f64,
    /// The CPU is not enough (`q4_lack_cpu`).
    pub lack_cpu: f64,
    /// The pod asks for no GPU, and its CPU is there (`xl_satisfied`).
    pub cpu_satisfied: f64,
    /// The pod asks for no GPU, and its CPU is not there (`xr_lack_cpu`).
    pub cpu_lacking: f64,
    /// The pod may not use this model of GPU (`no_access`).
    pub no_access: f64,
}

impl FragmentationAmounts {
    /// All that the next pod cannot use, in thousandths of GPUs.
    pub fn fragmented(&self) -> f64 {
        // In the order in which the authors add up, as sums of floats depend on it.
        self.lack_both
            + self.lack_gpu
            + self.lack_cpu
            + self.cpu_satisfied
            + self.cpu_lacking
            + self.no_access
    }

    /// All that is free.
    pub fn free(&self) -> f64 {
        self.fragmented() + self.satisfied
    }

    /// One after the other, in the order of the fields.
    pub fn to_array(self) -> [f64; 7] {
        [
            self.lack_both,
            self.lack_gpu,
            self.satisfied,
            self.lack_cpu,
            self.cpu_satisfied,
            self.cpu_lacking,
            self.no_access,
        ]
    }
}

/// A typical size, compiled.
#[derive(Clone, Debug)]
struct Class {
    milli_cpu: i64,
    milli: u16,
    /// Place of `milli` in [`Fragmentation::parts`].
    part: usize,
    count: u32,
    models: Option<SmallVec<[Symbol; 2]>>,
    share: f64,
}

/// The measure for one set of typical pods.
#[derive(Clone, Debug, Default)]
pub struct Fragmentation {
    classes: Vec<Class>,
    /// The different parts of a GPU that typical pods ask for.
    parts: Vec<u16>,
    /// Whether any size wants certain models.
    by_model: bool,
}

/// Of the devices of a node, for one part of a GPU: how many have it free, and how much is free on the others.
#[derive(Clone, Copy, Default)]
struct Fit {
    enough: u32,
    below: u32,
}

const LACK_BOTH: usize = 0;
const LACK_GPU: usize = 1;
const SATISFIED: usize = 2;
const LACK_CPU: usize = 3;
const CPU_SATISFIED: usize = 4;
const CPU_LACKING: usize = 5;
const NO_ACCESS: usize = 6;

impl Fragmentation {
    /// The measure for these sizes.
    ///
    /// # Errors
    ///
    /// A share that is not in 0 to 1, or shares that do not add up to 1, in words.
    pub fn new(typical: &[TypicalPod], symbols: &mut Symbols) -> Result<Self, String> {
        let mut measure = Self::default();
        let mut sum = 0.0;
        for (index, pod) in typical.iter().enumerate() {
            if !(0.0..=1.0).contains(&pod.percentage) {
                let value = pod.percentage;
                return Err(format!(
                    "typicalPods[{index}].percentage: Invalid value: {value}: not in [0, 1]"
                ));
            }
            sum += pod.percentage;
            // Known from now on, so that a node that comes later can match.
            pod.gpu_type.split('|').filter(|model| !model.is_empty()).for_each(|model| {
                symbols.intern(model);
            });
            let known = measure.parts.iter().position(|part| *part == pod.milli_gpu);
            let part = known.unwrap_or_else(|| {
                measure.parts.push(pod.milli_gpu);
                measure.parts.len() - 1
            });
            let models = split_models(&pod.gpu_type, symbols);
            measure.by_model |= models.is_some();
            measure.classes.push(Class {
                milli_cpu: pod.milli_cpu,
                milli: pod.milli_gpu,
                part,
                // One is needed even by a pod that asks for a part and forgets to say of how many.
                count: u32::from(pod.gpu_number.max(1)),
                models,
                share: pod.percentage,
            });
        }
        if !typical.is_empty() && (sum - 1.0_f64).abs() > 1e-3 {
            return Err(format!("typicalPods: Invalid value: the percentages add up to {sum}, not to 1"));
        }
        Ok(measure)
    }

    /// What becomes of a node's free GPUs when the next pod comes.
    pub fn of(&self, node: &NodeGpus) -> FragmentationAmounts {
        self.amounts(node.left(), node.milli_cpu_left, node.model)
    }

    /// As [`of`](Self::of), for free thousandths by device, free CPU and the model of the GPUs.
    pub fn amounts(&self, left: &[u16], milli_cpu_left: i64, model: Option<Symbol>) -> FragmentationAmounts {
        let total: u32 = left.iter().map(|left| u32::from(*left)).sum();
        let mut sums = [0.0_f64; 7];
        if total > 0 {
            let total_milli = f64::from(total);
            let fits: SmallVec<[Fit; 32]> = self.parts.iter().map(|part| fit(left, *part)).collect();
            for class in &self.classes {
                let has_cpu = milli_cpu_left >= class.milli_cpu;
                if class.milli == 0 {
                    sums[if has_cpu { CPU_SATISFIED } else { CPU_LACKING }] += class.share * total_milli;
                    continue;
                }
                if self.by_model && !accepts(class.models.as_ref(), model) {
                    sums[NO_ACCESS] += class.share * total_milli;
                    continue;
                }
                let Fit { enough, below } = fits[class.part];
                if enough < class.count {
                    sums[if has_cpu { LACK_GPU } else { LACK_BOTH }] += class.share * total_milli;
                } else if has_cpu {
                    sums[LACK_GPU] += class.share * f64::from(below);
                    sums[SATISFIED] += class.share * f64::from(total - below);
                } else {
                    sums[LACK_CPU] += class.share * total_milli;
                }
            }
        }
        FragmentationAmounts {
            lack_both: sums[LACK_BOTH],
            lack_gpu: sums[LACK_GPU],
            satisfied: sums[SATISFIED],
            lack_cpu: sums[LACK_CPU],
            cpu_satisfied: sums[CPU_SATISFIED],
            cpu_lacking: sums[CPU_LACKING],
            no_access: sums[NO_ACCESS],
        }
    }
}

fn fit(left: &[u16], part: u16) -> Fit {
    let mut fit = Fit::default();
    for left in left {
        if *left >= part {
            fit.enough += 1;
        } else {
            fit.below += u32::from(*left);
        }
    }
    fit
}

fn accepts(models: Option<&SmallVec<[Symbol; 2]>>, model: Option<Symbol>) -> bool {
    models.is_none_or(|models| model.is_some_and(|model| models.contains(&model)))
}
