//! What displays say of nodes: their states in words.
//!
//! A node has a base state (down, idle, allocated, mixed, unknown, future) and flags; the displays print one word and
//! a sign. Which word wins is the order of [`Controller::node_states`]; the signs are those of sinfo(1), NODE STATE
//! CODES.

use super::Controller;
use crate::slurm::model::{JobBase, NodeBase, NodeFlags, NodeIdx};

/// What the jobs of a node make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    Idle,
    Mixed,
    Allocated,
}

/// A node's state in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStateText {
    /// As `sinfo -o %t` prints it: `mix`, `drng`, `down*`.
    pub short: String,
    /// As `sinfo -o %T` prints it: `mixed`, `draining`, `down*`.
    pub long: String,
    /// As `scontrol show node` prints it: the base state and every flag (`MIXED+DRAIN`).
    pub flags: String,
    /// The number by which `sinfo` sorts states: base states in the low bits, flags above.
    pub order: u32,
    /// Whether it counts as allocated (`A` of `sinfo -s`).
    pub allocated: bool,
    /// Whether it counts as idle (`I`).
    pub idle: bool,
}

/// Base states and flags as bits, for the order of states (observed in sorted output).
mod bit {
    pub(super) const DOWN: u32 = 1;
    pub(super) const IDLE: u32 = 2;
    pub(super) const ALLOCATED: u32 = 3;
    pub(super) const MIXED: u32 = 5;
    pub(super) const FUTURE: u32 = 6;
    pub(super) const RESERVED: u32 = 0x20;
    pub(super) const DRAIN: u32 = 0x200;
    pub(super) const COMPLETING: u32 = 0x400;
    pub(super) const NO_RESPOND: u32 = 0x800;
    pub(super) const POWERED_DOWN: u32 = 0x1000;
    pub(super) const FAIL: u32 = 0x2000;
    pub(super) const POWERING_UP: u32 = 0x4000;
    pub(super) const MAINT: u32 = 0x8000;
    pub(super) const REBOOT_REQUESTED: u32 = 0x1_0000;
    pub(super) const POWERING_DOWN: u32 = 0x4_0000;
    pub(super) const REBOOT_ISSUED: u32 = 0x10_0000;
    pub(super) const PLANNED: u32 = 0x20_0000;
    pub(super) const POWER_DOWN: u32 = 0x80_0000;
}

/// Flags with their bit and their name in `scontrol show node`, in the order in which that prints them.
const FLAGS: [(NodeFlags, u32, &str); 12] = [
    (NodeFlags::DRAIN, bit::DRAIN, "DRAIN"),
    (NodeFlags::FAIL, bit::FAIL, "FAIL"),
    (NodeFlags::MAINT, bit::MAINT, "MAINTENANCE"),
    (NodeFlags::POWER_DOWN, bit::POWER_DOWN, "POWER_DOWN"),
    (NodeFlags::POWERING_UP, bit::POWERING_UP, "POWERING_UP"),
    (NodeFlags::POWERED_DOWN, bit::POWERED_DOWN, "POWERED_DOWN"),
    (NodeFlags::POWERING_DOWN, bit::POWERING_DOWN, "POWERING_DOWN"),
    (NodeFlags::NO_RESPOND, bit::NO_RESPOND, "NOT_RESPONDING"),
    (NodeFlags::PLANNED, bit::PLANNED, "PLANNED"),
    (NodeFlags::REBOOT_ISSUED, bit::REBOOT_ISSUED, "REBOOT_ISSUED"),
    (NodeFlags::REBOOT_REQUESTED, bit::REBOOT_REQUESTED, "REBOOT_REQUESTED"),
    (NodeFlags::RESERVED, bit::RESERVED, "RESERVED"),
];

impl Controller {
    /// Tells the controller that the accounting database changed: usage and shares follow the associations.
    pub fn accounting_changed(&mut self) {
        self.refresh_associations();
    }

    /// The state of a node in words; see [`Controller::node_states`] for all at once.
    pub fn node_state(&self, node: NodeIdx) -> NodeStateText {
        let running = self.jobs.active().any(|job| {
            job.state.base == JobBase::Running && !job.state.is_completing() && job.nodes.has(node)
        });
        let completing =
            self.jobs.active().any(|job| job.state.is_completing() && job.completing_nodes.has(node));
        self.words(node, running, completing)
    }

    /// The states of all nodes in words, in the order of nodes.
    pub fn node_states(&self) -> Vec<NodeStateText> {
        let mut running = vec![false; self.nodes.len()];
        let mut completing = vec![false; self.nodes.len()];
        for job in self.jobs.active() {
            let (marks, nodes) = match (job.state.is_completing(), job.state.base) {
                (true, _) => (&mut completing, &job.completing_nodes),
                (false, JobBase::Running) => (&mut running, &job.nodes),
                _ => continue,
            };
            for node in nodes.iter() {
                if let Some(mark) = marks.get_mut(node) {
                    *mark = true;
                }
            }
        }
        (0..self.nodes.len()).map(|node| self.words(node, running[node], completing[node])).collect()
    }

    fn words(&self, idx: NodeIdx, running: bool, completing: bool) -> NodeStateText {
        let Some((node, usage)) = self.nodes.get(idx).zip(self.usage.get(idx)) else {
            return NodeStateText {
                short: "unk".into(),
                long: "unknown".into(),
                flags: "UNKNOWN".into(),
                order: 0,
                allocated: false,
                idle: false,
            };
        };
        let load = match (running, usage.cpus(node)) {
            (false, _) => Load::Idle,
            (true, used) if used >= node.cpus => Load::Allocated,
            (true, _) => Load::Mixed,
        };
        let up = node.base == NodeBase::Up;
        let mut f = node.flags;
        // A node that is in use is not said to be planned (recorded: `mix` and `alloc` beside `plnd`).
        f.put(NodeFlags::PLANNED, f.has(NodeFlags::PLANNED) && up && load == Load::Idle && !completing);
        let busy = up && (load != Load::Idle || completing);
        let (short, long, maint_sign) = word(node.base, load, f, busy, completing);
        let sign = sign(f, maint_sign);
        let (base, base_name) = match (node.base, load) {
            (NodeBase::Down, _) => (bit::DOWN, "DOWN"),
            (NodeBase::Unknown, _) => (0, "UNKNOWN"),
            (NodeBase::Future, _) => (bit::FUTURE, "FUTURE"),
            (NodeBase::Up, Load::Idle) => (bit::IDLE, "IDLE"),
            (NodeBase::Up, Load::Allocated) => (bit::ALLOCATED, "ALLOCATED"),
            (NodeBase::Up, Load::Mixed) => (bit::MIXED, "MIXED"),
        };
        let mut order = base;
        let mut flags = base_name.to_owned();
        if completing {
            order |= bit::COMPLETING;
            flags.push_str("+COMPLETING");
        }
        for (flag, bit, name) in FLAGS {
            // A maintenance reservation reserves its nodes too.
            if f.has(flag) || (flag == NodeFlags::RESERVED && f.has(NodeFlags::MAINT)) {
                order |= bit;
                flags.push('+');
                flags.push_str(name);
            }
        }
        let out_of_use = f.has(NodeFlags::DRAIN) || f.has(NodeFlags::FAIL) || !up;
        NodeStateText {
            short: format!("{short}{sign}"),
            long: format!("{long}{sign}"),
            flags,
            order,
            allocated: busy,
            idle: up && !busy && !out_of_use,
        }
    }
}

/// The short and the long word, and whether maintenance is said by a sign.
fn word(
    base: NodeBase,
    load: Load,
    f: NodeFlags,
    busy: bool,
    completing: bool,
) -> (&'static str, &'static str, bool) {
    let maint = f.has(NodeFlags::MAINT);
    if maint && base == NodeBase::Up && load == Load::Idle && !f.has(NodeFlags::DRAIN) {
        return ("maint", "maint", false);
    }
    if f.has(NodeFlags::DRAIN) {
        return if busy { ("drng", "draining", maint) } else { ("drain", "drained", maint) };
    }
    if f.has(NodeFlags::FAIL) {
        return if busy { ("failg", "failing", maint) } else { ("fail", "fail", maint) };
    }
    let (short, long) = match (base, load) {
        (NodeBase::Down, _) => ("down", "down"),
        (NodeBase::Unknown, _) => ("unk", "unknown"),
        (NodeBase::Future, _) => ("futr", "future"),
        (NodeBase::Up, Load::Allocated) if completing => ("alloc+", "allocated+"),
        (NodeBase::Up, Load::Allocated) => ("alloc", "allocated"),
        (NodeBase::Up, _) if completing => ("comp", "completing"),
        (NodeBase::Up, Load::Mixed) => ("mix", "mixed"),
        (NodeBase::Up, Load::Idle) if f.has(NodeFlags::RESERVED) => ("resv", "reserved"),
        (NodeBase::Up, Load::Idle) if f.has(NodeFlags::PLANNED) => ("plnd", "planned"),
        (NodeBase::Up, Load::Idle) => ("idle", "idle"),
    };
    (short, long, maint)
}

/// The one sign behind the word.
fn sign(f: NodeFlags, maint: bool) -> &'static str {
    if maint {
        return "$";
    }
    let signs = [
        (NodeFlags::REBOOT_ISSUED, "^"),
        (NodeFlags::REBOOT_REQUESTED, "@"),
        (NodeFlags::POWERING_UP, "#"),
        (NodeFlags::POWERING_DOWN, "%"),
        (NodeFlags::POWERED_DOWN, "~"),
        (NodeFlags::POWER_DOWN, "!"),
        (NodeFlags::NO_RESPOND, "*"),
    ];
    signs.iter().find(|(flag, _)| f.has(*flag)).map_or("", |(_, sign)| sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: NodeBase, load: Load, flags: &[NodeFlags], completing: bool, expect: &str) {
        let mut f = NodeFlags::default();
        for flag in flags {
            f.set(*flag);
        }
        let busy = base == NodeBase::Up && (load != Load::Idle || completing);
        let (short, long, maint) = word(base, load, f, busy, completing);
        let sign = sign(f, maint);
        assert_eq!(format!("{short}{sign} {long}{sign}"), expect);
    }

    /// Words recorded in `node_states`, `node_fail_kill`, `resv_maint`.
    #[test]
    fn nodes_are_called_what_sinfo_calls_them() {
        use NodeBase::{Down, Unknown, Up};
        check(Up, Load::Idle, &[], false, "idle idle");
        check(Up, Load::Idle, &[NodeFlags::PLANNED], false, "plnd planned");
        check(Up, Load::Idle, &[NodeFlags::MAINT], false, "maint maint");
        check(Up, Load::Mixed, &[NodeFlags::MAINT], false, "mix$ mixed$");
        check(Up, Load::Idle, &[NodeFlags::RESERVED], false, "resv reserved");
        check(Up, Load::Idle, &[NodeFlags::FAIL], false, "fail fail");
        check(Up, Load::Allocated, &[NodeFlags::DRAIN], false, "drng draining");
        check(Up, Load::Idle, &[NodeFlags::DRAIN], false, "drain drained");
        check(Up, Load::Allocated, &[NodeFlags::NO_RESPOND], false, "alloc* allocated*");
        check(Down, Load::Idle, &[NodeFlags::NO_RESPOND], false, "down* down*");
        check(Unknown, Load::Idle, &[], false, "unk unknown");
        check(Up, Load::Idle, &[], true, "comp completing");
    }
}
