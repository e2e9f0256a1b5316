//! Volumes, claims, storage classes, and what CSI drivers say of nodes.

mod in_tree;
mod matching;
mod objects;
mod pod_volume;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};

use super::pod_info::PodInfo;
use super::symbols::{Symbol, Symbols};
pub use in_tree::{CsiVolume, InTree};
pub use matching::Candidates;
pub use objects::{
    AccessModes, Attachment, Capacity, Claim, ClaimKey, ClaimRef, Class, Driver, NodeDrivers, Volume,
};
pub use pod_volume::{Disk, PodVolume};

/// An object before and after a change.
pub type Change<T> = (Option<Arc<T>>, Arc<T>);

/// An object with the number of the change that brought it.
#[derive(Clone, Debug)]
struct Stored<T> {
    object: Arc<T>,
    version: u64,
}

/// All of them, as they were last heard of.
#[derive(Clone, Debug, Default)]
pub struct Volumes {
    version: u64,
    claims: BTreeMap<ClaimKey, Stored<Claim>>,
    persistent: BTreeMap<Symbol, Stored<Volume>>,
    by_class: BTreeMap<Option<Symbol>, BTreeSet<Symbol>>,
    classes: BTreeMap<Symbol, Arc<Class>>,
    nodes: BTreeMap<Symbol, Arc<NodeDrivers>>,
    drivers: BTreeMap<Symbol, Arc<Driver>>,
    capacities: BTreeMap<(Symbol, Symbol), Arc<Capacity>>,
    attachments: BTreeMap<Symbol, Arc<Attachment>>,
}

impl Volumes {
    /// Takes over a volume.
    pub fn set_volume(&mut self, volume: &PersistentVolume, symbols: &mut Symbols) -> Change<Volume> {
        let new = Arc::new(Volume::new(volume, symbols));
        self.version += 1;
        let stored = Stored { object: Arc::clone(&new), version: self.version };
        let old = self.persistent.insert(new.name, stored).map(|stored| stored.object);
        if let Some(old) = &old {
            self.unlist(old);
        }
        self.by_class.entry(new.class).or_default().insert(new.name);
        (old, new)
    }

    /// Forgets a volume.
    pub fn remove_volume(&mut self, name: Symbol) {
        if let Some(old) = self.persistent.remove(&name) {
            self.unlist(&old.object);
        }
    }

    fn unlist(&mut self, volume: &Volume) {
        if let Some(names) = self.by_class.get_mut(&volume.class) {
            names.remove(&volume.name);
            if names.is_empty() {
                self.by_class.remove(&volume.class);
            }
        }
    }

    /// Takes over a claim.
    pub fn set_claim(&mut self, claim: &PersistentVolumeClaim, symbols: &mut Symbols) -> Change<Claim> {
        let new = Arc::new(Claim::new(claim, symbols));
        self.version += 1;
        let stored = Stored { object: Arc::clone(&new), version: self.version };
        (self.claims.insert(new.key, stored).map(|stored| stored.object), new)
    }

    /// Forgets a claim.
    pub fn remove_claim(&mut self, key: ClaimKey) {
        self.claims.remove(&key);
    }

    /// Takes over a storage class.
    pub fn set_class(&mut self, class: &StorageClass, symbols: &mut Symbols) -> Change<Class> {
        let new = Arc::new(Class::new(class, symbols));
        (self.classes.insert(new.name, Arc::clone(&new)), new)
    }

    /// Forgets a storage class.
    pub fn remove_class(&mut self, name: Symbol) {
        self.classes.remove(&name);
    }

    /// Takes over what the CSI drivers of a node say.
    pub fn set_node(&mut self, node: &CSINode, symbols: &mut Symbols) -> Change<NodeDrivers> {
        let name = symbols.intern(node.metadata.name.as_deref().unwrap_or_default());
        let new = Arc::new(NodeDrivers::new(node, symbols));
        (self.nodes.insert(name, Arc::clone(&new)), new)
    }

    /// Forgets the CSI drivers of a node.
    pub fn remove_node(&mut self, name: Symbol) {
        self.nodes.remove(&name);
    }

    /// Takes over a CSI driver.
    pub fn set_driver(&mut self, driver: &CSIDriver, symbols: &mut Symbols) -> Change<Driver> {
        let new = Arc::new(Driver::new(driver, symbols));
        (self.drivers.insert(new.name, Arc::clone(&new)), new)
    }

    /// Forgets a CSI driver.
    pub fn remove_driver(&mut self, name: Symbol) {
        self.drivers.remove(&name);
    }

    /// Takes over how much is free somewhere.
    pub fn set_capacity(&mut self, capacity: &CSIStorageCapacity, symbols: &mut Symbols) -> Change<Capacity> {
        let metadata = &capacity.metadata;
        let key = (
            symbols.intern(metadata.namespace.as_deref().unwrap_or("default")),
            symbols.intern(metadata.name.as_deref().unwrap_or_default()),
        );
        let new = Arc::new(Capacity::new(capacity, symbols));
        (self.capacities.insert(key, Arc::clone(&new)), new)
    }

    /// Forgets how much is free somewhere.
    pub fn remove_capacity(&mut self, key: (Symbol, Symbol)) {
        self.capacities.remove(&key);
    }

    /// Takes over an attachment.
    pub fn set_attachment(&mut self, attachment: &VolumeAttachment, symbols: &mut Symbols) {
        let name = symbols.intern(attachment.metadata.name.as_deref().unwrap_or_default());
        self.attachments.insert(name, Arc::new(Attachment::new(attachment, symbols)));
    }

    /// Forgets an attachment, and says what it was.
    pub fn remove_attachment(&mut self, name: Symbol) -> Option<Arc<Attachment>> {
        self.attachments.remove(&name)
    }

    /// A claim.
    pub fn claim(&self, key: ClaimKey) -> Option<&Arc<Claim>> {
        self.claims.get(&key).map(|stored| &stored.object)
    }

    /// A volume.
    pub fn volume(&self, name: Symbol) -> Option<&Arc<Volume>> {
        self.persistent.get(&name).map(|stored| &stored.object)
    }

    /// The number of the change that brought a claim.
    pub fn claim_version(&self, key: ClaimKey) -> Option<u64> {
        self.claims.get(&key).map(|stored| stored.version)
    }

    /// The number of the change that brought a volume.
    pub fn volume_version(&self, name: Symbol) -> Option<u64> {
        self.persistent.get(&name).map(|stored| stored.version)
    }

    /// The volumes of a class, in an order that does not change (upstream: that of a hash map).
    pub fn volumes_of_class(&self, class: Option<Symbol>) -> impl Iterator<Item = &Arc<Volume>> {
        self.by_class.get(&class).into_iter().flatten().filter_map(|name| self.volume(*name))
    }

    /// A storage class.
    pub fn class(&self, name: Symbol) -> Option<&Arc<Class>> {
        self.classes.get(&name)
    }

    /// What the CSI drivers of a node say.
    pub fn node(&self, name: Symbol) -> Option<&NodeDrivers> {
        self.nodes.get(&name).map(|drivers| &**drivers)
    }

    /// A CSI driver.
    pub fn driver(&self, name: Symbol) -> Option<&Driver> {
        self.drivers.get(&name).map(|driver| &**driver)
    }

    /// Everywhere that something is free.
    pub fn capacities(&self) -> impl Iterator<Item = &Capacity> {
        self.capacities.values().map(|capacity| &**capacity)
    }

    /// What is attached to a node.
    pub fn attached_to(&self, node: Symbol) -> impl Iterator<Item = &Attachment> {
        self.attachments.values().map(|attachment| &**attachment).filter(move |a| a.node == node)
    }

    /// The driver that stands in for an in-tree provisioner, if the provisioner is one (`GetCSINameFromInTreeName`).
    pub fn driver_for(provisioner: &str) -> Option<&'static str> {
        in_tree::driver_for(provisioner)
    }

    /// Whether a claim that is made for one pod alone is that pod's.
    ///
    /// # Errors
    ///
    /// It belongs to somebody else; the text is upstream's (`ephemeral.VolumeIsForPod`).
    pub fn is_for_pod(claim: &Claim, pod: &PodInfo, symbols: &Symbols) -> Result<(), String> {
        if claim.controller_uid.as_deref().is_some_and(|uid| uid == pod.uid()) {
            return Ok(());
        }
        let name = |symbol| symbols.name(symbol);
        Err(format!(
            "PVC {}/{} was not created for pod {}/{} (pod is not owner)",
            name(claim.key.0),
            name(claim.key.1),
            name(pod.namespace),
            name(pod.name)
        ))
    }
}
