//! Which volume suits a claim (`FindMatchingVolume`).

use std::sync::Arc;

use super::super::symbols::{Labels, Symbol, Symbols};
use super::{Claim, ClaimRef, Volume, Volumes};
use crate::order::InOrder;

/// Volumes that would suit a claim if the node can reach them.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    /// Volumes that are meant for the claim: the first one decides.
    meant: Vec<Arc<Volume>>,
    /// Free ones, the smallest first.
    free: Vec<Arc<Volume>>,
}

impl Candidates {
    /// All volumes of the claim's class that suit it; `claim_of` says for which claim a volume is.
    pub fn new<'a>(
        claim: &Claim,
        volumes: &'a Volumes,
        symbols: &Symbols,
        claim_of: impl Fn(&'a Volume) -> Option<&'a ClaimRef>,
    ) -> Self {
        let mut found = Self::default();
        for volume in volumes.volumes_of_class(claim.class) {
            let owner = claim_of(volume);
            let is_meant = owner.is_some_and(|owner| {
                owner.key == claim.key && (owner.uid.is_empty() || owner.uid == claim.uid)
            });
            if owner.is_some() && !is_meant
                || volume.capacity < claim.size()
                || volume.block != claim.block
                || volume.attributes_class != claim.attributes_class
                || volume.terminating
            {
                continue;
            }
            if is_meant {
                found.meant.push(Arc::clone(volume));
                continue;
            }
            let selected = claim.selector.as_ref().is_none_or(|s| s.matches(&volume.labels, symbols));
            let modes = volume.access_modes.contains_all(claim.access_modes);
            if volume.available && selected && modes {
                found.free.push(Arc::clone(volume));
            }
        }
        found.free.order_by_key(|volume| volume.capacity.nanos());
        found
    }

    /// The volume to take on a node with those labels, unless it is one of `taken`.
    pub fn choose(&self, node: Option<&Labels>, taken: &[Symbol], symbols: &Symbols) -> Option<&Arc<Volume>> {
        let reaches = |volume: &Volume| node.is_none_or(|labels| volume.is_reached_from(labels, symbols));
        if let Some(volume) = self.meant.iter().find(|volume| !taken.contains(&volume.name)) {
            // Another one will not do, even if this one cannot be reached.
            return reaches(volume).then_some(volume);
        }
        self.free.iter().find(|volume| !taken.contains(&volume.name) && reaches(volume))
    }

    /// Volumes that might as well be taken on a node with those labels as the one that is chosen,
    /// which comes first: of equal size, their order is that of a hash map upstream.
    pub fn equals(&self, node: Option<&Labels>, symbols: &Symbols) -> Vec<Symbol> {
        let Some(chosen) = self.choose(node, &[], symbols) else { return Vec::new() };
        if !self.meant.is_empty() {
            return vec![chosen.name];
        }
        let same = |volume: &&Arc<Volume>| {
            volume.capacity.nanos() == chosen.capacity.nanos()
                && node.is_none_or(|labels| volume.is_reached_from(labels, symbols))
        };
        self.free.iter().filter(same).map(|volume| volume.name).collect()
    }
}

impl Volume {
    /// Whether a node with those labels can reach it (`CheckNodeAffinity`).
    pub fn is_reached_from(&self, labels: &Labels, symbols: &Symbols) -> bool {
        self.node_affinity.as_ref().is_none_or(|terms| terms.matches_labels(labels, symbols))
    }
}
