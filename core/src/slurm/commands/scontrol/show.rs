//! `scontrol show ENTITY [ID]`.

use super::{Flags, admin, expand, job_and_tasks, show_assoc, show_job, show_node, show_partition};
use crate::slurm::commands::{CommandOutput, Session};
use crate::slurm::controller::Controller;
use crate::slurm::hostlist;
use crate::slurm::model::{Job, Step, StepId};
use crate::slurm::units;

pub(super) fn show(
    controller: &Controller,
    session: &Session<'_>,
    flags: Flags,
    words: &[&str],
) -> CommandOutput {
    let Some((entity, rest)) = words.split_first() else {
        return CommandOutput::error("too few arguments for keyword:show\n");
    };
    // `show job=7` is `show job 7`.
    let (entity, inline) = entity.split_once('=').map_or((*entity, None), |(entity, id)| (entity, Some(id)));
    let id = inline.or_else(|| rest.first().copied()).map(|id| id.rsplit('=').next().unwrap_or(id));
    let lower = entity.to_ascii_lowercase();
    let is = |name: &str, least: usize| lower.len() >= least && name.starts_with(&lower);
    if is("jobs", 1) || is("jobid", 1) {
        jobs(controller, flags, id)
    } else if is("nodes", 1) || lower == "nodename" {
        nodes(controller, flags, id)
    } else if is("partitions", 1) || lower == "partitionname" {
        partitions(controller, flags, id)
    } else if is("reservations", 1) || lower == "reservationname" {
        reservations(controller, flags, id)
    } else if is("licenses", 2) {
        let text = controller.licenses.iter().map(|license| {
            format!(
                "LicenseName={}\n    Total={} Used={} Free={} Reserved=0 Remote=no\n",
                license.name,
                license.total,
                license.used,
                license.total.saturating_sub(license.used)
            )
        });
        CommandOutput::text(text.collect::<String>())
    } else if is("topology", 1) {
        topology(controller)
    } else if is("steps", 1) {
        steps(controller, id)
    } else if is("hostnames", 6) {
        match expand(id.unwrap_or_default()) {
            Some(names) => {
                CommandOutput::text(names.iter().map(|name| format!("{name}\n")).collect::<String>())
            }
            None => CommandOutput::error("Invalid hostlist\n"),
        }
    } else if is("hostlist", 6) {
        let names: Vec<&str> = id.unwrap_or_default().split(',').collect();
        CommandOutput::text(format!("{}\n", hostlist::compress(names)))
    } else if is("hostlistsorted", 9) {
        let mut names: Vec<&str> = id.unwrap_or_default().split(',').collect();
        names.sort_unstable();
        CommandOutput::text(format!("{}\n", hostlist::compress(names)))
    } else if is("config", 1) {
        admin::config(controller, session)
    } else if is("daemons", 1) {
        admin::daemons(controller, session)
    } else if is("assoc_mgr", 3) {
        show_assoc::show(controller, flags.one_line, rest)
    } else if is("burstbuffer", 2) {
        CommandOutput {
            stderr: "scontrol: error: No burst buffer information available\n".into(),
            ..CommandOutput::default()
        }
    } else if is("slurmd", 3)
        || is("aliases", 2)
        || is("federation", 1)
        || is("bbstat", 2)
        || is("dwstat", 2)
        || is("frontend", 2)
    {
        CommandOutput::error(format!("not modelled: scontrol show {entity}\n"))
    } else {
        CommandOutput::error(format!("invalid entity:{entity} for keyword:show \n"))
    }
}

fn jobs(controller: &Controller, flags: Flags, id: Option<&str>) -> CommandOutput {
    let chosen: Vec<&Job> = match id {
        None => crate::slurm::commands::jobs::listed(controller),
        Some(word) => {
            let Some((id, tasks)) = job_and_tasks(word) else {
                return CommandOutput::error("scontrol_print_job error: Invalid job id specified\n");
            };
            let records = controller.records(id);
            let wanted = |job: &&Job| {
                tasks.as_ref().is_none_or(|tasks| {
                    job.array.is_some_and(|(_, task)| task.is_some_and(|task| tasks.contains(&task)))
                })
            };
            let jobs: Vec<&Job> =
                records.iter().filter_map(|id| controller.jobs.get(*id)).filter(wanted).collect();
            if jobs.is_empty() {
                return CommandOutput::error("slurm_load_jobs error: Invalid job id specified\n");
            }
            jobs
        }
    };
    if chosen.is_empty() {
        return CommandOutput::text("No jobs in the system\n");
    }
    CommandOutput::text(chosen.iter().map(|job| show_job::job(controller, flags, job)).collect::<String>())
}

fn nodes(controller: &Controller, flags: Flags, id: Option<&str>) -> CommandOutput {
    let Some(list) = id else {
        // All nodes are shown by name.
        let mut order: Vec<usize> = (0..controller.nodes.len()).collect();
        let key = |at: usize| {
            let name = &controller.nodes[at].name;
            let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
            (name[..name.len() - digits].to_owned(), name[name.len() - digits..].parse::<u64>().unwrap_or(0))
        };
        order.sort_by_key(|at| key(*at));
        return CommandOutput::text(
            order.iter().map(|at| show_node::node(controller, flags, *at)).collect::<String>(),
        );
    };
    let mut output = CommandOutput::default();
    for name in expand(list).unwrap_or_default() {
        match controller.node(&name) {
            Some(at) => output.stdout.push_str(&show_node::node(controller, flags, at)),
            None => {
                output.stdout.push_str(&format!("Node {name} not found\n"));
                output.code = 1;
            }
        }
    }
    output
}

fn partitions(controller: &Controller, flags: Flags, id: Option<&str>) -> CommandOutput {
    let all = controller.partitions.iter().enumerate();
    let text: String = all
        .filter(|(_, part)| id.is_none_or(|id| id == part.name))
        .map(|(at, part)| show_partition::partition(controller, flags, at, part))
        .collect();
    match id {
        Some(id) if text.is_empty() => CommandOutput {
            stdout: format!("Partition {id} not found\n"),
            code: 1,
            ..CommandOutput::default()
        },
        _ => CommandOutput::text(text),
    }
}

fn reservations(controller: &Controller, flags: Flags, id: Option<&str>) -> CommandOutput {
    let text: String = controller
        .reservations
        .iter()
        .filter(|reservation| id.is_none_or(|id| id == reservation.name))
        .map(|reservation| show_partition::reservation(controller, flags, reservation))
        .collect();
    match id {
        Some(id) if text.is_empty() => CommandOutput {
            stdout: format!("Reservation {id} not found\n"),
            code: 1,
            ..CommandOutput::default()
        },
        None if text.is_empty() => CommandOutput::text("No reservations in the system\n"),
        _ => CommandOutput::text(text),
    }
}

fn topology(controller: &Controller) -> CommandOutput {
    let Some(tree) = &controller.topology else {
        return CommandOutput::text("No topology information available\n");
    };
    let mut order: Vec<usize> = (0..tree.switches.len()).collect();
    order.sort_by_key(|at| tree.switches[*at].level);
    let mut text = String::new();
    for at in order {
        let switch = &tree.switches[at];
        text.push_str(&format!(
            "SwitchName={} Level={} LinkSpeed={} Nodes={}",
            switch.name,
            switch.level,
            switch.link_speed,
            controller.names_of(&switch.nodes)
        ));
        if !switch.children.is_empty() {
            let names = switch.children.iter().map(|child| tree.switches[*child].name.as_str());
            text.push_str(&format!(" Switches={}", hostlist::compress(names)));
        }
        text.push('\n');
    }
    CommandOutput::text(text)
}

/// Steps that run, of all jobs, of one (`7`), or one of them (`7.0`).
fn steps(controller: &Controller, id: Option<&str>) -> CommandOutput {
    let (job_id, step_id) = id.map_or((None, None), |id| {
        let (job, step) = id.split_once('.').map_or((id, None), |(job, step)| (job, Some(step)));
        (Some(job), step)
    });
    let wanted: Option<u32> = job_id.and_then(|id| id.parse().ok());
    let mut text = String::new();
    // Steps of array tasks are shown when they are named (recorded: outputs).
    let shown = |job: &&Job| wanted.map_or(job.array.is_none(), |id| id == job.id);
    for job in controller.jobs.active().filter(shown) {
        let running = job
            .steps
            .iter()
            .filter(|step| step.end == 0 && step_id.is_none_or(|wanted| wanted == step.id.to_string()));
        for step in running {
            let batch = step.id == StepId::Batch;
            let tres = if batch { "(null)".to_owned() } else { step_tres(controller, step) };
            let limit = step.time_limit.or(if batch { None } else { job.time_limit });
            let (host, pid) = step.srun.as_ref().map_or(("(null)", 0), |(host, pid)| (host.as_str(), *pid));
            text.push_str(&format!(
                "StepId={}.{} UserId={} StartTime={} TimeLimit={}\n   State={} Partition={} NodeList={}\n   Nodes={} CPUs={} Tasks={} Name={} Network=(null)\n   TRES={tres}\n   ResvPorts=(null)\n   CPUFreqReq=Default{}\n   SrunHost:Pid={host}:{pid}\n\n",
                job.id,
                step.id,
                job.request.uid,
                units::stamp(step.start),
                limit.map_or_else(
                    || "UNLIMITED".into(),
                    |minutes| units::clock(i64::from(minutes) * 60)
                ),
                job.state.name(),
                controller.partitions[job.partition].name,
                controller.names_of(&step.nodes),
                step.nodes.count(),
                if batch { 0 } else { step.cpus },
                step.tasks,
                step.name,
                step.distribution.map_or_else(String::new, |dist| format!(" Dist={}", dist.name())),
            ));
        }
    }
    if text.is_empty() {
        match id {
            Some(id) if step_id.is_some() => CommandOutput::error(format!("Job step {id} not found\n")),
            _ => CommandOutput::text("No job steps in the system\n"),
        }
    } else {
        CommandOutput::text(text)
    }
}

fn step_tres(controller: &Controller, step: &Step) -> String {
    let mut parts = vec![format!("cpu={}", step.cpus)];
    let memory: u64 = step.shares.iter().map(|share| share.memory).sum();
    if memory > 0 {
        parts.push(format!("mem={}", show_job::memory_text(memory)));
    }
    parts.push(format!("node={}", step.nodes.count()));
    let gpus: usize = step.shares.iter().map(|share| share.gpus.count()).sum();
    if gpus > 0 && controller.names.kind("gpu").is_some() {
        parts.push(format!("gres/gpu={gpus}"));
    }
    parts.join(",")
}
