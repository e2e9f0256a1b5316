//! `nvidia-smi`: the text that the real one prints for the GPUs that a process
//! may see.
//!
//! Formats, messages and exit codes are those of the binary of driver branch
//! 550 (535, 555 and 580 where their frames differ), recorded from the real
//! program. It writes its errors to standard output, as the real one does.
//!
//! | command | here |
//! | --- | --- |
//! | (none) | `table` |
//! | `-L`, `--version`, `-h`, `--help-query-gpu` | this module, `query` |
//! | `--query-gpu`, `--query-compute-apps` with `--format=csv[,noheader][,nounits]` | `query` |
//! | `-q`, `-q -d SECTION,...` | `detail` |
//! | `topo -m`, `nvlink -s`, `mig -lgip`, `mig -lgipp`, `mig -lgi`, `mig -lci` | `sub` |
//! | `-i LIST`, `-l [SECONDS]`, `-lms MILLISECONDS` | `options` |
//!
//! Exit codes: 0; 2 a bad argument; 6 no such device; 9 no driver; 15 a GPU is
//! lost; 255 an unknown option.

mod detail;
mod fields;
mod options;
mod query;
mod sub;
mod table;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::hardware::{Driver, Gpu, Node};
use crate::process::{Io, Signal, Step};
use crate::sim::SimTime;
use options::{Command, Options};

/// What `nvidia-smi` is shown: a node, the GPUs of it that the caller may use
/// (renumbered from 0 in this order), and the time.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The node.
    pub node: &'a Node,
    /// Indices into the node's GPUs.
    pub gpus: &'a [usize],
    /// The present instant.
    pub now: SimTime,
    /// What the clock on the wall shows.
    pub wall: Timestamp,
    /// Whether the caller is in the node's PID namespace: in a container the
    /// driver cannot name processes, and none is listed.
    pub host_pids: bool,
}

impl<'a> View<'a> {
    /// The GPUs that exist, with the number that they have here.
    fn gpus(&self) -> Vec<(usize, &'a Gpu)> {
        let node = self.node;
        self.gpus.iter().filter_map(|&gpu| node.gpus.get(gpu)).enumerate().collect()
    }

    /// The node's index of the GPU that is `shown` here.
    fn index(&self, shown: usize) -> Option<usize> {
        self.gpus.get(shown).copied()
    }
}

/// A text to print and the exit code that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    text: String,
    code: u8,
}

impl Answer {
    fn ok(text: String) -> Self {
        Self { text, code: 0 }
    }

    fn fail(code: u8, text: impl Into<String>) -> Self {
        Self { text: text.into(), code }
    }

    fn no_devices() -> Self {
        Self::fail(6, "No devices were found\n")
    }
}

/// A running `nvidia-smi`: plain data, woken again by `-l`.
#[derive(Clone, Debug)]
pub struct NvidiaSmi {
    args: Vec<String>,
    /// How many times it has printed.
    rounds: u64,
    next: SimTime,
}

impl NvidiaSmi {
    /// The program called with `args` (without its own name).
    pub fn new(args: &[String]) -> Self {
        Self { args: args.to_vec(), rounds: 0, next: SimTime::ZERO }
    }

    /// Prints what is due.
    pub fn step(&mut self, view: &View<'_>, io: &mut Io<'_>) -> Step {
        if self.rounds > 0 && view.now < self.next {
            return Step::Until(self.next);
        }
        let (answer, every) = run(&self.args, view, self.rounds);
        io.stdout.extend_from_slice(answer.text.as_bytes());
        self.rounds += 1;
        match every {
            Some(every) if answer.code == 0 => {
                self.next = view.now + every;
                Step::Until(self.next)
            }
            _ => Step::Exit(answer.code),
        }
    }

    /// It dies of every signal, as a program without handlers does.
    pub const fn signal(signal: Signal) -> u8 {
        128 + signal.number()
    }
}

/// One round: what is printed, and after which time it is printed again.
fn run(args: &[String], view: &View<'_>, round: u64) -> (Answer, Option<Duration>) {
    let Some(driver) = &view.node.driver else {
        let text = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure \
                    that the latest NVIDIA driver is installed and running.\n\n";
        return (Answer::fail(9, text), None);
    };
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(answer) => return (answer, None),
    };
    let gpus = view.gpus();
    let chosen: Vec<(usize, &Gpu)> = match &options.ids {
        None => gpus.clone(),
        Some(ids) => gpus.iter().copied().filter(|(i, gpu)| ids.iter().any(|id| is(id, *i, gpu))).collect(),
    };
    // What needs no device is answered without one.
    let answer = match options.command {
        Command::Help => Answer::ok(help(driver)),
        Command::HelpQuery(kind) => Answer::ok(query::help(kind)),
        Command::Version => Answer::ok(version(driver)),
        _ if chosen.is_empty() => Answer::no_devices(),
        Command::List => Answer::ok(list(&chosen)),
        Command::Summary => table::print(view, driver, &chosen),
        Command::Query(ref query) => query::print(view, driver, &chosen, query, round == 0),
        Command::Detail(ref sections) => detail::print(view, driver, &chosen, gpus.len(), sections),
        Command::Topology => sub::topology(view, &chosen),
        Command::NvLinkStatus => Answer::ok(sub::nvlink_status(&chosen)),
        Command::MigProfiles => sub::mig_profiles(&chosen),
        Command::MigPlacements => sub::mig_placements(&chosen),
        // The instances themselves come with the MIG state machine.
        Command::MigInstances => Answer::ok("No MIG-enabled devices found.\n".to_owned()),
    };
    (answer, options.every)
}

/// Whether `id`, as given to `-i`, names the GPU shown as number `index`.
fn is(id: &str, index: usize, gpu: &Gpu) -> bool {
    id.parse() == Ok(index)
        || id.eq_ignore_ascii_case(&gpu.uuid)
        || id == gpu.serial
        || id.eq_ignore_ascii_case(&gpu.pci.to_string())
        // The short form of `lspci -D`.
        || id.len() == 12 && gpu.pci.to_string().ends_with(&id.to_ascii_uppercase())
}

/// `nvidia-smi -L`.
fn list(gpus: &[(usize, &Gpu)]) -> String {
    let mut text = String::new();
    for (i, gpu) in gpus {
        let _ = writeln!(text, "GPU {i}: {} (UUID: {})", gpu.spec.name, gpu.uuid);
    }
    text
}

/// `nvidia-smi --version`.
fn version(driver: &Driver) -> String {
    let library: Vec<&str> = driver.version.split('.').take(2).collect();
    format!(
        "NVIDIA-SMI version  : {}\nNVML version        : {}\nDRIVER version      : {}\nCUDA Version        : {}\n",
        driver.version,
        library.join("."),
        driver.version,
        driver.cuda
    )
}

/// `nvidia-smi -h`: what is modelled of it.
fn help(driver: &Driver) -> String {
    format!(
        "NVIDIA System Management Interface -- v{}

nvidia-smi [OPTION1 [ARG1]] [OPTION2 [ARG2]] ...

    <no arguments>              Summary of the GPUs
    -L,   --list-gpus           List of the GPUs
    -q,   --query               Everything about the GPUs
    -d,   --display=            With -q: only these sections, comma separated
          --query-gpu=          These properties, comma separated, one line per GPU
          --query-compute-apps= These properties, one line per process
          --format=             With a query: csv[,noheader][,nounits]
    -i,   --id=                 Only these GPUs: index, UUID, serial or PCI bus id
    -l,   --loop=               Again every so many seconds until Ctrl+C
    -lms, --loop-ms=            Again every so many milliseconds until Ctrl+C
          --help-query-gpu      The properties of --query-gpu
          --help-query-compute-apps
          --version             Versions
    topo -m                     How GPUs and network cards are connected
    nvlink -s                   NVLink speeds
    mig -lgip | -lgipp | -lgi | -lci
                                MIG profiles, their placements, instances
",
        driver.version
    )
}
