//! What a command is: its names, its flags, its help and what it does.

use super::context::Context;
use super::error::{Error, Result, usage};
use super::flags::{Flag, Parsed};
use super::waiting::Waiting;

/// A command, as the tables in [`commands`](super::commands) declare it.
pub(super) struct Command {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// One line for lists of commands.
    pub short: &'static str,
    /// What `--help` says at length, after the first line.
    pub long: &'static str,
    /// Comment and command line.
    pub examples: &'static [(&'static str, &'static str)],
    /// What follows the command's name in `Usage:`.
    pub usage: &'static str,
    pub flags: &'static [&'static [Flag]],
    pub subcommands: &'static [&'static Command],
    /// kubectl has it, and this one only says that it is not modelled.
    pub absent: bool,
    /// `None` if only its subcommands do something.
    pub run: Option<fn(&mut Run<'_, '_>) -> Result<Next>>,
}

/// What a command says after its first instant.
pub(super) enum Next {
    /// It is done.
    Done,
    /// It is done, with that exit code.
    Exit(u8),
    /// It waits for the world.
    Wait(Waiting),
}

/// One invocation while it runs.
pub(super) struct Run<'a, 'c> {
    pub ctx: &'a mut Context<'c>,
    /// `kubectl get`, as messages name it.
    pub path: &'a str,
    pub flags: &'a Parsed,
    /// All of standard input, where a command reads it.
    pub stdin: &'a [u8],
    pub out: &'a mut String,
    pub err: &'a mut String,
}

impl Run<'_, '_> {
    /// Words that are no flags.
    pub fn args(&self) -> &[String] {
        &self.flags.args
    }

    /// The namespace that this invocation acts in.
    pub fn namespace(&self) -> String {
        match self.flags.text("namespace") {
            Some(namespace) if !namespace.is_empty() => namespace.to_owned(),
            _ => self.ctx.config.namespace().to_owned(),
        }
    }

    /// Whether `-n` was given, so that manifests must agree with it.
    pub fn namespace_is_given(&self) -> bool {
        self.flags.text("namespace").is_some_and(|namespace| !namespace.is_empty())
    }

    /// A line on standard output.
    pub fn say(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// A line on standard error.
    pub fn warn(&mut self, line: &str) {
        self.err.push_str(line);
        self.err.push('\n');
    }

    /// `error: TEXT`, then where this command's help is.
    pub fn usage<T>(&self, text: impl AsRef<str>) -> Result<T> {
        usage(self.path, text)
    }

    /// The `--dry-run` that was asked for.
    pub fn dry_run(&self) -> Result<DryRun> {
        match self.flags.text("dry-run") {
            None | Some("none") => Ok(DryRun::None),
            Some("client") => Ok(DryRun::Client),
            Some("server") => Ok(DryRun::Server),
            Some("unchanged") => Err(Error::Message(
                "--dry-run flag without a value was specified. A value must be set: \"none\", \"server\", or \"client\"."
                    .to_owned(),
            )),
            Some(other) => Err(Error::Message(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }
}

/// How far a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DryRun {
    None,
    Client,
    Server,
}

impl DryRun {
    /// What stands after `pod/a created`.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

/// A command found on the line, and its words.
pub(super) struct Resolved {
    pub command: &'static Command,
    /// `kubectl config view`
    pub path: String,
    /// All words but the command's own.
    pub words: Vec<String>,
    /// The flags that it knows, its own before the global ones.
    pub flags: Vec<&'static Flag>,
}

/// Finds the command that the words mean, as cobra does: flags may stand before it.
pub(super) fn resolve(root: &'static Command, global: &'static [Flag], words: &[String]) -> Result<Resolved> {
    let mut command = root;
    let mut path = root.name.to_owned();
    let mut words = words.to_vec();
    loop {
        let position = first_argument(&words, command, global);
        let Some(word) = position.map(|at| words[at].clone()) else { break };
        let found = command
            .subcommands
            .iter()
            .copied()
            .find(|sub| sub.name == word || sub.aliases.contains(&word.as_str()));
        let Some(sub) = found else {
            if std::ptr::eq(command, root) {
                return Err(Error::Message(unknown_command(root, &word)));
            }
            break;
        };
        words.remove(position.unwrap_or_default());
        command = sub;
        path = format!("{path} {}", sub.name);
    }
    let mut flags: Vec<&'static Flag> = command.flags.iter().copied().flatten().collect();
    flags.extend(
        global.iter().filter(|flag| command.flags.iter().copied().flatten().all(|own| own.name != flag.name)),
    );
    Ok(Resolved { command, path, words, flags })
}

/// The place of the first word that is neither a flag nor a flag's value.
fn first_argument(words: &[String], command: &'static Command, global: &'static [Flag]) -> Option<usize> {
    let flags = || command.flags.iter().copied().flatten().chain(global);
    let stands_alone =
        |flag: &Flag| matches!(flag.takes, super::flags::Takes::Bool | super::flags::Takes::TextOr(_));
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            return None;
        }
        let takes_next = if let Some(long) = word.strip_prefix("--") {
            !long.contains('=') && !flags().any(|flag| flag.name == long && stands_alone(flag))
        } else if let Some(short) = word.strip_prefix('-') {
            let letter = short.chars().next();
            !short.contains('=')
                && short.chars().count() == 1
                && !flags().any(|flag| flag.short == letter && stands_alone(flag))
        } else {
            return Some(at);
        };
        at += if takes_next { 2 } else { 1 };
    }
    None
}

/// `unknown command "x" for "kubectl"`, with what it might have meant.
fn unknown_command(root: &Command, word: &str) -> String {
    let lower = word.to_lowercase();
    let near: Vec<&str> = root
        .subcommands
        .iter()
        .map(|sub| sub.name)
        .filter(|name| levenshtein(&lower, name) <= 2 || name.starts_with(&lower))
        .collect();
    let mut text = format!("unknown command {} for \"kubectl\"", super::print::go_quote(word));
    if !near.is_empty() {
        text.push_str("\n\nDid you mean this?\n");
        for name in near {
            text.push_str(&format!("\t{name}\n"));
        }
    }
    text
}

/// How many letters must be changed, added or taken away.
fn levenshtein(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if ca == *cb { diagonal } else { 1 + diagonal.min(above).min(row[j]) };
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_changed_letters() {
        assert_eq!(levenshtein("gett", "get"), 1);
        assert_eq!(levenshtein("dscribe", "describe"), 1);
        assert_eq!(levenshtein("", "abc"), 3);
    }
}
