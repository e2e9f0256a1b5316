//! `slurmctld`: the controller that knows every job and every resource.
//!
//! A state machine in virtual time. Commands change it through methods that return Slurm's own errors;
//! [`Controller::advance`] does what its threads do (main scheduler, backfill, time limits, pings, priorities);
//! [`Controller::take_actions`] says what the nodes' daemons are told. Who runs the jobs answers with
//! [`Controller::batch_ended`]. Nothing here knows how a script runs.
//!
//! Instants have a sub-second part because the order of events within a second matters; every stored time is in
//! whole seconds, as slurmctld has it.

mod backfill;
mod build;
mod cluster;
mod daemon;
mod depend;
mod ever;
mod expect;
mod facts;
mod fairshare;
mod features;
mod finish;
mod gang;
mod layout;
mod limits;
mod operate;
mod params;
mod periodic;
mod ping;
mod preempt;
mod priority;
mod qos;
mod queue;
mod reboot;
mod reconfigure;
mod reserve;
mod schedule;
mod start;
mod steps;
mod submit;
mod table;
mod top;
mod update;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub(crate) use build::{gres_count, node_shape};
pub use cluster::{ClusterSpec, License, Reservation, ReservationFlags, User, Users};
pub use daemon::Daemons;
pub use facts::NodeStateText;
pub use fairshare::AssociationUsage;
pub use params::{Enforce, EnforcePartLimits, MultifactorParams, Params, PreemptType, SchedulerParams};
pub use reboot::RebootRequest;
pub use reconfigure::{NEEDS_RESTART, ReconfigureError};
pub use steps::Allocation;
pub use submit::Submission;
pub use table::JobTable;
pub use update::{JobChange, NodeChange};

use super::Time;
use super::accounting::AccountingDb;
use super::model::{GresNames, Job, JobId, Node, NodeIdx, Partition, StepId, UsageTable};
use super::select::{Machines, Topology};
use crate::sim::{EventQueue, SimTime};

/// What the controller tells the daemons on the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start the batch script of a job on its first node.
    Launch {
        /// The job.
        job: JobId,
        /// Which run of it.
        run: u32,
    },
    /// Send a signal to the processes of a job.
    Signal {
        /// The job.
        job: JobId,
        /// Which run of it.
        run: u32,
        /// The signal's number.
        signal: u8,
        /// The batch shell gets it, not only the steps.
        batch: bool,
    },
    /// Send a signal to the batch shell alone (`scancel --batch`, `--signal=B:`).
    SignalBatch {
        /// The job.
        job: JobId,
        /// Which run of it.
        run: u32,
        /// The signal's number.
        signal: u8,
    },
    /// Send a signal to the tasks of one step.
    SignalStep {
        /// The job.
        job: JobId,
        /// Which run of it.
        run: u32,
        /// The step.
        step: StepId,
        /// The signal's number.
        signal: u8,
    },
    /// Stop the processes of a job for now.
    Suspend {
        /// The job.
        job: JobId,
    },
    /// Let them go on.
    Resume {
        /// The job.
        job: JobId,
    },
    /// Reboot a node's machine.
    Reboot {
        /// The node.
        node: NodeIdx,
    },
}

/// What the controller has to do at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A pass of the main scheduler that somebody asked for.
    Schedule,
    /// A pass after the end of a job.
    EpilogSchedule,
    /// A pass over the whole queue.
    FullSchedule,
    /// A backfill cycle.
    Backfill,
    /// Backfill looks again although nothing but the time has changed.
    BackfillAgain,
    /// Time limits, grace times, deadlines, reservations.
    TimeLimits,
    /// Priorities and usage.
    Priorities,
    /// The epilogs of a run of a job are done.
    Epilog(JobId, u32),
    /// Processes that outlived SIGTERM by KillWait.
    KillWait(JobId, u32),
    /// Records that are old enough to be forgotten.
    Purge,
    /// Gang scheduling's time slice.
    Slice,
    /// Nodes are asked whether they answer.
    Ping,
    /// All of them did, or were waited for long enough.
    PingsAnswered,
    /// A reservation begins or ends.
    Reservation,
    /// A node that was set down answers.
    Return(usize),
    /// Nodes that are to reboot may be idle.
    Reboots,
    /// A node should have rebooted by now.
    RebootLate(usize),
}

/// Counters that `sdiag` prints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of sdiag(1)")]
pub struct Statistics {
    pub jobs_submitted: u64,
    pub jobs_started: u64,
    pub jobs_completed: u64,
    pub jobs_canceled: u64,
    pub jobs_failed: u64,
    pub main_cycles: u64,
    pub main_last_depth: u64,
    pub main_depth_sum: u64,
    pub main_last_queue_length: u64,
    pub backfilled_jobs: u64,
    pub backfilled_jobs_since_cycle: u64,
    pub backfill_cycles: u64,
    pub backfill_last_cycle_at: Time,
    pub backfill_last_depth: u64,
    pub backfill_last_depth_try: u64,
    pub backfill_depth_sum: u64,
    pub backfill_depth_try_sum: u64,
    pub backfill_last_queue_length: u64,
    pub backfill_queue_length_sum: u64,
    pub backfill_table_size: u64,
}

/// From the message that a job's nodes are clean to the pass that it asks for.
const AFTER_EPILOG: Duration = Duration::from_millis(300);

/// The controller.
#[derive(Clone, Debug)]
pub struct Controller {
    /// Its configuration.
    pub config: std::sync::Arc<super::config::Config>,
    /// What it honours of it.
    pub params: Params,
    /// Users and groups.
    pub users: Users,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// What is given away on each.
    pub usage: UsageTable,
    /// The same when nobody is there.
    unused: UsageTable,
    /// Which jobs could ever run.
    fits: ever::Known,
    /// Names of generic resources.
    pub names: GresNames,
    /// Partitions.
    pub partitions: Vec<Partition>,
    /// Switches.
    pub topology: Option<Topology>,
    /// Job records.
    pub jobs: JobTable,
    /// Reservations.
    pub reservations: Vec<Reservation>,
    /// Licences.
    pub licenses: Vec<License>,
    /// Records of accounting: one per run of a job, oldest first.
    pub history: Vec<Job>,
    /// Accounts, users, associations, QOS.
    pub accounting: AccountingDb,
    /// What each association used, parallel to the associations.
    pub associations: Vec<AssociationUsage>,
    /// Counters.
    pub statistics: Statistics,
    /// Which of the controllers run, and which one is in control.
    pub daemons: Daemons,
    pings: ping::Pings,
    /// When it was started.
    pub boot: Time,
    node_index: BTreeMap<String, NodeIdx>,
    /// Nanoseconds since 1970 of [`SimTime::ZERO`].
    epoch: i64,
    now: SimTime,
    agenda: EventQueue<Event>,
    actions: VecDeque<Action>,
    next_id: JobId,
    /// When a pass of the main scheduler last ran, and whether one is asked for.
    last_schedule: Time,
    /// How far into each second the background thread ticks.
    tick: Duration,
    /// By how much the first pass over the whole queue is late.
    full_late: Time,
    schedule_asked: bool,
    epilog_pass: bool,
    /// Something changed that backfill has not seen.
    changed: bool,
    backfill_due: bool,
    purge_due: bool,
    /// `priority/basic` counts down from here.
    next_basic: u32,
    next_reservation: u32,
    /// When usage last decayed.
    last_decay: Time,
    /// Said beside the error of the last submission that was refused.
    detail: Option<String>,
}

impl Controller {
    /// A controller that starts at `now`, with SimTime zero at `epoch` nanoseconds since 1970.
    pub fn new(spec: ClusterSpec, epoch: i64, now: SimTime) -> Self {
        let node_index = spec.nodes.iter().enumerate().map(|(at, node)| (node.name.clone(), at)).collect();
        let unused = UsageTable::unused(&spec.nodes);
        let mut controller = Self {
            next_id: spec.params.first_job_id,
            users: spec.users,
            usage: unused.clone(),
            unused,
            fits: ever::Known::default(),
            nodes: spec.nodes,
            names: spec.names,
            partitions: spec.partitions,
            topology: spec.topology,
            jobs: JobTable::default(),
            reservations: Vec::new(),
            licenses: spec.licenses,
            history: Vec::new(),
            statistics: Statistics::default(),
            daemons: Daemons::new(spec.config.controllers.len()),
            pings: ping::Pings::default(),
            boot: 0,
            node_index,
            epoch,
            now,
            agenda: EventQueue::default(),
            actions: VecDeque::new(),
            last_schedule: 0,
            tick: Duration::ZERO,
            full_late: 0,
            schedule_asked: false,
            changed: false,
            epilog_pass: false,
            backfill_due: false,
            purge_due: false,
            // The first job has one less than the largest even number of 32 bits (observed).
            next_basic: 4_294_901_759,
            next_reservation: 1,
            detail: None,
            last_decay: 0,
            accounting: spec.accounting,
            associations: Vec::new(),
            params: spec.params,
            config: spec.config,
        };
        controller.boot = controller.time();
        controller.last_decay = controller.boot;
        controller.refresh_associations();
        controller.start_clocks();
        controller
    }

    /// The current second since 1970.
    pub fn time(&self) -> Time {
        self.time_at(self.now)
    }

    /// When usage was last counted.
    pub fn last_decay(&self) -> Time {
        self.last_decay
    }

    /// The id that the next job gets.
    pub fn next_job_id(&self) -> JobId {
        self.next_id
    }

    /// The current instant.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Sets the clock without letting anything happen: a display of a moment as if it were another.
    pub fn set_clock(&mut self, now: SimTime) {
        self.now = now;
    }

    /// The second since 1970 in which `at` lies.
    pub fn time_at(&self, at: SimTime) -> Time {
        (self.epoch + at.as_nanos() as i64).div_euclid(1_000_000_000)
    }

    /// The instant at which the second `time` begins.
    pub(super) fn instant(&self, time: Time) -> SimTime {
        let nanos = time.saturating_mul(1_000_000_000).saturating_sub(self.epoch);
        SimTime::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }

    /// When it has something to do next.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        if self.answers() { self.agenda.next_time() } else { self.daemons.takes_over_at() }
    }

    /// Does what is due up to `now`.
    pub fn advance(&mut self, now: SimTime) {
        self.take_over_when_due(now);
        while self.answers()
            && let Some((at, event)) = self.agenda.pop_due(now)
        {
            self.now = self.now.max(at);
            self.handle(event);
        }
        self.now = self.now.max(now);
    }

    /// What the nodes' daemons are told since this was last asked.
    pub fn take_actions(&mut self) -> Vec<Action> {
        self.actions.drain(..).collect()
    }

    /// The same without taking them.
    pub fn peek_actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter()
    }

    /// The index of a node.
    pub fn node(&self, name: &str) -> Option<NodeIdx> {
        self.node_index.get(name).copied()
    }

    /// The index of a partition.
    pub fn partition(&self, name: &str) -> Option<usize> {
        self.partitions.iter().position(|partition| partition.name == name)
    }

    /// Nodes and what is given away on them, for the selection.
    pub fn machines(&self) -> Machines<'_> {
        Machines {
            nodes: &self.nodes,
            usage: &self.usage,
            topology: self.topology.as_ref(),
            names: &self.names,
        }
    }

    /// Something changed that a scheduler may want to see.
    pub(super) fn touch(&mut self) {
        self.changed = true;
        if self.params.scheduler.backfill && !self.backfill_due {
            self.backfill_due = true;
            self.agenda.push(self.next_backfill(), Event::Backfill);
        }
    }

    /// Asks for a pass that does not wait for `batch_sched_delay`.
    pub(super) fn schedule_soon(&mut self) {
        self.touch();
        if !self.epilog_pass {
            self.epilog_pass = true;
            self.agenda.push(self.now + AFTER_EPILOG, Event::EpilogSchedule);
        }
    }

    /// Asks for a pass of the main scheduler: it runs at the next tick of the background thread that is at least
    /// `batch_sched_delay` after the last pass.
    pub(super) fn ask_schedule(&mut self) {
        self.touch();
        if self.schedule_asked {
            return;
        }
        self.schedule_asked = true;
        let earliest = self.last_schedule + self.params.scheduler.batch_sched_delay;
        let tick = self.next_tick();
        let at = if self.time_at(tick) >= earliest { tick } else { self.tick_of(earliest) };
        self.agenda.push(at, Event::Schedule);
    }
}
