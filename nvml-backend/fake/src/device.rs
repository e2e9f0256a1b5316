//! Identity and measurements of one GPU.

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_ulonglong};

use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlFieldValue_t, nvmlMemory_t, nvmlMemory_v2_t, nvmlPciInfo_t, nvmlProcessInfo_t,
    nvmlReturn_t, nvmlUtilization_t,
};

use crate::answer::{
    Answer, Handle, INSUFFICIENT_SIZE, INVALID_ARGUMENT, NOT_FOUND, NOT_SUPPORTED, expect_version, field,
    of_gpu, put, put_all, put_if, put_text, started,
};
use crate::scenario::{Gpu, Process};

/// Functions that only write one value of the GPU.
macro_rules! values {
    ($($name:ident: $type:ty = $value:expr;)*) => {
        $(
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(device: nvmlDevice_t, out: *mut $type) -> nvmlReturn_t {
                let value: fn(&Gpu) -> Option<$type> = $value;
                of_gpu(stringify!($name), device, |gpu| put_if(out, value(gpu)))
            }
        )*
    };
}

values! {
    nvmlDeviceGetMinorNumber: c_uint = |gpu| Some(gpu.minor);
    nvmlDeviceGetArchitecture: c_uint = |gpu| Some(gpu.architecture);
    // NVML_BRAND_NVIDIA
    nvmlDeviceGetBrand: c_uint = |_| Some(14);
    nvmlDeviceGetPowerUsage: c_uint = |gpu| Some(gpu.power_mw);
    nvmlDeviceGetEnforcedPowerLimit: c_uint = |gpu| Some(gpu.power_limit_mw);
    nvmlDeviceGetPowerManagementLimit: c_uint = |gpu| Some(gpu.power_limit_mw);
    nvmlDeviceGetTotalEnergyConsumption: c_ulonglong = |gpu| Some(gpu.energy_mj);
    nvmlDeviceGetPerformanceState: c_uint = |gpu| Some(gpu.performance_state);
    nvmlDeviceGetPcieReplayCounter: c_uint = |gpu| Some(gpu.pcie_replays);
    nvmlDeviceGetMaxPcieLinkGeneration: c_uint = |_| Some(5);
    nvmlDeviceGetMaxPcieLinkWidth: c_uint = |_| Some(16);
    nvmlDeviceGetCurrPcieLinkGeneration: c_uint = |_| Some(5);
    nvmlDeviceGetCurrPcieLinkWidth: c_uint = |_| Some(16);
    nvmlDeviceGetCurrentClocksThrottleReasons: c_ulonglong = |gpu| Some(gpu.clock_events);
    nvmlDeviceGetCurrentClocksEventReasons: c_ulonglong = |gpu| Some(gpu.clock_events);
    nvmlDeviceGetSupportedEventTypes: c_ulonglong = |gpu| Some(gpu.event_types);
    nvmlDeviceGetUtilizationRates: nvmlUtilization_t =
        |gpu| Some(nvmlUtilization_t { gpu: gpu.utilization, memory: gpu.memory_utilization });
    nvmlDeviceGetMemoryInfo: nvmlMemory_t = |gpu| Some(nvmlMemory_t {
        total: gpu.memory_bytes,
        free: gpu.memory_bytes.saturating_sub(gpu.reserved_bytes + gpu.used_bytes),
        used: gpu.reserved_bytes + gpu.used_bytes,
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetIndex(device: nvmlDevice_t, out: *mut c_uint) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetIndex", device, |_| match Handle::of(device)? {
        Handle::Gpu(index) | Handle::Mig(_, index) => put(out, index as c_uint),
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetName(
    device: nvmlDevice_t,
    out: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetName", device, |gpu| match Handle::of(device)? {
        Handle::Gpu(_) => put_text(out, length, gpu.raw_name.as_deref().unwrap_or(gpu.name.as_bytes())),
        Handle::Mig(_, index) => {
            let mig = gpu.mig.get(index).ok_or(INVALID_ARGUMENT)?;
            let gb = mig.memory_mib.div_ceil(1024);
            put_text(out, length, format!("{} MIG {}g.{gb}gb", gpu.name, mig.gpu_slices).as_bytes())
        }
    })
}

/// The UUID is answered from what the library remembers, also of a GPU that is lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetUUID(
    device: nvmlDevice_t,
    out: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    started("nvmlDeviceGetUUID", |state| {
        let handle = Handle::of(device)?;
        let gpu = state.scenario.gpus.get(handle.gpu()).ok_or(INVALID_ARGUMENT)?;
        let uuid = match handle {
            Handle::Gpu(_) => &gpu.uuid,
            Handle::Mig(_, index) => &gpu.mig.get(index).ok_or(INVALID_ARGUMENT)?.uuid,
        };
        put_text(out, length, uuid.as_bytes())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetSerial(
    device: nvmlDevice_t,
    out: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetSerial", device, |gpu| put_text(out, length, gpu.serial.as_bytes()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetVbiosVersion(
    device: nvmlDevice_t,
    out: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetVbiosVersion", device, |gpu| put_text(out, length, gpu.vbios.as_bytes()))
}

pub(crate) fn pci(gpu: &Gpu) -> nvmlPciInfo_t {
    nvmlPciInfo_t {
        busIdLegacy: field(&format!("{:04X}:{:02X}:00.0", gpu.domain, gpu.bus)),
        domain: gpu.domain,
        bus: gpu.bus,
        device: 0,
        pciDeviceId: gpu.pci_device_id,
        pciSubSystemId: gpu.pci_subsystem_id,
        busId: field(&format!("{:08X}:{:02X}:00.0", gpu.domain, gpu.bus)),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetPciInfo_v3(
    device: nvmlDevice_t,
    out: *mut nvmlPciInfo_t,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetPciInfo_v3", device, |gpu| put(out, pci(gpu)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCudaComputeCapability(
    device: nvmlDevice_t,
    major: *mut c_int,
    minor: *mut c_int,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetCudaComputeCapability", device, |gpu| {
        put(major, gpu.compute_capability.0)?;
        put(minor, gpu.compute_capability.1)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMemoryInfo_v2(
    device: nvmlDevice_t,
    out: *mut nvmlMemory_v2_t,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetMemoryInfo_v2", device, |gpu| {
        if out.is_null() {
            return Err(INVALID_ARGUMENT);
        }
        // SAFETY: the caller's pointer; NULL was refused.
        let version = unsafe { (*out).version };
        expect_version::<nvmlMemory_v2_t>(version, 2)?;
        if let Handle::Mig(_, index) = Handle::of(device)? {
            let mig = gpu.mig.get(index).ok_or(INVALID_ARGUMENT)?;
            let (total, used) = (mig.memory_mib << 20, 13 << 20);
            return put(out, nvmlMemory_v2_t { version, total, reserved: 0, free: total - used, used });
        }
        put(
            out,
            nvmlMemory_v2_t {
                version,
                total: gpu.memory_bytes,
                reserved: gpu.reserved_bytes,
                free: gpu.memory_bytes.saturating_sub(gpu.reserved_bytes + gpu.used_bytes),
                used: gpu.used_bytes,
            },
        )
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetTemperature(
    device: nvmlDevice_t,
    sensor: c_uint,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetTemperature", device, |gpu| {
        if sensor == 0 { put(out, gpu.celsius) } else { Err(INVALID_ARGUMENT) }
    })
}

/// NVML's clock types: 0 graphics, 1 SM, 2 memory, 3 video.
fn clock(kind: c_uint, sm: u32, memory: u32) -> Result<u32, u32> {
    match kind {
        0 | 1 | 3 => Ok(sm),
        2 => Ok(memory),
        _ => Err(INVALID_ARGUMENT),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetClockInfo(
    device: nvmlDevice_t,
    kind: c_uint,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetClockInfo", device, |gpu| put(out, clock(kind, gpu.sm_mhz, gpu.memory_mhz)?))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMaxClockInfo(
    device: nvmlDevice_t,
    kind: c_uint,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetMaxClockInfo", device, |gpu| {
        put(out, clock(kind, gpu.max_sm_mhz, gpu.max_memory_mhz)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetApplicationsClock(
    device: nvmlDevice_t,
    kind: c_uint,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetApplicationsClock", device, |gpu| {
        put(out, clock(kind, gpu.max_sm_mhz, gpu.max_memory_mhz)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceSetApplicationsClocks(
    device: nvmlDevice_t,
    _memory: c_uint,
    _graphics: c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceSetApplicationsClocks", device, |_| Ok(()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceResetApplicationsClocks(device: nvmlDevice_t) -> nvmlReturn_t {
    of_gpu("nvmlDeviceResetApplicationsClocks", device, |_| Ok(()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetSupportedMemoryClocks(
    device: nvmlDevice_t,
    count: *mut c_uint,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetSupportedMemoryClocks", device, |gpu| put_all(count, out, &[gpu.max_memory_mhz]))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetSupportedGraphicsClocks(
    device: nvmlDevice_t,
    _memory: c_uint,
    count: *mut c_uint,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetSupportedGraphicsClocks", device, |gpu| {
        put_all(count, out, &[gpu.max_sm_mhz, gpu.sm_mhz])
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetEncoderUtilization(
    device: nvmlDevice_t,
    out: *mut c_uint,
    period: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetEncoderUtilization", device, |gpu| {
        put(period, 167_000)?;
        put_if(out, gpu.encoder)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetDecoderUtilization(
    device: nvmlDevice_t,
    out: *mut c_uint,
    period: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetDecoderUtilization", device, |gpu| {
        put(period, 167_000)?;
        put_if(out, gpu.encoder)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetEccMode(
    device: nvmlDevice_t,
    current: *mut c_uint,
    pending: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetEccMode", device, |gpu| {
        let mode = gpu.ecc.map(|_| 1);
        put_if(current, mode)?;
        put_if(pending, mode)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetTotalEccErrors(
    device: nvmlDevice_t,
    error_type: c_uint,
    _counter: c_uint,
    out: *mut c_ulonglong,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetTotalEccErrors", device, |gpu| {
        let (corrected, uncorrected) = gpu.ecc.ok_or(NOT_SUPPORTED)?;
        put(out, if error_type == 0 { corrected } else { uncorrected })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetRemappedRows(
    device: nvmlDevice_t,
    correctable: *mut c_uint,
    uncorrectable: *mut c_uint,
    pending: *mut c_uint,
    failed: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetRemappedRows", device, |gpu| {
        let rows = gpu.remapped.ok_or(NOT_SUPPORTED)?;
        put(correctable, rows.0)?;
        put(uncorrectable, rows.1)?;
        put(pending, rows.2)?;
        put(failed, rows.3)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCpuAffinity(
    device: nvmlDevice_t,
    words: c_uint,
    out: *mut c_ulong,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetCpuAffinity", device, |gpu| {
        let bits = c_ulong::BITS;
        let (first, end) = (gpu.numa * gpu.cpus_per_numa, (gpu.numa + 1) * gpu.cpus_per_numa);
        if out.is_null() || words == 0 {
            return Err(INVALID_ARGUMENT);
        }
        if end > words * bits {
            return Err(INSUFFICIENT_SIZE);
        }
        for word in 0..words {
            let mask = (0..bits)
                .filter(|bit| (first..end).contains(&(word * bits + bit)))
                .fold(0, |mask: c_ulong, bit| mask | (1 << bit));
            // SAFETY: the caller says that `words` words can be written.
            unsafe { out.add(word as usize).write(mask) };
        }
        Ok(())
    })
}

fn processes(gpu: &Gpu, graphics: bool, count: *mut c_uint, out: *mut nvmlProcessInfo_t) -> Answer {
    let info = |process: &Process| nvmlProcessInfo_t {
        pid: process.pid,
        usedGpuMemory: process.memory_bytes,
        gpuInstanceId: process.gpu_instance.unwrap_or(u32::MAX),
        computeInstanceId: process.gpu_instance.map_or(u32::MAX, |_| 0),
    };
    let all: Vec<_> = gpu.processes.iter().filter(|p| p.graphics == graphics).map(info).collect();
    put_all(count, out, &all)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    device: nvmlDevice_t,
    count: *mut c_uint,
    out: *mut nvmlProcessInfo_t,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetComputeRunningProcesses_v3", device, |gpu| processes(gpu, false, count, out))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetGraphicsRunningProcesses_v3(
    device: nvmlDevice_t,
    count: *mut c_uint,
    out: *mut nvmlProcessInfo_t,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetGraphicsRunningProcesses_v3", device, |gpu| processes(gpu, true, count, out))
}

/// Field values: memory temperature, and NVLink data sent and received by all links together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetFieldValues(
    device: nvmlDevice_t,
    count: c_int,
    values: *mut nvmlFieldValue_t,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetFieldValues", device, |gpu| {
        if values.is_null() {
            return Err(INVALID_ARGUMENT);
        }
        for i in 0..usize::try_from(count).map_err(|_| INVALID_ARGUMENT)? {
            // SAFETY: the caller says that there are `count` values.
            let value = unsafe { &mut *values.add(i) };
            value.nvmlReturn = 0;
            match value.fieldId {
                82 => {
                    value.valueType = 1;
                    match gpu.memory_celsius {
                        Some(celsius) => value.value.uiVal = celsius,
                        None => value.nvmlReturn = NOT_SUPPORTED,
                    }
                }
                138 | 139 if gpu.nvlinks > 0 && value.scopeId == c_uint::MAX => {
                    value.valueType = 3;
                    value.value.ullVal = gpu.nvlink_kib;
                }
                _ => value.nvmlReturn = if gpu.nvlinks > 0 { NOT_FOUND } else { NOT_SUPPORTED },
            }
        }
        Ok(())
    })
}
