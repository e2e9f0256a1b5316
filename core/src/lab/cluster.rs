//! The cluster of a lab: its machines and the control plane over them, advanced
//! together.

use crate::hardware;
use crate::kube::api::{ApiServer, Reason, Status, WriteOptions};
use crate::kube::controllers::TaintEviction;
use crate::kube::kubectl::{LogEntry, LogSlice, LogSource};
use crate::kube::kubelet::Kubelets;
use crate::kube::manifest;
use crate::kube::queueing::QueueController;
use crate::kube::scheduler::{Features, SchedulerConfiguration, SchedulerController};
use crate::process::files::Files;
use crate::process::images::Registry;
use crate::sim::SimTime;

use super::spec::{LabSpec, SpecError};

/// Rounds of components at one instant before the lab gives up on their coming
/// to rest; a component that always has more to do at the same instant is a bug.
const MAX_ROUNDS: usize = 100_000;

/// The lab's own, or kube-scheduler's with the gates on by which it places groups of pods.
fn scheduler_configuration(spec: &LabSpec) -> SchedulerConfiguration {
    spec.scheduler.clone().unwrap_or_else(|| SchedulerConfiguration {
        feature_gates: Features::all(),
        ..SchedulerConfiguration::default()
    })
}

/// Machines, API server, queues, scheduler and kubelets.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) machines: Vec<hardware::Node>,
    pub(super) api: ApiServer,
    pub(super) scheduler: SchedulerController,
    pub(super) queues: QueueController,
    pub(super) evictions: TaintEviction,
    pub(super) kubelets: Kubelets,
    pub(super) registry: Registry,
    #[cfg(feature = "slurm")]
    pub(super) slurm: Option<super::slurm::SlurmLab>,
}

impl Cluster {
    pub(super) fn new(spec: &LabSpec, files: &mut Files) -> Result<Self, SpecError> {
        let (epoch, seed) = (spec.epoch(), spec.seed());
        let machines = spec.machines()?;
        let mut registry = Registry::default().with_unknown(spec.unknown_images);
        for image in &spec.images {
            registry
                .add(image)
                .map_err(|error| SpecError::Image { name: image.name.clone(), why: error.to_string() })?;
        }
        let mut cluster = Self {
            #[cfg(feature = "slurm")]
            slurm: spec
                .slurm
                .as_ref()
                .map(|slurm| super::slurm::SlurmLab::new(slurm, epoch, &machines, &registry, files))
                .transpose()?,
            machines,
            api: ApiServer::new(epoch, seed),
            scheduler: SchedulerController::new(&scheduler_configuration(spec))
                .map_err(|error| SpecError::Scheduler(error.to_string()))?,
            queues: QueueController::new(),
            evictions: TaintEviction::new(),
            kubelets: Kubelets::new(epoch, seed),
            registry,
        };
        let configs = spec.node_configs()?;
        let joining = cluster.machines.iter().zip(configs).filter(|_| spec.has_kubernetes());
        for (machine, config) in joining {
            cluster
                .kubelets
                .join(SimTime::ZERO, &mut cluster.api, machine, &config)
                .map_err(|status| SpecError::Node { name: machine.name.clone(), why: status.to_string() })?;
        }
        cluster.apply(spec)?;
        cluster.settle(SimTime::ZERO, files);
        Ok(cluster)
    }

    /// Creates the objects that the spec puts into the cluster before the learner comes.
    fn apply(&mut self, spec: &LabSpec) -> Result<(), SpecError> {
        for document in manifest::parse(&spec.manifests) {
            let document = document.map_err(|error| SpecError::Manifest(error.to_string()))?;
            let refuse = |why: String| {
                SpecError::Manifest(format!("{} {:?}: {why}", document.kind(), document.name()))
            };
            let Some(kind) = document.known_kind() else {
                return Err(refuse("not modelled: this kind".to_owned()));
            };
            let namespace = match document.namespace() {
                "" => "default",
                namespace => namespace,
            };
            let options = WriteOptions { strict: true, ..WriteOptions::default() };
            self.api
                .create_json(kind, namespace, &document.to_json(), &options)
                .map_err(|status| refuse(status.to_string()))?;
        }
        Ok(())
    }

    /// Whether there is a Kubernetes cluster to talk to.
    #[allow(clippy::unused_self, reason = "without Slurm there always is")]
    pub(super) const fn has_kubernetes(&self) -> bool {
        #[cfg(feature = "slurm")]
        if let Some(slurm) = &self.slurm {
            return !slurm.alone;
        }
        true
    }

    /// When something is due next.
    pub(super) fn next_wakeup(&self) -> Option<SimTime> {
        let due = [
            self.evictions.next_wakeup(),
            self.scheduler.next_wakeup(),
            self.kubelets.next_wakeup(),
            #[cfg(feature = "slurm")]
            self.slurm.as_ref().and_then(super::slurm::SlurmLab::next_wakeup),
        ];
        due.into_iter().flatten().min()
    }

    /// Lets all components act at `now` until none has anything left to do. `files` are those that the terminal shares
    /// with a Slurm cluster's nodes.
    pub(super) fn settle(&mut self, now: SimTime, files: &mut Files) {
        self.api.set_now(now);
        #[cfg(feature = "slurm")]
        if let Some(slurm) = &mut self.slurm {
            slurm.advance(now, files);
        }
        #[cfg(not(feature = "slurm"))]
        let _ = files;
        for _ in 0..MAX_ROUNDS {
            let before = self.api.resource_version();
            self.evictions.advance(now, &mut self.api);
            self.queues.advance(now, &mut self.api);
            self.scheduler.advance(now, &mut self.api);
            let ran = self.kubelets.advance(now, &mut self.api, &mut self.machines, &self.registry);
            if !ran && self.api.resource_version() == before {
                return;
            }
        }
        debug_assert!(false, "the components did not come to rest at {now}");
    }
}

/// The kubelets' logs as `kubectl logs` asks for them.
pub(super) struct KubeletLogs<'a>(pub(super) &'a Kubelets);

impl LogSource for KubeletLogs<'_> {
    fn read(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        from: usize,
    ) -> Result<LogSlice<'_>, Status> {
        let view = self.0.logs(namespace, pod, container, previous);
        let view = view.map_err(|error| Status::new(Reason::BadRequest, error.to_string()))?;
        // A pod that is on no node yet has an empty log, as the API server answers.
        let Some(view) = view else { return Ok(LogSlice { ended: true, ..LogSlice::default() }) };
        let first = from.max(view.log.dropped());
        let entries = view.log.lines().iter().skip(first - view.log.dropped());
        Ok(LogSlice {
            first,
            entries: entries.map(|line| LogEntry { at: line.at, text: &line.text }).collect(),
            ended: view.ended,
        })
    }
}
