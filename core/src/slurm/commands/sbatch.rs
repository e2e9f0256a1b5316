//! `sbatch`: submits a batch script.

use super::getopt::{self, Given, Opt, Takes, opt};
use super::job_options::{self, JobOptions, Reader, Refusal, SHARED};
use super::{CommandOutput, Session};
use crate::slurm::containers::pyxis::{self, PyxisArgs};
use crate::slurm::controller::Controller;
use crate::slurm::error::SlurmError;
use crate::slurm::model::JobRequest;

const OWN: &[Opt] = &[
    opt("array", Some('a'), Takes::Value),
    opt("batch", None, Takes::Value),
    opt("error", Some('e'), Takes::Value),
    opt("export-file", None, Takes::Value),
    opt("get-user-env", None, Takes::Optional),
    opt("ignore-pbs", None, Takes::Nothing),
    opt("input", Some('i'), Takes::Value),
    opt("no-requeue", None, Takes::Nothing),
    opt("open-mode", None, Takes::Value),
    opt("output", Some('o'), Takes::Value),
    opt("parsable", None, Takes::Nothing),
    opt("propagate", None, Takes::Optional),
    opt("requeue", None, Takes::Nothing),
    opt("test-only", None, Takes::Nothing),
    opt("wait", Some('W'), Takes::Nothing),
    opt("wrap", None, Takes::Value),
];

/// All options of `sbatch`.
fn table() -> Vec<Opt> {
    let of_pyxis = pyxis::OPTIONS
        .iter()
        .map(|(name, takes)| opt(name, None, if *takes { Takes::Value } else { Takes::Nothing }));
    SHARED.iter().chain(OWN).copied().chain(of_pyxis).collect()
}

/// What the command line and the script's `#SBATCH` lines said.
#[derive(Clone, Debug, Default)]
struct Parsed {
    job: JobOptions,
    wrap: Option<String>,
    parsable: bool,
    test_only: bool,
    wait: bool,
    array: Option<String>,
    help: bool,
    version: bool,
    pyxis: PyxisArgs,
}

/// A submission that was taken, for `--wait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The job.
    pub job: u32,
    /// `sbatch` goes on until the job has ended (`--wait`).
    pub wait: bool,
}

/// Runs `sbatch` with these arguments (without the name itself).
pub fn sbatch(
    controller: &mut Controller,
    session: &Session<'_>,
    args: &[String],
) -> (CommandOutput, Option<Submitted>) {
    match submit(controller, session, args) {
        Ok((output, submitted)) => (output, submitted),
        Err(refusal) => {
            (CommandOutput { stderr: refusal.text, code: refusal.code, ..CommandOutput::default() }, None)
        }
    }
}

fn submit(
    controller: &mut Controller,
    session: &Session<'_>,
    args: &[String],
) -> Result<(CommandOutput, Option<Submitted>), Refusal> {
    let reader = Reader { command: "sbatch", now: controller.time(), uid: session.uid };
    let usage = |message: String| Refusal {
        text: format!("{message}\nTry \"sbatch --help\" for more information\n"),
        code: 255,
    };
    let line = getopt::parse("sbatch", &table(), args, false).map_err(usage)?;
    let mut parsed = Parsed::default();
    // The environment counts least, then the script, then the command line.
    let mut from_line = Parsed::default();
    for given in &line.options {
        from_line.take(reader, given)?;
    }
    if from_line.help {
        return Ok((CommandOutput::text(HELP), None));
    }
    if from_line.version {
        return Ok((CommandOutput::text("slurm-wlm 22.05.8\n"), None));
    }
    let script = if let Some(wrap) = &from_line.wrap {
        if !line.rest.is_empty() {
            return Err(error("Script arguments not permitted with --wrap option"));
        }
        format!("#!/bin/sh\n# This script was created by sbatch --wrap.\n\n{wrap}\n")
    } else {
        let text = match line.rest.first() {
            Some(path) => {
                (session.read_file)(path).ok_or_else(|| error(&format!("Unable to open file {path}")))?
            }
            None => session.stdin.to_owned(),
        };
        check_script(&text)?;
        text
    };
    for (name, option) in ENVIRONMENT {
        if let Some(value) = session.variable(name) {
            parsed.take(reader, &Given { name: option, value: Some(value.to_owned()) })?;
        }
    }
    if from_line.wrap.is_none() {
        for args in directives(&script) {
            let given = getopt::parse("sbatch", &table(), &args, true).map_err(usage)?;
            for given in &given.options {
                parsed.take(reader, given)?;
            }
        }
    }
    for given in &line.options {
        parsed.take(reader, given)?;
    }
    let mut below = PyxisArgs::default();
    below.take_environment(session.env).map_err(|message| pyxis_refusal(&message))?;
    parsed.pyxis.or(below);
    parsed.job.finish(reader, false)?;
    let warning = parsed.pyxis.finish().map(|text| format!("sbatch: error: pyxis: {text}\n"));
    let request = parsed.request(controller, session, script, &line.rest)?;
    let names = request.partitions.clone();
    if !controller.answers() {
        return Err(error(&format!("Batch job submission failed: {}", SlurmError::NoContact)));
    }
    if parsed.test_only {
        return Ok((test_only(controller, &request), None));
    }
    let unknown = names.iter().find(|name| controller.partition(name).is_none()).cloned();
    match controller.submit(request) {
        Ok(submission) => {
            let id = submission.job;
            let text =
                if parsed.parsable { format!("{id}\n") } else { format!("Submitted batch job {id}\n") };
            let stdout = if parsed.job.quiet && !parsed.parsable { String::new() } else { text };
            let output = CommandOutput {
                stdout,
                stderr: warning.unwrap_or_default() + &submission.messages.concat(),
                ..CommandOutput::default()
            };
            Ok((output, Some(Submitted { job: id, wait: parsed.wait })))
        }
        Err(why) => {
            let mut text = String::new();
            if why == SlurmError::InvalidPartition
                && let Some(name) = unknown
            {
                text.push_str(&format!("sbatch: error: invalid partition specified: {name}\n"));
            }
            if let Some(detail) = controller.refusal_detail() {
                text.push_str(&format!("sbatch: error: {detail}\n"));
            }
            text.push_str(&format!("sbatch: error: Batch job submission failed: {why}\n"));
            Err(Refusal { text, code: 1 })
        }
    }
}

fn pyxis_refusal(message: &pyxis::BadOption) -> Refusal {
    message.refusal("sbatch")
}

fn error(message: &str) -> Refusal {
    Refusal { text: format!("sbatch: error: {message}\n"), code: 1 }
}

/// Variables that stand for options (sbatch(1), INPUT ENVIRONMENT VARIABLES).
const ENVIRONMENT: [(&str, &str); 16] = [
    ("SBATCH_ACCOUNT", "account"),
    ("SBATCH_ARRAY_INX", "array"),
    ("SBATCH_CONSTRAINT", "constraint"),
    ("SBATCH_DISTRIBUTION", "distribution"),
    ("SBATCH_EXCLUSIVE", "exclusive"),
    ("SBATCH_EXPORT", "export"),
    ("SBATCH_GPUS", "gpus"),
    ("SBATCH_GPUS_PER_NODE", "gpus-per-node"),
    ("SBATCH_GPUS_PER_TASK", "gpus-per-task"),
    ("SBATCH_JOB_NAME", "job-name"),
    ("SBATCH_MEM_PER_NODE", "mem"),
    ("SBATCH_PARTITION", "partition"),
    ("SBATCH_QOS", "qos"),
    ("SBATCH_RESERVATION", "reservation"),
    ("SBATCH_TIMELIMIT", "time"),
    ("SBATCH_NO_REQUEUE", "no-requeue"),
];

/// What sbatch looks at before it sends a script.
fn check_script(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(error("Batch script is empty!"));
    }
    if !text.starts_with("#!") {
        return Err(Refusal {
            text: "sbatch: error: This does not look like a batch script.  The first\n\
                   sbatch: error: line must start with #! followed by the path to an interpreter.\n\
                   sbatch: error: For instance: #!/bin/sh\n"
                .into(),
            code: 1,
        });
    }
    if text.contains("\r\n") {
        return Err(Refusal {
            text: "sbatch: error: Batch script contains DOS line breaks (\\r\\n)\n\
                   sbatch: error: instead of expected UNIX line breaks (\\n).\n"
                .into(),
            code: 1,
        });
    }
    Ok(())
}

/// The arguments of each `#SBATCH` line before the first command.
fn directives(script: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for line in script.lines() {
        if let Some(rest) = line.strip_prefix("#SBATCH") {
            all.push(words(rest));
        } else if !line.trim_start().starts_with('#') && !line.trim().is_empty() {
            break;
        }
    }
    all
}

/// Words of a directive: quotes hold together, a `#` ends it.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if matches!(c, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None if c == '#' && word.is_none() => break,
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

impl Parsed {
    fn take(&mut self, reader: Reader<'_>, given: &Given) -> Result<(), Refusal> {
        if self.job.take(reader, given)? {
            return Ok(());
        }
        if pyxis::is_option(given.name) {
            return self
                .pyxis
                .take(given.name, given.value.as_deref())
                .map_err(|message| pyxis_refusal(&message));
        }
        let value = given.value.clone();
        let request = &mut self.job.request;
        match given.name {
            "array" => self.array = value,
            "error" => request.std_err = value,
            "input" => request.std_in = value,
            "output" => request.std_out = value,
            "no-requeue" => request.requeue = Some(false),
            "requeue" => request.requeue = Some(true),
            "open-mode" => {
                request.append = match value.as_deref() {
                    Some("append" | "a") => Some(true),
                    Some("truncate" | "t") => Some(false),
                    _ => {
                        return Err(Refusal {
                            text: "sbatch: error: Invalid --open-mode specification\n".into(),
                            code: 255,
                        });
                    }
                }
            }
            "parsable" => self.parsable = true,
            "test-only" => self.test_only = true,
            "wait" => self.wait = true,
            "wrap" => self.wrap = value,
            "help" | "usage" => self.help = true,
            "version" => self.version = true,
            "ignore-pbs" | "get-user-env" | "propagate" => {}
            other => return Err(error(&format!("not modelled: --{other}"))),
        }
        Ok(())
    }

    fn request(
        &mut self,
        controller: &Controller,
        session: &Session<'_>,
        script: String,
        rest: &[String],
    ) -> Result<JobRequest, Refusal> {
        let mut request = std::mem::take(&mut self.job.request);
        check_gres_names(controller, "sbatch", &request)?;
        if let Some(text) = &self.array {
            let array = job_options::array(text, controller.params.max_array_size.saturating_sub(1));
            request.array = Some(array.ok_or_else(|| {
                error(&format!("Batch job submission failed: {}", SlurmError::InvalidArray))
            })?);
        }
        if request.name.is_empty() {
            request.name = match rest.first() {
                Some(path) => path.rsplit('/').next().unwrap_or(path).to_owned(),
                None if self.wrap.is_some() => "wrap".into(),
                None => "sbatch".into(),
            };
        }
        if request.nice < 0 && session.uid != 0 {
            return Err(error("Batch job submission failed: Invalid --nice value"));
        }
        request.pyxis = Some(std::mem::take(&mut self.pyxis)).filter(PyxisArgs::container);
        request.uid = session.uid;
        request.gid = session.gid;
        request.batch = true;
        request.script = script;
        request.work_dir = self.job.chdir.clone().unwrap_or_else(|| session.cwd.to_owned());
        request.command = rest.first().map(|path| {
            if path.starts_with('/') {
                path.clone()
            } else {
                format!("{}/{path}", session.cwd.trim_end_matches('/'))
            }
        });
        request.argv = rest.iter().skip(1).cloned().collect();
        request.environment = exported(session, self.job.export.as_deref());
        request.environment.extend(self.job.inherited());
        session.host.clone_into(&mut request.alloc_node);
        request.alloc_sid = session.sid;
        Ok(request)
    }
}

/// The name in a request is interned by the controller; here it is looked at as the commands do.
pub(super) fn check_gres_names(
    controller: &Controller,
    command: &str,
    request: &JobRequest,
) -> Result<(), Refusal> {
    let texts =
        [&request.tres_per_job, &request.tres_per_node, &request.tres_per_task, &request.tres_per_socket];
    for part in texts.into_iter().flatten().flat_map(|text| text.split(',')) {
        let name = part.trim_start_matches("gres:").split(':').next().unwrap_or_default();
        if controller.names.kind(name).is_none() {
            return Err(Refusal {
                text: format!("{command}: error: Invalid generic resource (gres) specification\n"),
                code: 1,
            });
        }
    }
    Ok(())
}

/// Whether the script comes from standard input: neither a file nor `--wrap` is named.
pub(crate) fn reads_script_from_stdin(args: &[String]) -> bool {
    getopt::parse("sbatch", &table(), args, false).is_ok_and(|line| {
        line.rest.is_empty()
            && !line.options.iter().any(|given| matches!(given.name, "wrap" | "help" | "usage" | "version"))
    })
}

/// What `--export` lets into the job: ALL, NONE, names, or assignments.
pub(super) fn exported(session: &Session<'_>, export: Option<&str>) -> Vec<(String, String)> {
    let all = || session.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>();
    let Some(text) = export else { return all() };
    let mut vars: Vec<(String, String)> = Vec::new();
    for part in text.split(',') {
        match part.split_once('=') {
            Some((name, value)) => vars.push((name.to_owned(), value.to_owned())),
            None if part.eq_ignore_ascii_case("ALL") => vars.extend(all()),
            None if part.eq_ignore_ascii_case("NONE") || part.eq_ignore_ascii_case("NIL") => {}
            None => vars.extend(
                session
                    .env
                    .iter()
                    .filter(|(name, _)| *name == part)
                    .map(|(name, value)| (name.clone(), value.clone())),
            ),
        }
    }
    vars
}

fn test_only(controller: &mut Controller, request: &JobRequest) -> CommandOutput {
    let mut trial = controller.clone();
    controller.use_up_id();
    match trial.expected_start(request.clone()) {
        Ok((id, start, cpus, nodes, partition)) => CommandOutput {
            stderr: format!(
                "sbatch: Job {id} to start at {} using {cpus} processors on nodes {nodes} in partition {partition}\n",
                crate::slurm::units::stamp(start)
            ),
            ..CommandOutput::default()
        },
        Err(why) => CommandOutput::error(format!("allocation failure: {why}\n")),
    }
}

const HELP: &str = "\
Usage: sbatch [OPTIONS(0)...] script [args(0)...]

Options are those of sbatch(1) of Slurm 22.05; what is not modelled says so when it is used.
";
