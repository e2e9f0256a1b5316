//! Volumes and claims: what the recordings have no case of.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object")
}

fn claim(name: &str, class: &str, size: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            "storageClassName": class,
        },
    })
}

/// Makes a claim one that is bound.
fn bound(mut claim: Value, volume: &str) -> PersistentVolumeClaim {
    claim["metadata"]["annotations"] = json!({"pv.kubernetes.io/bind-completed": "yes"});
    claim["spec"]["volumeName"] = json!(volume);
    object(claim)
}

fn volume(name: &str, class: &str, size: &str, more: &Value) -> PersistentVolume {
    let mut volume = json!({
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "storageClassName": class},
        "status": {"phase": "Available"},
    });
    merge(&mut volume, more);
    object(volume)
}

fn class(name: &str, more: &Value) -> StorageClass {
    let mut class = json!({
        "metadata": {"name": name},
        "provisioner": "disk.example.com",
        "volumeBindingMode": "WaitForFirstConsumer",
    });
    merge(&mut class, more);
    object(class)
}

fn using(pod_name: &str, claim: &str) -> Pod {
    let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]);
    pod(pod_name, "1", &json!({"spec": {"volumes": volumes}}))
}

fn two_nodes() -> Scheduler {
    let mut scheduler = scheduler();
    for (name, zone) in [("a", "east"), ("b", "west")] {
        let labels = json!({"topology.kubernetes.io/zone": zone});
        scheduler.add_node(node(name, "8", &json!({"metadata": {"labels": labels}})));
    }
    scheduler
}

/// The first words of why a pod is where it is not.
fn check(scheduler: &mut Scheduler, at: u64, pod: &str, expected: &str) {
    drain(scheduler, secs(at));
    let message = message(scheduler, pod);
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_volume_is_made_only_where_the_class_allows_it_and_there_is_space() {
    let mut scheduler = two_nodes();
    let east =
        json!([{"matchLabelExpressions": [{"key": "topology.kubernetes.io/zone", "values": ["east"]}]}]);
    scheduler.set_storage_class(&class("fast", &json!({"allowedTopologies": east})));
    scheduler.set_persistent_volume_claim(&object(claim("data", "fast", "10Gi")));
    let driver = json!({"metadata": {"name": "disk.example.com"}, "spec": {"storageCapacity": true}});
    scheduler.set_csi_driver(&object::<CSIDriver>(driver));
    scheduler.add_pod(using("train", "data"));
    check(
        &mut scheduler,
        1,
        "train",
        "0/2 nodes are available: 1 node(s) did not have enough free storage, 1 node(s) didn't find available \
         persistent volumes to bind.",
    );
    // Too small a part does not wake the pod to any use, a large one does.
    let capacity = |amount: &str| {
        object::<CSIStorageCapacity>(json!({
            "metadata": {"name": "east", "namespace": "kube-system"},
            "storageClassName": "fast",
            "capacity": amount,
            "nodeTopology": {"matchLabels": {"topology.kubernetes.io/zone": "east"}},
        }))
    };
    scheduler.set_csi_storage_capacity(&capacity("9Gi"));
    drain(&mut scheduler, secs(10));
    assert_eq!(node_of(&scheduler, "train"), None);
    scheduler.set_csi_storage_capacity(&capacity("10Gi"));
    drain(&mut scheduler, secs(30));
    assert_eq!(node_of(&scheduler, "train").as_deref(), Some("a"));
    // The claim is being served there: another pod that uses it goes to the same node.
    scheduler.add_pod(using("peer", "data"));
    drain(&mut scheduler, secs(31));
    assert_eq!(node_of(&scheduler, "peer").as_deref(), Some("a"));
}

#[test]
fn a_claim_gets_the_smallest_volume_that_suits_and_nobody_else_gets_it() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("a", "8", &Value::Null));
    scheduler.set_storage_class(&class("local", &json!({"provisioner": "kubernetes.io/no-provisioner"})));
    for (name, size) in [("large", "100Gi"), ("small", "5Gi"), ("right", "10Gi")] {
        scheduler.set_persistent_volume(&volume(name, "local", size, &Value::Null));
    }
    scheduler.set_persistent_volume(&volume("other", "else", "8Gi", &Value::Null));
    for name in ["one", "two", "three"] {
        scheduler.set_persistent_volume_claim(&object(claim(name, "local", "8Gi")));
        scheduler.add_pod(using(name, name));
    }
    let mut taken = Vec::new();
    let mut binder = Taken(&mut taken);
    while scheduler.schedule_one_with(secs(1), &mut binder).is_some() {}
    assert_eq!(taken, ["one:right", "two:large"]);
    check(&mut scheduler, 1, "three", "1 node(s) didn't find available persistent volumes to bind");
    // A new volume wakes it.
    scheduler.set_persistent_volume(&volume("new", "local", "8Gi", &Value::Null));
    drain(&mut scheduler, secs(10));
    assert_eq!(node_of(&scheduler, "three").as_deref(), Some("a"));
}

struct Taken<'a>(&'a mut Vec<String>);

impl crate::kube::scheduler::framework::Binder for Taken<'_> {
    fn bind(&mut self, _: &crate::kube::scheduler::cluster::PodInfo, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn bind_volumes(
        &mut self,
        _: &crate::kube::scheduler::cluster::PodInfo,
        _: &str,
        bindings: &[crate::kube::scheduler::framework::VolumeBinding],
    ) -> Result<(), String> {
        for binding in bindings {
            self.0.push(format!("{}:{}", binding.claim, binding.volume.as_deref().unwrap_or("to be made")));
        }
        Ok(())
    }
}

#[test]
fn claims_that_cannot_be_used_say_why() {
    let mut scheduler = two_nodes();
    let lost = json!({"status": {"phase": "Lost"}, "spec": {"volumeName": "gone"}});
    let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    for (name, more) in [("lost", lost), ("going", going), ("open", json!({}))] {
        let mut value = claim(name, "", "1Gi");
        merge(&mut value, &more);
        scheduler.set_persistent_volume_claim(&object(value));
        scheduler.add_pod(using(name, name));
    }
    let ephemeral = json!([{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]);
    scheduler.add_pod(pod("own", "1", &json!({"spec": {"volumes": ephemeral}})));
    drain(&mut scheduler, secs(1));
    for (name, expected) in [
        ("lost", "persistentvolumeclaim \"lost\" bound to non-existent persistentvolume \"gone\""),
        ("going", "persistentvolumeclaim \"going\" is being deleted"),
        ("open", "pod has unbound immediate PersistentVolumeClaims"),
        (
            "own",
            "waiting for ephemeral volume controller to create the persistentvolumeclaim \"own-scratch\"",
        ),
    ] {
        let message = message(&scheduler, name);
        assert_eq!(message, format!("0/2 nodes are available: {expected}. not found"));
    }
}

#[test]
fn disks_that_two_pods_want_to_write_are_on_two_nodes() {
    let gce = |read_only| json!({"gcePersistentDisk": {"pdName": "disk", "readOnly": read_only}});
    let ebs = || json!({"awsElasticBlockStore": {"volumeID": "vol-1", "readOnly": true}});
    let iscsi = |read_only| json!({"iscsi": {"iqn": "iqn.1", "lun": 0, "targetPortal": "10.0.0.1", "readOnly": read_only}});
    let rbd = |monitor: &str| json!({"rbd": {"monitors": ["m0", monitor], "image": "i", "pool": "p"}});
    for (first, second, together) in [
        (gce(true), gce(true), true),
        (gce(true), gce(false), false),
        (ebs(), ebs(), false),
        (iscsi(true), iscsi(true), true),
        (iscsi(false), iscsi(true), false),
        (rbd("m1"), rbd("m1"), false),
        (gce(false), ebs(), true),
    ] {
        let mut scheduler = scheduler();
        scheduler.add_node(node("a", "8", &Value::Null));
        for (name, mut disk) in [("first", first), ("second", second)] {
            disk["name"] = json!("disk");
            scheduler.add_pod(pod(name, "1", &json!({"spec": {"volumes": [disk]}})));
        }
        drain(&mut scheduler, secs(1));
        assert_eq!(node_of(&scheduler, "second").is_some(), together);
        if !together {
            assert!(message(&scheduler, "second").contains("1 node(s) had no available disk"));
            scheduler.remove_pod("default", "first");
            drain(&mut scheduler, secs(10));
            assert_eq!(node_of(&scheduler, "second").as_deref(), Some("a"));
        }
    }
}

#[test]
fn attached_volumes_count_once_each_against_the_limit_of_their_driver() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("a", "8", &Value::Null));
    let csi_node = |count: i32| {
        let driver = json!({"name": "disk.example.com", "nodeID": "a", "allocatable": {"count": count}});
        object::<CSINode>(json!({"metadata": {"name": "a"}, "spec": {"drivers": [driver]}}))
    };
    scheduler.set_csi_node(&csi_node(2));
    for name in ["v1", "v2", "v3"] {
        let csi = json!({"csi": {"driver": "disk.example.com", "volumeHandle": name}});
        scheduler.set_persistent_volume(&volume(name, "", "1Gi", &json!({"spec": csi})));
        scheduler.set_persistent_volume_claim(&bound(claim(name, "", "1Gi"), name));
    }
    let attachment = json!({
        "metadata": {"name": "leftover"},
        "spec": {"attacher": "disk.example.com", "nodeName": "a", "source": {"persistentVolumeName": "v3"}},
    });
    scheduler.set_volume_attachment(&object::<VolumeAttachment>(attachment));
    for (pod, claim) in [("first", "v1"), ("same", "v1"), ("second", "v2")] {
        scheduler.add_pod(using(pod, claim));
    }
    drain(&mut scheduler, secs(1));
    assert_eq!(node_of(&scheduler, "same").as_deref(), Some("a"));
    check(&mut scheduler, 1, "second", "1 node(s) exceed max volume count");
    // Fewer would not help, so nobody tries again; one more does.
    let attempts = scheduler.attempts("default", "second").len();
    scheduler.set_csi_node(&csi_node(1));
    drain(&mut scheduler, secs(10));
    assert_eq!(scheduler.attempts("default", "second").len(), attempts);
    scheduler.set_csi_node(&csi_node(3));
    drain(&mut scheduler, secs(30));
    assert_eq!(node_of(&scheduler, "second").as_deref(), Some("a"));
}

#[test]
fn a_volume_with_the_label_of_a_zone_is_used_in_that_zone() {
    let mut scheduler = two_nodes();
    let zone = json!({"metadata": {"labels": {"failure-domain.beta.kubernetes.io/zone": "west__north"}}});
    scheduler.set_persistent_volume(&volume("v", "", "1Gi", &zone));
    scheduler.set_persistent_volume_claim(&bound(claim("data", "", "1Gi"), "v"));
    scheduler.add_pod(using("train", "data"));
    drain(&mut scheduler, secs(1));
    assert_eq!(node_of(&scheduler, "train").as_deref(), Some("b"));
}
