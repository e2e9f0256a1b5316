//! Pods that the API server of the recordings would not take.

use serde_json::{Value, json};

use super::list;
use crate::kube::api::{ApiServer, Kind, Object, Reason, WriteOptions};
use crate::sim::{Epoch, Seed};

/// Why the API server refuses a pod, if it does.
///
/// Only what validation says counts: the recordings were made without the admission of
/// service accounts, and priority classes are the scenario's own.
pub(super) fn by_api_server(input: &Value, pod: &Value, namespace: &str) -> Option<String> {
    let mut api = ApiServer::new(Epoch::default(), Seed::new(1));
    let create = |api: &mut ApiServer, kind, namespace: &str, object: &Value| {
        let object = Object::from_json(kind, object.clone()).ok()?;
        api.create(namespace, object, &WriteOptions::default()).err()
    };
    create(&mut api, Kind::Namespace, "", &json!({"metadata": {"name": namespace}}));
    for class in list(&input["priorityClasses"]) {
        create(&mut api, Kind::PriorityClass, "", class);
    }
    let mut pod = pod.clone();
    pod["metadata"]["namespace"] = json!(namespace);
    let refusal = create(&mut api, Kind::Pod, namespace, &pod)?;
    (refusal.reason == Reason::Invalid).then_some(refusal.message)
}
