//! From a configuration to the tables of the controller.
//!
//! [`Config`] has checked every name and number, so that nothing here can fail.

mod nodes;
mod params;
mod partitions;
mod topology;

use std::sync::Arc;

pub(crate) use nodes::{gres_count, node_shape};

use super::{ClusterSpec, Users};
use crate::slurm::config::{Config, ConfigErrors, ConfigFiles};
use crate::slurm::hostlist;
use crate::slurm::model::{GresNames, NodeBase, NodeFlags, NodeReason};

impl ClusterSpec {
    /// The tables of a cluster that this configuration describes.
    pub fn from_config(config: Config, users: Users) -> Self {
        let mut names = GresNames { kinds: config.list("GresTypes"), types: Vec::new() };
        let mut nodes = Vec::new();
        for record in &config.nodes {
            nodes.extend(nodes::nodes_of(record, &mut names));
        }
        nodes::gres_conf(&config, &mut names, &mut nodes);
        for record in &config.down_nodes {
            let reason = record.fields.get("Reason").map_or("Set in slurm.conf", |field| &field.text);
            for name in hostlist::expand(&record.name).unwrap_or_default() {
                let Some(node) = nodes.iter_mut().find(|node| node.name == name) else { continue };
                match record.fields.text("State").to_ascii_uppercase().as_str() {
                    "DRAIN" => node.flags.set(NodeFlags::DRAIN),
                    "FAIL" | "FAILING" => node.flags.set(NodeFlags::FAIL),
                    "FUTURE" => node.base = NodeBase::Future,
                    _ => node.base = NodeBase::Down,
                }
                node.reason = Some(NodeReason { text: reason.to_owned(), uid: 0, time: 0 });
            }
        }
        let members = partitions::Members::new(&config, &nodes);
        let partitions =
            config.partitions.iter().map(|record| partitions::partition(record, &members)).collect();
        let topology = (config.text("TopologyPlugin") == "topology/tree" && !config.switches.is_empty())
            .then(|| topology::topology(&config, &nodes));
        Self {
            params: params::params(&config),
            users,
            licenses: params::licenses(&config),
            nodes,
            names,
            partitions,
            topology,
            accounting: crate::slurm::accounting::AccountingDb::default(),
            config: Arc::new(config),
        }
    }

    /// The same from the lines of `slurm.conf`, `gres.conf` and `topology.conf`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them, each with file, line and column.
    pub fn from_lines(
        slurm_conf: &[&str],
        gres_conf: &[&str],
        topology_conf: &[&str],
        users: Users,
    ) -> Result<Self, ConfigErrors> {
        let mut files = ConfigFiles::new(slurm_conf.join("\n"));
        for (name, lines) in [("gres.conf", gres_conf), ("topology.conf", topology_conf)] {
            if !lines.is_empty() {
                files = files.with(name, lines.join("\n"));
            }
        }
        Ok(Self::from_config(Config::read(&files)?, users))
    }
}
