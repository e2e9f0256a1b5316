//! Kubernetes: API server, scheduler, kubelet and the learner's `kubectl`.
//!
//! Objects are [`k8s_openapi`]'s types, so that a manifest, a `kube` client and
//! this crate speak the same. Engines convert them once, on the way in, to small
//! dense types of their own.

pub mod api;
pub mod controllers;
pub mod decode;
pub mod kubectl;
pub mod kubelet;
pub mod manifest;
pub mod quantity;
pub mod queueing;
pub mod scheduler;
