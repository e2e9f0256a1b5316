//! The random numbers of Go's `math/rand`, version 1: the authors' simulator draws its workloads from them.
//!
//! An additive lagged Fibonacci generator, y(n) = y(n-607) + y(n-273) modulo 2^64. A seed fills its 607 numbers by a
//! linear congruential generator and mixes in a table: the state of the same generator 7.8 million million steps after
//! it was filled from seed 1. We work the table out rather than carry it, by the powers of x modulo
//! x^607 - x^334 - 1, which say what a number that many steps later is made of.

use std::sync::OnceLock;

const LENGTH: usize = 607;
const TAP: usize = 273;
/// Steps from the table's seed to the table.
const COOKING: u64 = 7_800_000_000_000;

/// Go's generator. Not for anything but repeating what a Go program drew.
#[derive(Clone, Debug)]
pub struct GoRandom {
    state: Vec<u64>,
    tap: usize,
    feed: usize,
}

impl GoRandom {
    /// As after `rand.Seed(seed)`.
    pub fn new(seed: i64) -> Self {
        static TABLE: OnceLock<Vec<u64>> = OnceLock::new();
        let table = TABLE.get_or_init(|| state_after(&fill(1, 20, 10), COOKING));
        let state = fill(seed, 40, 20).iter().zip(table).map(|(own, cooked)| own ^ cooked).collect();
        Self { state, tap: 0, feed: LENGTH - TAP }
    }

    /// `rand.Uint64`
    pub fn next_u64(&mut self) -> u64 {
        self.tap = (self.tap + LENGTH - 1) % LENGTH;
        self.feed = (self.feed + LENGTH - 1) % LENGTH;
        let number = self.state[self.feed].wrapping_add(self.state[self.tap]);
        self.state[self.feed] = number;
        number
    }

    /// `rand.Intn` for a bound below 2^31; 0 if the bound is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        if bound.is_power_of_two() {
            return self.int31() & (bound - 1);
        }
        let most = (1 << 31) - 1 - (1_u32 << 31) % bound;
        loop {
            let number = self.int31();
            if number <= most {
                return number % bound;
            }
        }
    }

    /// `rand.Perm`
    pub fn permutation(&mut self, count: u32) -> Vec<u32> {
        let mut numbers: Vec<u32> = Vec::new();
        for i in 0..count {
            let j = self.below(i + 1) as usize;
            numbers.push(i);
            numbers[i as usize] = numbers[j];
            numbers[j] = i;
        }
        numbers
    }

    /// `rand.Shuffle`
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.shuffle_index(i as u32 + 1);
            items.swap(i, j as usize);
        }
    }

    /// The upper 31 of the lower 63 bits.
    fn int31(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32 & (u32::MAX >> 1)
    }

    /// Lemire's method, as `Shuffle` has it.
    fn shuffle_index(&mut self, bound: u32) -> u32 {
        let enough = bound.wrapping_neg() % bound;
        loop {
            let number = (self.next_u64() >> 31) as u32;
            let product = u64::from(number) * u64::from(bound);
            if product as u32 >= enough {
                return (product >> 32) as u32;
            }
        }
    }
}

/// Numbers of the generator x -> 48271 x mod (2^31 - 1), three for each place, the first twenty thrown away.
fn fill(seed: i64, first_shift: u32, second_shift: u32) -> Vec<u64> {
    const MODULUS: i64 = (1 << 31) - 1;
    let mut x = match seed.rem_euclid(MODULUS) as u64 {
        0 => 89_482_311,
        x => x,
    };
    let mut next = || {
        x = 48_271 * x % MODULUS as u64;
        x
    };
    (0..20).for_each(|_| {
        next();
    });
    (0..LENGTH).map(|_| (next() << first_shift) ^ (next() << second_shift) ^ next()).collect()
}

/// The state of the generator `steps` steps on.
fn state_after(state: &[u64], steps: u64) -> Vec<u64> {
    // The place of the i-th oldest number after so many steps: the newest stands where it was fed last.
    let place = |i: usize, steps: u64| {
        let back = (steps % LENGTH as u64) as usize + i + 1;
        (3 * LENGTH - TAP - back) % LENGTH
    };
    let mut known: Vec<u64> = (0..LENGTH).map(|i| state[place(i, 0)]).collect();
    for i in LENGTH..2 * LENGTH {
        known.push(known[i - LENGTH].wrapping_add(known[i - TAP]));
    }
    let power = power_of_x(steps);
    let mut after = vec![0; LENGTH];
    for i in 0..LENGTH {
        let terms = power.iter().zip(&known[i..]).map(|(factor, y)| factor.wrapping_mul(*y));
        let y = terms.fold(0_u64, u64::wrapping_add);
        after[place(i, steps)] = y;
    }
    after
}

/// x^n modulo x^607 - x^334 - 1, with coefficients modulo 2^64.
fn power_of_x(n: u64) -> Vec<u64> {
    let reduce = |mut product: Vec<u64>| {
        for i in (LENGTH..product.len()).rev() {
            let factor = product[i];
            product[i - LENGTH] = product[i - LENGTH].wrapping_add(factor);
            product[i - TAP] = product[i - TAP].wrapping_add(factor);
        }
        product.truncate(LENGTH);
        product
    };
    let mut power = vec![0_u64; LENGTH];
    power[0] = 1;
    for bit in (0..u64::BITS - n.leading_zeros()).rev() {
        let mut square = vec![0_u64; 2 * LENGTH];
        // One place further where the power is odd.
        let odd = usize::from(n >> bit & 1 == 1);
        for (i, a) in power.iter().enumerate().filter(|(_, a)| **a != 0) {
            for (sum, b) in square[i + odd..].iter_mut().zip(&power) {
                *sum = sum.wrapping_add(a.wrapping_mul(*b));
            }
        }
        power = reduce(square);
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_arrives_where_single_steps_do() {
        let state = fill(1, 20, 10);
        let mut slow = GoRandom { state: state.clone(), tap: 0, feed: LENGTH - TAP };
        for steps in 1..=1500_u64 {
            slow.next_u64();
            if [1, 2, 606, 607, 608, 1500].contains(&steps) {
                assert_eq!(state_after(&state, steps), slow.state, "{steps} steps");
            }
        }
    }

    #[test]
    fn the_numbers_are_those_that_go_prints() {
        // `rand.Seed(1); rand.Intn(100)`, the numbers that every Go programmer has seen.
        let mut random = GoRandom::new(1);
        let numbers: Vec<_> = (0..10).map(|_| random.below(100)).collect();
        assert_eq!(numbers, [81, 87, 47, 59, 81, 18, 25, 40, 56, 0]);
    }

    #[test]
    fn a_permutation_has_every_number_once() {
        let mut numbers = GoRandom::new(42).permutation(500);
        numbers.sort_unstable();
        assert_eq!(numbers, (0..500).collect::<Vec<_>>());
    }
}
