//! What the real API server refused, and in which words: recorded `kubectl` sessions replayed on the API.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clusterlab::kube::api::{ApiServer, Kind, Reason, Status, WriteOptions};
use clusterlab::kube::manifest;
use clusterlab::sim::{Epoch, Seed};
use serde::Deserialize;

#[derive(Deserialize)]
struct Scenario {
    id: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    cmd: String,
    #[serde(default)]
    stdin: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
}

/// What `kubectl` prints for a refusal (`k8s.io/kubectl/pkg/cmd/util`).
fn printed(status: &Status, doing: &str) -> String {
    if status.reason == Reason::Invalid {
        let mut text = format!("The {} \"{}\" is invalid: ", status.kind, status.name);
        let causes: Vec<_> =
            status.causes.iter().map(|(field, problem)| format!("{field}: {problem}")).collect();
        if let [one] = causes.as_slice() {
            text.push_str(one);
        } else {
            for cause in causes {
                let _ = write!(text, "\n* {cause}");
            }
        }
        return text + "\n";
    }
    format!("Error from server ({:?}): {doing}{}\n", status.reason, status.message)
}

/// Replays the steps that create objects of kinds that there are. Answers how many of them agree, and how the
/// others differ.
fn replay(name: &str) -> (usize, Vec<String>) {
    let path = format!("{}/tests/fixtures/kubectl/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let scenario: Scenario = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(scenario.id, name);
    let mut server = ApiServer::new(Epoch::default(), Seed::new(1));
    let (mut agree, mut differ) = (0, Vec::new());
    for step in &scenario.steps {
        let creates =
            ["kubectl apply -f ", "kubectl create -f "].iter().any(|start| step.cmd.starts_with(start));
        let file = step.cmd.rsplit(' ').next().unwrap_or_default();
        let (text, source) = match step.files.get(file) {
            Some(text) => (text, file),
            None => (&step.stdin, "STDIN"),
        };
        let documents = manifest::parse(text);
        let [document] = documents.as_slice() else { continue };
        if !creates {
            continue;
        }
        let got = match document {
            Err(error) => format!("error: error parsing {source}: error converting YAML to JSON: {error}\n"),
            Ok(document) => {
                let Some(kind) = document.known_kind() else { continue };
                let local =
                    ["resource name may not be empty", "cannot use generate name", "unable to decode"];
                if local.iter().any(|text| step.stderr.contains(text)) {
                    // What kubectl itself refuses.
                    continue;
                }
                create(&mut server, kind, document, source)
            }
        };
        let expected = format!("{}{}", step.stdout, step.stderr);
        // A name that the server makes up ends in letters drawn by chance.
        let same = got == expected
            || (document.as_ref().is_ok_and(|d| d.name().is_empty()) && got[..7] == expected[..7]);
        if same {
            agree += 1;
        } else {
            differ.push(format!("{}\nexpected: {expected}     got: {got}", text.trim_end()));
        }
    }
    (agree, differ)
}

fn create(server: &mut ApiServer, kind: Kind, document: &manifest::Document, source: &str) -> String {
    let namespace = if document.namespace().is_empty() { "default" } else { document.namespace() };
    let options = WriteOptions { strict: true, ..WriteOptions::default() };
    match server.create_json(kind, namespace, &document.to_json(), &options) {
        Ok(object) => {
            let mut text = format!("{}/{} created\n", kind.info().qualified_singular(), object.name());
            for warning in server.warnings() {
                let _ = writeln!(text, "Warning: {warning}");
            }
            text
        }
        Err(status) => printed(&status, &format!("error when creating \"{source}\": ")),
    }
}

fn check(name: &str, at_least: usize) {
    let (agree, differ) = replay(name);
    assert!(differ.is_empty(), "{name}: {} differ, {agree} agree:\n{}", differ.len(), differ.join("\n\n"));
    assert!(agree >= at_least, "{name}: only {agree} steps were compared");
}

#[test]
fn names_and_labels_are_refused_as_by_the_real_server() {
    check("504-names-labels", 14);
}

#[test]
fn pod_specs_are_refused_as_by_the_real_server() {
    check("505-pod-spec", 47);
}

#[test]
fn wrong_syntax_is_refused_as_by_kubectl() {
    check("501-yaml-syntax", 10);
}

#[test]
fn wrong_kinds_and_namespaces_are_refused_as_by_the_real_server() {
    check("502-type-meta", 2);
}

#[test]
fn odd_amounts_are_accepted_with_the_real_warnings() {
    check("716-strict-edge", 7);
}
