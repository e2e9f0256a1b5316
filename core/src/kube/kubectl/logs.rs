//! `kubectl logs`: what containers wrote, once or as they write it.

use std::collections::VecDeque;

use k8s_openapi::api::core::v1::Pod;

use super::command::{Next, Run};
use super::context::{Context, LogEntry};
use super::error::{Error, Result, fail};
use super::resource::kind_of;
use super::waiting::Waiting;
use crate::kube::api::{Kind, ListOptions, Object, Reason, Status};
use crate::process::Step;
use crate::sim::{Epoch, SimTime};

/// `kubectl logs -f`
#[derive(Clone, Debug)]
pub(super) struct Follow {
    streams: Vec<Stream>,
    shape: Shape,
    ignore_errors: bool,
}

/// One container whose log is read.
#[derive(Clone, Debug)]
struct Stream {
    namespace: String,
    pod: String,
    container: String,
    previous: bool,
    prefix: String,
    next: usize,
    ended: bool,
}

/// How lines are cut and shown.
#[derive(Clone, Debug)]
struct Shape {
    timestamps: bool,
    tail: Option<usize>,
    since: Option<SimTime>,
    limit: Option<usize>,
    epoch: Epoch,
}

impl Follow {
    pub fn step(&mut self, ctx: &mut Context<'_>, out: &mut String) -> Result<Step> {
        let everything = Shape { tail: None, since: None, ..self.shape.clone() };
        for stream in self.streams.iter_mut().filter(|stream| !stream.ended) {
            match read(ctx, stream, &everything, out) {
                Ok(()) => {}
                // A pod that is gone ends its log.
                Err(error) if error.is_not_found() || self.ignore_errors => stream.ended = true,
                Err(error) => return Err(error),
            }
        }
        self.shape.limit = everything.limit;
        Ok(if self.streams.iter().all(|stream| stream.ended) { Step::Exit(0) } else { Step::Outside })
    }
}

pub(super) fn run(run: &mut Run<'_, '_>) -> Result<Next> {
    let flags = run.flags;
    let selector = flags.text_or_empty("selector").to_owned();
    let mut container = flags.text("container").map(str::to_owned);
    let all_containers = flags.on("all-containers");
    let args = run.args().to_vec();
    match (args.len(), selector.is_empty()) {
        (0, true) => {
            return run.usage(
                "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command",
            );
        }
        (1, true) | (0, false) => {}
        (2, true) => {
            if container.is_some() {
                return run.usage("only one of -c or an inline [CONTAINER] arg is allowed");
            }
            container = Some(args[1].clone());
        }
        (_, false) => return run.usage("only a selector (-l) or a POD name is allowed"),
        (_, true) => {
            return run.usage(
                "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command",
            );
        }
    }
    let mut tail = flags.int("tail").unwrap_or(-1);
    if flags.given("since") && flags.given("since-time") {
        return fail("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    if tail < -1 {
        return fail("--tail must be greater than or equal to -1");
    }
    if flags.int("limit-bytes").is_some_and(|limit| limit < 0) {
        return fail("--limit-bytes must be greater than 0");
    }
    if all_containers && container.is_some() {
        return fail("--all-containers=true should not be specified with container name");
    }
    if !selector.is_empty() && !flags.given("tail") {
        tail = 10;
    }
    let since = match (flags.duration("since"), flags.text("since-time")) {
        (Some(span), _) if span < 0 => return fail("--since must be greater than 0"),
        (Some(0), _) | (None, None) => None,
        (Some(span), _) => {
            Some(SimTime::from_nanos(run.ctx.now.as_nanos().saturating_sub(span.unsigned_abs())))
        }
        (None, Some(time)) => Some(match time.parse() {
            Ok(time) => run.ctx.epoch.instant(time),
            Err(_) => {
                return fail(format!(
                    "parsing time {0} as \"2006-01-02T15:04:05Z07:00\": cannot parse {0} as \"2006\"",
                    super::print::go_quote(time)
                ));
            }
        }),
    };
    let pods = pods(run, args.first().map(String::as_str), &selector)?;
    if pods.is_empty() {
        let namespace = run.namespace();
        run.warn(&format!("No resources found in {namespace} namespace."));
        return Ok(Next::Done);
    }
    let mut streams = Vec::new();
    for pod in &pods {
        let names = if all_containers {
            containers(pod).into_iter().map(|(name, _)| name).collect()
        } else {
            vec![choose(run, pod, container.as_deref())?]
        };
        for name in names {
            let pod_name = pod.metadata.name.clone().unwrap_or_default();
            let prefix = if flags.on("prefix") { format!("[pod/{pod_name}/{name}] ") } else { String::new() };
            streams.push(Stream {
                namespace: pod.metadata.namespace.clone().unwrap_or_default(),
                pod: pod_name,
                container: name,
                previous: flags.on("previous"),
                prefix,
                next: 0,
                ended: false,
            });
        }
    }
    let follow = flags.on("follow");
    let most = flags.int("max-log-requests").unwrap_or(5).max(1).unsigned_abs() as usize;
    if follow && streams.len() > 1 && streams.len() > most {
        return fail(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {most}, use --max-log-requests to increase the limit",
            streams.len()
        ));
    }
    let shape = Shape {
        timestamps: flags.on("timestamps"),
        tail: usize::try_from(tail).ok(),
        since,
        limit: flags
            .int("limit-bytes")
            .filter(|limit| *limit > 0)
            .and_then(|limit| usize::try_from(limit).ok()),
        epoch: run.ctx.epoch,
    };
    let ignore_errors = flags.on("ignore-errors");
    for stream in &mut streams {
        if let Err(error) = read(run.ctx, stream, &shape, run.out) {
            if !ignore_errors {
                return Err(error);
            }
            stream.ended = true;
            run.err.push_str(&format!("error: {}\n", error.text()));
        }
    }
    if !follow || streams.iter().all(|stream| stream.ended) {
        return Ok(Next::Done);
    }
    Ok(Next::Wait(Waiting::Follow(Box::new(Follow { streams, shape, ignore_errors }))))
}

/// The pods that are meant.
fn pods(run: &Run<'_, '_>, target: Option<&str>, selector: &str) -> Result<Vec<Pod>> {
    let namespace = run.namespace();
    let Some(target) = target else {
        let options = ListOptions { label_selector: selector.to_owned(), ..ListOptions::default() };
        let list = run.ctx.api.list(Kind::Pod, &namespace, &options)?;
        let pod = |object: &Object| match object {
            Object::Pod(pod) => Some((**pod).clone()),
            _ => None,
        };
        return Ok(list.items.iter().filter_map(pod).collect());
    };
    let (kind, name) = match target.split_once('/') {
        Some((kind, name)) => (kind_of(kind)?, name),
        None => (Kind::Pod, target),
    };
    match run.ctx.api.get(kind, &namespace, name) {
        Ok(Object::Pod(pod)) => Ok(vec![(*pod).clone()]),
        Ok(_) => {
            fail(format!("cannot get the logs from *v1.{kind}: selector for *v1.{kind} not implemented"))
        }
        Err(status) if status.reason == Reason::NotFound => fail(format!(
            "error from server (NotFound): {} in namespace {}",
            status.message,
            super::print::go_quote(&namespace)
        )),
        Err(status) => Err(status.into()),
    }
}

/// A pod's containers, and how lists of them show each: `setup (init)`.
fn containers(pod: &Pod) -> Vec<(String, String)> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let plain = spec.containers.iter().map(|container| (container.name.clone(), container.name.clone()));
    let init = spec
        .init_containers
        .iter()
        .flatten()
        .map(|container| (container.name.clone(), format!("{} (init)", container.name)));
    let ephemeral = spec
        .ephemeral_containers
        .iter()
        .flatten()
        .map(|container| (container.name.clone(), format!("{} (ephem)", container.name)));
    plain.chain(init).chain(ephemeral).collect()
}

fn choose(run: &mut Run<'_, '_>, pod: &Pod, wanted: Option<&str>) -> Result<String> {
    let all = containers(pod);
    let shown: Vec<&str> = all.iter().map(|(_, shown)| shown.as_str()).collect();
    let shown = shown.join(", ");
    let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
    if let Some(wanted) = wanted {
        if all.iter().any(|(name, _)| name == wanted) {
            return Ok(wanted.to_owned());
        }
        return fail(format!("container {wanted} is not valid for pod {pod_name} out of: {shown}"));
    }
    let annotated = pod
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get("kubectl.kubernetes.io/default-container"));
    if let Some(name) = annotated.filter(|name| !name.is_empty()) {
        if all.iter().any(|(known, _)| known == name) {
            return Ok(name.clone());
        }
        run.warn(&format!(
            "Default container name {} not found in pod {pod_name}",
            super::print::go_quote(name)
        ));
    }
    let Some((first, _)) = all.first() else {
        return fail(format!("no container found in pod {pod_name}"));
    };
    if all.len() > 1 {
        run.warn(&format!("Defaulted container {} out of: {shown}", super::print::go_quote(first)));
    }
    Ok(first.clone())
}

/// Reads what a container has written since, and shows it.
fn read(ctx: &Context<'_>, stream: &mut Stream, shape: &Shape, out: &mut String) -> Result<()> {
    let pod = ctx
        .api
        .read::<Pod>(&stream.namespace, &stream.pod)
        .ok_or_else(|| Error::Api(Status::not_found("pods", &stream.pod)))?;
    // A pod that is on no node has no log, which is no error.
    let scheduled =
        pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).is_some_and(|n| !n.is_empty());
    if !scheduled {
        stream.ended = true;
        return Ok(());
    }
    let slice =
        ctx.logs.read(&stream.namespace, &stream.pod, &stream.container, stream.previous, stream.next)?;
    stream.next = slice.first + slice.entries.len();
    stream.ended = slice.ended;
    let mut lines: VecDeque<LogEntry<'_>> = slice.entries.into();
    if let Some(tail) = shape.tail {
        while lines.len() > tail {
            lines.pop_front();
        }
    }
    let mut left = shape.limit;
    for line in lines.into_iter().filter(|line| shape.since.is_none_or(|since| line.at >= since)) {
        let mut text = String::new();
        if shape.timestamps {
            let time = shape.epoch.timestamp(line.at);
            text.push_str(&format!("{time:.9} "));
        }
        text.push_str(line.text);
        if let Some(left) = &mut left {
            let mut cut = text.len().min(*left);
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            text.truncate(cut);
            *left -= cut;
        }
        if !text.is_empty() {
            out.push_str(&stream.prefix);
            out.push_str(&text);
        }
    }
    Ok(())
}
