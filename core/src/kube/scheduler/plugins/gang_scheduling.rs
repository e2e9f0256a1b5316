//! `GangScheduling`: the pods of a gang are bound when `minCount` of them have a node, or not at all.
//!
//! Its PreEnqueue part, which keeps pods out of the queue until their group and enough of its pods
//! are there, is [`PodGroups::gate`](super::super::gang::PodGroups::gate): it depends on more than the pod.

use std::time::Duration;

use serde_json::Value;

use super::super::cluster::{Cluster, NodeId};
use super::super::framework::{Code, Context, CycleState, Permit, Plugin, Status};
use super::super::queue::EventKinds;
use super::no_arguments;

pub(in super::super) const NAME: &str = "GangScheduling";

/// How long a pod waits for the rest of its gang before it is given up.
const PATIENCE: Duration = Duration::from_mins(5);

#[derive(Clone, Debug)]
struct GangScheduling;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(GangScheduling))
}

impl Plugin for GangScheduling {
    fn name(&self) -> &str {
        NAME
    }

    fn permit(&mut self) -> Option<&mut dyn Permit> {
        Some(self)
    }

    /// Pods of groups wait for any change, not for events of this plugin.
    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

impl Permit for GangScheduling {
    /// Counts the pod itself, which is assumed to be on its node already.
    fn permit(&mut self, context: &Context<'_>, _: &mut CycleState, _: NodeId) -> (Status, Duration) {
        let group = context.cluster.groups.of(context.pod);
        let missing = group.is_some_and(|group| {
            group.policy.and_then(|policy| policy.min_count).is_some_and(|min| group.scheduled < min)
        });
        if missing {
            (Status::new(Code::Wait, "waiting for minCount pods from a gang to be scheduled"), PATIENCE)
        } else {
            (Status::success(), Duration::ZERO)
        }
    }
}
