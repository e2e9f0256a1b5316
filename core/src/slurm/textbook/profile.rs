//! How many processors are free, now and later.

use std::collections::VecDeque;

/// Steps of a block; a full one is halved. Few in tests, whose profiles are short.
const FULL: usize = if cfg!(test) { 4 } else { 64 };

/// A step function of time: free processors, from now on for ever.
///
/// It is changed in place and never built anew. Its steps are kept in blocks that know the least and the most free processors in
/// them, so that a search passes over a whole block in which a job fits everywhere or nowhere, and a change of a long
/// stretch touches a block once.
///
/// ```
/// use clusterlab::slurm::textbook::Profile;
///
/// let mut profile = Profile::new(0, 10);
/// profile.take(0, 100, 8);
/// assert_eq!(profile.earliest(0, 2, 500), 0);
/// assert_eq!(profile.earliest(0, 3, 500), 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    blocks: VecDeque<Block>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    /// When each step begins, rising. Never empty.
    times: Vec<i64>,
    /// Free processors of each step, but for `shift`.
    free: Vec<i64>,
    /// What is to be added to all of `free`.
    shift: i64,
    /// The least free processors of a step, `shift` included.
    least: i64,
    /// The most.
    most: i64,
}

impl Block {
    fn measure(&mut self) {
        let (least, most) = self
            .free
            .iter()
            .fold((i64::MAX, i64::MIN), |(least, most), free| (least.min(*free), most.max(*free)));
        self.least = least + self.shift;
        self.most = most + self.shift;
    }

    fn at(&self, step: usize) -> i64 {
        self.free[step] + self.shift
    }
}

impl Profile {
    /// A machine of `processors` that are all free from `now` on.
    pub fn new(now: i64, processors: u32) -> Self {
        let free = i64::from(processors);
        let block = Block { times: vec![now], free: vec![free], shift: 0, least: free, most: free };
        Self { blocks: VecDeque::from([block]) }
    }

    /// A machine of which `free` processors are free from `now` on, and more by each of `releases` (time, processors), by rising
    /// time after `now`.
    pub(super) fn with_releases(now: i64, free: u32, releases: impl Iterator<Item = (i64, u32)>) -> Self {
        let mut profile = Self::new(now, free);
        let mut free = i64::from(free);
        for (time, processors) in releases {
            free += i64::from(processors);
            // There is always a block.
            let Some(block) = profile.blocks.back_mut() else { break };
            if block.times.len() < FULL / 2 {
                block.times.push(time);
                block.free.push(free);
                block.most = free;
            } else {
                profile.blocks.push_back(Block {
                    times: vec![time],
                    free: vec![free],
                    shift: 0,
                    least: free,
                    most: free,
                });
            }
        }
        profile
    }

    /// Time has come to `now`: forgets what was before.
    pub fn advance(&mut self, now: i64) {
        while self.blocks.get(1).is_some_and(|next| next.times[0] <= now) {
            self.blocks.pop_front();
        }
        let Some(block) = self.blocks.front_mut() else { return };
        let past = block.times.partition_point(|time| *time <= now).saturating_sub(1);
        if past > 0 {
            block.times.drain(..past);
            block.free.drain(..past);
            block.measure();
        }
        block.times[0] = block.times[0].max(now);
    }

    /// Takes processors from `from` until `until`, neither before the beginning. They must be free; otherwise later answers tell of
    /// fewer than none.
    pub fn take(&mut self, from: i64, until: i64, processors: u32) {
        self.change(from, until, -i64::from(processors));
    }

    /// Gives processors back that were taken.
    pub fn give(&mut self, from: i64, until: i64, processors: u32) {
        self.change(from, until, i64::from(processors));
    }

    /// The earliest time, from `from` on, at which `processors` are free for `duration` seconds (at least 1).
    ///
    /// There is one if the machine has so many, as nothing is taken for ever.
    pub fn earliest(&self, from: i64, processors: u32, duration: i64) -> i64 {
        let wanted = i64::from(processors);
        let (first, mut step) = self.locate(from);
        // Since when they have been free.
        let mut since: Option<i64> = None;
        for block in self.blocks.range(first..) {
            if step == 0 && block.most < wanted {
                if let Some(since) = since.filter(|since| block.times[0] - since >= duration) {
                    return since;
                }
                since = None;
                continue;
            }
            if let Some(since) = since.filter(|since| block.times[0] - since >= duration) {
                return since;
            }
            if step == 0 && block.least >= wanted {
                since = since.or(Some(block.times[0].max(from)));
                continue;
            }
            let wanted = wanted - block.shift;
            for (time, free) in block.times.iter().zip(&block.free).skip(step) {
                if *free >= wanted {
                    since = since.or(Some((*time).max(from)));
                } else if let Some(begin) = since {
                    if time - begin >= duration {
                        return begin;
                    }
                    since = None;
                }
            }
            step = 0;
        }
        since.unwrap_or(i64::MAX)
    }

    /// The earliest time from `from` on and before `reserved` to which a reservation at `reserved` can be moved: one at which
    /// `processors` are free for `duration` seconds or until `reserved`, since from there on they are its own. Only times before `until`
    /// are tried.
    pub fn earlier(
        &self,
        from: i64,
        reserved: i64,
        until: i64,
        processors: u32,
        duration: i64,
    ) -> Option<i64> {
        let wanted = i64::from(processors);
        let (first, mut step) = self.locate(from);
        let mut since: Option<i64> = None;
        for block in self.blocks.range(first..) {
            let begin = block.times[0];
            if begin >= reserved || since.map_or(begin >= until, |since| begin - since >= duration) {
                return since;
            }
            if step == 0 && block.most < wanted {
                since = None;
                continue;
            }
            if step == 0 && block.least >= wanted {
                since = since.or(Some(begin.max(from)));
                continue;
            }
            let wanted = wanted - block.shift;
            for (time, free) in block.times.iter().zip(&block.free).skip(step) {
                if *time >= reserved || since.map_or(*time >= until, |since| time - since >= duration) {
                    return since;
                }
                if *free < wanted {
                    since = None;
                } else if since.is_none() {
                    since = Some((*time).max(from));
                }
            }
            step = 0;
        }
        since
    }

    /// The most processors that are free at any time from `from` on and before `until`; 0 if there is no such time.
    pub(super) fn most(&self, from: i64, until: i64) -> u32 {
        let (first, mut step) = self.locate(from);
        let mut most = 0;
        for block in self.blocks.range(first..).take_while(|block| block.times[0] < until) {
            if block.most > most {
                let steps = block.times.iter().zip(&block.free).skip(step);
                let steps = steps.take_while(|(time, _)| **time < until);
                most = steps.map(|(_, free)| free + block.shift).fold(most, i64::max);
            }
            step = 0;
        }
        // Never more than the machine has.
        most as u32
    }

    /// Whether `processors` are free from `from` for `duration` seconds.
    pub fn fits(&self, from: i64, processors: u32, duration: i64) -> bool {
        let wanted = i64::from(processors);
        let (first, mut step) = self.locate(from);
        for block in self.blocks.range(first..) {
            if step == 0 && block.least >= wanted {
                continue;
            }
            for (time, free) in block.times.iter().zip(&block.free).skip(step) {
                if *time > from && time - from >= duration {
                    return true;
                }
                if free + block.shift < wanted {
                    return false;
                }
            }
            step = 0;
        }
        true
    }

    /// The steps from a time on; the first of them may begin before it.
    pub(super) fn steps_from(&self, time: i64) -> impl Iterator<Item = (i64, i64)> {
        let (first, step) = self.locate(time);
        let blocks = self.blocks.range(first..);
        blocks
            .flat_map(|block| {
                block.times.iter().zip(&block.free).map(|(time, free)| (*time, free + block.shift))
            })
            .skip(step)
    }

    /// Its steps: when each begins, and how many processors are free then.
    pub fn steps(&self) -> impl Iterator<Item = (i64, i64)> {
        self.blocks.iter().flat_map(|block| {
            block.times.iter().zip(&block.free).map(|(time, free)| (*time, free + block.shift))
        })
    }

    /// Block and step in which a time lies; the first for one before all.
    fn locate(&self, time: i64) -> (usize, usize) {
        // Most questions are about now.
        let first = &self.blocks[0].times;
        if first
            .get(1)
            .or_else(|| self.blocks.get(1).map(|block| &block.times[0]))
            .is_none_or(|next| *next > time)
        {
            return (0, 0);
        }
        let block = self.blocks.partition_point(|block| block.times[0] <= time).saturating_sub(1);
        let step = self.blocks[block].times.partition_point(|begin| *begin <= time).saturating_sub(1);
        (block, step)
    }

    /// Block and step that begins at a time: made if there is none.
    fn split(&mut self, time: i64) -> (usize, usize) {
        let (at, step) = self.locate(time);
        let block = &mut self.blocks[at];
        if block.times[step] >= time {
            return (at, step);
        }
        block.times.insert(step + 1, time);
        block.free.insert(step + 1, block.free[step]);
        if block.times.len() <= FULL {
            return (at, step + 1);
        }
        let half = block.times.len() / 2;
        let mut later = Block {
            times: block.times.split_off(half),
            free: block.free.split_off(half),
            shift: block.shift,
            least: 0,
            most: 0,
        };
        block.measure();
        later.measure();
        self.blocks.insert(at + 1, later);
        if step + 1 < half { (at, step + 1) } else { (at + 1, step + 1 - half) }
    }

    fn change(&mut self, from: i64, until: i64, by: i64) {
        if from >= until {
            return;
        }
        self.split(from);
        let (last, end) = self.split(until);
        let (first, begin) = self.locate(from);
        for at in first..=last {
            let block = &mut self.blocks[at];
            let steps = block.free.len();
            let range = if at == first { begin } else { 0 }..if at == last { end } else { steps };
            if range == (0..steps) {
                block.shift += by;
                block.least += by;
                block.most += by;
            } else if !range.is_empty() {
                for free in &mut block.free[range] {
                    *free += by;
                }
                block.measure();
            }
        }
        self.join(last, end);
        self.join(first, begin);
    }

    /// Takes a step out that is equal to the one before it.
    fn join(&mut self, at: usize, step: usize) {
        let before = match (at, step) {
            (0, 0) => return,
            (_, 0) => {
                let before = &self.blocks[at - 1];
                before.at(before.free.len() - 1)
            }
            _ => self.blocks[at].at(step - 1),
        };
        let block = &mut self.blocks[at];
        if block.at(step) != before {
            return;
        }
        block.times.remove(step);
        block.free.remove(step);
        if block.times.is_empty() {
            self.blocks.remove(at);
        } else if step == 0 {
            // An equal one is left behind in this block only where it was not the first.
            block.measure();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Free processors of each second: what a profile is, without any idea.
    struct Plain(Vec<i64>);

    impl Plain {
        fn change(&mut self, from: i64, until: i64, by: i64) {
            for free in &mut self.0[from as usize..until as usize] {
                *free += by;
            }
        }

        fn fits(&self, from: i64, processors: u32, duration: i64) -> bool {
            (from..from + duration).all(|time| self.0[time as usize] >= i64::from(processors))
        }
    }

    const LENGTH: i64 = 600;
    const PROCESSORS: u32 = 16;
    /// So many that everything fits at their end.
    const SECONDS: i64 = 40_000;

    proptest! {
        #[test]
        fn it_answers_as_a_list_of_seconds_does(
            steps in prop::collection::vec((0..LENGTH, 1..60_i64, 1..=PROCESSORS, any::<u8>()), 1..250)
        ) {
            let mut profile = Profile::new(0, PROCESSORS);
            let mut plain = Plain(vec![i64::from(PROCESSORS); SECONDS as usize]);
            let mut taken: Vec<(i64, i64, u32)> = Vec::new();
            let mut now = 0;
            for (from, duration, processors, what) in steps {
                match what % 8 {
                    0 => {
                        now = (now + from / 64).min(LENGTH);
                        profile.advance(now);
                        taken.retain(|slot| slot.1 > now);
                    }
                    1 if !taken.is_empty() => {
                        let place = from as usize % taken.len();
                        let (reserved, until, processors) = taken[place];
                        if reserved >= now {
                            let found = profile.earlier(now, reserved, i64::MAX, processors, until - reserved);
                            plain.change(reserved, until, i64::from(processors));
                            let expect = (now..SECONDS).find(|start| plain.fits(*start, processors, until - reserved));
                            plain.change(reserved, until, -i64::from(processors));
                            prop_assert_eq!(found.or(Some(reserved)), expect);
                        }
                    }
                    2 if !taken.is_empty() => {
                        let (from, until, processors) = taken.swap_remove(from as usize % taken.len());
                        profile.give(from.max(now), until, processors);
                        plain.change(from.max(now), until, i64::from(processors));
                    }
                    _ => {
                        let from = from.max(now);
                        let start = profile.earliest(from, processors, duration);
                        let expect = (from..SECONDS).find(|start| plain.fits(*start, processors, duration));
                        prop_assert_eq!(Some(start), expect);
                        prop_assert_eq!(
                            profile.fits(from, processors, duration),
                            plain.fits(from, processors, duration)
                        );
                        profile.take(start, start + duration, processors);
                        plain.change(start, start + duration, -i64::from(processors));
                        taken.push((start, start + duration, processors));
                    }
                }
                let steps: Vec<_> = profile.steps().collect();
                prop_assert_eq!(steps[0].0, now);
                for (at, (time, free)) in steps.iter().enumerate() {
                    prop_assert_eq!(*free, plain.0[*time as usize]);
                    let until = steps.get(at + 1).map_or(*time + 1, |next| next.0);
                    prop_assert!((*time..until).all(|time| plain.0[time as usize] == *free));
                }
                for block in &profile.blocks {
                    let mut measured = block.clone();
                    measured.measure();
                    prop_assert_eq!(&measured, block);
                    prop_assert!(block.times.len() <= FULL);
                }
            }
        }
    }

    #[test]
    fn a_job_starts_where_enough_are_free_for_long_enough() {
        let mut profile = Profile::new(0, 10);
        profile.take(0, 50, 6);
        profile.take(20, 30, 4);
        let check = |processors, duration, expect| {
            assert_eq!(profile.earliest(0, processors, duration), expect, "{processors} for {duration} s");
        };
        check(4, 20, 0);
        check(4, 21, 30);
        check(5, 1, 50);
        check(10, 1000, 50);
        assert!(profile.fits(30, 4, 1000) && !profile.fits(29, 1, 1));
    }

    #[test]
    fn steps_that_no_longer_differ_are_one() {
        let mut profile = Profile::new(0, 10);
        for slot in 0..1000 {
            profile.take(slot * 10, slot * 10 + 5, 3);
        }
        for slot in 0..1000 {
            profile.give(slot * 10, slot * 10 + 5, 3);
        }
        assert_eq!(profile, Profile::new(0, 10));
    }
}
