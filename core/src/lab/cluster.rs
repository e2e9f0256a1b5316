//! The cluster of a lab: its machines and the control plane over them, advanced
//! together.

use crate::hardware;
use crate::kube::api::{ApiServer, WriteOptions};
use crate::kube::kubelet::Kubelets;
use crate::kube::manifest;
use crate::kube::scheduler::{SchedulerConfiguration, SchedulerController};
use crate::process::images::Registry;
use crate::sim::SimTime;

use super::spec::{LabSpec, SpecError};

/// Rounds of components at one instant before the lab gives up on their coming
/// to rest; a component that always has more to do at the same instant is a bug.
const MAX_ROUNDS: usize = 100_000;

/// Machines, API server, scheduler and kubelets.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) machines: Vec<hardware::Node>,
    pub(super) api: ApiServer,
    pub(super) scheduler: SchedulerController,
    pub(super) kubelets: Kubelets,
    pub(super) registry: Registry,
}

impl Cluster {
    pub(super) fn new(spec: &LabSpec) -> Result<Self, SpecError> {
        let (epoch, seed) = (spec.epoch(), spec.seed());
        let mut cluster = Self {
            machines: spec.machines()?,
            api: ApiServer::new(epoch, seed),
            scheduler: SchedulerController::new(&SchedulerConfiguration::default())
                .map_err(|error| SpecError::Scheduler(error.to_string()))?,
            kubelets: Kubelets::new(epoch, seed),
            registry: Registry::default().with_unknown(spec.unknown_images),
        };
        for image in &spec.images {
            cluster
                .registry
                .add(image)
                .map_err(|error| SpecError::Image { name: image.name.clone(), why: error.to_string() })?;
        }
        for (machine, config) in cluster.machines.iter().zip(spec.node_configs()?) {
            cluster
                .kubelets
                .join(SimTime::ZERO, &mut cluster.api, machine, &config)
                .map_err(|status| SpecError::Node { name: machine.name.clone(), why: status.to_string() })?;
        }
        cluster.apply(spec)?;
        cluster.settle(SimTime::ZERO);
        Ok(cluster)
    }

    /// Creates the objects that the spec puts into the cluster before the learner comes.
    fn apply(&mut self, spec: &LabSpec) -> Result<(), SpecError> {
        let refuse = |why: String| SpecError::Manifest(why);
        for document in manifest::parse(&spec.manifests).map_err(|error| refuse(error.to_string()))? {
            let object = document.to_object().map_err(|error| refuse(error.to_string()))?;
            let namespace = match object.namespace() {
                "" => "default".to_owned(),
                namespace => namespace.to_owned(),
            };
            self.api
                .create(&namespace, object, &WriteOptions::default())
                .map_err(|status| refuse(status.to_string()))?;
        }
        Ok(())
    }

    /// When something is due next.
    pub(super) fn next_wakeup(&self) -> Option<SimTime> {
        [self.scheduler.next_wakeup(), self.kubelets.next_wakeup()].into_iter().flatten().min()
    }

    /// Lets all components act at `now` until none has anything left to do.
    pub(super) fn settle(&mut self, now: SimTime) {
        self.api.set_now(now);
        for _ in 0..MAX_ROUNDS {
            let before = self.api.resource_version();
            self.scheduler.advance(now, &mut self.api);
            let ran = self.kubelets.advance(now, &mut self.api, &mut self.machines, &self.registry);
            if !ran && self.api.resource_version() == before {
                return;
            }
        }
        debug_assert!(false, "the components did not come to rest at {now}");
    }
}
