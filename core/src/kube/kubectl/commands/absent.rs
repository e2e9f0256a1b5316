//! Commands that kubectl has and this one has not: they say so.

use super::NONE;
use crate::kube::kubectl::command::Command;

macro_rules! absent {
    ($($variable:ident = $name:literal $([$alias:literal])?, $short:literal;)*) => {
        $(pub(in crate::kube::kubectl::commands) static $variable: Command = Command {
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
