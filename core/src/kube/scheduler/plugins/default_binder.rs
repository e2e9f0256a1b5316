//! `DefaultBinder`: binds the pod through the API server.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeId};
use super::super::framework::{Bind, Binder, Code, Context, Plugin, Status};
use super::super::queue::EventKinds;
use super::no_arguments;

pub(super) const NAME: &str = "DefaultBinder";

#[derive(Clone, Debug)]
struct DefaultBinder;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(DefaultBinder))
}

impl Plugin for DefaultBinder {
    fn name(&self) -> &str {
        NAME
    }

    fn bind(&self) -> Option<&dyn Bind> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

impl Bind for DefaultBinder {
    fn bind(&self, context: &Context<'_>, node: NodeId, binder: &mut dyn Binder) -> Status {
        match binder.bind(context.pod, context.cluster.node_name(node)) {
            Ok(()) => Status::success(),
            Err(message) => Status::new(Code::Error, message),
        }
    }
}
