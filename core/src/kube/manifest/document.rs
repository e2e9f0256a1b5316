//! One document of a manifest.

use serde_json::Value;

use super::error::SyntaxError;
use super::parse::parse_chunk;
use super::split::chunks;
use super::tree::{Node, Position, Tree};
use crate::kube::api::Kind;
use crate::kube::decode::Path;

/// One document: a tree that should be an object of Kubernetes.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The whole of it, with places.
    pub tree: Tree,
}

/// The documents of a text, in order; those that are empty are left out. After a syntax error there is nothing more,
/// as with `kubectl`, which has applied the documents before it by then.
pub fn parse(text: &str) -> Vec<Result<Document, SyntaxError>> {
    let mut documents = Vec::new();
    for chunk in chunks(text) {
        match parse_chunk(chunk.text, chunk.lines_before) {
            Ok(tree) if tree.is_null() => {}
            Ok(tree) => documents.push(Ok(Document { tree })),
            Err(error) => {
                documents.push(Err(error));
                break;
            }
        }
    }
    documents
}

impl Document {
    fn text(&self, path: &[&str]) -> &str {
        path.iter()
            .try_fold(&self.tree, |tree, key| tree.get(key))
            .and_then(Tree::as_text)
            .unwrap_or_default()
    }

    /// `apiVersion`, empty if it is missing or no text.
    pub fn api_version(&self) -> &str {
        self.text(&["apiVersion"])
    }

    /// `kind`, empty if it is missing or no text.
    pub fn kind(&self) -> &str {
        self.text(&["kind"])
    }

    /// `metadata.name`, empty if it is missing or no text.
    pub fn name(&self) -> &str {
        self.text(&["metadata", "name"])
    }

    /// `metadata.generateName`, empty if it is missing or no text.
    pub fn generate_name(&self) -> &str {
        self.text(&["metadata", "generateName"])
    }

    /// `metadata.namespace`, empty if it is missing or no text.
    pub fn namespace(&self) -> &str {
        self.text(&["metadata", "namespace"])
    }

    /// The kind, if the API server has it.
    pub fn known_kind(&self) -> Option<Kind> {
        Kind::from_type_meta(self.api_version(), self.kind())
    }

    /// Whether it is an object at all, and not a list or a mere text.
    pub fn is_object(&self) -> bool {
        matches!(self.tree.node, Node::Map(_))
    }

    /// The JSON that `kubectl` makes of it; of equal keys the last one counts.
    pub fn to_json(&self) -> Value {
        self.tree.to_json()
    }

    /// Where the value at `path` begins, or the nearest thing above it.
    pub fn position_of(&self, path: &Path) -> Position {
        self.tree.position_of(path)
    }
}
