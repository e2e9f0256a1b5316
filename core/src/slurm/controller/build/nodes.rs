//! Nodes and their generic resources.

use crate::slurm::config::{Config, Record};
use crate::slurm::hostlist;
use crate::slurm::model::{Bits, GresNames, Node, NodeBase, NodeFlags, NodeGres, NodeReason};

/// How a node's CPUs are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeShape {
    pub(crate) boards: u32,
    /// On all boards.
    pub(crate) sockets: u32,
    pub(crate) cores_per_socket: u32,
    pub(crate) threads: u32,
    pub(crate) cpus: u32,
}

/// What is not given follows from what is (slurm.conf(5), CPUs and Sockets).
pub(crate) fn node_shape(record: &Record) -> NodeShape {
    let number = |key: &str| record.fields.number::<u32>(key).map(|number| number.max(1));
    let boards = number("Boards").unwrap_or(1);
    let threads = number("ThreadsPerCore").unwrap_or(1);
    let cores = number("CoresPerSocket").unwrap_or(1);
    let cpus = number("CPUs").or_else(|| number("Procs"));
    let sockets = number("SocketsPerBoard").map(|each| each * boards).or_else(|| number("Sockets"));
    let sockets = sockets.unwrap_or_else(|| match cpus {
        Some(cpus) if cpus / (cores * threads) > 0 && cpus % (cores * threads) == 0 => {
            cpus / (cores * threads)
        }
        _ => boards,
    });
    let whole = sockets.saturating_mul(cores).saturating_mul(threads);
    let boards = if sockets < boards { 1 } else { boards };
    NodeShape { boards, sockets, cores_per_socket: cores, threads, cpus: cpus.unwrap_or(whole) }
}

/// `400`, `2k`: a count of gres.conf.
pub(crate) fn gres_count(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let times = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        "p" => 1_u64 << 50,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(times)
}

/// The nodes of a line.
pub(super) fn nodes_of(record: &Record, names: &mut GresNames) -> Vec<Node> {
    let fields = &record.fields;
    let text = |key: &str| fields.text(key);
    let expanded = hostlist::expand(&record.name).unwrap_or_default();
    let each = |key: &str| hostlist::expand(text(key)).unwrap_or_default();
    let (ports, addresses, hostnames) = (each("Port"), each("NodeAddr"), each("NodeHostname"));
    let shape = node_shape(record);
    let cores = shape.sockets.saturating_mul(shape.cores_per_socket);
    let fits = [shape.sockets, cores, cores.saturating_mul(shape.threads)].contains(&shape.cpus);
    let gres = gres_of(&fields.list("Gres"), names);
    let (base, flag) = match text("State").to_ascii_uppercase().as_str() {
        "DOWN" => (NodeBase::Down, None),
        "FUTURE" => (NodeBase::Future, None),
        "DRAIN" => (NodeBase::Up, Some(NodeFlags::DRAIN)),
        "FAIL" | "FAILING" => (NodeBase::Up, Some(NodeFlags::FAIL)),
        _ => (NodeBase::Up, None),
    };
    let reason = fields.get("Reason").map(|field| NodeReason { text: field.text.clone(), uid: 0, time: 0 });
    let nth = |list: &[String], at: usize| list.get(at).or_else(|| list.first()).cloned();
    expanded
        .into_iter()
        .enumerate()
        .map(|(at, name)| {
            let mut flags = NodeFlags::default();
            if let Some(flag) = flag {
                flags.set(flag);
            }
            let hostname = nth(&hostnames, at).unwrap_or_else(|| name.clone());
            Node {
                addr: nth(&addresses, at).unwrap_or_else(|| hostname.clone()),
                hostname,
                name,
                port: nth(&ports, at).and_then(|port| port.parse().ok()).unwrap_or(6818),
                // CPUs that go with none of sockets, cores and threads are those of the threads.
                cpus: if fits { shape.cpus } else { cores.saturating_mul(shape.threads) },
                boards: shape.boards,
                sockets: shape.sockets,
                cores_per_socket: shape.cores_per_socket,
                threads: shape.threads,
                memory: fields.number("RealMemory").unwrap_or(1),
                tmp_disk: fields.number("TmpDisk").unwrap_or(0),
                weight: fields.number("Weight").unwrap_or(1),
                features: fields.list(if fields.get("Feature").is_some() { "Feature" } else { "Features" }),
                gres_text: text("Gres").to_owned(),
                gres: gres.clone(),
                base,
                flags,
                reason: reason.clone(),
                boot_time: 0,
                slurmd_start: 0,
                last_busy: 0,
                responds: true,
                last_response: 0,
                reboot: None,
            }
        })
        .collect()
}

/// `gpu:h100:4,shard:16,lic`: kinds that are not in GresTypes are left out, as slurmctld does.
fn gres_of(parts: &[String], names: &mut GresNames) -> Vec<NodeGres> {
    let mut gres: Vec<NodeGres> = Vec::new();
    for part in parts {
        // `(S:0-1)`, the sockets that are near, is what slurmd reports, not what is configured.
        let part = part.split('(').next().unwrap_or_default();
        let bits: Vec<&str> = part.split(':').collect();
        let Some(kind) = names.kind(bits[0]) else { continue };
        let count = bits.iter().skip(1).rev().find_map(|bit| gres_count(bit)).unwrap_or(1);
        let typ = bits.get(1).filter(|text| gres_count(text).is_none() && **text != "no_consume");
        let typ = typ.map(|typ| names.intern_type(typ));
        let at = gres.iter().position(|gres| gres.kind == kind).unwrap_or_else(|| {
            gres.push(NodeGres { kind, ..NodeGres::default() });
            gres.len() - 1
        });
        let entry = &mut gres[at];
        let first = usize::try_from(entry.total).unwrap_or(usize::MAX);
        entry.total = entry.total.saturating_add(count);
        if let Some(typ) = typ {
            // Devices are told apart up to a number that no node has.
            let devices = first..first.saturating_add(usize::try_from(count).unwrap_or(0).min(4096));
            entry.types.push((typ, devices.collect(), count));
        }
    }
    gres
}

/// The lines of gres.conf: which of a node's resources are devices, which cores are near them, which have shares.
pub(super) fn gres_conf(config: &Config, names: &mut GresNames, nodes: &mut [Node]) {
    for record in &config.gres {
        let fields = &record.fields;
        let Some(kind) = names.kind(fields.text("Name")) else { continue };
        let on = hostlist::expand(&record.name).unwrap_or_default();
        let files: Vec<String> = hostlist::expand(fields.text("File")).unwrap_or_default();
        let cores = if fields.get("Cores").is_some() { fields.text("Cores") } else { fields.text("CPUs") };
        let cores: Option<Bits> = (!cores.is_empty()).then(|| {
            let list = hostlist::expand(&format!("[{cores}]")).unwrap_or_default();
            list.iter().filter_map(|core| core.parse::<usize>().ok()).collect()
        });
        let shared = names.is_shared(kind);
        let count = gres_count(fields.text("Count"));
        for node in nodes.iter_mut().filter(|node| record.name.is_empty() || on.contains(&node.name)) {
            let Some(gres) = node.gres.iter_mut().find(|gres| gres.kind == kind) else { continue };
            let one = |flag: &str| flag.eq_ignore_ascii_case("one_sharing");
            gres.one_sharing |= shared && fields.list("Flags").iter().any(|flag| one(flag));
            if shared {
                // Shares of the devices that the line names.
                if let Some(count) = count.filter(|_| !files.is_empty()) {
                    gres.shares.extend(spread(count, files.len()));
                }
                continue;
            }
            gres.devices += files.len();
            gres.anonymous |= files.iter().any(|file| !is_numbered(file));
            if let Some(cores) = &cores {
                gres.cores.extend(std::iter::repeat_n(cores.clone(), files.len()));
            }
        }
    }
    nodes.iter_mut().for_each(|node| finish_gres(node, names));
}

/// A count dealt out evenly; the first get what is over.
fn spread(count: u64, over: usize) -> impl Iterator<Item = u64> {
    let devices = over.max(1) as u64;
    (0..devices).map(move |at| count / devices + u64::from(at < count % devices))
}

/// Whether a device file has a number that CUDA knows: `/dev/nvidia0`.
fn is_numbered(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    name.strip_prefix("nvidia").is_some_and(|number| number.parse::<u32>().is_ok())
}

/// GPUs are devices with or without files; shares without files are dealt over the GPUs of the node.
fn finish_gres(node: &mut Node, names: &GresNames) {
    let is_mps = |kind: u8| names.kinds.get(usize::from(kind)).is_some_and(|name| name == "mps");
    let is_gpu = |kind: u8| names.kinds.get(usize::from(kind)).is_some_and(|name| name == "gpu");
    let gpus = node.gres.iter().find(|gres| is_gpu(gres.kind)).map_or(0, |gres| gres.total);
    let gpus = usize::try_from(gpus).unwrap_or(usize::MAX).min(4096);
    for gres in &mut node.gres {
        if names.is_shared(gres.kind) && gpus > 0 {
            gres.devices = 0;
            gres.one_sharing |= is_mps(gres.kind);
            if gres.shares.iter().sum::<u64>() == gres.total && gres.shares.len() <= gpus {
                gres.shares.resize(gpus, 0);
            } else {
                gres.shares = spread(gres.total, gpus).collect();
            }
        } else if is_gpu(gres.kind) {
            gres.devices = gres.devices.max(gpus);
        }
    }
}
