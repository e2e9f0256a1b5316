//! `DynamicResources`, for pods without claims.
//!
//! The allocator of devices is not there yet: a pod with `spec.resourceClaims` is
//! refused before any plugin sees it. For all others the plugin does what
//! upstream's does: it gives every node a score of zero, and has nothing to free
//! when no node will do.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeInfo};
use super::super::framework::{
    Code, Context, CycleState, NodeStatuses, Plugin, PostFilter, PostFilterContext, PostFilterResult,
    PreFilter, PreFilterResult, Score, Status,
};
use super::super::queue::EventKinds;
use super::arguments;

pub(super) const NAME: &str = "DynamicResources";

/// `DynamicResourcesArgs`: only a time-out for CEL filters, which do not run here.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Args {
    #[serde(rename = "filterTimeout")]
    _filter_timeout: Option<String>,
}

#[derive(Clone, Debug)]
struct DynamicResources;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let _: Args = arguments(args)?;
    Ok(Box::new(DynamicResources))
}

impl Plugin for DynamicResources {
    fn name(&self) -> &str {
        NAME
    }

    fn pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }

    fn post_filter(&self) -> Option<&dyn PostFilter> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn Score> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

/// That the pre-filter ran: upstream keeps the pod's claims here.
#[derive(Clone, Debug)]
struct Claims;

impl PreFilter for DynamicResources {
    fn pre_filter(&self, _: &Context<'_>, state: &mut CycleState) -> PreFilterResult {
        state.write(Claims);
        Status::skip().into()
    }
}

impl PostFilter for DynamicResources {
    fn post_filter(
        &self,
        _: &PostFilterContext<'_>,
        state: &CycleState,
        _: &NodeStatuses,
    ) -> PostFilterResult {
        if state.read::<Claims>().is_none() {
            // An earlier pre-filter ended the cycle. Upstream fails to read its state then, which ends
            // the post-filters, preemption too: the pod's message ends with this.
            return PostFilterResult { status: Status::new(Code::Error, "not found"), ..Default::default() };
        }
        PostFilterResult {
            status: Status::unschedulable("no new claims to deallocate"),
            ..Default::default()
        }
    }
}

impl Score for DynamicResources {
    fn is_local(&self, _: &Context<'_>) -> bool {
        true
    }

    fn score(&self, _: &Context<'_>, _: &CycleState, _: &NodeInfo) -> i64 {
        0
    }
}
