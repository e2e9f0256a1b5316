//! The whole way of a pod, through the facade.
#![cfg(feature = "lab")]

use std::time::Duration;

use clusterlab::lab::{Input, Lab, LabSpec, Output, Prompt, RestoreError, SavedLab};
use clusterlab::sim::SimTime;
use proptest::prelude::*;

const SPEC: &str = "
name: test
seed: 7
nodes:
- {name: gpu-1, system: dgx-h100}
- {name: cpu-1, system: server}
";

fn lab() -> Lab {
    Lab::new(LabSpec::from_yaml(SPEC).unwrap()).unwrap()
}

/// A pod of one container with `container` (flow YAML) beside its name.
fn pod(name: &str, policy: &str, container: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  restartPolicy: {policy}\n  \
         containers:\n  - {{name: main, {container}}}\n"
    )
}

const CUDA: &str = "image: 'nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04', command: [nvidia-smi], \
                    resources: {limits: {nvidia.com/gpu: 1}}";

fn apply(lab: &mut Lab, manifest: &str) -> Output {
    lab.write_file("pod.yaml", manifest);
    lab.run("kubectl apply -f pod.yaml")
}

fn get(lab: &mut Lab, pod: &str, path: &str) -> String {
    lab.run(&format!("kubectl get pod {pod} -o jsonpath={{{path}}}")).stdout
}

#[test]
fn a_cuda_pod_goes_from_a_manifest_to_the_output_of_nvidia_smi() {
    let mut lab = lab();
    let output = apply(&mut lab, &pod("cuda", "Never", CUDA));
    let shown = (output.stdout.as_str(), output.stderr.as_str(), output.exit_code);
    assert_eq!(shown, ("pod/cuda created\n", "", 0));
    lab.advance(Duration::from_secs(60));
    assert_eq!(get(&mut lab, "cuda", ".status.phase"), "Succeeded");
    assert_eq!(get(&mut lab, "cuda", ".spec.nodeName"), "gpu-1");
    let log = lab.run("kubectl logs cuda").stdout;
    assert_eq!(log.matches("NVIDIA H100 80GB HBM3").count(), 1, "one GPU was asked for:\n{log}");
    assert!(log.contains("|   0  NVIDIA H100 80GB HBM3"), "{log}");
    let events = lab.run("kubectl get events -o custom-columns=R:.reason --no-headers").stdout;
    assert!(!events.starts_with('R'), "no headers were asked for:\n{events}");
    for reason in ["Scheduled", "Pulling", "Pulled", "Created", "Started"] {
        assert!(events.contains(reason), "{reason} is missing:\n{events}");
    }
}

#[test]
fn a_pod_that_asks_for_more_gpus_than_any_node_has_says_why_it_waits() {
    let mut lab = lab();
    apply(&mut lab, &pod("big", "Never", &CUDA.replace("gpu: 1", "gpu: 9")));
    lab.advance(Duration::from_secs(5));
    assert_eq!(get(&mut lab, "big", ".status.phase"), "Pending");
    let described = lab.run("kubectl describe pod big").stdout;
    assert!(described.contains("0/2 nodes are available: 2 Insufficient nvidia.com/gpu."), "{described}");
    let why = lab.why("default", "big");
    assert!(!why.is_empty());
}

#[test]
fn gpus_are_granted_to_one_pod_at_a_time_and_come_back() {
    let mut lab = lab();
    let sleeper =
        |gpus: u32| CUDA.replace("[nvidia-smi]", "[sleep, '300']").replace("gpu: 1", &format!("gpu: {gpus}"));
    apply(&mut lab, &pod("five", "Never", &sleeper(5)));
    apply(&mut lab, &pod("four", "Never", &sleeper(4)));
    lab.advance(Duration::from_secs(60));
    assert_eq!(get(&mut lab, "five", ".status.phase"), "Running");
    assert_eq!(get(&mut lab, "four", ".status.phase"), "Pending");
    assert_eq!((0..8).filter(|gpu| lab.kubelets().gpu_holder("gpu-1", *gpu).is_some()).count(), 5);
    assert_eq!(lab.run("kubectl delete pod five").stdout, "pod \"five\" deleted from default namespace\n");
    lab.advance(Duration::from_secs(60));
    assert_eq!(get(&mut lab, "four", ".status.phase"), "Running");
    assert_eq!((0..8).filter(|gpu| lab.kubelets().gpu_holder("gpu-1", *gpu).is_some()).count(), 4);
}

#[test]
fn a_container_that_ends_again_and_again_backs_off_ten_twenty_forty_seconds() {
    let mut lab = lab();
    apply(&mut lab, &pod("crash", "Always", "image: 'busybox:1.36', command: [sh, -c, 'exit 3']"));
    let mut restarts = Vec::new();
    for _ in 0..200 {
        lab.advance(Duration::from_secs(1));
        let count = get(&mut lab, "crash", ".status.containerStatuses[0].restartCount");
        if restarts.last().is_none_or(|(_, last)| *last != count) {
            restarts.push((lab.now().as_secs(), count));
        }
    }
    let times: Vec<u64> = restarts.iter().map(|(at, _)| *at).collect();
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // The first restart comes at once, then 10, 20, 40, 80 s after each exit.
    let expected = [10, 20, 40, 80];
    for (gap, expected) in gaps.iter().rev().take(4).rev().zip(expected) {
        assert!(gap.abs_diff(expected) <= 2, "{gaps:?}");
    }
    assert_eq!(
        get(&mut lab, "crash", ".status.containerStatuses[0].state.waiting.reason"),
        "CrashLoopBackOff"
    );
    assert_eq!(get(&mut lab, "crash", ".status.containerStatuses[0].lastState.terminated.exitCode"), "3");
}

#[test]
fn an_image_that_is_not_there_goes_from_err_image_pull_to_back_off() {
    let mut lab = lab();
    apply(&mut lab, &pod("badimg", "Never", "image: 'registry.example.com/team/does-not-exist:v1'"));
    let mut reasons = Vec::new();
    for _ in 0..40 {
        lab.advance(Duration::from_millis(250));
        let reason = get(&mut lab, "badimg", ".status.containerStatuses[0].state.waiting.reason");
        if reasons.last() != Some(&reason) {
            reasons.push(reason);
        }
    }
    assert_eq!(
        reasons.iter().filter(|r| !r.is_empty()).collect::<Vec<_>>(),
        ["ContainerCreating", "ErrImagePull", "ImagePullBackOff"]
    );
    assert_eq!(
        lab.run("kubectl logs badimg").stderr,
        "Error from server (BadRequest): container \"main\" in pod \"badimg\" is waiting to start: trying and failing \
         to pull image\n"
    );
}

#[test]
fn a_program_that_is_not_in_the_image_fails_with_127_in_a_shell_and_as_a_start_error_without() {
    let mut lab = lab();
    apply(&mut lab, &pod("typo", "Never", "image: 'busybox:1.36', command: [sh, -c, 'nvidia-smo']"));
    apply(&mut lab, &pod("noexec", "Never", "image: 'busybox:1.36', command: [/nosuch]"));
    lab.advance(Duration::from_secs(30));
    let ended = ".status.containerStatuses[0].state.terminated";
    assert_eq!(get(&mut lab, "typo", &format!("{ended}.exitCode")), "127");
    assert_eq!(get(&mut lab, "typo", ".status.phase"), "Failed");
    assert_eq!(get(&mut lab, "noexec", &format!("{ended}.reason")), "StartError");
    assert_eq!(get(&mut lab, "noexec", &format!("{ended}.exitCode")), "128");
}

#[test]
fn a_container_that_takes_more_memory_than_its_limit_is_killed() {
    let check = |limit: &str, reason: &str, code: &str| {
        let mut lab = lab();
        let container = format!(
            "image: 'nvcr.io/nvidia/pytorch:25.06-py3', command: [sh, -c, 'python train.py --device cpu --epochs 1 --host-memory 4GiB; sleep 1'], \
             resources: {{limits: {{memory: {limit}}}}}"
        );
        apply(&mut lab, &pod("hungry", "Never", &container));
        lab.advance(Duration::from_secs(900));
        let ended = ".status.containerStatuses[0].state.terminated";
        let found = [".reason", ".exitCode"].map(|path| get(&mut lab, "hungry", &format!("{ended}{path}")));
        assert_eq!(found, [reason, code], "{limit}");
    };
    check("8Gi", "Completed", "0");
    check("2Gi", "OOMKilled", "137");
}

#[test]
fn init_containers_run_one_by_one_and_share_an_empty_dir_with_the_main_container() {
    let mut lab = lab();
    apply(
        &mut lab,
        "
apiVersion: v1
kind: Pod
metadata: {name: staged}
spec:
  restartPolicy: Never
  volumes: [{name: data, emptyDir: {}}]
  initContainers:
  - name: one
    image: busybox:1.36
    command: [sh, -c, 'sleep 2; echo one > /data/order']
    volumeMounts: [{name: data, mountPath: /data}]
  - name: two
    image: busybox:1.36
    command: [sh, -c, 'echo two >> /data/order']
    volumeMounts: [{name: data, mountPath: /data}]
  containers:
  - name: main
    image: busybox:1.36
    command: [cat, /in/order]
    volumeMounts: [{name: data, mountPath: /in}]
",
    );
    lab.advance(Duration::from_secs(30));
    assert_eq!(lab.run("kubectl logs staged").stdout, "one\ntwo\n");
    assert_eq!(get(&mut lab, "staged", ".status.phase"), "Succeeded");
}

#[test]
fn a_failed_container_is_explained_by_its_log_where_its_policy_says_so() {
    let fallback = "terminationMessagePolicy: FallbackToLogsOnError";
    let file = "echo noted > /dev/termination-log";
    let many = "for i in $(seq 100); do echo $i; done; exit 1";
    let end: String = (21..=100).map(|i| format!("{i}\n")).collect();
    let mut lab = lab();
    for (name, policy, script, expected) in [
        ("fallback", fallback, "echo broken; exit 3", "broken\n"),
        ("succeeded", fallback, "echo fine", ""),
        ("by-file", fallback, &format!("echo broken; {file}; exit 3"), "noted\n"),
        ("file-only", "terminationMessagePolicy: File", "echo broken; exit 3", ""),
        ("long-log", fallback, many, end.as_str()),
    ] {
        let container = format!("image: 'busybox:1.36', command: [sh, -c, '{script}'], {policy}");
        apply(&mut lab, &pod(name, "Never", &container));
        lab.advance(Duration::from_secs(60));
        let message = get(&mut lab, name, ".status.containerStatuses[0].state.terminated.message");
        assert_eq!(message, expected, "{name}");
    }
}

#[test]
fn parts_of_a_container_that_have_no_effect_are_named_in_an_event() {
    let mut lab = lab();
    let container = "image: 'busybox:1.36', command: ['true'], stdin: true, tty: true, \
                     volumeMounts: [{name: v, mountPath: /v, subPath: part}]";
    let manifest = pod("parts", "Never", container) + "  volumes: [{name: v, emptyDir: {}}]\n";
    apply(&mut lab, &manifest);
    lab.advance(Duration::from_secs(60));
    let events = lab.run("kubectl get events -o custom-columns=M:.message --no-headers").stdout;
    assert!(events.contains("not modelled: volumeMounts.subPath, stdin, tty\n"), "{events}");
}

#[test]
fn deleting_a_pod_waits_out_its_grace_period_if_the_process_does_not_listen() {
    let mut lab = lab();
    let deaf = "image: 'busybox:1.36', command: [sh, -c, 'sleep infinity']";
    apply(&mut lab, &pod("deaf", "Always", deaf));
    lab.advance(Duration::from_secs(30));
    let before = lab.now();
    assert_eq!(lab.run("kubectl delete pod deaf").exit_code, 0);
    let waited = lab.now() - before;
    assert!((30..=33).contains(&waited.as_secs()), "{waited:?}");
}

#[test]
fn a_no_execute_taint_puts_out_the_pods_that_do_not_tolerate_it() {
    let mut lab = lab();
    let sleeper =
        "image: 'ubuntu:22.04', command: [sleep, '100000'], resources: {limits: {nvidia.com/gpu: 1}}";
    apply(&mut lab, &pod("plain", "Never", sleeper));
    let patient = pod("patient", "Never", sleeper).replace(
        "spec:\n",
        "spec:\n  tolerations: [{key: maintenance, operator: Exists, effect: NoExecute, tolerationSeconds: 120}]\n",
    );
    apply(&mut lab, &patient);
    lab.advance(Duration::from_secs(30));
    lab.run("kubectl taint nodes gpu-1 maintenance=soon:NoExecute");
    lab.advance(Duration::from_secs(60));
    assert_eq!(lab.run("kubectl get pods -o name").stdout, "pod/patient\n");
    let events = lab.run("kubectl get events --field-selector=reason=TaintManagerEviction").stdout;
    assert!(events.contains("Marking for deletion Pod default/plain"), "{events}");
    assert!(!events.contains("default/patient"), "{events}");
    // Its two minutes are not over, and the taint goes: it may stay.
    lab.run("kubectl taint nodes gpu-1 maintenance-");
    lab.advance(Duration::from_secs(600));
    assert_eq!(get(&mut lab, "patient", ".status.phase"), "Running");
    let events = lab.run("kubectl get events --field-selector=reason=TaintManagerEviction").stdout;
    assert!(events.contains("Cancelling deletion of Pod default/patient"), "{events}");
    // Now they are.
    lab.run("kubectl taint nodes gpu-1 maintenance=now:NoExecute");
    lab.advance(Duration::from_secs(119));
    assert_eq!(get(&mut lab, "patient", ".metadata.deletionTimestamp"), "");
    lab.advance(Duration::from_secs(2));
    assert_ne!(get(&mut lab, "patient", ".metadata.deletionTimestamp"), "");
}

#[test]
fn a_saved_lab_is_restored_to_the_same_digest_and_continues_to_the_same_one() {
    let mut lab = lab();
    apply(&mut lab, &pod("cuda", "Always", CUDA));
    lab.advance(Duration::from_millis(12_345));
    let saved = SavedLab::from_json(&lab.save().to_json()).unwrap();
    let mut restored = Lab::restore(&saved).unwrap();
    assert_eq!(restored.digest(), lab.digest());
    for lab in [&mut lab, &mut restored] {
        lab.run("kubectl delete pod cuda");
        lab.advance(Duration::from_secs(100));
    }
    assert_eq!(restored.digest(), lab.digest());
    assert_eq!(restored.now(), lab.now());
}

#[test]
fn a_damaged_saved_lab_is_refused_with_its_place_and_a_changed_one_by_its_digest() {
    let mut lab = lab();
    apply(&mut lab, &pod("cuda", "Never", CUDA));
    let json = lab.save().to_json();
    for cut in (0..json.len() - 1).step_by(97).filter(|cut| json.is_char_boundary(*cut)) {
        let error = SavedLab::from_json(&json[..cut]).unwrap_err();
        assert!(error.to_string().starts_with("not a saved lab: "), "{error}");
    }
    let changed = SavedLab::from_json(&json.replace("kubectl apply", "kubectl create")).unwrap();
    assert!(matches!(Lab::restore(&changed), Err(RestoreError::Digest { .. })));
    let mut other = lab.save();
    other.format = "clusterlab/0".to_owned();
    assert!(matches!(Lab::restore(&other), Err(RestoreError::Format { .. })));
}

#[test]
fn rewinding_shows_the_past_and_the_future_stays_until_something_new_is_typed() {
    let mut lab = lab();
    apply(&mut lab, &pod("cuda", "Never", CUDA));
    lab.advance(Duration::from_secs(60));
    let (end, digest) = (lab.now(), lab.digest());
    lab.rewind(SimTime::from_millis(200));
    assert_eq!(lab.now(), SimTime::from_millis(200));
    let pending = lab.api().read::<k8s_openapi::api::core::v1::Pod>("default", "cuda").unwrap();
    assert_eq!(pending.status.as_ref().unwrap().phase.as_deref(), Some("Pending"));
    lab.advance_to(end);
    assert_eq!(lab.digest(), digest);
    lab.rewind(SimTime::from_millis(200));
    lab.run("kubectl delete pod cuda --now");
    lab.advance_to(end);
    assert_ne!(lab.digest(), digest);
}

#[test]
fn undo_takes_back_the_last_input_only() {
    let mut lab = lab();
    apply(&mut lab, &pod("cuda", "Never", CUDA));
    let digest = lab.digest();
    lab.run("kubectl delete pod cuda --wait=false");
    assert!(lab.undo());
    assert_eq!(lab.digest(), digest);
    assert_eq!(lab.inputs().len(), 2);
    assert!(lab.undo() && lab.undo() && !lab.undo());
    assert_eq!(lab.digest(), self::lab().digest());
}

#[test]
fn a_script_that_never_ends_is_interrupted_and_the_lab_goes_on() {
    let mut lab = lab();
    for script in ["while true; do :; done", "while true; do echo x; done", "yes", "sleep infinity", "cat"] {
        let output = lab.run(script);
        assert_eq!(output.exit_code, 130, "{script}");
        assert_eq!(lab.run("echo alive").stdout, "alive\n", "after {script}");
    }
    apply(
        &mut lab,
        &pod("busy", "Never", "image: 'busybox:1.36', command: [sh, -c, 'while true; do :; done']"),
    );
    lab.advance(Duration::from_secs(600));
    assert_eq!(get(&mut lab, "busy", ".status.phase"), "Running");
}

#[test]
fn a_watch_that_nothing_more_happens_to_is_interrupted() {
    let mut lab = lab();
    apply(&mut lab, &pod("cuda", "Never", CUDA));
    let output = lab.run("kubectl get pods -w");
    assert!(output.stdout.contains("Completed"), "{}", output.stdout);
    assert!(matches!(lab.prompt(), Prompt::Ready(_)));
}

#[test]
fn the_digest_of_a_fixed_scenario_is_the_same_on_every_platform() {
    let mut lab = lab();
    apply(&mut lab, &pod("cuda", "Never", CUDA));
    apply(
        &mut lab,
        &pod("crash", "Always", "image: 'busybox:1.36', command: [sh, -c, 'echo $RANDOM; exit 3']"),
    );
    lab.run("kubectl get pods -o wide; kubectl describe node gpu-1 | head -n 30");
    lab.advance(Duration::from_secs(300));
    lab.run("kubectl delete pods --all; kubectl get events");
    // The WebAssembly tests and the page compare with the same text.
    insta::assert_snapshot!(lab.digest());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_same_inputs_come_to_the_same_digest_however_the_clock_is_moved(
        inputs in prop::collection::vec((0u64..20_000, prop::sample::select(vec![
            "kubectl apply -f pod.yaml", "kubectl get pods", "kubectl delete pod cuda --wait=false",
            "kubectl get pods -w", "echo a | grep a", "for i in 1 2; do sleep 1; done", "kubectl nonsense",
        ])), 1..8),
        slices in prop::collection::vec(1u64..7_000, 1..6),
    ) {
        let run = |slices: &[u64]| {
            let mut lab = lab();
            lab.write_file("pod.yaml", &pod("cuda", "OnFailure", CUDA));
            let mut at = SimTime::ZERO;
            for (wait, line) in &inputs {
                at += Duration::from_millis(*wait);
                while lab.now() < at && !slices.is_empty() {
                    for slice in slices {
                        let next = lab.now() + Duration::from_millis(*slice);
                        lab.advance_to(next.min(at));
                    }
                }
                lab.advance_to(at);
                lab.interrupt();
                lab.input(Input::Line((*line).to_owned()));
            }
            lab.advance_to(at + Duration::from_secs(30));
            lab
        };
        let whole = run(&[]);
        prop_assert_eq!(whole.digest(), run(&slices).digest());
        let restored = Lab::restore(&whole.save()).unwrap();
        prop_assert_eq!(restored.digest(), whole.digest());
    }
}
