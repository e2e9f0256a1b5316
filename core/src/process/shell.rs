//! Stand-in until the shell lands: the signatures that others compile against. Delete this file then.
use super::*;
use crate::sim::SimTime;
#[derive(Clone, Debug)]
pub struct Process<P> {
    p: Option<P>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}
#[derive(Clone, Debug, thiserror::Error)]
#[error("x")]
pub struct ExecError;
#[derive(Clone, Debug)]
pub enum ProcessState {
    Running { wake: Option<SimTime>, outside: bool },
    Idle,
    Exited(u8),
}
pub enum Fed {
    Started,
    Incomplete,
    SyntaxError(String),
}
impl<P: Clone> Process<P> {
    pub fn exec<H: Host<Program = P>>(_c: Call, _h: &mut H) -> Result<Self, ExecError> {
        unimplemented!()
    }
    pub fn session(_env: std::collections::BTreeMap<String, String>, _cwd: &str) -> Self {
        unimplemented!()
    }
    pub fn feed_line<H: Host<Program = P>>(&mut self, _h: &mut H, _l: &str) -> Fed {
        unimplemented!()
    }
    pub fn advance<H: Host<Program = P>>(&mut self, _h: &mut H) -> ProcessState {
        unimplemented!()
    }
    pub fn signal<H: Host<Program = P>>(&mut self, _h: &mut H, _s: Signal) {
        unimplemented!()
    }
    pub fn next_wakeup(&self) -> Option<SimTime> {
        unimplemented!()
    }
    pub fn take_output(&mut self) -> Vec<(Stream, Vec<u8>)> {
        unimplemented!()
    }
    pub fn write_stdin(&mut self, _b: &[u8]) {}
    pub fn close_stdin(&mut self) {}
    pub fn last_status(&self) -> u8 {
        0
    }
    pub fn cwd(&self) -> &str {
        ""
    }
    pub fn environment(&self) -> std::collections::BTreeMap<String, String> {
        unimplemented!()
    }
    pub fn out_of_memory(&self) -> bool {
        false
    }
}
