//! The deserialiser itself.
//!
//! It is one type for two tasks, so that each Kubernetes type is compiled for one deserialiser only: it decodes a value; and
//! where a value is missing or of another type, it makes the zero value and notes what Go would call the type (see
//! [`Source::Zero`]). What does not depend on the type is kept out of the generic functions for the same reason.

use serde::de::{self, Deserializer, Visitor};
use serde_json::{Number, Value};

use super::access::{Entries, Items, Variant};
use super::state::{Failure, State};
use super::{Dialect, ProblemKind};
use crate::kube::quantity::Amount;

/// What a value is made from.
#[derive(Clone, Copy)]
pub(super) enum Source<'de> {
    /// This one.
    Value(&'de Value),
    /// This text, in place of a value that was wrong.
    Text(&'static str),
    /// Nothing: a zero value is made, and the Go name of what is asked for is written to [`State::go_type`].
    Zero,
}

/// A value about to be decoded.
pub(super) struct Decoder<'a, 'de> {
    source: Source<'de>,
    state: &'a mut State,
}

impl<'a, 'de> Decoder<'a, 'de> {
    pub(super) fn new(value: &'de Value, state: &'a mut State) -> Self {
        Self { source: Source::Value(value), state }
    }

    pub(super) fn of(source: Source<'de>, state: &'a mut State) -> Self {
        Self { source, state }
    }

    /// What is decoded, unless it stands for the zero value: then the type's Go name is noted, if it is asked for.
    fn given(&mut self, go_type: &str) -> Option<&'de Value> {
        match self.source {
            Source::Value(value) => {
                (!(value.is_null() && self.state.dialect == Dialect::Kubernetes)).then_some(value)
            }
            Source::Text(_) | Source::Zero => {
                self.state.name(go_type);
                None
            }
        }
    }

    fn integer<T: Default>(&mut self, go_type: &str, read: fn(&Number) -> Option<T>) -> T {
        let Some(value) = self.given(go_type) else { return T::default() };
        let Value::Number(number) = value else {
            self.state.wrong_type("a number", go_type, value);
            return T::default();
        };
        read(number).unwrap_or_else(|| {
            self.state.wrong_type("a whole number", go_type, value);
            T::default()
        })
    }

    fn flag(&mut self) -> bool {
        let Some(value) = self.given("bool") else { return false };
        value.as_bool().unwrap_or_else(|| {
            self.state.wrong_type("true or false", "bool", value);
            false
        })
    }

    fn float(&mut self) -> f64 {
        let Some(value) = self.given("float64") else { return 0.0 };
        value.as_f64().unwrap_or_else(|| {
            self.state.wrong_type("a number", "float64", value);
            0.0
        })
    }

    fn text(&mut self) -> &'de str {
        if let Source::Text(text) = self.source {
            return text;
        }
        let Some(value) = self.given("string") else { return "" };
        value.as_str().unwrap_or_else(|| {
            self.state.wrong_type("a string", "string", value);
            ""
        })
    }

    /// What the inside of a type with a text form is decoded from. Problems are noted here, since the types' own say too little.
    fn inside(&mut self, name: &str) -> Source<'de> {
        let Source::Value(value) = self.source else { return self.source };
        match name {
            "Quantity" => {
                if value.is_null() && self.state.dialect == Dialect::Kubernetes {
                    return Source::Text("0");
                }
                // Go's decoder hands the raw text to the quantity, whatever its type.
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if let Err(error) = text.parse::<Amount>() {
                    self.state.add(ProblemKind::Invalid { message: error.to_string() });
                    return Source::Text("0");
                }
                let scalar = matches!(value, Value::String(_) | Value::Number(_));
                if scalar { self.source } else { Source::Text("0") }
            }
            "Time" | "MicroTime" => {
                const ZERO: &str = "0001-01-01T00:00:00Z";
                match value.as_str() {
                    Some(text) if text.parse::<jiff::Timestamp>().is_ok() => self.source,
                    Some(text) => {
                        let message = format!(
                            "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\""
                        );
                        self.state.add(ProblemKind::Invalid { message });
                        Source::Text(ZERO)
                    }
                    None => {
                        if self.given("string").is_some() {
                            self.state.wrong_type("a time", "string", value);
                        }
                        Source::Text(ZERO)
                    }
                }
            }
            _ => self.source,
        }
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $ty:ty, $go:literal $read:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
            visitor.$visit(self.integer($go, |number| number.$read().and_then(|n| <$ty>::try_from(n).ok())))
        })*
    };
}

/// Methods of which one decodes as another does.
macro_rules! same {
    ($($method:ident = $other:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            self.$other(visitor)
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

    same! {
        deserialize_f32 = deserialize_f64;
        deserialize_string = deserialize_str;
        deserialize_char = deserialize_str;
        deserialize_identifier = deserialize_str;
        deserialize_bytes = deserialize_str;
        deserialize_byte_buf = deserialize_str;
        deserialize_ignored_any = deserialize_unit;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Self { source, state } = self;
        let value = match source {
            Source::Value(value) => value,
            Source::Text(text) => return visitor.visit_borrowed_str(text),
            Source::Zero => {
                state.name("interface {}");
                return visitor.visit_borrowed_str("");
            }
        };
        let result = match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => number.deserialize_any(visitor).map_err(|e| Failure::new(e.to_string())),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(_) => visitor.visit_seq(Items::new(source, state)),
            Value::Object(_) => visitor.visit_map(Entries::new(source, None, state)),
        };
        result.map_err(|failure| state.neither_number_nor_text(failure, value))
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_bool(self.flag())
    }

    fn deserialize_f64<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_f64(self.float())
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_borrowed_str(self.text())
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
        if matches!(self.source, Source::Value(Value::Null)) {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let source = self.inside(name);
        let Self { state, .. } = self;
        let silent = state.enter_newtype(source, name);
        let result = visitor.visit_newtype_struct(Decoder { source, state });
        state.silent = silent;
        result
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Self { source, state } = self;
        let wrong = state.enter_list(source);
        let result = visitor.visit_seq(Items::new(source, state));
        state.leave_wrong(wrong, "a list");
        result
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Failure> {
        // One that is too short fails when an item is missed; items too many would be dropped silently.
        match self.source {
            Source::Value(Value::Array(items)) if items.len() > length => {
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
        let Self { source, state } = self;
        let wrong = state.enter_map(source);
        let result = visitor.visit_map(Entries::new(source, None, state));
        state.leave_wrong(wrong, "an object");
        result
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let Self { source, state } = self;
        state.enter_struct(source, name);
        let result = visitor.visit_map(Entries::new(source, Some(fields), state));
        match result {
            Ok(value) => {
                state.leave_struct(source);
                Ok(value)
            }
            Err(failure) => Err(state.fail_struct(source, failure)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let Self { source, state } = self;
        let variant = Variant::new(source, name, variants, state)?;
        visitor.visit_enum(variant)
    }
}
