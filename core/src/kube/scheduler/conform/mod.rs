//! Does the scheduler decide as the real one did? Replays recorded scenarios and compares every field.
//!
//! A recording is one JSON document: nodes, pods that are there already, pods to
//! schedule in their order, and what kube-scheduler answered, cycle by cycle. The
//! replay does what the recording's driver did: it creates a pod, lets it be
//! tried until it is bound or waits, deletes it if it waits, and goes on.

mod compare;
mod devices;
mod gang;
mod prepare;
mod refused;
mod start;
mod volumes;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::config::{ProfileConfiguration, SchedulerConfiguration};
use super::decision::{Decision, Outcome};
use super::engine::Scheduler;
use crate::sim::SimTime;
use prepare::Cluster;
use volumes::{KeepBindings, Storage, Ties};

/// The first differences of a scenario that are told; one mistake often makes many.
const MAX_DIFFERENCES: usize = 20;

/// The message of a pod that is held back by its gates.
const GATED: &str = "Scheduling is blocked due to non-empty scheduling gates";

/// What a replay does not compare, and why: name of the field, and what upstream leaves open.
pub const LEFT_OUT: &[(&str, &str)] = &[
    (
        "order of `feasible` of a pod whose pre-filters name the nodes",
        "the real scheduler walks a hash set; compared as a set, and the choice by the recorded order",
    ),
    (
        "order of the reasons of one node",
        "several missing extended resources come in the order of a hash map",
    ),
    (
        "which of several equal volumes a claim gets",
        "the real scheduler takes them in the order of a hash map; one way through all choices must agree",
    ),
    (
        "where the search for nodes begins in a scenario",
        "one scheduler answered all scenarios in turn; taken from the order of `feasible` in the first attempts",
    ),
    (
        "all but node and choice of an attempt at the nominated node",
        "whether the real scheduler looks there alone depends on whether it has read its own nomination back",
    ),
    ("unique ids in events", "they differ from run to run"),
    ("`warnings`", "notes of the recording, not decisions"),
];

/// What a replay found.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The scenario's id.
    pub id: String,
    /// Where the scheduler decided otherwise, in the order of the scenario; empty if nowhere.
    pub differences: Vec<String>,
}

/// What a scenario uses that is not modelled yet, if anything.
pub fn not_modelled(scenario: &Value) -> Option<&'static str> {
    let input = &scenario["input"];
    if !list(&input["resourceClaimTemplates"]).is_empty() {
        return Some("claims to devices that a controller makes from templates");
    }
    devices::not_modelled(input)
}

/// The configuration that the recordings were made with.
///
/// `profiles` is the recordings' `profiles.json`: `schedulerName` and `pluginConfig` of each.
///
/// # Errors
///
/// A profile cannot be read.
pub fn configuration(profiles: &Value) -> Result<SchedulerConfiguration, String> {
    let profiles: Vec<ProfileConfiguration> =
        serde_json::from_value(profiles.clone()).map_err(|error| format!("profiles: {error}"))?;
    Ok(SchedulerConfiguration {
        percentage_of_nodes_to_score: 100,
        pod_initial_backoff_seconds: 1,
        pod_max_backoff_seconds: 2,
        profiles,
        ..SchedulerConfiguration::default()
    })
}

/// Replays one scenario.
///
/// # Errors
///
/// The scenario cannot be read.
pub fn replay(scenario: &Value, config: &SchedulerConfiguration) -> Result<Verdict, String> {
    if gang::is_gang(scenario) {
        return gang::replay(scenario, config);
    }
    let id = scenario["id"].as_str().unwrap_or_default().to_owned();
    let mut ties = Ties::default();
    let mut first: Option<Vec<String>> = None;
    for _ in 0..Ties::MOST {
        let mut replay = Replay::new(scenario, config, ties).map_err(|error| format!("{id}: {error}"))?;
        replay.run().map_err(|error| format!("{id}: {error}"))?;
        if replay.differences.is_empty() {
            return Ok(Verdict { id, differences: Vec::new() });
        }
        first.get_or_insert(replay.differences);
        match replay.ties.advance() {
            Some(next) => ties = next,
            None => break,
        }
    }
    // As the scheduler itself went.
    let mut differences = first.unwrap_or_default();
    differences.truncate(MAX_DIFFERENCES);
    Ok(Verdict { id, differences })
}

struct Replay<'a> {
    input: &'a Value,
    outcome: &'a Value,
    cluster: Cluster,
    storage: Storage,
    ties: Ties,
    scheduler: Scheduler,
    now: SimTime,
    differences: Vec<String>,
    /// Message and reason of each pod's `PodScheduled` condition, by name.
    conditions: BTreeMap<String, (String, &'static str)>,
    /// Nodes to which pods were nominated.
    nominated: BTreeMap<String, String>,
    /// Victims of each pod's preemptions.
    victims: BTreeMap<String, Vec<Value>>,
    /// How many attempts of each pod were compared.
    compared: BTreeMap<String, usize>,
    events: Vec<Value>,
}

impl<'a> Replay<'a> {
    fn new(scenario: &'a Value, config: &SchedulerConfiguration, ties: Ties) -> Result<Self, String> {
        let input = &scenario["input"];
        let mut scheduler = Scheduler::new(config).map_err(|error| error.to_string())?;
        let cluster = Cluster::new(input)?;
        let storage = Storage::new(input, &cluster.namespace, &mut scheduler)?;
        devices::fill(input, &cluster.namespace, &mut scheduler)?;
        cluster.fill(&mut scheduler)?;
        scheduler.next_start_node = start::shown_by(scenario, &mut scheduler);
        Ok(Self {
            input,
            outcome: &scenario["outcome"],
            cluster,
            storage,
            ties,
            scheduler,
            now: SimTime::ZERO,
            differences: Vec::new(),
            conditions: BTreeMap::new(),
            nominated: BTreeMap::new(),
            victims: BTreeMap::new(),
            compared: BTreeMap::new(),
            events: Vec::new(),
        })
    }

    fn run(&mut self) -> Result<(), String> {
        let keep_pending = self.input["keepPending"] == json!(true);
        for pod in list(&self.input["pods"]) {
            if let Some(refusal) = refused::by_api_server(self.input, pod, &self.cluster.namespace) {
                self.compare_refused(pod, &refusal);
                continue;
            }
            let pod = self.cluster.pod(pod)?;
            let name = pod.metadata.name.clone().unwrap_or_default();
            self.scheduler.add_pod(pod);
            self.settle();
            self.compare_pod(&name);
            let (namespace, waits) = (self.cluster.namespace.clone(), self.node_of(&name).is_none());
            if waits && !keep_pending {
                self.scheduler.remove_pod(&namespace, &name);
            }
            self.settle();
        }
        for (index, step) in list(&self.input["steps"]).iter().enumerate() {
            self.cluster.apply(step, &mut self.scheduler)?;
            // The recording waited 1.6 s after each step: long enough for one back-off.
            let until = self.now + std::time::Duration::from_millis(1600);
            while self.scheduler.next_wakeup().is_some_and(|at| at <= until) {
                self.now = self.scheduler.next_wakeup().unwrap_or(until).max(self.now);
                self.settle();
            }
            self.now = until;
            self.compare_step(index, step);
        }
        self.compare_end();
        Ok(())
    }

    /// Tries pods as long as any can be tried.
    fn settle(&mut self) {
        // A pod that preempts is tried again when its victims are gone, and then is bound: far below this.
        for _ in 0..1000 {
            let mut binder = KeepBindings::default();
            let Some(decision) = self.scheduler.schedule_one_with(self.now, &mut binder) else { return };
            self.take_note(&decision);
            if let Some(node) = decision.node() {
                self.storage.complete(&binder.0, node, &mut self.ties, &mut self.scheduler);
            }
        }
        self.differences.push("the scheduler does not come to rest".to_owned());
    }

    fn take_note(&mut self, decision: &Decision) {
        let name = decision.name.to_string();
        let recorded = self.recorded_attempt(&name).cloned();
        if let Some(recorded) = &recorded {
            let mut found = compare::attempt(recorded, &decision.attempt);
            let number = self.compared.get(&name).copied().unwrap_or(0) + 1;
            for difference in &mut found {
                difference.insert_str(0, &format!("{name} attempt {number}: "));
            }
            self.differences.append(&mut found);
        } else if decision.attempt.all_nodes > 0 {
            self.differences
                .push(format!("{name}: an attempt that was not recorded: {:?}", decision.attempt.outcome));
        }
        *self.compared.entry(name.clone()).or_default() += 1;
        let message = decision.attempt.message.clone();
        match decision.attempt.outcome {
            Outcome::Unschedulable => {
                let event = json!([name, "FailedScheduling", message]);
                if !self.events.contains(&event) {
                    self.events.push(event);
                }
                self.conditions.insert(name.clone(), (message, "Unschedulable"));
            }
            Outcome::Error => {
                self.conditions.insert(name.clone(), (message, "SchedulerError"));
            }
            _ => {}
        }
        self.follow_choice(decision, recorded.as_ref());
        if let Some(node) = decision.nominated_node.as_ref().filter(|node| !node.is_empty()) {
            self.nominated.insert(name.clone(), node.to_string());
        }
        for (namespace, victim) in &decision.victims {
            let node = self.scheduler.node_of(namespace, victim).cloned().unwrap_or_default();
            let entry = json!({"node": &*node, "pod": format!("{namespace}/{victim}")});
            self.victims.entry(name.clone()).or_default().push(entry);
        }
        for (namespace, victim) in &decision.victims {
            let node = decision.nominated_node.as_deref().unwrap_or_default();
            self.events.push(json!([&**victim, "Preempted", format!("Preempted by pod * on node {node}")]));
            self.scheduler.remove_pod(namespace, victim);
        }
    }

    /// Where the order of evaluation is not defined upstream, equals may be chosen otherwise: the
    /// comparison has accepted that, and the replay goes on as the recording did.
    fn follow_choice(&mut self, decision: &Decision, recorded: Option<&Value>) {
        let bound = recorded.and_then(|recorded| recorded["bound"].as_str());
        let (Some(node), Some(bound)) = (decision.node(), bound) else { return };
        if &**node == bound {
            return;
        }
        let pod = self.cluster.pods.get(&*decision.name).cloned();
        if let Some(mut pod) = pod {
            self.scheduler.remove_pod(&decision.namespace, &decision.name);
            pod.spec.get_or_insert_default().node_name = Some(bound.to_owned());
            self.scheduler.add_pod(pod);
        }
    }

    fn recorded_pod(&self, name: &str) -> Option<&'a Value> {
        list(&self.outcome["pods"]).iter().find(|pod| pod["name"] == name)
    }

    fn recorded_attempt(&self, name: &str) -> Option<&'a Value> {
        let index = self.compared.get(name).copied().unwrap_or(0);
        let of_pod = self.recorded_pod(name).map(|pod| list(&pod["attempts"])).unwrap_or_default();
        if let Some(attempt) = of_pod.get(index) {
            return Some(attempt);
        }
        let key = format!("{}/{name}", self.cluster.namespace);
        list(&self.outcome["stepAttempts"][&key]).get(index - of_pod.len())
    }

    fn node_of(&self, name: &str) -> Option<String> {
        self.scheduler.node_of(&self.cluster.namespace, name).map(ToString::to_string)
    }

    /// A pod that never came to be.
    fn compare_refused(&mut self, pod: &Value, refusal: &str) {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let nothing = Value::Null;
        let recorded = self.recorded_pod(name).unwrap_or(&nothing);
        if recorded["outcome"] != "absent" {
            let theirs = &recorded["outcome"];
            self.differences.push(format!("{name}: outcome is \"absent\" ({refusal}), recorded {theirs}"));
        } else if !recorded["rejectedByApi"]
            .to_string()
            .contains(json!(refusal).to_string().trim_matches('"'))
        {
            let theirs = &recorded["rejectedByApi"];
            self.differences.push(format!("{name}: rejectedByApi is {refusal:?}, recorded {theirs}"));
        }
    }

    fn compare_pod(&mut self, name: &str) {
        let Some(recorded) = self.recorded_pod(name) else { return };
        let node = self.node_of(name);
        let gated = self.scheduler.gated_by(&self.cluster.namespace, name).is_some();
        let attempts = self.compared.get(name).copied().unwrap_or(0);
        let outcome = match (&node, gated) {
            (Some(_), _) if attempts == 0 => "preassigned",
            (Some(_), _) => "scheduled",
            (None, true) => "gated",
            (None, false) => "unschedulable",
        };
        let (message, reason) = if gated {
            (GATED.to_owned(), "SchedulingGated")
        } else {
            self.conditions.get(name).cloned().unwrap_or_default()
        };
        let mut differ = |what: &str, ours: Value| {
            let theirs = recorded.get(what).cloned().unwrap_or_else(|| match what {
                "victims" => json!([]),
                "attempts" => json!(0),
                _ => json!(""),
            });
            if ours != theirs {
                self.differences.push(format!("{name}: {what} is {ours}, recorded {theirs}"));
            }
        };
        differ("outcome", json!(outcome));
        differ("node", json!(node.unwrap_or_default()));
        differ("nominatedNode", json!(self.nominated.get(name).cloned().unwrap_or_default()));
        if outcome != "preassigned" {
            differ("priority", json!(self.cluster.priority(name)));
            differ("message", json!(message));
            // Of a pod that preempted and then was bound, the recording may have either condition.
            if !self.victims.contains_key(name) || recorded.get("reason").is_some() {
                differ("reason", json!(reason));
            }
        }
        if self.input["keepPending"] == json!(true) {
            // What the steps bring about is part of the recorded attempts: compared at the end.
            return;
        }
        let recorded_attempts = list(&recorded["attempts"]).len();
        // Without any node there is nothing to record of an attempt.
        if attempts != recorded_attempts && !list(&self.input["nodes"]).is_empty() {
            self.differences.push(format!("{name}: {attempts} attempts, recorded {recorded_attempts}"));
        }
        let ours = compare::sorted(self.victims.get(name).cloned().unwrap_or_default());
        let theirs = compare::sorted(list(&recorded["victims"]).to_vec());
        if ours != theirs {
            self.differences.push(format!("{name}: victims are {ours:?}, recorded {theirs:?}"));
        }
    }

    fn compare_step(&mut self, index: usize, step: &Value) {
        let recorded = &self.outcome["steps"][index]["pods"];
        for name in list(&step["watch"]).iter().filter_map(Value::as_str) {
            let node = self.node_of(name);
            // A condition of a pod that is bound says nothing more.
            let gated = self.scheduler.gated_by(&self.cluster.namespace, name).is_some();
            let condition = match &node {
                Some(_) => None,
                None if gated => Some((GATED.to_owned(), "SchedulingGated")),
                None => self.conditions.get(name).cloned(),
            };
            let nominated = self.scheduler.nominated_node(&self.cluster.namespace, name);
            let ours = json!({
                "node": node,
                "message": condition.as_ref().map(|(message, _)| message),
                "reason": condition.as_ref().map(|(_, reason)| reason),
                "nominatedNode": nominated.map(|node| &**node),
            });
            for field in ["node", "message", "reason", "nominatedNode"] {
                if ours[field] != recorded[name][field] {
                    let (step, ours, theirs) = (index + 1, &ours[field], &recorded[name][field]);
                    self.differences
                        .push(format!("step {step}: {name}: {field} is {ours}, recorded {theirs}"));
                }
            }
        }
    }

    fn compare_end(&mut self) {
        if self.input["keepPending"] == json!(true) {
            for pod in list(&self.outcome["pods"]) {
                let name = pod["name"].as_str().unwrap_or_default();
                let ours = self.compared.get(name).copied().unwrap_or(0);
                let later = &self.outcome["stepAttempts"][format!("{}/{name}", self.cluster.namespace)];
                let theirs = list(&pod["attempts"]).len() + list(later).len();
                if ours != theirs {
                    self.differences.push(format!("{name}: {ours} attempts, recorded {theirs}"));
                }
            }
        }
        if let Some(placement) = self.outcome["finalPlacement"].as_object() {
            for (key, node) in placement {
                let Some((namespace, name)) = key.split_once('/') else { continue };
                let ours = self.scheduler.node_of(namespace, name).map(|node| json!(&**node));
                let ours = ours.unwrap_or(Value::Null);
                if ours != *node {
                    self.differences.push(format!("at the end {key} is on {ours}, recorded {node}"));
                }
            }
        }
        if let Some(theirs) = self.outcome.get("claims") {
            let ours = devices::claims(&self.scheduler);
            if ours != *theirs {
                self.differences.push(format!("claims have {ours}, recorded {theirs}"));
            }
        }
        let theirs = list(&self.outcome["events"]).iter().map(compare::without_uid).collect();
        let theirs = compare::sorted(theirs);
        let ours = compare::sorted(std::mem::take(&mut self.events));
        if ours != theirs {
            self.differences.push(format!("events are {ours:?}, recorded {theirs:?}"));
        }
    }
}

/// The elements of a JSON array; none for anything else.
fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A typed object from JSON.
fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

/// The name of a pod.
fn pod_name(pod: &Pod) -> String {
    pod.metadata.name.clone().unwrap_or_default()
}
