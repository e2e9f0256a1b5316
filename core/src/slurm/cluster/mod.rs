//! A whole Slurm cluster: the controller, and daemons on the nodes that run the scripts.
//!
//! [`SlurmCluster`] advances both in virtual time: the controller says what starts and what is signalled, the scripts
//! say when they end. All nodes share one file system, as clusters with a parallel file system do.

mod clock;
mod environment;
mod host;

use std::collections::BTreeMap;
use std::time::Duration;

use clock::Report;
pub use clock::{RecordedRun, RecordedRuns};
pub use environment::batch_environment;
use host::{JobHost, JobProgram};

use super::controller::{Action, ClusterSpec, Controller};
use super::model::{Job, JobId};
use crate::process::files::{self, Files};
use crate::process::{Call, Process, ProcessState, Stream};
use crate::sim::{Epoch, SimTime};

/// A script that runs on a node.
#[derive(Clone, Debug)]
struct Running {
    run: u32,
    node: String,
    process: Process<JobProgram>,
    stdout: String,
    stderr: String,
    suspended: bool,
    /// The last signal that it was sent.
    signalled: u8,
}

/// A controller, its nodes, and what runs on them.
#[derive(Clone, Debug)]
pub struct SlurmCluster {
    /// The controller.
    pub controller: Controller,
    /// The shared file system.
    pub files: Files,
    epoch: Epoch,
    now: SimTime,
    running: BTreeMap<JobId, Running>,
    /// Scripts that were sent to their nodes and have not begun.
    launching: Vec<(SimTime, JobId, u32)>,
    /// Scripts that ended and whose end has not been reported.
    reports: Vec<Report>,
    recorded: Option<RecordedRuns>,
    /// Machines that reboot, and when their daemons start again.
    booting: Vec<(SimTime, String)>,
}

/// How long a machine takes to reboot.
const BOOT: Duration = Duration::from_secs(30);

/// Between two tries of a node to tell the controller that a job ended, MessageTimeout for the try apart.
const RETRY_DELAY: Duration = Duration::from_secs(15);

/// Until a script begins: the controller's message, the credential's check, the fork (observed: some tenths of a second).
const LAUNCH: Duration = Duration::from_millis(300);

impl SlurmCluster {
    /// A cluster that is switched on at `now`.
    pub fn new(spec: ClusterSpec, epoch: Epoch, now: SimTime) -> Self {
        let zero = epoch.timestamp(SimTime::ZERO).as_nanosecond();
        let controller = Controller::new(spec, i64::try_from(zero).unwrap_or(0), now);
        let mut files = Files::new();
        for directory in ["/tmp", "/home", "/dev"] {
            // A fresh file system has none of them.
            let _ = files.create_dir_all(directory, now);
        }
        Self {
            controller,
            files,
            epoch,
            now,
            running: BTreeMap::new(),
            launching: Vec::new(),
            reports: Vec::new(),
            booting: Vec::new(),
            recorded: None,
        }
    }

    /// Takes the seconds at which jobs begin and scripts end from a recording, where they are near enough.
    pub fn follow(&mut self, recorded: RecordedRuns) {
        self.recorded = Some(recorded);
    }

    /// The present instant.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// When something happens next.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        let scripts = self.running.values().filter(|running| !running.suspended).filter_map(|running| {
            match running.process.state() {
                ProcessState::Running { wake, .. } => wake,
                ProcessState::Exited(_) => Some(self.now),
                ProcessState::Idle => None,
            }
        });
        let launches = self.launching.iter().map(|(at, ..)| *at);
        let reports = self.reports.iter().map(|report| report.at);
        let booting = self.booting.iter().map(|(at, _)| *at);
        scripts.chain(launches).chain(reports).chain(booting).chain(self.controller.next_wakeup()).min()
    }

    /// Lets time pass up to `now`.
    pub fn advance(&mut self, now: SimTime) {
        self.settle();
        while let Some(at) = self.next_wakeup().filter(|at| *at <= now) {
            self.now = self.now.max(at);
            // The controller's clock first: what scripts report happens now.
            self.controller.advance(self.now);
            self.step_scripts();
            self.settle();
        }
        self.now = self.now.max(now);
        self.controller.advance(self.now);
        self.settle();
    }

    /// Does what the controller told the nodes, until nothing is left to do at this instant.
    pub fn settle(&mut self) {
        self.controller.advance(self.now);
        for _ in 0..1000 {
            let actions = self.controller.take_actions();
            if actions.is_empty() {
                return;
            }
            for action in actions {
                self.act(&action);
            }
            self.step_scripts();
        }
    }

    fn act(&mut self, action: &Action) {
        match *action {
            Action::Launch { job, run } => {
                let record = self.controller.jobs.get(job);
                let start = record.and_then(|job| self.recorded.as_ref()?.start_of(job));
                let at = match start {
                    Some(start) => {
                        self.controller.correct_start(job, start);
                        clock::launch_at(start, self.controller.time_at(self.now), self.now, LAUNCH)
                    }
                    None => self.now + LAUNCH,
                };
                self.launching.push((at, job, run));
            }
            Action::Signal { job, run, signal, .. } => self.signal(job, run, signal),
            Action::Suspend { job } => {
                if let Some(running) = self.running.get_mut(&job) {
                    running.suspended = true;
                }
            }
            Action::Reboot { node } => {
                let name = self.controller.nodes[node].name.clone();
                self.kill_daemon(&name);
                self.booting.push((self.now + BOOT, name));
            }
            Action::Resume { job } => {
                if let Some(running) = self.running.get_mut(&job) {
                    running.suspended = false;
                }
            }
        }
    }

    fn launch(&mut self, id: JobId, run: u32) {
        let Some(job) = self.controller.jobs.get(id) else { return };
        let Some(node) = job.nodes.min() else { return };
        let node = self.controller.nodes[node].name.clone();
        // A job whose recorded start is earlier than ours has run for that long.
        let late = match &self.recorded {
            Some(recorded) => {
                let late = u64::try_from(self.controller.time_at(self.now) - job.start).unwrap_or(0);
                late + recorded.head_start()
            }
            None => 0,
        };
        let env = batch_environment(&self.controller, job, &node);
        let stdout = output_path(&self.controller, job, job.request.std_out.as_deref(), &node);
        let stderr = job
            .request
            .std_err
            .as_deref()
            .map_or_else(|| stdout.clone(), |text| output_path(&self.controller, job, Some(text), &node));
        let script = format!("/var/spool/slurmd/job{id:05}/slurm_script");
        let (text, append) =
            (job.request.script.clone(), job.request.append.unwrap_or(self.controller.params.file_append));
        let mut argv = vec![script.clone()];
        argv.extend(job.request.argv.iter().cloned());
        let cwd = if self.files.is_dir(&job.request.work_dir) {
            job.request.work_dir.clone()
        } else {
            "/tmp".to_owned()
        };
        // The spool directory is always writable; a file system that is full is noticed when the script writes.
        let _ = self.files.create_dir_all(files::parent(&script), self.now);
        let _ = self.files.put(&script, text.into_bytes(), self.now);
        let _ = self.files.set_executable(&script, true);
        if !append && stdout != "/dev/null" {
            let _ = self.files.put(&stdout, Vec::new(), self.now);
        }
        let call = Call { argv, env, cwd, pid: 1000 + id };
        let earlier = Duration::from_secs(late);
        let began = SimTime::from_nanos(self.now.as_nanos().saturating_sub(earlier.as_nanos() as u64));
        let mut host = JobHost { now: began, epoch: self.epoch, node: &node, files: &mut self.files };
        match Process::spawn(call, &mut host) {
            Ok(mut process) => {
                process.advance(&mut host);
                self.running.insert(
                    id,
                    Running { run, node, process, stdout, stderr, suspended: false, signalled: 0 },
                );
            }
            Err(_) => self.tell(Report { at: self.now, job: id, run, code: 127, signal: 0 }),
        }
    }

    fn signal(&mut self, id: JobId, run: u32, signal: u8) {
        let Some(running) = self.running.get_mut(&id).filter(|running| running.run == run) else {
            // Nothing runs any more, or nothing ran yet: the controller hears so.
            self.launching.retain(|(_, job, of)| (*job, *of) != (id, run));
            self.tell(Report { at: self.now, job: id, run, code: 0, signal });
            return;
        };
        let known = match signal {
            2 => crate::process::Signal::Int,
            15 => crate::process::Signal::Term,
            9 => crate::process::Signal::Kill,
            // SIGCONT wakes what is stopped; nothing else is stopped here.
            _ => return,
        };
        running.suspended = false;
        running.signalled = signal;
        let node = running.node.clone();
        let mut host = JobHost { now: self.now, epoch: self.epoch, node: &node, files: &mut self.files };
        running.process.signal_all(&mut host, known);
    }

    /// Advances every script as far as it gets, and reports those that ended.
    fn step_scripts(&mut self) {
        let now = self.now;
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.launching).into_iter().partition(|(at, ..)| *at <= now);
        self.launching = later;
        for (_, job, run) in due {
            self.launch(job, run);
        }
        let (up, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.booting).into_iter().partition(|(at, _)| *at <= now);
        self.booting = later;
        for (_, node) in up {
            self.start_daemon(&node);
        }
        let ids: Vec<JobId> = self.running.keys().copied().collect();
        for id in ids {
            let Some(running) = self.running.get_mut(&id).filter(|running| !running.suspended) else {
                continue;
            };
            let node = running.node.clone();
            let mut host = JobHost { now: self.now, epoch: self.epoch, node: &node, files: &mut self.files };
            running.process.advance(&mut host);
            for (stream, bytes) in running.process.take_output() {
                let path = if stream == Stream::Stdout { &running.stdout } else { &running.stderr };
                if path != "/dev/null" {
                    let _ = self.files.append(path, &bytes, self.now);
                }
            }
            if let Some(code) = running.process.exit_code() {
                let job = self.controller.jobs.get(id);
                let delay = job.zip(self.recorded.as_ref()).map(|(job, recorded)| {
                    let fraction = self.now.as_nanos() / 1_000_000 % 1000;
                    recorded.delay(job, self.controller.time_at(self.now), fraction)
                });
                let report = running.report(id, self.now + delay.unwrap_or_default(), code);
                self.running.remove(&id);
                self.reports.push(report);
            }
        }
        let (due, later) = std::mem::take(&mut self.reports).into_iter().partition(|report| report.at <= now);
        self.reports = later;
        let due: Vec<Report> = due;
        for report in due {
            self.tell(report);
        }
    }

    /// Tells the controller that a job ended; its node tries again later when nobody answers.
    fn tell(&mut self, report: Report) {
        if self.controller.answers() {
            self.controller.batch_ended(report.job, report.run, report.code, report.signal);
            return;
        }
        let timeout = Duration::from_secs(u64::from(self.controller.params.message_timeout));
        self.reports.push(Report { at: self.now + timeout + RETRY_DELAY, ..report });
    }

    /// The controller that is in control is gone; scripts go on.
    pub fn stop_controller(&mut self) {
        if let Some(daemon) = self.controller.daemons.in_control() {
            self.controller.stop_daemon(daemon);
        }
    }

    /// The primary controller starts.
    pub fn start_controller(&mut self) {
        self.controller.start_daemon(0);
        self.settle();
    }

    /// The daemon of a node and all that runs there is gone: nothing is reported any more.
    pub fn kill_daemon(&mut self, node: &str) {
        self.running.retain(|_, running| running.node != node);
        let on_node = |controller: &Controller, id: JobId| {
            let first = controller.jobs.get(id).and_then(|job| job.nodes.min());
            first.is_some_and(|first| controller.nodes[first].name == node)
        };
        self.launching.retain(|(_, id, _)| !on_node(&self.controller, *id));
        if let Some(at) = self.controller.node(node) {
            self.controller.set_responding(at, false);
        }
    }

    /// The daemon of a node is back.
    pub fn start_daemon(&mut self, node: &str) {
        if let Some(at) = self.controller.node(node) {
            self.controller.set_responding(at, true);
        }
    }
}

/// A file name pattern of `--output` with its replacement symbols (sbatch(1), FILENAME PATTERN).
fn output_path(controller: &Controller, job: &Job, pattern: Option<&str>, node: &str) -> String {
    let default = if job.array.is_some() { "slurm-%A_%a.out" } else { "slurm-%j.out" };
    let text = expand_pattern(controller, job, pattern.unwrap_or(default), node);
    if text.starts_with('/') {
        text
    } else {
        format!("{}/{text}", job.request.work_dir.trim_end_matches('/'))
    }
}

fn expand_pattern(_controller: &Controller, job: &Job, pattern: &str, node: &str) -> String {
    if pattern.contains('\\') {
        return pattern.replace('\\', "");
    }
    let (array, task) = job.array.map_or((job.id, None), |(array, task)| (array, task));
    let mut text = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let mut width = String::new();
        while let Some(digit) = chars.peek().filter(|c| c.is_ascii_digit()) {
            width.push(*digit);
            chars.next();
        }
        let width: usize = width.parse().unwrap_or(0).min(10);
        let number = |n: u32| format!("{n:0width$}");
        match chars.next() {
            Some('%') => text.push('%'),
            Some('j') => text.push_str(&number(job.id)),
            Some('J') => text.push_str(&number(job.id)),
            Some('A') => text.push_str(&number(array)),
            Some('a') => text.push_str(&number(task.unwrap_or(4_294_967_294))),
            Some('N') => text.push_str(node),
            Some('n' | 't' | 's') => text.push_str(&number(0)),
            Some('u') => text.push_str(&job.user),
            Some('x') => text.push_str(&job.request.name),
            Some('b') => text.push_str(&number(task.unwrap_or(0) % 10)),
            Some(other) => {
                text.push('%');
                text.push(other);
            }
            None => text.push('%'),
        }
    }
    text
}
