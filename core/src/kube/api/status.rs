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
            Self::InternalError => 500,
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
    /// Field paths and messages of each cause, for [`Reason::Invalid`].
    pub causes: Vec<(String, String)>,
}

impl Status {
    /// A refusal without causes.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), causes: Vec::new() }
    }

    /// `pods "x" not found`
    pub fn not_found(qualified_plural: &str, name: &str) -> Self {
        Self::new(Reason::NotFound, format!("{qualified_plural} \"{name}\" not found"))
    }

    /// `pods "x" already exists`
    pub fn already_exists(qualified_plural: &str, name: &str) -> Self {
        Self::new(Reason::AlreadyExists, format!("{qualified_plural} \"{name}\" already exists"))
    }

    /// `pods "x" is forbidden: why`
    pub fn forbidden(qualified_plural: &str, name: &str, why: &str) -> Self {
        Self::new(Reason::Forbidden, format!("{qualified_plural} \"{name}\" is forbidden: {why}"))
    }
}
