//! `KubeSchedulerConfiguration` (`kubescheduler.config.k8s.io/v1`), as far as it is modelled.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cluster::Cluster;
use super::features::Features;
use super::framework::{Plugin, PluginId, PluginSet, Profile, Registry};
use super::plugins;

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

/// Plugins enabled and disabled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PluginsConfiguration {
    /// At all their extension points.
    pub multi_point: PluginSetConfiguration,
    /// Where scores are given.
    #[serde(skip_serializing_if = "PluginSetConfiguration::is_empty")]
    pub score: PluginSetConfiguration,
}

/// Plugins enabled and disabled at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PluginSetConfiguration {
    /// Added after the default ones; a default one named here only changes its weight and goes to the end.
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
    /// A plugin that does not exist.
    #[error("profiles[{index}]: {name} does not exist")]
    UnknownPlugin {
        /// Place of the profile.
        index: usize,
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
    #[error("profiles[{index}]: exactly one queue sort plugin is required, but {count} are enabled")]
    QueueSort {
        /// Place of the profile.
        index: usize,
        /// How many there are.
        count: usize,
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
                message: "must be greater than or equal to podInitialBackoffSeconds",
            });
        }
        if self.profiles.is_empty() {
            return Err(ConfigError::NoProfile);
        }
        let features = Features::new(&self.feature_gates)?;
        let mut profiles: Vec<Profile> = Vec::new();
        for (index, profile) in self.profiles.iter().enumerate() {
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
        let set = &self.plugins.multi_point;
        let is_in =
            |list: &[PluginReference], name: &str| list.iter().any(|p| p.name == name || p.name == "*");
        let defaults = plugins::DEFAULT
            .iter()
            .filter(|(name, ..)| !features.hides(name))
            .filter(|(name, ..)| !is_in(&set.disabled, name) && !set.enabled.iter().any(|p| p.name == *name))
            .map(|(name, weight, _)| ((*name).to_owned(), *weight));
        let enabled = set.enabled.iter().map(|plugin| {
            let default = plugins::DEFAULT.iter().find(|(name, ..)| *name == plugin.name);
            let weight = if plugin.weight == 0 { default.map_or(1, |(_, w, _)| *w) } else { plugin.weight };
            (plugin.name.clone(), weight)
        });
        let chosen: Vec<_> = defaults.chain(enabled).collect();
        if chosen.len() > PluginId::LIMIT {
            return Err(ConfigError::TooManyPlugins { index });
        }
        let arguments: BTreeMap<_, _> =
            self.plugin_config.iter().map(|c| (c.name.as_str(), &c.args)).collect();
        if let Some(name) = arguments.keys().find(|name| registry.get(name).is_none()) {
            return Err(ConfigError::UnknownPlugin { index, name: (*name).to_owned() });
        }
        let mut plugins: Vec<Box<dyn Plugin>> = Vec::new();
        let mut weights = Vec::new();
        let mut without_score = PluginSet::default();
        let at_score = &self.plugins.score;
        if let Some(plugin) =
            at_score.enabled.iter().find(|p| !chosen.iter().any(|(name, _)| *name == p.name))
        {
            let name = plugin.name.clone();
            let message = "not modelled: a plugin that is enabled at one extension point alone".to_owned();
            return Err(ConfigError::Arguments { index, name, message });
        }
        for (place, (name, weight)) in chosen.into_iter().enumerate() {
            let named = at_score.enabled.iter().find(|plugin| plugin.name == name);
            let weight = named.map(|plugin| plugin.weight).filter(|own| *own != 0).unwrap_or(weight);
            if named.is_none() && is_in(&at_score.disabled, &name) {
                without_score.insert(PluginId::new(place));
            }
            let factory = registry
                .get(&name)
                .ok_or_else(|| ConfigError::UnknownPlugin { index, name: name.clone() })?;
            let args = arguments.get(name.as_str()).copied().unwrap_or(&Value::Null);
            let plugin =
                factory(args, cluster).map_err(|message| ConfigError::Arguments { index, name, message })?;
            plugins.push(plugin);
            weights.push(weight);
        }
        let count = plugins.iter().filter(|plugin| plugin.queue_sort().is_some()).count();
        if count != 1 {
            return Err(ConfigError::QueueSort { index, count });
        }
        let mut profile =
            Profile::new(self.scheduler_name.clone(), self.percentage_of_nodes_to_score, plugins, weights);
        profile.without_score = without_score;
        Ok(profile)
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
