//! What a plugin answers.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

/// The kind of an answer (`fwk.Code`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Code {
    /// Yes.
    #[default]
    Success,
    /// Something is wrong with the plugin or its surroundings; the pod is tried again after a back-off.
    Error,
    /// No, but the removal of pods may change that: preemption looks at this node.
    Unschedulable,
    /// No, and no removal of pods changes that.
    UnschedulableAndUnresolvable,
    /// Permit only: not yet.
    Wait,
    /// PreFilter, PreScore, Bind: this plugin has no business with this pod.
    Skip,
    /// No, until something outside of the cluster is done; the pod need not back off then.
    Pending,
}

/// Why not, for people.
#[derive(Clone, Debug)]
pub enum Reason {
    /// A fixed text.
    Fixed(&'static str),
    /// A text that names something.
    Text(Arc<str>),
}

impl Reason {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Text(text) => text,
        }
    }
}

impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Reason {}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&'static str> for Reason {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text)
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Reasons of one answer; nearly always one.
pub type Reasons = SmallVec<[Reason; 1]>;

/// An answer of a plugin (`fwk.Status`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Its kind.
    pub code: Code,
    /// Why, unless it is [`Code::Success`].
    pub reasons: Reasons,
}

impl Status {
    /// Yes.
    pub fn success() -> Self {
        Self::default()
    }

    /// An answer with one reason.
    pub fn new(code: Code, reason: impl Into<Reason>) -> Self {
        Self { code, reasons: smallvec::smallvec![reason.into()] }
    }

    /// This plugin has no business with this pod.
    pub fn skip() -> Self {
        Self { code: Code::Skip, reasons: Reasons::new() }
    }

    /// No, but the removal of pods may change that.
    pub fn unschedulable(reason: impl Into<Reason>) -> Self {
        Self::new(Code::Unschedulable, reason)
    }

    /// No, and no removal of pods changes that.
    pub fn unresolvable(reason: impl Into<Reason>) -> Self {
        Self::new(Code::UnschedulableAndUnresolvable, reason)
    }

    /// Whether it is a yes.
    #[inline]
    pub fn is_success(&self) -> bool {
        self.code == Code::Success
    }

    /// Whether it is a no of any kind, and not an error.
    pub fn is_rejected(&self) -> bool {
        matches!(self.code, Code::Unschedulable | Code::UnschedulableAndUnresolvable | Code::Pending)
    }

    /// All reasons in one line.
    pub fn message(&self) -> String {
        let reasons: Vec<_> = self.reasons.iter().map(Reason::as_str).collect();
        reasons.join(", ")
    }
}
