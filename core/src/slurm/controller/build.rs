//! From the lines of `slurm.conf`, `gres.conf` and `topology.conf` to the tables of the controller.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::{
    ClusterSpec, Enforce, EnforcePartLimits, License, MultifactorParams, Params, PreemptType, Users,
};
use crate::slurm::hostlist;
use crate::slurm::model::{
    Bits, GresNames, Memory, Node, NodeBase, NodeFlags, NodeGres, OverSubscribe, Partition, PartitionState,
    PreemptMode,
};
use crate::slurm::select::Switch;
use crate::slurm::select::{SelectFlags, Topology};
use crate::slurm::units::{minutes, seconds};

/// `key=value` pairs of a line, quotes taken off.
fn pairs(line: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let Some((key, after)) = rest.split_once('=') else { break };
        let (value, next) = if let Some(quoted) = after.strip_prefix('"') {
            quoted.split_once('"').unwrap_or((quoted, ""))
        } else {
            after.split_once(char::is_whitespace).unwrap_or((after, ""))
        };
        all.push((key.trim().to_ascii_lowercase(), value.to_owned()));
        rest = next.trim_start();
    }
    all
}

type Fields = BTreeMap<String, String>;

fn number<T: std::str::FromStr>(fields: &Fields, key: &str) -> Option<T> {
    fields.get(key)?.parse().ok()
}

fn yes(fields: &Fields, key: &str) -> bool {
    fields.get(key).is_some_and(|value| value.eq_ignore_ascii_case("yes"))
}

/// A time limit in minutes; `Some(None)` is UNLIMITED.
fn limit(text: &str) -> Option<Option<u32>> {
    if text.eq_ignore_ascii_case("infinite") || text.eq_ignore_ascii_case("unlimited") {
        return Some(None);
    }
    minutes(text).map(Some)
}

fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn allow(fields: &Fields, key: &str) -> Option<Vec<String>> {
    fields.get(key).filter(|text| !text.eq_ignore_ascii_case("all")).map(|text| list(text))
}

impl ClusterSpec {
    /// The tables of a cluster that these lines describe.
    ///
    /// # Errors
    ///
    /// What is wrong with which line.
    pub fn from_lines(
        slurm_conf: &[&str],
        gres_conf: &[&str],
        topology_conf: &[&str],
        users: Users,
    ) -> Result<Self, String> {
        let mut fields = Fields::new();
        let (mut node_lines, mut part_lines) = (Vec::new(), Vec::new());
        for line in slurm_conf {
            let pairs = pairs(line);
            match pairs.first().map(|(key, _)| key.as_str()) {
                Some("nodename") => node_lines.push(pairs.into_iter().collect::<Fields>()),
                Some("partitionname") => part_lines.push(pairs.into_iter().collect::<Fields>()),
                _ => fields.extend(pairs),
            }
        }
        let params = params(&fields);
        let mut names =
            GresNames { kinds: list(fields.get("grestypes").map_or("", String::as_str)), types: Vec::new() };
        let mut nodes = Vec::new();
        for line in &node_lines {
            nodes.extend(nodes_of(line, &mut names)?);
        }
        for line in gres_conf {
            gres_line(&pairs(line).into_iter().collect(), &mut names, &mut nodes)?;
        }
        nodes.iter_mut().for_each(|node| finish_gres(node, &names));
        let partitions =
            part_lines.iter().map(|line| partition(line, &nodes)).collect::<Result<Vec<_>, _>>()?;
        let topology = if topology_conf.is_empty() { None } else { Some(topology(topology_conf, &nodes)?) };
        let licenses = list(fields.get("licenses").map_or("", String::as_str))
            .iter()
            .map(|part| {
                let (name, count) = part.split_once(':').unwrap_or((part, "1"));
                License { name: name.to_owned(), total: count.parse().unwrap_or(1), used: 0 }
            })
            .collect();
        Ok(Self {
            params,
            users,
            nodes,
            names,
            partitions,
            topology,
            licenses,
            accounting: crate::slurm::accounting::AccountingDb::default(),
        })
    }
}

fn params(fields: &Fields) -> Params {
    let text = |key: &str| fields.get(key).map_or("", String::as_str);
    let has = |key: &str, word: &str| text(key).split(',').any(|part| part.eq_ignore_ascii_case(word));
    let mut params = Params { cluster: text("clustername").to_owned(), ..Params::default() };
    let select = "selecttypeparameters";
    params.select = SelectFlags {
        memory: text(select).to_ascii_lowercase().contains("memory"),
        whole_nodes: text("selecttype").ends_with("linear"),
        sockets: text(select).to_ascii_lowercase().contains("cr_socket"),
        cpus: text(select).to_ascii_lowercase().contains("cr_cpu"),
        lln: has(select, "CR_LLN"),
        pack_nodes: has(select, "CR_Pack_Nodes"),
        one_task_per_core: has(select, "CR_ONE_TASK_PER_CORE"),
        dist_block: has(select, "CR_CORE_DEFAULT_DIST_BLOCK"),
        pack_serial_at_end: has("schedulerparameters", "pack_serial_at_end"),
    };
    scheduler(&mut params, text("schedulertype"), text("schedulerparameters"));
    if !text("prioritytype").ends_with("basic") {
        params.multifactor = Some(multifactor(fields));
    }
    params.preempt_type = match text("preempttype") {
        "preempt/partition_prio" => PreemptType::PartitionPrio,
        "preempt/qos" => PreemptType::Qos,
        _ => PreemptType::None,
    };
    let (mode, gang) = preempt_mode(text("preemptmode"));
    params.preempt_mode = mode;
    params.gang = gang;
    params.preempt_exempt_time = seconds(text("preemptexempttime")).unwrap_or(0);
    params.time_slice = number(fields, "schedulertimeslice").unwrap_or(30);
    params.enforce = Enforce {
        associations: has("accountingstorageenforce", "associations")
            || has("accountingstorageenforce", "limits"),
        limits: has("accountingstorageenforce", "limits") || has("accountingstorageenforce", "safe"),
        qos: has("accountingstorageenforce", "qos"),
        safe: has("accountingstorageenforce", "safe"),
    };
    params.enforce_part_limits = match text("enforcepartlimits").to_ascii_uppercase().as_str() {
        "ALL" | "YES" => EnforcePartLimits::All,
        "ANY" => EnforcePartLimits::Any,
        _ => EnforcePartLimits::No,
    };
    params.accounting = text("accountingstoragetype").ends_with("slurmdbd");
    params.accounting_tres = list(text("accountingstoragetres"));
    params.def_memory = memory(fields, "defmempercpu", "defmempernode");
    params.max_memory = memory(fields, "maxmempercpu", "maxmempernode");
    params.def_mem_per_gpu = number(fields, "defmempergpu");
    params.def_cpu_per_gpu = number(fields, "defcpupergpu");
    params.requeue = number(fields, "jobrequeue").unwrap_or(1) != 0;
    params.requeue_exit = codes(text("requeueexit"));
    params.requeue_exit_hold = codes(text("requeueexithold"));
    params.kill_wait = number(fields, "killwait").unwrap_or(30);
    if let Some(path) = fields.get("slurmdspooldir") {
        params.spool.clone_from(path);
    }
    params.min_job_age = number(fields, "minjobage").unwrap_or(300);
    params.over_time_limit = number(fields, "overtimelimit").unwrap_or(0);
    params.max_array_size = number(fields, "maxarraysize").unwrap_or(1001);
    params.max_job_count = number(fields, "maxjobcount").unwrap_or(10_000);
    params.first_job_id = number(fields, "firstjobid").unwrap_or(1);
    params.slurmd_timeout = number(fields, "slurmdtimeout").unwrap_or(300);
    params.return_to_service = number(fields, "returntoservice").unwrap_or(0);
    params.complete_wait = number(fields, "completewait").unwrap_or(0);
    params
}

fn codes(text: &str) -> Vec<u8> {
    text.split(',')
        .filter_map(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some(from.parse::<u8>().ok()?..=to.parse::<u8>().ok()?)
        })
        .flatten()
        .collect()
}

fn memory(fields: &Fields, per_cpu: &str, per_node: &str) -> Option<Memory> {
    let some = |mib: &u64| *mib > 0;
    number(fields, per_cpu)
        .filter(some)
        .map(Memory::PerCpu)
        .or_else(|| number(fields, per_node).filter(some).map(Memory::PerNode))
}

fn preempt_mode(text: &str) -> (PreemptMode, bool) {
    let mut mode = PreemptMode::Off;
    let mut gang = false;
    for word in text.split(',') {
        match word.to_ascii_uppercase().as_str() {
            "GANG" => gang = true,
            "SUSPEND" => mode = PreemptMode::Suspend,
            "REQUEUE" => mode = PreemptMode::Requeue,
            "CANCEL" => mode = PreemptMode::Cancel,
            _ => {}
        }
    }
    (mode, gang)
}

fn scheduler(params: &mut Params, kind: &str, text: &str) {
    let scheduler = &mut params.scheduler;
    scheduler.backfill = !kind.ends_with("builtin");
    for part in text.split(',') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let n = value.parse::<i64>().unwrap_or(0);
        let count = usize::try_from(n).unwrap_or(0);
        match key.trim() {
            "default_queue_depth" => scheduler.default_queue_depth = count,
            "sched_interval" => scheduler.sched_interval = n,
            "batch_sched_delay" => scheduler.batch_sched_delay = n,
            "defer" | "defer_batch" => scheduler.defer = true,
            "assoc_limit_stop" => scheduler.assoc_limit_stop = true,
            "kill_invalid_depend" => scheduler.kill_invalid_depend = true,
            "partition_job_depth" => scheduler.partition_job_depth = count,
            "preempt_youngest_first" => scheduler.preempt_youngest_first = true,
            "preempt_strict_order" => scheduler.preempt_strict_order = true,
            "preempt_reorder_count" => scheduler.preempt_reorder_count = u32::try_from(n).unwrap_or(1),
            "reduce_completing_frag" => scheduler.reduce_completing_frag = true,
            "max_switch_wait" => scheduler.max_switch_wait = u32::try_from(n).unwrap_or(300),
            "bf_interval" => scheduler.bf_interval = n,
            "bf_window" => scheduler.bf_window = n * 60,
            "bf_resolution" => scheduler.bf_resolution = n,
            "bf_max_job_test" => scheduler.bf_max_job_test = count,
            "bf_max_job_user" => scheduler.bf_max_job_user = count,
            "bf_max_job_part" => scheduler.bf_max_job_part = count,
            "bf_max_job_user_part" => scheduler.bf_max_job_user_part = count,
            "bf_max_job_assoc" => scheduler.bf_max_job_assoc = count,
            "bf_max_job_start" => scheduler.bf_max_job_start = count,
            "bf_max_job_array_resv" => scheduler.bf_max_job_array_resv = count,
            "bf_min_age_reserve" => scheduler.bf_min_age_reserve = n,
            "bf_min_prio_reserve" => scheduler.bf_min_prio_reserve = value.parse().unwrap_or(0),
            "bf_window_linear" => scheduler.bf_window_linear = n,
            _ => {}
        }
    }
}

fn multifactor(fields: &Fields) -> MultifactorParams {
    let text = |key: &str| fields.get(key).map_or("", String::as_str);
    let flag = |word: &str| text("priorityflags").split(',').any(|part| part.eq_ignore_ascii_case(word));
    let defaults = MultifactorParams::default();
    MultifactorParams {
        weight_age: number(fields, "priorityweightage").unwrap_or(0),
        weight_assoc: number(fields, "priorityweightassoc").unwrap_or(0),
        weight_fairshare: number(fields, "priorityweightfairshare").unwrap_or(0),
        weight_job_size: number(fields, "priorityweightjobsize").unwrap_or(0),
        weight_partition: number(fields, "priorityweightpartition").unwrap_or(0),
        weight_qos: number(fields, "priorityweightqos").unwrap_or(0),
        weight_tres: weights(text("priorityweighttres")),
        max_age: seconds(text("prioritymaxage")).unwrap_or(defaults.max_age),
        favor_small: yes(fields, "priorityfavorsmall"),
        small_relative_to_time: flag("SMALL_RELATIVE_TO_TIME"),
        accrue_always: flag("ACCRUE_ALWAYS"),
        calculate_running: flag("CALCULATE_RUNNING"),
        max_tres: flag("MAX_TRES"),
        fair_tree: !flag("NO_FAIR_TREE"),
        incr_only: flag("INCR_ONLY"),
        no_normal_assoc: flag("NO_NORMAL_ASSOC") || flag("NO_NORMAL_ALL"),
        no_normal_part: flag("NO_NORMAL_PART") || flag("NO_NORMAL_ALL"),
        no_normal_qos: flag("NO_NORMAL_QOS") || flag("NO_NORMAL_ALL"),
        no_normal_tres: flag("NO_NORMAL_TRES") || flag("NO_NORMAL_ALL"),
        damp: number(fields, "fairsharedampeningfactor").unwrap_or(1),
        decay_half_life: if fields.contains_key("prioritydecayhalflife") {
            // A bare number is minutes; 0 never decays.
            seconds(text("prioritydecayhalflife")).unwrap_or(0)
        } else {
            defaults.decay_half_life
        },
        calc_period: seconds(text("prioritycalcperiod")).unwrap_or(defaults.calc_period),
    }
}

/// `CPU=1.0,Mem=0.25G,GRES/gpu=2.0`: names in lower case; a weight of memory is per MiB.
fn weights(text: &str) -> Vec<(String, f64)> {
    text.split(',')
        .filter_map(|part| {
            let (name, weight) = part.split_once('=')?;
            let name = name.trim().to_ascii_lowercase();
            let digits = weight.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let value: f64 = digits.parse().ok()?;
            let per = match &weight[digits.len()..] {
                "K" | "k" => 1.0 / 1024.0,
                "G" | "g" => 1024.0,
                "T" | "t" => 1024.0 * 1024.0,
                _ => 1.0,
            };
            Some((name, value / per))
        })
        .collect()
}

fn nodes_of(line: &Fields, names: &mut GresNames) -> Result<Vec<Node>, String> {
    let text = |key: &str| line.get(key).map_or("", String::as_str);
    let expanded = hostlist::expand(text("nodename")).map_err(|error| error.to_string())?;
    let ports = hostlist::expand(text("port")).unwrap_or_default();
    let boards = number(line, "boards").unwrap_or(1).max(1);
    let threads = number(line, "threadspercore").unwrap_or(1).max(1);
    let cpus: Option<u32> = number(line, "cpus").or_else(|| number(line, "procs"));
    let sockets =
        number(line, "sockets").or_else(|| number::<u32>(line, "socketsperboard").map(|each| each * boards));
    let cores: Option<u32> = number(line, "corespersocket");
    let sockets =
        sockets.unwrap_or_else(|| if cores.is_some() { 1 } else { cpus.unwrap_or(1) / threads }).max(1);
    let cores = cores.unwrap_or_else(|| (cpus.unwrap_or(1) / threads / sockets).max(1));
    let cpus = cpus.unwrap_or(sockets * cores * threads);
    let mut gres: Vec<NodeGres> = Vec::new();
    for part in list(text("gres")) {
        let bits: Vec<&str> = part.split(':').collect();
        let count: u64 = bits.last().and_then(|last| last.parse().ok()).unwrap_or(1);
        let kind =
            names.kind(bits[0]).ok_or_else(|| format!("Gres={part}: `{}` is not in GresTypes", bits[0]))?;
        let typ = bits.get(1).filter(|text| text.parse::<u64>().is_err()).map(|typ| names.intern_type(typ));
        let at = gres.iter().position(|gres| gres.kind == kind).unwrap_or_else(|| {
            gres.push(NodeGres { kind, ..NodeGres::default() });
            gres.len() - 1
        });
        let entry = &mut gres[at];
        let first = entry.total as usize;
        entry.total += count;
        if let Some(typ) = typ {
            entry.types.push((typ, (first..first + count as usize).collect(), count));
        }
    }
    Ok(expanded
        .into_iter()
        .enumerate()
        .map(|(at, name)| Node {
            addr: text("nodeaddr").to_owned(),
            hostname: line.get("nodehostname").cloned().unwrap_or_else(|| name.clone()),
            name,
            port: ports.get(at).or_else(|| ports.first()).and_then(|port| port.parse().ok()).unwrap_or(6818),
            cpus,
            boards,
            sockets,
            cores_per_socket: cores,
            threads,
            memory: number(line, "realmemory").unwrap_or(1),
            tmp_disk: number(line, "tmpdisk").unwrap_or(0),
            weight: number(line, "weight").unwrap_or(1),
            features: list(line.get("feature").or_else(|| line.get("features")).map_or("", String::as_str)),
            gres_text: text("gres").to_owned(),
            gres: gres.clone(),
            base: match text("state").to_ascii_uppercase().as_str() {
                "DOWN" => NodeBase::Down,
                "FUTURE" => NodeBase::Future,
                "UNKNOWN" | "" | "CLOUD" | "IDLE" => NodeBase::Up,
                _ => NodeBase::Up,
            },
            flags: NodeFlags::default(),
            reason: None,
            boot_time: 0,
            slurmd_start: 0,
            last_busy: 0,
            responds: true,
            last_response: 0,
        })
        .collect())
}

/// A line of gres.conf: which of the node's GRES are devices.
fn gres_line(line: &Fields, names: &mut GresNames, nodes: &mut [Node]) -> Result<(), String> {
    let Some(name) = line.get("name") else { return Ok(()) };
    let kind = names.kind(name).ok_or_else(|| format!("gres.conf: Name={name} is not in GresTypes"))?;
    let on = match line.get("nodename") {
        Some(list) => Some(hostlist::expand(list).map_err(|error| error.to_string())?),
        None => None,
    };
    let names_of_files = match line.get("file") {
        Some(files) => hostlist::expand(files).map_err(|error| error.to_string())?,
        None => Vec::new(),
    };
    let files = names_of_files.len();
    let anonymous = names_of_files.iter().any(|file| {
        let name = file.rsplit('/').next().unwrap_or_default();
        name.strip_prefix("nvidia").is_none_or(|number| number.parse::<u32>().is_err())
    });
    for node in nodes.iter_mut().filter(|node| on.as_ref().is_none_or(|names| names.contains(&node.name))) {
        let cores: Option<Bits> = line.get("cores").map(|text| {
            hostlist::expand(&format!("[{text}]"))
                .unwrap_or_default()
                .iter()
                .filter_map(|core| core.parse::<usize>().ok())
                .collect()
        });
        if let Some(gres) = node.gres.iter_mut().find(|gres| gres.kind == kind) {
            gres.devices += files;
            gres.anonymous |= anonymous;
            if let Some(cores) = cores {
                gres.cores.extend(std::iter::repeat_n(cores, files));
            }
        }
    }
    Ok(())
}

/// Shares are dealt over the GPUs of the node.
fn finish_gres(node: &mut Node, names: &GresNames) {
    let gpus = node
        .gres
        .iter()
        .find(|gres| names.kinds.get(usize::from(gres.kind)).is_some_and(|name| name == "gpu"))
        .map_or(0, |gres| gres.total as usize);
    for gres in &mut node.gres {
        if names.is_shared(gres.kind) && gpus > 0 {
            gres.devices = 0;
            gres.shares = (0..gpus as u64)
                .map(|at| gres.total / gpus as u64 + u64::from(at < gres.total % gpus as u64))
                .collect();
        } else if names.kinds.get(usize::from(gres.kind)).is_some_and(|name| name == "gpu") {
            gres.devices = gres.devices.max(gres.total as usize);
        }
    }
}

fn partition(line: &Fields, nodes: &[Node]) -> Result<Partition, String> {
    let text = |key: &str| line.get(key).map_or("", String::as_str);
    let name = text("partitionname").to_owned();
    let members: Bits = if text("nodes").eq_ignore_ascii_case("all") {
        Bits::first(nodes.len())
    } else {
        hostlist::expand(text("nodes"))
            .map_err(|error| error.to_string())?
            .iter()
            .map(|member| {
                nodes
                    .iter()
                    .position(|node| node.name == *member)
                    .ok_or_else(|| format!("PartitionName={name}: node {member} is not known"))
            })
            .collect::<Result<_, _>>()?
    };
    let (oversubscribe, count) =
        text("oversubscribe").split_once(':').unwrap_or((text("oversubscribe"), "4"));
    let rows: u16 = count.parse().unwrap_or(4);
    Ok(Partition {
        nodes_text: text("nodes").to_owned(),
        nodes: members,
        default: yes(line, "default"),
        hidden: yes(line, "hidden"),
        state: match text("state").to_ascii_uppercase().as_str() {
            "DOWN" => PartitionState::Down,
            "DRAIN" => PartitionState::Drain,
            "INACTIVE" => PartitionState::Inactive,
            _ => PartitionState::Up,
        },
        max_time: line.get("maxtime").and_then(|text| limit(text)).flatten(),
        default_time: line.get("defaulttime").and_then(|text| limit(text)).flatten(),
        max_nodes: number(line, "maxnodes"),
        min_nodes: number(line, "minnodes").unwrap_or(0),
        max_cpus_per_node: number(line, "maxcpuspernode"),
        tier: number(line, "prioritytier").or_else(|| number(line, "priority")).unwrap_or(1),
        job_factor: number(line, "priorityjobfactor").or_else(|| number(line, "priority")).unwrap_or(1),
        oversubscribe: match oversubscribe.to_ascii_uppercase().as_str() {
            "EXCLUSIVE" => OverSubscribe::Exclusive,
            "YES" => OverSubscribe::Yes(rows),
            "FORCE" => OverSubscribe::Force(rows),
            _ => OverSubscribe::No,
        },
        preempt_mode: line.get("preemptmode").map(|text| preempt_mode(text).0),
        grace_time: line.get("gracetime").and_then(|text| text.parse().ok()).unwrap_or(0),
        over_time_limit: number(line, "overtimelimit"),
        def_memory: memory(line, "defmempercpu", "defmempernode"),
        max_memory: memory(line, "maxmempercpu", "maxmempernode"),
        def_cpu_per_gpu: number(line, "defcpupergpu"),
        def_mem_per_gpu: number(line, "defmempergpu"),
        allow_accounts: allow(line, "allowaccounts"),
        deny_accounts: list(text("denyaccounts")),
        allow_qos: allow(line, "allowqos"),
        deny_qos: list(text("denyqos")),
        allow_groups: allow(line, "allowgroups"),
        qos: line.get("qos").cloned(),
        root_only: yes(line, "rootonly"),
        req_resv: yes(line, "reqresv"),
        disable_root_jobs: yes(line, "disablerootjobs"),
        exclusive_user: yes(line, "exclusiveuser"),
        lln: yes(line, "lln"),
        billing_weights: weights(text("tresbillingweights")),
        billing_text: text("tresbillingweights").to_owned(),
        name,
    })
}

fn topology(lines: &[&str], nodes: &[Node]) -> Result<Topology, String> {
    let mut switches: Vec<Switch> = Vec::new();
    let mut children: Vec<Vec<String>> = Vec::new();
    for line in lines {
        let fields: Fields = pairs(line).into_iter().collect();
        let Some(name) = fields.get("switchname") else { continue };
        let members = hostlist::expand(fields.get("nodes").map_or("", String::as_str))
            .map_err(|error| error.to_string())?;
        switches.push(Switch {
            name: name.clone(),
            level: 0,
            nodes: members
                .iter()
                .filter_map(|name| nodes.iter().position(|node| node.name == *name))
                .collect(),
            children: Vec::new(),
            link_speed: number(&fields, "linkspeed").unwrap_or(1),
        });
        children.push(
            hostlist::expand(fields.get("switches").map_or("", String::as_str))
                .map_err(|error| error.to_string())?,
        );
    }
    for at in 0..switches.len() {
        switches[at].children = children[at]
            .iter()
            .filter_map(|name| switches.iter().position(|switch| switch.name == *name))
            .collect();
    }
    // Levels and nodes come up from the leaves; a cycle stops after as many rounds as there are switches.
    for _ in 0..switches.len() {
        for at in 0..switches.len() {
            let below: SmallVec<[usize; 8]> = switches[at].children.iter().copied().collect();
            for child in below {
                let (level, nodes) = (switches[child].level + 1, switches[child].nodes.clone());
                switches[at].level = switches[at].level.max(level);
                switches[at].nodes.union(&nodes);
            }
        }
    }
    Ok(Topology { switches })
}
