//! What the real kubectl printed, against what ours prints: recorded sessions (v1.36.2) replayed command by command.
//!
//! The recordings ran against a control plane with a scripted kubelet. Here pods are put on nodes and made to run by
//! [`World::settle`], wherever a recording waited for them; what depends on schedulers and kubelets in detail
//! is left to the lab's own tests. Steps that need kinds or commands that are not modelled are counted apart.

use std::collections::BTreeMap;

use clusterlab::kube::api::{ApiServer, EventRecord, Kind, Object, Status, WriteOptions};
use clusterlab::kube::kubectl::{Context, KubeConfig, Kubectl, LogEntry, LogSlice, LogSource};
use clusterlab::process::files::Files;
use clusterlab::process::{Io, Step as ProcessStep};
use clusterlab::sim::{Epoch, Seed, SimTime};
use k8s_openapi::api::core::v1::{Node, Pod};
use regex_lite::Regex;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Scenario {
    namespace: String,
    started: String,
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
    #[serde(default)]
    rc: i32,
    #[serde(default)]
    t: f64,
    #[serde(default)]
    background: bool,
}

/// How long the base cluster had stood before a scenario began.
const BEFORE: u64 = 60;

/// What the containers of scenario 601 wrote, one line a second from their start.
#[derive(Default)]
struct Logs {
    started: BTreeMap<String, SimTime>,
    now: SimTime,
}

const NUMBERS: [&str; 30] = [
    "1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "7\n", "8\n", "9\n", "10\n", "11\n", "12\n", "13\n", "14\n",
    "15\n", "16\n", "17\n", "18\n", "19\n", "20\n", "21\n", "22\n", "23\n", "24\n", "25\n", "26\n", "27\n",
    "28\n", "29\n", "30\n",
];

impl LogSource for Logs {
    fn read(
        &self,
        _: &str,
        pod: &str,
        container: &str,
        previous: bool,
        from: usize,
    ) -> Result<LogSlice<'_>, Status> {
        let refuse = |message: String| Err(Status::new(clusterlab::kube::api::Reason::BadRequest, message));
        if previous {
            return refuse(format!(
                "previous terminated container \"{container}\" in pod \"{pod}\" not found"
            ));
        }
        let Some(started) = self.started.get(pod) else {
            return refuse(format!(
                "container \"{container}\" in pod \"{pod}\" is waiting to start: ContainerCreating"
            ));
        };
        let (lines, gap, ended): (&[&str], u64, bool) = match (pod, container) {
            ("talk", _) => (&["one\n", "two\n", "three\n"], 500, false),
            ("multi", "main") => (&["from main\n"], 0, false),
            ("multi", "side") => (&NUMBERS, 0, false),
            ("multi", "setup") => (&["setting up\n"], 0, true),
            ("ticker", _) => (&["tick\n"; 60], 500, false),
            ("once", _) => (&["bye\n"], 0, true),
            _ => (&[], 0, false),
        };
        let entries = lines.iter().enumerate().skip(from).map(|(index, text)| LogEntry {
            at: *started + std::time::Duration::from_millis(gap * index as u64),
            text,
        });
        Ok(LogSlice {
            first: from,
            entries: entries.take_while(|entry| entry.at <= self.now).collect(),
            ended,
        })
    }
}

struct World {
    logs: Logs,
    pulled: Vec<(String, String)>,
    api: ApiServer,
    files: Files,
    config: KubeConfig,
    epoch: Epoch,
    now: SimTime,
    next_node: usize,
    next_ip: usize,
}

impl World {
    fn new(scenario: &Scenario) -> Self {
        let started: jiff::Timestamp = scenario.started.parse().unwrap();
        let epoch = Epoch::new(started - jiff::SignedDuration::from_secs(BEFORE as i64));
        let mut config = KubeConfig::default();
        config.clusters.insert("kubernetes".to_owned(), "https://127.0.0.1:36443".to_owned());
        if scenario.namespace != "default" {
            let context = config.contexts.get_mut("kubernetes-admin@kubernetes").unwrap();
            context.namespace.clone_from(&scenario.namespace);
        }
        let mut world = Self {
            logs: Logs::default(),
            pulled: Vec::new(),
            api: ApiServer::new(epoch, Seed::new(1)),
            files: Files::new(),
            config,
            epoch,
            now: SimTime::ZERO,
            next_node: 0,
            next_ip: 2,
        };
        world.nodes();
        if scenario.namespace != "default" {
            let body = json!({"metadata": {"name": scenario.namespace}});
            world.api.create_json(Kind::Namespace, "", &body, &WriteOptions::default()).unwrap();
        }
        world
    }

    /// The five nodes of the recordings' README.
    fn nodes(&mut self) {
        for (name, ip, cpu, memory, gpu, zone) in [
            ("cp-1", "10.20.0.1", "8", "32751072Ki", "", "zone-a"),
            ("gpu-1", "10.20.0.11", "192", "2113356068Ki", "NVIDIA-H100-80GB-HBM3", "zone-a"),
            ("gpu-2", "10.20.0.12", "192", "2113356068Ki", "NVIDIA-H100-80GB-HBM3", "zone-b"),
            ("gpu-3", "10.20.0.13", "128", "1056626834Ki", "NVIDIA-A100-SXM4-80GB", "zone-b"),
            ("cpu-1", "10.20.0.21", "64", "263738492Ki", "", "zone-a"),
        ] {
            let mut labels = json!({
                "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux", "kubernetes.io/hostname": name,
                "topology.kubernetes.io/region": "region-1", "topology.kubernetes.io/zone": zone,
            });
            let mut allocatable = json!({
                "cpu": cpu, "memory": memory, "pods": "110", "ephemeral-storage": "1698756925085",
                "hugepages-1Gi": "0", "hugepages-2Mi": "0",
            });
            let mut spec = json!({});
            if !gpu.is_empty() {
                for (key, value) in
                    [("product", gpu), ("count", "8"), ("present", "true"), ("memory", "81559")]
                {
                    labels[format!("nvidia.com/gpu.{key}")] = json!(value);
                }
                labels["nvidia.com/mig.capable"] = json!("true");
                allocatable["nvidia.com/gpu"] = json!("8");
            }
            if name == "cp-1" {
                labels["node-role.kubernetes.io/control-plane"] = json!("");
                labels["node.kubernetes.io/exclude-from-external-load-balancers"] = json!("");
                spec["taints"] =
                    json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]);
            }
            let memory: u64 = memory.trim_end_matches("Ki").parse().unwrap();
            let mut capacity = allocatable.clone();
            capacity["memory"] = json!(format!("{}Ki", memory + 102_400));
            capacity["ephemeral-storage"] = json!("1843269236Ki");
            let index = ["cp-1", "gpu-1", "gpu-2", "gpu-3", "cpu-1"].iter().position(|n| *n == name).unwrap();
            spec["podCIDR"] = json!(format!("10.244.{index}.0/24"));
            spec["podCIDRs"] = json!([format!("10.244.{index}.0/24")]);
            let condition = |kind: &str, status: &str, reason: &str, message: &str| {
                json!({"type": kind, "status": status, "reason": reason, "message": message,
                    "lastHeartbeatTime": "2026-11-23T15:00:25Z", "lastTransitionTime": "2026-11-23T15:00:25Z"})
            };
            let body = json!({
                "metadata": {"name": name, "labels": labels, "annotations": {
                    "node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true"}},
                "spec": spec,
                "status": {
                    "addresses": [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}],
                    "allocatable": allocatable, "capacity": capacity,
                    "conditions": [
                        condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                        condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                        condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                        condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
                    ],
                    "nodeInfo": {
                        "machineID": "m", "systemUUID": "s", "bootID": "b", "kernelVersion": "6.8.0-60-generic",
                        "osImage": "Ubuntu 24.04.2 LTS", "operatingSystem": "linux", "architecture": "amd64",
                        "containerRuntimeVersion": "containerd://2.1.3", "kubeletVersion": "v1.36.2", "kubeProxyVersion": "",
                    },
                },
            });
            let node: Node = serde_json::from_value({
                let mut body = body.clone();
                body["apiVersion"] = json!("v1");
                body["kind"] = json!("Node");
                body
            })
            .unwrap();
            self.api.create_json(Kind::Node, "", &body, &WriteOptions::default()).unwrap();
            self.api.update_status::<Node>("", name, |live| live.status = node.status).unwrap();
            let live = self.api.get(Kind::Node, "", name).unwrap();
            for (reason, message) in [
                ("Starting", "Starting kubelet.".to_owned()),
                ("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods".to_owned()),
                ("NodeHasSufficientMemory", format!("Node {name} status is now: NodeHasSufficientMemory")),
                ("NodeHasNoDiskPressure", format!("Node {name} status is now: NodeHasNoDiskPressure")),
                ("NodeHasSufficientPID", format!("Node {name} status is now: NodeHasSufficientPID")),
                ("NodeReady", format!("Node {name} status is now: NodeReady")),
            ] {
                self.event(&live, None, reason, message, "kubelet", Some(name));
            }
            let taints = node.spec.and_then(|spec| spec.taints);
            self.api
                .update::<Node>("", name, |live| live.spec.get_or_insert_default().taints = taints)
                .unwrap();
        }
    }

    /// Makes the pods of the Deployment that most recordings begin with, in place of its controllers.
    fn deployment(&mut self, manifest: &str) {
        for document in clusterlab::kube::manifest::parse(manifest).into_iter().flatten() {
            let value = document.to_json();
            let template = &value["spec"]["template"];
            let usual = value["metadata"]["name"] == "web"
                && template["spec"]["containers"][0]["image"] == "nginx:1.27"
                && template["metadata"]["labels"]["app"] == "web";
            if value["kind"] != "Deployment" || !usual {
                continue;
            }
            let present = self.api.iter::<Pod>().count() as u64;
            let wanted = value["spec"]["replicas"].as_u64().unwrap_or(1);
            for suffix in
                ["bbbbb", "ccccc", "ddddd", "fffff"].iter().take(wanted.saturating_sub(present) as usize)
            {
                let mut body = template.clone();
                body["metadata"]["name"] = json!(format!("web-8448b6f544-{suffix}"));
                body["metadata"]["labels"]["pod-template-hash"] = json!("8448b6f544");
                self.api.create_json(Kind::Pod, "default", &body, &WriteOptions::default()).unwrap();
            }
        }
    }

    fn event(
        &mut self,
        regarding: &Object,
        field_path: Option<&str>,
        reason: &str,
        message: String,
        component: &str,
        host: Option<&str>,
    ) {
        // Names of events carry their time: a later one sorts later.
        self.now += std::time::Duration::from_micros(1);
        self.api.set_now(self.now);
        self.api.record(EventRecord {
            regarding,
            field_path: field_path.map(str::to_owned),
            warning: reason.starts_with("Failed"),
            reason,
            message,
            component,
            host,
            action: (component == "default-scheduler").then_some(if reason == "FailedScheduling" {
                "Scheduling"
            } else {
                "Binding"
            }),
        });
    }

    /// Puts waiting pods on nodes and lets them run; pods that are being deleted go.
    fn settle(&mut self) {
        let pods: Vec<Pod> = self.api.iter::<Pod>().map(|pod| (**pod).clone()).collect();
        for pod in pods {
            let (namespace, name) = (
                pod.metadata.namespace.clone().unwrap_or_default(),
                pod.metadata.name.clone().unwrap_or_default(),
            );
            if pod.metadata.deletion_timestamp.is_some() {
                let _ = self.api.finish_deletion(&namespace, &name);
                continue;
            }
            let spec = pod.spec.clone().unwrap_or_default();
            let gpus = spec
                .containers
                .iter()
                .filter_map(|c| c.resources.as_ref()?.limits.as_ref()?.get("nvidia.com/gpu").cloned())
                .filter_map(|q| q.0.parse::<u32>().ok())
                .sum::<u32>();
            if gpus > 8 && pod.status.as_ref().is_some_and(|status| status.conditions.is_none()) {
                let live = self.api.get(Kind::Pod, &namespace, &name).unwrap();
                let message = "0/5 nodes are available: 1 node(s) had untolerated taint(s), 4 Insufficient nvidia.com/gpu. \
                    no new claims to deallocate, preemption: 0/5 nodes are available: 5 Preemption is not helpful for scheduling.";
                self.event(
                    &live,
                    None,
                    "FailedScheduling",
                    message.to_owned(),
                    "default-scheduler",
                    Some("vm"),
                );
                let condition =
                    serde_json::from_value(json!({"type": "PodScheduled", "status": "False"})).unwrap();
                let change =
                    |pod: &mut Pod| pod.status.get_or_insert_default().conditions = Some(vec![condition]);
                self.api.update_status::<Pod>(&namespace, &name, change).unwrap();
            }
            if gpus > 8
                || spec.node_name.as_deref() == Some("ghost")
                || spec.node_selector.as_ref().is_some_and(|wanted| {
                    wanted.get("nvidia.com/gpu.product").is_none_or(|product| !product.contains("H100"))
                })
            {
                continue;
            }
            let node = spec.node_name.clone().unwrap_or_else(|| {
                self.next_node += 1;
                ["gpu-1", "gpu-2"][self.next_node % 2].to_owned()
            });
            if spec.node_name.is_none() {
                if self.api.bind(&namespace, &name, &node).is_err() {
                    continue;
                }
                let live = self.api.get(Kind::Pod, &namespace, &name).unwrap();
                let message = format!("Successfully assigned {namespace}/{name} to {node}");
                self.event(&live, None, "Scheduled", message, "default-scheduler", Some("vm"));
            }
            let phase = pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
            if phase != "Pending" {
                continue;
            }
            let live = self.api.get(Kind::Pod, &namespace, &name).unwrap();
            let init = spec.init_containers.iter().flatten().map(|container| (container, "initContainers"));
            let main = spec.containers.iter().map(|container| (container, "containers"));
            for (container, field) in init.chain(main) {
                let image = container.image.clone().unwrap_or_default();
                let key = (node.clone(), image.clone());
                let size = if image.starts_with("busybox") { 179_638_855 } else { 215_239_003 };
                let path = format!("spec.{field}{{{}}}", container.name);
                let main = Some(path.as_str());
                let host = Some(node.as_str());
                if self.pulled.contains(&key) {
                    let message = format!(
                        "Container image \"{image}\" already present on machine and can be accessed by the pod"
                    );
                    self.event(&live, main, "Pulled", message, "kubelet", host);
                } else {
                    self.pulled.push(key);
                    self.event(&live, main, "Pulling", format!("Pulling image \"{image}\""), "kubelet", host);
                    self.now += std::time::Duration::from_millis(1200);
                    let message = format!(
                        "Successfully pulled image \"{image}\" in 1.32s (1.32s including waiting). Image size: {size} bytes."
                    );
                    self.event(&live, main, "Pulled", message, "kubelet", host);
                }
                self.event(&live, main, "Created", "Container created".to_owned(), "kubelet", host);
                self.event(&live, main, "Started", "Container started".to_owned(), "kubelet", host);
            }
            self.logs.started.insert(name.clone(), self.now);
            let time = self.epoch.timestamp_secs(self.now).to_string();
            let index = ["cp-1", "gpu-1", "gpu-2", "gpu-3", "cpu-1"].iter().position(|n| *n == node).unwrap();
            let ip = format!("10.244.{index}.{}", self.next_ip);
            self.next_ip += 1;
            let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": time, "observedGeneration": 1});
            let statuses: Vec<_> = spec
                .containers
                .iter()
                .map(|container| {
                    let mounts: Vec<_> = container
                        .volume_mounts
                        .iter()
                        .flatten()
                        .map(|mount| {
                            json!({"mountPath": mount.mount_path, "name": mount.name, "readOnly": true,
                                "recursiveReadOnly": "Disabled"})
                        })
                        .collect();
                    let image = container.image.clone().unwrap_or_default();
                    let hash = if image.starts_with("busybox") {
                        "ab512471e34f10e894cfa69eec441e1412a1c418f681cdb04b15c219c8b1dd67"
                    } else {
                        "cd4495bb73de9b01bf009710b80ecf4be2d298db47492f4e9e7d0b04981c4614"
                    };
                    let repository = image.split(':').next().unwrap_or_default().to_owned();
                    let registry = if image.contains('/') { "" } else { "docker.io/library/" };
                    let mut status = json!({
                        "name": container.name, "image": format!("{registry}{image}"),
                        "imageID": format!("{registry}{repository}@sha256:{hash}"),
                        "containerID": format!("containerd://{}", "0".repeat(64)),
                        "ready": true, "started": true, "restartCount": 0, "state": {"running": {"startedAt": time}},
                        "resources": container.resources.clone().unwrap_or_default(), "volumeMounts": mounts,
                        "user": {"linux": {"uid": 0, "gid": 0, "supplementalGroups": [0]}},
                    });
                    if let Some(requests) = container.resources.as_ref().and_then(|r| r.requests.clone()) {
                        status["allocatedResources"] = json!(requests);
                    }
                    status
                })
                .collect();
            let init: Vec<_> = spec
                .init_containers
                .iter()
                .flatten()
                .map(|container| {
                    let image = container.image.clone().unwrap_or_default();
                    json!({
                        "name": container.name, "image": format!("docker.io/library/{image}"), "ready": true, "started": false,
                        "imageID": "docker.io/library/busybox@sha256:ab512471e34f10e894cfa69eec441e1412a1c418f681cdb04b15c219c8b1dd67",
                        "containerID": format!("containerd://{}", "0".repeat(64)), "restartCount": 0,
                        "state": {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": time, "finishedAt": time,
                            "containerID": format!("containerd://{}", "0".repeat(64))}},
                    })
                })
                .collect();
            let status = json!({
                "phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
                "hostIP": "10.20.0.11", "hostIPs": [{"ip": "10.20.0.11"}], "startTime": time,
                "observedGeneration": 1, "qosClass": pod.status.as_ref().and_then(|s| s.qos_class.clone()),
                "conditions": [condition("PodReadyToStartContainers"), condition("Initialized"), condition("Ready"),
                    condition("ContainersReady"), condition("PodScheduled")],
                "containerStatuses": statuses, "initContainerStatuses": init,
            });
            let status = serde_json::from_value(status).unwrap();
            self.api.update_status::<Pod>(&namespace, &name, |pod| pod.status = Some(status)).unwrap();
        }
    }

    fn at(&mut self, seconds: f64) {
        let millis = BEFORE * 1000 + (seconds * 1000.0) as u64;
        self.now = self.now.max(SimTime::from_millis(millis));
        self.api.set_now(self.now);
        self.logs.now = self.now;
        let started = |pod: &Pod| {
            let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0.as_second());
            created.is_some_and(|created| self.epoch.timestamp(self.now).as_second() - created >= 2)
        };
        if self.api.iter::<Pod>().all(|pod| started(pod)) {
            self.settle();
        }
    }

    fn kubectl(&mut self, args: Vec<String>, stdin: &str, seconds: u32) -> (String, String, i32) {
        let mut kubectl = Kubectl::new(args);
        let (mut input, mut out, mut err) = (stdin.as_bytes().to_vec(), Vec::new(), Vec::new());
        let mut code = 124;
        for _ in 0..seconds * 10 {
            self.logs.now = self.now;
            let mut ctx = Context {
                api: &mut self.api,
                files: &mut self.files,
                cwd: "/root",
                config: &mut self.config,
                now: self.now,
                epoch: self.epoch,
                logs: &self.logs,
            };
            let mut io = Io { stdin: &mut input, stdin_closed: true, stdout: &mut out, stderr: &mut err };
            match kubectl.step(&mut ctx, &mut io) {
                ProcessStep::Exit(exit) => {
                    code = i32::from(exit);
                    break;
                }
                ProcessStep::Until(until) => {
                    self.now = self.now.max(until);
                    self.api.set_now(self.now);
                }
                _ => {
                    self.now += std::time::Duration::from_millis(100);
                    self.api.set_now(self.now);
                    let leaving = self.api.iter::<Pod>().any(|pod| pod.metadata.deletion_timestamp.is_some());
                    if leaving {
                        self.settle();
                    }
                }
            }
        }
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), code)
    }
}

/// The words of a simple command; `None` if the shell has more to do.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut open) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                open = true;
                word.extend(chars.by_ref().take_while(|c| *c != '\''));
            }
            '"' => {
                open = true;
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' if matches!(chars.peek(), Some('"' | '\\' | '$')) => word.extend(chars.next()),
                        '$' | '`' => return None,
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.extend(chars.next()),
            ' ' => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            '|' | ';' | '&' | '<' | '>' | '$' | '`' | '(' => return None,
            c => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    Some(words)
}

/// Takes out what no two runs share: ages, times, uids, addresses, drawn suffixes, versions.
fn normalise(text: &str) -> String {
    let rules = [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
        (r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000)?", "<time>"),
        (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000", "<time>"),
        (r"containerd://[0-9a-f]{64}", "<cid>"),
        (r#"(resourceVersion\\?"?:? *\\?"?)\d+"#, "${1}<rv>"),
        (r"(Resource Version: +)\d+", "${1}<rv>"),
        (r"10\.244\.\d+\.\d+", "<podip>"),
        (r"\b(\d+[ydhms]){1,2} \(x\d+ over \S+\)", "<age>"),
        (r"(^|[^\w.:/=-])(\d+[ydhms]){1,2}($|[^\w/:-])", "${1}<age>${3}"),
        (r"(^|[^\w.:/=-])(\d+[ydhms]){1,2}($|[^\w/:-])", "${1}<age>${3}"),
        (r"gpu-[12]\b", "<h100-node>"),
        (r"cpu-1\b", "<h100-node>"),
        (r"10\.20\.0\.\d+", "<hostip>"),
        (r"zone-[ab]", "<zone>"),
        (r"in [0-9.]+m?s \([0-9.]+m?s including waiting\)", "in <d>"),
        // Digests and sizes of images are the recording registry's own.
        (r"sha256:[0-9a-f]{64}", "<digest>"),
        (r"Image size: \d+ bytes", "Image size: <n> bytes"),
        (r"(Machine ID|System UUID|Boot ID): .*", "${1}: <id>"),
        (r"\.18[0-9a-f]{14}\b", ".<ev>"),
        (r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-<r>"),
        (r" {2,}", " "),
        (r" +\n", "\n"),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}

/// Whether a step's difference comes of kinds, components or commands that are not there.
fn is_left_out(step: &Step, stderr: &str) -> bool {
    const ABSENT: [&str; 10] = [
        "not modelled",
        "the server doesn't have a resource type",
        "no matches for kind",
        "kubectl create deployment",
        "kubectl create job",
        "kubectl create secret",
        "unknown subcommand",
        "kubectl explain",
        "--help",
        "create cronjob",
    ];
    let ours = ABSENT[..3].iter().any(|text| stderr.contains(text) && !step.stderr.contains(text));
    let command = ABSENT[3..].iter().any(|text| step.cmd.contains(text));
    let shell = words(&step.cmd).is_none();
    ours || command || shell
}

#[derive(Default)]
struct Tally {
    agree: usize,
    differ: Vec<String>,
    left_out: usize,
}

fn replay(name: &str, tally: &mut Tally) {
    let path = format!("{}/tests/fixtures/kubectl/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let scenario: Scenario = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut world = World::new(&scenario);
    for (index, step) in scenario.steps.iter().enumerate() {
        world.at(step.t);
        for (file, content) in &step.files {
            world.files.put(&format!("/root/{file}"), content.as_bytes().to_vec(), world.now).unwrap();
        }
        if step.cmd.is_empty() {
            world.settle();
            continue;
        }
        if step.background {
            continue;
        }
        if let Some(rest) = step.cmd.strip_prefix("mkdir -p d && mv e.yaml f.yaml d && ") {
            for file in ["e.yaml", "f.yaml"] {
                world.files.create_dir_all("/root/d", world.now).unwrap();
                world.files.rename(&format!("/root/{file}"), &format!("/root/d/{file}"), world.now).unwrap();
            }
            compare(&mut world, name, index, step, rest, tally);
            continue;
        }
        let line = step.cmd.strip_prefix("timeout 2 ").or_else(|| step.cmd.strip_prefix("timeout 1 "));
        compare(&mut world, name, index, step, line.unwrap_or(&step.cmd), tally);
    }
}

fn compare(world: &mut World, name: &str, index: usize, step: &Step, line: &str, tally: &mut Tally) {
    let Some(mut words) = words(line).filter(|words| words.first().is_some_and(|word| word == "kubectl"))
    else {
        tally.left_out += 1;
        return;
    };
    words.remove(0);
    world.deployment(&step.stdin);
    let seconds = match step.cmd.strip_prefix("timeout ") {
        Some(rest) => rest[..1].parse().unwrap(),
        None => 60,
    };
    let (out, err, code) = world.kubectl(words, &step.stdin, seconds);
    let expected = (normalise(&step.stdout), normalise(&step.stderr), step.rc);
    let got = (normalise(&out), normalise(&err), code);
    if expected == got {
        tally.agree += 1;
    } else if is_left_out(step, &err)
        || is_left_out(step, &step.stderr.replace("doesn't have", "")) && err.contains("not modelled")
    {
        tally.left_out += 1;
    } else {
        tally.differ.push(format!(
            "=== {name}[{index}] $ {}\n--- expected rc {}\n{}{}--- got rc {}\n{}{}",
            step.cmd, expected.2, expected.0, expected.1, got.2, got.0, got.1
        ));
    }
}

/// Replays scenarios; prints how many steps agree, and the others if asked by `SHOW=NAME`.
fn check(names: &[&str], at_least: usize) {
    let mut tally = Tally::default();
    for name in names {
        let before = tally.differ.len();
        replay(name, &mut tally);
        if std::env::var("SHOW").is_ok_and(|wanted| name.starts_with(&wanted)) {
            for difference in &tally.differ[before..] {
                println!("{difference}");
            }
        }
        println!("{name}: {} differ", tally.differ.len() - before);
    }
    let all = tally.agree + tally.differ.len();
    println!("{} of {all} commands agree, {} left out", tally.agree, tally.left_out);
    assert!(tally.agree >= at_least, "{} agree, fewer than {at_least}", tally.agree);
}

#[test]
fn recorded_sessions_agree() {
    check(
        &[
            "101-get-empty",
            "102-get-not-found",
            "104-get-pods-outputs",
            "110-get-events",
            "114-get-namespaces",
            "214-life-gated",
            "301-describe-gpu-pod",
            "302-describe-node",
            "305-describe-ns-quota",
            "401-apply-basic",
            "402-apply-over-create",
            "404-create-errors",
            "405-run",
            "408-label-annotate",
            "413-patch-replace",
            "414-delete",
            "420-config",
            "501-yaml-syntax",
            "502-type-meta",
            "504-names-labels",
            "505-pod-spec",
            "510-conflict-immutable",
            "601-logs",
            "714-watch-selectors",
            "716-strict-edge",
            "801-get-file-subresource",
            "802-create-save-config",
            "805-describe-volumes",
            "810-event-objects",
            "811-pod-finalizer",
            "813-patch-directives",
            "816-pod-update-rules",
            "817-age-format",
            "819-status-column",
            "820-status-init",
        ],
        539,
    );
}

#[test]
fn a_simple_shell_line_is_cut_into_its_words() {
    assert_eq!(
        words("kubectl get 'a b' \"c\\\"d\" e\\ f").unwrap(),
        ["kubectl", "get", "a b", "c\"d", "e f"]
    );
    assert!(words("a | b").is_none());
}
