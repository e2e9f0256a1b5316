//! Event sets.

use std::ffi::{c_uint, c_ulonglong};
use std::time::{Duration, Instant};

use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlEventData_t, nvmlEventSet_t, nvmlReturn_t};

use crate::answer::{Handle, INVALID_ARGUMENT, NOT_SUPPORTED, TIMEOUT, UNINITIALIZED, gpu, put, started};
use crate::scenario::Event;
use crate::state::{EventSet, HAPPENED, lock};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlEventSetCreate(out: *mut nvmlEventSet_t) -> nvmlReturn_t {
    started("nvmlEventSetCreate", |state| {
        let handle = state.new_handle();
        put(out, std::ptr::without_provenance_mut(handle))?;
        state.sets.insert(handle, EventSet::default());
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlEventSetFree(set: nvmlEventSet_t) -> nvmlReturn_t {
    started("nvmlEventSetFree", |state| state.sets.remove(&set.addr()).map(|_| ()).ok_or(INVALID_ARGUMENT))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceRegisterEvents(
    device: nvmlDevice_t,
    types: c_ulonglong,
    set: nvmlEventSet_t,
) -> nvmlReturn_t {
    started("nvmlDeviceRegisterEvents", |state| {
        if types & !gpu(state, device)?.event_types != 0 {
            return Err(NOT_SUPPORTED);
        }
        let index = Handle::of(device)?.gpu();
        let set = state.sets.get_mut(&set.addr()).ok_or(INVALID_ARGUMENT)?;
        *set.registered.entry(index).or_default() |= types;
        Ok(())
    })
}

/// Waits until something has happened, at most `timeout` milliseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlEventSetWait_v2(
    set: nvmlEventSet_t,
    out: *mut nvmlEventData_t,
    timeout: c_uint,
) -> nvmlReturn_t {
    let end = Instant::now() + Duration::from_millis(u64::from(timeout));
    let mut state = lock();
    if let Some(code) = state.scenario.errors.get("nvmlEventSetWait_v2") {
        return *code;
    }
    loop {
        if state.started == 0 {
            return UNINITIALIZED;
        }
        let Some(found) = state.sets.get_mut(&set.addr()) else { return INVALID_ARGUMENT };
        if let Some(event) = found.queue.pop_front() {
            return put(out, data(&event)).err().unwrap_or(0);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return TIMEOUT;
        }
        state = HAPPENED.wait_timeout(state, left).unwrap_or_else(std::sync::PoisonError::into_inner).0;
    }
}

fn data(event: &Event) -> nvmlEventData_t {
    let (gpu_instance, compute_instance) = event.instance.unwrap_or((u32::MAX, u32::MAX));
    nvmlEventData_t {
        device: Handle::Gpu(event.gpu).raw(),
        eventType: event.event_type,
        eventData: event.data,
        gpuInstanceId: gpu_instance,
        computeInstanceId: compute_instance,
    }
}
