//! YAML as kubectl prints it: `sigs.k8s.io/yaml`, that is go-yaml version 2 over libyaml's emitter.
//!
//! Keys in order (digits by their number), lists not indented below their key,
//! text plain where that is unambiguous, else quoted, text of several lines as
//! a block, and long text folded after column 80.

use crate::order::InOrder;
use serde_json::Value;

use super::yaml_scalar::{Facts, needs_quotes};

/// After this column, a space is turned into a line break.
const BEST_WIDTH: usize = 80;

/// A document.
///
/// ```
/// use clusterlab::kube::kubectl::print::yaml;
///
/// let object = serde_json::json!({"kind": "Pod", "list": [{"name": "a", "on": "true"}], "text": "one\ntwo\n"});
/// assert_eq!(yaml(&object), "kind: Pod\nlist:\n- name: a\n  \"on\": \"true\"\ntext: |\n  one\n  two\n");
/// ```
pub fn yaml(value: &Value) -> String {
    let mut emitter = Emitter { out: String::new(), column: 0 };
    emitter.node(value, 0, Place::Root);
    emitter.out
}

/// Where a value stands: what goes before it, and how deep its contents are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing stands before it.
    Root,
    /// After `key:`.
    Value,
    /// After `- `.
    Item,
}

struct Emitter {
    out: String,
    column: usize,
}

impl Emitter {
    /// Writes a value whose line begins at column `indent`, and the newline after it.
    fn node(&mut self, value: &Value, indent: usize, place: Place) {
        match value {
            Value::Object(map) if map.is_empty() => self.inline("{}", place),
            Value::Array(items) if items.is_empty() => self.inline("[]", place),
            Value::Object(map) => {
                // A map begins on the line of its dash, and on a line of its own after a key.
                let (inner, mut first_inline) = match place {
                    Place::Root => (indent, true),
                    Place::Value => (indent + 2, false),
                    Place::Item => (indent + 2, true),
                };
                if place == Place::Value {
                    self.newline();
                }
                let mut keys: Vec<&String> = map.keys().collect();
                keys.order_by(|a, b| natural_order(a, b));
                for key in keys {
                    if first_inline {
                        first_inline = false;
                    } else {
                        self.spaces(inner);
                    }
                    self.key(key, inner);
                    self.node(&map[key], inner, Place::Value);
                }
            }
            Value::Array(items) => {
                let inner = match place {
                    Place::Root | Place::Value => indent,
                    Place::Item => indent + 2,
                };
                if place == Place::Value {
                    self.newline();
                }
                let mut first_inline = place != Place::Value;
                for item in items {
                    if first_inline {
                        first_inline = false;
                    } else {
                        self.spaces(inner);
                    }
                    self.put("- ");
                    self.node(item, inner, Place::Item);
                }
            }
            Value::String(text) => {
                if place == Place::Value {
                    self.put(" ");
                }
                self.scalar(text, indent + 2, true);
                if !text.contains('\n') || !self.out.ends_with('\n') {
                    self.newline();
                }
            }
            Value::Null => self.inline("null", place),
            Value::Bool(value) => self.inline(if *value { "true" } else { "false" }, place),
            Value::Number(number) => {
                let text = super::number(number);
                self.inline(&text, place);
            }
        }
    }

    fn inline(&mut self, text: &str, place: Place) {
        if place == Place::Value {
            self.put(" ");
        }
        self.put(text);
        self.newline();
    }

    fn key(&mut self, key: &str, indent: usize) {
        if key.len() > 128 {
            self.put("? ");
            self.scalar(key, indent + 2, false);
            self.newline();
            self.spaces(indent);
        } else {
            self.scalar(key, indent, false);
        }
        self.put(":");
    }

    /// Writes text in the plainest style that reads back as the same text.
    fn scalar(&mut self, text: &str, indent: usize, is_value: bool) {
        let facts = Facts::of(text);
        let block = text.contains('\n');
        if block && is_value && facts.block_allowed {
            self.literal(text, indent);
        } else if block || needs_quotes(text) {
            self.double_quoted(text, indent, is_value);
        } else if facts.plain_allowed && !(text.is_empty()) {
            self.folded(text, indent, is_value, None);
        } else if facts.single_quoted_allowed {
            self.put("'");
            self.folded(text, indent, is_value, Some('\''));
            self.put("'");
        } else {
            self.double_quoted(text, indent, is_value);
        }
    }

    /// Plain or single-quoted text: folded at a single space beyond the best width.
    fn folded(&mut self, text: &str, indent: usize, breaks: bool, quote: Option<char>) {
        let chars: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (i, &c) in chars.iter().enumerate() {
            if c == ' ' {
                let inside = quote.is_none() || (i > 0 && i + 1 < chars.len());
                let single = chars.get(i + 1) != Some(&' ');
                if breaks && !after_space && self.column > BEST_WIDTH && inside && single {
                    self.newline();
                    self.spaces(indent);
                } else {
                    self.put_char(c);
                }
                after_space = true;
            } else {
                if Some(c) == quote {
                    self.put_char(c);
                }
                self.put_char(c);
                after_space = false;
            }
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, breaks: bool) {
        self.put("\"");
        let chars: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (i, &c) in chars.iter().enumerate() {
            if c == ' ' {
                let inside = i > 0 && i + 1 < chars.len();
                if breaks && !after_space && self.column > BEST_WIDTH && inside {
                    self.newline();
                    self.spaces(indent);
                    if chars[i + 1] == ' ' {
                        self.put("\\");
                    }
                } else {
                    self.put_char(c);
                }
                after_space = true;
                continue;
            }
            after_space = false;
            let escape = match c {
                '\0' => "\\0".to_owned(),
                '\u{7}' => "\\a".to_owned(),
                '\u{8}' => "\\b".to_owned(),
                '\t' => "\\t".to_owned(),
                '\n' => "\\n".to_owned(),
                '\u{b}' => "\\v".to_owned(),
                '\u{c}' => "\\f".to_owned(),
                '\r' => "\\r".to_owned(),
                '\u{1b}' => "\\e".to_owned(),
                '"' => "\\\"".to_owned(),
                '\\' => "\\\\".to_owned(),
                '\u{85}' => "\\N".to_owned(),
                '\u{2028}' => "\\L".to_owned(),
                '\u{2029}' => "\\P".to_owned(),
                c if super::yaml_scalar::is_printable(c) && c != '\u{feff}' => c.to_string(),
                c if u32::from(c) <= 0xff => format!("\\x{:02X}", u32::from(c)),
                c if u32::from(c) <= 0xffff => format!("\\u{:04X}", u32::from(c)),
                c => format!("\\U{:08X}", u32::from(c)),
            };
            self.put(&escape);
        }
        self.put("\"");
    }

    /// `|`, then the lines as they are.
    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        if !text.ends_with('\n') {
            self.put("-");
        } else if text.len() == 1 || text.ends_with("\n\n") {
            self.put("+");
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            self.newline();
            if !line.is_empty() {
                self.spaces(indent);
                self.put(line);
            }
        }
        self.newline();
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn put_char(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
        self.column += count;
    }

    fn newline(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }
}

/// The order of keys: runs of digits compare as numbers, letters come after other characters.
fn natural_order(a: &str, b: &str) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut digits = false;
    let mut i = 0;
    while i < a.len() && i < b.len() {
        if a[i] == b[i] {
            digits = a[i].is_numeric();
            i += 1;
            continue;
        }
        let (al, bl) = (a[i].is_alphabetic(), b[i].is_alphabetic());
        if al && bl {
            return a[i].cmp(&b[i]);
        }
        if al || bl {
            // After digits, a letter ends the number and so comes first; else it comes last.
            let letter_first = if digits { al } else { bl };
            return if letter_first { Ordering::Less } else { Ordering::Greater };
        }
        // A number that begins with a zero is compared digit by digit from there.
        let starts_with_zero = |text: &[char], other: &[char]| text[i] == '0' && other[i].is_numeric();
        if starts_with_zero(&a, &b) || starts_with_zero(&b, &a) {
            let mut j = i;
            let mut nonzero = false;
            while j > 0 && a[j - 1].is_numeric() {
                if a[j - 1] != '0' {
                    nonzero = true;
                    break;
                }
                j -= 1;
            }
            if !nonzero && (a[i] == '0') != (b[i] == '0') && j == i {
                return a[i].cmp(&b[i]);
            }
        }
        let number = |text: &[char]| {
            let digits: Vec<char> = text[i..].iter().copied().take_while(|c| c.is_numeric()).collect();
            let value = digits.iter().fold(0_u128, |sum, c| {
                sum.saturating_mul(10).saturating_add(u128::from(c.to_digit(10).unwrap_or(0)))
            });
            (digits.len(), value)
        };
        let ((an, av), (bn, bv)) = (number(&a), number(&b));
        return av.cmp(&bv).then(an.cmp(&bn)).then(a[i].cmp(&b[i]));
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: &Value, expect: &str) {
        assert_eq!(yaml(value), expect);
    }

    #[test]
    fn lists_are_not_indented_below_their_key() {
        check(
            &json!({"a": [{"b": [1, [2, 3]], "c": {}}, "x"], "z": []}),
            "a:\n- b:\n  - 1\n  - - 2\n    - 3\n  c: {}\n- x\nz: []\n",
        );
    }

    #[test]
    fn text_is_quoted_only_where_it_would_read_as_something_else() {
        for (text, expect) in [
            ("plain text", "plain text"),
            ("", "\"\""),
            ("true", "\"true\""),
            ("y", "\"y\""),
            ("null", "\"null\""),
            ("~", "\"~\""),
            ("12", "\"12\""),
            ("0x1f", "\"0x1f\""),
            ("1e3", "\"1e3\""),
            ("1.5", "\"1.5\""),
            ("1_000", "\"1_000\""),
            ("10:30", "\"10:30\""),
            ("2026-11-23T15:00:41Z", "\"2026-11-23T15:00:41Z\""),
            ("v1.36.2", "v1.36.2"),
            ("25%", "25%"),
            ("a: b", "'a: b'"),
            ("a:b", "a:b"),
            ("# x", "'# x'"),
            ("a #b", "'a #b'"),
            ("*", "'*'"),
            ("-x", "-x"),
            ("- x", "'- x'"),
            ("it's: x", "'it''s: x'"),
            (" lead", "' lead'"),
            ("a\tb", "\"a\\tb\""),
            ("{}", "'{}'"),
            ("100m", "100m"),
            ("=", "="),
            ("<<", "\"<<\""),
        ] {
            check(&json!({"k": text}), &format!("k: {expect}\n"));
        }
    }

    #[test]
    fn text_of_several_lines_is_a_block_with_its_chomping() {
        check(&json!({"k": "a\nb\n"}), "k: |\n  a\n  b\n");
        check(&json!({"k": "a\n\nb"}), "k: |-\n  a\n\n  b\n");
        check(&json!({"k": "a\n\n"}), "k: |+\n  a\n\n");
        check(&json!({"k": " a\nb\n"}), "k: |2\n   a\n  b\n");
        check(&json!({"k": "a \nb\n"}), "k: \"a \\nb\\n\"\n");
    }

    #[test]
    fn long_text_is_folded_as_recorded() {
        // Scenario 810.
        let message = "Successfully pulled image \"nginx:1.27\" in 1.318s (1.318s including waiting). Image size: 215239003 bytes.";
        check(
            &json!([{ "message": message }]),
            "- message: 'Successfully pulled image \"nginx:1.27\" in 1.318s (1.318s including waiting).\n    Image size: 215239003 bytes.'\n",
        );
    }

    #[test]
    fn keys_with_numbers_are_in_the_order_of_the_numbers() {
        check(&json!({"a10": 1, "a9": 2, "b": 3, "f:x": 4, ".": 5}), ".: 5\na9: 2\na10: 1\nb: 3\nf:x: 4\n");
    }
}
