//! NVLink and the common ancestor of two GPUs.

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlPciInfo_t, nvmlReturn_t};

use crate::answer::{Handle, INVALID_ARGUMENT, NOT_SUPPORTED, gpu, of_gpu, put, started};
use crate::device::pci;
use crate::scenario::Gpu;

/// NVML's limit, which no link number reaches.
const MAX_LINKS: c_uint = 18;

/// A link that exists: to a peer, or (`None`) to a switch.
fn link(gpu: &Gpu, link: c_uint) -> Result<Option<usize>, u32> {
    if link >= MAX_LINKS {
        return Err(INVALID_ARGUMENT);
    }
    if let Some((_, peer)) = gpu.peers.iter().find(|(number, _)| *number == link) {
        return Ok(Some(*peer));
    }
    if link < gpu.nvlinks { Ok(None) } else { Err(NOT_SUPPORTED) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetNvLinkState(
    device: nvmlDevice_t,
    number: c_uint,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetNvLinkState", device, |gpu| link(gpu, number).and_then(|_| put(out, 1)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetNvLinkVersion(
    device: nvmlDevice_t,
    number: c_uint,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetNvLinkVersion", device, |gpu| link(gpu, number).and_then(|_| put(out, 4)))
}

/// 0: a GPU, 2: a switch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetNvLinkRemoteDeviceType(
    device: nvmlDevice_t,
    number: c_uint,
    out: *mut c_uint,
) -> nvmlReturn_t {
    of_gpu("nvmlDeviceGetNvLinkRemoteDeviceType", device, |gpu| {
        put(out, if link(gpu, number)?.is_some() { 0 } else { 2 })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetNvLinkRemotePciInfo_v2(
    device: nvmlDevice_t,
    number: c_uint,
    out: *mut nvmlPciInfo_t,
) -> nvmlReturn_t {
    started("nvmlDeviceGetNvLinkRemotePciInfo_v2", |state| {
        let remote = match link(gpu(state, device)?, number)? {
            Some(peer) => pci(state.scenario.gpus.get(peer).ok_or(INVALID_ARGUMENT)?),
            // The switches of a DGX H100 sit on buses 5 to 8.
            None => pci(&Gpu { bus: 5 + number % 4, pci_device_id: 0x22a3_10de, ..Gpu::default() }),
        };
        put(out, remote)
    })
}

/// On one NUMA node 40 (`NODE`), else 50 (`SYS`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetTopologyCommonAncestor(
    one: nvmlDevice_t,
    other: nvmlDevice_t,
    out: *mut c_uint,
) -> nvmlReturn_t {
    started("nvmlDeviceGetTopologyCommonAncestor", |state| {
        let (a, b) = (gpu(state, one)?, gpu(state, other)?);
        let same = Handle::of(one)?.gpu() == Handle::of(other)?.gpu();
        put(
            out,
            if same {
                0
            } else if a.numa == b.numa {
                40
            } else {
                50
            },
        )
    })
}
