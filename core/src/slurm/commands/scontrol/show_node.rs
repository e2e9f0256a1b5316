//! `scontrol show node`.

use super::show_job::memory_text;
use super::{Flags, stamp_or};
use crate::slurm::controller::Controller;
use crate::slurm::model::{Bits, JobBase, NodeBase, NodeFlags, NodeIdx};
use crate::slurm::units;

/// `MIXED+DRAIN`: base state by what is used, then the flags.
fn state(controller: &Controller, at: NodeIdx) -> String {
    let (node, usage) = (&controller.nodes[at], &controller.usage[at]);
    let completing = controller.jobs.active().any(|job| job.completing_nodes.has(at));
    let running = controller
        .jobs
        .active()
        .any(|job| !job.state.is_finished() && job.nodes.has(at) && job.state.base != JobBase::Pending);
    let used = usage.cpus(node);
    let base = match node.base {
        NodeBase::Down => "DOWN",
        NodeBase::Unknown => "UNKNOWN",
        NodeBase::Future => "FUTURE",
        NodeBase::Up if running && used >= node.cpus => "ALLOCATED",
        NodeBase::Up if running => "MIXED",
        NodeBase::Up => "IDLE",
    };
    let mut text = base.to_owned();
    let mut add = |on: bool, name: &str| {
        if on {
            text.push('+');
            text.push_str(name);
        }
    };
    add(node.flags.has(NodeFlags::MAINT), "MAINTENANCE");
    add(completing, "COMPLETING");
    add(node.flags.has(NodeFlags::DRAIN), "DRAIN");
    add(node.flags.has(NodeFlags::FAIL), "FAIL");
    add(node.flags.has(NodeFlags::NO_RESPOND), "NOT_RESPONDING");
    add(node.flags.has(NodeFlags::RESERVED), "RESERVED");
    add(node.flags.has(NodeFlags::PLANNED), "PLANNED");
    text
}

fn tres(controller: &Controller, cpus: u64, memory: u64, billing: bool, gres: &[(String, u64)]) -> String {
    let mut parts = vec![format!("cpu={cpus}"), format!("mem={}", memory_text(memory))];
    if billing {
        parts.push(format!("billing={cpus}"));
    }
    for name in &controller.params.accounting_tres {
        if let Some((_, count)) = gres
            .iter()
            .find(|(other, count)| Some(other.as_str()) == name.strip_prefix("gres/") && *count > 0)
        {
            parts.push(format!("{name}={count}"));
        }
    }
    parts.join(",")
}

/// `gpu:h100:6(IDX:0-5)`.
fn gres_used(controller: &Controller, at: NodeIdx) -> String {
    let (node, usage) = (&controller.nodes[at], &controller.usage[at]);
    let mut parts = Vec::new();
    let indices = |bits: &Bits| if bits.is_empty() { "N/A".to_owned() } else { bits.to_string() };
    for (gres, used) in node.gres.iter().zip(&usage.gres) {
        let name = &controller.names.kinds[usize::from(gres.kind)];
        if !gres.shares.is_empty() {
            // Shares are shown by the devices that they are of (observed).
            let devices: Bits = used
                .shares
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
                .map(|(device, _)| device)
                .collect();
            let typ = node
                .gres
                .iter()
                .find_map(|gres| gres.types.first())
                .and_then(|(typ, ..)| controller.names.types.get(usize::from(*typ)));
            let typ = typ.map_or(String::new(), |typ| format!(":{typ}"));
            parts.push(format!("{name}{typ}:{}(IDX:{})", devices.count(), indices(&devices)));
        } else if gres.types.is_empty() {
            parts.push(if gres.devices > 0 {
                format!("{name}:{}(IDX:{})", used.count, indices(&used.devices))
            } else {
                format!("{name}:{}", used.count)
            });
        } else {
            for (typ, of_type, _) in &gres.types {
                let mut taken = used.devices.clone();
                taken.intersect(of_type);
                let typ = controller.names.types.get(usize::from(*typ)).map_or("", String::as_str);
                parts.push(format!("{name}:{typ}:{}(IDX:{})", taken.count(), indices(&taken)));
            }
        }
    }
    parts.join(",")
}

/// `gpu:h100:4,shard:h100:16`: what a node has, shares with the type of their GPUs.
fn gres_has(controller: &Controller, at: NodeIdx) -> String {
    let node = &controller.nodes[at];
    let mut parts = Vec::new();
    for gres in &node.gres {
        let name = &controller.names.kinds[usize::from(gres.kind)];
        if !gres.shares.is_empty() {
            let typ = node
                .gres
                .iter()
                .find_map(|gres| gres.types.first())
                .and_then(|(typ, ..)| controller.names.types.get(usize::from(*typ)));
            parts.push(format!(
                "{name}{}:{}",
                typ.map_or(String::new(), |typ| format!(":{typ}")),
                gres.total
            ));
        } else if gres.types.is_empty() {
            parts.push(format!("{name}:{}", gres.total));
        } else {
            for (typ, _, count) in &gres.types {
                let typ = controller.names.types.get(usize::from(*typ)).map_or("", String::as_str);
                parts.push(format!("{name}:{typ}:{count}"));
            }
        }
    }
    if parts.is_empty() { "(null)".into() } else { parts.join(",") }
}

/// The lines of a node's record.
pub(super) fn node(controller: &Controller, flags: Flags, at: NodeIdx) -> String {
    let (node, usage) = (&controller.nodes[at], &controller.usage[at]);
    let used = usage.cpus(node);
    let mut lines =
        vec![format!("NodeName={} Arch=x86_64 CoresPerSocket={} ", node.name, node.cores_per_socket)];
    lines.push(format!("CPUAlloc={used} CPUEfctv={0} CPUTot={0} CPULoad=0.00", node.cpus));
    let features = if node.features.is_empty() { "(null)".to_owned() } else { node.features.join(",") };
    lines.push(format!("AvailableFeatures={features}"));
    lines.push(format!("ActiveFeatures={features}"));
    lines.push(format!("Gres={}", gres_has(controller, at)));
    if flags.details && !node.gres.is_empty() {
        lines.push("GresDrain=N/A".into());
        lines.push(format!("GresUsed={}", gres_used(controller, at)));
    }
    lines.push(format!(
        "NodeAddr={} NodeHostName={} Port={} Version=22.05.8",
        node.addr, node.hostname, node.port
    ));
    lines.push("OS=Linux 6.1.0-31-amd64 #1 SMP PREEMPT_DYNAMIC ".into());
    lines.push(format!(
        "RealMemory={} AllocMem={} FreeMem={} Sockets={} Boards={}",
        node.memory,
        usage.memory,
        node.memory.saturating_sub(usage.memory),
        node.sockets,
        node.boards
    ));
    let owner = usage
        .users
        .first()
        .filter(|_| usage.user_exclusive > 0)
        .and_then(|(uid, _)| controller.users.by_uid(*uid));
    let owner = owner.map_or_else(|| "N/A".to_owned(), |user| format!("{}({})", user.name, user.uid));
    lines.push(format!(
        "State={} ThreadsPerCore={} TmpDisk={} Weight={} Owner={owner} MCS_label=N/A",
        state(controller, at),
        node.threads,
        node.tmp_disk,
        node.weight
    ));
    let parts: Vec<&str> = controller
        .partitions
        .iter()
        .filter(|part| part.nodes.has(at))
        .map(|part| part.name.as_str())
        .collect();
    if !parts.is_empty() {
        lines.push(format!("Partitions={} ", parts.join(",")));
    }
    lines.push(format!(
        "BootTime={} SlurmdStartTime={}",
        stamp_or(node.boot_time, "None"),
        stamp_or(node.slurmd_start, "None")
    ));
    lines.push(format!("LastBusyTime={}", stamp_or(node.last_busy, "Unknown")));
    let has: Vec<(String, u64)> = node
        .gres
        .iter()
        .map(|gres| (controller.names.kinds[usize::from(gres.kind)].clone(), gres.total))
        .collect();
    let given: Vec<(String, u64)> = node
        .gres
        .iter()
        .zip(&usage.gres)
        .map(|(gres, used)| (controller.names.kinds[usize::from(gres.kind)].clone(), used.count))
        .collect();
    lines.push(format!("CfgTRES={}", tres(controller, u64::from(node.cpus), node.memory, true, &has)));
    lines.push(format!(
        "AllocTRES={}",
        if used > 0 { tres(controller, u64::from(used), usage.memory, false, &given) } else { String::new() }
    ));
    lines.push("CapWatts=n/a".into());
    lines.push("CurrentWatts=0 AveWatts=0".into());
    lines.push("ExtSensorsJoules=n/s ExtSensorsWatts=0 ExtSensorsTemp=n/s".into());
    if let Some(reason) = &node.reason {
        let user = controller
            .users
            .by_uid(reason.uid)
            .map_or_else(|| reason.uid.to_string(), |user| user.name.clone());
        lines.push(format!("Reason={} [{user}@{}]", reason.text, units::stamp(reason.time)));
    }
    if flags.one_line { format!("{}\n", lines.join(" ")) } else { format!("{}\n\n", lines.join("\n   ")) }
}
