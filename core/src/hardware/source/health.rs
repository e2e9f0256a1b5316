//! What happens to a GPU, and what it means.

use serde::{Serialize, Serializer};

use super::{SourceError, Xid};

/// Something happened to a GPU, or to all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthEvent {
    /// The GPU, as the driver counts; `None` if it is about all of them.
    pub gpu: Option<u32>,
    /// Its UUID, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// GPU instance and compute instance, if it happened in one (NVML's `0xFFFFFFFF` is `None`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<(u32, u32)>,
    /// What happened.
    #[serde(flatten)]
    pub kind: HealthKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthKind {
    /// The driver reported an error.
    Xid(Xid),
    /// An ECC error was corrected.
    CorrectedEcc,
    /// An ECC error could not be corrected.
    UncorrectedEcc,
    /// An event of a type that this program does not know: NVML's bit and its data.
    Other {
        /// NVML's `eventType`.
        event_type: u64,
        /// NVML's `eventData`.
        data: u64,
    },
    /// The GPU stopped answering.
    Lost,
    /// A GPU that was lost answers again.
    Back,
    /// Nobody answers any more: the driver was unloaded, for example.
    SourceGone(SourceError),
    /// The driver answers again.
    SourceBack,
}

impl HealthKind {
    /// A word for programs, as `--json` prints it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Xid(_) => "xid",
            Self::CorrectedEcc => "ecc-corrected",
            Self::UncorrectedEcc => "ecc-uncorrected",
            Self::Other { .. } => "other",
            Self::Lost => "gpu-lost",
            Self::Back => "gpu-back",
            Self::SourceGone(_) => "driver-gone",
            Self::SourceBack => "driver-back",
        }
    }

    /// What it means.
    pub fn meaning(&self) -> String {
        match self {
            Self::Xid(xid) => format!("XID {xid}: {}", xid.meaning()),
            Self::CorrectedEcc => "a memory error was corrected".to_owned(),
            Self::UncorrectedEcc => "a memory error could not be corrected".to_owned(),
            Self::Other { event_type, data } => format!("event of type {event_type:#x} with data {data}"),
            Self::Lost => "the GPU is lost".to_owned(),
            Self::Back => "the GPU answers again".to_owned(),
            Self::SourceGone(error) => error.to_string(),
            Self::SourceBack => "the driver answers again".to_owned(),
        }
    }

    /// What to do; empty if nothing needs to be done.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Xid(xid) => xid.advice(),
            Self::CorrectedEcc | Self::Other { .. } | Self::Back | Self::SourceBack => "",
            Self::UncorrectedEcc => Xid(48).advice(),
            Self::Lost => Xid(79).advice(),
            Self::SourceGone(error) => error.advice(),
        }
    }
}

/// The fields `event`, `xid` (of an XID), `meaning` and `advice`.
impl Serialize for HealthKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            event: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            xid: Option<u64>,
            meaning: String,
            #[serde(skip_serializing_if = "str::is_empty")]
            advice: &'static str,
        }
        let xid = if let Self::Xid(xid) = self { Some(xid.0) } else { None };
        Shown { event: self.name(), xid, meaning: self.meaning(), advice: self.advice() }
            .serialize(serializer)
    }
}
