//! A curve over the demand, in the columns of the published figures.

use super::run::Step;

/// For each whole per cent of the GPUs that was asked for, the mean of a value over the pods that came then.
///
/// None where no pod came at that per cent nor at the ones beside it.
pub type Curve = Vec<Option<f64>>;

/// The columns 0 to `last` of a curve; `total_milli` are all GPUs of the cluster, in thousandths.
///
/// As the authors' scripts make them: a step belongs to the per cent to which its demand is rounded, half to even.
pub fn columns(steps: &[Step], total_milli: i64, last: usize, value: impl Fn(&Step) -> f64) -> Curve {
    let mut sums = vec![(0.0, 0_u32); last + 2];
    for step in steps {
        let column = percent(step.arrived_milli, total_milli).round_ties_even() as usize;
        if let Some((sum, count)) = sums.get_mut(column) {
            *sum += value(step);
            *count += 1;
        }
    }
    let column = |column: usize| {
        let around = if sums[column].1 > 0 { column..=column } else { column.saturating_sub(1)..=column + 1 };
        let (sum, count) = sums[around].iter().fold((0.0, 0), |(sum, count), (s, c)| (sum + s, count + c));
        (count > 0).then(|| sum / f64::from(count))
    };
    (0..=last).map(column).collect()
}

/// In per cent of all GPUs.
pub(super) fn percent(milli: i64, total_milli: i64) -> f64 {
    // The authors divide by the number of GPUs, then by ten.
    milli as f64 / (total_milli / 1000).max(1) as f64 / 10.0
}

/// Rounded to hundredths, half to even.
pub(super) fn hundredths(value: f64) -> f64 {
    (value * 100.0).round_ties_even() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_mean_over_the_pods_that_came_at_its_per_cent() {
        let step = |arrived_milli, used_milli| Step { arrived_milli, used_milli, fragmented: 0.0, free: 0.0 };
        // Of 100 GPUs: 0.4, 1.4, 1.5 (even: 2), 2.5 (even: 2), 4.6 per cent.
        let steps =
            [step(400, 400), step(1_400, 1_000), step(1_500, 1_100), step(2_500, 1_300), step(4_600, 2_000)];
        let curve = columns(&steps, 100_000, 7, |step| percent(step.used_milli, 100_000));
        let expect = [Some(0.4), Some(1.0), Some(1.2), Some(1.2), Some(2.0), Some(2.0), Some(2.0), None];
        for (column, (found, expect)) in curve.iter().zip(expect).enumerate() {
            let same = match (found, expect) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                (a, b) => *a == b,
            };
            assert!(same, "column {column}: {found:?} instead of {expect:?}");
        }
    }
}
