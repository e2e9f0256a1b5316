//! What there is to know of the cluster itself: `version`, `api-resources`, `api-versions`, `events`, `options`.

use k8s_openapi::api::core::v1::Event;
use serde_json::{Value, json};

use super::command::{Next, Run};
use super::error::{Result, fail};
use super::output::{CHANGE_FORMATS, Output};
use super::print::{Now, TabWriter};
use super::resource::{Scope, kind_of};
use super::wire::wire_json;
use crate::kube::api::{Kind, ListOptions, Object};
use crate::order::{Collected, InOrder};

/// The version of Kubernetes whose behaviour this is.
pub(super) const VERSION: &str = "v1.36.2";

/// The version of kustomize that this kubectl would bring.
const KUSTOMIZE: &str = "v5.8.1";

pub(super) fn version(run: &mut Run<'_, '_>) -> Result<Next> {
    if !run.args().is_empty() {
        let args = run.args().join(" ");
        return fail(format!("extra arguments: [{args}]"));
    }
    let client = run.flags.on("client");
    let info = [
        ("major", "1"),
        ("minor", "36"),
        ("gitVersion", VERSION),
        ("gitCommit", "0000000000000000000000000000000000000000"),
        ("gitTreeState", "clean"),
        ("buildDate", "1970-01-01T00:00:00Z"),
        ("goVersion", "none"),
        ("compiler", "rustc"),
        ("platform", "linux/amd64"),
    ];
    match run.flags.text("output") {
        None | Some("") => {
            run.say(&format!("Client Version: {VERSION}"));
            run.say(&format!("Kustomize Version: {KUSTOMIZE}"));
            if !client {
                run.say(&format!("Server Version: {VERSION}"));
            }
        }
        Some("yaml") => {
            let object: Value =
                info.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).into_object().into();
            let mut value = json!({"clientVersion": object, "kustomizeVersion": KUSTOMIZE});
            if !client {
                value["serverVersion"] = object;
            }
            let text = super::print::yaml(&value) + "\n";
            run.out.push_str(&text);
        }
        // In the order of the structure, not of the names.
        Some("json") => {
            let fields: Vec<String> =
                info.iter().map(|(key, value)| format!("    \"{key}\": \"{value}\"")).collect();
            let fields = fields.join(",\n");
            let server = format!(",\n  \"serverVersion\": {{\n{fields}\n  }}");
            let server = if client { "" } else { &server };
            run.say(&format!(
                "{{\n  \"clientVersion\": {{\n{fields}\n  }},\n  \"kustomizeVersion\": \"{KUSTOMIZE}\"{server}\n}}"
            ));
        }
        Some(_) => return fail("--output must be 'yaml' or 'json'"),
    }
    Ok(Next::Done)
}

pub(super) fn api_versions(run: &mut Run<'_, '_>) -> Result<Next> {
    let mut versions: Vec<String> = Kind::ALL.iter().map(|kind| kind.info().api_version()).collect();
    versions.sort();
    versions.dedup();
    for version in versions {
        run.say(&version);
    }
    Ok(Next::Done)
}

pub(super) fn api_resources(run: &mut Run<'_, '_>) -> Result<Next> {
    if !run.args().is_empty() {
        let args = run.args().join(" ");
        return run.usage(format!("unexpected arguments: [{args}]"));
    }
    let output = run.flags.text_or_empty("output").to_owned();
    if !["", "wide", "name"].contains(&output.as_str()) {
        return fail(format!("--output {output} is not available"));
    }
    let sort_by = run.flags.text_or_empty("sort-by").to_owned();
    let mut kinds: Vec<Kind> = Kind::ALL.to_vec();
    kinds.order_by_key(|kind| (kind.info().group, kind.info().plural));
    match sort_by.as_str() {
        "" => {}
        "name" => kinds.order_by_key(|kind| kind.info().plural),
        "kind" => kinds.order_by_key(|kind| kind.info().kind),
        other => return fail(format!("--sort-by accepts only name or kind, not {other}")),
    }
    let namespaced = run.flags.bool("namespaced");
    let group = run.flags.text("api-group").map(str::to_owned);
    let mut table = TabWriter::table();
    if output != "name" && !run.flags.on("no-headers") {
        let wide = if output == "wide" { "\tVERBS\tCATEGORIES" } else { "" };
        table.write(&format!("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND{wide}\n"));
    }
    for kind in kinds {
        let info = kind.info();
        if namespaced.is_some_and(|wanted| wanted != info.namespaced)
            || group.as_deref().is_some_and(|group| group != info.group)
        {
            continue;
        }
        if output == "name" {
            table.write(&format!("{}\n", info.qualified_plural()));
            continue;
        }
        let wide = if output == "wide" {
            let all = if kind == Kind::Pod { "all" } else { "" };
            format!("\tcreate,delete,deletecollection,get,list,patch,update,watch\t{all}")
        } else {
            String::new()
        };
        table.write(&format!(
            "{}\t{}\t{}\t{}\t{}{wide}\n",
            info.plural,
            info.short_names.join(","),
            info.api_version(),
            info.namespaced,
            info.kind
        ));
    }
    let text = table.flush();
    run.out.push_str(&text);
    Ok(Next::Done)
}

pub(super) fn events(run: &mut Run<'_, '_>) -> Result<Next> {
    let formats = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml";
    debug_assert_eq!(formats, CHANGE_FORMATS, "events prints in the forms of changes");
    if run.flags.on("watch") {
        return fail("not modelled: kubectl events --watch: use kubectl get events --watch");
    }
    let output = Output::parse(run, formats)?;
    let mut types: Vec<String> = Vec::new();
    for wanted in run.flags.texts("types") {
        match wanted.to_lowercase().as_str() {
            "normal" => types.push("Normal".to_owned()),
            "warning" => types.push("Warning".to_owned()),
            _ => return fail("valid --types are Normal or Warning"),
        }
    }
    let about = match run.flags.text("for").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => {
            let Some((resource, name)) = text.split_once('/').filter(|(a, b)| !a.is_empty() && !b.is_empty())
            else {
                return fail("--for must be in resource/name form");
            };
            Some((kind_of(resource)?, name.to_owned()))
        }
    };
    let scope = Scope::of(run);
    let list = run.ctx.api.list(Kind::Event, &scope.namespace, &ListOptions::default())?;
    let mut events: Vec<(i128, Object)> = list
        .items
        .into_iter()
        .filter_map(|object| {
            let Object::Event(event) = &object else { return None };
            let wanted_type = types.is_empty() || types.iter().any(|t| Some(t) == event.type_.as_ref());
            let wanted_object = about.as_ref().is_none_or(|(kind, name)| {
                event.involved_object.kind.as_deref() == Some(kind.info().kind)
                    && event.involved_object.name.as_ref() == Some(name)
            });
            let time = event_time(event);
            (wanted_type && wanted_object).then_some((time, object))
        })
        .collect();
    events.order_by_key(|(time, _)| *time);
    if events.is_empty() {
        if scope.namespace.is_empty() {
            run.warn("No events found.");
        } else {
            run.warn(&format!("No events found in {} namespace.", scope.namespace));
        }
        return Ok(Next::Done);
    }
    if let Some(output) = output {
        let items: Vec<Value> = events.iter().map(|(_, object)| wire_json(object)).collect();
        let list = json!({"apiVersion": "v1", "kind": "EventList", "metadata": {}, "items": items});
        let text = output.print(&list)?;
        run.out.push_str(&text);
        return Ok(Next::Done);
    }
    let now = run.ctx.clock();
    let all = run.flags.on("all-namespaces");
    let mut table = TabWriter::table();
    if !run.flags.on("no-headers") {
        table.write(if all { "NAMESPACE\t" } else { "" });
        table.write("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
    }
    for (_, object) in &events {
        let Object::Event(event) = object else { continue };
        if all {
            table.write(&format!("{}\t", object.namespace()));
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        table.write(&format!(
            "{}\t{}\t{}\t{}/{}\t{}\n",
            event_age(event, now),
            text(&event.type_),
            text(&event.reason),
            text(&event.involved_object.kind),
            text(&event.involved_object.name),
            text(&event.message).trim()
        ));
    }
    let text = table.flush();
    run.out.push_str(&text);
    Ok(Next::Done)
}

/// When an event happened last, in nanoseconds.
pub(super) fn event_time(event: &Event) -> i128 {
    if let Some(time) = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()) {
        return time.0.as_nanosecond();
    }
    let seconds = event.last_timestamp.as_ref().map(|time| time.0.as_nanosecond());
    seconds.or_else(|| event.event_time.as_ref().map(|time| time.0.as_nanosecond())).unwrap_or(0)
}

/// `5s`, or `3s (x4 over 2m)` for an event that happened several times.
pub(super) fn event_age(event: &Event, now: Now) -> String {
    let first = match &event.first_timestamp {
        Some(time) => now.since(Some(time)),
        None => now.since_micro(event.event_time.as_ref()),
    };
    if let Some(series) = &event.series {
        return format!(
            "{} (x{} over {first})",
            now.since_micro(series.last_observed_time.as_ref()),
            series.count.unwrap_or(0)
        );
    }
    let count = event.count.unwrap_or(0);
    if count > 1 {
        return format!("{} (x{count} over {first})", now.since(event.last_timestamp.as_ref()));
    }
    first
}

pub(super) fn options(run: &mut Run<'_, '_>) -> Result<Next> {
    let text = super::help::global_options(super::commands::GLOBAL);
    run.out.push_str(&text);
    Ok(Next::Done)
}
