//! `srun`: an allocation if it has none, a step in it, and what its tasks print.

use std::collections::BTreeMap;
use std::time::Duration;

use super::command::with_session;
use super::report;
use crate::process::{Call, Io, Signal, Step, Stream};
use crate::sim::SimTime;
use crate::slurm::cluster::End;
use crate::slurm::cluster::host::JobHost;
use crate::slurm::cluster::steps::StepKey;
use crate::slurm::commands::srun::{Plan, Read, exported, refused, srun_plan};
use crate::slurm::error::SlurmError;
use crate::slurm::model::{JobBase, JobId, SIG_OOM};

/// `srun`.
#[derive(Clone, Debug)]
pub(crate) struct Srun {
    call: Call,
    plan: Plan,
    state: State,
    job: JobId,
    run: u32,
    /// The allocation is its own.
    owner: bool,
    code: u8,
    signal: Option<u8>,
    /// Ranks whose end was reported.
    reported: Vec<bool>,
    /// Lines that are not complete yet, for labels.
    partial: BTreeMap<(u32, bool), Vec<u8>>,
    terminated: bool,
    interrupts: u32,
}

/// From its start to its first question to the controller.
const STARTUP: Duration = Duration::from_millis(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    /// It reads its configuration until then.
    Starting(SimTime),
    /// For an allocation.
    Queued,
    /// For a step; whether it said that it has to wait.
    Creating {
        said: bool,
    },
    Running(StepKey),
    /// The last task has ended.
    Leaving(StepKey, SimTime),
}

impl Srun {
    pub(super) fn new(call: Call) -> Self {
        Self {
            call,
            plan: Plan::default(),
            state: State::Begin,
            job: 0,
            run: 0,
            owner: false,
            code: 0,
            signal: None,
            reported: Vec::new(),
            partial: BTreeMap::new(),
            terminated: false,
            interrupts: 0,
        }
    }

    pub(super) fn step(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Step {
        loop {
            let next = match self.state {
                State::Begin => {
                    self.state = State::Starting(host.cluster.now() + STARTUP);
                    Ok(true)
                }
                State::Starting(at) if host.cluster.now() < at => return Step::Until(at),
                State::Starting(_) => self.begin(host, io),
                State::Queued => self.queued(host, io),
                State::Creating { said } => self.create(host, io, said),
                State::Running(key) => {
                    let before = io.stdout.len();
                    self.pass_on(host, io, key);
                    if io.stdout.len() > before {
                        // What tasks printed comes before what is said of their end.
                        return Step::Ready;
                    }
                    self.watch(host, io, key)
                }
                State::Leaving(key, at) => {
                    self.pass_on(host, io, key);
                    if host.cluster.now() < at {
                        return Step::Until(at);
                    }
                    self.flush(io);
                    host.cluster.leave_step(key);
                    Err(self.exit(host))
                }
            };
            match next {
                Ok(true) => {}
                Ok(false) => return Step::Outside,
                Err(code) => return Step::Exit(code),
            }
        }
    }

    fn complain(io: &mut Io<'_>, text: &str) {
        io.stderr.extend_from_slice(format!("srun: {text}\n").as_bytes());
    }

    fn inform(&self, io: &mut Io<'_>, text: &str) {
        if !self.plan.quiet {
            Self::complain(io, text);
        }
    }

    /// Reads the options; asks for an allocation where there is none. `Ok` says whether there is more to do now.
    fn begin(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Result<bool, u8> {
        let args = self.call.argv[1..].to_vec();
        let call = self.call.clone();
        let read = with_session(host, &call, "", |controller, session| {
            srun_plan(controller, session, &args).map(|read| match read {
                Read::Plan(mut plan) => {
                    let env = exported(session, plan.export.as_deref());
                    plan.variables.extend(env.into_iter().filter(|_| plan.export.is_some()));
                    Read::Plan(plan)
                }
                text @ Read::Text(_) => text,
            })
        });
        let plan = match read {
            Ok(Read::Plan(plan)) => *plan,
            Ok(Read::Text(text)) => {
                io.stdout.extend_from_slice(text.as_bytes());
                return Err(0);
            }
            Err((text, code)) => {
                io.stderr.extend_from_slice(text.as_bytes());
                return Err(code);
            }
        };
        io.stderr.extend_from_slice(plan.warnings.as_bytes());
        self.prepare_environment(&plan);
        self.plan = plan;
        self.plan.step.srun = Some((host.hostname.clone(), self.call.pid));
        if let Some(job) = self.plan.jobid {
            return self.confirm(host, io, job);
        }
        let answer = host.cluster.controller.allocate(self.plan.job.clone());
        host.cluster.changes += 1;
        match answer {
            Ok(allocation) => {
                self.job = allocation.job;
                self.owner = true;
                if allocation.granted {
                    self.granted(host);
                } else {
                    if allocation.beyond_partition {
                        self.inform(io, "Requested partition configuration not available now");
                    }
                    self.inform(io, &format!("job {} queued and waiting for resources", self.job));
                    self.state = State::Queued;
                }
                Ok(true)
            }
            Err(why) => {
                io.stderr
                    .extend_from_slice(refused(&host.cluster.controller, "srun", &self.plan, why).as_bytes());
                Err(1)
            }
        }
    }

    /// What the tasks inherit of the environment that `srun` was called with.
    fn prepare_environment(&mut self, plan: &Plan) {
        if plan.export.is_some() {
            let keep = |name: &str| name.starts_with("SLURM_");
            self.call.env.retain(|name, _| keep(name));
            self.call.env.extend(plan.variables.iter().cloned());
        }
        if let Some(distribution) = &plan.job.distribution {
            self.call.env.insert("SLURM_DISTRIBUTION".into(), distribution.clone());
        }
    }

    /// A job that was named, or whose environment it runs in.
    fn confirm(&mut self, host: &JobHost<'_>, io: &mut Io<'_>, id: JobId) -> Result<bool, u8> {
        let job = host.cluster.controller.jobs.get(id);
        let why = match job {
            None => Some(SlurmError::InvalidJobId),
            Some(job) if job.state.is_finished() => Some(SlurmError::AlreadyDone),
            Some(job) if job.state.base == JobBase::Pending => Some(SlurmError::JobPending),
            Some(job) if host.uid != 0 && host.uid != job.request.uid => Some(SlurmError::AccessDenied),
            Some(_) => None,
        };
        if let Some(why) = why {
            Self::complain(io, &format!("error: Unable to confirm allocation for job {id}: {why}"));
            Self::complain(
                io,
                &format!("Check SLURM_JOB_ID environment variable. Expired or invalid job {id}"),
            );
            return Err(1);
        }
        let Some(job) = job else { return Err(1) };
        let (has, wants) = (job.nodes.count(), self.plan.step.min_nodes.unwrap_or(0) as usize);
        if wants > has {
            Self::complain(io, &format!("error: Only allocated {has} nodes asked for {wants}"));
            return Err(1);
        }
        self.job = id;
        self.run = job.run;
        self.state = State::Creating { said: false };
        Ok(true)
    }

    fn granted(&mut self, host: &JobHost<'_>) {
        self.run = host.cluster.controller.jobs.get(self.job).map_or(0, |job| job.run);
        self.state = State::Creating { said: false };
        // In an allocation of its own the nodes are those that it got.
        self.plan.step.min_nodes = None;
        self.plan.step.max_nodes = None;
        self.plan.step.exclude.clear();
        self.plan.step.relative = 0;
        self.plan.step.nodelist.clear();
        if self.plan.step.ntasks.is_none() && self.plan.step.ntasks_per_node.is_none() {
            let tasks = host.cluster.controller.jobs.get(self.job).map(|job| job.ntasks);
            self.plan.step.ntasks = tasks;
        }
    }

    fn queued(&mut self, host: &JobHost<'_>, io: &mut Io<'_>) -> Result<bool, u8> {
        let Some(job) = host.cluster.controller.jobs.get(self.job) else { return Err(1) };
        if job.state.is_finished() || job.state.is_completing() {
            Self::complain(io, &format!("Job allocation {} has been revoked", self.job));
            return Err(1);
        }
        if job.state.base != JobBase::Running {
            return Ok(false);
        }
        self.inform(io, &format!("job {} has been allocated resources", self.job));
        self.granted(host);
        Ok(true)
    }

    fn create(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>, said: bool) -> Result<bool, u8> {
        let (job, me, uid) = (self.job, host.me, host.uid);
        match host.cluster.controller.create_step(job, &self.plan.step, uid) {
            Ok(number) => {
                let key = (job, self.run, number);
                if said {
                    self.inform(io, &format!("Step created for StepId={job}.{number}"));
                }
                let call = self.call.clone();
                host.cluster.launch_step(key, me, uid, &call, &self.plan);
                host.cluster.changes += 1;
                self.state = State::Running(key);
                Ok(true)
            }
            Err(why @ SlurmError::NodesBusy) if self.plan.job.immediate.is_none() => {
                if !said {
                    self.inform(
                        io,
                        &format!("Job {job} step creation temporarily disabled, retrying ({why})"),
                    );
                    self.state = State::Creating { said: true };
                }
                Ok(false)
            }
            Err(why) => {
                Self::complain(io, &format!("error: Unable to create step for job {job}: {why}"));
                self.code = 1;
                Err(self.exit(host))
            }
        }
    }

    /// Follows the tasks until all have ended.
    fn watch(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>, key: StepKey) -> Result<bool, u8> {
        let input = std::mem::take(io.stdin);
        if !input.is_empty() || io.stdin_closed {
            host.cluster.feed_step(key, &input, io.stdin_closed);
        }
        self.pass_on(host, io, key);
        let kill_wait = host.cluster.controller.params.kill_wait;
        let Some(run) = host.cluster.steps.get_mut(&key) else {
            // The nodes are lost.
            Self::complain(io, "error: Step lost");
            self.code = 1;
            return Err(self.exit(host));
        };
        self.reported.resize(run.tasks.len(), false);
        if let Some(text) = run.cancelled.take() {
            let line =
                format!("Job step aborted: Waiting up to {} seconds for job step to finish.", kill_wait + 2);
            Self::complain(io, &line);
            let label = if self.plan.label { self.label(0) } else { String::new() };
            io.stderr.extend_from_slice(format!("{label}{text}\n").as_bytes());
        }
        let ended: Vec<(String, u32, End)> = run
            .tasks
            .iter()
            .enumerate()
            .filter(|(rank, _)| !self.reported[*rank])
            .filter_map(|(rank, task)| Some((run.nodes[task.node].clone(), rank as u32, task.end?)))
            .collect();
        let (aborted, all) = (run.aborted, run.tasks.iter().all(|task| task.end.is_some()));
        let lingers = run.lingers();
        for line in report::lines(&ended) {
            io.stderr.extend_from_slice(line.as_bytes());
        }
        let mut bad = false;
        let mut struck = false;
        for (_, rank, end) in &ended {
            self.reported[*rank as usize] = true;
            match end.signal {
                Some(signal) => {
                    self.signal = self.signal.max(Some(signal));
                    struck |= matches!(signal, 9 | 15);
                    bad = true;
                }
                None => {
                    self.code = self.code.max(end.code);
                    bad |= end.code != 0;
                }
            }
        }
        if struck && !aborted && !self.terminated {
            self.terminated = true;
            Self::complain(io, &format!("Force Terminated StepId={}.{}", key.0, key.2));
            if !all {
                host.cluster.signal_step(key, 9);
            }
        } else if bad && self.plan.kill_on_bad_exit && !aborted && !self.terminated {
            self.terminated = true;
            if !all {
                let line = format!("launch/slurm: _step_signal: Terminating StepId={}.{}", key.0, key.2);
                Self::complain(io, &line);
                host.cluster.signal_step(key, 9);
            }
            return Ok(true);
        }
        if all && (!ended.is_empty() || self.reported.iter().all(|reported| *reported)) {
            self.state = State::Leaving(key, host.cluster.now() + lingers);
            return Ok(true);
        }
        Ok(false)
    }

    fn label(&self, rank: u32) -> String {
        let last = (self.reported.len().max(1) - 1).to_string();
        format!("{rank:>width$}: ", width = last.len())
    }

    /// What the tasks wrote, with labels where they are asked for.
    fn pass_on(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>, key: StepKey) {
        if self.reported.is_empty() {
            let tasks = host.cluster.steps.get(&key).map_or(0, |run| run.tasks.len());
            self.reported = vec![false; tasks];
        }
        for (rank, stream, bytes) in host.cluster.collect(key) {
            // A terminal has one stream.
            let is_error = stream == Stream::Stderr && !self.plan.pty;
            if !self.plan.label {
                if is_error {
                    io.stderr.extend_from_slice(&bytes);
                } else {
                    io.stdout.extend_from_slice(&bytes);
                }
                continue;
            }
            let mut text = self.partial.remove(&(rank, is_error)).unwrap_or_default();
            text.extend_from_slice(&bytes);
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let rest = text.split_off(whole);
            if !rest.is_empty() {
                self.partial.insert((rank, is_error), rest);
            }
            let label = self.label(rank);
            let out = if is_error { &mut *io.stderr } else { &mut *io.stdout };
            for line in text.split_inclusive(|byte| *byte == b'\n') {
                out.extend_from_slice(label.as_bytes());
                out.extend_from_slice(line);
            }
        }
    }

    /// Lines that never were completed.
    fn flush(&mut self, io: &mut Io<'_>) {
        for ((rank, is_error), text) in std::mem::take(&mut self.partial) {
            let label = self.label(rank);
            let out = if is_error { &mut *io.stderr } else { &mut *io.stdout };
            out.extend_from_slice(label.as_bytes());
            out.extend_from_slice(&text);
            out.push(b'\n');
        }
    }

    /// Gives back its allocation; the exit code.
    fn exit(&self, host: &mut JobHost<'_>) -> u8 {
        let signal = self.signal.unwrap_or(0);
        // The want of memory counts more than the codes of other tasks.
        let code = if signal == SIG_OOM { 0 } else { self.code };
        if self.owner {
            let (code, signal) = if code > 0 { (code & 0x7f, 0) } else { (0, signal) };
            host.cluster.controller.relinquish(self.job, self.run, code, signal);
            host.cluster.changes += 1;
        }
        if code == 0 && signal > 0 { 128 + signal } else { code }
    }

    /// Ctrl-C, SIGTERM and SIGKILL.
    pub(super) fn signal(&mut self, host: &mut JobHost<'_>, signal: Signal) -> Option<u8> {
        match (self.state, signal) {
            // It ignores SIGPIPE (launch.c): its tasks are not told.
            (_, Signal::PIPE) => None,
            (State::Running(key), Signal::Kill) => {
                host.cluster.signal_step(key, 9);
                Some(137)
            }
            // The step is told by itself when its job ends; the script waits for it.
            (State::Running(_) | State::Leaving(..), Signal::Term) => None,
            (State::Running(key), Signal::Int) => {
                self.interrupts += 1;
                host.cluster.signal_step(key, 2);
                None
            }
            (State::Running(key), Signal::Other(number)) => {
                host.cluster.signal_step(key, number);
                None
            }
            (State::Queued, Signal::Int | Signal::Term) if self.owner => {
                // It takes its job out of the queue before it goes.
                host.cluster.controller.relinquish(self.job, self.run, 0, 0);
                Some(128 + signal.number())
            }
            _ => Some(128 + signal.number()),
        }
    }
}
