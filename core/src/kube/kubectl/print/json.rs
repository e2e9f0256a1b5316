//! JSON as Go's `encoding/json` writes it: keys in order, `<`, `>` and `&` as escapes.

use serde_json::Value;

/// One line, as `json.Marshal` writes it.
pub fn compact(value: &Value) -> String {
    let mut out = String::new();
    put(value, None, 0, &mut out);
    out
}

/// Indented by four spaces, without a final newline, as `kubectl get -o json` prints.
pub fn pretty(value: &Value) -> String {
    indented(value, "    ")
}

/// Indented by `indent`, without a final newline.
pub fn indented(value: &Value, indent: &str) -> String {
    let mut out = String::new();
    put(value, Some(indent), 0, &mut out);
    out
}

fn put(value: &Value, indent: Option<&str>, depth: usize, out: &mut String) {
    let newline = |out: &mut String, depth: usize| {
        if let Some(indent) = indent {
            out.push('\n');
            for _ in 0..depth {
                out.push_str(indent);
            }
        }
    };
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&super::number(number)),
        Value::String(text) => quote(text, out),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                newline(out, depth + 1);
                put(item, indent, depth + 1, out);
            }
            newline(out, depth);
            out.push(']');
        }
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                newline(out, depth + 1);
                quote(key, out);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                put(item, indent, depth + 1, out);
            }
            newline(out, depth);
            out.push('}');
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_go_does() {
        let value = serde_json::json!({"b": "<a & b>\n\u{1}", "a": [], "c": {}});
        assert_eq!(compact(&value), r#"{"a":[],"b":"\u003ca \u0026 b\u003e\n\u0001","c":{}}"#);
        assert_eq!(pretty(&serde_json::json!({"a": [1]})), "{\n    \"a\": [\n        1\n    ]\n}");
    }
}
