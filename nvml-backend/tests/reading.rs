//! Inventory, samples, processes, topology and MIG through the C interface of a fake library.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;

use clusterlab::hardware::source::{GpuSource as _, SourceError, SourceErrorKind};
use clusterlab::hardware::{Link, Node, SystemModel};
use clusterlab::sim::{Seed, SimTime};
use clusterlab_fake_nvml::copy::Fake;
use clusterlab_fake_nvml::{Gpu, Process, Scenario};
use clusterlab_nvml::{NvmlSource, Options, Sysfs};

fn open(fake: &Fake) -> Result<NvmlSource, SourceError> {
    NvmlSource::with(Options { library: Some(fake.path()), sysfs: Sysfs::new(fake.folder().join("sys")) })
}

fn dgx() -> (Fake, NvmlSource) {
    let fake = Fake::new(&Scenario::dgx_h100());
    let source = open(&fake).unwrap();
    (fake, source)
}

#[test]
fn a_dgx_h100_is_read_as_the_simulators_own_dgx_h100() {
    let (_fake, source) = dgx();
    let real = source.inventory().unwrap();
    let node = Node::new("a", &SystemModel::DgxH100.into(), Seed::new(1)).unwrap();
    let simulated = node.at(SimTime::ZERO).inventory().unwrap();
    assert_eq!(real.driver_version, simulated.driver_version);
    assert_eq!(real.library_version, simulated.library_version);
    assert_eq!(real.cuda_version, simulated.cuda_version);
    assert_eq!(real.gpus.len(), 8);
    for ((_, real), (_, simulated)) in real.answering().zip(simulated.answering()) {
        assert_eq!(real.name, simulated.name);
        assert_eq!(real.pci, simulated.pci);
        assert_eq!(real.pci_device_id, simulated.pci_device_id);
        assert_eq!(real.minor, simulated.minor);
        assert_eq!(real.architecture, simulated.architecture);
        assert_eq!(real.compute_capability, simulated.compute_capability);
        assert_eq!(real.memory_mib(), simulated.memory_mib());
        assert_eq!(real.power_limit_mw, simulated.power_limit_mw);
        assert_eq!((real.max_sm_mhz, real.max_memory_mhz), (simulated.max_sm_mhz, simulated.max_memory_mhz));
        assert_eq!((real.pcie, real.ecc, real.mig.capable), (simulated.pcie, simulated.ecc, true));
    }
    let links = source.topology().unwrap().links;
    let expect = node.at(SimTime::ZERO).topology().unwrap().links;
    for gpu in 0..8 {
        assert_eq!(links[gpu][..8], expect[gpu][..8]);
    }
}

#[test]
fn every_measurement_has_its_unit() {
    let mut scenario = Scenario::dgx_h100();
    scenario.gpus[2] = Gpu {
        power_mw: 689_123,
        celsius: 64,
        utilization: 99,
        memory_utilization: 44,
        encoder: None,
        ecc: Some((3, 1)),
        remapped: Some((1, 2, 1, 0)),
        nvlink_kib: 1000,
        clock_events: 0x4,
        ..scenario.gpus[2].clone()
    };
    let fake = Fake::new(&scenario);
    let source = open(&fake).unwrap();
    source.samples().unwrap();
    let samples = source.samples().unwrap();
    let sample = samples[2].read.as_ref().unwrap();
    assert_eq!((sample.power_mw, sample.celsius, sample.memory_celsius), (Some(689_123), Some(64), Some(29)));
    assert_eq!((sample.utilization, sample.memory_utilization), (Some(99), Some(44)));
    assert_eq!((sample.encoder_utilization, sample.energy_mj), (None, Some(1_000_002)));
    let memory = sample.memory.unwrap();
    assert_eq!(memory.free + memory.used + memory.reserved.unwrap(), memory.total);
    let rows = sample.remapped_rows.unwrap();
    assert_eq!((rows.correctable, rows.uncorrectable, rows.pending, rows.failed), (1, 2, true, false));
    assert_eq!(sample.ecc.map(|ecc| (ecc.corrected, ecc.uncorrected)), Some((3, 1)));
    // Both directions.
    assert_eq!(sample.nvlink_kib, Some(2000));
    assert_eq!(sample.clock_events.unwrap().reasons(), ["power cap"]);
    // The fake's metric n has the value n: graphics 1 %, tensor 5 %, memory 10 %, PCIe 20 and 21 MiB/s.
    let profiling = sample.profiling.unwrap();
    assert_eq!(
        (profiling.graphics_active, profiling.tensor_active, profiling.dram_active),
        (Some(0.01), Some(0.05), Some(0.1))
    );
    assert_eq!(profiling.pcie_tx, Some(20.0 * 1024.0 * 1024.0));
}

#[test]
fn processes_have_names_where_they_may_be_known() {
    let mut scenario = Scenario::dgx_h100();
    let process = |pid, graphics| Process { pid, memory_bytes: 1 << 30, gpu_instance: None, graphics };
    scenario.gpus[0].processes = vec![process(4242, false), process(77, true)];
    scenario.process_names = BTreeMap::from([(4242, "/usr/bin/python3".to_owned())]);
    let fake = Fake::new(&scenario);
    let processes = open(&fake).unwrap().processes().unwrap();
    let list = processes[0].read.as_ref().unwrap();
    let shown: Vec<_> = list.iter().map(|p| (p.pid, p.name.as_deref(), p.compute, p.memory_bytes)).collect();
    assert_eq!(
        shown,
        [(77, None, false, Some(1 << 30)), (4242, Some("/usr/bin/python3"), true, Some(1 << 30))]
    );
    assert!(processes[1].read.as_ref().unwrap().is_empty());
}

#[test]
fn a_card_that_is_cut_shows_its_mig_devices() {
    let fake = Fake::new(&Scenario::dgx_h100_mig());
    let source = open(&fake).unwrap();
    let mig = source.mig().unwrap();
    let first = mig[0].read.as_ref().unwrap();
    assert!(first.capable && first.enabled);
    let shown: Vec<_> = first
        .devices
        .iter()
        .map(|device| (device.profile.as_str(), device.gpu_instance, device.slices, device.memory_mib))
        .collect();
    assert_eq!(
        shown,
        [
            ("1g.10gb", Some(9), Some((1, 1)), Some(9984)),
            ("2g.20gb", Some(5), Some((2, 2)), Some(20_096)),
            ("3g.40gb", Some(2), Some((3, 3)), Some(40_448)),
        ]
    );
    let second = mig[1].read.as_ref().unwrap();
    assert!(second.capable && !second.enabled && second.devices.is_empty());
}

#[test]
fn gpus_that_are_linked_directly_count_their_common_links() {
    let mut scenario = Scenario::dgx_h100();
    scenario.gpus.truncate(3);
    for gpu in &mut scenario.gpus {
        gpu.nvlinks = 0;
    }
    scenario.gpus[0].peers = vec![(0, 1), (1, 1), (4, 1)];
    scenario.gpus[1].peers = vec![(0, 0), (2, 0), (3, 0)];
    let fake = Fake::new(&scenario);
    let topology = open(&fake).unwrap().topology().unwrap();
    assert_eq!(topology.links[0], [Some(Link::X), Some(Link::NvLink(3)), Some(Link::Node)]);
    assert_eq!(topology.links[2], [Some(Link::Node), Some(Link::Node), Some(Link::X)]);
    assert_eq!(topology.gpus[0].cpus.as_ref().unwrap().to_string(), "0-55");
}

#[test]
fn a_machine_without_gpus_has_an_empty_inventory() {
    let fake = Fake::new(&Scenario { gpus: Vec::new(), ..Scenario::dgx_h100() });
    let source = open(&fake).unwrap();
    assert!(source.inventory().unwrap().gpus.is_empty());
    assert!(source.samples().unwrap().is_empty());
    assert_eq!(source.topology().unwrap().links.len(), 0);
}

#[test]
fn everything_is_given_back() {
    let (fake, source) = dgx();
    for _ in 0..3 {
        source.samples().unwrap();
        source.inventory().unwrap();
    }
    let watch = source.watch_health().unwrap();
    assert!(fake.alive() > 1);
    drop(source);
    drop(watch);
    assert_eq!(fake.alive(), 0);
}

#[test]
fn a_missing_library_is_one_typed_error_with_advice() {
    let options = Options { library: Some("/does/not/exist/libnvidia-ml.so.1".into()), ..Options::default() };
    let error = NvmlSource::with(options).unwrap_err();
    assert!(matches!(error.kind, SourceErrorKind::NoLibrary(_)), "{error:?}");
    assert!(!error.to_string().contains('\n') && error.advice().contains("install the NVIDIA driver"));
}
