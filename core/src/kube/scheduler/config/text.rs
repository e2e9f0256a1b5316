//! The text of a configuration: everything that is wrong with it, at its place.

use std::fmt;

use super::super::cluster::Cluster;
use super::super::framework::Registry;
use super::{ConfigError, SchedulerConfiguration};
use crate::kube::decode::{Path, Segment};
use crate::kube::manifest::{Diagnostic, Tree, from_tree, parse_tree};

const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";
const KIND: &str = "KubeSchedulerConfiguration";

/// Fields of the real type that mean nothing here.
const NOT_MODELLED: [&str; 7] = [
    "leaderElection",
    "clientConnection",
    "enableProfiling",
    "enableContentionProfiling",
    "extenders",
    "delayCacheUntilActive",
    "debuggingConfiguration",
];

/// What is wrong with the text of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigTextError(pub Vec<Diagnostic>);

impl fmt::Display for ConfigTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl SchedulerConfiguration {
    /// Reads the text of a `KubeSchedulerConfiguration`, YAML or JSON.
    ///
    /// ```
    /// use clusterlab::kube::scheduler::SchedulerConfiguration;
    ///
    /// let text = "apiVersion: kubescheduler.config.k8s.io/v1
    /// kind: KubeSchedulerConfiguration
    /// profiles:
    /// - plugins: {score: {disabled: [{name: ImageLocality}], enabled: [{name: TaintToleration, wait: 5}]}}
    /// ";
    /// let error = SchedulerConfiguration::from_yaml(text).unwrap_err();
    /// let place = "line 4, column 90: unknown field \"profiles[0].plugins.score.enabled[0].wait\"";
    /// assert!(error.to_string().starts_with(place), "{error}");
    /// assert!(SchedulerConfiguration::from_yaml(&text.replace("wait", "weight")).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// All that is wrong with its form, or the first thing that no scheduler can be made of.
    pub fn from_yaml(text: &str) -> Result<Self, ConfigTextError> {
        Self::from_yaml_with(text, &Registry::default())
    }

    /// Like [`from_yaml`](Self::from_yaml), for a scheduler that may also use the plugins of `registry`.
    ///
    /// # Errors
    ///
    /// As [`from_yaml`](Self::from_yaml).
    pub fn from_yaml_with(text: &str, registry: &Registry) -> Result<Self, ConfigTextError> {
        let tree = parse_tree(text).map_err(|error| ConfigTextError(vec![error.into()]))?;
        let word = |key| tree.get(key).and_then(Tree::as_text).unwrap_or_default();
        if (word("apiVersion"), word("kind")) != (API_VERSION, KIND) {
            let (version, kind) = (word("apiVersion"), word("kind"));
            let message = format!("no kind {kind:?} is registered for version {version:?}");
            let hint = format!("expected {API_VERSION}, {KIND}");
            return Err(ConfigTextError(vec![at(&tree, "kind", message, hint)]));
        }
        for field in NOT_MODELLED {
            if tree.get(field).is_some_and(|value| !value.is_null()) {
                let message = format!("not modelled: {field}");
                return Err(ConfigTextError(vec![at(&tree, field, message, String::new())]));
            }
        }
        let config: Self = from_tree(&tree).map_err(ConfigTextError)?;
        match config.build(registry, &mut Cluster::default()) {
            Ok(_) => Ok(config),
            Err(error) => {
                let path = error.path(&config);
                Err(ConfigTextError(vec![at(&tree, &path, error.to_string(), String::new())]))
            }
        }
    }
}

/// A problem at the value of a field, or at the nearest thing above it.
fn at(tree: &Tree, field: &str, message: String, hint: String) -> Diagnostic {
    let path = segments(field);
    let (node, key, _) = tree.find(&path);
    let span = key.unwrap_or(node.span);
    Diagnostic {
        line: span.start.line,
        column: span.start.column,
        end: span.end,
        path: field.to_owned(),
        message,
        hint,
    }
}

/// `profiles[0].pluginConfig[1].args`
fn segments(field: &str) -> Path {
    let mut path = Vec::new();
    for part in field.split('.') {
        let (name, rest) = part.split_once('[').map_or((part, ""), |(name, rest)| (name, rest));
        path.push(Segment::Field(name.to_owned()));
        for index in rest.split('[').filter_map(|text| text.trim_end_matches(']').parse().ok()) {
            path.push(Segment::Index(index));
        }
    }
    Path(path)
}

impl ConfigError {
    /// The field that it speaks of.
    fn path(&self, config: &SchedulerConfiguration) -> String {
        let argument = |index: &usize, name: &String| {
            let entries = config.profiles.get(*index).map(|profile| profile.plugin_config.as_slice());
            let place = entries.unwrap_or_default().iter().rposition(|entry| entry.name == *name);
            (*index, place)
        };
        match self {
            Self::NoProfile => "profiles".to_owned(),
            Self::NoName { index } | Self::DuplicateProfile { index, .. } => {
                format!("profiles[{index}].schedulerName")
            }
            Self::UnknownPlugin { field, .. }
            | Self::Plugin { field, .. }
            | Self::OutOfRange { field, .. } => field.clone(),
            Self::TooManyPlugins { index } | Self::QueueSort { index, .. } | Self::NoBind { index, .. } => {
                format!("profiles[{index}].plugins")
            }
            Self::Arguments { index, name, message } => match argument(index, name) {
                (index, Some(place)) => {
                    // The message begins with the field within the arguments, or quotes it.
                    let quoted = message.split('`').nth(1).unwrap_or_default();
                    let begins = message.split(": ").next().unwrap_or_default();
                    let is_field = |text: &&str| !text.is_empty() && !text.contains(' ');
                    let field = [quoted, begins].into_iter().find(is_field).unwrap_or_default();
                    format!("profiles[{index}].pluginConfig[{place}].args.{field}")
                }
                (index, None) => format!("profiles[{index}].plugins"),
            },
            Self::UnknownGate { .. } | Self::GateNeeds { .. } => "featureGates".to_owned(),
        }
    }
}
