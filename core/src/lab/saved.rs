//! A lab as a file: what it was made of and what came from outside.

use serde::{Deserialize, Serialize};

use super::{Input, Lab, LabSpec, SpecError};
use crate::sim::{Digest, Entry, SimTime};

/// The format of [`SavedLab`] files that this version writes and reads.
const FORMAT: &str = "clusterlab/1";
/// More inputs than a person types in a year; a file with more is damaged or meant to harm.
const MAX_INPUTS: usize = 1_000_000;

/// A lab at one moment: its spec, every input with its time, and the digest that
/// a run of them must come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedLab {
    /// Names the format and its version.
    pub format: String,
    /// What the lab was made from.
    pub spec: LabSpec,
    /// Everything that came from outside, in order.
    pub inputs: Vec<Entry<Input>>,
    /// The moment that was saved.
    pub now: SimTime,
    /// The journal's digest at that moment.
    pub digest: Digest,
}

/// A saved lab that cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file is not whole, or not a saved lab at all.
    #[error("not a saved lab: {0}")]
    Damaged(#[from] serde_json::Error),
    /// The file was written by a version with another format.
    #[error("saved in the format {found:?}; this version reads {FORMAT:?}")]
    Format {
        /// The format it names.
        found: String,
    },
    /// Inputs out of order, after the end, or too many.
    #[error("not a saved lab: {0}")]
    Inputs(&'static str),
    /// The spec in it makes no cluster.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The run went another way than the one that was saved: the file was
    /// changed, or written by a version that decides differently.
    #[error("the run does not come out as it was saved (digest {found}, expected {expected})")]
    Digest {
        /// What the saved file says.
        expected: Digest,
        /// What the run came to.
        found: Digest,
    },
}

impl SavedLab {
    /// Reads a saved lab from JSON.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Damaged`] with line and column.
    pub fn from_json(text: &str) -> Result<Self, RestoreError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Writes it as JSON.
    pub fn to_json(&self) -> String {
        // Plain data with string keys: its JSON form always exists.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl Lab {
    /// The lab at this moment, to be written to a file.
    pub fn save(&self) -> SavedLab {
        SavedLab {
            format: FORMAT.to_owned(),
            spec: self.spec().clone(),
            inputs: self.inputs().to_vec(),
            now: self.now(),
            digest: self.digest(),
        }
    }

    /// Runs a saved lab again up to the moment at which it was saved.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]; among them a run that does not come to the saved digest.
    pub fn restore(saved: &SavedLab) -> Result<Self, RestoreError> {
        if saved.format != FORMAT {
            return Err(RestoreError::Format { found: saved.format.clone() });
        }
        if saved.inputs.len() > MAX_INPUTS {
            return Err(RestoreError::Inputs("too many inputs"));
        }
        if !saved.inputs.is_sorted_by_key(|entry| entry.at) {
            return Err(RestoreError::Inputs("the inputs are out of order"));
        }
        if saved.inputs.last().is_some_and(|last| last.at > saved.now) {
            return Err(RestoreError::Inputs("an input lies after the end"));
        }
        let mut lab = Self::new(saved.spec.clone())?;
        for entry in &saved.inputs {
            lab.advance_to(entry.at);
            lab.input(entry.event.clone());
        }
        lab.advance_to(saved.now);
        lab.take_output();
        let found = lab.digest();
        if found != saved.digest {
            return Err(RestoreError::Digest { expected: saved.digest, found });
        }
        Ok(lab)
    }
}
