//! Commands that only look.

use super::{ALL, ALL_NAMESPACES, FILES, NONE, OUTPUT, SELECT, leaf};
use crate::kube::kubectl::command::Command;
use crate::kube::kubectl::flags::{Flag, Takes, flag, short};
use crate::kube::kubectl::{describe, explain, get, info, logs, wait};

static GET_FLAGS: &[Flag] = &[
    short('w', "watch", Takes::Bool, "false", "After the list, print every change."),
    flag("watch-only", Takes::Bool, "false", "Print changes only, without the list first."),
    flag("output-watch-events", Takes::Bool, "false", "With a watch: say what happened to each object."),
    flag("no-headers", Takes::Bool, "false", "Leave the line of headers out."),
    flag("show-labels", Takes::Bool, "false", "Add a column with all labels."),
    short('L', "label-columns", Takes::Texts, "[]", "Add a column for each of these labels."),
    flag("show-kind", Takes::Bool, "false", "Put the kind before each name."),
    flag("sort-by", Takes::Text, "", "Order by this field, a JSONPath such as .metadata.name."),
    flag("ignore-not-found", Takes::Bool, "false", "An object that is not there is no error."),
    flag("chunk-size", Takes::Int, "500", "How many objects are fetched at a time."),
    flag("subresource", Takes::Text, "", "Show this part of the object: status."),
    flag("server-print", Takes::Bool, "true", "Let the server make the table."),
    flag("raw", Takes::Text, "", "A path of the API to fetch as it is (not modelled)."),
    flag("allow-missing-template-keys", Takes::Bool, "true", "Fields that a template misses are no error."),
];

pub(super) static GET: Command = Command {
    name: "get",
    aliases: &[],
    short: "Display one or many resources",
    long: "Shows objects: as a table, as data (-o yaml, -o json), or one field of them (-o jsonpath=...).\n\nWith --watch it goes on and prints every change until it is interrupted.",
    examples: &[
        ("All pods of the current namespace, with their nodes", "kubectl get pods -o wide"),
        ("One pod as the API server stores it", "kubectl get pod trainer -o yaml"),
        (
            "How many GPUs each node can give",
            "kubectl get nodes -o custom-columns='NAME:.metadata.name,GPUS:.status.allocatable.nvidia\\.com/gpu'",
        ),
        ("Follow a pod's life", "kubectl get pod trainer --watch"),
    ],
    usage: "[(-o|--output=)json|yaml|name|jsonpath|custom-columns|wide] (TYPE [NAME | -l label] | TYPE/NAME ...) [flags]",
    flags: &[GET_FLAGS, OUTPUT, FILES, SELECT, ALL_NAMESPACES],
    subcommands: &[],
    absent: false,
    run: Some(get::run),
};

pub(super) static DESCRIBE: Command = Command {
    name: "describe",
    aliases: &[],
    short: "Show details of a specific resource or group of resources",
    long: "Tells about objects at length: what they are, what state they are in, and the events about them.\n\nThe first place to look when a pod is Pending or does not start.",
    examples: &[
        ("Why does my pod not start? Look at Conditions and Events", "kubectl describe pod trainer"),
        ("What is allocated on a node", "kubectl describe node gpu-1"),
    ],
    usage: "(-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
    flags: &[
        &[
            flag("show-events", Takes::Bool, "true", "Show the events about the object."),
            flag("chunk-size", Takes::Int, "500", "How many objects are fetched at a time."),
        ],
        FILES,
        SELECT,
        ALL_NAMESPACES,
    ],
    subcommands: &[],
    absent: false,
    run: Some(describe::run),
};

pub(super) static LOGS: Command = Command {
    name: "logs",
    aliases: &["log"],
    short: "Print the logs for a container in a pod",
    long: "Prints what a container wrote to its standard output and standard error.",
    examples: &[
        ("What the pod has written", "kubectl logs trainer"),
        ("Go on as it writes", "kubectl logs -f trainer"),
        ("What the instance before the crash wrote", "kubectl logs --previous trainer"),
    ],
    usage: "[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
    flags: &[
        &[
            short('f', "follow", Takes::Bool, "false", "Go on until the container ends."),
            short('p', "previous", Takes::Bool, "false", "The instance before the last restart."),
            short('c', "container", Takes::Text, "", "Which container of the pod."),
            flag("all-containers", Takes::Bool, "false", "Every container of the pod."),
            flag("all-pods", Takes::Bool, "false", "Every pod of a workload."),
            flag("tail", Takes::Int, "-1", "Only the last lines; -1 for all (10 with a selector)."),
            flag("since", Takes::Duration, "0s", "Only what is newer than this, such as 5s or 2m."),
            flag("since-time", Takes::Text, "", "Only what is newer than this time (RFC 3339)."),
            flag("timestamps", Takes::Bool, "false", "Put the time before each line."),
            flag("prefix", Takes::Bool, "false", "Put pod and container before each line."),
            flag("limit-bytes", Takes::Int, "0", "At most so many bytes."),
            flag("max-log-requests", Takes::Int, "5", "At most so many containers are followed at once."),
            flag("ignore-errors", Takes::Bool, "false", "Go on with the other containers after an error."),
            flag("pod-running-timeout", Takes::Duration, "20s", "How long to wait for a pod."),
        ],
        SELECT,
    ],
    subcommands: &[],
    absent: false,
    run: Some(logs::run),
};

pub(super) static EXPLAIN: Command = Command {
    name: "explain",
    aliases: &[],
    short: "Get documentation for a resource",
    long: "Tells what a kind of object and its fields are. A field is named by its path.",
    examples: &[
        ("A kind", "kubectl explain pod"),
        ("One of its fields", "kubectl explain pod.spec.containers.resources"),
        ("All fields", "kubectl explain pod --recursive"),
    ],
    usage: "TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]",
    flags: &[&[
        flag("recursive", Takes::Bool, "false", "The names of all fields at any depth."),
        flag("api-version", Takes::Text, "", "The version of the API to explain."),
        short('o', "output", Takes::Text, "plaintext", "plaintext"),
    ]],
    subcommands: &[],
    absent: false,
    run: Some(explain::run),
};

pub(super) static EVENTS: Command = leaf(
    "events",
    "List events",
    "[(-o|--output=)json|yaml|name|jsonpath] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]",
    &[
        &[
            flag("for", Takes::Text, "", "Only events about this object: TYPE/NAME."),
            flag("types", Takes::Texts, "[]", "Only events of these types: Normal, Warning."),
            flag("no-headers", Takes::Bool, "false", "Leave the line of headers out."),
            short('w', "watch", Takes::Bool, "false", "Go on with new events (not modelled)."),
            flag("chunk-size", Takes::Int, "500", "How many objects are fetched at a time."),
        ],
        OUTPUT,
        ALL_NAMESPACES,
    ],
    info::events,
);

pub(super) static WAIT: Command = leaf(
    "wait",
    "Wait for a specific condition on one or many resources",
    "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
    &[
        &[
            flag(
                "for",
                Takes::Array,
                "[]",
                "What to wait for: condition=Ready, delete, create, jsonpath={...}=value.",
            ),
            flag("timeout", Takes::Duration, "30s", "How long to wait for each; 0 to look once."),
        ],
        FILES,
        SELECT,
        ALL,
        ALL_NAMESPACES,
        OUTPUT,
    ],
    wait::run,
);

pub(super) static VERSION: Command = leaf(
    "version",
    "Print the client and server version information",
    "",
    &[&[
        flag("client", Takes::Bool, "false", "Only the client's version."),
        short('o', "output", Takes::Text, "", "json or yaml"),
    ]],
    info::version,
);

pub(super) static API_RESOURCES: Command = leaf(
    "api-resources",
    "Print the supported API resources on the server",
    "",
    &[&[
        flag("api-group", Takes::Text, "", "Only this group."),
        flag("namespaced", Takes::Bool, "true", "Only those that live in namespaces, or do not."),
        flag("no-headers", Takes::Bool, "false", "Leave the line of headers out."),
        flag("sort-by", Takes::Text, "", "name or kind"),
        short('o', "output", Takes::Text, "", "wide or name"),
    ]],
    info::api_resources,
);

pub(super) static API_VERSIONS: Command = leaf(
    "api-versions",
    "Print the supported API versions on the server, in the form of \"group/version\"",
    "",
    &[NONE],
    info::api_versions,
);

pub(super) static OPTIONS: Command =
    leaf("options", "Print the list of flags inherited by all commands", "", &[NONE], info::options);
