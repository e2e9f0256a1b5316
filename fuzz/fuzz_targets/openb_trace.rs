//! Any two texts: lists of nodes and pods are read or refused, and what is read makes a workload.
#![no_main]

use clusterlab::kube::scheduler::openb::{Trace, Workload};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|lists: (&str, &str)| {
    if let Ok(trace) = Trace::read(lists.0, lists.1) {
        let _workload = Workload::new(&trace, 42, 0.0);
    }
});
