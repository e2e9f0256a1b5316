//! The exercises of the course as data, and the grader that runs them, natively and
//! in the page.
//!
//! An exercise is a folder of text files, so that a teacher writes one without
//! touching Rust:
//!
//! | file | what |
//! | --- | --- |
//! | `exercise.yaml` | title, objective, steps with their checks and hints, mistakes, predictions: [`Exercise`] |
//! | `lab.yaml` | the cluster: a `LabSpec` |
//! | `files/` | what lies in the learner's home directory |
//! | `en.md`, `ko.md` | the text: an introduction, `## Title {#step}` per step, `## Title {#end}` ([`markdown`]) |
//! | `solution.sh` | terminal lines that pass every step |
//! | `wrong/*.sh` | terminal lines that go wrong; the first names the hint or mistake that must answer: `# expects: ID` |
//!
//! Conditions are CEL expressions over the state of the lab, never over what was
//! typed: see [`check`]. `{{name}}` in any text stands for a value that is drawn
//! for each learner from a seed.
//!
//! This crate reads no file at run time, unless [`Exercise::load`] is asked to.

pub mod check;
mod error;
mod exercise;
mod folder;
mod load;
pub mod markdown;
mod text;
mod variables;
mod yaml;

pub use error::{LoadError, Problem};
pub use exercise::{Exercise, Hint, Mistake, Prediction, Step, Wrong};
pub use folder::Folder;
pub use text::{Lang, Localized};
pub use variables::Variable;
