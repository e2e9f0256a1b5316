//! The lists: pods, nodes, events; and the one thing that the learner looks at closely.

use std::rc::Rc;

use clusterlab::lab::view::{ContainerStateView, NodeView, PodView, WhyView};
use clusterlab::sim::SimTime;
use yew::prelude::*;

use super::events::EventList;
use super::why::Why;
use super::{Action, Tab};
use crate::i18n::{Lang, Msg};
use crate::model::clock::{elapsed, span};
use crate::model::cluster::{bytes, cores, pod_look};
use crate::model::{Events, Nodes, Pods, Selection};

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub now: SimTime,
    pub nodes: Rc<Nodes>,
    pub pods: Rc<Pods>,
    pub events: Rc<Events>,
    pub selection: Option<Selection>,
    pub why: Option<Rc<WhyView>>,
    pub tab: Tab,
    pub more: More,
    pub on: Callback<Action>,
}

/// What there is beside Kubernetes.
#[derive(Clone, Default, PartialEq)]
pub struct More {
    /// The Slurm cluster.
    #[cfg(feature = "slurm")]
    pub slurm: Option<crate::model::slurm::Slurm>,
    /// Why the selected job is where it is.
    #[cfg(feature = "slurm")]
    pub job_why: Option<Rc<clusterlab::lab::slurm::view::JobWhy>>,
}

/// Above this many rows a list shows its first ones and says how many there are.
const MOST_ROWS: usize = 200;

#[component]
pub fn Objects(props: &Props) -> Html {
    let lang = props.lang;
    let pod = match &props.selection {
        Some(Selection::Pod(namespace, name)) => props.pods.get(&(namespace.clone(), name.clone())),
        _ => None,
    };
    let node = match &props.selection {
        Some(Selection::Node(name)) => props.nodes.get(name),
        _ => None,
    };
    #[cfg(feature = "slurm")]
    if let Some(Selection::Job(id)) = &props.selection {
        let why = props.more.job_why.clone();
        return html! { <super::slurm::JobDetail {lang} id={id.clone()} {why} on={props.on.clone()} /> };
    }
    if let Some(pod) = pod {
        return html! { <PodDetail {lang} pod={pod.clone()} why={props.why.clone()} events={props.events.clone()} on={props.on.clone()} /> };
    }
    if let Some(node) = node {
        return html! { <NodeDetail {lang} node={node.clone()} events={props.events.clone()} on={props.on.clone()} /> };
    }
    let kubernetes = [
        (Tab::Pods, Msg::Pods, props.pods.len()),
        (Tab::Nodes, Msg::Nodes, props.nodes.len()),
        (Tab::Events, Msg::Events, props.events.len()),
    ];
    #[cfg(feature = "slurm")]
    let (tabs, chosen) = with_slurm(props, kubernetes);
    #[cfg(not(feature = "slurm"))]
    let (tabs, chosen) = (kubernetes, props.tab);
    html! {
        <div class="objects">
            <div class="panelhead" role="tablist" aria-label={lang.text(Msg::Objects)}>
                { for tabs.iter().map(|(tab, msg, count)| {
                    let tab = *tab;
                    html! { <button role="tab" class="filetab" data-tab={format!("{tab:?}").to_lowercase()} aria-selected={(chosen == tab).to_string()}
                        onclick={props.on.reform(move |_: MouseEvent| Action::Tab(tab))}>{lang.text(*msg)}<span class="count">{*count}</span></button> }
                }) }
            </div>
            <div class="scroll" role="tabpanel" tabindex="0" aria-label={lang.text(Msg::Objects)}>
                { match chosen {
                    Tab::Pods => pods(props),
                    Tab::Nodes => nodes(props),
                    Tab::Events => html! { <EventList {lang} events={props.events.clone()} filter={None::<String>} on={props.on.clone()} /> },
                    #[cfg(feature = "slurm")]
                    tab => slurm(props, tab),
                } }
            </div>
        </div>
    }
}

/// Slurm's lists before those of Kubernetes, if the lab has a Slurm cluster; and which one is shown.
#[cfg(feature = "slurm")]
fn with_slurm(props: &Props, kubernetes: [(Tab, Msg, usize); 3]) -> (Vec<(Tab, Msg, usize)>, Tab) {
    let Some(view) = &props.more.slurm else { return (kubernetes.to_vec(), props.tab) };
    let mut tabs = vec![
        (Tab::Queue, Msg::Queue, view.jobs.len()),
        (Tab::SlurmNodes, Msg::Nodes, view.nodes.len()),
        (Tab::Shares, Msg::Fairshare, view.associations.iter().filter(|one| one.user.is_some()).count()),
    ];
    if !props.nodes.is_empty() {
        tabs.extend([kubernetes[0], kubernetes[2]]);
    }
    // The lists begin with pods; where there are none, with the queue.
    let there = tabs.iter().any(|(tab, ..)| *tab == props.tab);
    let chosen = if there { props.tab } else { Tab::Queue };
    (tabs, chosen)
}

#[cfg(feature = "slurm")]
fn slurm(props: &Props, tab: Tab) -> Html {
    use super::slurm::{Fairshare, Queue, SlurmNodes};
    let Some(view) = &props.more.slurm else { return Html::default() };
    let (lang, view, on) = (props.lang, view.clone(), props.on.clone());
    match tab {
        Tab::SlurmNodes => html! { <SlurmNodes {lang} {view} {on} /> },
        Tab::Shares => html! { <Fairshare {lang} {view} {on} /> },
        _ => html! { <Queue {lang} {view} {on} /> },
    }
}

fn head(lang: Lang, columns: &[Msg]) -> Html {
    html! { <thead><tr>{ for columns.iter().map(|msg| html! { <th scope="col">{lang.text(*msg)}</th> }) }</tr></thead> }
}

fn more(lang: Lang, count: usize) -> Html {
    if count <= MOST_ROWS {
        return Html::default();
    }
    html! { <p class="none">{lang.fill(Msg::AndMore, &[&(count - MOST_ROWS).to_string()])}</p> }
}

fn pods(props: &Props) -> Html {
    let lang = props.lang;
    if props.pods.is_empty() {
        return html! { <p class="empty">{lang.text(Msg::NoPods)}</p> };
    }
    html! {
        <>
            <table class="grid" id="pods">
                <caption class="hidden">{lang.text(Msg::Pods)}</caption>
                { head(lang, &[Msg::Name, Msg::Status, Msg::Ready, Msg::Node, Msg::Gpus, Msg::Age]) }
                <tbody>{ for props.pods.values().take(MOST_ROWS).map(|pod| {
                    let (look, sign) = pod_look(pod);
                    let selection = Selection::Pod(pod.namespace.clone(), pod.name.clone());
                    let select = props.on.reform(move |_: MouseEvent| Action::Select(Some(selection.clone())));
                    let age = props.now.since(pod.created).as_secs() * 1_000_000_000;
                    html! { <tr key={format!("{}/{}", pod.namespace, pod.name)}>
                        <th scope="row"><button class="link" onclick={select}>{&pod.name}</button>
                            if pod.namespace != "default" { <span class="ns">{&pod.namespace}</span> }</th>
                        <td><span class={format!("status {look}")}><span aria-hidden="true">{sign}</span>{" "}{&pod.status}</span></td>
                        <td class="num">{format!("{}/{}", pod.ready.0, pod.ready.1)}</td>
                        <td>{pod.node.as_deref().unwrap_or("–")}</td>
                        <td>{gpus(pod)}</td>
                        <td class="num">{span(age)}</td>
                    </tr> }
                }) }</tbody>
            </table>
            { more(lang, props.pods.len()) }
        </>
    }
}

fn gpus(pod: &PodView) -> String {
    if pod.gpus.is_empty() {
        return pod.gpus_requested.to_string();
    }
    let indices: Vec<String> = pod.gpus.iter().map(u32::to_string).collect();
    format!("{} (#{})", pod.gpus_requested, indices.join(","))
}

fn nodes(props: &Props) -> Html {
    let lang = props.lang;
    html! {
        <>
            <table class="grid" id="nodes">
                <caption class="hidden">{lang.text(Msg::Nodes)}</caption>
                { head(lang, &[Msg::Name, Msg::Status, Msg::Gpus, Msg::Cpu, Msg::Memory]) }
                <tbody>{ for props.nodes.values().take(MOST_ROWS).map(|node| {
                    let selection = Selection::Node(node.name.clone());
                    let select = props.on.reform(move |_: MouseEvent| Action::Select(Some(selection.clone())));
                    html! { <tr key={node.name.clone()}>
                        <th scope="row"><button class="link" onclick={select}>{&node.name}</button></th>
                        <td><span class={if node.ready && !node.cordoned { "status running" } else { "status failed" }}>{&node.status}</span></td>
                        <td class="num">{format!("{}/{}", node.gpu.requested, node.gpu.allocatable)}</td>
                        <td class="num">{format!("{}/{}", cores(node.cpu_milli.requested), cores(node.cpu_milli.allocatable))}</td>
                        <td class="num">{format!("{}/{}", bytes(node.memory_bytes.requested), bytes(node.memory_bytes.allocatable))}</td>
                    </tr> }
                }) }</tbody>
            </table>
            { more(lang, props.nodes.len()) }
        </>
    }
}

fn back(lang: Lang, title: &str, on: &Callback<Action>) -> Html {
    html! {
        <div class="panelhead">
            <button class="quiet" id="back" onclick={on.reform(|_: MouseEvent| Action::Select(None))}>{"← "}{lang.text(Msg::Back)}</button>
            <h2>{title.to_owned()}</h2>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct PodProps {
    lang: Lang,
    pod: Rc<PodView>,
    why: Option<Rc<WhyView>>,
    events: Rc<Events>,
    on: Callback<Action>,
}

#[component]
fn PodDetail(props: &PodProps) -> Html {
    let (lang, pod) = (props.lang, &props.pod);
    let (look, sign) = pod_look(pod);
    let about = if pod.namespace.is_empty() {
        pod.name.clone()
    } else {
        format!("{}/pod/{}", pod.namespace, pod.name)
    };
    html! {
        <div class="objects" data-testid="pod-detail">
            { back(lang, &pod.name, &props.on) }
            <div class="scroll detail">
                <dl class="facts">
                    <dt>{lang.text(Msg::Status)}</dt><dd><span class={format!("status {look}")}><span aria-hidden="true">{sign}</span>{" "}{&pod.status}</span></dd>
                    <dt>{lang.text(Msg::Namespace)}</dt><dd>{&pod.namespace}</dd>
                    <dt>{lang.text(Msg::Node)}</dt><dd>{pod.node.as_deref().unwrap_or("–")}</dd>
                    <dt>{lang.text(Msg::Requests)}</dt><dd>{format!("{} CPU · {} · {} GPU", cores(pod.cpu_milli), bytes(pod.memory_bytes), gpus(pod))}</dd>
                    <dt>{lang.text(Msg::Created)}</dt><dd>{elapsed(pod.created)}</dd>
                </dl>
                if !pod.message.is_empty() { <p class="box warn message">{&pod.message}</p> }
                <h3>{lang.text(Msg::WhyTitle)}</h3>
                if let Some(why) = &props.why {
                    <Why {lang} why={why.clone()} />
                } else {
                    <p class="none">{lang.text(Msg::WhyNothing)}</p>
                }
                <h3>{lang.text(Msg::Containers)}</h3>
                <ul class="containers">
                    { for pod.containers.iter().map(|container| {
                        let (class, state) = match &container.state {
                            ContainerStateView::Waiting { reason, message } => ("pending", lang.fill(Msg::ContainerWaiting, &[reason, message])),
                            ContainerStateView::Running { since } => ("running", lang.fill(Msg::ContainerRunning, &[&elapsed(*since)])),
                            ContainerStateView::Terminated { reason, exit_code, at } => (
                                if *exit_code == 0 { "succeeded" } else { "failed" },
                                lang.fill(Msg::ContainerTerminated, &[reason, &exit_code.to_string(), &elapsed(*at)]),
                            ),
                        };
                        html! { <li>
                            <strong>{&container.name}</strong>{" "}
                            if container.init { <span class="badge">{"init"}</span> }
                            if container.restarts > 0 { <span class="badge bad">{lang.fill(Msg::Restarts, &[&container.restarts.to_string()])}</span> }
                            <code>{&container.image}</code>
                            <span class={format!("status {class}")}>{state}</span>
                        </li> }
                    }) }
                </ul>
                <h3>{lang.text(Msg::Events)}</h3>
                <EventList {lang} events={props.events.clone()} filter={Some(about)} on={props.on.clone()} />
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct NodeProps {
    lang: Lang,
    node: Rc<NodeView>,
    events: Rc<Events>,
    on: Callback<Action>,
}

#[component]
fn NodeDetail(props: &NodeProps) -> Html {
    let (lang, node) = (props.lang, &props.node);
    html! {
        <div class="objects" data-testid="node-detail">
            { back(lang, &node.name, &props.on) }
            <div class="scroll detail">
                <dl class="facts">
                    <dt>{lang.text(Msg::Status)}</dt><dd>{&node.status}</dd>
                    <dt>{lang.text(Msg::GpuModel)}</dt><dd>{ if node.gpu_product.is_empty() { "–" } else { &node.gpu_product } }</dd>
                    <dt>{lang.text(Msg::Cpu)}</dt><dd>{format!("{} / {}", cores(node.cpu_milli.requested), cores(node.cpu_milli.allocatable))}</dd>
                    <dt>{lang.text(Msg::Memory)}</dt><dd>{format!("{} / {}", bytes(node.memory_bytes.requested), bytes(node.memory_bytes.allocatable))}</dd>
                    <dt>{lang.text(Msg::Pods)}</dt><dd>{format!("{} / {}", node.pods.requested, node.pods.allocatable)}</dd>
                    <dt>{lang.text(Msg::Taints)}</dt><dd>{ if node.taints.is_empty() { "–".to_owned() } else { node.taints.join(" ") } }</dd>
                </dl>
                if !node.gpus.is_empty() {
                    <h3>{lang.text(Msg::Gpus)}</h3>
                    <table class="grid">
                        <caption class="hidden">{lang.text(Msg::Gpus)}</caption>
                        <thead><tr><th scope="col">{"#"}</th><th scope="col">{lang.text(Msg::Pod)}</th><th scope="col">{"%"}</th><th scope="col">{"MiB"}</th><th scope="col">{"W"}</th><th scope="col">{"°C"}</th></tr></thead>
                        <tbody>{ for node.gpus.iter().map(|gpu| html! { <tr key={gpu.index}>
                            <th scope="row">{gpu.index}</th>
                            <td>{ if gpu.unhealthy.is_empty() { gpu.pod.as_deref().unwrap_or("–") } else { &gpu.unhealthy } }</td>
                            <td class="num">{gpu.utilization}</td><td class="num">{format!("{}/{}", gpu.memory_used_mib, gpu.memory_total_mib)}</td>
                            <td class="num">{gpu.power_w}</td><td class="num">{gpu.temperature_c}</td>
                        </tr> }) }</tbody>
                    </table>
                }
                <h3>{lang.text(Msg::Labels)}</h3>
                <ul class="labels">{ for node.labels.iter().map(|label| html! { <li><code>{label}</code></li> }) }</ul>
                <h3>{lang.text(Msg::Events)}</h3>
                <EventList {lang} events={props.events.clone()} filter={Some(format!("node/{}", node.name))} on={props.on.clone()} />
            </div>
        </div>
    }
}
