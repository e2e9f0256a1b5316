//! What a lab is made of: hardware, control planes, the learner's first files.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use serde::{Deserialize, Serialize};

use crate::hardware::{self, Driver, GpuGroup, SystemModel};
use crate::kube::kubelet::NodeConfig;
use crate::kube::manifest::{self, Diagnostic};
use crate::kube::scheduler::SchedulerConfiguration;
use crate::process::images::{ImageSpec, Unknown};
use crate::sim::{Epoch, Seed};

/// A whole lab, as a YAML file describes it.
///
/// ```
/// use clusterlab::lab::LabSpec;
///
/// let spec = LabSpec::from_yaml("
/// name: two-boxes
/// seed: 7
/// nodes:
/// - {name: gpu-1, system: dgx-h100}
/// - {name: cpu-1, system: server, labels: {disk: ssd}}
/// ")?;
/// assert_eq!(spec.nodes.len(), 2);
///
/// let error = LabSpec::from_yaml("nodes:\n- {name: gpu-1, sytem: dgx-h100}").unwrap_err();
/// assert!(error.to_string().contains("line 2, column 17: unknown field \"nodes[0].sytem\""), "{error}");
/// # Ok::<(), clusterlab::lab::SpecError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LabSpec {
    /// A name for people.
    pub name: String,
    /// Where all randomness comes from: names, UUIDs, pull times.
    pub seed: u64,
    /// What the clock shows when the lab is switched on; midnight UTC of
    /// 1 January 2026 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// The machines, in the order in which they join.
    pub nodes: Vec<NodeSpec>,
    /// The scheduler's configuration, with as many profiles as pods may name in `schedulerName`; kube-scheduler's own
    /// if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<SchedulerConfiguration>,
    /// A Slurm cluster over the machines, beside Kubernetes or instead of it.
    #[cfg(feature = "slurm")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slurm: Option<super::slurm::SlurmSpec>,
    /// Images that the registries have beside those of the catalogue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageSpec>,
    /// What the registries say of an image that nobody described.
    #[serde(skip_serializing_if = "is_default")]
    pub unknown_images: Unknown,
    /// The learner's files at the start, by path relative to the home directory.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Manifests that are in the cluster before the learner comes: YAML, one or
    /// several documents.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manifests: String,
}

/// One machine (or several alike) and its place in the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeSpec {
    /// Host name and node name, an RFC 1123 subdomain.
    pub name: String,
    /// A system of the hardware catalogue: `dgx-h100`.
    pub system: SystemModel,
    /// How many such machines. With a count, names get `-1`, `-2`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Logical CPUs instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// Main memory in MiB instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// GPUs instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<GpuGroup>,
    /// NVIDIA driver instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<Driver>,
    /// Labels beyond those that the kubelet and GPU feature discovery set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Taints, as `kubectl taint` writes them: `key=value:NoSchedule`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<String>,
    /// `topology.kubernetes.io/zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// `topology.kubernetes.io/region`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A lab that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The text is not a lab spec; each mistake with its place.
    #[error("{}", lines(.0))]
    Syntax(Vec<Diagnostic>),
    /// A machine that cannot be built or cannot join the cluster.
    #[error("node {name:?}: {why}")]
    Node {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// More machines than a lab takes.
    #[error("nodes: a lab takes at most {MAX_NODES} machines, not {0}")]
    TooManyNodes(u64),
    /// An image that cannot be.
    #[error("images: {name}: {why}")]
    Image {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file of the learner's that cannot be written.
    #[error("files: {path}: {why}")]
    File {
        /// Its path.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The scheduler refused its configuration.
    #[error("scheduler: {0}")]
    Scheduler(String),
    /// The `slurm:` section makes no cluster.
    #[error("slurm: {0}")]
    Slurm(String),
    /// The API server refused one of the manifests.
    #[error("manifests: {0}")]
    Manifest(String),
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_default(unknown: &Unknown) -> bool {
    *unknown == Unknown::default()
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// As many as Kubernetes' own scalability tests go to, and a little.
const MAX_NODES: u64 = 20_000;

impl LabSpec {
    /// Reads a spec from YAML.
    ///
    /// # Errors
    ///
    /// [`SpecError::Syntax`] with line and column of the first mistake.
    pub fn from_yaml(text: &str) -> Result<Self, SpecError> {
        manifest::read(text).map_err(SpecError::Syntax)
    }

    /// The calendar time of the lab's first instant.
    pub fn epoch(&self) -> Epoch {
        self.start.map_or_else(Epoch::default, Epoch::new)
    }

    /// Whether the machines join a Kubernetes cluster.
    pub fn has_kubernetes(&self) -> bool {
        #[cfg(feature = "slurm")]
        return self.slurm.as_ref().is_none_or(|slurm| !slurm.alone);
        #[cfg(not(feature = "slurm"))]
        true
    }

    /// The seed of all randomness.
    pub const fn seed(&self) -> Seed {
        Seed::new(self.seed)
    }

    /// Every node with the name that it will have: counted ones are numbered.
    fn named_nodes(&self) -> Result<Vec<(String, &NodeSpec)>, SpecError> {
        let total: u64 = self.nodes.iter().map(|node| u64::from(node.count.unwrap_or(1))).sum();
        if total > MAX_NODES {
            return Err(SpecError::TooManyNodes(total));
        }
        Ok(self
            .nodes
            .iter()
            .flat_map(|node| {
                let numbered = move |n: u32| {
                    if node.count.is_some() { format!("{}-{n}", node.name) } else { node.name.clone() }
                };
                (1..=node.count.unwrap_or(1)).map(move |n| (numbered(n), node))
            })
            .collect())
    }

    /// The machines, built.
    pub(super) fn machines(&self) -> Result<Vec<hardware::Node>, SpecError> {
        let build = |(name, node): (String, &NodeSpec)| {
            let spec = hardware::NodeSpec {
                system: node.system,
                cpus: node.cpus,
                memory_mib: node.memory_mib,
                gpus: node.gpus,
                driver: node.driver.clone(),
            };
            hardware::Node::new(&name, &spec, self.seed())
                .map_err(|error| SpecError::Node { name, why: error.to_string() })
        };
        self.named_nodes()?.into_iter().map(build).collect()
    }

    /// What Kubernetes shall know of each machine beyond its hardware, in the
    /// order of [`LabSpec::machines`].
    pub(super) fn node_configs(&self) -> Result<Vec<NodeConfig>, SpecError> {
        let config = |(name, node): (String, &NodeSpec)| {
            let mut labels = node.labels.clone();
            for (key, value) in
                [("topology.kubernetes.io/zone", &node.zone), ("topology.kubernetes.io/region", &node.region)]
            {
                if let Some(value) = value {
                    labels.insert(key.to_owned(), value.clone());
                }
            }
            let taints = node.taints.iter().map(|text| taint(text));
            let taints = taints.collect::<Result<_, _>>().map_err(|why| SpecError::Node { name, why })?;
            Ok(NodeConfig { labels, taints })
        };
        self.named_nodes()?.into_iter().map(config).collect()
    }
}

/// `key=value:Effect` or `key:Effect`.
fn taint(text: &str) -> Result<core::Taint, String> {
    let expected = || {
        format!(
            "taint {text:?}: expected key=value:effect or key:effect with the effect NoSchedule, \
             PreferNoSchedule or NoExecute"
        )
    };
    let (key, effect) = text.rsplit_once(':').ok_or_else(expected)?;
    if !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") || key.is_empty() {
        return Err(expected());
    }
    let (key, value) = key.split_once('=').map_or((key, None), |(key, value)| (key, Some(value.to_owned())));
    Ok(core::Taint { key: key.to_owned(), value, effect: effect.to_owned(), time_added: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_nodes_are_numbered_and_keep_their_labels() {
        let spec = LabSpec::from_yaml(
            "nodes:\n- {name: gpu, system: t4-server, count: 3, zone: a, taints: ['nvidia.com/gpu:NoSchedule']}",
        )
        .unwrap();
        let names: Vec<_> = spec.machines().unwrap().into_iter().map(|m| m.name).collect();
        assert_eq!(names, ["gpu-1", "gpu-2", "gpu-3"]);
        let config = &spec.node_configs().unwrap()[2];
        assert_eq!(config.labels["topology.kubernetes.io/zone"], "a");
        assert_eq!(config.taints[0].effect, "NoSchedule");
    }

    #[test]
    fn the_scheduler_of_a_lab_can_have_profiles_of_its_own() {
        let yaml = "nodes: [{name: a, system: server}]
scheduler:
  profiles:
  - schedulerName: default-scheduler
  - schedulerName: packer
    plugins: {multiPoint: {enabled: [{name: NodeResourcesFit, weight: 10}]}}
    pluginConfig:
    - name: NodeResourcesFit
      args: {scoringStrategy: {type: MostAllocated, resources: [{name: nvidia.com/gpu}]}}
";
        let spec = LabSpec::from_yaml(yaml).unwrap();
        assert_eq!(spec.scheduler.as_ref().unwrap().profiles[1].scheduler_name, "packer");
        assert!(crate::lab::Lab::new(spec).is_ok());
        let spec = LabSpec::from_yaml(&yaml.replace("MostAllocated", "Fullest")).unwrap();
        let error = crate::lab::Lab::new(spec).unwrap_err().to_string();
        assert!(error.starts_with("scheduler: profiles[1].pluginConfig NodeResourcesFit: "), "{error}");
        let error = LabSpec::from_yaml(&yaml.replace("multiPoint", "multipoint")).unwrap_err().to_string();
        assert!(error.contains("line 6"), "{error}");
    }

    #[test]
    fn a_spec_that_makes_no_cluster_is_refused_with_its_place() {
        for (yaml, expected) in [
            ("nodes:\n- {name: a, system: server, taints: [x]}", "node \"a\": taint \"x\": expected"),
            ("nodes:\n- {name: a, system: server, cpus: 0}", "node \"a\": cpus: must be"),
            ("nodes:\n- {name: a, system: server, count: 4000000000}", "nodes: a lab takes at most"),
        ] {
            let spec = LabSpec::from_yaml(yaml).unwrap();
            let error = spec.machines().and_then(|_| spec.node_configs()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
