//! An exercise, as its folder describes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::markdown::{Section, Sections};
use crate::variables::{self, Variable};
use crate::{Folder, Lang, LoadError, Localized};

/// An exercise of the course.
///
/// The fields are those of `exercise.yaml`, then what the other files of the
/// folder hold. Texts contain `{{name}}` for each of the
/// [`variables`](Self::variables) until [`for_learner`](Self::for_learner).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// The folder's name: lowercase letters, digits and `-`.
    pub id: String,
    /// A short name.
    pub title: Localized,
    /// What the learner can do afterwards, in one sentence.
    pub objective: Localized,
    /// How long it takes, about.
    pub minutes: u32,
    /// What differs from learner to learner.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// What has to be reached, in the order in which it is told.
    pub steps: Vec<Step>,
    /// Questions to answer before the clock moves.
    #[serde(default)]
    pub predictions: Vec<Prediction>,
    /// Wrong turns that have an answer of their own.
    #[serde(default)]
    pub mistakes: Vec<Mistake>,

    /// `lab.yaml`: a [`LabSpec`](clusterlab::lab::LabSpec).
    #[serde(skip)]
    pub lab: String,
    /// `files/`: what lies in the learner's home directory at the start.
    #[serde(skip)]
    pub files: BTreeMap<String, String>,
    /// `en.md`, `ko.md`: an introduction, a section per step, and one with the id
    /// `end` for when all is done.
    #[serde(skip)]
    pub prose: Localized<Sections>,
    /// `solution.sh`: terminal lines that pass every step.
    #[serde(skip)]
    pub solution: String,
    /// `wrong/*.sh`: terminal lines that go wrong in a known way.
    #[serde(skip)]
    pub wrong: Vec<Wrong>,
}

/// One thing to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Names it, and its section in the texts.
    pub id: String,
    /// Steps that must be done before this one can be.
    #[serde(default)]
    pub needs: Vec<String>,
    /// CEL: whether it is reached.
    pub check: String,
    /// What the present state should become, in a few words, to stand beside
    /// [`present`](Self::present).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Localized>,
    /// CEL: the present state as a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<String>,
    /// What may stand in the way. The first whose condition holds is the one that
    /// is told; the last has no condition.
    pub hints: Vec<Hint>,
}

/// A state in which a learner may be stuck.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// Names it.
    pub id: String,
    /// CEL: whether this is the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Where to look; what it means; how to do it. The first two never hold the
    /// command itself.
    pub say: Localized<[String; 3]>,
}

/// A wrong turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// Names it.
    pub id: String,
    /// CEL: whether the learner took it.
    pub when: String,
    /// What happened and why.
    pub say: Localized,
}

/// A question about what will happen; the engine knows the answer because it
/// plays it on a copy of the lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// Names it.
    pub id: String,
    /// The step before which it is asked.
    pub step: String,
    /// The question.
    pub question: Localized,
    /// The answers to choose from; a field to type in if there are none.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Files that are put into the copy's home directory.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Terminal lines that are run on the copy.
    pub run: Vec<String>,
    /// How many seconds the copy goes on after them.
    #[serde(default)]
    pub seconds: u64,
    /// CEL: the right answer.
    pub answer: String,
    /// Why it is so, told after the answer.
    pub explain: Localized,
}

/// A wrong solution and what it must trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Path within the folder: `wrong/no-limit.sh`.
    pub file: String,
    /// The id of the hint or mistake that its first line names: `# expects: ID`.
    pub expects: String,
    /// The terminal lines.
    pub script: String,
}

impl Exercise {
    /// The exercises that are compiled into this crate.
    ///
    /// ```
    /// let exercises = clusterlab_exercises::Exercise::all()?;
    /// assert_eq!(exercises[0].id, "first-gpu-pod");
    /// # Ok::<(), clusterlab_exercises::LoadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None in a released crate: its tests load them all.
    pub fn all() -> Result<Vec<Self>, LoadError> {
        Folder::embedded().map(|folder| Self::from_folder(&folder)).collect()
    }

    /// The compiled-in exercise of that id.
    ///
    /// # Errors
    ///
    /// As for [`all`](Self::all).
    pub fn find(id: &str) -> Result<Option<Self>, LoadError> {
        Folder::embedded()
            .find(|folder| folder.name == id)
            .map(|folder| Self::from_folder(&folder))
            .transpose()
    }

    /// Reads an exercise from a folder on the disk.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its place.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn load(folder: &std::path::Path) -> Result<Self, LoadError> {
        Self::from_folder(&Folder::read(folder)?)
    }

    /// The values of its variables for the learner with that seed.
    pub fn values(&self, seed: u64) -> BTreeMap<String, String> {
        variables::draw(&self.id, &self.variables, seed)
    }

    /// The exercise as one learner gets it: every `{{name}}` replaced.
    #[must_use]
    pub fn for_learner(&self, seed: u64) -> Self {
        let values = self.values(seed);
        let mut exercise = self.clone();
        exercise.texts_mut(|_, _, text| {
            // Loading has made sure that all names are known.
            if let Ok(replaced) = variables::substitute(text, &values) {
                *text = replaced;
            }
        });
        exercise
    }

    /// The title and text of a step in a language, as Markdown.
    pub fn section(&self, lang: Lang, id: &str) -> Option<&Section> {
        self.prose.get(lang).parts.iter().find(|section| section.id == id)
    }

    /// The hint of that id.
    pub fn hint(&self, id: &str) -> Option<&Hint> {
        self.steps.iter().flat_map(|step| &step.hints).find(|hint| hint.id == id)
    }

    /// The mistake of that id.
    pub fn mistake(&self, id: &str) -> Option<&Mistake> {
        self.mistakes.iter().find(|mistake| mistake.id == id)
    }

    /// The prediction of that id.
    pub fn prediction(&self, id: &str) -> Option<&Prediction> {
        self.predictions.iter().find(|prediction| prediction.id == id)
    }

    /// Visits every text that may hold a `{{name}}`: its file, its field, itself.
    pub(crate) fn texts_mut(&mut self, mut visit: impl FnMut(&str, &str, &mut String)) {
        fn both(text: &mut Localized, field: &str, visit: &mut impl FnMut(&str, &str, &mut String)) {
            visit(YAML, &format!("{field}.en"), &mut text.en);
            visit(YAML, &format!("{field}.ko"), &mut text.ko);
        }

        both(&mut self.objective, "objective", &mut visit);
        for (i, step) in self.steps.iter_mut().enumerate() {
            let step_field = format!("steps[{i}]");
            visit(YAML, &format!("{step_field}.check"), &mut step.check);
            if let Some(goal) = &mut step.goal {
                both(goal, &format!("{step_field}.goal"), &mut visit);
            }
            if let Some(present) = &mut step.present {
                visit(YAML, &format!("{step_field}.present"), present);
            }
            for (j, hint) in step.hints.iter_mut().enumerate() {
                let field = format!("{step_field}.hints[{j}]");
                if let Some(when) = &mut hint.when {
                    visit(YAML, &format!("{field}.when"), when);
                }
                for (lang, texts) in [("en", &mut hint.say.en), ("ko", &mut hint.say.ko)] {
                    for (k, text) in texts.iter_mut().enumerate() {
                        visit(YAML, &format!("{field}.say.{lang}[{k}]"), text);
                    }
                }
            }
        }
        for (i, mistake) in self.mistakes.iter_mut().enumerate() {
            visit(YAML, &format!("mistakes[{i}].when"), &mut mistake.when);
            both(&mut mistake.say, &format!("mistakes[{i}].say"), &mut visit);
        }
        for (i, prediction) in self.predictions.iter_mut().enumerate() {
            let field = format!("predictions[{i}]");
            both(&mut prediction.question, &format!("{field}.question"), &mut visit);
            both(&mut prediction.explain, &format!("{field}.explain"), &mut visit);
            visit(YAML, &format!("{field}.answer"), &mut prediction.answer);
            for (j, choice) in prediction.choices.iter_mut().enumerate() {
                visit(YAML, &format!("{field}.choices[{j}]"), choice);
            }
            for (path, text) in &mut prediction.files {
                visit(YAML, &format!("{field}.files.{path}"), text);
            }
            for (j, line) in prediction.run.iter_mut().enumerate() {
                visit(YAML, &format!("{field}.run[{j}]"), line);
            }
        }
        visit(LAB, "", &mut self.lab);
        for (path, text) in &mut self.files {
            visit(&format!("{FILES}{path}"), "", text);
        }
        for (file, sections) in [("en.md", &mut self.prose.en), ("ko.md", &mut self.prose.ko)] {
            visit(file, "", &mut sections.intro);
            for section in &mut sections.parts {
                visit(file, &section.id, &mut section.title);
                visit(file, &section.id, &mut section.body);
            }
        }
        visit(SOLUTION, "", &mut self.solution);
        for wrong in &mut self.wrong {
            visit(&wrong.file, "", &mut wrong.script);
        }
    }
}

/// The names of the files in an exercise's folder.
pub(crate) const YAML: &str = "exercise.yaml";
pub(crate) const LAB: &str = "lab.yaml";
pub(crate) const SOLUTION: &str = "solution.sh";
pub(crate) const FILES: &str = "files/";
pub(crate) const WRONG: &str = "wrong/";
/// The section that is shown when every step is done.
pub(crate) const END: &str = "end";
