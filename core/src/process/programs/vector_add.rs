//! `vectorAdd`, the CUDA sample with which everybody tries a GPU.
//!
//! With a GPU it takes 0.3 s and holds a small context on GPU 0. Without a
//! driver it fails as the real one does: the CUDA runtime finds no `libcuda`.

use std::time::Duration;

use crate::hardware::GpuProcess;
use crate::process::container::ContainerHost;
use crate::process::{Io, Step};
use crate::sim::SimTime;

/// How long it computes.
const RUN: Duration = Duration::from_millis(300);
/// What a CUDA context and three vectors of 50,000 floats take, in MiB.
const MEMORY_MIB: u32 = 522;

/// A running `vectorAdd`.
#[derive(Clone, Debug)]
pub struct VectorAdd {
    pid: u32,
    until: Option<SimTime>,
}

impl VectorAdd {
    /// The program with this process id.
    pub const fn new(pid: u32) -> Self {
        Self { pid, until: None }
    }

    pub(super) fn step(&mut self, host: &mut ContainerHost<'_>, io: &mut Io<'_>) -> Step {
        let now = host.now;
        match self.until {
            None => {
                io.stdout.extend_from_slice(b"[Vector addition of 50000 elements]\n");
                if let Err(error) = self.enter(host) {
                    let text = format!("Failed to allocate device vector A (error code {error})!\n");
                    io.stderr.extend_from_slice(text.as_bytes());
                    return Step::Exit(1);
                }
                io.stdout.extend_from_slice(b"Copy input data from the host memory to the CUDA device\n");
                io.stdout.extend_from_slice(b"CUDA kernel launch with 196 blocks of 256 threads\n");
                self.until = Some(now + RUN);
                Step::Until(now + RUN)
            }
            Some(until) if now < until => Step::Until(until),
            Some(_) => {
                let lost = host.gpu(0).is_none_or(crate::hardware::Gpu::is_lost);
                self.leave(host);
                if lost {
                    let text = "Failed to copy vector C from device to host (error code unspecified launch failure)!\n";
                    io.stderr.extend_from_slice(text.as_bytes());
                    return Step::Exit(1);
                }
                io.stdout.extend_from_slice(b"Copy output data from the CUDA device to the host memory\n");
                io.stdout.extend_from_slice(b"Test PASSED\nDone\n");
                Step::Exit(0)
            }
        }
    }

    /// Takes a context on GPU 0, or says what `cudaGetErrorString` would.
    fn enter(&self, host: &mut ContainerHost<'_>) -> Result<(), &'static str> {
        let now = host.now;
        let gpu = host.gpu_mut(0).ok_or("CUDA driver version is insufficient for CUDA runtime version")?;
        if gpu.is_lost() {
            return Err("no CUDA-capable device is detected");
        }
        let process = GpuProcess {
            pid: self.pid,
            name: "./vectorAdd".to_owned(),
            memory_mib: MEMORY_MIB,
            sm_percent: 1,
        };
        gpu.attach(now, process).map_err(|_| "out of memory")
    }

    /// Gives the context back.
    pub(super) fn leave(&self, host: &mut ContainerHost<'_>) {
        let now = host.now;
        if let Some(gpu) = host.gpu_mut(0) {
            gpu.detach(now, self.pid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use crate::hardware::{GpuFault, GpuProcess};
    use crate::process::Signal;
    use crate::sim::SimTime;

    const IMAGE: &str = "nvcr.io/nvidia/k8s/cuda-sample:vectoradd-cuda12.5.0";

    /// The log of the real sample.
    #[test]
    fn with_a_gpu_the_test_passes() {
        let mut world = World::new(IMAGE, &[3]);
        let (stdout, stderr, code) = world.run("/cuda-samples/vectorAdd");
        assert_eq!(
            stdout,
            "[Vector addition of 50000 elements]\n\
             Copy input data from the host memory to the CUDA device\n\
             CUDA kernel launch with 196 blocks of 256 threads\n\
             Copy output data from the CUDA device to the host memory\n\
             Test PASSED\nDone\n"
        );
        assert_eq!((stderr.as_str(), code), ("", 0));
        assert!(world.node.gpus.iter().all(|gpu| gpu.processes().is_empty()));
    }

    #[test]
    fn without_one_it_fails_in_the_words_of_the_runtime() {
        let check = |gpus: &[usize], change: &dyn Fn(&mut World), expect: &str| {
            let mut world = World::new(IMAGE, gpus);
            change(&mut world);
            let (stdout, stderr, code) = world.run("/cuda-samples/vectorAdd");
            assert_eq!(stdout, "[Vector addition of 50000 elements]\n");
            assert_eq!(stderr, format!("Failed to allocate device vector A (error code {expect})!\n"));
            assert_eq!(code, 1);
        };
        check(&[], &|_| {}, "CUDA driver version is insufficient for CUDA runtime version");
        check(
            &[0],
            &|world| world.node.gpus[0].fail(SimTime::ZERO, GpuFault::FallenOffBus),
            "no CUDA-capable device is detected",
        );
        check(
            &[0],
            &|world| {
                let hog = GpuProcess { pid: 9, name: "hog".into(), memory_mib: 81_000, sm_percent: 0 };
                world.node.gpus[0].attach(SimTime::ZERO, hog).unwrap();
            },
            "out of memory",
        );
    }

    #[test]
    fn a_killed_one_leaves_nothing_on_the_gpu() {
        let mut world = World::new(IMAGE, &[0]);
        let mut program = world.start("/cuda-samples/vectorAdd").unwrap();
        world.step(&mut program);
        assert_eq!(world.node.gpus[0].processes().len(), 1);
        assert_eq!(world.signal(&mut program, Signal::Kill), Some(137));
        assert!(world.node.gpus[0].processes().is_empty());
    }
}
