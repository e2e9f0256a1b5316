//! Times and sizes, as Slurm's commands and files write them.

use super::Time;

/// A time limit in minutes: `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, `days-hours:minutes`,
/// `days-hours:minutes:seconds`; seconds round up to a minute (sbatch(1), `--time`). `None` when it cannot be read.
///
/// ```
/// use clusterlab::slurm::units::minutes;
/// assert_eq!(minutes("90"), Some(90));
/// assert_eq!(minutes("0:05"), Some(1));
/// assert_eq!(minutes("1-12"), Some(2160));
/// assert_eq!(minutes("1:2:3:4"), None);
/// ```
pub fn minutes(text: &str) -> Option<u32> {
    u32::try_from((seconds(text)? + 59) / 60).ok()
}

/// The same in seconds.
pub fn seconds(text: &str) -> Option<i64> {
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(part(days)?), rest),
        None => (None, text),
    };
    let parts = rest.split(':').map(part).collect::<Option<Vec<i64>>>()?;
    let clock = match (days.is_some(), parts.as_slice()) {
        (false, [minutes]) => minutes.checked_mul(60)?,
        (false, [minutes, seconds]) => minutes.checked_mul(60)?.checked_add(*seconds)?,
        (true, [hours]) => hours.checked_mul(3600)?,
        (true, [hours, minutes]) => hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?,
        (_, [hours, minutes, seconds]) => {
            hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(*seconds)?
        }
        _ => return None,
    };
    days.unwrap_or(0).checked_mul(86_400)?.checked_add(clock)
}

fn part(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// `1-02:03:04`: seconds as `scontrol` prints them.
pub fn clock(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let hms = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days > 0 { format!("{days}-{hms}") } else { hms }
}

/// `1-02:03:04`, `2:03:04`, `3:04`: seconds as `squeue` prints them.
pub fn short_clock(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes, secs) =
        (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    if days > 0 {
        format!("{days}-{hours:02}:{minutes:02}:{secs:02}")
    } else if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}

/// `2026-11-23T14:44:03`, the zone being that of the cluster (UTC here).
pub fn stamp(time: Time) -> String {
    jiff::Timestamp::from_second(time)
        .map_or_else(|_| "Unknown".into(), |at| at.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// MiB as `--mem` reads them: a number with K, M (the default), G or T. `None` when it cannot be read.
pub fn mebibytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let n: u64 =
        (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())??;
    match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "m" | "mb" => Some(n),
        "k" | "kb" => Some(n.div_ceil(1024)),
        "g" | "gb" => n.checked_mul(1024),
        "t" | "tb" => n.checked_mul(1024 * 1024),
        "p" | "pb" => n.checked_mul(1024 * 1024 * 1024),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_limits_are_read_in_all_their_forms() {
        let check = |text: &str, expect: Option<u32>| assert_eq!(minutes(text), expect, "{text}");
        check("1", Some(1));
        check("0:05", Some(1));
        check("2:30", Some(3));
        check("1:00:00", Some(60));
        check("1-0", Some(1440));
        check("0-01:00:00", Some(60));
        check("2-03:04", Some(2 * 1440 + 3 * 60 + 4));
        check("abc", None);
        check("-5", None);
        check("", None);
    }

    #[test]
    fn times_are_printed_as_the_commands_print_them() {
        assert_eq!(clock(14), "00:00:14");
        assert_eq!(clock(2 * 86_400 + 3661), "2-01:01:01");
        assert_eq!(short_clock(4), "0:04");
        assert_eq!(short_clock(3661), "1:01:01");
        assert_eq!(short_clock(86_400 + 61), "1-00:01:01");
        assert_eq!(stamp(1_795_445_042), "2026-11-23T14:44:02");
    }
}
