//! The deserialiser itself.

use serde::de::{self, Deserializer, IntoDeserializer, Visitor};
use serde_json::{Number, Value};

use super::access::{Entries, Items, Variant};
use super::probe::{Probe, struct_type};
use super::state::{Failure, State, found, go_kind};
use super::{Dialect, ProblemKind};
use crate::kube::quantity::Amount;

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
