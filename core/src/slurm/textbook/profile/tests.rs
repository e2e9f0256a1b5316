//! The availability profile, against a list of seconds.

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
