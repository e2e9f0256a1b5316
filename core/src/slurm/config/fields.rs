//! Values that were read, by the names of their keys.

use std::collections::BTreeMap;

use super::error::Place;
use super::table::{Parameter, ValueKind};

/// A value, by how its key writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A number in the key's unit.
    Number(u64),
    /// UNLIMITED or INFINITE where a number could stand.
    Infinite,
    /// YES or NO.
    Flag(bool),
}

/// A value with the text that was written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The value.
    pub value: Value,
    /// As it was written, quotes off.
    pub text: String,
    /// Where the value stands.
    pub place: Place,
}

/// The keys of a line, or of the lines of a file that stand alone, under the names that the manual page gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<&'static str, Field>);

impl Fields {
    /// Sets a key; the earlier value is given back.
    pub(super) fn set(&mut self, name: &'static str, field: Field) -> Option<Field> {
        self.0.insert(name, field)
    }

    /// Makes a key what it is in `other`.
    pub(super) fn take_from(&mut self, other: &Self, name: &str) {
        self.0.remove(name);
        if let Some((name, field)) = other.0.get_key_value(name) {
            self.0.insert(name, field.clone());
        }
    }

    /// Takes over what `defaults` has and this has not.
    pub(super) fn fill_from(&mut self, defaults: &Self) {
        for (name, field) in &defaults.0 {
            self.0.entry(name).or_insert_with(|| field.clone());
        }
    }

    /// A field by its name in the table.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Field)> {
        self.0.iter().map(|(name, field)| (*name, field))
    }

    /// The text of a field, empty when it is not given.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).map_or("", |field| field.text.as_str())
    }

    /// The number of a field; `None` when it is not given, UNLIMITED, or too large for `T`.
    pub fn number<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        match self.get(name)?.value {
            Value::Number(number) => T::try_from(number).ok(),
            _ => None,
        }
    }

    /// Whether a field is YES.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|field| field.value == Value::Flag(true))
    }

    /// The parts of a field between commas.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.text(name).split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}

/// A value as its key takes it, or slurmctld's message.
pub(super) fn value(row: &Parameter, text: &str) -> Result<Value, String> {
    let key = row.name;
    match row.kind {
        ValueKind::Text => Ok(Value::Text(text.to_owned())),
        ValueKind::Boolean => match text.to_ascii_lowercase().as_str() {
            "yes" | "up" | "true" | "1" => Ok(Value::Flag(true)),
            "no" | "down" | "false" | "0" => Ok(Value::Flag(false)),
            _ => Err(format!("\"{text}\" is not a valid option for \"{key}\"")),
        },
        ValueKind::Number16 | ValueKind::Number32 | ValueKind::Number64 => number(row, text),
    }
}

/// Numbers as `strtoul` reads them with base 0: `0x` and a leading 0 have their meaning in C.
fn number(row: &Parameter, text: &str) -> Result<Value, String> {
    let key = row.name;
    if text.eq_ignore_ascii_case("unlimited") || text.eq_ignore_ascii_case("infinite") {
        return Ok(Value::Infinite);
    }
    let (body, kilo) = match text.strip_suffix(['k', 'K']) {
        Some(body) if row.kind != ValueKind::Number16 => (body, true),
        _ => (text, false),
    };
    let (minus, digits) = match body.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, body.strip_prefix('+').unwrap_or(body)),
    };
    let read = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u128::from_str_radix(hex, 16),
        None if digits.len() > 1
            && digits.starts_with('0')
            && digits.bytes().all(|b| (b'0'..b'8').contains(&b)) =>
        {
            u128::from_str_radix(digits, 8)
        }
        None if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse(),
        _ => "".parse(),
    };
    let Ok(number) = read else {
        let out_of_range = digits.len() > 38 && digits.bytes().all(|b| b.is_ascii_digit());
        return Err(match row.kind {
            _ if out_of_range => format!("{key} value ({text}) is out of range"),
            ValueKind::Number16 => format!("{key} value \"{text}\" is not a valid number"),
            _ => format!("{key} value ({text}) is not a valid number"),
        });
    };
    if minus {
        return Err(format!("{key} value ({text}) is less than zero"));
    }
    let number = if kilo { number.saturating_mul(1024) } else { number };
    if number > u128::from(u64::MAX) {
        return Err(format!("{key} value ({text}) is out of range"));
    }
    let largest = match row.kind {
        ValueKind::Number16 => u128::from(u16::MAX),
        ValueKind::Number32 => u128::from(u32::MAX),
        _ => u128::from(u64::MAX),
    };
    if number > largest {
        return Err(format!("{key} value ({text}) is greater than {largest}"));
    }
    // The check above keeps it within 64 bits.
    Ok(Value::Number(u64::try_from(number).unwrap_or(u64::MAX)))
}

/// What a key takes, for a message.
pub(super) fn expected(row: &Parameter) -> String {
    match (row.role, row.kind) {
        (super::table::Role::Honoured { range, .. }, _) => range.to_owned(),
        (_, ValueKind::Boolean) => "YES or NO".into(),
        (_, ValueKind::Number16) => "a number from 0 to 65535".into(),
        (_, ValueKind::Number32) => "a number from 0 to 4294967295".into(),
        (_, ValueKind::Number64) => "a number".into(),
        (_, ValueKind::Text) => "a text".into(),
    }
}
