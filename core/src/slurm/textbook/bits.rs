//! A set of small numbers whose smallest is found at once.

/// A set of numbers below a bound, as bits in words, with a summary bit for each word of the level below.
#[derive(Clone, Debug)]
pub(super) struct Bits {
    levels: Vec<Vec<u64>>,
}

impl Bits {
    /// An empty set of numbers below `bound`.
    pub fn new(bound: usize) -> Self {
        let mut levels = Vec::new();
        let mut words = bound.div_ceil(64).max(1);
        loop {
            levels.push(vec![0; words]);
            if words == 1 {
                return Self { levels };
            }
            words = words.div_ceil(64);
        }
    }

    /// Puts a number in.
    pub fn insert(&mut self, number: usize) {
        let mut at = number;
        for level in &mut self.levels {
            let word = &mut level[at / 64];
            let was = *word;
            *word |= 1 << (at % 64);
            if was != 0 {
                return;
            }
            at /= 64;
        }
    }

    /// Takes a number out.
    pub fn remove(&mut self, number: usize) {
        let mut at = number;
        for level in &mut self.levels {
            let word = &mut level[at / 64];
            *word &= !(1 << (at % 64));
            if *word != 0 {
                return;
            }
            at /= 64;
        }
    }

    /// Takes a number out; answers whether it was in.
    pub fn remove_if_there(&mut self, number: usize) -> bool {
        let there = self.levels[0][number / 64] & (1 << (number % 64)) != 0;
        if there {
            self.remove(number);
        }
        there
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.levels.last().is_none_or(|top| top[0] == 0)
    }

    /// The smallest number.
    pub fn first(&self) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        Some(self.levels.iter().rev().fold(0, |at, level| at * 64 + level[at].trailing_zeros() as usize))
    }

    /// The smallest number that is not below `from`.
    pub fn next(&self, from: usize) -> Option<usize> {
        let mut at = from;
        for (height, level) in self.levels.iter().enumerate() {
            let word = level.get(at / 64)? & (u64::MAX << (at % 64));
            if word != 0 {
                let found = at / 64 * 64 + word.trailing_zeros() as usize;
                let below = self.levels[..height].iter().rev();
                return Some(below.fold(found, |at, level| at * 64 + level[at].trailing_zeros() as usize));
            }
            at = at / 64 + 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_answers_as_an_ordered_set_does(
            steps in prop::collection::vec((any::<bool>(), 0_usize..5000, 0_usize..5200), 1..200)
        ) {
            let mut bits = Bits::new(5000);
            let mut set = BTreeSet::new();
            for (insert, number, from) in steps {
                if insert {
                    bits.insert(number);
                    set.insert(number);
                } else {
                    let number = set.range(number..).next().copied().unwrap_or(number);
                    bits.remove(number);
                    set.remove(&number);
                }
                prop_assert_eq!(bits.first(), set.first().copied());
                prop_assert_eq!(bits.next(from), set.range(from..).next().copied());
                prop_assert_eq!(bits.is_empty(), set.is_empty());
            }
        }
    }
}
