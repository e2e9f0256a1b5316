//! What differs from learner to learner, drawn from a seed.

use std::collections::BTreeMap;

use clusterlab::order::Collected;
use clusterlab::sim::Seed;
use serde::{Deserialize, Serialize};

/// The values that a variable may take: `{from: 9, to: 16}` or `{choose: [amber, coral]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The smallest of the whole numbers it may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// The largest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// The words it may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choose: Vec<String>,
}

impl Variable {
    /// Why it has no value, if so.
    pub(crate) fn problem(&self) -> Option<String> {
        match (self.from, self.to, self.choose.as_slice()) {
            (Some(from), Some(to), []) if from <= to => None,
            (Some(from), Some(to), []) => Some(format!("no whole number from {from} to {to}")),
            (None, None, [_, ..]) => {
                // It becomes part of names, scripts and expressions as it is.
                let plain = |word: &&String| {
                    !word.is_empty()
                        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
                };
                self.choose.iter().find(|word| !plain(word)).map(|word| {
                    format!("{word:?} has other characters than letters, digits, \"-\" and \".\"")
                })
            }
            _ => Some("expected {from: NUMBER, to: NUMBER} or {choose: [WORD, ...]}".to_owned()),
        }
    }

    /// How many values it may take.
    fn size(&self) -> u64 {
        match (self.from, self.to) {
            (Some(from), Some(to)) => to.abs_diff(from).saturating_add(1),
            _ => self.choose.len() as u64,
        }
    }

    fn value(&self, index: u64) -> String {
        match self.from {
            Some(from) => from.saturating_add_unsigned(index).to_string(),
            None => self.choose.get(index as usize).cloned().unwrap_or_default(),
        }
    }
}

/// The value of each variable for the learner with that seed.
pub(crate) fn draw(
    exercise: &str,
    variables: &BTreeMap<String, Variable>,
    seed: u64,
) -> BTreeMap<String, String> {
    variables
        .iter()
        .map(|(name, variable)| {
            let mut rng = Seed::new(seed).rng(&format!("exercise/{exercise}/{name}"));
            (name.clone(), variable.value(rng.below(variable.size())))
        })
        .into_map()
}

/// `text` with each `{{name}}` replaced. Braces around anything else than a name
/// (`{{ .Values.x }}`, `{{range .items}}`) are left as they are.
///
/// # Errors
///
/// The first name that is not among `values`.
pub(crate) fn substitute(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        replaced.push_str(&rest[..open]);
        let inner = &rest[open + 2..];
        let name = inner.find("}}").map(|end| &inner[..end]).filter(|name| is_name(name));
        if let Some(name) = name {
            replaced.push_str(values.get(name).ok_or(name)?);
            rest = &inner[name.len() + 2..];
        } else {
            replaced.push_str("{{");
            rest = inner;
        }
    }
    replaced.push_str(rest);
    Ok(replaced)
}

/// A letter, then letters, digits and `_`.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(from: i64, to: i64) -> Variable {
        Variable { from: Some(from), to: Some(to), ..Variable::default() }
    }

    #[test]
    fn names_in_double_braces_are_replaced_and_nothing_else() {
        let values = BTreeMap::from([("gpus".to_owned(), "12".to_owned())]);
        let check = |text: &str, expect: &str| assert_eq!(substitute(text, &values).as_deref(), Ok(expect));
        check("ask for {{gpus}} GPUs, {{gpus}}!", "ask for 12 GPUs, 12!");
        check("{{ .items }} {{range}", "{{ .items }} {{range}");
        check("{{{gpus}}}", "{{{gpus}}}");
        check("{{", "{{");
        assert_eq!(substitute("{{gpu}}", &values), Err("gpu".to_owned()));
    }

    #[test]
    fn one_learner_always_gets_the_same_and_learners_differ() {
        let variables = BTreeMap::from([("n".to_owned(), range(9, 16))]);
        let all: std::collections::BTreeSet<_> =
            (0..100).map(|seed| draw("e", &variables, seed)["n"].clone()).collect();
        assert_eq!(draw("e", &variables, 5), draw("e", &variables, 5));
        assert_eq!(all.len(), 8, "all eight values occur among a hundred learners: {all:?}");
    }

    #[test]
    fn a_variable_without_values_is_refused() {
        assert_eq!(range(1, 1).problem(), None);
        assert!(range(2, 1).problem().is_some());
        assert!(Variable::default().problem().is_some());
        let words = |words: &[&str]| Variable {
            choose: words.iter().map(ToString::to_string).collect(),
            ..Variable::default()
        };
        assert_eq!(words(&["a", "b-2"]).problem(), None);
        assert!(words(&["a'b"]).problem().is_some());
    }

    proptest! {
        #[test]
        fn a_drawn_number_lies_in_its_range(seed: u64, a: i64, b: i64) {
            let (from, to) = (a.min(b), a.max(b));
            let drawn = draw("e", &BTreeMap::from([("n".to_owned(), range(from, to))]), seed);
            let number: i64 = drawn["n"].parse().unwrap();
            prop_assert!((from..=to).contains(&number));
        }
    }
}
