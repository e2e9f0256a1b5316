//! The exercises of the course as data, and the grader that runs them, natively and
//! in the page.
//!
//! An exercise is a folder of text files, so that a teacher writes one without
//! touching Rust:
//!
//! | file | what |
//! | --- | --- |
//! | `exercise.yaml` | title, objective, steps with their checks and hints, mistakes, predictions: [`Exercise`] |
//! | `lab.yaml` | the cluster: a [`LabSpec`](clusterlab::lab::LabSpec) |
//! | `files/` | what lies in the learner's home directory |
//! | `en.md`, `ko.md` | the text: an introduction, `## Title {#step}` per step, `## Title {#end}` ([`markdown`]) |
//! | `solution.sh` | terminal lines that pass every step |
//! | `wrong/*.sh` | terminal lines that go wrong; the first names the hint or mistake that must answer: `# expects: ID` |
//!
//! Conditions are CEL expressions over the state of the lab, never over what was
//! typed: see [`check`]. `{{name}}` in any text stands for a value that is drawn
//! for each learner from a seed. [`Grader`] looks at a lab and says what is done;
//! [`Exercise::verify`] tries an exercise out.
//!
//! This crate reads no file at run time, unless [`Exercise::load`] is asked to.

pub mod check;
mod error;
mod exercise;
mod folder;
mod grader;
mod load;
pub mod markdown;
mod meter;
mod play;
mod text;
mod variables;
mod verify;
mod yaml;

pub use error::{LoadError, Problem};
pub use exercise::{Exercise, Hint, Mistake, Prediction, Step, Wrong};
pub use folder::{Folder, Listed};
pub use grader::{Grader, Guess, PredictionError, Progress, Report, Score, StepReport};
pub use play::play;
pub use text::{Lang, Localized};
pub use variables::Variable;
