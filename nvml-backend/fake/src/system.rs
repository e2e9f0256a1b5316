//! Starting, ending, versions, error texts, names of processes.

use std::ffi::{c_char, c_int, c_uint};

use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlReturn_t};

use crate::answer::{
    GPU_IS_LOST, Handle, INVALID_ARGUMENT, NOT_FOUND, UNINITIALIZED, put, put_text, started, text, unstarted,
};

fn start(name: &str) -> nvmlReturn_t {
    unstarted(name, |state| {
        if state.scenario.init_error != 0 {
            return Err(state.scenario.init_error);
        }
        state.started += 1;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlInit_v2() -> nvmlReturn_t {
    start("nvmlInit_v2")
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlInitWithFlags(_flags: c_uint) -> nvmlReturn_t {
    start("nvmlInitWithFlags")
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlShutdown() -> nvmlReturn_t {
    unstarted("nvmlShutdown", |state| {
        state.started = state.started.checked_sub(1).ok_or(UNINITIALIZED)?;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlErrorString(code: nvmlReturn_t) -> *const c_char {
    match code {
        0 => c"Success".as_ptr(),
        3 => c"Not Supported".as_ptr(),
        9 => c"Driver Not Loaded".as_ptr(),
        15 => c"GPU is lost".as_ptr(),
        _ => c"Unknown Error".as_ptr(),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetDriverVersion(out: *mut c_char, length: c_uint) -> nvmlReturn_t {
    started("nvmlSystemGetDriverVersion", |state| put_text(out, length, state.scenario.driver.as_bytes()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetNVMLVersion(out: *mut c_char, length: c_uint) -> nvmlReturn_t {
    started("nvmlSystemGetNVMLVersion", |state| put_text(out, length, state.scenario.library.as_bytes()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetCudaDriverVersion_v2(out: *mut c_int) -> nvmlReturn_t {
    started("nvmlSystemGetCudaDriverVersion_v2", |state| put(out, state.scenario.cuda))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetCudaDriverVersion(out: *mut c_int) -> nvmlReturn_t {
    started("nvmlSystemGetCudaDriverVersion", |state| put(out, state.scenario.cuda))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetProcessName(
    pid: c_uint,
    out: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    started("nvmlSystemGetProcessName", |state| {
        let name = state.scenario.process_names.get(&pid).ok_or(NOT_FOUND)?;
        put_text(out, length, name.as_bytes())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCount_v2(out: *mut c_uint) -> nvmlReturn_t {
    started("nvmlDeviceGetCount_v2", |state| {
        let counts = &state.scenario.counts;
        let count = counts.get(state.counted).or(counts.last()).copied();
        state.counted += 1;
        put(out, count.unwrap_or(state.scenario.gpus.len() as c_uint))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetHandleByIndex_v2(
    index: c_uint,
    out: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    started("nvmlDeviceGetHandleByIndex_v2", |state| {
        let index = index as usize;
        let gpu = state.scenario.gpus.get(index).ok_or(INVALID_ARGUMENT)?;
        if gpu.lost { Err(GPU_IS_LOST) } else { put(out, Handle::Gpu(index).raw()) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetHandleByUUID(
    uuid: *const c_char,
    out: *mut nvmlDevice_t,
) -> nvmlReturn_t {
    started("nvmlDeviceGetHandleByUUID", |state| {
        let uuid = text(uuid)?;
        let index = state.scenario.gpus.iter().position(|gpu| gpu.uuid == uuid).ok_or(NOT_FOUND)?;
        put(out, Handle::Gpu(index).raw())
    })
}
