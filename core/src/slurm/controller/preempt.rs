//! Preemption: which running jobs make room, and how.

use super::schedule::Blocked;
use super::{Controller, PreemptType};
use crate::slurm::model::{Bits, Job, JobBase, JobId, PartIdx, PreemptMode, Reason};
use crate::slurm::select::Machines;

impl Controller {
    /// Whether `job` in `partition` may preempt `other`.
    pub(super) fn may_preempt(&self, job: &Job, partition: PartIdx, other: &Job) -> bool {
        if other.state.base != JobBase::Running && other.state.base != JobBase::Suspended {
            return false;
        }
        if other.state.is_completing()
            || other.preempt_time != 0
            || self.preempt_mode(other) == PreemptMode::Off
        {
            return false;
        }
        let exempt = self.exempt_time(other);
        if exempt > 0 && self.time() < other.start + exempt {
            return false;
        }
        match self.params.preempt_type {
            PreemptType::None => false,
            PreemptType::PartitionPrio => {
                self.partitions[partition].tier > self.partitions[other.partition].tier
            }
            PreemptType::Qos => self.qos_preempts(&job.qos, &other.qos),
        }
    }

    /// How a job is preempted: by its QOS, its partition, or the cluster's mode.
    pub(super) fn preempt_mode(&self, job: &Job) -> PreemptMode {
        let mode = match self.params.preempt_type {
            PreemptType::Qos => self.qos_preempt_mode(&job.qos),
            _ => self.partitions[job.partition].preempt_mode,
        };
        let mode = mode.unwrap_or(self.params.preempt_mode);
        // What cannot be requeued is cancelled.
        if mode == PreemptMode::Requeue && !(job.requeue && job.request.batch) {
            PreemptMode::Cancel
        } else {
            mode
        }
    }

    /// Candidates, those first that are preempted first.
    fn candidates(&self, job: &Job, partition: PartIdx, nodes: &Bits) -> Vec<JobId> {
        let mut candidates: Vec<&Job> = self
            .jobs
            .active()
            .filter(|other| other.nodes.overlaps(nodes) && self.may_preempt(job, partition, other))
            .collect();
        if self.params.scheduler.preempt_youngest_first {
            candidates.sort_by_key(|job| (std::cmp::Reverse(job.start), job.id));
        } else {
            candidates.sort_by_key(|job| (self.preempt_weight(job), job.nodes.count(), job.id));
        }
        candidates.iter().map(|job| job.id).collect()
    }

    fn preempt_weight(&self, job: &Job) -> u32 {
        match self.params.preempt_type {
            PreemptType::Qos => self.qos_priority(&job.qos),
            _ => u32::from(self.partitions[job.partition].tier),
        }
    }

    /// Jobs that make room for `id`: candidates are taken away one by one until it fits; then once more in a better
    /// order; victims are those whose nodes the job would get.
    pub(super) fn choose_victims(&self, id: JobId, partition: PartIdx, avail: &Bits) -> Option<Vec<JobId>> {
        let job = self.jobs.get(id)?;
        let mut order = self.candidates(job, partition, avail);
        if order.is_empty() {
            return None;
        }
        let mut found = self.until_it_fits(job, partition, avail, &order)?;
        for _ in 0..self.params.scheduler.preempt_reorder_count {
            let (taken, nodes) = &found;
            if *taken <= 1 {
                break;
            }
            if self.params.scheduler.preempt_strict_order {
                let last = order.remove(taken - 1);
                order.insert(0, last);
            } else {
                let use_of = |id: &JobId| self.jobs.get(*id).map_or(0, |job| job.nodes.overlap_count(nodes));
                order.sort_by_key(|id| std::cmp::Reverse(use_of(id)));
            }
            match self.until_it_fits(job, partition, avail, &order) {
                Some(better) => found = better,
                None => break,
            }
        }
        let (taken, nodes) = found;
        let victims: Vec<JobId> = order
            .into_iter()
            .take(taken)
            .filter(|id| self.jobs.get(*id).is_some_and(|job| job.nodes.overlaps(&nodes)))
            .collect();
        (!victims.is_empty()).then_some(victims)
    }

    /// How many of `order` must go, and the nodes that the job would then get.
    fn until_it_fits(
        &self,
        job: &Job,
        partition: PartIdx,
        avail: &Bits,
        order: &[JobId],
    ) -> Option<(usize, Bits)> {
        let mut usage = self.usage.clone();
        for (at, victim) in order.iter().enumerate() {
            let victim = self.jobs.get(*victim)?;
            for share in &victim.shares_of_nodes {
                usage.release(&self.nodes[share.node], share, victim.request.uid);
            }
            let machines = Machines { usage: &usage, ..self.machines() };
            if let Some(selection) = self.find_in(&machines, job, partition, avail) {
                return Some((at + 1, selection.shares.iter().map(|share| share.node).collect()));
            }
        }
        None
    }

    /// Preempts `victims` for `id`, and says why the job itself still waits.
    pub(super) fn preempt(&mut self, id: JobId, victims: &[JobId]) -> Blocked {
        let now = self.time();
        for victim in victims {
            let Some(job) = self.jobs.get(*victim) else { continue };
            let grace = match self.params.preempt_type {
                PreemptType::Qos => self.qos_grace(&job.qos),
                _ => self.partitions[job.partition].grace_time,
            };
            let mode = self.preempt_mode(job);
            match mode {
                PreemptMode::Off => {}
                PreemptMode::Suspend => self.suspend(*victim, true),
                PreemptMode::Requeue | PreemptMode::Cancel if grace > 0 => {
                    let Some(job) = self.jobs.get_mut(*victim) else { continue };
                    job.preempt_time = now;
                    job.preempt_requeue = mode == PreemptMode::Requeue;
                    let end = now + i64::from(grace);
                    job.end = if job.end == 0 { end } else { job.end.min(end) };
                    let run = job.run;
                    for signal in [18, 15] {
                        self.actions.push_back(super::Action::Signal {
                            job: *victim,
                            run,
                            signal,
                            batch: false,
                        });
                    }
                }
                PreemptMode::Requeue => {
                    self.end_active(*victim, JobBase::Preempted, Reason::NONE, Some((false, false)));
                }
                PreemptMode::Cancel => self.end_active(*victim, JobBase::Preempted, Reason::NONE, None),
            }
        }
        if let Some(job) = self.jobs.get_mut(id) {
            job.preempting = victims.to_vec();
        }
        Blocked::Busy
    }

    /// Since when a running job may be preempted; `None` when it may not.
    pub fn preemptable_from(&self, job: &Job) -> Option<crate::slurm::Time> {
        let runs = matches!(job.state.base, JobBase::Running | JobBase::Suspended);
        let preempts =
            self.params.preempt_type != PreemptType::None && self.preempt_mode(job) != PreemptMode::Off;
        (runs && preempts).then(|| job.start + self.exempt_time(job))
    }

    fn exempt_time(&self, job: &Job) -> i64 {
        self.qos_exempt_time(&job.qos).unwrap_or(self.params.preempt_exempt_time)
    }
}
