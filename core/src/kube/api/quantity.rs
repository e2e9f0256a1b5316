//! Quantities: `500m`, `2Gi`, `1e9` (`k8s.io/apimachinery/pkg/api/resource`).
//!
//! `k8s-openapi` keeps a quantity as the text it came in; this module gives it its
//! value and its canonical text, which is what the API server stores.

use std::fmt;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

/// An exact amount, in billionths, with the family of suffixes it was written in.
///
/// ```
/// use clusterlab::kube::api::Quantity;
///
/// let memory: Quantity = "2048Mi".parse()?;
/// assert_eq!(memory.value(), 2 << 30);
/// assert_eq!(memory.to_string(), "2Gi");
/// assert_eq!("0.5".parse::<Quantity>()?.milli_value(), 500);
/// # Ok::<(), clusterlab::kube::api::QuantityError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// 1024-based: Ki, Mi, Gi.
    BinarySi,
    /// 1000-based: m, k, M, G.
    DecimalSi,
    /// `1e6`.
    DecimalExponent,
}

/// Why a text is not a quantity, in the words of the real parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not of the form number and suffix.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// Something else than a number before the suffix.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// No such suffix.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

const NANO: i128 = 1_000_000_000;
/// The largest amount that there is: 2^63 - 1 whole units.
const MAX: i128 = i64::MAX as i128 * NANO;
const DECIMAL_SUFFIXES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Quantity {
    /// A whole number of units.
    pub const fn from_value(value: i64) -> Self {
        Self { nanos: value as i128 * NANO, format: Format::DecimalSi }
    }

    /// A number of thousandths.
    pub const fn from_milli(milli: i64) -> Self {
        Self { nanos: milli as i128 * 1_000_000, format: Format::DecimalSi }
    }

    /// Whole units, written with Ki, Mi, Gi.
    pub const fn from_bytes(bytes: i64) -> Self {
        Self { nanos: bytes as i128 * NANO, format: Format::BinarySi }
    }

    /// In whole units, rounded up.
    pub fn value(self) -> i64 {
        self.rounded_up(NANO)
    }

    /// In thousandths, rounded up; saturates.
    pub fn milli_value(self) -> i64 {
        self.rounded_up(1_000_000)
    }

    fn rounded_up(self, unit: i128) -> i64 {
        let up = self.nanos.div_euclid(unit) + i128::from(self.nanos.rem_euclid(unit) > 0);
        i64::try_from(up).unwrap_or(if up < 0 { i64::MIN } else { i64::MAX })
    }

    /// Rounded up to whole thousandths, as every resource list of the API is.
    #[must_use]
    pub fn round_up_to_milli(self) -> Self {
        let nanos = self.nanos.div_euclid(1_000_000) + i128::from(self.nanos.rem_euclid(1_000_000) > 0);
        Self { nanos: nanos * 1_000_000, ..self }
    }

    /// Whether it is a whole number of units.
    pub const fn is_whole(self) -> bool {
        self.nanos % NANO == 0
    }

    /// Less than, equal to or more than zero.
    pub const fn signum(self) -> i128 {
        self.nanos.signum()
    }

    /// The sum, in the suffixes of `self`; saturates.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { nanos: (self.nanos + other.nanos).clamp(-MAX, MAX), ..self }
    }

    /// As the API's type.
    pub fn into_text(self) -> Text {
        Text(self.to_string())
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.nanos.cmp(&other.nanos))
    }
}

impl TryFrom<&Text> for Quantity {
    type Error = QuantityError;

    fn try_from(text: &Text) -> Result<Self, QuantityError> {
        text.0.parse()
    }
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let (negative, unsigned) = match text.as_bytes()[0] {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (whole, rest) = unsigned.split_at(digits(unsigned));
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(digits(rest)),
            None => ("", rest),
        };
        // The suffix is letters, then perhaps a signed number; anything after is no quantity.
        let letters = suffix.find(|c: char| !"eEinumkKMGTP".contains(c)).unwrap_or(suffix.len());
        let tail = &suffix[letters..];
        let tail = tail.strip_prefix(['-', '+']).unwrap_or(tail);
        if !tail.bytes().all(|b| b.is_ascii_digit()) {
            return Err(QuantityError::Format);
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(if unsigned.is_empty() { QuantityError::Format } else { QuantityError::Numeric });
        }
        let (format, base, exponent) = read_suffix(suffix)?;
        let nanos = scale(whole, fraction, base, exponent);
        Ok(Self { nanos: if negative { -nanos } else { nanos }, format })
    }
}

/// The family, its base and the power that a suffix stands for.
fn read_suffix(suffix: &str) -> Result<(Format, i128, i32), QuantityError> {
    let position = |list: &[&str]| list.iter().position(|known| *known == suffix).map(|at| at as i32);
    if let Some(at) = position(&DECIMAL_SUFFIXES) {
        return Ok((Format::DecimalSi, 10, (at - 3) * 3));
    }
    if let Some(at) = position(&BINARY_SUFFIXES) {
        return Ok((Format::BinarySi, 1024, at));
    }
    match suffix.strip_prefix(['e', 'E']).map(str::parse::<i32>) {
        Some(Ok(exponent)) => Ok((Format::DecimalExponent, 10, exponent)),
        _ => Err(QuantityError::Suffix),
    }
}

/// The amount in billionths: rounded away from zero to a billionth, cut at [`MAX`].
fn scale(whole: &str, fraction: &str, base: i128, exponent: i32) -> i128 {
    // Digits beyond these can only round up, or overflow anyway.
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() && fraction.is_empty() {
        return 0;
    }
    if base == 1024 {
        if whole.len() > 20 {
            return MAX;
        }
        let factor = 1024i128.pow(exponent.unsigned_abs());
        let mut nanos = digits_value(whole).saturating_mul(factor).saturating_mul(NANO);
        // Each digit of the fraction is worth a tenth of the one before.
        let (mut unit, mut lost) = (factor * NANO, false);
        for digit in fraction.bytes() {
            lost |= unit % 10 != 0;
            unit /= 10;
            nanos = nanos.saturating_add(unit * i128::from(digit - b'0'));
            if unit == 0 {
                break;
            }
        }
        return (nanos + i128::from(lost)).min(MAX);
    }
    let mut digits = format!("{whole}{fraction}");
    // value = digits * 10^(exponent - len(fraction)); in billionths nine more.
    let shift = i64::from(exponent) - fraction.len() as i64 + 9;
    if shift >= 0 {
        if digits.trim_start_matches('0').len() as i64 + shift > 30 {
            return MAX;
        }
        digits.extend(std::iter::repeat_n('0', shift as usize));
        return digits_value(&digits).min(MAX);
    }
    let keep = digits.len() as i64 + shift;
    let (kept, lost) = digits.split_at(usize::try_from(keep).unwrap_or(0));
    if kept.trim_start_matches('0').len() > 30 {
        return MAX;
    }
    (digits_value(kept) + i128::from(lost.bytes().any(|b| b != b'0'))).min(MAX)
}

fn digits_value(digits: &str) -> i128 {
    digits.bytes().fold(0, |value: i128, b| value.saturating_mul(10).saturating_add(i128::from(b - b'0')))
}

impl fmt::Display for Quantity {
    /// The canonical form: no fraction, the largest suffix that keeps it exact.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let binary =
            self.format == Format::BinarySi && self.is_whole() && (self.nanos / NANO).unsigned_abs() >= 1024;
        let (mut number, mut step, base, last) =
            if binary { (self.nanos / NANO, 0, 1024, 6) } else { (self.nanos, 0, 1000, 9) };
        while step < last && number % base == 0 {
            number /= base;
            step += 1;
        }
        if binary {
            write!(f, "{number}{}", BINARY_SUFFIXES[step])
        } else if self.format == Format::DecimalExponent {
            match (step as i32 - 3) * 3 {
                0 => write!(f, "{number}"),
                exponent => write!(f, "{number}e{exponent}"),
            }
        } else {
            write!(f, "{number}{}", DECIMAL_SUFFIXES[step])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, canonical: &str) {
        assert_eq!(text.parse::<Quantity>().map(|q| q.to_string()), Ok(canonical.to_owned()), "{text}");
    }

    #[test]
    fn texts_become_canonical_as_the_api_server_stores_them() {
        check("0.5", "500m");
        check("1500m", "1500m");
        check("2048Mi", "2Gi");
        check("1000000000", "1G");
        check("1073741824", "1073741824");
        check("1000Mi", "1000Mi");
        check("512Ki", "512Ki");
        check("100Ki", "100Ki");
        check("1Ki", "1Ki");
        check("0.5Ki", "512");
        check("1.5Gi", "1536Mi");
        check("1e3", "1e3");
        check("12e6", "12e6");
        check("1E", "1E");
        check("0.1n", "1n");
        check("-0.5", "-500m");
        check("0", "0");
        check("0Gi", "0");
        check("1.", "1");
        check(".5", "500m");
        check("9223372036854775807", "9223372036854775807");
        check("99999999999999999999", "9223372036854775807");
        assert_eq!("1u".parse::<Quantity>().map(|q| q.round_up_to_milli().to_string()), Ok("1m".to_owned()));
    }

    #[test]
    fn what_is_no_quantity_is_refused_in_the_real_words() {
        let check = |text: &str, error| assert_eq!(text.parse::<Quantity>(), Err(error), "{text}");
        check("", QuantityError::Format);
        check("1 Gi", QuantityError::Format);
        check("abc", QuantityError::Format);
        check("1Gb", QuantityError::Format);
        check("1KI", QuantityError::Format);
        check("1GI", QuantityError::Format);
        check("1K", QuantityError::Suffix);
        check("1mi", QuantityError::Suffix);
        check("-", QuantityError::Format);
    }

    proptest! {
        #[test]
        fn any_text_gives_a_quantity_or_an_error_and_canonical_text_is_stable(text in "\\PC{0,20}|[-+]?[0-9.]{1,40}[a-zA-Z]{0,2}[-+]?[0-9]{0,12}") {
            if let Ok(quantity) = text.parse::<Quantity>() {
                let canonical = quantity.to_string();
                let again: Quantity = canonical.parse().expect("canonical text is a quantity");
                prop_assert_eq!(again.to_string(), canonical);
                prop_assert_eq!(again.value(), quantity.value());
            }
        }
    }
}
