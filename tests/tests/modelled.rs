//! The page "What is modelled" is made from the code, so that it cannot say more than is true.
//!
//! This test makes the page and compares. With `CLUSTERLAB_UPDATE=1` in the environment it writes the page instead; then
//! bring the translation up to date (`cargo run -p xtask-site -- messages --root .`).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use clusterlab::hardware::{GpuModel, SystemModel};
use clusterlab::kube::api::{ApiServer, Kind, ListOptions, Object};
use clusterlab::kube::kubectl::{Context, KubeConfig, Kubectl, NoLogs};
use clusterlab::kube::scheduler::{Outcome, Scheduler, SchedulerConfiguration};
use clusterlab::lab::{Lab, LabSpec};
use clusterlab::process::files::Files;
use clusterlab::process::{Io, Step};
use clusterlab::sim::{Epoch, Seed, SimTime};

#[test]
fn the_page_of_what_is_modelled_is_true() {
    clusterlab_tests::assert_page(&page(), "reference/modelled.md", "modelled");
}

const HEAD: &str = "\
# What is modelled

This page is made from the code by a test, and is therefore as true as the code. What it does not name is not there: it
answers with the real system's error, or with a text that begins `not modelled: `.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    kinds(&mut page);
    kubectl(&mut page);
    pod_fields(&mut page);
    plugins(&mut page);
    hardware(&mut page);
    page
}

fn kinds(page: &mut String) {
    *page += "\n## Kinds\n\nThe API is that of Kubernetes 1.36. These kinds can be created, read, changed, watched and deleted:\n\n";
    *page +=
        "| Kind | API version | Resource | Short name | In a namespace |\n| --- | --- | --- | --- | --- |\n";
    for kind in Kind::ALL {
        let info = kind.info();
        let short = code(info.short_names.iter().copied());
        let (version, plural) = (info.api_version(), info.plural);
        let _ = writeln!(
            page,
            "| `{}` | `{version}` | `{plural}` | {short} | `{}` |",
            info.kind, info.namespaced
        );
    }
}

fn code<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Runs kubectl against an empty cluster; gives everything it printed.
fn run_kubectl(arguments: &[&str]) -> String {
    let mut api = ApiServer::new(Epoch::default(), Seed::default());
    let mut world = Context {
        api: &mut api,
        files: &mut Files::default(),
        cwd: "/",
        config: &mut KubeConfig::default(),
        now: SimTime::ZERO,
        epoch: Epoch::default(),
        logs: &NoLogs,
    };
    let (mut stdin, mut stdout, mut stderr) = (Vec::new(), Vec::new(), Vec::new());
    let mut io = Io { stdin: &mut stdin, stdin_closed: true, stdout: &mut stdout, stderr: &mut stderr };
    let step = Kubectl::new(arguments.iter().copied()).step(&mut world, &mut io);
    assert!(matches!(step, Step::Exit(_)), "kubectl {arguments:?} waits");
    String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()
}

fn kubectl(page: &mut String) {
    let help = run_kubectl(&["--help"]);
    // A command of the list stands behind two spaces, its description behind more.
    let commands: BTreeSet<&str> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 20, "kubectl --help lists {commands:?}");
    let (missing, there): (Vec<&str>, Vec<&str>) =
        commands.into_iter().partition(|name| run_kubectl(&[name]).contains("not modelled: kubectl"));
    *page += "\n## kubectl\n\nIt prints what kubectl 1.36 prints. These commands are there:\n\n";
    let _ = writeln!(page, "{}\n", code(there));
    if !missing.is_empty() {
        *page += "These are not there yet:\n\n";
        let _ = writeln!(page, "{}", code(missing));
    }
}

/// Parts of a pod: what is shown, and what is added to the pod's spec and to its container.
const PARTS: &[(&str, &str, &str)] = &[
    ("nodeName", "nodeName: gpu-1", ""),
    ("nodeSelector", "nodeSelector: {kubernetes.io/hostname: gpu-1}", ""),
    (
        "affinity.nodeAffinity",
        "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: a, operator: Exists}]}}]}}",
        "",
    ),
    (
        "affinity.podAffinity",
        "affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {a: b}}}}]}}",
        "",
    ),
    (
        "affinity.podAntiAffinity",
        "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {a: b}}}]}}",
        "",
    ),
    (
        "topologySpreadConstraints",
        "topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {a: b}}}]",
        "",
    ),
    ("tolerations", "tolerations: [{key: a, operator: Exists}]", ""),
    ("schedulingGates", "schedulingGates: [{name: example.com/wait}]", ""),
    ("priorityClassName", "priorityClassName: system-node-critical", ""),
    ("initContainers", "initContainers: [{name: init, image: 'busybox:1.36', command: ['true']}]", ""),
    ("restartPolicy", "", ""),
    ("activeDeadlineSeconds", "activeDeadlineSeconds: 5", ""),
    ("terminationGracePeriodSeconds", "terminationGracePeriodSeconds: 5", ""),
    ("containers[].env", "", "env: [{name: A, value: b}]"),
    (
        "containers[].env[].valueFrom.fieldRef",
        "",
        "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
    ),
    (
        "containers[].env[].valueFrom.configMapKeyRef",
        "",
        "env: [{name: A, valueFrom: {configMapKeyRef: {name: a, key: k}}}]",
    ),
    (
        "containers[].env[].valueFrom.secretKeyRef",
        "",
        "env: [{name: A, valueFrom: {secretKeyRef: {name: a, key: k}}}]",
    ),
    ("containers[].envFrom[].configMapRef", "", "envFrom: [{configMapRef: {name: a}}]"),
    ("containers[].envFrom[].secretRef", "", "envFrom: [{secretRef: {name: a}}]"),
    ("containers[].resources", "", "resources: {limits: {nvidia.com/gpu: 1, cpu: 1, memory: 1Gi}}"),
    ("containers[].livenessProbe", "", "livenessProbe: {exec: {command: ['true']}}"),
    ("containers[].readinessProbe", "", "readinessProbe: {exec: {command: ['true']}}"),
    ("containers[].startupProbe", "", "startupProbe: {exec: {command: ['true']}}"),
    ("containers[].lifecycle", "", "lifecycle: {preStop: {exec: {command: ['true']}}}"),
    ("volumes[].emptyDir", "volumes: [{name: v, emptyDir: {}}]", "volumeMounts: [{name: v, mountPath: /v}]"),
    (
        "volumes[].configMap",
        "volumes: [{name: v, configMap: {name: a}}]",
        "volumeMounts: [{name: v, mountPath: /v}]",
    ),
    (
        "volumes[].secret",
        "volumes: [{name: v, secret: {secretName: a}}]",
        "volumeMounts: [{name: v, mountPath: /v}]",
    ),
    (
        "volumes[].hostPath",
        "volumes: [{name: v, hostPath: {path: /tmp}}]",
        "volumeMounts: [{name: v, mountPath: /v}]",
    ),
    (
        "volumes[].downwardAPI",
        "volumes: [{name: v, downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}]",
        "volumeMounts: [{name: v, mountPath: /v}]",
    ),
    (
        "volumes[].nfs",
        "volumes: [{name: v, nfs: {server: a, path: /}}]",
        "volumeMounts: [{name: v, mountPath: /v}]",
    ),
    (
        "volumes[].persistentVolumeClaim",
        "volumes: [{name: v, persistentVolumeClaim: {claimName: a}}]",
        "volumeMounts: [{name: v, mountPath: /v}]",
    ),
    ("resourceClaims", "resourceClaims: [{name: a, resourceClaimName: a}]", ""),
];

fn pod_fields(page: &mut String) {
    *page += "\n## Pods\n\nEach of these parts of a pod's `spec` was put into a pod, and the pod into a cluster. What is marked ✓ \
              takes effect; anything else shows what the cluster said of it. Parts that are not in the list are checked and \
              kept, and have no effect.\n\n| Part | |\n| --- | --- |\n";
    for (path, spec, container) in PARTS {
        let answer = said_of(spec, container).map_or_else(|| "✓".to_owned(), |said| format!("`{said}`"));
        let _ = writeln!(page, "| `{path}` | {answer} |");
    }
}

/// Runs a pod with these parts; gives what the cluster calls not modelled.
fn said_of(spec: &str, container: &str) -> Option<String> {
    let manifests = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{k: v}}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {{name: probe}}\nspec:\n  restartPolicy: Never\n  {spec}\n  \
         containers:\n  - name: main\n    image: busybox:1.36\n    command: ['true']\n    {container}\n"
    );
    let lab = LabSpec {
        nodes: LabSpec::from_yaml("nodes: [{name: gpu-1, system: dgx-h100}]").unwrap().nodes,
        manifests,
        ..LabSpec::default()
    };
    let mut lab = match Lab::new(lab) {
        Ok(lab) => lab,
        Err(error) => return Some(error.to_string().lines().next().unwrap_or_default().to_owned()),
    };
    lab.advance(Duration::from_secs(120));
    let mut texts: Vec<String> =
        lab.why("default", "probe").iter().map(|attempt| attempt.message.clone()).collect();
    let events = lab.api().list(Kind::Event, "", &ListOptions::default()).unwrap();
    texts.extend(events.items.iter().filter_map(|event| match event {
        Object::Event(event) => event.message.clone(),
        _ => None,
    }));
    let said = texts.iter().find_map(|text| text.find("not modelled").map(|at| text[at..].to_owned()));
    // What no node takes has no effect either.
    let last = lab.why("default", "probe").last().filter(|last| last.outcome == Outcome::Unschedulable);
    let waits = || last.map(|attempt| attempt.message.clone());
    let said = said.or_else(waits)?;
    Some(said.lines().next().unwrap_or_default().to_owned())
}

fn plugins(page: &mut String) {
    *page += "\n## Scheduler\n\nThe default profile of kube-scheduler 1.36, in its order. A filter rules nodes out; a score \
              ranks those that are left, and is multiplied by the plugin's weight.\n\n";
    *page += "| Plugin | Filter | Score |\n| --- | --- | --- |\n";
    let scheduler = Scheduler::new(&SchedulerConfiguration::default()).unwrap();
    let profile = &scheduler.profiles()[0];
    let mark = |there: bool| if there { "✓" } else { "" };
    for (_, plugin) in profile.plugins() {
        let (filter, score) = (mark(plugin.filter().is_some()), mark(plugin.score().is_some()));
        let _ = writeln!(page, "| `{}` | {filter} | {score} |", plugin.name());
    }
}

fn hardware(page: &mut String) {
    *page += "\n## Machines\n\nA lab's spec names a system by the word in the first column.\n\n";
    *page += "| `system` | Product | GPUs | Driver | CUDA |\n| --- | --- | --- | --- | --- |\n";
    for system in SystemModel::ALL {
        let spec = system.spec();
        let gpus =
            spec.gpus.map_or_else(String::new, |(model, count)| format!("`{count} × {}`", model.spec().name));
        let (driver, cuda) = spec.driver;
        let driver = if spec.gpus.is_some() { format!("`{driver}` | `{cuda}`") } else { " | ".to_owned() };
        let _ = writeln!(page, "| `{}` | `{}` | {gpus} | {driver} |", system.id(), spec.product);
    }
    *page += "\nThese GPUs can be put into any machine:\n\n| GPU | Memory in MiB | Multiprocessors | Compute capability | \
              Power in W |\n| --- | --- | --- | --- | --- |\n";
    for model in GpuModel::ALL {
        let spec = model.spec();
        let (major, minor) = spec.compute_capability;
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {major}.{minor} | {} |",
            spec.name, spec.memory_mib, spec.sms, spec.tdp_w
        );
    }
}
