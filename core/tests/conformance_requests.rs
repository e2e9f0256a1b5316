//! Requests that the real API server got, and what it answered: replayed and compared field by field.

use clusterlab::kube::api::{
    ApiServer, DeleteOptions, Deletion, Kind, ListOptions, Object, Patch, Status, Subresource, WriteOptions,
};
use clusterlab::sim::{Epoch, Seed, SimTime};
use serde_json::{Value, json};

fn scenario(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/api/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What a request is about.
struct Target {
    kind: Kind,
    namespace: String,
    name: String,
    subresource: String,
    query: String,
}

fn target(path: &str) -> Option<Target> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts.drain(..if parts[0] == "api" { 2 } else { 3 });
    let mut namespace = "";
    if parts[0] == "namespaces" && parts.len() > 2 {
        namespace = parts[1];
        parts.drain(..2);
    }
    let part = |i: usize| parts.get(i).copied().unwrap_or_default().to_owned();
    let kind = Kind::ALL.iter().copied().find(|kind| kind.info().plural == parts[0])?;
    Some(Target {
        kind,
        namespace: namespace.to_owned(),
        name: part(1),
        subresource: part(2),
        query: query.to_owned(),
    })
}

fn send(server: &mut ApiServer, action: &Value) -> Option<Result<Value, Status>> {
    let t = target(action["path"].as_str()?)?;
    let body = &action["body"];
    let options = WriteOptions {
        dry_run: t.query.contains("dryRun=All"),
        strict: t.query.contains("fieldValidation=Strict"),
        ..WriteOptions::default()
    };
    let subresource = if t.subresource == "status" { Subresource::Status } else { Subresource::None };
    if body.is_string()
        || t.query.contains("resourceVersion")
        || t.query.contains("=Some")
        || t.query.contains("=Xx")
    {
        // Of the transport: bodies that are no JSON, parameters that our calls cannot express.
        return None;
    }
    let json = |result: Result<Object, Status>| result.map(|object| object.to_json());
    Some(match action["verb"].as_str()? {
        "POST" if t.subresource == "binding" => {
            let node = body["target"]["name"].as_str()?;
            server.bind(&t.namespace, &t.name, node).map(|_| json!({"status": "Success"}))
        }
        "POST" if t.name.is_empty() && body.is_object() => {
            json(server.create_json(t.kind, &t.namespace, body, &options))
        }
        "GET" if !t.name.is_empty() => json(server.get(t.kind, &t.namespace, &t.name)),
        "PUT" => json(server.replace_json(t.kind, &t.namespace, &t.name, body, subresource, &options)),
        "PATCH" => {
            let patch = match action["contentType"].as_str() {
                Some("application/merge-patch+json") => Patch::Merge(body.clone()),
                _ if body.is_array() => Patch::Json(body.clone()),
                _ => Patch::Strategic(body.clone()),
            };
            json(server.patch(t.kind, &t.namespace, &t.name, &patch, subresource, &options))
        }
        "DELETE" if !t.name.is_empty() => {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let options = DeleteOptions {
                grace_period_seconds: body["gracePeriodSeconds"].as_i64(),
                resource_version: text(&body["preconditions"]["resourceVersion"]),
                uid: text(&body["preconditions"]["uid"]),
                dry_run: options.dry_run,
            };
            let deletion = server.delete(t.kind, &t.namespace, &t.name, &options);
            deletion.map(|deletion| match deletion {
                // The real server answers with a bare success unless the object has a period to go.
                Deletion::Gone(object) if !matches!(object, Object::Pod(_)) => json!({"status": "Success"}),
                deletion => deletion.object().to_json(),
            })
        }
        _ => return None,
    })
}

/// Versions, times and random names differ from run to run.
fn neutral(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for volatile in [
                "uid",
                "resourceVersion",
                "creationTimestamp",
                "deletionTimestamp",
                "lastTransitionTime",
                "managedFields",
            ] {
                fields.remove(volatile);
            }
            if fields.get("status").is_some_and(|status| status == "Success") {
                fields.retain(|key, _| key == "status");
            }
            let generated = fields.contains_key("generateName");
            for (key, value) in fields.iter_mut() {
                match value.as_str() {
                    Some(name) if key == "name" && (generated || name.starts_with("kube-api-access-")) => {
                        *value = json!("random");
                    }
                    _ => neutral(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(neutral),
        _ => {}
    }
}

/// The recording's scheduler had said that no node fits; ours has no scheduler.
fn unscheduled(pod: &mut Value) {
    if let Some(status) = pod.get_mut("status").and_then(Value::as_object_mut)
        && status.get("conditions").is_some_and(|conditions| conditions[0]["reason"] == "Unschedulable")
    {
        status.remove("conditions");
    }
}

/// Versions and ids of the recording, by what stands for them here.
#[derive(Default)]
struct Translation(Vec<(String, String)>);

impl Translation {
    fn learn(&mut self, theirs: &Value, ours: &Value) {
        for field in ["uid", "resourceVersion"] {
            if let (Some(theirs), Some(ours)) =
                (theirs["metadata"][field].as_str(), ours["metadata"][field].as_str())
            {
                self.0.retain(|(known, _)| known != theirs);
                self.0.push((theirs.to_owned(), ours.to_owned()));
            }
        }
    }

    fn knows(&self, object: &Value) -> bool {
        self.0.iter().any(|(theirs, _)| object["metadata"]["resourceVersion"] == theirs.as_str())
    }

    fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
    }
}

/// Replays a recording, except for the requests whose answer depends on what other components did meanwhile.
fn check(name: &str, at_least: usize, skip: &[usize]) {
    let scenario = scenario(name);
    let mut server = ApiServer::new(Epoch::default(), Seed::new(7));
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": scenario["id"]}});
    server.create_json(Kind::Namespace, "", &namespace, &WriteOptions::default()).unwrap();
    let mut translation = Translation::default();
    let (mut agree, mut differ) = (0, Vec::new());
    for (i, action) in scenario["actions"].as_array().unwrap().iter().enumerate() {
        server.set_now(SimTime::from_millis((action["t"].as_f64().unwrap() * 1000.0) as u64));
        if action["verb"] == "PUT"
            && let Some(t) = target(action["path"].as_str().unwrap())
            && let Ok(present) = server.get(t.kind, &t.namespace, &t.name)
            && !translation.knows(&action["body"])
        {
            // A body that the client had read before: its ids are those of the present object.
            translation.learn(&action["body"], &present.to_json());
        }
        let translated: Value = serde_json::from_str(&translation.apply(&action.to_string())).unwrap();
        if skip.contains(&i) {
            continue;
        }
        let Some(result) = send(&mut server, &translated) else { continue };
        let (code, mut ours) = match result {
            Ok(object) => (if action["verb"] == "POST" { 201 } else { 200 }, object),
            Err(status) => {
                let mut details =
                    json!({"message": status.message, "reason": format!("{:?}", status.reason)});
                if !status.causes.is_empty() {
                    details["causes"] =
                        status.causes.iter().map(|(field, text)| json!([field, text])).collect();
                }
                (status.reason.code(), details)
            }
        };
        let mut theirs = action["response"].clone();
        translation.learn(&theirs, &ours);
        if theirs["status"] == "Failure" {
            let message = translation.apply(theirs["message"].as_str().unwrap());
            let mut told = json!({"message": message, "reason": theirs["reason"]});
            if let Some(causes) = theirs["details"]["causes"].as_array() {
                let mut causes: Vec<_> =
                    causes.iter().map(|cause| json!([cause["field"], cause["message"]])).collect();
                // Some checks run twice there; neither the message nor kubectl shows it.
                causes.dedup();
                told["causes"] = json!(causes);
            }
            theirs = told;
        }
        neutral(&mut ours);
        neutral(&mut theirs);
        unscheduled(&mut theirs);
        let same = u64::from(code) == action["code"].as_u64().unwrap()
            && (action["response"].is_null() || ours == theirs);
        if same {
            agree += 1;
        } else {
            differ.push(format!(
                "#{i} {} {} {} {}\n  theirs {} {theirs}\n  ours   {code} {ours}",
                action["t"], action["verb"], action["path"], action["body"], action["code"]
            ));
        }
    }
    assert!(differ.is_empty(), "{name}: {} differ, {agree} agree\n{}", differ.len(), differ.join("\n"));
    assert!(agree >= at_least, "{name}: only {agree} requests were compared");
}

#[test]
fn minimal_objects_get_the_real_defaults() {
    check("api-01-defaulting", 6, &[]);
}

#[test]
fn rich_objects_get_the_real_defaults() {
    check("api-02-defaulting-rich", 13, &[]);
}

#[test]
fn forbidden_updates_and_odd_requests_are_refused() {
    // The pod was gone for a while, and being deleted later; one request has a content type of no patch.
    check("api-04-validation-update", 22, &[0, 19, 31, 32, 33]);
}

#[test]
fn conflicts_and_preconditions_are_told() {
    check("api-05-conflict", 9, &[]);
}

#[test]
fn finalizers_generations_and_dry_runs_behave() {
    check("api-11-finalizer-generation", 15, &[]);
}

#[test]
fn priorities_are_computed_at_admission() {
    // Right after a class is deleted the real server may still admit by its cache.
    check("pri-01-admission", 15, &[16]);
}

#[test]
fn namespaces_come_and_go() {
    check("nsp-02-create", 6, &[]);
}

#[test]
fn service_accounts_are_mounted() {
    check("sat-01-defaulting", 6, &[]);
}

#[test]
fn selectors_select_and_refuse_as_the_real_ones() {
    let scenario = scenario("api-08-selectors");
    let mut server = ApiServer::new(Epoch::default(), Seed::new(7));
    for action in scenario["actions"].as_array().unwrap() {
        let mut action = action.clone();
        action["path"] = json!("/api/v1/namespaces/default/pods");
        send(&mut server, &action).unwrap().unwrap();
    }
    // What the recording's scheduler and kubelet had done by then.
    for name in ["p1", "p3"] {
        server.bind("default", name, "shared-1").unwrap();
        let run = |pod: &mut k8s_openapi::api::core::v1::Pod| {
            pod.status.as_mut().unwrap().phase = Some("Running".to_owned());
        };
        server.update_status("default", name, run).unwrap();
    }
    let mut compared = 0;
    for (key, expected) in scenario["results"].as_object().unwrap() {
        let Some(query) = expected["query"].as_str() else { continue };
        let mut options = ListOptions::default();
        match query.split_once('=').unwrap() {
            ("labelSelector", selector) => options.label_selector = selector.to_owned(),
            ("fieldSelector", selector) => options.field_selector = selector.to_owned(),
            _ => continue,
        }
        let got = match server.list(Kind::Pod, "default", &options) {
            Ok(list) => list.items.iter().map(|object| json!(object.name())).collect(),
            Err(status) => json!(status.message),
        };
        let told = &expected["result"];
        let told = if told.is_array() { told } else { &told["message"] };
        assert_eq!(&got, told, "{key}: {query}");
        compared += 1;
    }
    assert_eq!(compared, 26);
}
