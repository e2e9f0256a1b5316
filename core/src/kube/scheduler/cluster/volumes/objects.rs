//! Volumes, claims and their surroundings as the scheduler sees them.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};

use super::super::selector::{NodeTerms, Selector};
use super::super::symbols::{Labels, Symbol, Symbols};
use super::in_tree::{self, CsiVolume, InTree};
use crate::kube::quantity::Amount;

/// The controller has bound claim and volume to each other, both ways.
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// The node for which the scheduler wants a volume to be made.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// The class, as it was named before there was a field for it.
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// In-tree plugins that a CSI driver stands in for on a node.
const MIGRATED_PLUGINS: &str = "storage.alpha.kubernetes.io/migrated-plugins";

/// Access modes, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccessModes(u8);

impl AccessModes {
    const NAMES: [&'static str; 4] = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];

    fn new(modes: Option<&Vec<String>>) -> Self {
        let place = |mode: &String| Self::NAMES.iter().position(|name| name == mode);
        Self(modes.into_iter().flatten().filter_map(place).fold(0, |set, place| set | 1 << place))
    }

    /// Whether only one pod at a time may use it.
    pub const fn has_read_write_once_pod(self) -> bool {
        self.0 & 1 << 3 != 0
    }

    /// Whether every mode of `other` is in it.
    pub const fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A claim by namespace and name.
pub type ClaimKey = (Symbol, Symbol);

/// A persistent volume claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Namespace and name.
    pub key: ClaimKey,
    /// Its unique id; empty for one that no API server has seen.
    pub uid: String,
    /// The volume that it is or wants to be bound to.
    pub volume: Option<Symbol>,
    /// Whether the binding is complete.
    pub bound: bool,
    /// Whether it is bound to a volume that is gone.
    pub lost: bool,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// Its storage class; none for a claim without one.
    pub class: Option<Symbol>,
    /// The node for which a volume is to be made.
    pub selected_node: Option<Symbol>,
    /// How it is to be used.
    pub access_modes: AccessModes,
    /// How much it asks for; none if it does not say.
    pub request: Option<Amount>,
    /// Which volumes will do, if it says so.
    pub selector: Option<Selector>,
    /// Whether it wants a raw device.
    pub block: bool,
    /// `spec.volumeAttributesClassName`
    pub attributes_class: Option<Symbol>,
    /// The unique id of the pod or other object that controls it.
    pub controller_uid: Option<String>,
}

impl Claim {
    pub(super) fn new(claim: &PersistentVolumeClaim, symbols: &mut Symbols) -> Self {
        let metadata = &claim.metadata;
        let annotation = |name| metadata.annotations.iter().flatten().find(|(key, _)| *key == name);
        let spec = claim.spec.as_ref();
        let status = claim.status.as_ref();
        let requests = spec.and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
        let class = annotation(BETA_CLASS)
            .map(|(_, value)| value.as_str())
            .or_else(|| spec.and_then(|spec| spec.storage_class_name.as_deref()));
        let volume = non_empty(spec.and_then(|spec| spec.volume_name.as_deref()));
        let owners = metadata.owner_references.iter().flatten();
        Self {
            key: (
                symbols.intern(metadata.namespace.as_deref().unwrap_or("default")),
                symbols.intern(metadata.name.as_deref().unwrap_or_default()),
            ),
            uid: metadata.uid.clone().unwrap_or_default(),
            bound: volume.is_some() && annotation(BIND_COMPLETED).is_some(),
            volume: volume.map(|name| symbols.intern(name)),
            lost: status.and_then(|status| status.phase.as_deref()) == Some("Lost"),
            terminating: metadata.deletion_timestamp.is_some(),
            class: non_empty(class).map(|class| symbols.intern(class)),
            selected_node: annotation(SELECTED_NODE).map(|(_, node)| symbols.intern(node)),
            access_modes: AccessModes::new(spec.and_then(|spec| spec.access_modes.as_ref())),
            request: requests.and_then(|list| list.get("storage")).map(super::super::resources::parse),
            selector: spec
                .and_then(|spec| spec.selector.as_ref())
                .map(|selector| Selector::new(Some(selector), symbols)),
            block: spec.and_then(|spec| spec.volume_mode.as_deref()) == Some("Block"),
            attributes_class: non_empty(spec.and_then(|spec| spec.volume_attributes_class_name.as_deref()))
                .map(|class| symbols.intern(class)),
            controller_uid: owners
                .filter(|owner| owner.controller == Some(true))
                .map(|owner| owner.uid.clone())
                .next(),
        }
    }

    /// How much it asks for, nothing if it does not say.
    pub fn size(&self) -> Amount {
        self.request.unwrap_or_default()
    }
}

/// The claim that a volume is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRef {
    /// Namespace and name.
    pub key: ClaimKey,
    /// Its unique id; empty until the binding is complete.
    pub uid: String,
}

/// A persistent volume.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// Its name.
    pub name: Symbol,
    /// How much fits in.
    pub capacity: Amount,
    /// Its storage class; none for a volume without one.
    pub class: Option<Symbol>,
    /// How it can be used.
    pub access_modes: AccessModes,
    /// Whether it is a raw device.
    pub block: bool,
    /// `spec.volumeAttributesClassName`
    pub attributes_class: Option<Symbol>,
    /// The claim that it is for.
    pub claim: Option<ClaimRef>,
    /// Whether it is free (`status.phase: Available`).
    pub available: bool,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// Its labels.
    pub labels: Labels,
    /// The nodes from which it can be reached; none is all.
    pub node_affinity: Option<NodeTerms>,
    /// The driver and the handle, for a CSI volume.
    pub csi: Option<CsiVolume>,
    /// An in-tree disk that a CSI driver may stand in for.
    pub in_tree: Option<InTree>,
}

impl Volume {
    pub(super) fn new(volume: &PersistentVolume, symbols: &mut Symbols) -> Self {
        let metadata = &volume.metadata;
        let none = k8s_openapi::api::core::v1::PersistentVolumeSpec::default();
        let spec = volume.spec.as_ref().unwrap_or(&none);
        let annotations = metadata.annotations.iter().flatten();
        let beta_class = annotations.filter(|(key, _)| *key == BETA_CLASS).map(|(_, value)| value.as_str());
        let class = beta_class.chain(spec.storage_class_name.as_deref()).next();
        let required = spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref());
        Self {
            name: symbols.intern(metadata.name.as_deref().unwrap_or_default()),
            capacity: spec
                .capacity
                .as_ref()
                .and_then(|list| list.get("storage"))
                .map(super::super::resources::parse)
                .unwrap_or_default(),
            class: non_empty(class).map(|class| symbols.intern(class)),
            access_modes: AccessModes::new(spec.access_modes.as_ref()),
            block: spec.volume_mode.as_deref() == Some("Block"),
            attributes_class: non_empty(spec.volume_attributes_class_name.as_deref())
                .map(|class| symbols.intern(class)),
            claim: spec.claim_ref.as_ref().map(|claim| ClaimRef {
                key: (
                    symbols.intern(claim.namespace.as_deref().unwrap_or_default()),
                    symbols.intern(claim.name.as_deref().unwrap_or_default()),
                ),
                uid: claim.uid.clone().unwrap_or_default(),
            }),
            available: volume.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Available"),
            terminating: metadata.deletion_timestamp.is_some(),
            labels: Labels::new(metadata.labels.iter().flatten(), symbols),
            node_affinity: required.map(|selector| NodeTerms::new(&selector.node_selector_terms, symbols)),
            csi: spec.csi.as_ref().map(|csi| CsiVolume {
                driver: symbols.intern(&csi.driver),
                handle: symbols.intern(&csi.volume_handle),
            }),
            in_tree: in_tree::of_persistent_volume(spec, symbols),
        }
    }

    /// Whether it is for that claim, and not for an earlier one of the same name (`IsVolumeBoundToClaim`).
    pub fn is_for(&self, claim: &Claim) -> bool {
        self.claim
            .as_ref()
            .is_some_and(|own| own.key == claim.key && (own.uid.is_empty() || own.uid == claim.uid))
    }
}

/// One alternative of a class's `allowedTopologies`: labels, and the values that each may have.
type TopologyTerm = Vec<(Symbol, Vec<Symbol>)>;

/// A storage class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: Symbol,
    /// Who makes its volumes.
    pub provisioner: Symbol,
    /// Whether anybody makes volumes of it.
    pub provisions: bool,
    /// Whether binding waits for the first pod; none if the class does not say.
    pub waits: Option<bool>,
    allowed_topologies: Vec<TopologyTerm>,
}

impl Class {
    pub(super) fn new(class: &StorageClass, symbols: &mut Symbols) -> Self {
        let terms = class.allowed_topologies.iter().flatten().map(|term| {
            let expressions = term.match_label_expressions.iter().flatten();
            expressions
                .map(|r| {
                    (symbols.intern(&r.key), r.values.iter().map(|value| symbols.intern(value)).collect())
                })
                .collect()
        });
        let allowed_topologies = terms.collect();
        Self {
            name: symbols.intern(class.metadata.name.as_deref().unwrap_or_default()),
            provisioner: symbols.intern(&class.provisioner),
            provisions: !matches!(&*class.provisioner, "" | "kubernetes.io/no-provisioner"),
            waits: class.volume_binding_mode.as_deref().map(|mode| mode == "WaitForFirstConsumer"),
            allowed_topologies,
        }
    }

    /// Whether volumes of the class can be reached from a node with those labels (`MatchTopologySelectorTerms`).
    pub fn allows(&self, labels: &Labels) -> bool {
        // An empty list allows every node, an empty term none.
        let fits = |term: &TopologyTerm| {
            !term.is_empty()
                && term
                    .iter()
                    .all(|(key, values)| labels.get(*key).is_some_and(|value| values.contains(&value)))
        };
        self.allowed_topologies.is_empty() || self.allowed_topologies.iter().any(fits)
    }

    /// Whether both allow the same nodes, by their text.
    pub fn has_topologies_of(&self, other: &Self) -> bool {
        self.allowed_topologies == other.allowed_topologies
    }
}

/// What the CSI drivers of a node say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeDrivers {
    /// The drivers, with how many volumes each can attach if it says so.
    pub drivers: Vec<(Symbol, Option<i64>)>,
    /// In-tree plugins that a driver stands in for.
    pub migrated: Vec<Symbol>,
}

impl NodeDrivers {
    pub(super) fn new(node: &CSINode, symbols: &mut Symbols) -> Self {
        let drivers = node.spec.drivers.iter();
        let annotations = node.metadata.annotations.iter().flatten();
        let migrated = annotations.filter(|(key, _)| *key == MIGRATED_PLUGINS);
        Self {
            drivers: drivers
                .map(|driver| {
                    let count = driver.allocatable.as_ref().and_then(|allocatable| allocatable.count);
                    (symbols.intern(&driver.name), count.map(i64::from))
                })
                .collect(),
            migrated: migrated
                .flat_map(|(_, list)| list.split(',').filter(|name| !name.is_empty()))
                .map(|name| symbols.intern(name))
                .collect(),
        }
    }

    /// How many volumes a driver can attach to the node; none if it does not say.
    pub fn limit(&self, driver: Symbol) -> Option<i64> {
        // The last entry of a name counts, as in a map.
        self.drivers.iter().rev().filter(|(name, _)| *name == driver).find_map(|(_, limit)| *limit)
    }
}

/// What matters of a CSI driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Driver {
    /// Its name.
    pub name: Symbol,
    /// Whether free capacity is to be looked at before a volume is made.
    pub storage_capacity: bool,
    /// Whether its volumes keep pods from nodes that do not have it.
    pub prevent_pod_scheduling_if_missing: bool,
}

impl Driver {
    pub(super) fn new(driver: &CSIDriver, symbols: &mut Symbols) -> Self {
        Self {
            name: symbols.intern(driver.metadata.name.as_deref().unwrap_or_default()),
            storage_capacity: driver.spec.storage_capacity == Some(true),
            prevent_pod_scheduling_if_missing: driver.spec.prevent_pod_scheduling_if_missing == Some(true),
        }
    }
}

/// Free capacity of a class in a part of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Of which class.
    pub class: Symbol,
    /// How large a volume can be, in bytes: `maximumVolumeSize`, else `capacity`.
    pub limit: Option<i64>,
    /// From which nodes; none is from no node.
    pub nodes: Option<Selector>,
}

impl Capacity {
    pub(super) fn new(capacity: &CSIStorageCapacity, symbols: &mut Symbols) -> Self {
        let limit = capacity.maximum_volume_size.as_ref().or(capacity.capacity.as_ref());
        Self {
            class: symbols.intern(&capacity.storage_class_name),
            limit: limit.map(|limit| super::super::resources::parse(limit).value()),
            nodes: capacity.node_topology.as_ref().map(|selector| Selector::new(Some(selector), symbols)),
        }
    }
}

/// A volume that is attached to a node, or about to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The node.
    pub node: Symbol,
    /// The driver.
    pub driver: Symbol,
    /// The persistent volume; none for an inline volume of a pod.
    pub volume: Option<Symbol>,
}

impl Attachment {
    pub(super) fn new(attachment: &VolumeAttachment, symbols: &mut Symbols) -> Self {
        let spec = &attachment.spec;
        Self {
            node: symbols.intern(&spec.node_name),
            driver: symbols.intern(&spec.attacher),
            volume: spec.source.persistent_volume_name.as_deref().map(|name| symbols.intern(name)),
        }
    }
}

fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
