//! `DynamicResources`, for pods without claims.
//!
//! The allocator of devices is not there yet: a pod with `spec.resourceClaims` is
//! refused before any plugin sees it. For all others the plugin does what
//! upstream's does: it gives every node a score of zero, and has nothing to free
//! when no node will do.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeInfo};
use super::super::framework::{
    Context, CycleState, NodeStatuses, Plugin, PostFilter, PostFilterContext, PostFilterResult, Score, Status,
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

impl PostFilter for DynamicResources {
    fn post_filter(&self, _: &PostFilterContext<'_>, _: &CycleState, _: &NodeStatuses) -> PostFilterResult {
        PostFilterResult {
            status: Status::unschedulable("no new claims to deallocate"),
            ..Default::default()
        }
    }
}

impl Score for DynamicResources {
    fn score(&self, _: &Context<'_>, _: &CycleState, _: &NodeInfo) -> i64 {
        0
    }
}
