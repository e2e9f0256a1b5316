//! The `slurm:` section of a lab's spec, and the configuration files that follow from it.

use serde::{Deserialize, Serialize};

use crate::hardware;
use crate::slurm::accounting::sacctmgr;
use crate::slurm::config::{Config, ConfigFiles};
use crate::slurm::controller::{ClusterSpec, User, Users};
use crate::slurm::hostlist;

/// A Slurm cluster over the lab's machines.
///
/// With Kubernetes beside it there are two clusters of the same machines, so that the same work can be given to both
/// and compared; with `alone` there is no Kubernetes.
///
/// ```
/// use clusterlab::lab::{Lab, LabSpec};
///
/// let mut lab = Lab::new(LabSpec::from_yaml("
/// nodes: [{name: gpu, system: dgx-h100, count: 2}]
/// slurm: {alone: true}
/// ")?)?;
/// assert_eq!(lab.run("sbatch -G2 --wrap 'echo hello'").stdout, "Submitted batch job 1\n");
/// lab.advance(std::time::Duration::from_secs(5));
/// assert_eq!(lab.run("cat slurm-1.out").stdout, "hello\n");
/// # Ok::<(), clusterlab::lab::SpecError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SlurmSpec {
    /// Slurm instead of Kubernetes: the machines join no Kubernetes cluster, and there is no `kubectl`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// Lines of `slurm.conf` beyond those that follow from the machines; a parameter given here counts instead. With
    /// `NodeName` or `PartitionName` lines none of that kind is made up.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub slurm_conf: String,
    /// `gres.conf` instead of the one that follows from the machines' GPUs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gres_conf: String,
    /// `cgroup.conf`: with `ConstrainDevices=yes` jobs see only the GPUs that they were given.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cgroup_conf: String,
    /// `topology.conf`; without it all nodes are equally far from each other.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub topology_conf: String,
    /// Users beside `learner`, with ids from 1001.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// What `sacctmgr` is told before the learner comes, a line each: `add account physics`. Without any, all users are
    /// in one account, `lab`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounting: Vec<String>,
    /// What other users do, and when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub submissions: Vec<Submission>,
}

/// A command that somebody runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Submission {
    /// Seconds after the lab was switched on.
    #[serde(default)]
    pub at: u64,
    /// Who: one of the users, or `root`.
    pub user: String,
    /// The command and its arguments: `[sbatch, -N2, --wrap, sleep 60]`.
    pub run: Vec<String>,
}

/// The learner's login name, user id and group id.
pub(in crate::lab) const LEARNER: (&str, u32) = ("learner", 1000);

/// The texts of the configuration, as they stand in `/etc/slurm`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    pub(super) slurm: String,
    pub(super) gres: String,
    pub(super) cgroup: String,
    pub(super) topology: String,
}

/// Parameters that a lab has unless its spec says otherwise.
const DEFAULTS: &str = "\
ClusterName=lab
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
PriorityType=priority/multifactor
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageTRES=gres/gpu
GresTypes=gpu
ReturnToService=2
";

impl SlurmSpec {
    pub(super) fn texts(&self, machines: &[hardware::Node]) -> Texts {
        let has = |key: &str| {
            lines(&self.slurm_conf)
                .iter()
                .any(|line| line.get(..key.len()).is_some_and(|start| start.eq_ignore_ascii_case(key)))
        };
        let given: Vec<String> = lines(&self.slurm_conf);
        let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
        let overridden: Vec<String> = given.iter().map(|line| key(line)).collect();
        let mut conf: String = DEFAULTS
            .lines()
            .filter(|line| !overridden.contains(&key(line)))
            .map(|line| format!("{line}\n"))
            .collect();
        if !self.topology_conf.is_empty() && !has("TopologyPlugin") {
            conf.push_str("TopologyPlugin=topology/tree\n");
        }
        let groups = groups(machines);
        if !["DefMemPerCPU", "DefMemPerNode", "DefMemPerGPU"].iter().any(|key| has(key)) {
            // What is there for each CPU of the machine that has least.
            let each = machines.iter().map(|m| m.memory_mib / u64::from(m.cpu.logical().max(1))).min();
            conf.push_str(&format!("DefMemPerCPU={}\n", each.unwrap_or(1024).max(1)));
        }
        for line in given.iter().filter(|line| !key(line).starts_with("partitionname")) {
            conf.push_str(line);
            conf.push('\n');
        }
        if !has("NodeName") {
            conf.extend(groups.iter().map(|(names, machine)| node_line(names, machine)));
        }
        for line in given.iter().filter(|line| key(line).starts_with("partitionname")) {
            conf.push_str(line);
            conf.push('\n');
        }
        if !has("PartitionName") {
            conf.push_str("PartitionName=main Nodes=ALL Default=YES MaxTime=UNLIMITED State=UP\n");
        }
        let gres_conf = if self.gres_conf.is_empty() && !has("NodeName") {
            groups.iter().filter_map(|(names, machine)| gres_line(names, machine)).collect()
        } else {
            self.gres_conf.clone()
        };
        Texts {
            slurm: conf,
            gres: gres_conf,
            cgroup: self.cgroup_conf.clone(),
            topology: self.topology_conf.clone(),
        }
    }

    /// The tables of the cluster.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub(super) fn cluster(&self, texts: &Texts) -> Result<ClusterSpec, String> {
        let user = |name: &str, uid: u32| User {
            name: name.to_owned(),
            uid,
            gid: uid,
            groups: vec![name.to_owned()],
        };
        let learner = user(LEARNER.0, LEARNER.1);
        let others = self.users.iter().zip(1001..).map(|(name, uid)| user(name, uid));
        let users = Users::new(std::iter::once(learner).chain(others));
        let mut files = ConfigFiles::new(texts.slurm.as_str());
        let others =
            [("gres.conf", &texts.gres), ("cgroup.conf", &texts.cgroup), ("topology.conf", &texts.topology)];
        for (name, text) in others {
            if !text.is_empty() {
                files = files.with(name, text.as_str());
            }
        }
        let config = Config::read(&files).map_err(|errors| errors.to_string())?;
        let mut spec = ClusterSpec::from_config(config, users);
        let mut tell = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let words = words.strip_prefix(&["sacctmgr".to_owned()]).unwrap_or(&words);
            let output = sacctmgr::run(&mut spec.accounting, words, "root");
            if output.code == 0 {
                Ok(())
            } else {
                Err(format!("accounting: {line}: {}{}", output.stdout.trim(), output.stderr.trim()))
            }
        };
        tell(&format!("add cluster {}", spec.params.cluster))?;
        if self.accounting.is_empty() {
            tell("add account lab")?;
            for name in std::iter::once(LEARNER.0).chain(self.users.iter().map(String::as_str)) {
                tell(&format!("add user {name} account=lab"))?;
            }
        }
        self.accounting.iter().try_for_each(|line| tell(line))?;
        for submission in &self.submissions {
            let known = spec.users.by_name(&submission.user).is_some();
            if !known {
                return Err(format!("submissions: no user is {:?}", submission.user));
            }
        }
        Ok(spec)
    }
}

/// The lines of a configuration file: comments and empty lines left out, continued lines joined.
fn lines(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let (part, continued) = line.strip_suffix('\\').map_or((line, false), |part| (part.trim(), true));
        match all.last_mut().filter(|_| open) {
            Some(last) => {
                last.push(' ');
                last.push_str(part);
            }
            None if !part.is_empty() => all.push(part.to_owned()),
            None => {}
        }
        open = continued && !all.is_empty();
    }
    all
}

/// Machines that are alike, with their names as a host list.
fn groups(machines: &[hardware::Node]) -> Vec<(String, &hardware::Node)> {
    let mut groups: Vec<(Vec<&str>, &hardware::Node)> = Vec::new();
    let alike = |a: &hardware::Node, b: &hardware::Node| {
        (a.cpu, a.memory_mib, a.gpus.len()) == (b.cpu, b.memory_mib, b.gpus.len())
            && a.gpus.first().map(|gpu| gpu.model) == b.gpus.first().map(|gpu| gpu.model)
    };
    for machine in machines {
        match groups.last_mut().filter(|(_, first)| alike(first, machine)) {
            Some((names, _)) => names.push(&machine.name),
            None => groups.push((vec![&machine.name], machine)),
        }
    }
    groups.into_iter().map(|(names, machine)| (hostlist::compress(names), machine)).collect()
}

/// `h100` for an `NVIDIA-H100-80GB-HBM3`: the name that sites give to the type.
fn gpu_type(gpu: &hardware::Gpu) -> String {
    gpu.spec.product().split('-').nth(1).unwrap_or_default().to_ascii_lowercase()
}

fn node_line(names: &str, machine: &hardware::Node) -> String {
    let cpu = &machine.cpu;
    let mut line = format!(
        "NodeName={names} CPUs={} Sockets={} CoresPerSocket={} ThreadsPerCore={} RealMemory={}",
        cpu.logical(),
        cpu.sockets,
        cpu.cores_per_socket,
        cpu.threads_per_core,
        machine.memory_mib
    );
    if let Some(gpu) = machine.gpus.first() {
        line.push_str(&format!(" Gres=gpu:{}:{}", gpu_type(gpu), machine.gpus.len()));
    }
    line.push_str(" State=UNKNOWN\n");
    line
}

fn gres_line(names: &str, machine: &hardware::Node) -> Option<String> {
    let gpu = machine.gpus.first()?;
    let files = match machine.gpus.len() {
        1 => "0".to_owned(),
        n => format!("[0-{}]", n - 1),
    };
    Some(format!("NodeName={names} Name=gpu Type={} File=/dev/nvidia{files}\n", gpu_type(gpu)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::LabSpec;

    fn texts(yaml: &str) -> Texts {
        let spec = LabSpec::from_yaml(yaml).unwrap();
        spec.slurm.as_ref().unwrap().texts(&spec.machines().unwrap())
    }

    #[test]
    fn machines_become_lines_of_slurm_conf_and_gres_conf() {
        let texts = texts(
            "nodes: [{name: gpu, system: dgx-h100, count: 2}, {name: cpu, system: server}]\nslurm: {alone: true}",
        );
        assert!(
            texts.slurm.contains(
                "NodeName=gpu-[1-2] CPUs=224 Sockets=2 CoresPerSocket=56 ThreadsPerCore=2 RealMemory=2097152 Gres=gpu:h100:8 "
            ),
            "{}",
            texts.slurm
        );
        assert!(texts.slurm.contains("\nNodeName=cpu CPUs="), "{}", texts.slurm);
        assert_eq!(texts.gres, "NodeName=gpu-[1-2] Name=gpu Type=h100 File=/dev/nvidia[0-7]\n");
    }

    #[test]
    fn what_the_spec_says_counts_instead_of_the_defaults() {
        let texts = texts(
            "nodes: [{name: a, system: server}]
slurm:
  slurmConf: |
    # a comment
    SchedulerType=sched/builtin  # another
    PartitionName=long Nodes=ALL \\
      MaxTime=7-0
",
        );
        assert!(!texts.slurm.contains("sched/backfill"), "{}", texts.slurm);
        assert!(
            texts.slurm.ends_with("State=UNKNOWN\nPartitionName=long Nodes=ALL MaxTime=7-0\n"),
            "{}",
            texts.slurm
        );
    }

    #[test]
    fn a_section_that_makes_no_cluster_is_refused() {
        let check = |slurm: &str, expect: &str| {
            let yaml = format!("nodes: [{{name: a, system: server}}]\nslurm: {slurm}");
            let error = crate::lab::Lab::new(LabSpec::from_yaml(&yaml).unwrap()).unwrap_err().to_string();
            assert!(error.starts_with(expect), "{error}");
        };
        check("{accounting: [add user nobody]}", "slurm: accounting: add user nobody: ");
        check("{submissions: [{user: bob, run: [sbatch]}]}", "slurm: submissions: no user is \"bob\"");
        check(
            "{slurmConf: 'PartitionName=x Nodes=b'}",
            "slurm: slurm.conf:12:23: Invalid node names in partition x",
        );
    }
}
