//! What goes wrong, and that it stays where it went wrong.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use clusterlab::hardware::source::{GpuSource as _, HealthEvent, SourceError, SourceErrorKind};
use clusterlab_fake_nvml::copy::Fake;
use clusterlab_fake_nvml::{Command, Event, Gpu, Scenario};
use clusterlab_nvml::{NvmlSource, Options, Sysfs};

fn open(fake: &Fake) -> Result<NvmlSource, SourceError> {
    NvmlSource::with(Options { library: Some(fake.path()), sysfs: Sysfs::new(fake.folder().join("sys")) })
}

#[test]
fn every_error_at_the_start_has_its_kind_and_an_advice() {
    let check = |code: u32, expect: &SourceErrorKind| {
        let fake = Fake::new(&Scenario { init_error: code, ..Scenario::dgx_h100() });
        let error = open(&fake).unwrap_err();
        assert_eq!(&error.kind, expect);
        assert!(!error.advice().is_empty());
        assert_eq!(fake.alive(), 0);
    };
    check(4, &SourceErrorKind::NoPermission);
    check(9, &SourceErrorKind::DriverNotLoaded);
    check(12, &SourceErrorKind::LibraryNotFound);
    check(15, &SourceErrorKind::GpuLost);
    check(18, &SourceErrorKind::VersionMismatch);
    check(17, &SourceErrorKind::OperatingSystem);
    check(999, &SourceErrorKind::Unknown);
    check(777, &SourceErrorKind::Other(777));
    for code in 1..=30 {
        check(code, &SourceErrorKind::from_code(code));
    }
}

/// Functions that an old or broken library may lack, one at a time.
#[test]
fn a_missing_function_costs_only_what_it_answers() {
    let scenario = Scenario::dgx_h100_mig();
    for function in [
        "nvmlSystemGetDriverVersion",
        "nvmlSystemGetNVMLVersion",
        "nvmlSystemGetCudaDriverVersion_v2",
        "nvmlDeviceGetSerial",
        "nvmlDeviceGetMinorNumber",
        "nvmlDeviceGetArchitecture",
        "nvmlDeviceGetMemoryInfo_v2",
        "nvmlDeviceGetMemoryInfo",
        "nvmlDeviceGetUtilizationRates",
        "nvmlDeviceGetTemperature",
        "nvmlDeviceGetPowerUsage",
        "nvmlDeviceGetFieldValues",
        "nvmlDeviceGetRemappedRows",
        "nvmlDeviceGetCurrentClocksEventReasons",
        "nvmlDeviceGetCpuAffinity",
        "nvmlDeviceGetMigMode",
        "nvmlDeviceGetMaxMigDeviceCount",
        "nvmlDeviceGetMigDeviceHandleByIndex",
        "nvmlDeviceGetAttributes_v2",
        "nvmlDeviceGetGpuInstanceId",
        "nvmlDeviceGetNvLinkState",
        "nvmlDeviceGetNvLinkRemoteDeviceType",
        "nvmlDeviceGetNvLinkRemotePciInfo_v2",
        "nvmlDeviceGetTopologyCommonAncestor",
        "nvmlDeviceGetComputeRunningProcesses_v3",
        "nvmlGpmQueryDeviceSupport",
        "nvmlGpmSampleFree",
        "nvmlGpmMetricsGet",
        "nvmlEventSetCreate",
        "nvmlEventSetFree",
        "nvmlEventSetWait_v2",
        "nvmlDeviceRegisterEvents",
        "nvmlDeviceGetSupportedEventTypes",
        "nvmlShutdown",
    ] {
        let fake = Fake::without(&scenario, &[function]);
        let source = open(&fake).unwrap_or_else(|error| panic!("without {function}: {error}"));
        let inventory = source.inventory().unwrap();
        assert_eq!(inventory.answering().count(), 8, "without {function}");
        for _ in 0..2 {
            assert!(source.samples().unwrap().iter().all(|slot| slot.read.is_ok()), "without {function}");
        }
        assert!(source.processes().unwrap().iter().all(|slot| slot.read.is_ok()), "without {function}");
        assert_eq!(source.topology().unwrap().links.len(), 8, "without {function}");
        let mut watch = source.watch_health().unwrap();
        source.health_events(&mut watch, Duration::from_millis(1)).unwrap();
        drop((watch, source));
        let left = u64::from(function == "nvmlShutdown");
        assert_eq!(fake.alive(), left, "without {function} something was not given back");
    }
}

#[test]
fn without_the_functions_that_everything_needs_the_error_names_the_function() {
    for (function, expect) in [
        ("nvmlInit_v2", "nvmlInit_v2: the library has no function nvmlInit_v2"),
        ("nvmlDeviceGetCount_v2", "nvmlDeviceGetCount_v2: the library has no function nvmlDeviceGetCount_v2"),
    ] {
        let fake = Fake::without(&Scenario::dgx_h100(), &[function]);
        let error = open(&fake).and_then(|source| source.inventory()).unwrap_err();
        assert_eq!(error.to_string(), expect);
    }
    let fake = Fake::without(&Scenario::dgx_h100(), &["nvmlDeviceGetUUID"]);
    let slots = open(&fake).unwrap().inventory().unwrap().gpus;
    let error = slots[7].read.as_ref().unwrap_err();
    assert_eq!(error.to_string(), "GPU 7: nvmlDeviceGetUUID: the library has no function nvmlDeviceGetUUID");
}

#[test]
fn any_function_may_fail_with_any_code_and_nothing_panics() {
    let functions = [
        "nvmlDeviceGetCount_v2",
        "nvmlDeviceGetHandleByIndex_v2",
        "nvmlDeviceGetName",
        "nvmlDeviceGetPciInfo_v3",
        "nvmlDeviceGetMemoryInfo_v2",
        "nvmlDeviceGetMigMode",
        "nvmlDeviceGetAttributes_v2",
        "nvmlDeviceGetFieldValues",
        "nvmlDeviceGetPerformanceState",
        "nvmlGpmSampleAlloc",
        "nvmlGpmSampleGet",
        "nvmlGpmMetricsGet",
        "nvmlEventSetCreate",
        "nvmlDeviceRegisterEvents",
        "nvmlEventSetWait_v2",
    ];
    let fake = Fake::new(&Scenario::dgx_h100());
    let source = open(&fake).unwrap();
    for function in functions {
        for code in (1..=30).chain([999, 12345]) {
            let mut scenario = Scenario::dgx_h100_mig();
            scenario.errors.insert(function.to_owned(), code);
            fake.set(scenario);
            let _ = source.inventory();
            let _ = source.samples();
            let _ = source.samples();
            let _ = source.topology();
            if let Ok(mut watch) = source.watch_health() {
                let _ = source.health_events(&mut watch, Duration::ZERO);
            }
        }
    }
    fake.set(Scenario::dgx_h100());
    assert_eq!(source.inventory().unwrap().answering().count(), 8);
    drop(source);
    assert_eq!(fake.alive(), 0);
}

#[test]
fn a_count_that_changes_between_calls_is_survived() {
    let fake = Fake::new(&Scenario { counts: vec![8, 12, 3, 0, 8], ..Scenario::dgx_h100() });
    let source = open(&fake).unwrap();
    // 8 for the versions, 12 for the list: four of them are not there.
    let gpus = source.inventory().unwrap().gpus;
    assert_eq!((gpus.len(), gpus.iter().filter(|slot| slot.read.is_ok()).count()), (12, 8));
    assert_eq!(gpus[9].read.as_ref().unwrap_err().kind, SourceErrorKind::InvalidArgument);
    assert_eq!(source.samples().unwrap().len(), 3);
    assert!(source.samples().unwrap().is_empty());
    assert_eq!(source.samples().unwrap().len(), 8);
}

#[test]
fn names_that_are_not_utf8_and_numbers_that_are_not_known_are_shown_as_far_as_they_can_be() {
    let mut scenario = Scenario::dgx_h100();
    scenario.driver = "next-version".to_owned();
    scenario.cuda = -1;
    scenario.gpus[0] = Gpu {
        raw_name: Some(b"NVIDIA \xff\xfe 9000".to_vec()),
        architecture: 4242,
        performance_state: 77,
        compute_capability: (-3, 1),
        event_types: u64::MAX,
        clock_events: 1 << 60,
        ..scenario.gpus[0].clone()
    };
    let fake = Fake::new(&scenario);
    let source = open(&fake).unwrap();
    let inventory = source.inventory().unwrap();
    assert_eq!(inventory.cuda_version, None);
    let gpu = inventory.gpus[0].read.as_ref().unwrap();
    assert_eq!(gpu.name, "NVIDIA \u{fffd}\u{fffd} 9000");
    assert_eq!(gpu.architecture.as_deref(), Some("architecture 4242"));
    assert_eq!(gpu.compute_capability, None);
    let samples = source.samples().unwrap();
    assert_eq!(samples[0].read.as_ref().unwrap().performance_state, None);
}

fn kinds(events: &[HealthEvent]) -> Vec<(Option<u32>, String)> {
    events.iter().map(|event| (event.gpu, event.kind.meaning())).collect()
}

/// Everything that happens within a second, until `enough`.
fn collect(
    source: &NvmlSource,
    watch: &mut <NvmlSource as clusterlab::hardware::source::GpuSource>::HealthWatch,
    enough: usize,
) -> Vec<HealthEvent> {
    let end = Instant::now() + Duration::from_secs(3);
    let mut all = Vec::new();
    while all.len() < enough && Instant::now() < end {
        all.extend(source.health_events(watch, Duration::from_millis(100)).unwrap());
    }
    all
}

#[test]
fn xid_79_then_the_gpu_is_lost_then_it_is_back() {
    let fake = Fake::new(&Scenario::dgx_h100());
    let source = open(&fake).unwrap();
    let mut watch = source.watch_health().unwrap();
    fake.raise(Event::xid(3, 79));
    fake.lose(3, true);
    let events = collect(&source, &mut watch, 2);
    assert_eq!(
        kinds(&events),
        [
            (Some(3), "XID 79: the GPU has fallen off the bus".to_owned()),
            (Some(3), "the GPU is lost".to_owned()),
        ]
    );
    // Attributed although a lost GPU cannot be asked who it is.
    assert_eq!(events[1].uuid.as_deref(), Some("GPU-00000003-1111-2222-3333-444455556666"));
    let samples = source.samples().unwrap();
    assert_eq!(samples[3].read.as_ref().unwrap_err().kind, SourceErrorKind::GpuLost);
    assert_eq!(samples.iter().filter(|slot| slot.read.is_ok()).count(), 7);
    fake.lose(3, false);
    assert_eq!(kinds(&collect(&source, &mut watch, 1)), [(Some(3), "the GPU answers again".to_owned())]);
    // It is registered again.
    fake.raise(Event::xid(3, 31));
    assert_eq!(collect(&source, &mut watch, 1)[0].gpu, Some(3));
}

#[test]
fn an_event_of_a_mig_instance_names_the_instance_and_ecc_errors_are_told_apart() {
    let fake = Fake::new(&Scenario::dgx_h100_mig());
    let source = open(&fake).unwrap();
    let mut watch = source.watch_health().unwrap();
    fake.raise(Event { instance: Some((9, 0)), ..Event::xid(0, 94) });
    fake.raise(Event { event_type: 1, ..Event::xid(1, 0) });
    fake.raise(Event { event_type: 2, ..Event::xid(1, 0) });
    let events = collect(&source, &mut watch, 3);
    let names: Vec<_> = events.iter().map(|e| (e.gpu, e.instance, e.kind.name())).collect();
    assert_eq!(
        names,
        [
            (Some(0), Some((9, 0)), "xid"),
            (Some(1), None, "ecc-corrected"),
            (Some(1), None, "ecc-uncorrected"),
        ]
    );
}

#[test]
fn a_gpu_that_takes_no_registration_does_not_silence_the_others() {
    let mut scenario = Scenario::dgx_h100();
    scenario.gpus[0].event_types = 0;
    scenario.gpus[1].lost = true;
    let fake = Fake::new(&scenario);
    let source = open(&fake).unwrap();
    let mut watch = source.watch_health().unwrap();
    fake.raise(Event::xid(5, 48));
    assert_eq!(collect(&source, &mut watch, 1)[0].gpu, Some(5));
}

#[test]
fn a_driver_that_is_reloaded_is_survived_by_readers_and_by_watchers() {
    let fake = Fake::new(&Scenario::dgx_h100());
    let source = open(&fake).unwrap();
    let mut watch = source.watch_health().unwrap();
    fake.tell(&Command::Reload);
    assert_eq!(source.samples().unwrap().len(), 8, "the reader starts NVML anew");
    fake.tell(&Command::Reload);
    let names: Vec<_> = collect(&source, &mut watch, 2).iter().map(|event| event.kind.name()).collect();
    assert_eq!(names, ["driver-gone", "driver-back"]);

    fake.set(Scenario { init_error: 9, ..Scenario::dgx_h100() });
    fake.tell(&Command::Reload);
    assert_eq!(source.inventory().unwrap_err().kind, SourceErrorKind::DriverNotLoaded);
    let names: Vec<_> = collect(&source, &mut watch, 2).iter().map(|event| event.kind.name()).collect();
    assert_eq!(names, ["driver-gone"], "told once, however long it is away");
    fake.set(Scenario::dgx_h100());
    assert_eq!(collect(&source, &mut watch, 1)[0].kind.name(), "driver-back");
    assert_eq!(source.inventory().unwrap().answering().count(), 8);
    fake.raise(Event::xid(0, 119));
    assert_eq!(collect(&source, &mut watch, 1)[0].kind.name(), "xid");
    drop((watch, source));
    assert_eq!(fake.alive(), 0);
}
