//! Refusals beyond the recorded ones; the paths and words are those of the real server's own source (v1.36).

use serde_json::{Value, json};

use crate::kube::api::{Kind, patch, refusals_of};

/// What is wrong with a pod that is right but for `change`, a merge patch of its spec.
fn check(change: &Value, expected: &[&str]) {
    let spec = json!({"containers": [{"name": "main", "image": "nginx"}]});
    let body = json!({"metadata": {"name": "p"}, "spec": patch::apply_merge(spec, change)});
    let causes: Vec<_> =
        refusals_of(Kind::Pod, &body).into_iter().map(|(at, why)| format!("{at}: {why}")).collect();
    assert_eq!(causes, expected, "{change}");
}

fn check_container(change: &Value, expected: &[&str]) {
    let container = patch::apply_merge(json!({"name": "main", "image": "nginx"}), change);
    let expected: Vec<_> = expected.iter().map(|cause| format!("spec.containers[0].{cause}")).collect();
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    check(&json!({"containers": [container]}), &expected);
}

#[test]
fn probes_need_one_handler_and_sensible_numbers() {
    check_container(
        &json!({"livenessProbe": {}}),
        &["livenessProbe: Required value: must specify a handler type"],
    );
    check_container(
        &json!({"readinessProbe": {"exec": {"command": ["x"]}, "tcpSocket": {"port": 80}}}),
        &["readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"],
    );
    check_container(
        &json!({"startupProbe": {"exec": {}, "periodSeconds": -1, "successThreshold": 2}}),
        &[
            "startupProbe.exec.command: Required value",
            "startupProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
            "startupProbe.successThreshold: Invalid value: 2: must be 1",
        ],
    );
    check_container(
        &json!({"livenessProbe": {"httpGet": {"scheme": "FTP"}, "terminationGracePeriodSeconds": 0}}),
        &[
            "livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "livenessProbe.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\"",
            "livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0",
        ],
    );
    check_container(
        &json!({"readinessProbe": {"tcpSocket": {"port": "Web_1"}, "terminationGracePeriodSeconds": 5}}),
        &[
            "readinessProbe.tcpSocket.port: Invalid value: \"Web_1\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
            "readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes",
        ],
    );
    check_container(
        &json!({"lifecycle": {"preStop": {"sleep": {"seconds": 60}}}}),
        &[
            "lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than terminationGracePeriodSeconds (30)",
        ],
    );
}

#[test]
fn init_containers_have_no_probes_and_names_of_their_own() {
    check(
        &json!({"initContainers": [{"name": "main", "image": "x", "livenessProbe": {"exec": {"command": ["x"]}}}]}),
        &[
            "spec.initContainers[0].name: Duplicate value: \"main\"",
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
        ],
    );
}

#[test]
fn the_environment_names_its_sources() {
    check_container(
        &json!({"env": [{"name": "A", "valueFrom": {}}, {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "a b"}}}]}),
        &[
            "env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef`, or `fileKeyRef`",
            "env[1].valueFrom.configMapKeyRef.key: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        ],
    );
    check_container(
        &json!({"envFrom": [{}, {"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}]}),
        &[
            "envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`",
            "envFrom: Invalid value: \"\": may not have more than one field specified at a time",
        ],
    );
    check_container(
        &json!({"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.disk"}}}]}),
        &[
            "env[0].valueFrom.resourceFieldRef.resource: Unsupported value: \"limits.disk\": supported values: \"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", \"requests.memory\"",
        ],
    );
}

#[test]
fn volumes_and_mounts_are_checked() {
    check(
        &json!({"volumes": [{"name": "a", "secret": {}}, {"name": "b", "hostPath": {"path": "/a/../b", "type": "Box"}}]}),
        &[
            "spec.volumes[0].secret.secretName: Required value",
            "spec.volumes[1].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
            "spec.volumes[1].hostPath.type: Unsupported value: \"Box\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"",
        ],
    );
    check(
        &json!({"volumes": [{"name": "v", "emptyDir": {}}], "containers": [{"name": "main", "image": "x",
            "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "/abs"}]}]}),
        &["spec.containers[0].volumeMounts.subPath: Invalid value: \"/abs\": must be a relative path"],
    );
}

#[test]
fn placement_is_checked() {
    check(
        &json!({"topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2},
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}]}),
        &[
            "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{zone, ScheduleAnyway}\"",
            "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
        ],
    );
    check(
        &json!({"schedulingGates": [{"name": "a"}, {"name": "a"}], "nodeName": "n"}),
        &[
            "spec.schedulingGates[1]: Duplicate value: \"a\"",
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
        ],
    );
    check(
        &json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "In"}], "matchFields": [{"key": "spec.x", "operator": "In", "values": ["n"]}]}]}}}}),
        &[
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: \"spec.x\": not a valid field selector key",
        ],
    );
}

#[test]
fn resources_of_the_pod_cover_its_containers() {
    check(
        &json!({"resources": {"requests": {"cpu": "1"}}, "containers": [
            {"name": "a", "image": "x", "resources": {"requests": {"cpu": "1"}}},
            {"name": "b", "image": "x", "resources": {"requests": {"cpu": "1"}}}]}),
        &[
            "spec.resources.requests[cpu]: Invalid value: \"1\": must be greater than or equal to aggregate container requests of 2",
        ],
    );
    check_container(
        &json!({"resources": {"limits": {"hugepages-2Mi": "4Mi"}}}),
        &["resources: Forbidden: HugePages require cpu or memory"],
    );
}

#[test]
fn other_kinds_are_checked() {
    let refusals = |kind: Kind, body: &Value| {
        refusals_of(kind, body).into_iter().map(|(at, why)| format!("{at}: {why}")).collect::<Vec<_>>()
    };
    assert_eq!(
        refusals(
            Kind::Node,
            &json!({"metadata": {"name": "n"}, "spec": {"taints": [
            {"key": "a", "effect": "NoSchedule"}, {"key": "a", "value": "b", "effect": "NoSchedule"}]}})
        ),
        [
            "metadata.taints[1]: Duplicate value: {\"Key\":\"a\",\"Value\":\"b\",\"Effect\":\"NoSchedule\",\"TimeAdded\":null}: taints must be unique by key and effect pair"
        ]
    );
    assert_eq!(
        refusals(
            Kind::ConfigMap,
            &json!({"metadata": {"name": "c", "finalizers": ["x"]}, "data": {"..a": "b"}})
        ),
        [
            "metadata.finalizers[0]: Invalid value: \"x\": name is neither a standard finalizer name nor is it fully qualified",
            "data[..a]: Invalid value: \"..a\": must not start with '..'",
        ]
    );
    assert_eq!(
        refusals(Kind::PriorityClass, &json!({"metadata": {"name": "p"}, "value": 2_000_000_000})),
        ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]
    );
}
