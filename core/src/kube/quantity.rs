//! Quantities as Kubernetes writes them: `500m`, `1.5Gi`, `2e3`
//! (`k8s.io/apimachinery/pkg/api/resource`).

use std::fmt;
use std::str::FromStr;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// An amount in billionths, with the family of suffixes it was written in.
///
/// ```
/// use clusterlab::kube::quantity::Amount;
///
/// let memory: Amount = "1536Mi".parse()?;
/// assert_eq!(memory.value(), 1_610_612_736);
/// assert_eq!(memory.to_string(), "1536Mi");
/// assert_eq!("0.5".parse::<Amount>()?.to_string(), "500m");
/// assert_eq!("1024Ki".parse::<Amount>()?.to_string(), "1Mi");
/// assert!("1 Gi".parse::<Amount>().is_err());
/// # Ok::<(), clusterlab::kube::quantity::QuantityError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    nanos: i128,
    format: Format,
}

/// The family of suffixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `m`, none, `k`, `M`, `G`, …: powers of 1000.
    #[default]
    DecimalSi,
    /// `Ki`, `Mi`, `Gi`, …: powers of 1024.
    BinarySi,
    /// `1e3`
    DecimalExponent,
}

/// A text that is not a quantity; the messages are the API server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number with a suffix.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// The form of a suffix, but no such suffix.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

impl QuantityError {
    /// What the real parser says of a suffix that does not exist.
    fn of_suffix(suffix: &str) -> Self {
        let rest = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let digits = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        if digits.bytes().all(|b| b.is_ascii_digit()) { Self::Suffix } else { Self::Format }
    }
}

const NANOS: i128 = 1_000_000_000;
/// Amounts are capped at 2^63-1 units, as in Go.
const MAX: i128 = i64::MAX as i128 * NANOS;
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Amount {
    /// A whole number of units.
    pub const fn units(units: i64, format: Format) -> Self {
        Self { nanos: units as i128 * NANOS, format }
    }

    /// A number of thousandths, such as millicores.
    pub const fn milli_units(milli: i64) -> Self {
        Self { nanos: milli as i128 * (NANOS / 1000), format: Format::DecimalSi }
    }

    /// Whole units, rounded up (away from zero), as `Quantity.Value()`.
    pub fn value(self) -> i64 {
        scaled(self.nanos, NANOS)
    }

    /// Thousandths, rounded up, as `Quantity.MilliValue()`.
    pub fn milli_value(self) -> i64 {
        scaled(self.nanos, NANOS / 1000)
    }

    /// Rounded up to whole thousandths, as every amount of a resource list is (`SetDefaults_ResourceList`).
    #[must_use]
    pub fn round_up_to_milli(self) -> Self {
        let milli = NANOS / 1000;
        let (quotient, rest) = (self.nanos / milli, self.nanos % milli);
        Self { nanos: (quotient + rest.signum()) * milli, ..self }
    }

    /// Whether it is a whole number of units.
    pub const fn is_whole(self) -> bool {
        self.nanos % NANOS == 0
    }

    /// Billionths, exact.
    pub const fn nanos(self) -> i128 {
        self.nanos
    }

    /// The family of suffixes it was written in.
    pub const fn format(self) -> Format {
        self.format
    }
}

fn scaled(nanos: i128, unit: i128) -> i64 {
    let (quotient, rest) = (nanos / unit, nanos % unit);
    let rounded = if rest == 0 { quotient } else { quotient + nanos.signum() };
    i64::try_from(rounded).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

impl std::ops::Add for Amount {
    type Output = Self;

    /// Adds; the sum is written in the family of `self`, unless that is zero.
    fn add(self, other: Self) -> Self {
        let format = if self.nanos == 0 { other.format } else { self.format };
        Self { nanos: (self.nanos + other.nanos).clamp(-MAX, MAX), format }
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.nanos.partial_cmp(&other.nanos)
    }
}

impl TryFrom<&Quantity> for Amount {
    type Error = QuantityError;

    fn try_from(quantity: &Quantity) -> Result<Self, QuantityError> {
        quantity.0.parse()
    }
}

impl From<Amount> for Quantity {
    fn from(amount: Amount) -> Self {
        Self(amount.to_string())
    }
}

impl FromStr for Amount {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let digits = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(digits);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return Err(QuantityError::Format);
        }
        let (factor, exponent, format) = scale(suffix).ok_or_else(|| QuantityError::of_suffix(suffix))?;
        let nanos = magnitude(whole, fraction, factor, exponent);
        Ok(Self { nanos: if negative { -nanos } else { nanos }, format })
    }
}

/// Factor, decimal exponent and family of a suffix.
fn scale(suffix: &str) -> Option<(i128, i32, Format)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        return Some((1, *exponent, Format::DecimalSi));
    }
    if let Some(power) = BINARY.iter().skip(1).position(|s| *s == suffix) {
        return Some((1 << (10 * (power + 1)), 0, Format::BinarySi));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // An exponent that does not fit is beyond every cap below.
    let exponent = exponent.parse::<i32>().unwrap_or(if exponent.starts_with('-') { -1000 } else { 1000 });
    Some((1, exponent.clamp(-1000, 1000), Format::DecimalExponent))
}

/// `whole.fraction * factor * 10^exponent` in billionths, rounded up, capped.
fn magnitude(whole: &str, fraction: &str, factor: i128, exponent: i32) -> i128 {
    let mut value: i128 = 0;
    let mut exponent = exponent + 9;
    let mut inexact = false;
    for digit in whole.bytes().chain(fraction.bytes()).map(|b| i128::from(b - b'0')) {
        match value.checked_mul(10).and_then(|v| v.checked_add(digit)) {
            Some(next) if next < i128::MAX / factor => {
                value = next;
                continue;
            }
            _ => {}
        }
        // Digits beyond what fits count only by their place.
        exponent += 1;
        inexact |= digit != 0;
    }
    exponent -= fraction.len() as i32;
    let mut value = value.saturating_mul(factor);
    while exponent > 0 && value != 0 {
        if value > MAX {
            return MAX;
        }
        value = value.saturating_mul(10);
        exponent -= 1;
    }
    while exponent < 0 && value != 0 {
        inexact |= value % 10 != 0;
        value /= 10;
        exponent += 1;
    }
    (value + i128::from(inexact)).min(MAX)
}

impl fmt::Display for Amount {
    /// The canonical form: the largest suffix that leaves a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let small = self.nanos.abs() < 1024 * NANOS;
        match self.format {
            Format::BinarySi if !small && self.nanos % NANOS == 0 => {
                let mut number = self.nanos / NANOS;
                let mut power = 0;
                while number % 1024 == 0 && power + 1 < BINARY.len() {
                    number /= 1024;
                    power += 1;
                }
                write!(f, "{number}{}", BINARY[power])
            }
            format => {
                let mut number = self.nanos;
                let mut exponent = -9;
                while number != 0 && number % 1000 == 0 && exponent < 18 {
                    number /= 1000;
                    exponent += 3;
                }
                if number == 0 {
                    exponent = 0;
                }
                if format == Format::DecimalExponent {
                    return if exponent == 0 {
                        write!(f, "{number}")
                    } else {
                        write!(f, "{number}e{exponent}")
                    };
                }
                let suffix = DECIMAL.iter().find(|(_, e)| *e == exponent).map_or("", |(s, _)| s);
                write!(f, "{number}{suffix}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quantity_prints_in_its_canonical_form() {
        for (text, canonical) in [
            ("0", "0"),
            ("0Gi", "0"),
            ("100m", "100m"),
            ("0.1", "100m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1000", "1k"),
            ("1Gi", "1Gi"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("0.1Ki", "102400m"),
            ("1e3", "1e3"),
            ("1E3", "1e3"),
            ("12e6", "12e6"),
            ("100k", "100k"),
            ("-5", "-5"),
            ("+5", "5"),
            (".5", "500m"),
            ("5.", "5"),
            ("1n", "1n"),
            ("0.1n", "1n"),
            ("263738492Ki", "263738492Ki"),
            ("9223372036854775807", "9223372036854775807"),
        ] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_quantity_is_refused() {
        for text in ["", "a", "1x", "1 Gi", "1gi", "--1", ".", "1.2.3", "1e", "1e+", "Ki", "１"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn values_round_up_and_stop_at_the_largest_integer() {
        let value = |text: &str| text.parse::<Amount>().unwrap().value();
        assert_eq!(value("1m"), 1);
        assert_eq!(value("-1m"), -1);
        assert_eq!(value("100E"), i64::MAX);
        assert_eq!(value("1e999"), i64::MAX);
        assert_eq!("1.0001".parse::<Amount>().unwrap().milli_value(), 1001);
    }

    proptest! {
        #[test]
        fn the_canonical_form_reads_back_as_the_same_amount(
            text in "[+-]?[0-9]{0,25}(\\.[0-9]{0,12})?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e[+-]?[0-9]{1,3})?"
        ) {
            if let Ok(amount) = text.parse::<Amount>() {
                let again: Amount = amount.to_string().parse().unwrap();
                prop_assert_eq!(again.nanos(), amount.nanos());
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Amount>();
        }
    }
}
