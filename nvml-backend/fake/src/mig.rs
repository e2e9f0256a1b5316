//! Multi-Instance GPU.

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlDeviceAttributes_t, nvmlGpuInstancePlacement_t, nvmlReturn_t,
};

use crate::answer::{
    Handle, INVALID_ARGUMENT, NOT_FOUND, NOT_SUPPORTED, of_gpu, of_mig, put, put_all, started,
};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMigMode(
    device: nvmlDevice_t,
    current: *mut c_uint,
    pending: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetMigMode", device, |gpu| {
        if !gpu.mig_capable {
            return Err(NOT_SUPPORTED);
        }
        put(current, u32::from(gpu.mig_enabled))?;
        put(pending, u32::from(gpu.mig_enabled))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMaxMigDeviceCount(
    device: nvmlDevice_t,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetMaxMigDeviceCount", device, |gpu| put(out, if gpu.mig_capable { 7 } else { 0 }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(
    device: nvmlDevice_t,
    index: c_uint,
    out: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetMigDeviceHandleByIndex", device, |gpu| {
        let Handle::Gpu(card) = Handle::of(device)? else { return Err(INVALID_ARGUMENT) };
        match gpu.mig.get(index as usize) {
            Some(_) if gpu.mig_enabled => put(out, Handle::Mig(card, index as usize).raw()),
            _ => Err(NOT_FOUND),
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceIsMigDeviceHandle(device: nvmlDevice_t, out: *mut c_uint) -> nvmlReturn_t {
    started("nvmlDeviceIsMigDeviceHandle", |_| {
        put(out, u32::from(matches!(Handle::of(device)?, Handle::Mig(..))))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetDeviceHandleFromMigDeviceHandle(
    device: nvmlDevice_t,
    out: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    of_mig("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", device, |_, _| {
        put(out, Handle::Gpu(Handle::of(device)?.gpu()).raw())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetGpuInstanceId(device: nvmlDevice_t, out: *mut c_uint) -> nvmlReturn_t {
    of_mig("nvmlDeviceGetGpuInstanceId", device, |_, mig| put(out, mig.gpu_instance))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetComputeInstanceId(
    device: nvmlDevice_t,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_mig("nvmlDeviceGetComputeInstanceId", device, |_, mig| put(out, mig.compute_instance))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetAttributes_v2(
    device: nvmlDevice_t,
    out: *mut nvmlDeviceAttributes_t,
) -> nvmlReturn_t {
    of_mig("nvmlDeviceGetAttributes_v2", device, |_, mig| {
        put(
            out,
            nvmlDeviceAttributes_t {
                multiprocessorCount: mig.multiprocessors,
                sharedCopyEngineCount: mig.gpu_slices,
                sharedDecoderCount: mig.gpu_slices,
                sharedEncoderCount: 0,
                sharedJpegCount: mig.gpu_slices,
                sharedOfaCount: 0,
                gpuInstanceSliceCount: mig.gpu_slices,
                computeInstanceSliceCount: mig.compute_slices,
                memorySizeMB: mig.memory_mib,
            },
        )
    })
}

/// The placements of profile 19 (`1g`): seven, each a slice long.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetGpuInstancePossiblePlacements_v2(
    device: nvmlDevice_t,
    profile: c_uint,
    out: *mut nvmlGpuInstancePlacement_t,
    count: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetGpuInstancePossiblePlacements_v2", device, |_| {
        if profile != 19 {
            return Err(NOT_SUPPORTED);
        }
        let placements = [0, 1, 2, 3, 4, 5, 6].map(|start| nvmlGpuInstancePlacement_t { start, size: 1 });
        if out.is_null() { put(count, 7) } else { put_all(count, out, &placements) }
    })
}
