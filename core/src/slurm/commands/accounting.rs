//! `sacctmgr list`: tables of the accounting database.

use super::CommandOutput;
use super::format::{self, Field, Parsable, TableStyle, field};
use crate::slurm::accounting::{AccountingDb, Association, Limits, Qos, Shares, TresLimits};
use crate::slurm::model::PreemptMode;
use crate::slurm::units::clock;

const ASSOCIATIONS: [Field; 24] = [
    field("Cluster", 10),
    field("Account", 10),
    field("User", 10),
    field("Partition", 10),
    field("Share", 9),
    field("Priority", 10),
    field("GrpJobs", 7),
    field("GrpTRES", 13),
    field("GrpSubmit", 9),
    field("GrpWall", 11),
    field("GrpTRESMins", 13),
    field("MaxJobs", 7),
    field("MaxTRES", 13),
    field("MaxTRESPerNode", 14),
    field("MaxSubmit", 9),
    field("MaxWall", 11),
    field("MaxTRESMins", 13),
    field("QOS", 20),
    field("Def QOS", 9),
    field("GrpTRESRunMins", 13),
    field("ID", 6),
    field("ParentName", 10),
    field("ParentID", 8),
    field("Fairshare", 9),
];

const QOS: [Field; 28] = [
    field("Name", 10),
    field("Priority", 10),
    field("GraceTime", 10),
    field("Preempt", 10),
    field("PreemptExemptTime", 19),
    field("PreemptMode", 11),
    field("Flags", 40),
    field("UsageThres", 10),
    field("UsageFactor", 11),
    field("GrpTRES", 13),
    field("GrpTRESMins", 13),
    field("GrpTRESRunMins", 13),
    field("GrpJobs", 7),
    field("GrpSubmit", 9),
    field("GrpWall", 11),
    field("MaxTRES", 13),
    field("MaxTRESPerNode", 14),
    field("MaxTRESMins", 13),
    field("MaxWall", 11),
    field("MaxTRESPU", 13),
    field("MaxJobsPU", 9),
    field("MaxSubmitPU", 11),
    field("MaxTRESPA", 13),
    field("MaxJobsPA", 9),
    field("MaxSubmitPA", 11),
    field("MinTRES", 13),
    field("Descr", 20),
    field("ID", 6),
];

const CLUSTERS: [Field; 14] = [
    field("Cluster", 10),
    field("ControlHost", 15),
    field("ControlPort", 12),
    field("RPC", 5),
    field("Share", 9),
    field("GrpJobs", 7),
    field("GrpTRES", 13),
    field("GrpSubmit", 9),
    field("MaxJobs", 7),
    field("MaxTRES", 13),
    field("MaxSubmit", 9),
    field("MaxWall", 11),
    field("QOS", 20),
    field("Def QOS", 9),
];

const USERS: [Field; 3] = [field("User", 10), field("Def Acct", 10), field("Admin", 9)];
const ACCOUNTS: [Field; 3] = [field("Account", 10), field("Descr", 20), field("Org", 20)];
const TRES: [Field; 3] = [field("Type", 8), field("Name", 15), field("ID", 6)];

/// A cell of a row by the name of its field.
type Cells<'a> = Box<dyn Fn(&str) -> String + 'a>;

/// Prints what `sacctmgr list WHAT` prints; `words` are conditions (`user=alice`), `format=…`, `tree`, `noheader`.
pub(crate) fn show_accounting(
    db: &AccountingDb,
    what: &str,
    words: &[&str],
    parsable: bool,
) -> CommandOutput {
    let what = what.to_ascii_lowercase();
    let mut conditions: Vec<(String, Vec<String>)> = Vec::new();
    let (mut names, mut tree, mut no_header) = (None, false, false);
    for word in words {
        match word.split_once('=') {
            Some((name, value)) if "format".starts_with(&name.to_ascii_lowercase()) && name.len() > 1 => {
                names = Some(value.to_owned());
            }
            Some((name, value)) => conditions.push((name.to_ascii_lowercase(), format::words(value))),
            None if word.eq_ignore_ascii_case("tree") => tree = true,
            None if word.eq_ignore_ascii_case("where") => {}
            None if word.eq_ignore_ascii_case("noheader") => no_header = true,
            None if word.to_ascii_lowercase().starts_with("with") => {
                return CommandOutput::error(format!("sacctmgr: not modelled: list {what} {word}\n"));
            }
            // A bare word names what is listed.
            None => conditions.push(("name".into(), format::words(word))),
        }
    }
    let is = |long: &str, least: usize| what.len() >= least && long.starts_with(&what);
    let (fields, default, rows): (&[Field], usize, Vec<Cells<'_>>) = if is("associations", 2) {
        (&ASSOCIATIONS, 20, associations(db, tree))
    } else if is("qos", 1) {
        (
            &QOS,
            26,
            db.qos.iter().map(|qos| -> Cells<'_> { Box::new(move |name| qos_cell(qos, name)) }).collect(),
        )
    } else if is("clusters", 2) {
        (
            &CLUSTERS,
            14,
            db.clusters
                .iter()
                .map(|cluster| -> Cells<'_> { Box::new(move |name| cluster_cell(cluster, name)) })
                .collect(),
        )
    } else if is("users", 1) {
        let mut users: Vec<_> = db.users.iter().collect();
        users.sort_by(|a, b| a.name.cmp(&b.name));
        (
            &USERS,
            3,
            users
                .into_iter()
                .map(|user| -> Cells<'_> {
                    Box::new(move |name| match name {
                        "User" => user.name.clone(),
                        "Def Acct" => user.default_account.clone(),
                        _ => user.admin.clone(),
                    })
                })
                .collect(),
        )
    } else if is("accounts", 2) {
        let mut accounts: Vec<_> = db.accounts.iter().collect();
        accounts.sort_by(|a, b| a.name.cmp(&b.name));
        (
            &ACCOUNTS,
            3,
            accounts
                .into_iter()
                .map(|account| -> Cells<'_> {
                    Box::new(move |name| match name {
                        "Account" => account.name.clone(),
                        "Descr" => account.description.clone(),
                        _ => account.organization.clone(),
                    })
                })
                .collect(),
        )
    } else if is("tres", 1) {
        (&TRES, 3, tres())
    } else {
        return CommandOutput::error(format!("sacctmgr: not modelled: list {what}\n"));
    };
    let chosen = match &names {
        None => fields[..default].to_vec(),
        Some(names) => match format::choose(fields, names) {
            Ok(chosen) => chosen,
            Err(name) => {
                return CommandOutput::error(format!(" Unknown field '{name}'\n"));
            }
        },
    };
    let column_of = |condition: &str| match condition {
        "name" | "names" => fields[0].name,
        other if "accounts".starts_with(other) => "Account",
        other if "users".starts_with(other) => "User",
        other if "clusters".starts_with(other) => "Cluster",
        other if "partitions".starts_with(other) => "Partition",
        _ => "",
    };
    for (name, _) in &conditions {
        if !fields.iter().any(|field| field.name == column_of(name)) {
            return CommandOutput::error(format!(" Unknown condition: {name}\n"));
        }
    }
    let kept = rows.iter().filter(|cell| {
        conditions.iter().all(|(name, values)| values.contains(&cell(column_of(name)).trim().to_owned()))
    });
    let cells: Vec<Vec<String>> =
        kept.map(|cell| chosen.iter().map(|field| cell(field.name)).collect()).collect();
    let style =
        TableStyle { parsable: parsable.then_some(Parsable { ending: false, delimiter: '|' }), no_header };
    CommandOutput::text(format::table(&chosen, &cells, style))
}

/// Associations below their accounts: users before accounts, by name.
fn associations(db: &AccountingDb, tree: bool) -> Vec<Cells<'_>> {
    let mut rows: Vec<Cells<'_>> = Vec::new();
    let mut todo: Vec<(u32, usize)> = vec![(1, 0)];
    while let Some((id, depth)) = todo.pop() {
        let mut below: Vec<&Association> =
            db.associations.iter().filter(|assoc| assoc.parent == id && assoc.id != id).collect();
        below.sort_by_key(|assoc| {
            (
                assoc.user.is_none(),
                assoc.user.clone().unwrap_or_else(|| assoc.account.clone()),
                assoc.partition.clone(),
            )
        });
        todo.extend(below.into_iter().rev().map(|assoc| (assoc.id, depth + 1)));
        let Some(assoc) = db.association(id) else { continue };
        // In a tree an account's name is moved in by its depth, a user's line by that of its account's children.
        let indent = if tree { depth } else { 0 };
        rows.push(Box::new(move |name| association_cell(db, assoc, indent, name)));
    }
    rows
}

fn association_cell(db: &AccountingDb, assoc: &Association, indent: usize, name: &str) -> String {
    let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    match name {
        "Cluster" => db.clusters.first().cloned().unwrap_or_default(),
        "Account" => format!("{}{}", " ".repeat(indent), assoc.account),
        "User" => assoc.user.clone().unwrap_or_default(),
        "Partition" => assoc.partition.clone().unwrap_or_default(),
        "Share" | "Fairshare" => match assoc.shares {
            Shares::Number(n) => n.to_string(),
            Shares::Parent => "parent".into(),
        },
        "Priority" => number(assoc.priority),
        "MaxJobs" => number(assoc.max_jobs),
        "MaxSubmit" => number(assoc.max_submit_jobs),
        "QOS" => db.qos_of(assoc.id).join(","),
        "Def QOS" => assoc.default_qos.clone().unwrap_or_default(),
        "ID" => assoc.id.to_string(),
        "ParentID" => {
            if assoc.parent == 0 {
                String::new()
            } else {
                assoc.parent.to_string()
            }
        }
        "ParentName" if assoc.user.is_none() => {
            db.association(assoc.parent).map_or_else(String::new, |parent| parent.account.clone())
        }
        other => limit_cell(&assoc.limits, other),
    }
}

fn limit_cell(limits: &Limits, name: &str) -> String {
    let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    let wall =
        |minutes: Option<u32>| minutes.map_or_else(String::new, |minutes| clock(i64::from(minutes) * 60));
    match name {
        "GrpJobs" => number(limits.grp_jobs),
        "GrpSubmit" => number(limits.grp_submit_jobs),
        "GrpTRES" => tres_limits(&limits.grp_tres),
        "GrpTRESMins" => tres_limits(&limits.grp_tres_mins),
        "GrpTRESRunMins" => tres_limits(&limits.grp_tres_run_mins),
        "GrpWall" => wall(limits.grp_wall),
        "MaxTRES" => tres_limits(&limits.max_tres_per_job),
        "MaxTRESPerNode" => tres_limits(&limits.max_tres_per_node),
        "MaxTRESMins" => tres_limits(&limits.max_tres_mins_per_job),
        "MaxWall" => wall(limits.max_wall),
        _ => String::new(),
    }
}

fn tres_limits(limits: &TresLimits) -> String {
    limits
        .iter()
        .map(
            |(name, n)| {
                if name == "mem" { format!("mem={}", format::mebibytes(*n)) } else { format!("{name}={n}") }
            },
        )
        .collect::<Vec<_>>()
        .join(",")
}

fn qos_cell(qos: &Qos, name: &str) -> String {
    let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    match name {
        "Name" => qos.name.clone(),
        "Descr" => qos.description.clone(),
        "ID" => qos.id.to_string(),
        "Priority" => qos.priority.to_string(),
        "GraceTime" => clock(i64::from(qos.grace_time)),
        "Preempt" => qos.preempt.join(","),
        "PreemptExemptTime" => {
            qos.preempt_exempt_time.map_or_else(String::new, |seconds| clock(i64::from(seconds)))
        }
        "PreemptMode" => match qos.preempt_mode {
            None => "cluster",
            Some(PreemptMode::Off) => "OFF",
            Some(PreemptMode::Suspend) => "suspend",
            Some(PreemptMode::Requeue) => "requeue",
            Some(PreemptMode::Cancel) => "cancel",
        }
        .into(),
        "Flags" => qos.flags.join(","),
        "UsageThres" => qos.usage_threshold.map_or_else(String::new, |value| format!("{value:.6}")),
        "UsageFactor" => format!("{:.6}", qos.usage_factor),
        "MaxTRESPU" => tres_limits(&qos.max_tres_per_user),
        "MaxTRESPA" => tres_limits(&qos.max_tres_per_account),
        "MinTRES" => tres_limits(&qos.min_tres_per_job),
        "MaxJobsPU" => number(qos.max_jobs_per_user),
        "MaxJobsPA" => number(qos.max_jobs_per_account),
        "MaxSubmitPU" => number(qos.max_submit_jobs_per_user),
        "MaxSubmitPA" => number(qos.max_submit_jobs_per_account),
        other => limit_cell(&qos.limits, other),
    }
}

fn cluster_cell(cluster: &str, name: &str) -> String {
    match name {
        "Cluster" => cluster.to_owned(),
        "ControlHost" => "127.0.0.1".into(),
        "ControlPort" => "6817".into(),
        // The version of the protocol of 22.05.
        "RPC" => "9728".into(),
        "Share" => "1".into(),
        "QOS" => "normal".into(),
        _ => String::new(),
    }
}

/// TRES that every database has, with their ids.
fn tres() -> Vec<Cells<'static>> {
    let known = [
        ("cpu", 1),
        ("mem", 2),
        ("energy", 3),
        ("node", 4),
        ("billing", 5),
        ("fs/disk", 6),
        ("vmem", 7),
        ("pages", 8),
    ];
    known
        .into_iter()
        .map(|(tres, id)| -> Cells<'static> {
            let (kind, of) = tres.split_once('/').unwrap_or((tres, ""));
            Box::new(move |name| match name {
                "Type" => kind.to_owned(),
                "Name" => of.to_owned(),
                _ => id.to_string(),
            })
        })
        .collect()
}
