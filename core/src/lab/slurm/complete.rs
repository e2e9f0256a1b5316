//! Completion of Slurm's commands: what Tab offers behind their names.

use crate::slurm::controller::Controller;

/// Long options that learners meet, by command; the manual pages have all.
const OPTIONS: [(&str, &[&str]); 8] = [
    ("srun", &STEP_OPTIONS),
    ("salloc", &STEP_OPTIONS),
    (
        "sbatch",
        &[
            "--account=",
            "--array=",
            "--begin=",
            "--container-image=",
            "--container-mounts=",
            "--container-name=",
            "--cpus-per-gpu=",
            "--cpus-per-task=",
            "--dependency=",
            "--error=",
            "--exclusive",
            "--gpus=",
            "--gpus-per-node=",
            "--gres=",
            "--hold",
            "--job-name=",
            "--mem=",
            "--mem-per-cpu=",
            "--nodelist=",
            "--nodes=",
            "--ntasks=",
            "--output=",
            "--partition=",
            "--qos=",
            "--requeue",
            "--reservation=",
            "--signal=",
            "--test-only",
            "--time=",
            "--time-min=",
            "--wait",
            "--wrap=",
        ],
    ),
    (
        "squeue",
        &[
            "--format=",
            "--jobs=",
            "--long",
            "--me",
            "--name=",
            "--partition=",
            "--start",
            "--states=",
            "--user=",
        ],
    ),
    (
        "sinfo",
        &["--Node", "--format=", "--list-reasons", "--long", "--nodes=", "--partition=", "--summarize"],
    ),
    ("scancel", &["--name=", "--partition=", "--signal=", "--state=", "--user="]),
    (
        "sacct",
        &["--allocations", "--duplicates", "--endtime=", "--format=", "--jobs=", "--starttime=", "--state="],
    ),
    ("sprio", &["--jobs=", "--long", "--norm", "--user=", "--weights"]),
];

const STEP_OPTIONS: [&str; 25] = [
    "--container-image=",
    "--container-mounts=",
    "--container-name=",
    "--container-save=",
    "--container-workdir=",
    "--cpus-per-gpu=",
    "--cpus-per-task=",
    "--exclusive",
    "--gpu-bind=",
    "--gpus=",
    "--gpus-per-node=",
    "--gpus-per-task=",
    "--gres=",
    "--jobid=",
    "--label",
    "--mem=",
    "--nodelist=",
    "--nodes=",
    "--ntasks=",
    "--ntasks-per-node=",
    "--output=",
    "--overlap",
    "--partition=",
    "--pty",
    "--time=",
];

const ENROOT: [&str; 9] =
    ["bundle", "create", "digest", "exec", "export", "import", "list", "remove", "start"];
const VERBS: [&str; 9] =
    ["create", "delete", "hold", "release", "requeue", "resume", "show", "suspend", "update"];
const SHOWN: [&str; 4] = ["job", "node", "partition", "reservation"];

/// What could stand in place of the last of `words`, which begin with the command. `None` leaves it to the paths.
pub(in crate::lab) fn complete(words: &[&str], controller: &Controller) -> Option<Vec<String>> {
    let words = if words.first() == Some(&"sudo") { words.get(1..)? } else { words };
    let (command, word) = (words.first()?, words.last()?);
    let starting = |all: &[&str]| -> Vec<String> {
        all.iter().filter(|one| one.starts_with(word)).map(|one| (*one).to_owned()).collect()
    };
    if word.starts_with("--") {
        let (_, options) = OPTIONS.iter().find(|(name, _)| name == command)?;
        return Some(starting(options));
    }
    let jobs = || -> Vec<String> {
        let current = controller.jobs.pending().chain(controller.jobs.active());
        current.map(crate::slurm::model::Job::display_id).filter(|id| id.starts_with(word)).collect()
    };
    let partitions = || controller.partitions.iter().map(|part| part.name.as_str()).collect::<Vec<_>>();
    let before = words.len().checked_sub(2).and_then(|at| words.get(at)).copied().unwrap_or_default();
    if before == "-p" {
        return Some(starting(&partitions()));
    }
    match (*command, words.get(1..words.len() - 1)?) {
        ("scancel", _) => Some(jobs()),
        ("enroot", []) => Some(starting(&ENROOT)),
        ("scontrol", []) => Some(starting(&VERBS)),
        ("scontrol", ["show"]) => Some(starting(&SHOWN)),
        ("scontrol", ["show", "job"] | ["hold" | "release" | "requeue" | "resume" | "suspend"]) => {
            Some(jobs())
        }
        ("scontrol", ["show", "node"]) => {
            Some(starting(&controller.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>()))
        }
        ("scontrol", ["show", "partition"]) => Some(starting(&partitions())),
        _ => None,
    }
}
