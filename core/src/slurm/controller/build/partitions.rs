//! Partitions and node sets.

use std::collections::BTreeMap;

use super::params::{limit, memory, over_time, preempt_mode, weights};
use crate::slurm::config::{Config, Fields, Record};
use crate::slurm::hostlist;
use crate::slurm::model::{Bits, Node, OverSubscribe, Partition, PartitionState};

/// Node names and names of node sets, and what they stand for.
pub(super) struct Members<'a> {
    nodes: BTreeMap<&'a str, usize>,
    sets: BTreeMap<&'a str, Bits>,
    all: usize,
}

impl<'a> Members<'a> {
    pub(super) fn new(config: &'a Config, nodes: &'a [Node]) -> Self {
        let names = nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect();
        let mut members = Self { nodes: names, sets: BTreeMap::new(), all: nodes.len() };
        for set in &config.node_sets {
            let mut bits = members.of(set.fields.text("Nodes"));
            let feature = set.fields.text("Feature");
            if !feature.is_empty() {
                for (at, node) in nodes.iter().enumerate() {
                    if node.features.iter().any(|other| other == feature) {
                        bits.set(at);
                    }
                }
            }
            members.sets.entry(set.name.as_str()).or_default().union(&bits);
        }
        members
    }

    /// The nodes of a list; names that are not known were reported when the configuration was read.
    pub(super) fn of(&self, list: &str) -> Bits {
        if list.eq_ignore_ascii_case("all") {
            return Bits::first(self.all);
        }
        let mut bits = Bits::new();
        for name in hostlist::expand(list).unwrap_or_default() {
            match (self.nodes.get(name.as_str()), self.sets.get(name.as_str())) {
                (Some(at), _) => bits.set(*at),
                (None, Some(set)) => bits.union(set),
                (None, None) => {}
            }
        }
        bits
    }
}

/// A list that allows; `None` allows all.
fn allow(fields: &Fields, key: &str) -> Option<Vec<String>> {
    fields.get(key).filter(|field| !field.text.eq_ignore_ascii_case("all")).map(|_| fields.list(key))
}

/// Names that are denied; what allows goes first.
fn deny(fields: &Fields, allowed: &str, denied: &str) -> Vec<String> {
    if allow(fields, allowed).is_some() { Vec::new() } else { fields.list(denied) }
}

pub(super) fn partition(record: &Record, members: &Members<'_>) -> Partition {
    let fields = &record.fields;
    let text = |key: &str| fields.text(key);
    let share = if fields.get("OverSubscribe").is_some() { text("OverSubscribe") } else { text("Shared") };
    let (oversubscribe, count) = share.split_once(':').unwrap_or((share, "4"));
    let rows: u16 = count.parse().unwrap_or(4);
    let priority = fields.number("Priority");
    Partition {
        nodes_text: text("Nodes").to_owned(),
        nodes: members.of(text("Nodes")),
        default: fields.flag("Default"),
        hidden: fields.flag("Hidden"),
        state: match text("State").to_ascii_uppercase().as_str() {
            "DOWN" => PartitionState::Down,
            "DRAIN" => PartitionState::Drain,
            "INACTIVE" => PartitionState::Inactive,
            _ => PartitionState::Up,
        },
        max_time: limit(fields, "MaxTime"),
        default_time: limit(fields, "DefaultTime"),
        max_nodes: fields.number("MaxNodes"),
        min_nodes: fields.number("MinNodes").unwrap_or(0),
        max_cpus_per_node: fields.number("MaxCPUsPerNode"),
        tier: fields.number("PriorityTier").or(priority).unwrap_or(1),
        job_factor: fields.number("PriorityJobFactor").or(priority).unwrap_or(1),
        oversubscribe: match oversubscribe.to_ascii_uppercase().as_str() {
            "EXCLUSIVE" => OverSubscribe::Exclusive,
            "YES" => OverSubscribe::Yes(rows),
            "FORCE" => OverSubscribe::Force(rows),
            _ => OverSubscribe::No,
        },
        preempt_mode: fields.get("PreemptMode").map(|field| preempt_mode(&field.text).0),
        grace_time: fields.number("GraceTime").unwrap_or(0),
        over_time_limit: over_time(fields),
        def_memory: memory(fields, "DefMemPerCPU", "DefMemPerNode"),
        max_memory: memory(fields, "MaxMemPerCPU", "MaxMemPerNode"),
        def_cpu_per_gpu: fields.number("DefCPUPerGPU"),
        def_mem_per_gpu: fields.number("DefMemPerGPU"),
        allow_accounts: allow(fields, "AllowAccounts"),
        deny_accounts: deny(fields, "AllowAccounts", "DenyAccounts"),
        allow_qos: allow(fields, "AllowQos"),
        deny_qos: deny(fields, "AllowQos", "DenyQos"),
        allow_groups: allow(fields, "AllowGroups"),
        qos: fields.get("QOS").map(|field| field.text.clone()),
        root_only: fields.flag("RootOnly"),
        req_resv: fields.flag("ReqResv"),
        disable_root_jobs: fields.flag("DisableRootJobs"),
        exclusive_user: fields.flag("ExclusiveUser"),
        lln: fields.flag("LLN"),
        billing_weights: weights(text("TRESBillingWeights")),
        billing_text: text("TRESBillingWeights").to_owned(),
        name: record.name.clone(),
    }
}
