//! What the controller of volumes did in the recordings: it bound claims to volumes.
//!
//! Not modelled: the making of volumes; no recording has a provisioner.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use serde_json::Value;

use super::super::cluster::volumes::Candidates;
use super::super::engine::Scheduler;
use super::super::framework::{Binder, VolumeBinding};
use super::{list, read};

/// Volumes and claims as the API server had them.
#[derive(Clone, Debug, Default)]
pub(super) struct Storage {
    volumes: BTreeMap<String, PersistentVolume>,
    claims: BTreeMap<String, PersistentVolumeClaim>,
}

/// One way through the choices that upstream leaves to chance.
#[derive(Clone, Debug, Default)]
pub(super) struct Ties {
    /// What was chosen, of how many.
    choices: Vec<(usize, usize)>,
    next: usize,
}

impl Ties {
    /// How many ways are tried before a scenario counts as decided otherwise.
    pub const MOST: usize = 500;

    fn choose(&mut self, count: usize) -> usize {
        if self.next == self.choices.len() {
            self.choices.push((0, count));
        }
        self.next += 1;
        self.choices[self.next - 1].0
    }

    /// The next way; none if all were gone.
    pub fn advance(mut self) -> Option<Self> {
        self.next = 0;
        while let Some((chosen, count)) = self.choices.pop() {
            if chosen + 1 < count {
                self.choices.push((chosen + 1, count));
                return Some(self);
            }
        }
        None
    }
}

/// Keeps what a pod's binding says of its claims.
#[derive(Debug, Default)]
pub(super) struct KeepBindings(pub Vec<VolumeBinding>);

impl Binder for KeepBindings {
    fn bind(&mut self, _: &super::super::cluster::PodInfo, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn bind_volumes(
        &mut self,
        _: &super::super::cluster::PodInfo,
        _: &str,
        bindings: &[VolumeBinding],
    ) -> Result<(), String> {
        self.0.extend_from_slice(bindings);
        Ok(())
    }
}

impl Storage {
    /// Tells the scheduler of everything that was there before the first pod was created.
    pub fn new(input: &Value, namespace: &str, scheduler: &mut Scheduler) -> Result<Self, String> {
        for class in list(&input["storageClasses"]) {
            let mut class: StorageClass = read(class)?;
            class.volume_binding_mode.get_or_insert_with(|| "Immediate".to_owned());
            scheduler.set_storage_class(&class);
        }
        for node in list(&input["csiNodes"]) {
            scheduler.set_csi_node(&read::<CSINode>(node)?);
        }
        for driver in list(&input["csiDrivers"]) {
            scheduler.set_csi_driver(&read::<CSIDriver>(driver)?);
        }
        for capacity in list(&input["csiStorageCapacities"]) {
            scheduler.set_csi_storage_capacity(&read::<CSIStorageCapacity>(capacity)?);
        }
        for attachment in list(&input["volumeAttachments"]) {
            scheduler.set_volume_attachment(&read::<VolumeAttachment>(attachment)?);
        }
        let mut storage = Self::default();
        for volume in list(&input["persistentVolumes"]) {
            let mut volume: PersistentVolume = read(volume)?;
            volume.status.get_or_insert_default().phase = Some("Available".to_owned());
            let name = volume.metadata.name.clone().unwrap_or_default();
            scheduler.set_persistent_volume(&volume);
            storage.volumes.insert(name, volume);
        }
        for claim in list(&input["persistentVolumeClaims"]) {
            let mut claim: PersistentVolumeClaim = read(claim)?;
            claim.metadata.namespace.get_or_insert_with(|| namespace.to_owned());
            claim.status.get_or_insert_default().phase = Some("Pending".to_owned());
            let name = claim.metadata.name.clone().unwrap_or_default();
            scheduler.set_persistent_volume_claim(&claim);
            storage.claims.insert(name, claim);
        }
        for name in storage.claims.keys().cloned().collect::<Vec<_>>() {
            if let Some(volume) = storage.volume_for(&name, scheduler) {
                storage.bind(&name, &volume, scheduler);
            }
        }
        Ok(storage)
    }

    /// Completes the bindings that the scheduler has begun for a pod on a node.
    ///
    /// Which of several equal volumes is taken is not defined upstream: `ties` says it.
    pub fn complete(
        &mut self,
        bindings: &[VolumeBinding],
        node: &str,
        ties: &mut Ties,
        scheduler: &mut Scheduler,
    ) {
        for binding in bindings {
            let Some(assumed) = &binding.volume else { continue };
            let equals = Self::equals(binding, node, scheduler);
            let volume = match equals.len() {
                0 | 1 => assumed.to_string(),
                count => equals[ties.choose(count)].clone(),
            };
            self.bind(&binding.claim, &volume, scheduler);
            if volume != **assumed
                && let Some(volume) = self.volumes.get(&**assumed)
            {
                // News of the volume that the scheduler thought it had taken.
                scheduler.set_persistent_volume(volume);
            }
        }
    }

    /// The volumes that the scheduler might have taken as well, its own choice first.
    fn equals(binding: &VolumeBinding, node: &str, scheduler: &Scheduler) -> Vec<String> {
        let cluster = scheduler.cluster();
        let symbols = &cluster.symbols;
        let key = (symbols.get(&binding.namespace), symbols.get(&binding.claim));
        let claim = match key {
            (Some(namespace), Some(name)) => cluster.volumes.claim((namespace, name)),
            _ => None,
        };
        let (Some(claim), Some(node)) = (claim, cluster.node_by_name(node)) else { return Vec::new() };
        let candidates = Candidates::new(claim, &cluster.volumes, symbols, |volume| volume.claim.as_ref());
        let equals = candidates.equals(Some(&node.labels), symbols);
        equals.into_iter().map(|volume| symbols.name(volume).to_string()).collect()
    }

    /// The volume that a claim names, or the one that suits a claim which does not wait for a pod.
    fn volume_for(&self, name: &str, scheduler: &Scheduler) -> Option<String> {
        let claim = self.claims.get(name)?;
        let named = claim.spec.as_ref().and_then(|spec| spec.volume_name.clone());
        if named.is_some() {
            return named;
        }
        let cluster = scheduler.cluster();
        let symbols = &cluster.symbols;
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        let claim = cluster.volumes.claim((symbols.get(namespace)?, symbols.get(name)?))?;
        let class = claim.class.and_then(|class| cluster.volumes.class(class));
        let waits = class.is_some_and(|class| class.waits == Some(true));
        let candidates = Candidates::new(claim, &cluster.volumes, symbols, |volume| volume.claim.as_ref());
        let volume = candidates.choose(None, &[], symbols)?;
        (!waits || volume.is_for(claim)).then(|| symbols.name(volume.name).to_string())
    }

    fn bind(&mut self, claim: &str, volume: &str, scheduler: &mut Scheduler) {
        let (Some(claim), Some(volume)) = (self.claims.get_mut(claim), self.volumes.get_mut(volume)) else {
            return;
        };
        volume.spec.get_or_insert_default().claim_ref = Some(ObjectReference {
            namespace: claim.metadata.namespace.clone(),
            name: claim.metadata.name.clone(),
            uid: claim.metadata.uid.clone(),
            ..ObjectReference::default()
        });
        volume.status.get_or_insert_default().phase = Some("Bound".to_owned());
        claim.spec.get_or_insert_default().volume_name.clone_from(&volume.metadata.name);
        claim.status.get_or_insert_default().phase = Some("Bound".to_owned());
        let annotations = claim.metadata.annotations.get_or_insert_default();
        annotations.insert("pv.kubernetes.io/bind-completed".to_owned(), "yes".to_owned());
        scheduler.set_persistent_volume(volume);
        scheduler.set_persistent_volume_claim(claim);
    }
}
