//! Commands that make new objects.

use super::absent::{
    CREATE_CLUSTER_ROLE, CREATE_CLUSTER_ROLE_BINDING, CREATE_CRON_JOB, CREATE_DEPLOYMENT, CREATE_INGRESS,
    CREATE_JOB, CREATE_PDB, CREATE_QUOTA, CREATE_ROLE, CREATE_ROLE_BINDING, CREATE_SECRET, CREATE_SERVICE,
    CREATE_TOKEN,
};
use super::{CHANGE, FILES, OUTPUT, SAVE, VALIDATE, leaf};
use crate::kube::kubectl::command::Command;
use crate::kube::kubectl::create;
use crate::kube::kubectl::flags::{Flag, Takes, flag, short};

pub(super) static CREATE_NAMESPACE: Command = Command {
    aliases: &["ns"],
    ..leaf(
        "namespace",
        "Create a namespace with the specified name",
        "NAME [--dry-run=server|client|none]",
        &[CHANGE, VALIDATE, SAVE, OUTPUT],
        create::namespace,
    )
};

pub(super) static CREATE_CONFIG_MAP: Command = Command {
    aliases: &["cm"],
    ..leaf(
        "configmap",
        "Create a config map from a local file, directory or literal value",
        "NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
        &[
            &[
                flag("from-literal", Takes::Array, "[]", "An entry: key=value."),
                flag(
                    "from-file",
                    Takes::Texts,
                    "[]",
                    "A file as an entry, or all files of a directory: [key=]path.",
                ),
                flag("from-env-file", Takes::Texts, "[]", "A file of key=value lines."),
            ],
            CHANGE,
            VALIDATE,
            SAVE,
            OUTPUT,
        ],
        create::config_map,
    )
};

pub(super) static CREATE_SERVICE_ACCOUNT: Command = Command {
    aliases: &["sa"],
    ..leaf(
        "serviceaccount",
        "Create a service account with the specified name",
        "NAME [--dry-run=server|client|none]",
        &[CHANGE, VALIDATE, SAVE, OUTPUT],
        create::service_account,
    )
};

pub(super) static CREATE_PRIORITY_CLASS: Command = Command {
    aliases: &["pc"],
    ..leaf(
        "priorityclass",
        "Create a priority class with the specified name",
        "NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]",
        &[
            &[
                flag("value", Takes::Int, "0", "The priority; larger goes first."),
                flag("global-default", Takes::Bool, "false", "For pods that name no class."),
                flag("description", Takes::Text, "", "What the class is for."),
                flag(
                    "preemption-policy",
                    Takes::Text,
                    "PreemptLowerPriority",
                    "PreemptLowerPriority or Never.",
                ),
            ],
            CHANGE,
            VALIDATE,
            SAVE,
            OUTPUT,
        ],
        create::priority_class,
    )
};

pub(super) static CREATE: Command = Command {
    name: "create",
    aliases: &[],
    short: "Create a resource from a file or from stdin",
    long: "Creates objects from manifests, or simple ones from a few words. An object that is there already is an error: see apply.",
    examples: &[
        ("From a manifest", "kubectl create -f pod.yaml"),
        ("A namespace", "kubectl create namespace team-a"),
    ],
    usage: "-f FILENAME",
    flags: &[
        FILES,
        CHANGE,
        VALIDATE,
        SAVE,
        OUTPUT,
        &[
            short('l', "selector", Takes::Text, "", "Only manifests whose labels match."),
            flag("edit", Takes::Bool, "false", "Edit first (not modelled)."),
        ],
    ],
    subcommands: &[
        &CREATE_CLUSTER_ROLE,
        &CREATE_CLUSTER_ROLE_BINDING,
        &CREATE_CONFIG_MAP,
        &CREATE_CRON_JOB,
        &CREATE_DEPLOYMENT,
        &CREATE_INGRESS,
        &CREATE_JOB,
        &CREATE_NAMESPACE,
        &CREATE_PDB,
        &CREATE_PRIORITY_CLASS,
        &CREATE_QUOTA,
        &CREATE_ROLE,
        &CREATE_ROLE_BINDING,
        &CREATE_SECRET,
        &CREATE_SERVICE,
        &CREATE_SERVICE_ACCOUNT,
        &CREATE_TOKEN,
    ],
    absent: false,
    run: Some(create::run),
};

static RUN_FLAGS: &[Flag] = &[
    flag("image", Takes::Text, "", "The container image."),
    flag("restart", Takes::Text, "Always", "Always, OnFailure or Never."),
    flag("env", Takes::Array, "[]", "A variable: NAME=value."),
    short('l', "labels", Takes::Text, "", "Labels: a=b,c=d."),
    flag("annotations", Takes::Array, "[]", "An annotation: key=value."),
    flag("port", Takes::Int, "0", "The port that the container listens on."),
    flag("command", Takes::Bool, "false", "The words are the command, not its arguments."),
    flag("overrides", Takes::Text, "", "JSON that is merged into the pod."),
    flag("image-pull-policy", Takes::Text, "", "Always, IfNotPresent or Never."),
    flag("expose", Takes::Bool, "false", "Make a service too (not modelled)."),
    short('i', "stdin", Takes::Bool, "false", "Keep standard input open (not modelled)."),
    short('t', "tty", Takes::Bool, "false", "Give it a terminal (not modelled)."),
    flag("attach", Takes::Bool, "false", "Attach to it (not modelled)."),
    flag("rm", Takes::Bool, "false", "Delete it afterwards (not modelled)."),
    short('q', "quiet", Takes::Bool, "false", "Say less."),
];

pub(super) static RUN: Command = Command {
    examples: &[
        ("A pod that serves", "kubectl run web --image=nginx:1.27"),
        ("A pod that runs once", "kubectl run hello --image=busybox:1.36 --restart=Never -- echo hello"),
    ],
    ..leaf(
        "run",
        "Run a particular image on the cluster",
        "NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]",
        &[RUN_FLAGS, CHANGE, VALIDATE, SAVE, OUTPUT],
        create::run_pod,
    )
};
