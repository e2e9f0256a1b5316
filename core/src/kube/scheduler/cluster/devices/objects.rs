//! Slices, classes and claims of devices, converted once.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::NodeSelector;
use k8s_openapi::api::resource::v1::{
    AllocationResult, Device as DeviceObject, DeviceClass, DeviceConstraint, DeviceRequest, DeviceSelector,
    DeviceToleration, ResourceClaim, ResourceSlice,
};

use super::super::node_info::NodeInfo;
use super::super::selector::NodeTerms;
use super::super::symbols::{Symbol, Symbols};
use super::{DeviceId, DeviceNames};

/// Namespace and name of a claim.
pub type ClaimKey = (Symbol, Symbol);

/// From which nodes something can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// From no node: nothing says which.
    Nowhere,
    /// From every node.
    Everywhere,
    /// From this node.
    Node(Symbol),
    /// From the nodes that all of these select.
    Selected(Vec<NodeTerms>),
}

impl Reach {
    fn new(
        node: Option<&str>,
        all: Option<bool>,
        selector: Option<&NodeSelector>,
        symbols: &mut Symbols,
    ) -> Self {
        match (node.filter(|name| !name.is_empty()), all, selector) {
            (Some(name), _, _) => Self::Node(symbols.intern(name)),
            (None, Some(true), _) => Self::Everywhere,
            (None, _, Some(selector)) => {
                Self::Selected(vec![NodeTerms::new(&selector.node_selector_terms, symbols)])
            }
            (None, _, None) => Self::Nowhere,
        }
    }

    /// Whether it can be reached from a node.
    pub fn covers(&self, node: &NodeInfo, symbols: &Symbols) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Everywhere => true,
            Self::Node(name) => *name == node.name,
            Self::Selected(all) => all.iter().all(|terms| terms.matches(node, symbols)),
        }
    }
}

/// A device of a slice.
#[derive(Clone, Debug)]
pub struct Device {
    /// Which.
    pub id: DeviceId,
    /// Another number whenever the device was heard of anew.
    pub version: u64,
    /// From where, if each device of the slice says it for itself.
    pub reach: Option<Reach>,
    /// Whoever uses it uses it on one node only.
    pub binds_to_node: bool,
    /// As the driver describes it.
    pub object: Arc<DeviceObject>,
}

/// A part of a pool of devices.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Its name: slices of a pool are searched in the order of their names.
    pub name: Arc<str>,
    /// The driver of its devices.
    pub driver: Arc<str>,
    /// The pool it is part of.
    pub pool: Arc<str>,
    /// The generation of the pool; the highest counts.
    pub generation: i64,
    /// How many slices the pool has in that generation.
    pub slices_in_pool: i64,
    /// From where all its devices can be reached; none if each says it for itself.
    pub reach: Option<Reach>,
    /// In the order in which they are tried.
    pub devices: Vec<Device>,
    /// What it uses that is not modelled.
    pub not_modelled: Option<&'static str>,
}

impl Slice {
    pub(super) fn new(
        slice: &ResourceSlice,
        version: u64,
        names: &mut DeviceNames,
        symbols: &mut Symbols,
    ) -> Self {
        let spec = &slice.spec;
        let each = spec.per_device_node_selection == Some(true);
        let mut not_modelled = None;
        if spec.shared_counters.as_ref().is_some_and(|counters| !counters.is_empty()) {
            not_modelled = Some("ResourceSlice.spec.sharedCounters");
        }
        let mut devices = Vec::new();
        for device in spec.devices.iter().flatten() {
            if device.consumes_counters.as_ref().is_some_and(|counters| !counters.is_empty()) {
                not_modelled = Some("ResourceSlice.spec.devices.consumesCounters");
            }
            if device.allow_multiple_allocations == Some(true) {
                not_modelled = Some("ResourceSlice.spec.devices.allowMultipleAllocations");
            }
            if device.binding_conditions.as_ref().is_some_and(|conditions| !conditions.is_empty()) {
                not_modelled = Some("ResourceSlice.spec.devices.bindingConditions");
            }
            let (node, selector) = (device.node_name.as_deref(), device.node_selector.as_ref());
            devices.push(Device {
                id: names.intern(&spec.driver, &spec.pool.name, &device.name, symbols),
                version,
                reach: each.then(|| Reach::new(node, device.all_nodes, selector, symbols)),
                binds_to_node: device.binds_to_node == Some(true),
                object: Arc::new(device.clone()),
            });
        }
        let (node, selector) = (spec.node_name.as_deref(), spec.node_selector.as_ref());
        Self {
            name: slice.metadata.name.as_deref().unwrap_or_default().into(),
            driver: spec.driver.as_str().into(),
            pool: spec.pool.name.as_str().into(),
            generation: spec.pool.generation,
            slices_in_pool: spec.pool.resource_slice_count,
            reach: (!each).then(|| Reach::new(node, spec.all_nodes, selector, symbols)),
            devices,
            not_modelled,
        }
    }

    /// Whether any of its devices can be reached from a node.
    pub fn covers(&self, node: &NodeInfo, symbols: &Symbols) -> bool {
        match &self.reach {
            Some(reach) => reach.covers(node, symbols),
            None => self.devices.iter().any(|device| self.reaches(device, node, symbols)),
        }
    }

    /// Whether one of its devices can be reached from a node from which the slice can.
    pub fn reaches(&self, device: &Device, node: &NodeInfo, symbols: &Symbols) -> bool {
        device.reach.as_ref().is_none_or(|reach| reach.covers(node, symbols))
    }
}

/// A class of devices.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name.
    pub name: Symbol,
    /// CEL expressions that all must hold.
    pub selectors: Vec<Arc<str>>,
    /// The extended resource that pods may ask for instead of claiming devices.
    pub extended_resource: Option<Symbol>,
    /// The resource by which every class can be asked for.
    pub implicit_resource: Symbol,
    /// When it was made.
    pub created: Option<Timestamp>,
}

impl Class {
    pub(super) fn new(class: &DeviceClass, symbols: &mut Symbols) -> Self {
        let name = class.metadata.name.as_deref().unwrap_or_default();
        let extended = class.spec.extended_resource_name.as_deref();
        Self {
            name: symbols.intern(name),
            selectors: selectors(class.spec.selectors.as_deref()),
            extended_resource: extended.map(|name| symbols.intern(name)),
            implicit_resource: symbols.intern(&format!("deviceclass.resource.kubernetes.io/{name}")),
            created: class.metadata.creation_timestamp.as_ref().map(|time| time.0),
        }
    }
}

fn selectors(list: Option<&[DeviceSelector]>) -> Vec<Arc<str>> {
    let list = list.unwrap_or_default().iter().filter_map(|selector| selector.cel.as_ref());
    list.map(|cel| cel.expression.as_str().into()).collect()
}

/// How many devices of a kind.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Name of the request; of an alternative, `request/alternative`.
    pub name: Arc<str>,
    /// Name of the class, as it was written.
    pub class: Arc<str>,
    /// CEL expressions that all must hold, besides those of the class.
    pub selectors: Vec<Arc<str>>,
    /// How many; none for all there are.
    pub count: Option<usize>,
    /// For administration: devices that are in use will do.
    pub admin: bool,
    /// Taints of devices that do not matter.
    pub tolerations: Vec<DeviceToleration>,
    /// What it uses that is not modelled.
    pub not_modelled: Option<&'static str>,
}

/// A request of a claim.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its name.
    pub name: Arc<str>,
    /// What will do, the best first; one unless it is a list of alternatives.
    pub choices: Vec<Wanted>,
    /// Whether it is a list of alternatives (`firstAvailable`).
    pub prioritized: bool,
}

impl Request {
    fn new(request: &DeviceRequest) -> Self {
        let count = |mode: Option<&str>, count: Option<i64>| {
            (mode != Some("All")).then(|| usize::try_from(count.unwrap_or(1)).unwrap_or(0))
        };
        let capacity = |asked: bool| asked.then_some("ResourceClaim.spec.devices.requests.capacity");
        let alternatives = request.first_available.iter().flatten().map(|one| Wanted {
            name: format!("{}/{}", request.name, one.name).into(),
            class: one.device_class_name.as_str().into(),
            selectors: selectors(one.selectors.as_deref()),
            count: count(one.allocation_mode.as_deref(), one.count),
            admin: false,
            tolerations: one.tolerations.clone().unwrap_or_default(),
            not_modelled: capacity(one.capacity.is_some()),
        });
        let exactly = request.exactly.iter().map(|one| Wanted {
            name: request.name.as_str().into(),
            class: one.device_class_name.as_str().into(),
            selectors: selectors(one.selectors.as_deref()),
            count: count(one.allocation_mode.as_deref(), one.count),
            admin: one.admin_access == Some(true),
            tolerations: one.tolerations.clone().unwrap_or_default(),
            not_modelled: capacity(one.capacity.is_some()),
        });
        Self {
            name: request.name.as_str().into(),
            prioritized: request.exactly.is_none(),
            choices: exactly.chain(alternatives).collect(),
        }
    }
}

/// A device that was given to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allotted {
    /// The request, with its alternative.
    pub request: Arc<str>,
    /// The device.
    pub device: DeviceId,
    /// For administration: others may have it, too.
    pub admin: bool,
}

/// The devices that were given to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// In the order in which they were chosen.
    pub devices: Vec<Allotted>,
    /// The nodes on which they can be used.
    pub reach: Reach,
}

impl Allocation {
    fn new(result: &AllocationResult, names: &mut DeviceNames, symbols: &mut Symbols) -> Self {
        let devices = result.devices.iter().flat_map(|devices| devices.results.iter().flatten());
        Self {
            devices: devices
                .map(|result| Allotted {
                    request: result.request.as_str().into(),
                    device: names.intern(&result.driver, &result.pool, &result.device, symbols),
                    admin: result.admin_access == Some(true),
                })
                .collect(),
            reach: match &result.node_selector {
                Some(selector) => {
                    Reach::Selected(vec![NodeTerms::new(&selector.node_selector_terms, symbols)])
                }
                None => Reach::Everywhere,
            },
        }
    }
}

/// Who may use a claim's devices: name and unique id, which is empty where no API server gave one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Name of the pod.
    pub name: Arc<str>,
    /// Its unique id.
    pub uid: Arc<str>,
}

/// A claim to devices.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Namespace and name.
    pub key: ClaimKey,
    /// Unique id of the object that controls it.
    pub controller_uid: Option<Arc<str>>,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// What it asks for.
    pub requests: Vec<Request>,
    /// What the devices must have in common, or must not.
    pub constraints: Vec<DeviceConstraint>,
    /// What it has got.
    pub allocation: Option<Arc<Allocation>>,
    /// Who uses it.
    pub reserved_for: Vec<Consumer>,
    /// Devices were chosen for a pod that is not bound yet.
    pub in_flight: bool,
}

impl Claim {
    pub(super) fn new(claim: &ResourceClaim, names: &mut DeviceNames, symbols: &mut Symbols) -> Self {
        let metadata = &claim.metadata;
        let devices = claim.spec.devices.as_ref();
        let status = claim.status.as_ref();
        let mut owners = metadata.owner_references.iter().flatten();
        Self {
            key: (
                symbols.intern(metadata.namespace.as_deref().unwrap_or("default")),
                symbols.intern(metadata.name.as_deref().unwrap_or_default()),
            ),
            controller_uid: owners
                .find(|owner| owner.controller == Some(true))
                .map(|owner| owner.uid.as_str().into()),
            terminating: metadata.deletion_timestamp.is_some(),
            requests: devices
                .iter()
                .flat_map(|devices| devices.requests.iter().flatten())
                .map(Request::new)
                .collect(),
            constraints: devices.and_then(|devices| devices.constraints.clone()).unwrap_or_default(),
            allocation: status
                .and_then(|status| status.allocation.as_ref())
                .map(|result| Arc::new(Allocation::new(result, names, symbols))),
            reserved_for: status
                .iter()
                .flat_map(|status| status.reserved_for.iter().flatten())
                .map(|one| Consumer { name: one.name.as_str().into(), uid: one.uid.as_str().into() })
                .collect(),
            in_flight: false,
        }
    }

    /// Whether a pod of that name and unique id uses it.
    pub fn is_reserved_for(&self, name: &str, uid: &str) -> bool {
        self.reserved_for.iter().any(|one| *one.uid == *uid && (!uid.is_empty() || *one.name == *name))
    }

    /// `namespace/name`
    pub fn text(&self, symbols: &Symbols) -> String {
        format!("{}/{}", symbols.name(self.key.0), symbols.name(self.key.1))
    }
}
