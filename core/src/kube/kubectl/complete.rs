//! Completion: what the word at the cursor may become.

use super::command::Command;
use super::commands::{GLOBAL, ROOT};
use super::flags::Takes;
use crate::kube::api::{ApiServer, Kind, ListOptions};

/// What the last of `words` may be completed to, in order. `words` are those after `kubectl`;
/// the last one is being typed and may be empty. `namespace` is the current one.
///
/// ```
/// use clusterlab::kube::api::ApiServer;
/// use clusterlab::kube::kubectl::complete;
/// use clusterlab::sim::{Epoch, Seed};
///
/// let api = ApiServer::new(Epoch::default(), Seed::default());
/// let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
/// assert_eq!(complete(&words("des"), &api, "default"), ["describe"]);
/// assert_eq!(complete(&words("get no"), &api, "default"), ["nodes"]);
/// assert_eq!(complete(&words("get ns kube-s"), &api, "default"), ["kube-system"]);
/// ```
pub fn complete(words: &[String], api: &ApiServer, namespace: &str) -> Vec<String> {
    let Some((typed, before)) = words.split_last() else { return Vec::new() };
    let mut command: &Command = &ROOT;
    let mut args: Vec<&str> = Vec::new();
    let mut scope = namespace.to_owned();
    let mut pending: Option<&str> = None;
    for word in before {
        if let Some(flag) = pending.take() {
            if flag == "namespace" {
                scope.clone_from(word);
            }
        } else if let Some(name) = flag_name(word, command) {
            match word.split_once('=') {
                Some((_, value)) if name == "namespace" => value.clone_into(&mut scope),
                Some(_) => {}
                None => pending = takes_value(name, command).then_some(name),
            }
        } else if let Some(sub) = command
            .subcommands
            .iter()
            .find(|sub| args.is_empty() && (sub.name == word || sub.aliases.contains(&word.as_str())))
        {
            command = sub;
        } else {
            args.push(word);
        }
    }
    let names = |kind: Kind| -> Vec<String> {
        let list = api.list(kind, &scope, &ListOptions::default());
        list.map(|list| list.items.iter().map(|object| object.name().to_owned()).collect())
            .unwrap_or_default()
    };
    let matching = |mut all: Vec<String>| {
        all.retain(|word| word.starts_with(typed.as_str()));
        all.sort();
        all.dedup();
        all
    };
    let plurals = || Kind::ALL.iter().map(|kind| kind.info().qualified_plural()).collect::<Vec<_>>();
    if let Some(flag) = pending {
        return matching(match flag {
            "namespace" => names(Kind::Namespace),
            "output" => super::output::GET_FORMATS.split(',').map(str::to_owned).collect(),
            "dry-run" => ["client", "none", "server"].map(str::to_owned).to_vec(),
            "for" if command.name == "events" => plurals(),
            _ => Vec::new(),
        });
    }
    if typed.starts_with('-') {
        let flags = command.flags.iter().copied().flatten().chain(GLOBAL);
        return matching(flags.map(|flag| format!("--{}", flag.name)).collect());
    }
    if !command.subcommands.is_empty() && args.is_empty() {
        return matching(command.subcommands.iter().map(|sub| sub.name.to_owned()).collect());
    }
    if let Some((kind, _)) = typed.split_once('/')
        && let Some(known) = Kind::from_user_input(kind)
    {
        return matching(names(known).into_iter().map(|name| format!("{kind}/{name}")).collect());
    }
    match (command.name, args.as_slice()) {
        ("logs", []) => matching(names(Kind::Pod)),
        ("logs", [pod]) => matching(containers(api, &scope, pod)),
        ("cordon" | "uncordon", _) => matching(names(Kind::Node)),
        (
            "get" | "describe" | "delete" | "label" | "annotate" | "patch" | "wait" | "explain" | "taint",
            [],
        ) => matching(plurals()),
        ("get" | "describe" | "delete" | "label" | "annotate" | "patch" | "wait" | "taint", [kind, ..]) => {
            matching(Kind::from_user_input(kind).map(names).unwrap_or_default())
        }
        _ => Vec::new(),
    }
}

fn flag_name<'a>(word: &str, command: &'a Command) -> Option<&'a str> {
    let mut flags = command.flags.iter().copied().flatten().chain(GLOBAL);
    if let Some(long) = word.strip_prefix("--") {
        let name = long.split('=').next().unwrap_or(long);
        return Some(flags.find(|flag| flag.name == name).map_or("", |flag| flag.name));
    }
    let short = word.strip_prefix('-')?.chars().last()?;
    Some(flags.find(|flag| flag.short == Some(short)).map_or("", |flag| flag.name))
}

fn takes_value(name: &str, command: &Command) -> bool {
    let mut flags = command.flags.iter().copied().flatten().chain(GLOBAL);
    flags.any(|flag| flag.name == name && !matches!(flag.takes, Takes::Bool | Takes::TextOr(_)))
}

fn containers(api: &ApiServer, namespace: &str, pod: &str) -> Vec<String> {
    let pod = api.read::<k8s_openapi::api::core::v1::Pod>(namespace, pod);
    let spec = pod.and_then(|pod| pod.spec.as_ref());
    spec.map(|spec| {
        let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        all.map(|container| container.name.clone()).collect()
    })
    .unwrap_or_default()
}
