//! JSON patch (RFC 6902), with the liberties of the library that the API server uses.

use serde_json::Value;

use crate::kube::api::{Reason, Status};

/// The API server tells no more than this of an operation that fails.
fn rejected() -> Status {
    Status::new(Reason::Invalid, "the server rejected our request due to an error in our request")
}

/// Applies a list of operations; all or none.
///
/// # Errors
///
/// `BadRequest` if this is no list of operations, `Invalid` if one cannot be applied.
pub fn apply(mut document: Value, patch: &Value) -> Result<Value, Status> {
    let operations = patch.as_array().filter(|list| list.iter().all(Value::is_object)).ok_or_else(|| {
        let (found, target) = match patch {
            Value::Array(list) => (kind_name(list.iter().find(|o| !o.is_object())), "handlers.jsonPatchOp"),
            other => (kind_name(Some(other)), "[]handlers.jsonPatchOp"),
        };
        let message =
            format!("error decoding patch: json: cannot unmarshal {found} into Go value of type {target}");
        Status::new(Reason::BadRequest, message)
    })?;
    if operations.len() > 10_000 {
        let message =
            format!("The allowed maximum operations in a JSON patch is 10000, got {}", operations.len());
        return Err(Status::new(Reason::BadRequest, message));
    }
    for operation in operations {
        step(&mut document, operation).ok_or_else(rejected)?;
    }
    Ok(document)
}

fn kind_name(value: Option<&Value>) -> &'static str {
    match value {
        Some(Value::Array(_)) => "array",
        Some(Value::Bool(_)) => "bool",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Object(_)) => "object",
        Some(Value::Null) | None => "null",
    }
}

fn step(document: &mut Value, operation: &Value) -> Option<()> {
    let path = operation.get("path")?.as_str()?;
    let from = || operation.get("from")?.as_str();
    match operation.get("op")?.as_str()? {
        "add" => add(document, path, operation.get("value")?.clone()),
        "remove" => remove(document, path).map(|_| ()),
        "replace" => replace(document, path, operation.get("value")?.clone()),
        "move" => {
            let value = remove(document, from()?)?;
            add(document, path, value)
        }
        "copy" => {
            let value = get(document, from()?)?.clone();
            add(document, path, value)
        }
        "test" => {
            let wanted = operation.get("value").unwrap_or(&Value::Null);
            (get(document, path).unwrap_or(&Value::Null) == wanted).then_some(())
        }
        _ => None,
    }
}

/// The steps of a pointer. What stands before the first slash is ignored, as the real library does.
fn steps(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// An index into a list; a negative one counts from the end.
fn index(step: &str, len: usize) -> Option<usize> {
    let number: i64 = step.parse().ok()?;
    if number >= 0 { usize::try_from(number).ok() } else { len.checked_sub(usize::try_from(-number).ok()?) }
}

fn child<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value {
        Value::Object(object) => object.get(step),
        Value::Array(items) => items.get(index(step, items.len())?),
        _ => None,
    }
}

fn get<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path).iter().try_fold(document, |value, step| child(value, step))
}

/// The container that a path's last step is in, and that step; `None` for the whole document.
fn parent<'a>(document: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let mut steps = steps(path);
    let last = steps.pop()?;
    let mut value = document;
    for step in steps {
        value = match value {
            Value::Object(object) => object.get_mut(&step)?,
            Value::Array(items) => {
                let at = index(&step, items.len())?;
                items.get_mut(at)?
            }
            _ => return None,
        };
    }
    Some((value, last))
}

fn add(document: &mut Value, path: &str, value: Value) -> Option<()> {
    let (container, step) = parent(document, path)?;
    match container {
        Value::Object(object) => {
            object.insert(step, value);
        }
        Value::Array(items) if step == "-" => items.push(value),
        Value::Array(items) => {
            let number: i64 = step.parse().ok()?;
            // A negative index names the place after it: -1 appends.
            let at = if number < 0 { index(&step, items.len() + 1)? } else { index(&step, items.len())? };
            if at > items.len() {
                return None;
            }
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(document: &mut Value, path: &str) -> Option<Value> {
    let (container, step) = parent(document, path)?;
    match container {
        Value::Object(object) => object.remove(&step),
        Value::Array(items) => {
            let at = index(&step, items.len()).filter(|at| *at < items.len())?;
            Some(items.remove(at))
        }
        _ => None,
    }
}

fn replace(document: &mut Value, path: &str, value: Value) -> Option<()> {
    let (container, step) = parent(document, path)?;
    match container {
        Value::Object(object) => {
            object.insert(step, value);
        }
        Value::Array(items) => {
            let at = index(&step, items.len())?;
            *items.get_mut(at)? = value;
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(document: Value, patch: &Value, expected: Result<Value, &str>) {
        let result = apply(document, patch).map_err(|status| status.message);
        assert_eq!(result, expected.map_err(str::to_owned), "{patch}");
    }

    const REJECTED: Result<Value, &str> =
        Err("the server rejected our request due to an error in our request");

    #[test]
    fn operations_do_what_the_rfc_says() {
        check(
            json!({"a": [1]}),
            &json!([{"op": "add", "path": "/a/-", "value": 2}]),
            Ok(json!({"a": [1, 2]})),
        );
        check(
            json!({"a": [1]}),
            &json!([{"op": "add", "path": "/a/0", "value": 2}]),
            Ok(json!({"a": [2, 1]})),
        );
        check(json!({"a": 1}), &json!([{"op": "remove", "path": "/a"}]), Ok(json!({})));
        check(
            json!({"a/b": 1}),
            &json!([{"op": "replace", "path": "/a~1b", "value": 2}]),
            Ok(json!({"a/b": 2})),
        );
        check(json!({"a": 1}), &json!([{"op": "move", "from": "/a", "path": "/b"}]), Ok(json!({"b": 1})));
        check(
            json!({"a": 1}),
            &json!([{"op": "copy", "from": "/a", "path": "/b"}]),
            Ok(json!({"a": 1, "b": 1})),
        );
        check(json!({"a": 1}), &json!([{"op": "test", "path": "/a", "value": 1}]), Ok(json!({"a": 1})));
    }

    #[test]
    fn what_cannot_be_applied_is_rejected_without_a_word_why() {
        check(json!({"a": 1}), &json!([{"op": "test", "path": "/a", "value": 2}]), REJECTED);
        check(json!({}), &json!([{"op": "remove", "path": "/a"}]), REJECTED);
        check(json!({}), &json!([{"op": "fly", "path": "/a"}]), REJECTED);
        check(json!({"a": [1]}), &json!([{"op": "add", "path": "/a/7", "value": 2}]), REJECTED);
        check(
            json!({}),
            &json!("nonsense"),
            Err(
                "error decoding patch: json: cannot unmarshal string into Go value of type []handlers.jsonPatchOp",
            ),
        );
    }
}
