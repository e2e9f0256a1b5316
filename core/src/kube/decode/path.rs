//! Where in a tree something is: `spec.containers[0].image`.

use std::fmt;

/// One step down a tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// Into a field of an object.
    Field(String),
    /// Into an entry of a map, whose keys are data and not fields: `[key]` in paths.
    Key(String),
    /// Into an item of a list.
    Index(usize),
}

/// A place in a tree; empty for the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// The name of the last field or key, if the path ends in one.
    pub fn last_name(&self) -> Option<&str> {
        match self.0.last()? {
            Segment::Field(name) | Segment::Key(name) => Some(name),
            Segment::Index(_) => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if i == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Key(key) => write!(f, "[{key}]")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
