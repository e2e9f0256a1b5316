//! Tests of what administrators do: daemons that stop and start, nodes that are lost, reboots, new configurations.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{CommandOutput, Session};
use crate::sim::{Epoch, SimTime};
use crate::slurm::cluster::SlurmCluster;
use crate::slurm::config::{Config, ConfigFiles};
use crate::slurm::controller::{ClusterSpec, Users};

const CONF: &str = "ClusterName=lab\nSlurmctldHost=ctl(10.0.0.1)\nSelectType=select/cons_tres\n\
    SelectTypeParameters=CR_Core\nPriorityType=priority/basic\nMessageTimeout=3\nSlurmdTimeout=30\n\
    NodeName=n[1-4] CPUs=4 RealMemory=1000\nPartitionName=main Nodes=ALL Default=YES MaxTime=60\n";

struct World {
    cluster: SlurmCluster,
    seconds: u64,
}

impl World {
    fn new(more: &str) -> Self {
        let config = Config::read(&ConfigFiles::new(format!("{CONF}{more}"))).unwrap();
        let spec = ClusterSpec::from_config(config, Users::named(&["alice", "bob"]));
        let epoch = Epoch::new("2026-01-01T00:00:00Z".parse().unwrap());
        let mut world = Self { cluster: SlurmCluster::new(spec, epoch, SimTime::ZERO), seconds: 0 };
        world.pass(10);
        world
    }

    fn pass(&mut self, seconds: u64) {
        self.seconds += seconds;
        self.cluster.advance(SimTime::ZERO + Duration::from_secs(self.seconds));
    }

    fn as_user(&mut self, uid: u32, line: &str) -> CommandOutput {
        let env = BTreeMap::new();
        let files = self.cluster.files.clone();
        let read = |path: &str| files.read(path).ok().map(|b| String::from_utf8_lossy(b).into_owned());
        let session = Session {
            uid,
            gid: uid,
            env: &env,
            cwd: "/tmp",
            host: "n1",
            sid: 1,
            stdin: "",
            read_file: &read,
        };
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let args = &words[1..];
        let controller = &mut self.cluster.controller;
        let output = match words[0].as_str() {
            "sbatch" => super::sbatch(controller, &session, args).0,
            "scancel" => super::scancel(controller, &session, args),
            "scontrol" => super::scontrol(controller, &session, args),
            "sinfo" => super::sinfo(controller, &session, args),
            "sprio" => super::sprio(controller, &session, args),
            "sshare" => super::sshare(controller, &session, args),
            "sdiag" => super::sdiag(controller, &session, args),
            _ => super::squeue(controller, &session, args),
        };
        self.cluster.settle();
        output
    }

    fn root(&mut self, line: &str) -> CommandOutput {
        self.as_user(0, line)
    }

    fn states(&mut self) -> String {
        self.root("sinfo -h -N -o %N=%t").stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn jobs(&mut self) -> String {
        self.root("squeue -h -t all -S i -o %i=%t").stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn fails(output: &CommandOutput, stderr: &str) {
    assert_eq!((output.code, output.stderr.as_str(), output.stdout.as_str()), (1, stderr, ""));
}

#[test]
fn without_a_controller_every_command_says_so() {
    let mut world = World::new("");
    world.cluster.stop_controller();
    let gone = "Unable to contact slurm controller (connect failure)";
    let mut check = |line: &str, what: &str| fails(&world.root(line), &format!("{what}: {gone}\n"));
    check("squeue", "slurm_load_jobs error");
    check("sinfo", "slurm_load_partitions");
    check("sprio", "Couldn't get priority factors from controller");
    check("sshare", "Couldn't get shares from controller");
    check("sdiag", "slurm_get_statistics");
    check("sbatch --wrap=true", "sbatch: error: Batch job submission failed");
    check("scancel 1", "scancel: error: Kill job error on job id 1");
    check("scancel -u alice", "slurm_load_jobs error");
    check("scontrol show job", "slurm_load_jobs error");
    check("scontrol show job 1", "slurm_load_job error");
    check("scontrol show node", "slurm_load_node error");
    check("scontrol show partition", "slurm_load_partitions error");
    check("scontrol show res", "slurm_load_reservations error");
    check("scontrol show config", "slurm_load_ctl_conf error");
    check("scontrol update nodename=n1 state=resume", "slurm_update error");
    check("scontrol hold 1", "slurm_suspend error");
    check("scontrol reconfigure", "slurm_reconfigure error");
    check("scontrol shutdown", "slurm_shutdown error");
    // Host lists need no controller.
    assert_eq!(world.root("scontrol show hostnames n[1-2]").stdout, "n1\nn2\n");
    let ping = world.root("scontrol ping");
    assert_eq!(ping.code, 1);
    assert!(ping.stdout.starts_with("Slurmctld(primary) at ctl is DOWN\n***"));
    assert_eq!(world.as_user(1001, "scontrol ping").stdout, "Slurmctld(primary) at ctl is DOWN\n");
}

#[test]
fn a_restart_keeps_jobs_and_nodes_answer_after_it() {
    let mut world = World::new("");
    world.as_user(1001, "sbatch -N4 --exclusive -t5 --wrap sleep");
    let first = world.as_user(1001, "sbatch -N4 --exclusive -t5 -o /dev/null --wrap=true");
    assert_eq!(first.stdout, "Submitted batch job 2\n");
    world.root("scontrol hold 2");
    world.pass(5);
    world.cluster.stop_controller();
    world.pass(20);
    world.cluster.start_controller();
    assert_eq!(world.states(), "n1=unk n2=unk n3=unk n4=unk");
    world.pass(5);
    assert_eq!(world.states(), "n1=idle n2=idle n3=idle n4=idle");
    assert!(world.jobs().ends_with("2=PD"), "{}", world.jobs());
    assert_eq!(world.as_user(1001, "sbatch --wrap=true").stdout, "Submitted batch job 3\n");
}

#[test]
fn a_job_that_ends_without_a_controller_is_told_of_later() {
    let mut world = World::new("");
    world.cluster.files.put("/tmp/s.sh", b"#!/bin/sh\nsleep 8\n".to_vec(), SimTime::ZERO).unwrap();
    world.as_user(1001, "sbatch -t5 /tmp/s.sh");
    world.pass(5);
    assert_eq!(world.jobs(), "1=R");
    world.cluster.stop_controller();
    world.pass(10);
    world.cluster.start_controller();
    world.pass(2);
    assert_eq!(world.jobs(), "1=R");
    // The node tries again MessageTimeout and 15 s after its first try.
    world.pass(16);
    assert_eq!(world.jobs(), "1=CD");
}

#[test]
fn a_backup_takes_over_after_slurmctld_timeout() {
    let mut world = World::new("SlurmctldHost=ctl2\nSlurmctldTimeout=20\n");
    world.as_user(1001, "sbatch -t5 --hold --wrap=true");
    world.cluster.stop_controller();
    world.pass(15);
    assert_eq!(world.root("squeue").code, 1);
    world.pass(6);
    assert_eq!(world.jobs(), "1=PD");
    let ping = "Slurmctld(primary) at ctl is DOWN\nSlurmctld(backup) at ctl2 is UP\n";
    let output = world.as_user(1001, "scontrol ping");
    assert_eq!((output.stdout.as_str(), output.code), (ping, 0));
    // The primary takes control back when it starts.
    world.cluster.start_controller();
    assert_eq!(world.cluster.controller.daemons.in_control(), Some(0));
    assert_eq!(world.jobs(), "1=PD");
}

#[test]
fn a_takeover_ends_the_primary() {
    let mut world = World::new("SlurmctldHost=ctl2\n");
    fails(&world.root("scontrol takeover 2"), "takeover: invalid backup controller index (2)\n");
    assert_eq!(world.root("scontrol takeover"), CommandOutput::default());
    assert_eq!(world.cluster.controller.daemons.in_control(), Some(1));
    assert_eq!(world.cluster.controller.daemons.alive(), [false, true]);
    let mut alone = World::new("");
    fails(
        &alone.root("scontrol takeover"),
        "slurm_takeover error: Unable to contact slurm controller (connect failure)\n",
    );
}

#[test]
fn a_node_that_is_lost_gets_down_and_comes_back_as_return_to_service_says() {
    for (returns, after) in [(0, "down"), (1, "idle"), (2, "idle")] {
        let mut world = World::new(&format!("ReturnToService={returns}\n"));
        world.cluster.kill_daemon("n2");
        world.pass(25);
        assert_eq!(world.states(), "n1=idle n2=idle* n3=idle n4=idle", "{returns}");
        world.pass(40);
        assert_eq!(world.states(), "n1=idle n2=down* n3=idle n4=idle", "{returns}");
        assert!(world.root("sinfo -R -h").stdout.starts_with("Not responding"));
        world.cluster.start_daemon("n2");
        world.pass(1);
        assert_eq!(world.states(), format!("n1=idle n2={after} n3=idle n4=idle"), "{returns}");
    }
    // A node that was set down is not back by itself with ReturnToService=1.
    let mut world = World::new("ReturnToService=1\n");
    world.root("scontrol update nodename=n2 state=down reason=fan");
    world.pass(60);
    assert_eq!(world.states(), "n1=idle n2=down n3=idle n4=idle");
}

#[test]
fn nodes_reboot_when_they_are_idle() {
    let mut world = World::new("RebootProgram=/sbin/reboot\n");
    world.cluster.files.put("/tmp/s.sh", b"#!/bin/sh\nsleep 20\n".to_vec(), SimTime::ZERO).unwrap();
    world.as_user(1001, "sbatch -w n1 -t5 /tmp/s.sh");
    world.pass(5);
    assert_eq!(world.root("scontrol reboot ASAP n[1-2]"), CommandOutput::default());
    assert_eq!(world.states(), "n1=drng@ n2=drain@ n3=idle n4=idle");
    world.pass(2);
    // DOWN while it reboots; the reason says so.
    let node = world.root("scontrol -o show node n2").stdout;
    assert!(node.contains("Reason=Reboot ASAP : reboot issued [root@"), "{node}");
    assert!(world.states().starts_with("n1=drng@ n2=drain^"), "{}", world.states());
    world.pass(35);
    assert!(world.states().ends_with("n2=idle n3=idle n4=idle"), "{}", world.states());
    world.pass(40);
    assert_eq!(world.states(), "n1=idle n2=idle n3=idle n4=idle");
}

#[test]
fn reboots_are_refused_cancelled_and_end_down() {
    let mut world = World::new("RebootProgram=/sbin/reboot\nResumeTimeout=10\n");
    let mut check = |line: &str, stderr: &str| fails(&world.root(line), stderr);
    check("scontrol reboot", "Missing node list. Specify ALL|<NodeList>\n");
    check("scontrol reboot nextstate=up n1", "Invalid state: up\nValid states: DOWN, RESUME\n");
    check("scontrol reboot reason= n1", "missing reason\n");
    check("scontrol reboot n9", "scontrol_reboot_nodes error: Invalid node name specified\n");
    fails(&world.as_user(1001, "scontrol reboot n1"), "scontrol_reboot_nodes error: Permission denied\n");
    let mut without = World::new("");
    assert!(without.root("scontrol reboot n1").stderr.contains("RebootProgram isn't defined"));

    world.root("scontrol reboot ASAP n1");
    assert_eq!(world.root("scontrol cancel_reboot n1"), CommandOutput::default());
    assert_eq!(world.states(), "n1=idle n2=idle n3=idle n4=idle");
    // The machine takes longer than ResumeTimeout.
    world.root("scontrol reboot n3");
    world.pass(15);
    let node = world.root("scontrol -o show node n3").stdout;
    assert!(node.contains("Reason=reboot requested : reboot issued : reboot timed out"), "{node}");
    assert!(world.states().contains("n3=down"), "{}", world.states());
}

#[test]
fn a_new_configuration_takes_effect_without_a_restart() {
    let mut world = World::new("");
    world.as_user(1001, "sbatch --hold -t5 --wrap=true");
    let new = CONF.replace("MaxTime=60", "MaxTime=10").replace("RealMemory=1000", "RealMemory=2000 Weight=7");
    let more = format!("{new}Include more.conf\nProlog=/etc/prolog\n");
    let put = |world: &mut World, name: &str, text: &str| {
        world.cluster.files.create_dir_all("/etc/slurm", SimTime::ZERO).unwrap();
        world.cluster.files.put(name, text.as_bytes().to_vec(), SimTime::ZERO).unwrap();
    };
    put(&mut world, "/etc/slurm/slurm.conf", &more);
    put(&mut world, "/etc/slurm/more.conf", "PartitionName=debug Nodes=n1\nPartitionName=b2 Node=n1\n");
    // The command itself reads slurm.conf, and does not get to the controller.
    fails(
        &world.root("scontrol reconfigure"),
        "scontrol: error: Parsing error at unrecognized key: Node\n\
         scontrol: error: Parse error in file /etc/slurm/more.conf line 2: \" Node=n1\"\n\
         scontrol: error: \"Include\" failed in file /etc/slurm/slurm.conf line 10\n\
         scontrol: fatal: Unable to process configuration file\n",
    );
    put(&mut world, "/etc/slurm/more.conf", "PartitionName=debug Nodes=n1\n");
    fails(&world.as_user(1001, "scontrol reconfigure"), "slurm_reconfigure error: Invalid user id\n");
    let output = world.root("scontrol reconfigure");
    assert_eq!(output.stderr, "not modelled: Prolog (slurm.conf line 11)\n");
    assert_eq!(output.code, 0);
    assert_eq!(world.jobs(), "1=PD");
    let controller = &world.cluster.controller;
    assert_eq!(controller.partitions[0].max_time, Some(10));
    assert_eq!(controller.partitions[1].name, "debug");
    assert_eq!((controller.nodes[0].memory, controller.nodes[0].weight), (2000, 7));
    assert!(
        world
            .root("scontrol show config")
            .stdout
            .contains("SLURM_CONF              = /etc/slurm/slurm.conf\n")
    );
}

#[test]
fn a_new_configuration_is_refused_where_a_restart_is_needed() {
    let mut world = World::new("");
    world.cluster.files.create_dir_all("/etc/slurm", SimTime::ZERO).unwrap();
    let mut check = |from: &str, to: &str, stderr: &str| {
        let text = CONF.replace(from, to);
        world.cluster.files.put("/etc/slurm/slurm.conf", text.into_bytes(), SimTime::ZERO).unwrap();
        fails(&world.root("scontrol reconfigure"), stderr);
    };
    check(
        "SelectType=select/cons_tres",
        "SelectType=select/linear",
        "slurm_reconfigure error: SelectType change requires restart of the slurmctld daemon to take effect\n",
    );
    check(
        "MessageTimeout=3",
        "SchedulerType=sched/builtin",
        "slurm_reconfigure error: SchedulerType change requires restart of the slurmctld daemon to take effect\n",
    );
    check(
        "n[1-4]",
        "n[1-5]",
        "not modelled: nodes added, removed or in another order; restart slurmctld and the slurmd daemons\n",
    );
    assert!(world.cluster.controller.params.scheduler.backfill);
}

#[test]
fn top_puts_a_job_before_the_others_of_its_user() {
    let mut world = World::new("SchedulerParameters=enable_user_top\n");
    for _ in 0..3 {
        world.as_user(1001, "sbatch -N4 --exclusive -t5 -b now+1hour --wrap=true");
    }
    let order = |world: &mut World| world.root("squeue -h -S -p -o %i").stdout.replace('\n', " ");
    assert_eq!(order(&mut world), "1 2 3 ");
    assert_eq!(world.as_user(1001, "scontrol top 3"), CommandOutput::default());
    assert_eq!(order(&mut world), "3 1 2 ");
    fails(&world.as_user(1002, "scontrol top 2"), "Access/permission denied for job 2\n");
    fails(&world.root("scontrol top 9"), "Invalid job id specified for job 9\n");
    fails(&world.root("scontrol top"), "too few arguments for keyword:top\n");
    let mut without = World::new("");
    without.as_user(1001, "sbatch --hold --wrap=true");
    fails(&without.as_user(1001, "scontrol top 1"), "Access/permission denied for job 1\n");
}

#[test]
fn reservations_are_updated() {
    let mut world = World::new("");
    world.root(
        "scontrol create reservation reservationname=r starttime=now+60 duration=10 users=alice nodes=n1",
    );
    let mut check = |line: &str, stdout: &str, stderr: &str| {
        let output = world.root(&format!("scontrol update reservationname=r {line}"));
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), (stdout, stderr), "{line}");
    };
    check("nodes+=n3 users+=bob duration=20", "Reservation updated.\n", "");
    check("users=carol", "", "Error updating the reservation: Invalid user id\n");
    check(
        "users-=alice,bob",
        "",
        "Error updating the reservation: Reservation request lacks users, groups or accounts\n",
    );
    check("nodes=n9", "", "Error updating the reservation: Invalid node name specified\n");
    check("foo=1", "", "scontrol: error: Unknown parameter foo=1.  No reservation update.\n");
    let shown = world.root("scontrol -o show res").stdout;
    assert!(shown.contains("Nodes=n[1,3]") && shown.contains("Users=alice,bob"), "{shown}");
    assert!(shown.contains("Duration=00:20:00"), "{shown}");
    fails(
        &world.root("scontrol update reservationname=none duration=5"),
        "Error updating the reservation: Requested reservation is invalid\n",
    );
}

#[test]
fn a_shutdown_stops_the_daemons() {
    let mut world = World::new("");
    fails(&world.root("scontrol shutdown now"), "invalid shutdown argument:now\n");
    fails(&world.as_user(1001, "scontrol shutdown"), "slurm_shutdown error: Invalid user id\n");
    assert_eq!(world.root("scontrol shutdown slurmctld"), CommandOutput::default());
    assert_eq!(world.root("squeue").code, 1);
    world.cluster.start_controller();
    world.pass(5);
    assert_eq!(world.states(), "n1=idle n2=idle n3=idle n4=idle");
    assert_eq!(world.root("scontrol show daemons").stdout, "slurmd\n");
}

/// Jobs on a node with two GPUs that are shared: which run, and the devices of those.
fn shared(gres_types: &str, node: &str, gres_conf: &str, asks: &[&str]) -> Vec<String> {
    let conf = format!(
        "{CONF}GresTypes={gres_types}\nNodeName=g1 CPUs=16 RealMemory=1000 Gres={node}\nPartitionName=g Nodes=g1\n"
    );
    let files = ConfigFiles::new(conf).with("gres.conf", gres_conf);
    let spec = ClusterSpec::from_config(Config::read(&files).unwrap(), Users::named(&["alice"]));
    let epoch = Epoch::new("2026-01-01T00:00:00Z".parse().unwrap());
    let mut world = World { cluster: SlurmCluster::new(spec, epoch, SimTime::ZERO), seconds: 0 };
    world.pass(10);
    world.cluster.files.put("/tmp/s.sh", b"#!/bin/sh\nsleep 100\n".to_vec(), SimTime::ZERO).unwrap();
    for ask in asks {
        world.as_user(1001, &format!("sbatch -p g -t5 --gres={ask} /tmp/s.sh"));
        world.pass(4);
    }
    let text = world.root("scontrol -d show job").stdout;
    text.split("JobId=")
        .skip(1)
        .map(|job| match job.split(" GRES=").nth(1) {
            Some(rest) => rest.split_whitespace().next().unwrap_or_default().to_owned(),
            None => "waits".to_owned(),
        })
        .collect()
}

#[test]
fn shares_of_gpus_are_given_by_device() {
    let conf = "Name=gpu File=/dev/nvidia[0-1]\n";
    let check = |types: &str, node: &str, conf: &str, asks: &[&str], expect: &[&str]| {
        assert_eq!(shared(types, node, conf, asks), expect, "{node} {asks:?}");
    };
    // Shards of a request are of one GPU; a second GPU is shared when the first has too few left.
    check(
        "gpu,shard",
        "gpu:2,shard:20",
        conf,
        &["shard:6", "shard:6"],
        &["shard:6(IDX:0)", "shard:6(IDX:1)"],
    );
    check("gpu,shard", "gpu:2,shard:20", conf, &["shard:11"], &["waits"]);
    // A GPU is given away as a whole or in shares, not both.
    check(
        "gpu,shard",
        "gpu:2,shard:20",
        conf,
        &["shard:1", "gpu:1", "gpu:1"],
        &["shard:1(IDX:0)", "gpu:1(IDX:1)", "waits"],
    );
    // With MPS one GPU of a node at a time.
    check("gpu,mps", "gpu:2,mps:200", conf, &["mps:60", "mps:60"], &["mps:60(IDX:0)", "waits"]);
    check("gpu,mps", "gpu:2,mps:200", conf, &["mps:60", "mps:40"], &["mps:60(IDX:0)", "mps:40(IDX:0)"]);
    let one = format!("{conf}Name=shard Count=20 Flags=one_sharing\n");
    check("gpu,shard", "gpu:2,shard:20", &one, &["shard:6", "shard:6"], &["shard:6(IDX:0)", "waits"]);
    // So many on each, by gres.conf.
    let each = format!("{conf}Name=mps Count=50 File=/dev/nvidia0\nName=mps Count=150 File=/dev/nvidia1\n");
    check("gpu,mps", "gpu:2,mps:200", &each, &["mps:60"], &["mps:60(IDX:1)"]);
}
