//! `PrioritySort`: the pod of higher priority goes first, among equals the one that waits longer.

use std::cmp::Reverse;

use serde_json::Value;

use super::super::cluster::Cluster;
use super::super::framework::{Plugin, QueueSort};
use super::super::queue::{EventKinds, QueuedPod};
use super::no_arguments;

pub(super) const NAME: &str = "PrioritySort";

#[derive(Clone, Debug)]
struct PrioritySort;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(PrioritySort))
}

impl Plugin for PrioritySort {
    fn name(&self) -> &str {
        NAME
    }

    fn queue_sort(&self) -> Option<&dyn QueueSort> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

impl QueueSort for PrioritySort {
    fn less(&self, a: &QueuedPod, b: &QueuedPod) -> bool {
        let key = |pod: &QueuedPod| (Reverse(pod.info.priority), pod.timestamp, pod.sequence);
        key(a) < key(b)
    }
}
