//! `-f`: files, directories and standard input, cut into documents and understood as objects
//! (`k8s.io/cli-runtime/pkg/resource` visitors).

use serde_json::Value;

use super::command::Run;
use super::context::Context;
use super::error::{Error, Result, fail};
use super::print::{compact, go_quote};
use crate::kube::api::{Kind, Object};
use crate::kube::manifest;
use crate::process::files::resolve;

/// An object that a file describes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document {
    /// The file as it was named, or `STDIN`.
    pub source: String,
    pub kind: Kind,
    /// Empty for kinds that have none.
    pub namespace: String,
    pub name: String,
    /// With its namespace put in.
    pub value: Value,
}

impl Document {
    /// How messages tell the object: resource, kind, name and namespace.
    pub fn info(&self) -> String {
        let info = self.kind.info();
        let version = super::resource::group_version(self.kind);
        format!(
            "Resource: \"{version}, Resource={}\", GroupVersionKind: \"{version}, Kind={}\"\nName: {}, Namespace: {}",
            info.plural,
            info.kind,
            go_quote(&self.name),
            go_quote(&self.namespace)
        )
    }
}

/// The content of a file.
pub(super) fn read_file(ctx: &Context<'_>, path: &str) -> Option<Vec<u8>> {
    ctx.files.read(&resolve(ctx.cwd, path)).ok().map(<[u8]>::to_vec)
}

/// Reads all that `-f` names: the objects found, and what was wrong with the others.
///
/// # Errors
///
/// A path that does not exist stops everything before it began.
pub(super) fn read(run: &Run<'_, '_>, validate: bool) -> Result<(Vec<Document>, Vec<Error>)> {
    let mut sources: Vec<(String, Vec<u8>)> = Vec::new();
    for name in run.flags.texts("filename") {
        if name == "-" {
            sources.push(("STDIN".to_owned(), run.stdin.to_vec()));
            continue;
        }
        if name.starts_with("http://") || name.starts_with("https://") {
            return fail(format!("not modelled: reading {name}: the lab has no network outside of it"));
        }
        let path = resolve(run.ctx.cwd, name);
        if !run.ctx.files.exists(&path) {
            return fail(format!("the path {} does not exist", go_quote(name)));
        }
        if run.ctx.files.is_dir(&path) {
            directory(run, name, &path, &mut sources)?;
        } else {
            let bytes =
                run.ctx.files.read(&path).map_err(|error| Error::Message(format!("open {name}: {error}")))?;
            sources.push((name.clone(), bytes.to_vec()));
        }
    }
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    for (source, bytes) in sources {
        let text = String::from_utf8_lossy(&bytes);
        read_source(run, &source, &text, validate, &mut documents, &mut errors);
    }
    Ok((documents, errors))
}

/// The manifests in a directory, in the order of their names.
fn directory(run: &Run<'_, '_>, name: &str, path: &str, sources: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let entries =
        run.ctx.files.list(path).map_err(|error| Error::Message(format!("open {name}: {error}")))?;
    for entry in entries {
        let inner = crate::process::files::join(path, &entry);
        let shown = format!("{}/{entry}", name.trim_end_matches('/'));
        if run.ctx.files.is_dir(&inner) {
            if run.flags.on("recursive") {
                directory(run, &shown, &inner, sources)?;
            }
        } else if [".json", ".yaml", ".yml"].iter().any(|extension| entry.ends_with(extension))
            && let Ok(bytes) = run.ctx.files.read(&inner)
        {
            sources.push((shown, bytes.to_vec()));
        }
    }
    Ok(())
}

/// The documents of one file; one that cannot be parsed ends it.
fn read_source(
    run: &Run<'_, '_>,
    source: &str,
    text: &str,
    validate: bool,
    documents: &mut Vec<Document>,
    errors: &mut Vec<Error>,
) {
    for document in manifest::parse(text) {
        let value = match document {
            Ok(document) => document.to_json(),
            Err(error) => {
                errors.push(Error::Message(format!(
                    "error parsing {source}: error converting YAML to JSON: {error}"
                )));
                return;
            }
        };
        if validate && let Err(problem) = check_type_meta(&value) {
            errors.push(Error::Message(format!(
                "error validating {}: error validating data: {problem}; if you choose to ignore these errors, turn validation off with --validate=false",
                go_quote(source)
            )));
            return;
        }
        understand(run, source, value, documents, errors);
    }
}

/// What kubectl checks before it asks the server.
fn check_type_meta(value: &Value) -> std::result::Result<(), String> {
    let Some(map) = value.as_object() else { return Err("invalid object to validate".to_owned()) };
    let missing: Vec<&str> = [("apiVersion", "apiVersion not set"), ("kind", "kind not set")]
        .into_iter()
        .filter(|(field, _)| map.get(*field).and_then(Value::as_str).unwrap_or_default().is_empty())
        .map(|(_, message)| message)
        .collect();
    match missing.as_slice() {
        [] => Ok(()),
        [one] => Err((*one).to_owned()),
        several => Err(format!("[{}]", several.join(", "))),
    }
}

/// Finds the kind of a document, and the documents in a list.
fn understand(
    run: &Run<'_, '_>,
    source: &str,
    value: Value,
    documents: &mut Vec<Document>,
    errors: &mut Vec<Error>,
) {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&value, "apiVersion"), text(&value, "kind"));
    if kind.is_empty() {
        let shown = compact(&value);
        errors.push(Error::Message(format!(
            "unable to decode {}: Object 'Kind' is missing in '{shown}'",
            go_quote(source)
        )));
        return;
    }
    if kind.ends_with("List")
        && let Some(items) = value["items"].as_array()
    {
        for item in items.clone() {
            understand(run, source, item, documents, errors);
        }
        return;
    }
    if let Some(problem) = bad_string_map(&value) {
        errors.push(Error::Message(format!("unable to decode {}: {problem}", go_quote(source))));
        return;
    }
    let name = text(&value["metadata"], "name");
    let mut namespace = text(&value["metadata"], "namespace");
    // The mapping of kinds to resources looks away from the case of letters; the server does not.
    let found = Kind::from_type_meta(&version, &kind).or_else(|| {
        Kind::ALL.iter().copied().find(|known| {
            known.info().api_version() == version && known.info().kind.eq_ignore_ascii_case(&kind)
        })
    });
    let Some(known) = found else {
        errors.push(Error::Message(format!(
            "resource mapping not found for name: {} namespace: {} from {}: no matches for kind {} in version {}\nensure CRDs are installed first",
            go_quote(&name),
            go_quote(&namespace),
            go_quote(source),
            go_quote(&kind),
            go_quote(&version)
        )));
        return;
    };
    let mut value = value;
    if value["metadata"].is_null()
        && let Some(map) = value.as_object_mut()
    {
        map.insert("metadata".to_owned(), super::wire::empty());
    }
    if known.info().namespaced {
        let wanted = run.namespace();
        if namespace.is_empty() {
            namespace = wanted;
            if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
                meta.insert("namespace".to_owned(), namespace.clone().into());
            }
        } else if run.namespace_is_given() && namespace != wanted {
            errors.push(Error::Message(format!(
                "the namespace from the provided object {} does not match the namespace {}. You must pass '--namespace={namespace}' to perform this operation.",
                go_quote(&namespace),
                go_quote(&wanted)
            )));
            return;
        }
    } else {
        namespace = String::new();
    }
    documents.push(Document { source: source.to_owned(), kind: known, namespace, name, value });
}

/// Labels and annotations are text; anything else cannot even be read.
fn bad_string_map(value: &Value) -> Option<String> {
    let found = match &value["metadata"] {
        Value::Object(_) | Value::Null => "",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Array(_) => "array",
    };
    if !found.is_empty() {
        return Some(format!(
            "json: cannot unmarshal {found} into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta"
        ));
    }
    for field in ["labels", "annotations"] {
        let wrong =
            value["metadata"][field].as_object().into_iter().flatten().find_map(|(_, value)| match value {
                Value::String(_) | Value::Null => None,
                Value::Bool(_) => Some("bool"),
                Value::Number(_) => Some("number"),
                Value::Array(_) => Some("array"),
                Value::Object(_) => Some("object"),
            });
        if let Some(found) = wrong {
            return Some(format!(
                "json: cannot unmarshal {found} into Go struct field ObjectMeta.metadata.{field} of type string"
            ));
        }
    }
    None
}

/// The live objects that files name: `kubectl get -f`. Also answers whether exactly one was named.
pub(super) fn look_up(run: &Run<'_, '_>) -> Result<(Vec<Object>, Vec<Error>, bool)> {
    let (documents, mut errors) = read(run, false)?;
    let single = documents.len() == 1;
    let mut objects = Vec::new();
    for document in documents {
        match run.ctx.api.get(document.kind, &document.namespace, &document.name) {
            Ok(object) => objects.push(object),
            Err(status) => errors.push(status.into()),
        }
    }
    Ok((objects, errors, single))
}
