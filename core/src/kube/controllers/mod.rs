//! Controllers of kube-controller-manager: each watches the API server, and makes what is into what should be.

mod taint_eviction;

pub use taint_eviction::TaintEviction;
