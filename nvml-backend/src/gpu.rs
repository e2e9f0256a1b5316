//! One GPU: what is fixed about it, and what it measures.

use clusterlab::hardware::CpuSet;
use clusterlab::hardware::source::{
    ClockEvents, EccCounts, GpuInfo, GpuSample, InstanceSample, MemoryUse, MigDevice, MigState,
    RunningProcess, SourceError, SourceErrorKind,
};
use nvml_wrapper::enum_wrappers::device::{Clock, EccCounter, MemoryError, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings::field_id;

use crate::gpm;
use crate::library::{Handle, Library, wrapped};
use crate::sysfs::Sysfs;

/// `scopeId` of a field value that means all links.
const ALL_LINKS: u32 = u32::MAX;

/// One GPU of a loaded library.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gpu<'a> {
    pub(crate) library: &'a Library,
    pub(crate) handle: Handle,
    pub(crate) index: u32,
}

/// What only this question lacks is `None`; what concerns the whole GPU ends the reading.
fn optional<T>(read: Result<T, SourceError>) -> Result<Option<T>, SourceError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind.is_only_this_call() => Ok(None),
        Err(error) => Err(error),
    }
}

impl<'a> Gpu<'a> {
    pub(crate) fn of(library: &'a Library, index: u32) -> Result<Self, SourceError> {
        Ok(Self { library, handle: library.gpu(index)?, index })
    }

    /// Asks through the wrapper.
    fn ask<T>(
        &self,
        call: &str,
        ask: impl FnOnce(&Device<'a>) -> Result<T, NvmlError>,
    ) -> Result<Option<T>, SourceError> {
        optional(ask(&self.library.device(self.handle)).map_err(|error| wrapped(call, error)))
    }

    /// What is fixed.
    pub(crate) fn info(&self, sysfs: &Sysfs) -> Result<GpuInfo, SourceError> {
        let (library, handle) = (self.library, self.handle);
        let (pci, pci_device_id) = library.pci(handle)?;
        let generation = self.ask("nvmlDeviceGetMaxPcieLinkGeneration", Device::max_pcie_link_gen)?;
        let width = self.ask("nvmlDeviceGetMaxPcieLinkWidth", Device::max_pcie_link_width)?;
        let capability = self.ask("nvmlDeviceGetCudaComputeCapability", Device::cuda_compute_capability)?;
        let cpus = optional(library.near_cpus(handle))?.filter(|cpus| !cpus.is_empty());
        let memory_bytes = self.memory()?.map(|memory| memory.total);
        Ok(GpuInfo {
            uuid: library.uuid(handle)?,
            name: library.name(handle)?,
            serial: optional(library.serial(handle))?,
            pci,
            pci_device_id: Some(pci_device_id),
            minor: self.minor()?,
            architecture: optional(library.architecture(handle))?.map(architecture),
            compute_capability: capability.and_then(|capability| {
                Some((u32::try_from(capability.major).ok()?, u32::try_from(capability.minor).ok()?))
            }),
            memory_bytes,
            power_limit_mw: self.ask("nvmlDeviceGetEnforcedPowerLimit", Device::enforced_power_limit)?,
            max_sm_mhz: self.ask("nvmlDeviceGetMaxClockInfo", |gpu| gpu.max_clock_info(Clock::SM))?,
            max_memory_mhz: self.ask("nvmlDeviceGetMaxClockInfo", |gpu| gpu.max_clock_info(Clock::Memory))?,
            pcie: generation.zip(width),
            numa: sysfs.numa(pci),
            cpus: cpus.map(CpuSet::from_ascending),
            vbios: optional(library.vbios(handle))?,
            ecc: self.ask("nvmlDeviceGetEccMode", Device::is_ecc_enabled)?.map(|mode| mode.currently_enabled),
            mig: self.mig(memory_bytes)?,
        })
    }

    #[cfg(target_os = "linux")]
    fn minor(&self) -> Result<Option<u32>, SourceError> {
        self.ask("nvmlDeviceGetMinorNumber", Device::minor_number)
    }

    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "there are no device files elsewhere")]
    fn minor(&self) -> Result<Option<u32>, SourceError> {
        Ok(None)
    }

    /// Whether and how it is cut.
    pub(crate) fn mig(&self, memory_bytes: Option<u64>) -> Result<MigState, SourceError> {
        let Some(mode) = self.ask("nvmlDeviceGetMigMode", Device::mig_mode)? else {
            return Ok(MigState::default());
        };
        let enabled = mode.current == 1;
        let most = if enabled {
            self.ask("nvmlDeviceGetMaxMigDeviceCount", Device::mig_device_count)?
        } else {
            None
        };
        let mut devices = Vec::new();
        for index in 0..most.unwrap_or(0) {
            // Numbers need not be dense: an instance may have been destroyed.
            if let Some(handle) = optional(self.library.mig_device(self.handle, index))? {
                devices.push(self.mig_device(index, handle, memory_bytes)?);
            }
        }
        Ok(MigState { capable: true, enabled, devices })
    }

    fn mig_device(
        &self,
        index: u32,
        handle: Handle,
        card_bytes: Option<u64>,
    ) -> Result<MigDevice, SourceError> {
        let device = self.library.device(handle);
        let attributes =
            optional(device.attributes().map_err(|error| wrapped("nvmlDeviceGetAttributes_v2", error)))?;
        let name = optional(self.library.name(handle))?.unwrap_or_default();
        let profile = match (name.split_once(" MIG "), &attributes) {
            (Some((_, profile)), _) => profile.trim().to_owned(),
            (None, Some(attributes)) => MigDevice::profile_name(
                attributes.gpu_instance_slice_count,
                attributes.compute_instance_slice_count,
                attributes.memory_size_mb,
                card_bytes.unwrap_or(0),
            ),
            (None, None) => "unknown".to_owned(),
        };
        Ok(MigDevice {
            index,
            uuid: self.library.uuid(handle)?,
            profile,
            gpu_instance: optional(self.library.gpu_instance(handle))?,
            compute_instance: optional(self.library.compute_instance(handle))?,
            slices: attributes.as_ref().map(|a| (a.gpu_instance_slice_count, a.compute_instance_slice_count)),
            memory_mib: attributes.as_ref().map(|a| a.memory_size_mb),
            multiprocessors: attributes.as_ref().map(|a| a.multiprocessor_count),
            engines: attributes.as_ref().map(|a| {
                [
                    a.shared_copy_engine_count,
                    a.shared_decoder_count,
                    a.shared_encoder_count,
                    a.shared_jpeg_count,
                    a.shared_ofa_count,
                ]
            }),
        })
    }

    /// The GPU instances of a card that is cut, with their memory.
    fn instances(&self) -> Result<Vec<InstanceSample>, SourceError> {
        let mode = self.ask("nvmlDeviceGetMigMode", Device::mig_mode)?;
        if mode.is_none_or(|mode| mode.current != 1) {
            return Ok(Vec::new());
        }
        let most = self.ask("nvmlDeviceGetMaxMigDeviceCount", Device::mig_device_count)?.unwrap_or(0);
        let mut instances: Vec<InstanceSample> = Vec::new();
        for index in 0..most {
            let Some(handle) = optional(self.library.mig_device(self.handle, index))? else { continue };
            let device = Self { handle, ..*self };
            let Some(gpu_instance) = optional(self.library.gpu_instance(handle))? else { continue };
            // Compute instances share the memory of their GPU instance.
            if instances.iter().all(|known| known.gpu_instance != gpu_instance)
                && let Some(memory) = device.memory()?
            {
                instances.push(InstanceSample { gpu_instance, memory });
            }
        }
        Ok(instances)
    }

    fn memory(&self) -> Result<Option<MemoryUse>, SourceError> {
        if let Some(memory) = self.ask("nvmlDeviceGetMemoryInfo_v2", Device::memory_info)? {
            return Ok(Some(MemoryUse {
                total: memory.total,
                free: memory.free,
                used: memory.used,
                reserved: Some(memory.reserved),
            }));
        }
        let memory = optional(self.library.memory_v1(self.handle))?;
        Ok(memory.map(|memory| MemoryUse {
            total: memory.total,
            free: memory.free,
            used: memory.used,
            reserved: None,
        }))
    }

    /// What it measures now.
    pub(crate) fn sample(&self) -> Result<GpuSample, SourceError> {
        let (library, handle) = (self.library, self.handle);
        let busy = self.ask("nvmlDeviceGetUtilizationRates", Device::utilization_rates)?;
        let [memory_celsius, sent, received] = optional(library.fields(
            handle,
            [
                (field_id::NVML_FI_DEV_MEMORY_TEMP, 0),
                (field_id::NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX, ALL_LINKS),
                (field_id::NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX, ALL_LINKS),
            ],
        ))?
        .unwrap_or_default();
        let ecc = |error| {
            self.ask("nvmlDeviceGetTotalEccErrors", |gpu| gpu.total_ecc_errors(error, EccCounter::Volatile))
        };
        let corrected = ecc(MemoryError::Corrected)?;
        let uncorrected = ecc(MemoryError::Uncorrected)?;
        Ok(GpuSample {
            sm_mhz: self.ask("nvmlDeviceGetClockInfo", |gpu| gpu.clock_info(Clock::SM))?,
            memory_mhz: self.ask("nvmlDeviceGetClockInfo", |gpu| gpu.clock_info(Clock::Memory))?,
            celsius: self.ask("nvmlDeviceGetTemperature", |gpu| gpu.temperature(TemperatureSensor::Gpu))?,
            // Cards without that sensor answer 0.
            memory_celsius: memory_celsius.and_then(|c| u32::try_from(c).ok()).filter(|c| *c > 0),
            power_mw: self.ask("nvmlDeviceGetPowerUsage", Device::power_usage)?,
            energy_mj: self.ask("nvmlDeviceGetTotalEnergyConsumption", Device::total_energy_consumption)?,
            pcie_replays: self.ask("nvmlDeviceGetPcieReplayCounter", Device::pcie_replay_counter)?,
            utilization: busy.as_ref().map(|busy| busy.gpu),
            memory_utilization: busy.as_ref().map(|busy| busy.memory),
            encoder_utilization: self
                .ask("nvmlDeviceGetEncoderUtilization", Device::encoder_utilization)?
                .map(|busy| busy.utilization),
            decoder_utilization: self
                .ask("nvmlDeviceGetDecoderUtilization", Device::decoder_utilization)?
                .map(|busy| busy.utilization),
            memory: self.memory()?,
            nvlink_kib: sent.zip(received).map(|(sent, received)| sent.saturating_add(received)),
            remapped_rows: optional(library.remapped_rows(handle))?,
            ecc: corrected
                .zip(uncorrected)
                .map(|(corrected, uncorrected)| EccCounts { corrected, uncorrected }),
            performance_state: self
                .ask("nvmlDeviceGetPerformanceState", Device::performance_state)?
                .map(|state| state.as_c())
                .filter(|state| *state < 32),
            clock_events: optional(library.clock_events(handle))?.map(ClockEvents),
            profiling: gpm::profiling(library, self.index, handle),
            instances: self.instances()?,
        })
    }

    /// The processes on it, by pid. On a card that is cut, of all its instances.
    pub(crate) fn processes(&self) -> Result<Vec<RunningProcess>, SourceError> {
        let compute =
            self.list("nvmlDeviceGetComputeRunningProcesses_v3", Device::running_compute_processes)?;
        let graphics =
            self.list("nvmlDeviceGetGraphicsRunningProcesses_v3", Device::running_graphics_processes)?;
        let mut processes: Vec<RunningProcess> = [(true, compute), (false, graphics)]
            .into_iter()
            .flat_map(|(compute, list)| list.into_iter().map(move |process| (compute, process)))
            .map(|(compute, process)| RunningProcess {
                pid: process.pid,
                name: self.library.process_name(process.pid).ok(),
                memory_bytes: match process.used_gpu_memory {
                    UsedGpuMemory::Used(bytes) => Some(bytes),
                    UsedGpuMemory::Unavailable => None,
                },
                compute,
                gpu_instance: process.gpu_instance_id,
            })
            .collect();
        processes.sort_by_key(|process| process.pid);
        Ok(processes)
    }

    /// Between counting and listing more processes may start than the wrapper leaves room for: again, then.
    fn list(
        &self,
        call: &str,
        ask: impl Fn(&Device<'a>) -> Result<Vec<ProcessInfo>, NvmlError>,
    ) -> Result<Vec<ProcessInfo>, SourceError> {
        for _ in 0..3 {
            match ask(&self.library.device(self.handle)) {
                Err(NvmlError::InsufficientSize(_)) => {}
                list => return Ok(optional(list.map_err(|error| wrapped(call, error)))?.unwrap_or_default()),
            }
        }
        Ok(Vec::new())
    }

    /// Whether it answers, asked as cheaply as possible.
    pub(crate) fn is_lost(&self) -> bool {
        let celsius = self.ask("nvmlDeviceGetTemperature", |gpu| gpu.temperature(TemperatureSensor::Gpu));
        celsius.is_err_and(|error| error.kind == SourceErrorKind::GpuLost)
    }
}

/// The name of NVML's number (`NVML_DEVICE_ARCH_*`).
fn architecture(number: u32) -> String {
    match number {
        2 => "Kepler",
        3 => "Maxwell",
        4 => "Pascal",
        5 => "Volta",
        6 => "Turing",
        7 => "Ampere",
        8 => "Ada Lovelace",
        9 => "Hopper",
        10 => "Blackwell",
        other => return format!("architecture {other}"),
    }
    .to_owned()
}

/// The newest CUDA that the driver supports.
pub(crate) fn cuda_version(nvml: &Nvml) -> Result<Option<(u32, u32)>, SourceError> {
    let version =
        nvml.sys_cuda_driver_version().map_err(|error| wrapped("nvmlSystemGetCudaDriverVersion_v2", error));
    Ok(optional(version)?
        .and_then(|version| u32::try_from(version).ok())
        .map(|version| (version / 1000, version % 1000 / 10)))
}
