//! The behaviour of the API server as its clients see it.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Event, Namespace, Node, Pod};
use serde_json::{Value, json};

use super::WatchVerb::{Added, Deleted, Modified};
use super::*;
use crate::sim::{Epoch, Seed, SimTime};

pub(super) fn server() -> ApiServer {
    ApiServer::new(Epoch::default(), Seed::new(1))
}

pub(super) fn object(json: Value) -> Object {
    let (version, kind) = (json["apiVersion"].as_str().unwrap(), json["kind"].as_str().unwrap());
    let kind = Kind::from_type_meta(version, kind).unwrap();
    Object::from_json(kind, json).unwrap()
}

pub(super) fn pod(name: &str) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "nginx:1.27",
            "resources": {"limits": {"nvidia.com/gpu": 1}}}]}
    }))
}

fn create(server: &mut ApiServer, object: Object) -> Object {
    server.create("default", object, &WriteOptions::default()).unwrap()
}

#[test]
fn a_pod_lives_from_create_to_delete() {
    let mut server = server();
    let start = server.resource_version();
    create(&mut server, pod("a"));
    create(
        &mut server,
        object(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gpu-1",
            "labels": {"topology.kubernetes.io/zone": "z"}}})),
    );
    let bound = server.bind("default", "a", "gpu-1").unwrap();
    assert_eq!(bound.metadata.labels.as_ref().unwrap()["topology.kubernetes.io/zone"], "z");
    assert_eq!(bound.metadata.generation, Some(1));
    server
        .update_status::<Pod>("default", "a", |pod| {
            pod.status.as_mut().unwrap().phase = Some("Running".to_owned());
        })
        .unwrap();
    let gone = server.delete(Kind::Pod, "default", "a", &DeleteOptions::default()).unwrap();
    assert!(matches!(gone, Deletion::Pending(_)));
    assert!(server.read::<Pod>("default", "a").unwrap().metadata.deletion_timestamp.is_some());
    assert!(matches!(server.finish_deletion("default", "a"), Ok(Deletion::Gone(_))));
    assert!(server.read::<Pod>("default", "a").is_none());
    let verbs: Vec<_> = server.events_since(start).map(|e| (e.verb, e.object.name().to_owned())).collect();
    let expected = [
        (Added, "a"),
        (Added, "gpu-1"),
        (Modified, "a"),
        (Modified, "a"),
        (Modified, "a"),
        (Modified, "a"),
        (Deleted, "a"),
    ];
    assert_eq!(verbs, expected.map(|(verb, name)| (verb, name.to_owned())));
}

#[test]
fn a_change_that_changes_nothing_is_no_new_version() {
    let mut server = server();
    create(&mut server, pod("a"));
    let before = server.resource_version();
    server.update_status::<Pod>("default", "a", |_| {}).unwrap();
    server.update::<Pod>("default", "a", |pod| pod.status = None).unwrap();
    assert_eq!(server.resource_version(), before);
}

#[test]
fn a_namespace_takes_its_contents_along() {
    let mut server = server();
    create(
        &mut server,
        object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})),
    );
    server.create("team", pod("a"), &WriteOptions::default()).unwrap();
    server.bind("team", "a", "n").unwrap();
    server.delete(Kind::Namespace, "", "team", &DeleteOptions::default()).unwrap();
    let namespace = Arc::clone(server.read::<Namespace>("", "team").unwrap());
    assert_eq!(namespace.status.as_ref().unwrap().phase.as_deref(), Some("Terminating"));
    let refused = server.create("team", pod("b"), &WriteOptions::default()).unwrap_err();
    assert_eq!(
        refused.message,
        "pods \"b\" is forbidden: unable to create new content in namespace team because it is being terminated"
    );
    server.finish_deletion("team", "a").unwrap();
    assert!(server.read::<Namespace>("", "team").is_none());
    let refused = server.create("team", pod("b"), &WriteOptions::default()).unwrap_err();
    assert_eq!(refused.message, "namespaces \"team\" not found");
}

#[test]
fn the_same_event_again_raises_its_count() {
    let mut server = server();
    let about = create(&mut server, pod("a"));
    let mut record = |message: &str| {
        server.record(EventRecord {
            regarding: &about,
            field_path: None,
            warning: true,
            reason: "BackOff",
            message: message.to_owned(),
            component: "kubelet",
            host: Some("gpu-1"),
            action: None,
        });
    };
    record("Back-off");
    record("Back-off");
    record("Another");
    let counts: Vec<_> =
        server.iter::<Event>().map(|event| (event.message.clone().unwrap(), event.count.unwrap())).collect();
    assert_eq!(counts, [("Back-off".to_owned(), 2), ("Another".to_owned(), 1)]);
    server.set_now(SimTime::from_secs(3600));
    assert_eq!(server.iter::<Event>().count(), 0, "events are kept for an hour");
}

#[test]
fn selectors_choose_by_label_and_field() {
    let mut server = server();
    create(&mut server, pod("a"));
    create(&mut server, pod("b"));
    server.bind("default", "b", "n").unwrap();
    let list = |labels: &str, fields: &str| {
        let options = ListOptions { label_selector: labels.to_owned(), field_selector: fields.to_owned() };
        server.list(Kind::Pod, "", &options).map(|list| {
            list.items.iter().map(|object| object.name().to_owned()).collect::<Vec<_>>().join(" ")
        })
    };
    assert_eq!(list("app=a", "").unwrap(), "a");
    assert_eq!(list("app in (a,b)", "spec.nodeName=").unwrap(), "a");
    assert_eq!(list("app!=a", "status.phase=Pending").unwrap(), "b");
    assert_eq!(list("", "spec.foo=1").unwrap_err().message, "field label not supported: spec.foo");
    assert_eq!(
        list("a b", "").unwrap_err().message,
        "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"
    );
    assert_eq!(server.iter::<Node>().count(), 0);
}

#[test]
fn an_update_that_a_pod_does_not_allow_shows_the_difference() {
    let mut server = server();
    let options = WriteOptions::default();
    let body = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"terminationGracePeriodSeconds": 5, "containers": [{"name": "main", "image": "nginx:1.27"}]}});
    server.create_json(Kind::Pod, "default", &body, &options).unwrap();
    server.bind("default", "p", "cpu-1").unwrap();
    let mut patch = |patch: Value| {
        let patch = Patch::Strategic(patch);
        server.patch(Kind::Pod, "default", "p", &patch, Subresource::None, &options).map_err(|status| {
            let (_, difference) = status.causes[0].1.split_once('\n').unwrap_or_default();
            difference.to_owned()
        })
    };
    patch(json!({"spec": {"activeDeadlineSeconds": 600}})).unwrap();
    // Recorded from the real server.
    assert_eq!(
        patch(json!({"spec": {"terminationGracePeriodSeconds": 9}})).unwrap_err(),
        "@@ -134,7 +134,7 @@\n  ],\n  \"EphemeralContainers\": null,\n  \"RestartPolicy\": \"Always\",\n- \"TerminationGracePeriodSeconds\": 5,\n+ \"TerminationGracePeriodSeconds\": 9,\n  \"ActiveDeadlineSeconds\": 600,\n  \"DNSPolicy\": \"ClusterFirst\",\n  \"NodeSelector\": null,\n"
    );
    assert_eq!(
        patch(json!({"spec": {"containers": [{"name": "main", "env": [{"name": "A", "value": "1"}]}]}}))
            .unwrap_err(),
        "@@ -98,7 +98,13 @@\n    \"WorkingDir\": \"\",\n    \"Ports\": null,\n    \"EnvFrom\": null,\n-   \"Env\": null,\n+   \"Env\": [\n+    {\n+     \"Name\": \"A\",\n+     \"Value\": \"1\",\n+     \"ValueFrom\": null\n+    }\n+   ],\n    \"Resources\": {\n     \"Limits\": null,\n     \"Requests\": null,\n"
    );
    assert_eq!(
        patch(json!({"spec": {"containers": [{"name": "main", "resources": {"limits": {"cpu": 1}}}]}}))
            .unwrap_err(),
        "@@ -100,8 +100,12 @@\n    \"EnvFrom\": null,\n    \"Env\": null,\n    \"Resources\": {\n-    \"Limits\": null,\n-    \"Requests\": null,\n+    \"Limits\": {\n+     \"cpu\": \"1\"\n+    },\n+    \"Requests\": {\n+     \"cpu\": \"1\"\n+    },\n     \"Claims\": null\n    },\n    \"ResizePolicy\": null,\n"
    );
    assert_eq!(
        patch(json!({"spec": {"serviceAccountName": "x", "serviceAccount": "x"}})).unwrap_err(),
        "@@ -138,7 +138,7 @@\n  \"ActiveDeadlineSeconds\": 600,\n  \"DNSPolicy\": \"ClusterFirst\",\n  \"NodeSelector\": null,\n- \"ServiceAccountName\": \"default\",\n+ \"ServiceAccountName\": \"x\",\n  \"AutomountServiceAccountToken\": null,\n  \"NodeName\": \"cpu-1\",\n  \"SecurityContext\": {\n"
    );
}
