//! Generic resources of a node for a job.

use smallvec::SmallVec;

use super::{Ask, Machines};
use crate::slurm::model::{Bits, GresAsk, GresGrant, NodeGres, NodeIdx};

/// Most requests per job that are looked at by number; a job with more has the rest counted per node.
pub(super) const PER_JOB: usize = 4;

/// Units of `asked` that `node` has free.
pub(super) fn free_units(machines: &Machines<'_>, node: NodeIdx, asked: &GresAsk) -> u64 {
    let Some((at, gres)) = find(machines, node, asked) else { return 0 };
    let usage = machines.usage[node].gres.get(at);
    let mut free = usage.map_or_else(|| gres.total_of(asked.typ), |usage| usage.free(gres, asked.typ));
    if gres.shares.is_empty() && gres.devices > 0 {
        free = free_devices(machines, node, at, gres, asked.typ).count() as u64;
    } else if !gres.shares.is_empty() {
        // All shares of a request are of one device.
        free = (0..gres.shares.len())
            .map(|device| free_shares(machines, node, at, gres, device))
            .max()
            .unwrap_or(0);
    }
    free
}

fn find<'a>(machines: &Machines<'a>, node: NodeIdx, asked: &GresAsk) -> Option<(usize, &'a NodeGres)> {
    machines.nodes[node].gres.iter().enumerate().find(|(_, gres)| gres.kind == asked.kind)
}

/// Whole devices that are free: not given away, and with no share given away.
fn free_devices(
    machines: &Machines<'_>,
    node: NodeIdx,
    at: usize,
    gres: &NodeGres,
    typ: Option<u16>,
) -> Bits {
    let mut free = gres.devices_of(typ);
    let usage = &machines.usage[node];
    if let Some(used) = usage.gres.get(at) {
        free.subtract(&used.devices);
    }
    if machines.names.kinds.get(usize::from(gres.kind)).is_some_and(|name| name == "gpu") {
        for (other, used) in machines.nodes[node].gres.iter().zip(&usage.gres) {
            if !other.shares.is_empty() {
                used.shares
                    .iter()
                    .enumerate()
                    .filter(|(_, count)| **count > 0)
                    .for_each(|(device, _)| free.clear(device));
            }
        }
    }
    free
}

/// Shares of one device that are free; none when the device is given away as a whole.
fn free_shares(machines: &Machines<'_>, node: NodeIdx, at: usize, gres: &NodeGres, device: usize) -> u64 {
    let usage = &machines.usage[node];
    let whole = machines.nodes[node].gres.iter().zip(&usage.gres).any(|(other, used)| {
        other.shares.is_empty()
            && machines.names.kinds.get(usize::from(other.kind)).is_some_and(|name| name == "gpu")
            && used.devices.has(device)
    });
    if whole {
        return 0;
    }
    let used = usage.gres.get(at).and_then(|used| used.shares.get(device)).copied().unwrap_or(0);
    let busy = usage.gres.get(at).is_some_and(|used| used.count > 0);
    if gres.one_sharing && busy && used == 0 {
        return 0;
    }
    gres.shares.get(device).copied().unwrap_or(0).saturating_sub(used)
}

/// What the node's generic resources allow: units per request, least CPUs, most CPUs. `None` when they do not suffice.
pub(super) fn node_room(
    machines: &Machines<'_>,
    ask: &Ask<'_>,
    node: NodeIdx,
) -> Option<([u64; PER_JOB], u32, u32)> {
    let mut units = [0; PER_JOB];
    let (mut least, mut most) = (0, u32::MAX);
    let per_task_cpus = ask.cpus_per_task.max(1);
    for (at, asked) in ask.gres.iter().enumerate() {
        let mut free = free_units(machines, node, asked);
        if asked.per_node > 0 {
            if free < asked.per_node {
                return None;
            }
            free = asked.per_node;
        }
        if let Some(tasks) = free.checked_div(asked.per_task) {
            let tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
            if tasks == 0 {
                return None;
            }
            most = most.min(tasks.saturating_mul(per_task_cpus));
        }
        if asked.per_socket > 0 {
            free = free.min(asked.per_socket * u64::from(ask.sockets_per_node.max(1)));
            if free < asked.per_socket {
                return None;
            }
        }
        if free == 0 && asked.kind_is_asked() {
            return None;
        }
        if asked.cpus_per > 0 {
            let wanted = if asked.per_node > 0 { asked.per_node } else { 1 };
            least = least.max(u32::try_from(wanted).unwrap_or(u32::MAX).saturating_mul(asked.cpus_per));
        }
        if asked.ntasks_per > 0 {
            most = most.min(
                u32::try_from(free)
                    .unwrap_or(u32::MAX)
                    .saturating_mul(asked.ntasks_per)
                    .saturating_mul(per_task_cpus),
            );
        }
        if let Some(slot) = units.get_mut(at) {
            *slot = free;
        }
    }
    Some((units, least, most))
}

/// Takes `count` units on a node: devices of the lowest numbers, shares of the first device that has enough.
pub(super) fn grant(
    machines: &Machines<'_>,
    node: NodeIdx,
    asked: &GresAsk,
    count: u64,
    taken: &Bits,
) -> Option<SmallVec<[GresGrant; 1]>> {
    let mut grants = SmallVec::new();
    if count == 0 {
        return Some(grants);
    }
    let (at, gres) = find(machines, node, asked)?;
    if !gres.shares.is_empty() {
        let device =
            (0..gres.shares.len()).find(|device| free_shares(machines, node, at, gres, *device) >= count)?;
        grants.push(GresGrant {
            kind: asked.kind,
            typ: asked.typ,
            devices: std::iter::once(device).collect(),
            count,
        });
        return Some(grants);
    }
    if gres.devices == 0 {
        grants.push(GresGrant { kind: asked.kind, typ: asked.typ, devices: Bits::new(), count });
        return Some(grants);
    }
    let mut free = free_devices(machines, node, at, gres, asked.typ);
    free.subtract(taken);
    let chosen: Bits = free.iter().take(usize::try_from(count).unwrap_or(usize::MAX)).collect();
    if (chosen.count() as u64) < count {
        return None;
    }
    // One grant per type, as displays and accounting tell them apart.
    if gres.types.is_empty() {
        grants.push(GresGrant { kind: asked.kind, typ: None, devices: chosen, count });
    } else {
        for (typ, of_type, _) in &gres.types {
            let mut devices = chosen.clone();
            devices.intersect(of_type);
            if !devices.is_empty() {
                let count = devices.count() as u64;
                grants.push(GresGrant { kind: asked.kind, typ: Some(*typ), devices, count });
            }
        }
    }
    Some(grants)
}

impl GresAsk {
    fn kind_is_asked(&self) -> bool {
        self.per_job > 0 || self.per_node > 0 || self.per_socket > 0 || self.per_task > 0
    }
}
