//! The journal: what happened, append-only, with a digest over all of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::SimTime;

/// One entry: when it happened and what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<E> {
    /// When it happened.
    pub at: SimTime,
    /// What happened.
    pub event: E,
}

/// An append-only record of typed events.
///
/// Its [`Digest`] covers every entry (time and content, as JSON), so that two
/// runs can be compared by 32 bytes: the same digest means the same journal.
///
/// ```
/// use clusterlab::sim::{Journal, SimTime};
///
/// let mut journal = Journal::new();
/// journal.append(SimTime::ZERO, "switched on");
/// let digest = journal.digest();
/// journal.append(SimTime::from_secs(1), "pod created");
/// assert_ne!(journal.digest(), digest);
/// assert_eq!(journal.len(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct Journal<E> {
    entries: Vec<Entry<E>>,
    hasher: Sha256,
}

impl<E: Serialize> Journal<E> {
    /// An empty journal.
    pub fn new() -> Self {
        Self { entries: Vec::new(), hasher: Sha256::new() }
    }

    /// Appends `event`. Time never runs backwards: an `at` before the last
    /// entry's is a bug of the caller.
    pub fn append(&mut self, at: SimTime, event: E) {
        debug_assert!(
            self.entries.last().is_none_or(|last| last.at <= at),
            "the journal went back in time to {at}"
        );
        let entry = Entry { at, event };
        // Events are plain data with string keys: their JSON form always exists. If one
        // day it does not, the digest says so by covering the error instead.
        match serde_json::to_vec(&entry) {
            Ok(bytes) => self.hasher.update(&bytes),
            Err(error) => self.hasher.update(error.to_string().as_bytes()),
        }
        self.hasher.update(b"\n");
        self.entries.push(entry);
    }

    /// The digest over everything appended so far.
    pub fn digest(&self) -> Digest {
        let mut bytes = [0u8; 32];
        bytes.copy_from_slice(&self.hasher.clone().finalize());
        Digest(bytes)
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> &[Entry<E>] {
        &self.entries
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<E: Serialize> Default for Journal<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Serialize> Extend<Entry<E>> for Journal<E> {
    fn extend<T: IntoIterator<Item = Entry<E>>>(&mut self, entries: T) {
        for entry in entries {
            self.append(entry.at, entry.event);
        }
    }
}

/// A SHA-256 over a journal, printed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let invalid = || serde::de::Error::custom("a digest has 64 hexadecimal digits");
        if text.len() != 64 || !text.is_ascii() {
            return Err(invalid());
        }
        let mut bytes = [0u8; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equal_journals_have_equal_digests_and_a_changed_one_does_not(
            events in prop::collection::vec("[a-z]{0,8}", 1..20),
            at in any::<prop::sample::Index>(),
        ) {
            let write = |events: &[String]| {
                let mut journal = Journal::new();
                for (i, event) in events.iter().enumerate() {
                    journal.append(SimTime::from_secs(i as u64), event.clone());
                }
                journal.digest()
            };
            prop_assert_eq!(write(&events), write(&events));
            let mut changed = events.clone();
            changed[at.index(events.len())].push('!');
            prop_assert_ne!(write(&events), write(&changed));
        }
    }

    #[test]
    fn a_digest_reads_back_what_it_prints_and_refuses_anything_else() {
        let mut journal = Journal::new();
        journal.append(SimTime::ZERO, 1);
        let json = serde_json::to_string(&journal.digest()).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), journal.digest());
        for bad in ["\"\"", "\"zz\"", "\"가나다\"", &format!("\"{}\"", "g".repeat(64))] {
            assert!(serde_json::from_str::<Digest>(bad).is_err(), "{bad}");
        }
    }
}
