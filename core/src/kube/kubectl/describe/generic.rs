//! Kinds without a describer of their own: their fields, with names for people.

use serde_json::Value;

use super::lines::Lines;
use crate::kube::api::Object;
use crate::kube::kubectl::print::go_value;
use crate::kube::kubectl::wire::wire_json;
use crate::order::InOrder;

/// Describes an object by its fields.
pub(super) fn describe(object: &Object) -> String {
    let mut lines = Lines::default();
    fields_of(&mut lines, object);
    lines.finish()
}

/// Writes an object's fields.
pub(super) fn fields_of(lines: &mut Lines, object: &Object) {
    let value = wire_json(object);
    let meta = object.meta();
    lines.put(0, &format!("Name:\t{}", object.name()));
    lines.put(0, &format!("Namespace:\t{}", object.namespace()));
    lines.labels("Labels", meta.labels.as_ref());
    lines.annotations("Annotations", meta.annotations.as_ref());
    let skip = [
        ".metadata.name",
        ".metadata.namespace",
        ".metadata.labels",
        ".metadata.annotations",
        ".metadata.managedFields",
    ];
    fields(lines, 0, &value, "", &skip);
}

fn fields(lines: &mut Lines, level: usize, value: &Value, prefix: &str, skip: &[&str]) {
    let Some(map) = value.as_object() else { return };
    let mut keys: Vec<&String> = map.keys().collect();
    // Upper and lower case sort as one.
    keys.order_by_key(|key| label(key));
    for key in keys {
        let path = format!("{prefix}.{key}");
        if skip.contains(&path.as_str()) {
            continue;
        }
        match &map[key] {
            Value::Object(_) => {
                lines.put(level, &format!("{}:", label(key)));
                fields(lines, level + 1, &map[key], &path, skip);
            }
            Value::Array(items) => {
                lines.put(level, &format!("{}:", label(key)));
                for item in items {
                    match item {
                        Value::Object(_) => fields(lines, level + 1, item, &path, skip),
                        other => lines.put(level + 1, &go_value(other)),
                    }
                }
            }
            Value::Null => lines.put(level, &format!("{}:\t<nil>", label(key))),
            other => lines.put(level, &format!("{}:\t{}", label(key), go_value(other))),
        }
    }
}

/// `creationTimestamp` as `Creation Timestamp`, `uid` as `UID`.
fn label(field: &str) -> String {
    if field.contains(['/', '.', '-', '_']) {
        return field.to_owned();
    }
    let chars: Vec<char> = field.chars().collect();
    let mut words = vec![String::new()];
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(i + 1);
        let begins = c.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || after.is_some_and(|after| after.is_lowercase())
            });
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(*c);
        }
    }
    let words: Vec<String> = words
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(|word| match word.to_uppercase().as_str() {
            upper @ ("API" | "URL" | "UID" | "OSB" | "GUID" | "ID" | "IP" | "DNS") => upper.to_owned(),
            _ => {
                let mut rest = word.chars();
                rest.next()
                    .map(|first| first.to_uppercase().collect::<String>() + rest.as_str())
                    .unwrap_or_default()
            }
        })
        .collect();
    words.join(" ")
}
