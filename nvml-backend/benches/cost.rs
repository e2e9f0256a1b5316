//! What reading costs beyond the library's own time: the fake library answers at once, so that nearly all that is
//! measured is ours. Prints figures; `cargo bench -p clusterlab-nvml`.

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the fake library is a Linux library");
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use clusterlab::hardware::source::GpuSource as _;
    use clusterlab_fake_nvml::Scenario;
    use clusterlab_fake_nvml::copy::Fake;
    use clusterlab_nvml::exporter::Exporter;
    use clusterlab_nvml::monitor::{Monitor, MonitorOptions};
    use clusterlab_nvml::{NvmlSource, Options, Sysfs};

    fn open(fake: &Fake) -> Arc<NvmlSource> {
        let options = Options { library: Some(fake.path()), sysfs: Sysfs::new(fake.folder().join("sys")) };
        Arc::new(NvmlSource::with(options).expect("the fake starts"))
    }

    fn median(name: &str, times: usize, work: impl Fn()) {
        let mut all: Vec<Duration> = (0..times)
            .map(|_| {
                let began = Instant::now();
                work();
                began.elapsed()
            })
            .collect();
        all.sort_unstable();
        println!("{name}: median {:?}, slowest of {times} {:?}", all[times / 2], all[times - 1]);
    }

    pub fn main() {
        let fake = Fake::new(&Scenario::dgx_h100());
        let source = open(&fake);
        median("inventory of 8 GPUs", 2000, || drop(source.inventory().expect("an inventory")));
        median("sample of 8 GPUs", 2000, || drop(source.samples().expect("samples")));
        median("topology of 8 GPUs", 500, || drop(source.topology().expect("a topology")));
        let exporter = Exporter::new(Arc::clone(&source), "gpu-1");
        median("scrape of 8 GPUs", 2000, || drop(exporter.scrape().expect("a scrape")));
        watch(&source);
    }

    /// A stream at 10 Hz with health events, read as `clusterlab nvml watch` reads it.
    fn watch(source: &Arc<NvmlSource>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let options =
                MonitorOptions { interval: Duration::from_millis(100), ..MonitorOptions::default() };
            let mut monitor = Monitor::start(Arc::clone(source), options).expect("a monitor");
            let (began, before) = (Instant::now(), processor_time());
            for _ in 0..100 {
                monitor.next_update().await;
            }
            let (elapsed, used) = (began.elapsed(), processor_time().saturating_sub(before));
            let share = used.as_secs_f64() / elapsed.as_secs_f64() * 100.0;
            println!("watch at 10 Hz: {used:?} of processor time in {elapsed:?}, {share:.2} % of a core");
            monitor.shutdown().await;
        });
    }

    /// What all threads have used so far.
    fn processor_time() -> Duration {
        let tasks = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
        let nanoseconds = tasks.filter_map(|task| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }
}
