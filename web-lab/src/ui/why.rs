//! Why a pod is where it is: the scheduler's attempts, in words and as a table.

use std::rc::Rc;

use clusterlab::lab::view::{AttemptView, PreemptionView, WhyView};
use clusterlab::order::InOrder;
use yew::prelude::*;

use crate::i18n::{Lang, Msg};
use crate::model::clock::elapsed;
use crate::model::why::{feasible, plugin_words, refusals};

/// Rows of the table of verdicts that are drawn.
const MOST_ROWS: usize = 200;
/// Names of machines that are spelled out per reason.
const MOST_NAMES: usize = 6;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub why: Rc<WhyView>,
}

#[component]
pub fn Why(props: &Props) -> Html {
    let lang = props.lang;
    let chosen = use_state(|| None::<usize>);
    let last = props.why.attempts.len().saturating_sub(1);
    let at = chosen.unwrap_or(last).min(last);
    let Some(attempt) = props.why.attempts.get(at) else {
        return html! { <p class="none">{lang.text(Msg::WhyNothing)}</p> };
    };
    let choose = {
        let chosen = chosen.clone();
        Callback::from(move |event: Event| {
            let value =
                event.target_dyn_into::<web_sys::HtmlSelectElement>().map(|s| s.value()).unwrap_or_default();
            chosen.set(value.parse().ok());
        })
    };
    html! {
        <div class="why" data-testid="why">
            if last > 0 {
                <label>{lang.text(Msg::Attempt)}{" "}
                    <select onchange={choose}>
                        { for props.why.attempts.iter().enumerate().map(|(n, attempt)| html! {
                            <option value={n.to_string()} selected={n == at}>{format!("{} · {}", n + 1, elapsed(attempt.at))}</option>
                        }) }
                    </select>
                </label>
            }
            { words(lang, attempt) }
            if !attempt.verdicts.is_empty() {
                <h4>{lang.text(Msg::ShowVerdicts)}</h4>
                if !attempt.plugins.is_empty() { <p class="none">{lang.text(Msg::PointsExplained)}</p> }
                { table(lang, attempt) }
            }
            if let Some(preemption) = &attempt.preemption { { made_room(lang, preemption) } }
        </div>
    }
}

fn words(lang: Lang, attempt: &AttemptView) -> Html {
    let count = attempt.verdicts.len().to_string();
    let fit = feasible(attempt).to_string();
    let sentence = match &attempt.node {
        Some(node) => lang.fill(Msg::WhyChosen, &[node, &count, &fit]),
        None if attempt.verdicts.is_empty() => attempt.message.clone(),
        None => lang.fill(Msg::WhyNone, &[&count]),
    };
    html! {
        <>
            <p>{sentence}</p>
            <ul class="refusals">
                { for refusals(attempt).into_iter().map(|refusal| {
                    let mut names = refusal.nodes.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
                    if refusal.nodes.len() > MOST_NAMES {
                        names.push_str(&format!(" +{}", refusal.nodes.len() - MOST_NAMES));
                    }
                    html! { <li>
                        <strong>{&refusal.reason}</strong>{" "}
                        <span class="names">{names}</span>
                        <span class="plugin"><code>{&refusal.plugin}</code>{" "}{ plugin_words(&refusal.plugin).map(|msg| lang.text(msg)) }</span>
                    </li> }
                }) }
            </ul>
            if !attempt.message.is_empty() { <p class="said"><code>{&attempt.message}</code></p> }
        </>
    }
}

/// Node by plugin: who refused it, or what each plugin gave it. The best first.
fn table(lang: Lang, attempt: &AttemptView) -> Html {
    let mut rows: Vec<_> = attempt.verdicts.iter().collect();
    rows.order_by(|a, b| {
        let chosen = |node: &str| attempt.node.as_deref() == Some(node);
        (chosen(&b.node).cmp(&chosen(&a.node)))
            .then(b.plugin.is_empty().cmp(&a.plugin.is_empty()))
            .then(b.total.cmp(&a.total))
            .then_with(|| a.node.cmp(&b.node))
    });
    html! {
        <div class="scrollx" tabindex="0" role="region" aria-label={lang.text(Msg::ShowVerdicts)}>
            <table class="grid verdicts" data-testid="verdicts">
                <caption class="hidden">{lang.text(Msg::ShowVerdicts)}</caption>
                <thead><tr>
                    <th scope="col">{lang.text(Msg::Node)}</th><th scope="col">{lang.text(Msg::Verdict)}</th>
                    if !attempt.plugins.is_empty() { <th scope="col" class="num">{lang.text(Msg::Total)}</th> }
                    { for attempt.plugins.iter().map(|(plugin, weight)| html! {
                        <th scope="col" class="num" title={plugin_words(plugin).map(|msg| lang.text(msg))}>
                            <span class="plugin">{plugin}</span>{format!(" ×{weight}")}</th>
                    }) }
                </tr></thead>
                <tbody>{ for rows.into_iter().take(MOST_ROWS).map(|verdict| {
                    let chosen = attempt.node.as_ref() == Some(&verdict.node);
                    html! { <tr key={verdict.node.clone()} class={if chosen { "chosen" } else { "" }}>
                        <th scope="row">{&verdict.node}</th>
                        <td>
                            if chosen { <strong>{"★ "}{lang.text(Msg::Chosen)}</strong> }
                            else if verdict.plugin.is_empty() { {lang.text(Msg::Fits)} }
                            else { <code>{&verdict.plugin}</code>{format!(": {}", verdict.reasons.join(", "))} }
                        </td>
                        if !attempt.plugins.is_empty() { <td class="num"><strong>{ (!verdict.scores.is_empty()).then(|| verdict.total.to_string()) }</strong></td> }
                        { for verdict.scores.iter().zip(&attempt.plugins).map(|(points, (_, weight))| html! {
                            <td class="num" title={lang.fill(Msg::RawPoints, &[&points.raw.to_string()])}>
                                {points.normalized * weight}
                                if points.raw != points.normalized { <span class="raw">{points.raw}</span> }
                            </td>
                        }) }
                    </tr> }
                }) }</tbody>
            </table>
        </div>
    }
}

/// Where pods could have made room, and which had to.
fn made_room(lang: Lang, preemption: &PreemptionView) -> Html {
    if preemption.candidates.is_empty() {
        return html! { <p class="none">{lang.text(Msg::NoCandidates)}</p> };
    }
    html! {
        <>
            <h4>{lang.text(Msg::Candidates)}</h4>
            <div class="scrollx" tabindex="0" role="region" aria-label={lang.text(Msg::Candidates)}>
                <table class="grid" data-testid="candidates">
                    <caption class="hidden">{lang.text(Msg::Candidates)}</caption>
                    <thead><tr>
                        <th scope="col">{lang.text(Msg::Node)}</th><th scope="col">{lang.text(Msg::Victims)}</th>
                        <th scope="col" class="num">{lang.text(Msg::BudgetsViolated)}</th>
                    </tr></thead>
                    <tbody>{ for preemption.candidates.iter().take(MOST_ROWS).map(|candidate| {
                        let chosen = preemption.target.as_ref() == Some(&candidate.node);
                        html! { <tr key={candidate.node.clone()} class={if chosen { "chosen" } else { "" }}>
                            <th scope="row">if chosen { {"★ "} }{&candidate.node}</th>
                            <td>{candidate.victims.join(", ")}</td>
                            <td class="num">{candidate.pdb_violations}</td>
                        </tr> }
                    }) }</tbody>
                </table>
            </div>
        </>
    }
}
