//! The simulated machine as a [`GpuSource`].

use std::time::Duration;

use super::{
    ClockEvents, EccCounts, GpuInfo, GpuSample, GpuSource, HealthEvent, HealthKind, Inventory, MemoryUse,
    MigState, RunningProcess, Slot, SourceError, SourceErrorKind, Topology, TopologyGpu, Xid,
};
use crate::hardware::{Ecc, Gpu, Link, Node, PerformanceState};
use crate::sim::SimTime;

const MIB: u64 = 1 << 20;

/// A simulated machine at an instant; [`Node::at`] makes it.
#[derive(Clone, Copy, Debug)]
pub struct NodeAt<'a> {
    node: &'a Node,
    now: SimTime,
}

impl Node {
    /// The machine as it is at `now`, to be read as a real one would be.
    pub const fn at(&self, now: SimTime) -> NodeAt<'_> {
        NodeAt { node: self, now }
    }
}

/// Which of a machine's faults a reader has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenFaults(Vec<Seen>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    xids: usize,
    ecc: Ecc,
    lost: bool,
}

impl Seen {
    fn of(gpu: &Gpu) -> Self {
        Self { xids: gpu.xids().len(), ecc: gpu.ecc(), lost: gpu.is_lost() }
    }
}

impl NodeAt<'_> {
    /// Asks every GPU; a lost one answers as NVML does.
    fn each<T>(&self, call: &str, ask: impl Fn(&Gpu) -> T) -> Result<Vec<Slot<T>>, SourceError> {
        if self.node.driver.is_none() {
            return Err(SourceError::new("nvmlInit_v2", SourceErrorKind::DriverNotLoaded));
        }
        let slot = |(index, gpu): (u32, &Gpu)| {
            let lost = || SourceError::of_gpu(call, index, SourceErrorKind::GpuLost);
            Slot { index, read: if gpu.is_lost() { Err(lost()) } else { Ok(ask(gpu)) } }
        };
        Ok((0..).zip(&self.node.gpus).map(slot).collect())
    }

    fn info(&self, gpu: &Gpu) -> GpuInfo {
        let spec = &gpu.spec;
        GpuInfo {
            uuid: gpu.uuid.clone(),
            name: spec.name.to_owned(),
            serial: Some(gpu.serial.clone()),
            pci: gpu.pci,
            pci_device_id: Some(spec.pci_device_id),
            minor: Some(gpu.minor),
            architecture: Some(spec.architecture.name().to_owned()),
            compute_capability: Some((
                u32::from(spec.compute_capability.0),
                u32::from(spec.compute_capability.1),
            )),
            memory_bytes: Some(u64::from(spec.memory_mib) * MIB),
            power_limit_mw: Some(spec.tdp_w * 1000),
            max_sm_mhz: Some(spec.max_sm_mhz),
            max_memory_mhz: Some(spec.max_memory_mhz),
            pcie: Some((u32::from(spec.pcie_generation), u32::from(spec.pcie_width))),
            numa: Some(u32::from(gpu.path.numa)),
            cpus: Some(self.node.numa_cpus(gpu.path.numa)),
            vbios: Some(spec.vbios.to_owned()),
            ecc: spec.ecc.then_some(true),
            mig: MigState { capable: spec.mig_capable, enabled: gpu.mig_enabled, devices: Vec::new() },
        }
    }

    fn sample(&self, gpu: &Gpu) -> GpuSample {
        let spec = &gpu.spec;
        let mib = |mib: u32| u64::from(mib) * MIB;
        GpuSample {
            sm_mhz: Some(gpu.sm_mhz()),
            memory_mhz: Some(gpu.memory_mhz()),
            celsius: Some(gpu.celsius(self.now)),
            memory_celsius: spec.hbm.then(|| gpu.memory_celsius(self.now)),
            power_mw: Some(gpu.power_mw()),
            pcie_replays: Some(0),
            utilization: Some(gpu.utilization_percent()),
            memory_utilization: Some(gpu.memory_utilization_percent()),
            encoder_utilization: Some(0),
            decoder_utilization: Some(0),
            memory: Some(MemoryUse {
                total: mib(spec.memory_mib),
                free: mib(gpu.free_mib()),
                used: mib(gpu.used_mib()),
                reserved: Some(mib(spec.reserved_mib)),
            }),
            ecc: spec
                .ecc
                .then(|| EccCounts { corrected: gpu.ecc().corrected, uncorrected: gpu.ecc().uncorrected }),
            performance_state: Some(match gpu.pstate() {
                PerformanceState::P0 => 0,
                PerformanceState::P8 => 8,
            }),
            clock_events: Some(ClockEvents(u64::from(gpu.processes().is_empty()))),
            // Not modelled: energy, NVLink traffic, remapped rows, profiling counters.
            ..GpuSample::default()
        }
    }
}

impl GpuSource for NodeAt<'_> {
    type HealthWatch = SeenFaults;

    fn inventory(&self) -> Result<Inventory, SourceError> {
        let gpus = self.each("nvmlDeviceGetHandleByIndex_v2", |gpu| self.info(gpu))?;
        let driver = self.node.driver.as_ref();
        let cuda = driver.and_then(|driver| {
            let (major, minor) = driver.cuda.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        Ok(Inventory {
            driver_version: driver.map(|driver| driver.version.clone()),
            library_version: driver
                .map(|driver| format!("{}.{}", cuda.map_or(0, |(major, _)| major), driver.version)),
            cuda_version: cuda,
            gpus,
        })
    }

    fn samples(&self) -> Result<Vec<Slot<GpuSample>>, SourceError> {
        self.each("nvmlDeviceGetUtilizationRates", |gpu| self.sample(gpu))
    }

    fn processes(&self) -> Result<Vec<Slot<Vec<RunningProcess>>>, SourceError> {
        self.each("nvmlDeviceGetComputeRunningProcesses_v3", |gpu| {
            let process = |process: &crate::hardware::GpuProcess| RunningProcess {
                pid: process.pid,
                name: Some(process.name.clone()),
                memory_bytes: Some(u64::from(process.memory_mib) * MIB),
                compute: true,
                gpu_instance: None,
            };
            gpu.processes().iter().map(process).collect()
        })
    }

    fn topology(&self) -> Result<Topology, SourceError> {
        let all: Vec<usize> = (0..self.node.gpus.len()).collect();
        self.each("nvmlDeviceGetTopologyCommonAncestor", |_| ())?;
        Ok(self.node.topology_of(&all))
    }

    fn watch_health(&self) -> Result<SeenFaults, SourceError> {
        self.each("nvmlEventSetCreate", |_| ())?;
        Ok(SeenFaults(self.node.gpus.iter().map(Seen::of).collect()))
    }

    fn health_events(
        &self,
        watch: &mut SeenFaults,
        _wait: Duration,
    ) -> Result<Vec<HealthEvent>, SourceError> {
        watch.0.resize(self.node.gpus.len(), Seen::default());
        let mut events = Vec::new();
        for ((index, gpu), seen) in (0..).zip(&self.node.gpus).zip(&mut watch.0) {
            let mut tell = |kind| {
                events.push(HealthEvent {
                    gpu: Some(index),
                    uuid: Some(gpu.uuid.clone()),
                    instance: None,
                    kind,
                });
            };
            // A reset empties the log.
            let first = if seen.xids > gpu.xids().len() { 0 } else { seen.xids };
            for xid in &gpu.xids()[first..] {
                tell(HealthKind::Xid(Xid(u64::from(xid.xid))));
            }
            if gpu.ecc().corrected > seen.ecc.corrected {
                tell(HealthKind::CorrectedEcc);
            }
            if gpu.ecc().uncorrected > seen.ecc.uncorrected {
                tell(HealthKind::UncorrectedEcc);
            }
            match (seen.lost, gpu.is_lost()) {
                (false, true) => tell(HealthKind::Lost),
                (true, false) => tell(HealthKind::Back),
                _ => {}
            }
            *seen = Seen::of(gpu);
        }
        Ok(events)
    }
}

impl Node {
    /// How some of its GPUs (by index; numbered from 0 in the answer, as in a container) and its RDMA devices are
    /// connected.
    pub fn topology_of(&self, gpus: &[usize]) -> Topology {
        let nics: Vec<usize> = (0..self.nics.len()).filter(|nic| !self.nics[*nic].name.is_empty()).collect();
        let mut links: Vec<Vec<_>> = gpus
            .iter()
            .map(|a| {
                let others = gpus.iter().map(|b| self.gpu_link(*a, *b));
                others.chain(nics.iter().map(|nic| self.gpu_nic_link(*a, *nic))).collect()
            })
            .collect();
        links.extend(nics.iter().map(|a| {
            let others = gpus.iter().map(|gpu| self.gpu_nic_link(*gpu, *a));
            others.chain(nics.iter().map(|b| self.nic_link(*a, *b))).collect()
        }));
        let switched = self.system.spec().nvswitch;
        let direct = |link| match link {
            Some(Link::NvLink(links)) if !switched => links,
            _ => 0,
        };
        let place = |(index, gpu): (u32, &usize)| {
            let gpu = self.gpus.get(*gpu)?;
            Some(TopologyGpu {
                index,
                cpus: Some(self.numa_cpus(gpu.path.numa)),
                numa: Some(u32::from(gpu.path.numa)),
                memory_numa: gpu.memory_numa.map(u32::from),
            })
        };
        Topology {
            gpus: (0..).zip(gpus).filter_map(place).collect(),
            nics: nics.iter().map(|nic| self.nics[*nic].name.clone()).collect(),
            peer_links: gpus
                .iter()
                .map(|a| gpus.iter().map(|b| direct(self.gpu_link(*a, *b))).collect())
                .collect(),
            links,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardware::{GpuFault, GpuProcess, NodeSpec, SystemModel};
    use crate::sim::Seed;

    fn dgx() -> Node {
        Node::new("gpu-1", &SystemModel::DgxH100.into(), Seed::new(1)).unwrap()
    }

    #[test]
    fn a_simulated_machine_answers_as_nvml_would() {
        let mut node = dgx();
        let at = SimTime::ZERO;
        let process = GpuProcess { pid: 7, name: "python3".to_owned(), memory_mib: 1000, sm_percent: 100 };
        node.gpus[1].attach(at, process).unwrap();
        let inventory = node.at(at).inventory().unwrap();
        assert_eq!(inventory.cuda_version, Some((12, 4)));
        let gpu = inventory.gpus[1].read.as_ref().unwrap();
        assert_eq!((gpu.memory_mib(), gpu.compute_capability), (Some(81559), Some((9, 0))));
        let samples = node.at(at).samples().unwrap();
        let sample = samples[1].read.as_ref().unwrap();
        assert_eq!((sample.power_mw, sample.utilization), (Some(700_000), Some(100)));
        assert_eq!(node.at(at).processes().unwrap()[1].read.as_ref().unwrap()[0].pid, 7);
        assert!(node.at(at).mig().unwrap()[0].read.as_ref().unwrap().capable);
        assert_eq!(node.at(at).topology().unwrap().links[0][1], Some(Link::NvLink(18)));
    }

    #[test]
    fn faults_are_told_once_and_a_lost_gpu_does_not_silence_the_others() {
        let mut node = dgx();
        let at = SimTime::ZERO;
        let mut watch = node.at(at).watch_health().unwrap();
        node.gpus[3].fail(at, GpuFault::FallenOffBus);
        node.gpus[0].fail(at, GpuFault::CorrectedEcc);
        let kinds = |events: Vec<HealthEvent>| -> Vec<_> {
            events.into_iter().map(|event| (event.gpu.unwrap(), event.kind.name())).collect()
        };
        let events = node.at(at).health_events(&mut watch, Duration::ZERO).unwrap();
        assert_eq!(kinds(events), [(0, "ecc-corrected"), (3, "xid"), (3, "gpu-lost")]);
        assert!(node.at(at).health_events(&mut watch, Duration::ZERO).unwrap().is_empty());
        let samples = node.at(at).samples().unwrap();
        assert!(samples[2].read.is_ok());
        assert_eq!(samples[3].read.as_ref().unwrap_err().kind, SourceErrorKind::GpuLost);
        node.boot(at);
        let events = node.at(at).health_events(&mut watch, Duration::ZERO).unwrap();
        assert_eq!(kinds(events), [(3, "gpu-back")]);
    }

    #[test]
    fn a_machine_without_a_driver_says_so() {
        let node = Node::new("cpu", &NodeSpec::from(SystemModel::Server), Seed::new(1)).unwrap();
        let error = node.at(SimTime::ZERO).inventory().unwrap_err();
        assert_eq!(error.to_string(), "nvmlInit_v2: the NVIDIA driver is not loaded");
    }
}
