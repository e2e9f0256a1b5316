//! The event queue: what is due next, in a stable order.

use std::collections::BTreeMap;

use super::SimTime;

/// Names one scheduled event, so that it can be taken back.
///
/// Ordered as events come out: by due time, then by the order of going in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    at: SimTime,
    order: u64,
}

/// Events by due time; events due at the same instant come out in the order in
/// which they were put in.
///
/// ```
/// use clusterlab::sim::{EventQueue, SimTime};
///
/// let mut queue = EventQueue::new();
/// queue.push(SimTime::from_secs(2), "late");
/// let first = queue.push(SimTime::from_secs(1), "first");
/// queue.push(SimTime::from_secs(1), "second");
/// queue.cancel(first);
/// assert_eq!(queue.pop_due(SimTime::from_secs(1)), Some((SimTime::from_secs(1), "second")));
/// assert_eq!(queue.pop_due(SimTime::from_secs(1)), None);
/// assert_eq!(queue.next_time(), Some(SimTime::from_secs(2)));
/// ```
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    events: BTreeMap<EventId, E>,
    next: u64,
}

impl<E> EventQueue<E> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { events: BTreeMap::new(), next: 0 }
    }

    /// Puts in `event`, due at `at`.
    pub fn push(&mut self, at: SimTime, event: E) -> EventId {
        let id = EventId { at, order: self.next };
        self.next += 1;
        self.events.insert(id, event);
        id
    }

    /// Takes back an event that has not come out yet. Taking back one that has,
    /// or the same one twice, does nothing.
    pub fn cancel(&mut self, id: EventId) -> Option<E> {
        self.events.remove(&id)
    }

    /// When the next event is due; `None` if the queue is empty.
    pub fn next_time(&self) -> Option<SimTime> {
        self.events.first_key_value().map(|(id, _)| id.at)
    }

    /// The next event that is due at or before `now`, with its own due time.
    pub fn pop_due(&mut self, now: SimTime) -> Option<(SimTime, E)> {
        let first = self.events.first_entry()?;
        if first.key().at > now {
            return None;
        }
        let (id, event) = first.remove_entry();
        Some((id.at, event))
    }

    /// Keeps only the events for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&E) -> bool) {
        self.events.retain(|_, event| keep(event));
    }

    /// How many events are waiting.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing is waiting.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn events_come_out_by_time_then_by_the_order_they_went_in(
            times in prop::collection::vec(0u64..20, 0..100),
            cancel in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut queue = EventQueue::new();
            let ids: Vec<_> =
                times.iter().enumerate().map(|(i, t)| queue.push(SimTime::from_secs(*t), i)).collect();
            let mut expected: Vec<(u64, usize)> =
                times.iter().copied().enumerate().map(|(i, t)| (t, i)).collect();
            if !ids.is_empty() {
                for index in cancel {
                    let i = index.index(ids.len());
                    queue.cancel(ids[i]);
                    expected.retain(|(_, e)| *e != i);
                }
            }
            expected.sort_unstable();
            prop_assert_eq!(queue.len(), expected.len());
            let mut got = Vec::new();
            while let Some((t, e)) = queue.pop_due(SimTime::MAX) {
                got.push((t.as_secs(), e));
            }
            prop_assert_eq!(got, expected);
            prop_assert!(queue.is_empty());
        }
    }

    #[test]
    fn cancelling_what_already_came_out_does_nothing() {
        let mut queue = EventQueue::new();
        let id = queue.push(SimTime::ZERO, ());
        assert!(queue.pop_due(SimTime::ZERO).is_some());
        queue.cancel(id);
        assert_eq!(queue.len(), 0);
        queue.push(SimTime::ZERO, ());
        assert_eq!(queue.len(), 1);
    }
}
