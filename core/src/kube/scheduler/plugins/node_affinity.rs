//! `NodeAffinity`: node selectors, required and preferred node affinity.

use k8s_openapi::api::core::v1::NodeAffinity as ApiNodeAffinity;
use serde::Deserialize;
use serde_json::Value;

use super::super::cluster::{Cluster, NodeAffinityInfo, NodeId, NodeInfo};
use super::super::framework::{
    Context, CycleState, Filter, Plugin, PreFilter, PreFilterResult, PreScore, Score, Status,
    default_normalize,
};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::arguments;

pub(super) const NAME: &str = "NodeAffinity";

/// `NodeAffinityArgs`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Args {
    added_affinity: Option<ApiNodeAffinity>,
}

#[derive(Clone, Debug)]
struct NodeAffinity {
    /// Affinity that the profile adds to every pod.
    added: NodeAffinityInfo,
}

pub(super) fn new(args: &Value, cluster: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let args: Args = arguments(args)?;
    let affinity = args.added_affinity.unwrap_or_default();
    Ok(Box::new(NodeAffinity { added: NodeAffinityInfo::from_affinity(&affinity, &mut cluster.symbols) }))
}

impl Plugin for NodeAffinity {
    fn name(&self) -> &str {
        NAME
    }

    fn pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn pre_score(&self) -> Option<&dyn PreScore> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn Score> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NODE_ADD | EventKinds::NODE_UPDATE_LABEL
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let symbols = &context.cluster.symbols;
        let allows = |node: &NodeInfo| context.pod.node_affinity.allows(node, symbols);
        match change.node() {
            Some((_, new)) if !self.added.allows(new, symbols) || !allows(new) => Hint::Skip,
            Some((Some(old), _)) if allows(old) => Hint::Skip,
            _ => Hint::Queue,
        }
    }
}

impl PreFilter for NodeAffinity {
    fn pre_filter(&self, context: &Context<'_>, _: &mut CycleState) -> PreFilterResult {
        let affinity = &context.pod.node_affinity;
        let Some(required) = &affinity.required else {
            let nothing = affinity.node_selector.is_empty() && self.added.required.is_none();
            return if nothing { Status::skip() } else { Status::success() }.into();
        };
        match required.node_names() {
            Some(names) if names.is_empty() => Status::unresolvable("pod affinity terms conflict").into(),
            node_names => PreFilterResult { status: Status::success(), node_names },
        }
    }
}

impl Filter for NodeAffinity {
    fn is_local(&self) -> bool {
        true
    }

    fn filter(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> Status {
        let symbols = &context.cluster.symbols;
        if !self.added.allows(node, symbols) {
            Status::unresolvable("node(s) didn't match scheduler-enforced node affinity")
        } else if !context.pod.node_affinity.allows(node, symbols) {
            Status::unresolvable("node(s) didn't match Pod's node affinity/selector")
        } else {
            Status::success()
        }
    }
}

impl PreScore for NodeAffinity {
    fn pre_score(&self, context: &Context<'_>, _: &mut CycleState, _: &[NodeId]) -> Status {
        let nothing = context.pod.node_affinity.preferred.is_none() && self.added.preferred.is_none();
        if nothing { Status::skip() } else { Status::success() }
    }
}

impl Score for NodeAffinity {
    fn is_local(&self, _: &Context<'_>) -> bool {
        true
    }

    /// The weights of the terms that the node satisfies.
    fn score(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> i64 {
        let terms = self.added.preferred.iter().chain(&context.pod.node_affinity.preferred).flatten();
        terms.filter(|(_, term)| term.matches(node, &context.cluster.symbols)).map(|(weight, _)| weight).sum()
    }

    fn normalize(&self, _: &Context<'_>, _: &CycleState, _: &[NodeId], scores: &mut [i64]) {
        default_normalize(scores, false);
    }
}
