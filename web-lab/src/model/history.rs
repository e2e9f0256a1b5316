//! The lines that were typed before, as the arrow keys bring them back.

use serde::{Deserialize, Serialize};

/// How many lines are kept.
const LIMIT: usize = 500;

/// What was typed, and where in it the learner is looking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History {
    lines: Vec<String>,
    #[serde(skip)]
    cursor: Option<usize>,
    #[serde(skip)]
    draft: String,
}

impl History {
    /// Adds a line that was entered; an empty one and a repetition of the last are not kept.
    pub fn push(&mut self, line: &str) {
        self.cursor = None;
        self.draft.clear();
        if line.trim().is_empty() || self.lines.last().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push(line.to_owned());
        if self.lines.len() > LIMIT {
            self.lines.remove(0);
        }
    }

    /// The line before the one shown that begins as the draft does; `shown` is what stands in the input now.
    pub fn older(&mut self, shown: &str) -> Option<String> {
        if self.cursor.is_none() {
            shown.clone_into(&mut self.draft);
        }
        let end = self.cursor.unwrap_or(self.lines.len());
        let at = (0..end).rev().find(|i| self.fits(*i, shown))?;
        self.cursor = Some(at);
        Some(self.lines[at].clone())
    }

    /// The line after the one shown, and after the last one the draft again.
    pub fn newer(&mut self, shown: &str) -> Option<String> {
        let at = self.cursor?;
        self.cursor = (at + 1..self.lines.len()).find(|i| self.fits(*i, shown));
        Some(self.cursor.map_or_else(|| self.draft.clone(), |i| self.lines[i].clone()))
    }

    /// Forgets where the learner was looking: the line was edited.
    pub fn edited(&mut self) {
        self.cursor = None;
    }

    /// Every line, oldest first.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    fn fits(&self, index: usize, shown: &str) -> bool {
        self.lines[index].starts_with(&self.draft) && self.lines[index] != shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_walk_through_the_lines_that_begin_as_the_draft() {
        let mut history = History::default();
        for line in ["kubectl get pods", "ls", "kubectl get nodes", "kubectl get nodes", " "] {
            history.push(line);
        }
        assert_eq!(history.lines().len(), 3);
        assert_eq!(history.older("kub").as_deref(), Some("kubectl get nodes"));
        assert_eq!(history.older("kubectl get nodes").as_deref(), Some("kubectl get pods"));
        assert_eq!(history.older("kubectl get pods"), None);
        assert_eq!(history.newer("kubectl get pods").as_deref(), Some("kubectl get nodes"));
        assert_eq!(history.newer("kubectl get nodes").as_deref(), Some("kub"));
        assert_eq!(history.newer("kub"), None);
    }
}
