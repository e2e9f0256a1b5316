//! Shell variables: texts, indexed and associative arrays, with their attributes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::order::Collected;
use thiserror::Error;

/// Bytes that all variables of one shell may hold together.
const LIMIT: usize = 16 << 20;
/// Variables that one shell may have.
const MAX_VARIABLES: usize = 20_000;

/// Why a variable could not be set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum VarError {
    #[error("{0}: readonly variable")]
    ReadOnly(String),
    /// bash gives up altogether when memory does.
    #[error("xrealloc: cannot allocate {0} bytes")]
    Memory(usize),
    #[error("{0}: bad array subscript")]
    Subscript(String),
}

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Declared, not set.
    Unset,
    Text(String),
    Array(BTreeMap<usize, String>),
    /// In byte order of the keys; bash's own order is that of a hash table.
    Map(BTreeMap<String, String>),
}

impl Value {
    fn bytes(&self) -> usize {
        match self {
            Self::Unset => 0,
            Self::Text(text) => text.len(),
            Self::Array(array) => array.values().map(|text| text.len() + 16).sum(),
            Self::Map(map) => map.iter().map(|(key, text)| key.len() + text.len() + 16).sum(),
        }
    }
}

/// A variable with its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Var {
    pub(crate) value: Value,
    pub(crate) exported: bool,
    pub(crate) readonly: bool,
    pub(crate) integer: bool,
}

impl Var {
    pub(crate) fn new(value: Value) -> Self {
        Self { value, exported: false, readonly: false, integer: false }
    }

    /// What `$name` gives: the text, or the element 0 of an array.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Unset => None,
            Value::Text(text) => Some(text),
            Value::Array(array) => array.get(&0).map(String::as_str),
            Value::Map(map) => map.get("0").map(String::as_str),
        }
    }
}

/// All variables of a shell. Cloning shares them until one side writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vars {
    map: Arc<BTreeMap<String, Var>>,
    bytes: usize,
    /// The state of `$RANDOM`.
    pub(crate) random: u32,
}

impl Vars {
    pub(crate) fn get(&self, name: &str) -> Option<&Var> {
        self.map.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.text()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.map.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// The environment of a command.
    pub(crate) fn exported(&self) -> BTreeMap<String, String> {
        self.map
            .iter()
            .filter(|(_, var)| var.exported)
            .filter_map(|(name, var)| Some((name.clone(), var.text()?.to_owned())))
            .into_map()
    }

    /// Changes or makes a variable, whatever its attributes are.
    pub(crate) fn update(&mut self, name: &str, change: impl FnOnce(&mut Var)) -> Result<(), VarError> {
        let map = Arc::make_mut(&mut self.map);
        if !map.contains_key(name) && map.len() >= MAX_VARIABLES {
            return Err(VarError::Memory(MAX_VARIABLES));
        }
        let var = map.entry(name.to_owned()).or_insert_with(|| Var::new(Value::Unset));
        let before = var.value.bytes();
        change(var);
        let after = var.value.bytes();
        self.bytes = (self.bytes + after).saturating_sub(before);
        if self.bytes > LIMIT {
            return Err(VarError::Memory(self.bytes));
        }
        Ok(())
    }

    fn assignable(&self, name: &str) -> Result<(), VarError> {
        match self.get(name) {
            Some(var) if var.readonly => Err(VarError::ReadOnly(name.to_owned())),
            _ => Ok(()),
        }
    }

    /// `name=value`.
    pub(crate) fn set(&mut self, name: &str, text: impl Into<String>) -> Result<(), VarError> {
        self.assignable(name)?;
        let text = text.into();
        self.check(text.len())?;
        self.update(name, |var| match &mut var.value {
            Value::Array(array) => {
                array.insert(0, text);
            }
            Value::Map(map) => {
                map.insert("0".into(), text);
            }
            other => *other = Value::Text(text),
        })
    }

    /// `name=(…)`.
    pub(crate) fn set_value(&mut self, name: &str, value: Value) -> Result<(), VarError> {
        self.assignable(name)?;
        self.check(value.bytes())?;
        self.update(name, |var| var.value = value)
    }

    /// `name[index]=value`, where a negative index counts from the end.
    pub(crate) fn set_element(&mut self, name: &str, index: &Key, text: String) -> Result<(), VarError> {
        self.assignable(name)?;
        self.check(text.len())?;
        let subscript = || VarError::Subscript(format!("{name}[{index}]"));
        let mut outcome = Ok(());
        // An array's size is not recounted for each element: that would cost more than the element.
        let map = Arc::make_mut(&mut self.map);
        let var = map.entry(name.to_owned()).or_insert_with(|| Var::new(Value::Unset));
        let added = text.len() + 16;
        match (&mut var.value, index) {
            (Value::Map(map), key) => {
                map.insert(key.to_string(), text);
            }
            (value, Key::Number(n)) => {
                let mut array = match std::mem::replace(value, Value::Unset) {
                    Value::Text(old) => BTreeMap::from([(0, old)]),
                    Value::Array(array) => array,
                    _ => BTreeMap::new(),
                };
                let end = array.last_key_value().map_or(0, |(last, _)| *last as i64 + 1);
                match usize::try_from(if *n < 0 { end.saturating_add(*n) } else { *n }) {
                    Ok(n) => {
                        array.insert(n, text);
                    }
                    Err(_) => outcome = Err(subscript()),
                }
                *value = Value::Array(array);
            }
            (_, Key::Text(_)) => outcome = Err(subscript()),
        }
        self.bytes += added;
        if self.bytes > LIMIT {
            // Overwritten elements were counted twice: count again before giving up.
            self.bytes = self.map.values().map(|var| var.value.bytes()).sum();
            self.check(0)?;
        }
        outcome
    }

    fn check(&self, more: usize) -> Result<(), VarError> {
        if self.bytes.saturating_add(more) > LIMIT.saturating_mul(2) || more > LIMIT || self.bytes > LIMIT {
            return Err(VarError::Memory(self.bytes.saturating_add(more)));
        }
        Ok(())
    }

    /// `unset name`.
    pub(crate) fn unset(&mut self, name: &str) -> Result<(), VarError> {
        self.assignable(name)?;
        self.remove(name);
        Ok(())
    }

    /// Puts back what a local variable or a temporary assignment had hidden.
    pub(crate) fn restore(&mut self, name: &str, var: Option<Var>) {
        self.remove(name);
        if let Some(var) = var {
            self.bytes += var.value.bytes();
            Arc::make_mut(&mut self.map).insert(name.to_owned(), var);
        }
    }

    fn remove(&mut self, name: &str) {
        if self.map.contains_key(name)
            && let Some(var) = Arc::make_mut(&mut self.map).remove(name)
        {
            self.bytes = self.bytes.saturating_sub(var.value.bytes());
        }
    }

    /// The next `$RANDOM`: the generator of bash 5, which is that of Park and Miller.
    pub(crate) fn next_random(&mut self) -> u32 {
        let seed = if self.random == 0 { 123_459_876 } else { i64::from(self.random) };
        let next = 16_807 * (seed % 127_773) - 2_836 * (seed / 127_773);
        self.random = u32::try_from(if next < 0 { next + 0x7fff_ffff } else { next }).unwrap_or(1);
        ((self.random >> 16) ^ (self.random & 0xffff)) & 0x7fff
    }
}

/// The subscript of an array element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Number(i64),
    Text(String),
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Whether `name` may name a variable.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
