//! `SchedulingGates`: a pod with gates does not enter the queue.

use serde_json::Value;

use super::super::cluster::{Cluster, PodInfo};
use super::super::framework::{Context, Plugin, PreEnqueue, Status};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::no_arguments;

pub(super) const NAME: &str = "SchedulingGates";

#[derive(Clone, Debug)]
struct SchedulingGates;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(SchedulingGates))
}

impl Plugin for SchedulingGates {
    fn name(&self) -> &str {
        NAME
    }

    fn pre_enqueue(&self) -> Option<&dyn PreEnqueue> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::POD_GATES_ELIMINATED
    }

    fn queueing_hint(&self, _: &Context<'_>, _: &ClusterChange<'_>) -> Hint {
        Hint::Queue
    }
}

impl PreEnqueue for SchedulingGates {
    fn pre_enqueue(&self, pod: &PodInfo) -> Status {
        let gates = &pod.rest.gates;
        if gates.is_empty() {
            return Status::success();
        }
        Status::unresolvable(format!("waiting for scheduling gates: [{}]", gates.join(" ")))
    }
}
