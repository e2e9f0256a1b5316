//! Errors that the controller gives, with the texts of `slurm_strerror`.

use thiserror::Error;

/// Why the controller refused something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the text says what it is")]
pub enum SlurmError {
    #[error("Unspecified error")]
    Unspecified,
    #[error("Invalid partition name specified")]
    InvalidPartition,
    #[error("Required partition not available (inactive or drain)")]
    PartitionNotAvailable,
    #[error("Access/permission denied")]
    AccessDenied,
    #[error("User's group not permitted to use this partition")]
    GroupNotPermitted,
    #[error("Invalid account or account/partition combination specified")]
    InvalidAccount,
    #[error("Invalid qos specification")]
    InvalidQos,
    #[error("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)")]
    AccountingPolicy,
    #[error("Requested time limit is invalid (missing or exceeds some limit)")]
    InvalidTimeLimit,
    #[error("Node count specification invalid")]
    InvalidNodeCount,
    #[error("Requested node configuration is not available")]
    NodeConfigUnavailable,
    #[error("More processors requested than permitted")]
    TooManyCpus,
    #[error("Memory required by task is not available")]
    TaskMemory,
    #[error("Invalid node name specified")]
    InvalidNodeName,
    #[error("Invalid node state specified")]
    InvalidNodeState,
    #[error("Invalid feature specification")]
    InvalidFeature,
    #[error("Invalid generic resource (gres) specification")]
    InvalidGres,
    #[error("Invalid Trackable RESource (TRES) specification")]
    InvalidTres,
    #[error("Invalid license specification")]
    InvalidLicense,
    #[error("Invalid job array specification")]
    InvalidArray,
    #[error("Job dependency problem")]
    Dependency,
    #[error("Requested reservation is invalid")]
    ReservationInvalid,
    #[error("Access denied to requested reservation")]
    ReservationAccess,
    #[error("Requested reservation not usable now")]
    ReservationNotUsable,
    #[error("Requested nodes are busy")]
    NodesBusy,
    #[error("Required node not available (down, drained or reserved)")]
    NodeNotAvailable,
    #[error("Requested partition configuration not available now")]
    PartitionConfigUnavailable,
    #[error("Invalid job id specified")]
    InvalidJobId,
    #[error("Job/step already completing or completed")]
    AlreadyDone,
    #[error("Job has already finished")]
    JobFinished,
    #[error("Job is no longer pending execution")]
    NotPending,
    #[error("Requested operation is presently disabled")]
    Disabled,
    #[error("Job is pending execution")]
    JobPending,
    #[error("Job not running")]
    NotRunning,
    #[error("Job is not suspended")]
    NotSuspended,
    #[error("Job update not available right now, the DB index is being set, try again in a bit")]
    TryAgain,
    #[error("Slurmctld has reached its maximum number of jobs (MaxJobCount)")]
    TooManyJobs,
    #[error("Invalid user id")]
    InvalidUser,
    #[error("Invalid job begin time or deadline")]
    InvalidTimeValue,
    #[error("Invalid deadline specification")]
    InvalidDeadline,
    #[error("Requested operation not supported on this system")]
    NotSupported,
    #[error("Requested reservation overlaps with another reservation")]
    ReservationOverlap,
    #[error("Requested reservation is in use")]
    ReservationBusy,
    #[error("Reservation request lacks users, groups or accounts")]
    ReservationEmpty,
    #[error("Duplicate job id")]
    DuplicateJobId,
    #[error("Job violates QOS policy")]
    QosViolation,
    #[error("Expired job credential")]
    Expired,
    #[error("Permission denied")]
    PermissionDenied,
    #[error("Job is in held state, pending scheduler release")]
    JobHeld,
    #[error("SelectType change requires restart of the slurmctld daemon to take effect")]
    SelectTypeChange,
    #[error("SchedulerType change requires restart of the slurmctld daemon to take effect")]
    SchedulerTypeChange,
    #[error("Unable to contact slurm controller (connect failure)")]
    NoContact,
}
