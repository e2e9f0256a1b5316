//! The one state of a loaded library.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use crate::scenario::{Event, Scenario};

/// Everything that the library knows.
pub(crate) struct State {
    pub(crate) scenario: Scenario,
    /// How often NVML was started without being shut down.
    pub(crate) started: u64,
    /// How often the number of GPUs was asked for.
    pub(crate) counted: usize,
    pub(crate) next_handle: usize,
    pub(crate) sets: BTreeMap<usize, EventSet>,
    /// GPM samples: how many readings were taken when each was.
    pub(crate) samples: BTreeMap<usize, u64>,
    pub(crate) readings: u64,
}

/// An event set: what was registered per GPU, and what happened since.
#[derive(Default)]
pub(crate) struct EventSet {
    pub(crate) registered: BTreeMap<usize, u64>,
    pub(crate) queue: VecDeque<Event>,
}

static STATE: LazyLock<Mutex<State>> = LazyLock::new(|| {
    Mutex::new(State {
        scenario: beside_the_library().unwrap_or_default(),
        started: 0,
        counted: 0,
        next_handle: 0x10_0000,
        sets: BTreeMap::new(),
        samples: BTreeMap::new(),
        readings: 0,
    })
});

/// Rung when an event was raised.
pub(crate) static HAPPENED: Condvar = Condvar::new();

/// The state, also after a panic of another thread.
pub(crate) fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// A number that no handle had before.
    pub(crate) fn new_handle(&mut self) -> usize {
        self.next_handle += 1;
        self.next_handle
    }
}

/// `scenario.json` in the folder of the loaded library. A file that cannot be read is a machine without a driver: a
/// test that wrote it wrongly shall not see a DGX.
fn beside_the_library() -> Option<Scenario> {
    let file = library_path()?.with_file_name("scenario.json");
    let text = std::fs::read_to_string(file).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| {
        eprintln!("fake NVML: scenario.json: {error}");
        Scenario { init_error: 9, ..Scenario::default() }
    }))
}

#[cfg(unix)]
fn library_path() -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;

    // SAFETY: zero is a valid value of this structure of pointers; dladdr fills it in and answers 0 if it could not.
    let info = unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(std::ptr::from_ref(&HAPPENED).cast(), &raw mut info) == 0 || info.dli_fname.is_null()
        {
            return None;
        }
        std::ffi::CStr::from_ptr(info.dli_fname)
    };
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(info.to_bytes())))
}

#[cfg(not(unix))]
fn library_path() -> Option<PathBuf> {
    None
}
