//! Nodes, partitions, generic resources and switches: names that must be known, numbers that must go together.

use std::collections::BTreeSet;

use super::super::{Kind, Record, Severity};
use super::Checker;
use crate::slurm::hostlist;
use crate::slurm::units;

/// Nodes of a cluster: what slurmctld's bitmaps are made for.
const MOST_NODES: usize = 65_536;

impl Checker<'_> {
    pub(super) fn records(&mut self) {
        let config = self.config;
        let mut names = BTreeSet::new();
        for record in &config.nodes {
            self.node(record, &mut names);
        }
        if config.nodes.is_empty() {
            self.error("NodeName", "read_slurm_conf: no nodes configured.", "a line NodeName=...");
        }
        for record in &config.down_nodes {
            for name in self.expand(record, &record.name, "Unable to create NodeName list from") {
                if !names.contains(&name) {
                    self.reference(Severity::Warning, record, format!("DownNode \"{name}\" does not exist!"));
                }
            }
            let state = record.fields.text("State").to_ascii_uppercase();
            if !matches!(state.as_str(), "" | "DOWN" | "DRAIN" | "FAIL" | "FAILING" | "FUTURE") {
                self.bad(
                    record,
                    "State",
                    format!("Invalid State \"{state}\""),
                    "DOWN, DRAIN, FAIL or FUTURE",
                );
            }
        }
        for record in &config.node_sets {
            self.members(record, &names, format!("Invalid node names in NodeSet {}", record.name));
        }
        let mut partitions = BTreeSet::new();
        for record in &config.partitions {
            if !partitions.insert(record.name.as_str()) {
                let message = format!(
                    "_build_single_partitionline_info: duplicate entry for partition {}",
                    record.name
                );
                self.reference(Severity::Error, record, message);
            }
            self.partition(record, &names);
        }
        if config.partitions.is_empty() {
            self.error(
                "PartitionName",
                "No PartitionName information available!",
                "a line PartitionName=...",
            );
        } else if !config.partitions.iter().any(|record| record.fields.flag("Default")) {
            self.warning(
                "PartitionName",
                "read_slurm_conf: default partition not set.",
                "one with Default=YES",
            );
        }
        self.gres();
        self.switches(&names);
    }

    fn reference(&mut self, severity: Severity, record: &Record, message: String) {
        self.find(severity, record.place.clone(), message, "");
        if let Some(finding) = self.findings.last_mut() {
            finding.kind = Kind::Reference;
        }
    }

    /// An error at a key of a record.
    fn bad(&mut self, record: &Record, key: &str, message: String, expected: &str) {
        let place = record.fields.get(key).map_or(&record.place, |field| &field.place).clone();
        self.find(Severity::Error, place, message, expected);
    }

    fn expand(&mut self, record: &Record, list: &str, message: &str) -> Vec<String> {
        match hostlist::expand(list) {
            Ok(names) => names,
            Err(error) => {
                let expected = format!("a host list such as n[1-4]: {error}");
                self.find(Severity::Error, record.place.clone(), format!("{message} {list}"), &expected);
                Vec::new()
            }
        }
    }

    fn node(&mut self, record: &Record, names: &mut BTreeSet<String>) {
        let new = self.expand(record, &record.name, "Unable to create NodeName list from");
        for (key, message) in [
            (
                "NodeAddr",
                "NodeAddr count must equal that of NodeName records of there must be no more than one",
            ),
            (
                "NodeHostname",
                "NodeHostname count must equal that of NodeName records of there must be no more than one",
            ),
            ("Port", "Port count must equal that of NodeName records or there must be no more than one"),
        ] {
            let Some(field) = record.fields.get(key) else { continue };
            match hostlist::expand(&field.text) {
                Ok(list) if list.len() <= 1 || list.len() == new.len() => {}
                Ok(_) => self.bad(record, key, message.into(), "one, or one for each node"),
                Err(error) => {
                    let message = format!("Unable to create {key} list from {}", field.text);
                    self.bad(record, key, message, &error.to_string());
                }
            }
        }
        for name in new {
            if names.len() >= MOST_NODES {
                self.reference(Severity::Error, record, format!("more than {MOST_NODES} nodes"));
                return;
            }
            if !names.insert(name.clone()) {
                self.reference(
                    Severity::Error,
                    record,
                    format!("Duplicated NodeHostName {name} in config file"),
                );
            }
        }
        let state = record.fields.text("State").to_ascii_uppercase();
        if !matches!(
            state.as_str(),
            "" | "UNKNOWN" | "DOWN" | "DRAIN" | "FAIL" | "FAILING" | "FUTURE" | "IDLE" | "CLOUD"
        ) {
            let message = format!("Invalid state {state} from {}", record.name);
            self.bad(record, "State", message, "UNKNOWN, DOWN, DRAIN, FAIL, FUTURE or IDLE");
        } else if state == "CLOUD" {
            let place = record.place.clone();
            self.find(Severity::NotModelled, place, "not modelled: State=CLOUD".into(), "");
        }
        for key in ["CoresPerSocket", "CPUs", "ThreadsPerCore", "Sockets", "Boards", "SocketsPerBoard"] {
            if record.fields.number::<u64>(key) == Some(0) {
                let message = format!("NodeNames={} {key}=0 is invalid, reset to 1", record.name);
                let place = record.place.clone();
                self.find(Severity::Warning, place, message, "1 or more");
            }
        }
        let shape = crate::slurm::controller::node_shape(record);
        let (cpus, cores) = (shape.cpus, shape.sockets.saturating_mul(shape.cores_per_socket));
        if ![shape.sockets, cores, cores.saturating_mul(shape.threads)].contains(&cpus) {
            let message = format!(
                "NodeNames={} CPUs={cpus} match no Sockets, Sockets*CoresPerSocket or Sockets*CoresPerSocket*ThreadsPerCore. Resetting CPUs.",
                record.name
            );
            let place = record.fields.get("CPUs").map_or(&record.place, |field| &field.place).clone();
            self.find(Severity::Warning, place, message, "sockets, cores or threads of the node");
        }
        let kinds = self.config.list("GresTypes");
        for part in record.fields.list("Gres") {
            let mut bits = part.split(['(']).next().unwrap_or_default().split(':');
            let kind = bits.next().unwrap_or_default();
            if !kinds.iter().any(|known| known == kind) {
                let message = format!("Invalid GRES configured on node {}: {part}", record.name);
                let place = record.fields.get("Gres").map_or(&record.place, |field| &field.place).clone();
                self.find(Severity::Warning, place, message, "one of GresTypes");
            }
        }
    }

    /// Node names, or names of node sets, that a record's `Nodes` lists.
    fn members(&mut self, record: &Record, names: &BTreeSet<String>, message: String) {
        let text = record.fields.text("Nodes");
        if text.eq_ignore_ascii_case("all") {
            return;
        }
        match hostlist::expand(text) {
            Ok(list) => {
                let sets = &self.config.node_sets;
                let unknown: Vec<String> = list
                    .into_iter()
                    .filter(|name| !names.contains(name) && !sets.iter().any(|set| set.name == *name))
                    .collect();
                if !unknown.is_empty() {
                    let unknown = hostlist::compress(unknown.iter().map(String::as_str));
                    self.bad(record, "Nodes", message, &format!("names of nodes; there is no {unknown}"));
                }
            }
            Err(error) => self.bad(record, "Nodes", message, &error.to_string()),
        }
    }

    fn partition(&mut self, record: &Record, names: &BTreeSet<String>) {
        self.members(record, names, format!("Invalid node names in partition {}", record.name));
        let fields = &record.fields;
        let infinite =
            |text: &str| ["-1", "infinite", "unlimited"].iter().any(|word| text.eq_ignore_ascii_case(word));
        for key in ["MaxTime", "DefaultTime"] {
            let text = fields.text(key);
            if fields.get(key).is_some() && units::minutes(text).is_none() && !infinite(text) {
                self.bad(record, key, format!("Bad value \"{text}\" for {key}"), "a time such as 1-00:00:00");
            }
        }
        let one_of = |key: &str, known: &[&str]| {
            let text = fields.text(key).split(':').next().unwrap_or_default();
            fields.get(key).is_some() && !known.iter().any(|word| text.eq_ignore_ascii_case(word))
        };
        let share = ["exclusive", "force", "no", "yes"];
        for (key, known) in [
            ("OverSubscribe", &share[..]),
            ("Shared", &share[..]),
            ("State", &["up", "down", "drain", "inactive"][..]),
            ("PreemptMode", &["off", "cancel", "gang", "requeue", "suspend"][..]),
        ] {
            // SUSPEND,GANG and the like.
            let parts = fields.text(key).split(',').count();
            if (parts == 1 || key != "PreemptMode") && one_of(key, known) {
                let message = format!("Bad value \"{}\" for {key}", fields.text(key));
                self.bad(record, key, message, &known.join(", ").to_uppercase());
            }
        }
        for (allow, deny) in [("AllowAccounts", "DenyAccounts"), ("AllowQos", "DenyQos")] {
            let allows = fields.get(allow).is_some_and(|field| !field.text.eq_ignore_ascii_case("all"));
            if allows && fields.get(deny).is_some() {
                let message = format!("Both {allow} and {deny} are defined, {deny} will be ignored");
                self.find(Severity::Warning, record.place.clone(), message, "one of the two");
            }
        }
    }

    fn gres(&mut self) {
        let kinds = self.config.list("GresTypes");
        let shared = kinds.iter().find(|kind| matches!(kind.as_str(), "shard" | "mps")).cloned();
        if let Some(shared) = shared {
            if !kinds.iter().any(|kind| kind == "gpu") {
                let message = format!("GresTypes: gres/'{shared}' requires that gres/gpu also be configured");
                self.error("GresTypes", message, "gpu,shard or gpu,mps");
            }
            if self.config.text("SelectType") != "select/cons_tres" {
                let message = "Use of shared gres requires the use of select/cons_tres";
                self.error("GresTypes", message, "SelectType=select/cons_tres");
            }
        }
        let config = self.config;
        for record in &config.gres {
            self.expand(record, &record.name, "Unable to create NodeName list from");
            let name = record.fields.text("Name");
            if !kinds.iter().any(|kind| kind == name) {
                let message = format!("Ignoring gres.conf record, invalid name: {name}");
                self.reference(Severity::Warning, record, message);
            }
            if let Some(field) = record.fields.get("File")
                && let Err(error) = hostlist::expand(&field.text)
            {
                self.bad(record, "File", format!("can't parse File={}", field.text), &error.to_string());
            }
            if let Some(field) = record.fields.get("Count")
                && crate::slurm::controller::gres_count(&field.text).is_none()
            {
                let message = format!("Invalid GRES record for {name}, invalid count {}", field.text);
                self.bad(record, "Count", message, "a number with k, m, g, t or p");
            }
            for key in ["Cores", "CPUs"] {
                if let Some(field) = record.fields.get(key)
                    && hostlist::expand(&format!("[{}]", field.text)).is_err()
                {
                    let message = format!("Invalid GRES data for {name}, {key}={}", field.text);
                    self.bad(record, key, message, "indexes such as 0-7,16");
                }
            }
        }
    }

    fn switches(&mut self, names: &BTreeSet<String>) {
        if self.config.text("TopologyPlugin") != "topology/tree" {
            return;
        }
        let config = self.config;
        let mut known = BTreeSet::new();
        let mut unknown_nodes = Vec::new();
        for record in &config.switches {
            if !known.insert(record.name.as_str()) {
                let message = format!("Switch ({}) has already been defined", record.name);
                self.reference(Severity::Error, record, message);
            }
            let has = |key: &str| record.fields.get(key).is_some();
            let what = match (has("Nodes"), has("Switches")) {
                (true, true) => "both child switches and nodes",
                (false, false) => "neither child switches nor nodes",
                _ => "",
            };
            if !what.is_empty() {
                self.reference(Severity::Error, record, format!("switch {} has {what}", record.name));
            }
            let list = record.fields.text("Nodes").to_owned();
            let message = format!("Invalid node name in switch config ({}):", record.name);
            let members = self.expand(record, &list, &message);
            unknown_nodes.extend(members.into_iter().filter(|name| !names.contains(name)));
        }
        if config.switches.is_empty() {
            self.warning("TopologyPlugin", "No switches configured", "lines SwitchName=... in topology.conf");
        }
        for record in &config.switches {
            let list = record.fields.text("Switches").to_owned();
            for child in self.expand(record, &list, "Invalid switches:") {
                if !known.contains(child.as_str()) {
                    let message = format!("Switch configuration {} has invalid child ({child})", record.name);
                    self.reference(Severity::Error, record, message);
                }
            }
        }
        if let Some(record) = config.switches.first()
            && !unknown_nodes.is_empty()
        {
            let list = hostlist::compress(unknown_nodes.iter().map(String::as_str));
            let message = format!("WARNING: Invalid hostnames in switch configuration: {list}");
            self.reference(Severity::Warning, record, message);
        }
    }
}
