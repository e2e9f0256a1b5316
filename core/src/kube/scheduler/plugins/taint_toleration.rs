//! `TaintToleration`: pods stay away from taints that they do not tolerate, and rather away from soft ones.

use serde_json::Value;

use super::super::cluster::{Cluster, Effect, NodeId, NodeInfo, first_untolerated};
use super::super::framework::{Context, CycleState, Filter, Plugin, Score, Status, default_normalize};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::no_arguments;

pub(super) const NAME: &str = "TaintToleration";

#[derive(Clone, Debug)]
struct TaintToleration;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(TaintToleration))
}

impl Plugin for TaintToleration {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn Score> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NODE_ADD | EventKinds::NODE_UPDATE_TAINT | EventKinds::POD_UPDATE_TOLERATION
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let refused = |node: &NodeInfo| first_untolerated(&node.taints, &context.pod.tolerations).is_some();
        match change.node() {
            Some((old, new)) if !old.is_none_or(refused) || refused(new) => Hint::Skip,
            _ => Hint::Queue,
        }
    }
}

impl Filter for TaintToleration {
    fn is_local(&self) -> bool {
        true
    }

    fn filter(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> Status {
        if first_untolerated(&node.taints, &context.pod.tolerations).is_none() {
            Status::success()
        } else {
            Status::unresolvable("node(s) had untolerated taint(s)")
        }
    }
}

impl Score for TaintToleration {
    fn is_local(&self, _: &Context<'_>) -> bool {
        true
    }

    /// How many soft taints the pod does not tolerate.
    fn score(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> i64 {
        let soft = node.taints.iter().filter(|taint| taint.effect == Effect::PreferNoSchedule);
        let tolerated = |taint: &&_| context.pod.tolerations.iter().any(|t| t.tolerates(taint));
        soft.filter(|taint| !tolerated(taint)).count() as i64
    }

    fn normalize(&self, _: &Context<'_>, _: &CycleState, _: &[NodeId], scores: &mut [i64]) {
        default_normalize(scores, true);
    }
}
