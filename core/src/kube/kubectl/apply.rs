//! `kubectl apply`: create what is not there, and patch what is by the three-way
//! difference of what was applied last, what is applied now and what the server has.

use serde_json::{Value, json};

use super::command::{DryRun, Next, Run};
use super::documents::{self, Document};
use super::error::{Error, Result, fail};
use super::output::{CHANGE_FORMATS, Output, list_of, name_of};
use super::print::compact;
use super::three_way;
use super::wire::wire_json;
use crate::kube::api::patch::Schema;
use crate::kube::api::{Object, Patch, Reason, Subresource, WriteOptions};
use crate::order::Collected;

/// Where what was applied last is kept.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub(super) fn run(run: &mut Run<'_, '_>) -> Result<Next> {
    if !run.flags.given("filename") && !run.flags.given("kustomize") {
        return fail("must specify one of -f and -k");
    }
    for flag in ["kustomize", "server-side", "prune", "force-conflicts"] {
        if run.flags.given(flag) && run.flags.bool(flag) != Some(false) {
            return fail(format!("not modelled: --{flag}"));
        }
    }
    let dry_run = run.dry_run()?;
    if !run.args().is_empty() {
        let args = run.args().join(" ");
        return run.usage(format!("Unexpected args: [{args}]"));
    }
    let strict = validation(run)?;
    let output = Output::parse(run, CHANGE_FORMATS)?;
    let (documents, mut errors) = documents::read(run, strict != Validation::Off)?;
    if documents.is_empty() && errors.is_empty() {
        return fail("no objects passed to apply");
    }
    let selector = crate::kube::api::LabelSelector::parse(run.flags.text_or_empty("selector"))?;
    let mut shown = Vec::new();
    let mut applied = 0;
    for document in documents {
        let labels = document.value["metadata"]["labels"].as_object().map(|labels| {
            labels
                .iter()
                .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
                .into_map()
        });
        if !selector.matches(labels.as_ref()) {
            continue;
        }
        applied += 1;
        let mut applier = Applier { run, dry_run, strict: strict == Validation::Strict };
        match applier.apply(&document) {
            Ok((value, verb)) => match &output {
                Some(Output::Name) => run.say(&name_of(&value)),
                Some(_) => shown.push(value),
                None => run.say(&format!("{} {verb}{}", name_of(&value), dry_run.suffix())),
            },
            Err(error) => errors.push(error),
        }
    }
    if applied == 0 && errors.is_empty() {
        return fail("no objects passed to apply");
    }
    if let Some(output) = output.filter(|_| !shown.is_empty()) {
        let value = if shown.len() == 1 { shown.remove(0) } else { list_of(shown) };
        let text = output.print(&value)?;
        run.out.push_str(&text);
    }
    Error::collect(errors).map(|()| Next::Done)
}

/// `--validate`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validation {
    Strict,
    Warn,
    Off,
}

/// Reads `--validate`.
pub(super) fn validation(run: &Run<'_, '_>) -> Result<Validation> {
    match run.flags.text("validate").unwrap_or("strict") {
        "true" | "strict" => Ok(Validation::Strict),
        "warn" => Ok(Validation::Warn),
        "false" | "ignore" => Ok(Validation::Off),
        other => fail(format!(
            "invalid - validate option {}; must be one of: strict (or true), warn, ignore (or false)",
            super::print::go_quote(other)
        )),
    }
}

/// Prints the warnings that the server sent with its latest answer.
pub(super) fn server_warnings(run: &mut Run<'_, '_>) {
    for warning in run.ctx.api.warnings().to_vec() {
        run.warn(&format!("Warning: {warning}"));
    }
}

struct Applier<'r, 'a, 'c> {
    run: &'r mut Run<'a, 'c>,
    dry_run: DryRun,
    strict: bool,
}

impl Applier<'_, '_, '_> {
    /// Applies one document: the object afterwards, and what was done.
    fn apply(&mut self, document: &Document) -> Result<(Value, &'static str)> {
        if document.name.is_empty() {
            let generated = document.value["metadata"]["generateName"].as_str().unwrap_or_default();
            if !generated.is_empty() {
                return fail(format!("from {generated}: cannot use generate name with apply"));
            }
            return Err(Error::Message("resource name may not be empty".to_owned()).when(
                &format!("retrieving current configuration of:\n{}\nfrom server for:", document.info()),
                &document.source,
            ));
        }
        let modified = with_last_applied(&document.value);
        let current = match self.run.ctx.api.get(document.kind, &document.namespace, &document.name) {
            Ok(object) => object,
            Err(status) if status.reason == Reason::NotFound => return self.create(document, modified),
            Err(status) => return Err(status.into()),
        };
        self.patch(document, &modified, &current)
    }

    fn options(&self) -> WriteOptions {
        WriteOptions {
            dry_run: self.dry_run == DryRun::Server,
            field_manager: "kubectl-client-side-apply".to_owned(),
            strict: self.strict,
        }
    }

    fn create(&mut self, document: &Document, modified: Value) -> Result<(Value, &'static str)> {
        if self.dry_run == DryRun::Client {
            return Ok((modified, "created"));
        }
        let options = self.options();
        let mut modified = modified;
        without_version(&mut modified);
        prune_nulls(&mut modified);
        let result = self.run.ctx.api.create_json(document.kind, &document.namespace, &modified, &options);
        server_warnings(self.run);
        let object = result.map_err(|status| Error::from(status).when("creating", &document.source))?;
        Ok((wire_json(&object), "created"))
    }

    fn patch(
        &mut self,
        document: &Document,
        modified: &Value,
        current: &Object,
    ) -> Result<(Value, &'static str)> {
        let last = current.meta().annotations.as_ref().and_then(|annotations| annotations.get(LAST_APPLIED));
        if last.is_none() {
            self.run.warn(&format!(
                "Warning: resource {}/{} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.",
                document.kind.info().plural,
                document.name
            ));
        }
        let original = last.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| json!({}));
        let live = wire_json(current);
        let patch = three_way::patch(Schema::of(document.kind), &original, modified, &live);
        let nothing = patch.as_object().is_some_and(serde_json::Map::is_empty);
        let verb = if nothing { "unchanged" } else { "configured" };
        if nothing || self.dry_run == DryRun::Client {
            let value = if nothing { live } else { modified.clone() };
            return Ok((value, verb));
        }
        if current.meta().deletion_timestamp.is_some() {
            self.run.warn(&format!(
                "Warning: Detected changes to resource {} which is currently being deleted.",
                document.name
            ));
        }
        let options = self.options();
        let result = self.run.ctx.api.patch(
            document.kind,
            &document.namespace,
            &document.name,
            &Patch::Strategic(patch.clone()),
            Subresource::None,
            &options,
        );
        server_warnings(self.run);
        let object = result.map_err(|status| {
            let doing = format!("applying patch:\n{}\nto:\n{}\nfor:", compact(&patch), document.info());
            Error::from(status).when("patching", &document.source).when(&doing, &document.source)
        })?;
        Ok((wire_json(&object), verb))
    }
}

/// A new object has no version yet; kubectl takes out one that a manifest names.
pub(super) fn without_version(value: &mut Value) {
    if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("resourceVersion");
    }
}

/// Takes out `null`s, as a later apply of the same manifest would.
fn prune_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, field| !field.is_null());
            map.values_mut().for_each(prune_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(prune_nulls),
        _ => {}
    }
}

/// The document with itself as annotation: what the next apply compares with.
pub(super) fn with_last_applied(value: &Value) -> Value {
    let mut modified = value.clone();
    let mut annotations = match modified.pointer_mut("/metadata/annotations").map(Value::take) {
        Some(Value::Object(annotations)) => annotations,
        _ => serde_json::Map::new(),
    };
    annotations.remove(LAST_APPLIED);
    set_annotations(&mut modified, annotations.clone());
    let text = compact(&modified) + "\n";
    annotations.insert(LAST_APPLIED.to_owned(), Value::String(text));
    set_annotations(&mut modified, annotations);
    modified
}

fn set_annotations(value: &mut Value, annotations: serde_json::Map<String, Value>) {
    if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.insert("annotations".to_owned(), Value::Object(annotations));
    }
}

/// `kubectl apply view-last-applied`: what was applied last.
pub(super) fn view_last_applied(run: &mut Run<'_, '_>) -> Result<Next> {
    let format = run.flags.text("output").unwrap_or("yaml").to_owned();
    if !["yaml", "json"].contains(&format.as_str()) {
        return run.usage(format!(
            "Unexpected -o output mode: {format}, the flag 'output' must be one of yaml|json"
        ));
    }
    let (objects, errors) = if run.flags.given("filename") {
        let (objects, errors, _) = documents::look_up(run)?;
        (objects, errors)
    } else {
        if run.args().is_empty() {
            return fail("resource(s) were provided, but no name was specified");
        }
        let selection = super::resource::Selection::parse(run.args())?;
        let scope = super::resource::Scope::of(run);
        super::resource::look_up(run, &selection, &scope)
    };
    Error::collect(errors)?;
    for object in objects {
        let last = object.meta().annotations.as_ref().and_then(|annotations| annotations.get(LAST_APPLIED));
        let Some(text) = last else {
            return fail(format!(
                "no last-applied-configuration annotation found on resource: {}",
                object.name()
            ));
        };
        let mut value: Value =
            serde_json::from_str(text).map_err(|error| Error::Message(error.to_string()))?;
        // What apply itself put there is no part of what the user wrote.
        if value
            .pointer("/metadata/annotations")
            .and_then(Value::as_object)
            .is_some_and(serde_json::Map::is_empty)
            && let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut)
        {
            meta.remove("annotations");
        }
        let text = if format == "json" {
            super::print::indented(&value, "  ") + "\n"
        } else {
            super::print::yaml(&value)
        };
        run.out.push_str(&text);
    }
    Ok(Next::Done)
}

/// `kubectl apply set-last-applied`: notes manifests as applied without changing anything else.
pub(super) fn set_last_applied(run: &mut Run<'_, '_>) -> Result<Next> {
    let dry_run = run.dry_run()?;
    let (documents, errors) = documents::read(run, false)?;
    Error::collect(errors)?;
    for document in documents {
        let live = run
            .ctx
            .api
            .get(document.kind, &document.namespace, &document.name)
            .map_err(|status| Error::from(status).when("getting", &document.source))?;
        let noted = live.meta().annotations.as_ref().is_some_and(|all| all.contains_key(LAST_APPLIED));
        if !noted && !run.flags.on("create-annotation") {
            return fail(format!(
                "no last-applied-configuration annotation found on resource: {}, to create the annotation, run the command with --create-annotation",
                document.name
            ));
        }
        let text = with_last_applied(&document.value)["metadata"]["annotations"][LAST_APPLIED].clone();
        if dry_run != DryRun::Client {
            let body = Patch::Merge(json!({"metadata": {"annotations": {LAST_APPLIED: text}}}));
            let options = super::create::write_options(dry_run, "kubectl-last-applied", false);
            run.ctx.api.patch(
                document.kind,
                &document.namespace,
                &document.name,
                &body,
                Subresource::None,
                &options,
            )?;
        }
        run.say(&format!("{} configured{}", name_of(&wire_json(&live)), dry_run.suffix()));
    }
    Ok(Next::Done)
}
