//! `kubectl create`: from files, or from a few words.

use serde_json::{Map, Value, json};

use super::apply::{Validation, server_warnings, validation, with_last_applied, without_version};
use super::command::{DryRun, Next, Run};
use super::documents;
use super::error::{Error, Result, fail};
use super::output::{CHANGE_FORMATS, Output, name_of};
use super::wire::wire_json;
use crate::kube::api::{Kind, Object, WriteOptions};

pub(super) fn run(run: &mut Run<'_, '_>) -> Result<Next> {
    if !run.args().is_empty() {
        let args = run.args().join(" ");
        return run.usage(format!("Unexpected args: [{args}]"));
    }
    if !run.flags.given("filename") {
        return fail("must specify one of -f and -k");
    }
    let dry_run = run.dry_run()?;
    let validation = validation(run)?;
    let output = Output::parse(run, CHANGE_FORMATS)?;
    let (documents, mut errors) = documents::read(run, validation != Validation::Off)?;
    if documents.is_empty() && errors.is_empty() {
        return fail("no objects passed to create");
    }
    for document in documents {
        let body = if run.flags.on("save-config") {
            with_last_applied(&document.value)
        } else {
            document.value.clone()
        };
        let value = if dry_run == DryRun::Client {
            body
        } else {
            let options = write_options(dry_run, "kubectl-create", validation == Validation::Strict);
            let mut body = body;
            without_version(&mut body);
            let result = run.ctx.api.create_json(document.kind, &document.namespace, &body, &options);
            server_warnings(run);
            match result {
                Ok(object) => wire_json(&object),
                Err(status) => {
                    errors.push(Error::from(status).when("creating", &document.source));
                    continue;
                }
            }
        };
        print(run, output.as_ref(), &value, "created", dry_run)?;
    }
    Error::collect(errors).map(|()| Next::Done)
}

/// Options of a request in kubectl's name.
pub(super) fn write_options(dry_run: DryRun, manager: &str, strict: bool) -> WriteOptions {
    WriteOptions { dry_run: dry_run == DryRun::Server, field_manager: manager.to_owned(), strict }
}

/// Prints an object after a change: `pod/a created`, or in the form of `-o`.
pub(super) fn print(
    run: &mut Run<'_, '_>,
    output: Option<&Output>,
    value: &Value,
    verb: &str,
    dry_run: DryRun,
) -> Result<()> {
    match output {
        None => run.say(&format!("{} {verb}{}", name_of(value), dry_run.suffix())),
        Some(output) => {
            // Documents of several objects are told apart.
            if *output == Output::Yaml && run.out.ends_with('\n') && run.out.starts_with("apiVersion") {
                run.out.push_str("---\n");
            }
            let text = output.print(value)?;
            run.out.push_str(&text);
        }
    }
    Ok(())
}

/// The one NAME of a generator.
fn one_name(run: &Run<'_, '_>) -> Result<String> {
    match run.args() {
        [name] => Ok(name.clone()),
        args => run.usage(format!("exactly one NAME is required, got {}", args.len())),
    }
}

/// Sends what a generator made.
pub(super) fn send(run: &mut Run<'_, '_>, kind: Kind, body: Value, what: &str) -> Result<Next> {
    let dry_run = run.dry_run()?;
    let strict = validation(run)? == Validation::Strict;
    let output = Output::parse(run, CHANGE_FORMATS)?;
    let mut body = body;
    body["apiVersion"] = json!(kind.info().api_version());
    body["kind"] = json!(kind.info().kind);
    if run.flags.on("save-config") {
        body = with_last_applied(&body);
    }
    let value = if dry_run == DryRun::Client {
        body
    } else {
        let namespace = run.namespace();
        let options = write_options(dry_run, "kubectl-create", strict);
        let result = run.ctx.api.create_json(kind, &namespace, &body, &options);
        server_warnings(run);
        let object = result.map_err(|status| {
            if what.is_empty() {
                Error::from(status)
            } else {
                Error::Message(format!("failed to create {what}: {}", status.message))
            }
        })?;
        wire_json(&object)
    };
    print(run, output.as_ref(), &value, "created", dry_run)?;
    Ok(Next::Done)
}

pub(super) fn namespace(run: &mut Run<'_, '_>) -> Result<Next> {
    let name = one_name(run)?;
    let body = json!({"metadata": {"name": name}, "spec": {}, "status": {}});
    send(run, Kind::Namespace, body, "")
}

pub(super) fn service_account(run: &mut Run<'_, '_>) -> Result<Next> {
    let name = one_name(run)?;
    let mut body = json!({"metadata": {"name": name}});
    if run.namespace_is_given() || run.dry_run()? != DryRun::Client {
        body["metadata"]["namespace"] = json!(run.namespace());
    }
    send(run, Kind::ServiceAccount, body, "serviceaccount")
}

pub(super) fn priority_class(run: &mut Run<'_, '_>) -> Result<Next> {
    let name = one_name(run)?;
    let body = json!({
        "metadata": {"name": name},
        "value": run.flags.int("value").unwrap_or(0),
        "preemptionPolicy": run.flags.text("preemption-policy").unwrap_or("PreemptLowerPriority"),
    });
    let mut body = body;
    if run.flags.on("global-default") {
        body["globalDefault"] = json!(true);
    }
    if let Some(description) = run.flags.text("description").filter(|text| !text.is_empty()) {
        body["description"] = json!(description);
    }
    send(run, Kind::PriorityClass, body, "priorityclass")
}

pub(super) fn config_map(run: &mut Run<'_, '_>) -> Result<Next> {
    let name = one_name(run)?;
    let mut data = Map::new();
    let mut put = |key: String, value: String| -> Result<()> {
        if data.contains_key(&key) {
            return fail(format!(
                "cannot add key {}, another key by that name already exists in Data for ConfigMap {}",
                super::print::go_quote(&key),
                super::print::go_quote(&name)
            ));
        }
        data.insert(key, Value::String(value));
        Ok(())
    };
    for literal in run.flags.texts("from-literal") {
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return fail(format!("invalid literal source {literal}, expected key=value"));
        };
        put(key.to_owned(), value.trim_matches(['"', '\'']).to_owned())?;
    }
    for source in run.flags.texts("from-file") {
        let (key, path) = match source.split_once('=') {
            Some((key, path)) => (Some(key.to_owned()), path),
            None => (None, source.as_str()),
        };
        let absolute = crate::process::files::resolve(run.ctx.cwd, path);
        if run.ctx.files.is_dir(&absolute) {
            if key.is_some() {
                return fail("cannot give a key name for a directory path");
            }
            let entries = run
                .ctx
                .files
                .list(&absolute)
                .map_err(|error| Error::Message(format!("error listing files in {path}: {error}")))?;
            for entry in entries {
                if let Ok(bytes) = run.ctx.files.read(&crate::process::files::join(&absolute, &entry)) {
                    put(entry.clone(), String::from_utf8_lossy(bytes).into_owned())?;
                }
            }
            continue;
        }
        let bytes = run
            .ctx
            .files
            .read(&absolute)
            .map_err(|_| Error::Message(format!("error reading {path}: no such file or directory")))?;
        let file = path.rsplit('/').next().unwrap_or(path).to_owned();
        put(key.unwrap_or(file), String::from_utf8_lossy(bytes).into_owned())?;
    }
    for path in run.flags.texts("from-env-file") {
        let Some(bytes) = documents::read_file(run.ctx, path) else {
            return fail(format!("error reading {path}: no such file or directory"));
        };
        for line in String::from_utf8_lossy(&bytes).lines().map(str::trim_start) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            put(key.to_owned(), value.to_owned())?;
        }
    }
    let mut body = json!({"metadata": {"name": name}});
    if !data.is_empty() {
        body["data"] = Value::Object(data);
    }
    if run.namespace_is_given() || run.dry_run()? != DryRun::Client {
        body["metadata"]["namespace"] = json!(run.namespace());
    }
    send(run, Kind::ConfigMap, body, "configmap")
}

/// `kubectl run`: one pod from a few words.
pub(super) fn run_pod(run: &mut Run<'_, '_>) -> Result<Next> {
    let Some(image) = run.flags.text("image").map(str::to_owned) else {
        return fail("required flag(s) \"image\" not set");
    };
    let flags = run.flags;
    let (names, words) = match flags.dash {
        Some(dash) => run.args().split_at(dash),
        None => run.args().split_at(run.args().len().min(1)),
    };
    let [name] = names else {
        return run.usage(if names.is_empty() {
            "NAME is required for run"
        } else {
            "exactly one NAME is required"
        });
    };
    let (name, words) = (name.clone(), words.to_vec());
    for flag in ["stdin", "tty", "attach", "rm", "expose"] {
        if flags.on(flag) {
            return fail(format!("not modelled: kubectl run --{flag}"));
        }
    }
    let restart = flags.text("restart").unwrap_or("Always");
    if !["Always", "OnFailure", "Never"].contains(&restart) {
        return run.usage(format!("invalid restart policy: {restart}"));
    }
    let mut labels = Map::new();
    match flags.text("labels") {
        None => {
            labels.insert("run".to_owned(), json!(name));
        }
        Some(text) => {
            for label in text.split(',') {
                let Some((key, value)) = label.split_once('=') else {
                    return fail(format!("unexpected label spec: {label}"));
                };
                labels.insert(key.to_owned(), json!(value));
            }
        }
    }
    let mut container = json!({"name": name, "image": image, "resources": {}});
    let mut env = Vec::new();
    for variable in flags.texts("env") {
        let Some((key, value)) = variable.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return fail(format!("invalid env: {variable}"));
        };
        env.push(json!({"name": key, "value": value}));
    }
    if !env.is_empty() {
        container["env"] = Value::Array(env);
    }
    if let Some(port) = flags.int("port") {
        container["ports"] = json!([{"containerPort": port}]);
    }
    if let Some(policy) = flags.text("image-pull-policy") {
        container["imagePullPolicy"] = json!(policy);
    }
    if !words.is_empty() {
        container[if flags.on("command") { "command" } else { "args" }] = json!(words);
    }
    let mut body = json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart},
        "status": {},
    });
    if let Some(annotations) = flags.values_of_pairs("annotations") {
        body["metadata"]["annotations"] = annotations;
    }
    if let Some(overrides) = flags.text("overrides") {
        let patch = serde_json::from_str(overrides).map_err(|error| Error::Message(error.to_string()))?;
        body = crate::kube::api::patch::apply_merge(body, &patch);
    }
    send(run, Kind::Pod, body, "")
}

/// Replaces live objects by those in files.
pub(super) fn replace(run: &mut Run<'_, '_>) -> Result<Next> {
    if !run.flags.given("filename") {
        return run.usage("Must specify --filename to replace");
    }
    let dry_run = run.dry_run()?;
    let validation = validation(run)?;
    let output = Output::parse(run, CHANGE_FORMATS)?;
    let (documents, mut errors) = documents::read(run, validation != Validation::Off)?;
    if documents.is_empty() && errors.is_empty() {
        return fail("no objects passed to replace");
    }
    if run.flags.on("force") {
        return fail("not modelled: kubectl replace --force: delete the object, then create it");
    }
    for document in documents {
        let result: std::result::Result<Object, Error> = if dry_run == DryRun::Client {
            run.ctx.api.get(document.kind, &document.namespace, &document.name).map_err(Error::from)
        } else {
            let options = write_options(dry_run, "kubectl-replace", validation == Validation::Strict);
            let answer = run.ctx.api.replace_json(
                document.kind,
                &document.namespace,
                &document.name,
                &document.value,
                crate::kube::api::Subresource::None,
                &options,
            );
            server_warnings(run);
            answer.map_err(Error::from)
        };
        match result {
            Ok(object) => print(run, output.as_ref(), &wire_json(&object), "replaced", dry_run)?,
            Err(error) => errors.push(error.when("replacing", &document.source)),
        }
    }
    Error::collect(errors).map(|()| Next::Done)
}
