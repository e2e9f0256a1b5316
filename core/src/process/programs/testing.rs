//! A container to try programs in.

use std::sync::Arc;

use super::ContainerProgram;
use crate::hardware::{Node, SystemModel};
use crate::process::container::ContainerHost;
use crate::process::files::Files;
use crate::process::images::{Image, Registry};
use crate::process::{Call, Host as _, Io, MemoryGroup, Signal, Step};
use crate::sim::{Epoch, Seed, SimTime};

/// A container on a DGX H100 and what it printed.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) now: SimTime,
    pub(crate) cwd: String,
    pub(crate) files: Files,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: String,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    image: Arc<Image>,
    gpus: Vec<usize>,
    memory: MemoryGroup,
}

impl World {
    pub(crate) fn new(image: &str, gpus: &[usize]) -> Self {
        let image = Registry::default().resolve(image).unwrap();
        Self {
            node: Node::new("node-1", &SystemModel::DgxH100.into(), Seed::new(1)).unwrap(),
            now: SimTime::ZERO,
            cwd: image.working_dir.clone(),
            files: image.files(),
            env: image.env.clone(),
            stdin: String::new(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            image,
            gpus: gpus.to_vec(),
            memory: MemoryGroup::default(),
        }
    }

    fn with<R>(&mut self, call: impl FnOnce(&mut ContainerHost<'_>) -> R) -> R {
        call(&mut ContainerHost {
            now: self.now,
            epoch: Epoch::default(),
            hostname: "pod-1",
            node: &mut self.node,
            gpus: &self.gpus,
            files: &mut self.files,
            image: &self.image,
            memory: &mut self.memory,
            bare: false,
        })
    }

    pub(crate) fn names(&mut self) -> Vec<String> {
        self.with(|host| host.program_names())
    }

    /// Starts a command line; words are split at blanks, `_` stands for one inside a word.
    pub(crate) fn start(&mut self, command: &str) -> Option<ContainerProgram> {
        self.start_argv(command.split_whitespace().map(|word| word.replace("␣", " ")).collect())
    }

    pub(crate) fn start_argv(&mut self, argv: Vec<String>) -> Option<ContainerProgram> {
        let call = Call { argv, env: self.env.iter().cloned().collect(), cwd: self.cwd.clone(), pid: 4711 };
        self.with(|host| host.start(&call))
    }

    pub(crate) fn step(&mut self, program: &mut ContainerProgram) -> Step {
        let mut stdin = self.stdin.clone().into_bytes();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let step = self.with(|host| {
            let mut io =
                Io { stdin: &mut stdin, stdin_closed: true, stdout: &mut stdout, stderr: &mut stderr };
            host.step(program, &mut io)
        });
        self.stdout.extend(stdout);
        self.stderr.extend(stderr);
        step
    }

    pub(crate) fn signal(&mut self, program: &mut ContainerProgram, signal: Signal) -> Option<u8> {
        self.with(|host| host.signal(program, signal))
    }

    /// Steps until the program ends or the clock reaches `end`; the exit code if it ended.
    pub(crate) fn run_until(&mut self, program: &mut ContainerProgram, end: SimTime) -> Option<u8> {
        for _ in 0..100_000 {
            match self.step(program) {
                Step::Exit(code) => return Some(code),
                Step::Until(at) if at > end => {
                    self.now = end;
                    return None;
                }
                Step::Until(at) => self.now = self.now.max(at),
                Step::Ready => {}
                step => panic!("the program waits for {step:?}"),
            }
        }
        panic!("the program never ends")
    }

    /// Runs a command line to its end: what it printed, and its exit code.
    pub(crate) fn run(&mut self, command: &str) -> (String, String, u8) {
        let mut program = self.start(command).expect("the program is there");
        let code = self.run_until(&mut program, SimTime::MAX).expect("the program ends");
        (self.take_stdout(), self.take_stderr(), code)
    }

    pub(crate) fn take_stdout(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.stdout)).unwrap()
    }

    pub(crate) fn take_stderr(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.stderr)).unwrap()
    }
}
