//! The columns of `sinfo`: letters of `-o`, names of `-O`, titles, values (sinfo(1), OUTPUT FORMAT).

use crate::slurm::controller::{Controller, NodeStateText};
use crate::slurm::hostlist;
use crate::slurm::model::{GresUsage, Node, NodeGres, NodeIdx, OverSubscribe, Partition, PreemptMode};
use crate::slurm::units::{short_clock, stamp};

/// What a row stands for: nodes of a partition that are alike in what is shown.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) partition: usize,
    pub(super) nodes: Vec<NodeIdx>,
}

/// What rows are made of.
pub(super) struct View<'a> {
    pub(super) controller: &'a Controller,
    pub(super) states: &'a [NodeStateText],
}

/// Letter, names of `-O`, title.
type Known = (char, &'static [&'static str], &'static str);

const COLUMNS: &[Known] = &[
    ('a', &["available"], "AVAIL"),
    ('A', &["nodeai"], "NODES(A/I)"),
    ('b', &["features_act"], "ACTIVE_FEATURES"),
    ('B', &["maxcpuspernode"], "MAX_CPUS_PER_NODE"),
    ('c', &["cpus"], "CPUS"),
    ('C', &["cpusstate"], "CPUS(A/I/O/T)"),
    ('d', &["disk"], "TMP_DISK"),
    ('D', &["nodes"], "NODES"),
    ('e', &["freemem"], "FREE_MEM"),
    ('E', &["reason"], "REASON"),
    ('f', &["features"], "AVAIL_FEATURES"),
    ('F', &["nodeaiot"], "NODES(A/I/O/T)"),
    ('g', &["groups"], "GROUPS"),
    ('G', &["gres"], "GRES"),
    ('h', &["oversubscribe"], "OVERSUBSCRIBE"),
    ('H', &["timestamp"], "TIMESTAMP"),
    ('i', &["reservation"], "RESERVATION"),
    ('I', &["priorityjobfactor"], "PRIO_JOB_FACTOR"),
    ('l', &["time"], "TIMELIMIT"),
    ('L', &["defaulttime"], "DEFAULTTIME"),
    ('m', &["memory"], "MEMORY"),
    ('M', &["preemptmode"], "PREEMPT_MODE"),
    ('n', &["nodehost"], "HOSTNAMES"),
    ('N', &["nodelist"], "NODELIST"),
    ('o', &["nodeaddr"], "NODE_ADDR"),
    ('O', &["cpusload"], "CPU_LOAD"),
    ('p', &["prioritytier"], "PRIO_TIER"),
    ('P', &["partition"], "PARTITION"),
    ('r', &["root"], "ROOT"),
    ('R', &["partitionname"], "PARTITION"),
    ('s', &["size"], "JOB_SIZE"),
    ('S', &["allocnodes"], "ALLOCNODES"),
    ('t', &["statecompact"], "STATE"),
    ('T', &["statelong"], "STATE"),
    ('u', &["user"], "USER"),
    ('U', &["userlong"], "USER"),
    ('v', &["version"], "VERSION"),
    ('V', &["cluster"], "CLUSTER"),
    ('w', &["weight"], "WEIGHT"),
    ('X', &["sockets"], "SOCKETS"),
    ('Y', &["cores"], "CORES"),
    ('z', &["socketcorethread"], "S:C:T"),
    ('Z', &["threads"], "THREADS"),
    // No letter of the real command: only `-O` has these.
    ('1', &["gresused"], "GRES_USED"),
    ('2', &["allocmem"], "ALLOCMEM"),
    ('3', &["port"], "PORT"),
    ('4', &["hidden"], "HIDDEN"),
    ('5', &["statecomplete"], "STATECOMPLETE"),
];

/// Letter and title of a column by its letter or name.
pub(super) fn known(key: &str) -> Option<(char, &'static str)> {
    let mut chars = key.chars();
    let letter = chars.next().filter(|c| chars.next().is_none() && !c.is_ascii_digit());
    COLUMNS
        .iter()
        .find(|(short, names, _)| letter == Some(*short) || names.contains(&key))
        .map(|(short, _, title)| (*short, *title))
}

/// `%all` (recorded in `outputs`): lower-case letters with a bar between, then the others with a blank before the bar.
pub(super) fn all() -> String {
    let lower = "abcdefghlmnoprstuvwz".chars().map(|c| format!("%{c}|")).collect::<String>();
    let upper = "ABCDEFGHILMNOPRSTUVXYZ".chars().map(|c| format!("%{c}")).collect::<Vec<_>>().join(" |");
    format!("{lower}{upper} ")
}

/// Columns by which nodes are told apart although `-e` is not given.
pub(super) const TELLS_NODES_APART: &str = "bfGnNoEHuUit1T5";
/// Columns by which `-e` tells nodes apart too.
pub(super) const EXACT: &str = "cdemOwXYzZ";
/// Columns by which partitions are told apart.
pub(super) const TELLS_PARTITIONS_APART: &str = "aBghIlLMpPrRsS4";

impl View<'_> {
    fn nodes<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (NodeIdx, &'a Node)> {
        row.nodes.iter().filter_map(|at| self.controller.nodes.get(*at).map(|node| (*at, node)))
    }

    /// `16`, or `4+` where nodes differ.
    fn range(&self, row: &Row, of: impl Fn(&Node) -> u64) -> String {
        let least = self.nodes(row).map(|(_, node)| of(node)).min().unwrap_or(0);
        let most = self.nodes(row).map(|(_, node)| of(node)).max().unwrap_or(0);
        if least == most { least.to_string() } else { format!("{least}+") }
    }

    fn first<'a>(&'a self, row: &'a Row) -> Option<(NodeIdx, &'a Node)> {
        self.nodes(row).next()
    }

    fn reason(
        &self,
        row: &Row,
        of: impl Fn(&crate::slurm::model::NodeReason) -> String,
        none: &str,
    ) -> String {
        self.first(row).and_then(|(_, node)| node.reason.as_ref()).map_or_else(|| none.to_owned(), of)
    }

    fn names(&self, row: &Row, of: impl Fn(&Node) -> &str) -> String {
        let mut names: Vec<&str> = self.nodes(row).map(|(_, node)| of(node)).collect();
        names.sort_by_key(|name| super::super::format::natural(name));
        names.dedup();
        hostlist::compress(names)
    }

    /// Nodes allocated, idle, other.
    fn counts(&self, row: &Row) -> (usize, usize, usize) {
        let (mut allocated, mut idle) = (0, 0);
        for (at, node) in self.nodes(row) {
            let Some(state) = self.states.get(at) else { continue };
            // Drained and down nodes are "other"; those failing or unknown count as idle (recorded: node_states).
            if state.allocated {
                allocated += 1;
            } else if !node.flags.has(crate::slurm::model::NodeFlags::DRAIN)
                && node.base != crate::slurm::model::NodeBase::Down
            {
                idle += 1;
            }
        }
        (allocated, idle, row.nodes.len() - allocated - idle)
    }

    fn cpus(&self, row: &Row) -> (u32, u32, u32, u32) {
        let (mut allocated, mut idle, mut other, mut total) = (0, 0, 0, 0);
        for (at, node) in self.nodes(row) {
            let used = self.controller.usage.get(at).map_or(0, |usage| usage.cpus(node));
            let gone = node.flags.has(crate::slurm::model::NodeFlags::DRAIN)
                || node.base == crate::slurm::model::NodeBase::Down;
            let rest = node.cpus - used.min(node.cpus);
            allocated += used;
            total += node.cpus;
            *(if gone { &mut other } else { &mut idle }) += rest;
        }
        (allocated, idle, other, total)
    }

    fn partition(&self, row: &Row) -> Option<&Partition> {
        self.controller.partitions.get(row.partition)
    }

    /// The value of a column.
    pub(super) fn value(&self, row: &Row, letter: char) -> String {
        let features = |row: &Row| {
            let text = self.first(row).map(|(_, node)| node.features.join(",")).unwrap_or_default();
            if text.is_empty() { "(null)".into() } else { text }
        };
        let state = |row: &Row, of: fn(&NodeStateText) -> &String| {
            self.first(row)
                .and_then(|(at, _)| self.states.get(at))
                .map_or_else(|| "n/a".to_owned(), |state| of(state).clone())
        };
        match letter {
            'A' => {
                let (allocated, idle, _) = self.counts(row);
                format!("{allocated}/{idle}")
            }
            'b' | 'f' => features(row),
            'c' => self.range(row, |node| u64::from(node.cpus)),
            'C' => {
                let (allocated, idle, other, total) = self.cpus(row);
                format!("{allocated}/{idle}/{other}/{total}")
            }
            'd' => self.range(row, |node| node.tmp_disk),
            'D' => row.nodes.len().to_string(),
            // Load and free memory are the host's; nothing here has them.
            'e' | 'O' => "N/A".into(),
            'E' => self.reason(row, |reason| reason.text.clone(), "none"),
            'F' => {
                let (allocated, idle, other) = self.counts(row);
                format!("{allocated}/{idle}/{other}/{}", row.nodes.len())
            }
            'G' => self
                .first(row)
                .map(|(_, node)| self.gres(node))
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| "(null)".into()),
            'H' => self.reason(row, |reason| stamp(reason.time), "Unknown"),
            'i' => {
                let now = self.controller.time();
                let at = self.first(row).map(|(at, _)| at);
                let found = self
                    .controller
                    .reservations
                    .iter()
                    .find(|resv| resv.is_active(now) && at.is_some_and(|at| resv.nodes.has(at)));
                found.map_or_else(String::new, |resv| resv.name.clone())
            }
            'm' => self.range(row, |node| node.memory),
            'n' => self.names(row, |node| &node.hostname),
            'N' => self.names(row, |node| &node.name),
            'o' => self.names(row, |node| &node.addr),
            't' => state(row, |state| &state.short),
            'T' => state(row, |state| &state.long),
            '5' => state(row, |state| &state.flags).to_ascii_lowercase(),
            'u' => self.reason(row, |reason| self.user(reason.uid), "Unknown"),
            'U' => self.reason(row, |reason| format!("{}({})", self.user(reason.uid), reason.uid), "Unknown"),
            'v' => "22.05.8".into(),
            'V' => "N/A".into(),
            'w' => self.range(row, |node| u64::from(node.weight)),
            'X' => self.range(row, |node| u64::from(node.sockets)),
            'Y' => self.range(row, |node| u64::from(node.cores_per_socket)),
            'Z' => self.range(row, |node| u64::from(node.threads)),
            'z' => ['X', 'Y', 'Z'].map(|part| self.value(row, part)).join(":"),
            '1' => self.first(row).map_or_else(String::new, |(at, _)| self.gres_used(at)),
            '2' => self
                .nodes(row)
                .map(|(at, _)| self.controller.usage.get(at).map_or(0, |usage| usage.memory))
                .min()
                .unwrap_or(0)
                .to_string(),
            '3' => self.range(row, |node| u64::from(node.port)),
            _ => self.partition(row).map_or_else(String::new, |part| self.of_partition(part, letter)),
        }
    }

    fn user(&self, uid: u32) -> String {
        if uid == 0 {
            return "root".into();
        }
        self.controller.users.by_uid(uid).map_or_else(|| uid.to_string(), |user| user.name.clone())
    }

    fn of_partition(&self, part: &Partition, letter: char) -> String {
        use crate::slurm::model::PartitionState;
        let time = |minutes: Option<u32>, none: &str| {
            minutes.map_or_else(|| none.to_owned(), |minutes| short_clock(i64::from(minutes) * 60))
        };
        match letter {
            'a' => match part.state {
                PartitionState::Up => "up",
                PartitionState::Down => "down",
                PartitionState::Drain => "drain",
                PartitionState::Inactive => "inact",
            }
            .into(),
            'B' => part.max_cpus_per_node.map_or_else(|| "UNLIMITED".into(), |n| n.to_string()),
            'g' => part.allow_groups.as_ref().map_or_else(|| "all".into(), |groups| groups.join(",")),
            'h' => match part.oversubscribe {
                OverSubscribe::Exclusive => "EXCLUSIVE".into(),
                OverSubscribe::No | OverSubscribe::Force(1) => "NO".into(),
                OverSubscribe::Yes(n) => format!("YES:{n}"),
                OverSubscribe::Force(n) => format!("FORCE:{n}"),
            },
            'I' => part.job_factor.to_string(),
            'l' => time(part.max_time, "infinite"),
            'L' => time(part.default_time, "n/a"),
            'M' => {
                let mode = part.preempt_mode.unwrap_or(self.controller.params.preempt_mode);
                let gang = if self.controller.params.gang { "GANG," } else { "" };
                match mode {
                    PreemptMode::Off => {
                        gang.trim_end_matches(',').to_owned() + if gang.is_empty() { "OFF" } else { "" }
                    }
                    PreemptMode::Suspend => format!("{gang}SUSPEND"),
                    PreemptMode::Requeue => format!("{gang}REQUEUE"),
                    PreemptMode::Cancel => format!("{gang}CANCEL"),
                }
            }
            'p' => part.tier.to_string(),
            'P' => format!("{}{}", part.name, if part.default { "*" } else { "" }),
            'R' => part.name.clone(),
            'r' => if part.root_only { "yes" } else { "no" }.into(),
            's' => {
                let least = part.min_nodes.max(1);
                match part.max_nodes {
                    Some(most) if most == least => least.to_string(),
                    Some(most) => format!("{least}-{most}"),
                    None => format!("{least}-infinite"),
                }
            }
            'S' => "all".into(),
            '4' => if part.hidden { "yes" } else { "no" }.into(),
            _ => String::new(),
        }
    }

    /// The type of the GPUs that shares are of, where there is but one.
    fn shared_type(&self, node: &Node, gres: &NodeGres) -> Option<&str> {
        let names = &self.controller.names;
        if !names.is_shared(gres.kind) || !gres.types.is_empty() {
            return None;
        }
        let gpu = node.gres.iter().find(|other| names.kind("gpu") == Some(other.kind))?;
        match gpu.types.as_slice() {
            [(typ, ..)] => names.types.get(usize::from(*typ)).map(String::as_str),
            _ => None,
        }
    }

    /// `gpu:h100:4,shard:h100:16`: shares have the type of their GPUs (recorded: gpu_shard_mps).
    fn gres(&self, node: &Node) -> String {
        let part = |part: &str| {
            let shared = part.split_once(':').and_then(|(name, count)| {
                let kind = self.controller.names.kind(name)?;
                let gres = node.gres.iter().find(|gres| gres.kind == kind)?;
                Some(format!("{name}:{}:{count}", self.shared_type(node, gres)?))
            });
            shared.unwrap_or_else(|| part.to_owned())
        };
        node.gres_text.split(',').map(part).collect::<Vec<_>>().join(",")
    }

    /// `gpu:h100:6(IDX:0-5)`: what of each GRES and type is given away.
    fn gres_used(&self, at: NodeIdx) -> String {
        let controller = self.controller;
        let Some((node, usage)) = controller.nodes.get(at).zip(controller.usage.get(at)) else {
            return String::new();
        };
        let none = GresUsage::default();
        let mut parts: Vec<String> = Vec::new();
        for (kind, name) in controller.names.kinds.iter().enumerate() {
            let here = node.gres.iter().enumerate().find(|(_, gres)| usize::from(gres.kind) == kind);
            match here {
                None => parts.push(format!("{name}:0")),
                Some((at, gres)) => used(
                    &mut parts,
                    &self.shared_type(node, gres).map_or_else(|| name.clone(), |typ| format!("{name}:{typ}")),
                    gres,
                    usage.gres.get(at).unwrap_or(&none),
                    &controller.names.types,
                ),
            }
        }
        parts.join(",")
    }
}

fn used(parts: &mut Vec<String>, name: &str, gres: &NodeGres, usage: &GresUsage, types: &[String]) {
    let given = if gres.shares.is_empty() {
        usage.devices.clone()
    } else {
        // Shares show the devices that they are of (recorded: gpu_shard_mps).
        usage.shares.iter().enumerate().filter(|(_, n)| **n > 0).map(|(device, _)| device).collect()
    };
    let index =
        |bits: &crate::slurm::model::Bits| if bits.is_empty() { "N/A".into() } else { bits.to_string() };
    if gres.devices == 0 && gres.shares.is_empty() {
        parts.push(format!("{name}:{}", usage.count));
    } else if gres.types.is_empty() {
        parts.push(format!("{name}:{}(IDX:{})", given.count(), index(&given)));
    } else {
        for (typ, devices, _) in &gres.types {
            let mut of_type = given.clone();
            of_type.intersect(devices);
            let typ = types.get(usize::from(*typ)).map_or("", String::as_str);
            parts.push(format!("{name}:{typ}:{}(IDX:{})", of_type.count(), index(&of_type)));
        }
    }
}
