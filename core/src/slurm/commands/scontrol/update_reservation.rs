//! `scontrol update reservationname=`.

use super::create::flags;
use super::{expand, pair};
use crate::slurm::commands::{CommandOutput, Session, times};
use crate::slurm::controller::{Controller, Reservation, ReservationFlags};
use crate::slurm::error::SlurmError;
use crate::slurm::{hostlist, units};

pub(super) fn update(
    controller: &mut Controller,
    session: &Session<'_>,
    name: &str,
    words: &[&str],
) -> CommandOutput {
    match changed(controller, session, name, words) {
        Ok(()) => CommandOutput::text("Reservation updated.\n"),
        Err(text) => CommandOutput::error(text),
    }
}

/// A list of names that a value replaces, adds to (`users+=bob`) or takes from (`users-=bob`, `users=-bob`).
fn edit(list: &mut Vec<String>, sign: Option<char>, value: &str) {
    let names = value.split(',').filter(|name| !name.is_empty());
    let marked = |name: &str| name.starts_with(['+', '-']);
    if sign.is_none() && !value.split(',').any(marked) {
        list.clear();
    }
    for name in names {
        let (sign, name) = match name.chars().next() {
            Some(mark @ ('+' | '-')) => (Some(mark), &name[1..]),
            _ => (sign, name),
        };
        list.retain(|other| other != name);
        if sign != Some('-') {
            list.push(name.to_owned());
        }
    }
}

fn changed(
    controller: &mut Controller,
    session: &Session<'_>,
    name: &str,
    words: &[&str],
) -> Result<(), String> {
    let now = controller.time();
    let refused = |error: SlurmError| format!("Error updating the reservation: {error}\n");
    let invalid =
        |what: &str, word: &str| format!("scontrol: error: Invalid {what} {word}.  No reservation update.\n");
    let found = controller.reservations.iter().find(|other| other.name == name).cloned();
    let mut made: Reservation = found.clone().unwrap_or_else(|| Reservation {
        id: 0,
        name: name.to_owned(),
        start: 0,
        end: 0,
        duration: 0,
        nodes: crate::slurm::model::Bits::new(),
        users: Vec::new(),
        accounts: Vec::new(),
        groups: Vec::new(),
        partition: None,
        features: None,
        licenses: None,
        flags: ReservationFlags::default(),
    });
    let (mut nodes, mut count, mut end) = (None, None, None);
    for word in words {
        let Some((key, value)) = pair(word) else {
            return Err(format!("scontrol: error: Unknown parameter {word}.  No reservation update.\n"));
        };
        let sign = key.chars().last().filter(|last| matches!(last, '+' | '-'));
        match key.trim_end_matches(['+', '-']) {
            "reservationname" | "reservation" | "name" => {}
            "starttime" => {
                made.start = times::parse(value, now).map_err(|_| invalid("start time", word))?;
            }
            "endtime" => {
                end = Some(times::parse(value, now).map_err(|_| invalid("end time", word))?);
            }
            "duration" => {
                let change = value.strip_prefix(['+', '-']).unwrap_or(value);
                let minutes = units::minutes(change).ok_or_else(|| invalid("duration", word))?;
                let sign = sign.or(value.chars().next().filter(|first| matches!(first, '+' | '-')));
                made.duration = match sign {
                    Some('+') => made.duration.saturating_add(minutes),
                    Some(_) => made.duration.saturating_sub(minutes),
                    None => minutes,
                };
                end = Some(made.start + i64::from(made.duration) * 60);
            }
            "nodes" => {
                let mut list = expand(&controller.names_of(&made.nodes)).unwrap_or_default();
                let whole = value.eq_ignore_ascii_case("all");
                if !whole {
                    let plain = hostlist::expand(value).map_err(|_| refused(SlurmError::InvalidNodeName))?;
                    edit(&mut list, sign, &plain.join(","));
                }
                nodes = Some(if whole { value.to_owned() } else { list.join(",") });
            }
            "nodecnt" | "nodecount" => {
                count = Some(value.parse::<usize>().map_err(|_| invalid("node count", word))?);
            }
            "users" => edit(&mut made.users, sign, value),
            "accounts" => edit(&mut made.accounts, sign, value),
            "groups" => edit(&mut made.groups, sign, value),
            "partitionname" | "partition" => made.partition = Some(value.to_owned()),
            "features" => made.features = Some(value.to_owned()),
            "licenses" => made.licenses = Some(value.to_owned()),
            "flags" if sign == Some('-') => {
                return Err("not modelled: flags-= of a reservation\n".into());
            }
            "flags" => flags(&mut made.flags, value.trim_start_matches('+'))?,
            "corecnt" | "tres" | "burstbuffer" | "maxstartdelay" | "watts" | "skip" => {
                return Err(format!("not modelled: reservation with {key}\n"));
            }
            _ => {
                return Err(format!("scontrol: error: Unknown parameter {word}.  No reservation update.\n"));
            }
        }
    }
    if session.uid != 0 {
        return Err(refused(SlurmError::InvalidUser));
    }
    if found.is_none() {
        return Err(refused(SlurmError::ReservationInvalid));
    }
    if made.users.iter().any(|name| controller.users.by_name(name).is_none()) {
        return Err(refused(SlurmError::InvalidUser));
    }
    if made.users.is_empty() && made.accounts.is_empty() && made.groups.is_empty() {
        return Err(refused(SlurmError::ReservationEmpty));
    }
    made.end = end.unwrap_or(made.end);
    if made.end <= made.start || made.end <= now {
        return Err(refused(SlurmError::InvalidTimeValue));
    }
    if nodes.is_some() || count.is_some() {
        let named = nodes.as_deref().map(|list| (list, expand(list)));
        controller.choose_reserved(&mut made, named, count).map_err(refused)?;
    }
    controller.change_reservation(made);
    Ok(())
}
