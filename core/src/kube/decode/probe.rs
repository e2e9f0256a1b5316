//! Asking a type what it would have liked: a deserialiser that gives zero values and notes
//! the Go name of what was asked for.

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::state::Failure;

/// Answers every request with a zero value and writes down the Go type that it means.
pub(super) struct Probe<'a> {
    pub(super) go_type: &'a mut String,
}

/// The Go name of a structure.
pub(super) fn struct_type(name: &str) -> String {
    match name {
        "Quantity" => "resource.Quantity".to_owned(),
        "IntOrString" => "intstr.IntOrString".to_owned(),
        _ => format!("v1.{name}"),
    }
}

macro_rules! zero {
    ($($method:ident $go:literal $visit:ident($zero:expr);)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            self.go_type.push_str($go);
            visitor.$visit($zero)
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Failure;

    zero! {
        deserialize_bool "bool" visit_bool(false);
        deserialize_i8 "int8" visit_i8(0);
        deserialize_i16 "int16" visit_i16(0);
        deserialize_i32 "int32" visit_i32(0);
        deserialize_i64 "int64" visit_i64(0);
        deserialize_u8 "uint8" visit_u8(0);
        deserialize_u16 "uint16" visit_u16(0);
        deserialize_u32 "uint32" visit_u32(0);
        deserialize_u64 "uint64" visit_u64(0);
        deserialize_f32 "float32" visit_f32(0.0);
        deserialize_f64 "float64" visit_f64(0.0);
        deserialize_char "string" visit_char(' ');
        deserialize_str "string" visit_str("");
        deserialize_string "string" visit_str("");
        deserialize_bytes "[]uint8" visit_bytes(&[]);
        deserialize_byte_buf "[]uint8" visit_bytes(&[]);
        deserialize_identifier "string" visit_str("");
        deserialize_any "interface {}" visit_str("");
        deserialize_ignored_any "interface {}" visit_str("");
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.go_type.push_str(&struct_type(name));
        let mut inner = String::new();
        visitor.visit_newtype_struct(Probe { go_type: &mut inner })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.go_type.push_str("[]");
        visitor.visit_seq(Once { go_type: Some(self.go_type), value_type: None })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
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
        self.go_type.push_str("map[string]");
        visitor.visit_map(Once { go_type: None, value_type: Some(self.go_type) })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.go_type.push_str(&struct_type(name));
        visitor.visit_map(Once { go_type: None, value_type: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.go_type.push_str(name);
        visitor.visit_enum(variants.first().copied().unwrap_or_default().into_deserializer())
    }
}

/// A list or map with one entry, so that the type of its entries gets asked for; or with none.
struct Once<'a> {
    go_type: Option<&'a mut String>,
    value_type: Option<&'a mut String>,
}

impl<'de> SeqAccess<'de> for Once<'_> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        self.go_type.take().map(|go_type| seed.deserialize(Probe { go_type })).transpose()
    }
}

impl<'de> MapAccess<'de> for Once<'_> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        if self.value_type.is_none() {
            return Ok(None);
        }
        let key = IntoDeserializer::<de::value::Error>::into_deserializer("");
        seed.deserialize(key).map(Some).map_err(|error| Failure::new(error.to_string()))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        match self.value_type.take() {
            Some(go_type) => seed.deserialize(Probe { go_type }),
            None => Err(Failure::new("a value was asked for without its key".to_owned())),
        }
    }
}
