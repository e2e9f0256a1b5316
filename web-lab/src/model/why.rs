//! The scheduler's verdicts in words.
//!
//! "0/216 nodes are available: …" is unreadable at 216 nodes; what people ask is
//! which machines said no for which reason. The verdicts come from the engine;
//! here they are only put together.

use std::collections::BTreeMap;

use clusterlab::lab::view::AttemptView;
use clusterlab::order::InOrder;

use crate::i18n::Msg;

/// Machines that were refused for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The plugin that refused them.
    pub plugin: String,
    /// Its words.
    pub reason: String,
    /// The machines, by name.
    pub nodes: Vec<String>,
}

/// The refusals of an attempt, the one that hit most machines first.
pub fn refusals(attempt: &AttemptView) -> Vec<Refusal> {
    let mut by_reason: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for verdict in &attempt.verdicts {
        for reason in &verdict.reasons {
            by_reason.entry((&verdict.plugin, reason)).or_default().push(verdict.node.clone());
        }
    }
    let mut out: Vec<Refusal> = by_reason
        .into_iter()
        .map(|((plugin, reason), nodes)| Refusal {
            plugin: plugin.to_owned(),
            reason: reason.to_owned(),
            nodes,
        })
        .collect();
    out.order_by_key(|refusal| std::cmp::Reverse(refusal.nodes.len()));
    out
}

/// How many machines passed every filter.
pub fn feasible(attempt: &AttemptView) -> usize {
    attempt.verdicts.iter().filter(|verdict| verdict.plugin.is_empty()).count()
}

/// What a plugin of the scheduler looks at, for a reader who meets its name for the first time.
pub fn plugin_words(plugin: &str) -> Option<Msg> {
    Some(match plugin {
        "NodeResourcesFit" => Msg::PluginNodeResourcesFit,
        "NodeResourcesBalancedAllocation" => Msg::PluginBalancedAllocation,
        "TaintToleration" => Msg::PluginTaintToleration,
        "NodeAffinity" => Msg::PluginNodeAffinity,
        "NodeName" => Msg::PluginNodeName,
        "NodeUnschedulable" => Msg::PluginNodeUnschedulable,
        "NodePorts" => Msg::PluginNodePorts,
        "ImageLocality" => Msg::PluginImageLocality,
        "PodTopologySpread" => Msg::PluginPodTopologySpread,
        "VolumeBinding" => Msg::PluginVolumeBinding,
        "VolumeZone" => Msg::PluginVolumeZone,
        "VolumeRestrictions" => Msg::PluginVolumeRestrictions,
        "NodeVolumeLimits" => Msg::PluginNodeVolumeLimits,
        "DynamicResources" => Msg::PluginDynamicResources,
        "InterPodAffinity" => Msg::PluginInterPodAffinity,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clusterlab::lab::view::VerdictView;

    #[test]
    fn machines_with_the_same_reason_stand_together() {
        let verdict = |node: &str, plugin: &str, reasons: &[&str]| VerdictView {
            node: node.into(),
            plugin: plugin.into(),
            reasons: reasons.iter().map(|r| (*r).to_owned()).collect(),
            ..VerdictView::default()
        };
        let attempt = AttemptView {
            verdicts: vec![
                verdict("a", "TaintToleration", &["untolerated taint"]),
                verdict("b", "NodeResourcesFit", &["Insufficient cpu", "Insufficient nvidia.com/gpu"]),
                verdict("c", "NodeResourcesFit", &["Insufficient nvidia.com/gpu"]),
                verdict("d", "", &[]),
            ],
            ..AttemptView::default()
        };
        let said: Vec<String> =
            refusals(&attempt).iter().map(|r| format!("{}: {}", r.reason, r.nodes.join(","))).collect();
        assert_eq!(said, ["Insufficient nvidia.com/gpu: b,c", "Insufficient cpu: b", "untolerated taint: a"]);
        assert_eq!(feasible(&attempt), 1);
    }
}
