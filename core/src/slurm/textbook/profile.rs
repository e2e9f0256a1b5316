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
mod tests;
