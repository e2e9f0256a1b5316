//! What makes an exercise a good one, tried out: the start passes no step, the
//! solution passes all, each wrong solution gets the answer that was written for it,
//! and every prediction has a right answer among its choices.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use clusterlab::lab::Lab;

use crate::{Exercise, Grader, Problem, play};

impl Exercise {
    /// Plays the exercise for the learner with that seed and answers what is wrong
    /// with it; nothing if it is good.
    pub fn verify(&self, seed: u64) -> Vec<Problem> {
        let mut problems = Vec::new();
        let fresh = || -> Result<(Grader, Lab), Problem> {
            let grader = Grader::new(self, seed)?;
            let lab =
                grader.start_lab().map_err(|error| Problem::new(crate::exercise::LAB, error.to_string()))?;
            Ok((grader, lab))
        };
        let (mut grader, lab) = match fresh() {
            Ok(fresh) => fresh,
            Err(problem) => return vec![problem],
        };
        let file = |name: &str, message: String| Problem::new(name, format!("{message} (seed {seed})"));

        let start = grader.evaluate(&lab).clone();
        problems.extend(start.problems.iter().map(|problem| file(crate::exercise::YAML, problem.clone())));
        for step in start.steps.iter().filter(|step| step.done.is_some()) {
            problems.push(file(crate::exercise::YAML, format!("the start passes step \"{}\"", step.id)));
        }
        for mistake in &start.mistakes {
            problems.push(file(crate::exercise::YAML, format!("the start has the mistake \"{mistake}\"")));
        }
        for prediction in &grader.exercise().predictions {
            match grader.outcome(&lab, &prediction.id) {
                Err(error) => problems.push(file(crate::exercise::YAML, error.to_string())),
                Ok(answer) if !prediction.choices.is_empty() && !prediction.choices.contains(&answer) => {
                    let choices = prediction.choices.join(", ");
                    let message = format!(
                        "prediction \"{}\": the answer {answer:?} is none of the choices: {choices}",
                        prediction.id
                    );
                    problems.push(file(crate::exercise::YAML, message));
                }
                Ok(_) => {}
            }
        }

        let (mut solver, mut lab) = (grader.clone(), lab.clone());
        let transcript = play_graded(&mut lab, &mut solver, &grader.exercise().solution);
        let report = solver.evaluate(&lab);
        for step in report.steps.iter().filter(|step| step.done.is_none()) {
            let hint = report.hint.as_deref().unwrap_or("none");
            let message = format!(
                "the solution does not pass step \"{}\"; the hint would be \"{hint}\"; it went:\n{transcript}",
                step.id
            );
            problems.push(file(crate::exercise::SOLUTION, message));
        }
        for mistake in &solver.progress().mistakes {
            let message = format!("the solution makes the mistake \"{mistake}\"");
            problems.push(file(crate::exercise::SOLUTION, message));
        }

        for wrong in grader.exercise().wrong.clone() {
            let (mut grader, mut lab) = match fresh() {
                Ok(fresh) => fresh,
                Err(problem) => return vec![problem],
            };
            let transcript = play_graded(&mut lab, &mut grader, &wrong.script);
            let report = grader.evaluate(&lab).clone();
            let hit = report.hint.as_ref() == Some(&wrong.expects)
                || grader.progress().mistakes.contains(&wrong.expects);
            if !hit {
                let message = format!(
                    "does not trigger \"{}\"; the hint is \"{}\", the mistakes are [{}]; it went:\n{transcript}",
                    wrong.expects,
                    report.hint.as_deref().unwrap_or("none"),
                    grader.progress().mistakes.iter().cloned().collect::<Vec<_>>().join(", "),
                );
                problems.push(file(&wrong.file, message));
            }
            if report.finished {
                problems.push(file(&wrong.file, "passes every step".to_owned()));
            }
            problems.extend(report.problems.iter().map(|problem| file(&wrong.file, problem.clone())));
        }
        problems
    }
}

/// Plays a script while the grader watches; what was seen in the terminal.
fn play_graded(lab: &mut Lab, grader: &mut Grader, script: &str) -> String {
    let mut transcript = String::new();
    let moved = |lab: &Lab| _ = grader.evaluate(lab);
    play(lab, script, moved, |_, command, output| {
        let _ = write!(transcript, "$ {command}\n{}{}", output.stdout, output.stderr);
        ControlFlow::Continue(())
    });
    transcript
}
