//! Exponential back-off as `client-go/util/flowcontrol/backoff.go` keeps it for
//! restarts and image pulls: 10 s, doubled up to 5 minutes, forgotten after
//! twice that without a new failure.

use std::time::Duration;

use crate::sim::SimTime;

/// The first delay.
const INITIAL: Duration = Duration::from_secs(10);
/// No delay is longer (`MaxContainerBackOff`).
const MAX: Duration = Duration::from_secs(300);

/// The back-off of one key (a container's restarts, or its image).
#[derive(Clone, Debug, Default)]
pub(super) struct BackOff {
    entry: Option<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    delay: Duration,
    updated: SimTime,
}

impl BackOff {
    /// The delay in force, zero before the first [`BackOff::next`].
    pub(super) fn delay(&self) -> Duration {
        self.entry.as_ref().map_or(Duration::ZERO, |entry| entry.delay)
    }

    /// Whether a failure at `failed` still holds back a new try at `now`.
    pub(super) fn holds(&self, failed: SimTime, now: SimTime) -> bool {
        self.entry.as_ref().is_some_and(|entry| !entry.forgotten(failed) && now < failed + entry.delay)
    }

    /// Notes one more failure at `now`: the delay doubles, or starts anew.
    pub(super) fn next(&mut self, now: SimTime) {
        let delay = match &self.entry {
            Some(entry) if !entry.forgotten(now) => (entry.delay * 2).min(MAX),
            _ => INITIAL,
        };
        self.entry = Some(Entry { delay, updated: now });
    }
}

impl Entry {
    fn forgotten(&self, now: SimTime) -> bool {
        now - self.updated > MAX * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_five_minutes_and_are_forgotten_after_ten() {
        let mut backoff = BackOff::default();
        let mut now = SimTime::ZERO;
        assert!(!backoff.holds(now, now));
        let mut delays = Vec::new();
        for _ in 0..7 {
            backoff.next(now);
            delays.push(backoff.delay().as_secs());
            assert!(backoff.holds(now, now));
            now += backoff.delay();
            assert!(!backoff.holds(SimTime::ZERO, now));
        }
        assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300]);
        now += Duration::from_secs(601);
        backoff.next(now);
        assert_eq!(backoff.delay().as_secs(), 10);
    }
}
