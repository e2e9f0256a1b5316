//! A Prometheus endpoint that can stand in for dcgm-exporter.
//!
//! Names, labels, units and default counters are those of [`clusterlab::telemetry::dcgm`]; the port is dcgm-exporter's,
//! [`PORT`]. Where dcgm-exporter listens on every address, the command `clusterlab nvml exporter` listens on the loopback
//! address unless it is told otherwise.
//!
//! `/metrics` reads the GPUs when it is asked. A scrape that takes longer than ten seconds is answered with 503, and at
//! most one is under way: a driver that hangs keeps one thread, not one more with every scrape.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clusterlab::hardware::source::{
    GpuSample, GpuSource as _, HealthEvent, HealthKind, Inventory, Slot, SourceError,
};
use clusterlab::telemetry::dcgm::{Readings, render};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::monitor::{Stop, watch_events};
use crate::{NvmlSource, locked};

/// dcgm-exporter's port.
pub const PORT: u16 = 9400;

/// How long a scrape may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How old what is fixed may be. Cards are cut anew while the exporter runs.
const INVENTORY_AGE: Duration = Duration::from_secs(30);

/// What is kept from scrape to scrape.
#[derive(Debug, Default)]
struct Kept {
    inventory: Option<(Inventory, Instant)>,
    before: Option<(Vec<Slot<GpuSample>>, Instant)>,
}

/// The exporter.
#[derive(Debug)]
pub struct Exporter {
    source: Arc<NvmlSource>,
    hostname: String,
    kept: Mutex<Kept>,
    last_xids: Mutex<BTreeMap<u32, u64>>,
    one_scrape: Arc<Semaphore>,
}

impl Exporter {
    /// An exporter of a source, with `hostname` as the label `Hostname`.
    pub fn new(source: Arc<NvmlSource>, hostname: impl Into<String>) -> Self {
        Self {
            source,
            hostname: hostname.into(),
            kept: Mutex::default(),
            last_xids: Mutex::default(),
            one_scrape: Arc::new(Semaphore::new(1)),
        }
    }

    /// Remembers an event that a series shows: the last XID of a GPU.
    pub fn note(&self, event: &HealthEvent) {
        if let (Some(gpu), HealthKind::Xid(xid)) = (event.gpu, &event.kind) {
            locked(&self.last_xids).insert(gpu, xid.0);
        }
    }

    /// The text of `/metrics` now. It blocks as long as NVML does.
    ///
    /// # Errors
    ///
    /// When nobody answers. A single GPU that does not has no series.
    pub fn scrape(&self) -> Result<String, SourceError> {
        let mut kept = locked(&self.kept);
        let samples = self.source.samples()?;
        let now = Instant::now();
        let fresh = kept.inventory.take().filter(|(inventory, read)| {
            let same = inventory.gpus.iter().zip(&samples).all(|(a, b)| a.read.is_ok() == b.read.is_ok());
            read.elapsed() < INVENTORY_AGE && inventory.gpus.len() == samples.len() && same
        });
        let (inventory, read) = match fresh {
            Some(fresh) => fresh,
            None => (self.source.inventory()?, now),
        };
        let before = kept.before.take();
        let last_xids = locked(&self.last_xids).clone();
        let text = render(&Readings {
            inventory: &inventory,
            samples: &samples,
            before: before.as_ref().map(|(samples, at)| (samples.as_slice(), now - *at)),
            last_xids: &last_xids,
            hostname: &self.hostname,
        });
        kept.inventory = Some((inventory, read));
        kept.before = Some((samples, now));
        Ok(text)
    }

    /// Answers `/metrics` and `/health` until `shutdown` is ready; then ends connections and threads.
    ///
    /// # Errors
    ///
    /// When the listener fails, or nobody answers for the GPUs at the start.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let exporter = Arc::new(self);
        let stop = Arc::new(Stop::default());
        let watch = exporter.source.watch_health().map_err(io::Error::other)?;
        let (events, stopping) = (Arc::clone(&exporter), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("gpu-health".to_owned()).spawn(move || {
            watch_events(&events.source, watch, &stopping, |event| {
                events.note(&event);
                true
            });
        })?;
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/health", get(|| async { "OK\n" }))
            .with_state(exporter);
        let served = axum::serve(listener, router).with_graceful_shutdown(shutdown).await;
        stop.stop();
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        served
    }
}

async fn metrics(State(exporter): State<Arc<Exporter>>) -> Response {
    let unavailable = |why: String| (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response();
    let late = || unavailable("NVML does not answer in time".to_owned());
    let permit = tokio::time::timeout(PATIENCE, Arc::clone(&exporter.one_scrape).acquire_owned()).await;
    let Ok(Ok(permit)) = permit else { return late() };
    let scrape = tokio::task::spawn_blocking(move || {
        let scraped = exporter.scrape();
        drop(permit);
        scraped
    });
    match tokio::time::timeout(PATIENCE, scrape).await {
        Ok(Ok(Ok(text))) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Ok(Ok(Err(error))) => unavailable(format!("{error}; {}", error.advice())),
        Ok(Err(_)) => unavailable("the scrape ended early".to_owned()),
        Err(_) => late(),
    }
}
