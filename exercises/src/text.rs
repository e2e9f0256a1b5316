//! Text in the languages of the course.

use serde::{Deserialize, Serialize};

/// A language of the course.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// Every language, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::En, Self::Ko];

    /// Its ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }
}

/// The same in every language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Localized<T = String> {
    /// In English.
    pub en: T,
    /// In Korean.
    pub ko: T,
}

impl<T> Localized<T> {
    /// What is said in `lang`.
    pub const fn get(&self, lang: Lang) -> &T {
        match lang {
            Lang::En => &self.en,
            Lang::Ko => &self.ko,
        }
    }

    /// The same with `change` applied to each language.
    pub fn map<U>(&self, mut change: impl FnMut(&T) -> U) -> Localized<U> {
        Localized { en: change(&self.en), ko: change(&self.ko) }
    }
}
