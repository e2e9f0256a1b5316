//! The default choice of nodes: runs of consecutive nodes, best fit first.
//!
//! Nodes are split into runs of consecutive indices of equal weight. The best run is taken: lowest weight, then one
//! that suffices, then among those that suffice the one with the fewest CPUs, else the biggest. In it a single node
//! that is still needed is the one with the smallest sufficient number of CPUs; several are taken in order, each with
//! so few CPUs that every further node still gets one. Runs are taken until the job has what it needs.

use std::ops::Range;

use super::{Ask, Machines, Pick, Room, gres};

/// What is still needed.
#[derive(Clone, Debug)]
pub(super) struct Need {
    pub(super) cpus: i64,
    /// CPUs that may still be given: the rest of what tasks need.
    pub(super) spare: i64,
    pub(super) nodes: i64,
    pub(super) least_nodes: i64,
    pub(super) room_for_nodes: i64,
    pub(super) gres: [i64; gres::PER_JOB],
}

impl Need {
    pub(super) fn new(ask: &Ask<'_>) -> Self {
        let mut wanted = [0; gres::PER_JOB];
        for (slot, asked) in wanted.iter_mut().zip(ask.gres) {
            *slot = asked.per_job as i64;
        }
        Self {
            cpus: i64::from(ask.min_cpus),
            spare: i64::from(ask.min_cpus.max(ask.min_nodes)),
            nodes: i64::from(ask.want_nodes.max(ask.min_nodes)),
            least_nodes: i64::from(ask.min_nodes),
            room_for_nodes: i64::from(ask.max_nodes),
            gres: wanted,
        }
    }

    /// Whether nothing more is needed, wishes included.
    pub(super) fn is_met(&self) -> bool {
        self.nodes <= 0 && self.must_is_met()
    }

    /// Whether the least that was asked for is there.
    pub(super) fn must_is_met(&self) -> bool {
        self.least_nodes <= 0 && self.cpus <= 0 && self.gres.iter().all(|units| *units <= 0)
    }

    /// Whether nodes with `cpus` CPUs and `units` in all would do.
    pub(super) fn met_by(&self, nodes: usize, cpus: i64, units: &[u64; gres::PER_JOB]) -> bool {
        nodes as i64 >= self.least_nodes
            && cpus >= self.cpus
            && self.gres.iter().zip(units).all(|(need, have)| *have as i64 >= *need)
    }

    /// CPUs that the job takes of a node, so that every further node that it must have still gets its least.
    pub(super) fn cpus_of(&self, ask: &Ask<'_>, room: &Room) -> u32 {
        if ask.whole || ask.flags.whole_nodes {
            return room.cpus;
        }
        let per_task = i64::from(ask.cpus_per_task.max(1));
        let kept = (self.least_nodes - 1).max(0) * i64::from(room.least.max(1));
        let mut cpus = i64::from(room.cpus).min((self.spare - kept).max(0));
        cpus -= cpus % per_task;
        cpus.max(i64::from(room.least)).max(per_task).min(i64::from(room.cpus)) as u32
    }

    /// Takes a node.
    pub(super) fn take(&mut self, ask: &Ask<'_>, room: &Room) -> Pick {
        let cpus = self.cpus_of(ask, room);
        self.cpus -= i64::from(cpus);
        self.spare -= i64::from(cpus);
        self.nodes -= 1;
        self.least_nodes -= 1;
        self.room_for_nodes -= 1;
        for (need, have) in self.gres.iter_mut().zip(&room.gres) {
            *need -= *have as i64;
        }
        Pick { node: room.node, cpus, gres: room.gres }
    }
}

/// A run of consecutive nodes: positions in the list of rooms.
#[derive(Clone, Debug)]
struct Run {
    rooms: Range<usize>,
    weight: u32,
    cpus: i64,
    units: [u64; gres::PER_JOB],
}

pub(super) fn consecutive(machines: &Machines<'_>, ask: &Ask<'_>, rooms: &[Room]) -> Option<Vec<Pick>> {
    let mut need = Need::new(ask);
    let mut picks = Vec::new();
    let mut taken = vec![false; rooms.len()];
    for (at, room) in rooms.iter().enumerate().filter(|(_, room)| ask.required.has(room.node)) {
        if need.room_for_nodes <= 0 {
            return None;
        }
        picks.push(need.take(ask, room));
        taken[at] = true;
    }
    if need.is_met() {
        return Some(sorted(picks));
    }
    let mut runs = runs(machines, ask, rooms, &taken);
    if ask.contiguous {
        return contiguous(ask, rooms, &runs, &need, &picks);
    }
    while need.room_for_nodes > 0 && !runs.is_empty() {
        let best = best_run(&runs, &need)?;
        // The order of the others stays that of the nodes: ties go to the first.
        let run = runs.remove(best);
        let single = (need.nodes <= 1).then(|| smallest_sufficient(rooms, &run, &need)).flatten();
        for at in single.map_or(run.rooms, |at| at..at + 1) {
            if need.is_met() || need.room_for_nodes <= 0 {
                break;
            }
            picks.push(need.take(ask, &rooms[at]));
        }
        if need.is_met() {
            return Some(sorted(picks));
        }
    }
    need.must_is_met().then(|| sorted(picks))
}

pub(super) fn sorted(mut picks: Vec<Pick>) -> Vec<Pick> {
    picks.sort_unstable_by_key(|pick| pick.node);
    picks
}

fn runs(machines: &Machines<'_>, ask: &Ask<'_>, rooms: &[Room], taken: &[bool]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut last: Option<usize> = None;
    for (at, room) in rooms.iter().enumerate().filter(|(at, _)| !taken[*at]) {
        let weight = machines.usage.figures()[room.node].weight;
        let joins = last.is_some_and(|node| node + 1 == room.node)
            && runs.last().is_some_and(|run| run.weight == weight);
        if !joins {
            runs.push(Run { rooms: at..at, weight, cpus: 0, units: [0; gres::PER_JOB] });
        }
        if let Some(run) = runs.last_mut() {
            run.rooms.end = at + 1;
            run.cpus += i64::from(room.cpus);
            if !ask.gres.is_empty() {
                run.units.iter_mut().zip(&room.gres).for_each(|(sum, units)| *sum += units);
            }
        }
        last = Some(room.node);
    }
    runs
}

fn best_run(runs: &[Run], need: &Need) -> Option<usize> {
    let mut best: Option<(usize, bool)> = None;
    for (at, run) in runs.iter().enumerate() {
        let suffices = need.met_by(run.rooms.len(), run.cpus, &run.units);
        let better = best.is_none_or(|(now, now_suffices)| {
            run.weight < runs[now].weight
                || (run.weight == runs[now].weight
                    && match (suffices, now_suffices) {
                        (true, false) => true,
                        (true, true) => run.cpus < runs[now].cpus,
                        (false, false) => run.cpus > runs[now].cpus,
                        (false, true) => false,
                    })
        });
        if better {
            best = Some((at, suffices));
        }
    }
    best.map(|(at, _)| at)
}

fn smallest_sufficient(rooms: &[Room], run: &Run, need: &Need) -> Option<usize> {
    run.rooms
        .clone()
        .filter(|at| need.met_by(1, i64::from(rooms[*at].cpus), &rooms[*at].gres))
        .min_by_key(|at| rooms[*at].cpus)
}

/// `--contiguous`: all nodes from one run, weights apart; around the required ones if there are any.
fn contiguous(ask: &Ask<'_>, rooms: &[Room], runs: &[Run], need: &Need, picks: &[Pick]) -> Option<Vec<Pick>> {
    let mut best: Option<(i64, Vec<Pick>)> = None;
    let nodes: Vec<usize> =
        if ask.required.is_empty() { Vec::new() } else { picks.iter().map(|pick| pick.node).collect() };
    for run in runs {
        for start in run.rooms.clone() {
            let mut left = need.clone();
            let mut chosen = picks.to_vec();
            for room in &rooms[start..run.rooms.end] {
                if left.is_met() || left.room_for_nodes <= 0 {
                    break;
                }
                chosen.push(left.take(ask, room));
            }
            let chosen = sorted(chosen);
            let unbroken = chosen.windows(2).all(|pair| pair[0].node + 1 == pair[1].node);
            if !left.must_is_met()
                || !unbroken
                || !nodes.iter().all(|node| chosen.iter().any(|pick| pick.node == *node))
            {
                continue;
            }
            if best.as_ref().is_none_or(|(cpus, _)| run.cpus < *cpus) {
                best = Some((run.cpus, chosen));
            }
            break;
        }
    }
    best.map(|(_, picks)| picks)
}
