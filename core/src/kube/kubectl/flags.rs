//! Flags as Go's `pflag` reads them: long and short, `--name=value` and `--name value`,
//! short ones joined (`-nkube-system`, `-Aw`), anywhere on the line until `--`.

use std::collections::BTreeMap;

use super::error::{Error, Result};
use crate::order::Collected;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing, or `=true` or `=false`.
    Bool,
    /// Text.
    Text,
    /// Text; may be given several times, or separated by commas.
    Texts,
    /// Text; may be given several times.
    Array,
    /// A whole number.
    Int,
    /// A span such as `1m30s`.
    Duration,
    /// Text, or this if the flag stands alone.
    TextOr(&'static str),
}

/// One flag of a command.
#[derive(Debug)]
pub(super) struct Flag {
    pub name: &'static str,
    pub short: Option<char>,
    pub takes: Takes,
    /// As `--help` shows it.
    pub default: &'static str,
    /// One sentence for `--help`.
    pub about: &'static str,
}

/// A flag without a one-letter form.
pub(super) const fn flag(
    name: &'static str,
    takes: Takes,
    default: &'static str,
    about: &'static str,
) -> Flag {
    Flag { name, short: None, takes, default, about }
}

/// A flag with a one-letter form.
pub(super) const fn short(
    letter: char,
    name: &'static str,
    takes: Takes,
    default: &'static str,
    about: &'static str,
) -> Flag {
    Flag { name, short: Some(letter), takes, default, about }
}

/// The flags that were given, and the other words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    values: BTreeMap<&'static str, Vec<String>>,
    /// Words that are no flags.
    pub args: Vec<String>,
    /// How many of [`args`](Self::args) stood before `--`, if there was one.
    pub dash: Option<usize>,
}

impl Parsed {
    /// Reads a command's words by the flags it has.
    ///
    /// # Errors
    ///
    /// pflag's own: unknown flag, missing or wrong value.
    pub fn parse(words: &[String], flags: &[&'static Flag]) -> Result<Self> {
        let mut parsed = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                parsed.dash = Some(parsed.args.len());
                parsed.args.extend(words.by_ref().cloned());
            } else if let Some(long) = word.strip_prefix("--") {
                parsed.long(long, &mut words, flags)?;
            } else if word.len() > 1 && word.starts_with('-') {
                parsed.shorts(&word[1..], &mut words, flags)?;
            } else {
                parsed.args.push(word.clone());
            }
        }
        Ok(parsed)
    }

    fn long<'a>(
        &mut self,
        text: &str,
        words: &mut impl Iterator<Item = &'a String>,
        flags: &[&'static Flag],
    ) -> Result<()> {
        if text.starts_with(['-', '=']) {
            return Err(Error::Message(format!("bad flag syntax: --{text}")));
        }
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let Some(flag) = flags.iter().find(|flag| flag.name == name) else {
            return Err(Error::Message(format!("unknown flag: --{name}")));
        };
        let value = match (value, flag.takes) {
            (Some(value), _) => value.to_owned(),
            (None, Takes::Bool) => "true".to_owned(),
            (None, Takes::TextOr(value)) => value.to_owned(),
            (None, _) => words
                .next()
                .cloned()
                .ok_or_else(|| Error::Message(format!("flag needs an argument: --{name}")))?,
        };
        self.set(flag, &value)
    }

    fn shorts<'a>(
        &mut self,
        text: &str,
        words: &mut impl Iterator<Item = &'a String>,
        flags: &[&'static Flag],
    ) -> Result<()> {
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let Some(flag) = flags.iter().find(|flag| flag.short == Some(letter)) else {
                return Err(Error::Message(format!("unknown shorthand flag: '{letter}' in -{rest}")));
            };
            let after = &rest[letter.len_utf8()..];
            if let Some(value) = after.strip_prefix('=') {
                return self.set(flag, value);
            }
            match flag.takes {
                Takes::Bool => self.set(flag, "true")?,
                Takes::TextOr(value) => self.set(flag, value)?,
                _ if !after.is_empty() => return self.set(flag, after),
                _ => {
                    let Some(value) = words.next() else {
                        return Err(Error::Message(format!("flag needs an argument: '{letter}' in -{rest}")));
                    };
                    return self.set(flag, value);
                }
            }
            rest = after;
        }
        Ok(())
    }

    fn set(&mut self, flag: &'static Flag, value: &str) -> Result<()> {
        let invalid = |reason: String| {
            let short = flag.short.map(|letter| format!("-{letter}, ")).unwrap_or_default();
            Error::Message(format!(
                "invalid argument {} for \"{short}--{}\" flag: {reason}",
                super::print::go_quote(value),
                flag.name
            ))
        };
        let quoted = super::print::go_quote(value);
        let slot = self.values.entry(flag.name).or_default();
        match flag.takes {
            Takes::Bool => {
                let value = parse_bool(value)
                    .ok_or_else(|| invalid(format!("strconv.ParseBool: parsing {quoted}: invalid syntax")))?;
                *slot = vec![value.to_string()];
            }
            Takes::Int => {
                value
                    .parse::<i64>()
                    .map_err(|_| invalid(format!("strconv.ParseInt: parsing {quoted}: invalid syntax")))?;
                *slot = vec![value.to_owned()];
            }
            Takes::Duration => {
                super::duration::parse(value).map_err(invalid)?;
                *slot = vec![value.to_owned()];
            }
            Takes::Text | Takes::TextOr(_) => *slot = vec![value.to_owned()],
            Takes::Texts => slot.extend(value.split(',').map(str::to_owned)),
            Takes::Array => slot.push(value.to_owned()),
        }
        Ok(())
    }

    /// Whether the flag was given at all.
    pub fn given(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The text of a flag, if it was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(|values| values.first()).map(String::as_str)
    }

    /// The text of a flag; empty if it was not given.
    pub fn text_or_empty(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// All texts of a flag.
    pub fn texts(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// `key=value` pairs as a JSON object, if there are any.
    pub fn values_of_pairs(&self, name: &str) -> Option<serde_json::Value> {
        let pairs: serde_json::Map<_, _> = self
            .texts(name)
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.into()))
            .into_object();
        (!pairs.is_empty()).then_some(serde_json::Value::Object(pairs))
    }

    /// A flag that is off unless given.
    pub fn on(&self, name: &str) -> bool {
        self.bool(name).unwrap_or(false)
    }

    /// A yes or no, if it was given.
    pub fn bool(&self, name: &str) -> Option<bool> {
        self.text(name).and_then(parse_bool)
    }

    /// A number, if it was given.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// A span in nanoseconds, if it was given.
    pub fn duration(&self, name: &str) -> Option<i64> {
        self.text(name).and_then(|text| super::duration::parse(text).ok())
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static FLAGS: [Flag; 5] = [
        short('n', "namespace", Takes::Text, "", ""),
        short('A', "all-namespaces", Takes::Bool, "false", ""),
        short('f', "filename", Takes::Texts, "[]", ""),
        flag("tail", Takes::Int, "-1", ""),
        flag("since", Takes::Duration, "0s", ""),
    ];

    fn parse(line: &str) -> std::result::Result<Parsed, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Parsed::parse(&words, &FLAGS.iter().collect::<Vec<_>>()).map_err(|error| error.text())
    }

    #[test]
    fn values_may_stand_in_every_form_that_pflag_knows() {
        for line in ["-n x", "-nx", "-n=x", "--namespace x", "--namespace=x", "-An x"] {
            assert_eq!(parse(line).unwrap().text("namespace"), Some("x"), "{line}");
        }
        let parsed = parse("pods -f a,b web -f c --all-namespaces=false -- -n y").unwrap();
        assert_eq!(parsed.texts("filename"), ["a", "b", "c"]);
        assert_eq!(parsed.bool("all-namespaces"), Some(false));
        assert_eq!(
            (parsed.args.as_slice(), parsed.dash),
            (["pods", "web", "-n", "y"].map(str::to_owned).as_slice(), Some(2))
        );
    }

    #[test]
    fn errors_are_pflags_own() {
        for (line, expect) in [
            ("--nosuch", "unknown flag: --nosuch"),
            ("-z", "unknown shorthand flag: 'z' in -z"),
            ("-Az", "unknown shorthand flag: 'z' in -z"),
            ("--namespace", "flag needs an argument: --namespace"),
            ("-f", "flag needs an argument: 'f' in -f"),
            (
                "--tail=x",
                "invalid argument \"x\" for \"--tail\" flag: strconv.ParseInt: parsing \"x\": invalid syntax",
            ),
            ("--since=x", "invalid argument \"x\" for \"--since\" flag: time: invalid duration \"x\""),
            (
                "-A=maybe",
                "invalid argument \"maybe\" for \"-A, --all-namespaces\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err(), expect, "{line}");
        }
    }
}
