//! The options that `sbatch`, `salloc` and `srun` share, from text to a [`JobRequest`].

use super::getopt::{Given, Opt, Takes, opt};
use super::times;
use crate::slurm::hostlist;
use crate::slurm::model::{
    ArraySpec, Dependency, DependencyKind, DependencyState, DependencyTarget, JobRequest, Memory, Sharing,
};
use crate::slurm::{Time, units};

/// Options of all three commands.
pub(super) const SHARED: &[Opt] = &[
    opt("account", Some('A'), Takes::Value),
    opt("acctg-freq", None, Takes::Value),
    opt("begin", Some('b'), Takes::Value),
    opt("comment", None, Takes::Value),
    opt("constraint", Some('C'), Takes::Value),
    opt("container", None, Takes::Value),
    opt("contiguous", None, Takes::Nothing),
    opt("core-spec", Some('S'), Takes::Value),
    opt("cores-per-socket", None, Takes::Value),
    opt("cpus-per-gpu", None, Takes::Value),
    opt("cpus-per-task", Some('c'), Takes::Value),
    opt("deadline", None, Takes::Value),
    opt("delay-boot", None, Takes::Value),
    opt("dependency", Some('d'), Takes::Value),
    opt("chdir", Some('D'), Takes::Value),
    opt("distribution", Some('m'), Takes::Value),
    opt("exclude", Some('x'), Takes::Value),
    opt("exclusive", None, Takes::Optional),
    opt("export", None, Takes::Value),
    opt("extra-node-info", Some('B'), Takes::Value),
    opt("gid", None, Takes::Value),
    opt("gpu-bind", None, Takes::Value),
    opt("gpu-freq", None, Takes::Value),
    opt("gpus", Some('G'), Takes::Value),
    opt("gpus-per-node", None, Takes::Value),
    opt("gpus-per-socket", None, Takes::Value),
    opt("gpus-per-task", None, Takes::Value),
    opt("gres", None, Takes::Value),
    opt("gres-flags", None, Takes::Value),
    opt("help", Some('h'), Takes::Nothing),
    opt("hint", None, Takes::Value),
    opt("hold", Some('H'), Takes::Nothing),
    opt("immediate", Some('I'), Takes::Optional),
    opt("job-name", Some('J'), Takes::Value),
    opt("kill-on-invalid-dep", None, Takes::Value),
    opt("licenses", Some('L'), Takes::Value),
    opt("mail-type", None, Takes::Value),
    opt("mail-user", None, Takes::Value),
    opt("mem", None, Takes::Value),
    opt("mem-bind", None, Takes::Value),
    opt("mem-per-cpu", None, Takes::Value),
    opt("mem-per-gpu", None, Takes::Value),
    opt("mincpus", None, Takes::Value),
    opt("nice", None, Takes::Optional),
    opt("no-kill", Some('k'), Takes::Optional),
    opt("nodefile", Some('F'), Takes::Value),
    opt("nodelist", Some('w'), Takes::Value),
    opt("nodes", Some('N'), Takes::Value),
    opt("ntasks", Some('n'), Takes::Value),
    opt("ntasks-per-core", None, Takes::Value),
    opt("ntasks-per-gpu", None, Takes::Value),
    opt("ntasks-per-node", None, Takes::Value),
    opt("ntasks-per-socket", None, Takes::Value),
    opt("overcommit", Some('O'), Takes::Nothing),
    opt("oversubscribe", Some('s'), Takes::Nothing),
    opt("partition", Some('p'), Takes::Value),
    opt("prefer", None, Takes::Value),
    opt("priority", None, Takes::Value),
    opt("profile", None, Takes::Value),
    opt("qos", Some('q'), Takes::Value),
    opt("quiet", Some('Q'), Takes::Nothing),
    opt("reboot", None, Takes::Nothing),
    opt("reservation", None, Takes::Value),
    opt("signal", None, Takes::Value),
    opt("sockets-per-node", None, Takes::Value),
    opt("spread-job", None, Takes::Nothing),
    opt("switches", None, Takes::Value),
    opt("threads-per-core", None, Takes::Value),
    opt("time", Some('t'), Takes::Value),
    opt("time-min", None, Takes::Value),
    opt("tmp", None, Takes::Value),
    opt("tres-per-task", None, Takes::Value),
    opt("uid", None, Takes::Value),
    opt("usage", None, Takes::Nothing),
    opt("use-min-nodes", None, Takes::Nothing),
    opt("verbose", Some('v'), Takes::Nothing),
    opt("version", Some('V'), Takes::Nothing),
    opt("wait-all-nodes", None, Takes::Value),
    opt("wckey", None, Takes::Value),
];

/// Why a command stops before it talks to the controller: the lines that it prints, and its exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) text: String,
    pub(super) code: u8,
}

/// What the options said, with what the commands themselves need.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct JobOptions {
    pub(super) request: JobRequest,
    pub(super) quiet: bool,
    pub(super) verbose: u32,
    pub(super) export: Option<String>,
    pub(super) immediate: Option<u32>,
    pub(super) chdir: Option<String>,
    gpus: Option<String>,
    gpus_per_node: Option<String>,
    gres: Option<String>,
    mem_given: u8,
}

/// What reading an option needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) command: &'a str,
    pub(super) now: Time,
    pub(super) uid: u32,
}

impl Reader<'_> {
    fn invalid(self, option: &str) -> Refusal {
        self.error(&format!("Invalid --{option} specification"), 255)
    }

    fn error(self, message: &str, code: u8) -> Refusal {
        Refusal { text: format!("{}: error: {message}\n", self.command), code }
    }

    fn positive(self, option: &str, text: &str) -> Result<u32, Refusal> {
        text.parse::<u32>()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| self.error(&format!("Invalid numeric value \"{text}\" for --{option}."), 1))
    }

    fn count(self, option: &str, text: &str) -> Result<u32, Refusal> {
        text.parse::<u32>()
            .map_err(|_| self.error(&format!("Invalid numeric value \"{text}\" for --{option}."), 1))
    }

    fn minutes(self, option: &str, text: &str) -> Result<Option<u32>, Refusal> {
        if matches!(text.to_ascii_lowercase().as_str(), "infinite" | "unlimited" | "-1") {
            return Ok(None);
        }
        let minutes = units::minutes(text).ok_or_else(|| self.invalid(option))?;
        // 0 asks for no limit of its own.
        Ok((minutes > 0).then_some(minutes))
    }

    fn mebibytes(self, option: &str, text: &str) -> Result<u64, Refusal> {
        units::mebibytes(text).ok_or_else(|| self.invalid(option))
    }

    fn time(self, option: &str, text: &str) -> Result<Time, Refusal> {
        times::parse(text, self.now).map_err(|at| Refusal {
            text: format!(
                "Invalid time specification (pos={at}): {text}\n{}: error: Invalid --{option} specification\n",
                self.command
            ),
            code: 255,
        })
    }
}

impl JobOptions {
    /// Variables that the commands set for what they start, from options that steps inherit.
    pub(super) fn inherited(&self) -> Vec<(String, String)> {
        let request = &self.request;
        let per_task = request.tres_per_task.as_ref().map(|text| text.replace("gres:gpu:", ""));
        let bind = request.tres_bind.as_ref().and_then(|text| text.strip_prefix("gpu:")).map(str::to_owned);
        [
            ("SLURM_GPUS", self.gpus.clone()),
            ("SLURM_GPUS_PER_NODE", self.gpus_per_node.clone()),
            ("SLURM_GPUS_PER_TASK", per_task),
            ("SLURM_GPU_BIND", bind),
            ("SLURM_DISTRIBUTION", request.distribution.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }

    /// GPUs as `srun` asks for them: in all, per node, per task; and whether there shall be none.
    pub(super) fn gpus(&self) -> ([Option<u64>; 3], bool) {
        let count = |text: &str| {
            let parts =
                text.split(',').map(|part| part.rsplit(':').next().unwrap_or(part).parse().unwrap_or(1));
            parts.sum::<u64>()
        };
        let of_gres = self.gres.as_deref().map(|text| {
            text.split(',')
                .filter(|part| part.split(':').next() == Some("gpu"))
                .map(|part| if part == "gpu" { 1 } else { count(part) })
                .sum::<u64>()
        });
        let none = self.gres.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("none"));
        let per_node = of_gres.filter(|_| !none).or_else(|| self.gpus_per_node.as_deref().map(count));
        let per_task = self.request.tres_per_task.as_deref().map(count);
        ([self.gpus.as_deref().map(count), per_node, per_task], none || of_gres == Some(0))
    }

    /// Takes one option in. `Ok(false)` when it is none of the shared ones.
    pub(super) fn take(&mut self, reader: Reader<'_>, given: &Given) -> Result<bool, Refusal> {
        let value = given.value.clone().unwrap_or_default();
        let some = || Some(value.clone());
        let request = &mut self.request;
        match given.name {
            "account" => request.account = Some(value.to_ascii_lowercase()),
            "begin" => request.begin = Some(reader.time("begin", &value)?),
            "deadline" => request.deadline = Some(reader.time("deadline", &value)?),
            "comment" => request.comment = some(),
            "constraint" => request.constraint = some(),
            "prefer" => request.prefer = some(),
            "contiguous" => request.contiguous = true,
            "cores-per-socket" => request.cores_per_socket = Some(reader.positive(given.name, &value)?),
            "sockets-per-node" => request.sockets_per_node = Some(reader.positive(given.name, &value)?),
            "threads-per-core" => request.threads_per_core = Some(reader.positive(given.name, &value)?),
            "extra-node-info" => {
                let parts: Vec<Option<u32>> = value.split(':').map(|part| part.parse().ok()).collect();
                request.sockets_per_node = parts.first().copied().flatten();
                request.cores_per_socket = parts.get(1).copied().flatten();
                request.threads_per_core = parts.get(2).copied().flatten();
            }
            "cpus-per-gpu" => {
                request.cpus_per_tres = Some(format!("gres:gpu:{}", reader.positive(given.name, &value)?));
            }
            "mem-per-gpu" => {
                self.mem_given |= 4;
                request.mem_per_tres = Some(format!("gres:gpu:{}", reader.mebibytes(given.name, &value)?));
            }
            "cpus-per-task" => request.cpus_per_task = Some(reader.positive(given.name, &value)?),
            "delay-boot" => request.delay_boot = reader.minutes(given.name, &value)?.unwrap_or(0) * 60,
            "dependency" => request.dependency = dependencies(&value).unwrap_or_else(|| vec![NO_DEPENDENCY]),
            "chdir" => self.chdir = some(),
            "distribution" => {
                if !distribution_is_known(&value) {
                    return Err(reader.invalid(given.name));
                }
                request.distribution = some();
            }
            "exclude" => request.exclude = hosts(&value),
            "nodelist" => request.nodelist = hosts(&value),
            "exclusive" => {
                request.sharing = match given.value.as_deref() {
                    None | Some("") => Sharing::Exclusive,
                    Some("user") => Sharing::ExclusiveUser,
                    Some(_) => return Err(reader.invalid(given.name)),
                }
            }
            "oversubscribe" => request.sharing = Sharing::Oversubscribe,
            "export" => self.export = some(),
            "gpus" => self.gpus = some(),
            "gpus-per-node" => self.gpus_per_node = some(),
            "gpus-per-socket" => request.tres_per_socket = Some(gpu_list(&value)),
            "gpus-per-task" => request.tres_per_task = Some(gpu_list(&value)),
            "gres" => {
                for part in value.split(',') {
                    if value.eq_ignore_ascii_case("none") {
                        continue;
                    }
                    let name = part.split(':').next().unwrap_or_default();
                    if name.is_empty() {
                        return Err(reader.error("Invalid generic resource (gres) specification", 1));
                    }
                }
                self.gres = some();
            }
            "gpu-bind" => request.tres_bind = Some(format!("gpu:{value}")),
            "hint" => {
                if !matches!(
                    value.as_str(),
                    "compute_bound" | "memory_bound" | "multithread" | "nomultithread"
                ) {
                    return Err(reader
                        .error(&format!("unrecognized --hint argument \"{value}\", see --hint=help"), 1));
                }
                if value == "nomultithread" {
                    request.threads_per_core = Some(1);
                }
            }
            "hold" => request.hold = true,
            "immediate" => self.immediate = Some(value.parse().unwrap_or(0)),
            "job-name" => request.name = value,
            "kill-on-invalid-dep" => {
                request.kill_on_invalid_dep = Some(match value.to_ascii_lowercase().as_str() {
                    "yes" | "y" => true,
                    "no" | "n" => false,
                    _ => return Err(reader.invalid(given.name)),
                });
            }
            "licenses" => request.licenses = some(),
            "mail-type" => {
                let known = [
                    "NONE",
                    "BEGIN",
                    "END",
                    "FAIL",
                    "REQUEUE",
                    "ALL",
                    "INVALID_DEPEND",
                    "STAGE_OUT",
                    "TIME_LIMIT",
                    "TIME_LIMIT_90",
                    "TIME_LIMIT_80",
                    "TIME_LIMIT_50",
                    "ARRAY_TASKS",
                ];
                if !value.split(',').all(|word| known.iter().any(|known| known.eq_ignore_ascii_case(word))) {
                    return Err(reader.invalid(given.name));
                }
                request.mail_type = some();
            }
            "mail-user" => request.mail_user = some(),
            "mem" => {
                self.mem_given |= 1;
                request.memory = Some(Memory::PerNode(reader.mebibytes(given.name, &value)?));
            }
            "mem-per-cpu" => {
                self.mem_given |= 2;
                request.memory = Some(Memory::PerCpu(reader.mebibytes(given.name, &value)?));
            }
            "mincpus" => request.min_cpus_node = Some(reader.positive(given.name, &value)?),
            "nice" => request.nice = nice(reader, given.value.as_deref())?,
            "no-kill" => request.no_kill = true,
            "nodes" => nodes(reader, request, &value)?,
            "ntasks" => request.ntasks = Some(reader.positive(given.name, &value)?),
            "ntasks-per-core" => request.ntasks_per_core = Some(reader.positive(given.name, &value)?),
            "ntasks-per-gpu" => request.ntasks_per_tres = Some(reader.positive(given.name, &value)?),
            "ntasks-per-node" => request.ntasks_per_node = Some(reader.positive(given.name, &value)?),
            "ntasks-per-socket" => request.ntasks_per_socket = Some(reader.positive(given.name, &value)?),
            "overcommit" => request.overcommit = true,
            "partition" => {
                request.partitions =
                    value.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            }
            "priority" => {
                request.priority = if value.eq_ignore_ascii_case("top") {
                    None
                } else {
                    Some(reader.count(given.name, &value)?)
                };
            }
            "qos" => request.qos = some(),
            "quiet" => self.quiet = true,
            "verbose" => self.verbose += 1,
            "reboot" => request.reboot = true,
            "reservation" => request.reservation = some(),
            "signal" => request.signal = Some(signal(&value).ok_or_else(|| reader.invalid(given.name))?),
            "spread-job" => request.spread = true,
            "switches" => {
                request.switches = Some(switches(&value).ok_or_else(|| reader.invalid(given.name))?);
            }
            "time" => {
                request.time_limit =
                    reader.minutes(given.name, &value).map(|limit| given_limit(&value, limit))?;
            }
            "time-min" => request.time_min = reader.minutes(given.name, &value)?,
            "tmp" => request.tmp_disk = reader.mebibytes(given.name, &value)?,
            "uid" | "gid" if reader.uid != 0 => {
                return Err(reader.error(&format!("--{} only permitted by root user", given.name), 255));
            }
            "use-min-nodes" => request.use_min_nodes = true,
            "wait-all-nodes" => request.wait_all_nodes = Some(value == "1"),
            "wckey" => request.wckey = some(),
            "container" => request.container = some(),
            "acctg-freq" | "core-spec" | "gpu-freq" | "gres-flags" | "mem-bind" | "nodefile" | "profile"
            | "uid" | "gid" | "tres-per-task" => {
                return Err(reader.error(&format!("not modelled: --{}", given.name), 1));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What can only be said when all options are known. `in_job`: for a step, whose options are checked against what its
    /// job has.
    pub(super) fn finish(&mut self, reader: Reader<'_>, in_job: bool) -> Result<(), Refusal> {
        if self.mem_given.count_ones() > 1 {
            return Err(Refusal {
                text: format!(
                    "{}: fatal: --mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.\n",
                    reader.command
                ),
                code: 1,
            });
        }
        let gres_error = |message: &str| Refusal {
            text: format!(
                "{0}: error: {message}\n{0}: error: Invalid generic resource (gres) specification\n",
                reader.command
            ),
            code: 1,
        };
        if !in_job
            && self.request.tres_per_task.is_some()
            && self.gpus.is_none()
            && self.request.ntasks.is_none()
        {
            return Err(gres_error(
                "Failed to validate job spec. --gpus-per-task used without either --gpus or -n/--ntasks is not allowed.",
            ));
        }
        let number = |text: &Option<String>| {
            text.as_ref().and_then(|text| text.rsplit(':').next()?.parse::<u64>().ok())
        };
        if let (Some(all), Some(each)) = (number(&self.gpus), number(&self.gpus_per_node))
            && !in_job
            && each > 0
            && all % each != 0
        {
            return Err(gres_error(
                "Failed to validate job spec, --gpus is not multiple of --gres=gpu/--gpus-per-node",
            ));
        }
        self.request.tres_per_job = self.gpus.as_deref().map(gpu_list);
        let mut per_node: Vec<String> = Vec::new();
        if let Some(gres) = self.gres.as_deref().filter(|gres| !gres.eq_ignore_ascii_case("none")) {
            per_node.extend(gres.split(',').map(|part| format!("gres:{part}")));
        }
        if let Some(gpus) = &self.gpus_per_node {
            per_node.push(gpu_list(gpus));
        }
        self.request.tres_per_node = (!per_node.is_empty()).then(|| per_node.join(","));
        if !self.request.nodelist.is_empty()
            && let Some(most) = self.request.max_nodes
            && (self.request.nodelist.len() as u32) > most
        {
            let listed = self.request.nodelist.len();
            return Err(reader.error(&format!("invalid number of nodes (-N {listed}-{most})"), 1));
        }
        Ok(())
    }
}

/// A dependency that does not parse: the controller refuses it with its own words.
pub(super) const NO_DEPENDENCY: Dependency =
    Dependency { kind: DependencyKind::Expand, target: None, any: false, state: DependencyState::Failed };

fn given_limit(text: &str, limit: Option<u32>) -> Option<Option<u32>> {
    // `-t 0` is as if the option were not there.
    if limit.is_none() && units::minutes(text) == Some(0) { None } else { Some(limit) }
}

fn gpu_list(text: &str) -> String {
    text.split(',').map(|part| format!("gres:gpu:{part}")).collect::<Vec<_>>().join(",")
}

fn hosts(text: &str) -> Vec<String> {
    // A list that cannot be read is a name that no node has: the controller says so.
    hostlist::expand(text).unwrap_or_else(|_| vec![text.to_owned()])
}

fn nice(reader: Reader<'_>, text: Option<&str>) -> Result<i32, Refusal> {
    let Some(text) = text else { return Ok(100) };
    // What does not begin with a number counts as 0, as strtoll reads it.
    let digits: String = text
        .chars()
        .enumerate()
        .take_while(|(at, c)| c.is_ascii_digit() || (*at == 0 && *c == '-'))
        .map(|(_, c)| c)
        .collect();
    let value: i64 = digits.parse().unwrap_or(0);
    if value.abs() > 2_147_483_645 {
        return Err(reader
            .error(&format!("Invalid --nice value, must be between -{0} and {0}", 2_147_483_645_u32), 255));
    }
    Ok(value as i32)
}

fn nodes(reader: Reader<'_>, request: &mut JobRequest, text: &str) -> Result<(), Refusal> {
    let bad = || reader.error(&format!("\"{text}\" is not a valid node count"), 255);
    let count = |text: &str| {
        let (digits, factor) = match text.char_indices().last() {
            Some((at, 'k' | 'K')) => (&text[..at], 1024),
            Some((at, 'm' | 'M')) => (&text[..at], 1024 * 1024),
            _ => (text, 1),
        };
        digits.parse::<u32>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(bad)
    };
    let (least, most) = match text.split_once('-') {
        Some((least, most)) => (count(least)?, count(most)?),
        None => (count(text)?, count(text)?),
    };
    if most < least {
        return Err(
            reader.error(&format!("Maximum node count {most} is less than minimum node count {least}"), 255)
        );
    }
    request.min_nodes = Some(least);
    request.max_nodes = Some(most);
    Ok(())
}

fn switches(text: &str) -> Option<(u32, Option<u32>)> {
    match text.split_once('@') {
        Some((count, wait)) => Some((count.parse().ok()?, Some(u32::try_from(units::seconds(wait)?).ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}

fn distribution_is_known(text: &str) -> bool {
    let mut parts = text.split([':', ',']);
    let first = parts.next().unwrap_or_default();
    let node = matches!(first, "*" | "block" | "cyclic" | "arbitrary")
        || first.strip_prefix("plane=").is_some_and(|n| n.parse::<u32>().is_ok());
    node && parts.all(|part| matches!(part, "*" | "block" | "cyclic" | "fcyclic" | "Pack" | "NoPack"))
}

/// `[{R|B}:]signal[@seconds]`.
fn signal(text: &str) -> Option<(u8, u32, bool)> {
    let (flags, rest) = text.split_once(':').map_or(("", text), |(flags, rest)| (flags, rest));
    if !flags.chars().all(|flag| matches!(flag, 'R' | 'B' | 'r' | 'b')) {
        return None;
    }
    let (name, seconds) =
        rest.split_once('@').map_or((rest, Some(60)), |(name, seconds)| (name, seconds.parse().ok()));
    Some((signal_number(name)?, seconds?, flags.to_ascii_uppercase().contains('B')))
}

/// The number of a signal by name, with or without SIG, or number.
pub(crate) fn signal_number(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse::<u8>() {
        return (1..65).contains(&number).then_some(number);
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let known = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ABRT", 6),
        ("KILL", 9),
        ("USR1", 10),
        ("USR2", 12),
        ("PIPE", 13),
        ("ALRM", 14),
        ("TERM", 15),
        ("CHLD", 17),
        ("CONT", 18),
        ("STOP", 19),
        ("TSTP", 20),
        ("TTIN", 21),
        ("TTOU", 22),
        ("URG", 23),
        ("XCPU", 24),
    ];
    known.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// The text of `--dependency`.
pub(super) fn dependencies(text: &str) -> Option<Vec<Dependency>> {
    let any = text.contains('?');
    let mut all = Vec::new();
    for part in text.split([',', '?']) {
        if part.eq_ignore_ascii_case("singleton") {
            all.push(Dependency {
                kind: DependencyKind::Singleton,
                target: None,
                any,
                state: DependencyState::Unfulfilled,
            });
            continue;
        }
        let (kind, jobs) = part.split_once(':')?;
        let kind = match kind.to_ascii_lowercase().as_str() {
            "after" => DependencyKind::After,
            "afterany" => DependencyKind::AfterAny,
            "afterok" => DependencyKind::AfterOk,
            "afternotok" => DependencyKind::AfterNotOk,
            "aftercorr" => DependencyKind::AfterCorr,
            _ => return None,
        };
        for job in jobs.split(':') {
            let (id, delay) =
                job.split_once('+').map_or((job, Some(0)), |(id, delay)| (id, delay.parse().ok()));
            let (job, task) = match id.split_once('_') {
                Some((job, "*")) => (job, None),
                Some((job, task)) => (job, Some(task.parse().ok()?)),
                None => (id, None),
            };
            let target = DependencyTarget { job: job.parse().ok()?, task, delay: delay? };
            all.push(Dependency { kind, target: Some(target), any, state: DependencyState::Unfulfilled });
        }
    }
    Some(all)
}

/// The text of `--array`; `None` when it cannot be read.
pub(super) fn array(text: &str, largest: u32) -> Option<ArraySpec> {
    let (list, limit) = match text.split_once('%') {
        // A limit that is no number is as if it were not there (observed).
        Some((list, limit)) => (list, limit.parse::<u32>().ok().filter(|limit| *limit > 0)),
        None => (text, None),
    };
    let list = list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap_or(list);
    let mut tasks = std::collections::BTreeSet::new();
    let mut step_of = 1;
    for part in list.split(',') {
        let (range, step) =
            part.split_once(':').map_or((part, Some(1)), |(range, step)| (range, step.parse::<u32>().ok()));
        let step = step.filter(|step| *step > 0)?;
        step_of = step;
        let (from, to) = range.split_once('-').map_or((range, range), |(from, to)| (from, to));
        let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
        if to < from || to > largest {
            return None;
        }
        tasks.extend((from..=to).step_by(step as usize));
    }
    Some(ArraySpec { text: text.to_owned(), tasks: tasks.into_iter().collect(), limit, step: step_of })
}
