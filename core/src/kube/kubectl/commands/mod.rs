//! The table of commands: names, flags, examples. Sentences are this project's own.

mod absent;
mod change;
mod config;
mod create;
mod look;

use super::command::Command;
use super::flags::{Flag, Takes, flag, short};
use absent::{
    ATTACH, AUTH, AUTOSCALE, CERTIFICATE, CLUSTER_INFO, COMPLETION, CP, DEBUG, DIFF, DRAIN, EDIT, EXEC,
    EXPOSE, KUSTOMIZE, PLUGIN, PORT_FORWARD, PROXY, ROLLOUT, SCALE, SET_RESOURCE, TOP,
};
use change::{ANNOTATE, APPLY, CORDON, DELETE, LABEL, PATCH, REPLACE, TAINT, UNCORDON};
use config::CONFIG;
use create::{CREATE, RUN};
use look::{API_RESOURCES, API_VERSIONS, DESCRIBE, EVENTS, EXPLAIN, GET, LOGS, OPTIONS, VERSION, WAIT};

/// Flags that every command takes.
pub(super) static GLOBAL: &[Flag] = &[
    short('n', "namespace", Takes::Text, "", "The namespace to act in, instead of the current context's."),
    flag("context", Takes::Text, "", "The kubeconfig context to use."),
    flag("cluster", Takes::Text, "", "The kubeconfig cluster to use."),
    flag("user", Takes::Text, "", "The kubeconfig user to use."),
    flag("kubeconfig", Takes::Text, "", "The kubeconfig file to read."),
    flag("request-timeout", Takes::Text, "0", "How long one request may take; 0 means without end."),
    short('s', "server", Takes::Text, "", "Address of the API server."),
    flag("as", Takes::Text, "", "Act in the name of this user (not modelled)."),
    flag("as-group", Takes::Array, "[]", "Act in the name of these groups (not modelled)."),
    flag("token", Takes::Text, "", "Bearer token (not modelled)."),
    short('v', "v", Takes::Int, "0", "How much to log."),
    short('h', "help", Takes::Bool, "false", "Show help for this command."),
];

static NONE: &[Flag] = &[];

static OUTPUT: &[Flag] = &[
    short('o', "output", Takes::Text, "", "Form of the output: json, yaml, name, jsonpath=..., ..."),
    flag("template", Takes::Text, "", "Template for -o jsonpath, if it is not given with -o."),
    flag("show-managed-fields", Takes::Bool, "false", "Keep metadata.managedFields in JSON and YAML."),
];

static FILES: &[Flag] = &[
    short('f', "filename", Takes::Texts, "[]", "File or directory with manifests, or - for standard input."),
    short('R', "recursive", Takes::Bool, "false", "Descend into directories given with -f."),
    short('k', "kustomize", Takes::Text, "", "A kustomization directory (not modelled)."),
];

static SELECT: &[Flag] = &[
    short('l', "selector", Takes::Text, "", "Only objects whose labels match, such as app=web,tier!=db."),
    flag("field-selector", Takes::Text, "", "Only objects whose fields match, such as status.phase=Running."),
];

static ALL_NAMESPACES: &[Flag] = &[short('A', "all-namespaces", Takes::Bool, "false", "In every namespace.")];

static ALL: &[Flag] =
    &[flag("all", Takes::Bool, "false", "All objects of the given kinds in the namespace.")];

static CHANGE: &[Flag] = &[
    flag(
        "dry-run",
        Takes::TextOr("unchanged"),
        "none",
        "none, client (only print) or server (ask, but keep nothing).",
    ),
    flag("field-manager", Takes::Text, "kubectl", "Who is noted as the owner of the fields."),
];

static VALIDATE: &[Flag] = &[flag(
    "validate",
    Takes::TextOr("strict"),
    "strict",
    "What to do with unknown fields: strict (refuse), warn or ignore.",
)];

static SAVE: &[Flag] =
    &[flag("save-config", Takes::Bool, "false", "Keep the manifest in an annotation, for a later apply.")];

const fn leaf(
    name: &'static str,
    short: &'static str,
    usage: &'static str,
    flags: &'static [&'static [Flag]],
    run: fn(&mut super::command::Run<'_, '_>) -> super::error::Result<super::command::Next>,
) -> Command {
    Command {
        name,
        aliases: &[],
        short,
        long: "",
        examples: &[],
        usage,
        flags,
        subcommands: &[],
        absent: false,
        run: Some(run),
    }
}

/// kubectl itself.
pub(super) static ROOT: Command = Command {
    name: "kubectl",
    aliases: &[],
    short: "kubectl controls the Kubernetes cluster manager",
    long: "kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/",
    examples: &[],
    usage: "",
    flags: &[NONE],
    subcommands: &[
        &CREATE,
        &EXPOSE,
        &RUN,
        &SET_RESOURCE,
        &EXPLAIN,
        &GET,
        &EDIT,
        &DELETE,
        &ROLLOUT,
        &SCALE,
        &AUTOSCALE,
        &CERTIFICATE,
        &CLUSTER_INFO,
        &TOP,
        &CORDON,
        &UNCORDON,
        &DRAIN,
        &TAINT,
        &DESCRIBE,
        &LOGS,
        &ATTACH,
        &EXEC,
        &PORT_FORWARD,
        &PROXY,
        &CP,
        &AUTH,
        &DEBUG,
        &EVENTS,
        &DIFF,
        &APPLY,
        &PATCH,
        &REPLACE,
        &WAIT,
        &KUSTOMIZE,
        &LABEL,
        &ANNOTATE,
        &COMPLETION,
        &API_RESOURCES,
        &API_VERSIONS,
        &CONFIG,
        &PLUGIN,
        &VERSION,
        &OPTIONS,
    ],
    absent: false,
    run: None,
};

/// The groups of `kubectl --help`.
pub(super) static GROUPS: &[(&str, &[&str])] = &[
    ("Basic Commands (Beginner)", &["create", "expose", "run", "set"]),
    ("Basic Commands (Intermediate)", &["explain", "get", "edit", "delete"]),
    ("Deploy Commands", &["rollout", "scale", "autoscale"]),
    (
        "Cluster Management Commands",
        &["certificate", "cluster-info", "top", "cordon", "uncordon", "drain", "taint"],
    ),
    (
        "Troubleshooting and Debugging Commands",
        &["describe", "logs", "attach", "exec", "port-forward", "proxy", "cp", "auth", "debug", "events"],
    ),
    ("Advanced Commands", &["diff", "apply", "patch", "replace", "wait", "kustomize"]),
    ("Settings Commands", &["label", "annotate", "completion"]),
    ("Other Commands", &["api-resources", "api-versions", "config", "plugin", "version"]),
];
