//! `sacctmgr`: reads and changes the accounting database.

mod modify;

use modify::modify;

use super::{Account, AccountingDb, AccountingUser, Limits, Qos, Shares, TresLimits, association};
use crate::slurm::commands::CommandOutput;
use crate::slurm::model::PreemptMode;
use crate::slurm::units;

/// Runs `sacctmgr` with these arguments (without the name itself) as a user; only root changes anything.
pub fn run(db: &mut AccountingDb, args: &[String], user: &str) -> CommandOutput {
    let words: Vec<&str> = args.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let may = user == "root";
    match words.as_slice() {
        ["add" | "create", what, rest @ ..] => add(db, what, rest, may),
        ["modify" | "set", what, rest @ ..] => modify(db, what, rest, may),
        ["delete" | "remove", what, rest @ ..] => delete(db, what, rest, may),
        ["list" | "show", what, rest @ ..] => {
            let parsable = args.iter().any(|arg| arg == "-P" || arg == "--parsable2");
            let no_header = args.iter().any(|arg| arg == "-n" || arg == "--noheader");
            let rest: Vec<&str> = rest.iter().copied().chain(no_header.then_some("noheader")).collect();
            crate::slurm::commands::show_accounting(db, what, &rest, parsable)
        }
        [] => CommandOutput::error("sacctmgr: not modelled: the interactive mode\n"),
        [other, ..] => CommandOutput::error(format!("sacctmgr: invalid keyword: {other}\n")),
    }
}

/// `key=value` of a word, the key in lower case; a word without `=` is a name.
fn pair(word: &str) -> (String, &str) {
    match word.split_once('=') {
        Some((key, value)) => (key.trim_end_matches(['+', '-']).to_ascii_lowercase(), value),
        None => (String::new(), word),
    }
}

fn names(value: &str) -> Vec<String> {
    value.split(',').filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect()
}

fn denied() -> CommandOutput {
    CommandOutput::error(
        "sacctmgr: error: Your user doesn't have privilege to perform this action\n Error with request: Access/permission denied\n",
    )
}

fn unknown(word: &str) -> CommandOutput {
    // Recorded: on standard output.
    CommandOutput {
        stdout: format!(" Unknown option: {word}\n Use keyword 'where' to modify condition\n"),
        code: 1,
        ..CommandOutput::default()
    }
}

/// The text of TRES as sacctmgr echoes it: memory with its unit.
pub(crate) fn tres_text(limits: &TresLimits) -> String {
    let text = |(name, count): &(String, u64)| {
        if name == "mem" { format!("mem={count}M") } else { format!("{name}={count}") }
    };
    limits.iter().map(text).collect::<Vec<_>>().join(",")
}

fn tres(value: &str) -> Option<TresLimits> {
    value
        .split(',')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, count) = part.split_once('=')?;
            let name = name.to_ascii_lowercase();
            let count = if name == "mem" { units::mebibytes(count)? } else { count.parse().ok()? };
            Some((name, count))
        })
        .collect()
}

fn count(value: &str) -> Option<Option<u32>> {
    if value == "-1" { Some(None) } else { value.parse().ok().map(Some) }
}

/// Sets a limit by its key; the line that sacctmgr echoes, or `None` for a key that is no limit, `Some(None)` for a bad value.
fn set_limit(limits: &mut Limits, key: &str, value: &str) -> Option<Option<(&'static str, String)>> {
    let amounts = |slot: &mut TresLimits, name| {
        tres(value).map(|amounts| {
            *slot = amounts;
            (name, tres_text(slot))
        })
    };
    let number = |slot: &mut Option<u32>, name| {
        count(value).map(|n| {
            *slot = n;
            (name, value.to_owned())
        })
    };
    let minutes = |slot: &mut Option<u32>, name| {
        if value == "-1" {
            *slot = None;
            return Some((name, "NONE".to_owned()));
        }
        units::minutes(value).map(|minutes| {
            *slot = Some(minutes);
            (name, units::clock(i64::from(minutes) * 60))
        })
    };
    Some(match key {
        "grptres" => amounts(&mut limits.grp_tres, "GrpTRES"),
        "grptresmins" => amounts(&mut limits.grp_tres_mins, "GrpTRESMins"),
        "grptresrunmins" => amounts(&mut limits.grp_tres_run_mins, "GrpTRESRunMins"),
        "maxtres" | "maxtresperjob" | "maxtrespj" => amounts(&mut limits.max_tres_per_job, "MaxTRESPerJob"),
        "maxtrespernode" | "maxtrespn" => amounts(&mut limits.max_tres_per_node, "MaxTRESPerNode"),
        "maxtresmins" | "maxtresminsperjob" | "maxtresminspj" => {
            amounts(&mut limits.max_tres_mins_per_job, "MaxTRESMinsPerJob")
        }
        "grpjobs" => number(&mut limits.grp_jobs, "GrpJobs"),
        "grpsubmitjobs" | "grpsubmit" => number(&mut limits.grp_submit_jobs, "GrpSubmitJobs"),
        "grpwall" => minutes(&mut limits.grp_wall, "GrpWall"),
        "maxwall" | "maxwalldurationperjob" | "maxwallpj" => minutes(&mut limits.max_wall, "MaxWall"),
        _ => return None,
    })
}

fn add(db: &mut AccountingDb, what: &str, words: &[&str], may: bool) -> CommandOutput {
    match what.to_ascii_lowercase().as_str() {
        "cluster" | "clusters" => add_cluster(db, words, may),
        "account" | "accounts" | "acct" => add_account(db, words, may),
        "user" | "users" => add_user(db, words, may),
        "qos" => add_qos(db, words, may),
        other => CommandOutput::error(format!(
            "No valid entity in add command\nInput line must include \"Account\", \"Cluster\", \"QOS\" or \"User\": {other}\n"
        )),
    }
}

fn add_cluster(db: &mut AccountingDb, words: &[&str], may: bool) -> CommandOutput {
    if !may {
        return denied();
    }
    let mut text = String::from(" Adding Cluster(s)\n");
    for word in words.iter().flat_map(|word| names(pair(word).1)) {
        text.push_str(&format!("  Name           = {word}\n"));
        db.clusters.push(word);
    }
    CommandOutput::text(text)
}

fn add_account(db: &mut AccountingDb, words: &[&str], may: bool) -> CommandOutput {
    let (mut names_given, mut parent) = (Vec::new(), "root".to_owned());
    let (mut description, mut organization) = (None, None);
    let mut shares: Option<Shares> = None;
    let mut limits = Limits::default();
    let mut echoed = Vec::new();
    for word in words {
        let (key, value) = pair(word);
        match key.as_str() {
            "" | "name" | "names" | "account" => names_given.extend(names(value)),
            "parent" | "parents" => parent = value.to_ascii_lowercase(),
            "description" => description = Some(value.to_ascii_lowercase()),
            "organization" => organization = Some(value.to_ascii_lowercase()),
            "fairshare" | "shares" => shares = value.parse().ok().map(Shares::Number),
            "cluster" | "clusters" => {}
            _ => match set_limit(&mut limits, &key, value) {
                Some(Some(line)) => echoed.push(line),
                _ => return unknown(word),
            },
        }
    }
    if names_given.is_empty() {
        return CommandOutput::error(" Need name of account to add.\n");
    }
    if !may {
        return denied();
    }
    let cluster = db.clusters.first().cloned().unwrap_or_default();
    let Some(above) = db
        .associations
        .iter()
        .find(|assoc| assoc.account == parent && assoc.user.is_none())
        .map(|assoc| assoc.id)
    else {
        return CommandOutput::error(format!(" Parent account '{parent}' doesn't exist.\n"));
    };
    names_given.retain(|name| !db.accounts.iter().any(|account| account.name == *name));
    if names_given.is_empty() {
        return CommandOutput::error(" Nothing new added.\n");
    }
    let mut text = String::from(" Adding Account(s)\n");
    for name in &names_given {
        text.push_str(&format!("  {name}\n"));
    }
    let first = &names_given[0];
    text.push_str(&format!(
        " Settings\n  Description     = {}\n  Organization    = {}\n Associations\n",
        description.as_deref().unwrap_or(first),
        organization.as_deref().unwrap_or(if parent == "root" { first } else { &parent })
    ));
    for name in &names_given {
        text.push_str(&format!("  A = {name:<10} C = {cluster:<10}\n"));
        db.accounts.push(Account {
            name: name.clone(),
            description: description.clone().unwrap_or_else(|| name.clone()),
            organization: organization.clone().unwrap_or_else(|| name.clone()),
        });
        let mut assoc = association(next_id(db), name, None, above);
        assoc.shares = shares.unwrap_or(Shares::Number(1));
        assoc.limits = limits.clone();
        db.associations.push(assoc);
    }
    text.push_str(" Settings\n");
    if let Some(Shares::Number(n)) = shares {
        text.push_str(&format!("  Fairshare     = {n}\n"));
    }
    for (key, value) in &echoed {
        text.push_str(&format!("  {key:<13} = {value}\n"));
    }
    text.push_str(&format!("  Parent        = {parent}\n"));
    CommandOutput::text(text)
}

fn add_user(db: &mut AccountingDb, words: &[&str], may: bool) -> CommandOutput {
    let (mut names_given, mut accounts) = (Vec::new(), Vec::new());
    let mut shares: Option<Shares> = None;
    let mut partition = None;
    let mut default_account = None;
    let mut admin = None;
    let mut limits = Limits::default();
    let mut echoed = Vec::new();
    for word in words {
        let (key, value) = pair(word);
        match key.as_str() {
            "" | "name" | "names" | "user" => names_given.extend(names(value)),
            "account" | "accounts" => accounts.extend(names(value)),
            "partition" | "partitions" => partition = Some(value.to_owned()),
            "defaultaccount" => default_account = Some(value.to_ascii_lowercase()),
            "adminlevel" | "admin" => admin = Some(value.to_owned()),
            "fairshare" | "shares" => {
                shares = if value.eq_ignore_ascii_case("parent") {
                    Some(Shares::Parent)
                } else {
                    value.parse().ok().map(Shares::Number)
                };
            }
            "cluster" | "clusters" => {}
            _ => match set_limit(&mut limits, &key, value) {
                Some(Some(line)) => echoed.push(line),
                _ => return unknown(word),
            },
        }
    }
    if names_given.is_empty() {
        return CommandOutput::error(" Need name of user to add.\n");
    }
    if accounts.is_empty() {
        accounts.extend(default_account.clone());
    }
    if accounts.is_empty() {
        return CommandOutput::error(" Need name of account to add user to.\n");
    }
    if !may {
        return denied();
    }
    let cluster = db.clusters.first().cloned().unwrap_or_default();
    for account in &accounts {
        if !db.accounts.iter().any(|known| known.name == *account) {
            return CommandOutput::error(format!(" No account named '{account}'\n"));
        }
    }
    let mut text = String::new();
    let new: Vec<&String> =
        names_given.iter().filter(|name| !db.users.iter().any(|user| user.name == **name)).collect();
    if !new.is_empty() {
        text.push_str(" Adding User(s)\n");
        for name in &new {
            text.push_str(&format!("  {name}\n"));
        }
    }
    text.push_str(" Associations =\n");
    let mut added = false;
    for name in &names_given {
        if !db.users.iter().any(|user| user.name == *name) {
            db.users.push(AccountingUser {
                name: name.clone(),
                default_account: default_account.clone().unwrap_or_else(|| accounts[0].clone()),
                admin: admin.clone().unwrap_or_else(|| "None".into()),
            });
        }
        for account in &accounts {
            let there = db.associations.iter().any(|assoc| {
                assoc.user.as_ref() == Some(name) && assoc.account == *account && assoc.partition == partition
            });
            if there {
                continue;
            }
            added = true;
            let above = db
                .associations
                .iter()
                .find(|assoc| assoc.account == *account && assoc.user.is_none())
                .map_or(1, |assoc| assoc.id);
            let mut assoc = association(next_id(db), account, Some(name), above);
            assoc.shares = shares.unwrap_or(Shares::Number(1));
            assoc.partition.clone_from(&partition);
            assoc.limits = limits.clone();
            db.associations.push(assoc);
            text.push_str(&format!("  U = {name:<9} A = {account:<10} C = {cluster:<10}\n"));
        }
    }
    if !added {
        return CommandOutput::error(" Nothing new added.\n");
    }
    text.push_str(" Non Default Settings\n");
    match shares {
        Some(Shares::Number(n)) => text.push_str(&format!("  Fairshare     = {n}\n")),
        Some(Shares::Parent) => text.push_str("  Fairshare     = parent\n"),
        None => {}
    }
    for (key, value) in &echoed {
        text.push_str(&format!("  {key:<13} = {value}\n"));
    }
    CommandOutput::text(text)
}

fn next_id(db: &AccountingDb) -> u32 {
    db.associations.last().map_or(1, |assoc| assoc.id + 1)
}

/// Sets a QOS's option; the line that sacctmgr echoes, `None` when it does not know the option or its value.
fn set_qos(qos: &mut Qos, key: &str, value: &str) -> Option<(&'static str, String)> {
    if let Some(line) = set_limit(&mut qos.limits, key, value) {
        return line;
    }
    let plain = || value.to_owned();
    let amounts = |slot: &mut TresLimits, name| {
        tres(value).map(|amounts| {
            *slot = amounts;
            (name, tres_text(slot))
        })
    };
    let number = |slot: &mut Option<u32>, name| {
        count(value).map(|n| {
            *slot = n;
            (name, plain())
        })
    };
    match key {
        "priority" => {
            qos.priority = value.parse().ok()?;
            Some(("Priority", plain()))
        }
        "preempt" => {
            qos.preempt = names(value);
            Some(("Preempt", plain()))
        }
        "preemptmode" => {
            qos.preempt_mode = match value.to_ascii_lowercase().as_str() {
                "cluster" => None,
                "off" => Some(PreemptMode::Off),
                "suspend" => Some(PreemptMode::Suspend),
                "requeue" => Some(PreemptMode::Requeue),
                "cancel" => Some(PreemptMode::Cancel),
                _ => return None,
            };
            Some(("PreemptMode", value.to_ascii_uppercase()))
        }
        "preemptexempttime" => {
            let seconds = units::seconds(value)?;
            qos.preempt_exempt_time = u32::try_from(seconds).ok();
            Some(("PreemptExemptTime", units::clock(seconds)))
        }
        "gracetime" => {
            qos.grace_time =
                value.parse().ok().or_else(|| units::seconds(value).and_then(|s| u32::try_from(s).ok()))?;
            Some(("GraceTime", units::clock(i64::from(qos.grace_time))))
        }
        "usagefactor" => {
            qos.usage_factor = value.parse().ok()?;
            Some(("UsageFactor", format!("{:.4}", qos.usage_factor)))
        }
        "usagethreshold" => {
            qos.usage_threshold = Some(value.parse().ok()?);
            Some(("UsageThreshold", plain()))
        }
        "flags" => {
            qos.flags = value.split(',').map(str::to_owned).collect();
            Some(("Flags", plain()))
        }
        "description" => {
            qos.description = value.to_ascii_lowercase();
            None.or(Some(("Description", qos.description.clone())))
        }
        "maxtresperuser" | "maxtrespu" => amounts(&mut qos.max_tres_per_user, "MaxTRESPerUser"),
        "maxtresperaccount" | "maxtrespa" => amounts(&mut qos.max_tres_per_account, "MaxTRESPerAccount"),
        "mintres" | "mintresperjob" => amounts(&mut qos.min_tres_per_job, "MinTRESPerJob"),
        "maxjobsperuser" | "maxjobspu" => number(&mut qos.max_jobs_per_user, "MaxJobsPerUser"),
        "maxjobsperaccount" | "maxjobspa" => number(&mut qos.max_jobs_per_account, "MaxJobsPerAccount"),
        "maxsubmitjobsperuser" | "maxsubmitjobspu" | "maxsubmitpu" => {
            number(&mut qos.max_submit_jobs_per_user, "MaxSubmitJobsPerUser")
        }
        "maxsubmitjobsperaccount" | "maxsubmitjobspa" | "maxsubmitpa" => {
            number(&mut qos.max_submit_jobs_per_account, "MaxSubmitJobsPerAccount")
        }
        _ => None,
    }
}

/// `GrpTRES                  = …`, but short for the first group of options (observed).
fn qos_line((key, value): &(&'static str, String)) -> String {
    if matches!(*key, "Description" | "GraceTime" | "MaxJobsPerUser" | "Flags") {
        format!("  {key:<14} = {value}\n")
    } else {
        format!("  {key:<24} = {value}\n")
    }
}

fn position(echoed: &[(&'static str, String)], key: &str) -> Option<usize> {
    echoed.iter().position(|(other, _)| *other == key)
}

fn add_qos(db: &mut AccountingDb, words: &[&str], may: bool) -> CommandOutput {
    let mut names_given = Vec::new();
    let mut qos = Qos::new(0, "");
    let mut echoed = Vec::new();
    for word in words {
        let (key, value) = pair(word);
        if matches!(key.as_str(), "" | "name" | "names" | "qos") {
            names_given.extend(names(value));
        } else {
            match set_qos(&mut qos, &key, value) {
                Some(line) => echoed.push(line),
                None => return unknown(word),
            }
        }
    }
    if names_given.is_empty() {
        return CommandOutput::error(" Need name of qos to add.\n");
    }
    if !may {
        return denied();
    }
    if names_given.iter().all(|name| db.qos(name).is_some()) {
        return CommandOutput::error(" Nothing new added.\n");
    }
    let mut text = String::from(" Adding QOS(s)\n");
    for name in &names_given {
        text.push_str(&format!("  {name}\n"));
        let id = db.qos.last().map_or(1, |qos| qos.id + 1);
        db.qos.push(Qos { id, name: name.clone(), description: name.clone(), ..qos.clone() });
    }
    text.push_str(&format!(" Settings\n  Description    = {}\n", names_given[0]));
    // Echoed in an order of its own, not as typed.
    echoed.sort_by_key(|(key, _)| {
        ["Description", "Flags", "GraceTime"].iter().position(|first| first == key).unwrap_or(9)
    });
    if let (Some(preempt), Some(priority)) = (position(&echoed, "Preempt"), position(&echoed, "Priority"))
        && priority < preempt
    {
        echoed.swap(preempt, priority);
    }
    echoed.iter().for_each(|line| text.push_str(&qos_line(line)));
    CommandOutput::text(text)
}

/// Words before `set` choose, words after it change (or the other way round with `where`).
fn split_where<'a>(words: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut chosen, mut changes) = (Vec::new(), Vec::new());
    let mut setting = false;
    for word in words {
        if word.eq_ignore_ascii_case("set") {
            setting = true;
        } else if word.eq_ignore_ascii_case("where") {
            setting = false;
        } else if setting {
            changes.push(*word);
        } else {
            chosen.push(*word);
        }
    }
    (chosen, changes)
}

fn delete(db: &mut AccountingDb, what: &str, words: &[&str], may: bool) -> CommandOutput {
    if !may {
        return denied();
    }
    let (chosen, _) = split_where(words);
    let wanted: Vec<String> = chosen.iter().flat_map(|word| names(pair(word).1)).collect();
    let nothing = CommandOutput { stdout: " Nothing deleted\n".into(), ..CommandOutput::default() };
    match what.to_ascii_lowercase().as_str() {
        "qos" => {
            let gone: Vec<String> =
                db.qos.iter().map(|qos| qos.name.clone()).filter(|name| wanted.contains(name)).collect();
            db.qos.retain(|qos| !wanted.contains(&qos.name));
            if gone.is_empty() {
                nothing
            } else {
                CommandOutput::text(format!(" Deleting QOS(s)...\n{}", lines(&gone)))
            }
        }
        "user" | "users" => {
            let gone: Vec<String> =
                db.users.iter().map(|user| user.name.clone()).filter(|name| wanted.contains(name)).collect();
            db.users.retain(|user| !wanted.contains(&user.name));
            db.associations.retain(|assoc| !assoc.user.as_ref().is_some_and(|user| wanted.contains(user)));
            if gone.is_empty() {
                nothing
            } else {
                CommandOutput::text(format!(" Deleting users...\n{}", lines(&gone)))
            }
        }
        "account" | "accounts" => {
            let gone: Vec<String> = db
                .accounts
                .iter()
                .map(|account| account.name.clone())
                .filter(|name| wanted.contains(name) && name != "root")
                .collect();
            db.accounts.retain(|account| !gone.contains(&account.name));
            db.associations.retain(|assoc| !gone.contains(&assoc.account));
            if gone.is_empty() {
                nothing
            } else {
                CommandOutput::text(format!(" Deleting accounts...\n{}", lines(&gone)))
            }
        }
        other => CommandOutput::error(format!("No valid entity in delete command: {other}\n")),
    }
}

fn lines(names: &[String]) -> String {
    names.iter().map(|name| format!("  {name}\n")).collect()
}
