//! `scontrol reconfigure`: what changes while slurmctld runs, and what needs a restart.
//!
//! Parameters, partitions, licences and the keys of nodes take effect at once, running jobs go on; what was changed by
//! `scontrol update` is that of `slurm.conf` again, node states apart. The plugins of scheduling and selection, the kinds
//! of generic resources, MaxJobCount and AccountingStorageEnforce stay as they were (slurm.conf(5) notes it at each).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ClusterSpec, Controller};
use crate::slurm::config::Config;
use crate::slurm::error::SlurmError;

/// Parameters whose change needs a restart of slurmctld.
pub const NEEDS_RESTART: &[&str] = &[
    "AccountingStorageEnforce",
    "AccountingStorageType",
    "ClusterName",
    "FirstJobId",
    "GresTypes",
    "MaxJobCount",
    "PriorityType",
    "SchedulerType",
    "SelectType",
    "SlurmctldHost",
];

/// Why a reconfiguration was refused, or what of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReconfigureError {
    /// In the controller's own words; the rest of the configuration is in effect.
    #[error("{0}")]
    Slurm(#[from] SlurmError),
    /// What this engine does not do; nothing has changed.
    #[error("not modelled: {0}")]
    NotModelled(String),
}

impl Controller {
    /// Takes a new configuration.
    ///
    /// # Errors
    ///
    /// The plugin whose change needs a restart; a partition with jobs that is gone, or other nodes.
    pub fn reconfigure(&mut self, config: Config, uid: u32) -> Result<(), ReconfigureError> {
        if uid != 0 {
            return Err(SlurmError::InvalidUser.into());
        }
        let old = self.config.clone();
        let mut spec = ClusterSpec::from_config(config, self.users.clone());
        let names = |nodes: &[crate::slurm::model::Node]| -> Vec<String> {
            nodes.iter().map(|node| node.name.clone()).collect()
        };
        if names(&spec.nodes) != names(&self.nodes) {
            let text = "nodes added, removed or in another order; restart slurmctld and the slurmd daemons";
            return Err(ReconfigureError::NotModelled(text.into()));
        }
        let same = spec.nodes.iter().zip(&self.nodes).all(|(new, old)| {
            (new.cpus, new.sockets, new.cores_per_socket, new.threads)
                == (old.cpus, old.sockets, old.cores_per_socket, old.threads)
        });
        if !same || (self.names.kinds == spec.names.kinds && !self.same_gres(&spec)) {
            let text = "a node's CPUs or generic resources changed; restart slurmctld and the slurmd daemons";
            return Err(ReconfigureError::NotModelled(text.into()));
        }
        let places: BTreeMap<&str, usize> =
            spec.partitions.iter().enumerate().map(|(at, part)| (part.name.as_str(), at)).collect();
        let moved: Vec<Option<usize>> =
            self.partitions.iter().map(|part| places.get(part.name.as_str()).copied()).collect();
        let gone =
            self.jobs.iter().flat_map(|job| job.partitions.iter().chain([&job.partition])).find_map(|at| {
                moved.get(*at).copied().flatten().is_none().then(|| self.partitions[*at].name.clone())
            });
        if let Some(name) = gone {
            return Err(ReconfigureError::NotModelled(format!("partition {name} has jobs and is gone")));
        }
        let index = |at: usize| moved.get(at).copied().flatten().unwrap_or(0);
        for id in self.jobs.iter().map(|job| job.id).collect::<Vec<_>>() {
            if let Some(job) = self.jobs.get_mut(id) {
                job.partition = index(job.partition);
                job.partitions.iter_mut().for_each(|at| *at = index(*at));
            }
        }
        for (new, old) in spec.nodes.iter_mut().zip(&self.nodes) {
            (new.base, new.flags, new.reason) = (old.base, old.flags, old.reason.clone());
            (new.boot_time, new.slurmd_start, new.last_busy) =
                (old.boot_time, old.slurmd_start, old.last_busy);
            (new.responds, new.last_response, new.reboot) = (old.responds, old.last_response, old.reboot);
            // What is in use is by the devices that there were.
            new.gres.clone_from(&old.gres);
        }
        for new in &mut spec.licenses {
            new.used = self.licenses.iter().find(|old| old.name == new.name).map_or(0, |old| old.used);
        }
        let kept = self.params.clone();
        self.nodes = spec.nodes;
        self.partitions = spec.partitions;
        self.forget_what_fits();
        self.licenses = spec.licenses;
        self.topology = spec.topology;
        self.params = spec.params;
        self.params.cluster = kept.cluster;
        self.params.enforce = kept.enforce;
        self.params.accounting = kept.accounting;
        self.params.first_job_id = kept.first_job_id;
        self.params.max_job_count = kept.max_job_count;
        self.params.scheduler.backfill = kept.scheduler.backfill;
        self.params.select.whole_nodes = kept.select.whole_nodes;
        if self.params.multifactor.is_some() != kept.multifactor.is_some() {
            self.params.multifactor = kept.multifactor;
        }
        let changed = |name: &str| spec.config.text(name) != old.text(name);
        let refused = if changed("SelectType") {
            Some(SlurmError::SelectTypeChange)
        } else if changed("SchedulerType") {
            Some(SlurmError::SchedulerTypeChange)
        } else {
            None
        };
        let mut config = Config::clone(&spec.config);
        config.keep(&old, NEEDS_RESTART);
        self.config = Arc::new(config);
        self.refresh_associations();
        self.recalculate();
        self.ask_schedule();
        refused.map_or(Ok(()), |error| Err(error.into()))
    }

    fn same_gres(&self, spec: &ClusterSpec) -> bool {
        spec.nodes.iter().zip(&self.nodes).all(|(new, old)| new.gres == old.gres)
    }
}
