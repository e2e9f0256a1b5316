//! Values of which some are absent, and the first that is not above a limit.

/// Children of a node: their values are one cache line.
const FAN: usize = 8;
/// The value of an absent one: above every limit.
const ABSENT: i64 = i64::MAX;

/// Slots with a value each or none, and above them the smallest value of every eight, to the root.
#[derive(Clone, Debug)]
pub(super) struct MinTree {
    /// The slots, then each level above them; every level is filled up to a multiple of eight, but for the root.
    values: Vec<i64>,
    /// Where each level begins.
    begins: Vec<usize>,
}

impl MinTree {
    /// `slots` slots without a value.
    pub fn new(slots: usize) -> Self {
        let mut begins = Vec::new();
        let (mut total, mut width) = (0, slots.max(1));
        loop {
            begins.push(total);
            if width == 1 {
                break;
            }
            total += width.next_multiple_of(FAN);
            width = width.div_ceil(FAN);
        }
        Self { values: vec![ABSENT; total + 1], begins }
    }

    /// The smallest value; `i64::MAX` if there is none.
    pub fn min(&self) -> i64 {
        self.values[self.values.len() - 1]
    }

    /// Gives a slot without a value one.
    pub fn insert(&mut self, slot: usize, value: i64) {
        let mut at = slot;
        for begin in &self.begins {
            let place = &mut self.values[begin + at];
            if *place <= value {
                return;
            }
            *place = value;
            at /= FAN;
        }
    }

    /// Takes a slot's value.
    pub fn remove(&mut self, slot: usize) {
        let mut at = slot;
        let mut value = ABSENT;
        for level in 0..self.begins.len() {
            let place = self.begins[level] + at;
            if level > 0 {
                let first = self.begins[level - 1] + at * FAN;
                value = self.values[first..first + FAN].iter().copied().fold(ABSENT, i64::min);
            }
            if self.values[place] == value && level > 0 {
                return;
            }
            self.values[place] = value;
            at /= FAN;
        }
    }

    /// The first slot whose value is at most `limit` (which is below `i64::MAX`).
    pub fn first_within(&self, limit: i64) -> Option<usize> {
        if self.min() > limit {
            return None;
        }
        let mut at = 0;
        for begin in self.begins.iter().rev().skip(1) {
            let first = begin + at * FAN;
            let child = self.values[first..first + FAN].iter().position(|value| *value <= limit)?;
            at = at * FAN + child;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_finds_what_a_search_from_the_left_finds(
            slots in 1_usize..700,
            steps in prop::collection::vec((any::<usize>(), 0_i64..50, 0_i64..50), 1..300),
        ) {
            let mut tree = MinTree::new(slots);
            let mut plain = vec![None; slots];
            for (slot, value, limit) in steps {
                let slot = slot % slots;
                if plain[slot].take().is_some() {
                    tree.remove(slot);
                } else {
                    tree.insert(slot, value);
                    plain[slot] = Some(value);
                }
                let expect = plain.iter().position(|value| value.is_some_and(|value| value <= limit));
                prop_assert_eq!(tree.first_within(limit), expect);
                prop_assert_eq!(tree.min(), plain.iter().flatten().copied().min().unwrap_or(i64::MAX));
            }
        }
    }
}
