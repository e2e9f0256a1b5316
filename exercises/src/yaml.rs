//! `exercise.yaml`, with the place of every field.

use clusterlab::kube::manifest::{Diagnostic, Node, Tree, from_tree, parse_tree};

use crate::exercise::YAML;
use crate::{Exercise, LoadError, Problem};

/// The file as a tree that knows its lines and columns.
pub(crate) struct Yaml {
    tree: Tree,
}

impl Yaml {
    /// Reads the text and decodes it.
    pub(crate) fn read(text: &str) -> Result<(Self, Exercise), LoadError> {
        let problem = |diagnostic: Diagnostic| Problem::of(YAML, diagnostic);
        let tree = parse_tree(text).map_err(|error| problem(error.into()))?;
        let exercise = from_tree(&tree)
            .map_err(|diagnostics| LoadError { problems: diagnostics.into_iter().map(problem).collect() })?;
        Ok((Self { tree }, exercise))
    }

    /// Line and column of a field (`steps[0].hints[1].when`), or of the nearest
    /// thing above it that is there.
    pub(crate) fn place(&self, field: &str) -> (usize, usize) {
        let mut tree = &self.tree;
        let words = field.split(['.', '[']).map(|word| word.trim_end_matches(']'));
        for word in words.filter(|word| !word.is_empty()) {
            let next = match (&tree.node, word.parse::<usize>()) {
                (Node::List(items), Ok(index)) => items.get(index),
                _ => tree.get(word),
            };
            let Some(next) = next else { break };
            tree = next;
        }
        (tree.span.start.line, tree.span.start.column)
    }
}
