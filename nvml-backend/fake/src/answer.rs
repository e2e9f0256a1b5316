//! How every function answers: checked, in time, and without a panic.

use std::ffi::{c_char, c_uint};
use std::time::Duration;

use nvml_wrapper_sys::bindings::nvmlDevice_t;

use crate::scenario::{Gpu, MigDevice};
use crate::state::{State, lock};

pub(crate) const UNINITIALIZED: u32 = 1;
pub(crate) const INVALID_ARGUMENT: u32 = 2;
pub(crate) const NOT_SUPPORTED: u32 = 3;
pub(crate) const NOT_FOUND: u32 = 6;
pub(crate) const INSUFFICIENT_SIZE: u32 = 7;
pub(crate) const TIMEOUT: u32 = 10;
pub(crate) const GPU_IS_LOST: u32 = 15;
pub(crate) const ARGUMENT_VERSION_MISMATCH: u32 = 25;

/// A return code other than success.
pub(crate) type Answer = Result<(), u32>;

/// The first handle of a GPU.
const GPUS: usize = 0x1000;
/// The first handle of a MIG device: 16 for each GPU.
const MIGS: usize = 0x1_0000;

/// What a handle stands for.
#[derive(Clone, Copy)]
pub(crate) enum Handle {
    Gpu(usize),
    Mig(usize, usize),
}

impl Handle {
    pub(crate) fn raw(self) -> nvmlDevice_t {
        let number = match self {
            Self::Gpu(gpu) => GPUS + gpu,
            Self::Mig(gpu, device) => MIGS + gpu * 16 + device,
        };
        std::ptr::without_provenance_mut(number)
    }

    pub(crate) fn of(device: nvmlDevice_t) -> Result<Self, u32> {
        let number = device.addr();
        match number {
            MIGS.. => Ok(Self::Mig((number - MIGS) / 16, (number - MIGS) % 16)),
            GPUS.. => Ok(Self::Gpu(number - GPUS)),
            _ => Err(INVALID_ARGUMENT),
        }
    }

    pub(crate) const fn gpu(self) -> usize {
        match self {
            Self::Gpu(gpu) | Self::Mig(gpu, _) => gpu,
        }
    }
}

/// A call before NVML was started.
pub(crate) fn unstarted(name: &str, answer: impl FnOnce(&mut State) -> Answer) -> u32 {
    let slow = lock().scenario.slow_us;
    if slow > 0 {
        // Outside the lock: calls of several threads are slow side by side.
        std::thread::sleep(Duration::from_micros(slow));
    }
    let mut state = lock();
    if let Some(code) = state.scenario.errors.get(name) {
        return *code;
    }
    answer(&mut state).err().unwrap_or(0)
}

/// A call that needs NVML started.
pub(crate) fn started(name: &str, answer: impl FnOnce(&mut State) -> Answer) -> u32 {
    unstarted(name, |state| if state.started == 0 { Err(UNINITIALIZED) } else { answer(state) })
}

/// A call about a GPU (or the card of a MIG device) that has to be there.
pub(crate) fn of_gpu(name: &str, device: nvmlDevice_t, answer: impl FnOnce(&Gpu) -> Answer) -> u32 {
    started(name, |state| answer(gpu(state, device)?))
}

/// A call about a MIG device.
pub(crate) fn of_mig(
    name: &str,
    device: nvmlDevice_t,
    answer: impl FnOnce(&Gpu, &MigDevice) -> Answer,
) -> u32 {
    started(name, |state| {
        let Handle::Mig(_, index) = Handle::of(device)? else { return Err(INVALID_ARGUMENT) };
        let gpu = gpu(state, device)?;
        answer(gpu, gpu.mig.get(index).ok_or(INVALID_ARGUMENT)?)
    })
}

/// The GPU of a handle, if it answers.
pub(crate) fn gpu(state: &State, device: nvmlDevice_t) -> Result<&Gpu, u32> {
    let gpu = state.scenario.gpus.get(Handle::of(device)?.gpu()).ok_or(INVALID_ARGUMENT)?;
    if gpu.lost { Err(GPU_IS_LOST) } else { Ok(gpu) }
}

/// Writes where the caller wants it.
pub(crate) fn put<T>(out: *mut T, value: T) -> Answer {
    if out.is_null() {
        return Err(INVALID_ARGUMENT);
    }
    // SAFETY: the caller of the C function answers for its pointer; NULL was refused.
    unsafe { out.write(value) };
    Ok(())
}

/// The same, for what the card may not have.
pub(crate) fn put_if<T>(out: *mut T, value: Option<T>) -> Answer {
    put(out, value.ok_or(NOT_SUPPORTED)?)
}

/// Writes text and its NUL, if there is room.
pub(crate) fn put_text(out: *mut c_char, length: c_uint, text: &[u8]) -> Answer {
    if out.is_null() {
        return Err(INVALID_ARGUMENT);
    }
    if text.len() + 1 > length as usize {
        return Err(INSUFFICIENT_SIZE);
    }
    // SAFETY: the caller says that `length` bytes can be written, and the text with its NUL is no longer.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast(), out, text.len());
        out.add(text.len()).write(0);
    }
    Ok(())
}

/// Fills the caller's array: `count` is its size before and the number of elements after.
pub(crate) fn put_all<T: Copy>(count: *mut c_uint, out: *mut T, values: &[T]) -> Answer {
    if count.is_null() {
        return Err(INVALID_ARGUMENT);
    }
    // SAFETY: the caller's pointer; NULL was refused.
    let room = unsafe { count.read() } as usize;
    put(count, values.len() as c_uint)?;
    if values.is_empty() {
        return Ok(());
    }
    if out.is_null() || room < values.len() {
        return Err(INSUFFICIENT_SIZE);
    }
    // SAFETY: the caller says that `room` elements can be written, and there are no more values.
    unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), out, values.len()) };
    Ok(())
}

/// The text of a C string.
pub(crate) fn text(from: *const c_char) -> Result<String, u32> {
    if from.is_null() {
        return Err(INVALID_ARGUMENT);
    }
    // SAFETY: the caller's NUL-terminated string; NULL was refused.
    Ok(unsafe { std::ffi::CStr::from_ptr(from) }.to_string_lossy().into_owned())
}

/// Text as a fixed field of a structure.
pub(crate) fn field<const N: usize>(text: &str) -> [c_char; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().take(N - 1).zip(text.bytes()) {
        *to = from as c_char;
    }
    field
}

/// Refuses a structure whose `version` is not the expected one.
pub(crate) fn expect_version<T>(version: c_uint, number: u32) -> Answer {
    let expected = size_of::<T>() as u32 | (number << 24);
    if version == expected { Ok(()) } else { Err(ARGUMENT_VERSION_MISMATCH) }
}
