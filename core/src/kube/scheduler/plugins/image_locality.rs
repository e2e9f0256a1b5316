//! `ImageLocality`: nodes that have large images of the pod already are better.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeInfo};
use super::super::framework::{Context, CycleState, MAX_NODE_SCORE, Plugin, Score};
use super::super::queue::EventKinds;
use super::no_arguments;

pub(super) const NAME: &str = "ImageLocality";

const MB: i64 = 1024 * 1024;
/// Images of less than this in sum are pulled so quickly that they do not matter.
const MIN_THRESHOLD: i64 = 23 * MB;
/// More than this per container makes no difference any more.
const MAX_CONTAINER_THRESHOLD: i64 = 1000 * MB;

#[derive(Clone, Debug)]
struct ImageLocality;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(ImageLocality))
}

impl Plugin for ImageLocality {
    fn name(&self) -> &str {
        NAME
    }

    fn score(&self) -> Option<&dyn Score> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

impl Score for ImageLocality {
    fn is_local(&self, _: &Context<'_>) -> bool {
        true
    }

    fn score(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> i64 {
        if node.images.is_empty() {
            return 0;
        }
        let all_nodes = context.cluster.nodes().len() as f64;
        let sizes = context.pod.images.iter().filter_map(|image| {
            let size = node.image_size(*image)?;
            // An image that only few nodes have counts less, or all its pods would heat up those.
            let spread = f64::from(context.cluster.image_nodes(*image)) / all_nodes;
            Some((size as f64 * spread) as i64)
        });
        let sum = sizes.fold(0, i64::saturating_add);
        let max = MAX_CONTAINER_THRESHOLD.saturating_mul(context.pod.image_count as i64);
        MAX_NODE_SCORE * (sum.clamp(MIN_THRESHOLD, max.max(MIN_THRESHOLD)) - MIN_THRESHOLD)
            / (max - MIN_THRESHOLD).max(1)
    }
}
