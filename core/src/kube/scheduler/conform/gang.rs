//! Recordings of pod groups, replayed.
//!
//! What the real scheduler leaves to chance is told apart from what it decides: pods that become
//! ready together are first tried in the order of a hash map, placements are tried in such an order, too,
//! and among equally good ones a random one is taken. The replay finds the order of pods
//! from what was recorded of them, follows the recorded placement among equals, and compares
//! everything else. A recording keeps the first and the last attempt of a pod; how often a group that
//! does not fit was retried in between depends on how fast the machine was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::scheduling::v1alpha2::PodGroup;
use serde_json::{Value, json};

use super::super::config::SchedulerConfiguration;
use super::super::decision::{Attempt, Decision, Outcome};
use super::super::engine::Scheduler;
use super::super::features::Features;
use super::super::gang::GroupAttempt;
use super::prepare::Cluster;
use super::{MAX_DIFFERENCES, Verdict, compare, list, read};
use crate::sim::SimTime;

/// Whether a scenario is one of pod groups.
pub(super) fn is_gang(scenario: &Value) -> bool {
    !list(&scenario["input"]["podGroups"]).is_empty()
}

/// In which order the pods of groups are first tried, by name; those that are absent come last.
type Order = BTreeMap<String, u64>;

/// Replays one scenario.
pub(super) fn replay(scenario: &Value, config: &SchedulerConfiguration) -> Result<Verdict, String> {
    let id = scenario["id"].as_str().unwrap_or_default().to_owned();
    let mut config = config.clone();
    config.feature_gates = Features::all();
    let nodes = list(&scenario["input"]["nodes"]).len();
    let mut best: Option<Vec<String>> = None;
    for start in 0..nodes.max(1) {
        let mut order = Order::new();
        // With pods that are not alike, one order tells more of another.
        for _ in 0..3 {
            let mut replay =
                Replay::new(scenario, &config, start, &order).map_err(|error| format!("{id}: {error}"))?;
            replay.run().map_err(|error| format!("{id}: {error}"))?;
            let better = replay.better_order();
            if best.as_ref().is_none_or(|best| replay.differences.len() < best.len()) {
                best = Some(replay.differences);
            }
            if better == order {
                break;
            }
            order = better;
        }
        if best.as_ref().is_some_and(Vec::is_empty) {
            break;
        }
    }
    let mut differences = best.unwrap_or_default();
    differences.truncate(MAX_DIFFERENCES);
    Ok(Verdict { id, differences })
}

struct Replay<'a> {
    input: &'a Value,
    outcome: &'a Value,
    cluster: Cluster,
    scheduler: Scheduler,
    now: SimTime,
    differences: Vec<String>,
    /// The present message of each pod's `PodScheduled` condition while it is false.
    messages: BTreeMap<String, String>,
    /// Status, reason and message of each group's condition.
    conditions: BTreeMap<String, (bool, String, String)>,
    /// All cycles, by group.
    cycles: BTreeMap<String, Vec<Arc<GroupAttempt>>>,
    events: BTreeSet<(String, String)>,
    order: &'a Order,
}

impl<'a> Replay<'a> {
    fn new(
        scenario: &'a Value,
        config: &SchedulerConfiguration,
        start: usize,
        order: &'a Order,
    ) -> Result<Self, String> {
        let (input, outcome) = (&scenario["input"], &scenario["outcome"]);
        let mut scheduler = Scheduler::new(config).map_err(|error| error.to_string())?;
        scheduler.next_start_node = start;
        scheduler.placement_among_equals = recorded_domain(input, outcome);
        let cluster = Cluster::new(input)?;
        cluster.fill(&mut scheduler)?;
        for group in list(&input["podGroups"]) {
            let mut group: PodGroup = read(group)?;
            group.metadata.namespace.get_or_insert_with(|| cluster.namespace.clone());
            scheduler.set_pod_group(&group);
        }
        Ok(Self {
            input,
            outcome,
            cluster,
            scheduler,
            now: SimTime::ZERO,
            differences: Vec::new(),
            messages: BTreeMap::new(),
            conditions: BTreeMap::new(),
            cycles: BTreeMap::new(),
            events: BTreeSet::new(),
            order,
        })
    }

    fn run(&mut self) -> Result<(), String> {
        for pod in list(&self.input["pods"]) {
            let pod = self.cluster.pod(pod)?;
            self.scheduler.add_pod(pod);
            self.settle();
        }
        for (index, step) in list(&self.input["steps"]).iter().enumerate() {
            if step["op"] == "wait" {
                self.settle();
            } else {
                self.cluster.apply(step, &mut self.scheduler)?;
                self.note_order(step);
            }
            // A recording settles between steps, but for pods that are created in one go.
            let settle = step["settle"].as_f64().unwrap_or(0.0);
            if settle > 0.0 {
                let until = self.now + Duration::from_secs_f64(settle);
                self.settle();
                while self.scheduler.next_wakeup().is_some_and(|at| at <= until) {
                    self.now = self.scheduler.next_wakeup().unwrap_or(until).max(self.now);
                    self.settle();
                }
                self.now = until;
            } else if step["op"] == "create" && step["object"]["spec"]["schedulingGroup"].is_null() {
                self.settle();
            }
            self.compare_step(index, step);
        }
        self.compare_end();
        Ok(())
    }

    /// A pod of a group is first tried in the order that the recording implies.
    fn note_order(&mut self, step: &Value) {
        let name = step["object"]["metadata"]["name"].as_str().unwrap_or_default();
        if let Some(rank) = self.order.get(name)
            && let Some(id) = self.scheduler.find(&self.cluster.namespace, name)
        {
            self.scheduler.queue.set_initial_attempt(id, (SimTime::ZERO, *rank));
        }
    }

    fn settle(&mut self) {
        for _ in 0..10_000 {
            let Some(decision) = self.scheduler.schedule_one(self.now) else { return };
            self.take_note(&decision);
        }
        self.differences.push("the scheduler does not come to rest".to_owned());
    }

    fn take_note(&mut self, decision: &Decision) {
        let name = decision.name.to_string();
        match decision.attempt.outcome {
            Outcome::Scheduled { .. } => {
                self.messages.remove(&name);
            }
            Outcome::Unschedulable | Outcome::Error => {
                let message = decision.attempt.message.clone();
                self.events.insert((name.clone(), message.clone()));
                self.messages.insert(name, message);
            }
            _ => {}
        }
        if let Some(group) = &decision.group {
            let name = group.name.to_string();
            let condition = (group.scheduled, group.reason.clone(), group.message.clone());
            let old = self.conditions.get(&name);
            // A group that was scheduled once stays so.
            if old.is_none_or(|old| !old.0 || condition.0) {
                self.conditions.insert(name.clone(), condition);
            }
            self.cycles.entry(name).or_default().push(Arc::clone(group));
        }
        for (namespace, victim) in &decision.victims {
            self.scheduler.remove_pod(namespace, victim);
        }
    }

    fn node_of(&self, name: &str) -> Option<String> {
        self.scheduler.node_of(&self.cluster.namespace, name).map(ToString::to_string)
    }

    fn differ(&mut self, what: &str, ours: &Value, theirs: &Value) {
        if ours != theirs {
            self.differences.push(format!("{what} is {ours}, recorded {theirs}"));
        }
    }

    fn compare_step(&mut self, index: usize, step: &Value) {
        let recorded = &self.outcome["steps"][index]["pods"];
        for name in list(&step["watch"]).iter().filter_map(Value::as_str) {
            let what = |field: &str| format!("step {}: {name}: {field}", index + 1);
            let message = self.messages.get(name).cloned();
            let reason = message.as_ref().map(|_| "Unschedulable");
            let nominated = self.scheduler.nominated_node(&self.cluster.namespace, name).cloned();
            let node = self.node_of(name);
            for (field, ours) in [
                ("node", json!(node)),
                ("message", json!(message)),
                ("reason", json!(reason)),
                ("nominatedNode", json!(nominated.as_deref())),
            ] {
                self.differ(&what(field), &ours, &recorded[name][field]);
            }
        }
    }

    fn compare_end(&mut self) {
        for (key, node) in self.outcome["finalPlacement"].as_object().into_iter().flatten() {
            let Some((namespace, name)) = key.split_once('/') else { continue };
            let ours = self.scheduler.node_of(namespace, name).map(|node| json!(&**node));
            self.differ(&format!("at the end the node of {key}"), &ours.unwrap_or(Value::Null), node);
        }
        let ours: Vec<Value> =
            self.events.iter().map(|(pod, text)| json!([pod, "FailedScheduling", text])).collect();
        let theirs = compare::sorted(list(&self.outcome["events"]).to_vec());
        self.differ("events", &json!(compare::sorted(ours)), &json!(theirs));
        let conditions: BTreeMap<_, _> = self
            .conditions
            .iter()
            .map(|(group, (scheduled, reason, message))| {
                let status = if *scheduled { "True" } else { "False" };
                let condition = json!({
                    "message": message, "reason": reason, "status": status, "type": "PodGroupScheduled",
                });
                (group.clone(), json!([condition]))
            })
            .collect();
        self.differ("conditions of pod groups", &json!(conditions), &self.outcome["podGroupConditions"]);
        for (key, count) in self.outcome["podGroupAttempts"].as_object().into_iter().flatten() {
            let name = key.rsplit('/').next().unwrap_or_default();
            let ours = self.cycles.get(name).map_or(0, Vec::len);
            let theirs = count.as_u64().unwrap_or(0);
            // Of a group that fits at once there is one attempt; of others only that there are some.
            let again = |differs: bool| if differs { "more than one" } else { "one" };
            let at_once = self.cycles.get(name).is_some_and(|cycles| cycles[0].scheduled);
            if ours == 0 || (at_once && ours == 1) != (theirs == 1) {
                let text = format!("{name}: {} cycles, recorded {}", again(ours > 1), again(theirs > 1));
                self.differences.push(text);
            }
        }
        self.compare_log();
        let attempts = self.outcome["stepAttempts"].as_object().into_iter().flatten();
        let incomplete = attempts.filter(|(_, list)| {
            list.as_array().is_some_and(|attempts| attempts.last().is_some_and(is_incomplete))
        });
        if incomplete.count() > 1 {
            self.differences.push("more than one attempt was recorded in part only".to_owned());
        }
        for (key, recorded) in self.outcome["stepAttempts"].as_object().into_iter().flatten() {
            let name = key.rsplit('/').next().unwrap_or_default();
            let found = self.attempts_of(name, list(recorded));
            self.differences.extend(found.into_iter().map(|text| format!("{name}: {text}")));
        }
    }

    /// Scores of placements, and the pods that found a node in a group that did not.
    fn compare_log(&mut self) {
        let mut ours = BTreeSet::new();
        for (name, cycles) in &self.cycles {
            let group = format!("{}/{name}", self.cluster.namespace);
            for placement in cycles.iter().flat_map(|cycle| &cycle.placements) {
                let mut row = |plugin: &str, score: i64| {
                    ours.insert(
                        json!({"placement": &*placement.name, "plugin": plugin, "podGroup": group, "score": score})
                            .to_string(),
                    );
                };
                for score in &placement.scores {
                    row(&score.plugin, score.normalized * score.weight);
                }
                if !placement.scores.is_empty() {
                    row("TOTAL", placement.total);
                }
            }
        }
        for (pod, text) in
            self.events.iter().filter(|(_, text)| text.starts_with("pod group is unschedulable"))
        {
            let pod = format!("{}/{pod}", self.cluster.namespace);
            ours.insert(json!({"pod": pod, "unschedulable": text}).to_string());
        }
        let theirs: BTreeSet<String> =
            list(&self.outcome["podGroupLog"]).iter().map(ToString::to_string).collect();
        self.differ("the log of pod groups", &json!(ours), &json!(theirs));
    }

    /// Attempts of one pod by cycle and placement; the first and the last cycle in which it was tried.
    fn cycles_of(&self, name: &str) -> Option<(Vec<&Attempt>, Vec<&Attempt>)> {
        let cycles =
            self.cycles.values().find(|cycles| cycles.iter().any(|cycle| !of_pod(cycle, name).is_empty()))?;
        let first = cycles.iter().find(|cycle| !of_pod(cycle, name).is_empty())?;
        let last = cycles.iter().rfind(|cycle| !of_pod(cycle, name).is_empty())?;
        Some((of_pod(first, name), of_pod(last, name)))
    }

    fn attempts_of(&self, name: &str, recorded: &[Value]) -> Vec<String> {
        let Some((first, last)) = self.cycles_of(name) else { return vec!["was never tried".to_owned()] };
        let bound = self.node_of(name);
        differences(recorded, &first, &last, bound.as_deref())
    }

    /// The order of pods that explains the recording best: each recorded pod goes to a place in the
    /// cycle where what happened here is what happened to it there.
    fn better_order(&self) -> Order {
        let mut order = Order::new();
        for cycles in self.cycles.values() {
            let names: Vec<&str> = cycles[0]
                .placements
                .first()
                .map_or(Vec::new(), |placement| placement.pods.iter().map(|(name, _)| &**name).collect());
            let recorded = |name: &str| {
                list(&self.outcome["stepAttempts"][format!("{}/{name}", self.cluster.namespace)])
            };
            let fits = |place: usize, name: &str| {
                let Some((first, last)) = self.cycles_of(names[place]) else { return false };
                let final_place = self.node_of(names[place]);
                let theirs =
                    self.outcome["finalPlacement"][format!("{}/{name}", self.cluster.namespace)].as_str();
                final_place.as_deref() == theirs
                    && differences(recorded(name), &first, &last, theirs).is_empty()
            };
            // Bipartite matching by augmenting paths: a handful of pods.
            let mut taken: Vec<Option<usize>> = vec![None; names.len()];
            for pod in 0..names.len() {
                let mut seen = vec![false; names.len()];
                augment(pod, &|place, pod| fits(place, names[pod]), &mut seen, &mut taken);
            }
            let mut free: Vec<usize> = (0..names.len()).filter(|pod| !taken.contains(&Some(*pod))).collect();
            for (rank, pod) in (1..).zip(&taken) {
                if let Some(pod) = pod.or_else(|| if free.is_empty() { None } else { Some(free.remove(0)) }) {
                    order.insert(names[pod].to_owned(), rank);
                }
            }
        }
        order
    }
}

/// The attempts of one pod in one cycle, one per placement.
fn of_pod<'a>(cycle: &'a GroupAttempt, name: &str) -> Vec<&'a Attempt> {
    let pods = cycle.placements.iter().flat_map(|placement| &placement.pods);
    pods.filter(|(pod, _)| &**pod == name).map(|(_, attempt)| attempt).collect()
}

fn augment(
    pod: usize,
    fits: &dyn Fn(usize, usize) -> bool,
    seen: &mut Vec<bool>,
    taken: &mut Vec<Option<usize>>,
) -> bool {
    for place in 0..taken.len() {
        if seen[place] || !fits(place, pod) {
            continue;
        }
        seen[place] = true;
        if taken[place].is_none_or(|other| augment(other, fits, seen, taken)) {
            taken[place] = Some(pod);
            return true;
        }
    }
    false
}

/// What was recorded of a pod against its attempts in its first and in its last cycle.
fn differences(
    recorded: &[Value],
    first: &[&Attempt],
    last: &[&Attempt],
    bound: Option<&str>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (index, theirs) in recorded.iter().enumerate() {
        let end = match bound {
            _ if index + 1 < recorded.len() => End::Open,
            Some(node) => End::Bound(node),
            None => End::Waiting,
        };
        let candidates = if index == 0 && (recorded.len() > 1 || first.len() == 1) { first } else { last };
        // One of the placements: the recording does not say which.
        let mut closest: Option<Vec<String>> = None;
        for ours in candidates {
            let differences = one(theirs, ours, end);
            if closest.as_ref().is_none_or(|closest| differences.len() < closest.len()) {
                closest = Some(differences);
            }
        }
        let text = |difference: String| format!("attempt {}: {difference}", index + 1);
        found.extend(closest.unwrap_or_else(|| vec!["not made here".to_owned()]).into_iter().map(text));
    }
    found
}

/// Where in the recording of a pod an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End<'a> {
    /// Others came after it.
    Open,
    /// It is the last one, and the pod waits: the recording may have ended in the middle of it.
    Waiting,
    /// It is the last one: it has the node to which the pod was bound in the end, whatever placement it was of.
    Bound(&'a str),
}

/// One recorded attempt against ours.
fn one(recorded: &Value, ours: &Attempt, end: End<'_>) -> Vec<String> {
    let mut ours = ours.clone();
    let mut recorded = recorded.clone();
    // The message is in the recording only if the pod itself was refused, with the placement that counts.
    if recorded["message"].as_str().unwrap_or_default().is_empty() {
        ours.message.clear();
    }
    let target = match end {
        End::Bound(node) => json!(node),
        End::Open | End::Waiting => Value::Null,
    };
    if recorded["bound"] != target {
        return vec![format!("bound is {target}, recorded {}", recorded["bound"])];
    }
    if let Some(fields) = recorded.as_object_mut() {
        fields.remove("bound");
    }
    if let Outcome::Scheduled { node } = &ours.outcome {
        ours.outcome = Outcome::Waiting { node: Arc::clone(node) };
    }
    if end == End::Waiting && is_incomplete(&recorded) {
        return part_of(&recorded, &ours);
    }
    compare::attempt(&recorded, &ours)
}

/// Whether a recording ended in the middle of this attempt.
fn is_incomplete(recorded: &Value) -> bool {
    let feasible = list(&recorded["feasible"]).len();
    let scored = recorded["final"].as_object().map_or(0, serde_json::Map::len);
    recorded["considered"].is_null() || (feasible > 1 && scored < feasible)
}

/// Where what was recorded of an attempt before the recording ended is not what happened here.
fn part_of(recorded: &Value, ours: &Attempt) -> Vec<String> {
    let mut found = Vec::new();
    let feasible: Vec<&str> = ours.feasible.iter().map(|node| &**node).collect();
    let recorded_feasible: Vec<&str> = list(&recorded["feasible"]).iter().filter_map(Value::as_str).collect();
    if !feasible.starts_with(&recorded_feasible) {
        found.push(format!("feasible is {feasible:?}, recorded {recorded_feasible:?}"));
    }
    let column = |node: &str, plugin: &str| {
        let row = ours.scores.iter().find(|row| &*row.node == node)?;
        let index = ours.score_plugins.iter().position(|known| &*known.name == plugin)?;
        Some((row.raw[index], row.normalized[index]))
    };
    let filter = compare::filter(ours);
    for (node, row) in recorded["filter"].as_object().into_iter().flatten() {
        if filter[node] != *row {
            found.push(format!("filter of {node} is {}, recorded {row}", filter[node]));
        }
    }
    for (what, of) in [("raw", 0), ("norm", 1)] {
        for (node, row) in recorded[what].as_object().into_iter().flatten() {
            for (plugin, score) in row.as_object().into_iter().flatten() {
                let pair = column(node, plugin);
                let mine = pair.map(|(raw, norm)| if of == 0 { raw } else { norm });
                if mine != score.as_i64() {
                    found.push(format!("{what} of {plugin} on {node} is {mine:?}, recorded {score}"));
                }
            }
        }
    }
    found
}

/// The topology domain in which a recorded group is.
fn recorded_domain(input: &Value, outcome: &Value) -> Option<Arc<str>> {
    let key = list(&input["podGroups"]).iter().find_map(|group| {
        list(&group["spec"]["schedulingConstraints"]["topology"]).first()?["key"].as_str()
    })?;
    let grouped = list(&input["steps"]).iter().find_map(|step| {
        let object = &step["object"];
        object["spec"]["schedulingGroup"].is_object().then(|| object["metadata"]["name"].as_str())?
    })?;
    let placement = outcome["finalPlacement"].as_object()?;
    let node = placement.iter().find(|(pod, _)| pod.ends_with(&format!("/{grouped}")))?.1.as_str()?;
    let node = list(&input["nodes"]).iter().find(|other| other["metadata"]["name"] == node)?;
    node["metadata"]["labels"][key].as_str().map(Arc::from)
}
