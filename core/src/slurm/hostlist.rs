//! Host lists: `gpu[001-128,130],login1` and back.
//!
//! The grammar is that of `scontrol show hostnames`: names separated by commas, each with brackets that hold numbers
//! and ranges; leading zeros are kept. [`compress`] prints sets as Slurm does: runs of one prefix and one width joined.

use thiserror::Error;

/// Most names that one list may stand for.
pub const MAX_HOSTS: usize = 65_536;

/// Why a host list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HostListError {
    /// A bracket without its partner.
    #[error("host list `{list}`, column {column}: unmatched `{bracket}`")]
    Unmatched {
        /// The list.
        list: String,
        /// Column, from 1.
        column: usize,
        /// The bracket.
        bracket: char,
    },
    /// Something else than numbers and ranges between brackets.
    #[error("host list `{list}`, column {column}: `{range}` is not a number or a range of numbers")]
    Range {
        /// The list.
        list: String,
        /// Column, from 1.
        column: usize,
        /// What stands there.
        range: String,
    },
    /// More names than [`MAX_HOSTS`].
    #[error("host list `{list}`: more than {MAX_HOSTS} names")]
    TooMany {
        /// The list.
        list: String,
    },
}

/// The names that a host list stands for, in order, duplicates kept.
///
/// # Errors
///
/// [`HostListError`] with the column.
///
/// ```
/// use clusterlab::slurm::hostlist::expand;
/// assert_eq!(expand("gpu[08-10],login1").unwrap(), ["gpu08", "gpu09", "gpu10", "login1"]);
/// assert!(expand("n[1-").is_err());
/// ```
pub fn expand(list: &str) -> Result<Vec<String>, HostListError> {
    let mut names = Vec::new();
    for (column, part) in top_level(list)? {
        let mut made = vec![String::new()];
        let mut rest = part;
        let mut at = column;
        while let Some(open) = rest.find('[') {
            let close = rest[open..].find(']').map(|close| open + close).ok_or_else(|| {
                HostListError::Unmatched { list: list.to_owned(), column: at + open, bracket: '[' }
            })?;
            let numbers = numbers(list, at + open + 1, &rest[open + 1..close])?;
            if made.len().saturating_mul(numbers.len()) > MAX_HOSTS {
                return Err(HostListError::TooMany { list: list.to_owned() });
            }
            let prefix = &rest[..open];
            made = made
                .iter()
                .flat_map(|head| numbers.iter().map(move |number| format!("{head}{prefix}{number}")))
                .collect();
            at += close + 1;
            rest = &rest[close + 1..];
        }
        made.iter_mut().for_each(|name| name.push_str(rest));
        names.extend(made.into_iter().filter(|name| !name.is_empty()));
        if names.len() > MAX_HOSTS {
            return Err(HostListError::TooMany { list: list.to_owned() });
        }
    }
    Ok(names)
}

/// Parts between commas that are not in brackets, each with its column.
fn top_level(list: &str) -> Result<Vec<(usize, &str)>, HostListError> {
    let unmatched =
        |at: usize, bracket| HostListError::Unmatched { list: list.to_owned(), column: at + 1, bracket };
    let mut parts = Vec::new();
    let mut start = 0;
    let mut open: Option<usize> = None;
    for (at, c) in list.char_indices() {
        match c {
            '[' if open.is_some() => return Err(unmatched(at, '[')),
            '[' => open = Some(at),
            ']' if open.take().is_none() => return Err(unmatched(at, ']')),
            ',' if open.is_none() => {
                parts.push((start + 1, list[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    if let Some(at) = open {
        return Err(unmatched(at, '['));
    }
    parts.push((start + 1, list[start..].trim()));
    Ok(parts)
}

fn numbers(list: &str, column: usize, text: &str) -> Result<Vec<String>, HostListError> {
    let mut all = Vec::new();
    let mut at = column;
    for range in text.split(',') {
        let bad = || HostListError::Range { list: list.to_owned(), column: at, range: range.to_owned() };
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let digits =
            |text: &str| !text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(first) || !digits(last) {
            return Err(bad());
        }
        let (from, to): (u64, u64) = (first.parse().map_err(|_| bad())?, last.parse().map_err(|_| bad())?);
        if to < from {
            return Err(bad());
        }
        if to - from >= MAX_HOSTS as u64 {
            return Err(HostListError::TooMany { list: list.to_owned() });
        }
        let width = first.len();
        all.extend((from..=to).map(|n| format!("{n:0width$}")));
        at += range.len() + 1;
    }
    Ok(all)
}

/// Names as a host list: neighbours with one prefix and one width of number joined to ranges, in the order given.
///
/// ```
/// use clusterlab::slurm::hostlist::compress;
/// assert_eq!(compress(["n1", "n2", "n3", "n7"]), "n[1-3,7]");
/// assert_eq!(compress(["a1", "h1", "h2"]), "a1,h[1-2]");
/// ```
pub fn compress<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut groups: Vec<(&str, Vec<(u64, u64, usize)>)> = Vec::new();
    for name in names {
        let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count().min(9);
        let (prefix, number) = name.split_at(name.len() - digits);
        let Ok(value) = number.parse::<u64>() else {
            groups.push((name, Vec::new()));
            continue;
        };
        // The width matters only where zeros lead.
        let width = number.len();
        match groups.last_mut() {
            Some((last, ranges)) if *last == prefix && !ranges.is_empty() => match ranges.last_mut() {
                Some((_, to, w)) if *to + 1 == value && fits(value, width, *w) => *to = value,
                _ => ranges.push((value, value, width)),
            },
            _ => groups.push((prefix, vec![(value, value, width)])),
        }
    }
    let mut parts = Vec::new();
    for (prefix, ranges) in groups {
        let number = |value: u64, width: usize| format!("{value:0width$}");
        parts.push(match ranges.as_slice() {
            [] => prefix.to_owned(),
            [(from, to, width)] if from == to => format!("{prefix}{}", number(*from, *width)),
            _ => {
                let inner: Vec<String> = ranges
                    .iter()
                    .map(|(from, to, width)| {
                        if from == to {
                            number(*from, *width)
                        } else {
                            format!("{}-{}", number(*from, *width), number(*to, *width))
                        }
                    })
                    .collect();
                format!("{prefix}[{}]", inner.join(","))
            }
        });
    }
    parts.join(",")
}

/// Whether a number of `width` digits continues a range whose numbers have at least `first` digits.
fn fits(value: u64, width: usize, first: usize) -> bool {
    format!("{value:0first$}").len() == width
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn brackets_ranges_and_zeros_are_read() {
        let check = |list: &str, names: &[&str]| assert_eq!(expand(list).unwrap(), names, "{list}");
        check("n1", &["n1"]);
        check("n[1-3,6]", &["n1", "n2", "n3", "n6"]);
        check("r[1-2]n[09-10]", &["r1n09", "r1n10", "r2n09", "r2n10"]);
        check("a1,h[1-2],m1", &["a1", "h1", "h2", "m1"]);
        check("", &[]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_column() {
        let check = |list: &str, message: &str| assert_eq!(expand(list).unwrap_err().to_string(), message);
        check("n[1-", "host list `n[1-`, column 2: unmatched `[`");
        check("n1]", "host list `n1]`, column 3: unmatched `]`");
        check("n[3-1]", "host list `n[3-1]`, column 3: `3-1` is not a number or a range of numbers");
        check("n[1,x]", "host list `n[1,x]`, column 5: `x` is not a number or a range of numbers");
        check("n[0-99999]", "host list `n[0-99999]`: more than 65536 names");
    }

    #[test]
    fn names_are_joined_as_slurm_joins_them() {
        let check = |names: &[&str], list: &str| assert_eq!(compress(names.iter().copied()), list);
        check(&["n1", "n2", "n3", "n6"], "n[1-3,6]");
        check(&["g1", "g4"], "g[1,4]");
        check(&["n09", "n10", "n11"], "n[09-11]");
        check(&["n9", "n10"], "n[9-10]");
        check(&["localhost"], "localhost");
    }

    proptest! {
        #[test]
        fn what_was_joined_comes_apart_again(numbers in prop::collection::btree_set(0u64..300, 0..30), width in 1usize..4) {
            let names: Vec<String> = numbers.iter().map(|n| format!("n{n:0width$}")).collect();
            prop_assert_eq!(expand(&compress(names.iter().map(String::as_str))).unwrap(), names);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = expand(&text);
        }
    }
}
