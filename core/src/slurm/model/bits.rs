//! A set of small numbers: nodes of a cluster, cores of a node, GPUs of a node.

use smallvec::SmallVec;

/// A growable bitset; absent bits are unset, so that sets of different lengths compare by what they hold.
///
/// ```
/// use clusterlab::slurm::model::Bits;
/// let mut nodes: Bits = [0, 2, 65].into_iter().collect();
/// nodes.clear(2);
/// assert_eq!(nodes.iter().collect::<Vec<_>>(), [0, 65]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Bits(SmallVec<[u64; 2]>);

impl Bits {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set `0..n`.
    pub fn first(n: usize) -> Self {
        let last = if n.is_multiple_of(64) { u64::MAX } else { (1 << (n % 64)) - 1 };
        Self(match n.div_ceil(64) {
            0 => SmallVec::new(),
            1 => SmallVec::from_buf_and_len([last, 0], 1),
            2 => SmallVec::from_buf([u64::MAX, last]),
            more => {
                let mut words = SmallVec::from_elem(u64::MAX, more);
                words[more - 1] = last;
                words
            }
        })
    }

    /// Adds `i`.
    pub fn set(&mut self, i: usize) {
        if i / 64 >= self.0.len() {
            self.0.resize(i / 64 + 1, 0);
        }
        self.0[i / 64] |= 1 << (i % 64);
    }

    /// Takes `i` out.
    pub fn clear(&mut self, i: usize) {
        if let Some(word) = self.0.get_mut(i / 64) {
            *word &= !(1 << (i % 64));
        }
    }

    /// Whether `i` is in it.
    pub fn has(&self, i: usize) -> bool {
        self.0.get(i / 64).is_some_and(|word| word >> (i % 64) & 1 == 1)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The smallest member.
    pub fn min(&self) -> Option<usize> {
        self.0.iter().position(|word| *word != 0).map(|at| at * 64 + self.0[at].trailing_zeros() as usize)
    }

    /// The members, rising.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(at * 64 + bit)
            })
        })
    }

    /// The members that are in `other` too, rising.
    pub fn iter_common<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        self.0.iter().zip(&other.0).enumerate().flat_map(|(at, (word, other))| {
            let mut rest = word & other;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(at * 64 + bit)
            })
        })
    }

    /// Keeps the members of which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        for (at, word) in self.0.iter_mut().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                if !keep(at * 64 + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// Adds every member of `other`.
    pub fn union(&mut self, other: &Self) {
        if other.0.len() > self.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }

    /// Keeps only what `other` has too.
    pub fn intersect(&mut self, other: &Self) {
        let theirs: &[u64] = &other.0;
        if self.0.len() > theirs.len() {
            self.0.truncate(theirs.len());
        }
        for (mine, theirs) in self.0.iter_mut().zip(theirs) {
            *mine &= theirs;
        }
    }

    /// Whether a member of this is in `then`, but not in both `now` and `so_far`.
    pub fn gains(&self, then: &Self, now: &Self, so_far: &Self) -> bool {
        let (then, now, so_far): (&[u64], &[u64], &[u64]) = (&then.0, &now.0, &so_far.0);
        let word = |of: &[u64], at: usize| of.get(at).copied().unwrap_or(0);
        let mine: &[u64] = &self.0;
        mine.iter()
            .zip(then)
            .enumerate()
            .any(|(at, (mine, then))| mine & then & !(word(now, at) & word(so_far, at)) != 0)
    }

    /// Takes out every member of `other`.
    pub fn subtract(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine &= !theirs;
        }
    }

    /// Whether the two share a member.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(mine, theirs)| mine & theirs != 0)
    }

    /// How many members the two share.
    pub fn overlap_count(&self, other: &Self) -> usize {
        self.0.iter().zip(&other.0).map(|(mine, theirs)| (mine & theirs).count_ones() as usize).sum()
    }

    /// Whether every member of this is one of `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().enumerate().all(|(at, word)| word & !other.0.get(at).copied().unwrap_or(0) == 0)
    }
}

impl PartialEq for Bits {
    fn eq(&self, other: &Self) -> bool {
        self.is_subset(other) && other.is_subset(self)
    }
}

impl Eq for Bits {}

impl FromIterator<usize> for Bits {
    fn from_iter<I: IntoIterator<Item = usize>>(members: I) -> Self {
        let mut bits = Self::new();
        for member in members {
            bits.set(member);
        }
        bits
    }
}

/// `0-3,7`: how Slurm prints the indices of cores and of GPUs.
impl std::fmt::Display for Bits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut open: Option<(usize, usize)> = None;
        let mut first = true;
        let mut put = |f: &mut std::fmt::Formatter<'_>, (from, to): (usize, usize)| {
            let comma = if std::mem::take(&mut first) { "" } else { "," };
            if from == to { write!(f, "{comma}{from}") } else { write!(f, "{comma}{from}-{to}") }
        };
        for i in self.iter() {
            open = match open {
                Some((from, to)) if to + 1 == i => Some((from, i)),
                Some(range) => {
                    put(f, range)?;
                    Some((i, i))
                }
                None => Some((i, i)),
            };
        }
        open.map_or(Ok(()), |range| put(f, range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_gained_was_not_there_before() {
        let set = |members: &[usize]| members.iter().copied().collect::<Bits>();
        let check = |then: &[usize], now: &[usize], so_far: &[usize], expect: bool| {
            assert_eq!(set(&[1, 2, 70]).gains(&set(then), &set(now), &set(so_far)), expect, "{then:?}");
        };
        check(&[1, 2], &[1, 2], &[1, 2], false);
        check(&[1, 2], &[1, 2], &[1], true);
        check(&[1, 70], &[1], &[1, 70], true);
        check(&[3, 71], &[], &[], false);
        check(&[], &[], &[], false);
    }

    #[test]
    fn what_is_not_kept_is_gone() {
        let mut bits: Bits = [0, 1, 63, 64, 200].into_iter().collect();
        bits.retain(|bit| bit % 2 == 0);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 64, 200]);
    }

    #[test]
    fn ranges_are_printed_as_slurm_prints_them() {
        let text = |members: &[usize]| members.iter().copied().collect::<Bits>().to_string();
        assert_eq!(text(&[]), "");
        assert_eq!(text(&[3]), "3");
        assert_eq!(text(&[0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
        assert_eq!(Bits::first(70).to_string(), "0-69");
    }

    proptest! {
        #[test]
        fn a_bitset_behaves_like_a_set(a in prop::collection::btree_set(0usize..200, 0..40), b in prop::collection::btree_set(0usize..200, 0..40)) {
            let (x, y): (Bits, Bits) = (a.iter().copied().collect(), b.iter().copied().collect());
            let check = |op: fn(&mut Bits, &Bits), expect: Vec<usize>| {
                let mut z = x.clone();
                op(&mut z, &y);
                assert_eq!(z.iter().collect::<Vec<_>>(), expect);
            };
            check(Bits::union, a.union(&b).copied().collect());
            check(Bits::intersect, a.intersection(&b).copied().collect());
            check(Bits::subtract, a.difference(&b).copied().collect());
            prop_assert_eq!(x.count(), a.len());
            prop_assert_eq!(x.min(), a.first().copied());
            prop_assert_eq!(x.overlaps(&y), a.intersection(&b).next().is_some());
            prop_assert_eq!(x.overlap_count(&y), a.intersection(&b).count());
            prop_assert_eq!(x.is_subset(&y), a.is_subset(&b));
            prop_assert_eq!(x == y, a == b);
        }
    }
}
