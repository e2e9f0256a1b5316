//! What the scheduler has decided of volumes and claims and not heard back of (upstream's assume cache).
//!
//! An entry counts only as long as the object is the one that it was decided on:
//! any later news of it says what really became of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::super::cluster::volumes::{Candidates, Claim, ClaimKey, ClaimRef, Volume, Volumes};
use super::super::super::cluster::{Cluster, Symbol};
use super::find::{PodVolumes, Waiting};

#[derive(Clone, Debug)]
struct Entry<T> {
    value: T,
    version: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Assumed {
    /// For which claim a volume is.
    volumes: BTreeMap<Symbol, Entry<ClaimRef>>,
    /// For which node a claim's volume is to be made.
    claims: BTreeMap<ClaimKey, Entry<Symbol>>,
}

impl Assumed {
    /// A claim that waits for its pod, with everything that can be known of it before any node is looked at.
    pub fn waiting(&self, claim: &Arc<Claim>, cluster: &Cluster) -> Waiting {
        let volumes = &cluster.volumes;
        let of_claim =
            self.claims.get(&claim.key).filter(|e| volumes.claim_version(claim.key) == Some(e.version));
        let owner = |volume| self.claim_of(volume, volumes);
        Waiting {
            selected_node: of_claim.map(|entry| entry.value).or(claim.selected_node),
            candidates: Candidates::new(claim, volumes, &cluster.symbols, owner),
            claim: Arc::clone(claim),
        }
    }

    fn claim_of<'a>(&'a self, volume: &'a Volume, volumes: &Volumes) -> Option<&'a ClaimRef> {
        let assumed =
            self.volumes.get(&volume.name).filter(|e| volumes.volume_version(volume.name) == Some(e.version));
        assumed.map(|entry| &entry.value).or(volume.claim.as_ref())
    }

    /// Takes what was found for a pod as done.
    pub fn assume(&mut self, found: &PodVolumes, cluster: &Cluster) {
        let volumes = &cluster.volumes;
        for (claim, volume) in &found.matched {
            if let Some(version) = volumes.volume_version(volume.name) {
                let value = ClaimRef { key: claim.key, uid: claim.uid.clone() };
                self.volumes.insert(volume.name, Entry { value, version });
            }
        }
        for claim in &found.to_make {
            if let Some(version) = volumes.claim_version(claim.key) {
                self.claims.insert(claim.key, Entry { value: cluster.node(found.node).name, version });
            }
        }
    }

    /// Takes it back.
    pub fn revert(&mut self, found: &PodVolumes) {
        for (_, volume) in &found.matched {
            self.volumes.remove(&volume.name);
        }
        for claim in &found.to_make {
            self.claims.remove(&claim.key);
        }
    }
}
