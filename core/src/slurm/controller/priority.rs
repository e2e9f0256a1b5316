//! Priorities: `priority/basic` counts down, `priority/multifactor` weighs factors.
//!
//! P = age + association + fair share + job size + partition + QOS + TRES + site − nice, each a weight times a factor,
//! summed in doubles; less than 1 counts as 1; the fraction is cut off (checked against recorded priorities).

use smallvec::SmallVec;

use super::{Controller, MultifactorParams};
use crate::slurm::Time;
use crate::slurm::model::{Job, JobId, Memory, PartIdx, PriorityFactors, TresCount};

impl Controller {
    /// The priority of a job that was just submitted, released or requeued.
    pub(super) fn set_priority(&mut self, id: JobId) {
        let Some(params) = self.params.multifactor.clone() else {
            let next = self.next_basic;
            let Some(job) = self.jobs.get_mut(id) else { return };
            let nice = i64::from(job.request.nice);
            job.priority = u32::try_from((i64::from(next) - nice).max(1)).unwrap_or(u32::MAX);
            self.next_basic = next.saturating_sub(1);
            return;
        };
        self.weigh(id, &params);
    }

    /// Works out the priority of a job, in each of its partitions.
    pub(super) fn weigh(&mut self, id: JobId, params: &MultifactorParams) {
        let Some(job) = self.jobs.get(id) else { return };
        let mut priorities: SmallVec<[u32; 1]> = SmallVec::new();
        let mut factors = PriorityFactors::default();
        for (at, partition) in job.partitions.iter().enumerate() {
            let of_part = self.factors(job, *partition, params);
            priorities.push(sum(&of_part, job.request.nice, params));
            if at == 0 {
                factors = of_part;
            }
        }
        let Some(job) = self.jobs.get_mut(id) else { return };
        let most = priorities.iter().copied().max().unwrap_or(1);
        job.factors = factors;
        job.priority = if params.incr_only { most.max(job.priority) } else { most };
        job.part_priorities = if priorities.len() > 1 { priorities } else { SmallVec::new() };
    }

    /// The factors of a job in a partition.
    pub(super) fn factors(
        &self,
        job: &Job,
        partition: PartIdx,
        params: &MultifactorParams,
    ) -> PriorityFactors {
        let part = &self.partitions[partition];
        let part_max = self.partitions.iter().map(|part| part.job_factor).max().unwrap_or(0);
        let qos = self.accounting.qos(&job.qos).map_or(0, |qos| qos.priority);
        let qos_max = self.accounting.qos.iter().map(|qos| qos.priority).max().unwrap_or(0);
        let assoc = self.accounting.chain(job.assoc).find_map(|assoc| assoc.priority).unwrap_or(0);
        let assoc_max =
            self.accounting.associations.iter().filter_map(|assoc| assoc.priority).max().unwrap_or(0);
        let normal = |value: u32, max: u32, raw: bool| {
            if raw {
                f64::from(value)
            } else if max == 0 {
                0.0
            } else {
                f64::from(value) / f64::from(max)
            }
        };
        PriorityFactors {
            age: if params.weight_age == 0 { 0.0 } else { age(job, self.time(), params) },
            assoc: normal(assoc, assoc_max, params.no_normal_assoc),
            fairshare: if params.weight_fairshare == 0 { 0.0 } else { self.fair_share(job.assoc) },
            job_size: if params.weight_job_size == 0 { 0.0 } else { self.job_size(job, params) },
            partition: normal(u32::from(part.job_factor), u32::from(part_max), params.no_normal_part),
            qos: normal(qos, qos_max, params.no_normal_qos),
            tres: self.tres_factors(job, partition, params).iter().map(|(_, value)| value).sum(),
            site: 0,
        }
    }

    fn job_size(&self, job: &Job, params: &MultifactorParams) -> f64 {
        let nodes = self.nodes.len() as f64;
        let cpus: f64 = self.nodes.iter().map(|node| f64::from(node.cpus)).sum();
        if nodes == 0.0 || cpus == 0.0 {
            return 0.0;
        }
        let asked_nodes = f64::from(job.min_nodes);
        let asked_cpus = f64::from(job.tested_cpus.unwrap_or(job.min_cpus));
        let factor = if params.small_relative_to_time {
            let limit = job.time_limit.or(self.partitions[job.partition].max_time).unwrap_or(365 * 24 * 60);
            let share = (asked_nodes * cpus / nodes).max(asked_cpus) / f64::from(limit.max(1)) / cpus;
            if params.favor_small { 1.0 - share } else { share }
        } else if params.favor_small {
            f64::midpoint((nodes - asked_nodes) / nodes, (cpus - asked_cpus) / cpus)
        } else {
            f64::midpoint(asked_nodes / nodes, asked_cpus / cpus)
        };
        factor.clamp(0.0, 1.0)
    }

    /// Weighted TRES factors by name, in the order of `PriorityWeightTRES`.
    pub fn tres_factors(
        &self,
        job: &Job,
        partition: PartIdx,
        params: &MultifactorParams,
    ) -> Vec<(String, f64)> {
        if params.weight_tres.is_empty() {
            return Vec::new();
        }
        let asked = self.requested_tres(job);
        let total = self.partition_tres(partition);
        let share = |name: &str| {
            let (asked, total) = (asked.of(name) as f64, total.of(name) as f64);
            if total > 0.0 { (asked / total).min(1.0) } else { 0.0 }
        };
        params
            .weight_tres
            .iter()
            .map(|(name, weight)| {
                (
                    name.clone(),
                    weight * if params.no_normal_tres { asked.of(name) as f64 } else { share(name) },
                )
            })
            .collect()
    }

    /// What a job asks for, in TRES.
    pub fn requested_tres(&self, job: &Job) -> TresCount {
        let cpus = u64::from(job.min_cpus);
        let nodes = u64::from(job.min_nodes);
        let memory = match job.memory {
            Some(Memory::PerCpu(each)) => each * cpus,
            Some(Memory::PerNode(each)) => each * nodes,
            None => {
                self.partitions[job.partition].nodes.min().map_or(0, |node| self.nodes[node].memory) * nodes
            }
        };
        let mut tres = TresCount { cpus, memory, nodes, ..TresCount::default() };
        for asked in &job.gres {
            let count = asked
                .per_job
                .max(asked.per_node * nodes)
                .max(asked.per_task * u64::from(job.ntasks))
                .max(asked.per_socket * nodes);
            if let Some(name) = self.names.kinds.get(usize::from(asked.kind)) {
                match tres.gres.iter_mut().find(|(other, _)| other == name) {
                    Some((_, sum)) => *sum += count,
                    None => tres.gres.push((name.clone(), count)),
                }
            }
        }
        tres.billing = self.billing(&tres, job.partition);
        tres
    }

    /// What a partition has, in TRES.
    pub fn partition_tres(&self, partition: PartIdx) -> TresCount {
        let mut tres = TresCount::default();
        for node in self.partitions[partition].nodes.iter().filter_map(|node| self.nodes.get(node)) {
            tres.cpus += u64::from(node.cpus);
            tres.memory += node.memory;
            tres.nodes += 1;
            for gres in &node.gres {
                let Some(name) = self.names.kinds.get(usize::from(gres.kind)) else { continue };
                match tres.gres.iter_mut().find(|(other, _)| other == name) {
                    Some((_, sum)) => *sum += gres.total,
                    None => tres.gres.push((name.clone(), gres.total)),
                }
            }
        }
        tres.billing = self.billing(&tres, partition);
        tres
    }

    /// PriorityCalcPeriod is over: usage decays and grows, priorities of waiting jobs are worked out anew.
    pub(super) fn recalculate(&mut self) {
        let Some(params) = self.params.multifactor.clone() else { return };
        self.decay_usage(&params);
        let waiting: Vec<JobId> = self.jobs.pending.iter().copied().collect();
        for id in waiting {
            if self.jobs.get(id).is_some_and(|job| !job.direct_priority && job.priority != 0) {
                self.weigh(id, &params);
            }
        }
    }
}

/// Since eligibility, as a part of PriorityMaxAge.
fn age(job: &Job, now: Time, params: &MultifactorParams) -> f64 {
    let since = if params.accrue_always { job.submit } else { job.accrue };
    if since == 0 || params.max_age <= 0 || now <= since {
        return 0.0;
    }
    ((now - since) as f64 / params.max_age as f64).min(1.0)
}

fn sum(factors: &PriorityFactors, nice: i32, params: &MultifactorParams) -> u32 {
    let weighted = f64::from(params.weight_age) * factors.age
        + f64::from(params.weight_assoc) * factors.assoc
        + f64::from(params.weight_fairshare) * factors.fairshare
        + f64::from(params.weight_job_size) * factors.job_size
        + f64::from(params.weight_partition) * factors.partition
        + f64::from(params.weight_qos) * factors.qos
        + factors.tres
        + factors.site as f64
        - f64::from(nice);
    // A cast of a double to an integer cuts off and saturates.
    if weighted < 1.0 { 1 } else { weighted as u32 }
}
