//! The memory of a machine that the processes of a container or a job share: a memory cgroup.

/// A memory cgroup: how much there is, how much is taken, and how often the kernel had to kill.
///
/// ```
/// use clusterlab::process::MemoryGroup;
///
/// let mut group = MemoryGroup::limited_to(Some(1000));
/// assert!(group.charge(600).is_ok());
/// assert!(group.charge(600).is_err());
/// assert_eq!((group.used_mib(), group.oom_kills()), (600, 1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryGroup {
    limit_mib: Option<u64>,
    used_mib: u64,
    oom_kills: u32,
}

/// There is not as much memory: the process is killed with SIGKILL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl MemoryGroup {
    /// Nothing is taken of at most so many MiB; `None` for no limit.
    pub const fn limited_to(limit_mib: Option<u64>) -> Self {
        Self { limit_mib, used_mib: 0, oom_kills: 0 }
    }

    /// A process takes memory.
    ///
    /// # Errors
    ///
    /// The limit does not allow it; nothing is taken, and the process is killed.
    pub fn charge(&mut self, mib: u64) -> Result<(), OutOfMemory> {
        let used = self.used_mib.saturating_add(mib);
        if self.limit_mib.is_some_and(|limit| used > limit) {
            self.oom_kills += 1;
            return Err(OutOfMemory);
        }
        self.used_mib = used;
        Ok(())
    }

    /// A process gives memory back.
    pub fn uncharge(&mut self, mib: u64) {
        self.used_mib = self.used_mib.saturating_sub(mib);
    }

    /// MiB that are taken.
    pub const fn used_mib(&self) -> u64 {
        self.used_mib
    }

    /// How many processes were killed because there was no more.
    pub const fn oom_kills(&self) -> u32 {
        self.oom_kills
    }
}
