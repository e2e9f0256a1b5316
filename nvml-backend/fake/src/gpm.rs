//! The profiling counters: two samples, and what happened between them.

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlGpmMetricsGet_t, nvmlGpmSample_t, nvmlGpmSupport_t, nvmlReturn_t,
};

use crate::answer::{ARGUMENT_VERSION_MISMATCH, INVALID_ARGUMENT, NOT_SUPPORTED, gpu, of_gpu, put, started};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlGpmQueryDeviceSupport(
    device: nvmlDevice_t,
    out: *mut nvmlGpmSupport_t,
) -> nvmlReturn_t {
    of_gpu("nvmlGpmQueryDeviceSupport", device, |gpu| {
        put(out, nvmlGpmSupport_t { version: 1, isSupportedDevice: c_uint::from(gpu.gpm) })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlGpmSampleAlloc(out: *mut nvmlGpmSample_t) -> nvmlReturn_t {
    started("nvmlGpmSampleAlloc", |state| {
        let handle = state.new_handle();
        put(out, std::ptr::without_provenance_mut(handle))?;
        state.samples.insert(handle, 0);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlGpmSampleFree(sample: nvmlGpmSample_t) -> nvmlReturn_t {
    started("nvmlGpmSampleFree", |state| {
        state.samples.remove(&sample.addr()).map(|_| ()).ok_or(INVALID_ARGUMENT)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlGpmSampleGet(device: nvmlDevice_t, sample: nvmlGpmSample_t) -> nvmlReturn_t {
    started("nvmlGpmSampleGet", |state| {
        if !gpu(state, device)?.gpm {
            return Err(NOT_SUPPORTED);
        }
        state.readings += 1;
        let now = state.readings;
        *state.samples.get_mut(&sample.addr()).ok_or(INVALID_ARGUMENT)? = now;
        Ok(())
    })
}

/// Metric `n` is `n` (percent, or MiB per second), so that a test sees which was asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlGpmMetricsGet(request: *mut nvmlGpmMetricsGet_t) -> nvmlReturn_t {
    started("nvmlGpmMetricsGet", |state| {
        if request.is_null() {
            return Err(INVALID_ARGUMENT);
        }
        // SAFETY: the caller's pointer; NULL was refused.
        let request = unsafe { &mut *request };
        if request.version != 1 {
            return Err(ARGUMENT_VERSION_MISMATCH);
        }
        let before = state.samples.get(&request.sample1.addr()).ok_or(INVALID_ARGUMENT)?;
        let after = state.samples.get(&request.sample2.addr()).ok_or(INVALID_ARGUMENT)?;
        if before >= after {
            return Err(INVALID_ARGUMENT);
        }
        for metric in request.metrics.iter_mut().take(request.numMetrics as usize) {
            metric.nvmlReturn = 0;
            metric.value = f64::from(metric.metricId);
        }
        Ok(())
    })
}
