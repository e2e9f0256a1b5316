//! Any text: a spec is read or refused.
#![no_main]

use clusterlab::lab::LabSpec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _spec = LabSpec::from_yaml(text);
});
