//! Replays what the real Slurm did, and compares every field.
//!
//! A recording holds the configuration, what users typed when, and what came of it. [`replay`] does the same here and
//! says what differs. Times were read on a real clock: starts and ends may be off by [`TOLERANCE`] seconds; nodes,
//! order, states, reasons, priorities and texts must be the same.

mod commands;
mod compare;
mod recording;
mod running;
mod shows;
mod world;

pub use compare::{Difference, compare};
pub use recording::Recording;

use std::collections::BTreeMap;
use std::time::Duration;

use running::{Running, Whose};

use super::cluster::SlurmCluster;
use super::controller::{ClusterSpec, User, Users};
use crate::sim::{Epoch, SimTime};

/// Seconds by which starts and ends may differ: the recordings' own jitter.
pub const TOLERANCE: i64 = 2;

/// What is not compared, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("starts and ends within 2 s", "the recordings were read on a real clock of a busy machine"),
    (
        "how programs in an image word an error",
        "the recorded image is a BusyBox, whose shell and utilities have words of their own; ours are bash's and GNU's",
    ),
    ("help texts", "ours are our own words; that there is one, and its exit code, is compared"),
    (
        "lines of several processes: their order",
        "tasks, srun and slurmstepd write at the same time to one place",
    ),
    (
        "which of several nodes a command ran on, and whether it was queued before",
        "nodes that are being cleaned up are passed over, and how long that takes is the recorded host's",
    ),
    (
        "process ids, ports, SLURM_CONF, SLURM_PRIO_PROCESS and SLURM_SUBMIT_HOST; the session id of jobs without a script",
        "they are the recorded host's",
    ),
    (
        "what /proc, /sys, df and ls -l show in containers; statistics of mksquashfs",
        "the recorded kernel's, and the bytes of its files",
    ),
    (
        "--container-unshare, and a container on two nodes",
        "on the recorded host both nodes shared one directory and one kernel, so that they failed there",
    ),
    (
        "scontrol show node, show config, show assoc_mgr",
        "figures of the recording's host, or not written yet",
    ),
    ("the last `scontrol show job` of each job", "compared where a recording asks for it"),
    ("which of the two schedulers started a job", "a race that the recording's clock decided"),
    ("clocks, stamps and seconds since 1970 in texts within 2 s", "the recordings were read on a real clock"),
    (
        "the order of rows of squeue whose times are within 2 s, or that show no times",
        "rows are sorted by start, ties have no order",
    ),
    (
        "the start that `sbatch --test-only` expects beside jobs without a limit",
        "the recorded year overflowed",
    ),
    ("cycle times, threads and RPC statistics of sdiag", "they are the recorded host's"),
    ("states that last less than 2 s, and COMPLETING", "the recorder polled once a second"),
];

/// Seconds that the controller ran before the first action of a recording.
const BOOT: u64 = 2;
/// SimTime of the recordings' zero.
const ZERO: u64 = 10;

/// A change of a job's state as the recorder polled it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Seconds after the recording's zero.
    pub at: f64,
    /// State code.
    pub state: String,
    /// Reason, as `%r` prints it.
    pub reason: String,
    /// Nodes.
    pub nodes: String,
    /// Priority.
    pub priority: u32,
}

/// What a command answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Exit code.
    pub code: i64,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// What the replay gave.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The cluster at the end.
    pub cluster: SlurmCluster,
    /// Answer to each submission, by its name.
    pub submits: BTreeMap<String, Answer>,
    /// Answer to each command that set accounting up.
    pub setup: Vec<Answer>,
    /// Answer to each other command, in order.
    pub shows: Vec<Answer>,
    /// Changes of each job, by its display id.
    pub timeline: BTreeMap<String, Vec<Change>>,
    /// Seconds since 1970 of the recording's zero.
    pub zero: i64,
}

/// Does what a recording did.
///
/// # Errors
///
/// What of its configuration is not understood.
pub fn replay(recording: &Recording) -> Result<Outcome, String> {
    let mut users = Users::named(&["alice", "bob", "carol", "dave", "erin"]);
    users.add(User { name: "daemon".into(), uid: 1, gid: 1, groups: vec!["daemon".into()] });
    let lines: Vec<&str> = recording.slurm_conf.iter().map(String::as_str).collect();
    let gres: Vec<&str> = recording.gres_conf.iter().map(String::as_str).collect();
    let topology: Vec<&str> = recording.topology.iter().map(String::as_str).collect();
    let mut spec = ClusterSpec::from_lines(&lines, &gres, &topology, users)?;
    let mut setup = Vec::new();
    for (line, ..) in &recording.acct_setup {
        let words: Vec<String> = line.split_whitespace().skip(1).map(str::to_owned).collect();
        let output = crate::slurm::accounting::sacctmgr::run(&mut spec.accounting, &words, "root");
        setup.push(Answer { code: i64::from(output.code), stdout: output.stdout, stderr: output.stderr });
    }
    let zero = recording.t0_epoch;
    // The recorder began 0.3 s into a second.
    let start = jiff::Timestamp::from_second(zero - ZERO as i64).map_err(|error| error.to_string())?;
    let epoch = Epoch::new(start);
    let at = |seconds: f64| SimTime::from_nanos((ZERO * 1_000_000_000) + ((seconds + 0.3) * 1e9) as u64);
    let mut cluster = SlurmCluster::new(spec, epoch, SimTime::from_secs(ZERO - BOOT));
    world::furnish(&mut cluster);
    let conf = recording.slurm_conf.iter().find_map(|line| line.strip_prefix("StateSaveLocation="));
    let conf =
        conf.map_or_else(|| "/etc/slurm/slurm.conf".to_owned(), |path| path.replace("/state", "/slurm.conf"));
    let silent = Answer { code: 0, stdout: String::new(), stderr: String::new() };
    let mut running: Vec<Running> = Vec::new();
    let begin = |cluster: &mut SlurmCluster,
                 (whose, background): (Whose, bool),
                 user: &str,
                 argv: &[String],
                 outcome: &mut Outcome,
                 running: &mut Vec<Running>| {
        match running::start(cluster, whose, user, argv, &conf, background) {
            Ok(command) => running.push(command),
            Err((whose, answer)) => note(whose, answer, outcome),
        }
    };
    let mut outcome = Outcome {
        submits: BTreeMap::new(),
        setup,
        shows: vec![silent; recording.shows.len()],
        timeline: BTreeMap::new(),
        zero,
        cluster: cluster.clone(),
    };
    let mut polled = 0;
    for event in &recording.events {
        // The recorder polled once a second, at 0.4 s.
        while f64::from(polled) + 0.4 < event.at {
            cluster.advance(at(f64::from(polled) + 0.4));
            poll(&cluster, f64::from(polled) + 0.4, &mut outcome.timeline);
            collect(&mut cluster, &mut running, &mut outcome);
            polled += 1;
        }
        cluster.advance(at(event.at));
        collect(&mut cluster, &mut running, &mut outcome);
        match &event.what {
            recording::What::Submit { name, user, argv } => {
                begin(
                    &mut cluster,
                    (Whose::Submit(name.clone()), false),
                    user,
                    argv,
                    &mut outcome,
                    &mut running,
                );
            }
            recording::What::Command { at: number, user, argv, background } => {
                // The recorder waited for each command that it did not send to the background.
                let patience = cluster.now() + Duration::from_secs(21);
                while running.iter().any(|command| !command.background)
                    && let Some(next) = cluster.next_wakeup().filter(|next| *next <= patience)
                {
                    cluster.advance(next);
                    collect(&mut cluster, &mut running, &mut outcome);
                }
                begin(
                    &mut cluster,
                    (Whose::Show(*number), *background),
                    user,
                    argv,
                    &mut outcome,
                    &mut running,
                );
            }
            recording::What::KillDaemon(node) => cluster.kill_daemon(node),
            recording::What::StartDaemon(node) => cluster.start_daemon(node),
            recording::What::StopController | recording::What::StartController => {}
        }
        cluster.settle();
        collect(&mut cluster, &mut running, &mut outcome);
    }
    while f64::from(polled) <= recording.until {
        cluster.advance(at(f64::from(polled) + 0.4));
        poll(&cluster, f64::from(polled) + 0.4, &mut outcome.timeline);
        collect(&mut cluster, &mut running, &mut outcome);
        polled += 1;
    }
    cluster.advance(at(f64::from(polled)) + Duration::from_millis(100));
    outcome.cluster = cluster;
    Ok(outcome)
}

/// Notes the answers of commands that are over.
fn collect(cluster: &mut SlurmCluster, running: &mut Vec<Running>, outcome: &mut Outcome) {
    for (whose, answer) in running::poll(cluster, running) {
        note(whose, answer, outcome);
    }
}

fn note(whose: Whose, answer: Answer, outcome: &mut Outcome) {
    match whose {
        Whose::Submit(name) => {
            outcome.submits.insert(name, answer);
        }
        Whose::Show(at) => outcome.shows[at] = answer,
    }
}

fn poll(cluster: &SlurmCluster, at: f64, timeline: &mut BTreeMap<String, Vec<Change>>) {
    let controller = &cluster.controller;
    for job in controller.jobs.iter() {
        let ids: Vec<String> = match (&job.array, &job.pending_tasks) {
            (Some((array, _)), Some(pending)) => {
                pending.tasks.iter().map(|task| format!("{array}_{task}")).collect()
            }
            _ => vec![job.display_id()],
        };
        let change = Change {
            at,
            state: job.state.code().to_owned(),
            reason: job.state_desc.clone().unwrap_or_else(|| job.reason.to_string()),
            nodes: if job.state.base == super::model::JobBase::Pending {
                String::new()
            } else {
                controller.names_of(&job.nodes)
            },
            priority: job.priority,
        };
        for id in ids {
            let changes = timeline.entry(id).or_default();
            let same = changes.last().is_some_and(|last| {
                (&last.state, &last.reason, &last.nodes, last.priority)
                    == (&change.state, &change.reason, &change.nodes, change.priority)
            });
            if !same {
                changes.push(change.clone());
            }
        }
    }
}
