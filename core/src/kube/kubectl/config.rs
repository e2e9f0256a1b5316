//! The learner's kubeconfig: clusters, users and contexts, and which context is current.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One context: which cluster, as whom, in which namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedContext {
    /// Name of the cluster.
    pub cluster: String,
    /// Name of the user.
    pub user: String,
    /// The namespace that commands act in; empty means `default`.
    pub namespace: String,
}

/// A kubeconfig file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubeConfig {
    /// By name: where the API server is.
    pub clusters: BTreeMap<String, String>,
    /// Names of users.
    pub users: Vec<String>,
    /// By name.
    pub contexts: BTreeMap<String, NamedContext>,
    /// The name of the current context; empty if there is none.
    pub current: String,
}

impl Default for KubeConfig {
    /// What `kubeadm init` leaves in `admin.conf`.
    fn default() -> Self {
        let context = NamedContext {
            cluster: "kubernetes".to_owned(),
            user: "kubernetes-admin".to_owned(),
            namespace: String::new(),
        };
        Self {
            clusters: BTreeMap::from([("kubernetes".to_owned(), "https://127.0.0.1:6443".to_owned())]),
            users: vec!["kubernetes-admin".to_owned()],
            contexts: BTreeMap::from([("kubernetes-admin@kubernetes".to_owned(), context)]),
            current: "kubernetes-admin@kubernetes".to_owned(),
        }
    }
}

impl KubeConfig {
    /// The namespace that commands act in when none is given.
    pub fn namespace(&self) -> &str {
        match self.contexts.get(&self.current) {
            Some(context) if !context.namespace.is_empty() => &context.namespace,
            _ => "default",
        }
    }

    /// The file as `kubectl config view` shows it, with credentials left out; only what
    /// the current context needs if `minify`.
    pub fn view(&self, minify: bool) -> Value {
        let current = self.contexts.get(&self.current);
        let wanted = |name: &str, of: fn(&NamedContext) -> &str| {
            !minify || current.is_some_and(|context| of(context) == name)
        };
        let clusters: Vec<Value> = self
            .clusters
            .iter()
            .filter(|(name, _)| wanted(name, |context| &context.cluster))
            .map(|(name, server)| {
                json!({"name": name, "cluster": {"certificate-authority-data": "DATA+OMITTED", "server": server}})
            })
            .collect();
        let contexts: Vec<Value> = self
            .contexts
            .iter()
            .filter(|(name, _)| !minify || **name == self.current)
            .map(|(name, context)| {
                let mut inner = json!({"cluster": context.cluster, "user": context.user});
                if !context.namespace.is_empty() {
                    inner["namespace"] = json!(context.namespace);
                }
                json!({"name": name, "context": inner})
            })
            .collect();
        let users: Vec<Value> = self
            .users
            .iter()
            .filter(|name| wanted(name, |context| &context.user))
            .map(|name| json!({"name": name, "user": {"token": "REDACTED"}}))
            .collect();
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": self.current,
            "clusters": clusters, "contexts": contexts, "users": users,
        })
    }
}
