//! `date`, and how numbers and times are written.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::World;

/// What `date` prints without a format, in the C locale.
const DEFAULT: &str = "%a %b %e %H:%M:%S %Z %Y";

/// Writes a time by `strftime(3)`'s directives, in UTC.
pub(crate) fn strftime(format: &str, at: Timestamp) -> String {
    let zoned = at.to_zoned(TimeZone::UTC);
    let mut out = String::new();
    let mut rest = format;
    while let Some(found) = rest.find('%') {
        out.push_str(&rest[..found]);
        rest = &rest[found..];
        let len = directive(rest);
        let one = &rest[..len];
        match one {
            "%N" => out.push_str(&format!("{:09}", at.subsec_nanosecond())),
            "%3N" => out.push_str(&format!("{:03}", at.subsec_nanosecond() / 1_000_000)),
            "%n" => out.push('\n'),
            "%t" => out.push('\t'),
            "%%" => out.push('%'),
            "%Z" => out.push_str("UTC"),
            _ => match jiff::fmt::strtime::format(one, &zoned) {
                Ok(text) => out.push_str(&text),
                // As glibc does, an unknown directive prints as it stands.
                Err(_) => out.push_str(one),
            },
        }
        rest = &rest[len..];
    }
    out.push_str(rest);
    out
}

/// The length of the directive that `text` begins with.
fn directive(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    for (at, c) in chars.by_ref() {
        if !(c.is_ascii_digit() || "-_^#:E".contains(c)) {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// Writes a number as `printf` does for `%e`, `%f` and `%g`.
pub(crate) fn float(number: f64, conversion: char, precision: usize) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            "nan".to_owned()
        } else if number < 0.0 {
            "-inf".to_owned()
        } else {
            "inf".to_owned()
        };
    }
    let exponential = |precision: usize| {
        let text = format!("{number:.precision$e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
        format!("{mantissa}e{sign}{digits:0>2}")
    };
    match conversion.to_ascii_lowercase() {
        'e' => exponential(precision),
        'g' => {
            let precision = precision.max(1);
            let exponent = format!("{number:.*e}", precision - 1);
            let exponent: i32 = exponent.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
            let text = if exponent < -4 || exponent >= precision as i32 {
                exponential(precision - 1)
            } else {
                format!("{number:.*}", usize::try_from(precision as i32 - 1 - exponent).unwrap_or(0))
            };
            match text.split_once('e') {
                Some((mantissa, exponent)) if mantissa.contains('.') => {
                    format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
                }
                None if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                _ => text,
            }
        }
        _ => format!("{number:.precision$}"),
    }
}

/// `date [-u] [-d @SECONDS|now] [+FORMAT]`
pub(super) fn date(world: &mut World<'_>) -> u8 {
    let mut at = world.epoch.timestamp(world.now);
    let mut format = DEFAULT.to_owned();
    let mut args = world.args.iter();
    while let Some(arg) = args.next() {
        let text = match arg.as_str() {
            "-u" | "--utc" | "--universal" => continue,
            "-I" | "--iso-8601" => {
                "%Y-%m-%d".clone_into(&mut format);
                continue;
            }
            "-Iseconds" | "--iso-8601=seconds" => {
                "%Y-%m-%dT%H:%M:%S+00:00".clone_into(&mut format);
                continue;
            }
            "-R" | "--rfc-email" => {
                "%a, %d %b %Y %H:%M:%S +0000".clone_into(&mut format);
                continue;
            }
            "-d" | "--date" => args.next().cloned().unwrap_or_default(),
            _ => match arg.strip_prefix("--date=") {
                Some(text) => text.to_owned(),
                None => match arg.strip_prefix('+') {
                    Some(given) => {
                        given.clone_into(&mut format);
                        continue;
                    }
                    None => return world.complain(&format!("invalid date '{arg}'")),
                },
            },
        };
        let seconds =
            text.strip_prefix('@').and_then(|s| s.parse().ok()).and_then(|s| Timestamp::from_second(s).ok());
        at = match (text.as_str(), seconds, text.parse::<Timestamp>()) {
            ("now", ..) => at,
            (_, Some(seconds), _) => seconds,
            (_, _, Ok(parsed)) => parsed,
            _ => return world.complain(&format!("invalid date '{text}'")),
        };
    }
    let text = strftime(&format, at);
    world.say(&text);
    0
}
