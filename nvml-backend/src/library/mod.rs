//! The loaded library, and the calls that `nvml-wrapper` lacks or does not do well. All `unsafe` is here.
//!
//! Calls go to the library directly for these reasons (nvml-wrapper 0.13.0, each seen):
//!
//! - texts: the wrapper refuses what is not UTF-8; here such bytes are replaced;
//! - numbers that stand for words (architecture, topology level): the wrapper refuses those that it does not know;
//! - events: its `EventData` drops the MIG instance, and registering frees the whole set when one GPU refuses;
//! - field values: it cannot name a scope, which NVLink's counters need;
//! - remapped rows: not wrapped;
//! - dropping `Nvml`, an `EventSet` or a `GpmSample` panics if the library lacks the function that frees it.
//!
//! The rest goes through the wrapper's `Device`, which is made anew for every question: it borrows the library, and a
//! handle is one call away.

#![allow(unsafe_code, reason = "the calls into NVIDIA's library; each block says why it is sound")]

use std::collections::BTreeMap;
use std::ffi::{c_char, c_uint};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clusterlab::hardware::PciAddress;
use clusterlab::hardware::source::{RemappedRows, SourceError, SourceErrorKind};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings as sys;

use crate::gpm::GpmSamples;

/// Bytes that any of NVML's texts fits into; its longest buffer is 96.
const TEXT: usize = 256;

/// Where the driver's installers put the library, in the order in which they are tried.
#[cfg(target_os = "linux")]
pub(crate) const NAMES: [&str; 2] = ["libnvidia-ml.so.1", "libnvidia-ml.so"];
#[cfg(not(target_os = "linux"))]
pub(crate) const NAMES: [&str; 1] = ["nvml.dll"];

/// Calls a function of the library by its name; `Err` if the library lacks it or it fails.
macro_rules! call {
    ($library:expr, $function:ident($($argument:expr),* $(,)?)) => {
        match $library.nvml().lib().$function.as_ref() {
            // SAFETY: the signature is that of nvml.h, by the bindings. NVML is started, because `Library` exists.
            // Handles come from this library, pointers are to locals that outlive the call, and lengths are theirs.
            Ok(function) => checked(stringify!($function), unsafe { function($($argument),*) }),
            Err(_) => Err(missing(stringify!($function))),
        }
    };
}
mod events;
mod gpm;

pub(crate) use events::{RawEvent, RawEventSet};
pub(crate) use gpm::GpmSample;

fn checked(call: &str, code: sys::nvmlReturn_t) -> Result<(), SourceError> {
    if code == 0 { Ok(()) } else { Err(SourceError::new(call, SourceErrorKind::from_code(code))) }
}

fn missing(call: &str) -> SourceError {
    SourceError::new(call, SourceErrorKind::MissingFunction(call.to_owned()))
}

/// An error of the wrapper, with the name of the function that was meant.
pub(crate) fn wrapped(call: &str, error: NvmlError) -> SourceError {
    let kind = match error {
        NvmlError::FailedToLoadSymbol(_) => SourceErrorKind::MissingFunction(call.to_owned()),
        NvmlError::LibloadingError(error) => SourceErrorKind::NoLibrary(one_line(&error.to_string())),
        other => SourceErrorKind::from_code(other.into()),
    };
    SourceError::new(call, kind)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What NVML knows a GPU or MIG device by. A number, never followed as a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle(pub(crate) sys::nvmlDevice_t);

// SAFETY: only NVML looks behind the handle, and NVML may be called from any thread.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// NVML, loaded and started.
pub(crate) struct Library {
    nvml: ManuallyDrop<Nvml>,
    /// Samples of the profiling counters by GPU; they are freed before NVML is shut down.
    pub(crate) gpm: Mutex<BTreeMap<u32, GpmSamples>>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").finish_non_exhaustive()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        let samples = std::mem::take(&mut *crate::locked(&self.gpm));
        for sample in samples.into_values() {
            sample.free(self);
        }
        if self.nvml.lib().nvmlShutdown.is_ok() {
            // SAFETY: nobody uses it after drop. Only here, because the wrapper's own drop panics without nvmlShutdown;
            // a library that lacks it stays loaded until the program ends.
            unsafe { ManuallyDrop::drop(&mut self.nvml) };
        }
    }
}

impl Library {
    /// Loads and starts NVML, from `path` or from where the system's loader finds it.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, SourceError> {
        let candidates: Vec<PathBuf> =
            path.map_or_else(|| NAMES.map(PathBuf::from).to_vec(), |p| vec![p.to_owned()]);
        let mut first = None;
        for candidate in &candidates {
            match Nvml::builder().lib_path(candidate.as_os_str()).init() {
                Ok(nvml) => return Ok(Self { nvml: ManuallyDrop::new(nvml), gpm: Mutex::default() }),
                Err(error @ NvmlError::LibloadingError(_)) => {
                    first.get_or_insert_with(|| wrapped("dlopen", error));
                }
                Err(error) => return Err(wrapped("nvmlInit_v2", error)),
            }
        }
        let none =
            || SourceError::new("dlopen", SourceErrorKind::NoLibrary("no name to look for".to_owned()));
        Err(first.unwrap_or_else(none))
    }

    pub(crate) fn nvml(&self) -> &Nvml {
        &self.nvml
    }

    /// The number of GPUs now. It may differ at the next call.
    pub(crate) fn count(&self) -> Result<u32, SourceError> {
        self.nvml.device_count().map_err(|error| wrapped("nvmlDeviceGetCount_v2", error))
    }

    pub(crate) fn gpu(&self, index: u32) -> Result<Handle, SourceError> {
        let device = self.nvml.device_by_index(index);
        let device = device.map_err(|error| wrapped("nvmlDeviceGetHandleByIndex_v2", error))?;
        // SAFETY: the handle is only handed back to the library that it came from.
        Ok(Handle(unsafe { device.handle() }))
    }

    /// The wrapper's view of a handle.
    pub(crate) fn device(&self, handle: Handle) -> Device<'_> {
        // SAFETY: every `Handle` was answered by NVML; one that is no longer good is refused by NVML.
        unsafe { Device::new(handle.0, &self.nvml) }
    }

    /// A text that a function writes into a buffer.
    fn text(ask: impl FnOnce(*mut c_char, c_uint) -> Result<(), SourceError>) -> Result<String, SourceError> {
        let mut buffer = [0_u8; TEXT];
        ask(buffer.as_mut_ptr().cast(), TEXT as c_uint)?;
        let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(TEXT);
        Ok(String::from_utf8_lossy(&buffer[..end]).into_owned())
    }

    pub(crate) fn driver_version(&self) -> Result<String, SourceError> {
        Self::text(|buffer, length| call!(self, nvmlSystemGetDriverVersion(buffer, length)))
    }

    pub(crate) fn library_version(&self) -> Result<String, SourceError> {
        Self::text(|buffer, length| call!(self, nvmlSystemGetNVMLVersion(buffer, length)))
    }

    pub(crate) fn process_name(&self, pid: u32) -> Result<String, SourceError> {
        Self::text(|buffer, length| call!(self, nvmlSystemGetProcessName(pid, buffer, length)))
    }

    pub(crate) fn name(&self, gpu: Handle) -> Result<String, SourceError> {
        Self::text(|buffer, length| call!(self, nvmlDeviceGetName(gpu.0, buffer, length)))
    }

    pub(crate) fn uuid(&self, gpu: Handle) -> Result<String, SourceError> {
        Self::text(|buffer, length| call!(self, nvmlDeviceGetUUID(gpu.0, buffer, length)))
    }

    pub(crate) fn serial(&self, gpu: Handle) -> Result<String, SourceError> {
        Self::text(|buffer, length| call!(self, nvmlDeviceGetSerial(gpu.0, buffer, length)))
    }

    pub(crate) fn vbios(&self, gpu: Handle) -> Result<String, SourceError> {
        Self::text(|buffer, length| call!(self, nvmlDeviceGetVbiosVersion(gpu.0, buffer, length)))
    }

    /// PCI address, and device with vendor.
    pub(crate) fn pci(&self, gpu: Handle) -> Result<(PciAddress, u32), SourceError> {
        // SAFETY: a structure of numbers and bytes, for which zero is a value.
        let mut pci: sys::nvmlPciInfo_t = unsafe { std::mem::zeroed() };
        call!(self, nvmlDeviceGetPciInfo_v3(gpu.0, &raw mut pci))?;
        Ok((address(&pci), pci.pciDeviceId))
    }

    /// NVML's number of the architecture.
    pub(crate) fn architecture(&self, gpu: Handle) -> Result<u32, SourceError> {
        let mut number = 0;
        call!(self, nvmlDeviceGetArchitecture(gpu.0, &raw mut number))?;
        Ok(number)
    }

    /// The NUMA node that the GPU's own memory is (Grace).
    pub(crate) fn memory_numa(&self, gpu: Handle) -> Result<u32, SourceError> {
        let mut node = 0;
        call!(self, nvmlDeviceGetNumaNodeId(gpu.0, &raw mut node))?;
        Ok(node)
    }

    /// The numbers of the CPUs that are near, ascending.
    pub(crate) fn near_cpus(&self, gpu: Handle) -> Result<Vec<u32>, SourceError> {
        let mut words = [0; 128];
        let count = words.len() as c_uint;
        call!(self, nvmlDeviceGetCpuAffinity(gpu.0, count, words.as_mut_ptr()))?;
        let bits = std::ffi::c_ulong::BITS;
        let numbered = (0..).step_by(bits as usize).zip(words);
        Ok(numbered
            .flat_map(|(first, word)| {
                (0..bits).filter(move |bit| word >> bit & 1 == 1).map(move |b| first + b)
            })
            .collect())
    }

    pub(crate) fn remapped_rows(&self, gpu: Handle) -> Result<RemappedRows, SourceError> {
        let [mut correctable, mut uncorrectable, mut pending, mut failed] = [0; 4];
        call!(
            self,
            nvmlDeviceGetRemappedRows(
                gpu.0,
                &raw mut correctable,
                &raw mut uncorrectable,
                &raw mut pending,
                &raw mut failed
            )
        )?;
        Ok(RemappedRows { correctable, uncorrectable, pending: pending != 0, failed: failed != 0 })
    }

    /// Why the clocks are low. The function was renamed in driver 535.
    pub(crate) fn clock_events(&self, gpu: Handle) -> Result<u64, SourceError> {
        let mut mask = 0;
        if call!(self, nvmlDeviceGetCurrentClocksEventReasons(gpu.0, &raw mut mask)).is_err() {
            call!(self, nvmlDeviceGetCurrentClocksThrottleReasons(gpu.0, &raw mut mask))?;
        }
        Ok(mask)
    }

    /// Total and used frame buffer as drivers before 510 count: what they keep is part of what is used.
    pub(crate) fn memory_v1(&self, gpu: Handle) -> Result<sys::nvmlMemory_t, SourceError> {
        let mut memory = sys::nvmlMemory_t { total: 0, free: 0, used: 0 };
        call!(self, nvmlDeviceGetMemoryInfo(gpu.0, &raw mut memory))?;
        Ok(memory)
    }

    /// Field values by id and scope, as whole numbers; `None` for one that is not there.
    pub(crate) fn fields<const N: usize>(
        &self,
        gpu: Handle,
        wanted: [(u32, u32); N],
    ) -> Result<[Option<u64>; N], SourceError> {
        let mut values = wanted.map(|(field, scope)| {
            // SAFETY: a structure of numbers, for which zero is a value.
            let mut value: sys::nvmlFieldValue_t = unsafe { std::mem::zeroed() };
            value.fieldId = field;
            value.scopeId = scope;
            value
        });
        call!(self, nvmlDeviceGetFieldValues(gpu.0, N as i32, values.as_mut_ptr()))?;
        Ok(values.map(|value| if value.nvmlReturn == 0 { whole(&value) } else { None }))
    }

    /// What the links of a GPU lead to, active ones only.
    pub(crate) fn links(&self, gpu: Handle) -> Vec<Remote> {
        let mut remotes = Vec::new();
        for link in 0..sys::NVML_NVLINK_MAX_LINKS {
            let mut active = 0;
            match call!(self, nvmlDeviceGetNvLinkState(gpu.0, link, &raw mut active)) {
                Ok(()) if active == 1 => {}
                // Numbers need not be dense: a link may be switched off between two that are on.
                Ok(()) | Err(_) => continue,
            }
            let mut kind = sys::nvmlIntNvLinkDeviceType_enum_NVML_NVLINK_DEVICE_TYPE_UNKNOWN;
            // Missing in old drivers: then only the address tells.
            let _ = call!(self, nvmlDeviceGetNvLinkRemoteDeviceType(gpu.0, link, &raw mut kind));
            if kind == sys::nvmlIntNvLinkDeviceType_enum_NVML_NVLINK_DEVICE_TYPE_SWITCH {
                remotes.push(Remote::Switch);
                continue;
            }
            // SAFETY: a structure of numbers and bytes, for which zero is a value.
            let mut pci: sys::nvmlPciInfo_t = unsafe { std::mem::zeroed() };
            if call!(self, nvmlDeviceGetNvLinkRemotePciInfo_v2(gpu.0, link, &raw mut pci)).is_ok() {
                remotes.push(Remote::Device(address(&pci)));
            }
        }
        remotes
    }

    /// NVML's level of the lowest part of the machine that two GPUs share.
    pub(crate) fn common_ancestor(&self, one: Handle, other: Handle) -> Result<u32, SourceError> {
        let mut level = 0;
        call!(self, nvmlDeviceGetTopologyCommonAncestor(one.0, other.0, &raw mut level))?;
        Ok(level)
    }

    pub(crate) fn mig_device(&self, gpu: Handle, index: u32) -> Result<Handle, SourceError> {
        let mut device = std::ptr::null_mut();
        call!(self, nvmlDeviceGetMigDeviceHandleByIndex(gpu.0, index, &raw mut device))?;
        Ok(Handle(device))
    }

    pub(crate) fn gpu_instance(&self, mig: Handle) -> Result<u32, SourceError> {
        let mut id = 0;
        call!(self, nvmlDeviceGetGpuInstanceId(mig.0, &raw mut id))?;
        Ok(id)
    }

    pub(crate) fn compute_instance(&self, mig: Handle) -> Result<u32, SourceError> {
        let mut id = 0;
        call!(self, nvmlDeviceGetComputeInstanceId(mig.0, &raw mut id))?;
        Ok(id)
    }
}

/// The other end of an NVLink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remote {
    Switch,
    Device(PciAddress),
}

fn address(pci: &sys::nvmlPciInfo_t) -> PciAddress {
    PciAddress { domain: pci.domain, bus: pci.bus as u8, device: pci.device as u8, function: 0 }
}

/// A field value as a whole number; a negative one or a fraction is none.
fn whole(value: &sys::nvmlFieldValue_t) -> Option<u64> {
    let union = &value.value;
    // SAFETY: NVML says by `valueType` which member it has written, and the whole union was zeroed before.
    unsafe {
        match value.valueType {
            sys::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_INT => Some(u64::from(union.uiVal)),
            sys::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG
            | sys::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG_LONG => Some(union.ullVal),
            sys::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_SHORT => Some(u64::from(union.usVal)),
            sys::nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_INT => u64::try_from(union.siVal).ok(),
            sys::nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_LONG_LONG => u64::try_from(union.sllVal).ok(),
            _ => None,
        }
    }
}
