//! The options of `srun` and `salloc`, from text and environment to what the controller is asked for.

use super::getopt::{self, Given, Opt, Takes, opt};
use super::job_options::{JobOptions, Reader, Refusal, SHARED};
use super::multi_prog::Programs;
use super::{Session, sbatch};
use crate::slurm::containers::pyxis::{self, PyxisArgs};
use crate::slurm::controller::Controller;
use crate::slurm::error::SlurmError;
use crate::slurm::model::{Distribution, JobRequest, StepRequest};

const OWN: &[Opt] = &[
    opt("bcast", None, Takes::Optional),
    opt("cpu-bind", None, Takes::Value),
    opt("disable-status", Some('X'), Takes::Nothing),
    opt("epilog", None, Takes::Value),
    opt("error", Some('e'), Takes::Value),
    opt("exact", None, Takes::Nothing),
    opt("input", Some('i'), Takes::Value),
    opt("interactive", None, Takes::Nothing),
    opt("jobid", None, Takes::Value),
    opt("kill-on-bad-exit", Some('K'), Takes::Optional),
    opt("label", Some('l'), Takes::Nothing),
    opt("mpi", None, Takes::Value),
    opt("multi-prog", None, Takes::Nothing),
    opt("no-allocate", Some('Z'), Takes::Nothing),
    opt("open-mode", None, Takes::Value),
    opt("output", Some('o'), Takes::Value),
    opt("overlap", None, Takes::Nothing),
    opt("prolog", None, Takes::Value),
    opt("propagate", None, Takes::Optional),
    opt("pty", None, Takes::Nothing),
    opt("quit-on-interrupt", Some('q'), Takes::Nothing),
    opt("relative", Some('r'), Takes::Value),
    opt("slurmd-debug", None, Takes::Value),
    opt("task-epilog", None, Takes::Value),
    opt("task-prolog", None, Takes::Value),
    opt("test-only", None, Takes::Nothing),
    opt("threads", Some('T'), Takes::Value),
    opt("unbuffered", Some('u'), Takes::Nothing),
    opt("wait", Some('W'), Takes::Value),
    opt("whole", None, Takes::Nothing),
];

const SALLOC: &[Opt] = &[
    opt("bell", None, Takes::Nothing),
    opt("kill-command", Some('K'), Takes::Optional),
    opt("no-bell", None, Takes::Nothing),
    opt("no-shell", None, Takes::Nothing),
    opt("wait", Some('W'), Takes::Value),
];

/// Variables that stand for options of `srun` (srun(1), INPUT ENVIRONMENT VARIABLES); inside of an allocation they carry
/// what the allocation was asked for.
const ENVIRONMENT: [(&str, &str); 37] = [
    ("SLURM_ACCOUNT", "account"),
    ("SLURM_CONSTRAINT", "constraint"),
    ("SLURM_CPU_BIND", "cpu-bind"),
    ("SLURM_DISTRIBUTION", "distribution"),
    ("SLURM_EXACT", "exact"),
    ("SLURM_EXCLUSIVE", "exclusive"),
    ("SLURM_EXPORT_ENV", "export"),
    ("SLURM_GPUS", "gpus"),
    ("SLURM_GPUS_PER_NODE", "gpus-per-node"),
    ("SLURM_GPUS_PER_TASK", "gpus-per-task"),
    ("SLURM_GPU_BIND", "gpu-bind"),
    ("SLURM_GRES", "gres"),
    ("SLURM_IMMEDIATE", "immediate"),
    ("SLURM_JOB_NUM_NODES", "nodes"),
    ("SLURM_KILL_BAD_EXIT", "kill-on-bad-exit"),
    ("SLURM_LABELIO", "label"),
    ("SLURM_MEM_PER_CPU", "mem-per-cpu"),
    ("SLURM_MEM_PER_NODE", "mem"),
    ("SLURM_MPI_TYPE", "mpi"),
    ("SLURM_NTASKS", "ntasks"),
    ("SLURM_NTASKS_PER_NODE", "ntasks-per-node"),
    ("SLURM_OPEN_MODE", "open-mode"),
    ("SLURM_OVERCOMMIT", "overcommit"),
    ("SLURM_OVERLAP", "overlap"),
    ("SLURM_PARTITION", "partition"),
    ("SLURM_QOS", "qos"),
    ("SLURM_RESERVATION", "reservation"),
    ("SLURM_STDERRMODE", "error"),
    ("SLURM_STDINMODE", "input"),
    ("SLURM_STDOUTMODE", "output"),
    ("SLURM_THREADS", "threads"),
    ("SLURM_TIMELIMIT", "time"),
    ("SLURM_UNBUFFEREDIO", "unbuffered"),
    ("SLURM_WAIT", "wait"),
    ("SLURM_WHOLE", "whole"),
    ("SRUN_CPUS_PER_TASK", "cpus-per-task"),
    ("SRUN_EXPORT_ENV", "export"),
];

/// Variables of `salloc`.
const SALLOC_ENVIRONMENT: [(&str, &str); 12] = [
    ("SALLOC_ACCOUNT", "account"),
    ("SALLOC_CONSTRAINT", "constraint"),
    ("SALLOC_EXCLUSIVE", "exclusive"),
    ("SALLOC_GPUS", "gpus"),
    ("SALLOC_GPUS_PER_NODE", "gpus-per-node"),
    ("SALLOC_GPUS_PER_TASK", "gpus-per-task"),
    ("SALLOC_IMMEDIATE", "immediate"),
    ("SALLOC_MEM_PER_NODE", "mem"),
    ("SALLOC_PARTITION", "partition"),
    ("SALLOC_QOS", "qos"),
    ("SALLOC_RESERVATION", "reservation"),
    ("SALLOC_TIMELIMIT", "time"),
];

/// What `srun` or `salloc` shall do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// For an allocation of its own.
    pub(crate) job: JobRequest,
    /// For the step.
    pub(crate) step: StepRequest,
    /// The command and its arguments.
    pub(crate) argv: Vec<String>,
    /// The job that it runs in.
    pub(crate) jobid: Option<u32>,
    /// Warnings that are printed first.
    pub(crate) warnings: String,
    pub(crate) label: bool,
    pub(crate) quiet: bool,
    pub(crate) output: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) input: Option<String>,
    pub(crate) append: bool,
    pub(crate) kill_on_bad_exit: bool,
    pub(crate) no_shell: bool,
    /// Task 0 has a terminal.
    pub(crate) pty: bool,
    /// `--gpu-bind`, without `gpu:`.
    pub(crate) gpu_bind: Option<String>,
    /// `--export` as typed.
    pub(crate) export: Option<String>,
    /// Variables for what it starts.
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) chdir: Option<String>,
    pub(crate) pyxis: PyxisArgs,
    /// `--multi-prog`: what each task runs instead.
    pub(crate) programs: Option<Programs>,
    multi_prog: bool,
}

impl Plan {
    /// The command of a task.
    ///
    /// # Errors
    ///
    /// What `slurmstepd` prints if the file of `--multi-prog` has none that can be read.
    pub(crate) fn argv_of(&self, rank: u32) -> Result<Vec<String>, String> {
        match &self.programs {
            Some(programs) => programs.argv(rank, &self.argv[1..]),
            None => Ok(self.argv.clone()),
        }
    }
}

/// What reading the arguments gave.
#[derive(Clone, Debug)]
pub(crate) enum Read {
    /// Something to do.
    Plan(Box<Plan>),
    /// A text, and the end.
    Text(String),
}

/// Reads the arguments of `srun` (without the name itself).
pub(crate) fn srun_plan(
    controller: &Controller,
    session: &Session<'_>,
    args: &[String],
) -> Result<Read, (String, u8)> {
    plan(controller, session, args, true).map_err(|refusal| (refusal.text, refusal.code))
}

/// Reads the arguments of `salloc`.
pub(crate) fn salloc_plan(
    controller: &Controller,
    session: &Session<'_>,
    args: &[String],
) -> Result<Read, (String, u8)> {
    plan(controller, session, args, false).map_err(|refusal| (refusal.text, refusal.code))
}

fn plan(
    controller: &Controller,
    session: &Session<'_>,
    args: &[String],
    srun: bool,
) -> Result<Read, Refusal> {
    let command = if srun { "srun" } else { "salloc" };
    let reader = Reader { command, now: controller.time(), uid: session.uid };
    let own = if srun { OWN } else { SALLOC };
    let mut table: Vec<Opt> = SHARED.iter().chain(own).copied().collect();
    if srun {
        // `-q` is --quit-on-interrupt in words only: srun's letter belongs to --qos.
        table.iter_mut().filter(|opt| opt.long == "quit-on-interrupt").for_each(|opt| opt.short = None);
    }
    table.extend(
        pyxis::OPTIONS
            .iter()
            .map(|(name, takes)| opt(name, None, if *takes { Takes::Value } else { Takes::Nothing })),
    );
    let line = getopt::parse(command, &table, args, false).map_err(|message| Refusal {
        text: format!("{message}\nTry \"{command} --help\" for more information\n"),
        code: 255,
    })?;
    let mut options = JobOptions::default();
    let mut plan = Plan { argv: line.rest.clone(), ..Plan::default() };
    let mut own_options = Own::default();
    let inside = srun && session.variable("SLURM_JOB_ID").is_some();
    let environment: &[(&str, &'static str)] = if srun { &ENVIRONMENT } else { &SALLOC_ENVIRONMENT };
    let given = |name: &str| line.options.iter().any(|given| given.name == name);
    for (variable, name) in environment {
        let Some(value) = session.variable(variable) else { continue };
        // One way of saying how much memory on the command line replaces that of the environment.
        if name.starts_with("mem") && ["mem", "mem-per-cpu", "mem-per-gpu"].iter().any(|name| given(name)) {
            continue;
        }
        if value.is_empty() && !matches!(*name, "exact" | "overlap" | "label" | "exclusive") {
            continue;
        }
        take(
            &mut options,
            &mut own_options,
            &mut plan,
            reader,
            &Given { name, value: Some(value.to_owned()) },
        )?;
    }
    for option in &line.options {
        if option.name == "help" || option.name == "usage" {
            return Ok(Read::Text(help(command)));
        }
        if option.name == "version" {
            return Ok(Read::Text("slurm-wlm 22.05.8\n".into()));
        }
        if pyxis::is_option(option.name) {
            plan.pyxis
                .take(option.name, option.value.as_deref())
                .map_err(|message| message.refusal(command))?;
            continue;
        }
        take(&mut options, &mut own_options, &mut plan, reader, option)?;
    }
    if srun && line.rest.is_empty() {
        return Err(Refusal { text: "srun: fatal: No command given to execute.\n".into(), code: 1 });
    }
    let mut below = PyxisArgs::default();
    below.take_environment(session.env).map_err(|message| message.refusal(command))?;
    plan.pyxis.or(below);
    options.finish(reader, inside)?;
    if plan.multi_prog {
        let name = &plan.argv[0];
        let read = match (session.read_file)(name) {
            Some(text) => Programs::read(&text, name, options.request.ntasks),
            None => Err(vec![format!("Unable to open configuration file {name}")]),
        };
        let (programs, ntasks) = read.map_err(|lines| Refusal {
            text: lines.iter().map(|line| format!("{command}: error: {line}\n")).collect(),
            code: 1,
        })?;
        plan.programs = Some(programs);
        options.request.ntasks = Some(ntasks);
    }
    if let Some(warning) = plan.pyxis.finish() {
        plan.warnings.push_str(&format!("{command}: error: pyxis: {warning}\n"));
    }
    sbatch::check_gres_names(controller, command, &options.request)?;
    if inside {
        plan.jobid = plan.jobid.or(session.variable("SLURM_JOB_ID").and_then(|id| id.parse().ok()));
    }
    fill(session, command, &mut plan, options, &own_options, given("nodes"));
    Ok(Read::Plan(Box::new(plan)))
}

impl pyxis::BadOption {
    /// The lines that a command prints before it gives up.
    pub(super) fn refusal(&self, command: &str) -> Refusal {
        let lines = self.lines.iter().map(|line| format!("{command}: error: pyxis: {line}\n"));
        let last = format!("{command}: error: Invalid --{} argument: {}\n", self.option, self.value);
        Refusal { text: lines.collect::<String>() + &last, code: 255 }
    }
}

/// Options that are the step's alone.
#[derive(Clone, Debug, Default)]
struct Own {
    exact: bool,
    whole: bool,
    overlap: bool,
    relative: u32,
}

fn take(
    options: &mut JobOptions,
    own: &mut Own,
    plan: &mut Plan,
    reader: Reader<'_>,
    given: &Given,
) -> Result<(), Refusal> {
    if options.take(reader, given)? {
        return Ok(());
    }
    let refuse =
        |text: String, code: u8| Refusal { text: format!("{}: error: {text}\n", reader.command), code };
    let value = given.value.clone();
    let number = |name: &str| {
        value.as_deref().unwrap_or_default().parse::<u32>().map_err(|_| {
            refuse(
                format!("Invalid numeric value \"{}\" for --{name}.", value.as_deref().unwrap_or_default()),
                1,
            )
        })
    };
    match given.name {
        "exact" => own.exact = true,
        "whole" => own.whole = true,
        "overlap" => own.overlap = true,
        "relative" => own.relative = number("relative")?,
        "jobid" => plan.jobid = Some(number("jobid")?),
        "label" => plan.label = value.as_deref() != Some("0"),
        "output" => plan.output = value,
        "error" => plan.error = value,
        "input" => plan.input = value,
        "open-mode" => {
            plan.append = match value.as_deref() {
                Some("append" | "a") => true,
                Some("truncate" | "t") => false,
                _ => return Err(refuse("Invalid --open-mode specification".into(), 255)),
            }
        }
        "kill-on-bad-exit" => plan.kill_on_bad_exit = value.as_deref() != Some("0"),
        "no-shell" => plan.no_shell = true,
        "mpi" if matches!(value.as_deref(), Some("none" | "pmi2" | "pmix" | "list")) => {}
        "mpi" => {
            return Err(refuse(
                format!(
                    "Couldn't find the specified plugin name for mpi/{} looking at all files",
                    value.unwrap_or_default()
                ),
                1,
            ));
        }
        // What `srun` itself sets for its tasks begins with `quiet`; that and `none` ask for what happens anyway.
        "cpu-bind" => {
            let asked = value.unwrap_or_default();
            let kinds =
                asked.split(',').filter(|kind| !matches!(*kind, "" | "q" | "quiet" | "n" | "no" | "none"));
            if !asked.starts_with("quiet") && kinds.count() > 0 {
                plan.warnings.push_str(&format!(
                    "srun: warning: not modelled: --cpu-bind={asked}: no task is bound\n"
                ));
            }
        }
        "unbuffered" | "disable-status" | "threads" | "slurmd-debug" | "quit-on-interrupt" | "wait"
        | "kill-command" | "bell" | "no-bell" | "propagate" | "interactive" => {}
        "pty" => plan.pty = true,
        "multi-prog" => plan.multi_prog = true,
        other => return Err(refuse(format!("not modelled: --{other}"), 1)),
    }
    Ok(())
}

/// Fills in what the controller is asked for.
fn fill(
    session: &Session<'_>,
    command: &str,
    plan: &mut Plan,
    mut options: JobOptions,
    own: &Own,
    nodes_typed: bool,
) {
    plan.variables = options.inherited();
    let ([gpus, per_node, per_task], no_gpus) = options.gpus();
    plan.quiet = options.quiet;
    plan.export = options.export.take();
    plan.chdir = options.chdir.take();
    let immediate = options.immediate;
    let mut request = std::mem::take(&mut options.request);
    plan.gpu_bind = request.tres_bind.as_ref().and_then(|text| text.strip_prefix("gpu:")).map(str::to_owned);
    // Fewer tasks than nodes: a task has one node.
    if let (Some(tasks), Some(nodes)) = (request.ntasks, request.min_nodes)
        && tasks < nodes
    {
        plan.warnings.push_str(&format!(
            "{command}: Warning: can't run {tasks} processes on {nodes} nodes, setting nnodes to {tasks}\n"
        ));
        request.min_nodes = Some(tasks);
        request.max_nodes = Some(tasks);
    }
    let base = plan.argv.first().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned());
    let name = if request.name.is_empty() {
        base.unwrap_or_else(|| "interactive".into())
    } else {
        request.name.clone()
    };
    let exclusive = request.sharing == crate::slurm::model::Sharing::Exclusive;
    let in_job = plan.jobid.is_some();
    plan.step = StepRequest {
        name: name.clone(),
        ntasks: request.ntasks,
        ntasks_per_node: request.ntasks_per_node,
        cpus_per_task: request.cpus_per_task,
        min_nodes: request.min_nodes.filter(|_| in_job || nodes_typed || request.ntasks.is_some()),
        max_nodes: request.max_nodes,
        nodelist: request.nodelist.clone(),
        exclude: request.exclude.clone(),
        relative: own.relative,
        // Asking for CPUs per task asks for no more than these (srun(1), since 22.05).
        exact: !own.whole && (own.exact || in_job && (exclusive || request.cpus_per_task.is_some())),
        overlap: own.overlap,
        overcommit: request.overcommit,
        memory: request.memory,
        gpus,
        gpus_per_node: per_node,
        gpus_per_task: per_task,
        no_gpus,
        distribution: request.distribution.as_deref().map_or(Distribution::Block, Distribution::parse),
        time_limit: if in_job { request.time_limit.flatten() } else { None },
        srun: None,
    };
    request.name = name;
    request.uid = session.uid;
    request.gid = session.gid;
    request.batch = false;
    request.immediate = immediate;
    request.work_dir = plan.chdir.clone().unwrap_or_else(|| session.cwd.to_owned());
    request.command = plan.argv.first().cloned();
    session.host.clone_into(&mut request.alloc_node);
    request.alloc_sid = session.sid;
    plan.job = request;
}

/// The lines that a refused allocation is answered with.
pub(crate) fn refused(controller: &Controller, command: &str, plan: &Plan, why: SlurmError) -> String {
    let mut text = String::new();
    if why == SlurmError::InvalidPartition
        && let Some(name) = plan.job.partitions.iter().find(|name| controller.partition(name).is_none())
    {
        text.push_str(&format!("{command}: error: invalid partition specified: {name}\n"));
    }
    if let Some(detail) = controller.refusal_detail() {
        text.push_str(&format!("{command}: error: {detail}\n"));
    }
    let what = if command == "srun" { "Unable to allocate resources" } else { "Job submit/allocate failed" };
    text.push_str(&format!("{command}: error: {what}: {why}\n"));
    text
}

/// The environment that `--export` lets into tasks.
pub(crate) fn exported(session: &Session<'_>, export: Option<&str>) -> Vec<(String, String)> {
    sbatch::exported(session, export)
}

fn help(command: &str) -> String {
    let usage = if command == "srun" {
        "Usage: srun [OPTIONS(0)... [executable(0) [args(0)...]]] [ : [OPTIONS(N)...]] executable(N) [args(N)...]"
    } else {
        "Usage: salloc [OPTIONS(0)...] [ : [OPTIONS(N)]] [command(0) [args(0)...]]"
    };
    format!(
        "{usage}\n\nOptions are those of {command}(1) of Slurm 22.05; what is not modelled says so when it is used.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::SimTime;
    use crate::slurm::controller::{ClusterSpec, Users};
    use std::collections::BTreeMap;

    fn read(env: &[(&str, &str)], args: &str) -> Result<Plan, (String, u8)> {
        let lines = [
            "ClusterName=lab",
            "GresTypes=gpu",
            "NodeName=n[1-4] CPUs=16 Gres=gpu:8",
            "PartitionName=main Nodes=ALL Default=YES",
        ];
        let spec =
            ClusterSpec::from_lines(&lines, &[], &[], Users::named(&["alice"])).expect("a configuration");
        let controller = Controller::new(spec, 0, SimTime::ZERO);
        let env: BTreeMap<String, String> =
            env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let session = Session {
            uid: 1001,
            gid: 1001,
            env: &env,
            cwd: "/tmp",
            host: "login",
            sid: 1,
            stdin: "",
            read_file: &|_| None,
        };
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        match srun_plan(&controller, &session, &args)? {
            Read::Plan(plan) => Ok(*plan),
            Read::Text(text) => Err((text, 0)),
        }
    }

    #[test]
    fn binding_to_cpus_says_that_it_does_nothing_unless_none_was_asked_for() {
        let warnings = |line: &str| read(&[], line).expect("a plan").warnings;
        assert_eq!(
            warnings("--cpu-bind=verbose,cores hostname"),
            "srun: warning: not modelled: --cpu-bind=verbose,cores: no task is bound\n"
        );
        assert_eq!(warnings("--cpu-bind=none hostname"), "");
        let own = [("SLURM_CPU_BIND", "quiet,mask_cpu:0x1")];
        assert_eq!(read(&own, "hostname").expect("a plan").warnings, "");
    }

    #[test]
    fn a_step_inherits_what_its_allocation_was_asked_for() {
        let env = [
            ("SLURM_JOB_ID", "7"),
            ("SLURM_JOB_NUM_NODES", "2"),
            ("SLURM_NTASKS", "4"),
            ("SLURM_GPUS_PER_NODE", "4"),
        ];
        let plan = read(&env, "hostname").expect("a plan");
        assert_eq!((plan.jobid, plan.step.min_nodes, plan.step.ntasks), (Some(7), Some(2), Some(4)));
        assert_eq!(plan.step.gpus_per_node, Some(4));
        let plan = read(&env, "-n1 --gres=none hostname").expect("a plan");
        assert_eq!(plan.warnings, "srun: Warning: can't run 1 processes on 2 nodes, setting nnodes to 1\n");
        assert_eq!((plan.step.min_nodes, plan.step.no_gpus), (Some(1), true));
        assert!(read(&env, "-c2 -n1 -N1 x").expect("a plan").step.exact);
    }

    #[test]
    fn what_cannot_be_read_is_refused_in_the_real_words() {
        let check = |args: &str, text: &str, code: u8| {
            assert_eq!(read(&[], args).map(|_| ()), Err((text.to_owned(), code)), "{args}");
        };
        // Recorded: bad_inputs.
        check("", "srun: fatal: No command given to execute.\n", 1);
        check("--gres=foo:1 true", "srun: error: Invalid generic resource (gres) specification\n", 1);
        check("-t x true", "srun: error: Invalid --time specification\n", 255);
        check(
            "--nosuch true",
            "srun: unrecognized option '--nosuch'\nTry \"srun --help\" for more information\n",
            255,
        );
        // By the same rules.
        check("-n 0 true", "srun: error: Invalid numeric value \"0\" for --ntasks.\n", 1);
        check("-m foo true", "srun: error: Invalid --distribution specification\n", 255);
        check("--multi-prog x", "srun: error: Unable to open configuration file x\n", 1);
        check("--bcast x", "srun: error: not modelled: --bcast\n", 1);
    }
}
