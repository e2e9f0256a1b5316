//! Requests as clients send them: JSON bodies, decoded strictly or with warnings.

use std::sync::Arc;

use serde_json::Value;

use super::kind::for_each_kind;
use super::{ApiServer, Kind, Object, Reason, Status, Subresource, WriteOptions, defaults, validation};
use crate::kube::decode::{Dialect, Problem, ProblemKind, decode};

/// What came of decoding a body.
pub(super) struct Decoding {
    pub(super) object: Option<Object>,
    pub(super) problems: Vec<Problem>,
}

macro_rules! define_decode {
    ($($kind:ident($ty:ty): $group:literal $version:literal $plural:literal $singular:literal [$($short:literal),*] $scope:ident,)*) => {
        /// Decodes an object of `kind`, whatever type the body says it has.
        fn decode_as(kind: Kind, body: &Value) -> Decoding {
            match kind {
                $(Kind::$kind => {
                    let decoded = decode::<$ty>(body, Dialect::Kubernetes);
                    Decoding {
                        object: decoded.value.map(|object| Object::$kind(Arc::new(object))),
                        problems: decoded.problems,
                    }
                })*
            }
        }
    };
}
for_each_kind!(define_decode);

/// Decodes an object of `kind`.
pub(super) fn decode_object(kind: Kind, body: &Value) -> Decoding {
    let mut body = body.clone();
    if let Value::Object(fields) = &mut body {
        fields.insert("apiVersion".to_owned(), kind.info().api_version().into());
        fields.insert("kind".to_owned(), kind.info().kind.into());
    }
    decode_as(kind, &body)
}

/// All problems of a body, for editors and for `kubectl --validate`.
pub fn problems_of(kind: Kind, body: &Value) -> Vec<Problem> {
    decode_object(kind, body).problems
}

/// What validation would refuse of a body, as field and problem. It knows nothing of other objects, so that
/// admission (a missing namespace, an unknown priority class) has no say here.
pub fn refusals_of(kind: Kind, body: &Value) -> Vec<(String, String)> {
    let Some(mut object) = decode_object(kind, body).object else { return Vec::new() };
    if kind.info().namespaced && object.namespace().is_empty() {
        object.meta_mut().namespace = Some("default".to_owned());
    }
    let generated = object.name().is_empty() && object.meta().generate_name.is_some();
    if generated {
        object.meta_mut().name = object.meta().generate_name.as_ref().map(|prefix| format!("{prefix}x"));
    }
    defaults::apply(&mut object);
    validation::problems_of_new(&object)
}

impl ApiServer {
    /// Creates an object from its JSON form (`POST`), as [`create`](Self::create).
    ///
    /// # Errors
    ///
    /// `BadRequest` if the body cannot be decoded or, with `options.strict`, has unknown fields; else as `create`.
    pub fn create_json(
        &mut self,
        kind: Kind,
        namespace: &str,
        body: &Value,
        options: &WriteOptions,
    ) -> Result<Object, Status> {
        self.clear_warnings();
        let object = self.decode_body(kind, body, options)?;
        self.create_decoded(namespace, object, options)
    }

    /// Replaces an object by its JSON form (`PUT`), as [`replace`](Self::replace).
    ///
    /// # Errors
    ///
    /// As [`create_json`](Self::create_json) and `replace`; `BadRequest` if the body names another object.
    pub fn replace_json(
        &mut self,
        kind: Kind,
        namespace: &str,
        name: &str,
        body: &Value,
        subresource: Subresource,
        options: &WriteOptions,
    ) -> Result<Object, Status> {
        self.clear_warnings();
        let mut object = self.decode_body(kind, body, options)?;
        if object.name() != name {
            return Err(Status::new(
                Reason::BadRequest,
                format!(
                    "the name of the object ({}) does not match the name on the URL ({name})",
                    object.name()
                ),
            ));
        }
        if kind.info().namespaced && object.namespace().is_empty() {
            object.meta_mut().namespace = Some(namespace.to_owned());
        }
        self.replace(object, subresource, options)
    }

    /// The warnings that the latest request from a client got, beside its answer (`Warning:` headers).
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(super) fn clear_warnings(&mut self) {
        self.warnings.clear();
    }

    pub(super) fn warn_all(&mut self, warnings: Vec<String>) {
        self.warnings.extend(warnings);
    }

    fn decode_body(&mut self, kind: Kind, body: &Value, options: &WriteOptions) -> Result<Object, Status> {
        let info = kind.info();
        let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (given_version, given_kind) = (text("apiVersion"), text("kind"));
        let shown_kind = if given_kind.is_empty() { info.kind } else { &given_kind };
        let shown_version = if given_version.is_empty() { info.api_version() } else { given_version.clone() };
        let bad = |why: &str| {
            // Without the group: the message has the version alone.
            let version = shown_version.rsplit('/').next().unwrap_or_default();
            let message =
                format!("{shown_kind} in version \"{version}\" cannot be handled as a {}: {why}", info.kind);
            Status::new(Reason::BadRequest, message)
        };
        if shown_kind != info.kind || shown_version != info.api_version() {
            return Err(match Kind::from_type_meta(&shown_version, shown_kind) {
                Some(other) => bad(&format!(
                    "converting ({}.{}) to ({}.{}): unknown conversion",
                    other.info().version,
                    other.info().kind,
                    if info.group.is_empty() {
                        "core"
                    } else {
                        info.group.split('.').next().unwrap_or_default()
                    },
                    info.kind
                )),
                None => bad(&format!(
                    "no kind \"{shown_kind}\" is registered for version \"{shown_version}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""
                )),
            });
        }
        let Decoding { object, problems } = decode_object(kind, body);
        for problem in &problems {
            match &problem.kind {
                ProblemKind::WrongType { go, .. } => return Err(bad(go)),
                ProblemKind::Invalid { message } => return Err(bad(message)),
                ProblemKind::Unknown { .. } => {}
            }
        }
        let unknown: Vec<String> =
            problems.iter().map(|problem| format!("unknown field \"{}\"", problem.path)).collect();
        if options.strict && !unknown.is_empty() {
            return Err(bad(&format!("strict decoding error: {}", unknown.join(", "))));
        }
        self.warn_all(unknown);
        object.ok_or_else(|| bad("the object cannot be read"))
    }
}
