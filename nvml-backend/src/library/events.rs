//! Event sets: NVML allocates them, and they are freed by hand.

use clusterlab::hardware::source::{SourceError, SourceErrorKind};
use nvml_wrapper_sys::bindings as sys;

use super::{Handle, Library, checked, missing};

/// An event as NVML tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawEvent {
    pub(crate) gpu: Handle,
    pub(crate) event_type: u64,
    pub(crate) data: u64,
    pub(crate) instance: Option<(u32, u32)>,
}

/// NVML's event set, not freed by itself.
#[derive(Debug)]
pub(crate) struct RawEventSet(sys::nvmlEventSet_t);

// SAFETY: NVML may be called from any thread, and the set is owned by one watch.
unsafe impl Send for RawEventSet {}

impl Library {
    pub(crate) fn event_set(&self) -> Result<RawEventSet, SourceError> {
        if self.nvml().lib().nvmlEventSetFree.is_err() {
            return Err(missing("nvmlEventSetFree"));
        }
        let mut set = std::ptr::null_mut();
        call!(self, nvmlEventSetCreate(&raw mut set))?;
        Ok(RawEventSet(set))
    }

    pub(crate) fn free_event_set(&self, set: &RawEventSet) {
        // It fails only after the driver was unloaded, which has freed everything.
        let _ = call!(self, nvmlEventSetFree(set.0));
    }

    pub(crate) fn supported_events(&self, gpu: Handle) -> Result<u64, SourceError> {
        let mut types = 0;
        call!(self, nvmlDeviceGetSupportedEventTypes(gpu.0, &raw mut types))?;
        Ok(types)
    }

    pub(crate) fn register_events(
        &self,
        gpu: Handle,
        types: u64,
        set: &RawEventSet,
    ) -> Result<(), SourceError> {
        call!(self, nvmlDeviceRegisterEvents(gpu.0, types, set.0))
    }

    /// Waits at most `milliseconds`; `None` if nothing happened.
    pub(crate) fn wait_event(
        &self,
        set: &RawEventSet,
        milliseconds: u32,
    ) -> Result<Option<RawEvent>, SourceError> {
        // SAFETY: a structure of numbers and a pointer, for which zero is a value.
        let mut data: sys::nvmlEventData_t = unsafe { std::mem::zeroed() };
        match call!(self, nvmlEventSetWait_v2(set.0, &raw mut data, milliseconds)) {
            Ok(()) => {}
            Err(SourceError { kind: SourceErrorKind::Timeout, .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        let instance = (data.gpuInstanceId, data.computeInstanceId);
        Ok(Some(RawEvent {
            gpu: Handle(data.device),
            event_type: data.eventType,
            data: data.eventData,
            instance: (instance.0 != u32::MAX).then_some(instance),
        }))
    }
}
