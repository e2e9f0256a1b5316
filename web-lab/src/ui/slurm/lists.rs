//! The queue, the nodes, and the tree of shares, as tables.

use std::rc::Rc;

use clusterlab::lab::slurm::view::{AssociationView, FactorView, JobView, SlurmView};
use yew::prelude::*;

use crate::i18n::{Lang, Msg};
use crate::model::Selection;
use crate::model::slurm::{job_look, moment};
use crate::ui::Action;

/// Above this many rows a list shows its first ones and says how many there are.
const MOST_ROWS: usize = 200;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub view: Rc<SlurmView>,
    pub on: Callback<Action>,
}

fn head(lang: Lang, columns: &[Msg]) -> Html {
    html! { <thead><tr>{ for columns.iter().map(|msg| html! { <th scope="col">{lang.text(*msg)}</th> }) }</tr></thead> }
}

/// Jobs that wait, in the order in which they are considered; then those that run; then those that ended.
#[component]
pub fn Queue(props: &Props) -> Html {
    let (lang, jobs) = (props.lang, &props.view.jobs);
    if jobs.is_empty() {
        return html! { <p class="empty">{lang.text(Msg::NoJobs)}</p> };
    }
    let most = jobs.iter().flat_map(|job| &job.factors).map(|f| f.points.max(0)).sum::<i64>();
    let most =
        jobs.iter().map(|job| i64::from(job.priority)).filter(|p| *p <= 10_000_000).max().unwrap_or(most);
    html! {
        <>
            <table class="grid queue" id="queue">
                <caption class="hidden">{lang.text(Msg::Queue)}</caption>
                { head(lang, &[Msg::Job, Msg::Status, Msg::Priority, Msg::StartsAt, Msg::Asks]) }
                <tbody>{ for jobs.iter().take(MOST_ROWS).map(|job| row(props, job, most.max(1))) }</tbody>
            </table>
            if jobs.len() > MOST_ROWS { <p class="none">{lang.fill(Msg::AndMore, &[&(jobs.len() - MOST_ROWS).to_string()])}</p> }
        </>
    }
}

fn row(props: &Props, job: &JobView, most: i64) -> Html {
    let lang = props.lang;
    let (look, sign) = job_look(&job.state_code);
    let id = job.id.clone();
    let select = props.on.reform(move |_: MouseEvent| Action::Select(Some(Selection::Job(id.clone()))));
    let waits = job.state_code == "PD";
    let because = if waits { job.state_reason.clone() } else { job.nodes.clone() };
    let starts = match (job.start_time, job.expected_start) {
        (_, Some(at)) => format!("≈ {}", moment(at)),
        (Some(at), None) => moment(at),
        (None, None) => "–".to_owned(),
    };
    html! { <tr key={format!("{}-{}", job.job_id, job.id)} data-job={job.id.clone()} data-state={job.state_code.clone()}>
        <th scope="row"><button class="link" onclick={select}>{&job.id}</button>{" "}{&job.name}
            <span class="because">{&job.user_name}</span></th>
        <td><span class={format!("status {look}")} title={job.job_state.clone()}><span aria-hidden="true">{sign}</span>{" "}{&job.state_code}</span>
            <span class="because" title={because.clone()}>{because}</span></td>
        <td class="prio">
            if waits { <span class="points">{job.priority}</span>{ factors(lang, &job.factors, most) } } else { {"–"} }
        </td>
        <td class="num">{starts}{ if job.backfilled { " ▸" } else { "" } }</td>
        <td class="num">{asks(lang, job)}</td>
    </tr> }
}

/// `2 × 8 GPU`: nodes and what is wanted on them.
pub(super) fn asks(lang: Lang, job: &JobView) -> String {
    let nodes = if job.node_count > 1 { format!("{} × ", job.node_count) } else { String::new() };
    let each = job.node_count.max(1);
    if job.exclusive && job.gpus == 0 {
        return lang.fill(Msg::WholeNodes, &[&each.to_string()]);
    }
    if job.gpus > 0 {
        format!("{nodes}{} GPU", job.gpus / each)
    } else {
        format!("{nodes}{} CPU", job.cpus / each)
    }
}

/// A bar with a piece for each factor; the numbers stand in its label.
pub(super) fn factors(lang: Lang, factors: &[FactorView], most: i64) -> Html {
    let shown: Vec<&FactorView> = factors.iter().filter(|factor| factor.points > 0).collect();
    if shown.is_empty() {
        return Html::default();
    }
    let words: Vec<String> = shown.iter().map(|f| format!("{} {}", f.name, f.points)).collect();
    let words = words.join(" + ");
    html! {
        <span class="factors" role="img" aria-label={lang.fill(Msg::MadeOf, &[&words])} title={words}>
            { for shown.iter().map(|factor| {
                let width = factor.points as f64 / most as f64 * 100.0;
                html! { <span class={format!("factor f-{}", factor.name.to_lowercase())} style={format!("width:{width:.2}%")}></span> }
            }) }
        </span>
    }
}

/// Slurm's nodes.
#[component]
pub fn SlurmNodes(props: &Props) -> Html {
    let lang = props.lang;
    html! {
        <table class="grid" id="slurm-nodes">
            <caption class="hidden">{lang.text(Msg::Nodes)}</caption>
            { head(lang, &[Msg::Name, Msg::Status, Msg::Gpus, Msg::Cpu, Msg::MemoryGib, Msg::Jobs]) }
            <tbody>{ for props.view.nodes.iter().take(MOST_ROWS).map(|node| {
                let good = ["idle", "mixed", "allocated", "planned", "completing"].iter().any(|word| node.state.starts_with(word));
                let jobs: Vec<String> = node.jobs.iter().map(u32::to_string).collect();
                html! { <tr key={node.name.clone()} data-node={node.name.clone()}>
                    <th scope="row">{&node.name}</th>
                    <td><span class={if good { "status running" } else { "status failed" }}>{&node.state}</span>
                        if !node.reason.is_empty() { <span class="because">{&node.reason}</span> }</td>
                    <td class="num">{format!("{}/{}", node.alloc_gpus, node.gpus)}</td>
                    <td class="num">{format!("{}/{}", node.alloc_cpus, node.cpus)}</td>
                    <td class="num">{format!("{}/{}", node.alloc_memory / 1024, node.real_memory / 1024)}</td>
                    <td>{jobs.join(", ")}</td>
                </tr> }
            }) }</tbody>
        </table>
    }
}

/// Accounts and users: what they may use, what they used, and the factor that follows.
#[component]
pub fn Fairshare(props: &Props) -> Html {
    let lang = props.lang;
    html! {
        <table class="grid shares" id="fairshare">
            <caption class="hidden">{lang.text(Msg::Fairshare)}</caption>
            { head(lang, &[Msg::Account, Msg::Shares, Msg::MayUse, Msg::Used, Msg::FairshareFactor]) }
            <tbody>{ for props.view.associations.iter().take(MOST_ROWS).map(|one| share(lang, one)) }</tbody>
        </table>
    }
}

fn percent(millionths: u32) -> String {
    format!("{:.0} %", f64::from(millionths) / 1e4)
}

fn share(lang: Lang, one: &AssociationView) -> Html {
    let name = one.user.clone().unwrap_or_else(|| one.account.clone());
    let meter = |value: u32, class: &'static str| {
        html! {
            <span class={format!("meter {class}")} aria-hidden="true"><span style={format!("width:{:.1}%", f64::from(value) / 1e4)}></span></span>
        }
    };
    let over = one.effective_usage > one.norm_shares && one.depth > 0;
    let kind = if one.user.is_some() { "user" } else { "account" };
    html! { <tr key={format!("{kind}/{}/{name}", one.account)} class={kind}>
        <th scope="row" style={format!("padding-left:{}rem", 0.6 + f64::from(one.depth) * 1.1)}>
            if one.user.is_some() { <span aria-hidden="true">{"└ "}</span> }{name}</th>
        <td class="num">{ one.raw_shares.map_or_else(|| "parent".to_owned(), |shares| shares.to_string()) }</td>
        <td class="part">if one.depth > 0 { {percent(one.norm_shares)}{meter(one.norm_shares, "")} }</td>
        <td class="part">{percent(one.effective_usage)}{meter(one.effective_usage, if over { "over" } else { "" })}
            <span class="hidden">{lang.fill(Msg::UsedSeconds, &[&one.raw_usage.to_string()])}</span></td>
        <td class="num">{ one.fair_share.map(|factor| format!("{:.3}", f64::from(factor) / 1e6)) }</td>
    </tr> }
}
