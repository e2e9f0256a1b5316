//! The extension points of pod groups: where a group could go as a whole, and how good each place is.

use super::super::cluster::PodInfo;
use super::super::cluster::{Cluster, NodeId};
use super::super::gang::GroupKey;
use std::sync::Arc;

/// A set of nodes that a pod group could be placed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The value of the topology label; empty for the whole cluster.
    pub name: Arc<str>,
    /// Its nodes, in the order of [`Cluster::nodes`].
    pub nodes: Vec<NodeId>,
}

/// What a group-wide plugin is shown.
#[derive(Clone, Copy, Debug)]
pub struct GroupContext<'a> {
    /// The group.
    pub group: GroupKey,
    /// Everything else.
    pub cluster: &'a Cluster,
}

/// Which pods of a group a placement would take, and where.
#[derive(Clone, Debug)]
pub struct Assignments<'a> {
    /// The placement.
    pub placement: &'a Placement,
    /// Pods with the nodes that were found for them.
    pub pods: Vec<(&'a PodInfo, NodeId)>,
}

/// Where could the group go (`PlacementGeneratePlugin`)?
pub trait PlacementGenerate {
    /// Divides `parent` into placements; it alone if the group does not care.
    ///
    /// # Errors
    ///
    /// The group's pods that run already make the question unanswerable.
    fn generate(&self, context: &GroupContext<'_>, parent: Placement) -> Result<Vec<Placement>, String>;
}

/// How good is a placement (`PlacementScorePlugin`)?
pub trait PlacementScore {
    /// Any number, if [`PlacementScore::normalize`] brings it into 0 to 100; else one of that range.
    fn score_placement(&self, context: &GroupContext<'_>, assignments: &Assignments<'_>) -> i64;

    /// Brings the scores of all placements into 0 to 100.
    ///
    /// # Errors
    ///
    /// The scores make no sense.
    fn normalize(&self, _scores: &mut [i64]) -> Result<(), String> {
        Ok(())
    }
}
