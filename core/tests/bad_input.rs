//! What the scheduler's users get wrong: refused by the API server in its own words, or left waiting by the
//! scheduler in its own.
#![cfg(feature = "lab")]

use std::time::Duration;

use clusterlab::lab::{Lab, LabSpec};

fn lab() -> Lab {
    let spec = "nodes: [{name: gpu-1, system: dgx-h100}, {name: cpu-1, system: server}]";
    Lab::new(LabSpec::from_yaml(spec).unwrap()).unwrap()
}

/// Applies a manifest; gives everything that is printed.
fn apply(lab: &mut Lab, manifest: &str) -> String {
    lab.write_file("bad.yaml", manifest);
    let output = lab.run("kubectl create -f bad.yaml");
    output.stdout + &output.stderr
}

/// A pod with those requests.
fn pod(requests: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: bad}}\nspec:\n  containers:\n  \
         - {{name: c, image: 'ubuntu:22.04', resources: {{requests: {{{requests}}}}}}}\n"
    )
}

/// What `kubectl create` says of a manifest.
fn check(manifest: &str, expect: &str) {
    let printed = apply(&mut lab(), manifest);
    assert!(printed.contains(expect), "expected\n{expect}\ngot\n{printed}");
}

/// What the scheduler says of a pod that is accepted.
fn waits(requests: &str, expect: &str) {
    let mut lab = lab();
    assert!(apply(&mut lab, &pod(requests)).contains("pod/bad created"));
    lab.advance(Duration::from_secs(5));
    let message = lab.run("kubectl get pod bad -o jsonpath={.status.conditions[0].message}").stdout;
    assert!(message.starts_with(expect), "expected\n{expect}\ngot\n{message}");
}

#[test]
fn negative_quantities_are_refused_with_their_fields() {
    check(
        &pod("cpu: '-1', memory: -5Gi"),
        "* spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0\n\
         * spec.containers[0].resources.requests[memory]: Invalid value: \"-5Gi\": must be greater than or equal to 0",
    );
}

#[test]
fn text_that_is_no_quantity_is_refused_in_the_decoders_words() {
    check(&pod("cpu: many"), "quantities must match the regular expression");
}

#[test]
fn half_a_gpu_is_refused() {
    let manifest = pod("nvidia.com/gpu: 0.5").replace("requests", "limits");
    check(
        &manifest,
        "spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: \"500m\": must be an integer",
    );
}

#[test]
fn quantities_beyond_64_bits_are_cut_and_fit_nowhere() {
    waits(
        "cpu: '99999999999999999999999999', memory: 9999999999999Ei",
        "0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory.",
    );
}

#[test]
fn a_pod_larger_than_any_node_waits_and_preemption_is_not_helpful() {
    waits(
        "cpu: '1000'",
        "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are \
         available: 2 Preemption is not helpful for scheduling.",
    );
}

#[test]
fn an_operator_that_does_not_exist_is_refused() {
    let affinity = "  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: \
                    [{matchExpressions: [{key: a, operator: Near, values: [b]}]}]}}}\n";
    check(
        &(pod("cpu: 1") + affinity),
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]\
         .matchExpressions[0].operator: Invalid value: \"Near\": not a valid selector operator",
    );
}

#[test]
fn a_priority_out_of_range_is_refused() {
    let class = |value: &str| {
        format!(
            "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: high}}\nvalue: {value}\n"
        )
    };
    check(
        &class("2000000000"),
        "The PriorityClass \"high\" is invalid: value: Forbidden: maximum allowed value of a user defined priority is \
         1000000000",
    );
    check(
        &class("99999999999"),
        "PriorityClass in version \"v1\" cannot be handled as a PriorityClass: json: cannot unmarshal number \
         99999999999 into Go struct field PriorityClass.value of type int32",
    );
}

#[test]
fn a_node_without_capacity_takes_no_pod() {
    let mut lab = Lab::new(LabSpec::from_yaml("nodes: []").unwrap()).unwrap();
    apply(&mut lab, "apiVersion: v1\nkind: Node\nmetadata: {name: empty}\n");
    apply(&mut lab, &pod("cpu: 1"));
    lab.advance(Duration::from_secs(5));
    let message = lab.run("kubectl get pod bad -o jsonpath={.status.conditions[0].message}").stdout;
    assert!(
        message.starts_with("0/1 nodes are available: 1 Insufficient cpu, 1 Too many pods."),
        "{message}"
    );
}

#[test]
fn ten_thousand_taints_keep_a_pod_away_and_nothing_breaks() {
    let mut lab = Lab::new(LabSpec::from_yaml("nodes: []").unwrap()).unwrap();
    let taints: String = (0..10_000).map(|i| format!("  - {{key: k{i}, effect: NoSchedule}}\n")).collect();
    let capacity =
        "status: {capacity: {cpu: 8, memory: 8Gi, pods: 10}, allocatable: {cpu: 8, memory: 8Gi, pods: 10}}\n";
    let node = format!(
        "apiVersion: v1\nkind: Node\nmetadata: {{name: tainted}}\nspec:\n  taints:\n{taints}{capacity}"
    );
    assert!(apply(&mut lab, &node).contains("node/tainted created"));
    apply(&mut lab, &pod("cpu: 1"));
    lab.advance(Duration::from_secs(5));
    let message = lab.run("kubectl get pod bad -o jsonpath={.status.conditions[0].message}").stdout;
    assert!(message.starts_with("0/1 nodes are available: 1 node(s) had untolerated taint(s)."), "{message}");
}
