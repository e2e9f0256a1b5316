//! The API server and the manifest reader at three sizes, so that growth shows.

use clusterlab::kube::api::{ApiServer, DeleteOptions, EventRecord, Kind, ListOptions, Object, WriteOptions};
use clusterlab::kube::manifest;
use clusterlab::sim::{Epoch, Seed};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

const SIZES: [usize; 3] = [100, 1000, 10_000];

fn main() {
    divan::main();
}

fn pod(i: usize) -> Object {
    let body = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("pod-{i}"), "labels": {"app": "train"}},
        "spec": {"containers": [{"name": "main", "image": "nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04",
            "command": ["nvidia-smi"], "resources": {"limits": {"nvidia.com/gpu": "1"}}}]}});
    Object::from_json(Kind::Pod, body).expect("a pod")
}

fn filled(pods: usize) -> ApiServer {
    let mut server = ApiServer::new(Epoch::default(), Seed::new(1));
    for i in 0..pods {
        server.create("default", pod(i), &WriteOptions::default()).expect("a valid pod");
    }
    server
}

/// Defaulting, admission, validation and storing of all pods.
#[divan::bench(args = SIZES)]
fn create(bencher: divan::Bencher<'_, '_>, pods: usize) {
    bencher.bench(|| filled(pods));
}

/// Binding, one status change and one event for each pod: what a scheduler and a kubelet do.
#[divan::bench(args = SIZES)]
fn bind_and_run(bencher: divan::Bencher<'_, '_>, pods: usize) {
    bencher.with_inputs(|| filled(pods)).bench_values(|mut server| {
        for i in 0..pods {
            let name = format!("pod-{i}");
            let bound = server.bind("default", &name, "gpu-1").expect("an unbound pod");
            let run = |pod: &mut Pod| pod.status.get_or_insert_default().phase = Some("Running".to_owned());
            server.update_status("default", &name, run).expect("the pod is there");
            server.record(EventRecord {
                regarding: &Object::Pod(bound),
                field_path: None,
                warning: false,
                reason: "Started",
                message: "Container started".to_owned(),
                component: "kubelet",
                host: Some("gpu-1"),
                action: None,
            });
        }
        server
    });
}

/// One list with both selectors.
#[divan::bench(args = SIZES)]
fn list_selected(bencher: divan::Bencher<'_, '_>, pods: usize) {
    let server = filled(pods);
    let options =
        ListOptions { label_selector: "app=train".to_owned(), field_selector: "spec.nodeName=".to_owned() };
    bencher.bench(|| server.list(Kind::Pod, "default", &options));
}

/// A namespace with all its pods goes.
#[divan::bench(args = SIZES)]
fn delete_all(bencher: divan::Bencher<'_, '_>, pods: usize) {
    bencher.with_inputs(|| filled(pods)).bench_values(|mut server| {
        for i in 0..pods {
            let _ = server.delete(Kind::Pod, "default", &format!("pod-{i}"), &DeleteOptions::default());
        }
        server
    });
}

/// What a checkpoint of a lab costs.
#[divan::bench(args = SIZES)]
fn clone(bencher: divan::Bencher<'_, '_>, pods: usize) {
    let server = filled(pods);
    bencher.bench(|| server.clone());
}

/// All diagnostics of a manifest of so many documents.
#[divan::bench(args = SIZES)]
fn diagnose(bencher: divan::Bencher<'_, '_>, documents: usize) {
    let mut text = String::new();
    for i in 0..documents {
        text += &format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: pod-{i}\n");
        text += "spec:\n  containers:\n  - name: main\n    image: nginx:1.27\n    resources: {limits: {nvidia.com/gpu: 1}}\n---\n";
    }
    bencher.bench(|| manifest::diagnose(&text));
}
