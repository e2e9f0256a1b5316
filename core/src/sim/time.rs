//! Instants of virtual time, and how they map to the calendar.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An instant of virtual time: nanoseconds since the lab was switched on.
///
/// Integer, so that two paths that add up the same spans meet at the same
/// instant on every platform. A `u64` of nanoseconds lasts 584 years;
/// arithmetic saturates at both ends instead of wrapping.
///
/// ```
/// use clusterlab::sim::SimTime;
/// use std::time::Duration;
///
/// let t = SimTime::ZERO + Duration::from_millis(1500);
/// assert_eq!(t.to_string(), "1.5s");
/// assert_eq!(t - SimTime::from_secs(1), Duration::from_millis(500));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SimTime(u64);

impl SimTime {
    /// The instant at which the lab is switched on.
    pub const ZERO: Self = Self(0);
    /// The last instant that can be told; no event is ever due then.
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after [`SimTime::ZERO`].
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `millis` milliseconds after [`SimTime::ZERO`].
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// The instant `secs` seconds after [`SimTime::ZERO`].
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since [`SimTime::ZERO`].
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since [`SimTime::ZERO`], rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// Seconds since [`SimTime::ZERO`], for display and plots only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for SimTime {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl AddAssign<Duration> for SimTime {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub for SimTime {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, nanos) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if nanos == 0 {
            write!(f, "{secs}s")
        } else {
            let fraction = format!("{nanos:09}");
            write!(f, "{secs}.{}s", fraction.trim_end_matches('0'))
        }
    }
}

/// The calendar time of [`SimTime::ZERO`]. The lab's clocks all show UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(Timestamp);

impl Epoch {
    /// An epoch at `timestamp`.
    pub const fn new(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }

    /// What a clock on the wall shows at `now`, in full resolution.
    ///
    /// An instant beyond the calendar's end (year 9999) shows the end.
    pub fn timestamp(self, now: SimTime) -> Timestamp {
        i64::try_from(now.as_nanos())
            .ok()
            .and_then(|n| self.0.checked_add(jiff::SignedDuration::from_nanos(n)).ok())
            .unwrap_or(Timestamp::MAX)
    }

    /// What a clock shows at `now`, cut to whole seconds as Kubernetes'
    /// `metav1.Time` is.
    pub fn timestamp_secs(self, now: SimTime) -> Timestamp {
        Timestamp::from_second(self.timestamp(now).as_second()).unwrap_or(Timestamp::MAX)
    }

    /// The instant at which a clock shows `timestamp`; [`SimTime::ZERO`] for
    /// any time before the epoch.
    pub fn instant(self, timestamp: Timestamp) -> SimTime {
        let span = timestamp.duration_since(self.0);
        SimTime::from_nanos(u64::try_from(span.as_nanos()).unwrap_or(0))
    }
}

impl Default for Epoch {
    /// 1 January 2026, midnight UTC.
    fn default() -> Self {
        Self(Timestamp::constant(1_767_225_600, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(SimTime::MAX + Duration::from_secs(1), SimTime::MAX);
        assert_eq!(SimTime::ZERO - SimTime::from_secs(1), Duration::ZERO);
        assert_eq!(SimTime::ZERO + Duration::MAX, SimTime::MAX);
    }

    #[test]
    fn the_epoch_maps_there_and_back() {
        let epoch = Epoch::default();
        let t = SimTime::from_millis(90_061_500);
        assert_eq!(epoch.timestamp(t).to_string(), "2026-01-02T01:01:01.5Z");
        assert_eq!(epoch.timestamp_secs(t).to_string(), "2026-01-02T01:01:01Z");
        assert_eq!(epoch.instant(epoch.timestamp(t)), t);
        assert_eq!(epoch.timestamp(SimTime::MAX), Timestamp::MAX);
    }
}
