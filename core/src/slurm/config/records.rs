//! Keys of the lines that describe nodes, partitions and the like, and of the files beside `slurm.conf`.

#![cfg_attr(rustfmt, rustfmt_skip)]

use super::table::{Parameter, Role, Unit, ValueKind, p};
use Role::{Honoured, HostOnly, NotModelled};
use Unit::{Mebibytes, Minutes, None, Seconds};
use ValueKind::{Boolean, Number16, Number32, Number64, Text};

/// Keys of a `NodeName=` line.
pub const NODE: &[Parameter] = &[
    p("BcastAddr", Text, None, "", HostOnly),
    p("Boards", Number16, None, "1", Honoured { range: "1-65535", about: "Boards of the node." }),
    p("CoreSpecCount", Number16, None, "0", NotModelled),
    p("CoresPerSocket", Number16, None, "1", Honoured { range: "1-65535", about: "Cores of a socket." }),
    p("CPUs", Number16, None, "", Honoured { range: "1-65535", about: "Logical CPUs: sockets, cores or threads." }),
    p("CPUSpecList", Text, None, "", NotModelled),
    p("CpuBind", Text, None, "", NotModelled),
    p("Feature", Text, None, "", Honoured { range: "names", about: "What `--constraint` asks for." }),
    p("Features", Text, None, "", Honoured { range: "names", about: "The same." }),
    p("Gres", Text, None, "", Honoured { range: "name[:type]:count, ...", about: "Generic resources of the node." }),
    p("MemSpecLimit", Number64, Mebibytes, "0", NotModelled),
    p("NodeAddr", Text, None, "", Honoured { range: "an address", about: "Shown by `scontrol show node`." }),
    p("NodeHostname", Text, None, "", Honoured { range: "a name", about: "Shown by `scontrol show node`." }),
    p("Port", Text, None, "6818", Honoured { range: "a port or a list of ports", about: "Shown by `scontrol show node`." }),
    p("Procs", Number16, None, "", Honoured { range: "1-65535", about: "An older name of CPUs." }),
    p("RealMemory", Number64, Mebibytes, "1", Honoured { range: "1 or more", about: "Memory of the node." }),
    p("Reason", Text, None, "", Honoured { range: "a text", about: "Why its state is DOWN, DRAIN or FAIL." }),
    p("Sockets", Number16, None, "", Honoured { range: "1-65535", about: "Sockets of the node." }),
    p("SocketsPerBoard", Number16, None, "", Honoured { range: "1-65535", about: "Sockets of a board." }),
    p("State", Text, None, "UNKNOWN", Honoured { range: "UNKNOWN, DOWN, DRAIN, FAIL, FUTURE, IDLE", about: "The state at the first start." }),
    p("ThreadsPerCore", Number16, None, "1", Honoured { range: "1-65535", about: "Threads of a core." }),
    p("TmpDisk", Number32, Mebibytes, "0", Honoured { range: "0 or more", about: "Size of /tmp; `--tmp` asks for it." }),
    p("TRESWeights", Text, None, "", NotModelled),
    p("Weight", Number32, None, "1", Honoured { range: "0 or more", about: "Nodes of less weight are used first." }),
];

/// Keys of a `PartitionName=` line.
pub const PARTITION: &[Parameter] = &[
    p("AllocNodes", Text, None, "ALL", NotModelled),
    p("AllowAccounts", Text, None, "ALL", Honoured { range: "accounts", about: "Who may use it, by account." }),
    p("AllowGroups", Text, None, "ALL", Honoured { range: "groups", about: "Who may use it, by group." }),
    p("AllowQos", Text, None, "ALL", Honoured { range: "QOS", about: "Who may use it, by QOS." }),
    p("Alternate", Text, None, "", NotModelled),
    p("CpuBind", Text, None, "", NotModelled),
    p("DefCPUPerGPU", Number64, None, "", Honoured { range: "1 or more", about: "Instead of the cluster's." }),
    p("DefMemPerCPU", Number64, Mebibytes, "", Honoured { range: "0 or more", about: "Instead of the cluster's." }),
    p("DefMemPerGPU", Number64, Mebibytes, "", Honoured { range: "0 or more", about: "Instead of the cluster's." }),
    p("DefMemPerNode", Number64, Mebibytes, "", Honoured { range: "0 or more", about: "Instead of the cluster's." }),
    p("Default", Boolean, None, "NO", Honoured { range: "YES or NO", about: "Jobs go here that name no partition." }),
    p("DefaultTime", Text, None, "", Honoured { range: "a time", about: "Limit of jobs that do not say; else MaxTime." }),
    p("DenyAccounts", Text, None, "", Honoured { range: "accounts", about: "Who may not use it." }),
    p("DenyQos", Text, None, "", Honoured { range: "QOS", about: "Who may not use it." }),
    p("DisableRootJobs", Boolean, None, "NO", Honoured { range: "YES or NO", about: "Root may not use it." }),
    p("ExclusiveUser", Boolean, None, "NO", Honoured { range: "YES or NO", about: "Nodes are not shared between users." }),
    p("GraceTime", Number32, Seconds, "0", Honoured { range: "0 or more", about: "Between the warning and the end of a preempted job." }),
    p("Hidden", Boolean, None, "NO", Honoured { range: "YES or NO", about: "Not shown without `-a`." }),
    p("LLN", Boolean, None, "NO", Honoured { range: "YES or NO", about: "The least loaded nodes first." }),
    p("MaxCPUsPerNode", Number32, None, "UNLIMITED", Honoured { range: "1 or more", about: "CPUs that its jobs together may have on a node." }),
    p("MaxMemPerCPU", Number64, Mebibytes, "", Honoured { range: "0 or more", about: "Instead of the cluster's." }),
    p("MaxMemPerNode", Number64, Mebibytes, "", Honoured { range: "0 or more", about: "Instead of the cluster's." }),
    p("MaxTime", Text, None, "UNLIMITED", Honoured { range: "a time", about: "Largest time limit." }),
    p("MaxNodes", Number32, None, "UNLIMITED", Honoured { range: "0 or more", about: "Most nodes of a job." }),
    p("MinNodes", Number32, None, "0", Honoured { range: "0 or more", about: "Fewest nodes of a job." }),
    p("Nodes", Text, None, "", Honoured { range: "a host list, node sets, or ALL", about: "Its nodes." }),
    p("OverSubscribe", Text, None, "NO", Honoured { range: "EXCLUSIVE, NO, YES[:n], FORCE[:n]", about: "Whether jobs share cores." }),
    p("OverTimeLimit", Text, Minutes, "", Honoured { range: "0-65533 or UNLIMITED", about: "Instead of the cluster's." }),
    p("PreemptMode", Text, None, "", Honoured { range: "as the cluster's", about: "Instead of the cluster's." }),
    p("Priority", Number16, None, "", Honoured { range: "0-65533", about: "PriorityJobFactor and PriorityTier at once." }),
    p("PriorityJobFactor", Number16, None, "1", Honoured { range: "0-65533", about: "The partition factor of priorities." }),
    p("PriorityTier", Number16, None, "1", Honoured { range: "0-65533", about: "Jobs of a higher tier go first, and may preempt." }),
    p("QOS", Text, None, "", Honoured { range: "a QOS", about: "Its limits hold for all jobs here." }),
    p("RootOnly", Boolean, None, "NO", Honoured { range: "YES or NO", about: "Only root may submit." }),
    p("ReqResv", Boolean, None, "NO", Honoured { range: "YES or NO", about: "Jobs need a reservation." }),
    p("ResumeTimeout", Number16, Seconds, "", NotModelled),
    p("SelectTypeParameters", Text, None, "", NotModelled),
    p("Shared", Text, None, "", Honoured { range: "as OverSubscribe", about: "An older name of OverSubscribe." }),
    p("State", Text, None, "UP", Honoured { range: "UP, DOWN, DRAIN, INACTIVE", about: "Whether it takes jobs and starts them." }),
    p("SuspendTime", Text, None, "", NotModelled),
    p("SuspendTimeout", Number16, Seconds, "", NotModelled),
    p("TRESBillingWeights", Text, None, "", Honoured { range: "TRES=weight, ...", about: "What a job is billed." }),
];

/// Keys of a `DownNodes=` line.
pub const DOWN_NODES: &[Parameter] = &[
    p("Reason", Text, None, "Set in slurm.conf", Honoured { range: "a text", about: "Why." }),
    p("State", Text, None, "DOWN", Honoured { range: "DOWN, DRAIN, FAIL, FUTURE", about: "Their state." }),
];

/// Keys of a `NodeSet=` line.
pub const NODE_SET: &[Parameter] = &[
    p("Feature", Text, None, "", Honoured { range: "a feature", about: "Nodes that have it." }),
    p("Nodes", Text, None, "", Honoured { range: "a host list", about: "These nodes." }),
];

/// Keys of a `FrontendName=` line.
pub const FRONTEND: &[Parameter] = &[
    p("AllowGroups", Text, None, "", NotModelled),
    p("AllowUsers", Text, None, "", NotModelled),
    p("DenyGroups", Text, None, "", NotModelled),
    p("DenyUsers", Text, None, "", NotModelled),
    p("FrontendAddr", Text, None, "", NotModelled),
    p("Port", Number16, None, "", NotModelled),
    p("Reason", Text, None, "", NotModelled),
    p("State", Text, None, "", NotModelled),
];

/// Keys of `gres.conf`.
pub const GRES: &[Parameter] = &[
    p("AutoDetect", Text, None, "off", NotModelled),
    p("Count", Text, None, "", Honoured { range: "a number with k, m, g, t, p", about: "How many; the files when they are given." }),
    p("Cores", Text, None, "", Honoured { range: "indexes", about: "Cores that are near the device." }),
    p("CPUs", Text, None, "", Honoured { range: "indexes", about: "An older name of Cores." }),
    p("File", Text, None, "", Honoured { range: "a host list of paths", about: "Device files, one for each." }),
    p("Flags", Text, None, "", Honoured { range: "one_sharing", about: "Shares are given of one GPU at a time." }),
    p("Link", Text, None, "", HostOnly),
    p("Links", Text, None, "", HostOnly),
    p("MultipleFiles", Text, None, "", NotModelled),
    p("Name", Text, None, "", Honoured { range: "one of GresTypes", about: "The kind." }),
    p("Type", Text, None, "", Honoured { range: "a name", about: "The type within the kind." }),
];

/// Keys of `topology.conf`.
pub const SWITCH: &[Parameter] = &[
    p("LinkSpeed", Number32, None, "1", Honoured { range: "a number", about: "Shown by `scontrol show topology`." }),
    p("Nodes", Text, None, "", Honoured { range: "a host list", about: "Nodes of a leaf switch." }),
    p("Switches", Text, None, "", Honoured { range: "a host list", about: "Switches below." }),
];

/// Keys of `cgroup.conf`.
pub const CGROUP: &[Parameter] = &[
    p("AllowedRAMSpace", Text, None, "100", Honoured { range: "percent", about: "How much of the memory that it was given a job may have." }),
    p("AllowedSwapSpace", Text, None, "0", NotModelled),
    p("CgroupAutomount", Boolean, None, "no", HostOnly),
    p("CgroupMountpoint", Text, None, "/sys/fs/cgroup", HostOnly),
    p("CgroupPlugin", Text, None, "autodetect", HostOnly),
    p("ConstrainCores", Boolean, None, "no", NotModelled),
    p("ConstrainDevices", Boolean, None, "no", Honoured { range: "yes, no", about: "Jobs see the GPUs that they were given, numbered from 0." }),
    p("ConstrainRAMSpace", Boolean, None, "no", Honoured { range: "yes, no", about: "What takes more memory than its job was given is killed." }),
    p("ConstrainSwapSpace", Boolean, None, "no", NotModelled),
    p("IgnoreSystemd", Boolean, None, "no", HostOnly),
    p("IgnoreSystemdOnFailure", Boolean, None, "no", HostOnly),
    p("MaxRAMPercent", Text, None, "100", NotModelled),
    p("MaxSwapPercent", Text, None, "100", NotModelled),
    p("MemorySwappiness", Number64, None, "", HostOnly),
    p("MinRAMSpace", Number64, Mebibytes, "30", HostOnly),
];
