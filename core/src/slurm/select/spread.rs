//! Other orders in which nodes are filled: least loaded first, spread out, serial jobs at the end.

use std::cmp::Reverse;

use super::eval::{Need, sorted};
use super::{Ask, Machines, Pick, Room};

/// `CR_LLN`: the node with the largest share of free CPUs first.
pub(super) fn least_loaded(machines: &Machines<'_>, ask: &Ask<'_>, rooms: &[Room]) -> Option<Vec<Pick>> {
    let mut order: Vec<&Room> = rooms.iter().collect();
    // Free CPUs per thousand, as integers: the order of equals is that of the nodes.
    order.sort_by_key(|room| {
        let all = u64::from(machines.nodes[room.node].cpus.max(1));
        let used = u64::from(machines.usage[room.node].cpus(&machines.nodes[room.node]));
        (machines.nodes[room.node].weight, Reverse((all - used.min(all)) * 1000 / all))
    });
    in_order(ask, &order)
}

/// `pack_serial_at_end`: the last node that has room.
pub(super) fn serial(ask: &Ask<'_>, rooms: &[Room]) -> Option<Vec<Pick>> {
    in_order(ask, &rooms.iter().rev().collect::<Vec<_>>())
}

fn in_order(ask: &Ask<'_>, order: &[&Room]) -> Option<Vec<Pick>> {
    let mut need = Need::new(ask);
    let mut picks = Vec::new();
    let (required, others): (Vec<&Room>, Vec<&Room>) =
        order.iter().partition(|room| ask.required.has(room.node));
    for room in required.into_iter().chain(others) {
        if (need.is_met() || need.room_for_nodes <= 0) && !ask.required.has(room.node) {
            break;
        }
        picks.push(need.take(ask, room));
    }
    need.must_is_met().then(|| sorted(picks))
}

/// `--spread-job`: as many nodes as there are tasks and the limit allows, tasks dealt out evenly.
pub(super) fn spread(ask: &Ask<'_>, rooms: &[Room]) -> Option<Vec<Pick>> {
    let mut need = Need::new(ask);
    let most = u64::from(ask.max_nodes).min(u64::from(ask.ntasks.max(ask.min_nodes))) as usize;
    let mut chosen: Vec<&Room> = rooms.iter().filter(|room| ask.required.has(room.node)).collect();
    chosen.extend(
        rooms.iter().filter(|room| !ask.required.has(room.node)).take(most.saturating_sub(chosen.len())),
    );
    let total: i64 = chosen.iter().map(|room| i64::from(room.cpus)).sum();
    let mut units = [0; super::gres::PER_JOB];
    chosen.iter().for_each(|room| units.iter_mut().zip(&room.gres).for_each(|(sum, have)| *sum += have));
    if !need.met_by(chosen.len(), total, &units) {
        return None;
    }
    chosen.sort_unstable_by_key(|room| room.node);
    let per_task = ask.cpus_per_task.max(1);
    let mut picks: Vec<Pick> =
        chosen.iter().map(|room| Pick { node: room.node, cpus: 0, gres: room.gres }).collect();
    while need.cpus > 0 || picks.iter().any(|pick| pick.cpus == 0) {
        let mut dealt = false;
        for (pick, room) in picks.iter_mut().zip(&chosen) {
            if (need.cpus > 0 || pick.cpus == 0) && pick.cpus + per_task <= room.cpus {
                pick.cpus += per_task;
                need.cpus -= i64::from(per_task);
                dealt = true;
            }
        }
        if !dealt {
            break;
        }
    }
    (need.cpus <= 0).then_some(picks)
}
