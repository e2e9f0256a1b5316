//! The table of commands: names, flags, examples. Sentences are this project's own.

use super::command::Command;
use super::flags::{Flag, Takes, flag, short};
use super::{apply, change, config_commands, create, delete, describe, explain, get, info, logs, wait};

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

static GET: Command = Command {
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

static DESCRIBE: Command = Command {
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

static LOGS: Command = Command {
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

static APPLY: Command = Command {
    name: "apply",
    aliases: &[],
    short: "Apply a configuration to a resource by file name or stdin",
    long: "Makes the cluster's objects what the manifests say: creates those that are not there and changes the others.\n\nWhat was applied last is kept in an annotation, so that a field that is taken out of a manifest is taken out of the object, and what others have set stays.",
    examples: &[
        ("Apply a manifest", "kubectl apply -f pod.yaml"),
        ("All manifests of a directory", "kubectl apply -f manifests/"),
        ("What would happen", "kubectl apply -f pod.yaml --dry-run=server"),
    ],
    usage: "(-f FILENAME | -k DIRECTORY)",
    flags: &[
        &[
            flag("server-side", Takes::Bool, "false", "Let the server merge (not modelled)."),
            flag(
                "force-conflicts",
                Takes::Bool,
                "false",
                "With --server-side: take fields over (not modelled).",
            ),
            flag("prune", Takes::Bool, "false", "Delete what is no longer in the manifests (not modelled)."),
            flag("all", Takes::Bool, "false", "With --prune: everything (not modelled)."),
            flag("overwrite", Takes::Bool, "true", "Changes of others to applied fields are overwritten."),
            flag("force", Takes::Bool, "false", "Delete and create what cannot be patched (not modelled)."),
            flag("wait", Takes::Bool, "false", "Wait until what is deleted is gone."),
            short('l', "selector", Takes::Text, "", "Only manifests whose labels match."),
        ],
        FILES,
        CHANGE,
        VALIDATE,
        OUTPUT,
    ],
    subcommands: &[&APPLY_EDIT, &APPLY_SET, &APPLY_VIEW],
    absent: false,
    run: Some(apply::run),
};

static APPLY_VIEW: Command = leaf(
    "view-last-applied",
    "View the latest last-applied-configuration annotations of a resource/object",
    "(TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
    &[&[short('o', "output", Takes::Text, "yaml", "yaml or json")], FILES, SELECT, ALL],
    apply::view_last_applied,
);
static APPLY_SET: Command = leaf(
    "set-last-applied",
    "Set the last-applied-configuration annotation on a live object to match the contents of a file",
    "-f FILENAME",
    &[
        &[flag("create-annotation", Takes::Bool, "false", "Make the annotation where there is none.")],
        FILES,
        CHANGE,
        OUTPUT,
    ],
    apply::set_last_applied,
);

static CREATE_NAMESPACE: Command = Command {
    aliases: &["ns"],
    ..leaf(
        "namespace",
        "Create a namespace with the specified name",
        "NAME [--dry-run=server|client|none]",
        &[CHANGE, VALIDATE, SAVE, OUTPUT],
        create::namespace,
    )
};
static CREATE_CONFIG_MAP: Command = Command {
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
static CREATE_SERVICE_ACCOUNT: Command = Command {
    aliases: &["sa"],
    ..leaf(
        "serviceaccount",
        "Create a service account with the specified name",
        "NAME [--dry-run=server|client|none]",
        &[CHANGE, VALIDATE, SAVE, OUTPUT],
        create::service_account,
    )
};
static CREATE_PRIORITY_CLASS: Command = Command {
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
static CREATE: Command = Command {
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

static DELETE: Command = Command {
    name: "delete",
    aliases: &[],
    short: "Delete resources by file names, stdin, resources and names, or by resources and label selector",
    long: "Deletes objects, and waits until they are gone.\n\nA running pod gets its grace period to end by itself; --now gives it one second, --force none at all.",
    examples: &[
        ("One pod", "kubectl delete pod trainer"),
        ("What a manifest describes", "kubectl delete -f pod.yaml"),
        ("Everything with a label", "kubectl delete pods -l app=web"),
    ],
    usage: "([-f FILENAME] | TYPE [(NAME | -l label | --all)])",
    flags: &[
        &[
            flag(
                "cascade",
                Takes::TextOr("background"),
                "background",
                "What happens to objects that it owns.",
            ),
            flag("force", Takes::Bool, "false", "Do not wait for the containers to end."),
            flag("grace-period", Takes::Int, "-1", "Seconds to end; -1 for the pod's own."),
            flag("now", Takes::Bool, "false", "One second to end."),
            flag("wait", Takes::Bool, "true", "Wait until the objects are gone."),
            flag("timeout", Takes::Duration, "0s", "How long to wait; 0 for as long as it takes."),
            flag("ignore-not-found", Takes::Bool, "false", "An object that is not there is no error."),
            short('i', "interactive", Takes::Bool, "false", "Ask first (not modelled)."),
            short('o', "output", Takes::Text, "", "name"),
            flag("dry-run", Takes::TextOr("unchanged"), "none", "none, client or server."),
        ],
        FILES,
        SELECT,
        ALL,
        ALL_NAMESPACES,
    ],
    subcommands: &[],
    absent: false,
    run: Some(delete::run),
};

static EXPLAIN: Command = Command {
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
static RUN: Command = Command {
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
static REPLACE: Command = leaf(
    "replace",
    "Replace a resource by file name or stdin",
    "-f FILENAME",
    &[
        FILES,
        CHANGE,
        VALIDATE,
        SAVE,
        OUTPUT,
        &[flag("force", Takes::Bool, "false", "Delete and create (not modelled).")],
    ],
    create::replace,
);
static PATCH: Command = leaf(
    "patch",
    "Update fields of a resource",
    "(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
    &[
        &[
            short('p', "patch", Takes::Text, "", "The patch, as JSON or YAML."),
            flag("patch-file", Takes::Text, "", "A file with the patch."),
            flag("type", Takes::Text, "strategic", "json, merge or strategic."),
            flag("local", Takes::Bool, "false", "Patch the file's object, not the server's (not modelled)."),
            flag("subresource", Takes::Text, "", "Patch this part of the object: status."),
        ],
        FILES,
        CHANGE,
        OUTPUT,
    ],
    change::patch,
);
static METADATA_FLAGS: &[Flag] = &[
    flag("overwrite", Takes::Bool, "false", "Change keys that have a value already."),
    flag("list", Takes::Bool, "false", "Show what there is."),
    flag("resource-version", Takes::Text, "", "Only if the object has this version."),
];
static LABEL: Command = leaf(
    "label",
    "Update the labels on a resource",
    "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    &[METADATA_FLAGS, FILES, SELECT, ALL, ALL_NAMESPACES, CHANGE, OUTPUT],
    change::label,
);
static ANNOTATE: Command = leaf(
    "annotate",
    "Update the annotations on a resource",
    "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    &[METADATA_FLAGS, FILES, SELECT, ALL, ALL_NAMESPACES, CHANGE, OUTPUT],
    change::annotate,
);
static CORDON: Command =
    leaf("cordon", "Mark node as unschedulable", "NODE", &[SELECT, CHANGE], change::cordon);
static UNCORDON: Command =
    leaf("uncordon", "Mark node as schedulable", "NODE", &[SELECT, CHANGE], change::uncordon);
static TAINT: Command = leaf(
    "taint",
    "Update the taints on one or more nodes",
    "NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
    &[
        &[flag("overwrite", Takes::Bool, "false", "Change taints that are there already.")],
        SELECT,
        ALL,
        CHANGE,
        OUTPUT,
        VALIDATE,
    ],
    change::taint,
);
static EVENTS: Command = leaf(
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
static WAIT: Command = leaf(
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
static VERSION: Command = leaf(
    "version",
    "Print the client and server version information",
    "",
    &[&[
        flag("client", Takes::Bool, "false", "Only the client's version."),
        short('o', "output", Takes::Text, "", "json or yaml"),
    ]],
    info::version,
);
static API_RESOURCES: Command = leaf(
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
static API_VERSIONS: Command = leaf(
    "api-versions",
    "Print the supported API versions on the server, in the form of \"group/version\"",
    "",
    &[NONE],
    info::api_versions,
);
static OPTIONS: Command =
    leaf("options", "Print the list of flags inherited by all commands", "", &[NONE], info::options);

static CONFIG: Command = Command {
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
static VIEW: Command = leaf(
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
static CURRENT_CONTEXT: Command =
    leaf("current-context", "Display the current-context", "", &[NONE], config_commands::current_context);
static GET_CONTEXTS: Command = leaf(
    "get-contexts",
    "Describe one or many contexts",
    "[(-o|--output=)name)]",
    &[&[
        flag("no-headers", Takes::Bool, "false", "Leave the line of headers out."),
        short('o', "output", Takes::Text, "", "name"),
    ]],
    config_commands::get_contexts,
);
static GET_CLUSTERS: Command = leaf(
    "get-clusters",
    "Display clusters defined in the kubeconfig",
    "",
    &[NONE],
    config_commands::get_clusters,
);
static GET_USERS: Command =
    leaf("get-users", "Display users defined in the kubeconfig", "", &[NONE], config_commands::get_users);
static SET_CONTEXT: Command = leaf(
    "set-context",
    "Set a context entry in kubeconfig",
    "[NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]",
    &[&[flag("current", Takes::Bool, "false", "The current context.")]],
    config_commands::set_context,
);
static USE_CONTEXT: Command = Command {
    aliases: &["use"],
    ..leaf(
        "use-context",
        "Set the current-context in a kubeconfig file",
        "CONTEXT_NAME",
        &[NONE],
        config_commands::use_context,
    )
};
static RENAME_CONTEXT: Command = leaf(
    "rename-context",
    "Rename a context from the kubeconfig file",
    "CONTEXT_NAME NEW_NAME",
    &[NONE],
    config_commands::rename_context,
);
static DELETE_CONTEXT: Command = leaf(
    "delete-context",
    "Delete the specified context from the kubeconfig",
    "NAME",
    &[NONE],
    config_commands::delete_context,
);
static SET: Command = leaf(
    "set",
    "Set an individual value in a kubeconfig file",
    "PROPERTY_NAME PROPERTY_VALUE",
    &[NONE],
    config_commands::set,
);
static UNSET: Command = leaf(
    "unset",
    "Unset an individual value in a kubeconfig file",
    "PROPERTY_NAME",
    &[NONE],
    config_commands::unset,
);
static SET_CLUSTER: Command = leaf(
    "set-cluster",
    "Set a cluster entry in kubeconfig",
    "NAME [--server=server]",
    &[NONE],
    config_commands::set_cluster,
);
static SET_CREDENTIALS: Command = leaf(
    "set-credentials",
    "Set a user entry in kubeconfig",
    "NAME [--token=bearer_token]",
    &[NONE],
    config_commands::set_credentials,
);

macro_rules! absent {
    ($($variable:ident = $name:literal $([$alias:literal])?, $short:literal;)*) => {
        $(static $variable: Command = Command {
            name: $name,
            aliases: &[$($alias)?],
            short: $short,
            long: "",
            examples: &[],
            usage: "",
            flags: &[NONE],
            subcommands: &[],
            absent: true,
            run: None,
        };)*
    };
}
// Commands that kubectl has and this one does not: they say so.
absent! {
    CREATE_CLUSTER_ROLE = "clusterrole", "Create a cluster role";
    CREATE_CLUSTER_ROLE_BINDING = "clusterrolebinding", "Create a cluster role binding for a particular cluster role";
    CREATE_CRON_JOB = "cronjob" ["cj"], "Create a cron job with the specified name";
    CREATE_DEPLOYMENT = "deployment" ["deploy"], "Create a deployment with the specified name";
    CREATE_INGRESS = "ingress" ["ing"], "Create an ingress with the specified name";
    CREATE_JOB = "job", "Create a job with the specified name";
    CREATE_PDB = "poddisruptionbudget" ["pdb"], "Create a pod disruption budget with the specified name";
    CREATE_QUOTA = "quota" ["resourcequota"], "Create a quota with the specified name";
    CREATE_ROLE = "role", "Create a role with single rule";
    CREATE_ROLE_BINDING = "rolebinding", "Create a role binding for a particular role or cluster role";
    CREATE_SECRET = "secret", "Create a secret using a specified subcommand";
    CREATE_SERVICE = "service" ["svc"], "Create a service using a specified subcommand";
    CREATE_TOKEN = "token", "Request a service account token";
    APPLY_EDIT = "edit-last-applied", "Edit latest last-applied-configuration annotations of a resource/object";
    EXPOSE = "expose", "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service";
    SET_RESOURCE = "set", "Set specific features on objects";
    EDIT = "edit", "Edit a resource on the server";
    ROLLOUT = "rollout", "Manage the rollout of a resource";
    SCALE = "scale", "Set a new size for a deployment, replica set, or replication controller";
    AUTOSCALE = "autoscale", "Auto-scale a deployment, replica set, stateful set, or replication controller";
    CERTIFICATE = "certificate", "Modify certificate resources";
    CLUSTER_INFO = "cluster-info", "Display cluster information";
    TOP = "top", "Display resource (CPU/memory) usage";
    DRAIN = "drain", "Drain node in preparation for maintenance";
    ATTACH = "attach", "Attach to a running container";
    EXEC = "exec", "Execute a command in a container";
    PORT_FORWARD = "port-forward", "Forward one or more local ports to a pod";
    PROXY = "proxy", "Run a proxy to the Kubernetes API server";
    CP = "cp", "Copy files and directories to and from containers";
    AUTH = "auth", "Inspect authorization";
    DEBUG = "debug", "Create debugging sessions for troubleshooting workloads and nodes";
    DIFF = "diff", "Diff the live version against a would-be applied version";
    KUSTOMIZE = "kustomize", "Build a kustomization target from a directory or URL";
    COMPLETION = "completion", "Output shell completion code for the specified shell";
    PLUGIN = "plugin", "Provides utilities for interacting with plugins";
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
