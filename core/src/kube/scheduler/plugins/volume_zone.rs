//! `VolumeZone`: volumes that carry the labels of a zone can only be used there.

use serde_json::Value;

use super::super::cluster::volumes::{PodVolume, Volume};
use super::super::cluster::{Cluster, Labels, NodeInfo, Symbol};
use super::super::framework::{Context, CycleState, Filter, Plugin, PreFilter, PreFilterResult, Status};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::no_arguments;
use super::volume_restrictions::claim_not_found;

pub(super) const NAME: &str = "VolumeZone";

/// The labels of a zone and a region: as they were named before, and as they are named.
const LABELS: [(&str, &str); 4] = [
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("topology.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("topology.kubernetes.io/region", "topology.kubernetes.io/region"),
];

/// A label with its name of today.
type Label = (Symbol, Symbol);

#[derive(Clone, Debug)]
struct VolumeZone {
    labels: [Label; 4],
}

pub(super) fn new(args: &Value, cluster: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    let labels = LABELS.map(|(key, today)| (cluster.symbols.intern(key), cluster.symbols.intern(today)));
    Ok(Box::new(VolumeZone { labels }))
}

/// Where a volume of the pod can be used: a label, and the texts that it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Topology {
    label: Label,
    values: Vec<String>,
}

/// Where all volumes of the pod can be used.
#[derive(Clone, Debug)]
struct Topologies(Vec<Topology>);

impl VolumeZone {
    fn topologies(&self, labels: &Labels, cluster: &Cluster) -> Vec<Topology> {
        let found = self.labels.iter().filter_map(|label| {
            let values = cluster.symbols.name(labels.get(label.0)?).split("__").map(|z| z.trim().to_owned());
            let mut values: Vec<_> = values.collect();
            values.sort_unstable();
            // A list with a gap is not understood, and not looked at.
            values.iter().all(|zone| !zone.is_empty()).then_some(Topology { label: *label, values })
        });
        found.collect()
    }

    /// Where the volume can be used, or why the pod cannot be placed at all.
    fn of_claim<'a>(context: &Context<'a>, name: Symbol) -> Result<Option<&'a Volume>, Status> {
        let Context { pod, cluster } = *context;
        let symbols = &cluster.symbols;
        let Some(claim) = cluster.volumes.claim((pod.namespace, name)) else {
            return Err(Status::unresolvable(claim_not_found(cluster, name)));
        };
        if let Some(volume) = claim.volume {
            return cluster.volumes.volume(volume).map(|volume| Some(&**volume)).ok_or_else(|| {
                let name = &**symbols.name(volume);
                Status::unresolvable(format!("persistentvolume {name:?} not found"))
            });
        }
        let Some(class) = claim.class else {
            return Err(Status::unresolvable("PersistentVolumeClaim had no pv name and storageClass name"));
        };
        let name = &**symbols.name(class);
        let Some(class) = cluster.volumes.class(class) else {
            return Err(Status::unresolvable(format!("storageclass.storage.k8s.io {name:?} not found")));
        };
        match class.waits {
            Some(true) => Ok(None),
            Some(false) => Err(Status::unresolvable("PersistentVolume had no name")),
            None => Err(Status::unresolvable(format!("VolumeBindingMode not set for StorageClass {name:?}"))),
        }
    }
}

impl Plugin for VolumeZone {
    fn name(&self) -> &str {
        NAME
    }

    fn pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::STORAGE_CLASS
            | EventKinds::NODE_ADD
            | EventKinds::NODE_UPDATE_LABEL
            | EventKinds::PERSISTENT_VOLUME_CLAIM
            | EventKinds::PERSISTENT_VOLUME
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let pod = context.pod;
        let helps = match change {
            ClusterChange::StorageClass { old, new } => old.is_none() && new.waits == Some(true),
            ClusterChange::PersistentVolumeClaim { new, .. } => {
                let uses = |volume: &PodVolume| volume.shared_claim() == Some(new.key.1);
                new.key.0 == pod.namespace && pod.volumes.iter().any(uses)
            }
            ClusterChange::PersistentVolume { old: Some(old), new } => {
                self.topologies(&old.labels, context.cluster) != self.topologies(&new.labels, context.cluster)
            }
            _ => true,
        };
        if helps { Hint::Queue } else { Hint::Skip }
    }
}

impl PreFilter for VolumeZone {
    fn pre_filter(&self, context: &Context<'_>, state: &mut CycleState) -> PreFilterResult {
        let mut found = Vec::new();
        for name in context.pod.volumes.iter().filter_map(PodVolume::shared_claim) {
            match Self::of_claim(context, name) {
                Ok(Some(volume)) => found.append(&mut self.topologies(&volume.labels, context.cluster)),
                Ok(None) => {}
                Err(status) => return status.into(),
            }
        }
        if found.is_empty() {
            return Status::skip().into();
        }
        state.write(Topologies(found));
        Status::success().into()
    }
}

impl Filter for VolumeZone {
    fn filter(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> Status {
        let symbols = &context.cluster.symbols;
        // A node without any such label is of a cluster that has no zones.
        if self.labels.iter().all(|(key, _)| node.labels.get(*key).is_none()) {
            return Status::success();
        }
        let fits = |topology: &Topology| {
            let (key, today) = topology.label;
            let value = node.labels.get(key).or_else(|| node.labels.get(today));
            value.is_some_and(|value| topology.values.iter().any(|zone| **zone == **symbols.name(value)))
        };
        match state.read::<Topologies>() {
            Some(Topologies(all)) if !all.iter().all(fits) => {
                Status::unresolvable("node(s) had no available volume zone")
            }
            _ => Status::success(),
        }
    }
}
