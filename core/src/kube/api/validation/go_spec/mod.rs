//! The difference between two pod specs, as the refusal of an update shows it: lines of the API server's internal
//! form of the spec, which has Go's field names and order and holds every field, set or not.

mod fields;
mod lines;

use k8s_openapi::api::core::v1::PodSpec;
use serde_json::Value;

use fields::{Field, Form, POD_SPEC};

/// A unified difference, with three lines around each change.
pub(super) fn difference(old: &PodSpec, new: &PodSpec) -> String {
    lines::unified(&dump(old), &dump(new))
}

/// The internal form of a spec, line by line.
fn dump(spec: &PodSpec) -> Vec<String> {
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    gather_host_flags(&mut value);
    let mut writer = Writer { lines: vec![String::new()] };
    writer.fields(POD_SPEC, &value, 0);
    writer.lines
}

/// Internally, what a pod shares with its host is part of its security context.
fn gather_host_flags(spec: &mut Value) {
    let Value::Object(fields) = spec else { return };
    let moved: Vec<_> = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), fields.remove(name)?)))
        .collect();
    let context = fields.entry("securityContext").or_insert_with(|| Value::Object(serde_json::Map::new()));
    if let Value::Object(context) = context {
        context.extend(moved);
    }
}

/// Writes JSON indented by one space a level, as Go's `MarshalIndent` was told to.
struct Writer {
    lines: Vec<String>,
}

impl Writer {
    fn push(&mut self, text: &str) {
        if let Some(line) = self.lines.last_mut() {
            line.push_str(text);
        }
    }

    fn line(&mut self, depth: usize) {
        self.lines.push(" ".repeat(depth));
    }

    fn fields(&mut self, fields: &[Field], value: &Value, depth: usize) {
        self.push("{");
        for (i, field) in fields.iter().enumerate() {
            if i > 0 {
                self.push(",");
            }
            self.line(depth + 1);
            self.push(&format!("\"{}\": ", field.go));
            self.form(field.form, value.get(field.json), depth + 1);
        }
        self.line(depth);
        self.push("}");
    }

    fn form(&mut self, form: Form, value: Option<&Value>, depth: usize) {
        let given = value.filter(|value| !value.is_null());
        match (form, given) {
            (Form::Text, given) => self.push(&given.map_or_else(|| "\"\"".to_owned(), Value::to_string)),
            (Form::Flag, given) => self.push(&given.map_or_else(|| "false".to_owned(), Value::to_string)),
            (Form::Number, given) => self.push(&given.map_or_else(|| "0".to_owned(), Value::to_string)),
            (Form::Inline(fields), given) => self.fields(fields, given.unwrap_or(&Value::Null), depth),
            (_, None) => self.push("null"),
            (Form::Struct(fields), Some(value)) => self.fields(fields, value, depth),
            (Form::List(fields), Some(value)) => self.list(Some(fields), value, depth),
            (Form::Plain, Some(value)) => self.plain(value, depth),
        }
    }

    fn list(&mut self, fields: Option<&[Field]>, value: &Value, depth: usize) {
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        if items.is_empty() {
            self.push("null");
            return;
        }
        self.push("[");
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.push(",");
            }
            self.line(depth + 1);
            match fields {
                Some(fields) => self.fields(fields, item, depth + 1),
                None => self.plain(item, depth + 1),
            }
        }
        self.line(depth);
        self.push("]");
    }

    /// A value that is the same inside and outside.
    fn plain(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Array(_) => self.list(None, value, depth),
            Value::Object(entries) if entries.is_empty() => self.push("{}"),
            Value::Object(entries) => {
                self.push("{");
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        self.push(",");
                    }
                    self.line(depth + 1);
                    self.push(&format!("{}: ", Value::String(key.clone())));
                    self.plain(value, depth + 1);
                }
                self.line(depth);
                self.push("}");
            }
            scalar => self.push(&scalar.to_string()),
        }
    }
}
