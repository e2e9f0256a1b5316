//! `sshare`: shares and usage of associations.

use super::format::{self, Field, Parsable, TableStyle, field};
use super::getopt::{self, Opt, Takes, opt};
use super::{CommandOutput, Session};
use crate::slurm::accounting::{Association, Shares};
use crate::slurm::controller::Controller;
use crate::slurm::model::{Job, JobBase};

const TABLE: &[Opt] = &[
    opt("accounts", Some('A'), Takes::Value),
    opt("all", Some('a'), Takes::Nothing),
    opt("clusters", Some('M'), Takes::Value),
    opt("cluster", None, Takes::Value),
    opt("format", Some('o'), Takes::Value),
    opt("help", None, Takes::Nothing),
    opt("long", Some('l'), Takes::Nothing),
    opt("noheader", Some('n'), Takes::Nothing),
    opt("noheader", Some('h'), Takes::Nothing),
    opt("parsable", Some('p'), Takes::Nothing),
    opt("parsable2", Some('P'), Takes::Nothing),
    opt("partition", Some('m'), Takes::Nothing),
    opt("uid", None, Takes::Value),
    opt("usage", None, Takes::Nothing),
    opt("users", Some('u'), Takes::Value),
    opt("Users", Some('U'), Takes::Nothing),
    opt("verbose", Some('v'), Takes::Nothing),
    opt("version", Some('V'), Takes::Nothing),
];

const FIELDS: [Field; 14] = [
    Field { name: "Account", width: 20, left: true },
    field("User", 10),
    field("Partition", 12),
    field("RawShares", 10),
    field("NormShares", 11),
    field("RawUsage", 11),
    field("NormUsage", 11),
    field("EffectvUsage", 13),
    field("FairShare", 10),
    field("LevelFS", 10),
    field("GrpTRESMins", 30),
    field("TRESRunMins", 30),
    field("Cluster", 10),
    field("ID", 6),
];

/// Runs `sshare` with these arguments (without the name itself).
pub fn sshare(controller: &Controller, session: &Session<'_>, args: &[String]) -> CommandOutput {
    let parsed = match getopt::parse("sshare", TABLE, args, true) {
        Ok(parsed) => parsed,
        Err(message) => {
            return CommandOutput::error(format!("{message}\nTry \"sshare --help\" for more information\n"));
        }
    };
    let value = |name: &str| {
        parsed.options.iter().rev().find(|given| given.name == name).and_then(|given| given.value.clone())
    };
    let flag = |name: &str| parsed.options.iter().any(|given| given.name == name);
    if flag("version") {
        return CommandOutput::text("slurm-wlm 22.05.8\n");
    }
    if let Some(output) = super::no_contact(controller, "Couldn't get shares from controller") {
        return output;
    }
    if let Some(name) = ["clusters", "cluster", "help"].iter().find(|name| flag(name)) {
        return CommandOutput::error(format!("sshare: not modelled: --{name}\n"));
    }
    let Some(params) = &controller.params.multifactor else {
        return CommandOutput::error(
            "You are not running a supported priority plugin\n(priority/basic).\nOnly 'priority/multifactor' is supported.\n",
        );
    };
    let fair_tree = params.fair_tree;
    let names = match (value("format"), flag("long")) {
        (Some(names), _) => names,
        (None, true) if fair_tree => "Account,User,RawShares,NormShares,RawUsage,NormUsage,EffectvUsage,FairShare,LevelFS,GrpTRESMins,TRESRunMins".into(),
        (None, true) => "Account,User,RawShares,NormShares,RawUsage,NormUsage,EffectvUsage,FairShare,GrpTRESMins,TRESRunMins".into(),
        (None, false) if flag("partition") => "Account,User,Partition,RawShares,NormShares,RawUsage,EffectvUsage,FairShare".into(),
        (None, false) => "Account,User,RawShares,NormShares,RawUsage,EffectvUsage,FairShare".into(),
    };
    let fields = match format::choose(&FIELDS, &names) {
        Ok(fields) => fields,
        Err(name) => {
            return CommandOutput::error(format!("sshare: error: Invalid field requested: \"{name}\"\n"));
        }
    };
    let accounts = value("accounts").map(|list| format::words(&list.to_ascii_lowercase()));
    let me = if session.uid == 0 {
        "root".to_owned()
    } else {
        controller.users.by_uid(session.uid).map(|user| user.name.clone()).unwrap_or_default()
    };
    let users = match value("users") {
        Some(list) => Some(format::words(&list)),
        None if flag("all") || accounts.is_some() => None,
        None => Some(vec![me]),
    };
    let mut rows = Vec::new();
    let mut todo = vec![(1_u32, 0_usize)];
    while let Some((id, depth)) = todo.pop() {
        let below = controller.children(id);
        todo.extend(below.into_iter().rev().map(|child| (child, depth + 1)));
        let Some(assoc) = controller.accounting.association(id) else { continue };
        let wanted = accounts.as_ref().is_none_or(|accounts| accounts.contains(&assoc.account))
            && match &assoc.user {
                Some(user) => users.as_ref().is_none_or(|users| users.contains(user)),
                None => !flag("Users"),
            };
        if wanted {
            rows.push(
                fields.iter().map(|field| cell(controller, assoc, depth, fair_tree, field.name)).collect(),
            );
        }
    }
    let delimiter = flag("parsable") || flag("parsable2");
    let style = TableStyle {
        parsable: delimiter.then(|| Parsable { ending: !flag("parsable2"), delimiter: '|' }),
        no_header: flag("noheader"),
    };
    CommandOutput::text(format::table(&fields, &rows, style))
}

fn cell(controller: &Controller, assoc: &Association, depth: usize, fair_tree: bool, name: &str) -> String {
    let usage = controller.usage_of(assoc.id).cloned().unwrap_or_default();
    let root = assoc.parent == 0;
    let shares_parent = assoc.shares == Shares::Parent;
    match name {
        "Account" => format!("{}{}", " ".repeat(depth), assoc.account),
        "User" => assoc.user.clone().unwrap_or_default(),
        "Partition" => assoc.partition.clone().unwrap_or_default(),
        "RawShares" if root => String::new(),
        "RawShares" => match assoc.shares {
            Shares::Number(n) => n.to_string(),
            Shares::Parent => "parent".into(),
        },
        "NormShares" if root => if fair_tree { "0.000000" } else { "1.000000" }.into(),
        // One who shares the account's shares has the account's part.
        "NormShares" if shares_parent => {
            format!("{:.6}", controller.usage_of(assoc.parent).map_or(0.0, |usage| usage.norm_shares))
        }
        "NormShares" => format!("{:.6}", usage.norm_shares),
        "RawUsage" => (usage.raw as u64).to_string(),
        "NormUsage" if root => String::new(),
        "NormUsage" => format!("{:.6}", usage.norm),
        "EffectvUsage" if root => "1.000000".into(),
        "EffectvUsage" => format!("{:.6}", usage.effective),
        "FairShare" if root && !fair_tree => "0.500000".into(),
        "FairShare" if assoc.user.is_none() && fair_tree => String::new(),
        "FairShare" => format!("{:.6}", usage.factor),
        "LevelFS" if root || shares_parent => String::new(),
        "LevelFS" if usage.level.is_infinite() => "inf".into(),
        "LevelFS" => format!("{:.6}", usage.level),
        "GrpTRESMins" => assoc
            .limits
            .grp_tres_mins
            .iter()
            .map(|(name, n)| format!("{name}={n}"))
            .collect::<Vec<_>>()
            .join(","),
        "TRESRunMins" => run_minutes(controller, assoc),
        "Cluster" => controller.params.cluster.clone(),
        "ID" => assoc.id.to_string(),
        _ => String::new(),
    }
}

/// What running jobs will still use up to their limits, in TRES-minutes; brought up to date at each calc period.
fn run_minutes(controller: &Controller, assoc: &Association) -> String {
    let below = |job: &Job| controller.accounting.chain(job.assoc).any(|other| other.id == assoc.id);
    let running: Vec<&Job> = controller
        .jobs
        .active()
        .filter(|job| job.state.base == JobBase::Running && !job.state.is_completing() && below(job))
        .collect();
    let seconds_left = |job: &Job| {
        let limit =
            super::jobs::time_limit(controller, job).map_or(365 * 86_400, |minutes| i64::from(minutes) * 60);
        let counted = if job.charged > job.start { job.charged - job.start } else { 0 };
        u64::try_from(limit - counted).unwrap_or(0)
    };
    let base = ["cpu", "mem", "energy", "node", "billing", "fs/disk", "vmem", "pages"];
    let extra =
        controller.params.accounting_tres.iter().map(String::as_str).filter(|name| !base.contains(name));
    let parts = base.into_iter().chain(extra).map(|name| {
        let seconds: u64 = running
            .iter()
            .map(|job| job.alloc_tres.as_ref().map_or(0, |tres| tres.of(name)) * seconds_left(job))
            .sum();
        format!("{name}={}", seconds / 60)
    });
    parts.collect::<Vec<_>>().join(",")
}
