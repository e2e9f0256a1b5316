//! One machine of the picture, at the detail that there is room for.

use std::rc::Rc;

use clusterlab::lab::view::{GpuView, NodeView, PodView, Share};
use yew::prelude::*;

use super::{Action, class};
use crate::i18n::{Lang, Msg};
use crate::model::Selection;
use crate::model::cluster::{
    Detail, GpuState, bytes, cores, gpu_counts, hue, percent, pod_look, short_model,
};

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub node: Rc<NodeView>,
    pub pods: Vec<Rc<PodView>>,
    pub detail: Detail,
    pub selected: bool,
    pub on: Callback<Action>,
}

#[component]
pub fn Node(props: &Props) -> Html {
    let node = &props.node;
    let select = {
        let name = node.name.clone();
        props.on.reform(move |_: MouseEvent| Action::Select(Some(Selection::Node(name.clone()))))
    };
    match props.detail {
        Detail::Card => card(props, select),
        Detail::Tile | Detail::Dot => small(props, select),
    }
}

fn states(node: &NodeView) -> String {
    class(&[if node.ready { "" } else { "notready" }, if node.cordoned { "cordoned" } else { "" }])
}

fn small(props: &Props, select: Callback<MouseEvent>) -> Html {
    let (lang, node) = (props.lang, &props.node);
    let [free, held, busy, bad] = gpu_counts(node);
    let total = node.gpus.len();
    let label = lang.fill(
        Msg::NodeSummary,
        &[
            &node.name,
            &node.status,
            &total.to_string(),
            &(held + busy).to_string(),
            &free.to_string(),
            &bad.to_string(),
        ],
    );
    let full = percent((held + busy) as u64, total as u64);
    let class = format!(
        "{} {} {} {}",
        if props.detail == Detail::Tile { "nodetile" } else { "nodedot" },
        states(node),
        if bad > 0 { "hasbad" } else { "" },
        if props.selected { "selected" } else { "" }
    );
    html! {
        <button {class} onclick={select} title={label.clone()} aria-label={label} style={format!("--full:{full}%")}>
            if props.detail == Detail::Tile {
                <span class="name">{&node.name}</span>
                <span class="count">{ if total == 0 { "–".to_owned() } else { format!("{}/{total}", held + busy) } }</span>
            } else if bad > 0 {
                {"!"}
            }
        </button>
    }
}

fn card(props: &Props, select: Callback<MouseEvent>) -> Html {
    let (lang, node) = (props.lang, &props.node);
    let class = format!("node {} {}", states(node), if props.selected { "selected" } else { "" });
    html! {
        <section {class} aria-label={node.name.clone()} data-node={node.name.clone()}>
            <button class="nodehead" onclick={select}>
                <span class="name">{&node.name}</span>
                <span class="model">{short_model(&node.gpu_product)}</span>
                <span class={if node.ready && !node.cordoned { "state" } else { "state bad" }}>{&node.status}</span>
            </button>
            if !node.gpus.is_empty() {
                <div class="gpus" role="list" aria-label={lang.text(Msg::Gpus)}>
                    { for node.gpus.iter().map(|gpu| html! { <Gpu {lang} gpu={Rc::new(gpu.clone())} on={props.on.clone()} /> }) }
                </div>
            }
            <div class="bars">
                { bar(lang.text(Msg::Cpu), node.cpu_milli, cores) }
                { bar(lang.text(Msg::Memory), node.memory_bytes, bytes) }
            </div>
            <div class="chips">
                { for props.pods.iter().map(|pod| html! {
                    <PodChip key={format!("{}/{}", pod.namespace, pod.name)} pod={pod.clone()} selected={false} on={props.on.clone()} />
                }) }
                if props.pods.is_empty() { <span class="none">{lang.text(Msg::NoPodsHere)}</span> }
            </div>
        </section>
    }
}

fn bar(label: &str, share: Share, show: fn(u64) -> String) -> Html {
    let full = percent(share.requested, share.allocatable);
    let value = format!("{} / {}", show(share.requested), show(share.allocatable));
    html! {
        <div class="bar1" title={format!("{label}: {value}")}>
            <span class="label">{label}</span>
            <span class="meter" role="meter" aria-label={label.to_owned()} aria-valuemin="0" aria-valuemax="100" aria-valuenow={full.to_string()} aria-valuetext={value.clone()}>
                <span style={format!("width:{full}%")}></span></span>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct GpuProps {
    lang: Lang,
    gpu: Rc<GpuView>,
    on: Callback<Action>,
}

#[component]
fn Gpu(props: &GpuProps) -> Html {
    let (lang, gpu) = (props.lang, &props.gpu);
    let state = GpuState::of(gpu);
    let word = match state {
        GpuState::Free => Msg::GpuFree,
        GpuState::Held => Msg::GpuHeld,
        GpuState::Busy => Msg::GpuBusy,
        GpuState::Unhealthy => Msg::GpuUnhealthy,
    };
    let memory = format!("{} / {} MiB", gpu.memory_used_mib, gpu.memory_total_mib);
    let mut title = format!(
        "GPU {} · {}\n{} · {} % · {memory} · {} W · {} °C",
        gpu.index,
        gpu.model,
        lang.text(word),
        gpu.utilization,
        gpu.power_w,
        gpu.temperature_c
    );
    for more in [Some(&gpu.unhealthy).filter(|why| !why.is_empty()), gpu.pod.as_ref(), Some(&gpu.uuid)]
        .into_iter()
        .flatten()
    {
        title.push('\n');
        title.push_str(more);
    }
    let pod = gpu.pod.as_deref().unwrap_or_default();
    let class = if pod.is_empty() {
        format!("gpu {}", state.class())
    } else {
        format!("gpu {} hue{}", state.class(), hue(pod))
    };
    let select = gpu.pod.as_ref().and_then(|pod| pod.split_once('/')).map(|(namespace, name)| {
        let selection = Selection::Pod(namespace.to_owned(), name.to_owned());
        props.on.reform(move |_: MouseEvent| Action::Select(Some(selection.clone())))
    });
    let sign = match state {
        GpuState::Free => String::new(),
        GpuState::Unhealthy => "!".to_owned(),
        GpuState::Held | GpuState::Busy => format!("{}%", gpu.utilization),
    };
    html! {
        <div role="listitem" {class} title={title.clone()} onclick={select} style={format!("--util:{}%;--mem:{}%", gpu.utilization, percent(gpu.memory_used_mib, gpu.memory_total_mib))}>
            <span class="index" aria-hidden="true">{gpu.index}</span>
            <span class="sign" aria-hidden="true">{sign}</span>
            <span class="mem" aria-hidden="true"></span>
            <span class="hidden">{title}</span>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct ChipProps {
    pub pod: Rc<PodView>,
    pub selected: bool,
    pub on: Callback<Action>,
}

/// A pod as a small button: its name, its state as colour and sign.
#[component]
pub fn PodChip(props: &ChipProps) -> Html {
    let pod = &props.pod;
    let (look, sign) = pod_look(pod);
    let key = format!("{}/{}", pod.namespace, pod.name);
    let select = {
        let selection = Selection::Pod(pod.namespace.clone(), pod.name.clone());
        props.on.reform(move |_: MouseEvent| Action::Select(Some(selection.clone())))
    };
    html! {
        <button class={format!("chip {look} hue{} {}", hue(&key), if props.selected { "selected" } else { "" })} onclick={select} data-pod={pod.name.clone()} data-status={pod.status.clone()}
            title={format!("{key}\n{}", pod.status)}>
            <span class="sign" aria-hidden="true">{sign}</span>
            <span class="name">{&pod.name}</span>
            if pod.gpus_requested > 0 { <span class="want">{format!("{}×GPU", pod.gpus_requested)}</span> }
            <span class="hidden">{&pod.status}</span>
        </button>
    }
}
