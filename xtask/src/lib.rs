//! The commands that a person needs in this workspace, and the parts that they share with the tests.
//!
//! `cargo xtask lab` builds the browser lab and the book and serves both; `cargo xtask test` runs every check that
//! there is. Continuous integration calls the second and nothing else, so what is green here is green there.
//!
//! * [`mod@test`]: the list of checks and the order in which they run;
//! * [`lab`]: from sources to a folder that any web host can serve;
//! * [`first_visit`]: what of the lab's module a first visit needs;
//! * [`gpu_check`]: real GPUs against their own `nvidia-smi`;
//! * [`nvml_clients`]: other people's clients of NVML, installed for the tests;
//! * [`serve`]: the small static file server behind `cargo xtask lab` and the browser tests;
//! * [`needs`]: what the checks need from the machine, installed where that is allowed;
//! * [`workspace`]: where things lie, and how `cargo` is called.

pub mod first_visit;
pub mod gpu_check;
pub mod lab;
pub mod needs;
pub mod nvml_clients;
pub mod serve;
pub mod test;
pub mod workspace;
