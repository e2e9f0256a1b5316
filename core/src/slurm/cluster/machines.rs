//! The machines that the nodes are: their GPUs, and which of them a process sees.
//!
//! A cluster needs none: the controller goes by `slurm.conf`. Where they are given ([`SlurmCluster::set_machines`]) jobs
//! have `nvidia-smi`, and the programs of images use the GPUs.
//!
//! Without `ConstrainDevices=yes` in `cgroup.conf` every process sees all GPUs of its node, and `CUDA_VISIBLE_DEVICES` says
//! which are its job's; with it, it sees those of its job or step alone, numbered from 0 (cgroup.conf(5)).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SlurmCluster;
use super::procs::ProcId;
use super::steps::StepKey;
use crate::hardware::Node;
use crate::process::MemoryGroup;
use crate::process::images::{Image, Registry};
use crate::slurm::containers::View;
use crate::slurm::model::{Bits, JobId, StepId};

/// Who a process is, and where and with what it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// User id.
    pub(crate) uid: u32,
    /// The node's name; the login node's for commands.
    pub(crate) node: String,
    /// The container that it runs in.
    pub(crate) inside: Option<View>,
    /// The GPUs that its devices let it see, as indices into the machine's.
    pub(crate) gpus: Arc<[usize]>,
    /// Its standard streams are a terminal.
    pub(crate) terminal: bool,
    /// The script or task of a job that it is or was started by: in whose cgroup it is.
    pub(crate) leader: Option<ProcId>,
}

/// Machines by the names of their nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Machines {
    all: Vec<Node>,
    index: BTreeMap<String, usize>,
    /// What the machines themselves run: an Ubuntu without any of the simulated programs.
    system: Option<Arc<Image>>,
}

impl Machines {
    fn of(&self, node: &str) -> Option<&Node> {
        self.index.get(node).and_then(|at| self.all.get(*at))
    }

    pub(super) fn of_mut(&mut self, node: &str) -> Option<&mut Node> {
        self.index.get(node).and_then(|at| self.all.get_mut(*at))
    }

    pub(super) fn system(&self) -> Option<Arc<Image>> {
        self.system.clone()
    }
}

impl SlurmCluster {
    /// Gives the nodes their machines; one belongs to the node that has its name.
    pub fn set_machines(&mut self, machines: Vec<Node>) {
        let index = machines.iter().enumerate().map(|(at, machine)| (machine.name.clone(), at)).collect();
        let system = Registry::default().resolve("ubuntu:22.04").ok();
        self.machines = Machines { all: machines, index, system };
    }

    /// The machines, in the order in which they were given.
    pub fn machines(&self) -> &[Node] {
        &self.machines.all
    }

    /// What a process with these devices of a node sees of its GPUs.
    fn seen(&self, node: &str, granted: Option<&Bits>) -> Arc<[usize]> {
        let count = self.machines.of(node).map_or(0, |machine| machine.gpus.len());
        match granted.filter(|_| self.controller.params.constrain_devices) {
            Some(devices) => devices.iter().filter(|gpu| *gpu < count).collect(),
            None => (0..count).collect(),
        }
    }

    /// The GPUs that a job's batch script sees on a node.
    pub(super) fn gpus_of_job(&self, job: JobId, node: &str) -> Arc<[usize]> {
        let mut devices = Bits::new();
        let record = self.controller.jobs.get(job).zip(self.controller.node(node));
        if let (Some((job, at)), Some(kind)) = (record, self.controller.names.kind("gpu")) {
            let shares = job.shares_of_nodes.iter().filter(|share| share.node == at);
            for grant in shares.flat_map(|share| &share.gres).filter(|grant| grant.kind == kind) {
                devices.union(&grant.devices);
            }
        }
        self.seen(node, Some(&devices))
    }

    /// The GPUs that the tasks of a step see on one of its nodes.
    pub(super) fn gpus_of_step(&self, key: StepKey, node: usize) -> Arc<[usize]> {
        let job = self.controller.jobs.get(key.0);
        let step = job.and_then(|job| job.steps.iter().find(|step| step.id == StepId::Number(key.2)));
        let Some(share) = step.and_then(|step| step.shares.get(node)) else { return Arc::default() };
        self.seen(&self.controller.nodes[share.node].name, Some(&share.gpus))
    }

    /// The memory of the run of a job that a process belongs to, taken out for as long as it is at work.
    pub(super) fn take_memory(&mut self, place: &Place, node: &str) -> (Option<(JobId, u32)>, MemoryGroup) {
        let leader = place.leader.and_then(|leader| self.procs.get(&leader));
        let Some((job, run)) = leader.and_then(|leader| leader.role.job()) else {
            return (None, MemoryGroup::default());
        };
        let known = self.memory.remove(&(job, run, node.to_owned()));
        let memory = known.unwrap_or_else(|| MemoryGroup::limited_to(self.memory_limit(job, node)));
        (Some((job, run)), memory)
    }

    /// What is left of it goes back.
    pub(super) fn return_memory(&mut self, of: Option<(JobId, u32)>, node: &str, memory: MemoryGroup) {
        if let Some((job, run)) = of.filter(|_| memory.used_mib() > 0) {
            self.memory.insert((job, run, node.to_owned()), memory);
        }
    }

    /// What a job may have of a node's memory in MiB, where memory is given out and `ConstrainRAMSpace` holds it to that.
    fn memory_limit(&self, job: JobId, node: &str) -> Option<u64> {
        let percent = self.controller.params.allowed_ram.filter(|_| self.controller.params.select.memory)?;
        let (job, at) = self.controller.jobs.get(job).zip(self.controller.node(node))?;
        let share = job.shares_of_nodes.iter().find(|share| share.node == at)?;
        Some((share.memory as f64 * percent / 100.0) as u64)
    }

    /// Something in a process was killed for want of memory.
    pub(super) fn note_oom(&mut self, place: &Place) {
        if let Some(proc) = place.leader.and_then(|leader| self.procs.get_mut(&leader)) {
            proc.oom_kills += 1;
        }
    }

    /// What is still charged to the run of a job goes with its last process.
    pub(super) fn forget_memory(&mut self, job: JobId, run: u32) {
        let runs = |proc: &super::procs::Proc| proc.end.is_none() && proc.role.job() == Some((job, run));
        if !self.memory.is_empty() && !self.procs.values().any(runs) {
            self.memory.retain(|(of, of_run, _), _| (*of, *of_run) != (job, run));
        }
    }

    /// All that ran on a machine is gone.
    pub(super) fn reset_machine(&mut self, node: &str) {
        let now = self.now;
        self.memory.retain(|(_, _, of), _| of != node);
        if let Some(machine) = self.machines.of_mut(node) {
            machine.boot(now);
        }
    }
}

/// What slurmstepd says of processes that were killed for want of memory.
pub(super) fn oom_text(kills: u32, step: &str) -> String {
    format!(
        "Detected {kills} oom-kill event(s) in StepId={step}. Some of your processes may have been killed by the cgroup \
         out-of-memory handler."
    )
}

#[cfg(test)]
mod tests {
    use crate::hardware::{Node, NodeSpec, SystemModel};
    use crate::process::Call;
    use crate::sim::{Epoch, Seed, SimTime};
    use crate::slurm::cluster::SlurmCluster;
    use crate::slurm::config::{Config, ConfigFiles};
    use crate::slurm::controller::{ClusterSpec, Users};

    /// Two machines with eight GPUs each; `cgroup.conf` as given.
    fn cluster(cgroup: &str) -> SlurmCluster {
        let conf = "ClusterName=c\nSlurmctldHost=login\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core_Memory\nDefMemPerCPU=1000\nGresTypes=gpu\nNodeName=g[1-2] CPUs=16 RealMemory=64000 \
                    Gres=gpu:8\nPartitionName=main Nodes=ALL Default=YES\n";
        let files = ConfigFiles::new(conf)
            .with("gres.conf", "NodeName=g[1-2] Name=gpu File=/dev/nvidia[0-7]\n")
            .with("cgroup.conf", cgroup);
        let spec = ClusterSpec::from_config(Config::read(&files).unwrap(), Users::new([]));
        let mut cluster = SlurmCluster::new(spec, Epoch::default(), SimTime::ZERO);
        let machine =
            |name: &str| Node::new(name, &NodeSpec::from(SystemModel::DgxH100), Seed::new(1)).unwrap();
        cluster.set_machines(vec![machine("g1"), machine("g2")]);
        cluster.advance(SimTime::from_secs(1));
        cluster
    }

    fn run(cluster: &mut SlurmCluster, line: &str) -> String {
        let argv = ["bash", "-c", line].map(str::to_owned).to_vec();
        let call = Call { argv, cwd: "/tmp".into(), ..Call::default() };
        let id = cluster.start_command(call, 0, false).unwrap();
        while cluster.end_of(id).is_none() {
            let next = cluster.next_wakeup().unwrap();
            cluster.advance(next);
        }
        let output = cluster.take_output(id);
        cluster.forget(id);
        output.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes)).collect()
    }

    #[test]
    fn a_job_sees_all_gpus_of_its_node_unless_cgroups_confine_it() {
        let check = |cgroup: &str, expect: &str| {
            let mut cluster = cluster(cgroup);
            // Somebody has the first two.
            run(&mut cluster, "sbatch -w g1 --gres=gpu:2 --wrap 'sleep 1000'; sleep 2");
            let script = "nvidia-smi -L | wc -l; echo ${CUDA_VISIBLE_DEVICES:-none}";
            let said = run(&mut cluster, &format!("srun -w g1 --gres=gpu:2 bash -c '{script}'"));
            assert_eq!(said.replace('\n', " ").trim(), expect);
        };
        check("", "8 2,3");
        check("ConstrainDevices=yes\n", "2 0,1");
    }

    #[test]
    fn what_takes_more_memory_than_its_job_was_given_is_killed() {
        let image = "--container-image=nvcr.io#nvidia/pytorch:25.06-py3";
        let train = "python train.py --epochs 1 --device cpu --host-memory 8GiB";
        let state = "sleep 2; scontrol show job | grep -o 'JobState=[A-Z_]* Reason=[A-Za-z]*\\|ExitCode=.*'";
        let oom = "JobState=OUT_OF_MEMORY Reason=OutOfMemory\nExitCode=0:125";
        let check = |cgroup: &str, line: &str, expect: &str| {
            let mut cluster = cluster(cgroup);
            let said = run(&mut cluster, line);
            let lines: Vec<&str> = said.lines().filter(|line| !line.contains("pyxis")).collect();
            assert_eq!(lines.join("\n").replace("  ", ""), expect, "{line}");
        };
        let killed = |step: &str| {
            format!(
                "slurmstepd: error: Detected 1 oom-kill event(s) in StepId={step}. Some of your processes may have \
                 been killed by the cgroup out-of-memory handler.\n"
            )
        };
        let confined = "ConstrainRAMSpace=yes\n";
        let line = format!("srun --mem=4G {image} {train}; echo $?; {state}");
        let expect = killed("1.0") + "srun: error: g1: task 0: Out Of Memory\n253\n" + oom;
        check(confined, &line, &expect);
        let runs = format!("srun --mem=4G {image} {train} | tail -n1 | cut -c1-17");
        check("", &runs, "Training finished");
        check("ConstrainRAMSpace=yes\nAllowedRAMSpace=200\n", &runs, "Training finished");
        check(confined, &runs.replace("4G", "9G"), "Training finished");
        // Two tasks share what their job has on a node, and give it back, whatever ends them.
        let ends = "2>&1 | grep -o 'Out Of Memory\\|Training finished' | sort | uniq -c | tr -s ' '";
        let two = format!("srun -n2 --mem=9G {image} {train} {ends}");
        check(confined, &two, " 1 Out Of Memory\n 1 Training finished");
        let again = format!(
            "srun --mem=9G {image} bash -c '{train} | head -n1 >/dev/null; {train}; {train} | tail -n1' {ends}"
        );
        check(confined, &again, " 2 Training finished");
        // What Enroot starts by hand is in the cgroup of the job too.
        let by_hand = format!(
            "enroot load -n box docker://nvcr.io#nvidia/pytorch:25.06-py3 2>/dev/null; \
             srun --mem=4G bash -c 'enroot load -n box docker://nvcr.io#nvidia/pytorch:25.06-py3; enroot start box {train}' {ends}"
        );
        check(confined, &by_hand, " 1 Out Of Memory");
        // A script goes on after its program was killed, and its job counts as killed all the same.
        let script = format!(
            "sbatch -W -o out --mem=4G {image} --wrap '{train}; echo $? after' >/dev/null; echo $?; cat out; {state}"
        );
        let expect = format!("253\n137 after\n{}{oom}", killed("1.batch"));
        check(confined, &script, &expect);
    }

    #[test]
    fn confined_to_no_gpu_there_is_no_device() {
        let mut cluster = cluster("ConstrainDevices=yes\n");
        let said = run(&mut cluster, "srun nvidia-smi -L; echo $?");
        assert_eq!(said, "No devices were found\nsrun: error: g1: task 0: Exited with exit code 6\n6\n");
    }

    #[test]
    fn the_login_node_has_no_driver() {
        let mut cluster = cluster("");
        assert_eq!(run(&mut cluster, "nvidia-smi"), "bash: line 1: nvidia-smi: command not found\n");
    }

    #[test]
    fn a_lost_node_lets_go_of_its_gpus() {
        let mut cluster = cluster("");
        let line = "srun --gres=gpu:1 --container-image=nvcr.io#nvidia/pytorch:25.06-py3 python train.py --epochs 100 &
                    sleep 400";
        let argv = ["bash", "-c", line].map(str::to_owned).to_vec();
        cluster.start_command(Call { argv, cwd: "/tmp".into(), ..Call::default() }, 0, false).unwrap();
        cluster.advance(SimTime::from_secs(300));
        let busy = |cluster: &SlurmCluster| {
            cluster.machines().iter().flat_map(|m| &m.gpus).filter(|gpu| !gpu.processes().is_empty()).count()
        };
        assert_eq!(busy(&cluster), 1);
        cluster.kill_daemon("g1");
        assert_eq!(busy(&cluster), 0);
    }
}
