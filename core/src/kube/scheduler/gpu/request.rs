//! What a pod asks of GPUs, in the annotations and resources of Alibaba's GPU sharing.

use smallvec::SmallVec;

use super::super::cluster::{Cluster, NodeInfo, PodInfo, ResourceId, Symbol, Symbols};
use super::devices::{DeviceList, MAX_DEVICES};
use crate::kube::quantity::Amount;

/// Annotation of a pod: how much of each GPU it asks for, in thousandths (1 to 1000).
pub const GPU_MILLI: &str = "alibabacloud.com/gpu-milli";
/// Annotation of a pod, and resource of a node: how many GPUs.
pub const GPU_COUNT: &str = "alibabacloud.com/gpu-count";
/// Annotation of a pod: the devices that it got, or must get, as `2` or `0-1-5`.
pub const GPU_INDEX: &str = "alibabacloud.com/gpu-index";
/// Label of a node: its GPU model. Annotation of a pod: the models that will do, as `V100M16|V100M32`.
pub const GPU_CARD_MODEL: &str = "alibabacloud.com/gpu-card-model";
/// A whole GPU in thousandths.
pub const MILLI: u16 = 1000;

/// The names above as the scheduler's numbers, and NVIDIA's, which count where Alibaba's are absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    count: ResourceId,
    nvidia: ResourceId,
    model: Symbol,
    product: Symbol,
}

impl Names {
    pub fn new(cluster: &mut Cluster) -> Self {
        let Cluster { symbols, resources, .. } = cluster;
        Self {
            count: resources.intern(GPU_COUNT, symbols),
            nvidia: resources.intern("nvidia.com/gpu", symbols),
            model: symbols.intern(GPU_CARD_MODEL),
            product: symbols.intern("nvidia.com/gpu.product"),
        }
    }

    /// How many GPUs a node has; none if there are more than are modelled.
    pub fn gpus_of(&self, node: &NodeInfo) -> Option<usize> {
        let own = node.allocatable.get(self.count);
        let count = if own > 0 { own } else { node.allocatable.get(self.nvidia) };
        usize::try_from(count.max(0)).ok().filter(|count| *count <= MAX_DEVICES)
    }

    /// The model of a node's GPUs.
    pub fn model_of(&self, node: &NodeInfo) -> Option<Symbol> {
        node.labels.get(self.model).or_else(|| node.labels.get(self.product))
    }
}

/// What a pod asks of GPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GpuRequest {
    /// Of each device, in thousandths; 0 for a pod that asks for no GPU.
    pub milli: u16,
    /// How many devices.
    pub count: u16,
    /// CPU in thousandths of a core, 100 for a container that asks for none.
    pub milli_cpu: i64,
    /// The models that will do; none: any. A model that no node has is left out.
    models: Option<SmallVec<[Symbol; 2]>>,
    /// The devices that it must get.
    pub(super) devices: DeviceList,
}

impl GpuRequest {
    /// A request without wishes for models or devices.
    pub fn new(milli_cpu: i64, milli: u16, count: u16) -> Self {
        Self { milli, count, milli_cpu, ..Self::default() }
    }

    /// Reads a pod's annotations, and `nvidia.com/gpu` for a pod that has none of them.
    pub(super) fn of(pod: &PodInfo, names: &Names, symbols: &Symbols) -> Self {
        let annotation = |key: &str| pod.rest.annotation(key, symbols);
        let milli_cpu = pod.requests.scored.get(ResourceId::CPU);
        let Some(milli) = annotation(GPU_MILLI) else {
            let count = pod.requests.exact.get(names.nvidia);
            let count = u16::try_from(count.max(0)).unwrap_or(u16::MAX);
            return Self::new(milli_cpu, if count > 0 { MILLI } else { 0 }, count);
        };
        let milli = milli.parse::<Amount>().map_or(0, Amount::value).max(0);
        let models = annotation(GPU_CARD_MODEL).map(|text| split_models(text, symbols));
        Self {
            milli: u16::try_from(milli).unwrap_or(u16::MAX),
            count: annotation(GPU_COUNT).and_then(|count| count.parse().ok()).unwrap_or(0),
            milli_cpu,
            models: models.flatten(),
            devices: annotation(GPU_INDEX).and_then(parse_devices).unwrap_or_default(),
        }
    }

    /// A part of one GPU.
    pub const fn is_shared(&self) -> bool {
        self.count == 1 && self.milli < MILLI
    }

    /// Thousandths over all devices.
    pub const fn total_milli(&self) -> i64 {
        self.milli as i64 * self.count as i64
    }

    /// Whether any model and any device will do.
    pub(super) fn has_no_wishes(&self) -> bool {
        self.models.is_none() && self.devices.is_empty()
    }

    /// Whether GPUs of this model will do.
    pub(super) fn accepts(&self, model: Option<Symbol>) -> bool {
        self.models.as_ref().is_none_or(|models| model.is_some_and(|model| models.contains(&model)))
    }

    /// The kind of pod for which nodes are kept together by GPU clustering: 0 for a share of a GPU, else how many
    /// whole GPUs; none for a pod without GPU.
    pub(super) fn kind(&self) -> Option<u32> {
        match self.count {
            0 => None,
            1 if self.milli < MILLI => Some(0),
            count => Some(u32::from(count).min(63)),
        }
    }
}

/// `A|B`; none for a text that names no model.
pub(super) fn split_models(text: &str, symbols: &Symbols) -> Option<SmallVec<[Symbol; 2]>> {
    let mut named = text.split('|').filter(|model| !model.is_empty()).peekable();
    named.peek()?;
    Some(named.filter_map(|model| symbols.get(model)).collect())
}

/// `0-1-5`; none if it is not of that form.
pub(super) fn parse_devices(text: &str) -> Option<DeviceList> {
    let devices: Option<DeviceList> = text.split('-').map(|device| device.parse().ok()).collect();
    devices.filter(|devices| devices.iter().all(|device| usize::from(*device) < MAX_DEVICES))
}

/// The other way round.
pub(super) fn format_devices(devices: &[u8]) -> String {
    let texts: Vec<_> = devices.iter().map(ToString::to_string).collect();
    texts.join("-")
}
