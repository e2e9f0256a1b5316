//! Pods that ask for the same: a Deployment's, a job's, an array's.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use smallvec::SmallVec;

use super::super::gpu::{GPU_CARD_MODEL, GPU_COUNT, GPU_INDEX, GPU_MILLI};
use super::pod_info::{HostPort, NodeAffinityInfo, PodInfo};
use super::requests::Requests;
use super::symbols::{Symbol, Symbols};
use super::taint::Toleration;

/// What a pod is to those who look at it and at one node only.
///
/// Two pods of one class have the same requests (those of GPUs in annotations, too), host ports, tolerations, node
/// selector and affinity, images and node name. Their names, labels, priorities, volumes, claims and terms about other
/// pods may differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PodClass(Option<u32>);

impl PodClass {
    /// Whether anything is known of the pods of this class; if not, no two pods are taken to be equal.
    pub const fn is_known(self) -> bool {
        self.0.is_some()
    }
}

/// The classes that were met.
#[derive(Clone, Debug, Default)]
pub(super) struct Classes {
    // Only looked up, never iterated: its order cannot show.
    by_hash: HashMap<u64, Vec<(u32, Traits)>>,
    next: u32,
}

/// What makes a class.
#[derive(Clone, Debug)]
struct Traits {
    requests: Requests,
    gpus: Vec<(&'static str, String)>,
    host_ports: Vec<HostPort>,
    tolerations: Vec<Toleration>,
    node_affinity: NodeAffinityInfo,
    images: Vec<Symbol>,
    image_count: usize,
    node_name: Option<Symbol>,
}

/// More classes than this are not remembered: whoever has so many has few pods of each.
const MOST: usize = 4096;

/// What annotations say of the GPUs that a pod asks for.
fn gpu_annotations<'a>(pod: &'a PodInfo, symbols: &Symbols) -> impl Iterator<Item = (&'static str, &'a str)> {
    let keys = [GPU_MILLI, GPU_COUNT, GPU_INDEX, GPU_CARD_MODEL];
    keys.map(|key| (key, pod.rest.annotation(key, symbols)))
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
}

impl Classes {
    pub fn of(&mut self, pod: &PodInfo, symbols: &Symbols) -> PodClass {
        let node_name = pod.rest.node_name;
        let gpus: SmallVec<[_; 4]> = gpu_annotations(pod, symbols).collect();
        let mut hasher = DefaultHasher::new();
        (&pod.requests, &pod.host_ports, &pod.tolerations, &pod.node_affinity).hash(&mut hasher);
        (&pod.images, pod.image_count, node_name).hash(&mut hasher);
        gpus.hash(&mut hasher);
        let hash = hasher.finish();
        let same = |traits: &Traits| {
            traits.requests == pod.requests
                && traits.gpus.iter().map(|(key, value)| (*key, value.as_str())).eq(gpus.iter().copied())
                && traits.host_ports == pod.host_ports
                && traits.tolerations == pod.tolerations
                && traits.node_affinity == pod.node_affinity
                && traits.images == pod.images
                && traits.image_count == pod.image_count
                && traits.node_name == node_name
        };
        let known = self.by_hash.get(&hash).into_iter().flatten();
        if let Some((class, _)) = known.into_iter().find(|(_, traits)| same(traits)) {
            return PodClass(Some(*class));
        }
        if self.by_hash.len() >= MOST {
            // Pods that are there keep their classes; equal ones that come get new ones.
            self.by_hash.clear();
        }
        let traits = Traits {
            requests: pod.requests.clone(),
            gpus: gpus.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
            host_ports: pod.host_ports.clone(),
            tolerations: pod.tolerations.clone(),
            node_affinity: pod.node_affinity.clone(),
            images: pod.images.clone(),
            image_count: pod.image_count,
            node_name,
        };
        let class = self.next;
        // After four thousand million classes there are none left, and pods are looked at one by one.
        let Some(next) = class.checked_add(1) else { return PodClass::default() };
        self.next = next;
        self.by_hash.entry(hash).or_default().push((class, traits));
        PodClass(Some(class))
    }
}
