//! The Kubernetes scheduler: kube-scheduler v1.36's decisions, as an engine.
//!
//! [`Scheduler`] is told of nodes and pods as [`k8s_openapi`] objects and asked
//! for placements, one pod at a time, in virtual time. It needs no API server; in
//! the lab, [`SchedulerController`] keeps it in step with one. What it decides,
//! and every step of how, is data: see [`Attempt`].
//!
//! The parts, in the order in which a pod meets them:
//!
//! - [`cluster`]: nodes and pods in dense tables, kept up to date change by change;
//! - [`queue`]: which pod is next, and when one that was refused is worth another try;
//! - [`framework`]: the extension points and the profiles that put plugins together;
//! - the plugins themselves, one file each; [`Registry`] takes plugins of one's own
//!   (the example `scheduler_plugin` adds one);
//! - [`gpu`]: policies for whole and shared GPUs beside the default plugins;
//! - the cycle: filters over the nodes, scores, the choice among equals, and when no
//!   node will do, [`preemption`].

pub mod cluster;
pub mod conform;
pub mod framework;
pub mod gang;
pub mod gpu;
pub mod openb;
pub mod preemption;
pub mod queue;
pub mod workload;

mod answers;
mod choose;
mod config;
mod controller;
mod cycle;
mod decision;
mod devices;
mod engine;
mod features;
mod message;
mod nominator;
mod objects;
mod permit;
mod plugins;
mod schedule;
mod storage;
#[cfg(test)]
mod tests;

pub use config::{
    ConfigError, ConfigTextError, PluginArguments, PluginReference, PluginSetConfiguration,
    PluginsConfiguration, ProfileConfiguration, SchedulerConfiguration,
};
pub use controller::SchedulerController;
pub use decision::{Attempt, Decision, FilterResult, NodeScore, Outcome, Recording, ScorePlugin};
pub use engine::Scheduler;
pub use features::Features;
pub use framework::Registry;
pub use schedule::NoBinder;
