//! Which devices claims get, seen through the scheduler.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::{Scheduler, SchedulerConfiguration};
use crate::sim::SimTime;

const DRIVER: &str = "gpu.example.com";

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Nodes with devices of those models, two to a NUMA node; `a` has the first, `b` the second, and so on.
fn scheduler(nodes: &[&[&str]]) -> Scheduler {
    let mut scheduler = Scheduler::new(&SchedulerConfiguration::default()).unwrap();
    scheduler.set_device_class(&read(json!({
        "metadata": {"name": "gpu"},
        "spec": {
            "extendedResourceName": "example.com/gpu",
            "selectors": [{"cel": {"expression": format!("device.driver == '{DRIVER}'")}}],
        },
    })));
    for (name, models) in ["a", "b", "c"].iter().zip(nodes) {
        let devices: Vec<Value> = models
            .iter()
            .enumerate()
            .map(|(index, model)| {
                json!({
                    "name": format!("gpu-{index}"),
                    "attributes": {"model": {"string": model}, "numa": {"int": index / 2}},
                    "capacity": {"memory": {"value": "80Gi"}},
                })
            })
            .collect();
        scheduler.set_resource_slice(&read(json!({
            "metadata": {"name": format!("{name}-slice")},
            "spec": {
                "driver": DRIVER,
                "nodeName": name,
                "pool": {"name": name, "generation": 1, "resourceSliceCount": 1},
                "devices": devices,
            },
        })));
        let room = json!({"cpu": "64", "memory": "64Gi", "pods": "110"});
        scheduler.add_node(read::<Node>(json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "status": {"allocatable": room, "capacity": room},
        })));
    }
    scheduler
}

fn claim(scheduler: &mut Scheduler, name: &str, devices: &Value) {
    scheduler.set_resource_claim(&read(json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"devices": devices},
    })));
}

/// Tries a pod that uses those claims; gives its node, or why it has none.
fn run(scheduler: &mut Scheduler, name: &str, claims: &[&str]) -> Result<String, String> {
    let claims: Vec<Value> =
        claims.iter().map(|claim| json!({"name": claim, "resourceClaimName": claim})).collect();
    scheduler.add_pod(read::<Pod>(json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "main"}], "resourceClaims": claims},
    })));
    let decision = scheduler.schedule_one(SimTime::ZERO).unwrap();
    decision.node().map(ToString::to_string).ok_or(decision.attempt.message.clone())
}

/// `pool/device` of a claim's devices.
fn devices(scheduler: &Scheduler, claim: &str) -> Vec<String> {
    let cluster = scheduler.cluster();
    let symbol = |name| cluster.symbols.get(name).unwrap();
    let claim = cluster.devices.claim((symbol("default"), symbol(claim))).unwrap();
    let texts = claim.allocation.iter().flat_map(|allocation| &allocation.devices);
    texts
        .map(|one| cluster.devices.text(one.device, &cluster.symbols).split_once('/').unwrap().1.to_owned())
        .collect()
}

fn exactly(more: &Value) -> Value {
    let mut exactly = json!({"deviceClassName": "gpu"});
    exactly.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
    json!({"name": "r", "exactly": exactly})
}

fn with_model(model: &str) -> Value {
    let expression = format!("device.attributes['{DRIVER}'].model == '{model}'");
    json!([{"cel": {"expression": expression}}])
}

#[test]
fn an_earlier_request_gives_way_to_one_that_needs_its_device() {
    let mut scheduler = scheduler(&[&["h100", "a100"]]);
    let any = json!({"name": "any", "exactly": {"deviceClassName": "gpu"}});
    let h100 =
        json!({"name": "h100", "exactly": {"deviceClassName": "gpu", "selectors": with_model("h100")}});
    claim(&mut scheduler, "one", &json!({"requests": [any, h100]}));
    assert_eq!(run(&mut scheduler, "p", &["one"]).unwrap(), "a");
    assert_eq!(devices(&scheduler, "one"), ["a/gpu-1", "a/gpu-0"]);
}

#[test]
fn a_request_for_all_devices_takes_all_or_none() {
    let mut scheduler = scheduler(&[&["h100", "a100", "h100"]]);
    let h100 = exactly(&json!({"allocationMode": "All", "selectors": with_model("h100")}));
    claim(&mut scheduler, "first", &json!({"requests": [h100]}));
    claim(&mut scheduler, "second", &json!({"requests": [exactly(&json!({"allocationMode": "All"}))]}));
    assert_eq!(run(&mut scheduler, "p", &["first"]).unwrap(), "a");
    assert_eq!(devices(&scheduler, "first"), ["a/gpu-0", "a/gpu-2"]);
    let message = run(&mut scheduler, "q", &["second"]).unwrap_err();
    assert!(message.starts_with("0/1 nodes are available: 1 cannot allocate all claims. "), "{message}");
    assert!(devices(&scheduler, "second").is_empty());
}

#[test]
fn devices_that_must_match_are_of_one_kind() {
    let mut scheduler = scheduler(&[&["h100", "h100", "h100", "h100"]]);
    claim(&mut scheduler, "one", &json!({"requests": [exactly(&json!({}))]}));
    let constraints = json!([{"matchAttribute": format!("{DRIVER}/numa")}]);
    let pair = json!({"requests": [exactly(&json!({"count": 2}))], "constraints": constraints});
    claim(&mut scheduler, "pair", &pair);
    run(&mut scheduler, "p", &["one"]).unwrap();
    run(&mut scheduler, "q", &["pair"]).unwrap();
    assert_eq!(devices(&scheduler, "pair"), ["a/gpu-2", "a/gpu-3"]);
}

#[test]
fn devices_that_must_differ_do() {
    let mut scheduler = scheduler(&[&["h100", "h100", "h100", "h100"]]);
    let constraints = json!([{"distinctAttribute": format!("{DRIVER}/numa")}]);
    let pair = json!({"requests": [exactly(&json!({"count": 2}))], "constraints": constraints});
    claim(&mut scheduler, "pair", &pair);
    run(&mut scheduler, "p", &["pair"]).unwrap();
    assert_eq!(devices(&scheduler, "pair"), ["a/gpu-0", "a/gpu-2"]);
}

#[test]
fn the_node_with_the_better_alternative_is_chosen() {
    let mut scheduler = scheduler(&[&["a100"], &["h100"]]);
    let choice = |name: &str| json!({"name": name, "deviceClassName": "gpu", "selectors": with_model(name)});
    let request = json!({"name": "r", "firstAvailable": [choice("h100"), choice("a100")]});
    claim(&mut scheduler, "one", &json!({"requests": [request]}));
    claim(&mut scheduler, "two", &json!({"requests": [request]}));
    assert_eq!(run(&mut scheduler, "p", &["one"]).unwrap(), "b");
    assert_eq!(run(&mut scheduler, "q", &["two"]).unwrap(), "a");
}

#[test]
fn a_claim_that_has_devices_keeps_its_pods_on_their_node() {
    let mut scheduler = scheduler(&[&["a100"], &["h100"]]);
    claim(&mut scheduler, "one", &json!({"requests": [exactly(&json!({"selectors": with_model("h100")}))]}));
    assert_eq!(run(&mut scheduler, "p", &["one"]).unwrap(), "b");
    assert_eq!(run(&mut scheduler, "q", &["one"]).unwrap(), "b");
    scheduler.remove_node("b");
    let message = run(&mut scheduler, "r", &["one"]).unwrap_err();
    assert!(
        message.starts_with("0/1 nodes are available: 1 resourceclaim not available on the node. still not"),
        "{message}"
    );
}

#[test]
fn devices_stand_in_for_an_extended_resource_until_their_pod_goes() {
    let mut scheduler = scheduler(&[&["h100"]]);
    let gpu = json!({"limits": {"example.com/gpu": "1"}});
    let mut try_pod = |name: &str| {
        let containers = json!([{"name": "main", "resources": gpu}]);
        let pod =
            json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": containers}});
        scheduler.remove_pod("default", "p");
        scheduler.add_pod(read::<Pod>(pod));
        scheduler.schedule_one(SimTime::ZERO).unwrap().node().is_some()
    };
    assert!(try_pod("p"));
    assert!(try_pod("q"), "p is gone, and its device is free");
    assert!(!try_pod("r"), "q has the only device");
}

#[test]
fn a_capacity_is_compared_as_a_quantity() {
    let mut scheduler = scheduler(&[&["h100"]]);
    for (name, size) in [("fits", "81920Mi"), ("large", "80.5Gi")] {
        let expression = format!("device.capacity['{DRIVER}'].memory.compareTo(quantity('{size}')) >= 0");
        let request = exactly(&json!({"selectors": [{"cel": {"expression": expression}}]}));
        claim(&mut scheduler, name, &json!({"requests": [request]}));
    }
    assert!(run(&mut scheduler, "p", &["large"]).is_err());
    assert_eq!(run(&mut scheduler, "q", &["fits"]).unwrap(), "a");
}

#[test]
fn an_attribute_that_is_missing_is_an_error_unless_asked_for() {
    let mut scheduler = scheduler(&[&["h100"]]);
    let with = |expression: &str| json!({"requests": [exactly(&json!({"selectors": [{"cel": {"expression": expression}}]}))]});
    claim(&mut scheduler, "asks", &with("has(device.attributes['other.example.com'].size)"));
    claim(&mut scheduler, "fails", &with("device.attributes['other.example.com'].size == 1"));
    let message = run(&mut scheduler, "p", &["asks"]).unwrap_err();
    assert!(message.contains("cannot allocate all claims"), "{message}");
    let message = run(&mut scheduler, "q", &["fails"]).unwrap_err();
    assert!(message.contains("claim default/fails: selector #0: CEL runtime error: "), "{message}");
}

proptest! {
    #[test]
    fn no_device_is_in_two_claims(counts in prop::collection::vec((1_usize..4, any::<bool>()), 1..12)) {
        let mut scheduler = scheduler(&[&["h100", "a100", "h100"], &["a100", "a100"], &["h100"]]);
        let mut held: BTreeMap<String, usize> = BTreeMap::new();
        for (index, (count, same)) in counts.iter().enumerate() {
            let name = format!("c{index}");
            let constraints = if *same { json!([{"matchAttribute": format!("{DRIVER}/numa")}]) } else { json!([]) };
            let request = exactly(&json!({"count": count}));
            claim(&mut scheduler, &name, &json!({"requests": [request], "constraints": constraints}));
            let placed = run(&mut scheduler, &format!("p{index}"), &[&name]);
            let got = devices(&scheduler, &name);
            prop_assert_eq!(got.len(), if placed.is_ok() { *count } else { 0 });
            for device in got {
                let pool = device.split_once('/').map(|(pool, _)| pool.to_owned());
                prop_assert_eq!(pool.as_ref(), placed.as_ref().ok());
                prop_assert_eq!(held.insert(device, index), None);
            }
        }
    }
}
