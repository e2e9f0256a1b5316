//! The stream of samples and events, the exporter, and what they cost over time.
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use clusterlab::hardware::source::HealthKind;
use clusterlab::telemetry::dcgm::field_names;
use clusterlab_fake_nvml::copy::Fake;
use clusterlab_fake_nvml::{Command, Event, Scenario};
use clusterlab_nvml::exporter::Exporter;
use clusterlab_nvml::monitor::{Monitor, MonitorOptions, Sample, Update};
use clusterlab_nvml::{NvmlSource, Options, Sysfs};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_stream::StreamExt as _;

fn open(fake: &Fake) -> Arc<NvmlSource> {
    let options = Options { library: Some(fake.path()), sysfs: Sysfs::new(fake.folder().join("sys")) };
    Arc::new(NvmlSource::with(options).unwrap())
}

fn every(milliseconds: u64, capacity: usize) -> MonitorOptions {
    MonitorOptions { interval: Duration::from_millis(milliseconds), capacity }
}

#[tokio::test]
async fn samples_and_events_come_through_one_stream() {
    let fake = Fake::new(&Scenario::dgx_h100());
    let mut monitor = Monitor::start(open(&fake), every(20, 16)).unwrap();
    let Some(Update::Sample(sample)) = monitor.next().await else { panic!("a sample comes at once") };
    assert_eq!((sample.gpus.len(), sample.skipped), (8, 0));
    fake.raise(Event::xid(6, 79));
    let event = loop {
        if let Update::Health(event) = monitor.next().await.unwrap() {
            break event;
        }
    };
    assert_eq!((event.gpu, event.kind.name()), (Some(6), "xid"));
    monitor.shutdown().await;
    assert_eq!(fake.alive(), 0, "nothing of NVML is in use after the shutdown");
}

#[tokio::test]
async fn a_slow_reader_loses_old_samples_and_knows_how_many_and_no_event() {
    let fake = Fake::new(&Scenario::dgx_h100());
    let mut monitor = Monitor::start(open(&fake), every(2, 2)).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    for xid in 1..=50 {
        fake.raise(Event::xid(0, xid));
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (mut skipped, mut xids) = (0, Vec::new());
    while xids.len() < 50 || skipped == 0 {
        match monitor.next().await.unwrap() {
            Update::Sample(Sample { skipped: before, .. }) => skipped += before,
            Update::Health(event) => {
                let HealthKind::Xid(xid) = event.kind else { continue };
                xids.push(xid.0);
            }
        }
    }
    assert!(skipped > 20, "{skipped}");
    assert_eq!(xids, (1..=50).collect::<Vec<_>>());
    monitor.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_reader_that_has_gone() {
    let fake = Fake::new(&Scenario::dgx_h100());
    let monitor = Monitor::start(open(&fake), every(1, 1)).unwrap();
    for xid in 0..20 {
        fake.raise(Event::xid(0, xid));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    monitor.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(fake.alive(), 0);
}

#[tokio::test]
async fn slow_calls_make_fewer_samples_and_block_nobody() {
    let fake = Fake::new(&Scenario { slow_us: 200, ..Scenario::dgx_h100() });
    let mut monitor = Monitor::start(open(&fake), every(1, 4)).unwrap();
    // The runtime has one thread: if a call of NVML were made on it, the clock beside it would stand still.
    let mut ticks = 0;
    let mut samples = 0;
    let mut clock = tokio::time::interval(Duration::from_millis(1));
    let end = Instant::now() + Duration::from_millis(400);
    while Instant::now() < end {
        tokio::select! {
            _ = clock.tick() => ticks += 1,
            Some(_) = monitor.next() => samples += 1,
        }
    }
    assert!(ticks > 50, "{ticks}");
    assert!((1..200).contains(&samples), "{samples}");
    monitor.shutdown().await;
}

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_exporter_answers_scrapes_remembers_the_last_xid_and_ends_cleanly() {
    let fake = Fake::new(&Scenario::dgx_h100());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let exporter = Exporter::new(open(&fake), "gpu-1");
    let served = tokio::spawn(exporter.serve(listener, async {
        let _ = stopped.await;
    }));
    let first = get(address, "/metrics").await;
    assert!(
        first.starts_with("HTTP/1.1 200 OK\r\n") && first.contains("text/plain; version=0.0.4"),
        "{first}"
    );
    fake.raise(Event::xid(2, 63));
    tokio::time::sleep(Duration::from_millis(700)).await;
    let text = get(address, "/metrics").await;
    // The second scrape has the rates too.
    for name in field_names() {
        let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{"))).count();
        assert_eq!(lines, 8, "{name}");
    }
    assert!(text.contains(
        "DCGM_FI_DEV_GPU_TEMP{gpu=\"0\",UUID=\"GPU-00000000-1111-2222-3333-444455556666\",\
         pci_bus_id=\"00000000:1B:00.0\",device=\"nvidia0\",modelName=\"NVIDIA H100 80GB HBM3\",\
         Hostname=\"gpu-1\",DCGM_FI_DRIVER_VERSION=\"550.163.01\"} 31\n"
    ));
    let xid = |gpu: u32| {
        let start = format!("DCGM_FI_DEV_XID_ERRORS{{gpu=\"{gpu}\"");
        text.lines().find(|line| line.starts_with(&start)).unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!((xid(2), xid(3)), ("63".to_owned(), "0".to_owned()));
    assert!(get(address, "/health").await.ends_with("OK\n"));

    fake.set(Scenario { init_error: 9, ..Scenario::dgx_h100() });
    fake.tell(&Command::Reload);
    let gone = get(address, "/metrics").await;
    assert!(gone.starts_with("HTTP/1.1 503") && gone.contains("the NVIDIA driver is not loaded"), "{gone}");
    fake.set(Scenario::dgx_h100());
    assert!(get(address, "/metrics").await.starts_with("HTTP/1.1 200"));

    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    assert_eq!(fake.alive(), 0);
}

#[test]
fn a_card_that_is_cut_is_shown_by_its_instances() {
    let fake = Fake::new(&Scenario::dgx_h100_mig());
    let text = Exporter::new(open(&fake), "gpu-1").scrape().unwrap();
    let used: Vec<&str> = text.lines().filter(|l| l.starts_with("DCGM_FI_DEV_FB_USED{gpu=\"0\"")).collect();
    assert_eq!(used.len(), 3);
    assert!(
        used[0].contains("GPU_I_PROFILE=\"1g.10gb\",GPU_I_ID=\"9\",Hostname=") && used[0].ends_with("} 13")
    );
}

/// Memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

fn scrape_and_weigh(scrapes: u32) {
    let fake = Fake::new(&Scenario::dgx_h100_mig());
    let exporter = Exporter::new(open(&fake), "gpu-1");
    for _ in 0..100 {
        exporter.scrape().unwrap();
    }
    let (before, alive) = (resident(), fake.alive());
    for scrape in 0..scrapes {
        exporter.scrape().unwrap();
        if scrape % 1000 == 999 {
            // Everything that is kept per start, per GPU and per lost GPU is kept anew.
            fake.tell(&Command::Reload);
            fake.lose((scrape / 1000 % 8) as usize, scrape / 1000 % 16 < 8);
        }
    }
    let after = resident();
    println!("{scrapes} scrapes: {before} KiB before, {after} KiB after");
    assert!(fake.alive() <= alive, "samples of the profiling counters pile up");
    assert!(after < before + 2048, "{before} KiB before, {after} KiB after {scrapes} scrapes");
}

#[test]
fn memory_does_not_grow_over_scrapes() {
    scrape_and_weigh(3000);
}

#[test]
#[ignore = "a minute; cargo xtask test --nightly runs it"]
fn memory_does_not_grow_over_a_hundred_thousand_scrapes() {
    scrape_and_weigh(100_000);
}
