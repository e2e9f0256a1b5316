//! The API server: every object of the cluster, and the only way to change one.

mod kind;
mod object;
mod status;
mod store;

pub use kind::{Kind, KindInfo};
pub use object::{Object, ObjectKey, Resource};
pub use status::{Reason, Status};
pub use store::{
    ApiServer, DeleteOptions, EventRecord, ListOptions, ObjectList, Patch, Subresource, WatchEvent,
    WatchVerb, WriteOptions,
};
