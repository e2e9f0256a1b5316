//! Numbers of a row, read from bytes.

/// No time or count of a log is larger than this (in seconds, thirty thousand years), so that sums do not overflow.
pub(super) const LARGEST: i64 = 1_000_000_000_000;

/// An integer within ±[`LARGEST`]. A fraction of zeros is none (`12.00`), as some converters write every number so.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    let mut at = 0;
    while let Some(digit) = digits.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        value = value * 10 + i64::from(digit);
        if value > LARGEST {
            return None;
        }
        at += 1;
    }
    if at == 0 {
        return None;
    }
    match &digits[at..] {
        [] => {}
        [b'.', zeros @ ..] if zeros.iter().all(|byte| *byte == b'0') => {}
        _ => return None,
    }
    Some(if negative { -value } else { value })
}

/// A number, perhaps with a fraction.
pub(super) fn real(text: &[u8]) -> Option<f64> {
    if let Some(value) = integer(text) {
        return Some(value as f64);
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_has_a_sign_digits_and_perhaps_a_fraction_of_zeros() {
        let check = |text: &str, expect: Option<i64>| assert_eq!(integer(text.as_bytes()), expect, "{text}");
        check("0", Some(0));
        check("-1", Some(-1));
        check("+7", Some(7));
        check("142.00", Some(142));
        check("1000000000000", Some(LARGEST));
        check("1000000000001", None);
        check("99999999999999999999999999", None);
        check("142.5", None);
        check("", None);
        check("-", None);
        check("1e3", None);
        check("0x10", None);
    }

    #[test]
    fn a_real_number_may_have_a_fraction_but_must_be_a_number() {
        assert_eq!(real(b"552.25"), Some(552.25));
        assert_eq!(real(b"-1"), Some(-1.0));
        assert_eq!(real(b"nan"), None);
        assert_eq!(real(b"inf"), None);
        assert_eq!(real(b"x"), None);
    }
}
