//! The pools of devices that a node can reach.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::super::cluster::devices::Slice;
use super::super::super::cluster::{Cluster, NodeInfo};
use super::allocator::Failure;
use crate::order::InOrder;

/// A pool, as far as a node can reach it.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    pub driver: &'a Arc<str>,
    pub name: &'a Arc<str>,
    /// By name.
    pub slices: Vec<&'a Arc<Slice>>,
    /// Its driver has not published all of it.
    pub incomplete: bool,
    /// Two devices of one name.
    pub invalid: bool,
}

/// Driver and name of a pool.
type Key<'a> = (&'a Arc<str>, &'a Arc<str>);

/// The pools that a node can reach, by driver and name (`GatherPools`).
pub(super) fn pools<'a>(cluster: &'a Cluster, node: &NodeInfo) -> Result<Vec<Pool<'a>>, Failure> {
    let mut found: BTreeMap<Key<'_>, Vec<&Arc<Slice>>> = BTreeMap::new();
    for slice in cluster.devices.slices_near(node.name) {
        if !slice.covers(node, &cluster.symbols) {
            continue;
        }
        if let Some(what) = slice.not_modelled {
            return Err(Failure::Error(format!("not modelled: {what}")));
        }
        let slices = found.entry((&slice.driver, &slice.pool)).or_default();
        match slices.first().map(|first| first.generation) {
            Some(known) if slice.generation < known => continue,
            Some(known) if slice.generation > known => slices.clear(),
            _ => {}
        }
        slices.push(slice);
    }
    let mut pools = Vec::new();
    for ((driver, name), mut slices) in found {
        let generation = slices[0].generation;
        // Slices that this node cannot reach count, too.
        let newest = cluster.devices.pool(driver, name).map(|slice| slice.generation).max();
        if newest.is_some_and(|newest| newest > generation) {
            // The driver is about to replace it.
            continue;
        }
        let all = cluster.devices.pool(driver, name).filter(|slice| slice.generation == generation).count();
        let incomplete = i64::try_from(all).ok() != Some(slices[0].slices_in_pool);
        slices.order_by(|a, b| a.name.cmp(&b.name));
        let mut names = BTreeSet::new();
        let invalid = !slices.iter().flat_map(|slice| &slice.devices).all(|device| names.insert(device.id));
        pools.push(Pool { driver, name, slices, incomplete, invalid });
    }
    Ok(pools)
}
