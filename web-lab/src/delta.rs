//! What changed between two lists of keyed things.
//!
//! The worker sees the whole cluster at every instant; the page has already
//! drawn most of it. With a thousand nodes, sending only what changed is the
//! difference between a page that follows and one that stutters.

use std::collections::BTreeMap;

use clusterlab::lab::view::{EventView, NodeView, PodView};
use clusterlab::order::Collected;
use serde::{Deserialize, Serialize};

/// Something in a list that has a key.
pub trait Keyed: Clone + Eq {
    /// What tells it from others; lists are sorted by it.
    type Key: Ord + Clone + std::fmt::Debug;
    /// Its key.
    fn key(&self) -> Self::Key;
}

impl Keyed for NodeView {
    type Key = String;
    fn key(&self) -> String {
        self.name.clone()
    }
}

impl Keyed for PodView {
    type Key = (String, String);
    fn key(&self) -> (String, String) {
        (self.namespace.clone(), self.name.clone())
    }
}

impl Keyed for EventView {
    type Key = String;
    fn key(&self) -> String {
        self.id.clone()
    }
}

/// The way from one list to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta<T: Keyed> {
    /// What is new or has changed.
    pub put: Vec<T>,
    /// Keys of what is gone.
    #[serde(bound(serialize = "T::Key: Serialize", deserialize = "T::Key: Deserialize<'de>"))]
    pub gone: Vec<T::Key>,
}

impl<T: Keyed> Default for Delta<T> {
    fn default() -> Self {
        Self { put: Vec::new(), gone: Vec::new() }
    }
}

impl<T: Keyed> Delta<T> {
    /// Whether nothing changed.
    pub const fn is_empty(&self) -> bool {
        self.put.is_empty() && self.gone.is_empty()
    }

    /// What leads from `before` to `after`; both are lists without a key twice.
    pub fn between(before: &[T], after: &[T]) -> Self {
        let old: BTreeMap<T::Key, &T> = before.iter().map(|item| (item.key(), item)).into_map();
        let mut left: BTreeMap<T::Key, &T> = old.clone();
        let mut put = Vec::new();
        for item in after {
            let key = item.key();
            left.remove(&key);
            if old.get(&key) != Some(&item) {
                put.push(item.clone());
            }
        }
        Self { put, gone: left.into_keys().collect() }
    }

    /// Goes that way on a table.
    pub fn apply(self, table: &mut BTreeMap<T::Key, std::rc::Rc<T>>) {
        for key in self.gone {
            table.remove(&key);
        }
        for item in self.put {
            table.insert(item.key(), std::rc::Rc::new(item));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{read, write};
    use proptest::prelude::*;

    fn events(seed: &BTreeMap<u8, u8>) -> Vec<EventView> {
        seed.iter()
            .map(|(id, count)| EventView {
                id: id.to_string(),
                count: u32::from(*count),
                ..EventView::default()
            })
            .collect()
    }

    proptest! {
        #[test]
        fn applying_the_difference_gives_the_second_list(
            a in prop::collection::btree_map(0u8..12, 0u8..3, 0..12),
            b in prop::collection::btree_map(0u8..12, 0u8..3, 0..12),
        ) {
            let (a, b) = (events(&a), events(&b));
            let table = |list: &[EventView]| {
                list.iter().map(|e| (e.key(), std::rc::Rc::new(e.clone()))).collect::<BTreeMap<_, _>>()
            };
            let mut have = table(&a);
            let delta = Delta::between(&a, &b);
            let delta: Delta<EventView> = read(&write(&delta).unwrap()).unwrap();
            prop_assert_eq!(delta.is_empty(), a == b);
            delta.apply(&mut have);
            prop_assert_eq!(have, table(&b));
        }
    }
}
