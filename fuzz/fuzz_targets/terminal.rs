//! Any line at the terminal: it ends, or is interrupted, and the next one works.
#![no_main]

use clusterlab::lab::{Lab, LabSpec};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let spec = LabSpec::from_yaml("nodes: [{name: gpu-1, system: t4-server}]").unwrap();
    let mut lab = Lab::new(spec).unwrap();
    lab.run(line);
    assert!(!lab.run("echo alive").stdout.is_empty());
});
