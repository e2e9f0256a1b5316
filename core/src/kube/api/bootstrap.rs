//! What a new cluster has before anybody creates anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, NamespaceSpec, NamespaceStatus, ServiceAccount};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{ApiServer, Object};

/// The label that every namespace carries its own name in.
pub(super) const NAME_LABEL: &str = "kubernetes.io/metadata.name";
/// The namespaces that are always there.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
/// A stand-in of the cluster's certificate authority; nothing in the lab checks it.
const ROOT_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nnot modelled: the cluster's certificate authority\n-----END CERTIFICATE-----\n";

pub(super) fn fill(server: &mut ApiServer) {
    for name in NAMESPACES {
        let namespace = Namespace {
            metadata: ObjectMeta {
                labels: Some(BTreeMap::from([(NAME_LABEL.to_owned(), name.to_owned())])),
                ..named(name, "")
            },
            spec: Some(NamespaceSpec { finalizers: Some(vec!["kubernetes".to_owned()]) }),
            status: Some(NamespaceStatus { phase: Some("Active".to_owned()), ..NamespaceStatus::default() }),
        };
        add(server, Object::Namespace(Arc::new(namespace)));
        furnish_namespace(server, name);
    }
    for (name, value, description) in [
        (
            "system-cluster-critical",
            2_000_000_000,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
        ),
        (
            "system-node-critical",
            2_000_001_000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
    ] {
        let class = PriorityClass {
            metadata: ObjectMeta { generation: Some(1), ..named(name, "") },
            value: Some(value),
            description: Some(description.to_owned()),
            preemption_policy: Some("PreemptLowerPriority".to_owned()),
            global_default: None,
        };
        add(server, Object::PriorityClass(Arc::new(class)));
    }
}

/// What the controllers of a real cluster put into every new namespace.
pub(super) fn furnish_namespace(server: &mut ApiServer, name: &str) {
    let account = ServiceAccount { metadata: named("default", name), ..ServiceAccount::default() };
    add(server, Object::ServiceAccount(Arc::new(account)));
    let description = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";
    let certificate = ConfigMap {
        metadata: ObjectMeta {
            annotations: Some(BTreeMap::from([(
                "kubernetes.io/description".to_owned(),
                description.to_owned(),
            )])),
            ..named("kube-root-ca.crt", name)
        },
        data: Some(BTreeMap::from([("ca.crt".to_owned(), ROOT_CERTIFICATE.to_owned())])),
        ..ConfigMap::default()
    };
    add(server, Object::ConfigMap(Arc::new(certificate)));
}

fn named(name: &str, namespace: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        ..ObjectMeta::default()
    }
}

fn add(server: &mut ApiServer, mut object: Object) {
    if server.objects.contains_key(&object.key()) {
        return;
    }
    let (uid, now) = (server.rng.uuid(), server.timestamp());
    let meta = object.meta_mut();
    meta.uid = Some(uid);
    meta.creation_timestamp = Some(now);
    server.put(object);
}
