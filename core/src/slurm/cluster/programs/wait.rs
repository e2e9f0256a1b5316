//! `sbatch`, which may read its script from standard input and with `--wait` stays until the job has ended.

use std::time::Duration;

use super::command::with_session;
use crate::process::{Call, Io, Step};
use crate::sim::SimTime;
use crate::slurm::cluster::host::JobHost;
use crate::slurm::commands;

/// `sbatch --wait` looks for the end first after two seconds, then at growing intervals up to this.
const LONGEST_LOOK: Duration = Duration::from_secs(10);
const FIRST_LOOK: Duration = Duration::from_secs(2);

/// `sbatch`.
#[derive(Clone, Debug)]
pub(crate) struct Sbatch {
    call: Call,
    script: Vec<u8>,
    waits: Option<(u32, SimTime, Duration)>,
}

impl Sbatch {
    pub(super) fn new(call: Call) -> Self {
        Self { call, script: Vec::new(), waits: None }
    }

    pub(super) fn step(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Step {
        if let Some((job, at, interval)) = self.waits {
            let now = host.cluster.now();
            if now < at {
                return Step::Until(at);
            }
            return match ended(host, job) {
                Some(code) => Step::Exit(code),
                None => {
                    let interval = (interval * 2).min(LONGEST_LOOK);
                    self.waits = Some((job, now + interval, interval));
                    Step::Until(now + interval)
                }
            };
        }
        self.script.append(io.stdin);
        let args = self.call.argv[1..].to_vec();
        if commands::reads_script_from_stdin(&args) && !io.stdin_closed {
            return Step::Input;
        }
        let stdin = String::from_utf8_lossy(&self.script).into_owned();
        let (output, submitted) = with_session(host, &self.call, &stdin, |controller, session| {
            commands::sbatch(controller, session, &args)
        });
        host.cluster.changes += 1;
        io.stdout.extend_from_slice(output.stdout.as_bytes());
        io.stderr.extend_from_slice(output.stderr.as_bytes());
        match submitted.filter(|submitted| submitted.wait) {
            Some(submitted) => {
                let at = host.cluster.now() + FIRST_LOOK;
                self.waits = Some((submitted.job, at, FIRST_LOOK));
                Step::Until(at)
            }
            None => Step::Exit(output.code),
        }
    }
}

/// The exit code of `sbatch --wait` for a job: of an array the highest of its tasks; `None` while one is not over.
fn ended(host: &JobHost<'_>, id: u32) -> Option<u8> {
    let controller = &host.cluster.controller;
    let mut highest = 0;
    for record in controller.records(id) {
        let Some(job) = controller.jobs.get(record) else { continue };
        if !job.state.is_finished() {
            return None;
        }
        let code = if job.exit.1 != 0 {
            128 + job.exit.1
        } else if job.exit.0 == 0 && job.state.base != crate::slurm::model::JobBase::Completed {
            1
        } else {
            job.exit.0
        };
        highest = highest.max(code);
    }
    Some(highest)
}
