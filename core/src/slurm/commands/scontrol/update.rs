//! `scontrol update`: jobs, nodes, partitions, reservations.

use super::{expand, job_and_tasks, pair};
use crate::slurm::commands::{CommandOutput, Session, job_options, times};
use crate::slurm::controller::{Controller, JobChange, NodeChange};
use crate::slurm::model::PartitionState;
use crate::slurm::units;

pub(super) fn update(controller: &mut Controller, session: &Session<'_>, words: &[&str]) -> CommandOutput {
    let pairs: Vec<(String, &str, &str)> =
        words.iter().filter_map(|word| pair(word).map(|(key, value)| (key, value, *word))).collect();
    let find = |names: &[&str]| {
        pairs.iter().find(|(key, ..)| names.contains(&key.as_str())).map(|(_, value, _)| *value)
    };
    if let Some(id) = find(&["jobid", "job"]) {
        job(controller, session, id, &pairs)
    } else if let Some(list) = find(&["nodename", "node"]) {
        node(controller, session, list, &pairs)
    } else if let Some(name) = find(&["partitionname", "partition"]) {
        partition(controller, session, name, &pairs)
    } else if let Some(name) = find(&["reservationname", "reservation"]) {
        super::update_reservation::update(controller, session, name, words)
    } else {
        CommandOutput::error(
            "No valid entity in update command\nInput line must include \"NodeName\", \"PartitionName\", \"Reservation\", \"JobId\", or \"SlurmctldDebug\"\n",
        )
    }
}

fn unsupported(word: &str) -> CommandOutput {
    CommandOutput::error(format!("Update of this parameter is not supported: {word}\nRequest aborted\n"))
}

fn job(
    controller: &mut Controller,
    session: &Session<'_>,
    id: &str,
    pairs: &[(String, &str, &str)],
) -> CommandOutput {
    let now = controller.time();
    let mut changes: Vec<JobChange> = Vec::new();
    for (key, value, word) in pairs {
        let number = || value.parse::<u32>().ok();
        let change = match key.as_str() {
            "jobid" | "job" => continue,
            "account" => Some(JobChange::Account((*value).to_owned())),
            "comment" => Some(JobChange::Comment((*value).to_owned())),
            "dependency" => {
                if value.is_empty() {
                    Some(JobChange::Dependency(Vec::new()))
                } else {
                    job_options::dependencies(value).map(JobChange::Dependency)
                }
            }
            "features" => Some(JobChange::Constraint((*value).to_owned())),
            "jobname" | "name" => Some(JobChange::Name((*value).to_owned())),
            "licenses" => Some(JobChange::Licenses((*value).to_owned())),
            "minmemorynode" => units::mebibytes(value)
                .map(|mib| JobChange::Memory(crate::slurm::model::Memory::PerNode(mib))),
            "minmemorycpu" => {
                units::mebibytes(value).map(|mib| JobChange::Memory(crate::slurm::model::Memory::PerCpu(mib)))
            }
            "nice" => {
                if value.is_empty() {
                    Some(JobChange::Nice(100))
                } else {
                    value.parse().ok().map(JobChange::Nice)
                }
            }
            "numcpus" => number().map(JobChange::Cpus),
            "numnodes" | "reqnodes" => {
                let (least, most) =
                    value.split_once('-').map_or((*value, None), |(least, most)| (least, Some(most)));
                least.parse().ok().map(|least| {
                    JobChange::Nodes(least, most.and_then(|most| most.parse().ok()).unwrap_or(least))
                })
            }
            "numtasks" | "reqprocs" => number().map(JobChange::Tasks),
            "arraytaskthrottle" => number().map(JobChange::Throttle),
            "partition" => Some(JobChange::Partition((*value).to_owned())),
            "priority" => number().map(JobChange::Priority),
            "qos" => Some(JobChange::Qos((*value).to_owned())),
            "requeue" => number().map(|n| JobChange::Requeue(n != 0)),
            "reqnodelist" | "nodelist" => Some(JobChange::NodeList(if value.is_empty() {
                Vec::new()
            } else {
                expand(value).unwrap_or_else(|| vec![(*value).to_owned()])
            })),
            "excnodelist" => Some(JobChange::Exclude(if value.is_empty() {
                Vec::new()
            } else {
                expand(value).unwrap_or_else(|| vec![(*value).to_owned()])
            })),
            "reservation" | "reservationname" => Some(JobChange::Reservation((*value).to_owned())),
            "starttime" | "eligibletime" => match times::parse(value, now) {
                Ok(time) => Some(JobChange::Begin(time)),
                Err(at) => {
                    return CommandOutput::error(format!(
                        "Invalid time specification (pos={at}): {value}\nRequest aborted\n"
                    ));
                }
            },
            "deadline" => times::parse(value, now).ok().map(JobChange::Deadline),
            "timelimit" => {
                let (sign, text) = match value.chars().next() {
                    Some('+') => (1, &value[1..]),
                    Some('-') => (-1, &value[1..]),
                    _ => (0, *value),
                };
                if matches!(text.to_ascii_lowercase().as_str(), "infinite" | "unlimited") {
                    Some(JobChange::TimeLimit(0, None))
                } else {
                    match units::minutes(text) {
                        Some(minutes) => Some(JobChange::TimeLimit(sign, Some(minutes))),
                        None => return CommandOutput::error("Invalid TimeLimit value\nRequest aborted\n"),
                    }
                }
            }
            "timemin" => units::minutes(value).map(JobChange::TimeMin),
            "endtime" | "gres" | "tresperjob" | "oversubscribe" | "contiguous" | "mincpusnode"
            | "workdir" | "stdout" | "mailuser" | "mailtype" | "switches" | "userid" | "burstbuffer"
            | "corespec" | "delayboot" | "clusters" | "reboot" | "wckey" | "admincomment" | "prefer" => {
                return CommandOutput::error(format!("not modelled: update of {key}\n"));
            }
            _ => return unsupported(word),
        };
        match change {
            Some(change) => changes.push(change),
            None => return CommandOutput::error(format!("Invalid value: {word}\nRequest aborted\n")),
        }
    }
    let Some((number, tasks)) = job_and_tasks(id) else {
        return CommandOutput::error(format!("Invalid job id specified for job {id}\n"));
    };
    match controller.update_job(number, tasks.as_deref(), &changes, session.uid) {
        Ok(groups) if groups.is_empty() => CommandOutput::default(),
        Ok(groups) => {
            let line = |(tasks, outcome): &(Vec<u32>, Option<crate::slurm::error::SlurmError>)| {
                let said = outcome.as_ref().map_or_else(|| "No error".to_owned(), ToString::to_string);
                let tasks: crate::slurm::model::Bits = tasks.iter().map(|task| *task as usize).collect();
                format!("{number}_{tasks}: {said}\n")
            };
            CommandOutput::error(groups.iter().map(line).collect::<String>())
        }
        Err(error) => CommandOutput::error(format!("{error} for job {id}\n")),
    }
}

fn node(
    controller: &mut Controller,
    session: &Session<'_>,
    list: &str,
    pairs: &[(String, &str, &str)],
) -> CommandOutput {
    let mut state = None;
    let mut reason = None;
    for (key, value, word) in pairs {
        match key.as_str() {
            "nodename" | "node" => {}
            "reason" => reason = Some((*value).to_owned()),
            "state" => {
                state = Some(match value.to_ascii_uppercase().as_str() {
                    "DOWN" => NodeChange::Down,
                    "DRAIN" => NodeChange::Drain,
                    "FAIL" => NodeChange::Fail,
                    "FUTURE" => NodeChange::Future,
                    "IDLE" | "RESUME" => NodeChange::Resume,
                    "UNDRAIN" => NodeChange::Undrain,
                    "NORESP" => NodeChange::NoRespond,
                    "POWER_DOWN" | "POWER_UP" | "POWER_DOWN_ASAP" | "POWER_DOWN_FORCE" => {
                        return CommandOutput::error(format!("not modelled: state={value}\n"));
                    }
                    _ => {
                        return CommandOutput::error(format!(
                            "Invalid input: {word}\nRequest aborted\nValid states are: NoResp DRAIN FAIL FUTURE RESUME POWER_DOWN POWER_UP UNDRAIN\nNot all states are valid given a node's prior state\n"
                        ));
                    }
                });
            }
            "weight" | "features" | "availablefeatures" | "activefeatures" | "gres" | "comment"
            | "cpubind" => {
                return CommandOutput::error(format!("not modelled: update of a node's {key}\n"));
            }
            _ => return unsupported(word),
        }
    }
    if matches!(state, Some(NodeChange::Down | NodeChange::Drain | NodeChange::Fail)) && reason.is_none() {
        return CommandOutput::error(
            "You must specify a reason when DOWNING or DRAINING a node. Request denied\n",
        );
    }
    if session.uid != 0 {
        return CommandOutput::error("slurm_update error: Invalid user id\n");
    }
    let names = if list.eq_ignore_ascii_case("all") {
        controller.nodes.iter().map(|node| node.name.clone()).collect()
    } else {
        expand(list).unwrap_or_default()
    };
    match controller.update_nodes(&names, state, reason.as_deref(), session.uid) {
        Ok(()) => CommandOutput::default(),
        Err(error) => CommandOutput::error(format!("slurm_update error: {error}\n")),
    }
}

fn partition(
    controller: &mut Controller,
    session: &Session<'_>,
    name: &str,
    pairs: &[(String, &str, &str)],
) -> CommandOutput {
    if session.uid != 0 {
        return CommandOutput::error("slurm_update error: Invalid user id\n");
    }
    let Some(at) = controller.partition(name) else {
        return CommandOutput::error("slurm_update error: Invalid partition name specified\n");
    };
    let mut copy = controller.partitions[at].clone();
    for (key, value, word) in pairs {
        match key.as_str() {
            "partitionname" | "partition" => {}
            "state" => {
                copy.state = match value.to_ascii_uppercase().as_str() {
                    "UP" => PartitionState::Up,
                    "DOWN" => PartitionState::Down,
                    "DRAIN" => PartitionState::Drain,
                    "INACTIVE" => PartitionState::Inactive,
                    _ => {
                        return CommandOutput::error(format!(
                            "Invalid input: {word}\nAcceptable State values are UP, DOWN, DRAIN and INACTIVE\n"
                        ));
                    }
                };
            }
            "maxtime" => match units::minutes(value) {
                Some(minutes) => copy.max_time = Some(minutes),
                None if matches!(value.to_ascii_lowercase().as_str(), "infinite" | "unlimited") => {
                    copy.max_time = None;
                }
                None => return CommandOutput::error(format!("Invalid input: {word}\n")),
            },
            "defaulttime" => match units::minutes(value) {
                Some(minutes) => copy.default_time = Some(minutes),
                None => return CommandOutput::error(format!("Invalid input: {word}\n")),
            },
            "maxnodes" => copy.max_nodes = value.parse().ok(),
            "minnodes" => copy.min_nodes = value.parse().unwrap_or(copy.min_nodes),
            "prioritytier" => copy.tier = value.parse().unwrap_or(copy.tier),
            "priorityjobfactor" => copy.job_factor = value.parse().unwrap_or(copy.job_factor),
            "hidden" => copy.hidden = value.eq_ignore_ascii_case("yes"),
            "rootonly" => copy.root_only = value.eq_ignore_ascii_case("yes"),
            "gracetime" => copy.grace_time = value.parse().unwrap_or(copy.grace_time),
            "allowaccounts" | "allowqos" | "allowgroups" | "default" | "nodes" | "oversubscribe"
            | "preemptmode" | "qos" | "lln" | "exclusiveuser" => {
                return CommandOutput::error(format!("not modelled: update of a partition's {key}\n"));
            }
            _ => return unsupported(word),
        }
    }
    controller.update_partition(at, copy);
    CommandOutput::default()
}
