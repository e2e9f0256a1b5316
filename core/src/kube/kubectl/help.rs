//! `--help`: the layout is kubectl's, the sentences are this project's own.

use std::fmt::Write as _;

use super::command::Command;
use super::flags::{Flag, Takes};
use crate::order::InOrder;

/// What `kubectl COMMAND --help` prints.
pub(super) fn command_help(command: &Command, path: &str) -> String {
    let mut out = String::new();
    let about = if command.long.is_empty() { command.short } else { command.long };
    for (index, paragraph) in about.split("\n\n").enumerate() {
        let _ = writeln!(out, "{}{paragraph}", if index == 0 { "" } else { "\n " });
    }
    if !command.examples.is_empty() {
        out.push_str("\nExamples:\n");
        for (index, (comment, line)) in command.examples.iter().enumerate() {
            let _ = writeln!(out, "{}  # {comment}\n  {line}", if index == 0 { "" } else { "\n" });
        }
    }
    if !command.subcommands.is_empty() {
        out.push_str("\nAvailable Commands:\n");
        out.push_str(&listing(command.subcommands.iter().map(|sub| (sub.name, sub.short))));
    }
    if command.flags.iter().any(|group| !group.is_empty()) {
        out.push_str("\nOptions:\n");
        out.push_str(&options(command.flags.iter().copied().flatten()));
    }
    let usage = if command.usage.is_empty() { String::new() } else { format!(" {}", command.usage) };
    let _ = write!(out, "\nUsage:\n  {path}{usage} [options]\n\n");
    if !command.subcommands.is_empty() {
        let _ = writeln!(out, "Use \"{path} <command> --help\" for more information about a given command.");
    }
    out.push_str(
        "Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n",
    );
    out
}

/// What `kubectl --help` prints: the commands in kubectl's groups.
pub(super) fn root_help(root: &Command, groups: &[(&str, &[&str])]) -> String {
    let mut out = format!("{}\n", root.long);
    let find =
        |name: &&str| root.subcommands.iter().find(|sub| sub.name == *name).map(|sub| (sub.name, sub.short));
    for (title, names) in groups {
        let _ = writeln!(out, "\n{title}:");
        out.push_str(&listing(names.iter().filter_map(find)));
    }
    out.push_str(
        "\nUsage:\n  kubectl [flags] [options]\n\n\
         Use \"kubectl <command> --help\" for more information about a given command.\n\
         Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n",
    );
    out
}

/// What `kubectl options` prints.
pub(super) fn global_options(global: &[Flag]) -> String {
    format!("The following options can be passed to any command:\n\n{}", options(global.iter()))
}

fn listing<'a>(entries: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> String {
    let width = entries.clone().map(|(name, _)| name.len()).max().unwrap_or(0);
    entries.fold(String::new(), |mut out, (name, short)| {
        let _ = writeln!(out, "  {name:width$}   {short}");
        out
    })
}

fn options<'a>(flags: impl Iterator<Item = &'a Flag>) -> String {
    let mut flags: Vec<&Flag> = flags.collect();
    flags.order_by_key(|flag| flag.name);
    flags
        .iter()
        .map(|flag| {
            let short = flag.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
            let quoted = matches!(flag.takes, Takes::Text | Takes::TextOr(_));
            let default = if quoted { format!("'{}'", flag.default) } else { flag.default.to_owned() };
            format!("    {short}--{}={default}:\n\t{}\n", flag.name, flag.about)
        })
        .collect::<Vec<_>>()
        .join("\n")
}
