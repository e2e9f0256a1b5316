//! The feature gates of kube-scheduler v1.36 that this engine knows.

use std::collections::BTreeMap;

use super::config::ConfigError;
use crate::order::Collected;

/// What `featureGates` switches; everything is off by default, as it is upstream (all three are alpha).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// `GenericWorkload`: pods with `spec.schedulingGroup` are scheduled group by group (KEP-4671).
    pub generic_workload: bool,
    /// `GangScheduling`: plugin `GangScheduling`, which holds a group together (KEP-4671).
    pub gang_scheduling: bool,
    /// `TopologyAwareWorkloadScheduling`: plugins `TopologyPlacementGenerator` and `PodGroupPodsCount`,
    /// which keep a group within one domain of a topology (KEP-5732).
    pub topology_aware_workload_scheduling: bool,
}

impl Features {
    /// The names, as `--feature-gates` has them.
    pub const NAMES: [&'static str; 3] =
        ["GangScheduling", "GenericWorkload", "TopologyAwareWorkloadScheduling"];

    /// All gates by name, each switched on: what a lab of AI infrastructure wants.
    pub fn all() -> BTreeMap<String, bool> {
        Self::NAMES.iter().map(|name| ((*name).to_owned(), true)).into_map()
    }

    /// Reads the gates of a configuration.
    pub(super) fn new(gates: &BTreeMap<String, bool>) -> Result<Self, ConfigError> {
        let mut features = Self::default();
        for (name, on) in gates {
            let slot = match name.as_str() {
                "GenericWorkload" => &mut features.generic_workload,
                "GangScheduling" => &mut features.gang_scheduling,
                "TopologyAwareWorkloadScheduling" => &mut features.topology_aware_workload_scheduling,
                _ => return Err(ConfigError::UnknownGate { name: name.clone() }),
            };
            *slot = *on;
        }
        for (name, on) in [
            ("GangScheduling", features.gang_scheduling),
            ("TopologyAwareWorkloadScheduling", features.topology_aware_workload_scheduling),
        ] {
            if on && !features.generic_workload {
                return Err(ConfigError::GateNeeds { name, needed: "GenericWorkload" });
            }
        }
        Ok(features)
    }

    /// Whether a default plugin belongs to a gate that is off.
    pub(super) fn hides(self, plugin: &str) -> bool {
        match plugin {
            "GangScheduling" => !self.gang_scheduling,
            "TopologyPlacementGenerator" | "PodGroupPodsCount" => !self.topology_aware_workload_scheduling,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_does_not_exist_or_stands_alone_is_refused() {
        let read = |gates: &[(&str, bool)]| {
            Features::new(&gates.iter().map(|(name, on)| ((*name).to_owned(), *on)).collect())
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(&[]), Ok(Features::default()));
        assert_eq!(read(&[("Gangs", true)]), Err("unrecognized feature gate: Gangs".to_owned()));
        assert_eq!(
            read(&[("GangScheduling", true)]),
            Err("GangScheduling is enabled, but depends on features that are disabled: [GenericWorkload]"
                .to_owned())
        );
        assert!(read(&[("GangScheduling", true), ("GenericWorkload", true)]).unwrap().gang_scheduling);
        assert!(Features::new(&Features::all()).unwrap().topology_aware_workload_scheduling);
    }
}
