//! What can go wrong when GPUs are asked, and what to do about it.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// A call that was not answered: which call, of which GPU, why.
///
/// Its text is one line for people; [`SourceError::advice`] is what they can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{call}: {kind}", gpu_prefix(*.gpu))]
pub struct SourceError {
    /// The function that was called, by NVML's name.
    pub call: String,
    /// The index of the GPU that was asked, if it was one.
    pub gpu: Option<u32>,
    /// Why there is no answer.
    pub kind: SourceErrorKind,
}

fn gpu_prefix(gpu: Option<u32>) -> String {
    gpu.map_or_else(String::new, |gpu| format!("GPU {gpu}: "))
}

/// Why a call was not answered. The names are those of NVML's return codes (`nvmlReturn_t`), and two of our own for
/// what goes wrong before NVML can answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceErrorKind {
    /// The library cannot be opened.
    #[error("the NVIDIA management library cannot be loaded ({0})")]
    NoLibrary(String),
    /// The library (or this version of it) does not have the function.
    #[error("the library has no function {0}")]
    MissingFunction(String),
    /// 1: NVML was not started, or was shut down.
    #[error("NVML is not initialised")]
    Uninitialized,
    /// 2.
    #[error("invalid argument")]
    InvalidArgument,
    /// 3: the card or its driver does not have that.
    #[error("not supported by this GPU or driver")]
    NotSupported,
    /// 4.
    #[error("no permission")]
    NoPermission,
    /// 6.
    #[error("not found")]
    NotFound,
    /// 8: a power cable is missing.
    #[error("the GPU's power cables are not attached properly")]
    InsufficientPower,
    /// 9.
    #[error("the NVIDIA driver is not loaded")]
    DriverNotLoaded,
    /// 10.
    #[error("no answer in time")]
    Timeout,
    /// 11.
    #[error("the kernel has a problem with the GPU's interrupts")]
    IrqIssue,
    /// 12: NVML itself misses a library of the driver.
    #[error("a library of the NVIDIA driver was not found")]
    LibraryNotFound,
    /// 13.
    #[error("a function of the NVIDIA driver was not found")]
    FunctionNotFound,
    /// 14.
    #[error("the GPU's infoROM is corrupted")]
    CorruptedInforom,
    /// 15: it fell off the bus, or cannot be reached for another reason.
    #[error("the GPU is lost")]
    GpuLost,
    /// 16.
    #[error("the GPU needs a reset")]
    ResetRequired,
    /// 17.
    #[error("the operating system or a cgroup refuses access to the GPU")]
    OperatingSystem,
    /// 18: the library is of another version than the kernel module.
    #[error("the library and the loaded driver have different versions")]
    VersionMismatch,
    /// 19.
    #[error("the GPU is in use")]
    InUse,
    /// 20.
    #[error("out of memory")]
    OutOfMemory,
    /// 21.
    #[error("no data yet")]
    NoData,
    /// 25: the driver is older than the structure that it was handed.
    #[error("the driver does not know this version of the structure")]
    ArgumentVersionMismatch,
    /// 999.
    #[error("unknown error inside the driver")]
    Unknown,
    /// Any other return code.
    #[error("return code {0}")]
    Other(u32),
}

impl SourceErrorKind {
    /// The kind for a return code of NVML other than 0.
    pub const fn from_code(code: u32) -> Self {
        match code {
            1 => Self::Uninitialized,
            2 => Self::InvalidArgument,
            3 => Self::NotSupported,
            4 => Self::NoPermission,
            6 => Self::NotFound,
            8 => Self::InsufficientPower,
            9 => Self::DriverNotLoaded,
            10 => Self::Timeout,
            11 => Self::IrqIssue,
            12 => Self::LibraryNotFound,
            13 => Self::FunctionNotFound,
            14 => Self::CorruptedInforom,
            15 => Self::GpuLost,
            16 => Self::ResetRequired,
            17 => Self::OperatingSystem,
            18 => Self::VersionMismatch,
            19 => Self::InUse,
            20 => Self::OutOfMemory,
            21 => Self::NoData,
            25 => Self::ArgumentVersionMismatch,
            999 => Self::Unknown,
            other => Self::Other(other),
        }
    }

    /// A word for programs, as `--json` prints it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoLibrary(_) => "no-library",
            Self::MissingFunction(_) => "missing-function",
            Self::Uninitialized => "uninitialized",
            Self::InvalidArgument => "invalid-argument",
            Self::NotSupported => "not-supported",
            Self::NoPermission => "no-permission",
            Self::NotFound => "not-found",
            Self::InsufficientPower => "insufficient-power",
            Self::DriverNotLoaded => "driver-not-loaded",
            Self::Timeout => "timeout",
            Self::IrqIssue => "irq-issue",
            Self::LibraryNotFound => "library-not-found",
            Self::FunctionNotFound => "function-not-found",
            Self::CorruptedInforom => "corrupted-inforom",
            Self::GpuLost => "gpu-lost",
            Self::ResetRequired => "reset-required",
            Self::OperatingSystem => "operating-system",
            Self::VersionMismatch => "version-mismatch",
            Self::InUse => "in-use",
            Self::OutOfMemory => "out-of-memory",
            Self::NoData => "no-data",
            Self::ArgumentVersionMismatch => "argument-version-mismatch",
            Self::Unknown => "unknown",
            Self::Other(_) => "other",
        }
    }

    /// Whether only this question has no answer, and the GPU may answer the next one.
    pub const fn is_only_this_call(&self) -> bool {
        matches!(
            self,
            Self::NotSupported
                | Self::MissingFunction(_)
                | Self::FunctionNotFound
                | Self::NoPermission
                | Self::InvalidArgument
                | Self::NotFound
                | Self::NoData
                | Self::Timeout
                | Self::CorruptedInforom
                | Self::ArgumentVersionMismatch
                | Self::Other(_)
        )
    }

    /// Whether NVML itself has to be started anew: the driver was unloaded, reloaded or replaced.
    pub const fn wants_new_start(&self) -> bool {
        matches!(
            self,
            Self::Uninitialized | Self::DriverNotLoaded | Self::VersionMismatch | Self::LibraryNotFound
        )
    }

    /// What the person who reads the error can do; a sentence without a full stop.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::NoLibrary(_) => {
                "install the NVIDIA driver, or in a container let the NVIDIA container runtime mount libnvidia-ml.so.1"
            }
            Self::MissingFunction(_) | Self::FunctionNotFound | Self::ArgumentVersionMismatch => {
                "a newer driver has it; everything else goes on without"
            }
            Self::Uninitialized => "ask again: NVML is started anew",
            Self::InvalidArgument | Self::NotFound => {
                "the number of GPUs may have changed since it was asked; ask again"
            }
            Self::NotSupported => "nothing can be done: this model does not have it",
            Self::NoPermission => "run as root, or give your user access to /dev/nvidia*",
            Self::InsufficientPower => "check the power cables of the card",
            Self::DriverNotLoaded => {
                "load the kernel module (modprobe nvidia); if that fails, dmesg says why, and without an NVIDIA GPU in \
                 the machine it always fails"
            }
            Self::Timeout => "ask again; if it stays so, look at dmesg and consider a reset of the GPU",
            Self::IrqIssue => "look at dmesg; reboot the machine",
            Self::LibraryNotFound => "the driver is installed incompletely: install it again",
            Self::CorruptedInforom => "have the card replaced: its infoROM cannot be trusted",
            Self::GpuLost => {
                "drain the node and reboot it; if the GPU is lost again, reseat the card or have it replaced"
            }
            Self::ResetRequired => "stop what runs on the GPU and run nvidia-smi --gpu-reset -i on it",
            Self::OperatingSystem => "give this cgroup or container access to the GPU's device files",
            Self::VersionMismatch => {
                "the driver was upgraded while loaded: reload the kernel modules or reboot"
            }
            Self::InUse => "stop what runs on the GPU first",
            Self::OutOfMemory => "free memory of the machine",
            Self::NoData => "ask again a little later",
            Self::Unknown | Self::Other(_) => "look at dmesg and nvidia-bug-report.sh",
        }
    }
}

impl SourceError {
    /// An error of the whole source.
    pub fn new(call: &str, kind: SourceErrorKind) -> Self {
        Self { call: call.to_owned(), gpu: None, kind }
    }

    /// An error of one GPU.
    pub fn of_gpu(call: &str, gpu: u32, kind: SourceErrorKind) -> Self {
        Self { call: call.to_owned(), gpu: Some(gpu), kind }
    }

    /// What the person who reads it can do.
    pub const fn advice(&self) -> &'static str {
        self.kind.advice()
    }
}

/// `{"error": "gpu-lost", "message": …, "advice": …}`.
impl Serialize for SourceError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("error", self.kind.name())?;
        map.serialize_entry("message", &self.to_string())?;
        map.serialize_entry("advice", self.advice())?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_return_code_has_a_kind_of_its_own_and_an_advice() {
        let codes = (1..=30).chain([999]);
        let kinds: Vec<_> = codes.map(SourceErrorKind::from_code).collect();
        let texts: BTreeSet<String> = kinds.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), kinds.len());
        assert!(kinds.iter().all(|kind| !kind.advice().is_empty() && !kind.advice().ends_with('.')));
        assert_eq!(SourceErrorKind::from_code(29), SourceErrorKind::Other(29));
    }

    #[test]
    fn an_error_says_in_one_line_which_call_of_which_gpu_failed_and_why() {
        let error = SourceError::of_gpu("nvmlDeviceGetTemperature", 3, SourceErrorKind::GpuLost);
        assert_eq!(error.to_string(), "GPU 3: nvmlDeviceGetTemperature: the GPU is lost");
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            format!(
                r#"{{"error":"gpu-lost","message":"GPU 3: nvmlDeviceGetTemperature: the GPU is lost","advice":"{}"}}"#,
                error.advice()
            )
        );
    }
}
