//! Floor 2: what runs inside a container, a job step or the learner's terminal.
//!
//! A `Process` is a program with its environment, its open
//! streams and, when it is a shell, its script. It is a plain state machine: it
//! is advanced at an instant, says when it wants to be woken, and can be cloned
//! at any moment. What it may see of the world (clock, files, further programs)
//! comes from a [`Host`], which is lent for the length of a call.

pub mod container;
mod erased;
pub mod files;
mod host;
pub mod images;
mod kernel;
mod launch;
mod memory;
mod pattern;
pub mod programs;
mod run;
pub mod shell;
pub mod utilities;

pub use erased::Process;
pub use host::{Call, Host, Io, Signal, Step};
pub use kernel::Stream;
pub use memory::{MemoryGroup, OutOfMemory};
pub use run::{Fed, ProcessState};
pub use shell::{ExecError, ScriptError, check_script};
