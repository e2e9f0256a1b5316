//! This machine for other systems: a Kubernetes `Node`, lines for Slurm, a lab in the browser.

mod kubernetes;
mod lab;
mod slurm;

pub use kubernetes::node;
pub use lab::{LabExport, NotModelled, lab_spec};
pub use slurm::{SlurmLines, slurm};
