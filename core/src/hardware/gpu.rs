//! One GPU of a node: its health, what runs on it, and what follows from that.
//!
//! The model is small on purpose, and every figure can be computed by hand:
//!
//! - *utilisation* is the sum of what the processes ask for, at most 100 %;
//! - *memory used* is what the driver keeps plus what the processes hold;
//! - *power* is `idle + utilisation × (limit − idle)`;
//! - *temperature* moves towards `idle + utilisation × (load − idle)` degrees;
//!   the distance halves every [`HALF_LIFE`] (a straight line within one), in
//!   whole thousandths of a degree, so that every platform gets the same;
//! - *clocks* are the highest while a process is on the card, else the idle
//!   ones; the performance state goes with them.
//!
//! A GPU that fell off the bus answers nothing but its identity.

use std::time::Duration;

use serde::Serialize;

use super::{GpuModel, GpuSpec, PciAddress, PciePath, PerformanceState};
use crate::sim::SimTime;

/// The time in which the temperature's distance from where it will settle halves.
pub const HALF_LIFE: Duration = Duration::from_secs(20);

/// A process that holds a context on a GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GpuProcess {
    /// Process id in the node's own PID namespace.
    pub pid: u32,
    /// Path of its program.
    pub name: String,
    /// Frame buffer that it holds, in MiB.
    pub memory_mib: u32,
    /// Share of the time in which it keeps the SMs busy, in percent.
    pub sm_percent: u32,
}

/// Whether the card answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum GpuHealth {
    /// It works (it may still have counted ECC errors).
    #[default]
    Ok,
    /// It fell off the bus: NVML answers `GPU is lost` until the node reboots.
    Lost,
}

/// ECC error counts since the driver was loaded (NVML's "volatile" counters).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ecc {
    /// Single-bit errors that were corrected.
    pub corrected: u64,
    /// Double-bit errors that could not be.
    pub uncorrected: u64,
}

/// An XID: the driver's error report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct XidEvent {
    /// When the driver reported it.
    pub at: SimTime,
    /// Its number, see NVIDIA's "XID Errors".
    pub xid: u32,
}

impl XidEvent {
    /// Whether the device plugin takes no notice, because an application's own
    /// error raises it (k8s-device-plugin, `health.go`).
    pub const fn is_ignored_by_device_plugin(self) -> bool {
        matches!(self.xid, 13 | 31 | 43 | 45 | 68 | 109)
    }
}

/// What can go wrong with a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum GpuFault {
    /// XID 79: the GPU has fallen off the bus.
    FallenOffBus,
    /// XID 48: a double-bit ECC error.
    UncorrectableEcc,
    /// A single-bit ECC error: counted, and nothing else.
    CorrectedEcc,
    /// Any other XID.
    Xid(u32),
}

/// A process asked for more memory than is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wanted_mib} MiB wanted, {free_mib} MiB free")]
pub struct OutOfMemory {
    /// What was asked for.
    pub wanted_mib: u32,
    /// What is left for processes.
    pub free_mib: u32,
}

/// One GPU. Its identity can be read directly; what changes is changed by
/// methods, because the temperature has to be settled up to the instant first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gpu {
    /// The model that it was built as.
    pub model: GpuModel,
    /// What is fixed about it, a copy of the model's row.
    pub spec: GpuSpec,
    /// Minor number: the card is `/dev/nvidia<minor>` on its node.
    pub minor: u32,
    /// `GPU-` and a UUID.
    pub uuid: String,
    /// Serial number of the board.
    pub serial: String,
    /// PCI address.
    pub pci: PciAddress,
    /// Where it hangs in the PCIe tree.
    pub path: PciePath,
    /// Whether the card's own memory is a NUMA node of the system (`None` on
    /// everything but Grace systems).
    pub memory_numa: Option<u8>,
    /// Whether MIG mode is on.
    pub mig_enabled: bool,
    health: GpuHealth,
    ecc: Ecc,
    xids: Vec<XidEvent>,
    processes: Vec<GpuProcess>,
    /// Temperature at `settled`, in thousandths of a degree.
    millicelsius: i64,
    settled: SimTime,
}

impl Gpu {
    /// A healthy, idle card.
    pub fn new(
        model: GpuModel,
        minor: u32,
        uuid: String,
        serial: String,
        pci: PciAddress,
        path: PciePath,
    ) -> Self {
        let spec = *model.spec();
        Self {
            model,
            spec,
            minor,
            uuid,
            serial,
            pci,
            path,
            memory_numa: None,
            mig_enabled: false,
            health: GpuHealth::Ok,
            ecc: Ecc::default(),
            xids: Vec::new(),
            processes: Vec::new(),
            millicelsius: i64::from(spec.idle_celsius) * 1000,
            settled: SimTime::ZERO,
        }
    }

    /// The same card with another data sheet, at that data sheet's rest.
    #[must_use]
    pub fn with_spec(mut self, spec: GpuSpec) -> Self {
        self.spec = spec;
        self.millicelsius = i64::from(spec.idle_celsius) * 1000;
        self
    }

    /// Whether it answers.
    pub const fn health(&self) -> GpuHealth {
        self.health
    }

    /// Whether it fell off the bus.
    pub const fn is_lost(&self) -> bool {
        matches!(self.health, GpuHealth::Lost)
    }

    /// ECC error counts.
    pub const fn ecc(&self) -> Ecc {
        self.ecc
    }

    /// Every XID so far, oldest first.
    pub fn xids(&self) -> &[XidEvent] {
        &self.xids
    }

    /// Whether the device plugin would still offer it: no XID but those that an
    /// application's own error raises.
    pub fn is_allocatable(&self) -> bool {
        !self.is_lost() && self.xids.iter().all(|xid| xid.is_ignored_by_device_plugin())
    }

    /// The processes on it, in the order of their start.
    pub fn processes(&self) -> &[GpuProcess] {
        &self.processes
    }

    /// Puts a process on the card, or gives the one with this pid a new load.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`] if it asks for more than is free; nothing has changed then.
    pub fn attach(&mut self, now: SimTime, process: GpuProcess) -> Result<(), OutOfMemory> {
        let held = self.processes.iter().find(|p| p.pid == process.pid).map_or(0, |p| p.memory_mib);
        let free_mib = self.free_mib() + held;
        if process.memory_mib > free_mib {
            return Err(OutOfMemory { wanted_mib: process.memory_mib, free_mib });
        }
        self.settle(now);
        match self.processes.iter_mut().find(|p| p.pid == process.pid) {
            Some(old) => *old = process,
            None => self.processes.push(process),
        }
        Ok(())
    }

    /// Takes the process with this pid off the card, if it is there.
    pub fn detach(&mut self, now: SimTime, pid: u32) {
        self.settle(now);
        self.processes.retain(|p| p.pid != pid);
    }

    /// Lets something go wrong.
    pub fn fail(&mut self, now: SimTime, fault: GpuFault) {
        self.settle(now);
        let xid = match fault {
            GpuFault::FallenOffBus => {
                self.health = GpuHealth::Lost;
                79
            }
            GpuFault::UncorrectableEcc => {
                self.ecc.uncorrected += 1;
                48
            }
            GpuFault::CorrectedEcc => {
                self.ecc.corrected += 1;
                return;
            }
            GpuFault::Xid(xid) => xid,
        };
        self.xids.push(XidEvent { at: now, xid });
    }

    /// What a reboot of the node brings back: a card on the bus, no processes,
    /// volatile counters at zero, no XID in the log.
    pub fn reset(&mut self, now: SimTime) {
        self.settle(now);
        self.health = GpuHealth::Ok;
        self.ecc = Ecc::default();
        self.xids.clear();
        self.processes.clear();
    }

    /// Busy SMs, in percent.
    pub fn utilization_percent(&self) -> u32 {
        self.processes.iter().map(|p| p.sm_percent).fold(0, u32::saturating_add).min(100)
    }

    /// Busy memory controller, in percent: three fifths of the SMs', as training
    /// runs typically show.
    pub fn memory_utilization_percent(&self) -> u32 {
        self.utilization_percent() * 3 / 5
    }

    /// Frame buffer in use, in MiB.
    pub fn used_mib(&self) -> u32 {
        self.processes.iter().map(|p| p.memory_mib).fold(self.spec.idle_used_mib, u32::saturating_add)
    }

    /// Frame buffer left for processes, in MiB.
    pub fn free_mib(&self) -> u32 {
        self.spec.memory_mib.saturating_sub(self.spec.reserved_mib).saturating_sub(self.used_mib())
    }

    /// Power draw, in mW.
    pub fn power_mw(&self) -> u32 {
        let span = self.spec.tdp_w.saturating_sub(self.spec.idle_w);
        self.spec.idle_w * 1000 + span * 10 * self.utilization_percent()
    }

    /// Temperature at `now`, in whole degrees Celsius.
    pub fn celsius(&self, now: SimTime) -> u32 {
        u32::try_from((self.millicelsius_at(now) + 500) / 1000).unwrap_or(0)
    }

    /// Temperature of the memory: 2 degrees below the GPU's.
    pub fn memory_celsius(&self, now: SimTime) -> u32 {
        self.celsius(now).saturating_sub(2)
    }

    /// SM clock, in MHz.
    pub fn sm_mhz(&self) -> u32 {
        if self.processes.is_empty() { self.spec.idle_sm_mhz } else { self.spec.max_sm_mhz }
    }

    /// Memory clock, in MHz.
    pub fn memory_mhz(&self) -> u32 {
        if self.processes.is_empty() { self.spec.idle_memory_mhz } else { self.spec.max_memory_mhz }
    }

    /// Performance state.
    pub fn pstate(&self) -> PerformanceState {
        if self.processes.is_empty() { self.spec.idle_pstate } else { PerformanceState::P0 }
    }

    /// Where the temperature will settle if nothing changes, in thousandths of a degree.
    fn target_millicelsius(&self) -> i64 {
        let idle = i64::from(self.spec.idle_celsius) * 1000;
        let span = i64::from(self.spec.load_celsius) * 1000 - idle;
        idle + span * i64::from(self.utilization_percent()) / 100
    }

    fn millicelsius_at(&self, now: SimTime) -> i64 {
        let target = self.target_millicelsius();
        let nanos = now.since(self.settled).as_nanos();
        let (halvings, rest) = (nanos / HALF_LIFE.as_nanos(), nanos % HALF_LIFE.as_nanos());
        // A distance fits in 32 bits: after that many halvings nothing is left.
        let Ok(halvings @ 0..32) = u32::try_from(halvings) else { return target };
        let distance = (self.millicelsius - target) / (1i64 << halvings);
        // Within one half-life the distance falls along a straight line to its half.
        let fallen = i128::from(distance) * rest as i128 / (2 * HALF_LIFE.as_nanos() as i128);
        target + distance - i64::try_from(fallen).unwrap_or(distance)
    }

    /// Brings the temperature up to `now`, before the load changes.
    fn settle(&mut self, now: SimTime) {
        self.millicelsius = self.millicelsius_at(now);
        self.settled = self.settled.max(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn h100() -> Gpu {
        let path = PciePath { numa: 0, host_bridge: 0, switch: None, bridge: None };
        Gpu::new(GpuModel::H100Sxm5, 0, "GPU-1".into(), "1".into(), PciAddress::bus(0x1b), path)
    }

    fn process(pid: u32, memory_mib: u32, sm_percent: u32) -> GpuProcess {
        GpuProcess { pid, name: "python".into(), memory_mib, sm_percent }
    }

    #[test]
    fn load_draws_power_memory_and_clocks_and_leaves_none_behind() {
        let mut gpu = h100();
        let now = SimTime::ZERO;
        assert_eq!((gpu.power_mw(), gpu.used_mib(), gpu.sm_mhz()), (70_000, 1, 345));
        gpu.attach(now, process(7, 1000, 50)).unwrap();
        assert_eq!((gpu.power_mw(), gpu.used_mib(), gpu.sm_mhz()), (385_000, 1001, 1980));
        gpu.attach(now, process(8, 1000, 80)).unwrap();
        assert_eq!((gpu.utilization_percent(), gpu.power_mw()), (100, 700_000));
        gpu.attach(now, process(8, 500, 10)).unwrap();
        assert_eq!((gpu.utilization_percent(), gpu.used_mib()), (60, 1501));
        gpu.detach(now, 7);
        gpu.detach(now, 8);
        assert_eq!(gpu, h100());
    }

    #[test]
    fn the_temperature_halves_its_distance_every_twenty_seconds() {
        let mut gpu = h100();
        gpu.attach(SimTime::ZERO, process(7, 0, 100)).unwrap();
        let seen: Vec<u32> = [0, 10, 20, 40, 60, 600].map(|s| gpu.celsius(SimTime::from_secs(s))).to_vec();
        assert_eq!(seen, [30, 39, 48, 57, 62, 66]);
        gpu.detach(SimTime::from_secs(600), 7);
        assert_eq!(gpu.celsius(SimTime::from_secs(620)), 48);
        assert_eq!(gpu.celsius(SimTime::MAX), 30);
    }

    #[test]
    fn a_process_that_wants_more_than_is_free_changes_nothing() {
        let mut gpu = h100();
        gpu.attach(SimTime::ZERO, process(7, 81_000, 10)).unwrap();
        let before = gpu.clone();
        let error = gpu.attach(SimTime::from_secs(1), process(8, 200, 10)).unwrap_err();
        assert_eq!(error, OutOfMemory { wanted_mib: 200, free_mib: 108 });
        assert_eq!(gpu, before);
        gpu.attach(SimTime::from_secs(1), process(7, 81_108, 10)).unwrap();
        assert_eq!(gpu.free_mib(), 0);
    }

    #[test]
    fn faults_are_told_by_their_xid_and_end_with_a_reset() {
        let check = |fault, xids: &[u32], lost, ecc: (u64, u64), allocatable| {
            let mut gpu = h100();
            gpu.fail(SimTime::from_secs(1), fault);
            assert_eq!(gpu.xids().iter().map(|x| x.xid).collect::<Vec<_>>(), xids);
            assert_eq!(gpu.is_lost(), lost);
            assert_eq!((gpu.ecc().corrected, gpu.ecc().uncorrected), ecc);
            assert_eq!(gpu.is_allocatable(), allocatable);
            gpu.reset(SimTime::from_secs(1));
            assert!(gpu.is_allocatable() && gpu.ecc() == Ecc::default());
        };
        check(GpuFault::FallenOffBus, &[79], true, (0, 0), false);
        check(GpuFault::UncorrectableEcc, &[48], false, (0, 1), false);
        check(GpuFault::CorrectedEcc, &[], false, (1, 0), true);
        check(GpuFault::Xid(31), &[31], false, (0, 0), true);
        check(GpuFault::Xid(74), &[74], false, (0, 0), false);
    }

    proptest! {
        #[test]
        fn the_temperature_stays_between_rest_and_full_load(
            changes in prop::collection::vec((0u64..500, 0u32..150), 1..20),
        ) {
            let mut gpu = h100();
            let mut now = SimTime::ZERO;
            for (wait, percent) in changes {
                now += Duration::from_secs(wait);
                prop_assert!((30..=66).contains(&gpu.celsius(now)));
                gpu.attach(now, process(1, 0, percent)).unwrap();
            }
        }

        #[test]
        fn looking_at_the_temperature_in_between_changes_nothing_but_rounding(
            first in 0u64..200, second in 0u64..200,
        ) {
            let mut gpu = h100();
            gpu.attach(SimTime::ZERO, process(1, 0, 100)).unwrap();
            let end = SimTime::from_secs(first + second);
            let at_once = gpu.celsius(end);
            gpu.settle(SimTime::from_secs(first));
            // The straight line within a half-life is not quite the exponential.
            prop_assert!(gpu.celsius(end).abs_diff(at_once) <= 2);
        }
    }
}
