//! The search for a node: filters, scores, choice. Pure functions over the cluster's state.

use super::answers::Kept;
use super::choose::{feasible_nodes_to_find, heap_root};
use super::cluster::NodeId;
use super::decision::Recording;
use super::framework::{
    Code, Context, CycleState, MAX_NODE_SCORE, NodeStatuses, PluginId, PluginSet, Point, PreFilterOutcome,
    Profile, RunFilters, Status,
};
use super::framework::{Filters, FiltersWithNominated, first_answer, first_refusal};
use super::nominator::Nominator;

/// What the filters left.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order in which they were found.
    pub feasible: Vec<NodeId>,
    /// The answers for the others.
    pub statuses: NodeStatuses,
    /// The rejection of the pod as a whole.
    pub pre_filter: Option<(PluginId, Status)>,
    /// Plugins that refused the pod or limited its nodes.
    pub rejectors: PluginSet,
    /// Plugins that put the pod off.
    pub pending: PluginSet,
    /// Plugins whose filters did not run.
    pub skipped: PluginSet,
    /// How many nodes were looked at.
    pub evaluated: usize,
    /// Something went wrong.
    pub error: Option<String>,
}

/// Runs pre-filters and filters (`findNodesThatFitPod`).
#[allow(clippy::too_many_arguments, reason = "what a cycle looks at, piece by piece")]
pub(super) fn find_nodes(
    profile: &Profile,
    context: &Context<'_>,
    state: &mut CycleState,
    mut kept: Option<&mut Kept>,
    nominator: &Nominator,
    percentage: i32,
    recording: Recording,
    next_start: &mut usize,
) -> Found {
    let mut found = Found::default();
    let outcome = profile.run_pre_filters(context, state);
    found.rejectors = outcome.limited_by;
    found.skipped = outcome.skipped;
    if let Some((plugin, status)) = outcome.rejection {
        if status.is_rejected() {
            found.note(plugin, &status);
            found.statuses.absent = status.clone();
        } else {
            let name = profile.plugin(plugin).name();
            found.error = Some(format!("running PreFilter plugin {name:?}: {}", status.message()));
        }
        found.pre_filter = Some((plugin, status));
        return found;
    }
    let filters = profile.filters(outcome.skipped);
    if let Some(kept) = &mut kept {
        kept.asks(&filters);
    }
    let filters = FiltersWithNominated { filters: &filters, nominator };
    // The node on which room was made for this pod comes first; if it fits there now, no other is looked at.
    if let Some(node) = nominator.node_of(context.pod).filter(|id| context.cluster.node(*id).node.is_some()) {
        search(&filters, context, state, None, &[node], 0, 1, &mut found);
        if !found.feasible.is_empty() || found.error.is_some() {
            found.evaluated = 1;
            return found;
        }
        // It is looked at again among all nodes.
        found.statuses.clear();
    }
    find_among_all(
        profile, context, state, kept, &filters, outcome, percentage, recording, next_start, &mut found,
    );
    found
}

#[allow(clippy::too_many_arguments, reason = "the second half of one function")]
fn find_among_all(
    profile: &Profile,
    context: &Context<'_>,
    state: &CycleState,
    mut kept: Option<&mut Kept>,
    filters: &FiltersWithNominated<'_>,
    outcome: PreFilterOutcome,
    percentage: i32,
    recording: Recording,
    next_start: &mut usize,
    found: &mut Found,
) {
    let all = context.cluster.nodes();
    let limited = outcome.node_names.map(|names| context.cluster.nodes_by_name(&names));
    if limited.is_some() {
        let mut names: Vec<_> = outcome.limited_by.iter().map(|id| profile.plugin(id).name()).collect();
        names.sort_unstable();
        found.statuses.absent =
            Status::unresolvable(format!("node(s) didn't satisfy plugin(s) [{}]", names.join(" ")));
    }
    let nodes = limited.as_deref().unwrap_or(all);
    let enough = feasible_nodes_to_find(percentage, nodes.len());
    // Why a node was refused is only asked where somebody keeps it, or where no node is left.
    let quick = recording == Recording::Brief && filters.nominator.is_empty();
    let rejected = if quick {
        search_quickly(
            filters.filters,
            context,
            state,
            kept.as_deref_mut(),
            nodes,
            *next_start,
            enough,
            found,
        )
    } else {
        0
    };
    if found.feasible.is_empty() {
        search(filters, context, state, kept, nodes, *next_start, enough, found);
    }
    let processed = found.feasible.len() + found.statuses.rejected().max(rejected);
    found.evaluated = processed;
    // Over all nodes, even if only few were looked at: so does upstream.
    *next_start = (*next_start + processed) % all.len().max(1);
}

/// As [`search`], without keeping why nodes were refused; answers how many were. What it finds where a plugin fails,
/// or no node will do, is nothing: then the reasons are wanted after all.
#[allow(clippy::too_many_arguments, reason = "a part of one function")]
fn search_quickly(
    filters: &Filters<'_>,
    context: &Context<'_>,
    state: &CycleState,
    mut kept: Option<&mut Kept>,
    nodes: &[NodeId],
    start: usize,
    enough: usize,
    found: &mut Found,
) -> usize {
    let (before, after) = nodes.split_at(start % nodes.len().max(1));
    let mut rejected = 0;
    found.feasible.reserve(enough);
    for &id in after.iter().chain(before) {
        let mut answer = match &mut kept {
            Some(kept) => kept.verdict(filters, context, state, id).code,
            None => first_answer(filters.local(), context, state, context.cluster.node(id)),
        };
        if answer == Code::Success && !filters.others().is_empty() {
            answer = first_answer(filters.others(), context, state, context.cluster.node(id));
        }
        match answer {
            Code::Success if found.feasible.len() == enough => break,
            Code::Success => found.feasible.push(id),
            Code::Error => {
                found.feasible.clear();
                return 0;
            }
            _ => rejected += 1,
        }
    }
    rejected
}

/// Filters nodes from `start` on, until more than `enough` are feasible, and keeps why the others were refused.
#[allow(clippy::too_many_arguments, reason = "a part of one function")]
fn search(
    filters: &FiltersWithNominated<'_>,
    context: &Context<'_>,
    state: &CycleState,
    mut kept: Option<&mut Kept>,
    nodes: &[NodeId],
    start: usize,
    enough: usize,
    found: &mut Found,
) {
    if nodes.is_empty() {
        return;
    }
    let (before, after) = nodes.split_at(start % nodes.len());
    // The places of kept refusals among the answers of this cycle.
    let mut places = [None; Kept::REFUSALS];
    for &id in after.iter().chain(before) {
        let node = context.cluster.node(id);
        let nominated = filters.nominator.at_least_as_important(context.pod, id);
        let refusal = match kept.as_deref_mut().filter(|_| nominated.is_empty()) {
            // With the pods that are nominated to the node, and without them.
            None => filters.filters.run_with_nominated(context, state, node, &nominated),
            Some(kept) => {
                let verdict = kept.verdict(filters.filters, context, state, id);
                if verdict.code == Code::Success {
                    first_refusal(filters.filters.others(), context, state, node)
                } else if let Some((why, (plugin, status))) = kept.refusal(verdict) {
                    let place = *places[why].get_or_insert_with(|| {
                        found.note(*plugin, status);
                        found.statuses.answer(*plugin, status.clone())
                    });
                    found.statuses.reject_as(id, place);
                    continue;
                } else {
                    first_refusal(filters.filters.local(), context, state, node)
                }
            }
        };
        match refusal {
            None if found.feasible.len() == enough => {
                // One more than needed tells that it is time to stop; the refused ones before it
                // have been looked at and count.
                return;
            }
            None => found.feasible.push(id),
            Some((plugin, status)) if status.code == Code::Error => {
                let name = filters.filters.name(plugin);
                found.error = Some(format!("running {name:?} filter plugin: {}", status.message()));
                return;
            }
            Some((plugin, status)) => {
                found.note(plugin, &status);
                found.statuses.reject(id, plugin, status);
            }
        }
    }
}

impl Found {
    fn note(&mut self, plugin: PluginId, status: &Status) {
        if status.code == Code::Pending {
            self.pending.insert(plugin);
        } else {
            self.rejectors.insert(plugin);
        }
    }
}

/// Scores of the feasible nodes, one row per plugin.
#[derive(Debug, Default)]
pub(super) struct Scores {
    pub plugins: Vec<PluginId>,
    /// Row after row.
    pub raw: Vec<i64>,
    /// Row after row.
    pub normalized: Vec<i64>,
    /// Weighted sums, by node.
    pub totals: Vec<i64>,
}

impl Scores {
    /// The scores that one plugin gave.
    pub fn row<'a>(&self, values: &'a [i64], plugin: usize) -> &'a [i64] {
        let width = self.totals.len();
        &values[plugin * width..(plugin + 1) * width]
    }
}

/// Scores the feasible nodes (`prioritizeNodes`).
///
/// # Errors
///
/// A plugin failed, or gave a score out of range.
pub(super) fn score_nodes(
    profile: &Profile,
    context: &Context<'_>,
    state: &mut CycleState,
    mut kept: Option<&mut Kept>,
    feasible: &[NodeId],
) -> Result<Scores, String> {
    let mut skipped = PluginSet::default();
    for (id, plugin) in profile.at(Point::PreScore) {
        if let Some(pre_score) = plugin.pre_score() {
            let status = pre_score.pre_score(context, state, feasible);
            match status.code {
                Code::Success => {}
                Code::Skip => skipped.insert(id),
                _ => {
                    let name = plugin.name();
                    return Err(format!("running PreScore plugin {name:?}: {}", status.message()));
                }
            }
        }
    }
    let mut scores = Scores { totals: vec![0; feasible.len()], ..Scores::default() };
    for (id, plugin) in profile.at(Point::Score) {
        let Some(score) = plugin.score().filter(|_| !skipped.contains(id)) else { continue };
        let begin = scores.raw.len();
        scores.plugins.push(id);
        scores.raw.resize(begin + feasible.len(), 0);
        let raw = &mut scores.raw[begin..];
        match kept.as_deref_mut().filter(|_| score.is_local(context)) {
            Some(kept) => kept.scores(id, score, context, state, feasible, raw),
            None => score.score_all(context, state, feasible, raw),
        }
        scores.normalized.extend_from_slice(&scores.raw[begin..]);
        let row = &mut scores.normalized[begin..];
        score.normalize(context, state, feasible, row);
        let weight = profile.weights[id.index()];
        for (value, total) in row.iter().zip(&mut scores.totals) {
            if !(0..=MAX_NODE_SCORE).contains(value) {
                return Err(format!(
                    "plugin {:?} returns an invalid score {value}, it should in the range of [0, {MAX_NODE_SCORE}] \
                     after normalizing",
                    plugin.name()
                ));
            }
            *total += value * weight;
        }
    }
    if scores.plugins.is_empty() {
        // Without any score all nodes are equal.
        scores.totals.fill(1);
    }
    Ok(scores)
}

/// The node with the best score; among equals, the one that a plugin chooses or that the heap brings to the top.
pub(super) fn choose(
    profile: &Profile,
    context: &Context<'_>,
    feasible: &[NodeId],
    scores: &Scores,
) -> Option<NodeId> {
    let Some(tie_break) = profile.tie_break() else {
        return heap_root(&scores.totals).map(|index| feasible[index]);
    };
    let best = scores.totals.iter().copied().max()?;
    let equal = feasible.iter().zip(&scores.totals).filter(|(_, total)| **total == best);
    equal.map(|(node, _)| *node).min_by_key(|node| tie_break.rank(context, *node))
}

/// What the post-filters achieved together.
#[derive(Debug, Default)]
pub(super) struct PostFiltered {
    pub nomination: super::framework::Nomination,
    pub message: String,
    pub preemption: Option<super::preemption::Preemption>,
    pub deallocate: Option<super::cluster::devices::ClaimKey>,
}

/// Runs the post-filters until one succeeds (`RunPostFilterPlugins`).
pub(super) fn post_filter(
    profile: &Profile,
    context: &Context<'_>,
    state: &CycleState,
    nominator: &Nominator,
    budgets: &[super::preemption::Budget],
    recording: Recording,
    found: &Found,
) -> PostFiltered {
    use super::framework::{Nomination, PostFilterContext};
    let filters: Filters<'_> = profile.filters(found.skipped);
    let filters = FiltersWithNominated { filters: &filters, nominator };
    let context = PostFilterContext {
        context: *context,
        filters: &filters as &dyn RunFilters,
        nominated_node: nominator.node_of(context.pod),
        budgets,
        explain: recording == Recording::Full,
    };
    let mut result = PostFiltered::default();
    let mut reasons: Vec<String> = Vec::new();
    let mut ran = false;
    for (_, plugin) in profile.at(Point::PostFilter) {
        let Some(plugin) = plugin.post_filter() else { continue };
        ran = true;
        let answer = plugin.post_filter(&context, state, &found.statuses);
        result.preemption = answer.preemption.or(result.preemption);
        result.deallocate = answer.deallocate.or(result.deallocate);
        if answer.status.is_success() {
            result.nomination = answer.nomination;
            result.message = String::new();
            return result;
        }
        if !answer.status.is_rejected() {
            result.message = answer.status.message();
            return result;
        }
        if answer.nomination != Nomination::Keep && result.nomination == Nomination::Keep {
            result.nomination = answer.nomination;
        }
        reasons.extend(answer.status.reasons.iter().map(ToString::to_string));
    }
    if !ran {
        result.nomination = Nomination::Clear;
    }
    result.message = reasons.join(", ");
    result
}
