//! What is to be known of the machine beside its GPUs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Serialize;

/// The machine that the GPUs are in. On anything but Linux only the number of CPUs and the host name are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostFacts {
    /// Host name, without the domain.
    pub hostname: String,
    /// Logical CPUs.
    pub cpus: u32,
    /// Sockets.
    pub sockets: u32,
    /// Cores of one socket.
    pub cores_per_socket: u32,
    /// Hardware threads of one core.
    pub threads_per_core: u32,
    /// Main memory, in KiB; 0 if it is not known.
    pub memory_kib: u64,
    /// `uname -r`.
    pub kernel: String,
    /// `PRETTY_NAME` of `/etc/os-release`.
    pub os: String,
    /// Product name of the machine, from its firmware.
    pub machine: String,
    /// `/etc/machine-id`.
    pub machine_id: String,
    /// The boot's id.
    pub boot_id: String,
    /// For each logical CPU the core that it belongs to, counted socket by socket, as Slurm counts.
    #[serde(skip)]
    pub core_of: Vec<u32>,
}

impl HostFacts {
    /// The machine that this program runs on.
    pub fn read() -> Self {
        Self::read_from(Path::new("/"))
    }

    /// The same from another root folder, with its own `proc`, `sys` and `etc`.
    pub fn read_from(root: &Path) -> Self {
        let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default().trim().to_owned();
        let available = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        let cpus = online(&text("sys/devices/system/cpu/online")).unwrap_or(available).max(1);
        let ids: Vec<(u32, u32)> = (0..cpus)
            .map(|cpu| {
                let id =
                    |name| text(&format!("sys/devices/system/cpu/cpu{cpu}/topology/{name}")).parse().ok();
                // Where Linux does not tell, everything is one socket of single threads.
                (id("physical_package_id").unwrap_or(0), id("core_id").unwrap_or(cpu))
            })
            .collect();
        let distinct: BTreeSet<(u32, u32)> = ids.iter().copied().collect();
        let sockets = distinct.iter().map(|(socket, _)| socket).collect::<BTreeSet<_>>().len().max(1) as u32;
        let cores = distinct.len().max(1) as u32;
        // The set is ordered by socket and core id, which is the order of Slurm's cores.
        let core_of = ids.iter().map(|id| distinct.range(..*id).count() as u32).collect();
        let hostname = match text("proc/sys/kernel/hostname") {
            name if name.is_empty() => {
                std::env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".to_owned())
            }
            name => name,
        };
        let os = text("etc/os-release");
        let pretty = os.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        Self {
            hostname: hostname.split('.').next().unwrap_or_default().to_owned(),
            cpus,
            sockets,
            cores_per_socket: (cores / sockets).max(1),
            threads_per_core: (cpus / cores).max(1),
            memory_kib: memory(&text("proc/meminfo")).unwrap_or(0),
            kernel: text("proc/sys/kernel/osrelease"),
            os: pretty.unwrap_or_default().trim_matches('"').to_owned(),
            machine: text("sys/class/dmi/id/product_name"),
            machine_id: text("etc/machine-id"),
            boot_id: text("proc/sys/kernel/random/boot_id"),
            core_of,
        }
    }
}

/// How many CPUs `0-5,8` are.
fn online(list: &str) -> Option<u32> {
    list.split(',').try_fold(0, |sum: u32, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        sum.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

fn memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_read_from_what_linux_tells() {
        assert_eq!(online("0-5,8"), Some(7));
        assert_eq!(online("5-2"), None);
        assert_eq!(memory("MemTotal:       2113412012 kB\nMemFree: 1 kB"), Some(2_113_412_012));
        let here = HostFacts::read();
        assert!(here.cpus >= 1 && !here.hostname.is_empty());
        let nothing = HostFacts::read_from(Path::new("/does/not/exist"));
        assert_eq!(nothing.sockets * nothing.cores_per_socket * nothing.threads_per_core, nothing.cpus);
    }
}
