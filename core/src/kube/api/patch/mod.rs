//! Patches: a change to an object, described rather than sent whole.
//!
//! Three languages: JSON patch (RFC 6902, a list of operations), merge patch (RFC 7386, the fields to
//! change, `null` to remove), and Kubernetes' strategic merge patch, which knows that containers are told
//! apart by their names and merges lists accordingly.

mod go_text;
mod json;
mod merge;
mod schema;
mod strategic;

pub use json::apply as apply_json;
pub use merge::apply as apply_merge;
pub use schema::{ListMerge, Schema};
pub use strategic::apply as apply_strategic;

use serde_json::Value;

use super::requests::Decoding;
use super::validation::go_quote;
use super::{ApiServer, Kind, Object, Patch, Reason, Status, Subresource, WriteOptions, defaults};
use crate::kube::decode::ProblemKind;
pub(super) use go_text::go_text;

impl ApiServer {
    /// Patches an object, or its status. Answers it as stored; a patch that changes nothing is no new version.
    ///
    /// # Errors
    ///
    /// `NotFound`, `Conflict` (the patch names another `resourceVersion`), `BadRequest` and `Invalid`.
    pub fn patch(
        &mut self,
        kind: Kind,
        namespace: &str,
        name: &str,
        patch: &Patch,
        subresource: Subresource,
        options: &WriteOptions,
    ) -> Result<Object, Status> {
        self.clear_warnings();
        let old = self.get(kind, namespace, name)?;
        let patched = match patch {
            Patch::Json(patch) => apply_json(old.to_json(), patch)?,
            Patch::Merge(patch) if !patch.is_object() => {
                return Err(not_an_object("error decoding patch: ", patch));
            }
            Patch::Merge(patch) => apply_merge(old.to_json(), patch),
            Patch::Strategic(patch) if !patch.is_object() => return Err(not_an_object("", patch)),
            Patch::Strategic(patch) => apply_strategic(Schema::of(kind), old.to_json(), patch)?,
        };
        let mut object = self.decode_patched(kind, patch, &patched, options)?;
        if object.name() != name {
            return Err(Status::new(
                Reason::BadRequest,
                format!(
                    "the name of the object ({}) does not match the name on the URL ({name})",
                    object.name()
                ),
            ));
        }
        if object.namespace() != old.namespace() {
            return Err(Status::new(
                Reason::BadRequest,
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        let meta = object.meta();
        super::write::check_preconditions(&old, None, meta.resource_version.as_deref())?;
        if let Some(uid) = meta.uid.as_deref().filter(|uid| old.meta().uid.as_deref() != Some(uid)) {
            let cause = format!("Invalid value: {}: field is immutable", go_quote(uid));
            return Err(Status::invalid(kind.info().kind, name, vec![("metadata.uid".to_owned(), cause)]));
        }
        defaults::apply(&mut object);
        self.store_update(&old, object, subresource, options.dry_run)
    }

    fn decode_patched(
        &mut self,
        kind: Kind,
        patch: &Patch,
        patched: &Value,
        options: &WriteOptions,
    ) -> Result<Object, Status> {
        let Decoding { object, problems } = super::requests::decode_object(kind, patched);
        // The value that the message shows: for a strategic patch the patch itself, else the whole result.
        let shown = || match patch {
            Patch::Strategic(patch) => go_text(patch),
            Patch::Json(_) | Patch::Merge(_) => patched.to_string(),
        };
        let invalid = |why: &str| {
            Status::invalid(
                "",
                "",
                vec![("patch".to_owned(), format!("Invalid value: {}: {why}", go_quote(&shown())))],
            )
        };
        let first = problems.iter().find(|problem| !matches!(problem.kind, ProblemKind::Unknown { .. }));
        if let Some(problem) = first {
            return Err(match (&problem.kind, patch) {
                (ProblemKind::WrongType { go, expected, .. }, Patch::Strategic(_)) => {
                    invalid(&unstructured_error(go, expected))
                }
                (ProblemKind::WrongType { go, .. }, _) => invalid(go),
                (other, _) => invalid(&other.to_string()),
            });
        }
        let unknown: Vec<String> =
            problems.iter().map(|problem| format!("unknown field \"{}\"", problem.path)).collect();
        if options.strict && !unknown.is_empty() {
            return Err(invalid(&format!("strict decoding error: {}", unknown.join(", "))));
        }
        self.warn_all(unknown);
        object.ok_or_else(|| invalid("the object cannot be read"))
    }
}

/// The words of the converter from maps to types, which reads the result of a strategic patch.
fn unstructured_error(go: &str, expected: &str) -> String {
    let (found, go_type) = go
        .strip_prefix("json: cannot unmarshal ")
        .and_then(|rest| rest.split_once(" into "))
        .map_or(("", ""), |(found, rest)| (found, rest.rsplit_once(" of type ").map_or("", |(_, ty)| ty)));
    let found = match found {
        "object" => "map[string]interface {}",
        "array" => "[]interface {}",
        "number" => "int64",
        found if found.starts_with("number ") => "float64",
        other => other,
    };
    match expected {
        "a list" => format!("cannot restore slice from {found}"),
        "an object" if go_type.starts_with("map[") => format!("cannot restore map from {found}"),
        "an object" => format!("cannot restore struct from: {found}"),
        _ => format!("unrecognized type: {go_type}"),
    }
}

fn not_an_object(prefix: &str, patch: &Value) -> Status {
    let found = match patch {
        Value::Array(_) => "array",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Null | Value::Object(_) => "null",
    };
    Status::new(
        Reason::BadRequest,
        format!("{prefix}json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"),
    )
}
