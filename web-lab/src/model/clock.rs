//! How the page tells the time, and how it draws the time line.

use clusterlab::sim::SimTime;

/// The speeds of the clock: simulated seconds per second.
pub const SPEEDS: [u32; 5] = [1, 10, 60, 600, 3600];

/// `00:01:23.4`, with days in front when there are any: time since the lab was switched on.
pub fn elapsed(t: SimTime) -> String {
    let tenths = t.as_nanos() / 100_000_000;
    let (secs, tenth) = (tenths / 10, tenths % 10);
    let (days, hours, minutes, seconds) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60);
    let clock = format!("{hours:02}:{minutes:02}:{seconds:02}.{tenth}");
    if days == 0 { clock } else { format!("{days}d {clock}") }
}

/// `1m23s`, at most two units, as `kubectl`'s AGE column has it.
pub fn span(nanos: u64) -> String {
    let secs = nanos / 1_000_000_000;
    let (d, h, m, s) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60);
    match (d, h, m) {
        (0, 0, 0) if secs == 0 && nanos > 0 => format!("{}ms", nanos / 1_000_000),
        (0, 0, 0) => format!("{s}s"),
        (0, 0, _) if s == 0 => format!("{m}m"),
        (0, 0, _) => format!("{m}m{s}s"),
        (0, _, _) if m == 0 => format!("{h}h"),
        (0, _, _) => format!("{h}h{m}m"),
        _ if h == 0 => format!("{d}d"),
        _ => format!("{d}d{h}h"),
    }
}

/// The steps of a time line's labels, in seconds.
const STEPS: [u64; 16] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400];

/// The scale of the time line: how many seconds it spans, and where it has labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The last instant on the line.
    pub end: SimTime,
    /// Where labels stand.
    pub ticks: Vec<SimTime>,
}

impl Scale {
    /// A scale on which `present` has its place, with at most `most` labels. It grows in
    /// steps, so that the marks do not creep with every second that passes.
    pub fn for_present(present: SimTime, most: usize) -> Self {
        let need = present.as_secs().max(54) + present.as_secs() / 10 + 1;
        let most = most.max(2) as u64;
        let step =
            STEPS.iter().copied().find(|s| need.div_ceil(*s) <= most).unwrap_or_else(|| need.div_ceil(most));
        let count = need.div_ceil(step);
        Self {
            end: SimTime::from_secs(count * step),
            ticks: (0..=count).map(|i| SimTime::from_secs(i * step)).collect(),
        }
    }

    /// Where `t` stands on the line, in percent.
    pub fn percent(&self, t: SimTime) -> f64 {
        (t.as_secs_f64() / self.end.as_secs_f64() * 100.0).clamp(0.0, 100.0)
    }

    /// The instant at a fraction of the line.
    pub fn at(&self, fraction: f64) -> SimTime {
        let fraction = fraction.clamp(0.0, 1.0);
        SimTime::from_nanos((self.end.as_nanos() as f64 * fraction) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_read_them() {
        assert_eq!(elapsed(SimTime::from_millis(83_450)), "00:01:23.4");
        assert_eq!(elapsed(SimTime::from_secs(90_061)), "1d 01:01:01.0");
        let check = |millis: u64, want: &str| assert_eq!(span(millis * 1_000_000), want);
        check(0, "0s");
        check(250, "250ms");
        check(59_000, "59s");
        check(60_000, "1m");
        check(83_000, "1m23s");
        check(3_600_000, "1h");
        check(90_061_000, "1d1h");
    }

    #[test]
    fn the_scale_always_holds_the_present_and_few_labels() {
        for secs in [0, 1, 53, 59, 60, 61, 599, 3600, 86_399, 10_000_000] {
            let now = SimTime::from_secs(secs);
            let scale = Scale::for_present(now, 8);
            assert!(scale.end > now && scale.ticks.len() <= 9, "{secs}: {scale:?}");
            assert_eq!(scale.ticks.last(), Some(&scale.end));
            assert!((0.0..=100.0).contains(&scale.percent(now)));
        }
        let scale = Scale::for_present(SimTime::ZERO, 8);
        assert_eq!(scale.at(0.5), SimTime::from_nanos(scale.end.as_nanos() / 2));
        assert_eq!(scale.at(-1.0), SimTime::ZERO);
    }
}
