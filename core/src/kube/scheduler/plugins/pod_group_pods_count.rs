//! `PodGroupPodsCount`: a placement that takes more pods of the group is better.

use serde_json::Value;

use super::super::cluster::Cluster;
use super::super::framework::{Assignments, GroupContext, MAX_NODE_SCORE, PlacementScore, Plugin};
use super::super::queue::EventKinds;
use super::no_arguments;

pub(super) const NAME: &str = "PodGroupPodsCount";

#[derive(Clone, Debug)]
struct PodGroupPodsCount;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(PodGroupPodsCount))
}

impl Plugin for PodGroupPodsCount {
    fn name(&self) -> &str {
        NAME
    }

    fn placement_score(&self) -> Option<&dyn PlacementScore> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

impl PlacementScore for PodGroupPodsCount {
    /// Pods of the group that run already count in every placement.
    fn score_placement(&self, context: &GroupContext<'_>, assignments: &Assignments<'_>) -> i64 {
        let scheduled = context.cluster.groups.get(context.group).map_or(0, |group| group.scheduled);
        (scheduled + assignments.pods.len()) as i64
    }

    fn normalize(&self, scores: &mut [i64]) -> Result<(), String> {
        let max = scores.iter().copied().max().unwrap_or(0);
        if max == 0 {
            return Err("no pods from pod group are assigned to any of the candidate placements".to_owned());
        }
        for score in scores {
            *score = *score * MAX_NODE_SCORE / max;
        }
        Ok(())
    }
}
