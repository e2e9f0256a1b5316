//! NVML as a [`GpuSource`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clusterlab::hardware::source::{
    GpuSample, GpuSource, HealthEvent, Inventory, MigState, RunningProcess, Slot, SourceError, Topology,
};

use crate::gpu::{Gpu, cuda_version};
use crate::health::HealthWatch;
use crate::library::{Handle, Library};
use crate::sysfs::Sysfs;
use crate::{locked, topology};

/// What can be chosen about [`NvmlSource`].
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The library file; by default `libnvidia-ml.so.1` where the system's loader finds it (`nvml.dll` on Windows).
    pub library: Option<PathBuf>,
    /// Where Linux tells of PCI devices.
    pub sysfs: Sysfs,
}

/// The GPUs of this machine.
///
/// It can be shared between threads. It holds the library and no handle of a GPU: GPUs may come and go.
#[derive(Debug)]
pub struct NvmlSource {
    options: Options,
    library: Mutex<Option<Arc<Library>>>,
    /// UUIDs that GPUs had when they last answered: a lost one cannot always say who it was.
    uuids: Mutex<BTreeMap<u32, (Handle, String)>>,
}

impl NvmlSource {
    /// Loads the library and starts NVML.
    ///
    /// # Errors
    ///
    /// If there is no library, no driver, no permission, or driver and library differ.
    pub fn open() -> Result<Self, SourceError> {
        Self::with(Options::default())
    }

    /// The same, with a library file or a `/sys` of your choice.
    ///
    /// # Errors
    ///
    /// As for [`NvmlSource::open`].
    pub fn with(options: Options) -> Result<Self, SourceError> {
        let source = Self { options, library: Mutex::default(), uuids: Mutex::default() };
        source.library()?;
        Ok(source)
    }

    /// Where Linux tells of PCI devices.
    pub fn sysfs(&self) -> &Sysfs {
        &self.options.sysfs
    }

    /// The started library; started anew if it was given up.
    pub(crate) fn library(&self) -> Result<Arc<Library>, SourceError> {
        let mut library = locked(&self.library);
        if let Some(library) = &*library {
            return Ok(Arc::clone(library));
        }
        let opened = Arc::new(Library::open(self.options.library.as_deref())?);
        *library = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// Gives the library up: the driver was unloaded, reloaded or replaced. The file is closed when the last user of it
    /// has let go, so that a new version of it can be loaded.
    pub(crate) fn give_up(&self, library: &Arc<Library>) {
        let mut current = locked(&self.library);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, library)) {
            *current = None;
        }
    }

    /// Asks; if NVML has to be started anew, starts it and asks once more.
    fn run<T>(&self, ask: impl Fn(&Library) -> Result<T, SourceError>) -> Result<T, SourceError> {
        let library = self.library()?;
        match ask(&library) {
            Err(error) if error.kind.wants_new_start() => {
                self.give_up(&library);
                drop(library);
                ask(&*self.library()?)
            }
            answer => answer,
        }
    }

    /// Asks every GPU there is now.
    fn each<T>(&self, ask: impl Fn(&Gpu<'_>) -> Result<T, SourceError>) -> Result<Vec<Slot<T>>, SourceError> {
        self.run(|library| {
            let slots: Vec<_> = (0..library.count()?)
                .map(|index| {
                    let read = Gpu::of(library, index).and_then(|gpu| ask(&gpu));
                    Slot { index, read: read.map_err(|error| SourceError { gpu: Some(index), ..error }) }
                })
                .collect();
            // If the driver went away in the middle, the whole answer is worth nothing.
            let gone =
                slots.iter().find_map(|slot| slot.read.as_ref().err().filter(|e| e.kind.wants_new_start()));
            match gone {
                Some(error) => Err(error.clone()),
                None => Ok(slots),
            }
        })
    }

    pub(crate) fn remember(&self, index: u32, handle: Handle, uuid: &str) {
        locked(&self.uuids).insert(index, (handle, uuid.to_owned()));
    }

    /// The index and UUID that a handle had.
    pub(crate) fn who(&self, handle: Handle) -> Option<(u32, String)> {
        let known = locked(&self.uuids);
        known.iter().find(|(_, (known, _))| *known == handle).map(|(index, (_, uuid))| (*index, uuid.clone()))
    }

    /// The UUID that a GPU had when it last answered.
    pub(crate) fn uuid(&self, index: u32) -> Option<String> {
        locked(&self.uuids).get(&index).map(|(_, uuid)| uuid.clone())
    }
}

impl GpuSource for NvmlSource {
    type HealthWatch = HealthWatch;

    fn inventory(&self) -> Result<Inventory, SourceError> {
        let (driver_version, library_version, cuda_version) = self.run(|library| {
            // The count first: it tells whether anybody answers.
            library.count()?;
            Ok((library.driver_version().ok(), library.library_version().ok(), cuda_version(library.nvml())?))
        })?;
        let gpus = self.each(|gpu| {
            let info = gpu.info(&self.options.sysfs)?;
            self.remember(gpu.index, gpu.handle, &info.uuid);
            Ok(info)
        })?;
        Ok(Inventory { driver_version, library_version, cuda_version, gpus })
    }

    #[allow(clippy::redundant_closure_for_method_calls, reason = "the path alone fixes the lifetime")]
    fn samples(&self) -> Result<Vec<Slot<GpuSample>>, SourceError> {
        self.each(|gpu| gpu.sample())
    }

    #[allow(clippy::redundant_closure_for_method_calls, reason = "the path alone fixes the lifetime")]
    fn processes(&self) -> Result<Vec<Slot<Vec<RunningProcess>>>, SourceError> {
        self.each(|gpu| gpu.processes())
    }

    fn topology(&self) -> Result<Topology, SourceError> {
        self.run(|library| topology::read(library, &self.options.sysfs))
    }

    fn mig(&self) -> Result<Vec<Slot<MigState>>, SourceError> {
        self.each(|gpu| gpu.mig(None))
    }

    fn watch_health(&self) -> Result<HealthWatch, SourceError> {
        HealthWatch::start(self)
    }

    fn health_events(
        &self,
        watch: &mut HealthWatch,
        wait: Duration,
    ) -> Result<Vec<HealthEvent>, SourceError> {
        Ok(watch.next(self, wait))
    }
}
