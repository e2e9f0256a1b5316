//! The words of the page in English and Korean.
//!
//! [`Msg`] names every sentence; a line of the table without one of the two
//! languages does not compile. Sentences with something inserted have numbered
//! places, `{0}`, and [`Lang::fill`] puts the values in. A Korean particle after
//! a place is written with both its forms, `{0}을(를)`, and the one that the
//! inserted word needs is chosen by [`josa`].

pub mod josa;
mod table;

pub use table::Msg;

use serde::{Deserialize, Serialize};

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// The language that a tag such as `ko-KR` asks for; English for all that we have no words in.
    pub fn from_tag(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("ko") { Self::Ko } else { Self::En }
    }

    /// Its tag, for the `lang` attribute.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// The other one, for the switch.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::En => Self::Ko,
            Self::Ko => Self::En,
        }
    }

    /// The same where there is little room.
    pub const fn short(self) -> &'static str {
        match self {
            Self::En => "EN",
            Self::Ko => "한",
        }
    }

    /// Its own name in itself.
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Ko => "한국어",
        }
    }

    /// A sentence of the table.
    pub const fn text(self, msg: Msg) -> &'static str {
        msg.text(self)
    }

    /// A sentence of the table with values in its places.
    pub fn fill(self, msg: Msg, values: &[&str]) -> String {
        let mut out = String::new();
        let mut rest = msg.text(self);
        while let Some(open) = rest.find('{') {
            out.push_str(&rest[..open]);
            let tail = &rest[open + 1..];
            let place = tail.split_once('}').and_then(|(n, after)| Some((n.parse::<usize>().ok()?, after)));
            let Some((index, after)) = place else {
                out.push('{');
                rest = tail;
                continue;
            };
            let value = values.get(index).copied().unwrap_or_default();
            out.push_str(value);
            let (particle, after) = josa::after(value, after);
            out.push_str(particle);
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_follows_the_visitors_browser() {
        for (tag, lang) in [
            ("ko", Lang::Ko),
            ("ko-KR", Lang::Ko),
            ("KO_kr", Lang::Ko),
            ("en-GB", Lang::En),
            ("fr", Lang::En),
            ("", Lang::En),
            ("kok", Lang::En),
        ] {
            assert_eq!(Lang::from_tag(tag), lang, "{tag}");
        }
    }

    #[test]
    fn every_sentence_has_the_same_places_in_both_languages() {
        let places = |text: &str| {
            let mut found: Vec<&str> =
                text.split('{').skip(1).filter_map(|t| t.split_once('}')).map(|(n, _)| n).collect();
            found.sort_unstable();
            found.dedup();
            found.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()
        };
        for msg in Msg::ALL {
            assert_eq!(places(msg.text(Lang::En)), places(msg.text(Lang::Ko)), "{msg:?}");
            assert!(
                !msg.text(Lang::En).trim().is_empty() && !msg.text(Lang::Ko).trim().is_empty(),
                "{msg:?}"
            );
        }
    }
}
