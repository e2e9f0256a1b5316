//! Cores and devices on the nodes that were chosen.

use smallvec::SmallVec;

use super::fit::{cpus_per_core, free_cores};
use super::{Ask, Machines, Outline, Pick, gres};
use crate::slurm::model::{Bits, GresGrant, Memory, NodeIdx, NodeShare};

/// What the job gets on each of the nodes; `None` when devices do not work out.
pub(super) fn assign(
    machines: &Machines<'_>,
    ask: &Ask<'_>,
    picks: &[Pick],
    row: u8,
) -> Option<Vec<NodeShare>> {
    let picks = &deal_tasks(ask, picks);
    let grants = deal_gres(machines, ask, picks)?;
    let mut shares = Vec::with_capacity(picks.len());
    for (pick, gres) in picks.iter().zip(grants) {
        let node = &machines.nodes[pick.node];
        let whole = ask.whole || ask.flags.whole_nodes;
        let free = free_cores(machines, ask, pick.node, row);
        let per_core = cpus_per_core(machines, ask, pick.node);
        let wanted = if whole { node.cpus } else { pick.cpus.max(cpus_for_gres(ask, &gres)) };
        let cores = if whole {
            free
        } else {
            take_cores(machines, ask, pick.node, &free, wanted.div_ceil(per_core.max(1)) as usize)?
        };
        let cpus =
            if whole { node.cpus } else { cpus_of(machines, ask, pick.node, wanted, cores.count() as u32) };
        let memory = memory_of(machines, ask, pick.node, cpus, &gres);
        shares.push(NodeShare {
            node: pick.node,
            cores,
            row,
            cpus,
            memory,
            gres,
            whole,
            user_exclusive: ask.user_exclusive,
        });
    }
    Some(shares)
}

/// CPUs that a job is given with so many cores of a node.
fn cpus_of(machines: &Machines<'_>, ask: &Ask<'_>, node: NodeIdx, wanted: u32, cores: u32) -> u32 {
    // Cores are given whole, so that all threads of them count; except where CPUs are the resource.
    let figures = &machines.usage.figures()[node];
    if ask.flags.cpus { wanted } else { (cores * figures.cpus_per_core).min(figures.cpus) }
}

/// The nodes and CPUs that [`assign`] would give, for a job that asks for cores alone.
pub(super) fn outline(machines: &Machines<'_>, ask: &Ask<'_>, picks: &[Pick]) -> Outline {
    let given = |pick: &Pick| {
        let per_core = cpus_per_core(machines, ask, pick.node).max(1);
        cpus_of(machines, ask, pick.node, pick.cpus, pick.cpus.div_ceil(per_core))
    };
    let picks = deal_tasks(ask, picks);
    Outline { nodes: picks.iter().map(|pick| pick.node).collect(), cpus: picks.iter().map(given).sum() }
}

/// CPUs of each node by its tasks, where nodes were taken beyond what the tasks need (`-N2-4`): one task on every
/// node, then one more on each that has room, round after round; with `CR_Pack_Nodes` as many as a node holds.
fn deal_tasks(ask: &Ask<'_>, picks: &[Pick]) -> Vec<Pick> {
    let per_task = ask.cpus_per_task.max(1);
    let least = ask.pn_min_cpus.max(per_task);
    let needed = ask.min_cpus.max(per_task.saturating_mul(picks.len() as u32));
    let taken: u32 = picks.iter().map(|pick| pick.cpus).sum();
    if ask.whole || ask.flags.whole_nodes || taken <= needed {
        return picks.to_vec();
    }
    let mut dealt: Vec<Pick> =
        picks.iter().map(|pick| Pick { cpus: pick.cpus.min(least), ..*pick }).collect();
    let mut left = needed.saturating_sub(dealt.iter().map(|pick| pick.cpus).sum());
    while left > 0 {
        let before = left;
        for (pick, room) in dealt.iter_mut().zip(picks) {
            let share = if ask.flags.pack_nodes { left } else { per_task };
            let more = share.min(left).min(room.cpus - pick.cpus);
            pick.cpus += more;
            left -= more;
        }
        if left == before {
            break;
        }
    }
    dealt
}

fn memory_of(machines: &Machines<'_>, ask: &Ask<'_>, node: NodeIdx, cpus: u32, gres: &[GresGrant]) -> u64 {
    let by_gres: u64 = ask
        .gres
        .iter()
        .filter(|asked| asked.mem_per > 0)
        .map(|asked| {
            asked.mem_per
                * gres.iter().filter(|grant| grant.kind == asked.kind).map(|grant| grant.count).sum::<u64>()
        })
        .sum();
    if by_gres > 0 {
        return by_gres;
    }
    match ask.memory {
        Some(Memory::PerCpu(each)) if each > 0 => each * u64::from(cpus),
        Some(Memory::PerNode(each)) if each > 0 => each,
        _ => machines.nodes[node].memory,
    }
}

fn cpus_for_gres(ask: &Ask<'_>, gres: &[GresGrant]) -> u32 {
    ask.gres
        .iter()
        .filter(|asked| asked.cpus_per > 0)
        .map(|asked| {
            let units: u64 =
                gres.iter().filter(|grant| grant.kind == asked.kind).map(|grant| grant.count).sum();
            asked.cpus_per.saturating_mul(u32::try_from(units).unwrap_or(u32::MAX))
        })
        .max()
        .unwrap_or(0)
}

/// Units of every request on every node: per node and per task as asked; per job in the order of the nodes, as many
/// as a node has so long as every further node still gets one.
fn deal_gres(
    machines: &Machines<'_>,
    ask: &Ask<'_>,
    picks: &[Pick],
) -> Option<Vec<SmallVec<[GresGrant; 1]>>> {
    let mut grants: Vec<SmallVec<[GresGrant; 1]>> = vec![SmallVec::new(); picks.len()];
    let per_task = ask.cpus_per_task.max(1);
    let whole = ask.whole || ask.flags.whole_nodes;
    for asked in ask.gres {
        let mut left = asked.per_job;
        for (at, pick) in picks.iter().enumerate() {
            let after = (picks.len() - at - 1) as u64;
            let free = gres::free_units(machines, pick.node, asked);
            let count = if asked.per_node > 0 {
                asked.per_node
            } else if asked.per_task > 0 {
                let tasks = if whole { tasks_on(ask, picks, at) } else { pick.cpus / per_task };
                asked.per_task * u64::from(tasks)
            } else if asked.per_socket > 0 {
                asked.per_socket * u64::from(ask.sockets_per_node.max(1))
            } else {
                left.saturating_sub(after).min(free)
            };
            left = left.saturating_sub(count);
            let taken: Bits = grants[at].iter().filter(|grant| grant.kind == asked.kind).fold(
                Bits::new(),
                |mut all, grant| {
                    all.union(&grant.devices);
                    all
                },
            );
            grants[at].extend(gres::grant(machines, pick.node, asked, count, &taken)?);
        }
        if asked.per_job > 0 && left > 0 {
            return None;
        }
    }
    if whole {
        whole_nodes_have_all(machines, picks, &mut grants);
    }
    Some(grants)
}

fn tasks_on(ask: &Ask<'_>, picks: &[Pick], at: usize) -> u32 {
    let nodes = picks.len() as u32;
    ask.ntasks / nodes + u32::from((at as u32) < ask.ntasks % nodes)
}

/// A whole node comes with all of its GPUs, asked for or not.
fn whole_nodes_have_all(machines: &Machines<'_>, picks: &[Pick], grants: &mut [SmallVec<[GresGrant; 1]>]) {
    for (pick, grants) in picks.iter().zip(grants) {
        grants.clear();
        for gres in machines.nodes[pick.node].gres.iter().filter(|gres| gres.shares.is_empty()) {
            if gres.types.is_empty() {
                grants.push(GresGrant {
                    kind: gres.kind,
                    typ: None,
                    devices: Bits::first(gres.devices),
                    count: gres.total,
                });
            }
            for (typ, devices, count) in &gres.types {
                grants.push(GresGrant {
                    kind: gres.kind,
                    typ: Some(*typ),
                    devices: devices.clone(),
                    count: *count,
                });
            }
        }
    }
}

/// `count` of the free cores: dealt out over the sockets in turn, or socket by socket; lowest numbers first.
fn take_cores(
    machines: &Machines<'_>,
    ask: &Ask<'_>,
    node: NodeIdx,
    free: &Bits,
    count: usize,
) -> Option<Bits> {
    let hw = &machines.nodes[node];
    // All that are free, whatever their order.
    if free.count() == count {
        return Some(free.clone());
    }
    if !ask.flags.sockets && (ask.flags.dist_block || hw.sockets <= 1) {
        let cores: Bits = free.iter().take(count).collect();
        return (cores.count() == count).then_some(cores);
    }
    let per_socket = hw.cores_per_socket.max(1) as usize;
    let mut sockets: Vec<Vec<usize>> = vec![Vec::new(); hw.sockets.max(1) as usize];
    for core in free.iter() {
        sockets[(core / per_socket).min(hw.sockets.max(1) as usize - 1)].push(core);
    }
    if ask.flags.sockets {
        let mut cores = Bits::new();
        for socket in sockets {
            if cores.count() >= count {
                break;
            }
            socket.into_iter().for_each(|core| cores.set(core));
        }
        return (cores.count() >= count).then_some(cores);
    }
    let mut cores = Bits::new();
    let mut left = count;
    let mut round = 0;
    while left > 0 {
        let mut dealt = false;
        for socket in &sockets {
            if left > 0
                && let Some(core) = socket.get(round)
            {
                cores.set(*core);
                left -= 1;
                dealt = true;
            }
        }
        if !dealt {
            return None;
        }
        round += 1;
    }
    Some(cores)
}
