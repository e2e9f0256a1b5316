//! A binary heap of pods from whose middle one can be taken.

use super::PodId;

const ABSENT: u32 = u32::MAX;

/// A heap whose order is given at each call, as it depends on data that lives elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Heap {
    items: Vec<PodId>,
    /// Where each pod stands in `items`, by pod.
    positions: Vec<u32>,
}

impl Heap {
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn peek(&self) -> Option<PodId> {
        self.items.first().copied()
    }

    pub fn push(&mut self, pod: PodId, less: &dyn Fn(PodId, PodId) -> bool) {
        if self.positions.len() <= pod.index() {
            self.positions.resize(pod.index() + 1, ABSENT);
        }
        if let Some(position) = self.position(pod) {
            self.fix(position, less);
        } else {
            self.items.push(pod);
            self.place(self.items.len() - 1, pod);
            self.up(self.items.len() - 1, less);
        }
    }

    pub fn remove(&mut self, pod: PodId, less: &dyn Fn(PodId, PodId) -> bool) -> bool {
        let Some(position) = self.position(pod) else { return false };
        self.items.swap_remove(position);
        self.positions[pod.index()] = ABSENT;
        if let Some(&moved) = self.items.get(position) {
            self.place(position, moved);
            self.fix(position, less);
        }
        true
    }

    fn position(&self, pod: PodId) -> Option<usize> {
        self.positions.get(pod.index()).filter(|&&position| position != ABSENT).map(|&p| p as usize)
    }

    fn place(&mut self, position: usize, pod: PodId) {
        self.items[position] = pod;
        self.positions[pod.index()] = position as u32;
    }

    fn fix(&mut self, position: usize, less: &dyn Fn(PodId, PodId) -> bool) {
        let position = self.up(position, less);
        self.down(position, less);
    }

    fn up(&mut self, mut position: usize, less: &dyn Fn(PodId, PodId) -> bool) -> usize {
        while position > 0 {
            let parent = (position - 1) / 2;
            if !less(self.items[position], self.items[parent]) {
                break;
            }
            self.swap(position, parent);
            position = parent;
        }
        position
    }

    fn down(&mut self, mut position: usize, less: &dyn Fn(PodId, PodId) -> bool) {
        loop {
            let left = 2 * position + 1;
            let Some(&first) = self.items.get(left) else { return };
            let right = self.items.get(left + 1).copied();
            let child = if right.is_some_and(|right| less(right, first)) { left + 1 } else { left };
            if !less(self.items[child], self.items[position]) {
                return;
            }
            self.swap(position, child);
            position = child;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        let (pod_a, pod_b) = (self.items[a], self.items[b]);
        self.place(a, pod_b);
        self.place(b, pod_a);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pods_come_out_in_order_whatever_was_taken_from_the_middle(
            keys in proptest::collection::vec(0_u32..100, 1..60),
            removed in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let less = |a: PodId, b: PodId| (keys[a.index()], a) < (keys[b.index()], b);
            let mut heap = Heap::default();
            let mut expected: Vec<_> = (0..keys.len() as u32).map(PodId).collect();
            for pod in &expected {
                heap.push(*pod, &less);
            }
            for index in removed {
                let pod = PodId(index.index(keys.len()) as u32);
                let was_there = expected.contains(&pod);
                prop_assert_eq!(heap.remove(pod, &less), was_there);
                expected.retain(|other| *other != pod);
            }
            expected.sort_by_key(|pod| (keys[pod.index()], *pod));
            let drained: Vec<_> = std::iter::from_fn(|| {
                let top = heap.peek()?;
                heap.remove(top, &less);
                Some(top)
            })
            .collect();
            prop_assert_eq!(drained, expected);
        }
    }
}
