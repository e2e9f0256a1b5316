//! How long ago, as kubectl writes it (`k8s.io/apimachinery/pkg/util/duration`).

use std::fmt::Write as _;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};

/// A span for people, in nanoseconds: at most two units, the larger ones without fractions.
///
/// ```
/// use clusterlab::kube::kubectl::print::human_duration;
///
/// assert_eq!(human_duration(119_000_000_000), "119s");
/// assert_eq!(human_duration(200_000_000_000), "3m20s");
/// assert_eq!(human_duration(86_400_000_000_000), "24h");
/// ```
pub fn human_duration(nanos: i128) -> String {
    let seconds = nanos / 1_000_000_000;
    // Clocks of two machines may differ by a second or two: that is still "now".
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    if nanos < 0 {
        return "0s".to_owned();
    }
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let pair = |major: i128, unit: char, minor: i128, sub: char| {
        let mut text = format!("{major}{unit}");
        if minor != 0 {
            // Writing to a String cannot fail.
            let _ = write!(text, "{minor}{sub}");
        }
        text
    };
    if seconds < 120 {
        format!("{seconds}s")
    } else if minutes < 10 {
        pair(minutes, 'm', seconds % 60, 's')
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        pair(hours, 'h', minutes % 60, 'm')
    } else if hours < 48 {
        format!("{hours}h")
    } else if hours < 24 * 8 {
        pair(hours / 24, 'd', hours % 24, 'h')
    } else if hours < 24 * 365 * 2 {
        format!("{}d", hours / 24)
    } else if hours < 24 * 365 * 8 {
        pair(hours / 24 / 365, 'y', hours / 24 % 365, 'd')
    } else {
        format!("{}y", hours / 24 / 365)
    }
}

/// The present, as printers see it: nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now(pub i128);

impl Now {
    /// The present instant of a simulation.
    pub fn new(epoch: crate::sim::Epoch, now: crate::sim::SimTime) -> Self {
        Self(epoch.timestamp(now).as_nanosecond())
    }

    /// The AGE of something that happened at `time`; `<unknown>` without a time.
    pub fn since(self, time: Option<&Time>) -> String {
        time.map_or_else(|| "<unknown>".to_owned(), |time| human_duration(self.0 - time.0.as_nanosecond()))
    }

    /// The same for times in microseconds, as events of the scheduler carry.
    pub fn since_micro(self, time: Option<&MicroTime>) -> String {
        time.map_or_else(|| "<unknown>".to_owned(), |time| human_duration(self.0 - time.0.as_nanosecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_those_that_kubectl_printed() {
        // Scenario 817: seconds ago, as the real kubectl printed them.
        let recorded = [
            (0, "0s"),
            (61, "61s"),
            (119, "119s"),
            (120, "2m"),
            (121, "2m1s"),
            (599, "9m59s"),
            (600, "10m"),
            (601, "10m"),
            (3599, "59m"),
            (3600, "60m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (10_860, "3h1m"),
            (28_799, "7h59m"),
            (28_800, "8h"),
            (86_399, "23h"),
            (86_400, "24h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (180_000, "2d2h"),
            (691_199, "7d23h"),
            (691_200, "8d"),
            (700_000, "8d"),
            (63_071_999, "729d"),
            (63_072_000, "2y"),
            (63_158_400, "2y1d"),
            (94_608_000, "3y"),
            (252_288_000, "8y"),
            (300_000_000, "9y"),
        ];
        for (seconds, expect) in recorded {
            assert_eq!(human_duration(seconds * 1_000_000_000), expect, "{seconds}");
        }
        assert_eq!(human_duration(-1_500_000_000), "0s");
        assert_eq!(human_duration(-2_000_000_000), "<invalid>");
    }
}
