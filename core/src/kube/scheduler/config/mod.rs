//! `KubeSchedulerConfiguration` (`kubescheduler.config.k8s.io/v1`), as far as it is modelled.

mod points;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cluster::Cluster;
use super::features::Features;
use super::framework::{Plugin, PluginId, Point, Profile, Registry};
use super::plugins;
pub use text::ConfigTextError;

/// The configuration of the scheduler. [`Default`] is kube-scheduler's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SchedulerConfiguration {
    /// `kubescheduler.config.k8s.io/v1`
    pub api_version: String,
    /// `KubeSchedulerConfiguration`
    pub kind: String,
    /// How many percent of the nodes must be found feasible before scoring begins; 0 chooses by the number of nodes.
    pub percentage_of_nodes_to_score: i32,
    /// Seconds.
    pub pod_initial_backoff_seconds: u64,
    /// Seconds.
    pub pod_max_backoff_seconds: u64,
    /// How many nodes the real scheduler looks at at once; accepted, and without meaning here.
    pub parallelism: i32,
    /// One per `schedulerName`.
    pub profiles: Vec<ProfileConfiguration>,
    /// Gates by name, on or off, as the real scheduler's `--feature-gates` sets them: see [`Features`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub feature_gates: BTreeMap<String, bool>,
}

impl Default for SchedulerConfiguration {
    fn default() -> Self {
        Self {
            api_version: "kubescheduler.config.k8s.io/v1".to_owned(),
            kind: "KubeSchedulerConfiguration".to_owned(),
            percentage_of_nodes_to_score: 0,
            pod_initial_backoff_seconds: 1,
            pod_max_backoff_seconds: 10,
            parallelism: 16,
            profiles: vec![ProfileConfiguration::default()],
            feature_gates: BTreeMap::new(),
        }
    }
}

/// One profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ProfileConfiguration {
    /// Pods name it in `spec.schedulerName`.
    pub scheduler_name: String,
    /// In place of the global one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage_of_nodes_to_score: Option<i32>,
    /// What is enabled and disabled beside the default plugins.
    pub plugins: PluginsConfiguration,
    /// Arguments of plugins.
    pub plugin_config: Vec<PluginArguments>,
}

impl Default for ProfileConfiguration {
    fn default() -> Self {
        Self {
            scheduler_name: "default-scheduler".to_owned(),
            percentage_of_nodes_to_score: None,
            plugins: PluginsConfiguration::default(),
            plugin_config: Vec::new(),
        }
    }
}

/// Plugins enabled and disabled, everywhere and at each extension point.
///
/// What an extension point says goes before what is said for all of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PluginsConfiguration {
    /// At all their extension points.
    pub multi_point: PluginSetConfiguration,
    /// Who keeps pods out of the queue.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub pre_enqueue: PluginSetConfiguration,
    /// Who says which pod is next; exactly one.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub queue_sort: PluginSetConfiguration,
    /// Who looks at the pod before any node.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub pre_filter: PluginSetConfiguration,
    /// Who refuses nodes.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub filter: PluginSetConfiguration,
    /// Who helps when no node will do.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub post_filter: PluginSetConfiguration,
    /// Who looks at the feasible nodes before scoring.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub pre_score: PluginSetConfiguration,
    /// Who gives scores; the weights of this point count.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub score: PluginSetConfiguration,
    /// Who takes what the pod will need.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub reserve: PluginSetConfiguration,
    /// Who lets the pod go.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub permit: PluginSetConfiguration,
    /// Who acts before the pod is bound.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub pre_bind: PluginSetConfiguration,
    /// Who binds it; the first that takes the pod does.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub bind: PluginSetConfiguration,
    /// Who takes note of it.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub post_bind: PluginSetConfiguration,
}

/// Plugins enabled and disabled at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PluginSetConfiguration {
    /// Added after the default ones; a default one that is named here keeps its place.
    pub enabled: Vec<PluginReference>,
    /// Taken away; `*` takes all default ones.
    pub disabled: Vec<PluginReference>,
}

impl PluginSetConfiguration {
    /// Whether it changes nothing.
    fn is_empty(&self) -> bool {
        self.enabled.is_empty() && self.disabled.is_empty()
    }
}

/// A plugin by its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PluginReference {
    /// `NodeResourcesFit`
    pub name: String,
    /// What its score is multiplied by; 0 means 1.
    pub weight: i64,
}

/// Arguments of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginArguments {
    /// `NodeResourcesFit`
    pub name: String,
    /// `NodeResourcesFitArgs`
    #[serde(default)]
    pub args: Value,
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No profile.
    #[error("profiles: Required value")]
    NoProfile,
    /// Two profiles of one name.
    #[error("profiles[{index}].schedulerName: Duplicate value: {name:?}")]
    DuplicateProfile {
        /// Place of the second one.
        index: usize,
        /// The name.
        name: String,
    },
    /// A profile without a name.
    #[error("profiles[{index}].schedulerName: Required value")]
    NoName {
        /// Its place.
        index: usize,
    },
    /// A plugin that does not exist.
    #[error("{field}: {name} does not exist")]
    UnknownPlugin {
        /// Where it is named.
        field: String,
        /// The plugin.
        name: String,
    },
    /// More plugins than a profile can have.
    #[error("profiles[{index}]: not modelled: more than 64 plugins")]
    TooManyPlugins {
        /// Place of the profile.
        index: usize,
    },
    /// No plugin, or more than one, says which pod is next.
    #[error(
        "profiles[{index}]: only one queue sort plugin required for profile with scheduler name {name:?}, but got {count}"
    )]
    QueueSort {
        /// Place of the profile.
        index: usize,
        /// Its name.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// Nobody binds pods.
    #[error("profiles[{index}]: at least one bind plugin is needed for profile with scheduler name {name:?}")]
    NoBind {
        /// Place of the profile.
        index: usize,
        /// Its name.
        name: String,
    },
    /// A plugin named where it cannot be.
    #[error("{field}: {message}")]
    Plugin {
        /// Where it is named.
        field: String,
        /// Why it cannot be.
        message: String,
    },
    /// Arguments that a plugin does not take.
    #[error("profiles[{index}].pluginConfig {name}: {message}")]
    Arguments {
        /// Place of the profile.
        index: usize,
        /// The plugin.
        name: String,
        /// What is wrong with them.
        message: String,
    },
    /// A feature gate that does not exist.
    #[error("unrecognized feature gate: {name}")]
    UnknownGate {
        /// Its name.
        name: String,
    },
    /// A feature gate that means nothing without another.
    #[error("{name} is enabled, but depends on features that are disabled: [{needed}]")]
    GateNeeds {
        /// The gate.
        name: &'static str,
        /// The other one.
        needed: &'static str,
    },
    /// A number out of its range.
    #[error("{field}: Invalid value: {value}: {message}")]
    OutOfRange {
        /// Which one.
        field: String,
        /// What it is.
        value: i64,
        /// What it should be.
        message: &'static str,
    },
}

impl SchedulerConfiguration {
    pub(super) fn backoff(&self) -> (Duration, Duration) {
        (
            Duration::from_secs(self.pod_initial_backoff_seconds),
            Duration::from_secs(self.pod_max_backoff_seconds),
        )
    }

    /// Makes the profiles.
    pub(super) fn build(
        &self,
        registry: &Registry,
        cluster: &mut Cluster,
    ) -> Result<Vec<Profile>, ConfigError> {
        if self.parallelism <= 0 {
            return Err(ConfigError::OutOfRange {
                field: "parallelism".to_owned(),
                value: i64::from(self.parallelism),
                message: "should be an integer value greater than zero",
            });
        }
        check_percentage("percentageOfNodesToScore", self.percentage_of_nodes_to_score)?;
        if self.pod_initial_backoff_seconds == 0 {
            return Err(ConfigError::OutOfRange {
                field: "podInitialBackoffSeconds".to_owned(),
                value: 0,
                message: "must be greater than 0",
            });
        }
        if self.pod_max_backoff_seconds < self.pod_initial_backoff_seconds {
            return Err(ConfigError::OutOfRange {
                field: "podMaxBackoffSeconds".to_owned(),
                value: i64::try_from(self.pod_max_backoff_seconds).unwrap_or(i64::MAX),
                message: "must be greater than or equal to PodInitialBackoffSeconds",
            });
        }
        if self.profiles.is_empty() {
            return Err(ConfigError::NoProfile);
        }
        let features = Features::new(&self.feature_gates)?;
        let mut profiles: Vec<Profile> = Vec::new();
        for (index, profile) in self.profiles.iter().enumerate() {
            if profile.scheduler_name.is_empty() {
                return Err(ConfigError::NoName { index });
            }
            if profiles.iter().any(|other| other.scheduler_name == profile.scheduler_name) {
                let name = profile.scheduler_name.clone();
                return Err(ConfigError::DuplicateProfile { index, name });
            }
            profiles.push(profile.build(index, registry, cluster, features)?);
        }
        Ok(profiles)
    }
}

impl ProfileConfiguration {
    fn build(
        &self,
        index: usize,
        registry: &Registry,
        cluster: &mut Cluster,
        features: Features,
    ) -> Result<Profile, ConfigError> {
        if let Some(percentage) = self.percentage_of_nodes_to_score {
            check_percentage(&format!("profiles[{index}].percentageOfNodesToScore"), percentage)?;
        }
        let defaults = plugins::DEFAULT.iter().filter(|(name, ..)| !features.hides(name));
        let multi_point =
            points::merge(defaults.map(|(name, weight, _)| (*name, *weight)), &self.plugins.multi_point);
        let at_points = Point::ALL.iter().flat_map(|point| {
            let entries = self.plugins.at(*point).enabled.iter().enumerate();
            entries.map(move |(place, own)| {
                (format!("profiles[{index}].plugins.{}.enabled[{place}]", point.field()), own)
            })
        });
        let everywhere = multi_point.iter().map(|own| {
            let place = self.plugins.multi_point.enabled.iter().rposition(|named| named.name == own.name);
            (format!("profiles[{index}].plugins.multiPoint.enabled[{}]", place.unwrap_or(0)), own)
        });
        let mut arguments: BTreeMap<&str, &Value> = BTreeMap::new();
        for (place, entry) in self.plugin_config.iter().enumerate() {
            let field = format!("profiles[{index}].pluginConfig[{place}].name");
            let name = entry.name.clone();
            if registry.get(&name).is_none() {
                return Err(ConfigError::UnknownPlugin { field, name });
            }
            if arguments.insert(&entry.name, &entry.args).is_some() {
                return Err(ConfigError::Plugin {
                    field,
                    message: format!("repeated config for plugin {name}"),
                });
            }
            let kind = entry.args["kind"].as_str();
            if let Some(kind) = kind.filter(|kind| **kind != format!("{name}Args")) {
                let message = format!("kind: Invalid value: {kind:?}: expected {name}Args");
                return Err(ConfigError::Arguments { index, name, message });
            }
        }
        let mut plugins: Vec<Box<dyn Plugin>> = Vec::new();
        let mut weights: Vec<i64> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for (field, PluginReference { name, weight }) in everywhere.chain(at_points) {
            let is_everywhere = names.len() < multi_point.len();
            if let Some(known) = names.iter().position(|known| known == name) {
                if is_everywhere {
                    let message = format!("plugin {name:?} already registered");
                    return Err(ConfigError::Plugin { field, message });
                }
                // The weight that the extension point gives goes before that of all points.
                if field.contains(".plugins.score.") {
                    weights[known] = checked_weight(&field, *weight)?;
                }
                continue;
            }
            let factory = registry
                .get(name)
                .ok_or_else(|| ConfigError::UnknownPlugin { field: field.clone(), name: name.clone() })?;
            let args = arguments.get(name.as_str()).copied().unwrap_or(&Value::Null);
            let plugin = factory(args, cluster).map_err(|message| ConfigError::Arguments {
                index,
                name: name.clone(),
                message,
            })?;
            plugins.push(plugin);
            weights.push(checked_weight(&field, *weight)?);
            names.push(name);
        }
        if plugins.len() > PluginId::LIMIT {
            return Err(ConfigError::TooManyPlugins { index });
        }
        let points = self.plugins.expand(index, &multi_point, &mut plugins)?;
        let name = self.scheduler_name.clone();
        let count = points.at(Point::QueueSort).len();
        if count != 1 {
            return Err(ConfigError::QueueSort { index, name, count });
        }
        if points.at(Point::Bind).is_empty() {
            return Err(ConfigError::NoBind { index, name });
        }
        Ok(Profile::new(name, self.percentage_of_nodes_to_score, plugins, weights, points))
    }
}

/// A weight of 32 bits, as the real type has it; 0 means 1.
fn checked_weight(field: &str, weight: i64) -> Result<i64, ConfigError> {
    match i32::try_from(weight) {
        Ok(0) => Ok(1),
        Ok(_) => Ok(weight),
        Err(_) => Err(ConfigError::OutOfRange {
            field: format!("{field}.weight"),
            value: weight,
            message: "expected a whole number of 32 bits",
        }),
    }
}

fn check_percentage(field: &str, value: i32) -> Result<(), ConfigError> {
    if (0..=100).contains(&value) {
        Ok(())
    } else {
        Err(ConfigError::OutOfRange {
            field: field.to_owned(),
            value: i64::from(value),
            message: "not in valid range [0-100]",
        })
    }
}
