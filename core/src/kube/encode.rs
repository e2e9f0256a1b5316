//! From a type to a JSON tree.
//!
//! As [`serde_json::to_value`], in less code for each type and field: there are some two hundred types with more than a
//! thousand fields, and a visitor of the browser lab downloads what is compiled for them. What does not depend on the
//! type stands outside of the generic functions.

use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Error, Map, Value};

/// The JSON tree of a value.
///
/// # Errors
///
/// A map's key that is no text, number or truth value; or what the type itself refuses.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Value, Error> {
    value.serialize(Encoder)
}

struct Encoder;

/// A list, with the name of its form if it is that of an enum.
struct List {
    form: Option<&'static str>,
    items: Vec<Value>,
}

/// An object, with the name of its form if it is that of an enum.
struct Fields {
    form: Option<&'static str>,
    key: Option<String>,
    fields: Map<String, Value>,
}

impl List {
    fn new(form: Option<&'static str>, length: usize) -> Self {
        Self { form, items: Vec::with_capacity(length) }
    }

    fn put(&mut self, item: Result<Value, Error>) -> Result<(), Error> {
        self.items.push(item?);
        Ok(())
    }

    fn close(self) -> Value {
        in_form(self.form, Value::Array(self.items))
    }
}

impl Fields {
    fn new(form: Option<&'static str>) -> Self {
        Self { form, key: None, fields: Map::new() }
    }

    fn put(&mut self, key: &str, value: Result<Value, Error>) -> Result<(), Error> {
        self.fields.insert(key.to_owned(), value?);
        Ok(())
    }

    fn put_key(&mut self, key: Result<Value, Error>) -> Result<(), Error> {
        self.key = Some(match key? {
            Value::String(key) => key,
            Value::Number(key) => key.to_string(),
            Value::Bool(key) => key.to_string(),
            _ => return Err(Error::custom("key must be a string")),
        });
        Ok(())
    }

    fn put_value(&mut self, value: Result<Value, Error>) -> Result<(), Error> {
        let key = self.key.take().ok_or_else(|| Error::custom("a value without its key"))?;
        self.fields.insert(key, value?);
        Ok(())
    }

    fn close(self) -> Value {
        in_form(self.form, Value::Object(self.fields))
    }
}

/// `{"form": value}`, or the value alone.
fn in_form(form: Option<&'static str>, value: Value) -> Value {
    let Some(form) = form else { return value };
    let mut object = Map::new();
    object.insert(form.to_owned(), value);
    Value::Object(object)
}

macro_rules! plain {
    ($($method:ident $ty:ty;)*) => {
        $(fn $method(self, value: $ty) -> Result<Value, Error> {
            Ok(Value::from(value))
        })*
    };
}

impl Serializer for Encoder {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    plain! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_f32 f32;
        serialize_f64 f64;
        serialize_str &str;
        serialize_bytes &[u8];
    }

    fn serialize_char(self, value: char) -> Result<Value, Error> {
        Ok(Value::String(value.to_string()))
    }

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, form: &'static str) -> Result<Value, Error> {
        Ok(Value::from(form))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        form: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        Ok(in_form(Some(form), value.serialize(self)?))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<List, Error> {
        Ok(List::new(None, length.unwrap_or(0)))
    }

    fn serialize_tuple(self, length: usize) -> Result<List, Error> {
        Ok(List::new(None, length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<List, Error> {
        Ok(List::new(None, length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        form: &'static str,
        length: usize,
    ) -> Result<List, Error> {
        Ok(List::new(Some(form), length))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields, Error> {
        Ok(Fields::new(None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields, Error> {
        Ok(Fields::new(None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        form: &'static str,
        _: usize,
    ) -> Result<Fields, Error> {
        Ok(Fields::new(Some(form)))
    }
}

macro_rules! lists {
    ($($access:ident $method:ident;)*) => {
        $(impl $access for List {
            type Ok = Value;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.put(value.serialize(Encoder))
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.close())
            }
        })*
    };
}

lists! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! objects {
    ($($access:ident)*) => {
        $(impl $access for Fields {
            type Ok = Value;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.put(key, value.serialize(Encoder))
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.close())
            }
        })*
    };
}

objects! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Fields {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.put_key(key.serialize(Encoder))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.put_value(value.serialize(Encoder))
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.close())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::api::apps::v1::Deployment;
    use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod, Secret};
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    /// Encoded as `serde_json` encodes it.
    fn check<T: Serialize + ?Sized>(value: &T) {
        let (ours, theirs) = (encode(value), serde_json::to_value(value));
        assert_eq!(ours.map_err(|error| error.to_string()), theirs.map_err(|error| error.to_string()));
    }

    fn check_object<T: Serialize + DeserializeOwned>(json: &Value) {
        let object: T = serde_json::from_value(json.clone()).unwrap();
        check(&object);
    }

    #[test]
    fn objects_of_kubernetes_are_encoded_as_serde_json_does() {
        let pod = json!({
            "metadata": {"name": "a", "labels": {"x": "y"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {
                "containers": [{
                    "name": "main",
                    "ports": [{"containerPort": 80}],
                    "resources": {"limits": {"cpu": "1500m", "nvidia.com/gpu": "1"}},
                    "livenessProbe": {"httpGet": {"port": "web", "path": "/"}},
                }],
                "nodeSelector": {},
                "tolerations": [{"operator": "Exists"}],
                "terminationGracePeriodSeconds": -1,
            },
            "status": {"phase": "Running", "hostIPs": [{"ip": "10.0.0.1"}]},
        });
        check_object::<Pod>(&pod);
        check_object::<Pod>(&json!({"metadata": {}}));
        check_object::<Deployment>(&json!({
            "metadata": {"name": "d"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod, "replicas": 3},
        }));
        check_object::<ConfigMap>(&json!({"metadata": {}, "data": {"b": "2", "a": "1"}, "immutable": true}));
        check_object::<Secret>(&json!({"metadata": {}, "data": {"key": "AAEC"}}));
        check_object::<Node>(&json!({"metadata": {}, "status": {"images": [{"names": [], "sizeBytes": 5}]}}));
    }

    #[test]
    fn forms_numbers_and_keys_are_encoded_as_serde_json_does() {
        #[derive(Serialize)]
        enum Form {
            Unit,
            New(u8),
            Tuple(i8, f32),
            Fields { a: Option<char>, b: () },
        }
        check(&[Form::Unit, Form::New(1), Form::Tuple(-1, 0.5), Form::Fields { a: Some('x'), b: () }]);
        check(&(1_u64 << 63, -1_i64, 1.0_f64, f64::NAN, true, "text"));
        check(&BTreeMap::from([(2, "b"), (-1, "a")]));
        check(&BTreeMap::from([(true, 1_u16), (false, 0)]));
        check(&BTreeMap::from([(Some(()), 1)]));
    }
}
