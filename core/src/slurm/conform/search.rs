//! What was not recorded: which instants a replay has to take for it.

use std::collections::BTreeMap;

use super::compare::display_id;
use super::{Difference, Recording, compare, replay};
use crate::sim::Seed;

/// Thousandths of a second that the controller ran before the first action of a recording. Its timers count from
/// there; the recorder waited until the controller answered, so that it was 1 to 4 s.
const BOOTS: [u64; 13] = [2000, 1500, 2500, 1000, 3000, 500, 3500, 1750, 2250, 1250, 2750, 750, 3250];
/// Seconds before the first action at which the main scheduler passed over the queue last: until `batch_sched_delay` is
/// over it does not again. What made it (nodes that registered, accounting that was set up) is not recorded.
const PASSES: [i64; 4] = [3, 2, 1, 0];
/// Thousandths of a second into a second at which the background thread ticks.
const TICKS: [u64; 4] = [0, 250, 500, 750];
/// Orders of what ended within one second that are tried.
const ORDERS: u64 = 128;
/// How often one end is moved within its second, from the replay that came nearest with each tick.
const MOVES: usize = 100;

/// What was not recorded, as a replay takes it to have been.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Thousandths of a second that the controller ran before the first action.
    pub boot: u64,
    /// Seconds before the first action at which the main scheduler passed over the queue last.
    pub pass: i64,
    /// Thousandths of a second into each second at which its background thread ticks.
    pub tick: u64,
    /// Seconds by which its first pass over the whole queue is late.
    pub full_late: i64,
    /// Which order of what ended within one second; 0: as it comes.
    pub order: u64,
    /// Ends that are not where that order has them: display id, `/`, restarts → thousandths of their second.
    pub ends: BTreeMap<String, u64>,
}

impl Phase {
    fn new(boot: u64, pass: i64, tick: u64, full_late: i64, order: u64) -> Self {
        Self { boot, pass, tick, full_late, order, ends: BTreeMap::new() }
    }
}

/// What differs between a recording and its replay.
///
/// The phase of slurmctld's timers was not recorded, nor the order of ends within one second: the replay that comes nearest
/// counts.
///
/// # Errors
///
/// What of the recording's configuration is not understood.
pub fn differences(recording: &Recording) -> Result<Vec<Difference>, String> {
    let mut nearest: BTreeMap<u64, (Vec<Difference>, Phase)> = BTreeMap::new();
    let mut agrees = |phase: Phase| -> Result<bool, String> {
        let found = compare(recording, &replay(recording, &phase)?);
        let done = found.is_empty();
        if nearest.get(&phase.tick).is_none_or(|(least, _)| found.len() < least.len()) {
            nearest.insert(phase.tick, (found, phase));
        }
        Ok(done)
    };
    for full_late in [0, 1] {
        for pass in PASSES {
            for boot in BOOTS {
                if agrees(Phase::new(boot, pass, 0, full_late, 0))? {
                    return Ok(Vec::new());
                }
            }
        }
    }
    for order in 1..=ORDERS {
        let turn = order as usize;
        let (boot, pass) = (BOOTS[turn % BOOTS.len()], PASSES[turn % PASSES.len()]);
        for tick in TICKS {
            if agrees(Phase::new(boot, pass, tick, (order / 4 % 2) as i64, order))? {
                return Ok(Vec::new());
            }
        }
    }
    let mut nearest: Vec<(Vec<Difference>, Phase)> = nearest.into_values().collect();
    nearest.sort_by_key(|(least, _)| least.len());
    for (least, phase) in &mut nearest {
        // Ends that come as they do have no place of their own to be moved from.
        phase.order = phase.order.max(1);
        *least = moved(recording, std::mem::take(least), phase)?;
        if least.is_empty() {
            break;
        }
    }
    Ok(nearest.into_iter().map(|(least, _)| least).min_by_key(Vec::len).unwrap_or_default())
}

/// Moves one end after the other within its second, as long as the replay comes no further from the recording.
fn moved(recording: &Recording, mut least: Vec<Difference>, from: &Phase) -> Result<Vec<Difference>, String> {
    let runs: Vec<String> = recording
        .jobs
        .iter()
        .flat_map(|(name, runs)| {
            let id = display_id(recording, name);
            (0..runs.len()).map(move |restarts| format!("{id}/{restarts}"))
        })
        .collect();
    let mut phase = from.clone();
    let mut rng = Seed::new(1).rng("moves");
    for _ in 0..MOVES {
        if least.is_empty() || runs.is_empty() {
            break;
        }
        let mut moved = phase.clone();
        let run = &runs[rng.below(runs.len() as u64) as usize];
        moved.ends.insert(run.clone(), 20 + rng.below(960));
        let found = compare(recording, &replay(recording, &moved)?);
        // As near as before is a step too: from there another may lead on.
        if found.len() <= least.len() {
            (least, phase) = (found, moved);
        }
    }
    Ok(least)
}
