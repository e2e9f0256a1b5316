//! From a folder to an [`Exercise`]: everything that can be known to be wrong
//! before a learner sees it is found here, all of it at once.

use std::collections::BTreeSet;

use clusterlab::kube::manifest;
use clusterlab::lab::LabSpec;

use crate::check::Expression;
use crate::exercise::{END, FILES, LAB, SOLUTION, WRONG, YAML};
use crate::markdown::{self, Sections};
use crate::yaml::Yaml;
use crate::{Exercise, Folder, LoadError, Problem, Wrong, variables};

impl Exercise {
    /// Reads an exercise from the texts of its folder.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its place.
    pub fn from_folder(folder: &Folder) -> Result<Self, LoadError> {
        let missing = |file: &str| Problem::new(file, "the file is missing");
        let (yaml, mut exercise) = Yaml::read(folder.files.get(YAML).ok_or_else(|| missing(YAML))?)?;
        let mut load = Load { yaml: &yaml, problems: Vec::new() };

        for (path, text) in &folder.files {
            match path.as_str() {
                YAML => {}
                LAB => exercise.lab.clone_from(text),
                SOLUTION => exercise.solution.clone_from(text),
                "en.md" => exercise.prose.en = load.prose(path, text),
                "ko.md" => exercise.prose.ko = load.prose(path, text),
                _ => {
                    if let Some(name) = path.strip_prefix(FILES) {
                        exercise.files.insert(name.to_owned(), text.clone());
                    } else if path.starts_with(WRONG) && has_extension(path, "sh") {
                        exercise.wrong.extend(load.wrong(path, text));
                    } else if !has_extension(path, "md") {
                        load.problem(Problem::new(
                            path,
                            "unknown file, expected exercise.yaml, lab.yaml, en.md, ko.md, solution.sh, files/*, \
                             wrong/*.sh or other *.md",
                        ));
                    }
                }
            }
        }
        for file in [LAB, SOLUTION, "en.md", "ko.md"] {
            if !folder.files.contains_key(file) {
                load.problem(missing(file));
            }
        }
        load.names(&exercise, &folder.name);
        load.steps(&exercise);
        load.sections(&exercise);
        load.personal(&exercise);
        if load.problems.is_empty() { Ok(exercise) } else { Err(LoadError { problems: load.problems }) }
    }
}

fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

/// What has been found wrong so far.
struct Load<'a> {
    yaml: &'a Yaml,
    problems: Vec<Problem>,
}

impl Load<'_> {
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A problem of a field of `exercise.yaml`.
    fn field(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            place: Some(self.yaml.place(field)),
            field: field.to_owned(),
            ..Problem::new(YAML, message)
        });
    }

    fn prose(&mut self, file: &str, text: &str) -> Sections {
        markdown::sections(text).unwrap_or_else(|line| {
            let message = "a section's heading needs an id: \"## Title {#step}\"";
            self.problem(Problem { place: Some((line, 1)), ..Problem::new(file, message) });
            Sections::default()
        })
    }

    fn wrong(&mut self, file: &str, text: &str) -> Option<Wrong> {
        let expects = text.lines().next().and_then(|line| line.strip_prefix("# expects: ")).map(str::trim);
        if expects.is_none() {
            let message = "the first line must name what the script triggers: \"# expects: ID\"";
            self.problem(Problem { place: Some((1, 1)), ..Problem::new(file, message) });
        }
        Some(Wrong { file: file.to_owned(), expects: expects?.to_owned(), script: text.to_owned() })
    }

    /// Ids: well-formed, and each given once.
    fn names(&mut self, exercise: &Exercise, folder: &str) {
        if exercise.id != folder {
            self.field("id", format!("\"{}\" is not the name of its folder, \"{folder}\"", exercise.id));
        }
        if exercise.minutes == 0 {
            self.field("minutes", "must be at least 1");
        }
        if exercise.steps.is_empty() {
            self.field("steps", "an exercise has at least one step");
        }
        for (name, variable) in &exercise.variables {
            let field = format!("variables.{name}");
            if !variables::is_name(name) {
                self.field(&field, "a name has lowercase letters, digits and \"_\" and begins with a letter");
            }
            if let Some(problem) = variable.problem() {
                self.field(&field, problem);
            }
        }

        let steps = exercise.steps.iter().enumerate().map(|(i, step)| (format!("steps[{i}].id"), &step.id));
        let predictions =
            exercise.predictions.iter().enumerate().map(|(i, p)| (format!("predictions[{i}].id"), &p.id));
        // A wrong solution names a hint or a mistake, so that these share their ids.
        let hints = exercise.steps.iter().enumerate().flat_map(|(i, step)| {
            let hints = step.hints.iter().enumerate();
            hints.map(move |(j, hint)| (format!("steps[{i}].hints[{j}].id"), &hint.id))
        });
        let mistakes =
            exercise.mistakes.iter().enumerate().map(|(i, m)| (format!("mistakes[{i}].id"), &m.id));
        let groups: [Vec<_>; 3] = [steps.collect(), predictions.collect(), hints.chain(mistakes).collect()];
        for group in groups {
            let mut seen = BTreeSet::new();
            for (field, id) in group {
                if !is_id(id) {
                    self.field(&field, format!("{id:?} is not an id: lowercase letters, digits and \"-\""));
                } else if id == END {
                    self.field(&field, format!("\"{END}\" is kept for the last section of the texts"));
                } else if !seen.insert(id) {
                    self.field(&field, format!("\"{id}\" is given twice"));
                }
            }
        }
        for wrong in &exercise.wrong {
            if exercise.hint(&wrong.expects).is_none() && exercise.mistake(&wrong.expects).is_none() {
                self.problem(Problem {
                    place: Some((1, 1)),
                    ..Problem::new(
                        &wrong.file,
                        format!("no hint or mistake has the id \"{}\"", wrong.expects),
                    )
                });
            }
        }
    }

    /// What steps and predictions refer to.
    fn steps(&mut self, exercise: &Exercise) {
        for (i, step) in exercise.steps.iter().enumerate() {
            for (j, need) in step.needs.iter().enumerate() {
                // Only steps before it, so that needs can never form a circle.
                if !exercise.steps[..i].iter().any(|before| before.id == *need) {
                    self.field(&format!("steps[{i}].needs[{j}]"), format!("no step before it is \"{need}\""));
                }
            }
            for (j, hint) in step.hints.iter().enumerate() {
                if hint.when.is_none() && j + 1 < step.hints.len() {
                    let message = "a hint without \"when\" hides those after it";
                    self.field(&format!("steps[{i}].hints[{j}]"), message);
                }
            }
            if step.hints.last().is_none_or(|hint| hint.when.is_some()) {
                let message = "the last hint has no \"when\", so that there always is one";
                self.field(&format!("steps[{i}].hints"), message);
            }
        }
        for (i, prediction) in exercise.predictions.iter().enumerate() {
            if !exercise.steps.iter().any(|step| step.id == prediction.step) {
                self.field(&format!("predictions[{i}].step"), format!("no step is \"{}\"", prediction.step));
            }
        }
    }

    /// Both texts have a section for each step, the end, and nothing else.
    fn sections(&mut self, exercise: &Exercise) {
        let expected: Vec<&str> =
            exercise.steps.iter().map(|step| step.id.as_str()).chain(std::iter::once(END)).collect();
        for (file, sections) in [("en.md", &exercise.prose.en), ("ko.md", &exercise.prose.ko)] {
            let found: Vec<&str> = sections.parts.iter().map(|section| section.id.as_str()).collect();
            if found != expected && !self.problems.iter().any(|problem| problem.file == file) {
                let message =
                    format!("has the sections [{}], expected [{}]", found.join(", "), expected.join(", "));
                self.problem(Problem::new(file, message));
            }
        }
    }

    /// What can only be read with the values of the variables: expressions and the lab.
    fn personal(&mut self, exercise: &Exercise) {
        let values = exercise.values(0);
        let mut unknown = Vec::new();
        exercise.clone().texts_mut(|file, field, text| {
            if let Err(name) = variables::substitute(text, &values) {
                let known: Vec<_> = values.keys().map(String::as_str).collect();
                let message =
                    format!("unknown variable {{{{{name}}}}}, expected one of: {}", known.join(", "));
                unknown.push((file.to_owned(), field.to_owned(), message));
            }
        });
        for (file, field, message) in unknown {
            if file == YAML {
                self.field(&field, message);
            } else {
                self.problem(Problem { field, ..Problem::new(file, message) });
            }
        }
        if !self.problems.is_empty() {
            return;
        }
        let mut personal = exercise.for_learner(0);
        personal.texts_mut(|file, field, text| {
            let last = field.rsplit('.').next().unwrap_or_default();
            if file == YAML
                && matches!(last, "check" | "present" | "when" | "answer")
                && let Err(error) = Expression::parse(text)
            {
                self.field(field, error.to_string());
            }
        });
        if let Err(diagnostics) = manifest::read::<LabSpec>(&personal.lab) {
            self.problems.extend(diagnostics.into_iter().map(|found| Problem::of(LAB, found)));
        }
    }
}

/// Lowercase letters, digits and `-`, beginning with a letter.
fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use clusterlab::kube::api::Kind;
    use proptest::prelude::*;

    fn problems(folder: &Folder) -> String {
        Exercise::from_folder(folder).map_or_else(|error| error.to_string(), |_| "good".to_owned())
    }

    /// The first exercise with one line of a file changed, and what is then wrong with it.
    fn changed(file: &str, from: &str, to: &str) -> String {
        let mut folder = Folder::embedded().next().unwrap();
        let text = folder.files.get_mut(file).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        *text = text.replacen(from, to, 1);
        format!("{from}  ->  {to}\n{}\n\n", problems(&folder))
    }

    #[test]
    fn a_mistake_in_an_exercise_is_told_with_its_place() {
        let told = [
            changed(YAML, "minutes: 15", "minutes: soon"),
            changed(YAML, "minutes: 15", "minuts: 15"),
            changed(YAML, "minutes: 15", "minutes: [15"),
            changed(YAML, "id: first-gpu-pod", "id: other"),
            changed(YAML, "needs: [run]", "needs: [mend]"),
            changed(YAML, "gpus: {from: 9, to: 16}", "gpus: {from: 16, to: 9}"),
            changed(YAML, "- id: mend", "- id: run"),
            changed(YAML, "files['gpu.txt'] == ''", "flies['gpu.txt'] == ''"),
            changed(YAML, "files['gpu.txt'] == ''", "files['gpu.txt'] == = ''"),
            changed(YAML, "cuda-{{name}}` yet", "cuda-{{nam}}` yet"),
            changed(
                YAML,
                "- The old pod is gone. Nothing has taken its place yet.",
                "- Two.\n      - Three.",
            ),
            changed(LAB, "dgx-h100", "dgx-h9000"),
            changed("en.md", "## Read what it saw {#logs}", "## Read what it saw"),
            changed("ko.md", "{#logs}", "{#log}"),
            changed("wrong/plural.sh", "# expects: misspelt-resource", "# expects: misspelled"),
            changed("wrong/plural.sh", "# expects: misspelt-resource", "# Asks for nvidia.com/gpus."),
        ];
        // What kinds there are is not this test's business.
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.info().plural).collect();
        insta::assert_snapshot!(told.concat().replace(&kinds.join(", "), "every kind"));
    }

    #[test]
    fn a_text_that_is_missing_or_of_no_use_is_told() {
        let mut folder = Folder::embedded().next().unwrap();
        folder.files.remove("ko.md");
        folder.files.remove("lab.yaml");
        folder.files.insert("readme.txt".to_owned(), String::new());
        assert_eq!(
            problems(&folder),
            "readme.txt: unknown file, expected exercise.yaml, lab.yaml, en.md, ko.md, solution.sh, files/*, \
             wrong/*.sh or other *.md\n\
             lab.yaml: the file is missing\n\
             ko.md: the file is missing"
        );
        assert_eq!(problems(&Folder::default()), "exercise.yaml: the file is missing");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_damaged_exercise_is_an_error_and_never_a_panic(
            file in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
            length in 0usize..60,
            put in "[-:{}#\"' \n\\[\\]|>&*!%@`a가0\t]{0,6}",
        ) {
            let mut folder = Folder::embedded().next().unwrap();
            let names: Vec<_> = folder.files.keys().cloned().collect();
            let text = folder.files.get_mut(&names[file.index(names.len())]).unwrap();
            let cut: Vec<char> = text.chars().collect();
            let at = at.index(cut.len() + 1);
            let rest = &cut[(at + length).min(cut.len())..];
            *text = cut[..at].iter().chain(&put.chars().collect::<Vec<_>>()).chain(rest).collect();
            if let Err(error) = Exercise::from_folder(&folder) {
                prop_assert!(!error.problems.is_empty());
            }
        }
    }

    #[test]
    fn every_text_is_made_personal() {
        let exercise = Exercise::from_folder(&Folder::embedded().next().unwrap()).unwrap();
        assert!(format!("{exercise:?}").contains("{{name}}"));
        let personal = format!("{:?}", exercise.for_learner(3));
        assert!(!personal.contains("{{name}}") && !personal.contains("{{gpus}}"), "{personal}");
        assert_eq!(exercise.for_learner(3), exercise.for_learner(3));
    }
}
