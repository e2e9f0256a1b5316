//! Manifests: from the text that a person writes to objects, with the place of every error.
//!
//! A text is split at its `---` lines as `kubectl` splits it; each part becomes a [`Tree`] whose nodes know their line and
//! column; a [`Document`] reads `apiVersion`, `kind` and names from it and turns it into JSON by the
//! rules of YAML 1.1 that Kubernetes' tools go by (`on`, `yes` and `y` are booleans there). [`diagnose`] tells an editor everything that is wrong
//! at once; [`read`] decodes files of our own (lab specs, exercises) with the same care for places.
//!
//! ```
//! use clusterlab::kube::manifest;
//!
//! let problems = manifest::diagnose("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: main\n    image: nginx\n    comand: [a]\n");
//! assert_eq!((problems[0].line, problems[0].column), (8, 5));
//! assert_eq!(problems[0].message, "unknown field \"spec.containers[0].comand\"");
//! assert_eq!(problems[0].hint, "did you mean \"command\"?");
//! ```

mod diagnose;
mod document;
mod error;
mod parse;
mod scalar;
mod split;
mod tree;

pub use diagnose::{Diagnostic, diagnose, from_tree, read};
pub use document::{Document, parse};
pub use error::SyntaxError;
pub use parse::parse_tree;
pub use tree::{Entry, Node, Position, Span, Tree};

#[cfg(test)]
mod tests;
