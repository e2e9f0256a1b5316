//! `salloc`: an allocation, and a command in it.

use super::Follow;
use super::command::with_session;
use crate::process::{Call, Io, Signal, Step};
use crate::slurm::cluster::Role;
use crate::slurm::cluster::environment::{asked_environment, job_environment};
use crate::slurm::cluster::host::JobHost;
use crate::slurm::commands::srun::{Plan, Read, refused, salloc_plan};
use crate::slurm::model::{JobBase, JobId};

/// `salloc`.
#[derive(Clone, Debug)]
pub(crate) struct Salloc {
    call: Call,
    plan: Plan,
    state: State,
    job: JobId,
    run: u32,
}

#[derive(Clone, Debug)]
enum State {
    Begin,
    Queued,
    Granted,
    Running(Follow),
}

impl Salloc {
    pub(super) fn new(call: Call) -> Self {
        Self { call, plan: Plan::default(), state: State::Begin, job: 0, run: 0 }
    }

    fn say(&self, io: &mut Io<'_>, text: &str) {
        if !self.plan.quiet {
            io.stderr.extend_from_slice(format!("salloc: {text}\n").as_bytes());
        }
    }

    pub(super) fn step(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Step {
        loop {
            match &mut self.state {
                State::Begin => {
                    if let Some(code) = self.begin(host, io) {
                        return Step::Exit(code);
                    }
                }
                State::Queued => {
                    let Some(job) = host.cluster.controller.jobs.get(self.job) else { return Step::Exit(1) };
                    if job.state.is_finished() || job.state.is_completing() {
                        self.say(io, &format!("Job allocation {} has been revoked.", self.job));
                        return Step::Exit(1);
                    }
                    if job.state.base != JobBase::Running {
                        return Step::Outside;
                    }
                    self.say(io, &format!("job {} has been allocated resources", self.job));
                    self.state = State::Granted;
                }
                State::Granted => {
                    if let Some(code) = self.granted(host, io) {
                        return Step::Exit(code);
                    }
                }
                State::Running(follow) => {
                    let (child, step) = (follow.child, follow.step(host, io));
                    match step {
                        Step::Exit(code) => {
                            self.say(io, &format!("Relinquishing job allocation {}", self.job));
                            host.cluster.controller.relinquish(self.job, self.run, code & 0x7f, 0);
                            host.cluster.changes += 1;
                            return Step::Exit(code);
                        }
                        Step::Outside => {}
                        step => return step,
                    }
                    let lives = host.cluster.controller.jobs.get(self.job).is_some_and(|job| {
                        job.run == self.run && !job.state.is_completing() && !job.state.is_finished()
                    });
                    if !lives {
                        self.say(io, &format!("Job allocation {} has been revoked.", self.job));
                        host.cluster.forget(child);
                        return Step::Exit(1);
                    }
                    return Step::Outside;
                }
            }
        }
    }

    fn begin(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Option<u8> {
        let args = self.call.argv[1..].to_vec();
        let call = self.call.clone();
        let read =
            with_session(host, &call, "", |controller, session| salloc_plan(controller, session, &args));
        let plan = match read {
            Ok(Read::Plan(plan)) => *plan,
            Ok(Read::Text(text)) => {
                io.stdout.extend_from_slice(text.as_bytes());
                return Some(0);
            }
            Err((text, code)) => {
                io.stderr.extend_from_slice(text.as_bytes());
                return Some(code);
            }
        };
        io.stderr.extend_from_slice(plan.warnings.as_bytes());
        self.plan = plan;
        host.cluster.changes += 1;
        match host.cluster.controller.allocate(self.plan.job.clone()) {
            Ok(allocation) => {
                self.job = allocation.job;
                if allocation.granted {
                    self.state = State::Granted;
                } else {
                    if allocation.beyond_partition {
                        self.say(io, "Requested partition configuration not available now");
                    }
                    self.say(io, &format!("Pending job allocation {}", self.job));
                    self.say(io, &format!("job {} queued and waiting for resources", self.job));
                    self.state = State::Queued;
                }
                None
            }
            Err(why) => {
                let text = refused(&host.cluster.controller, "salloc", &self.plan, why);
                io.stderr.extend_from_slice(text.as_bytes());
                Some(1)
            }
        }
    }

    fn granted(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Option<u8> {
        self.say(io, &format!("Granted job allocation {}", self.job));
        if self.plan.no_shell {
            return Some(0);
        }
        let mut env = self.call.env.clone();
        env.extend(self.plan.variables.iter().cloned());
        env.extend(self.plan.pyxis.variables());
        let controller = &host.cluster.controller;
        let Some(job) = controller.jobs.get(self.job) else { return Some(1) };
        self.run = job.run;
        {
            let mut set = |name: &str, value: String| {
                env.insert(name.to_owned(), value);
            };
            job_environment(controller, job, &mut set);
            asked_environment(job, &mut set);
            set("SLURM_SUBMIT_HOST", host.hostname.clone());
        }
        let argv = if self.plan.argv.is_empty() {
            vec![env.get("SHELL").cloned().unwrap_or_else(|| "/bin/bash".into())]
        } else {
            self.plan.argv.clone()
        };
        let program = argv[0].clone();
        let place = host.place.clone();
        let call = Call { argv, env, cwd: self.call.cwd.clone(), pid: 0 };
        match host.cluster.start_process(call, Role::Command, place) {
            Ok(child) => {
                self.state = State::Running(Follow::new(child));
                None
            }
            Err(_) => {
                let line = format!("salloc: error: Unable to exec command \"{program}\"\n");
                io.stderr.extend_from_slice(line.as_bytes());
                self.say(io, &format!("Relinquishing job allocation {}", self.job));
                host.cluster.controller.relinquish(self.job, self.run, 127, 0);
                host.cluster.changes += 1;
                Some(127)
            }
        }
    }

    pub(super) fn signal(&mut self, host: &mut JobHost<'_>, signal: Signal) -> Option<u8> {
        let number = signal.number();
        match &self.state {
            State::Running(follow) => {
                let child = follow.child;
                host.cluster.signal_process(child, number, true);
                if signal == Signal::Kill {
                    return Some(137);
                }
                None
            }
            State::Queued if signal != Signal::Kill => {
                host.cluster.controller.relinquish(self.job, self.run, 0, 0);
                Some(128 + number)
            }
            _ => Some(128 + number),
        }
    }
}
