//! A GPU cluster that fits in a crate.
pub mod hardware;
#[cfg(feature = "kube")]
pub mod kube;
#[cfg(feature = "lab")]
pub mod lab;
pub mod process;
pub mod sim;
