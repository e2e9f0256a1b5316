//! When the scheduler believes that processors come free.

/// Entries of a block; a full one is halved. Few in tests, in which there are few.
const FULL: usize = if cfg!(test) { 4 } else { 64 };

/// The ends that estimates promise, and how many processors each frees: in order of time, in blocks that know their sum.
#[derive(Clone, Debug, Default)]
pub(super) struct Releases {
    blocks: Vec<Block>,
}

#[derive(Clone, Debug, Default)]
struct Block {
    /// Processors of all its entries.
    sum: u32,
    /// (time, processors), never empty, by rising time.
    entries: Vec<(i64, u32)>,
}

impl Block {
    fn last(&self) -> i64 {
        self.entries.last().map_or(i64::MIN, |entry| entry.0)
    }
}

impl Releases {
    /// `processors` are expected to be freed at `time`.
    pub fn add(&mut self, time: i64, processors: u32) {
        let mut at = self.block(time);
        if at == self.blocks.len() {
            if at == 0 {
                self.blocks.push(Block::default());
            } else {
                at -= 1;
            }
        }
        let block = &mut self.blocks[at];
        block.sum += processors;
        let place = block.entries.partition_point(|entry| entry.0 < time);
        match block.entries.get_mut(place) {
            Some(entry) if entry.0 == time => entry.1 += processors,
            _ => block.entries.insert(place, (time, processors)),
        }
        if block.entries.len() > FULL {
            let entries = block.entries.split_off(FULL / 2);
            let sum = entries.iter().map(|entry| entry.1).sum();
            block.sum -= sum;
            self.blocks.insert(at + 1, Block { sum, entries });
        }
    }

    /// They are not any more. They must have been added.
    pub fn remove(&mut self, time: i64, processors: u32) {
        let at = self.block(time);
        let Some(block) = self.blocks.get_mut(at) else { return };
        let place = block.entries.partition_point(|entry| entry.0 < time);
        let Some(entry) = block.entries.get_mut(place) else { return };
        debug_assert!(entry.0 == time && entry.1 >= processors, "{entry:?}: {time} {processors}");
        entry.1 -= processors;
        block.sum -= processors;
        if entry.1 == 0 {
            block.entries.remove(place);
            if block.entries.is_empty() {
                self.blocks.remove(at);
            }
        }
    }

    /// The earliest time by which `processors` (at least 1) are freed, and how many are by then, those of that very time included.
    pub fn when(&self, processors: u32) -> Option<(i64, u32)> {
        let mut freed = 0;
        for block in &self.blocks {
            if freed + block.sum < processors {
                freed += block.sum;
                continue;
            }
            for (time, more) in &block.entries {
                freed += more;
                if freed >= processors {
                    return Some((*time, freed));
                }
            }
        }
        None
    }

    /// All of them: time and processors, by rising time.
    pub fn iter(&self) -> impl Iterator<Item = (i64, u32)> {
        self.blocks.iter().flat_map(|block| block.entries.iter().copied())
    }

    /// The block in which a time stands or would.
    fn block(&self, time: i64) -> usize {
        self.blocks.partition_point(|block| block.last() < time)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_answers_as_a_plain_sum_does(
            steps in prop::collection::vec((0_i64..400, 1_u32..9, any::<bool>(), 1_u32..900), 1..500)
        ) {
            let mut releases = Releases::default();
            let mut plain: BTreeMap<i64, u32> = BTreeMap::new();
            for (time, processors, add, wanted) in steps {
                let there = plain.get(&time).copied().unwrap_or(0);
                if add || there < processors {
                    releases.add(time, processors);
                    plain.insert(time, there + processors);
                } else {
                    releases.remove(time, processors);
                    plain.insert(time, there - processors);
                    plain.retain(|_, processors| *processors > 0);
                }
                prop_assert!(releases.iter().eq(plain.iter().map(|(time, processors)| (*time, *processors))));
                let mut freed = 0;
                let expect = plain.iter().find_map(|(time, processors)| {
                    freed += processors;
                    (freed >= wanted).then_some((*time, freed))
                });
                prop_assert_eq!(releases.when(wanted), expect);
            }
        }
    }
}
