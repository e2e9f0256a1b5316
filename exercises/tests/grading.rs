//! The grader beside a lab that moves: what is kept, what is counted, what is predicted.

use std::time::Duration;

use clusterlab::lab::Lab;
use clusterlab_exercises::{Exercise, Grader, PredictionError};

fn start() -> (Grader, Lab) {
    let exercise = Exercise::find("first-gpu-pod").unwrap().unwrap();
    let grader = Grader::new(&exercise, 1).unwrap();
    let lab = grader.start_lab().unwrap();
    (grader, lab)
}

/// The pod with one GPU, and a minute for it.
fn run_first_pod(lab: &mut Lab) {
    lab.run("cat >> pod.yaml <<END\n    resources: {limits: {nvidia.com/gpu: 1}}\nEND");
    lab.run("kubectl apply -f pod.yaml");
    lab.advance(Duration::from_secs(60));
}

#[test]
fn a_step_that_was_done_stays_done() {
    let (mut grader, mut lab) = start();
    run_first_pod(&mut lab);
    assert!(grader.evaluate(&lab).steps[0].done.is_some());
    lab.run("kubectl delete pod cuda-first");
    let report = grader.evaluate(&lab);
    assert!(report.steps[0].done.is_some());
    assert_eq!(report.current.as_deref(), Some("logs"));
    // And if the learner goes back to before it.
    lab.rewind(clusterlab::sim::SimTime::ZERO);
    assert!(grader.evaluate(&lab).steps[0].done.is_some());
}

#[test]
fn a_step_cannot_be_done_before_those_that_it_needs() {
    let (mut grader, mut lab) = start();
    lab.run("echo 'Insufficient nvidia.com/gpu' > why.txt");
    let report = grader.evaluate(&lab);
    let reason = report.steps.iter().find(|step| step.id == "reason").unwrap();
    assert!(reason.done.is_none() && !reason.open);
}

#[test]
fn the_hint_follows_the_state() {
    let (mut grader, mut lab) = start();
    assert_eq!(grader.evaluate(&lab).hint.as_deref(), Some("no-pod"));
    lab.run("cat >> pod.yaml <<END\n    resources: {limits: {nvidia.com/gpu: 1}}\nEND");
    lab.run("kubectl apply -f pod.yaml");
    assert_eq!(grader.evaluate(&lab).hint.as_deref(), Some("on-its-way"));
    lab.advance(Duration::from_secs(60));
    assert_eq!(grader.evaluate(&lab).hint.as_deref(), Some("no-file"));
    lab.write_file("gpu.txt", "");
    assert_eq!(grader.evaluate(&lab).hint.as_deref(), Some("empty-file"));
    lab.write_file("gpu.txt", "something");
    assert_eq!(grader.evaluate(&lab).hint.as_deref(), Some("other-text"));
}

#[test]
fn the_present_state_stands_beside_the_goal() {
    let (mut grader, mut lab) = start();
    assert_eq!(grader.evaluate(&lab).steps[0].present, None);
    run_first_pod(&mut lab);
    assert_eq!(grader.evaluate(&lab).steps[0].present.as_deref(), Some("`cuda-first`: Completed"));
}

#[test]
fn a_prediction_is_played_on_a_copy_and_its_first_answer_counts() {
    let (mut grader, mut lab) = start();
    let before = lab.digest();
    let guess = grader.predict(&lab, "ending", " succeeded").unwrap();
    assert!(guess.right);
    assert_eq!(guess.actual, "Succeeded");
    let guess = grader.predict(&lab, "sixteen", "Running").unwrap();
    assert!(!guess.right);
    assert_eq!(grader.predict(&lab, "sixteen", "Pending").unwrap(), guess, "the first answer counts");
    assert_eq!(grader.predict(&lab, "none", "x"), Err(PredictionError::Unknown("none".to_owned())));
    assert_eq!(lab.digest(), before, "the learner's lab did not move");
    assert_eq!(grader.evaluate(&lab).score.predictions, (1, 2));

    // While a command runs, too.
    lab.type_line("sleep 1000");
    assert_eq!(grader.outcome(&lab, "ending").as_deref(), Ok("Succeeded"));
}

#[test]
fn the_score_counts_commands_time_hints_and_gpus() {
    let (mut grader, mut lab) = start();
    lab.run("# a comment");
    lab.run("");
    run_first_pod(&mut lab);
    grader.hint_read("no-file", 2);
    grader.hint_read("no-file", 1);
    grader.hint_read("no-such-hint", 3);
    let score = grader.evaluate(&lab).score;
    assert_eq!((score.commands, score.hints, score.mistakes), (2, 2, 0));
    assert!((60.0..61.0).contains(&score.seconds), "{score:?}");
    assert!(score.gpu_seconds > 0.0 && score.gpu_seconds < 60.0, "{score:?}");
    assert!(score.idle_gpu_seconds <= score.gpu_seconds, "{score:?}");
}

#[test]
fn progress_is_kept_between_two_visits() {
    let (mut grader, mut lab) = start();
    run_first_pod(&mut lab);
    grader.predict(&lab, "ending", "Failed").unwrap();
    grader.hint_read("no-file", 3);
    let report = grader.evaluate(&lab).clone();
    let kept = serde_json::to_string(grader.progress()).unwrap();

    let (mut again, _) = start();
    again.restore(serde_json::from_str(&kept).unwrap());
    assert_eq!(again.evaluate(&lab), &report);
    // What an older page kept lacks fields that came later.
    assert!(serde_json::from_str::<clusterlab_exercises::Progress>("{}").is_ok());
}

#[test]
fn learners_get_different_numbers() {
    let exercise = Exercise::find("first-gpu-pod").unwrap().unwrap();
    let values: std::collections::BTreeSet<_> = (0..50).map(|seed| exercise.values(seed)).collect();
    assert!(values.len() > 20, "{values:?}");
}
