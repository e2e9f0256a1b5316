//! `kubectl taint`: marks on nodes that keep pods away.

use serde_json::{Value, json};

use super::change::{bad_label_value, targets};
use super::command::{DryRun, Next, Run};
use super::create::{print, write_options};
use super::error::{Error, Result, fail};
use super::output::{CHANGE_FORMATS, Output, name_of};
use super::print::go_quote;
use super::wire::wire_json;
use crate::kube::api::{Kind, Object, Patch, Subresource};

/// One `key=value:effect`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// Reads `key=value:effect`, `key:effect`, `key:effect-` and `key-`: what to add and what to take away.
fn parse_taints(words: &[String]) -> std::result::Result<(Vec<Taint>, Vec<Taint>), String> {
    let (mut add, mut remove): (Vec<Taint>, Vec<Taint>) = (Vec::new(), Vec::new());
    for word in words {
        if let Some(body) = word.strip_suffix('-') {
            remove.push(parse_taint(body)?);
            continue;
        }
        let taint = parse_taint(word)?;
        if taint.effect.is_empty() {
            return Err(format!("invalid taint spec: {word}"));
        }
        if add.iter().any(|other: &Taint| other.key == taint.key && other.effect == taint.effect) {
            return Err(format!(
                "duplicated taints with the same key and effect: {{{} {} {} <nil>}}",
                taint.key, taint.value, taint.effect
            ));
        }
        add.push(taint);
    }
    Ok((add, remove))
}

fn parse_taint(word: &str) -> std::result::Result<Taint, String> {
    let invalid = || format!("invalid taint spec: {word}");
    let parts: Vec<&str> = word.split(':').collect();
    let (pair, effect) = match parts[..] {
        [key] => (vec![key], ""),
        [pair, effect] => (pair.split('=').collect(), effect),
        _ => return Err(invalid()),
    };
    if parts.len() == 2 && !EFFECTS.contains(&effect) {
        return Err(format!("invalid taint effect: {effect}, unsupported taint effect"));
    }
    let (key, value) = match pair[..] {
        [key] => (key, ""),
        [key, value] => (key, value),
        _ => return Err(invalid()),
    };
    if let Some(problem) = bad_label_value(value) {
        return Err(format!("invalid taint spec: {word}, {problem}"));
    }
    let name = key.rsplit('/').next().unwrap_or(key);
    if bad_label_value(name).is_some() || name.is_empty() {
        return Err(format!(
            "invalid taint spec: {word}, name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        ));
    }
    Ok(Taint { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() })
}

pub(super) fn taint(run: &mut Run<'_, '_>) -> Result<Next> {
    let dry_run = run.dry_run()?;
    let output = Output::parse(run, CHANGE_FORMATS)?;
    let is_taint = |word: &String| word.contains('=') || word.contains(':') || word.ends_with('-');
    let first = run.args().iter().position(is_taint).unwrap_or(run.args().len());
    let (resources, words) = run.args().split_at(first);
    let (resources, words) = (resources.to_vec(), words.to_vec());
    if let Some(word) = words.iter().find(|word| !is_taint(word)) {
        return fail(format!("all resources must be specified before taint changes: {word}"));
    }
    if resources.is_empty() {
        return fail("one or more resources must be specified as <resource> <name>");
    }
    if words.is_empty() {
        return fail("at least one taint update is required");
    }
    let (add, remove) = match parse_taints(&words) {
        Ok(taints) => taints,
        Err(problem) => return run.usage(problem),
    };
    let word = resources[0].to_lowercase();
    if super::resource::kind_of(&word)? != Kind::Node {
        return fail(format!("invalid resource type {word}, only node types are supported"));
    }
    let both: Vec<String> = add
        .iter()
        .flat_map(|added| {
            remove
                .iter()
                .filter(|gone| {
                    gone.key == added.key && (gone.effect.is_empty() || gone.effect == added.effect)
                })
                .map(|gone| format!("{}={}", gone.key, gone.effect))
        })
        .collect();
    if !both.is_empty() {
        return fail(format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            both.join(", ")
        ));
    }
    let (all, selector) = (run.flags.on("all"), !run.flags.text_or_empty("selector").is_empty());
    if all && selector {
        return fail("setting 'all' parameter with a non empty selector is prohibited");
    }
    if !all && !selector && resources.len() < 2 {
        return fail("at least one resource name must be specified since 'all' parameter is not set");
    }
    let (objects, mut errors) = targets(run, &resources)?;
    for object in objects {
        let Object::Node(node) = &object else { continue };
        let old: Vec<Value> = node
            .spec
            .iter()
            .flat_map(|spec| spec.taints.iter().flatten())
            .filter_map(|taint| serde_json::to_value(taint).ok())
            .collect();
        let same = |value: &Value, taint: &Taint| {
            value["key"] == taint.key.as_str()
                && (taint.effect.is_empty() || value["effect"] == taint.effect.as_str())
        };
        let clashing: Vec<&str> = add
            .iter()
            .filter(|taint| old.iter().any(|value| same(value, taint)))
            .map(|taint| taint.key.as_str())
            .collect();
        if !clashing.is_empty() && !run.flags.on("overwrite") {
            errors.push(Error::Message(format!(
                "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
                object.name(),
                clashing.join(",")
            )));
            continue;
        }
        let missing: Vec<Error> = remove
            .iter()
            .filter(|taint| !old.iter().any(|value| same(value, taint)))
            .map(|taint| {
                let effect =
                    if taint.effect.is_empty() { String::new() } else { format!(":{}", taint.effect) };
                Error::Message(format!("taint {} not found", go_quote(&format!("{}{effect}", taint.key))))
            })
            .collect();
        if !missing.is_empty() {
            errors.extend(missing);
            continue;
        }
        let mut taints: Vec<Value> = add
            .iter()
            .map(|taint| {
                let mut value = json!({"key": taint.key, "effect": taint.effect});
                if !taint.value.is_empty() {
                    value["value"] = json!(taint.value);
                }
                value
            })
            .collect();
        taints.extend(
            old.iter().filter(|value| !add.iter().chain(&remove).any(|taint| same(value, taint))).cloned(),
        );
        let added =
            old.len() != add.len() + old.iter().filter(|value| !add.iter().any(|t| same(value, t))).count();
        let verb = match (added, remove.is_empty()) {
            _ if run.flags.on("overwrite") => "modified",
            (true, false) => "modified",
            (true, true) => "tainted",
            (false, _) => "untainted",
        };
        let mut value = wire_json(&object);
        if dry_run != DryRun::Client {
            let options = write_options(dry_run, "kubectl-taint", false);
            let body = Patch::Merge(
                json!({"spec": {"taints": if taints.is_empty() { Value::Null } else { Value::Array(taints) }}}),
            );
            let result = run.ctx.api.patch(Kind::Node, "", object.name(), &body, Subresource::None, &options);
            match result {
                Ok(after) => value = wire_json(&after),
                Err(status) => {
                    errors.push(status.into());
                    continue;
                }
            }
        }
        match &output {
            Some(Output::Name) => run.say(&name_of(&value)),
            output => print(run, output.as_ref(), &value, verb, dry_run)?,
        }
    }
    Error::collect(errors).map(|()| Next::Done)
}
