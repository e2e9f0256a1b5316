//! A Slurm cluster as the page draws it: the chart of nodes and time, the queue, the tree of shares.

use std::rc::Rc;

use clusterlab::lab::slurm::view::{BlockKind, ShareView, SlurmView, SpanKind};

use crate::i18n::Msg;

/// How far into the future the chart looks at most, seconds: beyond it limits of days hide what is near.
const FURTHEST: i64 = 12 * 3600;
/// How far back it looks at most.
const EARLIEST: i64 = 6 * 3600;
/// The least that it shows after now.
const LEAST_AHEAD: i64 = 300;
/// Jobs side by side on one node that have a row of their own; those beyond it lie over each other in the last.
const MOST_LANES: usize = 8;
/// Steps of the chart's labels, seconds.
const STEPS: [i64; 13] = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200];

/// The chart of nodes and time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// The first second that is shown.
    pub from: i64,
    /// The last.
    pub to: i64,
    /// Now.
    pub now: i64,
    /// Where labels stand.
    pub ticks: Vec<i64>,
    /// One row per node.
    pub rows: Vec<Row>,
}

/// A node of the chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What `sinfo` says of it; empty if it is not Slurm's.
    pub state: String,
    /// How many bars stand above each other at most.
    pub lanes: usize,
    /// Jobs.
    pub bars: Vec<Bar>,
    /// Reservations: start, end, name.
    pub reserved: Vec<(i64, i64, String)>,
}

/// A job on a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// What is looked at when it is chosen.
    pub id: String,
    /// What it is called: `7 train`.
    pub label: String,
    /// Whose it is.
    pub user: String,
    /// Start.
    pub start: i64,
    /// End, or limit.
    pub end: i64,
    /// Which lane of its row it lies in, from 0.
    pub lane: usize,
    /// Into how many lanes the row is divided at its time: alone, a job has all of the height.
    pub of: usize,
    /// Over, present, or expected.
    pub kind: SpanKind,
    /// Started by backfill.
    pub backfilled: bool,
    /// `COMPLETED`, `RUNNING`, `PENDING`.
    pub state: String,
    /// GPUs, or CPUs where there are no GPUs.
    pub amount: String,
    /// One of eight colours.
    pub hue: u32,
}

impl Chart {
    /// The chart of a Slurm cluster at the second `now`.
    pub fn of(view: &SlurmView, now: i64) -> Self {
        let mut rows: Vec<Row> = view
            .nodes
            .iter()
            .map(|node| Row { name: node.name.clone(), state: node.state.clone(), ..Row::default() })
            .collect();
        for span in &view.spans {
            // Later than any chart shows: limits of months.
            let end = span.end.min(now + FURTHEST);
            for share in &span.shares {
                let Some(row) = rows.get_mut(share.node as usize) else { continue };
                row.bars.push(Bar {
                    id: span.id.clone(),
                    label: format!("{} {}", span.id, span.name).trim_end().to_owned(),
                    user: span.user_name.clone(),
                    start: span.start,
                    end: end.max(span.start),
                    kind: span.kind,
                    backfilled: span.backfilled,
                    state: span.state.clone(),
                    amount: amount(*share),
                    hue: span.job_id % 8,
                    ..Bar::default()
                });
            }
        }
        for reservation in &view.reservations {
            for node in &reservation.node_indices {
                if let Some(row) = rows.get_mut(*node as usize) {
                    row.reserved.push((reservation.start, reservation.end, reservation.name.clone()));
                }
            }
        }
        Self::arranged(rows, now)
    }

    /// Gives bars their lanes and chooses the stretch of time.
    pub fn arranged(mut rows: Vec<Row>, now: i64) -> Self {
        let all = || rows.iter().flat_map(|row| &row.bars);
        let first = all().map(|bar| bar.start).min().unwrap_or(now);
        // Of what is only expected the start is of interest; its end may lie beyond the edge.
        let until = |bar: &Bar| if bar.kind == SpanKind::Expected { bar.start } else { bar.end };
        let last = all().map(until).max().unwrap_or(now);
        let last = last + (last - first.min(now)) / 5;
        let reserved = rows.iter().flat_map(|row| &row.reserved).map(|(_, end, _)| *end).max().unwrap_or(now);
        let from = first.min(now).max(now - EARLIEST).max(0);
        let ahead = last.max(reserved).max(now + LEAST_AHEAD).min(now + FURTHEST);
        let step = STEPS.iter().copied().find(|step| (ahead - from) / step <= 6).unwrap_or(86_400);
        // In whole steps, so that the chart does not creep with every second.
        let (from, to) = (from.div_euclid(step) * step, (ahead.div_euclid(step) + 1) * step);
        for row in &mut rows {
            row.bars.retain(|bar| bar.end >= from && bar.start <= to);
            row.bars.sort_by_key(|bar| (bar.start, bar.kind == SpanKind::Expected));
            row.lanes = lanes(&mut row.bars);
        }
        Self { from, to, now, ticks: (0..).map(|n| from + n * step).take_while(|t| *t <= to).collect(), rows }
    }

    /// Takes over the stretch of time of another chart as far as it is longer, so that the two can be compared.
    pub fn align(&mut self, other: &Self) {
        let longer = if other.to - other.from > self.to - self.from { other } else { &*self };
        let step = longer.ticks.get(1).map_or(60, |tick| tick - longer.ticks[0]).max(1);
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        self.ticks = (0..).map(|n| self.from + n * step).take_while(|tick| *tick <= self.to).collect();
    }

    /// Where a second stands, in percent of the width.
    pub fn percent(&self, at: i64) -> f64 {
        let width = (self.to - self.from).max(1) as f64;
        ((at - self.from) as f64 / width * 100.0).clamp(0.0, 100.0)
    }
}

/// Gives bars, which are in the order of their starts, their lanes; the most that there are at a time.
fn lanes(bars: &mut [Bar]) -> usize {
    let mut most = 1;
    let mut first = 0;
    while first < bars.len() {
        // Those that overlap, one by the other, share the height.
        let (mut free, mut last, mut until): (Vec<i64>, usize, i64) = (Vec::new(), first, i64::MIN);
        while last < bars.len() && (last == first || bars[last].start < until) {
            let bar = &mut bars[last];
            // Jobs that end at once still have a width.
            let end = bar.end.max(bar.start + 1);
            let lane = free.iter().position(|end| *end <= bar.start).unwrap_or(free.len());
            bar.lane = lane.min(MOST_LANES - 1);
            match free.get_mut(bar.lane) {
                Some(taken) => *taken = (*taken).max(end),
                None => free.push(end),
            }
            until = until.max(end);
            last += 1;
        }
        bars[first..last].iter_mut().for_each(|bar| bar.of = free.len());
        most = most.max(free.len());
        first = last;
    }
    most
}

fn amount(share: ShareView) -> String {
    if share.gpus > 0 { format!("{} GPU", share.gpus) } else { format!("{} CPU", share.cpus) }
}

/// `0:05`, `1:00:00`: a moment of the chart.
pub fn moment(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{sign}{hours}:{minutes:02}:{rest:02}")
    } else {
        format!("{sign}{minutes}:{rest:02}")
    }
}

/// The sentence about what keeps a job from running.
pub const fn block_msg(kind: BlockKind) -> Msg {
    match kind {
        BlockKind::Nothing => Msg::BlockNothing,
        BlockKind::Priority => Msg::BlockPriority,
        BlockKind::Resources => Msg::BlockResources,
        BlockKind::Limit => Msg::BlockLimit,
        BlockKind::Dependency => Msg::BlockDependency,
        BlockKind::Reservation => Msg::BlockReservation,
        BlockKind::Begin => Msg::BlockBegin,
        BlockKind::Held => Msg::BlockHeld,
        BlockKind::Nodes => Msg::BlockNodes,
        BlockKind::Partition => Msg::BlockPartition,
        BlockKind::Licenses => Msg::BlockLicenses,
        BlockKind::Other => Msg::BlockOther,
    }
}

/// The look of a job's state: the CSS class of `.status`, and a sign for who does not see colours.
pub fn job_look(code: &str) -> (&'static str, &'static str) {
    match code {
        "R" | "CG" | "CF" => ("running", "●"),
        "CD" => ("succeeded", "✓"),
        "PD" | "S" | "RQ" | "RH" => ("pending", "◌"),
        _ => ("failed", "✕"),
    }
}

/// What a view of Slurm is shared as.
pub type Slurm = Rc<SlurmView>;

#[cfg(test)]
mod tests {
    use super::*;
    use clusterlab::lab::slurm::view::{SlurmNodeView, SpanView};

    fn span(id: u32, start: i64, end: i64, kind: SpanKind) -> SpanView {
        SpanView {
            job_id: id,
            id: id.to_string(),
            name: "j".into(),
            start,
            end,
            kind,
            shares: vec![ShareView { node: 0, cpus: 4, gpus: 0 }],
            ..SpanView::default()
        }
    }

    fn chart(spans: Vec<SpanView>, now: i64) -> Chart {
        let nodes = vec![SlurmNodeView { name: "n".into(), ..SlurmNodeView::default() }];
        Chart::of(&SlurmView { nodes, spans, ..SlurmView::default() }, now)
    }

    #[test]
    fn jobs_at_the_same_time_lie_in_lanes_and_one_after_the_other_in_one() {
        let chart = chart(
            vec![
                span(1, 0, 100, SpanKind::Ended),
                span(2, 50, 200, SpanKind::Running),
                span(3, 100, 300, SpanKind::Expected),
            ],
            120,
        );
        let lanes: Vec<usize> = chart.rows[0].bars.iter().map(|bar| bar.lane).collect();
        assert_eq!((lanes.as_slice(), chart.rows[0].lanes), (&[0, 1, 0][..], 2));
        let alone = self::chart(vec![span(1, 0, 9, SpanKind::Ended), span(2, 9, 20, SpanKind::Ended)], 30);
        assert!(alone.rows[0].bars.iter().all(|bar| (bar.lane, bar.of) == (0, 1)));
        assert!(chart.from <= 0 && chart.to >= 200);
        assert!((chart.percent(chart.to) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_limit_of_months_does_not_hide_what_is_near() {
        let chart = chart(vec![span(1, 0, 365 * 86_400, SpanKind::Running)], 60);
        assert!(chart.to <= 60 + FURTHEST + 7200 && chart.ticks.len() <= 9, "{chart:?}");
    }

    #[test]
    fn an_empty_cluster_has_an_empty_chart() {
        let chart = chart(Vec::new(), 0);
        assert_eq!((chart.rows.len(), chart.rows[0].lanes), (1, 1));
        assert!(chart.to >= LEAST_AHEAD);
    }

    #[test]
    fn moments_are_told_as_slurm_tells_durations() {
        assert_eq!((moment(5).as_str(), moment(3661).as_str()), ("0:05", "1:01:01"));
    }
}
