//! The evaluator: each node turns the current values into the next ones.

use serde_json::{Number, Value};

use super::{JsonPathError, Node, Param};

type Result<T> = std::result::Result<T, JsonPathError>;

/// Applies a template to `data`: one list of values per piece of text or action.
pub(super) fn find(nodes: &[Node], data: &Value) -> Result<Vec<Vec<Value>>> {
    let mut out = Vec::new();
    sequence(nodes, Some(data), 0, &mut out)?;
    Ok(out)
}

/// What an action asks the loop around it to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    BeginRange,
    EndRange,
}

/// Runs `nodes` up to the `{end}` of this range; answers how many nodes that were.
fn sequence(nodes: &[Node], data: Option<&Value>, depth: usize, out: &mut Vec<Vec<Value>>) -> Result<usize> {
    let mut i = 0;
    while let Some(node) = nodes.get(i) {
        let (results, flow) = match node {
            Node::List(list) => {
                let mut flow = Flow::Next;
                let current = data.cloned().into_iter().collect();
                (walk_list(list, current, depth, &mut flow)?, flow)
            }
            Node::Text(text) => (vec![Value::String(text.clone())], Flow::Next),
            _ => (Vec::new(), Flow::Next),
        };
        i += 1;
        match flow {
            Flow::EndRange => return Ok(i),
            Flow::BeginRange => {
                let body = &nodes[i..];
                let mut length = None;
                for value in &results {
                    length = Some(sequence(body, Some(value), depth + 1, out)?);
                }
                // Without values the body is still walked, to find its end.
                let length = match length {
                    Some(length) => length,
                    None => sequence(body, None, depth + 1, &mut Vec::new())?,
                };
                i += length;
            }
            Flow::Next => out.push(results),
        }
    }
    Ok(i)
}

fn walk_list(list: &[Node], input: Vec<Value>, depth: usize, flow: &mut Flow) -> Result<Vec<Value>> {
    let mut current = input;
    for node in list {
        current = walk(node, current, depth, flow)?;
    }
    Ok(current)
}

fn walk(node: &Node, input: Vec<Value>, depth: usize, flow: &mut Flow) -> Result<Vec<Value>> {
    match node {
        Node::List(list) => walk_list(list, input, depth, flow),
        Node::Text(text) => Ok(vec![Value::String(text.clone())]),
        Node::Int(int) => Ok(vec![Value::from(*int)]),
        Node::Float(float) => Ok(vec![Number::from_f64(*float).map_or(Value::Null, Value::Number)]),
        Node::Bool(value) => Ok(vec![Value::Bool(*value)]),
        Node::Identifier(word) => match word.as_str() {
            "range" => {
                *flow = Flow::BeginRange;
                Ok(input)
            }
            "end" if depth > 0 => {
                *flow = Flow::EndRange;
                Ok(input)
            }
            "end" => Err(JsonPathError("not in range, nothing to end".to_owned())),
            other => Err(JsonPathError(format!("unrecognized identifier {other}"))),
        },
        Node::Field(name) => Ok(input
            .into_iter()
            .filter_map(|value| match value {
                Value::Object(mut map) if !name.is_empty() => map.remove(name),
                // `{.}` is the value itself.
                value if name.is_empty() => Some(value),
                _ => None,
            })
            .collect()),
        Node::Wildcard => Ok(input.into_iter().flat_map(children).collect()),
        Node::Recursive => {
            let mut out = Vec::new();
            descend(input, &mut out);
            Ok(out)
        }
        Node::Union(members) => {
            let mut out = Vec::new();
            for member in members {
                out.extend(walk_list(member, input.clone(), depth, flow)?);
            }
            Ok(out)
        }
        Node::Array(params) => {
            let mut out = Vec::new();
            for value in input {
                match value {
                    Value::Null => {}
                    Value::Array(items) => out.extend(slice(items, *params)?),
                    other => {
                        return Err(JsonPathError(format!("{} is not array or slice", go_type(&other))));
                    }
                }
            }
            Ok(out)
        }
        Node::Filter { left, right, operator } => filter(&input, left, right, operator, depth),
    }
}

fn children(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Object(map) => map.into_iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    }
}

/// Every map and list at any depth, outermost first.
fn descend(input: Vec<Value>, out: &mut Vec<Value>) {
    for value in input {
        let inner = children(value.clone());
        if !inner.is_empty() {
            out.push(value);
            descend(inner, out);
        }
    }
}

fn slice(items: Vec<Value>, [start, end, step]: [Param; 3]) -> Result<Vec<Value>> {
    let length = items.len() as i64;
    let mut from = if start.known { start.value } else { 0 };
    if from < 0 {
        from += length;
    }
    let mut to = if end.known { end.value } else { length };
    if to < 0 || (to == 0 && end.derived) {
        to += length;
    }
    if from == to {
        return Ok(Vec::new());
    }
    let bounds =
        |index: i64| JsonPathError(format!("array index out of bounds: index {index}, length {length}"));
    if from >= length || from < 0 {
        return Err(bounds(from));
    }
    if to > length || to < 0 {
        return Err(bounds(to - 1));
    }
    if from > to {
        return Err(JsonPathError(format!("starting index {from} is greater than ending index {to}")));
    }
    let step = if step.known { step.value } else { 1 };
    if step <= 0 {
        return Err(JsonPathError("step must be > 0".to_owned()));
    }
    // All three are within the list's length here.
    Ok(items.into_iter().take(to as usize).skip(from as usize).step_by(step as usize).collect())
}

fn filter(
    input: &[Value],
    left: &[Node],
    right: &[Node],
    operator: &str,
    depth: usize,
) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for value in input {
        let Value::Array(items) = value else {
            return Err(JsonPathError(format!(
                "{} is not array or slice and cannot be filtered",
                super::super::print::go_value(value)
            )));
        };
        for item in items {
            let side = |nodes: &[Node]| walk_list(nodes, vec![item.clone()], depth, &mut Flow::Next);
            let lefts = side(left);
            if operator == "exists" {
                if lefts.is_ok_and(|lefts| !lefts.is_empty()) {
                    out.push(item.clone());
                }
                continue;
            }
            let lefts = lefts?;
            let Some(first) = one(&lefts)? else { continue };
            let rights = side(right)?;
            let Some(second) = one(&rights)? else { continue };
            if compare(first, second, operator)? {
                out.push(item.clone());
            }
        }
    }
    Ok(out)
}

fn one(values: &[Value]) -> Result<Option<&Value>> {
    match values {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(JsonPathError("can only compare one element at a time".to_owned())),
    }
}

fn compare(left: &Value, right: &Value, operator: &str) -> Result<bool> {
    use std::cmp::Ordering;
    let incompatible = || JsonPathError("incompatible types for comparison".to_owned());
    let invalid = || JsonPathError("invalid type for comparison".to_owned());
    let order = match (left, right) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => {
            return match operator {
                "==" => Ok(a == b),
                "!=" => Ok(a != b),
                _ => Err(invalid()),
            };
        }
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            (None, None) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
            _ => return Err(incompatible()),
        },
        (Value::Null | Value::Array(_) | Value::Object(_), _)
        | (_, Value::Null | Value::Array(_) | Value::Object(_)) => {
            return Err(invalid());
        }
        _ => return Err(incompatible()),
    };
    Ok(match operator {
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<=" => order.is_le(),
        ">=" => order.is_ge(),
        other => return Err(JsonPathError(format!("unrecognized filter operator {other}"))),
    })
}

/// The Go type that kubectl keeps such a value in.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
