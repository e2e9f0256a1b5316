//! Whether a node can have all volumes of a pod, and which (`FindPodVolumes`).

use std::sync::Arc;

use smallvec::SmallVec;

use super::super::super::cluster::volumes::{Candidates, Claim, Class, Volume};
use super::super::super::cluster::{Cluster, NodeId, NodeInfo, Symbol};
use super::super::super::framework::Reasons;

/// A claim that waits for its pod.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub claim: Arc<Claim>,
    /// The node for which a volume is being made already.
    pub selected_node: Option<Symbol>,
    pub candidates: Candidates,
}

/// The claims of a pod.
#[derive(Clone, Debug, Default)]
pub(super) struct PodClaims {
    pub bound: Vec<Arc<Claim>>,
    pub waiting: Vec<Waiting>,
}

/// What is to be done for the claims of a pod on a node.
#[derive(Clone, Debug)]
pub(super) struct PodVolumes {
    pub node: NodeId,
    /// Volumes that are there.
    pub matched: Vec<(Arc<Claim>, Arc<Volume>)>,
    /// Claims for which a volume must be made.
    pub to_make: Vec<Arc<Claim>>,
}

/// What keeps a node from having the volumes, in the order in which it is told.
#[derive(Clone, Copy, Debug, Default)]
struct Obstacles {
    out_of_reach: bool,
    none_to_bind: bool,
    too_little_space: bool,
    volume_is_gone: bool,
}

impl Obstacles {
    fn reasons(self) -> Reasons {
        let all = [
            (self.out_of_reach, "node(s) didn't match PersistentVolume's node affinity"),
            (self.none_to_bind, "node(s) didn't find available persistent volumes to bind"),
            (self.too_little_space, "node(s) did not have enough free storage"),
            (
                self.volume_is_gone,
                "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
            ),
        ];
        all.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text.into()).collect()
    }
}

impl PodClaims {
    /// What to do on that node, or why it will not do.
    ///
    /// # Errors
    ///
    /// A claim cannot be understood: the pod is tried again later.
    pub fn find(&self, cluster: &Cluster, node: &NodeInfo) -> Result<Result<PodVolumes, Reasons>, String> {
        let mut obstacles = Obstacles::default();
        for claim in &self.bound {
            match claim.volume.and_then(|name| cluster.volumes.volume(name)) {
                None => obstacles.volume_is_gone = true,
                Some(volume) if !volume.is_reached_from(&node.labels, &cluster.symbols) => {
                    obstacles.out_of_reach = true;
                }
                Some(_) => continue,
            }
            break;
        }
        let mut found = PodVolumes { node: node.id, matched: Vec::new(), to_make: Vec::new() };
        let elsewhere = |waiting: &Waiting| waiting.selected_node.is_some_and(|name| name != node.name);
        if self.waiting.iter().any(elsewhere) {
            obstacles.none_to_bind = true;
        } else {
            self.find_waiting(cluster, node, &mut found, &mut obstacles)?;
        }
        let reasons = obstacles.reasons();
        Ok(if reasons.is_empty() { Ok(found) } else { Err(reasons) })
    }

    fn find_waiting(
        &self,
        cluster: &Cluster,
        node: &NodeInfo,
        found: &mut PodVolumes,
        obstacles: &mut Obstacles,
    ) -> Result<(), String> {
        let mut taken: SmallVec<[Symbol; 4]> = SmallVec::new();
        let (being_made, open): (Vec<_>, Vec<_>) =
            self.waiting.iter().partition(|waiting| waiting.selected_node.is_some());
        let mut to_make = being_made;
        for waiting in open {
            match waiting.candidates.choose(Some(&node.labels), &taken, &cluster.symbols) {
                Some(volume) => {
                    taken.push(volume.name);
                    found.matched.push((Arc::clone(&waiting.claim), Arc::clone(volume)));
                }
                None => to_make.push(waiting),
            }
        }
        for waiting in to_make {
            match can_be_made(&waiting.claim, cluster, node)? {
                Making::Possible => found.to_make.push(Arc::clone(&waiting.claim)),
                Making::NotHere => {
                    obstacles.none_to_bind = true;
                    break;
                }
                Making::NoSpace => {
                    obstacles.too_little_space = true;
                    break;
                }
            }
        }
        Ok(())
    }
}

enum Making {
    Possible,
    NotHere,
    NoSpace,
}

/// Whether a volume for the claim can be made for that node (`checkVolumeProvisions`).
fn can_be_made(claim: &Claim, cluster: &Cluster, node: &NodeInfo) -> Result<Making, String> {
    let symbols = &cluster.symbols;
    let name = |symbol| &**symbols.name(symbol);
    let Some(class) = claim.class else {
        return Err(format!("no class for claim \"{}/{}\"", name(claim.key.0), name(claim.key.1)));
    };
    let class = cluster
        .volumes
        .class(class)
        .ok_or_else(|| format!("failed to find storage class {:?}", name(class)))?;
    if !class.provisions || !class.allows(&node.labels) {
        return Ok(Making::NotHere);
    }
    Ok(if has_space(claim, class, cluster, node) { Making::Possible } else { Making::NoSpace })
}

/// Whether there is room for a volume of that size (`hasEnoughCapacity`).
fn has_space(claim: &Claim, class: &Class, cluster: &Cluster, node: &NodeInfo) -> bool {
    let volumes = &cluster.volumes;
    let Some(request) = claim.request else { return true };
    if volumes.driver(class.provisioner).is_none_or(|driver| !driver.storage_capacity) {
        return true;
    }
    let size = request.value();
    volumes.capacities().any(|capacity| {
        capacity.class == class.name
            && capacity.limit.is_some_and(|limit| limit >= size)
            && capacity.nodes.as_ref().is_some_and(|nodes| nodes.matches(&node.labels, &cluster.symbols))
    })
}
