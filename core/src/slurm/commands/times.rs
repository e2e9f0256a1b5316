//! Times of day and dates, as `--begin`, `--deadline`, `StartTime=` and `sacct -S` read them.

use jiff::civil::{Date, DateTime, Time as Clock};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::slurm::Time;

/// Reads a time. `Err` is the place of the mistake, counted from 0, for `Invalid time specification (pos=N): TEXT`.
///
/// Forms (sbatch(1)): `now[+count[unit]]`, `today`, `tomorrow`, `midnight`, `noon`, `fika`, `teatime`, `HH:MM[:SS]`
/// with am/pm, `MMDD[YY]`, `MM/DD[/YY]`, `MM.DD[.YY]`, `YYYY-MM-DD[THH:MM[:SS]]`. A time of day that is over is
/// tomorrow's; a date without a year that is over is next year's. The zone is UTC.
pub(super) fn parse(text: &str, now: Time) -> Result<Time, usize> {
    let lower = text.trim().to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("now") {
        return relative(rest, now).ok_or_else(|| if rest.is_empty() { 0 } else { 4.min(text.len()) });
    }
    let stamp = Timestamp::from_second(now).map_err(|_| 0_usize)?.to_zoned(TimeZone::UTC).datetime();
    if let Some((date, clock)) = lower.split_once('t').filter(|(date, _)| date.matches('-').count() == 2) {
        let date = date_of(date, stamp).ok_or(0_usize)?;
        let clock = clock_of(clock).ok_or(date_len(text))?;
        return seconds(date.to_datetime(clock)).ok_or(0);
    }
    match lower.as_str() {
        "today" => return Ok(now),
        "tomorrow" => return Ok(now + 86_400),
        _ => {}
    }
    if let Some(clock) = clock_of(&lower) {
        let at = seconds(stamp.date().to_datetime(clock)).ok_or(0_usize)?;
        return Ok(if at < now { at + 86_400 } else { at });
    }
    if let Some(date) = date_of(&lower, stamp) {
        return seconds(date.to_datetime(Clock::midnight())).ok_or(0);
    }
    Err(0)
}

fn date_len(text: &str) -> usize {
    text.find(['T', 't']).map_or(0, |at| at + 1)
}

fn seconds(at: DateTime) -> Option<Time> {
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_second())
}

fn relative(rest: &str, now: Time) -> Option<Time> {
    if rest.is_empty() {
        return Some(now);
    }
    let (sign, rest) =
        if let Some(rest) = rest.strip_prefix('+') { (1, rest) } else { (-1, rest.strip_prefix('-')?) };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let count: i64 = rest[..digits].parse().ok()?;
    let unit = match &rest[digits..] {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hr" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 7 * 86_400,
        _ => return None,
    };
    now.checked_add(sign * count.checked_mul(unit)?)
}

fn clock_of(text: &str) -> Option<Clock> {
    match text {
        "midnight" => return Some(Clock::midnight()),
        "elevenses" => return Clock::new(11, 0, 0, 0).ok(),
        "noon" => return Clock::new(12, 0, 0, 0).ok(),
        "fika" => return Clock::new(15, 0, 0, 0).ok(),
        "teatime" => return Clock::new(16, 0, 0, 0).ok(),
        _ => {}
    }
    let (text, half) = if let Some(text) = text.strip_suffix("am") {
        (text, Some(0))
    } else if let Some(text) = text.strip_suffix("pm") {
        (text, Some(12))
    } else {
        (text, None)
    };
    let parts: Vec<i8> = text.trim().split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (mut hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, 0),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return None,
    };
    if let Some(half) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + half;
    }
    Clock::new(hour, minute, second, 0).ok()
}

fn date_of(text: &str, now: DateTime) -> Option<Date> {
    let numbers = |text: &str, at: char| {
        text.split(at).map(|part| part.parse::<i16>().ok()).collect::<Option<Vec<_>>>()
    };
    let year = |two: i16| if two < 100 { 2000 + two } else { two };
    let coming = |month: i16, day: i16| {
        let date = Date::new(now.year(), month as i8, day as i8).ok()?;
        if date < now.date() { date.checked_add(1.year()).ok() } else { Some(date) }
    };
    if text.contains('-') {
        return match numbers(text, '-')?.as_slice() {
            [y, m, d] => Date::new(*y, *m as i8, *d as i8).ok(),
            _ => None,
        };
    }
    for at in ['/', '.'] {
        if text.contains(at) {
            return match numbers(text, at)?.as_slice() {
                [m, d] => coming(*m, *d),
                [m, d, y] => Date::new(year(*y), *m as i8, *d as i8).ok(),
                _ => None,
            };
        }
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) || !matches!(text.len(), 4 | 6) {
        return None;
    }
    let (m, d): (i16, i16) = (text[..2].parse().ok()?, text[2..4].parse().ok()?);
    if text.len() == 4 {
        coming(m, d)
    } else {
        Date::new(year(text[4..].parse().ok()?), m as i8, d as i8).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_all_their_forms() {
        // 2026-11-23T14:44:02
        let now = 1_795_445_042;
        let check = |text: &str, expect: Result<&str, usize>| {
            let found = parse(text, now).map(crate::slurm::units::stamp);
            assert_eq!(found, expect.map(str::to_owned), "{text}");
        };
        check("now+60", Ok("2026-11-23T14:45:02"));
        check("now+2hours", Ok("2026-11-23T16:44:02"));
        check("16:00", Ok("2026-11-23T16:00:00"));
        check("9:30", Ok("2026-11-24T09:30:00"));
        check("3:15pm", Ok("2026-11-23T15:15:00"));
        check("teatime", Ok("2026-11-23T16:00:00"));
        check("midnight", Ok("2026-11-24T00:00:00"));
        check("2026-12-01T08:00:05", Ok("2026-12-01T08:00:05"));
        check("2026-12-01", Ok("2026-12-01T00:00:00"));
        check("12/24", Ok("2026-12-24T00:00:00"));
        check("0101", Ok("2027-01-01T00:00:00"));
        check("yesterday", Err(0));
        check("25:00", Err(0));
        check("now+5bananas", Err(4));
    }
}
