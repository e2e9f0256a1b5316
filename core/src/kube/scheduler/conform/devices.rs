//! Devices that pods claim, as the API server of the recordings had them.

use std::collections::BTreeMap;

use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim, ResourceSlice};
use serde_json::{Value, json};

use super::super::engine::Scheduler;
use super::{list, read};

/// Tells the scheduler of everything that was there before the first pod was created.
pub(super) fn fill(input: &Value, namespace: &str, scheduler: &mut Scheduler) -> Result<(), String> {
    for class in list(&input["deviceClasses"]) {
        scheduler.set_device_class(&read::<DeviceClass>(class)?);
    }
    for slice in list(&input["resourceSlices"]) {
        scheduler.set_resource_slice(&read::<ResourceSlice>(slice)?);
    }
    for claim in list(&input["resourceClaims"]) {
        let mut claim: ResourceClaim = read(claim)?;
        claim.metadata.namespace.get_or_insert_with(|| namespace.to_owned());
        scheduler.set_resource_claim(&claim);
    }
    Ok(())
}

/// What of its devices is not modelled, if anything.
pub(super) fn not_modelled(input: &Value) -> Option<&'static str> {
    let slices = list(&input["resourceSlices"]);
    let devices = || slices.iter().flat_map(|slice| list(&slice["spec"]["devices"]));
    if slices.iter().any(|slice| !slice["spec"]["sharedCounters"].is_null())
        || devices().any(|device| !device["consumesCounters"].is_null())
    {
        return Some("partitionable devices");
    }
    if devices().any(|device| device["allowMultipleAllocations"] == json!(true)) {
        return Some("devices that several claims share");
    }
    if devices().any(|device| !device["bindingConditions"].is_null()) {
        return Some("devices whose binding has conditions");
    }
    None
}

/// The devices of each claim that has any, in the order in which they were chosen.
pub(super) fn claims(scheduler: &Scheduler) -> Value {
    let cluster = scheduler.cluster();
    let name = |symbol| &**cluster.symbols.name(symbol);
    let mut found = BTreeMap::new();
    for claim in cluster.devices.claims() {
        let Some(allocation) = &claim.allocation else { continue };
        let devices = allocation.devices.iter().map(|one| {
            let (driver, pool, device) = cluster.devices.name(one.device);
            json!({
                "request": &*one.request,
                "driver": name(driver),
                "pool": name(pool),
                "device": name(device),
            })
        });
        found.insert(name(claim.key.1).to_owned(), devices.collect::<Vec<_>>());
    }
    json!(found)
}
