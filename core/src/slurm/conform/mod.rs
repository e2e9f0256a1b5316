//! Replays what the real Slurm did, and compares every field.
//!
//! A recording holds the configuration, what users typed when, and what came of it. [`replay`] does the same here and
//! says what differs. Times were read on a real clock: starts and ends may be off by [`TOLERANCE`] seconds; nodes,
//! order, states, reasons, priorities and texts must be the same.

mod commands;
mod compare;
mod recording;
mod running;
mod search;
mod shows;
mod world;

pub use compare::{Difference, compare};
pub use recording::Recording;
pub use search::{Phase, differences};

use std::collections::BTreeMap;
use std::time::Duration;

use running::{Running, Whose};

use super::cluster::{RecordedRun, RecordedRuns, SlurmCluster};
use super::commands::Session;
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
        "scontrol show node, show config",
        "figures of the recording's host; a test compares the rest of `show config`",
    ),
    (
        "scontrol show assoc_mgr",
        "usage of QOS is not kept; associations of the recordings were added while slurmctld ran",
    ),
    ("the last `scontrol show job` of each job", "compared where a recording asks for it"),
    (
        "which of the two schedulers started a job, and with it the limit of one that asked for none",
        "a race that the recording's clock decided; backfill gives such a job a year",
    ),
    (
        "starts and ends of jobs that commands made, within 4 s",
        "how long a command takes that does little is the host's",
    ),
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
    ("means over the cycles of sdiag", "how often the schedulers looked is the recording's clock"),
    ("FREE_MEM and CPU_LOAD of sinfo", "they are the recorded host's"),
    (
        "the phase of slurmctld's timers",
        "not recorded: replays that began 0.5 to 3.5 s before the first command, and whose main scheduler had its last pass \
         up to 2 s before it, are tried; the nearest counts",
    ),
    (
        "the order of ends within one second",
        "not recorded: up to 128 are tried, and from those that come nearest up to 100 in which one end is moved within its \
         second",
    ),
    (
        "rows of displays that were so up to 2 s earlier or later",
        "a state that changes at the moment of the display: the recorded and the replayed change are up to 2 s apart",
    ),
    (
        "starts and lengths of runs within 2 s",
        "taken from the recording, so that what is counted from them (usage, priorities) can be compared exactly",
    ),
    ("states that last less than 2 s, and COMPLETING", "the recorder polled once a second"),
];

/// Seconds before the first action at which nodes were first asked (where a recording shows it).
const FIRST_PING: i64 = 7;
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
    /// What displays would have answered up to [`TOLERANCE`] earlier or later, by the command's place.
    pub nearby: BTreeMap<usize, Vec<Answer>>,
    /// Changes of each job, by its display id.
    pub timeline: BTreeMap<String, Vec<Change>>,
    /// Seconds since 1970 of the recording's zero.
    pub zero: i64,
}

/// Does what a recording did, with a controller of that phase.
///
/// # Errors
///
/// What of its configuration is not understood.
pub fn replay(recording: &Recording, phase: &Phase) -> Result<Outcome, String> {
    let mut users = Users::named(&["alice", "bob", "carol", "dave", "erin"]);
    users.add(User { name: "daemon".into(), uid: 1, gid: 1, groups: vec!["daemon".into()] });
    let mut lines: Vec<&str> = recording.slurm_conf.iter().map(String::as_str).collect();
    // The recorder's own lines are not in the recordings.
    lines.push("SlurmctldHost=vm(127.0.0.1)");
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
    let mut cluster =
        SlurmCluster::new(spec, epoch, SimTime::from_nanos((ZERO * 1000 - phase.boot) * 1_000_000));
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
    for name in &recording.no_slurmd {
        if let Some(node) = cluster.controller.node(name) {
            cluster.controller.never_registered(node);
        }
    }
    cluster.controller.first_ping_was_at(zero - FIRST_PING);
    let tick = Duration::from_millis(phase.tick);
    cluster.controller.had_been_running(zero - phase.pass, tick, phase.full_late);
    let mut outcome = Outcome {
        submits: BTreeMap::new(),
        setup,
        shows: vec![silent; recording.shows.len()],
        nearby: BTreeMap::new(),
        timeline: BTreeMap::new(),
        zero,
        cluster: cluster.clone(),
    };
    cluster.follow(recorded_runs(recording, phase));
    let mut polled = 0;
    for (at_second, event) in with_probes(&recording.events) {
        // The recorder polled once a second, at 0.4 s.
        while f64::from(polled) + 0.4 < at_second {
            cluster.advance(at(f64::from(polled) + 0.4));
            poll(&cluster, f64::from(polled) + 0.4, &mut outcome.timeline);
            collect(&mut cluster, &mut running, &mut outcome);
            polled += 1;
        }
        cluster.advance(at(at_second));
        collect(&mut cluster, &mut running, &mut outcome);
        if at_second.total_cmp(&event.at).is_ne() {
            if let recording::What::Command { at: place, user, argv, .. } = &event.what {
                let mut then = cluster.clone();
                then.controller.set_clock(at(event.at));
                let answer = display(&mut then, user, argv);
                outcome.nearby.entry(*place).or_default().push(answer);
            }
            continue;
        }
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
            recording::What::StopController => cluster.stop_controller(),
            recording::What::StartController => cluster.start_controller(),
        }
        cluster.settle();
        collect(&mut cluster, &mut running, &mut outcome);
    }
    while f64::from(polled) + 0.4 <= recording.until {
        cluster.advance(at(f64::from(polled) + 0.4));
        poll(&cluster, f64::from(polled) + 0.4, &mut outcome.timeline);
        collect(&mut cluster, &mut running, &mut outcome);
        polled += 1;
    }
    cluster.advance(at(f64::from(polled)) + Duration::from_millis(100));
    outcome.cluster = cluster;
    Ok(outcome)
}

/// The events in order, and each display again at the instants around it.
fn with_probes(events: &[recording::RecordedEvent]) -> Vec<(f64, &recording::RecordedEvent)> {
    let mut all: Vec<(f64, &recording::RecordedEvent)> = Vec::new();
    for event in events {
        all.push((event.at, event));
        let is_display =
            matches!(&event.what, recording::What::Command { argv, .. } if shows::is_display(argv));
        let around = (1..=2 * TOLERANCE).map(|half| half as f64 / 2.0);
        for shift in around.filter(|_| is_display) {
            all.extend([event.at - shift, event.at + shift].map(|at| (at, event)));
        }
    }
    all.retain(|(at, _)| *at >= 0.0);
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all
}

/// When jobs ran on the recording's machine.
fn recorded_runs(recording: &Recording, phase: &Phase) -> RecordedRuns {
    let mut runs = RecordedRuns::within(TOLERANCE, phase.order, phase.ends.clone());
    for (name, records) in &recording.jobs {
        let id = compare::display_id(recording, name);
        for record in records {
            let by_itself = matches!(record.state.as_str(), "COMPLETED" | "FAILED" | "REQUEUED");
            let run = RecordedRun {
                start: record.start.map_or(i64::MIN / 2, |start| start + recording.t0_epoch),
                end: record.end.filter(|_| by_itself).map(|end| end + recording.t0_epoch),
            };
            runs.push(id.clone(), run);
        }
    }
    runs
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

/// What a display answers at the controller's own clock, without a process.
fn display(cluster: &mut SlurmCluster, user: &str, argv: &[String]) -> Answer {
    let (uid, gid) = cluster.controller.users.by_name(user).map_or((0, 0), |user| (user.uid, user.gid));
    let env = BTreeMap::new();
    let session = Session {
        uid,
        gid,
        env: &env,
        cwd: "/tmp",
        host: "localhost",
        sid: 2954,
        stdin: "",
        read_file: &|_| None,
    };
    let output = super::commands::run(&mut cluster.controller, &session, argv);
    Answer { code: i64::from(output.code), stdout: output.stdout, stderr: output.stderr }
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
