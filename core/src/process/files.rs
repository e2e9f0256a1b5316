//! The files that a process sees: a small tree of directories and regular files.

use std::collections::BTreeMap;

/// A file system in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    entries: BTreeMap<String, Vec<u8>>,
}
