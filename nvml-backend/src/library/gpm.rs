//! Samples of the profiling counters: NVML allocates them, and they are freed by hand.

use std::ffi::c_uint;

use clusterlab::hardware::source::{Profiling, SourceError};
use nvml_wrapper_sys::bindings as sys;

use super::{Handle, Library, checked, missing};

/// One sample of the profiling counters.
#[derive(Debug)]
pub(crate) struct GpmSample(sys::nvmlGpmSample_t);

// SAFETY: NVML wants a sample not to be used from two threads at once; it lies behind the mutex of `Library::gpm`.
unsafe impl Send for GpmSample {}

impl Library {
    pub(crate) fn gpm_supported(&self, gpu: Handle) -> Result<bool, SourceError> {
        let mut support =
            sys::nvmlGpmSupport_t { version: sys::NVML_GPM_SUPPORT_VERSION, isSupportedDevice: 0 };
        call!(self, nvmlGpmQueryDeviceSupport(gpu.0, &raw mut support))?;
        Ok(support.isSupportedDevice != 0)
    }

    pub(crate) fn gpm_alloc(&self) -> Result<GpmSample, SourceError> {
        if self.nvml().lib().nvmlGpmSampleFree.is_err() {
            return Err(missing("nvmlGpmSampleFree"));
        }
        let mut sample = std::ptr::null_mut();
        call!(self, nvmlGpmSampleAlloc(&raw mut sample))?;
        Ok(GpmSample(sample))
    }

    pub(crate) fn gpm_free(&self, sample: &GpmSample) {
        // It fails only after the driver was unloaded, which has freed everything.
        let _ = call!(self, nvmlGpmSampleFree(sample.0));
    }

    pub(crate) fn gpm_take(&self, gpu: Handle, sample: &mut GpmSample) -> Result<(), SourceError> {
        call!(self, nvmlGpmSampleGet(gpu.0, sample.0))
    }

    /// What happened between two samples.
    pub(crate) fn gpm_metrics(
        &self,
        before: &GpmSample,
        after: &GpmSample,
    ) -> Result<Profiling, SourceError> {
        const WANTED: [u32; 5] = [
            sys::nvmlGpmMetricId_t_NVML_GPM_METRIC_GRAPHICS_UTIL,
            sys::nvmlGpmMetricId_t_NVML_GPM_METRIC_ANY_TENSOR_UTIL,
            sys::nvmlGpmMetricId_t_NVML_GPM_METRIC_DRAM_BW_UTIL,
            sys::nvmlGpmMetricId_t_NVML_GPM_METRIC_PCIE_TX_PER_SEC,
            sys::nvmlGpmMetricId_t_NVML_GPM_METRIC_PCIE_RX_PER_SEC,
        ];
        // SAFETY: a structure of numbers and pointers, for which zero is a value.
        let mut request: Box<sys::nvmlGpmMetricsGet_t> = Box::new(unsafe { std::mem::zeroed() });
        request.version = sys::NVML_GPM_METRICS_GET_VERSION;
        request.numMetrics = WANTED.len() as c_uint;
        request.sample1 = before.0;
        request.sample2 = after.0;
        for (metric, id) in request.metrics.iter_mut().zip(WANTED) {
            metric.metricId = id;
        }
        call!(self, nvmlGpmMetricsGet(&raw mut *request))?;
        let value = |i: usize| {
            let metric = &request.metrics[i];
            (metric.nvmlReturn == 0 && metric.value.is_finite()).then_some(metric.value)
        };
        let ratio = |i| value(i).map(|percent| percent / 100.0);
        // The library counts MiB per second.
        let bytes = |i| value(i).map(|mib| mib * 1_048_576.0);
        Ok(Profiling {
            graphics_active: ratio(0),
            tensor_active: ratio(1),
            dram_active: ratio(2),
            pcie_tx: bytes(3),
            pcie_rx: bytes(4),
        })
    }
}
