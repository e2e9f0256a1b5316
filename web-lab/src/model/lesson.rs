//! An exercise as the page shows it: the same texts in both languages, Markdown
//! already turned into HTML.

use std::collections::BTreeMap;

use clusterlab::order::Collected;
use clusterlab_exercises::{self as exercises, Exercise, Folder, LoadError, markdown};

use crate::i18n::Lang;

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: String,
    /// Korean.
    pub ko: String,
}

impl Words {
    /// In that language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Ko => &self.ko,
        }
    }
}

/// An exercise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    /// Its id.
    pub id: String,
    /// Its name.
    pub title: Words,
    /// What the learner can do afterwards.
    pub objective: Words,
    /// How long it takes, about.
    pub minutes: u32,
    /// What stands before the steps; HTML.
    pub intro: Words,
    /// What is shown when all is done; HTML.
    pub end: Words,
    /// The steps.
    pub steps: Vec<LessonStep>,
    /// Hints by id, from vague to plain; HTML.
    pub hints: BTreeMap<String, [Words; 3]>,
    /// Words about wrong turns by id; HTML.
    pub mistakes: BTreeMap<String, Words>,
    /// Questions by id.
    pub questions: BTreeMap<String, Question>,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LessonStep {
    /// Its id.
    pub id: String,
    /// Its heading.
    pub title: Words,
    /// Its text; HTML.
    pub body: Words,
    /// What the state should become, in a few words.
    pub goal: Option<Words>,
}

/// A question to answer before time goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// What is asked; HTML.
    pub text: Words,
    /// The answers to choose from; a field to type in if there are none.
    pub choices: Vec<String>,
    /// Why the right answer is right; HTML.
    pub explain: Words,
}

impl Lesson {
    /// Id and title of every exercise.
    pub fn titles() -> Vec<(String, Words)> {
        let mut titles: Vec<_> = Folder::COURSE
            .iter()
            .map(|listed| {
                let [en, ko] = listed.title.map(str::to_owned);
                (listed.id.to_owned(), Words { en, ko })
            })
            .collect();
        titles.sort_by_key(|(id, _)| Self::is_elsewhere(id));
        titles
    }

    /// The page whose module has the exercises that this one has not.
    pub const PAGE: &str = "slurm.html";

    /// Whether the exercise is in the module of [`Self::PAGE`] and not in this one.
    pub fn is_elsewhere(id: &str) -> bool {
        !cfg!(feature = "slurm") && Folder::COURSE.iter().any(|listed| listed.slurm && listed.id == id)
    }

    /// The exercise that these files make, for the learner with that seed.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn load(folder: &Folder, seed: u64) -> Result<Self, LoadError> {
        Ok(Self::of(&Exercise::from_folder(folder)?.for_learner(seed)))
    }

    /// What the page shows of an exercise.
    pub fn of(exercise: &Exercise) -> Self {
        let prose = |id: &str| {
            both(|lang| exercise.section(lang, id).map_or("", |section| &section.body), markdown::render)
        };
        let steps = exercise.steps.iter().map(|step| LessonStep {
            id: step.id.clone(),
            title: both(
                |lang| exercise.section(lang, &step.id).map_or(&step.id, |section| &section.title),
                str::to_owned,
            ),
            body: prose(&step.id),
            goal: step.goal.as_ref().map(|goal| both(|lang| goal.get(lang), markdown::inline)),
        });
        let hints = exercise.steps.iter().flat_map(|step| &step.hints).map(|hint| {
            let part = |n: usize| both(|lang| &hint.say.get(lang)[n], markdown::render);
            (hint.id.clone(), [part(0), part(1), part(2)])
        });
        let mistakes = exercise.mistakes.iter();
        let questions = exercise.predictions.iter().map(|prediction| {
            let question = Question {
                text: both(|lang| prediction.question.get(lang), markdown::render),
                choices: prediction.choices.clone(),
                explain: both(|lang| prediction.explain.get(lang), markdown::render),
            };
            (prediction.id.clone(), question)
        });
        Self {
            id: exercise.id.clone(),
            title: plain(&exercise.title),
            objective: plain(&exercise.objective),
            minutes: exercise.minutes,
            intro: both(|lang| &exercise.prose.get(lang).intro, markdown::render),
            end: prose("end"),
            steps: steps.collect(),
            hints: hints.into_map(),
            mistakes: mistakes
                .map(|m| (m.id.clone(), both(|lang| m.say.get(lang), markdown::render)))
                .into_map(),
            questions: questions.into_map(),
        }
    }
}

fn both<'a>(text: impl Fn(exercises::Lang) -> &'a str, make: impl Fn(&str) -> String) -> Words {
    Words { en: make(text(exercises::Lang::En)), ko: make(text(exercises::Lang::Ko)) }
}

fn plain(text: &exercises::Localized) -> Words {
    Words { en: text.en.clone(), ko: text.ko.clone() }
}
