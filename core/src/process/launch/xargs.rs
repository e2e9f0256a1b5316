//! `xargs`: a command for what is read.

use super::{complain, spawn};
use crate::process::host::{Call, Host};
use crate::process::kernel::{State, Sys};
use crate::process::shell::Flow;

/// Arguments that one command gets at most.
const MAX_ARGUMENTS: usize = 5000;

#[derive(Clone, Debug)]
pub(crate) struct Xargs {
    call: Call,
    command: Vec<String>,
    /// What ends an item; blanks, with quotes, if nothing is said.
    delimiter: Option<u8>,
    replace: Option<String>,
    per_command: usize,
    lines: Option<usize>,
    skip_empty: bool,
    trace: bool,
    read: Vec<u8>,
    /// The commands that are still to run, last first, once all is read.
    queue: Option<Vec<Vec<String>>>,
    pub(super) child: Option<u32>,
    status: u8,
}

impl Xargs {
    pub(super) fn start(call: &Call) -> Result<Self, (String, u8)> {
        let mut new = Self {
            call: call.clone(),
            command: Vec::new(),
            delimiter: None,
            replace: None,
            per_command: MAX_ARGUMENTS,
            lines: None,
            skip_empty: false,
            trace: false,
            read: Vec::new(),
            queue: None,
            child: None,
            status: 0,
        };
        let wrong = |text: String| (format!("xargs: {text}\nTry 'xargs --help' for more information.\n"), 1);
        let mut args = call.argv.iter().skip(1).peekable();
        while let Some(arg) = args.next_if(|arg| arg.starts_with('-') && arg.len() > 1) {
            let long = [
                "--null",
                "--no-run-if-empty",
                "--verbose",
                "--max-args",
                "--max-procs",
                "--delimiter",
                "--max-lines",
            ];
            let letters = ["0", "r", "t", "n", "P", "d", "L"];
            let mut text = arg[1..].to_owned();
            if arg == "--" {
                break;
            }
            if arg.starts_with("--") {
                let (name, value) = arg.split_once('=').unwrap_or((arg, ""));
                match long.iter().position(|known| *known == name) {
                    Some(at) => text = format!("{}{value}", letters[at]),
                    None => return Err(wrong(format!("unrecognized option '{arg}'"))),
                }
            }
            while let Some(letter) = text.chars().next() {
                text.remove(0);
                match letter {
                    '0' => new.delimiter = Some(0),
                    'r' => new.skip_empty = true,
                    't' => new.trace = true,
                    'n' | 'P' | 'L' | 'd' | 'I' => {
                        let value = if text.is_empty() {
                            args.next().cloned()
                        } else {
                            Some(std::mem::take(&mut text))
                        };
                        let Some(value) = value else {
                            return Err(wrong(format!("option requires an argument -- '{letter}'")));
                        };
                        let number = value.parse::<usize>();
                        match (letter, number) {
                            ('I', _) => new.replace = Some(value),
                            ('d', _) => {
                                new.delimiter = match value.as_str() {
                                    "\\n" => Some(b'\n'),
                                    "\\t" => Some(b'\t'),
                                    "\\0" => Some(0),
                                    value => value.bytes().next(),
                                }
                            }
                            ('P', Ok(_)) => {}
                            ('n', Ok(count)) if count > 0 => new.per_command = count.min(MAX_ARGUMENTS),
                            ('L', Ok(count)) if count > 0 => new.lines = Some(count),
                            _ => {
                                return Err(wrong(format!(
                                    "invalid number \"{value}\" for -{letter} option"
                                )));
                            }
                        }
                    }
                    other => return Err(wrong(format!("invalid option -- '{other}'"))),
                }
            }
        }
        new.command = args.cloned().collect();
        if new.command.is_empty() {
            new.command.push("echo".to_owned());
        }
        Ok(new)
    }

    /// The items of each line.
    fn items(&self) -> Result<Vec<Vec<String>>, String> {
        let text = String::from_utf8_lossy(&self.read);
        if let Some(delimiter) = self.delimiter {
            let delimiter = char::from(delimiter);
            // A newline before the end is part of the last item, as it is for the real one.
            let text = text.strip_suffix(delimiter).unwrap_or(&text);
            return Ok(if text.is_empty() {
                Vec::new()
            } else {
                text.split(delimiter).map(|item| vec![item.to_owned()]).collect()
            });
        }
        let mut lines = Vec::new();
        for line in text.lines() {
            let (mut items, mut item, mut some) = (Vec::new(), String::new(), false);
            let mut chars = line.trim_start().chars();
            while let Some(c) = chars.next() {
                match c {
                    '\'' | '"' => {
                        some = true;
                        loop {
                            match chars.next() {
                                Some(inner) if inner == c => break,
                                Some(inner) => item.push(inner),
                                None => {
                                    let kind = if c == '"' { "double" } else { "single" };
                                    return Err(format!(
                                        "unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option"
                                    ));
                                }
                            }
                        }
                    }
                    '\\' => {
                        some = true;
                        item.extend(chars.next());
                    }
                    ' ' | '\t' if self.replace.is_none() => {
                        if some {
                            items.push(std::mem::take(&mut item));
                        }
                        some = false;
                    }
                    c => {
                        some = true;
                        item.push(c);
                    }
                }
            }
            if some {
                items.push(item);
            }
            if !items.is_empty() {
                lines.push(items);
            }
        }
        Ok(lines)
    }

    fn commands(&self) -> Result<Vec<Vec<String>>, String> {
        let lines = self.items()?;
        if let Some(mark) = &self.replace {
            let fill =
                |item: &String| self.command.iter().map(|arg| arg.replace(mark.as_str(), item)).collect();
            return Ok(lines.iter().flatten().map(fill).collect());
        }
        let batches: Vec<Vec<String>> = match self.lines {
            Some(count) => lines.chunks(count).map(<[Vec<String>]>::concat).collect(),
            None => lines.concat().chunks(self.per_command).map(<[String]>::to_vec).collect(),
        };
        let empty = batches.is_empty() && !self.skip_empty;
        let batches = if empty { vec![Vec::new()] } else { batches };
        Ok(batches.into_iter().map(|batch| self.command.iter().cloned().chain(batch).collect()).collect())
    }

    pub(super) fn step<H: Host>(&mut self, sys: &mut Sys<'_, H>) -> Flow<H::Program> {
        let Some(queue) = &mut self.queue else {
            let handle = sys.fd(0);
            let (mut new, closed) = sys.take_input(handle);
            sys.return_input(handle, Vec::new(), new.len());
            self.read.append(&mut new);
            if !closed {
                return Flow::Block(State::Input { seen: 0 });
            }
            return match self.commands() {
                Ok(mut commands) => {
                    commands.reverse();
                    self.queue = Some(commands);
                    Flow::Go
                }
                Err(message) => {
                    complain(sys, &format!("xargs: {message}\n"));
                    Flow::Exit(1)
                }
            };
        };
        if let Some(child) = self.child {
            let Some(status) = sys.kernel.reap(child) else { return Flow::Block(State::Child(None)) };
            self.child = None;
            let name = &self.command[0];
            match status {
                0 => {}
                255 => {
                    complain(sys, &format!("xargs: {name}: exited with status 255; aborting\n"));
                    return Flow::Exit(124);
                }
                137 | 143 | 130 => {
                    complain(sys, &format!("xargs: {name}: terminated by signal {}\n", status - 128));
                    return Flow::Exit(125);
                }
                _ => self.status = 123,
            }
        }
        let Some(command) = queue.pop() else { return Flow::Exit(self.status) };
        if self.trace {
            complain(sys, &format!("{}\n", command.join(" ")));
        }
        match spawn(sys, command, &self.call, false) {
            Ok(pid) => {
                self.child = Some(pid);
                Flow::Block(State::Child(None))
            }
            Err((reason, code)) => {
                complain(sys, &format!("xargs: {}: {reason}\n", self.command[0]));
                Flow::Exit(code)
            }
        }
    }
}
