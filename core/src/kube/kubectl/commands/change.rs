//! Commands that change objects that are there.

use super::{ALL, ALL_NAMESPACES, CHANGE, FILES, OUTPUT, SAVE, SELECT, VALIDATE, absent::APPLY_EDIT, leaf};
use crate::kube::kubectl::command::Command;
use crate::kube::kubectl::flags::{Flag, Takes, flag, short};
use crate::kube::kubectl::{apply, change, create, delete, taint};

pub(super) static APPLY: Command = Command {
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

pub(super) static APPLY_VIEW: Command = leaf(
    "view-last-applied",
    "View the latest last-applied-configuration annotations of a resource/object",
    "(TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
    &[&[short('o', "output", Takes::Text, "yaml", "yaml or json")], FILES, SELECT, ALL],
    apply::view_last_applied,
);

pub(super) static APPLY_SET: Command = leaf(
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

pub(super) static DELETE: Command = Command {
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

pub(super) static REPLACE: Command = leaf(
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

pub(super) static PATCH: Command = leaf(
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

pub(super) static LABEL: Command = leaf(
    "label",
    "Update the labels on a resource",
    "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    &[METADATA_FLAGS, FILES, SELECT, ALL, ALL_NAMESPACES, CHANGE, OUTPUT],
    change::label,
);

pub(super) static ANNOTATE: Command = leaf(
    "annotate",
    "Update the annotations on a resource",
    "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    &[METADATA_FLAGS, FILES, SELECT, ALL, ALL_NAMESPACES, CHANGE, OUTPUT],
    change::annotate,
);

pub(super) static CORDON: Command =
    leaf("cordon", "Mark node as unschedulable", "NODE", &[SELECT, CHANGE], change::cordon);

pub(super) static UNCORDON: Command =
    leaf("uncordon", "Mark node as schedulable", "NODE", &[SELECT, CHANGE], change::uncordon);

pub(super) static TAINT: Command = leaf(
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
    taint::taint,
);
