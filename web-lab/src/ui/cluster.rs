//! The cluster as a picture: machines, their GPUs, the pods in them; and the same as a table.

use std::collections::BTreeMap;
use std::rc::Rc;

use clusterlab::lab::view::PodView;
use yew::prelude::*;

use super::node::{Node, PodChip};
use super::{Action, class};
use crate::i18n::{Lang, Msg};
use crate::model::cluster::{Detail, bytes, cores, gpu_counts};
use crate::model::{Nodes, Pods, Selection};

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub nodes: Rc<Nodes>,
    pub pods: Rc<Pods>,
    pub selection: Option<Selection>,
    pub on: Callback<Action>,
}

#[component]
pub fn Cluster(props: &Props) -> Html {
    let lang = props.lang;
    let as_table = use_state(|| false);
    let toggle = {
        let as_table = as_table.clone();
        Callback::from(move |_: MouseEvent| as_table.set(!*as_table))
    };
    let mut by_node: BTreeMap<&str, Vec<Rc<PodView>>> = BTreeMap::new();
    let mut waiting: Vec<Rc<PodView>> = Vec::new();
    for pod in props.pods.values() {
        match &pod.node {
            Some(node) => by_node.entry(node).or_default().push(pod.clone()),
            None => waiting.push(pod.clone()),
        }
    }
    let (total, used) = props.nodes.values().fold((0, 0), |(total, used), node| {
        (total + node.gpus.len(), used + node.gpus.iter().filter(|gpu| gpu.pod.is_some()).count())
    });
    let summary = lang.fill(
        Msg::ClusterSummary,
        &[&props.nodes.len().to_string(), &total.to_string(), &used.to_string(), &waiting.len().to_string()],
    );
    let detail = Detail::for_count(props.nodes.len());
    // Machines with GPUs first: they are what the picture is about.
    let with_gpus = props.nodes.values().filter(|node| !node.gpus.is_empty());
    let without = props.nodes.values().filter(|node| node.gpus.is_empty());
    html! {
        <figure class="cluster" aria-labelledby="cluster-title" aria-describedby="cluster-summary">
            <div class="panelhead">
                <h2 id="cluster-title">{lang.text(Msg::Cluster)}</h2>
                <p id="cluster-summary">{summary}</p>
                <button class="quiet" id="cluster-as-table" aria-pressed={as_table.to_string()} onclick={toggle}>
                    {lang.text(if *as_table { Msg::ShowAsPicture } else { Msg::ShowAsTable })}</button>
            </div>
            if *as_table {
                { table(props, &by_node) }
            } else {
                <div class="scroll picture">
                    <div class={class(&["tray", if waiting.is_empty() { "empty" } else { "" }])} aria-label={lang.text(Msg::Waiting)} role="group">
                        <span class="traylabel">{lang.text(Msg::Waiting)}</span>
                        if waiting.is_empty() {
                            <span class="none">{lang.text(Msg::NobodyWaits)}</span>
                        }
                        { for waiting.iter().take(24).map(|pod| chip(props, pod)) }
                        if waiting.len() > 24 { <span class="none">{format!("+{}", waiting.len() - 24)}</span> }
                    </div>
                    <div class={match detail { Detail::Card => "nodes cards", Detail::Tile => "nodes tiles", Detail::Dot => "nodes dots" }}>
                        { for with_gpus.chain(without).map(|node| {
                            let selected = props.selection == Some(Selection::Node(node.name.clone()));
                            let pods = if detail == Detail::Card { by_node.remove(node.name.as_str()).unwrap_or_default() } else { Vec::new() };
                            html! { <Node key={node.name.clone()} {lang} node={node.clone()} {pods} {detail} {selected} on={props.on.clone()} /> }
                        }) }
                    </div>
                    <ul class="legend" aria-label={lang.text(Msg::Legend)}>
                        { for [("free", Msg::GpuFree), ("held", Msg::GpuHeld), ("busy", Msg::GpuBusy), ("unhealthy", Msg::GpuUnhealthy)].iter().map(|(kind, msg)| html! {
                            <li><span class={format!("gpu {kind}")} aria-hidden="true"></span>{lang.text(*msg)}</li>
                        }) }
                    </ul>
                </div>
            }
        </figure>
    }
}

fn chip(props: &Props, pod: &Rc<PodView>) -> Html {
    let key = format!("{}/{}", pod.namespace, pod.name);
    let selected = props.selection == Some(Selection::Pod(pod.namespace.clone(), pod.name.clone()));
    html! { <PodChip {key} pod={pod.clone()} {selected} on={props.on.clone()} /> }
}

fn table(props: &Props, by_node: &BTreeMap<&str, Vec<Rc<PodView>>>) -> Html {
    let lang = props.lang;
    html! {
        <div class="scroll" tabindex="0" role="region" aria-label={lang.text(Msg::ShowAsTable)}>
            <table class="grid" data-testid="cluster-table">
                <caption class="hidden">{lang.text(Msg::Cluster)}</caption>
                <thead><tr>
                    { for [Msg::Node, Msg::Status, Msg::GpuModel, Msg::GpuFree, Msg::GpuHeld, Msg::GpuBusy, Msg::GpuUnhealthy, Msg::Cpu, Msg::Memory, Msg::Pods]
                        .iter().map(|msg| html! { <th scope="col">{lang.text(*msg)}</th> }) }
                </tr></thead>
                <tbody>{ for props.nodes.values().map(|node| {
                    let pods = by_node.get(node.name.as_str()).map_or(&[][..], Vec::as_slice);
                    let names: Vec<&str> = pods.iter().map(|pod| pod.name.as_str()).collect();
                    html! { <tr key={node.name.clone()}>
                        <th scope="row">{&node.name}</th><td>{&node.status}</td><td>{&node.gpu_product}</td>
                        { for gpu_counts(node).iter().map(|n| html! { <td class="num">{*n}</td> }) }
                        <td class="num">{format!("{} / {}", cores(node.cpu_milli.requested), cores(node.cpu_milli.allocatable))}</td>
                        <td class="num">{format!("{} / {}", bytes(node.memory_bytes.requested), bytes(node.memory_bytes.allocatable))}</td>
                        <td>{names.join(", ")}</td>
                    </tr> }
                }) }</tbody>
            </table>
        </div>
    }
}
