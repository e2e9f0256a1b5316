//! `scontrol show config`.

use super::parameters::SHOWN;
use super::table::{ValueKind, find};
use super::{Config, PARAMETERS, Value};
use crate::slurm::{Time, units};

/// What a controller adds to its configuration.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Now.
    pub now: Time,
    /// When the controller was started.
    pub boot: Time,
    /// The id that the next job gets.
    pub next_job_id: u32,
    /// Nodes in all.
    pub nodes: usize,
}

/// The text of `scontrol show config`, with the line on the controllers at its end left to the caller.
pub fn show(config: &Config, shown: &Shown) -> String {
    let mut text = format!("Configuration data as of {}\n", units::stamp(shown.now));
    let basic = config.text("PriorityType") == "priority/basic";
    for name in SHOWN {
        // Only the type is shown of priority/basic; the factors go with priority/multifactor.
        let factor = name.starts_with("PriorityWeight")
            || matches!(
                *name,
                "PriorityDecayHalfLife"
                    | "PriorityCalcPeriod"
                    | "PriorityFavorSmall"
                    | "PriorityFlags"
                    | "PriorityMaxAge"
                    | "PriorityUsageResetPeriod"
                    | "FairShareDampeningFactor"
            );
        if basic && factor {
            continue;
        }
        for (name, value) in line(config, shown, name) {
            text.push_str(&format!("{name:<23} = {value}\n"));
        }
    }
    text.push('\n');
    text
}

/// A line, or none, or one for each controller.
fn line(config: &Config, shown: &Shown, name: &str) -> Vec<(String, String)> {
    let one = |value: String| vec![(name.to_owned(), value)];
    let given = |name: &str| config.parameters.get(name).is_some();
    match name {
        "BOOT_TIME" => one(units::stamp(shown.boot)),
        "HASH_VAL" => one("Match".into()),
        "NEXT_JOB_ID" => one(shown.next_job_id.to_string()),
        "MULTIPLE_SLURMD" => one("Yes".into()),
        "SLURM_CONF" => one(config.file.clone()),
        "SLURM_VERSION" => one("22.05.8".into()),
        "MaxNodeCount" if !given(name) => one(shown.nodes.to_string()),
        "DefMemPerCPU" => memory(config, "DefMemPerCPU", "DefMemPerNode"),
        "MaxMemPerNode" => memory(config, "MaxMemPerCPU", "MaxMemPerNode"),
        "AccountingStorageTRES" => {
            let standard = "cpu,mem,energy,node,billing,fs/disk,vmem,pages";
            let more = config.list(name).join(",");
            one(if more.is_empty() { standard.to_owned() } else { format!("{standard},{more}") })
        }
        "AccountingStorageEnforce" => one(match config.text(name).to_ascii_lowercase().as_str() {
            "" => "none".to_owned(),
            _ => enforce(config),
        }),
        "JobDefaults" => {
            let parts: Vec<String> = [("DefCPUPerGPU", "DefCpuPerGPU"), ("DefMemPerGPU", "DefMemPerGPU")]
                .iter()
                .filter_map(|(key, shown)| Some(format!("{shown}={}", config.number::<u64>(key)?)))
                .collect();
            one(if parts.is_empty() { "(null)".into() } else { parts.join(",") })
        }
        "SelectTypeParameters" => {
            let text = config.text(name);
            // Without any the real one prints no such line.
            if text.is_empty() { Vec::new() } else { one(text.to_ascii_uppercase()) }
        }
        "PreemptMode" => one(config.text(name).to_ascii_uppercase().replace("SUSPEND,GANG", "GANG,SUSPEND")),
        "EnforcePartLimits" => {
            let text = config.text(name).to_ascii_uppercase();
            one(if text == "YES" { "ALL".into() } else { text })
        }
        "PreemptExemptTime" | "PriorityDecayHalfLife" | "PriorityCalcPeriod" | "PriorityMaxAge" => {
            one(units::seconds(config.text(name)).map_or_else(|| "UNLIMITED".into(), units::clock))
        }
        "SlurmUser" | "SlurmdUser" => {
            let user = config.text(name).split('(').next().unwrap_or_default();
            one(if user == "root" { "root(0)".into() } else { user.to_owned() })
        }
        "SlurmctldHost[0]" => config
            .controllers
            .iter()
            .enumerate()
            .map(|(at, host)| {
                let address = host.address.as_ref().filter(|address| **address != host.name);
                let address = address.map_or(String::new(), |address| format!("({address})"));
                (format!("SlurmctldHost[{at}]"), format!("{}{address}", host.name))
            })
            .collect(),
        _ => one(plain(config, name)),
    }
}

/// The flags of AccountingStorageEnforce in their order; some bring others with them.
fn enforce(config: &Config) -> String {
    let has = |word: &str| config.has_word("AccountingStorageEnforce", word);
    let safe = has("safe");
    let limits = has("limits") || safe;
    let qos = has("qos");
    let associations = has("associations") || limits || qos || has("1") || has("2");
    let parts = [("associations", associations), ("limits", limits), ("qos", qos), ("safe", safe)];
    let parts: Vec<&str> = parts.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    if parts.is_empty() { "none".into() } else { parts.join(",") }
}

/// A limit is shown by the one of two names that was given, UNLIMITED by that of the node.
fn memory(config: &Config, per_cpu: &str, per_node: &str) -> Vec<(String, String)> {
    let value = |key: &str| config.parameters.number::<u64>(key).filter(|mib| *mib > 0);
    let (key, value) = match (value(per_node), value(per_cpu)) {
        (Some(mib), _) => (per_node, mib.to_string()),
        (None, Some(mib)) if config.parameters.get(per_node).is_none() => (per_cpu, mib.to_string()),
        _ => (per_node, "UNLIMITED".into()),
    };
    vec![(key.to_owned(), value)]
}

/// As it was given, or its default, with the unit.
fn plain(config: &Config, name: &str) -> String {
    let Some(row) = find(PARAMETERS, name) else { return "(null)".into() };
    let Some(field) = config.parameters.get(row.name) else {
        return format!(
            "{}{}",
            row.default,
            if row.kind == ValueKind::Text { "" } else { row.unit.suffix() }
        );
    };
    match &field.value {
        Value::Number(number) => format!("{number}{}", row.unit.suffix()),
        Value::Infinite => "UNLIMITED".into(),
        Value::Flag(on) => if *on { "Yes" } else { "No" }.into(),
        Value::Text(text) => text.clone(),
    }
}
