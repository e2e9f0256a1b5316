//! The API server: every object of the cluster, and the only way to change one.
//!
//! [`ApiServer`] is the real one's behaviour without its transport: requests are
//! method calls, watches are cursors into a history of changes. A new version of an
//! object goes through the same stations as in reality:
//!
//! `defaults` (what was left out) → `admission` (what the cluster adds or refuses) → `strategy` (what the
//! caller may not set) → `validation` (what may be stored) → the store, which counts the version up and
//! tells watches.
//!
//! Components of the cluster (scheduler, kubelet, controllers) read typed objects without a copy
//! ([`read`](ApiServer::read), [`iter`](ApiServer::iter)) and change them by closures
//! ([`update`](ApiServer::update), [`update_status`](ApiServer::update_status)); clients send whole objects
//! ([`create`](ApiServer::create), [`replace`](ApiServer::replace)) and patches.
//!
//! Not modelled: `managedFields`, authentication, webhooks.

mod admission;
mod binding;
mod bootstrap;
mod defaults;
mod delete;
mod events;
mod go_form;
mod kind;
pub mod kueue;
mod namespaces;
mod node_taints;
mod object;
mod options;
pub mod patch;
mod pod_condition;
mod pod_requests;
mod qos;
mod requests;
mod selector;
mod status;
mod store;
mod strategy;
#[cfg(test)]
mod tests;
mod validation;
mod warnings;
mod watch;
mod write;

pub(in crate::kube) use go_form::MAPS;
pub use kind::{Kind, KindInfo};
pub use object::{Object, ObjectKey, Resource};
pub use options::{
    DeleteOptions, Deletion, EventRecord, ListOptions, ObjectList, Patch, Subresource, WatchEvent, WatchVerb,
    WriteOptions,
};
pub use pod_condition::set_pod_condition;
pub use pod_requests::{add_amounts, amount, pod_requests};
pub use requests::{problems_of, refusals_of};
pub use selector::{FieldSelector, LabelSelector};
pub use status::{Reason, Status};
pub use store::ApiServer;
pub use validation::{
    is_config_map_key, is_dns1123_label, is_dns1123_subdomain, is_qualified_name, is_valid_label_value,
};
