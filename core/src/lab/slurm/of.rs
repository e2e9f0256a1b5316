//! How a view is read off a Slurm cluster.

use super::view::{
    AssociationView, BlockKind, CheckedView, ContainerView, FactorView, JobView, PartitionView,
    ReservationView, ShareView, SlurmNodeView, SlurmView, SpanKind, SpanView,
};
use crate::lab::Lab;
use crate::sim::SimTime;
use crate::slurm::Time;
use crate::slurm::accounting::Shares;
use crate::slurm::containers::{Root, Started};
use crate::slurm::controller::{Controller, MultifactorParams, Reservation};
use crate::slurm::model::{
    Bits, DependencyState, GresKind, Job, JobBase, JobState, Node, NodeShare, PartitionState, Reason,
    Scheduler,
};

/// The most stretches of time that ended which a view shows.
const MOST_ENDED: usize = 2000;

/// Reads one cluster, with its times as seconds since the lab was switched on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) controller: &'a Controller,
    zero: Time,
    gpu: Option<GresKind>,
}

impl SlurmView {
    /// What is to be seen of the Slurm cluster of `lab`; `None` if it has none.
    pub fn of(lab: &Lab) -> Option<Self> {
        let controller = &lab.slurm()?.controller;
        let reader = Reader::new(controller);
        let mut jobs: Vec<JobView> = queue(controller).into_iter().map(|job| reader.job(job)).collect();
        let running = controller.jobs.active().filter(|job| !job.is_pending());
        jobs.extend(running.map(|job| reader.job(job)));
        let mut ended: Vec<&Job> = controller
            .jobs
            .iter()
            .filter(|job| job.state.is_finished() && !job.state.is_completing())
            .collect();
        ended.sort_by_key(|job| std::cmp::Reverse((job.end, job.id)));
        jobs.extend(ended.into_iter().map(|job| reader.job(job)));
        Some(Self {
            cluster: controller.params.cluster.clone(),
            nodes: reader.nodes(),
            partitions: (0..controller.partitions.len()).map(|at| reader.partition(at)).collect(),
            jobs,
            spans: reader.spans(),
            reservations: controller.reservations.iter().map(|one| reader.reservation(one)).collect(),
            associations: reader.associations(),
        })
    }
}

impl CheckedView {
    /// What checks see of the Slurm cluster of `lab`; `None` if it has none.
    pub fn of(lab: &Lab) -> Option<Self> {
        let view = SlurmView::of(lab)?;
        let controller = &lab.slurm()?.controller;
        let reader = Reader::new(controller);
        let runs: Vec<JobView> = controller.history.iter().map(|job| reader.job(job)).collect();
        let mut jobs = view.jobs;
        for run in runs.iter().rev() {
            if !jobs.iter().any(|job| job.job_id == run.job_id) {
                jobs.push(run.clone());
            }
        }
        let enroot = &lab.slurm()?.enroot;
        let root = |(node, path, root): (&str, &str, &Root)| ContainerView {
            job_id: 0,
            node: node.to_owned(),
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            image: root.squash.image.as_ref().map(|image| image.reference.to_string()).unwrap_or_default(),
        };
        let start = |start: &Started| ContainerView {
            job_id: start.job,
            node: start.node.clone(),
            name: start.name.clone(),
            image: start.image.clone(),
        };
        Some(Self {
            jobs,
            runs,
            nodes: view.nodes,
            partitions: view.partitions,
            reservations: view.reservations,
            associations: view.associations,
            containers: enroot.roots().map(root).collect(),
            container_starts: enroot.started().iter().map(start).collect(),
        })
    }
}

/// Jobs that wait, in the order in which the scheduler considers them: with a reservation first, then by PriorityTier,
/// priority, and age.
pub(super) fn queue(controller: &Controller) -> Vec<&Job> {
    let tier = |job: &Job| controller.partitions.get(job.partition).map_or(1, |part| part.tier);
    let mut jobs: Vec<&Job> = controller.jobs.pending().collect();
    jobs.sort_by_key(|job| {
        (std::cmp::Reverse((job.reservation.is_some(), tier(job), job.priority)), job.submit, job.id)
    });
    jobs
}

/// Between 0 and 1 as millionths.
fn millionths(value: f64) -> u32 {
    (value.clamp(0.0, 1.0) * 1e6).round() as u32
}

impl<'a> Reader<'a> {
    pub(super) fn new(controller: &'a Controller) -> Self {
        Self { controller, zero: controller.time_at(SimTime::ZERO), gpu: controller.names.kind("gpu") }
    }

    /// Seconds since the lab was switched on; `None` for a time that is not set.
    pub(super) fn at(self, time: Time) -> Option<i64> {
        (time != 0).then_some(time - self.zero)
    }

    fn gpus(self, share: &NodeShare) -> u32 {
        let of = share.gres.iter().filter(|grant| Some(grant.kind) == self.gpu);
        of.map(|grant| grant.count as u32).sum()
    }

    pub(super) fn nodes(self) -> Vec<SlurmNodeView> {
        let states = self.controller.node_states();
        let mut jobs: Vec<Vec<u32>> = vec![Vec::new(); self.controller.nodes.len()];
        let mut gpus: Vec<u32> = vec![0; self.controller.nodes.len()];
        for job in self.controller.jobs.active() {
            for node in job.nodes.iter() {
                if let Some(list) = jobs.get_mut(node) {
                    list.push(job.id);
                }
            }
            for share in job.shares_of_nodes.iter().filter(|share| job.nodes.has(share.node)) {
                if let Some(count) = gpus.get_mut(share.node) {
                    *count += self.gpus(share);
                }
            }
        }
        let parts =
            self.controller.nodes.iter().zip(self.controller.usage.iter()).zip(states).zip(jobs).zip(gpus);
        parts
            .map(|((((node, usage), state), jobs), alloc_gpus)| SlurmNodeView {
                name: node.name.clone(),
                state: state.long,
                reason: node.reason.as_ref().map(|reason| reason.text.clone()).unwrap_or_default(),
                alloc_cpus: usage.cpus(node),
                cpus: node.cpus,
                alloc_memory: usage.memory,
                real_memory: node.memory,
                alloc_gpus,
                gpus: self.gpus_of(node),
                gres: node.gres_text.clone(),
                jobs,
            })
            .collect()
    }

    fn gpus_of(self, node: &Node) -> u32 {
        let of = node.gres.iter().filter(|gres| Some(gres.kind) == self.gpu);
        of.map(|gres| gres.total as u32).sum()
    }

    fn partition(self, at: usize) -> PartitionView {
        let part = &self.controller.partitions[at];
        PartitionView {
            name: part.name.clone(),
            default: part.default,
            up: part.state == PartitionState::Up,
            nodes: self.controller.names_of(&part.nodes),
            max_time: part.max_time,
            priority_tier: u32::from(part.tier),
        }
    }

    pub(super) fn reservation(self, reservation: &Reservation) -> ReservationView {
        ReservationView {
            name: reservation.name.clone(),
            start: reservation.start - self.zero,
            end: reservation.end - self.zero,
            nodes: self.controller.names_of(&reservation.nodes),
            node_indices: reservation.nodes.iter().map(|node| node as u32).collect(),
            users: reservation.users.iter().chain(&reservation.accounts).cloned().collect(),
            maint: reservation.flags.maint,
        }
    }

    pub(super) fn job(self, job: &Job) -> JobView {
        let waits = job.is_pending();
        let tres = match &job.alloc_tres {
            Some(tres) if !waits => tres.clone(),
            _ => self.controller.requested_tres(job),
        };
        let gpus = tres.gres.iter().find(|(name, _)| name == "gpu").map_or(0, |(_, count)| *count);
        let (array_job_id, array_task_id) =
            job.array.map_or((None, None), |(array, task)| (Some(array), task));
        let name = |at: usize| self.controller.partitions.get(at).map_or("", |part| part.name.as_str());
        let partition = if waits && job.partitions.len() > 1 {
            job.partitions.iter().map(|at| name(*at)).collect::<Vec<_>>().join(",")
        } else {
            name(job.partition).to_owned()
        };
        let has: &Bits = if waits { &Bits::new() } else { &job.nodes };
        let reservation = self.controller.reservations.iter().find(|one| Some(one.id) == job.reservation);
        JobView {
            job_id: job.id,
            id: job.display_id(),
            array_job_id,
            array_task_id: array_task_id.filter(|_| job.pending_tasks.is_none()),
            name: job.request.name.clone(),
            user_name: job.user.clone(),
            account: job.request.account.clone().unwrap_or_default(),
            partition,
            qos: job.qos.clone(),
            job_state: job.state.name().to_owned(),
            state_code: job.state.code().to_owned(),
            state_reason: job.state_desc.clone().unwrap_or_else(|| job.reason.to_string()),
            blocked: if waits { kind(job.reason) } else { BlockKind::Nothing },
            priority: job.priority,
            factors: if waits { self.factors(job) } else { Vec::new() },
            nice: job.request.nice,
            submit_time: job.submit - self.zero,
            eligible_time: self.at(job.eligible),
            // A job that was cancelled in the queue has its end there, too.
            start_time: self.at(job.start).filter(|_| !waits && !job.shares_of_nodes.is_empty()),
            end_time: self.at(job.end).filter(|_| !waits),
            expected_start: self.at(job.start).filter(|_| waits),
            planned_nodes: if waits { self.controller.names_of(&job.planned_nodes) } else { String::new() },
            time_limit: job
                .time_limit
                .or_else(|| self.controller.partitions.get(job.partition).and_then(|part| part.max_time)),
            nodes: self.controller.names_of(has),
            node_list: has
                .iter()
                .filter_map(|at| Some(self.controller.nodes.get(at)?.name.clone()))
                .collect(),
            node_count: tres.nodes as u32,
            cpus: tres.cpus as u32,
            memory: tres.memory,
            gpus: gpus as u32,
            exclusive: job.whole_node,
            dependency: dependency(job),
            restart_cnt: job.restarts,
            exit_code: job.exit.0,
            exit_signal: job.exit.1,
            backfilled: !waits && job.scheduler == Some(Scheduler::Backfill),
            reservation: reservation.map(|one| one.name.clone()).unwrap_or_default(),
            steps: job.next_step,
        }
    }

    fn factors(self, job: &Job) -> Vec<FactorView> {
        let Some(params) = &self.controller.params.multifactor else { return Vec::new() };
        let f = &job.factors;
        let all = [
            ("AGE", params.weight_age, f.age),
            ("ASSOC", params.weight_assoc, f.assoc),
            ("FAIRSHARE", params.weight_fairshare, f.fairshare),
            ("JOBSIZE", params.weight_job_size, f.job_size),
            ("PARTITION", params.weight_partition, f.partition),
            ("QOS", params.weight_qos, f.qos),
        ];
        let mut factors: Vec<FactorView> = all
            .into_iter()
            .filter(|(_, weight, _)| *weight > 0)
            .map(|(name, weight, factor)| FactorView {
                name: name.to_owned(),
                weight,
                millionths: millionths(factor),
                // Whole points, as sprio shows them.
                points: (f64::from(weight) * factor) as i64,
            })
            .collect();
        if !params.weight_tres.is_empty() {
            factors.push(tres_factor(params, f.tres));
        }
        factors
    }

    fn spans(self) -> Vec<SpanView> {
        let controller = self.controller;
        let from = controller.history.len().saturating_sub(MOST_ENDED);
        let ended = controller.history[from..].iter().filter(|job| job.start != 0 && job.end >= job.start);
        let mut spans: Vec<SpanView> = ended
            .filter(|job| !job.shares_of_nodes.is_empty())
            .map(|job| self.span(job, SpanKind::Ended, job.start, job.end))
            .collect();
        let now = controller.time();
        for job in controller.jobs.active().filter(|job| !job.is_pending() && !job.state.is_finished()) {
            // A job without a limit is drawn to a year from now; the chart cuts it off.
            let end = if job.end == 0 { now + 365 * 86_400 } else { job.end };
            spans.push(self.span(job, SpanKind::Running, job.start, end));
        }
        for job in controller.jobs.pending().filter(|job| job.start != 0 && !job.planned_nodes.is_empty()) {
            let limit = job
                .time_limit
                .or_else(|| controller.partitions.get(job.partition).and_then(|part| part.max_time));
            let length = limit.map_or(365 * 86_400, |minutes| i64::from(minutes) * 60);
            let mut span = self.span(job, SpanKind::Expected, job.start, job.start + length);
            let asked = self.controller.requested_tres(job);
            let nodes = job.planned_nodes.count().max(1) as u64;
            let gpus = asked.gres.iter().find(|(name, _)| name == "gpu").map_or(0, |(_, count)| *count);
            let cpus = asked.cpus.max(u64::from(job.tested_cpus.unwrap_or(0)));
            let share = |node: usize| ShareView {
                node: node as u32,
                cpus: (cpus / nodes) as u32,
                gpus: (gpus / nodes) as u32,
            };
            span.shares = job.planned_nodes.iter().map(share).collect();
            spans.push(span);
        }
        spans.sort_by_key(|span| (span.start, span.job_id));
        spans
    }

    fn span(self, job: &Job, kind: SpanKind, start: Time, end: Time) -> SpanView {
        SpanView {
            job_id: job.id,
            id: job.display_id(),
            name: job.request.name.clone(),
            user_name: job.user.clone(),
            start: start - self.zero,
            end: end - self.zero,
            kind,
            state: ended_as(job.state).to_owned(),
            backfilled: kind != SpanKind::Expected && job.scheduler == Some(Scheduler::Backfill),
            shares: job
                .shares_of_nodes
                .iter()
                .map(|share| ShareView { node: share.node as u32, cpus: share.cpus, gpus: self.gpus(share) })
                .collect(),
        }
    }

    fn associations(self) -> Vec<AssociationView> {
        let mut all = Vec::new();
        let mut todo = vec![(1_u32, 0_u32)];
        while let Some((id, depth)) = todo.pop() {
            let mut children = self.controller.children(id);
            children.reverse();
            todo.extend(children.into_iter().map(|child| (child, depth + 1)));
            let Some(assoc) = self.controller.accounting.association(id) else { continue };
            let usage = self.controller.usage_of(id).cloned().unwrap_or_default();
            all.push(AssociationView {
                depth,
                account: assoc.account.clone(),
                user: assoc.user.clone(),
                raw_shares: match assoc.shares {
                    Shares::Number(shares) => Some(shares),
                    Shares::Parent => None,
                },
                norm_shares: millionths(usage.norm_shares),
                raw_usage: usage.raw as u64,
                effective_usage: millionths(usage.effective),
                fair_share: assoc.user.as_ref().map(|_| millionths(usage.factor)),
                level_fs: usage.level.is_finite().then_some((usage.level * 1e6) as u64),
            });
        }
        all
    }
}

fn tres_factor(params: &MultifactorParams, points: f64) -> FactorView {
    let weight: f64 = params.weight_tres.iter().map(|(_, weight)| weight).sum();
    FactorView {
        name: "TRES".to_owned(),
        weight: weight as u32,
        millionths: if weight > 0.0 { millionths(points / weight) } else { 0 },
        points: points as i64,
    }
}

/// The name of the base state: what a job ended as, also while its nodes are cleaned up.
fn ended_as(state: JobState) -> &'static str {
    JobState::new(state.base).name()
}

/// `afterok:3(unfulfilled)`: the parts that are not fulfilled yet, as squeue shows them.
fn dependency(job: &Job) -> String {
    let open = job.dependency.iter().filter(|part| part.state != DependencyState::Fulfilled);
    let text = open.map(|part| {
        let target = part.target.map(|target| match target.task {
            Some(task) => format!(":{}_{task}", target.job),
            None => format!(":{}", target.job),
        });
        let state = if part.state == DependencyState::Failed { "failed" } else { "unfulfilled" };
        format!("{}{}({state})", part.kind.name(), target.unwrap_or_default())
    });
    text.collect::<Vec<_>>().join(",")
}

/// What kind of thing a reason is (squeue(1), JOB REASON CODES).
fn kind(reason: Reason) -> BlockKind {
    match reason {
        Reason::NONE => BlockKind::Nothing,
        Reason::PRIORITY => BlockKind::Priority,
        Reason::RESOURCES => BlockKind::Resources,
        Reason::DEPENDENCY | Reason::DEPENDENCY_NEVER => BlockKind::Dependency,
        Reason::RESERVATION | Reason::RESERVATION_DELETED => BlockKind::Reservation,
        Reason::BEGIN_TIME => BlockKind::Begin,
        Reason::HELD_ADMIN | Reason::HELD_USER => BlockKind::Held,
        Reason::NODE_NOT_AVAIL | Reason::NODE_DOWN | Reason::BAD_CONSTRAINTS => BlockKind::Nodes,
        Reason::PART_NODE_LIMIT | Reason::PART_TIME_LIMIT | Reason::ARRAY_TASK_LIMIT => BlockKind::Limit,
        Reason::PART_DOWN | Reason::PART_INACTIVE | Reason::PART_CONFIG => BlockKind::Partition,
        Reason::LICENSES => BlockKind::Licenses,
        Reason::MAX_MEM_PER_LIMIT => BlockKind::Limit,
        Reason(text) if ["QOS", "Assoc", "Max", "Grp"].iter().any(|start| text.starts_with(start)) => {
            BlockKind::Limit
        }
        _ => BlockKind::Other,
    }
}

/// Whether a job has or had an allocation that is not over.
pub(super) fn holds(job: &Job) -> bool {
    matches!(job.state.base, JobBase::Running | JobBase::Suspended) || job.state.is_completing()
}
