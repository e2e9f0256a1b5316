//! `timeout`: a program, and the end of its time.

use std::time::Duration;

use super::{complain, spawn};
use crate::process::host::{Call, Host, Signal};
use crate::process::kernel::{State, Sys};
use crate::process::shell::Flow;
use crate::process::utilities::interval;
use crate::sim::SimTime;

#[derive(Clone, Debug)]
pub(crate) struct Timeout {
    call: Call,
    argv: Vec<String>,
    span: Duration,
    signal: Signal,
    kill_after: Option<Duration>,
    preserve: bool,
    pub(super) child: Option<u32>,
    /// When the next signal is sent.
    deadline: SimTime,
    late: bool,
}

const TRY: &str = "Try 'timeout --help' for more information.\n";

impl Timeout {
    pub(super) fn start(call: &Call) -> Result<Self, (String, u8)> {
        let wrong = |text: String| (format!("timeout: {text}\n{TRY}"), 125);
        let span_of =
            |text: &str| interval(text).ok_or_else(|| wrong(format!("invalid time interval '{text}'")));
        let (mut signal, mut kill_after, mut preserve) = (Signal::Term, None, false);
        let mut args = call.argv.iter().skip(1).peekable();
        while let Some(arg) = args.next_if(|arg| arg.starts_with('-') && arg.len() > 1) {
            let mut value = |option: &str, long: &str| -> Option<Result<String, (String, u8)>> {
                let inline = arg.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
                let inline = inline.or_else(|| {
                    arg.strip_prefix(option).filter(|rest| !rest.is_empty() && !arg.starts_with("--"))
                });
                if let Some(inline) = inline {
                    return Some(Ok(inline.to_owned()));
                }
                (arg == option || arg == long).then(|| {
                    let letter = &option[1..];
                    args.next()
                        .cloned()
                        .ok_or_else(|| wrong(format!("option requires an argument -- '{letter}'")))
                })
            };
            if let Some(name) = value("-s", "--signal") {
                let name = name?;
                signal = match name.trim_start_matches("SIG") {
                    "TERM" | "15" => Signal::Term,
                    "INT" | "2" => Signal::Int,
                    "KILL" | "9" => Signal::Kill,
                    "HUP" | "QUIT" | "USR1" | "USR2" | "1" | "3" | "10" | "12" => {
                        return Err((format!("timeout: not modelled: signal {name}\n"), 125));
                    }
                    _ => return Err(wrong(format!("{name}: invalid signal"))),
                };
            } else if let Some(text) = value("-k", "--kill-after") {
                kill_after = Some(span_of(&text?)?);
            } else if arg == "--preserve-status" {
                preserve = true;
            } else if arg == "--" {
                break;
            } else if !matches!(arg.as_str(), "--foreground" | "-v" | "--verbose") {
                return Err(wrong(match arg.strip_prefix("--") {
                    Some(name) => format!("unrecognized option '--{name}'"),
                    None => format!("invalid option -- '{}'", arg.chars().nth(1).unwrap_or('-')),
                }));
            }
        }
        let (Some(span), Some(_)) = (args.next(), args.peek()) else { return Err((TRY.to_owned(), 125)) };
        Ok(Self {
            call: call.clone(),
            span: span_of(span)?,
            argv: args.cloned().collect(),
            signal,
            kill_after,
            preserve,
            child: None,
            deadline: SimTime::MAX,
            late: false,
        })
    }

    pub(super) fn step<H: Host>(&mut self, sys: &mut Sys<'_, H>) -> Flow<H::Program> {
        let Some(child) = self.child else {
            match spawn(sys, self.argv.clone(), &self.call, true) {
                Ok(pid) => self.child = Some(pid),
                Err((reason, code)) => {
                    complain(sys, &format!("timeout: failed to run command '{}': {reason}\n", self.argv[0]));
                    return Flow::Exit(code);
                }
            }
            // Nought is no limit.
            if self.span > Duration::ZERO {
                self.deadline = sys.now() + self.span;
            }
            return Flow::Block(State::Child(Some(self.deadline)));
        };
        if let Some(status) = sys.kernel.reap(child) {
            return Flow::Exit(match (self.late, self.signal) {
                // It sends KILL to itself as well.
                (true, Signal::Kill) => 137,
                (true, _) if status == 137 => 137,
                (true, _) if !self.preserve => 124,
                _ => status,
            });
        }
        if sys.now() >= self.deadline {
            let signal = if self.late { Signal::Kill } else { self.signal };
            self.deadline = match self.kill_after {
                Some(span) if !self.late => sys.now() + span,
                _ => SimTime::MAX,
            };
            self.late = true;
            sys.signal(child, signal);
            return Flow::Go;
        }
        Flow::Block(State::Child(Some(self.deadline)))
    }
}
