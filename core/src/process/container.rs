//! What a process in a container sees of the world.
//!
//! A container has the files of its image, the GPUs that it was granted and
//! nothing else. The NVIDIA container runtime puts `nvidia-smi` and the driver's
//! libraries into it only together with a GPU: a container that was granted none
//! answers `nvidia-smi: command not found`, also on a GPU node. So does an
//! Alpine or BusyBox image with a GPU: the binary is there, but the glibc that it
//! is linked against is not.
//!
//! A [`ContainerHost`] is made for the length of a call, out of parts that
//! belong to the node and its kubelet.

use super::files::{self, Files};
use super::images::{Image, Tool};
use super::programs::ContainerProgram;
use super::programs::nvidia_smi::View;
use super::{Call, Host, Io, MemoryGroup, Signal, Step};
use crate::hardware::{Gpu, Node};
use crate::sim::{Epoch, SimTime};

/// The world of one container, lent for a call.
#[derive(Debug)]
pub struct ContainerHost<'a> {
    /// The present instant.
    pub now: SimTime,
    /// What the calendar shows at instant zero.
    pub epoch: Epoch,
    /// What `hostname` prints: the pod's name.
    pub hostname: &'a str,
    /// The machine that it runs on.
    pub node: &'a mut Node,
    /// The GPUs that it was granted, as indices into the node's; inside they are
    /// numbered from 0 in this order.
    pub gpus: &'a [usize],
    /// Its files.
    pub files: &'a mut Files,
    /// The image that it was made from.
    pub image: &'a Image,
    /// The machine's memory that its processes share.
    pub memory: &'a mut MemoryGroup,
    /// It is no container but the machine itself, where the driver's tools are installed and processes are seen.
    pub bare: bool,
}

impl ContainerHost<'_> {
    /// Whether the runtime gave it a driver.
    pub fn has_driver(&self) -> bool {
        !self.gpus.is_empty() && self.node.driver.is_some()
    }

    /// The GPU that has this number inside, if the driver is there.
    pub fn gpu(&self, number: usize) -> Option<&Gpu> {
        self.has_driver().then(|| self.gpus.get(number).and_then(|gpu| self.node.gpus.get(*gpu)))?
    }

    /// The same, to put load on it.
    pub fn gpu_mut(&mut self, number: usize) -> Option<&mut Gpu> {
        if !self.has_driver() {
            return None;
        }
        self.gpus.get(number).and_then(|gpu| self.node.gpus.get_mut(*gpu))
    }

    /// The tool that `argv[0]` finds: a name in a directory of the search path,
    /// or a path.
    fn tool(&self, call: &Call) -> Option<Tool> {
        let name = call.argv.first()?;
        let tool = self.image.tool(name)?;
        let found = if name.contains('/') {
            let path = files::resolve(&call.cwd, name);
            tool.directories().contains(&files::parent(&path))
        } else {
            tool.directories().iter().any(|directory| SEARCH_PATH.contains(directory))
        };
        found.then_some(tool)
    }

    fn has_nvidia_smi(&self) -> bool {
        let installed = self.bare && self.node.driver.is_some() && !self.node.gpus.is_empty();
        (self.has_driver() || installed) && self.image.rootfs.has_glibc()
    }

    fn finds_nvidia_smi(&self, call: &Call) -> bool {
        self.has_nvidia_smi()
            && matches!(call.argv.first().map(String::as_str), Some("nvidia-smi" | "/usr/bin/nvidia-smi"))
    }

    /// What `nvidia-smi` is shown.
    pub(super) fn view(&self) -> View<'_> {
        View {
            node: self.node,
            gpus: self.gpus,
            now: self.now,
            wall: self.epoch.timestamp(self.now),
            host_pids: self.bare,
        }
    }
}

/// Where a bare name is looked for.
const SEARCH_PATH: [&str; 4] = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"];

impl Host for ContainerHost<'_> {
    type Program = ContainerProgram;

    fn now(&self) -> SimTime {
        self.now
    }

    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn hostname(&self) -> &str {
        self.hostname
    }

    fn files(&mut self) -> &mut Files {
        self.files
    }

    fn start(&mut self, call: &Call) -> Option<ContainerProgram> {
        if self.finds_nvidia_smi(call) {
            return Some(ContainerProgram::nvidia_smi(call));
        }
        self.tool(call).map(|tool| ContainerProgram::start(tool, call, self))
    }

    fn has_utility(&self, name: &str) -> bool {
        self.image.rootfs.has(name)
    }

    fn step(&mut self, program: &mut ContainerProgram, io: &mut Io<'_>) -> Step {
        program.step(self, io)
    }

    fn signal(&mut self, program: &mut ContainerProgram, signal: Signal) -> Option<u8> {
        program.signal(self, signal)
    }

    fn program_names(&self) -> Vec<String> {
        let in_path = |tool: &&Tool| tool.directories().iter().any(|d| SEARCH_PATH.contains(d));
        let mut names: Vec<String> = self
            .image
            .tools
            .iter()
            .filter(in_path)
            .flat_map(|tool| tool.names())
            .map(|n| (*n).to_owned())
            .collect();
        if self.has_nvidia_smi() {
            names.push("nvidia-smi".to_owned());
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::super::programs::testing::World;

    #[test]
    fn nvidia_smi_is_there_only_with_a_gpu_and_shows_only_the_containers_own() {
        let mut world = World::new("nvidia/cuda:12.4.1-base-ubuntu22.04", &[5, 2]);
        let uuid = |world: &World, gpu: usize| world.node.gpus[gpu].uuid.clone();
        let expect = format!(
            "GPU 0: NVIDIA H100 80GB HBM3 (UUID: {})\nGPU 1: NVIDIA H100 80GB HBM3 (UUID: {})\n",
            uuid(&world, 5),
            uuid(&world, 2)
        );
        assert_eq!(world.run("nvidia-smi -L"), (expect, String::new(), 0));
        assert_eq!(world.run("nvidia-smi -i 2").2, 6);
        assert_eq!(world.names(), ["nvidia-smi"]);
        let mut without = World::new("nvidia/cuda:12.4.1-base-ubuntu22.04", &[]);
        assert!(without.start("nvidia-smi").is_none() && without.names().is_empty());
        let mut alpine = World::new("alpine:3.20", &[0]);
        assert!(alpine.start("nvidia-smi").is_none() && alpine.names().is_empty());
    }

    #[test]
    fn a_program_is_found_by_its_name_or_its_path() {
        let check = |image: &str, cwd: &str, command: &str, found: bool| {
            let mut world = World::new(image, &[0]);
            world.cwd = cwd.to_owned();
            assert_eq!(world.start(command).is_some(), found, "{command} in {image}");
        };
        let sample = "nvcr.io/nvidia/k8s/cuda-sample:vectoradd-cuda12.5.0";
        check(sample, "/cuda-samples", "./vectorAdd", true);
        check(sample, "/", "/cuda-samples/vectorAdd", true);
        check(sample, "/", "./vectorAdd", false);
        check(sample, "/cuda-samples", "vectorAdd", false);
        check(sample, "/", "/usr/bin/nvidia-smi", true);
        check("python:3.12", "/", "python3 -V", true);
        check("python:3.12", "/", "/usr/local/bin/python -V", true);
        check("python:3.12", "/", "torchrun", false);
        check("busybox:1.36", "/", "python", false);
        check("registry.k8s.io/pause:3.10", "/", "/pause", true);
    }
}
