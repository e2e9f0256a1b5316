//! `NodeResourcesFit`: a node must have room for what the pod asks for.

use serde::Deserialize;
use serde_json::Value;
use smallvec::smallvec;

use super::super::super::cluster::{Cluster, NodeInfo, ResourceId};
use super::super::super::framework::{
    Assignments, Code, Context, CycleState, Filter, GroupContext, MAX_NODE_SCORE, PlacementScore, Plugin,
    Reason, Reasons, Score, Status,
};
use super::super::super::queue::{ClusterChange, EventKinds, Hint};
use super::super::arguments;
use super::strategy::{Strategy, StrategyArgs};

pub(in super::super) const NAME: &str = "NodeResourcesFit";

/// `NodeResourcesFitArgs`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Args {
    ignored_resources: Vec<String>,
    ignored_resource_groups: Vec<String>,
    scoring_strategy: StrategyArgs,
}

#[derive(Clone, Debug)]
struct Fit {
    ignored_resources: Vec<ResourceId>,
    /// `example.com` for all `example.com/…`.
    ignored_groups: Vec<String>,
    strategy: Strategy,
}

pub(in super::super) fn new(args: &Value, cluster: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let args: Args = arguments(args)?;
    if let Some(group) = args.ignored_resource_groups.iter().find(|group| group.contains('/')) {
        return Err(format!(
            "ignoredResourceGroups: Invalid value: {group:?}: resource group name can't contain '/'"
        ));
    }
    let mut intern = |name: &String| cluster.resources.intern(name, &mut cluster.symbols);
    let ignored_resources = args.ignored_resources.iter().map(&mut intern).collect();
    Ok(Box::new(Fit {
        ignored_resources,
        ignored_groups: args.ignored_resource_groups,
        strategy: Strategy::new(&args.scoring_strategy, cluster)?,
    }))
}

impl Plugin for Fit {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn Score> {
        Some(self)
    }

    fn placement_score(&self) -> Option<&dyn PlacementScore> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::ASSIGNED_POD_DELETE
            | EventKinds::ASSIGNED_POD_SCALE_DOWN
            | EventKinds::POD_SCALE_DOWN
            | EventKinds::NODE_ADD
            | EventKinds::NODE_UPDATE_ALLOCATABLE
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        match change.node() {
            // Even an empty node would not do.
            Some((_, new)) if !self.fits_empty(context, new) => Hint::Skip,
            Some((Some(old), new)) if !has_more(context, old, new) => Hint::Skip,
            _ => Hint::Queue,
        }
    }
}

impl Fit {
    fn is_ignored(&self, context: &Context<'_>, id: ResourceId) -> bool {
        if self.ignored_resources.contains(&id) {
            return true;
        }
        if self.ignored_groups.is_empty() {
            return false;
        }
        let name = context.cluster.symbols.name(context.cluster.resources.name(id));
        name.split_once('/').is_some_and(|(group, _)| self.ignored_groups.iter().any(|known| known == group))
    }

    /// Whether devices stand in for a resource that the node does not count (`shouldDelegateResourceToDRA`).
    fn is_left_to_devices(context: &Context<'_>, id: ResourceId, allocatable: i64) -> bool {
        let devices = &context.cluster.devices;
        allocatable == 0
            && devices.has_classes()
            && devices.class_of_resource(context.cluster.resources.name(id)).is_some()
    }

    fn fits_empty(&self, context: &Context<'_>, node: &NodeInfo) -> bool {
        let asked = &context.pod.requests.exact;
        node.allowed_pods >= 1
            && NATIVE.iter().all(|&(id, _)| asked.get(id) <= node.allocatable.get(id))
            && asked.scalars().all(|(id, amount)| {
                let allocatable = node.allocatable.get(id);
                amount <= allocatable
                    || self.is_ignored(context, id)
                    || Self::is_left_to_devices(context, id, allocatable)
            })
    }
}

/// Whether a node has more of anything that the pod asks for.
fn has_more(context: &Context<'_>, old: &NodeInfo, new: &NodeInfo) -> bool {
    let asked = &context.pod.requests.exact;
    let grew = |id| new.allocatable.get(id) > old.allocatable.get(id);
    new.allowed_pods > old.allowed_pods
        || NATIVE.iter().any(|&(id, _)| asked.get(id) > 0 && grew(id))
        || asked.scalars().any(|(id, _)| grew(id))
}

const NATIVE: [(ResourceId, &str); 3] = [
    (ResourceId::CPU, "Insufficient cpu"),
    (ResourceId::MEMORY, "Insufficient memory"),
    (ResourceId::EPHEMERAL_STORAGE, "Insufficient ephemeral-storage"),
];

impl Filter for Fit {
    fn is_local(&self) -> bool {
        true
    }

    fn filter(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> Status {
        let mut code = Code::Success;
        let mut reasons = Reasons::new();
        if node.pods.len() as i64 + 1 > node.allowed_pods {
            code = Code::Unschedulable;
            reasons = smallvec![Reason::Fixed("Too many pods")];
        }
        let asked = &context.pod.requests.exact;
        let mut refuse = |reason: Reason, amount: i64, allocatable: i64| {
            reasons.push(reason);
            // More than the whole node has: no pod that goes can help.
            code = code.max(if amount > allocatable {
                Code::UnschedulableAndUnresolvable
            } else {
                Code::Unschedulable
            });
        };
        for (id, reason) in NATIVE {
            let (amount, allocatable) = (asked.get(id), node.allocatable.get(id));
            if amount > 0 && amount > allocatable.saturating_sub(node.requested.get(id)) {
                refuse(Reason::Fixed(reason), amount, allocatable);
            }
        }
        for (id, amount) in asked.scalars() {
            let allocatable = node.allocatable.get(id);
            if amount > allocatable.saturating_sub(node.requested.get(id))
                && !self.is_ignored(context, id)
                && !Self::is_left_to_devices(context, id, allocatable)
            {
                let name = context.cluster.symbols.name(context.cluster.resources.name(id));
                refuse(Reason::from(format!("Insufficient {name}")), amount, allocatable);
            }
        }
        Status { code, reasons }
    }
}

impl PlacementScore for Fit {
    /// The fuller a placement would be, the better, whatever the strategy for nodes.
    fn score_placement(&self, context: &GroupContext<'_>, assignments: &Assignments<'_>) -> i64 {
        let nodes: Vec<_> = assignments.placement.nodes.iter().map(|id| context.cluster.node(*id)).collect();
        let pods: Vec<_> = assignments.pods.iter().map(|(pod, _)| &pod.requests.scored).collect();
        self.strategy.fullness(&nodes, &pods).clamp(0, MAX_NODE_SCORE)
    }
}

impl Score for Fit {
    fn is_local(&self, _: &Context<'_>) -> bool {
        true
    }

    fn score(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> i64 {
        self.strategy.score(node, &context.pod.requests.scored).clamp(0, MAX_NODE_SCORE)
    }
}
