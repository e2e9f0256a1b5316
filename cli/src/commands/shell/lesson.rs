//! An exercise, told in a terminal.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clusterlab::lab::Lab;
use clusterlab_exercises::{Grader, Lang, Report};

/// The exercise that is being done, and what of it was told.
pub struct Lesson {
    grader: Grader,
    lang: Lang,
    told: BTreeSet<String>,
    finished: bool,
}

impl Lesson {
    /// An exercise that begins.
    pub const fn new(grader: Grader, lang: Lang) -> Self {
        Self { grader, lang, told: BTreeSet::new(), finished: false }
    }

    /// Title, introduction and the first step.
    pub fn welcome(&mut self, lab: &Lab) -> String {
        let exercise = self.grader.exercise();
        let (title, prose) = (exercise.title.get(self.lang), exercise.prose.get(self.lang));
        let text = format!("# {title}\n\n{}\n\n", prose.intro.trim());
        text + &self.task(lab) + "\n"
    }

    /// The text of the step that is to be done.
    pub fn task(&mut self, lab: &Lab) -> String {
        let current = self.grader.evaluate(lab).current.clone();
        self.section(current.as_deref().unwrap_or("end"))
    }

    fn section(&self, id: &str) -> String {
        self.grader
            .exercise()
            .section(self.lang, id)
            .map(|section| format!("## {}\n\n{}\n", section.title, section.body.trim()))
            .unwrap_or_default()
    }

    /// The next hint for the present state.
    pub fn hint(&mut self, lab: &Lab) -> String {
        let Some(id) = self.grader.evaluate(lab).hint.clone() else { return String::new() };
        let level = self.grader.progress().hints.get(&id).map_or(1, |read| (read + 1).min(3));
        self.grader.hint_read(&id, level);
        let hint = self.grader.exercise().hint(&id);
        let text = hint.map(|hint| hint.say.get(self.lang)[usize::from(level) - 1].trim().to_owned());
        text.map(|text| format!("[{level}/3] {text}\n")).unwrap_or_default()
    }

    /// What is new: steps that are done, mistakes that were made.
    pub fn news(&mut self, lab: &Lab) -> String {
        let report = self.grader.evaluate(lab).clone();
        let mut text = String::new();
        for step in report.steps.iter().filter(|step| step.done.is_some()) {
            if self.told.insert(format!("step {}", step.id)) {
                let title = self.grader.exercise().section(self.lang, &step.id).map(|s| s.title.clone());
                let _ = writeln!(text, "\u{2713} {}", title.unwrap_or_default());
            }
        }
        for id in &report.mistakes {
            if self.told.insert(format!("mistake {id}"))
                && let Some(mistake) = self.grader.exercise().mistake(id)
            {
                let _ = writeln!(text, "! {}", mistake.say.get(self.lang).trim());
            }
        }
        text + &self.next_task(&report)
    }

    /// The text of the step that has just become the present one.
    fn next_task(&mut self, report: &Report) -> String {
        match &report.current {
            Some(id) if self.told.insert(format!("task {id}")) && self.told.len() > 1 => {
                format!("\n{}\n", self.section(id))
            }
            None if report.finished && !self.finished => {
                self.finished = true;
                format!("\n{}\n", self.section("end"))
            }
            _ => String::new(),
        }
    }
}
