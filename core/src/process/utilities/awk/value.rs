//! Values: numbers, strings, and strings that came from outside and look like numbers.

use super::lex::number_len;
use crate::process::utilities::float;

#[derive(Clone, Debug, Default)]
pub(super) enum Value {
    /// Never set: both 0 and "".
    #[default]
    Unset,
    Number(f64),
    Text(String),
    /// Out of the input: compared as a number if it looks like one.
    Input(String),
}

/// The number that a text begins with, as `strtod(3)` finds it.
pub(super) fn leading_number(text: &str) -> f64 {
    let trimmed = text.trim_start();
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    sign * digits[..number_len(digits)].parse::<f64>().unwrap_or(0.0)
}

fn looks_like_number(text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && number_len(digits) == digits.len()
}

/// A number as `print` and concatenation write it.
pub(super) fn number_text(number: f64, format: &str) -> String {
    if number.fract() == 0.0 && number.abs() < 1e300 {
        // Adding zero turns the negative zero into the other one.
        return format!("{:.0}", number + 0.0);
    }
    // `%.6g` is what both CONVFMT and OFMT are unless a program changes them.
    let (precision, conversion) = format
        .strip_prefix("%.")
        .and_then(|rest| Some((rest[..rest.len() - 1].parse().ok()?, rest.chars().last()?)))
        .unwrap_or((6, 'g'));
    float(number, conversion, precision)
}

impl Value {
    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Unset => 0.0,
            Self::Number(number) => *number,
            Self::Text(text) | Self::Input(text) => leading_number(text),
        }
    }

    pub(super) fn text(&self, format: &str) -> String {
        match self {
            Self::Unset => String::new(),
            Self::Number(number) => number_text(*number, format),
            Self::Text(text) | Self::Input(text) => text.clone(),
        }
    }

    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Unset => false,
            Self::Number(number) => *number != 0.0,
            Self::Input(text) if looks_like_number(text) => leading_number(text) != 0.0,
            Self::Text(text) | Self::Input(text) => !text.is_empty(),
        }
    }

    /// Its number, if it is compared as one.
    fn numeric(&self) -> Option<f64> {
        match self {
            Self::Unset => Some(0.0),
            Self::Number(number) => Some(*number),
            Self::Input(text) if looks_like_number(text) => Some(leading_number(text)),
            Self::Text(_) | Self::Input(_) => None,
        }
    }

    /// As numbers if both are, else as texts.
    pub(super) fn compare(&self, other: &Self, format: &str) -> Option<std::cmp::Ordering> {
        match (self.numeric(), other.numeric()) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => Some(self.text(format).as_bytes().cmp(other.text(format).as_bytes())),
        }
    }
}
