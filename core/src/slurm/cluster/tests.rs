//! Steps, commands and containers as users see them.

use std::collections::BTreeMap;

use super::SlurmCluster;
use crate::process::{Call, Stream};
use crate::sim::{Epoch, SimTime};
use crate::slurm::controller::{ClusterSpec, Users};

/// Two nodes with four CPUs and two GPUs each.
fn cluster() -> SlurmCluster {
    let conf = [
        "ClusterName=lab",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core",
        "GresTypes=gpu",
        "AccountingStorageType=accounting_storage/slurmdbd",
        "NodeName=n[1-2] CPUs=4 RealMemory=16000 Gres=gpu:2",
        "PartitionName=main Nodes=ALL Default=YES MaxTime=60",
    ];
    let spec = ClusterSpec::from_lines(&conf, &[], &[], Users::named(&["alice", "bob"])).expect("a cluster");
    let epoch = Epoch::new("2026-01-01T00:00:00Z".parse().expect("a time"));
    let mut cluster = SlurmCluster::new(spec, epoch, SimTime::ZERO);
    cluster.advance(SimTime::from_secs(5));
    for home in ["/home/alice", "/home/bob"] {
        cluster.files.create_dir_all(home, SimTime::ZERO).expect("room");
    }
    cluster
}

fn start(cluster: &mut SlurmCluster, line: &str) -> super::ProcId {
    let env: BTreeMap<String, String> =
        [("HOME", "/home/alice"), ("USER", "alice"), ("PATH", "/usr/bin:/bin"), ("LANG", "C")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let argv = ["bash", "-c", line].map(str::to_owned).to_vec();
    let id = cluster
        .start_command(Call { argv, env, cwd: "/home/alice".into(), pid: 0 }, 1001, false)
        .expect("bash");
    cluster.close_input(id);
    id
}

fn output(cluster: &mut SlurmCluster, id: super::ProcId) -> (String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    for (stream, bytes) in cluster.take_output(id) {
        let text = if stream == Stream::Stdout { &mut out } else { &mut err };
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    (out, err)
}

/// Runs a line of alice's shell to its end: standard output, standard error, exit code.
fn run_on(cluster: &mut SlurmCluster, line: &str) -> (String, String, u8) {
    let id = start(cluster, line);
    for _ in 0..20_000 {
        cluster.settle();
        if let Some(end) = cluster.end_of(id) {
            let (out, err) = output(cluster, id);
            cluster.forget(id);
            return (out, err, end.code);
        }
        let next = cluster.next_wakeup().expect("something goes on");
        cluster.advance(next);
    }
    panic!("`{line}` does not end: {:?}", output(cluster, id));
}

fn check(line: &str, out: &str, err: &str, code: u8) {
    let found = run_on(&mut cluster(), line);
    assert_eq!(found, (out.to_owned(), err.to_owned(), code), "{line}");
}

/// The output of a batch script, after the job has ended.
fn batch(cluster: &mut SlurmCluster, options: &str, script: &str) -> String {
    cluster.files.put("/home/alice/job.sh", format!("#!/bin/bash\n{script}\n"), SimTime::ZERO).expect("room");
    let line = format!("sbatch -W -o out.txt {options} job.sh > /dev/null; cat out.txt");
    run_on(cluster, &line).0
}

#[test]
fn srun_runs_its_tasks_and_ends_with_the_highest_code() {
    check("srun -n2 -l hostname", "0: n1\n1: n1\n", "", 0);
    check("srun -N2 hostname | sort", "n1\nn2\n", "", 0);
    check(
        "srun -n2 sh -c 'exit $((SLURM_PROCID * 3))'",
        "",
        "srun: error: n1: task 1: Exited with exit code 3\n",
        3,
    );
    check(
        "srun nosuch",
        "",
        "slurmstepd: error: execve(): nosuch: No such file or directory\nsrun: error: n1: task 0: Exited with exit code 2\n",
        2,
    );
    check("echo hello | srun -n2 cat", "hello\nhello\n", "", 0);
    check("srun -n1 sh -c 'kill -11 $$'", "", "srun: error: n1: task 0: Segmentation fault\n", 139);
}

#[test]
fn a_command_waits_for_its_allocation_and_says_so() {
    let mut cluster = cluster();
    let first = start(&mut cluster, "srun -N2 --exclusive sleep 30");
    cluster.advance(SimTime::from_secs(8));
    let second = start(&mut cluster, "srun -N2 hostname");
    cluster.advance(SimTime::from_secs(10));
    assert_eq!(output(&mut cluster, second).1, "srun: job 2 queued and waiting for resources\n");
    assert_eq!(
        run_on(&mut cluster, "srun -I -N2 hostname").1,
        "srun: error: Unable to allocate resources: Requested nodes are busy\n"
    );
    cluster.advance(SimTime::from_secs(45));
    assert_eq!(cluster.end_of(first).map(|end| end.code), Some(0));
    let (out, err) = output(&mut cluster, second);
    assert_eq!((out.lines().count(), err.as_str()), (2, "srun: job 2 has been allocated resources\n"));
}

#[test]
fn steps_share_what_their_job_has() {
    let mut cluster = cluster();
    let script = "begin=$SECONDS\nsrun -l --exact -n1 sleep 5 &\nsrun --exact -n1 sleep 5 &\nwait\necho $((SECONDS - begin))";
    assert_eq!(batch(&mut cluster, "-n2", script), "5\n");
    // Without --exact a step takes all CPUs of its nodes: the second waits.
    let out = batch(&mut cluster, "-n2", "srun sleep 5 &\nsleep 1\nsrun true\nwait");
    assert_eq!(
        out,
        "srun: Job 2 step creation temporarily disabled, retrying (Requested nodes are busy)\nsrun: Step created for StepId=2.1\n"
    );
    assert_eq!(
        batch(&mut cluster, "-n2", "srun sleep 5 &\nsleep 1\nsrun --overlap echo beside\nwait"),
        "beside\nbeside\n"
    );
    assert_eq!(
        batch(&mut cluster, "-n2", "srun -n9 true"),
        "srun: error: Unable to create step for job 4: More processors requested than permitted\n"
    );
    assert_eq!(
        batch(&mut cluster, "-n2", "srun -N2 true"),
        "srun: error: Only allocated 1 nodes asked for 2\n"
    );
}

#[test]
fn gpus_of_a_job_are_dealt_out_to_its_steps() {
    let mut cluster = cluster();
    let show = "bash -c 'echo $SLURM_STEP_ID $CUDA_VISIBLE_DEVICES'";
    let script = format!(
        "srun --exact -n1 --gres=gpu:1 {show}\nsrun {show}\nsrun --gres=none {show}\nsrun --gres=gpu:3 true"
    );
    assert_eq!(
        batch(&mut cluster, "-n2 --gres=gpu:2", &script),
        "0 0\n1 0,1\n1 0,1\n2\n2\nsrun: error: Unable to create step for job 1: Invalid generic resource (gres) specification\n"
    );
}

#[test]
fn output_goes_where_the_pattern_says() {
    let mut cluster = cluster();
    let (_, err, code) = run_on(
        &mut cluster,
        "srun -n2 -o 'o.%j.%s.%t.%N' hostname; srun -o none echo x; srun -n2 -l -o all.txt echo y",
    );
    assert_eq!((err.as_str(), code), ("", 0));
    let read =
        |path: &str| String::from_utf8_lossy(cluster.files.read(path).unwrap_or(b"missing")).into_owned();
    assert_eq!(read("/home/alice/o.1.0.0.n1"), "n1\n");
    assert_eq!(read("/home/alice/o.1.0.1.n1"), "n1\n");
    assert_eq!(read("/home/alice/all.txt"), "y\ny\n");
}

#[test]
fn one_bad_task_ends_the_step_when_it_shall() {
    let line = "srun -K -n2 sh -c 'if [ $SLURM_PROCID = 1 ]; then exit 4; fi; sleep 100'";
    let mut cluster = cluster();
    let (_, err, code) = run_on(&mut cluster, line);
    assert!(cluster.now() < SimTime::from_secs(20), "{err}");
    assert_eq!(code, 4);
    assert!(err.starts_with("srun: error: n1: task 1: Exited with exit code 4\n"), "{err}");
    assert!(
        err.contains("Terminating StepId=1.0\n") && err.ends_with("srun: error: n1: task 0: Killed\n"),
        "{err}"
    );
}

#[test]
fn steps_are_shown_signalled_and_accounted() {
    let mut cluster = cluster();
    let id = start(&mut cluster, "sbatch -n2 -o out.txt --wrap 'srun sleep 100; echo code $?'");
    cluster.advance(SimTime::from_secs(12));
    let steps = run_on(&mut cluster, "squeue -s -h -o '%i %j %N' | sort").0;
    assert_eq!(steps, "1.0 sleep n1\n1.batch batch n1\n");
    let shown = run_on(&mut cluster, "scontrol show step 1.0").0;
    assert!(shown.starts_with("StepId=1.0 UserId=1001 StartTime=2026-01-01T00:00:"), "{shown}");
    assert!(shown.contains("TimeLimit=01:00:00\n   State=RUNNING Partition=main NodeList=n1\n"), "{shown}");
    assert_eq!(run_on(&mut cluster, "scancel 1.7"), (String::new(), String::new(), 0));
    assert_eq!(run_on(&mut cluster, "scancel 1.0"), (String::new(), String::new(), 0));
    cluster.advance(SimTime::from_secs(40));
    assert_eq!(cluster.end_of(id).map(|end| end.code), Some(0));
    let text = run_on(&mut cluster, "cat out.txt").0;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "srun: Job step aborted: Waiting up to 32 seconds for job step to finish.");
    assert!(
        lines[1].starts_with("slurmstepd: error: *** STEP 1.0 ON n1 CANCELLED AT 2026-01-01T00:00:"),
        "{text}"
    );
    assert_eq!(lines[2..], ["srun: error: n1: tasks 0-1: Terminated", "code 143"]);
    let rows = run_on(&mut cluster, "sacct -n -P -o jobid,state,exitcode,ntasks").0;
    assert_eq!(rows, "1|COMPLETED|0:0|\n1.batch|COMPLETED|0:0|1\n1.0|CANCELLED|0:15|2\n");
}

#[test]
fn the_end_of_a_job_is_said_in_its_output() {
    let mut cluster = cluster();
    run_on(&mut cluster, "sbatch -t1 -o out.txt --wrap 'srun sleep 1000'");
    cluster.advance(SimTime::from_secs(150));
    let text = run_on(&mut cluster, "cat out.txt").0;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "srun: Job step aborted: Waiting up to 32 seconds for job step to finish.");
    assert!(lines[1].starts_with("slurmstepd: error: *** STEP 1.0 ON n1 CANCELLED AT"), "{text}");
    assert!(lines[1].ends_with("DUE TO TIME LIMIT ***"), "{text}");
    assert!(text.contains("*** JOB 1 ON n1 CANCELLED AT"), "{text}");
}

#[test]
fn a_script_may_handle_the_signal_before_its_limit() {
    let mut cluster = cluster();
    let script = "trap 'echo saved; exit 0' USR1\nsleep 1000 &\nwait";
    assert_eq!(batch(&mut cluster, "-t2 --signal=B:USR1@60", script), "saved\n");
    let id = start(&mut cluster, "sbatch -W -o out.txt --wrap 'trap \"echo usr2\" USR2; sleep 20; echo on'");
    cluster.advance(cluster.now() + std::time::Duration::from_secs(8));
    assert_eq!(run_on(&mut cluster, "scancel --signal=USR2 --batch 2"), (String::new(), String::new(), 0));
    cluster.advance(cluster.now() + std::time::Duration::from_secs(60));
    assert_eq!(cluster.end_of(id).map(|end| end.code), Some(0));
    assert_eq!(run_on(&mut cluster, "cat out.txt").0, "usr2\non\n");
}

#[test]
fn salloc_gives_a_command_an_allocation() {
    check("salloc -N2 -Q srun hostname | sort", "n1\nn2\n", "", 0);
    check(
        "salloc -n3 sh -c 'echo $SLURM_JOB_ID $SLURM_NTASKS $SLURM_JOB_NODELIST; exit 3'",
        "1 3 n1\n",
        "salloc: Granted job allocation 1\nsalloc: Relinquishing job allocation 1\n",
        3,
    );
    check(
        "salloc -p none true",
        "",
        "salloc: error: invalid partition specified: none\nsalloc: error: Job submit/allocate failed: Invalid partition name specified\n",
        1,
    );
}

#[test]
fn a_script_may_come_from_standard_input_and_ask_the_controller() {
    let mut cluster = cluster();
    let (out, ..) = run_on(
        &mut cluster,
        "sbatch -o out.txt <<'EOF'\n#!/bin/bash\n#SBATCH -n2\nsqueue -h -o '%i %t'\nEOF\n",
    );
    assert_eq!(out, "Submitted batch job 1\n");
    cluster.advance(SimTime::from_secs(20));
    assert_eq!(run_on(&mut cluster, "cat out.txt").0, "1 R\n");
}

#[test]
fn a_container_has_its_own_files_and_keeps_them_by_name() {
    let mut cluster = cluster();
    let release = "srun --container-image=alpine head -1 /etc/os-release";
    assert_eq!(
        run_on(&mut cluster, release),
        (
            "NAME=\"Alpine Linux\"\n".into(),
            "pyxis: importing docker image: alpine\npyxis: imported docker image: alpine\n".into(),
            0
        )
    );
    let quiet = "--container-image=alpine --container-name=box";
    run_on(&mut cluster, &format!("srun -w n1 {quiet} --container-writable sh -c 'echo kept > /mark'"));
    assert_eq!(run_on(&mut cluster, "srun -w n1 --container-name=box cat /mark").0, "kept\n");
    // Containers are a node's own.
    let (_, err, code) = run_on(&mut cluster, "srun -w n2 --container-name=box cat /mark");
    assert!(
        err.contains("a container with name \"pyxis_box\" does not exist, and --container-image is not set"),
        "{err}"
    );
    assert_eq!(code, 1);
    let (_, err, code) = run_on(&mut cluster, "srun -w n1 --container-name=box touch /x");
    assert!(err.contains("Read-only file system") && code == 1, "{err}");
}

#[test]
fn mounts_bring_the_hosts_files_in_and_what_is_written_out() {
    let mut cluster = cluster();
    let image = "--container-image=alpine";
    let line = format!(
        "echo data > in.txt; srun {image} --container-mounts=/home/alice:/data sh -c 'cat /data/in.txt; echo result > /data/out.txt' 2>/dev/null; cat out.txt"
    );
    assert_eq!(run_on(&mut cluster, &line).0, "data\nresult\n");
    let line = format!(
        "srun {image} --container-mounts=/home/alice:/data:ro sh -c 'echo x > /data/y' 2>/dev/null; ls"
    );
    assert_eq!(run_on(&mut cluster, &line).0, "in.txt\nout.txt\n");
    let line =
        format!("srun {image} --container-remap-root id -u 2>/dev/null; srun {image} id -u 2>/dev/null");
    assert_eq!(run_on(&mut cluster, &line).0, "0\n1001\n");
}

#[test]
fn enroot_makes_containers_by_hand() {
    let mut cluster = cluster();
    let line = "enroot import docker://alpine:3.20 2>/dev/null; ls; enroot create --name box alpine+3.20.sqsh 2>/dev/null; enroot list; \
         enroot start --rw box sh -c 'echo hi > /x'; enroot start box cat /x; enroot remove -f box; enroot list";
    assert_eq!(run_on(&mut cluster, line), ("alpine+3.20.sqsh\nbox\nhi\n".into(), String::new(), 0));
}

#[test]
fn an_image_takes_its_time_to_come_and_to_be_packed() {
    let mut cluster = cluster();
    let id = start(&mut cluster, "enroot import -o p.sqsh docker://nvcr.io#nvidia/pytorch:25.06-py3");
    cluster.advance(SimTime::from_secs(8));
    let (_, said) = output(&mut cluster, id);
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("[INFO] Downloading ") && last.ends_with(" missing layers..."), "{said}");
    assert!(cluster.end_of(id).is_none() && !cluster.files.exists("/home/alice/p.sqsh"));
    cluster.advance(SimTime::from_secs(1000));
    assert!(cluster.end_of(id).is_some() && cluster.files.exists("/home/alice/p.sqsh"));
    // The layers are there now: nothing is fetched again, but it is unpacked.
    let line = "enroot load -n p docker://nvcr.io#nvidia/pytorch:25.06-py3 2>&1 | grep -c cache; enroot list";
    assert_eq!(run_on(&mut cluster, line).0, "1\np\n");
    let before = cluster.now();
    run_on(&mut cluster, "enroot create -n q p.sqsh");
    assert!(cluster.now() > before + std::time::Duration::from_secs(5), "{} {}", before, cluster.now());
    let (_, err, code) = run_on(&mut cluster, "enroot create -n q p.sqsh");
    assert!(err.starts_with("[ERROR] File already exists: ") && err.ends_with("/q\n") && code == 1, "{err}");
    let (_, err, code) = run_on(&mut cluster, "enroot export -o p.sqsh q");
    assert_eq!((err.as_str(), code), ("[ERROR] File already exists: /home/alice/p.sqsh\n", 1));
    assert_eq!(run_on(&mut cluster, "enroot export -f -o p.sqsh q").2, 0);
}

#[test]
fn enroot_exec_joins_a_container_of_ones_own() {
    let mut cluster = cluster();
    let line = "enroot load -n box docker://alpine:3.20 2>/dev/null; enroot start --rw box sh -c 'echo $$ > /tmp/pid; sleep 20' & \
                sleep 10; echo; enroot exec 1 true; enroot exec x true; wait";
    let (_, err, _) = run_on(&mut cluster, line);
    assert_eq!(err, "[ERROR] Process not found: 1\n[ERROR] Invalid argument: x\n");
    let id = start(&mut cluster, "enroot start --rw box sh -c 'echo hi > /x; sleep 50'");
    cluster.advance(cluster.now() + std::time::Duration::from_secs(10));
    let inside = cluster.procs.iter().find(|(_, proc)| proc.place.inside.is_some() && proc.end.is_none());
    let pid = 20_000 + inside.expect("a process in the container").0 * 17;
    assert_eq!(run_on(&mut cluster, &format!("enroot exec {pid} cat /x")), ("hi\n".into(), String::new(), 0));
    let (_, err, code) = run_on(&mut cluster, &format!("enroot exec {pid} /no/such"));
    assert_eq!(err, "enroot-nsenter: failed to execute: /no/such: No such file or directory\n");
    assert!(code == 1 && cluster.end_of(id).is_none());
}

#[test]
fn with_multi_prog_each_task_runs_what_its_line_says() {
    let mut cluster = cluster();
    let conf = "# a server and its workers\n0 echo server\n1-3 echo worker %o of task %t\n";
    cluster.files.put("/home/alice/multi.conf", conf, SimTime::ZERO).expect("room");
    let expect = "0: server x\n1: worker 0 of task 1 x\n2: worker 1 of task 2 x\n3: worker 2 of task 3 x\n";
    let (out, err, code) = run_on(&mut cluster, "srun -l --multi-prog multi.conf x | sort");
    assert_eq!((out.as_str(), err.as_str(), code), (expect, "", 0));
    cluster.files.put("/home/alice/open.conf", "0 echo 'a b\n", SimTime::ZERO).expect("room");
    let (_, err, code) = run_on(&mut cluster, "srun --multi-prog open.conf");
    assert!(err.contains("error: Program arguments specification format invalid: echo.\n"), "{err}");
    assert!(
        err.contains("error: No executable program specified for this task\n") && code == 2,
        "{err} {code}"
    );
    let refused = "srun: error: Configuration file multi.conf invalid, no record for task id 4\n";
    assert_eq!(run_on(&mut cluster, "srun -n5 --multi-prog multi.conf"), (String::new(), refused.into(), 1));
}

#[test]
fn the_script_of_a_job_can_be_had_back_and_a_file_sent_to_its_nodes() {
    let mut cluster = cluster();
    let line = "sbatch -Q --parsable -N2 --wrap 'sleep 60' > id; scontrol write batch_script $(cat id) -; \
                scontrol write batch_script $(cat id); tail -n1 slurm-$(cat id).sh; scontrol write batch_script 77; \
                sleep 3; sbcast -j $(cat id) id /tmp/copy && cat /tmp/copy; sbcast -j $(cat id) id /tmp/copy; \
                sbcast -f -j $(cat id) id /tmp/copy; echo $?; sbcast -j $(cat id) none /tmp/copy";
    let (out, err, _) = run_on(&mut cluster, line);
    let id = out.lines().find(|line| line.parse::<u32>().is_ok()).expect("a job id").to_owned();
    let script = "#!/bin/sh\n# This script was created by sbatch --wrap.\n\nsleep 60\n";
    let written = format!("batch script for job {id} written to slurm-{id}.sh\nsleep 60\n{id}\n0\n");
    assert_eq!(out, format!("{script}{written}"));
    assert_eq!(
        err,
        "job script retrieval failed: Invalid job id specified\n\
         sbcast: error: REQUEST_FILE_BCAST(n1): File exists\n\
         sbcast: error: Can't open `none`: No such file or directory\n"
    );
}

#[test]
fn a_task_of_an_array_has_the_script_of_its_array() {
    let mut cluster = cluster();
    let line = "sbatch -Q --parsable -a 1-2 --wrap 'sleep 60' > id; sleep 3; \
                scontrol write batch_script $(cat id)_1; tail -n1 slurm-$(cat id)_1.sh; \
                scontrol write batch_script $(cat id)_3; cat id";
    let (out, err, _) = run_on(&mut cluster, line);
    let id = out.lines().last().expect("a job id").to_owned();
    assert_eq!(out, format!("batch script for job {id}_1 written to slurm-{id}_1.sh\nsleep 60\n{id}\n"));
    assert_eq!(err, "job script retrieval failed: Invalid job id specified\n");
}

#[test]
fn a_full_disk_stops_the_container() {
    let mut cluster = cluster();
    cluster.enroot.conf.capacity = Some(1_000_000);
    let (_, err, code) = run_on(&mut cluster, "srun --container-image=ubuntu true");
    assert!(err.contains("Write on output file failed because No space left on device"), "{err}");
    assert!(err.ends_with("srun: error: n1: task 0: Exited with exit code 1\n") && code == 1, "{err}");
}

#[test]
fn a_lost_node_and_a_killed_command_leave_nothing_behind() {
    let mut cluster = cluster();
    let id = start(&mut cluster, "srun -N2 sleep 100");
    cluster.advance(SimTime::from_secs(10));
    cluster.signal_command(id, 9);
    cluster.advance(SimTime::from_secs(60));
    assert!(cluster.procs.values().all(|proc| proc.end.is_some()), "{:?}", cluster.procs.keys());
}

#[test]
fn the_same_commands_give_the_same_end() {
    let digest = || {
        let mut cluster = cluster();
        let out =
            batch(&mut cluster, "-N2 -n4", "srun -l hostname &\nsrun --overlap -l -m cyclic hostname\nwait");
        (out, cluster.now())
    };
    assert_eq!(digest(), digest());
}
