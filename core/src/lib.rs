//! A GPU cluster that fits in a crate.
//!
//! `clusterlab` simulates the machines of an AI cluster and the software that runs
//! them: the Kubernetes API server, scheduler, kubelet and `kubectl` today, over GPUs
//! that answer `nvidia-smi` as the real ones do. It is deterministic, has no I/O, no
//! threads and no clock of its own, and runs natively and as WebAssembly.
//!
//! The whole of it in ten lines: a DGX joins a cluster, a CUDA container asks for one
//! GPU, virtual time passes, and the container's log is read.
//!
//! ```
//! use clusterlab::lab::{Lab, LabSpec};
//!
//! let mut lab = Lab::new(LabSpec::from_yaml("nodes: [{name: gpu-1, system: dgx-h100}]")?)?;
//! lab.write_file("pod.yaml", "
//! apiVersion: v1
//! kind: Pod
//! metadata: {name: cuda}
//! spec:
//!   restartPolicy: Never
//!   containers:
//!   - name: main
//!     image: nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04
//!     command: [nvidia-smi]
//!     resources: {limits: {nvidia.com/gpu: 1}}
//! ");
//! assert_eq!(lab.run("kubectl apply -f pod.yaml").stdout, "pod/cuda created\n");
//! lab.advance(std::time::Duration::from_secs(60));
//! assert_eq!(lab.run("kubectl get pod cuda -o jsonpath={.status.phase}").stdout, "Succeeded");
//! assert!(lab.run("kubectl logs cuda").stdout.contains("NVIDIA H100 80GB HBM3"));
//! # Ok::<(), clusterlab::lab::SpecError>(())
//! ```
//!
//! # Floors
//!
//! A module uses only the floors below its own:
//!
//! | floor | module | what |
//! | --- | --- | --- |
#![cfg_attr(
    feature = "lab",
    doc = "| 5 | [`lab`] | a whole lab from one spec: terminal, clock, save, rewind |"
)]
#![cfg_attr(feature = "kube", doc = "| 3 | [`kube`] | API server, scheduler, kubelet, `kubectl` |")]
#![cfg_attr(feature = "slurm", doc = "| 3 | [`slurm`] | controller, schedulers, accounting, commands |")]
#![cfg_attr(
    feature = "slurm",
    doc = "| 3 | [`slurm`] | batch scheduling: logs of real machines, the textbook's policies |"
)]
//! | 2 | [`process`] | what runs in a container: shell, utilities, programs, files |
//! | 2 | [`telemetry`] | GPUs as Prometheus sees them, under DCGM's names |
//! | 1 | [`hardware`] | machines, GPUs, MIG, NVLink and PCIe |
//! | 0 | [`sim`] | virtual time, events, randomness, journal |
//!
//! Floors 4 (NVIDIA's operators) and the rest of floor 3 (MLOps)
//! are not built yet. Each floor above `process` is a cargo feature; all are
//! on by default.
//!
//! What is not modelled says so: with the real system's error where it has one, else
//! with a text that begins `not modelled: `.
#![forbid(unsafe_code)]

pub mod hardware;
#[cfg(feature = "kube")]
pub mod kube;
#[cfg(feature = "lab")]
pub mod lab;
pub mod order;
pub mod process;
pub mod sim;
#[cfg(feature = "slurm")]
pub mod slurm;
pub mod telemetry;
