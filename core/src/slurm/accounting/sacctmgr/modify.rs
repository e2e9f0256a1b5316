//! `sacctmgr modify`: what of associations and QOS is changed, and what is said about it.

use super::{count, denied, names, pair, set_limit, set_qos, split_where, unknown};
use crate::slurm::accounting::{AccountingDb, Association, Limits, Shares};
use crate::slurm::commands::CommandOutput;

pub(super) fn modify(db: &mut AccountingDb, what: &str, words: &[&str], may: bool) -> CommandOutput {
    let (chosen, changes) = split_where(words);
    if changes.is_empty() {
        return CommandOutput::error(" You didn't give me anything to set\n");
    }
    if !may {
        return denied();
    }
    match what.to_ascii_lowercase().as_str() {
        "account" | "accounts" | "user" | "users" => {
            modify_associations(db, what.to_ascii_lowercase().starts_with('u'), &chosen, &changes)
        }
        "qos" => modify_qos(db, &chosen, &changes),
        other => CommandOutput::error(format!("No valid entity in modify command: {other}\n")),
    }
}

fn modify_qos(db: &mut AccountingDb, chosen: &[&str], changes: &[&str]) -> CommandOutput {
    let wanted: Vec<String> = chosen.iter().flat_map(|word| names(pair(word).1)).collect();
    let mut copy = db.clone();
    let mut text = String::from(" Modified qos...\n");
    let mut any = false;
    for qos in copy.qos.iter_mut().filter(|qos| wanted.is_empty() || wanted.contains(&qos.name)) {
        for word in changes {
            let (key, value) = pair(word);
            if set_qos(qos, &key, value).is_none() {
                return unknown(word);
            }
        }
        any = true;
        text.push_str(&format!("  {}\n", qos.name));
    }
    if !any {
        return CommandOutput::error(" Nothing modified\n");
    }
    *db = copy;
    CommandOutput::text(text)
}

fn modify_associations(
    db: &mut AccountingDb,
    users: bool,
    chosen: &[&str],
    changes: &[&str],
) -> CommandOutput {
    let (mut who, mut accounts) = (Vec::new(), Vec::new());
    for word in chosen {
        let (key, value) = pair(word);
        match key.as_str() {
            "" | "name" | "names" if users => who.extend(names(value)),
            "" | "name" | "names" => accounts.extend(names(value)),
            "user" | "users" => who.extend(names(value)),
            "account" | "accounts" => accounts.extend(names(value)),
            "cluster" | "clusters" => {}
            _ => return CommandOutput::error(format!(" Unknown condition: {word}\n")),
        }
    }
    let cluster = db.clusters.first().cloned().unwrap_or_default();
    let mut copy = db.clone();
    let mut text = String::from(if users {
        " Modified user associations...\n"
    } else {
        " Modified account associations...\n"
    });
    let mut any = false;
    for assoc in &mut copy.associations {
        let matches = match &assoc.user {
            Some(user) => {
                users
                    && (who.is_empty() || who.contains(user))
                    && (accounts.is_empty() || accounts.contains(&assoc.account))
            }
            None => !users && (accounts.is_empty() || accounts.contains(&assoc.account)),
        };
        if !matches {
            continue;
        }
        for word in changes {
            let (key, value) = pair(word);
            let add = word.split_once('=').is_some_and(|(key, _)| key.ends_with('+'));
            let take = word.split_once('=').is_some_and(|(key, _)| key.ends_with('-'));
            match key.as_str() {
                "fairshare" | "shares" => {
                    assoc.shares = if value.eq_ignore_ascii_case("parent") {
                        Shares::Parent
                    } else {
                        match value.parse() {
                            Ok(n) => Shares::Number(n),
                            Err(_) => return unknown(word),
                        }
                    };
                }
                "qos" | "qoslevel" => {
                    let given = names(value);
                    if let Some(bad) = given.iter().find(|name| !db.qos.iter().any(|qos| qos.name == **name))
                    {
                        return CommandOutput::error(format!(
                            "sacctmgr: error: You gave a bad qos '{bad}'. Valid QOS's are\n"
                        ));
                    }
                    let mut list = assoc.qos.clone().unwrap_or_default();
                    if add {
                        list.extend(given);
                    } else if take {
                        list.retain(|name| !given.contains(name));
                    } else {
                        list = given;
                    }
                    assoc.qos = Some(list);
                }
                "defaultqos" => assoc.default_qos = Some(value.to_ascii_lowercase()),
                "priority" => assoc.priority = value.parse().ok(),
                "maxjobs" => assoc.max_jobs = count(value).flatten(),
                "maxsubmitjobs" | "maxsubmit" => assoc.max_submit_jobs = count(value).flatten(),
                _ => match set_limit(&mut assoc.limits, &key, value) {
                    Some(Some(_)) => {}
                    _ => return unknown(word),
                },
            }
        }
        any = true;
        text.push_str(&modified(db, &cluster, assoc));
        if !users {
            // Those below that have no value of their own change with it, the latest first (recorded).
            let heirs = db.associations.iter().rev().filter(|heir| {
                db.chain(heir.id).skip(1).any(|above| above.id == assoc.id) && inherits(heir, changes)
            });
            heirs.for_each(|heir| text.push_str(&modified(db, &cluster, heir)));
        }
    }
    if !any {
        return CommandOutput::error(" Nothing modified\n");
    }
    *db = copy;
    CommandOutput::text(text)
}

/// The line about a changed association.
fn modified(db: &AccountingDb, cluster: &str, assoc: &Association) -> String {
    match &assoc.user {
        Some(user) => format!("  C = {cluster:<10} A = {:<20} U = {user:<9}\n", assoc.account),
        None => {
            format!("  C = {cluster:<10} A = {} of {}\n", assoc.account, parent_name(db, assoc.parent))
        }
    }
}

/// Whether an association takes one of the changed values from the account above; group limits are not inherited.
fn inherits(heir: &Association, changes: &[&str]) -> bool {
    changes.iter().any(|word| match pair(word).0.as_str() {
        "priority" => heir.priority.is_none(),
        "maxjobs" => heir.max_jobs.is_none(),
        "maxsubmitjobs" | "maxsubmit" => heir.max_submit_jobs.is_none(),
        "qos" | "qoslevel" => heir.qos.is_none(),
        "defaultqos" => heir.default_qos.is_none(),
        key => key.starts_with("max") && heir.limits == Limits::default(),
    })
}

fn parent_name(db: &AccountingDb, id: u32) -> String {
    db.association(id).map_or_else(|| "root".into(), |assoc| assoc.account.clone())
}
