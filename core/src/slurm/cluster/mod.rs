//! A whole Slurm cluster: the controller, daemons on the nodes that run scripts and tasks, and a login node for users.
//!
//! [`SlurmCluster`] advances all of it in virtual time: the controller says what starts and what is signalled, the processes
//! say when they end. All nodes share one file system, as clusters with a parallel file system do.

mod clock;
mod environment;
mod host;
mod machines;
mod pattern;
mod procs;
mod programs;
mod session;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub use clock::{RecordedRun, RecordedRuns};
pub use environment::batch_environment;
pub(crate) use host::JobHost;
pub(crate) use machines::Place;
use machines::{Machines, oom_text};
use procs::Proc;
pub(crate) use procs::Role;
pub use procs::{End, ProcId};
use steps::StepRun;

use super::containers::start::{For, no_directory};
use super::containers::{Enroot, start};
use super::controller::{Action, ClusterSpec, Controller};
use super::model::{Job, JobBase, JobId, SIG_OOM, StepId};
use crate::process::files::{self, Files};
use crate::process::{Call, MemoryGroup};
use crate::sim::{Epoch, SimTime};

/// What happens at an instant on the machines.
#[derive(Clone, Debug)]
enum Timer {
    /// A batch script begins.
    Batch(JobId, u32),
    /// The batch script's container is there.
    BatchInside(JobId, u32, Box<start::Prepared>),
    /// The tasks of a step begin on one of its nodes.
    Tasks(steps::StepKey, usize),
    /// Their container is there.
    TasksInside(steps::StepKey, usize, Box<start::Prepared>),
    /// The controller hears that a step is over.
    StepOver(steps::StepKey),
}

/// A controller, its nodes, and what runs on them.
#[derive(Clone, Debug)]
pub struct SlurmCluster {
    /// The controller.
    pub controller: Controller,
    /// The shared file system.
    pub files: Files,
    /// Enroot on the machines.
    pub enroot: Enroot,
    machines: Machines,
    /// Memory that the processes of a run of a job have on a node; missing where they have none.
    memory: BTreeMap<(JobId, u32, String), MemoryGroup>,
    /// Name of the login node.
    pub login: String,
    /// The session id that displays show for commands.
    pub session_id: u32,
    epoch: Epoch,
    now: SimTime,
    procs: BTreeMap<ProcId, Proc>,
    next_proc: ProcId,
    steps: BTreeMap<steps::StepKey, StepRun>,
    timers: Vec<(SimTime, Timer)>,
    /// Batch scripts that ended and whose end has not been reported.
    reports: Vec<clock::Report>,
    recorded: Option<RecordedRuns>,
    /// Machines that reboot, and when their daemons start again.
    booting: Vec<(SimTime, String)>,
    /// Counts what moved, so that those who wait for something are asked again.
    pub(crate) changes: u64,
}

/// Until a script begins: the controller's message, the credential's check, the fork (observed: some tenths of a second).
const LAUNCH: Duration = Duration::from_millis(300);
/// How long a machine takes to reboot.
const BOOT: Duration = Duration::from_secs(30);
/// Between two tries of a node to tell the controller that a job ended, MessageTimeout for the try apart.
const RETRY_DELAY: Duration = Duration::from_secs(15);
/// Number of the batch script as a step, where a number is shown.
const BATCH_STEP: u32 = 4_294_967_291;

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
            enroot: Enroot::default(),
            machines: Machines::default(),
            memory: BTreeMap::new(),
            login: "login".into(),
            session_id: 1,
            epoch,
            now,
            procs: BTreeMap::new(),
            next_proc: 1,
            steps: BTreeMap::new(),
            timers: Vec::new(),
            reports: Vec::new(),
            recorded: None,
            booting: Vec::new(),
            changes: 0,
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
        let processes = self.procs.values().filter_map(|proc| proc.wakeup(self.now));
        let timers = self.timers.iter().map(|(at, _)| *at);
        let reports = self.reports.iter().map(|report| report.at);
        let booting = self.booting.iter().map(|(at, _)| *at);
        processes.chain(timers).chain(reports).chain(booting).chain(self.controller.next_wakeup()).min()
    }

    /// Lets time pass up to `now`.
    pub fn advance(&mut self, now: SimTime) {
        self.settle();
        while let Some(at) = self.next_wakeup().filter(|at| *at <= now) {
            self.now = self.now.max(at);
            // The controller's clock first: what processes report happens now.
            self.controller.advance(self.now);
            self.work();
            self.settle();
        }
        self.now = self.now.max(now);
        self.controller.advance(self.now);
        self.settle();
    }

    /// Does what the controller told the nodes, until nothing is left to do at this instant.
    pub fn settle(&mut self) {
        self.controller.advance(self.now);
        for round in 0..1000 {
            let actions = self.controller.take_actions();
            if actions.is_empty() && round > 0 {
                return;
            }
            for action in actions {
                self.act(&action);
            }
            self.work();
        }
    }

    /// Does what is due on the machines: starts, what runs, and the controller's knowledge of what ended.
    fn work(&mut self) {
        self.run_timers();
        let now = self.now;
        let (up, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.booting).into_iter().partition(|(at, _)| *at <= now);
        self.booting = later;
        for (_, node) in up {
            self.start_daemon(&node);
        }
        self.step_processes();
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.reports).into_iter().partition(|report| report.at <= now);
        self.reports = later;
        due.sort_by_key(|report| (report.at, report.job));
        for report in due {
            self.tell(report);
        }
    }

    /// Tells the controller that a job ended; its node tries again later when nobody answers.
    fn tell(&mut self, report: clock::Report) {
        if self.controller.answers() {
            self.controller.batch_ended(report.job, report.run, report.code, report.signal);
            return;
        }
        let timeout = Duration::from_secs(u64::from(self.controller.params.message_timeout));
        self.reports.push(clock::Report { at: self.now + timeout + RETRY_DELAY, ..report });
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

    fn act(&mut self, action: &Action) {
        match *action {
            Action::Launch { job, run } => self.send_batch(job, run),
            Action::Signal { job, run, signal, batch } => self.signal(job, run, signal, batch),
            Action::SignalBatch { job, run, signal } => {
                for id in self.processes_of(job, run, true) {
                    self.signal_process(id, signal, false);
                }
            }
            Action::SignalStep { job, run, step, signal } => match step {
                StepId::Number(number) => self.signal_step((job, run, number), signal),
                _ => {
                    for id in self.processes_of(job, run, true) {
                        self.signal_process(id, signal, true);
                    }
                }
            },
            Action::Reboot { node } => {
                let name = self.controller.nodes[node].name.clone();
                self.kill_daemon(&name);
                self.booting.push((self.now + BOOT, name));
            }
            Action::Suspend { job } => self.suspend(job, true),
            Action::Resume { job } => self.suspend(job, false),
        }
    }

    /// Sends a batch script to its node; a replay takes the second of its start from the recording.
    fn send_batch(&mut self, job: JobId, run: u32) {
        let record = self.controller.jobs.get(job);
        let at = match record.and_then(|job| self.recorded.as_ref()?.start_of(job)) {
            Some(start) => {
                self.controller.correct_start(job, start);
                clock::launch_at(start, self.controller.time_at(self.now), self.now, LAUNCH)
            }
            None => self.now + LAUNCH,
        };
        self.timers.push((at, Timer::Batch(job, run)));
    }

    fn at(&mut self, later: Duration, timer: Timer) {
        self.timers.push((self.now + later, timer));
    }

    fn run_timers(&mut self) {
        let now = self.now;
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.timers).into_iter().partition(|(at, _)| *at <= now);
        self.timers = later;
        due.sort_by_key(|(at, _)| *at);
        for (_, timer) in due {
            self.changes += 1;
            match timer {
                Timer::Batch(job, run) => self.launch(job, run),
                Timer::BatchInside(job, run, prepared) => self.launch_inside(job, run, *prepared),
                Timer::Tasks(key, node) => self.launch_tasks(key, node),
                Timer::TasksInside(key, node, prepared) => self.launch_tasks_inside(key, node, &prepared),
                Timer::StepOver(key) => self.step_over(key),
            }
        }
    }

    fn suspend(&mut self, job: JobId, stop: bool) {
        for proc in self.procs.values_mut() {
            if proc.role.job().is_some_and(|(of, _)| of == job) {
                proc.suspended = stop;
            }
        }
    }

    /// What `hostname` prints on a node.
    pub(crate) fn hostname_of(&self, node: &str) -> String {
        self.controller
            .node(node)
            .map_or_else(|| node.to_owned(), |at| self.controller.nodes[at].hostname.clone())
    }

    /// What slurmstepd calls itself in its messages: with several slurmd on one machine also by its node.
    fn stepd(&self, node: &str) -> String {
        if self.hostname_of(node) == node { "slurmstepd".into() } else { format!("slurmstepd-{node}") }
    }

    fn launch(&mut self, id: JobId, run: u32) {
        let Some(job) = self.controller.jobs.get(id).filter(|job| job.run == run) else { return };
        let Some(node) = job.nodes.min() else { return };
        let node = self.controller.nodes[node].name.clone();
        let stdout = pattern::batch_path(job, job.request.std_out.as_deref(), &node);
        let append = job.request.append.unwrap_or(self.controller.params.file_append);
        if !append && stdout != "/dev/null" {
            // A file that cannot be made is noticed by those who look for it.
            let _ = self.files.put(&stdout, Vec::new(), self.now);
        }
        let Some(pyxis) = job.request.pyxis.clone() else {
            return self.launch_inside(id, run, start::Prepared::default());
        };
        let env = batch_environment(&self.controller, job, &node);
        let (uid, cwd) = (job.request.uid, job.request.work_dir.clone());
        let who = For { node: &node, uid, job: id, step: BATCH_STEP, ntasks: 1, env: &env, cwd: &cwd };
        let prepared = self.prepare_container(who, &pyxis);
        self.at(prepared.took, Timer::BatchInside(id, run, Box::new(prepared)));
    }

    fn launch_inside(&mut self, id: JobId, run: u32, prepared: start::Prepared) {
        let Some(job) = self.controller.jobs.get(id).filter(|job| job.run == run) else { return };
        let Some(node) = job.nodes.min() else { return };
        let node = self.controller.nodes[node].name.clone();
        let mut env = batch_environment(&self.controller, job, &node);
        let stdout = pattern::batch_path(job, job.request.std_out.as_deref(), &node);
        let stderr = match job.request.std_err.as_deref() {
            Some(text) => pattern::batch_path(job, Some(text), &node),
            None => stdout.clone(),
        };
        let spool = self.controller.params.spool.replace("%n", &node);
        let script = format!("{spool}/job{id:05}/slurm_script");
        let (text, uid) = (job.request.script.clone(), job.request.uid);
        let mut argv = vec![script.clone()];
        argv.extend(job.request.argv.iter().cloned());
        let mut cwd = if self.files.is_dir(&job.request.work_dir) {
            job.request.work_dir.clone()
        } else {
            "/tmp".to_owned()
        };
        let stepd = self.stepd(&node);
        let failed = !prepared.errors.is_empty();
        let lines = prepared.said.iter().cloned();
        let lines = lines.chain(prepared.errors.iter().map(|line| format!("{stepd}: error: {line}")));
        for line in lines.collect::<Vec<_>>() {
            self.write_output(&stderr, format!("{line}\n").as_bytes());
        }
        if failed {
            return self.tell(clock::Report { at: self.now, job: id, run, code: 1, signal: 0 });
        }
        let mut inside = prepared.view;
        if let (Some(squash), Some(pyxis)) = (&prepared.squash, self.pyxis_of(id)) {
            env = start::environment(squash, &env, |name| pyxis.env.iter().any(|other| other == name));
            cwd = pyxis.workdir.clone().unwrap_or_else(|| squash.workdir.clone());
        }
        // The spool directory is always writable; a file system that is full is noticed when the script writes.
        let _ = self.files.create_dir_all(files::parent(&script), self.now);
        let _ = self.files.put(&script, text.into_bytes(), self.now);
        let _ = self.files.set_executable(&script, true);
        if let Some(view) = &mut inside {
            // Pyxis shows the script where it is on the host.
            view.binds.push(super::containers::Bind {
                source: Some(files::parent(&script).to_owned()),
                target: files::parent(&script).to_owned(),
                read_only: true,
            });
        }
        let call = Call { argv, env, cwd, pid: 1000 + id };
        let role = Role::Batch { job: id, run, stdout, stderr };
        let gpus = self.gpus_of_job(id, &node);
        let place = Place { uid, node, inside, gpus, ..Place::default() };
        if self.start_process_at(call, role, place, self.began(id)).is_err() {
            self.tell(clock::Report { at: self.now, job: id, run, code: 127, signal: 0 });
        }
    }

    /// When a script that begins now began by the clock that it sees: one whose recorded start is earlier than ours has
    /// run for that long.
    fn began(&self, job: JobId) -> SimTime {
        let found = self.recorded.as_ref().zip(self.controller.jobs.get(job));
        let Some((recorded, job)) = found else { return self.now };
        let late =
            u64::try_from(self.controller.time_at(self.now) - job.start).unwrap_or(0) + recorded.head_start();
        let earlier = Duration::from_secs(late).as_nanos() as u64;
        SimTime::from_nanos(self.now.as_nanos().saturating_sub(earlier))
    }

    fn pyxis_of(&self, job: JobId) -> Option<super::containers::pyxis::PyxisArgs> {
        self.controller.jobs.get(job)?.request.pyxis.clone()
    }

    /// Processes of a run of a job: its batch script, or the tasks of its steps.
    fn processes_of(&self, job: JobId, run: u32, batch: bool) -> Vec<ProcId> {
        self.procs
            .iter()
            .filter(|(_, proc)| proc.end.is_none() && proc.role.job() == Some((job, run)))
            .filter(|(_, proc)| matches!(proc.role, Role::Batch { .. }) == batch)
            .map(|(id, _)| *id)
            .collect()
    }

    /// A signal for a job: for the tasks of its steps, and for the batch script with all that it started.
    fn signal(&mut self, job: JobId, run: u32, signal: u8, batch: bool) {
        if signal == 18 {
            // SIGCONT wakes what is stopped; nothing else is stopped here.
            return;
        }
        let ends = matches!(signal, 9 | 15);
        let keys: Vec<steps::StepKey> =
            self.steps.keys().copied().filter(|(of, of_run, _)| (*of, *of_run) == (job, run)).collect();
        for key in keys {
            self.signal_step(key, signal);
        }
        if !batch {
            return;
        }
        let scripts = self.processes_of(job, run, true);
        if scripts.is_empty() {
            if ends {
                // Nothing runs any more, or nothing ran yet: the controller hears so.
                self.timers.retain(|(_, timer)| {
                    !matches!(timer, Timer::Batch(of, of_run) | Timer::BatchInside(of, of_run, _)
                        if (*of, *of_run) == (job, run))
                });
                self.tell(clock::Report { at: self.now, job, run, code: 0, signal });
            }
            return;
        }
        // What the steps' own commands have to say comes before the end of the script that waits for them.
        self.step_processes();
        for id in scripts {
            if ends {
                self.say_cancelled(id, job);
            }
            self.signal_process(id, signal, true);
        }
    }

    /// slurmstepd tells the reader of a script's output why it ended.
    fn say_cancelled(&mut self, id: ProcId, job: JobId) {
        let Some(proc) = self.procs.get(&id) else { return };
        let Role::Batch { stderr, .. } = &proc.role else { return };
        let (stderr, stepd, node) = (stderr.clone(), self.stepd(&proc.place.node), proc.place.node.clone());
        let Some(why) = self.end_of_job(job) else { return };
        let line = format!(
            "{stepd}: error: *** JOB {job} ON {node} CANCELLED AT {}{why} ***\n",
            crate::slurm::units::stamp(self.controller.time())
        );
        self.write_output(&stderr, line.as_bytes());
    }

    /// Why a job is being ended, as slurmstepd says it; `None` while it is not.
    fn end_of_job(&self, job: JobId) -> Option<&'static str> {
        let job: &Job = self.controller.jobs.get(job).filter(|job| job.state.is_completing())?;
        match job.state.base {
            JobBase::Timeout => Some(" DUE TO TIME LIMIT"),
            JobBase::Preempted => Some(" DUE TO PREEMPTION"),
            JobBase::NodeFail => Some(" DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS"),
            JobBase::Cancelled => Some(""),
            _ => None,
        }
    }

    /// A process that the cluster itself looks after has ended.
    fn process_ended(&mut self, id: ProcId, role: &Role, end: End) {
        match *role {
            Role::Batch { job, run, .. } => {
                let proc = self.procs.remove(&id);
                let kills = proc.as_ref().map_or(0, |proc| proc.oom_kills);
                let stepd = proc.as_ref().map(|proc| self.stepd(&proc.place.node)).unwrap_or_default();
                if let (Some(pyxis), Some(proc)) =
                    (self.pyxis_of(job), proc.filter(|p| p.place.inside.is_some()))
                {
                    let env = BTreeMap::new();
                    let who = For {
                        node: &proc.place.node,
                        uid: proc.place.uid,
                        job,
                        step: BATCH_STEP,
                        ntasks: 1,
                        env: &env,
                        cwd: "/",
                    };
                    let said = self.close_container(who, &pyxis);
                    if let (Some(line), Role::Batch { stderr, .. }) = (said, role) {
                        self.write_output(stderr, format!("{line}\n").as_bytes());
                    }
                }
                if let (Some(SIG_OOM), Role::Batch { stderr, .. }) = (end.signal, role) {
                    let line = format!("{stepd}: error: {}\n", oom_text(kills, &format!("{job}.batch")));
                    self.write_output(stderr, line.as_bytes());
                }
                let (code, signal) = end.signal.map_or((end.code, 0), |signal| (0, signal));
                let record = self.controller.jobs.get(job).zip(self.recorded.as_ref());
                let delay = record
                    .map(|(job, recorded)| {
                        let fraction = self.now.as_nanos() / 1_000_000 % 1000;
                        recorded.delay(job, self.controller.time_at(self.now), fraction)
                    })
                    .unwrap_or_default();
                let at = self.now + delay;
                self.reports.push(clock::Report { at, job, run, code, signal });
            }
            Role::Task { job, run, step, rank } => self.task_ended((job, run, step), rank, end),
            Role::Command => {}
        }
        if let Some((job, run)) = role.job() {
            self.forget_memory(job, run);
        }
    }

    /// The process id of a container's command, if it is one.
    pub(crate) fn container_of_pid(&self, pid: u32) -> Option<&Place> {
        let id = pid.checked_sub(20_000)? / 17;
        let proc = self.procs.get(&id).filter(|proc| proc.end.is_none())?;
        proc.place.inside.is_some().then_some(&proc.place)
    }

    /// The daemon of a node and all that runs there is gone: nothing is reported any more.
    pub fn kill_daemon(&mut self, node: &str) {
        self.procs.retain(|_, proc| proc.place.node != node);
        self.reset_machine(node);
        let first_node = |controller: &Controller, id: JobId| {
            let first = controller.jobs.get(id).and_then(|job| job.nodes.min());
            first.is_some_and(|first| controller.nodes[first].name == node)
        };
        let controller = &self.controller;
        self.timers.retain(|(_, timer)| match timer {
            Timer::Batch(id, _) | Timer::BatchInside(id, ..) => !first_node(controller, *id),
            _ => true,
        });
        self.lose_tasks(node);
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
