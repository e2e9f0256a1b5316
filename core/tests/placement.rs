//! What holds of every placement, whatever is asked for and in whichever order.
#![cfg(feature = "lab")]

use std::collections::BTreeMap;
use std::time::Duration;

use clusterlab::kube::scheduler::{Attempt, Scheduler, SchedulerConfiguration};
use clusterlab::lab::view::LabView;
use clusterlab::lab::{Lab, LabSpec};
use clusterlab::sim::SimTime;
use k8s_openapi::api::core::v1::{Node, Pod};
use proptest::prelude::*;
use serde_json::{from_value, json};

/// Something that a learner does.
#[derive(Clone, Debug)]
enum Deed {
    Create { gpus: u8, ends: bool, urgent: bool },
    Delete(u8),
    Wait(u8),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0_u8..10, any::<bool>(), any::<bool>())
            .prop_map(|(gpus, ends, urgent)| Deed::Create { gpus, ends, urgent }),
        1 => (0_u8..12).prop_map(Deed::Delete),
        2 => (1_u8..90).prop_map(Deed::Wait),
    ]
}

const SPEC: &str = "
nodes:
- {name: gpu-1, system: dgx-h100}
- {name: gpu-2, system: l40s-server}
manifests: |
  apiVersion: scheduling.k8s.io/v1
  kind: PriorityClass
  metadata: {name: urgent}
  value: 1000
";

/// No GPU has two pods, and a pod that runs has as many as it asked for.
fn check_gpus(lab: &Lab) {
    let view = LabView::of(lab);
    let mut holders: BTreeMap<(&str, u32), &str> = BTreeMap::new();
    for pod in view.pods.iter().filter(|pod| !matches!(pod.phase.as_str(), "Succeeded" | "Failed")) {
        let Some(node) = pod.node.as_deref() else {
            assert!(pod.gpus.is_empty(), "{} has GPUs without a node", pod.name);
            continue;
        };
        for gpu in &pod.gpus {
            let other = holders.insert((node, *gpu), &pod.name);
            assert_eq!(other, None, "GPU {gpu} of {node} has {} too", pod.name);
        }
        if pod.phase == "Running" {
            assert_eq!(pod.gpus.len() as u64, pod.gpus_requested, "{}", pod.name);
        }
    }
}

/// A node by its number; every one is different.
fn node(index: usize, taint: u8, busy: u8) -> Node {
    let taints = match taint {
        1 => json!([{"key": "soft", "effect": "PreferNoSchedule"}]),
        2 => json!([{"key": "hard", "effect": "NoSchedule"}]),
        _ => json!([]),
    };
    let amounts = json!({"cpu": format!("{}", 4 + busy), "memory": "64Gi", "pods": "110"});
    from_value(json!({
        "metadata": {"name": format!("n{index}"), "labels": {"kubernetes.io/hostname": format!("n{index}")}},
        "spec": {"taints": taints},
        "status": {"allocatable": amounts, "capacity": amounts},
    }))
    .expect("a node")
}

/// The first attempt to place a pod on these nodes, added in that order.
fn attempt(nodes: &[(usize, u8, u8)]) -> Attempt {
    let mut scheduler =
        Scheduler::new(&SchedulerConfiguration::default()).expect("the default configuration");
    for (index, taint, busy) in nodes {
        scheduler.add_node(node(*index, *taint, *busy));
    }
    let requests = json!({"cpu": "5", "memory": "1Gi"});
    let pod: Pod = from_value(json!({
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "resources": {"requests": requests}}]},
    }))
    .expect("a pod");
    scheduler.add_pod(pod);
    let decision = scheduler.schedule_one(SimTime::ZERO).expect("a pod waits");
    (*decision.attempt).clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_two_pods_have_one_gpu(deeds in proptest::collection::vec(deed(), 1..25)) {
        let mut lab = Lab::new(LabSpec::from_yaml(SPEC).unwrap()).unwrap();
        for (index, deed) in deeds.iter().enumerate() {
            match deed {
                Deed::Create { gpus, ends, urgent } => {
                    let seconds = if *ends { 40 } else { 100_000 };
                    let class = if *urgent { "priorityClassName: urgent" } else { "" };
                    let manifest = format!(
                        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{index}}}\nspec:\n  restartPolicy: Never\n  {class}\n  \
                         containers:\n  - {{name: c, image: 'ubuntu:22.04', command: [sleep, '{seconds}'], resources: \
                         {{limits: {{nvidia.com/gpu: {gpus}}}}}}}\n"
                    );
                    lab.write_file("pod.yaml", &manifest);
                    lab.run("kubectl apply -f pod.yaml");
                }
                Deed::Delete(index) => {
                    lab.run(&format!("kubectl delete pod p{index} --wait=false"));
                }
                Deed::Wait(seconds) => lab.advance(Duration::from_secs(u64::from(*seconds))),
            }
            check_gpus(&lab);
        }
    }
}

proptest! {
    #[test]
    fn verdicts_and_scores_do_not_depend_on_the_order_in_which_nodes_came(
        nodes in proptest::collection::vec((0_u8..3, 0_u8..6), 1..12),
        seed in any::<u64>(),
    ) {
        let nodes: Vec<(usize, u8, u8)> =
            nodes.into_iter().enumerate().map(|(index, (taint, busy))| (index, taint, busy)).collect();
        let mut shuffled = nodes.clone();
        // Any other order will do.
        shuffled.sort_by_key(|(index, ..)| (*index as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let (one, other) = (attempt(&nodes), attempt(&shuffled));
        prop_assert_eq!(&one.filter, &other.filter);
        let scores = |attempt: &Attempt| -> BTreeMap<String, (Vec<i64>, Vec<i64>, i64)> {
            let of = attempt.scores.iter();
            of.map(|s| (s.node.to_string(), (s.raw.clone(), s.normalized.clone(), s.total))).collect()
        };
        prop_assert_eq!(scores(&one), scores(&other));
        prop_assert_eq!(one.message, other.message);
    }
}
