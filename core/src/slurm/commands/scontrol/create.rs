//! `scontrol create reservation` and `delete`.

use super::{expand, pair};
use crate::slurm::commands::{CommandOutput, Session, times};
use crate::slurm::controller::{Controller, Reservation, ReservationFlags};
use crate::slurm::error::SlurmError;
use crate::slurm::model::Bits;
use crate::slurm::units;

pub(super) fn create(controller: &mut Controller, session: &Session<'_>, words: &[&str]) -> CommandOutput {
    let kind = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    let (kind, rest) = if kind.starts_with("res") {
        ("reservation", words.get(usize::from(!kind.contains('='))..).unwrap_or_default())
    } else {
        (kind.as_str(), words)
    };
    if kind != "reservation" {
        return CommandOutput::error(format!(
            "scontrol: error: Invalid input: {}  Request aborted\n",
            words.first().copied().unwrap_or_default()
        ));
    }
    match reservation(controller, session, rest) {
        Ok(name) => CommandOutput::text(format!("Reservation created: {name}\n")),
        Err(text) => CommandOutput::error(text),
    }
}

fn reservation(controller: &mut Controller, session: &Session<'_>, words: &[&str]) -> Result<String, String> {
    let now = controller.time();
    let refused = |error: SlurmError| format!("Error creating the reservation: {error}\n");
    let mut made = Reservation {
        id: 0,
        name: String::new(),
        start: 0,
        end: 0,
        duration: 0,
        nodes: Bits::new(),
        users: Vec::new(),
        accounts: Vec::new(),
        groups: Vec::new(),
        partition: None,
        features: None,
        licenses: None,
        flags: ReservationFlags::default(),
    };
    let (mut count, mut nodes) = (None, None);
    for word in words {
        let Some((key, value)) = pair(word) else {
            return Err(format!("scontrol: error: Unknown parameter {word}\n"));
        };
        let list = || value.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        match key.as_str() {
            "reservationname" | "reservation" | "name" => value.clone_into(&mut made.name),
            "starttime" => {
                made.start = times::parse(value, now).map_err(|at| format!("Invalid time specification (pos={at}): {value}\nscontrol: error: Invalid start time: {value}\n"))?;
            }
            "endtime" => {
                made.end = times::parse(value, now).map_err(|at| format!("Invalid time specification (pos={at}): {value}\nscontrol: error: Invalid end time: {value}\n"))?;
            }
            "duration" => {
                made.duration =
                    if value.eq_ignore_ascii_case("infinite") || value.eq_ignore_ascii_case("unlimited") {
                        365 * 24 * 60
                    } else {
                        units::minutes(value)
                            .ok_or_else(|| format!("scontrol: error: Invalid duration {value}\n"))?
                    };
            }
            "nodes" => nodes = Some(value.to_owned()),
            "nodecnt" | "nodecount" => {
                count = Some(
                    value
                        .parse::<usize>()
                        .map_err(|_| format!("scontrol: error: Invalid node count {value}\n"))?,
                );
            }
            "users" => made.users = list(),
            "accounts" => made.accounts = list(),
            "groups" => made.groups = list(),
            "partitionname" | "partition" => made.partition = Some(value.to_owned()),
            "features" => made.features = Some(value.to_owned()),
            "licenses" => made.licenses = Some(value.to_owned()),
            "flags" => flags(&mut made.flags, value)?,
            "corecnt" | "tres" | "burstbuffer" | "maxstartdelay" | "watts" => {
                return Err(format!("not modelled: reservation with {key}\n"));
            }
            _ => {
                return Err(format!("scontrol: error: Unknown parameter {word}.  No reservation created.\n"));
            }
        }
    }
    if made.start == 0 {
        return Err("scontrol: error: A start time must be given.  No reservation created.\n".into());
    }
    if made.duration == 0 && made.end == 0 {
        return Err(
            "scontrol: error: An end time or duration must be given.  No reservation created.\n".into()
        );
    }
    if nodes.is_none()
        && count.is_none()
        && made.features.is_none()
        && made.partition.is_none()
        && made.licenses.is_none()
    {
        return Err(
            "scontrol: error: Nodes, NodeCnt, or CoreCnt must be specified. No reservation created.\n".into(),
        );
    }
    if made.users.is_empty() && made.accounts.is_empty() && made.groups.is_empty() {
        return Err("scontrol: error: Either Users/Groups and/or Accounts must be specified.  No reservation created.\n".into());
    }
    if session.uid != 0 {
        return Err(refused(SlurmError::InvalidUser));
    }
    if made.users.iter().any(|name| controller.users.by_name(name).is_none()) {
        return Err(refused(SlurmError::InvalidUser));
    }
    if let Some(name) = &made.partition
        && controller.partition(name).is_none()
    {
        return Err(refused(SlurmError::InvalidPartition));
    }
    if made.end == 0 {
        made.end = made.start + i64::from(made.duration) * 60;
    }
    if made.end <= made.start || made.start + 60 < now {
        return Err(refused(SlurmError::InvalidTimeValue));
    }
    controller
        .choose_reserved(&mut made, nodes.as_deref().map(|list| (list, expand(list))), count)
        .map_err(refused)?;
    if made.name.is_empty() {
        let who =
            made.users.first().or(made.accounts.first()).or(made.groups.first()).cloned().unwrap_or_default();
        made.name = format!("{who}_{}", controller.next_reservation_id());
    }
    if controller.reservations.iter().any(|other| other.name == made.name) {
        return Err(refused(SlurmError::ReservationInvalid));
    }
    let name = made.name.clone();
    controller.add_reservation(made);
    Ok(name)
}

/// The words of `flags=`.
pub(super) fn flags(flags: &mut ReservationFlags, text: &str) -> Result<(), String> {
    for word in text.split(',') {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        match name.to_ascii_lowercase().as_str() {
            "maint" => flags.maint = true,
            "ignore_jobs" => flags.ignore_jobs = true,
            "overlap" => flags.overlap = true,
            "spec_nodes" => flags.spec_nodes = true,
            "any_nodes" | "any" => flags.any_nodes = true,
            "flex" => flags.flex = true,
            "daily" => flags.daily = true,
            "weekly" => flags.weekly = true,
            "static_alloc" | "static" => flags.static_alloc = true,
            "part_nodes" => flags.part_nodes = true,
            "first_cores" => flags.first_cores = true,
            "purge_comp" => {
                flags.purge =
                    Some(value.and_then(units::seconds).and_then(|s| u32::try_from(s).ok()).unwrap_or(300));
            }
            other => {
                return Err(format!(
                    "scontrol: error: Error parsing flags {other}.  No reservation created.\n"
                ));
            }
        }
    }
    Ok(())
}

pub(super) fn delete(controller: &mut Controller, session: &Session<'_>, words: &[&str]) -> CommandOutput {
    let named = words.iter().find_map(|word| pair(word).map(|(key, value)| (key, value.to_owned(), *word)));
    let named = named.or_else(|| match words {
        [kind, name] => Some((kind.to_ascii_lowercase(), (*name).to_owned(), *kind)),
        _ => None,
    });
    let Some((key, name, word)) = named else { return CommandOutput::error("Invalid input\n") };
    if key.starts_with("reservation") {
        let result = if session.uid == 0 {
            controller.delete_reservation(&name)
        } else {
            Err(SlurmError::InvalidUser)
        };
        return match result {
            Ok(()) => CommandOutput::default(),
            Err(error) => CommandOutput::error(format!("delete_reservation {word}: {error}\n")),
        };
    }
    CommandOutput::error(format!("not modelled: scontrol delete {key}\n"))
}
