//! The chart of nodes and time: what ran, what runs until its limit, what is expected, what is reserved.

use std::rc::Rc;

use clusterlab::lab::slurm::compare::Figures;
use clusterlab::lab::slurm::view::{SlurmView, SpanKind};
use yew::prelude::*;

use crate::i18n::{Lang, Msg};
use crate::model::Selection;
use crate::model::clock::span;
use crate::model::slurm::{Bar, Chart, Row, moment};
use crate::ui::{Action, class};

/// The least and the most that a lane is high, and what a row has above and below, in pixels.
const LANES: (usize, usize) = (20, 34);
const PAD: usize = 4;
/// As high as the chart becomes when there are few nodes.
const HEIGHT: usize = 260;
/// Of two charts together: how high a row is, however many lanes it has; below that height a bar has no words.
const COMPACT: usize = 18;
const WORDS: usize = 11;
/// Height of the labels of time.
const AXIS: usize = 22;
/// Rows of the table.
const MOST_ROWS: usize = 300;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    /// Distinguishes two charts on one page: `gantt`, or `pods-chart`, whose bars are pods.
    pub id: &'static str,
    pub title: Msg,
    /// How the work went, where two ways are compared.
    pub figures: Option<Figures>,
    pub view: Rc<SlurmView>,
    /// The other of two ways, whose chart has the same axis.
    pub beside: Option<Rc<SlurmView>>,
    /// Seconds since the lab was switched on.
    pub now: i64,
    pub selection: Option<Selection>,
    pub on: Callback<Action>,
}

#[component]
pub fn Gantt(props: &Props) -> Html {
    let lang = props.lang;
    let as_table = use_state(|| false);
    let toggle = {
        let as_table = as_table.clone();
        Callback::from(move |_: MouseEvent| as_table.set(!*as_table))
    };
    let mut chart = Chart::of(&props.view, props.now);
    if let Some(beside) = &props.beside {
        chart.align(&Chart::of(beside, props.now));
    }
    let count = |kind: SpanKind| props.view.spans.iter().filter(|span| span.kind == kind).count().to_string();
    let waiting = props.view.jobs.iter().filter(|job| job.state_code == "PD").count().to_string();
    let summary = props.figures.map(|one| side(lang, one)).unwrap_or_else(|| {
        lang.fill(
            Msg::GanttSummary,
            &[
                &props.view.nodes.len().to_string(),
                &count(SpanKind::Running),
                &waiting,
                &count(SpanKind::Expected),
            ],
        )
    });
    let id = |part: &str| format!("{}-{part}", props.id);
    html! {
        <figure class="cluster" aria-labelledby={id("title")} aria-describedby={id("summary")}>
            <div class="panelhead">
                <h2 id={id("title")}>{lang.text(props.title)}</h2>
                <p id={id("summary")}>{summary.clone()}</p>
                <button class="quiet" id={id("as-table")} aria-pressed={as_table.to_string()} onclick={toggle}>
                    {lang.text(if *as_table { Msg::ShowAsPicture } else { Msg::ShowAsTable })}</button>
            </div>
            if *as_table { { table(props) } } else { { picture(props, &chart, &summary) } }
        </figure>
    }
}

/// How one of two ways went, in a line.
fn side(lang: Lang, one: Figures) -> String {
    let used = format!("{:.0}", f64::from(one.utilisation) / 10.0);
    let words = [
        one.submitted.to_string(),
        one.ended.to_string(),
        moment(one.mean_wait),
        moment(one.longest_wait),
        used,
    ];
    lang.fill(Msg::SideSummary, &words.each_ref().map(String::as_str))
}

/// How the rows of a chart are laid out.
#[derive(Clone, Copy)]
struct Layout {
    lane: usize,
    compact: bool,
}

impl Layout {
    /// Few rows are drawn larger; two charts together have rows of one height.
    fn of(chart: &Chart, compact: bool) -> Self {
        let lanes: usize = chart.rows.iter().map(|row| row.lanes).sum();
        Self { lane: (HEIGHT / lanes.max(1)).clamp(LANES.0, LANES.1), compact }
    }

    fn pad(self) -> usize {
        if self.compact { 1 } else { PAD }
    }

    /// How high the lanes of a row are together.
    fn inner(self, row: &Row) -> usize {
        if self.compact { COMPACT } else { row.lanes * self.lane }
    }

    fn row(self, row: &Row) -> usize {
        self.inner(row) + 2 * self.pad()
    }
}

fn picture(props: &Props, chart: &Chart, summary: &str) -> Html {
    let lang = props.lang;
    let layout = Layout::of(chart, props.beside.is_some());
    let height = |row: &Row| layout.row(row);
    let total: usize = chart.rows.iter().map(height).sum::<usize>() + AXIS;
    let mut top = 0;
    let rows = chart.rows.iter().map(|row| {
        let at = top;
        top += height(row);
        (at, row)
    });
    let now = format!("{:.3}%", chart.percent(chart.now));
    html! {
        <div class="scroll picture">
            <div class="gantt">
                <ol class="gnames" aria-hidden="true">{ for chart.rows.iter().map(|row| html! {
                    <li style={format!("height:{}px", height(row))} class={if is_out(&row.state) { "out" } else { "" }} title={row.state.clone()}>{&row.name}</li>
                }) }</ol>
                <svg class="gchart" id={props.id} width="100%" height={total.to_string()} role="group" aria-labelledby={format!("{0}-svg-title {0}-svg-desc", props.id)}>
                    <title id={format!("{}-svg-title", props.id)}>{lang.text(Msg::GanttTitle)}</title>
                    <desc id={format!("{}-svg-desc", props.id)}>{summary.to_owned()}</desc>
                    <defs>
                        <pattern id={format!("{}-hatch", props.id)} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6" /></pattern>
                    </defs>
                    { for chart.ticks.iter().map(|tick| {
                        let x = format!("{:.3}%", chart.percent(*tick));
                        let (class, anchor) = if *tick == chart.from { ("gtick first", "start") } else if *tick == chart.to { ("gtick last", "end") } else { ("gtick", "middle") };
                        html! { <>
                            <line class="gline" x1={x.clone()} x2={x.clone()} y1="0" y2={(total - AXIS).to_string()} />
                            <text {class} {x} y={(total - 6).to_string()} text-anchor={anchor}>{tick_label(chart, *tick)}</text>
                        </> }
                    }) }
                    { for rows.map(|(at, row)| html! { <g key={row.name.clone()} data-row={row.name.clone()}>
                        <line class="grow-line" x1="0" x2="100%" y1={(at + height(row)).to_string()} y2={(at + height(row)).to_string()} />
                        if is_out(&row.state) { <rect class="gout" x="0" width="100%" y={at.to_string()} height={height(row).to_string()} /> }
                        { for row.reserved.iter().map(|reserved| reservation(props, chart, layout.row(row), at, reserved)) }
                        { for row.bars.iter().map(|bar| self::bar(props, chart, row, (at + layout.pad(), layout.inner(row)), bar)) }
                    </g> }) }
                    <line class="gnow" x1={now.clone()} x2={now} y1="0" y2={(total - AXIS).to_string()} />
                </svg>
            </div>
            <ul class="legend" aria-label={lang.text(Msg::Legend)}>
                { for [("ended", Msg::SpanEnded), ("running", Msg::SpanRunning), ("limit", Msg::SpanLimit), ("expected", Msg::SpanExpected), ("backfilled", Msg::SpanBackfilled), ("reserved", Msg::SpanReserved)].iter().map(|(kind, msg)| html! {
                    <li><span class={format!("gkey {kind}")} aria-hidden="true">{ if *kind == "backfilled" { "▸" } else { "" } }</span>{lang.text(*msg)}</li>
                }) }
            </ul>
        </div>
    }
}

/// A moment on the axis. The last one is left out: it would lie over the one before.
fn tick_label(chart: &Chart, at: i64) -> String {
    if at == chart.to && chart.ticks.len() > 3 {
        return String::new();
    }
    span(u64::try_from(at).unwrap_or(0) * 1_000_000_000)
}

fn is_out(state: &str) -> bool {
    ["down", "drain", "fail", "maint"].iter().any(|word| state.starts_with(word))
}

fn reservation(props: &Props, chart: &Chart, high: usize, at: usize, reserved: &(i64, i64, String)) -> Html {
    let (lang, (start, end, name)) = (props.lang, reserved);
    let (left, right) = (chart.percent(*start), chart.percent(*end));
    html! {
        <svg x={format!("{left:.3}%")} y={at.to_string()} width={format!("{:.3}%", right - left)} height={high.to_string()} data-reservation={name.clone()}>
            <title>{lang.fill(Msg::ReservationLabel, &[name, &moment(*start), &moment(*end)])}</title>
            <rect class="greserved" width="100%" height="100%" fill={format!("url(#{}-hatch)", props.id)} />
            <text class="gtext" x="4" y="14">{name}</text>
        </svg>
    }
}

fn bar(props: &Props, chart: &Chart, row: &Row, (top, inner): (usize, usize), bar: &Bar) -> Html {
    let lang = props.lang;
    let (left, right) = (chart.percent(bar.start), chart.percent(bar.end));
    let width = (right - left).max(0.4);
    let high = (inner / bar.of.max(1)).max(3);
    let y = top + bar.lane * inner / bar.of.max(1);
    let selection = if props.id == "pods-chart" {
        Selection::Pod("default".to_owned(), bar.id.clone())
    } else {
        Selection::Job(bar.id.clone())
    };
    let selected = props.selection.as_ref() == Some(&selection);
    let kind = match bar.kind {
        SpanKind::Ended => "ended",
        SpanKind::Running => "running",
        SpanKind::Expected => "expected",
    };
    let bad = bar.kind == SpanKind::Ended && bar.state != "COMPLETED";
    // Of a job that runs, what is over is solid; the rest, up to its limit, may stay free.
    let lived = match bar.kind {
        SpanKind::Running => {
            let now = chart.percent(chart.now.min(bar.end));
            if width > 0.0 { ((now - left) / width * 100.0).clamp(0.0, 100.0) } else { 100.0 }
        }
        SpanKind::Ended => 100.0,
        SpanKind::Expected => 0.0,
    };
    let words =
        [&bar.label, &bar.user, &row.name, &moment(bar.start), &moment(bar.end), &bar.state, &bar.amount];
    let mut label = lang.fill(Msg::BarLabel, &words.map(String::as_str));
    if bar.backfilled {
        label.push_str(&format!("; {}", lang.text(Msg::SpanBackfilled)));
    }
    let select = props.on.reform(move |()| Action::Select(Some(selection.clone())));
    let click = select.reform(|_: MouseEvent| ());
    let key = Callback::from(move |event: KeyboardEvent| {
        if matches!(event.key().as_str(), "Enter" | " ") {
            event.prevent_default();
            select.emit(());
        }
    });
    let classes = class(&[
        "gbar",
        kind,
        &format!("hue{}", bar.hue),
        if bad { "ended-badly" } else { "" },
        if bar.backfilled { "backfilled" } else { "" },
        if selected { "selected" } else { "" },
    ]);
    html! {
        <svg class={classes} x={format!("{left:.3}%")} y={y.to_string()} width={format!("{width:.3}%")} height={(high - 1).to_string()}
            role="button" tabindex="0" aria-label={label.clone()} data-job={bar.id.clone()} data-kind={kind} onclick={click} onkeydown={key}>
            <title>{label}</title>
            <rect class="gbox" x="0.5" y="0.5" width="100%" height={(high - 2).to_string()} rx="3" />
            if lived > 0.0 { <rect class="glived" x="0" y="0" width={format!("{lived:.2}%")} height={(high - 1).to_string()} rx="3" /> }
            if high >= WORDS { <text class="gtext" x="4" y={(high / 2 + 3).to_string()}>{ if bar.backfilled { "▸ " } else { "" } }{ if bad { "✕ " } else { "" } }{&bar.label}</text> }
        </svg>
    }
}

fn table(props: &Props) -> Html {
    let (lang, view) = (props.lang, &props.view);
    html! {
        <div class="scroll" tabindex="0" role="region" aria-label={lang.text(Msg::ShowAsTable)}>
            <table class="grid" data-testid={format!("{}-table", props.id)}>
                <caption class="hidden">{lang.text(Msg::GanttTitle)}</caption>
                <thead><tr>{ for [Msg::Job, Msg::Name, Msg::User, Msg::Nodes, Msg::Start, Msg::End, Msg::Status].iter().map(|msg| html! { <th scope="col">{lang.text(*msg)}</th> }) }</tr></thead>
                <tbody>{ for view.spans.iter().rev().take(MOST_ROWS).map(|one| {
                    let names: Vec<&str> = one.shares.iter().filter_map(|share| Some(view.nodes.get(share.node as usize)?.name.as_str())).collect();
                    let state = match one.kind { SpanKind::Expected => lang.text(Msg::SpanExpected), _ => one.state.as_str() };
                    html! { <tr key={format!("{}-{}", one.id, one.start)}>
                        <th scope="row">{&one.id}</th><td>{&one.name}</td><td>{&one.user_name}</td><td>{names.join(", ")}</td>
                        <td class="num">{moment(one.start)}</td><td class="num">{moment(one.end)}</td>
                        <td>{state.to_owned()}{ if one.backfilled { " ▸" } else { "" } }</td>
                    </tr> }
                }) }
                { for view.reservations.iter().map(|one| html! { <tr key={one.name.clone()}>
                    <th scope="row">{"–"}</th><td>{&one.name}</td><td>{one.users.join(", ")}</td><td>{&one.nodes}</td>
                    <td class="num">{moment(one.start)}</td><td class="num">{moment(one.end)}</td><td>{lang.text(Msg::SpanReserved)}</td>
                </tr> }) }</tbody>
            </table>
        </div>
    }
}
