//! Random clusters and random jobs.

use std::time::Duration;

use super::below;
use crate::sim::Rng;
use crate::slurm::controller::{ClusterSpec, Controller, Users};
use crate::slurm::model::{
    ArraySpec, Dependency, DependencyKind, DependencyState, DependencyTarget, JobId, JobRequest, Memory,
    Sharing,
};
use crate::slurm::runner::Script;

/// A small cluster with GPUs, two or three partitions, and one of the ways to schedule and to preempt.
pub(super) fn cluster(dice: &mut Rng) -> ClusterSpec {
    let preempt = match below(dice, 4) {
        0 => "PreemptType=preempt/partition_prio\nPreemptMode=REQUEUE",
        1 => "PreemptType=preempt/partition_prio\nPreemptMode=CANCEL",
        2 => "PreemptType=preempt/partition_prio\nPreemptMode=SUSPEND,GANG\nSchedulerTimeSlice=20",
        _ => "PreemptMode=OFF",
    };
    let scheduler = if below(dice, 4) == 0 {
        "SchedulerType=sched/builtin"
    } else {
        "SchedulerType=sched/backfill\nSchedulerParameters=bf_interval=5"
    };
    let priority = if below(dice, 2) == 0 {
        "PriorityType=priority/basic"
    } else {
        "PriorityType=priority/multifactor\nPriorityWeightAge=1000\nPriorityWeightJobSize=500"
    };
    let nodes = 2 + below(dice, 6);
    let text = format!(
        "ClusterName=sim\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core_Memory\nAccountingStorageType=accounting_storage/slurmdbd\n\
         GresTypes=gpu\nDefMemPerCPU=500\nKillWait=5\nMinJobAge=60\nLicenses=mat:3\nReturnToService=1\nRebootProgram=/sbin/reboot\n{preempt}\n{scheduler}\n{priority}\n\
         NodeName=n[1-{nodes}] CPUs=8 SocketsPerBoard=2 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=16000 Gres=gpu:a100:4\n\
         PartitionName=low Nodes=ALL Default=YES PriorityTier=1 GraceTime={}\n\
         PartitionName=high Nodes=ALL PriorityTier=10\n",
        below(dice, 2) * 8
    );
    let lines: Vec<&str> = text.lines().collect();
    ClusterSpec::from_lines(
        &lines,
        &["Name=gpu Type=a100 File=/dev/nvidia[0-3]"],
        &[],
        Users::named(&["alice", "bob", "carol"]),
    )
    // The text above is fixed but for numbers; a test of every seed reads it.
    .unwrap_or_else(|error| unreachable!("the simulator's own configuration: {error}"))
}

/// A random job and what it does.
pub(super) fn job(dice: &mut Rng, controller: &Controller) -> (JobRequest, Script) {
    let uid = 1001 + below(dice, 3) as u32;
    let mut request = JobRequest {
        name: "job".into(),
        uid,
        gid: uid,
        batch: true,
        script: "#!/bin/sh\n".into(),
        work_dir: "/tmp".into(),
        ..JobRequest::default()
    };
    let chance = |dice: &mut Rng, one_in: u64| below(dice, one_in) == 0;
    if chance(dice, 3) {
        request.partitions = vec!["high".into()];
    }
    if chance(dice, 4) {
        let least = 1 + below(dice, 3) as u32;
        request.min_nodes = Some(least);
        request.max_nodes = Some(least + below(dice, 2) as u32);
    }
    if chance(dice, 2) {
        request.ntasks = Some(1 + below(dice, 10) as u32);
    }
    if chance(dice, 4) {
        request.cpus_per_task = Some(1 + below(dice, 3) as u32);
    }
    if chance(dice, 3) {
        let count = 1 + below(dice, 4);
        if chance(dice, 2) {
            request.tres_per_job = Some(format!("gres:gpu:{count}"));
        } else {
            request.tres_per_node = Some(format!("gres:gpu:a100:{count}"));
        }
    }
    request.memory = match below(dice, 5) {
        0 => Some(Memory::PerNode(1 + below(dice, 12_000))),
        1 => Some(Memory::PerCpu(1 + below(dice, 1500))),
        _ => None,
    };
    if chance(dice, 6) {
        request.sharing = if chance(dice, 2) { Sharing::Exclusive } else { Sharing::ExclusiveUser };
    }
    if chance(dice, 8) {
        let most = 1 + below(dice, 6) as u32;
        request.array = Some(ArraySpec {
            text: format!("0-{most}"),
            tasks: (0..=most).collect(),
            limit: chance(dice, 2).then_some(2),
            step: 1,
        });
    }
    if chance(dice, 8) {
        let ids: Vec<JobId> = controller.jobs.iter().map(|job| job.id).collect();
        if let Some(id) = super::pick(dice, &ids) {
            let kind = [
                DependencyKind::AfterAny,
                DependencyKind::AfterOk,
                DependencyKind::AfterNotOk,
                DependencyKind::After,
            ][below(dice, 4) as usize];
            let target = DependencyTarget { job: id, task: None, delay: 0 };
            request.dependency.push(Dependency {
                kind,
                target: Some(target),
                any: false,
                state: DependencyState::Unfulfilled,
            });
            request.kill_on_invalid_dep = Some(true);
        }
    }
    if chance(dice, 10) {
        request.licenses = Some(format!("mat:{}", 1 + below(dice, 3)));
    }
    if chance(dice, 10) {
        request.requeue = Some(false);
    }
    request.time_limit = Some(Some(1 + below(dice, 10) as u32));
    if chance(dice, 8) {
        request.begin = Some(controller.time() + below(dice, 300) as i64);
    }
    let script = Script {
        length: Duration::from_secs(1 + below(dice, 400)),
        code: u8::from(chance(dice, 6)),
        stubborn: chance(dice, 10),
    };
    (request, script)
}
