//! API errors: `metav1.Status` with the real reasons, codes and texts
//! (`k8s.io/apimachinery/pkg/api/errors`).

use serde::{Deserialize, Serialize};

/// Why a request was refused (`metav1.StatusReason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the reasons are Kubernetes' own, by their own names")]
pub enum Reason {
    AlreadyExists,
    BadRequest,
    Conflict,
    Expired,
    Forbidden,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    /// No reason given; `kubectl` then prints the bare message.
    Unknown,
    UnsupportedMediaType,
}

impl Reason {
    /// The HTTP status code that goes with it.
    pub const fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::Expired => 410,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::InternalError | Self::Unknown => 500,
        }
    }
}

/// A refusal by the API server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Status {
    /// Why.
    pub reason: Reason,
    /// The whole message, word for word as the real API server gives it.
    pub message: String,
    /// The kind (of [`Reason::Invalid`]) or resource that it is about, if it is about one: `Pod`, `pods`.
    pub kind: String,
    /// The name of the object that it is about, if it is about one.
    pub name: String,
    /// Field paths and messages of each cause, for [`Reason::Invalid`].
    pub causes: Vec<(String, String)>,
}

impl Status {
    /// A refusal without causes.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), kind: String::new(), name: String::new(), causes: Vec::new() }
    }

    /// The same refusal, about an object.
    #[must_use]
    pub fn about(self, kind: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned(), ..self }
    }

    /// `pods "x" not found`
    pub fn not_found(qualified_plural: &str, name: &str) -> Self {
        Self::new(Reason::NotFound, format!("{qualified_plural} \"{name}\" not found"))
            .about(qualified_plural, name)
    }

    /// `pods "x" already exists`
    pub fn already_exists(qualified_plural: &str, name: &str) -> Self {
        Self::new(Reason::AlreadyExists, format!("{qualified_plural} \"{name}\" already exists"))
            .about(qualified_plural, name)
    }

    /// `pods "x" is forbidden: why`
    pub fn forbidden(qualified_plural: &str, name: &str, why: &str) -> Self {
        Self::new(Reason::Forbidden, format!("{qualified_plural} \"{name}\" is forbidden: {why}"))
            .about(qualified_plural, name)
    }

    /// `Operation cannot be fulfilled on pods "x": why`
    pub fn conflict(qualified_plural: &str, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {qualified_plural} \"{name}\": {why}");
        Self::new(Reason::Conflict, message).about(qualified_plural, name)
    }

    /// `Pod "x" is invalid: spec.containers: Required value`, or `[a, b]` for several causes.
    ///
    /// Causes that say the same of the same field are told once, as in the real aggregate.
    pub fn invalid(kind: &str, name: &str, causes: Vec<(String, String)>) -> Self {
        let mut texts: Vec<String> = Vec::new();
        for (field, problem) in &causes {
            let text = format!("{field}: {problem}");
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let text = match texts.as_slice() {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let message = format!("{kind} \"{name}\" is invalid: {text}");
        Self { causes, ..Self::new(Reason::Invalid, message).about(kind, name) }
    }
}
