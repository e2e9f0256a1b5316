//! The files in the editor.
//!
//! What stands in the editor and what stands in the lab's file system are two
//! things: the learner types here, and commands write there. An edited file is
//! *dirty* until the page has sent it to the lab, which it does before every
//! command, so that `kubectl apply -f pod.yaml` reads what is on the screen.

use std::collections::BTreeMap;

use crate::protocol::Problem;

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    /// Its text.
    pub text: String,
    /// Grows with every change, so that an answer about an older state is told apart.
    pub revision: u64,
    /// Edited here, and not yet in the lab.
    pub dirty: bool,
    /// What is wrong with it, for the revision in `diagnosed`.
    pub problems: Vec<Problem>,
    /// The revision that `problems` speaks of.
    pub diagnosed: u64,
}

/// All files, and which one is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    files: BTreeMap<String, Buffer>,
    open: Option<String>,
}

impl Buffers {
    /// The paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The path of the open file.
    pub fn open_path(&self) -> Option<&str> {
        self.open.as_deref()
    }

    /// The open file.
    pub fn open(&self) -> Option<(&str, &Buffer)> {
        let path = self.open.as_deref()?;
        Some((path, self.files.get(path)?))
    }

    /// The file of that path.
    pub fn get(&self, path: &str) -> Option<&Buffer> {
        self.files.get(path)
    }

    /// Opens a file that is there.
    pub fn select(&mut self, path: &str) {
        if self.files.contains_key(path) {
            self.open = Some(path.to_owned());
        }
    }

    /// Adds an empty file and opens it.
    ///
    /// # Errors
    ///
    /// The name is no plain relative path, or is taken.
    pub fn create(&mut self, path: &str) -> Result<(), NameError> {
        let path = path.trim();
        let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        if path.is_empty()
            || path.len() > 200
            || path.chars().any(char::is_control)
            || !path.split('/').all(plain)
        {
            return Err(NameError::Invalid);
        }
        if self.files.contains_key(path) {
            return Err(NameError::Taken);
        }
        self.files.insert(path.to_owned(), Buffer { revision: 1, dirty: true, ..Buffer::default() });
        self.open = Some(path.to_owned());
        Ok(())
    }

    /// The learner edited a file.
    pub fn edit(&mut self, path: &str, text: String) {
        if let Some(buffer) = self.files.get_mut(path)
            && buffer.text != text
        {
            buffer.text = text;
            buffer.revision += 1;
            buffer.dirty = true;
        }
    }

    /// The lab says what a file holds now. A file that is being edited stays as it is here.
    pub fn from_lab(&mut self, path: String, text: Option<String>) {
        match text {
            Some(text) => {
                let buffer = self.files.entry(path.clone()).or_default();
                if !buffer.dirty && (buffer.text != text || buffer.revision == 0) {
                    buffer.text = text;
                    buffer.revision += 1;
                }
                self.open.get_or_insert(path);
            }
            None if self.files.get(&path).is_some_and(|buffer| !buffer.dirty) => self.remove(&path),
            None => {}
        }
    }

    /// Takes a file away; the lab is told by [`take_dirty`](Self::take_dirty)'s caller.
    pub fn remove(&mut self, path: &str) {
        self.files.remove(path);
        if self.open.as_deref() == Some(path) {
            self.open = self.files.keys().next().cloned();
        }
    }

    /// What the lab does not know yet; after this it does.
    pub fn take_dirty(&mut self) -> Vec<(String, Option<String>)> {
        self.files
            .iter_mut()
            .filter(|(_, buffer)| buffer.dirty)
            .map(|(path, buffer)| {
                buffer.dirty = false;
                (path.clone(), Some(buffer.text.clone()))
            })
            .collect()
    }

    /// Takes what the manifest reader said, unless the text has changed since.
    pub fn diagnosed(&mut self, path: &str, revision: u64, problems: Vec<Problem>) {
        if let Some(buffer) = self.files.get_mut(path).filter(|buffer| buffer.revision == revision) {
            buffer.problems = problems;
            buffer.diagnosed = revision;
        }
    }

    /// Forgets all files, for another exercise.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Why a file of that name cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Not a plain relative path.
    Invalid,
    /// There is one already.
    Taken,
}

/// Whether a file is a manifest by its name.
pub fn is_yaml(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.')
        .is_some_and(|(_, end)| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_reaches_the_lab_once_and_the_lab_does_not_overwrite_it() {
        let mut buffers = Buffers::default();
        buffers.from_lab("pod.yaml".into(), Some("a".into()));
        assert_eq!(buffers.open_path(), Some("pod.yaml"));
        buffers.edit("pod.yaml", "b".into());
        buffers.from_lab("pod.yaml".into(), Some("c".into()));
        assert_eq!(buffers.open().unwrap().1.text, "b");
        assert_eq!(buffers.take_dirty(), [("pod.yaml".to_owned(), Some("b".to_owned()))]);
        assert_eq!(buffers.take_dirty(), []);
        buffers.from_lab("pod.yaml".into(), Some("c".into()));
        assert_eq!(buffers.open().unwrap().1.text, "c");
        buffers.from_lab("pod.yaml".into(), None);
        assert_eq!(buffers.open_path(), None);
    }

    #[test]
    fn an_answer_about_an_older_text_is_not_shown() {
        let mut buffers = Buffers::default();
        buffers.create("a.yaml").unwrap();
        buffers.edit("a.yaml", "kind".into());
        let problem = Problem { line: 1, column: 1, message: "no".into(), hint: String::new() };
        buffers.diagnosed("a.yaml", 1, vec![problem.clone()]);
        assert!(buffers.get("a.yaml").unwrap().problems.is_empty());
        buffers.diagnosed("a.yaml", 2, vec![problem]);
        assert_eq!(buffers.get("a.yaml").unwrap().problems.len(), 1);
    }

    #[test]
    fn a_file_needs_a_plain_name_of_its_own() {
        let mut buffers = Buffers::default();
        for name in ["", " ", "/etc/passwd", "a//b", "../x", "a/./b", "a\nb"] {
            assert_eq!(buffers.create(name), Err(NameError::Invalid), "{name:?}");
        }
        assert_eq!(buffers.create("dir/pod.yaml"), Ok(()));
        assert_eq!(buffers.create("dir/pod.yaml"), Err(NameError::Taken));
        assert!(is_yaml("dir/pod.yml") && !is_yaml("yaml") && !is_yaml("run.sh"));
    }
}
