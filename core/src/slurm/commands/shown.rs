//! Texts of the display commands on small clusters, as the real commands printed them; each test names the recording.

use std::collections::BTreeMap;

use super::{CommandOutput, Session};
use crate::sim::{Epoch, SimTime};
use crate::slurm::cluster::SlurmCluster;
use crate::slurm::controller::{ClusterSpec, Users};
use crate::slurm::model::{NodeBase, NodeFlags, NodeReason};

/// SimTime of a recording's zero, in seconds.
const ZERO: u64 = 10;

const COMMON: [&str; 9] = [
    "SelectType=select/cons_tres",
    "SelectTypeParameters=CR_Core_Memory",
    "AccountingStorageType=accounting_storage/slurmdbd",
    "SchedulerParameters=bf_interval=1",
    "PriorityType=priority/multifactor",
    "GresTypes=gpu",
    "AccountingStorageTRES=gres/gpu",
    "ClusterName=lab",
    "DefMemPerCPU=1000",
];

/// A cluster on which commands are typed.
struct Desk {
    cluster: SlurmCluster,
}

impl Desk {
    /// `zero`: seconds since 1970 of the recording's zero.
    fn new(conf: &[&str], zero: i64) -> Self {
        let lines: Vec<&str> = COMMON.iter().chain(conf).copied().collect();
        let mut spec = ClusterSpec::from_lines(
            &lines,
            &[],
            &[],
            Users::named(&["alice", "bob", "carol", "dave", "erin"]),
        )
        .unwrap();
        spec.accounting.clusters.push("lab".into());
        let epoch = Epoch::new(jiff::Timestamp::from_second(zero - ZERO as i64).unwrap());
        Self { cluster: SlurmCluster::new(spec, epoch, SimTime::from_secs(ZERO - 2)) }
    }

    fn four_nodes(more: &[&str], zero: i64) -> Self {
        let mut lines = vec![
            "NodeName=n[1-4] NodeHostname=vm NodeAddr=127.0.0.1 Port=[17001-17004] CPUs=16 Boards=1 SocketsPerBoard=1 CoresPerSocket=16 ThreadsPerCore=1 RealMemory=64000",
            "PartitionName=main Nodes=n[1-4] Default=YES MaxTime=INFINITE",
        ];
        lines.extend(more);
        Self::new(&lines, zero)
    }

    /// Lets time pass up to so many seconds after the recording's zero.
    fn at(&mut self, seconds: f64) -> &mut Self {
        self.cluster.advance(SimTime::from_nanos(ZERO * 1_000_000_000 + ((seconds + 0.3) * 1e9) as u64));
        self
    }

    fn answer(&mut self, user: &str, line: &str) -> CommandOutput {
        let words = shell_words(line);
        let (uid, gid) =
            self.cluster.controller.users.by_name(user).map_or((0, 0), |user| (user.uid, user.gid));
        let env = BTreeMap::new();
        let read = |_: &str| None;
        let session = Session {
            uid,
            gid,
            env: &env,
            cwd: "/tmp",
            host: "localhost",
            sid: 1,
            stdin: "",
            read_file: &read,
        };
        let controller = &mut self.cluster.controller;
        let args = &words[1..];
        let output = match words[0].as_str() {
            "sbatch" => super::sbatch(controller, &session, args).0,
            "squeue" => super::squeue(controller, &session, args),
            "sinfo" => super::sinfo(controller, &session, args),
            "sprio" => super::sprio(controller, &session, args),
            "sshare" => super::sshare(controller, &session, args),
            "sacct" => super::sacct(controller, &session, args),
            "sdiag" => super::sdiag(controller, &session, args),
            "sreport" => super::sreport(controller, &session, args),
            "sacctmgr" => crate::slurm::accounting::sacctmgr::run(&mut controller.accounting, args, user),
            other => panic!("{other} is not a command here"),
        };
        self.cluster.settle();
        output
    }

    fn submit(&mut self, seconds: f64, user: &str, line: &str) {
        self.at(seconds);
        let output = self.answer(user, line);
        assert_eq!(output.code, 0, "{line}: {}", output.stderr);
    }

    /// What a command prints on standard output, without an error.
    fn check(&mut self, line: &str, expect: &str) {
        let output = self.answer("root", line);
        assert_eq!((output.stderr.as_str(), output.code), ("", 0), "{line}");
        assert_eq!(output.stdout, expect, "{line}\n{}", output.stdout);
    }

    /// What a wrong command answers: exit code, standard output, standard error.
    fn check_error(&mut self, line: &str, expect: (u8, &str, &str)) {
        let output = self.answer("alice", line);
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), expect, "{line}");
    }
}

/// Words of a line, with 'single quotes'.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The cluster of the recording `outputs`.
fn outputs() -> Desk {
    let mut desk = Desk::new(
        &[
            "NodeName=n[1-6] NodeHostname=vm NodeAddr=127.0.0.1 Port=[17001-17006] CPUs=16 Boards=1 SocketsPerBoard=1 CoresPerSocket=16 ThreadsPerCore=1 RealMemory=64000",
            "NodeName=bignode[01-12] NodeHostname=vm NodeAddr=127.0.0.1 Port=[17007-17018] CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=32000",
            "PartitionName=main Nodes=n[1-6] Default=YES MaxTime=2-00:00:00",
            "PartitionName=debug-long-partition Nodes=bignode[01-12] MaxTime=30:00",
            "PartitionName=all Nodes=ALL Hidden=NO",
        ],
        1_795_444_361,
    );
    desk.submit(
        0.0,
        "alice",
        "sbatch -o /dev/null -J a_very_long_job_name -N3 -n30 -t1-02:03:04 --wrap 'sleep 14'",
    );
    desk.submit(0.4, "bob", "sbatch -o /dev/null -J short -n1 -t59 --wrap 'sleep 14'");
    desk.submit(1.3, "carol", "sbatch -o /dev/null -J pend -N6 -t2:00:00 --wrap 'sleep 3'");
    desk.submit(2.1, "alice", "sbatch -o /dev/null -J arr -n1 -t1 -a1-40%4 --wrap 'sleep 20'");
    desk
}

#[test]
fn squeue_shows_an_array_as_one_row_and_its_running_tasks() {
    // Recorded: array_limit, 2.00 and 2.11.
    let mut desk = Desk::four_nodes(&[], 1_795_443_483);
    desk.submit(0.0, "alice", "sbatch -o /dev/null -J arr -n1 -t1 -a0-9%3 --wrap 'sleep 4'");
    desk.at(2.0);
    let title = "             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)\n";
    let running = "               1_0      main      arr    alice  R       0:01      1 n1\n               1_1      main      arr    alice  R       0:01      1 n1\n               1_2      main      arr    alice  R       0:01      1 n1\n";
    let rest = "         1_[3-9%3]      main      arr    alice PD       0:00      1 (JobArrayTaskLimit)\n";
    desk.check("squeue", &format!("{title}{rest}{running}"));
    let each: String = (3..10).map(|task| format!("               1_{task}      main      arr    alice PD       0:00      1 (JobArrayTaskLimit)\n")).collect();
    desk.check("squeue -r", &format!("{title}{each}{running}"));
    desk.check("squeue -h -t PD", rest);
    desk.check("squeue -u bob", title);
}

#[test]
fn squeue_lists_steps_and_the_columns_asked_for() {
    // Recorded: outputs, 5.06 and 5.69 (rows of the jobs that run).
    let mut desk = outputs();
    desk.at(4.1);
    desk.check(
        "squeue -s -j 1",
        "         STEPID     NAME PARTITION     USER      TIME NODELIST\n        1.batch    batch      main    alice      0:03 n1\n",
    );
    desk.check(
        "squeue -j 1 -O jobid,name,state,nodelist",
        "JOBID               NAME                STATE               NODELIST            \n1                   a_very_long_job_nameRUNNING             n[1-3]              \n",
    );
    desk.check(
        "squeue -l -j 1",
        "Mon Nov 23 14:32:45 2026\n             JOBID PARTITION     NAME     USER    STATE       TIME TIME_LIMI  NODES NODELIST(REASON)\n                 1      main a_very_l    alice  RUNNING       0:03 1-02:04:00      3 n[1-3]\n",
    );
}

#[test]
fn sinfo_groups_nodes_by_partition_and_state() {
    // Recorded: outputs, 5.74, 5.77, 5.88, 5.89.
    let mut desk = outputs();
    desk.at(5.74);
    desk.check(
        "sinfo",
        "PARTITION            AVAIL  TIMELIMIT  NODES  STATE NODELIST\n\
         main*                   up 2-00:00:00      1    mix n3\n\
         main*                   up 2-00:00:00      2  alloc n[1-2]\n\
         main*                   up 2-00:00:00      3   idle n[4-6]\n\
         debug-long-partition    up      30:00     12   idle bignode[01-12]\n\
         all                     up   infinite      1    mix n3\n\
         all                     up   infinite      2  alloc n[1-2]\n\
         all                     up   infinite     15   idle bignode[01-12],n[4-6]\n",
    );
    desk.check(
        "sinfo -l -p main",
        "Mon Nov 23 14:32:47 2026\n\
         PARTITION AVAIL  TIMELIMIT   JOB_SIZE ROOT OVERSUBS     GROUPS  NODES       STATE NODELIST\n\
         main*        up 2-00:00:00 1-infinite   no       NO        all      1       mixed n3\n\
         main*        up 2-00:00:00 1-infinite   no       NO        all      2   allocated n[1-2]\n\
         main*        up 2-00:00:00 1-infinite   no       NO        all      3        idle n[4-6]\n",
    );
    desk.check(
        "sinfo -s",
        "PARTITION            AVAIL  TIMELIMIT   NODES(A/I/O/T) NODELIST\n\
         main*                   up 2-00:00:00          3/3/0/6 n[1-6]\n\
         debug-long-partition    up      30:00        0/12/0/12 bignode[01-12]\n\
         all                     up   infinite        3/15/0/18 bignode[01-12],n[1-6]\n",
    );
    desk.check("sinfo -R", "REASON               USER      TIMESTAMP           NODELIST\n");
}

#[test]
fn sinfo_names_and_sorts_the_states_of_nodes() {
    // Recorded: node_states, 6.00 to 6.32; without its two jobs, so that n1 is drained and n2 idle.
    let mut desk = Desk::new(
        &[
            "NodeName=n[1-10] NodeHostname=vm NodeAddr=127.0.0.1 Port=[17001-17010] CPUs=16 Boards=1 SocketsPerBoard=1 CoresPerSocket=16 ThreadsPerCore=1 RealMemory=64000",
            "PartitionName=main Nodes=n[1-10] Default=YES MaxTime=INFINITE",
        ],
        1_795_443_888,
    );
    let reason = |text: &str, time| Some(NodeReason { text: text.into(), uid: 0, time });
    let nodes = &mut desk.cluster.controller.nodes;
    for (at, flag) in [
        (2, NodeFlags::DRAIN),
        (4, NodeFlags::RESERVED),
        (5, NodeFlags::MAINT),
        (6, NodeFlags::FAIL),
        (7, NodeFlags::PLANNED),
    ] {
        nodes[at].flags.set(flag);
    }
    nodes[2].reason = reason("test", 1_795_443_889);
    nodes[3].base = NodeBase::Down;
    nodes[3].reason = reason("test down", 1_795_443_889);
    nodes[6].reason = reason("failing", 1_795_443_890);
    nodes[9].base = NodeBase::Unknown;
    desk.check(
        "sinfo",
        "PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST\n\
         main*        up   infinite      1   plnd n8\n\
         main*        up   infinite      1  maint n6\n\
         main*        up   infinite      1   fail n7\n\
         main*        up   infinite      1  drain n3\n\
         main*        up   infinite      1   resv n5\n\
         main*        up   infinite      3   idle n[1-2,9]\n\
         main*        up   infinite      1   down n4\n\
         main*        up   infinite      1    unk n10\n",
    );
    desk.check(
        "sinfo -h -N -n n[9-10],n3 -o '%N %t %T'",
        "n3 drain drained\nn9 idle idle\nn10 unk unknown\n",
    );
    desk.check("sinfo -N -n n10", "NODELIST   NODES PARTITION STATE \nn10            1     main* unk   \n");
    desk.check(
        "sinfo -R",
        "REASON               USER      TIMESTAMP           NODELIST\n\
         failing              root      2026-11-23T14:24:50 n7\n\
         test                 root      2026-11-23T14:24:49 n3\n\
         test down            root      2026-11-23T14:24:49 n4\n",
    );
    desk.check("sinfo -T", "No reservations in the system\n");
    desk.check(
        "sinfo -n n99",
        "PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST\nmain*        up   infinite      0    n/a \n",
    );
}

#[test]
fn sprio_prints_factors_rounded_and_the_priority_cut_off() {
    // Recorded: prio_jobsize, 4.00 to 4.03.
    let mut desk = Desk::four_nodes(&["PriorityWeightJobSize=1000"], 1_795_443_274);
    desk.submit(0.0, "root", "sbatch -o /dev/null -J BLK -N4 -t5 --exclusive --wrap 'sleep 12'");
    for (at, n) in [(1.2, 1), (1.4, 2), (1.6, 3), (1.8, 4)] {
        desk.submit(at, "alice", &format!("sbatch -o /dev/null -N{n} -n{} -t2 --wrap 'sleep 4'", 4 * n));
    }
    desk.at(4.0);
    desk.check(
        "sprio -l",
        "          JOBID PARTITION     USER   PRIORITY       SITE        AGE      ASSOC  FAIRSHARE    JOBSIZE  PARTITION        QOS        NICE                 TRES\n\
         \x20             2 main         alice        156          0          0          0          0        156          0          0           0                     \n\
         \x20             3 main         alice        312          0          0          0          0        312          0          0           0                     \n\
         \x20             4 main         alice        468          0          0          0          0        469          0          0           0                     \n\
         \x20             5 main         alice        625          0          0          0          0        625          0          0           0                     \n",
    );
    desk.check(
        "sprio -w",
        "          JOBID PARTITION   PRIORITY       SITE    JOBSIZE\n        Weights                               1       1000\n",
    );
    desk.check(
        "sprio -n",
        "          JOBID PARTITION PRIORITY   JOBSIZE   \n\
         \x20             2 main      0.00000003 0.1562500 \n\
         \x20             3 main      0.00000007 0.3125000 \n\
         \x20             4 main      0.00000010 0.4687500 \n\
         \x20             5 main      0.00000014 0.6250000 \n",
    );
    // Recorded: bad_inputs.
    desk.check("sprio -j 99999", "Unable to find jobs matching user/id(s) specified\n");
}

#[test]
fn sacct_shows_runs_and_their_steps() {
    // Recorded: outputs, 6.15 and 6.31.
    let mut desk = outputs();
    desk.at(6.2);
    let head = "JobID           JobName  Partition    Account  AllocCPUS      State ExitCode \n------------ ---------- ---------- ---------- ---------- ---------- -------- \n";
    desk.check(
        "sacct -X",
        &format!(
            "{head}1            a_very_lo+       main                    30    RUNNING      0:0 \n\
             2                 short       main                     1    RUNNING      0:0 \n\
             3                  pend       main                     6    PENDING      0:0 \n\
             4_1                 arr       main                     1    RUNNING      0:0 \n\
             4_2                 arr       main                     1    RUNNING      0:0 \n\
             4_3                 arr       main                     1    RUNNING      0:0 \n\
             4_4                 arr       main                     1    RUNNING      0:0 \n"
        ),
    );
    desk.check(
        "sacct -j 1,4_2",
        &format!(
            "{head}1            a_very_lo+       main                    30    RUNNING      0:0 \n\
             1.batch           batch                               16    RUNNING      0:0 \n\
             4_2                 arr       main                     1    RUNNING      0:0 \n\
             4_2.batch         batch                                1    RUNNING      0:0 \n"
        ),
    );
    desk.check("sacct -X -P -n -j 1 -o jobid,reqtres", "1|billing=30,cpu=30,mem=30000M,node=3\n");
}

#[test]
fn sshare_and_sacctmgr_print_tables_of_accounting() {
    // Recorded: outputs, 6.13, 6.70 to 7.71; assoc_limits, 4.52.
    let mut desk = Desk::four_nodes(&[], 1_795_443_791);
    desk.check(
        "sshare",
        "Account                    User  RawShares  NormShares    RawUsage  EffectvUsage  FairShare \n\
         -------------------- ---------- ---------- ----------- ----------- ------------- ---------- \n\
         root                                          0.000000           0      1.000000            \n\
         \x20root                      root          1    1.000000           0      0.000000   1.000000 \n",
    );
    desk.check("sacctmgr show user", "      User   Def Acct     Admin \n---------- ---------- --------- \n      root       root Administ+ \n");
    for line in [
        "sacctmgr -i add account phys description=phys organization=phys",
        "sacctmgr -i add user alice account=phys",
        "sacctmgr -i modify account phys set GrpTRES=gres/gpu=4",
        "sacctmgr -i modify user alice set MaxTRESPerJob=cpu=8",
    ] {
        assert_eq!(desk.answer("root", line).code, 0, "{line}");
    }
    desk.check(
        "sacctmgr -P show assoc tree",
        "Cluster|Account|User|Partition|Share|Priority|GrpJobs|GrpTRES|GrpSubmit|GrpWall|GrpTRESMins|MaxJobs|MaxTRES|MaxTRESPerNode|MaxSubmit|MaxWall|MaxTRESMins|QOS|Def QOS|GrpTRESRunMins\n\
         lab|root|||1|||||||||||||normal||\n\
         lab| root|root||1|||||||||||||normal||\n\
         lab| phys|||1|||gres/gpu=4||||||||||normal||\n\
         lab|  phys|alice||1||||||||cpu=8|||||normal||\n",
    );
    desk.check("sacctmgr -P -n show qos", "normal|0|00:00:00|||cluster|||1.000000|||||||||||||||||\n");
}

#[test]
fn sdiag_says_what_the_controller_counted() {
    // Recorded: backfill_fill and outputs (their lines without numbers of the host).
    let mut desk = outputs();
    desk.at(6.1);
    let text = desk.answer("root", "sdiag").stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "*******************************************************");
    assert_eq!(lines[1], "sdiag output at Mon Nov 23 14:32:47 2026 (1795444367)");
    for line in [
        "Jobs completed: 0",
        "Jobs pending:   0",
        "Main schedule statistics (microseconds):",
        "Pending RPC statistics",
        "\tNo pending RPCs",
    ] {
        assert!(lines.contains(&line), "{line}");
    }
}

#[test]
fn wrong_commands_are_refused_as_the_real_ones_refuse_them() {
    // Recorded: bad_inputs.
    let mut desk = Desk::four_nodes(&[], 1_795_443_483);
    let title = "             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)\n";
    desk.check_error("squeue -j 99999", (1, "", "slurm_load_jobs error: Invalid job id specified\n"));
    desk.check_error("squeue -u nosuch", (0, title, "squeue: error: Invalid user: nosuch\n\n"));
    desk.check_error("squeue -w n99", (1, "", "squeue: error: Invalid node name n99\n"));
    desk.check_error(
        "squeue --nosuch",
        (1, "", "squeue: unrecognized option '--nosuch'\nTry \"squeue --help\" for more information\n"),
    );
    desk.check_error("sinfo -p nosuch", (0, "PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST\n", ""));
    desk.check_error("sacct -o foo", (1, "", "sacct: error: Invalid field requested: \"foo\"\n"));
    desk.check_error("sacct -S foo", (1, "", "Invalid time specification (pos=0): foo\n"));
    desk.check_error("sreport job sizes", (1, "", "sreport: not modelled: job sizes\n"));
}

#[test]
fn squeue_writes_its_jobs_as_json() {
    // Recorded: outputs, 8.08 (lines of job 1 without instants).
    let mut desk = outputs();
    desk.at(8.08);
    let text = desk.answer("root", "squeue --json").stdout;
    assert!(
        text.starts_with("{\n  \"meta\": {\n    \"plugin\": {\n      \"type\": \"openapi\\/v0.0.38\",\n"),
        "{text}"
    );
    assert!(text.ends_with("      \"current_working_directory\": \"\\/tmp\"\n    }\n  ]\n}"), "{text}");
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    let jobs = read["jobs"].as_array().unwrap();
    let ids: Vec<u64> = jobs.iter().filter_map(|job| job["job_id"].as_u64()).collect();
    assert_eq!(ids, [1, 2, 3, 5, 6, 7, 8, 4]);
    assert_eq!(jobs[0]["tres_alloc_str"], "cpu=30,mem=30000M,node=3,billing=30");
    assert_eq!(jobs[0]["job_resources"]["allocated_nodes"][1]["memory_allocated"], 13_000);
    assert_eq!(jobs[1]["job_resources"]["allocated_nodes"][0]["sockets"]["0"]["cores"]["13"], "allocated");
    assert_eq!((&jobs[2]["state_reason"], &jobs[2]["max_nodes"]), (&"Resources".into(), &6.into()));
    assert_eq!(jobs[7]["array_task_string"], "5-40%4");
    assert_eq!(jobs[0].as_object().map(serde_json::Map::len), Some(111));
}
