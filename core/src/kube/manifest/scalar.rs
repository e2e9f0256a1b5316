//! What an unquoted text means, by YAML 1.1 as Kubernetes' tools read it (go-yaml v2).

/// What it means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text,
}

/// Finds out what an unquoted text means.
pub(super) fn resolve(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Resolved::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Resolved::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Resolved::Text;
    }
    integer(text).or_else(|| float(text)).unwrap_or(Resolved::Text)
}

/// Decimal, `0x`, `0b`, `0o`, and octal by a mere leading zero; underscores may group digits.
fn integer(text: &str) -> Option<Resolved> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = unsigned.to_ascii_lowercase();
    let (radix, digits) = [("0x", 16), ("0b", 2), ("0o", 8)]
        .iter()
        .find_map(|(prefix, radix)| Some((*radix, lower.strip_prefix(prefix)?)))
        .or_else(|| (lower.len() > 1).then(|| Some((8, lower.strip_prefix('0')?))).flatten())
        .unwrap_or((10, &lower));
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(&digits, radix).ok()?;
    if negative {
        return i64::try_from(-i128::from(magnitude)).ok().map(Resolved::Int);
    }
    Some(i64::try_from(magnitude).map_or(Resolved::Uint(magnitude), Resolved::Int))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn float(text: &str) -> Option<Resolved> {
    let text: String = text.chars().filter(|c| *c != '_').collect();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(&text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let shaped = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    // What is too large for a float is a text, as in Go.
    shaped.then(|| text.parse().ok().filter(|number: &f64| number.is_finite())).flatten().map(Resolved::Float)
}

/// The JSON key that a scalar key becomes.
pub(super) fn key_text(text: &str) -> String {
    match resolve(text) {
        Resolved::Bool(flag) => flag.to_string(),
        Resolved::Int(number) => number.to_string(),
        Resolved::Uint(number) => number.to_string(),
        Resolved::Float(number) if number.is_finite() => number.to_string(),
        Resolved::Null if text.is_empty() || text == "~" => "null".to_owned(),
        Resolved::Null | Resolved::Float(_) | Resolved::Text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquoted_texts_mean_what_yaml_1_1_says() {
        for (text, meaning) in [
            ("y", Resolved::Bool(true)),
            ("on", Resolved::Bool(true)),
            ("No", Resolved::Bool(false)),
            ("yEs", Resolved::Text),
            ("~", Resolved::Null),
            ("0644", Resolved::Int(420)),
            ("0o644", Resolved::Int(420)),
            ("0x1F", Resolved::Int(31)),
            ("0b11", Resolved::Int(3)),
            ("08", Resolved::Float(8.0)),
            ("1_000", Resolved::Int(1000)),
            ("-5", Resolved::Int(-5)),
            ("18446744073709551615", Resolved::Uint(u64::MAX)),
            ("1e3", Resolved::Float(1000.0)),
            (".5", Resolved::Float(0.5)),
            ("1.5", Resolved::Float(1.5)),
            ("1.2.3", Resolved::Text),
            ("1Gi", Resolved::Text),
            ("-", Resolved::Text),
            (".", Resolved::Text),
            ("2026-01-01", Resolved::Text),
            ("12:30", Resolved::Text),
        ] {
            assert_eq!(resolve(text), meaning, "{text}");
        }
    }
}
