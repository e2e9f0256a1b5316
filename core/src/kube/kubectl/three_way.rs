//! The three-way difference behind `kubectl apply`
//! (`k8s.io/apimachinery/pkg/util/strategicpatch.CreateThreeWayMergePatch`).
//!
//! What the user has added or changed is the difference from what the server
//! has to what is applied now, without removals; what the user has removed is
//! the difference from what was applied last to what is applied now. So fields that
//! others have set stay, and fields that the user once set and now leaves out go.

use serde_json::{Map, Value, json};

use crate::kube::api::patch::{ListMerge, Schema};

/// Which half of the difference is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    AdditionsAndChanges,
    Deletions,
}

/// The strategic merge patch that makes `live` what the user means.
pub(super) fn patch(schema: &'static Schema, last: &Value, now: &Value, live: &Value) -> Value {
    let object = |value: &'_ Value| value.as_object().cloned().unwrap_or_default();
    let (last, now, live) = (object(last), object(now), object(live));
    let delta = diff_maps(schema, &live, &now, Half::AdditionsAndChanges);
    let mut deletions = diff_maps(schema, &last, &now, Half::Deletions);
    merge(schema, &mut deletions, delta);
    Value::Object(deletions)
}

fn diff_maps(
    schema: &'static Schema,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    half: Half,
) -> Map<String, Value> {
    let mut patch = Map::new();
    let changes = half == Half::AdditionsAndChanges;
    for (key, new_value) in new {
        match (old.get(key), new_value) {
            (None, value) => {
                if changes {
                    patch.insert(key.clone(), value.clone());
                }
            }
            (Some(Value::Object(old)), Value::Object(new)) => {
                let inner = diff_maps(schema.inner(key), old, new, half);
                if !inner.is_empty() {
                    patch.insert(key.clone(), Value::Object(inner));
                }
            }
            (Some(Value::Array(old)), Value::Array(new)) => match schema.list(key) {
                ListMerge::Replace => {
                    if changes && old != new {
                        patch.insert(key.clone(), new_value.clone());
                    }
                }
                ListMerge::ByKey(merge_key) => {
                    diff_objects(schema.inner(key), key, merge_key, old, new, half, &mut patch);
                }
                ListMerge::Set => diff_set(key, old, new, half, &mut patch),
            },
            (Some(old), new) => {
                if changes && old != new {
                    patch.insert(key.clone(), new.clone());
                }
            }
        }
    }
    if half == Half::Deletions {
        for key in old.keys().filter(|key| !new.contains_key(*key)) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    patch
}

/// Lists of objects that are told apart by a field.
fn diff_objects(
    schema: &'static Schema,
    field: &str,
    merge_key: &str,
    old: &[Value],
    new: &[Value],
    half: Half,
    patch: &mut Map<String, Value>,
) {
    let changes = half == Half::AdditionsAndChanges;
    if old.is_empty() {
        if changes && !new.is_empty() {
            patch.insert(field.to_owned(), Value::Array(new.to_vec()));
        }
        return;
    }
    let find = |list: &[Value], key: &Value| list.iter().find(|item| item[merge_key] == *key).cloned();
    let mut items = Vec::new();
    for item in new {
        match find(old, &item[merge_key]) {
            Some(before) => {
                let (Some(before), Some(after)) = (before.as_object(), item.as_object()) else { continue };
                let mut inner = diff_maps(schema, before, after, half);
                if !inner.is_empty() {
                    inner.insert(merge_key.to_owned(), item[merge_key].clone());
                    items.push(Value::Object(inner));
                }
            }
            None if changes => items.push(item.clone()),
            None => {}
        }
    }
    if half == Half::Deletions {
        for item in old.iter().filter(|item| find(new, &item[merge_key]).is_none()) {
            items.push(json!({"$patch": "delete", merge_key: item[merge_key]}));
        }
    }
    let keys = |list: &[Value]| list.iter().map(|item| item[merge_key].clone()).collect::<Vec<_>>();
    let common = |list: &[Value], other: &[Value]| {
        let other = keys(other);
        keys(list).into_iter().filter(|key| other.contains(key)).collect::<Vec<_>>()
    };
    let same_order = common(old, new) == common(new, old);
    if !items.is_empty() || (changes && !same_order) {
        let order = keys(new).into_iter().map(|key| json!({merge_key: key})).collect();
        patch.insert(format!("$setElementOrder/{field}"), Value::Array(order));
    }
    if !items.is_empty() {
        patch.insert(field.to_owned(), Value::Array(items));
    }
}

/// Lists of plain values, each at most once.
fn diff_set(field: &str, old: &[Value], new: &[Value], half: Half, patch: &mut Map<String, Value>) {
    match half {
        Half::AdditionsAndChanges => {
            let added: Vec<Value> = new.iter().filter(|item| !old.contains(item)).cloned().collect();
            if old != new && !old.is_empty() {
                patch.insert(format!("$setElementOrder/{field}"), Value::Array(new.to_vec()));
            }
            if !added.is_empty() {
                patch.insert(field.to_owned(), Value::Array(added));
            }
        }
        Half::Deletions => {
            let gone: Vec<Value> = old.iter().filter(|item| !new.contains(item)).cloned().collect();
            if !gone.is_empty() {
                patch.insert(format!("$setElementOrder/{field}"), Value::Array(new.to_vec()));
                patch.insert(format!("$deleteFromPrimitiveList/{field}"), Value::Array(gone));
            }
        }
    }
}

/// Puts the additions into the deletions.
fn merge(schema: &'static Schema, into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(schema.inner(&key), into, from),
            (Some(Value::Array(into)), Value::Array(from)) if !key.starts_with('$') => {
                let ListMerge::ByKey(merge_key) = schema.list(&key) else {
                    into.extend(from);
                    continue;
                };
                let deletions = std::mem::take(into);
                let mut rest = deletions;
                for item in from {
                    let twin = rest.iter().position(|other| other[merge_key] == item[merge_key]);
                    match (twin.map(|at| rest.remove(at)), item) {
                        (Some(Value::Object(mut twin)), Value::Object(item)) => {
                            merge(schema.inner(&key), &mut twin, item);
                            into.push(Value::Object(twin));
                        }
                        (_, item) => into.push(item),
                    }
                }
                into.extend(rest);
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::api::Kind;

    fn check([last, now, live]: [Value; 3], expect: &Value) {
        assert_eq!(patch(Schema::of(Kind::Pod), &last, &now, &live), *expect);
    }

    #[test]
    fn what_others_have_set_stays() {
        check(
            [
                json!({"metadata": {"labels": {"a": "1"}}}),
                json!({"metadata": {"labels": {"a": "2"}}}),
                json!({"metadata": {"labels": {"a": "1", "other": "x"}, "uid": "u"}}),
            ],
            &json!({"metadata": {"labels": {"a": "2"}}}),
        );
    }

    #[test]
    fn what_was_applied_and_is_left_out_now_goes() {
        check(
            [
                json!({"metadata": {"labels": {"a": "1", "b": "2"}}}),
                json!({"metadata": {"labels": {"a": "1"}}}),
                json!({"metadata": {"labels": {"a": "1", "b": "2"}}}),
            ],
            &json!({"metadata": {"labels": {"b": null}}}),
        );
    }

    #[test]
    fn containers_are_told_apart_by_their_names() {
        check(
            [
                json!({"spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y"}]}}),
                json!({"spec": {"containers": [{"name": "a", "image": "x:2"}]}}),
                json!({"spec": {"containers": [
                    {"name": "a", "image": "x:1", "resources": {}}, {"name": "b", "image": "y"},
                ]}}),
            ],
            &json!({"spec": {
                "$setElementOrder/containers": [{"name": "a"}],
                "containers": [{"name": "a", "image": "x:2"}, {"name": "b", "$patch": "delete"}],
            }}),
        );
    }

    #[test]
    fn nothing_to_do_is_an_empty_patch() {
        let pod = json!({"spec": {"containers": [{"name": "a", "image": "x"}]}});
        let live =
            json!({"spec": {"containers": [{"name": "a", "image": "x", "resources": {}}], "priority": 0}});
        check([pod.clone(), pod, live], &json!({}));
    }
}
