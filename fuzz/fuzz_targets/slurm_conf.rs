//! Any bytes as `slurm.conf` with the files beside it: they are read or told what is wrong with them, and what is read makes a
//! cluster.
#![no_main]

use clusterlab::slurm::config::{Config, ConfigFiles};
use clusterlab::slurm::controller::{ClusterSpec, Users};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    // Parts between zero bytes are the files, in this order.
    let mut parts = text.split('\0');
    let mut files = ConfigFiles::new(parts.next().unwrap_or_default());
    for name in ["gres.conf", "topology.conf", "cgroup.conf", "plugstack.conf", "a.conf"] {
        if let Some(part) = parts.next() {
            files = files.with(name, part);
        }
    }
    match Config::read(&files) {
        Ok(config) => {
            let _ = ClusterSpec::from_config(config, Users::named(&["alice"]));
        }
        Err(errors) => assert!(!errors.findings.is_empty() && !errors.log("slurmctld").is_empty()),
    }
});
