//! One job, closely: its state, and why it is where it is.

use std::rc::Rc;

use clusterlab::lab::slurm::view::{BlockKind, JobView, JobWhy};
use yew::prelude::*;

use super::lists::{asks, factors};
use crate::i18n::{Lang, Msg};
use crate::model::Selection;
use crate::model::slurm::{block_msg, job_look, moment};
use crate::ui::Action;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    /// As `squeue` shows it.
    pub id: String,
    pub why: Option<Rc<JobWhy>>,
    pub on: Callback<Action>,
}

#[component]
pub fn JobDetail(props: &Props) -> Html {
    let (lang, on) = (props.lang, &props.on);
    html! {
        <div class="objects" data-testid="job-detail">
            <div class="panelhead">
                <button class="quiet" id="back" onclick={on.reform(|_: MouseEvent| Action::Select(None))}>{"← "}{lang.text(Msg::Back)}</button>
                <h2>{lang.fill(Msg::JobTitle, &[&props.id])}</h2>
            </div>
            <div class="scroll detail">
                if let Some(why) = &props.why { { facts(lang, &why.job) }{ reasons(lang, why, on) } } else { <p class="none">{lang.text(Msg::NoSuchJob)}</p> }
            </div>
        </div>
    }
}

fn facts(lang: Lang, job: &JobView) -> Html {
    let (look, sign) = job_look(&job.state_code);
    let fact = |msg: Msg, text: String| {
        if text.is_empty() {
            Html::default()
        } else {
            html! { <><dt>{lang.text(msg)}</dt><dd>{text}</dd></> }
        }
    };
    let at = |time: Option<i64>| time.map(moment).unwrap_or_default();
    let limit = job.time_limit.map(|minutes| moment(i64::from(minutes) * 60)).unwrap_or_default();
    html! {
        <dl class="facts">
            <dt>{lang.text(Msg::Status)}</dt><dd><span class={format!("status {look}")}><span aria-hidden="true">{sign}</span>{" "}{&job.job_state}</span>
                { if job.state_code == "PD" { format!(" ({})", job.state_reason) } else { String::new() } }</dd>
            { fact(Msg::Name, job.name.clone()) }
            { fact(Msg::User, format!("{} / {}", job.user_name, job.account)) }
            { fact(Msg::Partition, format!("{} / {}", job.partition, job.qos)) }
            { fact(Msg::Asks, asks(lang, job)) }
            { fact(Msg::TimeLimit, limit) }
            { fact(Msg::Submitted, moment(job.submit_time)) }
            { fact(Msg::Start, at(job.start_time)) }
            { fact(Msg::ExpectedStart, job.expected_start.map(|at| format!("{} ({})", moment(at), job.planned_nodes)).unwrap_or_default()) }
            { fact(Msg::End, at(job.end_time)) }
            { fact(Msg::Nodes, job.nodes.clone()) }
            { fact(Msg::Dependency, job.dependency.clone()) }
            { fact(Msg::RestartCount, if job.restart_cnt > 0 { job.restart_cnt.to_string() } else { String::new() }) }
            { fact(Msg::ExitCode, if job.end_time.is_some() && job.state_code != "R" { format!("{}:{}", job.exit_code, job.exit_signal) } else { String::new() }) }
        </dl>
    }
}

fn link(id: &str, on: &Callback<Action>) -> Html {
    let selection = Selection::Job(id.to_owned());
    html! { <button class="link" onclick={on.reform(move |_: MouseEvent| Action::Select(Some(selection.clone())))}>{id.to_owned()}</button> }
}

fn reasons(lang: Lang, why: &JobWhy, on: &Callback<Action>) -> Html {
    let job = &why.job;
    if job.state_code != "PD" {
        let text = match (job.start_time, job.backfilled) {
            (Some(at), true) => lang.fill(Msg::StartedByBackfill, &[&moment(at), &job.nodes]),
            (Some(at), false) => lang.fill(Msg::StartedInTurn, &[&moment(at), &job.nodes]),
            (None, _) => lang.text(Msg::NeverStarted).to_owned(),
        };
        return html! { <div class="why" data-testid="job-why"><p>{text}</p></div> };
    }
    let waits_for_nodes =
        matches!(job.blocked, BlockKind::Resources | BlockKind::Priority | BlockKind::Nodes);
    html! {
        <div class="why" data-testid="job-why">
            <h3>{lang.text(Msg::WhyWaits)}</h3>
            <ul class="refusals"><li><strong><code>{&job.state_reason}</code></strong><span class="plugin">{lang.text(block_msg(job.blocked))}</span></li></ul>
            if let Some(at) = job.expected_start { <p>{lang.fill(Msg::WillStart, &[&moment(at), &job.planned_nodes])}</p> }
            if let Some(at) = why.alone_start {
                if job.expected_start.is_none_or(|expected| at + 30 < expected) { <p>{lang.fill(Msg::AloneStart, &[&moment(at), &why.alone_nodes])}</p> }
            }
            if !job.factors.is_empty() {
                <h4>{lang.fill(Msg::PriorityIs, &[&job.priority.to_string()])}</h4>
                { factors(lang, &job.factors, job.factors.iter().map(|f| f.points.max(0)).sum::<i64>().max(1)) }
                <table class="grid">
                    <caption class="hidden">{lang.text(Msg::Priority)}</caption>
                    <thead><tr>{ for [Msg::Factor, Msg::FactorValue, Msg::Weight, Msg::Points].iter().map(|msg| html! { <th scope="col">{lang.text(*msg)}</th> }) }</tr></thead>
                    <tbody>{ for job.factors.iter().map(|factor| html! { <tr key={factor.name.clone()}>
                        <th scope="row"><span class={format!("fkey f-{}", factor.name.to_lowercase())} aria-hidden="true"></span>{&factor.name}</th>
                        <td class="num">{format!("{:.4}", f64::from(factor.millionths) / 1e6)}</td><td class="num">{factor.weight}</td><td class="num">{factor.points}</td>
                    </tr> }) }</tbody>
                </table>
            }
            if !why.dependencies.is_empty() {
                <h4>{lang.text(Msg::Dependency)}</h4>
                <ul class="refusals">{ for why.dependencies.iter().map(|one| html! { <li>
                    <code>{&one.kind}</code>{" "}{ one.job_id.map(|id| link(&id.to_string(), on)) }{" "}{&one.job_state}{format!(" ({})", one.state)}
                </li> }) }</ul>
            }
            if !why.ahead.is_empty() {
                <h4>{lang.fill(Msg::AheadOf, &[&why.ahead.len().to_string()])}</h4>
                <ul class="jobrefs">{ for why.ahead.iter().take(12).map(|one| html! { <li>{link(&one.id, on)}{format!(" {} · {} · {}", one.name, one.user_name, one.priority)}
                    { one.expected_start.map(|at| format!(" · ≈ {}", moment(at))).unwrap_or_default() }</li> }) }</ul>
            }
            if waits_for_nodes && !why.holders.is_empty() {
                <h4>{lang.text(Msg::HeldBy)}</h4>
                <ul class="jobrefs">{ for why.holders.iter().take(12).map(|one| html! { <li>{link(&one.id, on)}{format!(" {} · {} · {}", one.name, one.user_name, one.nodes)}
                    { one.end.map(|at| format!(" · {}", lang.fill(Msg::UntilAtMost, &[&moment(at)]))).unwrap_or_default() }</li> }) }</ul>
            }
            if !why.reservations.is_empty() {
                <h4>{lang.text(Msg::SpanReserved)}</h4>
                <ul class="jobrefs">{ for why.reservations.iter().map(|one| html! { <li>{lang.fill(Msg::ReservationLabel, &[&one.name, &moment(one.start), &moment(one.end)])}{format!(": {}", one.nodes)}</li> }) }</ul>
            }
        </div>
    }
}
