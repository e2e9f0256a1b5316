//! The learner's work as it is kept: in the browser's storage, in a file, in a link.
//!
//! All three hold the same JSON. It comes back from places where anything may
//! have happened to it (a full disk, a hand, an older version of the page), so
//! [`Saved::parse`] trusts nothing and says in words what is wrong.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::i18n::{Lang, Msg};

/// What stands in `format`, by which a file is known to be ours.
const FORMAT: &str = "clusterlab.lab";
/// The version that this page writes.
const VERSION: u32 = 1;
/// The longest link that is handed out; chat programs and mail cut longer ones.
const LONGEST_LINK: usize = 8000;

/// The learner's work on one exercise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    format: String,
    version: u32,
    /// Which exercise.
    pub exercise: String,
    /// The learner's seed.
    pub seed: u64,
    /// The lab, as it gave itself.
    pub lab: serde_json::Value,
    /// The lines typed at the terminal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<String>,
}

/// What is wrong with a saved lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedError {
    /// Not JSON; with what the reader said and where.
    Damaged(String),
    /// JSON, but not a lab of ours.
    NotALab,
    /// Of a later version of this page.
    TooNew(u32),
}

impl SavedError {
    /// In words.
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Damaged(why) => lang.fill(Msg::SavedDamaged, &[why]),
            Self::NotALab => lang.text(Msg::SavedNotALab).to_owned(),
            Self::TooNew(version) => lang.fill(Msg::SavedTooNew, &[&version.to_string()]),
        }
    }
}

impl Saved {
    /// The work on `exercise`; `lab` is the JSON that the worker gave.
    ///
    /// # Errors
    ///
    /// `lab` is no JSON.
    pub fn new(
        exercise: &str,
        seed: u64,
        lab: &str,
        history: Vec<String>,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            exercise: exercise.to_owned(),
            seed,
            lab: serde_json::from_str(lab)?,
            history,
        })
    }

    /// Its JSON.
    pub fn to_json(&self) -> String {
        // Plain data with string keys: its JSON form always exists.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads it back.
    ///
    /// # Errors
    ///
    /// Says what is wrong.
    pub fn parse(text: &str) -> Result<Self, SavedError> {
        let json: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|e| SavedError::Damaged(e.to_string()))?;
        if json.get("format").and_then(serde_json::Value::as_str) != Some(FORMAT) {
            return Err(SavedError::NotALab);
        }
        match json.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version > u64::from(VERSION) => {
                return Err(SavedError::TooNew(u32::try_from(version).unwrap_or(u32::MAX)));
            }
            _ => {}
        }
        serde_json::from_value(json).map_err(|e| SavedError::Damaged(e.to_string()))
    }

    /// The part of an address after `#` that brings somebody else to this moment; `None` if it
    /// would be too long. What was typed goes along inside the lab; the history list stays here.
    pub fn to_link(&self) -> Option<String> {
        let link =
            format!("lab={}", URL_SAFE_NO_PAD.encode(Self { history: Vec::new(), ..self.clone() }.to_json()));
        (link.len() <= LONGEST_LINK).then_some(link)
    }

    /// Reads the part of an address after `#`; `None` if it is no link of ours.
    ///
    /// # Errors
    ///
    /// Says what is wrong with a link of ours.
    pub fn from_link(fragment: &str) -> Option<Result<Self, SavedError>> {
        let code = fragment.trim_start_matches('#').strip_prefix("lab=")?;
        let damaged = |why: String| SavedError::Damaged(why);
        Some(
            URL_SAFE_NO_PAD
                .decode(code)
                .map_err(|e| damaged(e.to_string()))
                .and_then(|bytes| String::from_utf8(bytes).map_err(|e| damaged(e.to_string())))
                .and_then(|text| Self::parse(&text)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn saved() -> Saved {
        Saved::new("first-gpu-pod", 7, r#"{"spec":{"name":"하나"}}"#, vec!["ls".into()]).unwrap()
    }

    #[test]
    fn it_comes_back_from_a_file_and_from_a_link() {
        assert_eq!(Saved::parse(&saved().to_json()), Ok(saved()));
        let link = saved().to_link().unwrap();
        let back = Saved::from_link(&format!("#{link}")).unwrap().unwrap();
        assert_eq!(back, Saved { history: Vec::new(), ..saved() });
        assert!(Saved::from_link("#step-2").is_none());
    }

    #[test]
    fn what_is_no_lab_is_refused_in_words() {
        let whole = saved().to_json();
        let check = |text: &str, want: &str| {
            let error = Saved::parse(text).unwrap_err();
            assert!(format!("{error:?}").starts_with(want), "{text}: {error:?}");
            assert!(!error.text(Lang::En).is_empty() && !error.text(Lang::Ko).is_empty());
        };
        check(&whole[..whole.len() / 2], "Damaged");
        check("", "Damaged");
        check("{}", "NotALab");
        check("[1]", "NotALab");
        check(r#"{"format":"clusterlab.lab","version":2}"#, "TooNew(2)");
        check(r#"{"format":"clusterlab.lab","version":1}"#, "Damaged");
        assert!(matches!(Saved::from_link("lab=%%"), Some(Err(SavedError::Damaged(_)))));
    }

    #[test]
    fn a_link_that_would_be_cut_is_not_handed_out() {
        let lab = format!("\"{}\"", "x".repeat(LONGEST_LINK));
        assert_eq!(Saved::new("a", 1, &lab, Vec::new()).unwrap().to_link(), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), cut in any::<prop::sample::Index>()) {
            let whole = saved().to_json();
            let end = whole.char_indices().map(|(at, _)| at).nth(cut.index(whole.chars().count())).unwrap_or(0);
            prop_assert!(Saved::parse(&whole[..end]).is_err());
            let _ = (Saved::parse(&text), Saved::from_link(&text), Saved::from_link(&format!("lab={text}")));
        }
    }
}
