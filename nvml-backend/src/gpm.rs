//! The profiling counters of Hopper and later: what happened since the reading before.

use clusterlab::hardware::source::Profiling;

use crate::library::{GpmSample, Handle, Library};
use crate::locked;

/// The samples of one GPU.
#[derive(Debug)]
pub(crate) enum GpmSamples {
    /// The GPU does not have the counters, or the driver does not give them to us.
    Absent,
    /// The last sample, and one to be filled next.
    Taken { last: GpmSample, next: GpmSample },
}

impl GpmSamples {
    pub(crate) fn free(self, library: &Library) {
        if let Self::Taken { last, next } = self {
            library.gpm_free(&last);
            library.gpm_free(&next);
        }
    }

    /// Takes the first sample.
    fn first(library: &Library, gpu: Handle) -> Self {
        if !library.gpm_supported(gpu).unwrap_or(false) {
            return Self::Absent;
        }
        let Ok(mut last) = library.gpm_alloc() else { return Self::Absent };
        let taken = library.gpm_take(gpu, &mut last);
        match (taken, library.gpm_alloc()) {
            (Ok(()), Ok(next)) => Self::Taken { last, next },
            (_, next) => {
                library.gpm_free(&last);
                if let Ok(next) = next {
                    library.gpm_free(&next);
                }
                Self::Absent
            }
        }
    }
}

/// What the counters of a GPU say about the time since the reading before; `None` at the first reading.
pub(crate) fn profiling(library: &Library, index: u32, gpu: Handle) -> Option<Profiling> {
    let mut all = locked(&library.gpm);
    let Some(samples) = all.get_mut(&index) else {
        all.insert(index, GpmSamples::first(library, gpu));
        return None;
    };
    let GpmSamples::Taken { last, next } = samples else { return None };
    library.gpm_take(gpu, next).ok()?;
    let profiling = library.gpm_metrics(last, next).ok();
    std::mem::swap(last, next);
    profiling
}
