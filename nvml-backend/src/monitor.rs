//! A stream of samples and health events.
//!
//! NVML's calls block, and may block for long, so two threads make them: one samples, one waits for events. What they
//! say comes through one channel of bounded size:
//!
//! - a **sample** that finds the channel full is dropped, and the next one says how many were
//!   ([`Sample::skipped`]): old measurements are worth nothing;
//! - a **health event** is never dropped: its thread waits until there is room, and NVML keeps what happens meanwhile.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//! use clusterlab_nvml::{NvmlSource, monitor::{Monitor, MonitorOptions, Update}};
//! use tokio_stream::StreamExt;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let source = Arc::new(NvmlSource::open()?);
//! let mut monitor = Monitor::start(source, MonitorOptions { interval: Duration::from_millis(100), ..Default::default() })?;
//! while let Some(update) = monitor.next().await {
//!     match update {
//!         Update::Sample(sample) => println!("{} GPUs", sample.gpus.len()),
//!         Update::Health(event) => {
//!             println!("{}; {}", event.kind.meaning(), event.kind.advice());
//!             break;
//!         }
//!     }
//! }
//! monitor.shutdown().await;
//! # Ok(())
//! # }
//! ```

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use clusterlab::hardware::source::{
    GpuSample, GpuSource as _, HealthEvent, Slot, SourceError, SourceErrorKind,
};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_stream::Stream;

use crate::{NvmlSource, locked};

/// How long the waiting thread may take to notice that it shall end.
const PATIENCE: Duration = Duration::from_millis(250);

/// What can be chosen about a [`Monitor`].
#[derive(Clone, Copy, Debug)]
pub struct MonitorOptions {
    /// Time from sample to sample; zero for no samples at all.
    pub interval: Duration,
    /// How many updates may wait to be read.
    pub capacity: usize,
}

impl Default for MonitorOptions {
    /// A sample every second, 16 updates.
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), capacity: 16 }
    }
}

/// What a monitor tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// What the GPUs measure.
    Sample(Sample),
    /// Something happened.
    Health(HealthEvent),
}

/// One reading of all GPUs.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When it was read.
    pub at: SystemTime,
    /// The GPUs.
    pub gpus: Vec<Slot<GpuSample>>,
    /// How many samples before this one were dropped, because nobody had read the ones before those.
    pub skipped: u64,
}

/// A flag that wakes whoever sleeps.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(crate) fn stop(&self) {
        *locked(&self.stopped) = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *locked(&self.stopped)
    }

    /// Sleeps until `end`, or until it is stopped; says whether it was.
    fn sleep_until(&self, end: Instant) -> bool {
        let mut stopped = locked(&self.stopped);
        while !*stopped {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            stopped = self.changed.wait_timeout(stopped, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// Samples and health events of a source, until it is dropped or [shut down](Monitor::shutdown).
#[derive(Debug)]
pub struct Monitor {
    updates: mpsc::Receiver<Update>,
    stop: Arc<Stop>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Monitor {
    /// The threads end by themselves, at the latest after a quarter of a second and the call that they are in.
    fn drop(&mut self) {
        self.stop.stop();
    }
}

impl Stream for Monitor {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Update>> {
        self.updates.poll_recv(context)
    }
}

impl Monitor {
    /// Starts to watch.
    ///
    /// # Errors
    ///
    /// If nobody answers now. What happens later comes as a health event.
    pub fn start(source: Arc<NvmlSource>, options: MonitorOptions) -> Result<Self, SourceError> {
        let (sender, updates) = mpsc::channel(options.capacity.max(1));
        let mut monitor = Self { updates, stop: Arc::default(), threads: Vec::new() };
        let watch = source.watch_health()?;
        let (stop, events, of_events) = (Arc::clone(&monitor.stop), sender.clone(), Arc::clone(&source));
        monitor.thread("gpu-health", move || {
            watch_events(&of_events, watch, &stop, |event| {
                events.blocking_send(Update::Health(event)).is_ok()
            });
        })?;
        if !options.interval.is_zero() {
            let stop = Arc::clone(&monitor.stop);
            monitor.thread("gpu-samples", move || sample(&source, options.interval, &stop, &sender))?;
        }
        Ok(monitor)
    }

    fn thread(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), SourceError> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread.map_err(|_| SourceError::new("thread", SourceErrorKind::OutOfMemory))?;
        self.threads.push(thread);
        Ok(())
    }

    /// The next update; `None` after the threads have ended.
    pub async fn next_update(&mut self) -> Option<Update> {
        self.updates.recv().await
    }

    /// Ends the threads and waits for them: after it nothing of NVML is in use on behalf of this monitor.
    pub async fn shutdown(mut self) {
        self.stop.stop();
        // Wakes the thread that waits for room.
        self.updates.close();
        let threads = std::mem::take(&mut self.threads);
        let join = move || {
            for thread in threads {
                // A panic there would have been printed; here it must not be repeated.
                let _ = thread.join();
            }
        };
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

/// Tells every health event until it is stopped, or until `tell` says that nobody listens.
pub(crate) fn watch_events(
    source: &NvmlSource,
    mut watch: crate::HealthWatch,
    stop: &Stop,
    mut tell: impl FnMut(HealthEvent) -> bool,
) {
    while !stop.is_stopped() {
        let events = source.health_events(&mut watch, PATIENCE).unwrap_or_default();
        for event in events {
            if !tell(event) {
                return;
            }
        }
    }
}

/// Samples at every multiple of `interval`, those left out that are over already.
fn sample(source: &NvmlSource, interval: Duration, stop: &Stop, sender: &mpsc::Sender<Update>) {
    let (mut due, mut skipped) = (Instant::now(), 0);
    loop {
        // Without an answer there is no sample; the other thread tells why.
        if let Ok(gpus) = source.samples() {
            match sender.try_send(Update::Sample(Sample { at: SystemTime::now(), gpus, skipped })) {
                Ok(()) => skipped = 0,
                Err(TrySendError::Full(_)) => skipped += 1,
                Err(TrySendError::Closed(_)) => return,
            }
        }
        due += interval;
        let now = Instant::now();
        if due < now {
            // The library was slow: go on from here, instead of making up for it in a burst.
            due = now;
        }
        if stop.sleep_until(due) {
            return;
        }
    }
}
