//! Sorting, and maps of what an iterator gives, in little code.
//!
//! The standard library's stable sort is compiled anew, in some 4 kB, for every type and every order; so are the
//! constructors of its maps, which sort first. A visitor of the browser lab downloads each of them. Here the sort itself
//! is compiled once. It is for what is sorted now and then: lists of the size of a screen, fields of an object.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Stable sorting of slices.
pub trait InOrder<T> {
    /// As [`slice::sort_by`].
    fn order_by(&mut self, compare: impl FnMut(&T, &T) -> Ordering);

    /// As [`slice::sort_by_key`].
    fn order_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K);
}

impl<T> InOrder<T> for [T] {
    fn order_by(&mut self, mut compare: impl FnMut(&T, &T) -> Ordering) {
        for (a, b) in swaps(self.len(), &mut |a, b| compare(&self[a], &self[b])) {
            self.swap(a, b);
        }
    }

    fn order_by_key<K: Ord>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.order_by(|a, b| key(a).cmp(&key(b)));
    }
}

/// What has to change places, in this order, for `length` items to be sorted.
fn swaps(length: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..length).collect();
    order.sort_by(|a, b| compare(*a, *b));
    // Where each item goes to.
    let mut to = vec![0; length];
    for (place, item) in order.iter().enumerate() {
        to[*item] = place;
    }
    let mut swaps = Vec::new();
    for place in 0..length {
        while to[place] != place {
            let goal = to[place];
            swaps.push((place, goal));
            to.swap(place, goal);
        }
    }
    swaps
}

/// Maps and sets of what an iterator gives; of equal keys the last one counts, as with [`Iterator::collect`].
pub trait Collected: Iterator + Sized {
    /// A map.
    fn into_map<K: Ord, V>(self) -> BTreeMap<K, V>
    where
        Self: Iterator<Item = (K, V)>,
    {
        let mut map = BTreeMap::new();
        for (key, value) in self {
            map.insert(key, value);
        }
        map
    }

    /// An object of JSON.
    fn into_object(self) -> serde_json::Map<String, serde_json::Value>
    where
        Self: Iterator<Item = (String, serde_json::Value)>,
    {
        let mut object = serde_json::Map::new();
        for (key, value) in self {
            object.insert(key, value);
        }
        object
    }

    /// A set.
    fn into_set(self) -> BTreeSet<Self::Item>
    where
        Self::Item: Ord,
    {
        let mut set = BTreeSet::new();
        for item in self {
            set.insert(item);
        }
        set
    }
}

impl<I: Iterator> Collected for I {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_order_is_that_of_the_standard_library(items in proptest::collection::vec((0_u8..20, any::<u8>()), 0..80)) {
            let (mut ours, mut theirs) = (items.clone(), items);
            ours.order_by_key(|item| item.0);
            theirs.sort_by_key(|item| item.0);
            prop_assert_eq!(&ours, &theirs);
            ours.order_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            theirs.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn maps_and_sets_are_those_of_the_standard_library(items in proptest::collection::vec((0_u8..20, any::<u8>()), 0..80)) {
            let map: BTreeMap<u8, u8> = items.iter().copied().collect();
            prop_assert_eq!(items.iter().copied().into_map(), map);
            let set: BTreeSet<(u8, u8)> = items.iter().copied().collect();
            prop_assert_eq!(items.into_iter().into_set(), set);
        }
    }
}
