//! Small changes to objects that are there: `patch`, `label`, `annotate`, `cordon`, `uncordon`, `taint`.

use serde_json::{Map, Value, json};

use super::apply::server_warnings;
use super::command::{DryRun, Next, Run};
use super::create::{print, write_options};
use super::documents;
use super::error::{Error, Result, fail};
use super::output::{CHANGE_FORMATS, Output};
use super::print::go_quote;
use super::resource::{Scope, Selection, look_up};
use super::wire::wire_json;
use crate::kube::api::{Kind, Object, Patch, Reason, Status, Subresource};

/// The objects that arguments or files name.
pub(super) fn targets(run: &Run<'_, '_>, args: &[String]) -> Result<(Vec<Object>, Vec<Error>)> {
    if run.flags.given("filename") {
        let (objects, errors, _) = documents::look_up(run)?;
        return Ok((objects, errors));
    }
    let selection = Selection::parse(args)?;
    let scope = Scope::of(run);
    let nameless = selection.wanted.iter().any(|wanted| wanted.name.is_none());
    if nameless && !scope.selects() && !run.flags.on("all") {
        return fail("resource(s) were provided, but no name was specified");
    }
    Ok(look_up(run, &selection, &scope))
}

pub(super) fn patch(run: &mut Run<'_, '_>) -> Result<Next> {
    let kind = run.flags.text("type").unwrap_or("strategic").to_lowercase();
    if !["json", "merge", "strategic"].contains(&kind.as_str()) {
        return fail(format!("--type must be one of [json merge strategic], not {}", go_quote(&kind)));
    }
    let text = match (run.flags.text("patch"), run.flags.text("patch-file")) {
        (Some(_), Some(_)) => return fail("cannot specify --patch and --patch-file together"),
        (Some(text), None) => text.to_owned(),
        (None, Some(path)) => match documents::read_file(run.ctx, path) {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => {
                return fail(format!("unable to read patch file: open {path}: no such file or directory"));
            }
        },
        (None, None) => {
            return fail("must specify --patch or --patch-file containing the contents of the patch");
        }
    };
    let subresource = match run.flags.text("subresource") {
        None | Some("") => Subresource::None,
        Some("status") => Subresource::Status,
        Some(other) => return fail(format!("not modelled: --subresource={other}")),
    };
    let dry_run = run.dry_run()?;
    let output = Output::parse(run, CHANGE_FORMATS)?;
    let body = match crate::kube::manifest::parse(&text).into_iter().next() {
        Some(Ok(document)) => document.to_json(),
        None => Value::Null,
        Some(Err(_)) if text.trim_start().starts_with('{') => return Err(json_error(&text)),
        Some(Err(error)) => {
            return fail(format!(
                "unable to parse {}: error converting YAML to JSON: {error}",
                go_quote(&text)
            ));
        }
    };
    let args = run.args().to_vec();
    if args.is_empty() && !run.flags.given("filename") {
        return run
            .usage("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    let (objects, mut errors) = targets(run, &args)?;
    for object in objects {
        let patch = match kind.as_str() {
            "json" => Patch::Json(body.clone()),
            "merge" => Patch::Merge(body.clone()),
            _ => Patch::Strategic(body.clone()),
        };
        if dry_run == DryRun::Client {
            print(run, output.as_ref(), &wire_json(&object), "patched", DryRun::None)?;
            continue;
        }
        let options = write_options(dry_run, "kubectl-patch", false);
        let result = run.ctx.api.patch(
            object.kind(),
            object.namespace(),
            object.name(),
            &patch,
            subresource,
            &options,
        );
        server_warnings(run);
        match result {
            Ok(after) => {
                let verb =
                    if wire_json(&after) == wire_json(&object) { "patched (no change)" } else { "patched" };
                print(run, output.as_ref(), &wire_json(&after), verb, DryRun::None)?;
            }
            Err(status) => errors.push(status.into()),
        }
    }
    Error::collect(errors).map(|()| Next::Done)
}

/// What Go's decoder says of broken JSON.
fn json_error(text: &str) -> Error {
    let next = text.trim_start().chars().nth(1).unwrap_or('}');
    Error::Api(Status::new(
        Reason::BadRequest,
        format!("invalid character '{next}' looking for beginning of object key string"),
    ))
}

/// Which of the two maps is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Labels,
    Annotations,
}

pub(super) fn label(run: &mut Run<'_, '_>) -> Result<Next> {
    metadata(run, Field::Labels)
}

pub(super) fn annotate(run: &mut Run<'_, '_>) -> Result<Next> {
    metadata(run, Field::Annotations)
}

fn metadata(run: &mut Run<'_, '_>, field: Field) -> Result<Next> {
    let (what, name) = match field {
        Field::Labels => ("label", "labels"),
        Field::Annotations => ("annotation", "annotations"),
    };
    let dry_run = run.dry_run()?;
    let output = Output::parse(run, CHANGE_FORMATS)?;
    let list = run.flags.on("list");
    let is_change = |word: &String| {
        (word.contains('=') && !word.starts_with('=')) || (word.ends_with('-') && word.len() > 1)
    };
    let first = run.args().iter().position(is_change).unwrap_or(run.args().len());
    let (resources, changes) = run.args().split_at(first);
    let (resources, changes) = (resources.to_vec(), changes.to_vec());
    if let Some(word) = changes.iter().find(|word| !is_change(word)) {
        return fail(format!("all resources must be specified before {what} changes: {word}"));
    }
    if list && output.is_some() {
        return fail("--list and --output may not be specified together");
    }
    let all = run.flags.on("all");
    for (flag, shown) in [("selector", "--selector"), ("field-selector", "--field-selector")] {
        if all && !run.flags.text_or_empty(flag).is_empty() {
            return fail(format!("cannot set --all and {shown} at the same time"));
        }
    }
    if resources.is_empty() && !run.flags.given("filename") {
        return fail("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    if changes.is_empty() && !list {
        return fail(format!("at least one {what} update is required"));
    }
    let (mut set, mut remove): (Vec<(String, String)>, Vec<String>) = (Vec::new(), Vec::new());
    for change in &changes {
        if let Some((key, value)) = change.split_once('=') {
            if field == Field::Labels
                && let Some(problem) = bad_label_value(value)
            {
                return fail(format!("invalid label value: {}: {problem}", go_quote(change)));
            }
            set.push((key.to_owned(), value.to_owned()));
        } else if let Some(key) = change.strip_suffix('-') {
            remove.push(key.to_owned());
        } else {
            return fail(format!("unknown {what} spec: {change}"));
        }
    }
    let both: Vec<&str> =
        remove.iter().filter(|key| set.iter().any(|(other, _)| other == *key)).map(String::as_str).collect();
    if !both.is_empty() {
        return fail(match field {
            Field::Labels => "can not both modify and remove a label in the same command".to_owned(),
            Field::Annotations => format!(
                "can not both modify and remove the following annotation(s) in the same command: {}",
                both.join(", ")
            ),
        });
    }
    let (objects, mut errors) = targets(run, &resources)?;
    let several = objects.len() > 1;
    if several && run.flags.given("resource-version") {
        return fail("--resource-version may only be used with a single resource");
    }
    for object in objects {
        let current = match field {
            Field::Labels => object.meta().labels.clone(),
            Field::Annotations => object.meta().annotations.clone(),
        }
        .unwrap_or_default();
        if list {
            let indent = if several { " " } else { "" };
            if several {
                let info = object.kind().info();
                run.say(&format!("Listing {what}s for {}.{}/{}:", info.kind, info.group, object.name()));
            }
            for (key, value) in &current {
                run.say(&format!("{indent}{key}={value}"));
            }
            continue;
        }
        if !run.flags.on("overwrite") {
            let taken: Vec<String> = set
                .iter()
                .filter_map(|(key, value)| {
                    current
                        .get(key)
                        .filter(|present| *present != value)
                        .map(|present| format!("'{key}' already has a value ({present})"))
                })
                .collect();
            if !taken.is_empty() {
                match field {
                    Field::Labels => errors.extend(
                        taken.iter().map(|text| Error::Message(format!("{text}, and --overwrite is false"))),
                    ),
                    Field::Annotations => errors.push(Error::Message(format!(
                        "--overwrite is false but found the following declared annotation(s): {}",
                        taken.join("; ")
                    ))),
                }
                continue;
            }
        }
        let mut map = Map::new();
        let mut patched = current.clone();
        for (key, value) in &set {
            map.insert(key.clone(), json!(value));
            patched.insert(key.clone(), value.clone());
        }
        for key in &remove {
            if patched.remove(key).is_none() && field == Field::Labels {
                run.say(&format!("label {} not found.", go_quote(key)));
            }
            map.insert(key.clone(), Value::Null);
        }
        let added = set.iter().any(|(key, value)| current.get(key) != Some(value));
        let removed = remove.iter().any(|key| current.contains_key(key));
        let changed = added || removed;
        let mut value = wire_json(&object);
        if dry_run == DryRun::Client {
            value["metadata"][name] = json!(patched);
        } else if changed || field == Field::Annotations {
            let mut body = json!({"metadata": {name: map}});
            if let Some(version) = run.flags.text("resource-version") {
                body["metadata"]["resourceVersion"] = json!(version);
            }
            let options = write_options(dry_run, "kubectl-label", false);
            let result = run.ctx.api.patch(
                object.kind(),
                object.namespace(),
                object.name(),
                &Patch::Merge(body),
                Subresource::None,
                &options,
            );
            match result {
                Ok(after) => value = wire_json(&after),
                Err(status) => {
                    errors.push(status.into());
                    continue;
                }
            }
        }
        let verb = match (field, added, removed) {
            (Field::Annotations, ..) => "annotated",
            (Field::Labels, true, true) => "modified",
            (Field::Labels, true, false) => "labeled",
            (Field::Labels, false, true) => "unlabeled",
            (Field::Labels, false, false) => "not labeled",
        };
        print(run, output.as_ref(), &value, verb, dry_run)?;
    }
    Error::collect(errors).map(|()| Next::Done)
}

/// What is wrong with a label's value.
pub(super) fn bad_label_value(value: &str) -> Option<String> {
    if value.len() > 63 {
        return Some("must be no more than 63 bytes".to_owned());
    }
    let edge = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| edge(c) || matches!(c, '-' | '_' | '.');
    let sound =
        value.is_empty() || (value.starts_with(edge) && value.ends_with(edge) && value.chars().all(inner));
    (!sound).then(|| {
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')".to_owned()
    })
}

pub(super) fn cordon(run: &mut Run<'_, '_>) -> Result<Next> {
    unschedulable(run, true)
}

pub(super) fn uncordon(run: &mut Run<'_, '_>) -> Result<Next> {
    unschedulable(run, false)
}

fn unschedulable(run: &mut Run<'_, '_>, wanted: bool) -> Result<Next> {
    let path = run.path.to_owned();
    let dry_run = run.dry_run()?;
    let selector = !run.flags.text_or_empty("selector").is_empty();
    if run.args().is_empty() && !selector {
        return run.usage(format!("USAGE: {} NODE [flags]", path.trim_start_matches("kubectl ")));
    }
    if !run.args().is_empty() && selector {
        return fail(
            "error: cannot specify both a node name and a --selector option".trim_start_matches("error: "),
        );
    }
    let mut args = vec!["nodes".to_owned()];
    for arg in run.args() {
        args.push(arg.strip_prefix("node/").or_else(|| arg.strip_prefix("nodes/")).unwrap_or(arg).to_owned());
    }
    let selection = Selection::parse(&args)?;
    let scope = Scope::of(run);
    let (objects, errors) = look_up(run, &selection, &scope);
    Error::collect(errors)?;
    let verb = if wanted { "cordoned" } else { "uncordoned" };
    for object in objects {
        let Object::Node(node) = &object else { continue };
        let present = node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false);
        let name = format!("node/{}", object.name());
        if present == wanted {
            run.say(&format!("{name} already {verb}{}", dry_run.suffix()));
            continue;
        }
        if dry_run != DryRun::Client {
            let value = if wanted { json!(true) } else { Value::Null };
            let options = write_options(dry_run, "kubectl-cordon", false);
            let body = Patch::Strategic(json!({"spec": {"unschedulable": value}}));
            run.ctx.api.patch(Kind::Node, "", object.name(), &body, Subresource::None, &options)?;
        }
        run.say(&format!("{name} {verb}{}", dry_run.suffix()));
    }
    Ok(Next::Done)
}
