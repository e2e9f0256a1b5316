//! The programs that are simulated inside containers.
//!
//! Each is a small state machine that is stepped at an instant, prints to its
//! streams and says when it wants to be woken. It sees its container through a
//! [`ContainerHost`]; a program that works on a GPU puts its load on it and takes
//! it off when it ends, however it ends.
//!
//! | program | what it does |
//! | --- | --- |
//! | [`nvidia_smi`] | shows the GPUs |
//! | [`vector_add`] | the CUDA sample |
//! | [`train`] | `python train.py` and `torchrun`: a training run by declared figures |
//! | [`python`] | a few Python statements, and what `python` does with its arguments |
//! | [`server`] | nginx, Redis, PostgreSQL, ...: they run until they are told to end |

pub mod nvidia_smi;
pub mod python;
pub mod server;
#[cfg(test)]
pub(crate) mod testing;
pub mod train;
pub mod vector_add;

use super::container::ContainerHost;
use super::images::Tool;
use super::{Call, Io, Signal, Step};
use nvidia_smi::NvidiaSmi;
use python::Python;
use server::Server;
use train::Train;
use vector_add::VectorAdd;

/// A running program of a container: plain data.
#[derive(Clone, Debug)]
pub enum ContainerProgram {
    /// `nvidia-smi`.
    NvidiaSmi(NvidiaSmi),
    /// The CUDA sample.
    VectorAdd(VectorAdd),
    /// A training run.
    Train(Box<Train>),
    /// A few statements of Python.
    Python(Box<Python>),
    /// A program that serves until it is told to end.
    Server(Server),
    /// A program that prints something and ends at once.
    Printed(Printed),
}

/// What a program prints before it ends at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// To standard output.
    pub stdout: String,
    /// To standard error.
    pub stderr: String,
    /// Exit code.
    pub code: u8,
}

impl Printed {
    fn out(text: impl Into<String>) -> Self {
        Self { stdout: text.into(), ..Self::default() }
    }

    fn error(code: u8, text: impl Into<String>) -> Self {
        Self { stderr: text.into(), code, ..Self::default() }
    }
}

impl From<Printed> for ContainerProgram {
    fn from(printed: Printed) -> Self {
        Self::Printed(printed)
    }
}

impl ContainerProgram {
    /// `nvidia-smi` as `call` says.
    pub(super) fn nvidia_smi(call: &Call) -> Self {
        Self::NvidiaSmi(NvidiaSmi::new(&call.argv[1..]))
    }

    /// Starts `tool` as `call` says.
    pub(super) fn start(tool: Tool, call: &Call, host: &ContainerHost<'_>) -> Self {
        match tool {
            Tool::VectorAdd => Self::VectorAdd(VectorAdd::new(call.pid)),
            Tool::Python | Tool::PyTorch => python::start(tool, call, host),
            Tool::Nvcc => nvcc(call).into(),
            Tool::Nginx | Tool::Redis | Tool::Postgres | Tool::Envoy | Tool::Pause | Tool::DcgmExporter => {
                server::start(tool, call)
            }
        }
    }

    /// Runs it at the present instant.
    pub(super) fn step(&mut self, host: &mut ContainerHost<'_>, io: &mut Io<'_>) -> Step {
        match self {
            Self::NvidiaSmi(program) => program.step(&host.view(), io),
            Self::VectorAdd(program) => program.step(host, io),
            Self::Train(program) => program.step(host, io),
            Self::Python(program) => program.step(host, io),
            Self::Server(program) => program.step(host, io),
            Self::Printed(printed) => {
                io.stdout.extend_from_slice(printed.stdout.as_bytes());
                io.stderr.extend_from_slice(printed.stderr.as_bytes());
                Step::Exit(printed.code)
            }
        }
    }

    /// Delivers a signal; answers the exit code if it ends of it.
    pub(super) fn signal(&mut self, host: &mut ContainerHost<'_>, signal: Signal) -> Option<u8> {
        let died = Some(128 + signal.number());
        match self {
            Self::VectorAdd(program) => {
                program.leave(host);
                died
            }
            Self::Train(program) => Some(program.signal(host, signal)),
            Self::Server(_) if signal != Signal::Kill => Some(0),
            Self::NvidiaSmi(_) | Self::Python(_) | Self::Server(_) | Self::Printed(_) => died,
        }
    }
}

/// `nvcc`: its version, for those who look which CUDA an image has.
fn nvcc(call: &Call) -> Printed {
    match call.argv.get(1).map(String::as_str) {
        Some("--version" | "-V") => {
            let version = call.env.get("CUDA_VERSION").map_or("12.4.1", String::as_str);
            let release: Vec<&str> = version.split('.').take(2).collect();
            Printed::out(format!(
                "nvcc: NVIDIA (R) Cuda compiler driver\nCuda compilation tools, release {}, V{version}\n",
                release.join(".")
            ))
        }
        None => Printed::error(
            1,
            "nvcc fatal   : No input files specified; use option --help for more information\n",
        ),
        Some(_) => Printed::error(1, "not modelled: nvcc compiles nothing here\n"),
    }
}
