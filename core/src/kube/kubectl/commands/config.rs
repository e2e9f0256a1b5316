//! `kubectl config` and its subcommands.

use super::{NONE, OUTPUT, leaf};
use crate::kube::kubectl::command::Command;
use crate::kube::kubectl::config_commands;
use crate::kube::kubectl::flags::{Takes, flag, short};

pub(super) static CONFIG: Command = Command {
    name: "config",
    aliases: &[],
    short: "Modify kubeconfig files",
    long: "Shows and changes which cluster, as whom and in which namespace kubectl acts.",
    examples: &[],
    usage: "SUBCOMMAND",
    flags: &[NONE],
    subcommands: &[
        &CURRENT_CONTEXT,
        &DELETE_CONTEXT,
        &GET_CLUSTERS,
        &GET_CONTEXTS,
        &GET_USERS,
        &RENAME_CONTEXT,
        &SET,
        &SET_CLUSTER,
        &SET_CONTEXT,
        &SET_CREDENTIALS,
        &UNSET,
        &USE_CONTEXT,
        &VIEW,
    ],
    absent: false,
    run: None,
};

pub(super) static VIEW: Command = leaf(
    "view",
    "Display merged kubeconfig settings or a specified kubeconfig file",
    "",
    &[
        &[
            flag("minify", Takes::Bool, "false", "Only what the current context needs."),
            flag("raw", Takes::Bool, "false", "With credentials (not modelled)."),
            flag("flatten", Takes::Bool, "false", "Without files beside it."),
        ],
        OUTPUT,
    ],
    config_commands::view,
);

pub(super) static CURRENT_CONTEXT: Command =
    leaf("current-context", "Display the current-context", "", &[NONE], config_commands::current_context);

pub(super) static GET_CONTEXTS: Command = leaf(
    "get-contexts",
    "Describe one or many contexts",
    "[(-o|--output=)name)]",
    &[&[
        flag("no-headers", Takes::Bool, "false", "Leave the line of headers out."),
        short('o', "output", Takes::Text, "", "name"),
    ]],
    config_commands::get_contexts,
);

pub(super) static GET_CLUSTERS: Command = leaf(
    "get-clusters",
    "Display clusters defined in the kubeconfig",
    "",
    &[NONE],
    config_commands::get_clusters,
);

pub(super) static GET_USERS: Command =
    leaf("get-users", "Display users defined in the kubeconfig", "", &[NONE], config_commands::get_users);

pub(super) static SET_CONTEXT: Command = leaf(
    "set-context",
    "Set a context entry in kubeconfig",
    "[NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]",
    &[&[flag("current", Takes::Bool, "false", "The current context.")]],
    config_commands::set_context,
);

pub(super) static USE_CONTEXT: Command = Command {
    aliases: &["use"],
    ..leaf(
        "use-context",
        "Set the current-context in a kubeconfig file",
        "CONTEXT_NAME",
        &[NONE],
        config_commands::use_context,
    )
};

pub(super) static RENAME_CONTEXT: Command = leaf(
    "rename-context",
    "Rename a context from the kubeconfig file",
    "CONTEXT_NAME NEW_NAME",
    &[NONE],
    config_commands::rename_context,
);

pub(super) static DELETE_CONTEXT: Command = leaf(
    "delete-context",
    "Delete the specified context from the kubeconfig",
    "NAME",
    &[NONE],
    config_commands::delete_context,
);

pub(super) static SET: Command = leaf(
    "set",
    "Set an individual value in a kubeconfig file",
    "PROPERTY_NAME PROPERTY_VALUE",
    &[NONE],
    config_commands::set,
);

pub(super) static UNSET: Command = leaf(
    "unset",
    "Unset an individual value in a kubeconfig file",
    "PROPERTY_NAME",
    &[NONE],
    config_commands::unset,
);

pub(super) static SET_CLUSTER: Command = leaf(
    "set-cluster",
    "Set a cluster entry in kubeconfig",
    "NAME [--server=server]",
    &[NONE],
    config_commands::set_cluster,
);

pub(super) static SET_CREDENTIALS: Command = leaf(
    "set-credentials",
    "Set a user entry in kubeconfig",
    "NAME [--token=bearer_token]",
    &[NONE],
    config_commands::set_credentials,
);
