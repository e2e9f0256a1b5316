//! Health events: what the driver reports, and what it does not report by itself (a GPU that is lost or back, a driver
//! that is gone or back).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clusterlab::hardware::source::{HealthEvent, HealthKind, SourceError, SourceErrorKind, Xid};

use crate::NvmlSource;
use crate::gpu::Gpu;
use crate::library::{Library, RawEvent, RawEventSet};

/// Event types of NVML that are told: single-bit ECC, double-bit ECC, XID, GPU unavailable, GPU recovery action.
const WANTED: u64 = 0x1 | 0x2 | 0x8 | 0x4000 | 0x8000;

/// At most so many events in one answer; the rest comes with the next.
const AT_ONCE: usize = 256;

/// How often, at most, GPUs are asked whether they are still there.
const PROBE: Duration = Duration::from_secs(1);

/// What a reader of health events has seen; [`GpuSource::watch_health`] makes it.
///
/// [`GpuSource::watch_health`]: clusterlab::hardware::source::GpuSource::watch_health
#[derive(Debug)]
pub struct HealthWatch {
    set: Option<EventSet>,
    lost: BTreeSet<u32>,
    gone: bool,
    probed: Option<Instant>,
}

/// An event set and the library that it belongs to.
#[derive(Debug)]
struct EventSet {
    library: Arc<Library>,
    /// `None`: this library has no events, or the whole set is refused. Then GPUs are only asked.
    raw: Option<RawEventSet>,
    gpus: u32,
}

impl Drop for EventSet {
    fn drop(&mut self) {
        if let Some(raw) = &self.raw {
            self.library.free_event_set(raw);
        }
    }
}

impl EventSet {
    /// Registers every GPU that can be; one that refuses does not keep the others out.
    fn register(source: &NvmlSource) -> Result<Self, SourceError> {
        let library = source.library()?;
        let gpus = match library.count() {
            Ok(gpus) => gpus,
            Err(error) => {
                source.give_up(&library);
                return Err(error);
            }
        };
        let set = Self { raw: library.event_set().ok(), library, gpus };
        for index in 0..gpus {
            let Ok(handle) = set.library.gpu(index) else { continue };
            if let Ok(uuid) = set.library.uuid(handle) {
                // Known before anything happens: a lost GPU cannot be asked.
                source.remember(index, handle, &uuid);
            }
            if let Some(raw) = &set.raw {
                let types = set.library.supported_events(handle).unwrap_or(0) & WANTED;
                if types != 0 {
                    // A GPU that refuses is still asked whether it is there.
                    let _ = set.library.register_events(handle, types, raw);
                }
            }
        }
        Ok(set)
    }
}

impl HealthWatch {
    pub(crate) fn start(source: &NvmlSource) -> Result<Self, SourceError> {
        let set = EventSet::register(source)?;
        let lost = lost(&set);
        Ok(Self { set: Some(set), lost, gone: false, probed: None })
    }

    /// What happened, waiting at most `wait`.
    pub(crate) fn next(&mut self, source: &NvmlSource, wait: Duration) -> Vec<HealthEvent> {
        let mut events = Vec::new();
        let end = Instant::now() + wait;
        if self.set.is_none() {
            match EventSet::register(source) {
                Ok(set) => self.set = Some(set),
                Err(error) => {
                    self.tell_gone(error, &mut events);
                    if events.is_empty() {
                        std::thread::sleep(wait.min(PROBE));
                    }
                    return events;
                }
            }
            if std::mem::take(&mut self.gone) {
                events.push(of_all(HealthKind::SourceBack));
            }
        }
        // Woken to ask whether the GPUs are there, also when nothing is reported for long.
        while events.is_empty() {
            let left = end.saturating_duration_since(Instant::now()).min(PROBE);
            self.read(source, left, &mut events);
            if self.probed.is_none_or(|probed| probed.elapsed() >= PROBE) {
                self.probe(source, &mut events);
            }
            if self.set.is_none() || Instant::now() >= end {
                break;
            }
        }
        events
    }

    fn tell_gone(&mut self, error: SourceError, events: &mut Vec<HealthEvent>) {
        self.set = None;
        if !std::mem::replace(&mut self.gone, true) {
            events.push(of_all(HealthKind::SourceGone(error)));
        }
    }

    /// Reads what the driver reports.
    fn read(&mut self, source: &NvmlSource, wait: Duration, events: &mut Vec<HealthEvent>) {
        let Some(set) = &self.set else { return };
        let Some(raw) = &set.raw else {
            std::thread::sleep(wait);
            return;
        };
        // The first may be waited for; what else is there comes along.
        let mut milliseconds = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        while events.len() < AT_ONCE {
            match set.library.wait_event(raw, milliseconds) {
                Ok(Some(event)) => events.push(translate(source, event)),
                Ok(None) => return,
                Err(error) => {
                    self.broken(source, &error, wait, events);
                    return;
                }
            }
            milliseconds = 0;
        }
    }

    /// Waiting failed.
    fn broken(
        &mut self,
        source: &NvmlSource,
        error: &SourceError,
        wait: Duration,
        events: &mut Vec<HealthEvent>,
    ) {
        if error.kind.wants_new_start() {
            if let Some(set) = self.set.take() {
                source.give_up(&set.library);
            }
            self.tell_gone(error.clone(), events);
            return;
        }
        // A lost GPU in the set, or events are not supported here. Not to be asked again and again without a pause.
        std::thread::sleep(wait.min(PROBE));
        self.probed = None;
        if error.kind == SourceErrorKind::GpuLost {
            self.set = None;
            self.set = EventSet::register(source).ok();
        }
    }

    /// Asks every GPU whether it is there.
    fn probe(&mut self, source: &NvmlSource, events: &mut Vec<HealthEvent>) {
        self.probed = Some(Instant::now());
        let Some(set) = &self.set else { return };
        let count = match set.library.count() {
            Ok(count) => count,
            Err(error) if error.kind.wants_new_start() => {
                source.give_up(&set.library);
                self.tell_gone(error, events);
                return;
            }
            Err(_) => return,
        };
        let now = lost(set);
        let mut tell = |index: &u32, kind| {
            events.push(HealthEvent { gpu: Some(*index), uuid: source.uuid(*index), instance: None, kind });
        };
        now.difference(&self.lost).for_each(|index| tell(index, HealthKind::Lost));
        self.lost.difference(&now).for_each(|index| tell(index, HealthKind::Back));
        let came_back = self.lost.difference(&now).next().is_some();
        let changed = count != set.gpus || came_back;
        self.lost = now;
        if changed {
            // A GPU that is new or back has to be registered; the old set goes first.
            self.set = None;
            self.set = EventSet::register(source).ok();
        }
    }
}

/// The GPUs of a set that do not answer.
fn lost(set: &EventSet) -> BTreeSet<u32> {
    let is_lost = |index: &u32| match Gpu::of(&set.library, *index) {
        Ok(gpu) => gpu.is_lost(),
        // Fewer than there were: taken away.
        Err(error) => matches!(error.kind, SourceErrorKind::GpuLost | SourceErrorKind::InvalidArgument),
    };
    (0..set.gpus).filter(is_lost).collect()
}

fn of_all(kind: HealthKind) -> HealthEvent {
    HealthEvent { gpu: None, uuid: None, instance: None, kind }
}

fn translate(source: &NvmlSource, event: RawEvent) -> HealthEvent {
    let (gpu, uuid) = source.who(event.gpu).unzip();
    let kind = match event.event_type {
        0x1 => HealthKind::CorrectedEcc,
        0x2 => HealthKind::UncorrectedEcc,
        0x8 => HealthKind::Xid(Xid(event.data)),
        event_type => HealthKind::Other { event_type, data: event.data },
    };
    HealthEvent { gpu, uuid, instance: event.instance, kind }
}
