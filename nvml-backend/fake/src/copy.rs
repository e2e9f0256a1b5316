//! For the tests: a private copy of the shared object, with a scenario of its own.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::scenario::{Command, Event, Scenario};
use crate::{ALIVE, CONTROL, FILE};

/// A loaded private copy. It lies in a folder of its own as `libnvidia-ml.so.1`, where programs that are started with
/// that folder in `LD_LIBRARY_PATH` find it; the folder goes when this does.
#[derive(Debug)]
pub struct Fake {
    folder: PathBuf,
    library: libloading::Library,
}

impl Drop for Fake {
    fn drop(&mut self) {
        // What is left in the folder for temporary files hurts nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Fake {
    /// A copy that answers from `scenario`.
    ///
    /// # Panics
    ///
    /// If cargo has not built the shared object beside the running test, or it cannot be copied and loaded.
    pub fn new(scenario: &Scenario) -> Self {
        Self::without(scenario, &[])
    }

    /// A copy that lacks some functions: their names in the file are changed, so that nobody finds them.
    ///
    /// # Panics
    ///
    /// As [`Fake::new`], and if there is no function of such a name.
    pub fn without(scenario: &Scenario, functions: &[&str]) -> Self {
        let mut bytes = fs::read(built()).expect("the fake NVML lies beside the test");
        for function in functions {
            let name = [b"\0", function.as_bytes(), b"\0"].concat();
            let found: Vec<usize> =
                (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(&name)).collect();
            assert!(!found.is_empty(), "the fake NVML has no function {function}");
            for at in found {
                bytes[at + 1] = b'x';
            }
        }
        let folder = new_folder();
        let file = folder.join("libnvidia-ml.so.1");
        fs::write(&file, bytes).expect("the copy can be written");
        let text = serde_json::to_string(scenario).expect("a scenario is plain data");
        fs::write(folder.join("scenario.json"), text).expect("the scenario can be written");
        // SAFETY: our own library, whose loading runs no code.
        let library = unsafe { libloading::Library::new(&file) }.expect("the copy can be loaded");
        Self { folder, library }
    }

    /// The copy's file.
    pub fn path(&self) -> PathBuf {
        self.folder.join("libnvidia-ml.so.1")
    }

    /// The folder that it lies in; other files may be put there.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells the loaded copy what happens.
    ///
    /// # Panics
    ///
    /// If it does not understand.
    pub fn tell(&self, command: &Command) {
        let json = serde_json::to_string(command).expect("a command is plain data");
        let json = CString::new(json).expect("JSON has no NUL");
        // SAFETY: the function has this signature in `control`.
        let answer = unsafe {
            let control: libloading::Symbol<'_, unsafe extern "C" fn(*const std::ffi::c_char) -> u32> =
                self.library.get(CONTROL).expect("the control function is exported");
            control(json.as_ptr())
        };
        assert_eq!(answer, 0, "the fake NVML understands {command:?}");
    }

    /// Something happens to a GPU.
    pub fn raise(&self, event: Event) {
        self.tell(&Command::Raise(event));
    }

    /// Another machine from now on.
    pub fn set(&self, scenario: Scenario) {
        self.tell(&Command::Set(Box::new(scenario)));
    }

    /// A GPU falls off the bus, or is back.
    pub fn lose(&self, gpu: usize, lost: bool) {
        self.tell(&Command::Lose(gpu, lost));
    }

    /// What clients have not given back.
    ///
    /// # Panics
    ///
    /// If the copy is not one of ours.
    pub fn alive(&self) -> u64 {
        // SAFETY: the function has this signature in `control`.
        unsafe {
            let alive: libloading::Symbol<'_, unsafe extern "C" fn() -> u64> =
                self.library.get(ALIVE).expect("the control function is exported");
            alive()
        }
    }
}

/// Where cargo puts the shared object of a development dependency: the folder of the test itself.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a file");
    test.with_file_name(FILE)
}

/// A new folder of its own.
fn new_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("clusterlab-fake-nvml-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
}
