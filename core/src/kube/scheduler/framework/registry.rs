//! Which plugins there are, by name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::cluster::Cluster;
use super::super::{gpu, plugins};
use super::Plugin;

/// Makes a plugin from its arguments (`pluginConfig[].args`, null if there are none).
///
/// The cluster is there for the strings that the plugin wants to intern.
pub type Factory = fn(&Value, &mut Cluster) -> Result<Box<dyn Plugin>, String>;

/// The plugins that a configuration can name.
#[derive(Clone, Debug)]
pub struct Registry {
    factories: BTreeMap<String, Factory>,
}

impl Default for Registry {
    /// The plugins of kube-scheduler, and those of [`gpu`].
    fn default() -> Self {
        let mut registry = Self { factories: BTreeMap::new() };
        for (name, _, factory) in plugins::DEFAULT {
            registry.register(name, *factory);
        }
        for (name, factory) in gpu::PLUGINS {
            registry.register(name, *factory);
        }
        registry
    }
}

impl Registry {
    /// Adds a plugin of one's own, or replaces one.
    pub fn register(&mut self, name: &str, factory: Factory) {
        self.factories.insert(name.to_owned(), factory);
    }

    /// The factory of that name.
    pub fn get(&self, name: &str) -> Option<Factory> {
        self.factories.get(name).copied()
    }
}
