//! What Go leaves out when it writes an object: fields of value types that hold their zero value.
//!
//! The API server reads and writes through Go's types, so that `hostNetwork: false` or `labels: {}` is not there any more when it
//! is read back, while `automountServiceAccountToken: false`, a pointer in Go, stays.

use serde_json::Value;

use crate::kube::api::MAPS;

/// Booleans that are no pointers.
const FLAGS: &[&str] = &[
    "globalDefault",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "readOnly",
    "stdin",
    "stdinOnce",
    "tty",
    "unschedulable",
];
/// Numbers that are no pointers.
const NUMBERS: &[&str] = &[
    "failureThreshold",
    "generation",
    "hostPort",
    "initialDelaySeconds",
    "periodSeconds",
    "successThreshold",
    "timeoutSeconds",
];
/// Strings that are pointers, where the empty one means something.
const STRING_POINTERS: &[&str] = &["storageClassName", "service"];

/// Whether a field of that name and value is the same as none.
pub(super) fn is_left_out(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag && FLAGS.contains(&name),
        Value::Number(number) => number.as_i64() == Some(0) && NUMBERS.contains(&name),
        Value::String(text) => text.is_empty() && !STRING_POINTERS.contains(&name),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty() && MAPS.contains(&name),
    }
}
