//! The scheduling framework: extension points, plugins, and the profiles that put them together.

mod cycle_state;
mod placement;
mod plugin;
mod points;
mod profile;
mod registry;
mod status;

pub use cycle_state::{CycleState, StateData};
pub use placement::{Assignments, GroupContext, Placement, PlacementGenerate, PlacementScore};
pub use plugin::{
    AllocatedDevice, Bind, Binder, ClaimAllocation, ClonePlugin, Context, Filter, MAX_NODE_SCORE, Nomination,
    Permit, Plugin, PodAnnotations, PostBind, PostFilter, PostFilterContext, PostFilterResult, PreBind,
    PreEnqueue, PreFilter, PreFilterResult, PreScore, Prepare, QueueSort, Reserve, RunFilters, Score,
    TieBreak, VolumeBinding, default_normalize,
};
pub use points::{Point, Points};
pub use profile::{AnswerId, NodeStatuses, PluginId, PluginSet, PreFilterOutcome, Profile, Rejection};
pub(super) use profile::{Filters, FiltersWithNominated, first_answer, first_refusal};
pub use registry::{Factory, Registry};
pub use status::{Code, Reason, Reasons, Status};
