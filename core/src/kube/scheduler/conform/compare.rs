//! One attempt against the recorded one, field by field.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::choose::heap_root;
use super::super::decision::{Attempt, Outcome};
use super::super::framework::{Code, Reason};
use super::list;

/// All fields in which they differ.
pub(super) fn attempt(recorded: &Value, ours: &Attempt) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |what: &str, ours: &Value, theirs: &Value| {
        // What is empty is absent in a recording.
        let is_nothing = |value: &Value| match value {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::String(text) => text.is_empty(),
            _ => false,
        };
        if ours != theirs && !(is_nothing(ours) && is_nothing(theirs)) {
            differences.push(format!("{what} is {ours}, recorded {theirs}"));
        }
    };
    // The real scheduler tries the nominated node alone if it has already read its own nomination back,
    // else all nodes; when only that node is feasible then, both ways are one decision.
    let alone = ours.evaluated == 1 && ours.all_nodes > 1 && ours.feasible.len() == 1;
    if alone && recorded["considered"] != json!(1) && list(&recorded["feasible"]).len() == 1 {
        differ("feasible", &json!([&*ours.feasible[0]]), &recorded["feasible"]);
        differ("bound", &recorded["feasible"][0], &recorded["bound"]);
        return differences;
    }
    differ("filter", &filter(ours), &sorted_reasons(&recorded["filter"]));
    // Nodes that a pre-filter named come in the order of a hash set upstream.
    let limited =
        ours.evaluated < ours.all_nodes && recorded["feasible"].as_array().is_some_and(|f| f.len() > 1);
    let feasible: Vec<Value> = ours.feasible.iter().map(|node| json!(&**node)).collect();
    if limited {
        let theirs = sorted(list(&recorded["feasible"]).to_vec());
        differ("feasible (as a set)", &json!(sorted(feasible)), &json!(theirs));
    } else {
        differ("feasible", &json!(feasible), &recorded["feasible"]);
    }
    if let Some(considered) = recorded.get("considered") {
        differ("considered", &json!(ours.evaluated), considered);
    }
    scores(ours, recorded, &mut differ);
    differ("message", &json!(ours.message), &recorded["message"]);
    preemption(ours, recorded, &mut differ);
    let bound = match &ours.outcome {
        Outcome::Scheduled { node } => json!(&**node),
        _ => Value::Null,
    };
    if limited {
        // Chosen by the rule over the order that was recorded.
        let order: Vec<&str> = list(&recorded["feasible"]).iter().filter_map(Value::as_str).collect();
        let totals: Vec<i64> =
            order.iter().map(|node| recorded["final"][*node].as_i64().unwrap_or_default()).collect();
        let chosen = heap_root(&totals).map_or(Value::Null, |index| json!(order[index]));
        differ("bound (by the recorded order)", &chosen, &recorded["bound"]);
    } else {
        differ("bound", &bound, &recorded["bound"]);
    }
    differences
}

fn scores(ours: &Attempt, recorded: &Value, differ: &mut dyn FnMut(&str, &Value, &Value)) {
    let weights: BTreeMap<&str, i64> = ours.score_plugins.iter().map(|p| (&*p.name, p.weight)).collect();
    differ("weights", &json!(weights), &recorded["weights"]);
    let table = |of: &dyn Fn(usize) -> Vec<i64>| -> Value {
        let rows = ours.scores.iter().enumerate().map(|(index, node)| {
            let names = ours.score_plugins.iter().map(|plugin| plugin.name.to_string());
            let row: BTreeMap<_, _> = names.zip(of(index)).collect();
            (node.node.to_string(), json!(row))
        });
        Value::Object(rows.collect())
    };
    for (what, values) in [
        ("raw", table(&|index| ours.scores[index].raw.clone())),
        ("norm", table(&|index| ours.scores[index].normalized.clone())),
    ] {
        let theirs = &recorded[what];
        if let (Some(ours), Some(theirs)) = (values.as_object(), theirs.as_object()) {
            // Node by node: a whole table is hard to read.
            for node in ours.keys().chain(theirs.keys().filter(|node| !ours.contains_key(*node))) {
                let nothing = Value::Null;
                let get =
                    |table: &serde_json::Map<String, Value>| table.get(node).unwrap_or(&nothing).clone();
                differ(&format!("{what} of {node}"), &get(ours), &get(theirs));
            }
        } else {
            differ(what, &values, theirs);
        }
    }
    let totals: BTreeMap<_, _> =
        ours.scores.iter().map(|score| (score.node.to_string(), score.total)).collect();
    differ("final", &json!(totals), &recorded["final"]);
}

fn preemption(ours: &Attempt, recorded: &Value, differ: &mut dyn FnMut(&str, &Value, &Value)) {
    let nothing = super::super::preemption::Preemption::default();
    let report = ours.preemption.as_ref().unwrap_or(&nothing);
    let candidates: BTreeMap<_, _> = report
        .candidates
        .iter()
        .map(|(node, c)| (node.to_string(), json!({"pdbViolations": c.pdb_violations, "victims": c.victims})))
        .collect();
    differ("candidates", &json!(candidates), &recorded["candidates"]);
    let not_candidates: BTreeMap<_, _> = report
        .not_candidates
        .iter()
        .map(|(node, n)| (node.to_string(), json!({"code": code(n.code), "reasons": reasons(&n.reasons)})))
        .collect();
    differ("notCandidates", &json!(not_candidates), &sorted_reasons(&recorded["notCandidates"]));
    differ("target", &json!(report.target.as_deref()), &recorded["target"]);
}

pub(super) fn filter(attempt: &Attempt) -> Value {
    let rows = attempt.filter.iter().map(|(node, result)| {
        let row = json!({
            "code": code(result.code),
            "plugin": &*result.plugin,
            "reasons": reasons(&result.reasons),
        });
        (node.to_string(), row)
    });
    Value::Object(rows.collect())
}

fn code(code: Code) -> String {
    format!("{code:?}")
}

/// The order of several missing extended resources is that of a hash map upstream.
fn reasons(reasons: &[Reason]) -> Vec<Value> {
    sorted(reasons.iter().map(|reason| json!(reason.as_str())).collect())
}

fn sorted_reasons(table: &Value) -> Value {
    let mut table = table.clone();
    for row in table.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        if let Some(reasons) = row.get_mut("reasons") {
            *reasons = json!(sorted(list(reasons).to_vec()));
        }
    }
    table
}

/// An event whose message names no unique id: those differ from run to run.
pub(super) fn without_uid(event: &Value) -> Value {
    let mut event = event.clone();
    if let Some(text) = event[2].as_str()
        && let Some(rest) = text.strip_prefix("Preempted by pod ")
        && let Some((_, node)) = rest.split_once(' ')
    {
        event[2] = json!(format!("Preempted by pod * {node}"));
    }
    event
}

pub(super) fn sorted(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by_key(ToString::to_string);
    values
}
