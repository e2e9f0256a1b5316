//! Who of all that wait is admitted, and who has to go for it (Kueue's `scheduler` and `preemption`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::assign::{Assignment, assign};
use super::quota::{Flavor, Key, Preemption, Queue, Request, Reservation, Usage, add, sub};
use crate::order::InOrder;

/// All that a decision depends on.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// ClusterQueues that admit at present, by name.
    pub queues: BTreeMap<String, Queue>,
    /// Flavors by name.
    pub flavors: BTreeMap<String, Flavor>,
    /// Who has quota.
    pub reserved: Vec<Reservation>,
    /// Who waits.
    pub pending: Vec<Request>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It gets quota.
    Admit {
        /// Who.
        workload: Key,
        /// By pod set and resource, the flavor.
        flavors: Vec<BTreeMap<String, String>>,
    },
    /// It has to go.
    Evict {
        /// Who.
        workload: Key,
        /// For whom.
        preemptor: Key,
    },
    /// It goes on waiting.
    Wait {
        /// Who.
        workload: Key,
        /// Why.
        message: String,
    },
}

/// Decides for every queue. Whoever is admitted counts for those after it; a decision changes nothing itself.
pub fn decide(state: &State) -> Vec<Decision> {
    let mut decisions = Vec::new();
    for (name, queue) in &state.queues {
        let mut pending: Vec<&Request> = state.pending.iter().filter(|r| r.queue == *name).collect();
        pending.order_by_key(|request| order(request));
        let mut reserved: Vec<Reservation> =
            state.reserved.iter().filter(|r| r.request.queue == *name).cloned().collect();
        let mut usage = total(&reserved);
        // The head of a queue that blocks: nobody behind it is looked at.
        let mut blocked = false;
        for request in pending {
            if blocked {
                break;
            }
            match assign(queue, &state.flavors, &usage, request) {
                Assignment::Fits(flavors) => {
                    let granted = Reservation { request: request.clone(), flavors, ..Reservation::default() };
                    add(&mut usage, &granted.usage());
                    decisions.push(Decision::Admit {
                        workload: request.key.clone(),
                        flavors: granted.flavors.clone(),
                    });
                    reserved.push(granted);
                }
                Assignment::NeedsPreemption { flavors, short, message } => {
                    let wanted = Reservation { request: request.clone(), flavors, ..Reservation::default() };
                    let targets = targets(queue, &reserved, &usage, &wanted, &short);
                    blocked = queue.strict || !targets.is_empty();
                    let message = if targets.is_empty() {
                        message
                    } else {
                        format!("{message}. Pending the preemption of {} workload(s)", targets.len())
                    };
                    for index in targets {
                        if !std::mem::replace(&mut reserved[index].evicted, true) {
                            let workload = reserved[index].request.key.clone();
                            decisions.push(Decision::Evict { workload, preemptor: request.key.clone() });
                        }
                    }
                    decisions.push(Decision::Wait { workload: request.key.clone(), message });
                }
                Assignment::Refused { message } => {
                    blocked = queue.strict;
                    decisions.push(Decision::Wait { workload: request.key.clone(), message });
                }
            }
        }
    }
    decisions
}

/// Priority first, then age.
fn order(request: &Request) -> (Reverse<i32>, (i64, u64), &Key) {
    (Reverse(request.priority), request.since, &request.key)
}

/// What all of them take together.
pub fn total(reserved: &[Reservation]) -> Usage {
    let mut usage = Usage::new();
    for reservation in reserved {
        add(&mut usage, &reservation.usage());
    }
    usage
}

/// A smallest set of others that have to go so that the workload fits, as indices; empty if that does not help.
///
/// Candidates go in turn until it fits: those that are going anyway, then lower priorities, then
/// newer ones. Then each is spared again, in reverse order, if it still fits.
fn targets(
    queue: &Queue,
    reserved: &[Reservation],
    usage: &Usage,
    wanted: &Reservation,
    short: &BTreeSet<(String, String)>,
) -> Vec<usize> {
    let may_evict = |other: &Reservation| {
        let (own, others) = (&wanted.request, &other.request);
        match queue.preemption {
            Preemption::Never => false,
            Preemption::LowerPriority => others.priority < own.priority,
            Preemption::LowerOrNewerEqualPriority => {
                others.priority < own.priority
                    || (others.priority == own.priority && own.since < others.since)
            }
        }
    };
    let mut candidates: Vec<usize> = (0..reserved.len())
        .filter(|index| reserved[*index].evicted || may_evict(&reserved[*index]))
        .filter(|index| reserved[*index].usage().keys().any(|key| short.contains(key)))
        .collect();
    candidates.order_by_key(|index| {
        let other = &reserved[*index];
        (!other.evicted, other.request.priority, Reverse(other.at), other.request.uid.clone())
    });
    let need = wanted.usage();
    let fits = |usage: &Usage| {
        need.iter().all(|(key, amount)| {
            let used = usage.get(key).copied().unwrap_or(0);
            used.saturating_add(*amount) <= queue.nominal(&key.0, &key.1)
        })
    };
    let mut left = usage.clone();
    let mut going = Vec::new();
    for index in candidates {
        if fits(&left) {
            break;
        }
        sub(&mut left, &reserved[index].usage());
        going.push(index);
    }
    if !fits(&left) {
        return Vec::new();
    }
    for position in (0..going.len().saturating_sub(1)).rev() {
        let own = reserved[going[position]].usage();
        add(&mut left, &own);
        if fits(&left) {
            going.remove(position);
        } else {
            sub(&mut left, &own);
        }
    }
    going
}
