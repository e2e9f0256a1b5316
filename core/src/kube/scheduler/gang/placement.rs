//! The choice of a placement: the plugins that divide the cluster, and those that score the parts.

use std::sync::Arc;

use super::super::cluster::{Cluster, NodeId, PodInfo};
use super::super::framework::{
    Assignments, GroupContext, MAX_NODE_SCORE, Placement, PlacementScore, PluginId, Profile,
};
use super::attempt::PlacementScoreRow;
use super::groups::GroupKey;

/// The placements of a group (`RunPlacementGeneratePlugins`): each plugin divides what the ones before it left.
pub(super) fn generate(
    profile: &Profile,
    cluster: &Cluster,
    group: GroupKey,
) -> Result<Vec<Placement>, String> {
    let context = GroupContext { group, cluster };
    let mut placements = vec![Placement { name: Arc::from(""), nodes: cluster.nodes().to_vec() }];
    for (_, plugin) in profile.plugins() {
        let Some(generator) = plugin.placement_generate() else { continue };
        let mut divided = Vec::new();
        for placement in placements {
            divided.extend(generator.generate(&context, placement)?);
        }
        placements = divided;
    }
    Ok(placements)
}

/// Scores of feasible placements: per placement one row per plugin, and the total.
pub(super) fn score(
    profile: &Profile,
    cluster: &Cluster,
    group: GroupKey,
    candidates: &[(&Placement, Vec<(&PodInfo, NodeId)>)],
) -> Result<Vec<(Vec<PlacementScoreRow>, i64)>, String> {
    let context = GroupContext { group, cluster };
    let mut result = vec![(Vec::new(), 0); candidates.len()];
    let assignments: Vec<_> =
        candidates.iter().map(|(placement, pods)| Assignments { placement, pods: pods.clone() }).collect();
    for (id, plugin) in profile.plugins() {
        let Some(scorer) = plugin.placement_score() else { continue };
        let rows = rows(profile, id, scorer, &context, &assignments)?;
        for ((scores, total), row) in result.iter_mut().zip(rows) {
            *total += row.normalized * row.weight;
            scores.push(row);
        }
    }
    Ok(result)
}

fn rows(
    profile: &Profile,
    id: PluginId,
    scorer: &dyn PlacementScore,
    context: &GroupContext<'_>,
    assignments: &[Assignments<'_>],
) -> Result<Vec<PlacementScoreRow>, String> {
    let name = profile.plugin(id).name();
    let raw: Vec<i64> = assignments.iter().map(|a| scorer.score_placement(context, a)).collect();
    let mut normalized = raw.clone();
    scorer.normalize(&mut normalized)?;
    if let Some(score) = normalized.iter().find(|score| !(0..=MAX_NODE_SCORE).contains(*score)) {
        return Err(format!("plugin {name:?} returns an invalid placement score {score}"));
    }
    let weight = profile.weights[id.index()];
    let rows = raw.into_iter().zip(normalized);
    Ok(rows
        .map(|(raw, normalized)| PlacementScoreRow { plugin: name.into(), raw, normalized, weight })
        .collect())
}
