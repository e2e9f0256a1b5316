//! What one node could give a job.

use super::{Ask, Machines, gres};
use crate::slurm::model::{Bits, Memory, NodeIdx};

/// What a node could give a job.
#[derive(Clone, Debug)]
pub struct Room {
    /// The node.
    pub node: NodeIdx,
    /// CPUs, a multiple of the CPUs per task and within every limit per node.
    pub cpus: u32,
    /// CPUs that the job must take here if it takes the node at all.
    pub least: u32,
    /// Units of each GRES that is asked for per job, in the order of the request.
    pub gres: [u64; 4],
}

/// Cores of `node` that a job could have in `row`.
pub(super) fn free_cores(machines: &Machines<'_>, ask: &Ask<'_>, node: NodeIdx, row: u8) -> Bits {
    let usage = &machines.usage[node];
    let mut free = Bits::first(machines.nodes[node].cores());
    if let Some(used) = usage.rows.get(usize::from(row)) {
        free.subtract(used);
    }
    if ask.flags.sockets {
        let per_socket = machines.nodes[node].cores_per_socket.max(1) as usize;
        let used = usage.used_cores();
        for socket in 0..machines.nodes[node].sockets as usize {
            let cores = socket * per_socket..(socket + 1) * per_socket;
            if cores.clone().any(|core| used.has(core)) {
                cores.for_each(|core| free.clear(core));
            }
        }
    }
    free
}

/// CPUs that a job may use of each core: its threads, as far as `--threads-per-core` and the tasks per core go.
pub(super) fn cpus_per_core(machines: &Machines<'_>, ask: &Ask<'_>, node: NodeIdx) -> u32 {
    let all = machines.usage.figures()[node].cpus_per_core;
    let by_tasks = ask.ntasks_per_core.map(|tasks| tasks.max(1).saturating_mul(ask.cpus_per_task.max(1)));
    let by_threads = ask.threads_per_core.map(|threads| threads.max(1));
    all.min(by_tasks.unwrap_or(all)).min(by_threads.unwrap_or(all))
}

/// The CPUs that jobs could be given on `nodes` in cores that nobody has, as far as `enough`: who needs more than all of
/// them cannot start there.
pub fn most_cpus(machines: &Machines<'_>, nodes: &Bits, enough: u64) -> u64 {
    let figures = machines.usage.figures();
    let mut most = 0;
    for node in nodes.iter_common(machines.usage.free()) {
        let of = &figures[node];
        most += u64::from((of.free_cores * of.cpus_per_core).min(of.cpus));
        if most >= enough {
            break;
        }
    }
    most
}

/// Whether free cores alone say what a node could give: neither devices, memory nor whole nodes matter to the job, and
/// the jobs that run share their nodes with everybody.
pub(super) fn by_cores_alone(machines: &Machines<'_>, ask: &Ask<'_>, row: u8) -> bool {
    row == 0
        && machines.usage.shared_by_all()
        && ask.gres.is_empty()
        && ask.max_cpus_per_node.is_none()
        && !(ask.whole || ask.user_exclusive)
        && !(ask.flags.memory || ask.flags.whole_nodes || ask.flags.sockets)
}

/// What `node` could give, or `None` when it is of no use to the job. `cores_alone` is what [`by_cores_alone`] says.
pub(super) fn room(
    machines: &Machines<'_>,
    ask: &Ask<'_>,
    node: NodeIdx,
    row: u8,
    cores_alone: bool,
) -> Option<Room> {
    let figures = &machines.usage.figures()[node];
    if figures.sockets < ask.sockets_per_node || figures.cores_per_socket < ask.cores_per_socket {
        return None;
    }
    let per_task = ask.cpus_per_task.max(1);
    let mut cpus;
    let (mut units, mut least_by_gres) = ([0; gres::PER_JOB], 0);
    if cores_alone {
        if figures.free_cores == 0 {
            return None;
        }
        let free = figures.free_cores * cpus_per_core(machines, ask, node);
        cpus = within_tasks(machines, ask, node, free.min(figures.cpus));
    } else {
        (cpus, units, least_by_gres) = limited(machines, ask, node, row)?;
    }
    cpus -= cpus % per_task;
    let mut least = ask.pn_min_cpus.max(per_task).max(least_by_gres);
    if let Some(tasks) = ask.ntasks_per_node.filter(|_| ask.want_nodes > 0) {
        // With a number of nodes the tasks per node are exact; with a number of tasks alone they are a limit.
        if ask.ntasks >= tasks.saturating_mul(ask.want_nodes) {
            least = least.max(tasks.saturating_mul(per_task));
        }
    }
    (cpus >= least && cpus > 0).then_some(Room { node, cpus, least, gres: units })
}

/// `cpus` as far as the limits of tasks per socket and node go.
fn within_tasks(machines: &Machines<'_>, ask: &Ask<'_>, node: NodeIdx, mut cpus: u32) -> u32 {
    let per_task = ask.cpus_per_task.max(1);
    if let Some(tasks) = ask.ntasks_per_socket {
        cpus =
            cpus.min(tasks.saturating_mul(machines.usage.figures()[node].sockets).saturating_mul(per_task));
    }
    // A node that was asked for whole counts with all of its CPUs, however few tasks it is to have.
    let whole = ask.whole || ask.flags.whole_nodes;
    if let Some(tasks) = ask.ntasks_per_node.filter(|_| !whole) {
        cpus = cpus.min(tasks.saturating_mul(per_task));
    }
    cpus
}

/// The CPUs that cores, memory and devices of `node` leave to the job, the units of each GRES, and the CPUs that it
/// must take for them.
fn limited(
    machines: &Machines<'_>,
    ask: &Ask<'_>,
    node: NodeIdx,
    row: u8,
) -> Option<(u32, [u64; gres::PER_JOB], u32)> {
    let (hw, usage) = (&machines.nodes[node], &machines.usage[node]);
    if !may_share(ask, usage) {
        return None;
    }
    let free = if ask.flags.sockets {
        free_cores(machines, ask, node, row).count()
    } else {
        hw.cores().saturating_sub(usage.rows.get(usize::from(row)).map_or(0, Bits::count))
    };
    if free == 0 {
        return None;
    }
    let per_core = cpus_per_core(machines, ask, node);
    let mut cpus = (free as u32 * per_core).min(hw.cpus);
    let whole = ask.whole || ask.flags.whole_nodes;

    if let Some(limit) = ask.max_cpus_per_node {
        cpus = cpus.min(limit.saturating_sub(usage.cpus(hw)));
    }
    cpus = within_tasks(machines, ask, node, cpus);
    if ask.flags.memory {
        let left = hw.memory.saturating_sub(usage.memory);
        // Memory per GPU counts with the GPUs.
        let by_gres = ask.gres.iter().any(|asked| asked.mem_per > 0);
        match ask.memory {
            _ if by_gres => {
                let least: u64 = ask.gres.iter().map(|asked| asked.mem_per * asked.per_node.max(1)).sum();
                if least > left {
                    return None;
                }
            }
            Some(Memory::PerCpu(each)) if each > 0 => {
                let by_memory = u32::try_from(left / each).unwrap_or(u32::MAX);
                if whole && by_memory < cpus && by_memory < ask.pn_min_cpus.max(1) {
                    return None;
                }
                if !whole {
                    cpus = cpus.min(by_memory);
                }
            }
            Some(Memory::PerNode(each)) if each > 0 => {
                if each > left {
                    return None;
                }
            }
            _ => {
                if usage.memory > 0 {
                    return None;
                }
            }
        }
    }
    let (units, least_by_gres, most_by_gres) = gres::node_room(machines, ask, node)?;
    Some((cpus.min(most_by_gres), units, least_by_gres))
}

/// Whether the jobs that are on a node leave it to this one.
fn may_share(ask: &Ask<'_>, usage: &crate::slurm::model::NodeUsage) -> bool {
    if usage.exclusive > 0 {
        return false;
    }
    if (ask.whole || ask.flags.whole_nodes) && usage.running > 0 && ask.rows <= 1 {
        return false;
    }
    // Suspended jobs keep their devices, and a whole node comes with all of them.
    if (ask.whole || ask.flags.whole_nodes) && usage.gres.iter().any(|gres| gres.count > 0) {
        return false;
    }
    let alone = ask.user_exclusive || usage.user_exclusive > 0;
    !(alone && usage.users.iter().any(|(uid, _)| *uid != ask.uid))
}
