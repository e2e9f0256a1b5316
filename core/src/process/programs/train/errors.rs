//! The sentences with which PyTorch gives up.

use crate::hardware::Gpu;

/// An error of the CUDA runtime as PyTorch words it.
pub(super) fn cuda_error(what: &str) -> String {
    format!(
        "RuntimeError: CUDA error: {what}\n\
         CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be \
         incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1\nCompile with `TORCH_USE_CUDA_DSA` to \
         enable device-side assertions.\n"
    )
}

/// PyTorch's message for a GPU that is full.
pub(super) fn out_of_memory(gpu: &Gpu, rank: usize, wanted_mib: u32, free_mib: u32) -> String {
    // What CUDA itself takes before PyTorch can ask for anything.
    const CONTEXT_MIB: u32 = 536;
    let capacity = gpu.spec.memory_mib.saturating_sub(gpu.spec.reserved_mib);
    let size = |mib: u32| {
        if mib < 1024 {
            format!("{mib}.00 MiB")
        } else {
            format!("{}.{:02} GiB", mib / 1024, mib % 1024 * 100 / 1024)
        }
    };
    // `--oom` asks for twice what there is.
    let wanted = if wanted_mib == u32::MAX { capacity.saturating_mul(2) } else { wanted_mib };
    format!(
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {}. GPU {rank} has a total capacity of {} of which {} is \
         free. Including non-PyTorch memory, this process has {} memory in use. Of the allocated memory 0 bytes is \
         allocated by PyTorch, and 0 bytes is reserved by PyTorch but unallocated. If reserved but unallocated memory \
         is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  See \
         documentation for Memory Management  (https://pytorch.org/docs/stable/notes/cuda.html#environment-variables)",
        size(wanted.saturating_sub(CONTEXT_MIB)),
        size(capacity),
        size(free_mib.saturating_sub(CONTEXT_MIB)),
        size(CONTEXT_MIB.min(free_mib)),
    )
}
