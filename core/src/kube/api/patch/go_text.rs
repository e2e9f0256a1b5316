//! A JSON value as Go's `fmt` prints it with `%v`: `map[a:1 b:[x y]]`.

use crate::order::InOrder;
use serde_json::Value;

pub(in crate::kube::api) fn go_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(go_text).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(entries) => {
            // Go prints maps in the order of their keys, whatever order they came in.
            let mut entries: Vec<_> = entries.iter().collect();
            entries.order_by_key(|(key, _)| *key);
            let entries: Vec<_> =
                entries.into_iter().map(|(key, value)| format!("{key}:{}", go_text(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}
