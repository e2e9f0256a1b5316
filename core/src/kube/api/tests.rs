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
        // The taint of a new node goes: it says nothing that would call for it.
        (Modified, "gpu-1"),
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

#[test]
fn events_are_combined_and_cut_as_the_recorders_do_it() {
    let mut server = server();
    let about = create(&mut server, pod("a"));
    let record = |server: &mut ApiServer, message: String, action: Option<&str>| {
        server.record(EventRecord {
            regarding: &about,
            field_path: None,
            warning: false,
            reason: "Noise",
            message,
            component: "talker",
            host: None,
            action,
        });
    };
    let of_reason = |server: &ApiServer| {
        let events = server.iter::<Event>().filter(|event| event.reason.as_deref() == Some("Noise"));
        events.map(|event| (event.message.clone().unwrap(), event.count.unwrap_or(0))).collect::<Vec<_>>()
    };
    for i in 0..12 {
        record(&mut server, format!("message {i}"), None);
    }
    let events = of_reason(&server);
    assert_eq!(events.len(), 10, "nine of their own, then one for all others");
    assert!(events.contains(&("(combined from similar events): message 11".to_owned(), 3)));
    for _ in 0..20 {
        record(&mut server, "message 0".to_owned(), None);
    }
    let total: i32 = of_reason(&server).iter().map(|(_, count)| count).sum();
    assert_eq!(total, 25, "the allowance of one object");
    server.set_now(SimTime::from_secs(300));
    record(&mut server, "message 0".to_owned(), None);
    let total: i32 = of_reason(&server).iter().map(|(_, count)| count).sum();
    assert_eq!(total, 26, "one more every five minutes");

    let about = create(&mut server, pod("b"));
    for i in 0..3 {
        server.record(EventRecord {
            regarding: &about,
            field_path: None,
            warning: true,
            reason: "FailedScheduling",
            message: format!("attempt {i}"),
            component: "default-scheduler",
            host: Some("cp-1"),
            action: Some("Scheduling"),
        });
    }
    let event =
        server.iter::<Event>().find(|event| event.reason.as_deref() == Some("FailedScheduling")).unwrap();
    assert_eq!(event.message.as_deref(), Some("attempt 0"), "a series keeps the words of its first event");
    assert_eq!(event.series.as_ref().unwrap().count, Some(3));
    assert_eq!(event.reporting_instance.as_deref(), Some("default-scheduler-cp-1"));
    assert_eq!(event.count, None);
}

#[test]
fn watches_tell_what_comes_into_view_and_what_leaves_it() {
    let mut server = server();
    create(&mut server, pod("a"));
    let since = server.resource_version();
    server.bind("default", "a", "n").unwrap();
    let options = |fields: &str| ListOptions { field_selector: fields.to_owned(), ..ListOptions::default() };
    let verbs = |fields: &str| {
        let events = server.watch(Kind::Pod, "default", &options(fields), since).unwrap();
        events.iter().map(|event| event.verb).collect::<Vec<_>>()
    };
    assert_eq!(verbs(""), [Modified]);
    assert_eq!(verbs("spec.nodeName=n"), [Added]);
    assert_eq!(verbs("spec.nodeName="), [Deleted]);
    assert_eq!(verbs("spec.nodeName=other"), []);
}

#[test]
fn a_watch_from_a_forgotten_version_is_expired() {
    let mut server = server();
    create(&mut server, pod("a"));
    for i in 0..10_000 {
        server
            .update::<Pod>("default", "a", |pod| {
                pod.metadata.labels.get_or_insert_default().insert("i".to_owned(), i.to_string());
            })
            .unwrap();
    }
    assert_eq!(server.events_since(0).count(), server.resource_version() as usize, "all of this instant");
    server.set_now(SimTime::from_secs(1));
    let refused = server.watch(Kind::Pod, "", &ListOptions::default(), 1).unwrap_err();
    assert_eq!(refused.reason, Reason::Expired);
    assert!(refused.message.starts_with("too old resource version: 1 ("), "{}", refused.message);
}

#[test]
fn what_belongs_to_every_namespace_comes_back() {
    let mut server = server();
    server.delete(Kind::ServiceAccount, "default", "default", &DeleteOptions::default()).unwrap();
    assert!(server.get(Kind::ServiceAccount, "default", "default").is_ok());
}

#[test]
fn a_node_that_is_not_ready_gets_no_pods() {
    let mut server = server();
    let taints = |server: &ApiServer| {
        let node = server.read::<Node>("", "n").unwrap();
        let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
        taints.into_iter().flatten().map(|taint| taint.key.clone()).collect::<Vec<_>>()
    };
    create(
        &mut server,
        object(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"},
            "status": {"conditions": [{"type": "Ready", "status": "False"}]}})),
    );
    assert_eq!(taints(&server), ["node.kubernetes.io/not-ready"]);
    let ready = |node: &mut Node| {
        node.status.as_mut().unwrap().conditions.as_mut().unwrap()[0].status = "True".to_owned();
    };
    server.update_status("", "n", ready).unwrap();
    assert!(taints(&server).is_empty());
    server
        .update::<Node>("", "n", |node| node.spec.get_or_insert_default().unschedulable = Some(true))
        .unwrap();
    assert_eq!(taints(&server), ["node.kubernetes.io/unschedulable"]);
}

#[test]
fn a_refusal_leaves_everything_as_it_was() {
    let mut server = server();
    let before = format!("{server:?}");
    let bad = object(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "a-"}}));
    assert!(server.create("default", bad, &WriteOptions::default()).is_err());
    let dry = WriteOptions { dry_run: true, ..WriteOptions::default() };
    assert!(server.create("default", pod("b"), &dry).is_ok());
    assert_eq!(format!("{server:?}"), before);
}

#[test]
fn patches_that_contradict_the_object_are_refused() {
    let mut server = server();
    create(&mut server, pod("a"));
    let options = WriteOptions { strict: true, ..WriteOptions::default() };
    let mut check = |patch: Value, expected: &str| {
        let patch = Patch::Strategic(patch);
        let refused =
            server.patch(Kind::Pod, "default", "a", &patch, Subresource::None, &options).unwrap_err();
        assert_eq!(refused.message, expected);
    };
    check(
        json!({"metadata": {"uid": "11111111-1111-1111-1111-111111111111"}}),
        "Pod \"a\" is invalid: metadata.uid: Invalid value: \"11111111-1111-1111-1111-111111111111\": field is immutable",
    );
    check(
        json!({"metadata": {"resourceVersion": "1"}}),
        "Operation cannot be fulfilled on pods \"a\": the object has been modified; please apply your changes to the latest version and try again",
    );
    check(
        json!({"spec": {"priority": "many"}}),
        " \"\" is invalid: patch: Invalid value: \"map[spec:map[priority:many]]\": unrecognized type: int32",
    );
    check(
        json!({"spec": {"containers": [{"image": "x"}]}}),
        "map: map[image:x] does not contain declared merge key: name",
    );
    check(
        json!({"spec": {"nodeNam": "x"}}),
        " \"\" is invalid: patch: Invalid value: \"map[spec:map[nodeNam:x]]\": strict decoding error: unknown field \"spec.nodeNam\"",
    );
    check(
        json!({"metadata": {"name": "q"}}),
        "the name of the object (q) does not match the name on the URL (a)",
    );
}
