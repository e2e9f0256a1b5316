//! Every exercise is tried out, for several learners: its start passes no step, its solution passes
//! all, each wrong solution triggers the hint or mistake that was written for it.

use clusterlab_exercises::{Exercise, Lang, markdown};

#[test]
fn every_exercise_holds_what_it_promises_for_several_learners() {
    for exercise in Exercise::all().unwrap() {
        for seed in [1, 2, 3, 1_000_003] {
            let problems: Vec<String> = exercise.verify(seed).iter().map(ToString::to_string).collect();
            assert!(problems.is_empty(), "{}, seed {seed}:\n{}", exercise.id, problems.join("\n"));
        }
    }
}

#[test]
fn the_first_two_levels_of_a_hint_do_not_give_the_command_away() {
    for exercise in Exercise::all().unwrap() {
        let hints = exercise.steps.iter().flat_map(|step| &step.hints);
        for (hint, lang) in hints.flat_map(|hint| Lang::ALL.map(|lang| (hint, lang))) {
            for text in &hint.say.get(lang)[..2] {
                // A program or a subcommand may be named; with arguments it is a command to copy.
                let copied =
                    text.split('`').skip(1).step_by(2).find(|code| code.split_whitespace().count() > 2);
                assert_eq!(copied, None, "{}: {}: {text}", exercise.id, hint.id);
            }
        }
    }
}

#[test]
fn a_wrong_turn_is_tried_for_every_mistake() {
    for exercise in Exercise::all().unwrap() {
        for mistake in &exercise.mistakes {
            let tried = exercise.wrong.iter().any(|wrong| wrong.expects == mistake.id);
            assert!(tried, "{}: no wrong/*.sh expects the mistake \"{}\"", exercise.id, mistake.id);
        }
    }
}

#[test]
fn every_text_renders_to_html_with_all_its_marks_understood() {
    for exercise in Exercise::all().unwrap() {
        for lang in Lang::ALL {
            for section in &exercise.prose.get(lang).parts {
                let html = markdown::render(&section.body);
                let parts = html.split("<code").map(|part| part.rsplit("</code>").next().unwrap_or(""));
                let outside_code: String = parts.collect();
                assert!(!outside_code.contains(['`', '*']), "{}: {}: {html}", exercise.id, section.id);
            }
        }
    }
}
