//! What the tests of the shell run their scripts on.

use clusterlab::process::files::Files;
use clusterlab::process::{Call, Host, Io, Signal, Step};
use clusterlab::sim::{Epoch, SimTime};

/// Where scripts run, and where `record.sh` ran them.
const SCRATCH: &str = "/tmp/shell-recordings";

/// A machine with nothing but the shell and the utilities.
#[derive(Clone)]
pub struct Machine {
    pub now: SimTime,
    files: Files,
}

impl Machine {
    pub fn new() -> Self {
        let mut files = Files::new();
        for directory in [SCRATCH, "/root", "/usr/bin", "/bin", "/etc"] {
            files.create_dir_all(directory, SimTime::ZERO).unwrap();
        }
        Self { now: SimTime::ZERO, files }
    }
}

/// `bash -c SCRIPT` there.
pub fn bash(script: &str) -> Call {
    let env = [
        ("HOME", "/root"),
        ("LC_ALL", "C"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("PWD", SCRATCH),
        ("USER", "root"),
    ];
    Call {
        argv: ["bash", "-c", script].map(ToOwned::to_owned).to_vec(),
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        cwd: SCRATCH.to_owned(),
        pid: 4711,
    }
}

impl Host for Machine {
    type Program = ();

    fn now(&self) -> SimTime {
        self.now
    }

    fn epoch(&self) -> Epoch {
        Epoch::default()
    }

    fn hostname(&self) -> &'static str {
        "machine"
    }

    fn files(&mut self) -> &mut Files {
        &mut self.files
    }

    fn start(&mut self, _call: &Call) -> Option<()> {
        None
    }

    fn has_utility(&self, _name: &str) -> bool {
        true
    }

    fn step(&mut self, _program: &mut (), _io: &mut Io<'_>) -> Step {
        Step::Exit(0)
    }

    fn signal(&mut self, _program: &mut (), signal: Signal) -> Option<u8> {
        Some(128 + signal.number())
    }

    fn program_names(&self) -> Vec<String> {
        Vec::new()
    }
}
