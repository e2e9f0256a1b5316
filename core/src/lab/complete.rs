//! Completion at the prompt: what Tab offers.

use serde::{Deserialize, Serialize};

use super::Lab;
use super::programs::TerminalProgram;
use crate::kube::kubectl;
use crate::process::files::{Files, resolve};

/// What could stand at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    /// The byte of the line where the word begins that the candidates replace.
    pub start: usize,
    /// Whole words, sorted. A directory ends in `/`.
    pub candidates: Vec<String>,
}

/// Utilities that are offered as commands; the shell knows more, these are what a learner types.
const UTILITIES: [&str; 24] = [
    "awk", "cat", "cd", "cp", "cut", "date", "echo", "env", "grep", "head", "hostname", "ls", "mkdir", "mv",
    "pwd", "rm", "sed", "seq", "sleep", "sort", "tail", "tee", "uniq", "wc",
];

impl Lab {
    /// Completes the word that ends at byte `cursor` of `line`: a command, what `kubectl` offers at that
    /// place, or a path. A cursor that is not on a character boundary completes nothing.
    pub fn complete(&self, line: &str, cursor: usize) -> Completion {
        let Some(before) = line.get(..cursor) else { return Completion::default() };
        // The command begins after the last operator; quoting is left to the shell.
        let command = before.rfind(['|', ';', '&', '(', '`']).map_or(0, |at| at + 1);
        let words: Vec<&str> = before[command..].split_whitespace().collect();
        let fresh = before.ends_with(char::is_whitespace) || words.is_empty() || before[command..].is_empty();
        let word = if fresh { "" } else { words.last().copied().unwrap_or_default() };
        let start = cursor - word.len();
        let position = if fresh { words.len() } else { words.len() - 1 };
        let mut candidates = match words.first() {
            _ if position == 0 => commands(&TerminalProgram::names(&self.state.cluster), word),
            Some(&("kubectl" | "k")) if !file_flag(&words, fresh) => {
                let mut words: Vec<String> = words[1..].iter().map(|w| (*w).to_owned()).collect();
                if fresh {
                    words.push(String::new());
                }
                let terminal = &self.state.terminal;
                kubectl::complete(&words, self.api(), terminal.config.namespace())
            }
            _ => self
                .complete_slurm(&words, fresh)
                .unwrap_or_else(|| paths(self.files(), self.state.terminal.cwd(), word)),
        };
        candidates.sort();
        candidates.dedup();
        Completion { start, candidates }
    }
}

impl Lab {
    /// What Slurm's commands offer at that place; `None` if it is none of them, or takes a path there.
    #[cfg(feature = "slurm")]
    fn complete_slurm(&self, words: &[&str], fresh: bool) -> Option<Vec<String>> {
        let mut words = words.to_vec();
        if fresh {
            words.push("");
        }
        super::slurm::complete(&words, &self.slurm()?.controller)
    }

    #[cfg(not(feature = "slurm"))]
    #[allow(clippy::unused_self, reason = "with Slurm it looks at the cluster")]
    const fn complete_slurm(&self, _words: &[&str], _fresh: bool) -> Option<Vec<String>> {
        None
    }
}

/// Whether the word at the cursor is the value of `kubectl`'s `-f`.
fn file_flag(words: &[&str], fresh: bool) -> bool {
    let before = if fresh { words.last() } else { words.len().checked_sub(2).and_then(|i| words.get(i)) };
    matches!(before, Some(&("-f" | "--filename")))
}

fn commands(programs: &[&'static str], prefix: &str) -> Vec<String> {
    let all = programs.iter().chain(&UTILITIES);
    all.filter(|name| name.starts_with(prefix)).map(|name| (*name).to_owned()).collect()
}

fn paths(files: &Files, cwd: &str, prefix: &str) -> Vec<String> {
    let (directory, name) = prefix.rsplit_once('/').map_or(("", prefix), |(d, n)| (&prefix[..=d.len()], n));
    let base = resolve(cwd, if directory.is_empty() { "." } else { directory });
    let entries = files.list(&base).unwrap_or_default();
    // Hidden files only when asked for.
    let offered =
        |entry: &String| entry.starts_with(name) && (name.starts_with('.') || !entry.starts_with('.'));
    entries
        .into_iter()
        .filter(offered)
        .map(|entry| {
            let slash = if files.is_dir(&resolve(&base, &entry)) { "/" } else { "" };
            format!("{directory}{entry}{slash}")
        })
        .collect()
}
