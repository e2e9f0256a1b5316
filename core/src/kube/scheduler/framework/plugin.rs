//! The extension points, one small trait each.
//!
//! A plugin implements [`Plugin`] and the traits of those extension points at
//! which it has something to say, and names them in [`Plugin`]'s methods. It is
//! plain data: what it must remember within a cycle goes into the
//! [`CycleState`], what it must remember longer it keeps itself and changes in
//! [`Reserve`] and [`Permit`]; the lab rewinds by cloning it with everything else.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use super::super::cluster::{Cluster, NodeId, NodeInfo, PodInfo, Symbol};
use super::super::queue::{ClusterChange, EventKinds, Hint, QueuedPod};
use super::{CycleState, NodeStatuses, PlacementGenerate, PlacementScore, Status};

/// The best score that a plugin can give to a node.
pub const MAX_NODE_SCORE: i64 = 100;

/// What a plugin is shown: the pod that is to be placed, and the cluster.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The pod.
    pub pod: &'a PodInfo,
    /// Everything else.
    pub cluster: &'a Cluster,
}

/// A copy of a boxed plugin; implemented for every plugin that is `Clone`.
pub trait ClonePlugin {
    /// A copy.
    fn clone_box(&self) -> Box<dyn Plugin>;
    /// For those who know the concrete type.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Plugin + Clone + 'static> ClonePlugin for T {
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Clone for Box<dyn Plugin> {
    fn clone(&self) -> Self {
        (**self).clone_box()
    }
}

impl fmt::Debug for dyn Plugin {
    /// Its name. What a plugin keeps need not be printable: the code that prints it would be downloaded by every visitor
    /// of the browser lab.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A plugin: its name and the extension points at which it takes part.
pub trait Plugin: ClonePlugin {
    /// `NodeResourcesFit`
    fn name(&self) -> &str;

    /// Bring up to date what is kept from one cycle to the next. Not an extension point of kube-scheduler.
    fn prepare(&mut self) -> Option<&mut dyn Prepare> {
        None
    }
    /// Which of the best nodes? Not an extension point of kube-scheduler.
    fn tie_break(&self) -> Option<&dyn TieBreak> {
        None
    }

    /// May the pod enter the queue at all?
    fn pre_enqueue(&self) -> Option<&dyn PreEnqueue> {
        None
    }
    /// Which pod is next?
    fn queue_sort(&self) -> Option<&dyn QueueSort> {
        None
    }
    /// Look at the pod once, before any node.
    fn pre_filter(&self) -> Option<&dyn PreFilter> {
        None
    }
    /// Can the pod run on this node?
    fn filter(&self) -> Option<&dyn Filter> {
        None
    }
    /// No node will do: what now?
    fn post_filter(&self) -> Option<&dyn PostFilter> {
        None
    }
    /// Look at the feasible nodes once, before scoring.
    fn pre_score(&self) -> Option<&dyn PreScore> {
        None
    }
    /// How good is this node?
    fn score(&self) -> Option<&dyn Score> {
        None
    }
    /// Take what the pod will need.
    fn reserve(&mut self) -> Option<&mut dyn Reserve> {
        None
    }
    /// May the pod go, must it wait, must it come back?
    fn permit(&mut self) -> Option<&mut dyn Permit> {
        None
    }
    /// What must be done before the pod is bound.
    fn pre_bind(&self) -> Option<&dyn PreBind> {
        None
    }
    /// Bind the pod.
    fn bind(&self) -> Option<&dyn Bind> {
        None
    }
    /// The pod is bound.
    fn post_bind(&self) -> Option<&dyn PostBind> {
        None
    }

    /// Where could a pod group go?
    fn placement_generate(&self) -> Option<&dyn PlacementGenerate> {
        None
    }
    /// How good is a place for a pod group?
    fn placement_score(&self) -> Option<&dyn PlacementScore> {
        None
    }

    /// Changes of the cluster that may make a pod fit which this plugin refused (`EventsToRegister`).
    fn events(&self) -> EventKinds {
        EventKinds::ALL
    }

    /// Whether such a change is worth another try (`QueueingHintFn`).
    fn queueing_hint(&self, _context: &Context<'_>, _change: &ClusterChange<'_>) -> Hint {
        Hint::Queue
    }
}

/// Bring up to date what is kept from one cycle to the next.
///
/// Filters and scores are asked for thousands of nodes in each cycle, of which few have changed since the last one
/// ([`Cluster::changed_since`]). A plugin that keeps its answers works them out anew here, once before each cycle of
/// its profile, and only looks them up later. In the profile's order: what one plugin writes into the state, those
/// after it can read.
pub trait Prepare {
    /// Looks at the pod and the cluster.
    fn prepare(&mut self, context: &Context<'_>, state: &mut CycleState);
}

/// Which of the nodes that share the best score? The first plugin of a profile that has this extension point says so;
/// without one, it is the node that kube-scheduler's heap has on top.
pub trait TieBreak {
    /// Of the best nodes, the one with the lowest rank is taken; among equal ranks, the one that was found first.
    fn rank(&self, context: &Context<'_>, node: NodeId) -> u64;
}

/// May the pod enter the queue?
pub trait PreEnqueue {
    /// Anything but success keeps the pod out of the queue until it changes.
    fn pre_enqueue(&self, pod: &PodInfo) -> Status;
}

/// Which of two pods is first?
pub trait QueueSort {
    /// Whether `a` goes before `b`.
    fn less(&self, a: &QueuedPod, b: &QueuedPod) -> bool;
}

/// What a [`PreFilter`] found.
#[derive(Clone, Debug, Default)]
pub struct PreFilterResult {
    /// Success, a rejection of the pod whatever the node, or skip: then this plugin's filter does not run.
    pub status: Status,
    /// Names of the only nodes that come into question; none leaves all.
    pub node_names: Option<Vec<Symbol>>,
}

impl From<Status> for PreFilterResult {
    fn from(status: Status) -> Self {
        Self { status, node_names: None }
    }
}

/// Look at the pod once, before any node.
pub trait PreFilter {
    /// Rejects the pod, limits the nodes, or computes what [`Filter`] needs.
    fn pre_filter(&self, context: &Context<'_>, state: &mut CycleState) -> PreFilterResult;

    /// What if `other` also were on `node`? Brings the state up to date.
    fn add_pod(&self, _context: &Context<'_>, _state: &mut CycleState, _other: &PodInfo, _node: &NodeInfo) {}

    /// What if `other` were not on `node`? Brings the state up to date.
    fn remove_pod(
        &self,
        _context: &Context<'_>,
        _state: &mut CycleState,
        _other: &PodInfo,
        _node: &NodeInfo,
    ) {
    }
}

/// Can the pod run on this node?
pub trait Filter {
    /// Success, or why not.
    fn filter(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> Status;

    /// Whether the answer follows from the pod's [class](super::super::cluster::PodClass) and the node alone.
    ///
    /// Then it is kept for equal pods until the node changes; a filter that looks at anything else must not say so.
    fn is_local(&self) -> bool {
        false
    }
}

/// No node will do.
pub trait PostFilter {
    /// Tries to make the pod schedulable, by preemption for instance.
    fn post_filter(
        &self,
        context: &PostFilterContext<'_>,
        state: &CycleState,
        statuses: &NodeStatuses,
    ) -> PostFilterResult;
}

/// What a [`PostFilter`] is shown.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations, reason = "it only lends what others own")]
pub struct PostFilterContext<'a> {
    /// The pod and the cluster.
    pub context: Context<'a>,
    /// A way to ask whether the pod would fit if things were otherwise.
    pub filters: &'a dyn RunFilters,
    /// The node to which the pod is nominated after an earlier preemption.
    pub nominated_node: Option<NodeId>,
    /// Disruption budgets.
    pub budgets: &'a [super::super::preemption::Budget],
    /// Whether somebody keeps the reasons; else only what was chosen is of interest.
    pub explain: bool,
}

/// All filters of a profile, for a [`PostFilter`] that tries things out.
pub trait RunFilters {
    /// Whether the pod fits on a node, pods that are nominated to it taken into account.
    fn run_filters(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> Status;
    /// Tells all plugins that `other` is also on `node`.
    fn run_add_pod(&self, context: &Context<'_>, state: &mut CycleState, other: &PodInfo, node: &NodeInfo);
    /// Tells all plugins that `other` is not on `node`.
    fn run_remove_pod(&self, context: &Context<'_>, state: &mut CycleState, other: &PodInfo, node: &NodeInfo);
}

/// What a [`PostFilter`] achieved.
#[derive(Clone, Debug, Default)]
pub struct PostFilterResult {
    /// Success: the pod has a chance soon. A rejection: its reasons end the pod's message.
    pub status: Status,
    /// What becomes of the pod's nominated node.
    pub nomination: Nomination,
    /// How preemption went, to explain it.
    pub preemption: Option<super::super::preemption::Preemption>,
    /// A claim whose devices nobody uses, to be taken away from it.
    pub deallocate: Option<super::super::cluster::devices::ClaimKey>,
}

/// What becomes of a pod's nominated node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nomination {
    /// It stays.
    #[default]
    Keep,
    /// It is taken away.
    Clear,
    /// It is this one.
    Node(NodeId),
}

/// Look at the feasible nodes once, before scoring.
pub trait PreScore {
    /// Success, an error, or skip: then this plugin gives no scores.
    fn pre_score(&self, context: &Context<'_>, state: &mut CycleState, nodes: &[NodeId]) -> Status;
}

/// How good is this node?
pub trait Score {
    /// Any number, if [`Score::normalize`] brings it into 0 to [`MAX_NODE_SCORE`]; else one of that range.
    fn score(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64;

    /// Whether the score follows from the pod's [class](super::super::cluster::PodClass), the node, and which images are on
    /// how many nodes. Then it is kept for equal pods until one of these changes.
    fn is_local(&self, _context: &Context<'_>) -> bool {
        false
    }

    /// Scores of many nodes; a plugin may do this faster than one by one.
    fn score_all(&self, context: &Context<'_>, state: &CycleState, nodes: &[NodeId], scores: &mut [i64]) {
        for (node, score) in nodes.iter().zip(scores) {
            *score = self.score(context, state, context.cluster.node(*node));
        }
    }

    /// Brings the scores of all feasible nodes into 0 to [`MAX_NODE_SCORE`].
    fn normalize(&self, _context: &Context<'_>, _state: &CycleState, _nodes: &[NodeId], _scores: &mut [i64]) {
    }
}

/// Take what the pod will need.
pub trait Reserve {
    /// Takes it, or refuses.
    fn reserve(&mut self, context: &Context<'_>, state: &mut CycleState, node: NodeId) -> Status;
    /// Gives it back; must not fail, and may come without a successful `reserve` before.
    fn unreserve(&mut self, context: &Context<'_>, state: &mut CycleState, node: NodeId);
}

/// May the pod go?
pub trait Permit {
    /// Success, a rejection, or [`Code::Wait`](super::Code::Wait) with how long at most.
    fn permit(&mut self, context: &Context<'_>, state: &mut CycleState, node: NodeId) -> (Status, Duration);
}

/// Where a bound pod goes: the API server, or nowhere if a tool only asks for placements.
pub trait Binder {
    /// Binds the pod to the node of that name; the error is for people.
    ///
    /// # Errors
    ///
    /// The binding was refused: the pod is gone or was bound by somebody else.
    fn bind(&mut self, pod: &PodInfo, node: &str) -> Result<(), String>;

    /// Writes annotations on the pod before it is bound ([`PodAnnotations`]); the error is for people.
    ///
    /// # Errors
    ///
    /// The pod is gone, or somebody objects to the annotations.
    fn annotate(&mut self, _pod: &PodInfo, _annotations: &PodAnnotations) -> Result<(), String> {
        Ok(())
    }

    /// Binds claims of the pod to volumes, or has volumes made for them for the node of that name.
    ///
    /// # Errors
    ///
    /// It cannot be done: the pod is tried again.
    fn bind_volumes(
        &mut self,
        _pod: &PodInfo,
        _node: &str,
        _bindings: &[VolumeBinding],
    ) -> Result<(), String> {
        Ok(())
    }

    /// Writes down the devices that claims of the pod have got on the node of that name.
    ///
    /// # Errors
    ///
    /// A claim is gone or has got others: the pod is tried again.
    fn allocate_claims(
        &mut self,
        _pod: &PodInfo,
        _node: &str,
        _allocations: &[ClaimAllocation],
    ) -> Result<(), String> {
        Ok(())
    }
}

/// The devices that a claim has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimAllocation {
    /// Namespace of the claim.
    pub namespace: std::sync::Arc<str>,
    /// Its name.
    pub claim: std::sync::Arc<str>,
    /// In the order in which they were chosen.
    pub devices: Vec<AllocatedDevice>,
}

/// A device of an allocation (`DeviceRequestAllocationResult`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocatedDevice {
    /// The request that it is for; of a list of alternatives, `request/alternative`.
    pub request: std::sync::Arc<str>,
    /// Its driver.
    pub driver: std::sync::Arc<str>,
    /// Its pool.
    pub pool: std::sync::Arc<str>,
    /// Its name.
    pub device: std::sync::Arc<str>,
}

/// A claim that is to be bound before its pod is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeBinding {
    /// Namespace of the claim.
    pub namespace: std::sync::Arc<str>,
    /// Its name.
    pub claim: std::sync::Arc<str>,
    /// The volume for it; none if one is to be made.
    pub volume: Option<std::sync::Arc<str>>,
}

/// Annotations that plugins want on the pod once it has a node: written into the cycle's state by [`Reserve`],
/// and on the pod by the [`Binder`] right before it is bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodAnnotations(pub std::collections::BTreeMap<String, String>);

/// What must be done before the pod is bound.
pub trait PreBind {
    /// Does it.
    fn pre_bind(
        &self,
        context: &Context<'_>,
        state: &mut CycleState,
        node: NodeId,
        binder: &mut dyn Binder,
    ) -> Status;
}

/// Bind the pod.
pub trait Bind {
    /// Binds it, or skips it for the next such plugin.
    fn bind(&self, context: &Context<'_>, node: NodeId, binder: &mut dyn Binder) -> Status;
}

/// The pod is bound.
pub trait PostBind {
    /// Takes note.
    fn post_bind(&self, context: &Context<'_>, state: &mut CycleState, node: NodeId);
}

/// Brings scores into 0 to [`MAX_NODE_SCORE`], the best one to its top (`helper.DefaultNormalizeScore`).
pub fn default_normalize(scores: &mut [i64], reverse: bool) {
    let max = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        if max == 0 {
            *score = if reverse { MAX_NODE_SCORE } else { *score };
        } else {
            let share = MAX_NODE_SCORE * *score / max;
            *score = if reverse { MAX_NODE_SCORE - share } else { share };
        }
    }
}
