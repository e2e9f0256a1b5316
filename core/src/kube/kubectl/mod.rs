//! The learner's `kubectl`.
pub mod print;
pub mod jsonpath;
