//! Any bytes: a log is read or told what is wrong with it, and what is read is replayed.
#![no_main]

use clusterlab::slurm::swf::Log;
use clusterlab::slurm::textbook::{Policy, Workload, replay};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(workload) = Workload::new(&Log::read(bytes), None, None) {
        for policy in Policy::ALL {
            assert_eq!(replay(&workload, policy).len(), workload.jobs.len());
        }
    }
});
