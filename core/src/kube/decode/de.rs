//! The deserialiser itself.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde_json::{Number, Value, map};

use super::probe::{Probe, struct_type};
use super::zero::is_left_out;
use super::{Dialect, Path, Problem, ProblemKind, Segment};
use crate::kube::quantity::Amount;

/// Why no value could be made at all.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    noted: bool,
}

impl Failure {
    pub(super) fn new(message: String) -> Self {
        Self { message, noted: false }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

/// What is known while walking a tree.
pub(super) struct State {
    dialect: Dialect,
    path: Vec<Segment>,
    /// The structures on the way here, by name.
    structs: Vec<&'static str>,
    pub(super) problems: Vec<Problem>,
}

impl State {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, path: Vec::new(), structs: Vec::new(), problems: Vec::new() }
    }

    /// Notes a failure at the present place, unless it was noted deeper down.
    pub(super) fn note(&mut self, failure: Failure) -> Failure {
        if !failure.noted {
            self.add(ProblemKind::Invalid { message: failure.message.clone() });
        }
        Failure { noted: true, ..failure }
    }

    fn add(&mut self, kind: ProblemKind) {
        self.problems.push(Problem { path: Path(self.path.clone()), kind });
    }

    fn wrong_type(&mut self, expected: &str, go_type: &str, value: &Value) {
        let (found, go_value) = match value {
            Value::Number(number) if expected == "a whole number" => {
                ("another number", format!("number {number}"))
            }
            other => (found(other), go_kind(other).to_owned()),
        };
        let fields: Vec<&str> = self
            .path
            .iter()
            .filter_map(|segment| match segment {
                Segment::Field(name) => Some(name.as_str()),
                Segment::Key(_) | Segment::Index(_) => None,
            })
            .collect();
        let target = match self.structs.last() {
            Some(holder) if !fields.is_empty() => format!("struct field {holder}.{}", fields.join(".")),
            _ => "value".to_owned(),
        };
        let go = format!("json: cannot unmarshal {go_value} into Go {target} of type {go_type}");
        self.add(ProblemKind::WrongType { expected: expected.to_owned(), found, go });
    }
}

/// What a value is, for a person.
const fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What a value is, to Go's decoder.
const fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A value about to be decoded.
pub(super) struct Decoder<'a, 'de> {
    value: &'de Value,
    state: &'a mut State,
}

impl<'a, 'de> Decoder<'a, 'de> {
    pub(super) fn new(value: &'de Value, state: &'a mut State) -> Self {
        Self { value, state }
    }

    /// A null that stands for the zero value.
    fn is_zero(&self) -> bool {
        self.value.is_null() && self.state.dialect == Dialect::Kubernetes
    }

    fn integer<T>(&mut self, go_type: &str, read: impl Fn(&Number) -> Option<T>) -> Option<T> {
        match self.value {
            Value::Number(number) => {
                let integer = read(number);
                if integer.is_none() {
                    self.state.wrong_type("a whole number", go_type, self.value);
                }
                integer
            }
            other => {
                if !self.is_zero() {
                    self.state.wrong_type("a number", go_type, other);
                }
                None
            }
        }
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $ty:ty, $go:literal $read:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
            let read = |number: &Number| number.$read().and_then(|n| <$ty>::try_from(n).ok());
            visitor.$visit(self.integer($go, read).unwrap_or_default())
        })*
    };
}

impl<'de> Deserializer<'de> for Decoder<'_, 'de> {
    type Error = Failure;

    integers! {
        deserialize_i8 visit_i8 i8, "int8" as_i64;
        deserialize_i16 visit_i16 i16, "int16" as_i64;
        deserialize_i32 visit_i32 i32, "int32" as_i64;
        deserialize_i64 visit_i64 i64, "int64" as_i64;
        deserialize_u8 visit_u8 u8, "uint8" as_u64;
        deserialize_u16 visit_u16 u16, "uint16" as_u64;
        deserialize_u32 visit_u32 u32, "uint32" as_u64;
        deserialize_u64 visit_u64 u64, "uint64" as_u64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Self { value, state } = self;
        let result = match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => number.deserialize_any(visitor).map_err(|e| Failure::new(e.to_string())),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items { left: items.iter(), index: 0, state }),
            Value::Object(object) => visitor.visit_map(Entries::new(object, None, state)),
        };
        result.map_err(|failure| {
            if failure.noted || !failure.message.ends_with("expected IntOrString") {
                return failure;
            }
            // Go reads it as a number where it is no text.
            let go_value = match value {
                Value::Number(number) => format!("number {number}"),
                other => go_kind(other).to_owned(),
            };
            state.add(ProblemKind::WrongType {
                expected: "a number or a string".to_owned(),
                found: found(value),
                go: format!("json: cannot unmarshal {go_value} into Go value of type int32"),
            });
            Failure { noted: true, ..failure }
        })
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let flag = self.value.as_bool();
        if flag.is_none() && !self.is_zero() {
            self.state.wrong_type("true or false", "bool", self.value);
        }
        visitor.visit_bool(flag.unwrap_or_default())
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let number = self.value.as_f64();
        if number.is_none() && !self.is_zero() {
            self.state.wrong_type("a number", "float64", self.value);
        }
        visitor.visit_f64(number.unwrap_or_default())
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.value {
            Value::String(text) => visitor.visit_borrowed_str(text),
            other => {
                if !self.is_zero() {
                    self.state.wrong_type("a string", "string", other);
                }
                visitor.visit_str("")
            }
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let scalar = matches!(self.value, Value::String(_) | Value::Number(_));
        let text = self.value.as_str();
        match name {
            "Quantity" => {
                let text = text.map_or_else(|| self.value.to_string(), str::to_owned);
                // Go's decoder hands the raw text to the quantity, whatever its type.
                if self.is_zero() {
                    return visitor.visit_newtype_struct(IntoDeserializer::<Failure>::into_deserializer("0"));
                }
                if let Err(error) = text.parse::<Amount>() {
                    self.state.add(ProblemKind::Invalid { message: error.to_string() });
                    return visitor.visit_newtype_struct(IntoDeserializer::<Failure>::into_deserializer("0"));
                }
                if scalar {
                    visitor.visit_newtype_struct(self)
                } else {
                    visitor.visit_newtype_struct(IntoDeserializer::<Failure>::into_deserializer("0"))
                }
            }
            "Time" | "MicroTime" => {
                const ZERO: &str = "0001-01-01T00:00:00Z";
                match text {
                    Some(text) if text.parse::<jiff::Timestamp>().is_ok() => {
                        visitor.visit_newtype_struct(self)
                    }
                    Some(text) => {
                        let message = format!(
                            "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\""
                        );
                        self.state.add(ProblemKind::Invalid { message });
                        visitor.visit_newtype_struct(IntoDeserializer::<Failure>::into_deserializer(ZERO))
                    }
                    None => {
                        if !self.is_zero() {
                            self.state.wrong_type("a time", "string", self.value);
                        }
                        visitor.visit_newtype_struct(IntoDeserializer::<Failure>::into_deserializer(ZERO))
                    }
                }
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Self { value, state } = self;
        if let Value::Array(items) = value {
            return visitor.visit_seq(Items { left: items.iter(), index: 0, state });
        }
        let mut go_type = String::new();
        let zero = Probe { go_type: &mut go_type }.deserialize_seq(visitor);
        if !(value.is_null() && state.dialect == Dialect::Kubernetes) {
            state.wrong_type("a list", &go_type, value);
        }
        zero
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Failure> {
        // One that is too short fails when an item is missed; items too many would be dropped silently.
        match self.value {
            Value::Array(items) if items.len() > length => {
                Err(de::Error::invalid_length(items.len(), &visitor))
            }
            _ => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Self { value, state } = self;
        if let Value::Object(object) = value {
            return visitor.visit_map(Entries::new(object, None, state));
        }
        let mut go_type = String::new();
        let zero = Probe { go_type: &mut go_type }.deserialize_map(visitor);
        if !(value.is_null() && state.dialect == Dialect::Kubernetes) {
            state.wrong_type("an object", &go_type, value);
        }
        zero
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let Self { value, state } = self;
        if let Value::Object(object) = value {
            state.structs.push(name);
            let result = visitor.visit_map(Entries::new(object, Some(fields), state));
            let result = result.map_err(|failure| state.note(failure));
            state.structs.pop();
            return result;
        }
        if !(value.is_null() && state.dialect == Dialect::Kubernetes) {
            state.wrong_type("an object", &struct_type(name), value);
        }
        let mut unused = String::new();
        let zero = Probe { go_type: &mut unused }.deserialize_struct(name, fields, visitor);
        // A type with fields that must be given has no zero value; the wrong type is noted already.
        zero.map_err(|failure| Failure { noted: true, ..failure })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let Self { value, state } = self;
        match value {
            Value::String(tag) => visitor.visit_enum(Variant { tag, content: None, state }),
            Value::Object(object) if object.len() == 1 => match object.iter().next() {
                Some((tag, content)) => visitor.visit_enum(Variant { tag, content: Some(content), state }),
                None => Err(Failure::new("expected one of its forms".to_owned())),
            },
            _ => Err(Failure::new("expected the name of a form, or an object with that one key".to_owned())),
        }
    }
}

struct Items<'a, 'de> {
    left: std::slice::Iter<'de, Value>,
    index: usize,
    state: &'a mut State,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let Some(value) = self.left.next() else { return Ok(None) };
        self.state.path.push(Segment::Index(self.index));
        self.index += 1;
        let result = seed.deserialize(Decoder::new(value, self.state));
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result.map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

struct Entries<'a, 'de> {
    left: map::Iter<'de>,
    fields: Option<&'static [&'static str]>,
    next: Option<(&'de str, &'de Value)>,
    state: &'a mut State,
}

impl<'a, 'de> Entries<'a, 'de> {
    fn new(
        object: &'de serde_json::Map<String, Value>,
        fields: Option<&'static [&'static str]>,
        state: &'a mut State,
    ) -> Self {
        Self { left: object.iter(), fields, next: None, state }
    }

    fn segment(&self, key: &str) -> Segment {
        if self.fields.is_some() { Segment::Field(key.to_owned()) } else { Segment::Key(key.to_owned()) }
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        while let Some((key, value)) = self.left.next() {
            if let Some(known) = self.fields {
                if !known.contains(&key.as_str()) {
                    let segment = self.segment(key);
                    self.state.path.push(segment);
                    self.state.add(ProblemKind::Unknown { known });
                    self.state.path.pop();
                    continue;
                }
                if self.state.dialect == Dialect::Kubernetes && is_left_out(key, value) {
                    continue;
                }
            }
            self.next = Some((key, value));
            let key: StrDeserializer<'_, Failure> = key.as_str().into_deserializer();
            let result = seed.deserialize(key);
            return result.map(Some).map_err(|failure| self.state.note(failure));
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let Some((key, value)) = self.next.take() else {
            return Err(Failure::new("a value was asked for without its key".to_owned()));
        };
        let segment = self.segment(key);
        self.state.path.push(segment);
        let result = seed.deserialize(Decoder::new(value, self.state));
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result
    }
}

struct Variant<'a, 'de> {
    tag: &'de str,
    content: Option<&'de Value>,
    state: &'a mut State,
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a, 'de> {
    type Error = Failure;
    type Variant = Content<'a, 'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Failure> {
        let tag: StrDeserializer<'_, Failure> = self.tag.into_deserializer();
        let value = seed.deserialize(tag).map_err(|failure| self.state.note(failure))?;
        Ok((value, Content { tag: self.tag, value: self.content, state: self.state }))
    }
}

struct Content<'a, 'de> {
    tag: &'de str,
    value: Option<&'de Value>,
    state: &'a mut State,
}

const NOTHING: &Value = &Value::Null;

impl<'de> VariantAccess<'de> for Content<'_, 'de> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Failure::new(format!("`{}` takes no value", self.tag))),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Failure> {
        self.state.path.push(Segment::Field(self.tag.to_owned()));
        let result = seed.deserialize(Decoder::new(self.value.unwrap_or(NOTHING), self.state));
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.state.path.push(Segment::Field(self.tag.to_owned()));
        let result = Decoder::new(self.value.unwrap_or(NOTHING), self.state).deserialize_seq(visitor);
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.state.path.push(Segment::Field(self.tag.to_owned()));
        let decoder = Decoder::new(self.value.unwrap_or(NOTHING), self.state);
        let result = decoder.deserialize_struct("object", fields, visitor);
        let result = result.map_err(|failure| self.state.note(failure));
        self.state.path.pop();
        result
    }
}
