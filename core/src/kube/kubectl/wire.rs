//! Objects as the real API server sends them, and as kubectl shows them.

use serde_json::{Map, Value};

use crate::kube::api::Object;

/// The JSON of an object, as a client receives it.
pub fn wire_json(object: &Object) -> Value {
    object.to_json()
}

/// Takes what the server manages alone out of an object's metadata.
pub(super) fn without_managed_fields(value: &mut Value) {
    if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
    }
}

/// An empty JSON object.
pub(super) fn empty() -> Value {
    Value::Object(Map::new())
}
