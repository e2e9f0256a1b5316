//! Strategic merge patch (`k8s.io/apimachinery/pkg/util/strategicpatch`).
//!
//! Beside plain fields a patch may hold directives: `$patch: delete` or `replace` for an object or a list item,
//! `$retainKeys` (all other fields of the object go), `$setElementOrder/LIST` (the order of the
//! merged list) and `$deleteFromPrimitiveList/LIST`.

use serde_json::{Map, Value};

use super::go_text;
use super::schema::{ListMerge, Schema};
use crate::kube::api::{Reason, Status};
use crate::order::{Collected, InOrder};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

type Object = Map<String, Value>;

/// Applies a patch to an object of that structure.
///
/// # Errors
///
/// A patch that contradicts itself or lacks a merge key.
pub fn apply(schema: &'static Schema, original: Value, patch: &Value) -> Result<Value, Status> {
    let (Value::Object(original), Value::Object(patch)) = (original, patch) else { return Ok(patch.clone()) };
    merge_object(schema, original, patch.clone()).map(Value::Object)
}

fn bad(message: impl Into<String>) -> Status {
    Status::new(Reason::Unknown, message)
}

fn no_merge_key(item: &Value, key: &str) -> Status {
    bad(format!("map: {} does not contain declared merge key: {key}", go_text(item)))
}

fn merge_object(schema: &'static Schema, mut original: Object, mut patch: Object) -> Result<Object, Status> {
    match patch.get(PATCH).and_then(Value::as_str) {
        None if !patch.contains_key(PATCH) => {}
        Some("replace") => {
            patch.remove(PATCH);
            return Ok(patch);
        }
        Some("delete") => return Ok(Object::new()),
        Some("merge") => {
            patch.remove(PATCH);
        }
        _ => return Err(bad(format!("Unknown patch type found: {}", go_text(&patch[PATCH])))),
    }
    retain_keys(&mut original, &mut patch)?;
    merge_ordered_lists(schema, &mut original, &mut patch)?;
    for (key, change) in patch {
        let (key, deletes) = match key.strip_prefix(DELETE_FROM) {
            Some(list) => (list.to_owned(), true),
            None => (key, false),
        };
        if change.is_null() {
            original.remove(&key);
            continue;
        }
        let merged = match (original.remove(&key), change) {
            (Some(present), Value::Array(values)) if deletes => match present {
                Value::Array(items) => {
                    Value::Array(items.into_iter().filter(|item| !values.contains(item)).collect())
                }
                other => other,
            },
            (None, _) if deletes => continue,
            (Some(Value::Object(present)), Value::Object(change)) => {
                Value::Object(merge_object(schema.inner(&key), present, change)?)
            }
            (Some(Value::Array(present)), Value::Array(change)) => {
                Value::Array(merge_list(schema.list(&key), schema.inner(&key), present, change)?)
            }
            (_, change) => without_directives(change),
        };
        original.insert(key, merged);
    }
    Ok(original)
}

/// `$retainKeys`: of the original only these fields stay.
fn retain_keys(original: &mut Object, patch: &mut Object) -> Result<(), Status> {
    let Some(kept) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let Value::Array(kept) = kept else { return Err(bad("invalid patch format of $retainKeys directive")) };
    let contains = |key: &str| kept.iter().any(|kept| kept.as_str() == Some(key));
    let plain = |key: &String| !key.starts_with('$');
    if patch.iter().any(|(key, value)| plain(key) && !value.is_null() && !contains(key)) {
        return Err(bad(format!(
            "patch contains keys that are not in $retainKeys list: {}",
            go_text(&Value::Object(patch.clone()))
        )));
    }
    original.retain(|key, _| contains(key));
    Ok(())
}

/// Lists whose order the patch sets.
fn merge_ordered_lists(
    schema: &'static Schema,
    original: &mut Object,
    patch: &mut Object,
) -> Result<(), Status> {
    let lists: Vec<String> =
        patch.keys().filter_map(|key| key.strip_prefix(SET_ORDER)).map(str::to_owned).collect();
    for list in lists {
        let Some(Value::Array(order)) = patch.remove(&format!("{SET_ORDER}{list}")) else {
            return Err(bad("invalid patch format of setElementOrder list"));
        };
        let change = match patch.get(&list) {
            Some(Value::Array(_)) => patch.remove(&list),
            // A list that is removed or replaced by something else needs no order.
            Some(_) => continue,
            None => None,
        };
        let present = original.get(&list).and_then(Value::as_array).cloned();
        let strategy = schema.list(&list);
        if let Some(Value::Array(change)) = &change {
            check_order(strategy, change, &order)?;
        }
        let merged = match (&present, change) {
            (None, None) => continue,
            (Some(present), None) => present.clone(),
            (None, Some(change)) => match without_directives(change) {
                Value::Array(items) => items,
                _ => Vec::new(),
            },
            (Some(present), Some(Value::Array(change))) => {
                merge_list(strategy, schema.inner(&list), present.clone(), change)?
            }
            (Some(_), Some(_)) => continue,
        };
        let key = merge_key(strategy);
        let sorted = in_order(merged, &order, &present.unwrap_or_default(), key);
        original.insert(list, Value::Array(sorted));
    }
    Ok(())
}

const fn merge_key(strategy: ListMerge) -> Option<&'static str> {
    match strategy {
        ListMerge::ByKey(key) => Some(key),
        ListMerge::Replace | ListMerge::Set => None,
    }
}

/// Every item of the patch must stand in its order.
fn check_order(strategy: ListMerge, change: &[Value], order: &[Value]) -> Result<(), Status> {
    let key = merge_key(strategy);
    let plain: Vec<&Value> = change.iter().filter(|item| item.get(PATCH).is_none()).collect();
    if let Some(key) = key
        && let Some(item) = plain.iter().copied().chain(order).find(|item| item.get(key).is_none())
    {
        return Err(no_merge_key(item, key));
    }
    let mut rest = order.iter();
    let all_there = plain.iter().all(|item| rest.any(|ordered| same(ordered, item, key)));
    if all_there {
        return Ok(());
    }
    Err(bad(format!(
        "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
        go_text(&Value::Array(change.to_vec())),
        go_text(&Value::Array(order.to_vec()))
    )))
}

fn same(a: &Value, b: &Value, key: Option<&str>) -> bool {
    match key {
        Some(key) => a.get(key).is_some() && a.get(key) == b.get(key),
        None => a == b,
    }
}

fn merge_list(
    strategy: ListMerge,
    inner: &'static Schema,
    original: Vec<Value>,
    patch: Vec<Value>,
) -> Result<Vec<Value>, Status> {
    let key = match strategy {
        ListMerge::Replace => {
            return Ok(match without_directives(Value::Array(patch)) {
                Value::Array(items) => items,
                _ => Vec::new(),
            });
        }
        ListMerge::Set => None,
        ListMerge::ByKey(key) => Some(key),
    };
    let mut items = original;
    let mut changes = Vec::new();
    let mut replaced = false;
    for item in patch {
        match item.get(PATCH).and_then(Value::as_str) {
            None => changes.push(item),
            Some("replace") => replaced = true,
            Some("delete") => {
                let Some(key) = key else { continue };
                let name = item.get(key).ok_or_else(|| no_merge_key(&item, key))?;
                items.retain(|present| present.get(key) != Some(name));
            }
            Some(other) => return Err(bad(format!("Unknown patch type found: {other}"))),
        }
    }
    if replaced {
        return Ok(changes);
    }
    let server_order = items.clone();
    let patch_order = changes.clone();
    for change in changes {
        let Some(key) = key else {
            if !items.contains(&change) {
                items.push(change);
            }
            continue;
        };
        let name = change.get(key).ok_or_else(|| no_merge_key(&change, key))?.clone();
        let at = items.iter().position(|present| present.get(key) == Some(&name));
        match (at.map(|at| std::mem::take(&mut items[at])), change) {
            (Some(Value::Object(present)), Value::Object(change)) => {
                let merged = merge_object(inner, present, change)?;
                if let Some(at) = at {
                    items[at] = Value::Object(merged);
                }
            }
            (_, change) => items.push(without_directives(change)),
        }
    }
    Ok(in_order(items, &patch_order, &server_order, key))
}

/// Items that the patch names come in its order, the others keep theirs, and where both orders
/// know two items the original one decides.
fn in_order(
    items: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    key: Option<&str>,
) -> Vec<Value> {
    let position = |order: &[Value], item: &Value| order.iter().position(|other| same(other, item, key));
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        items.into_iter().partition(|item| position(patch_order, item).is_some());
    named.order_by_key(|item| position(patch_order, item));
    others.order_by_key(|item| position(server_order, item));
    let mut merged = Vec::with_capacity(named.len() + others.len());
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    loop {
        let other_first = match (others.peek(), named.peek()) {
            (None, None) => return merged,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(other), Some(named)) => {
                match (position(server_order, other), position(server_order, named)) {
                    (Some(other), Some(named)) => other < named,
                    _ => false,
                }
            }
        };
        merged.extend(if other_first { others.next() } else { named.next() });
    }
}

/// A value as it is stored where there was none before: without directives and nulls.
fn without_directives(value: Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object
                .into_iter()
                .filter(|(key, value)| !key.starts_with('$') && !value.is_null())
                .map(|(key, value)| (key, without_directives(value)))
                .into_object(),
        ),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .filter(|item| !matches!(item.get(PATCH).and_then(Value::as_str), Some("delete" | "replace")))
                .map(without_directives)
                .collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::api::Kind;
    use serde_json::json;

    fn check(original: Value, patch: Value, expected: Result<Value, &str>) {
        let wrap = |spec: Value| json!({"spec": spec});
        let result =
            apply(Schema::of(Kind::Pod), wrap(original), &wrap(patch)).map_err(|status| status.message);
        assert_eq!(result, expected.map(wrap).map_err(str::to_owned));
    }

    #[test]
    fn lists_of_objects_merge_by_their_key() {
        let containers =
            json!({"containers": [{"name": "web", "image": "a"}, {"name": "side", "image": "b"}]});
        check(
            containers.clone(),
            json!({"containers": [{"name": "side", "image": "c"}]}),
            Ok(json!({"containers": [{"name": "web", "image": "a"}, {"name": "side", "image": "c"}]})),
        );
        check(
            containers.clone(),
            json!({"containers": [{"name": "side", "$patch": "delete"}]}),
            Ok(json!({"containers": [{"name": "web", "image": "a"}]})),
        );
        check(
            containers.clone(),
            json!({"containers": [{"$patch": "replace"}, {"name": "z", "image": "z"}]}),
            Ok(json!({"containers": [{"name": "z", "image": "z"}]})),
        );
        check(
            containers,
            json!({"containers": [{"image": "x"}]}),
            Err("map: map[image:x] does not contain declared merge key: name"),
        );
    }

    #[test]
    fn an_order_in_the_patch_sorts_the_merged_list() {
        check(
            json!({"containers": [{"name": "a"}, {"name": "b"}, {"name": "server"}]}),
            json!({"$setElementOrder/containers": [{"name": "new"}, {"name": "b"}, {"name": "a"}],
                   "containers": [{"name": "new", "image": "x"}]}),
            Ok(
                json!({"containers": [{"name": "new", "image": "x"}, {"name": "b"}, {"name": "a"}, {"name": "server"}]}),
            ),
        );
    }

    #[test]
    fn lists_without_a_key_are_replaced_and_null_removes() {
        check(
            json!({"tolerations": [{"key": "a"}], "nodeSelector": {"x": "y", "z": "1"}}),
            json!({"tolerations": [{"key": "b"}], "nodeSelector": {"x": null}}),
            Ok(json!({"tolerations": [{"key": "b"}], "nodeSelector": {"z": "1"}})),
        );
    }

    #[test]
    fn retain_keys_drops_all_other_fields() {
        check(
            json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
            json!({"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]}),
            Ok(json!({"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]})),
        );
    }

    #[test]
    fn plain_values_are_removed_from_a_list_by_name() {
        let result = apply(
            Schema::of(Kind::Pod),
            json!({"metadata": {"finalizers": ["a", "b"]}}),
            &json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}}),
        );
        // As in the real merge, what is new comes before what only the server knows.
        assert_eq!(result.unwrap(), json!({"metadata": {"finalizers": ["c", "b"]}}));
    }
}
