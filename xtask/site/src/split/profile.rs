//! What never ran while the first exercise was done, as `web-lab/later.txt` has it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::{Context, Result};

const REMARK: &str = "\
# What never ran while the first exercise was done; written by cargo xtask first-visit.
# 1234abcd: the fingerprint of a function; 1234abcd:5f:3d: of one that ran in part, with its size and its points (a bit each).
";

/// A function of a module that counts, and which of its points ran.
#[derive(Debug)]
pub struct Ran<'a> {
    /// The readable name.
    pub name: &'a str,
    /// How many instructions it has.
    pub size: u64,
    /// One for each point, in their order; the first is the function's beginning.
    pub points: &'a [bool],
}

/// What can come later. Functions are known by fingerprints of their names.
#[derive(Debug, Default)]
pub struct Later {
    whole: HashSet<u32>,
    /// By fingerprint and size: which points ran.
    parts: HashMap<(u32, u64), Vec<bool>>,
}

impl Later {
    /// Reads `later.txt`; lines that begin with `#` are remarks.
    ///
    /// # Errors
    /// Names the line that is not so.
    pub fn parse(text: &str) -> Result<Self> {
        let mut later = Self::default();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            for word in line.split_whitespace() {
                later.take(word).with_context(|| {
                    format!(
                        "later.txt, line {}: expected 1234abcd or 1234abcd:5f:3d, not `{word}`",
                        index + 1
                    )
                })?;
            }
        }
        Ok(later)
    }

    fn take(&mut self, word: &str) -> Option<()> {
        let mut fields = word.split(':');
        let name = fields.next().filter(|name| name.len() == 8)?;
        let name = u32::from_str_radix(name, 16).ok()?;
        match (fields.next(), fields.next(), fields.next()) {
            (None, _, _) => _ = self.whole.insert(name),
            (Some(size), Some(points), None) => {
                let size = u64::from_str_radix(size, 16).ok()?;
                let bits = points.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
                let bits =
                    bits.iter().flat_map(|digit| (0..4).map(move |bit| digit & (1 << bit) != 0)).collect();
                self.parts.insert((name, size), bits);
            }
            _ => return None,
        }
        Some(())
    }

    /// The list that says this.
    pub fn format(functions: &[Ran<'_>]) -> String {
        let ran: HashSet<&str> = functions
            .iter()
            .filter(|function| function.points.contains(&true))
            .map(|function| function.name)
            .collect();
        let mut whole = BTreeSet::new();
        let mut parts: BTreeMap<(u32, u64), Vec<bool>> = BTreeMap::new();
        for function in functions.iter().filter(|function| !function.name.is_empty()) {
            let name = fingerprint(function.name);
            if !ran.contains(function.name) {
                whole.insert(name);
                continue;
            }
            // Several functions may have one name: what ran in one of them counts.
            let points =
                parts.entry((name, function.size)).or_insert_with(|| vec![false; function.points.len()]);
            for (ran, here) in points.iter_mut().zip(function.points) {
                *ran |= here;
            }
        }
        let whole = whole.into_iter().map(|name| format!("{name:08x}"));
        let parts =
            parts.into_iter().filter(|(_, points)| points.contains(&false)).map(|((name, size), points)| {
                let digit =
                    |bits: &[bool]| bits.iter().rev().fold(0, |digit, bit| digit << 1 | u32::from(*bit));
                let digits: String =
                    points.chunks(4).filter_map(|bits| char::from_digit(digit(bits), 16)).collect();
                format!("{name:08x}:{size:x}:{digits}")
            });
        let mut text = REMARK.to_owned();
        let mut width = 0;
        for word in whole.chain(parts) {
            let end = if width + word.len() > 110 { '\n' } else { ' ' };
            width = if end == '\n' { 0 } else { width + word.len() + 1 };
            text.push_str(&word);
            text.push(end);
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    /// Whether a function never ran.
    pub(super) fn has(&self, name: &str) -> bool {
        self.whole.contains(&fingerprint(name))
    }

    /// Which points of a function of this size ran; nothing if that is not known, or all did.
    pub(super) fn points(&self, name: &str, size: u64) -> Option<&[bool]> {
        self.parts.get(&(fingerprint(name), size)).map(Vec::as_slice)
    }
}

/// FNV-1a of a function's readable name. It is stable from build to build: the hash that the compiler adds is left out.
fn fingerprint(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_written_says_the_same_when_it_is_read() {
        let points = [true, false, true, true, true, false];
        let text = Later::format(&[
            Ran { name: "partly", size: 300, points: &points },
            Ran { name: "never", size: 3, points: &[false] },
            Ran { name: "wholly", size: 3, points: &[true, true] },
            Ran { name: "twice", size: 7, points: &[true, false] },
            Ran { name: "twice", size: 7, points: &[false, true] },
            Ran { name: "twice", size: 9, points: &[false, false] },
        ]);
        let later = Later::parse(&text).unwrap();
        assert_eq!(later.points("partly", 300).map(|points| &points[..6]), Some(&points[..]));
        assert!(later.points("partly", 301).is_none(), "another function by now");
        assert!(later.has("never") && !later.has("wholly") && !later.has("partly"));
        assert!(later.points("wholly", 3).is_none() && later.points("twice", 7).is_none());
        assert!(!later.has("twice"), "one of them ran");
        assert_eq!(later.points("twice", 9).map(|points| points[0]), Some(false));
    }

    #[test]
    fn a_word_that_is_no_fingerprint_is_named_with_its_line() {
        for word in ["xyz", "0123abcd:1", "0123abcd:1:2:3", "0123abcd:x:1", "0123abcd:1:g"] {
            let error =
                Later::parse(&format!("# remark\n0123abcd\n0123abcd {word}\n")).unwrap_err().to_string();
            let expected = format!("later.txt, line 3: expected 1234abcd or 1234abcd:5f:3d, not `{word}`");
            assert_eq!(error, expected);
        }
    }
}
