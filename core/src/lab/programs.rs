//! The programs of the learner's terminal beyond the standard utilities.

use std::time::Duration;

use super::cluster::{Cluster, KubeletLogs};
use super::terminal::TerminalHost;
use crate::kube::kubectl::{Context, Kubectl};
use crate::process::{Call, Host, Io, Process, ProcessState, Signal, Step, Stream};
use crate::sim::SimTime;

/// A program that runs in the terminal.
#[derive(Clone, Debug)]
pub(super) enum TerminalProgram {
    /// `kubectl …`, in that directory
    Kubectl(Box<Kubectl>, String),
    /// One of Slurm's commands.
    #[cfg(feature = "slurm")]
    Slurm(Box<super::slurm::SlurmCommand>),
    /// `watch …`
    Watch(Box<Watch>),
    /// `clear`
    Clear,
    /// `history`
    History,
    /// `help`
    Help,
}

impl TerminalProgram {
    /// Those that every lab has.
    const OWN: [&'static str; 4] = ["clear", "help", "history", "watch"];
    /// `k` is the alias that everybody has.
    const KUBECTL: [&'static str; 2] = ["k", "kubectl"];

    /// The names of those that there are beside `cluster`.
    pub(super) fn names(cluster: &Cluster) -> Vec<&'static str> {
        let mut names = Self::OWN.to_vec();
        if cluster.has_kubernetes() {
            names.extend(Self::KUBECTL);
        }
        #[cfg(feature = "slurm")]
        if cluster.slurm.is_some() {
            names.extend(super::slurm::SlurmCommand::NAMES);
        }
        names
    }

    pub(super) fn start(call: &Call, cluster: &Cluster) -> Option<Self> {
        #[cfg(feature = "slurm")]
        if cluster.slurm.is_some()
            && let Some(command) = super::slurm::SlurmCommand::start(call)
        {
            return Some(Self::Slurm(Box::new(command)));
        }
        Some(match call.argv.first()?.as_str() {
            "kubectl" | "k" if cluster.has_kubernetes() => {
                let args = call.argv.iter().skip(1).cloned();
                Self::Kubectl(Box::new(Kubectl::new(args)), call.cwd.clone())
            }
            "watch" => Self::Watch(Box::new(Watch::start(call))),
            "clear" => Self::Clear,
            "history" => Self::History,
            "help" => Self::Help,
            _ => return None,
        })
    }

    pub(super) fn step(&mut self, host: &mut TerminalHost<'_>, io: &mut Io<'_>) -> Step {
        match self {
            Self::Kubectl(kubectl, cwd) => {
                let cluster = &mut *host.cluster;
                let mut context = Context {
                    now: host.now,
                    epoch: host.epoch,
                    api: &mut cluster.api,
                    files: host.files,
                    cwd,
                    config: host.config,
                    logs: &KubeletLogs(&cluster.kubelets),
                };
                kubectl.step(&mut context, io)
            }
            #[cfg(feature = "slurm")]
            Self::Slurm(command) => command.step(host, io),
            Self::Watch(watch) => watch.step(host, io),
            Self::Clear => {
                io.stdout.extend_from_slice(CLEAR);
                Step::Exit(0)
            }
            Self::History => {
                for (number, line) in host.history.iter().enumerate() {
                    io.stdout.extend_from_slice(format!("{:5}  {line}\n", number + 1).as_bytes());
                }
                Step::Exit(0)
            }
            Self::Help => {
                io.stdout.extend_from_slice(help(host.cluster).as_bytes());
                Step::Exit(0)
            }
        }
    }
}

impl TerminalProgram {
    /// Delivers a signal; its exit code if it ends of it.
    #[allow(clippy::unnecessary_wraps, reason = "a command of Slurm may go on")]
    pub(super) fn signal(&mut self, host: &mut TerminalHost<'_>, signal: Signal) -> Option<u8> {
        match self {
            Self::Kubectl(kubectl, _) if signal == Signal::Int => Some(kubectl.interrupt()),
            #[cfg(feature = "slurm")]
            Self::Slurm(command) => command.signal(host, signal),
            Self::Watch(watch) => {
                if let Some(process) = &mut watch.running {
                    process.signal_all(host, Signal::Kill);
                }
                Some(128 + signal.number())
            }
            _ => Some(128 + signal.number()),
        }
    }
}

/// Cursor home, erase the screen.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J";

fn help(cluster: &Cluster) -> String {
    let mut text = String::from("This is a shell beside a simulated cluster. What you can use:\n\n");
    if cluster.has_kubernetes() {
        text.push_str(KUBECTL_HELP);
    }
    #[cfg(feature = "slurm")]
    if cluster.slurm.is_some() {
        text.push_str(SLURM_HELP);
    }
    text + HELP
}

const KUBECTL_HELP: &str = "  kubectl (k)     talk to the cluster; kubectl --help lists its commands\n";

#[cfg(feature = "slurm")]
const SLURM_HELP: &str = "  sbatch FILE     hand a batch script to Slurm
  srun COMMAND    run a command on nodes and wait for it; salloc: an allocation
  enroot          images as files, containers without privileges
  squeue sinfo    the jobs, the nodes; sprio, sshare: why in this order
  scontrol show   job N, node NAME, partition: everything about one of them
  scancel N       end a job
  sacct sreport   what ran, and what it used; sdiag: what the scheduler did
  sudo COMMAND    a command as the cluster's administrator
";

const HELP: &str = "  watch COMMAND   run a command every two seconds, Ctrl-C ends it
  ls cat grep head tail wc sort sed awk …   the usual tools, with pipes,
                  redirections, here-documents, variables, loops, functions
  history, clear  what you typed, a clean screen

Tab completes, the arrow keys bring back earlier lines, Ctrl-C interrupts.
";

/// `watch [-n SECONDS] [-t] COMMAND…` (procps-ng).
#[derive(Clone, Debug)]
pub(super) struct Watch {
    interval: Duration,
    title: bool,
    command: String,
    error: Option<String>,
    running: Option<Process<TerminalProgram>>,
    screen: Vec<u8>,
    next: SimTime,
    call: Call,
}

impl Watch {
    fn start(call: &Call) -> Self {
        let mut watch = Self {
            interval: Duration::from_secs(2),
            title: true,
            command: String::new(),
            error: None,
            running: None,
            screen: Vec::new(),
            next: SimTime::ZERO,
            call: call.clone(),
        };
        let mut words = call.argv.iter().skip(1).map(String::as_str);
        let mut command = Vec::new();
        while let Some(word) = words.next() {
            let interval = match word {
                "-t" | "--no-title" => {
                    watch.title = false;
                    continue;
                }
                "-n" | "--interval" => words.next(),
                _ if word.starts_with("-n") => Some(&word[2..]),
                _ if word.starts_with("--interval=") => word.strip_prefix("--interval="),
                "--" => {
                    command.extend(words.by_ref());
                    break;
                }
                _ if word.starts_with('-') => {
                    watch.error = Some(format!("watch: not modelled: option {word}\n"));
                    return watch;
                }
                _ => {
                    command.push(word);
                    command.extend(words.by_ref());
                    break;
                }
            };
            match interval.and_then(|text| text.parse::<f64>().ok()).filter(|s| s.is_finite()) {
                // The real one does not go below a tenth of a second nor above 2^32 tenths.
                Some(seconds) => watch.interval = Duration::from_secs_f64(seconds.clamp(0.1, 429_496_729.0)),
                None => {
                    let given = interval.unwrap_or_default();
                    watch.error = Some(format!("watch: failed to parse argument: '{given}'\n"));
                    return watch;
                }
            }
        }
        if command.is_empty() {
            watch.error = Some("Usage:\n watch [options] command\n".to_owned());
        }
        watch.command = command.join(" ");
        watch
    }

    fn step(&mut self, host: &mut TerminalHost<'_>, io: &mut Io<'_>) -> Step {
        if let Some(error) = &self.error {
            io.stderr.extend_from_slice(error.as_bytes());
            return Step::Exit(1);
        }
        if self.running.is_none() {
            if host.now() < self.next {
                return Step::Until(self.next);
            }
            let argv = ["sh", "-c", &self.command].map(str::to_owned).to_vec();
            match Process::exec(Call { argv, ..self.call.clone() }, host) {
                Ok(process) => self.running = Some(process),
                Err(error) => {
                    io.stderr.extend_from_slice(format!("watch: {error}\n").as_bytes());
                    return Step::Exit(1);
                }
            }
        }
        let Some(process) = self.running.as_mut() else { return Step::Ready };
        process.close_stdin();
        let state = process.advance(host);
        self.screen.extend(process.take_output().into_iter().flat_map(|(_, bytes): (Stream, Vec<u8>)| bytes));
        match state {
            ProcessState::Running { wake: Some(at), .. } => Step::Until(at),
            ProcessState::Running { .. } => Step::Outside,
            ProcessState::Exited(_) | ProcessState::Idle => {
                io.stdout.extend_from_slice(CLEAR);
                if self.title {
                    let date =
                        host.epoch().timestamp(host.now()).strftime("%a %b %e %H:%M:%S %Y").to_string();
                    let left = format!("Every {:.1}s: {}", self.interval.as_secs_f64(), self.command);
                    let right = format!("{}: {date}", host.hostname());
                    io.stdout.extend_from_slice(format!("{left}    {right}\n\n").as_bytes());
                }
                io.stdout.append(&mut self.screen);
                self.running = None;
                self.next = host.now() + self.interval;
                Step::Until(self.next)
            }
        }
    }
}
