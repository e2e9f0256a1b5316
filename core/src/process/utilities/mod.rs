//! The standard utilities: small programs over their streams and the files.
//!
//! Each behaves as GNU coreutils' (grep's, sed's) of that name for the options
//! that a person uses at a prompt or in a script; any other option gets the real
//! program's complaint where it would get one, else `not modelled: …`.

mod awk;
mod fs;
mod options;
mod search;
mod sed;
mod stream;
mod system;
mod text;
mod time;

use super::files::{Files, resolve};
use super::host::{Call, Host, Io, Step};
use crate::sim::{Epoch, SimTime};

pub(crate) use self::system::interval;
pub(crate) use self::time::{float, strftime};

/// A running utility.
#[derive(Clone, Debug)]
pub struct Utility {
    call: Call,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    /// Does its work at once, without reading its input.
    Once(fn(&mut World<'_>) -> u8),
    /// Reads all of its input, then works.
    Whole(fn(&mut World<'_>, &[u8]) -> u8, Vec<u8>),
    /// Works on its input as it comes.
    Stream(Box<stream::Stream>),
    /// Sleeps until that instant.
    Sleep(SimTime),
    /// Has not begun to sleep.
    SleepFor,
    /// Prints a line for ever.
    Yes,
}

/// What a utility is lent for a step.
pub(super) struct World<'a> {
    pub(super) args: &'a [String],
    pub(super) call: &'a Call,
    pub(super) files: &'a mut Files,
    pub(super) hostname: String,
    pub(super) now: SimTime,
    pub(super) epoch: Epoch,
    pub(super) out: &'a mut Vec<u8>,
    pub(super) err: &'a mut Vec<u8>,
}

impl World<'_> {
    /// The name that it was called by.
    pub(super) fn name(&self) -> &str {
        self.call.argv.first().map_or("", |name| name.rsplit('/').next().unwrap_or(name))
    }

    pub(super) fn path(&self, operand: &str) -> String {
        resolve(&self.call.cwd, operand)
    }

    pub(super) fn say(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'\n');
    }

    /// `name: text` on standard error; answers exit code 1.
    pub(super) fn complain(&mut self, text: &str) -> u8 {
        let line = format!("{}: {text}\n", self.name());
        self.err.extend_from_slice(line.as_bytes());
        1
    }

    /// Complains, and points at the help; answers exit code 1.
    pub(super) fn misuse(&mut self, text: &str) -> u8 {
        self.complain(text);
        let line = format!("Try '{} --help' for more information.\n", self.name());
        self.err.extend_from_slice(line.as_bytes());
        1
    }

    /// The bytes of each operand (`-` is standard input), or of standard input if there
    /// are none. Those that cannot be read are complained about.
    pub(super) fn inputs(&mut self, operands: &[String], stdin: &[u8]) -> (Vec<(String, Vec<u8>)>, u8) {
        if operands.is_empty() {
            return (vec![("-".to_owned(), stdin.to_vec())], 0);
        }
        let (mut read, mut code) = (Vec::new(), 0);
        for operand in operands {
            if operand == "-" {
                read.push((operand.clone(), stdin.to_vec()));
                continue;
            }
            match self.files.read(&self.path(operand)) {
                Ok(bytes) => read.push((operand.clone(), bytes.to_vec())),
                Err(error) => code = self.complain(&format!("{operand}: {error}")),
            }
        }
        (read, code)
    }
}

/// Names of all utilities, sorted, for `type` and completion.
pub const NAMES: &[&str] = &[
    "awk",
    "basename",
    "cat",
    "chmod",
    "cp",
    "cut",
    "date",
    "dirname",
    "env",
    "find",
    "grep",
    "head",
    "hostname",
    "id",
    "ls",
    "mkdir",
    "mv",
    "nproc",
    "printenv",
    "rev",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "sha256sum",
    "sleep",
    "sort",
    "tac",
    "tail",
    "tee",
    "timeout",
    "touch",
    "tr",
    "uname",
    "uniq",
    "wc",
    "which",
    "whoami",
    "xargs",
    "yes",
];

/// Starts the utility that `call.argv[0]` names.
pub fn start(call: &Call) -> Option<Utility> {
    let name = call.argv.first()?.rsplit('/').next()?;
    let whole = |run| Body::Whole(run, Vec::new());
    let body = match name {
        "awk" | "mawk" | "gawk" => whole(awk::awk),
        "basename" => Body::Once(system::basename),
        "cat" | "head" | "tee" | "grep" => Body::Stream(Box::default()),
        "chmod" => Body::Once(fs::chmod),
        "cp" => Body::Once(fs::cp),
        "cut" => whole(text::cut),
        "date" => Body::Once(time::date),
        "dirname" => Body::Once(system::dirname),
        "env" | "printenv" => Body::Once(system::env),
        "find" => Body::Once(fs::find),
        "hostname" => Body::Once(system::hostname),
        "id" => Body::Once(system::id),
        "ls" => Body::Once(fs::ls),
        "mkdir" => Body::Once(fs::mkdir),
        "mv" => Body::Once(fs::mv),
        "nproc" => Body::Once(system::nproc),
        "rev" => whole(text::rev),
        "rm" | "rmdir" => Body::Once(fs::rm),
        "sed" => whole(sed::sed),
        "seq" => Body::Once(system::seq),
        "sha256sum" => whole(text::sha256sum),
        "sleep" => Body::SleepFor,
        "sort" => whole(text::sort),
        "tac" => whole(text::tac),
        "tail" => Body::Stream(Box::default()),
        "touch" => Body::Once(fs::touch),
        "tr" => whole(text::tr),
        "uname" => Body::Once(system::uname),
        "uniq" => whole(text::uniq),
        "wc" => whole(text::wc),
        "whoami" => Body::Once(system::whoami),
        "yes" => Body::Yes,
        _ => return None,
    };
    Some(Utility { call: call.clone(), body })
}

impl Utility {
    /// Runs as far as it gets.
    pub fn step<H: Host>(&mut self, host: &mut H, io: &mut Io<'_>) -> Step {
        let (now, epoch, hostname) = (host.now(), host.epoch(), host.hostname().to_owned());
        let call = self.call.clone();
        let args = call.argv.get(1..).unwrap_or_default();
        let mut world = World {
            args,
            call: &call,
            files: host.files(),
            hostname,
            now,
            epoch,
            out: io.stdout,
            err: io.stderr,
        };
        match &mut self.body {
            Body::Once(run) => Step::Exit(run(&mut world)),
            Body::Whole(run, read) => {
                read.append(io.stdin);
                // Operands name what is read: standard input is not waited for.
                let operands = args.iter().any(|a| !a.starts_with('-') && world.files.exists(&world.path(a)));
                if !io.stdin_closed && !operands {
                    return Step::Input;
                }
                let read = std::mem::take(read);
                Step::Exit(run(&mut world, &read))
            }
            Body::Stream(stream) => stream.step(&mut world, io.stdin, io.stdin_closed),
            Body::SleepFor => match system::sleep_span(&mut world) {
                Ok(span) => {
                    let until = now + span;
                    self.body = Body::Sleep(until);
                    Step::Until(until)
                }
                Err(code) => Step::Exit(code),
            },
            Body::Sleep(until) if now >= *until => Step::Exit(0),
            Body::Sleep(until) => Step::Until(*until),
            Body::Yes => {
                let line = if args.is_empty() { "y".to_owned() } else { args.join(" ") };
                for _ in 0..1024 {
                    world.say(&line);
                }
                Step::Ready
            }
        }
    }
}
