//! What a page is told of the scheduler's reasons.
#![cfg(feature = "lab")]

use std::time::Duration;

use clusterlab::lab::view::WhyView;
use clusterlab::lab::{Lab, LabSpec};

const SPEC: &str = "
name: test
seed: 7
nodes:
- {name: gpu-1, system: dgx-h100}
- {name: gpu-2, system: dgx-h100}
- {name: cpu-1, system: server}
manifests: |
  apiVersion: scheduling.k8s.io/v1
  kind: PriorityClass
  metadata: {name: urgent}
  value: 1000
";

fn pod(name: &str, class: &str, gpus: u32) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  {class}\n  containers:\n  \
         - {{name: main, image: 'ubuntu:22.04', command: [sleep, '100000'], \
         resources: {{limits: {{nvidia.com/gpu: {gpus}}}}}}}\n"
    )
}

/// Two pods of eight GPUs fill both machines; then `last` comes.
fn filled_then(last: &str) -> Lab {
    let mut lab = Lab::new(LabSpec::from_yaml(SPEC).unwrap()).unwrap();
    for (name, text) in [("a", pod("a", "", 8)), ("b", pod("b", "", 8)), ("last", last.to_owned())] {
        lab.write_file("pod.yaml", &text);
        lab.run("kubectl apply -f pod.yaml");
        lab.advance(Duration::from_secs(1));
        assert!(lab.run("kubectl get pods -o name").stdout.contains(name));
    }
    lab
}

#[test]
fn points_of_a_chosen_node_are_normalised_scores_times_weights() {
    let lab = filled_then(&pod("last", "priorityClassName: urgent", 4));
    let why = WhyView::of(&lab, "default", "a").unwrap();
    let attempt = &why.attempts[0];
    assert_eq!(attempt.scheduler, "default-scheduler");
    assert!(attempt.plugins.contains(&("TaintToleration".to_owned(), 3)), "{:?}", attempt.plugins);
    let chosen =
        attempt.verdicts.iter().find(|verdict| Some(&verdict.node) == attempt.node.as_ref()).unwrap();
    let points =
        chosen.scores.iter().zip(&attempt.plugins).map(|(points, (_, weight))| points.normalized * weight);
    assert_eq!(points.sum::<i64>(), chosen.total);
    let refused = attempt.verdicts.iter().find(|verdict| verdict.node == "cpu-1").unwrap();
    assert_eq!((&*refused.plugin, refused.scores.len()), ("NodeResourcesFit", 0));
    assert_eq!(attempt.preemption, None);
}

#[test]
fn candidates_of_a_preemption_are_told_with_their_victims() {
    let lab = filled_then(&pod("last", "priorityClassName: urgent", 4));
    let preemption = WhyView::of(&lab, "default", "last").unwrap().attempts[0].preemption.clone().unwrap();
    let candidates: Vec<(&str, &[String])> =
        preemption.candidates.iter().map(|c| (&*c.node, &*c.victims)).collect();
    assert_eq!(candidates.iter().map(|(node, _)| *node).collect::<Vec<_>>(), ["gpu-1", "gpu-2"]);
    let mut victims: Vec<&str> =
        candidates.iter().flat_map(|(_, victims)| *victims).map(String::as_str).collect();
    victims.sort_unstable();
    assert_eq!(victims, ["default/a", "default/b"]);
    // The pod that started last is the smaller loss.
    let target = preemption.target.unwrap();
    let victim = &candidates.iter().find(|(node, _)| *node == target).unwrap().1[0];
    assert_eq!(victim, "default/b");
}

#[test]
fn a_pod_that_may_put_nobody_out_has_no_candidates() {
    let lab = filled_then(&pod("last", "", 4));
    let attempts = WhyView::of(&lab, "default", "last").unwrap().attempts;
    let preemption = attempts[0].preemption.clone().unwrap();
    assert_eq!((preemption.candidates.len(), preemption.target), (0, None));
}
