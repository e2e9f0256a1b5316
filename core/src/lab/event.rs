//! What a lab's journal tells.

use serde::{Deserialize, Serialize};

use crate::kube::api::{ObjectKey, WatchEvent, WatchVerb};

/// One entry of the lab's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Event {
    /// The learner did something.
    Input(Input),
    /// A line typed at the prompt has ended with that exit code.
    CommandEnded {
        /// Its exit code.
        code: u8,
    },
    /// The terminal printed something.
    Printed {
        /// What.
        text: String,
    },
    /// An object of the cluster changed.
    Object {
        /// How.
        change: Change,
        /// Which.
        key: ObjectKey,
        /// The version of the store after the change.
        resource_version: u64,
        /// A pod's phase, an event's reason: what a reader of the journal wants to see.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// A job of Slurm changed its state, or why it waits.
    Job {
        /// As `squeue` shows it: `7`, `7_3`.
        job: String,
        /// Its name.
        name: String,
        /// `PENDING`.
        state: String,
        /// `Resources`; `None` if there is none.
        reason: String,
        /// Its nodes as a host list; empty while it waits.
        nodes: String,
    },
}

/// How an object changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the verbs are those of Kubernetes' watch")]
pub enum Change {
    Added,
    Modified,
    Deleted,
}

/// Something that came from outside the simulation: with the spec, the inputs
/// and their times are all that a run depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "input", content = "value")]
pub enum Input {
    /// A line typed into the terminal: a command, or input for the one that runs.
    Line(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfFile,
    /// The editor saved a file.
    WriteFile {
        /// Absolute, or relative to the learner's home.
        path: String,
        /// Its new content.
        text: String,
    },
}

impl From<&WatchEvent> for Event {
    fn from(event: &WatchEvent) -> Self {
        use crate::kube::api::Object;
        let note = match &event.object {
            Object::Pod(pod) => pod.status.as_ref().and_then(|s| s.phase.clone()),
            Object::Event(event) => event.reason.clone(),
            _ => None,
        };
        Self::Object {
            change: match event.verb {
                WatchVerb::Added => Change::Added,
                WatchVerb::Modified => Change::Modified,
                WatchVerb::Deleted => Change::Deleted,
            },
            key: event.object.key(),
            resource_version: event.resource_version,
            note: note.unwrap_or_default(),
        }
    }
}
