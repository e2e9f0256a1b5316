//! Any text: a configuration of the scheduler is read or refused.
#![no_main]

use clusterlab::kube::scheduler::SchedulerConfiguration;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _config = SchedulerConfiguration::from_yaml(text);
});
