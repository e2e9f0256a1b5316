//! A lab with Slurm, driven from its terminal.

#![cfg(all(feature = "slurm", feature = "lab"))]

use std::time::Duration;

use clusterlab::lab::slurm::compare::Comparison;
use clusterlab::lab::slurm::view::{BlockKind, JobWhy, SlurmView, SpanKind};
use clusterlab::lab::{Lab, LabSpec, Prompt, SavedLab};
use clusterlab::sim::SimTime;

const TWO: &str = "
nodes: [{name: 'n', system: server, count: 2, cpus: 16, memoryMib: 65536}]
slurm: {alone: true, users: [bob]}
";

fn lab(yaml: &str) -> Lab {
    Lab::new(LabSpec::from_yaml(yaml).unwrap()).unwrap()
}

fn wait(lab: &mut Lab, seconds: u64) {
    lab.advance(Duration::from_secs(seconds));
}

#[test]
fn a_batch_script_runs_on_a_node_and_its_output_is_a_file() {
    let mut lab = lab(TWO);
    lab.write_file(
        "hello.sh",
        "#!/bin/bash\n#SBATCH --job-name=hello\n#SBATCH --ntasks=2\nhostname\nsleep 20\necho done\n",
    );
    assert_eq!(lab.run("sbatch hello.sh").stdout, "Submitted batch job 1\n");
    wait(&mut lab, 5);
    assert_eq!(lab.run("squeue -h -o '%i %j %u %t %R'").stdout, "1 hello learner R n-1\n");
    assert_eq!(lab.run("cat slurm-1.out").stdout, "n-1\n");
    wait(&mut lab, 60);
    assert_eq!(lab.run("cat slurm-1.out").stdout, "n-1\ndone\n");
    assert_eq!(lab.run("sacct -n -X -P -o JobID,State,ExitCode").stdout, "1|COMPLETED|0:0\n");
}

#[test]
fn a_script_may_come_from_standard_input_and_be_waited_for() {
    let mut lab = lab(TWO);
    let output = lab.run("sbatch --wait <<'END'\n#!/bin/sh\nsleep 30\nexit 3\nEND");
    assert_eq!((output.stdout.as_str(), output.exit_code), ("Submitted batch job 1\n", 3));
    assert!(lab.now() > SimTime::from_secs(30));
}

#[test]
fn a_lab_with_slurm_alone_has_no_kubectl_and_one_without_has_no_sbatch() {
    let mut alone = lab(TWO);
    assert_eq!(alone.run("kubectl get nodes").exit_code, 127);
    let help = alone.run("help").stdout;
    assert!(help.contains("  sbatch FILE"), "{help}");
    let mut kube = lab("nodes: [{name: a, system: server}]");
    assert_eq!(kube.run("sbatch x").exit_code, 127);
    assert!(!kube.run("help").stdout.contains("sbatch"));
    let mut both = lab("nodes: [{name: a, system: server}]\nslurm: {}");
    assert_eq!(both.run("kubectl get nodes -o name").stdout, "node/a\n");
    assert_eq!(both.run("sinfo -h -o '%n %T'").stdout, "a idle\n");
}

#[test]
fn only_root_administers_and_the_learner_becomes_root_by_sudo() {
    let mut lab = lab(TWO);
    let drain = "scontrol update NodeName=n-1 State=DRAIN Reason=disk";
    assert_eq!(lab.run(drain).exit_code, 1);
    assert_eq!(lab.run(&format!("sudo {drain}")).exit_code, 0);
    assert_eq!(lab.run("sinfo -h -N -o '%N %T'").stdout, "n-1 drained\nn-2 idle\n");
    assert_eq!(lab.run("sudo -u bob sbatch --wrap 'sleep 9'").stdout, "Submitted batch job 1\n");
    assert_eq!(lab.run("squeue -h -o %u").stdout, "bob\n");
    assert_eq!(lab.run("sudo whoami").stdout, "root\n");
    let absent = lab.run("sudo frobnicate");
    assert_eq!((absent.stderr.as_str(), absent.exit_code), ("sudo: frobnicate: command not found\n", 1));
    assert_eq!(lab.run("sudo -u nobody ls").stderr, "sudo: unknown user nobody\n");
}

#[test]
fn srun_runs_tasks_on_nodes_and_waits_for_them() {
    let mut lab = lab(TWO);
    let both = lab.run("srun -N2 -l hostname");
    assert_eq!((both.stdout.as_str(), both.exit_code), ("0: n-1\n1: n-2\n", 0));
    let failed = lab.run("srun bash -c 'exit 3'");
    let line = "srun: error: n-1: task 0: Exited with exit code 3\n";
    assert_eq!((failed.stderr.as_str(), failed.exit_code), (line, 3));
    // What is piped in goes to the tasks.
    assert_eq!(lab.run("echo some words | srun cat").stdout, "some words\n");
    wait(&mut lab, 2);
    assert_eq!(lab.run("squeue -h").stdout, "");
}

#[test]
fn ctrl_c_ends_an_srun_that_waits_or_runs() {
    let mut lab = lab(TWO);
    lab.type_line("srun -N2 --exclusive sleep 1000");
    wait(&mut lab, 5);
    assert_eq!(lab.prompt(), Prompt::Busy);
    lab.interrupt();
    wait(&mut lab, 1);
    lab.interrupt();
    wait(&mut lab, 60);
    assert!(matches!(lab.prompt(), Prompt::Ready(_)));
    assert_eq!(lab.run("squeue -h").stdout, "");
    lab.run("sbatch -N2 --exclusive -t10 --wrap 'sleep 500'");
    wait(&mut lab, 5);
    lab.take_output();
    lab.type_line("srun hostname");
    wait(&mut lab, 5);
    let said: String = lab.take_output().into_iter().map(|chunk| chunk.text).collect();
    assert_eq!(said, "srun: job 3 queued and waiting for resources\n");
    lab.interrupt();
    wait(&mut lab, 5);
    assert_eq!(lab.run("squeue -h -o %i").stdout, "2\n");
}

#[test]
fn a_shell_on_a_node_prompts_and_knows_its_job() {
    let mut lab = lab(TWO);
    lab.type_line("srun -w n-2 --pty bash");
    let mut told = |line: Option<&str>| {
        if let Some(line) = line {
            lab.type_line(line);
        }
        wait(&mut lab, 2);
        lab.take_output().into_iter().map(|chunk| chunk.text).collect::<String>()
    };
    assert_eq!(told(None), "learner@n-2:~$ ");
    assert_eq!(told(Some("echo $SLURM_JOB_ID; cd /tmp")), "1\nlearner@n-2:/tmp$ ");
    assert_eq!(told(Some("for i in 1 2")), "> ");
    assert_eq!(told(Some("do echo $i; done")), "1\n2\nlearner@n-2:/tmp$ ");
    assert_eq!(told(Some("exit 4")), "exit\nsrun: error: n-2: task 0: Exited with exit code 4\n");
    assert_eq!(lab.last_exit_code(), 4);
}

#[test]
fn an_allocation_is_held_while_its_shell_lasts() {
    let mut lab = lab(TWO);
    lab.type_line("salloc -N2");
    wait(&mut lab, 2);
    lab.type_line("srun hostname");
    wait(&mut lab, 5);
    lab.end_of_file();
    wait(&mut lab, 5);
    let said: String = lab.take_output().into_iter().map(|chunk| chunk.text).collect();
    let prompt = "learner@lab:~$ ";
    assert_eq!(
        said,
        format!(
            "salloc: Granted job allocation 1\n{prompt}n-1\nn-2\n{prompt}exit\nsalloc: Relinquishing job allocation 1\n"
        )
    );
    assert_eq!(lab.run("squeue -h").stdout, "");
}

#[test]
fn a_training_in_a_container_uses_the_gpus_of_its_job() {
    let mut lab = lab("
nodes: [{name: gpu, system: dgx-h100, count: 2}]
slurm: {alone: true, cgroupConf: 'ConstrainDevices=yes'}
");
    let bare = lab.run("srun -G1 python train.py");
    assert!(bare.stderr.contains("error: execve(): python: No such file or directory\n"), "{}", bare.stderr);
    let image = "--container-image=nvcr.io#nvidia/pytorch:25.06-py3";
    assert_eq!(lab.run(&format!("srun -G2 {image} nvidia-smi -L")).stdout.lines().count(), 2);
    lab.type_line(&format!(
        "sbatch -w gpu-2 --gres=gpu:2 --wrap 'srun {image} torchrun --nproc-per-node=2 train.py'"
    ));
    wait(&mut lab, 90);
    let busy = |lab: &Lab| -> Vec<usize> {
        let gpus = lab.machines().iter().flat_map(|machine| &machine.gpus).enumerate();
        gpus.filter(|(_, gpu)| gpu.utilization_percent() > 0).map(|(at, _)| at).collect()
    };
    while busy(&lab).is_empty() && lab.now() < SimTime::from_secs(900) {
        wait(&mut lab, 1);
    }
    assert_eq!(busy(&lab), [8, 9]);
    wait(&mut lab, 600);
    assert_eq!(busy(&lab), [] as [usize; 0]);
    assert_eq!(lab.run("sacct -n -X -P -o State | tail -n1").stdout, "COMPLETED\n");
}

#[test]
fn an_image_of_the_labs_registry_becomes_a_file_and_a_directory() {
    let mut lab = lab(TWO);
    let imported = lab.run("enroot import -o u.sqsh docker://ubuntu:24.04");
    assert_eq!(imported.exit_code, 0, "{}", imported.stderr);
    lab.run("enroot create -n u u.sqsh");
    assert_eq!(lab.run("enroot list").stdout, "u\n");
    let release = lab.run("enroot start u cat /etc/os-release | head -n1").stdout;
    assert_eq!(release, "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\n");
}

#[test]
fn other_users_submit_at_their_time() {
    let mut lab = lab("
nodes: [{name: 'n', system: server, cpus: 16}]
slurm:
  alone: true
  users: [bob]
  submissions: [{at: 60, user: bob, run: [sbatch, -N1, --exclusive, -t10, --wrap, sleep 300]}]
");
    wait(&mut lab, 30);
    assert_eq!(lab.run("squeue -h").stdout, "");
    wait(&mut lab, 40);
    assert_eq!(lab.run("squeue -h -o '%u %t'").stdout, "bob R\n");
}

/// A job of the whole cluster waits for one on one node; a short one slips in before it.
fn waiting() -> Lab {
    let mut lab = lab(TWO);
    lab.run("sudo -u bob sbatch -N1 --exclusive -t 60 --wrap 'sleep 3000'");
    wait(&mut lab, 5);
    lab.run("sbatch -N2 --exclusive -t 30 -J wide --wrap 'sleep 60'");
    lab.run("sbatch -N1 --exclusive -t 120 -J long --wrap 'sleep 60'");
    wait(&mut lab, 65);
    lab
}

#[test]
fn why_says_what_a_job_waits_for_and_when_it_will_start() {
    let lab = waiting();
    let wide = lab.why_job("2").unwrap();
    assert_eq!((wide.job.name.as_str(), wide.job.blocked), ("wide", BlockKind::Resources));
    assert_eq!(wide.ahead, []);
    assert_eq!(wide.holders.iter().map(|holder| holder.job_id).collect::<Vec<_>>(), [1]);
    // The first job has the node for an hour from its start in the first second.
    let start = wide.job.expected_start.unwrap();
    assert!((3600..3605).contains(&start), "{start}");
    assert_eq!(wide.alone_nodes, "n-[1-2]");
    let long = lab.why_job("3").unwrap();
    assert_eq!(long.job.blocked, BlockKind::Priority);
    assert_eq!(long.ahead.iter().map(|job| job.job_id).collect::<Vec<_>>(), [2]);
    assert!(long.job.expected_start.unwrap() >= start + 1800);
    // Alone it could start at once on the node that is idle.
    assert_eq!(long.alone_nodes, "n-2");
    assert!(lab.why_job("99").is_none());
}

#[test]
fn a_shorter_job_is_backfilled_and_the_chart_shows_it() {
    let mut lab = waiting();
    lab.run("sbatch -N1 --exclusive -t 20 -J short --wrap 'sleep 60'");
    wait(&mut lab, 40);
    let view = SlurmView::of(&lab).unwrap();
    let short = view.jobs.iter().find(|job| job.name == "short").unwrap();
    assert_eq!((short.job_state.as_str(), short.backfilled), ("RUNNING", true));
    let kinds: Vec<(u32, SpanKind)> = view.spans.iter().map(|span| (span.job_id, span.kind)).collect();
    assert!(kinds.contains(&(1, SpanKind::Running)) && kinds.contains(&(2, SpanKind::Expected)), "{kinds:?}");
    wait(&mut lab, 120);
    let view = SlurmView::of(&lab).unwrap();
    let ended = view.spans.iter().find(|span| span.name == "short").unwrap();
    assert_eq!((ended.kind, ended.state.as_str(), ended.shares.len()), (SpanKind::Ended, "COMPLETED", 1));
}

#[test]
fn the_view_knows_gpus_shares_and_factors() {
    let mut lab = lab("
nodes: [{name: gpu, system: dgx-h100, count: 2}]
slurm:
  alone: true
  users: [ann, bob]
  slurmConf: |
    PriorityWeightFairshare=10000
    PriorityWeightAge=100
  accounting:
  - add account vision fairshare=3
  - add account speech fairshare=1
  - add user ann account=vision
  - add user bob account=speech
  - add user learner account=speech
");
    lab.run("sbatch --gpus-per-node=6 -N2 --wrap 'sleep 600'");
    lab.run("sudo -u ann sbatch --gpus-per-node=4 --wrap 'sleep 60'");
    wait(&mut lab, 10);
    let view = SlurmView::of(&lab).unwrap();
    assert_eq!(
        view.nodes.iter().map(|node| (node.alloc_gpus, node.gpus)).collect::<Vec<_>>(),
        [(6, 8), (6, 8)]
    );
    let waits = &view.jobs[0];
    assert_eq!((waits.user_name.as_str(), waits.gpus, waits.state_code.as_str()), ("ann", 4, "PD"));
    assert_eq!(waits.factors.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["AGE", "FAIRSHARE"]);
    let tree: Vec<(u32, &str, Option<&str>)> =
        view.associations.iter().map(|a| (a.depth, a.account.as_str(), a.user.as_deref())).collect();
    assert_eq!(
        tree,
        [
            (0, "root", None),
            (1, "root", Some("root")),
            (1, "speech", None),
            (2, "speech", Some("bob")),
            (2, "speech", Some("learner")),
            (1, "vision", None),
            (2, "vision", Some("ann")),
        ]
    );
    assert_eq!(view.associations.iter().find(|a| a.account == "vision").unwrap().norm_shares, 600_000);
}

#[test]
fn the_same_commands_give_the_same_digest_also_after_save_rewind_and_undo() {
    let mut lab = waiting();
    let (digest, now) = (lab.digest(), lab.now());
    let saved = SavedLab::from_json(&lab.save().to_json()).unwrap();
    assert_eq!(Lab::restore(&saved).unwrap().digest(), digest);
    lab.rewind(SimTime::from_secs(2));
    assert_eq!(JobWhy::of(&lab, "1").unwrap().job.job_state, "RUNNING");
    assert!(lab.why_job("2").is_none());
    lab.advance_to(now);
    assert_eq!(lab.digest(), digest);
    lab.run("scancel 3");
    assert!(lab.undo());
    assert_eq!(lab.digest(), digest);
}

#[test]
fn a_cluster_at_rest_has_nothing_coming() {
    let mut lab = lab(TWO);
    assert_eq!(lab.next_event(), None);
    lab.run("sbatch --wait --wrap 'sleep 5'");
    // The node is cleaned up, and the record is there; then nothing is due.
    wait(&mut lab, 30);
    assert_eq!(lab.next_event(), None);
    let node = &SlurmView::of(&lab).unwrap().nodes[0];
    assert_eq!((node.state.as_str(), node.alloc_cpus), ("idle", 0));
}

#[test]
fn commands_are_completed_where_there_are_any() {
    let mut lab = lab(TWO);
    lab.run("sbatch --wrap 'sleep 100'; touch job.sh");
    let check = |line: &str, expect: &[&str]| {
        assert_eq!(lab.complete(line, line.len()).candidates, expect, "{line}");
    };
    check("sq", &["squeue"]);
    check("scontrol sh", &["show"]);
    check("scontrol show no", &["node"]);
    check("sudo scontrol show node n", &["n-1", "n-2"]);
    check("scancel ", &["1"]);
    check("sbatch -p m", &["main"]);
    check("sbatch --dep", &["--dependency="]);
    check("sbatch jo", &["job.sh"]);
    assert_eq!(lab.complete("kub", 3).candidates, Vec::<String>::new());
}

#[test]
fn the_same_work_is_compared_under_both() {
    let mut lab = lab("
nodes: [{name: gpu, system: t4-server, count: 2}]
slurm: {}
");
    // Four pieces of work with four GPUs each, on two machines with four: two wait for the first two.
    lab.write_file(
        "pod.yaml",
        "apiVersion: v1
kind: Pod
metadata: {name: train-number}
spec:
  restartPolicy: Never
  containers:
  - {name: c, image: 'ubuntu:22.04', command: [sleep, '300'], resources: {limits: {nvidia.com/gpu: 4}}}
",
    );
    lab.run("for n in 1 2 3 4; do sed s/number/$n/ pod.yaml | kubectl apply -f -; done");
    lab.run("for n in 1 2 3 4; do sbatch -t 10 --gres=gpu:4 --wrap 'sleep 300'; done");
    wait(&mut lab, 900);
    let both = Comparison::of(&lab).unwrap();
    for (name, side) in [("kubernetes", both.of_kubernetes), ("slurm", both.of_slurm)] {
        assert_eq!((side.submitted, side.started, side.ended), (4, 4, 4), "{name}: {side:?}");
        // Two wait for about five minutes, two for nothing.
        assert!((140..190).contains(&side.mean_wait), "{name}: {side:?}");
        assert!((900..=1000).contains(&side.utilisation), "{name}: {side:?}");
    }
    assert_eq!(both.kubernetes.spans.len(), 4);
    let alone = self::lab(TWO);
    assert!(Comparison::of(&alone).is_none());
}
