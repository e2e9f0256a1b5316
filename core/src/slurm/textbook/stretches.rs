//! For how long how many processors are free.

use super::profile::Profile;

/// For every number of processors the longest time that they are free, of those times that begin in a window: found for all numbers
/// in one pass over a profile.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretches {
    /// (processors, seconds): fewer and fewer processors, longer and longer.
    longest: Vec<(i64, i64)>,
    /// Kept for its memory: stretches that have not ended, later and later, with more and more processors.
    open: Vec<(i64, i64)>,
}

impl Stretches {
    /// Those of a profile that begin from `from` on and before `until`. One that is as long as `enough`, or longer, may be told as
    /// endless (`i64::MAX`).
    pub fn find(&mut self, profile: &Profile, from: i64, until: i64, enough: i64) {
        self.longest.clear();
        self.open.clear();
        for (time, free) in profile.steps_from(from) {
            let time = time.max(from);
            let mut begin = time;
            while let Some((since, processors)) = self.open.pop_if(|open| open.1 > free) {
                self.longest.push((processors, time - since));
                begin = since;
            }
            if begin < until && free > self.open.last().map_or(0, |open| open.1) {
                self.open.push((begin, free));
            }
            let Some((latest, _)) = self.open.last() else {
                if time >= until {
                    break;
                }
                continue;
            };
            if time >= until && time - latest >= enough {
                break;
            }
        }
        self.longest.extend(self.open.iter().map(|(_, processors)| (*processors, i64::MAX)));
        self.longest.sort_unstable_by(|a, b| b.cmp(a));
        let mut longest = 0;
        self.longest.retain(|(_, length)| {
            let longer = *length > longest;
            longest = longest.max(*length);
            longer
        });
    }

    /// The longest time for which so many are free; 0 if they never are.
    pub fn of(&self, processors: u32) -> i64 {
        let fewer = self.longest.partition_point(|(free, _)| *free >= i64::from(processors));
        fewer.checked_sub(1).map_or(0, |last| self.longest[last].1)
    }

    /// The most processors that are free.
    pub fn most(&self) -> u32 {
        // Never more than the machine has.
        self.longest.first().map_or(0, |(free, _)| *free as u32)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_what_a_look_at_each_second_finds(
            slots in prop::collection::vec((0_i64..80, 1_i64..30, 1_u32..=8), 0..20),
            from in 0_i64..60,
            window in 1_i64..40,
            enough in 1_i64..50,
        ) {
            let mut profile = Profile::new(0, 8);
            let mut seconds = vec![8_i64; 400];
            for (from, duration, processors) in slots {
                let start = profile.earliest(from, processors, duration);
                profile.take(start, start + duration, processors);
                for free in &mut seconds[start as usize..(start + duration) as usize] {
                    *free -= i64::from(processors);
                }
            }
            let mut stretches = Stretches::default();
            stretches.find(&profile, from, from + window, enough);
            for processors in 1..=8_u32 {
                let length = |begin: i64| {
                    let free = &seconds[begin as usize..];
                    let length = free.iter().take_while(|free| **free >= i64::from(processors)).count();
                    if length == free.len() { i64::MAX } else { length as i64 }
                };
                let expect = (from..from + window).map(length).max().unwrap_or(0);
                let found = stretches.of(processors);
                prop_assert!(found == expect || found == i64::MAX && expect >= enough, "{processors}: {found} {expect}");
            }
            prop_assert_eq!(i64::from(stretches.most()), (from..from + window).map(|at| seconds[at as usize]).max().unwrap());
        }
    }
}
