//! The binary as a person or a program calls it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a call printed and how it ended.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Calls the binary in a folder of its own, with `input` on standard input.
fn clusterlab(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_clusterlab"))
        .args(arguments)
        .current_dir(folder)
        .env("LANG", "C.UTF-8")
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
}

/// An empty folder with the given files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

const LAB: &str = "nodes:\n- {name: gpu-1, system: dgx-h100}\n";

/// The files of the exercise that is compiled in.
fn first_exercise() -> clusterlab_exercises::Folder {
    clusterlab_exercises::Folder::embedded().find(|folder| folder.name == "first-gpu-pod").unwrap()
}

/// Its solution for the learner with seed 1.
fn solution() -> String {
    clusterlab_exercises::Exercise::find("first-gpu-pod").unwrap().unwrap().for_learner(1).solution
}

#[test]
fn run_prints_what_the_commands_print_and_exits_as_the_last_one_did() {
    let folder =
        folder("run", &[("lab.yaml", LAB), ("go.sh", "echo hello\nkubectl get nodes -o name\nfalse\n")]);
    let ran = clusterlab(&folder, &["run", "lab.yaml", "--script", "go.sh"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "hello\nnode/gpu-1\n"), "{}", ran.stderr);
    let ran = clusterlab(&folder, &["run", "lab.yaml", "--script", "-"], "cat <<END\na\nb\nEND\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "a\nb\n"), "{}", ran.stderr);
}

#[test]
fn run_hands_jobs_to_slurm_where_the_lab_has_one() {
    let lab = format!("{LAB}slurm: {{alone: true}}\n");
    let folder = folder("slurm", &[("lab.yaml", &lab)]);
    let script = "sbatch --gres=gpu:2 --wrap 'echo $CUDA_VISIBLE_DEVICES'\nsleep 5\ncat slurm-1.out\n";
    let ran = clusterlab(&folder, &["run", "lab.yaml", "--script", "-"], script);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "Submitted batch job 1\n0,1\n"), "{}", ran.stderr);
}

#[test]
fn run_stops_at_the_first_failure_if_asked_to() {
    let folder = folder("errexit", &[("lab.yaml", LAB)]);
    let script = "echo a\nkubectl get pod nothing\necho b\n";
    let ran = clusterlab(&folder, &["run", "lab.yaml", "--script", "-"], script);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "a\nb\n"));
    let ran = clusterlab(&folder, &["run", "lab.yaml", "-e", "--script", "-"], script);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "a\n"));
    assert_eq!(ran.stderr, "Error from server (NotFound): pods \"nothing\" not found\n");
}

#[test]
fn run_as_json_gives_one_object_per_command_and_one_for_all() {
    let folder = folder("json", &[("lab.yaml", LAB)]);
    let call =
        || clusterlab(&folder, &["run", "lab.yaml", "--json", "--script", "-"], "echo hi\nsleep 5; false\n");
    let ran = call();
    let lines: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["command"], &lines[0]["stdout"]), (&"echo hi".into(), &"hi\n".into()));
    assert_eq!((&lines[1]["exitCode"], &lines[1]["seconds"]), (&1.into(), &5.0.into()));
    assert_eq!((&lines[2]["commands"], &lines[2]["exitCode"]), (&2.into(), &1.into()));
    assert_eq!(lines[2]["digest"].as_str().unwrap().len(), 64);
    assert_eq!(ran.code, 1);
    assert_eq!(call().stdout, ran.stdout, "the same spec and script go the same way");
}

#[test]
fn grade_passes_the_solution_and_says_how_far_another_script_got() {
    let folder = folder(
        "grade",
        &[("solution.sh", &solution()), ("half.sh", "kubectl apply -f pod.yaml\nsleep 60\n")],
    );
    let ran = clusterlab(&folder, &["grade", "first-gpu-pod", "--script", "solution.sh"], "");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("5 of 5 steps"), "{}", ran.stdout);

    let ran = clusterlab(&folder, &["grade", "first-gpu-pod", "--script", "half.sh"], "");
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("0 of 5 steps") && ran.stdout.contains("hint: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("mistake: The container could not run"), "{}", ran.stdout);

    let ran = clusterlab(&folder, &["grade", "first-gpu-pod", "--script", "half.sh", "--lang", "ko"], "");
    assert!(ran.stdout.starts_with("첫 번째 GPU 파드 (first-gpu-pod), seed 1\n"), "{}", ran.stdout);

    let ran = clusterlab(&folder, &["grade", "first-gpu-pod", "--script", "solution.sh", "--json"], "");
    let lines: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<_> = lines.iter().filter(|line| line["type"] == "step").map(|line| &line["id"]).collect();
    assert_eq!(steps, ["run", "logs", "too-many", "reason", "mend"]);
    assert_eq!(lines.last().unwrap()["report"]["finished"], true);
}

#[test]
fn an_exercise_from_a_folder_is_graded_without_building_anything() {
    let exercise = first_exercise();
    let files: Vec<_> = exercise
        .files
        .iter()
        .map(|(path, text)| (format!("mine/{path}"), text.replace("id: first-gpu-pod\n", "id: mine\n")))
        .collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let place = folder("own", &files);
    let ran = clusterlab(&place, &["grade", "mine", "--script", "-"], "ls\n");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let ran = clusterlab(&place, &["check", "mine", "--seeds", "1"], "");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);

    // What an author gets to see when something is wrong.
    std::fs::write(place.join("mine/solution.sh"), "true\n").unwrap();
    let ran = clusterlab(&place, &["check", "mine", "--seeds", "1", "--json"], "");
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains(r#"the solution does not pass step \"run\""#), "{}", ran.stdout);
    let yaml = std::fs::read_to_string(place.join("mine/exercise.yaml")).unwrap();
    std::fs::write(place.join("mine/exercise.yaml"), yaml.replace("minutes: 15", "minuts: 15")).unwrap();
    let ran = clusterlab(&place, &["check", "mine"], "");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("exercise.yaml:8:1: unknown field \"minuts\""), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_read_is_told_and_exits_with_two() {
    let folder =
        folder("errors", &[("bad.yaml", "nodes:\n- {name: a, system: dgx-9000}\n"), ("good.yaml", LAB)]);
    let check = |arguments: &[&str], expect: &str| {
        let ran = clusterlab(&folder, arguments, "");
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(expect), "{arguments:?}: {}", ran.stderr);
    };
    check(&[], "Usage: clusterlab");
    check(&["run", "none.yaml", "--script", "-"], "error: cannot read the lab spec none.yaml: No such file");
    check(&["run", "bad.yaml", "--script", "-"], "error: the lab spec bad.yaml has a mistake: ");
    check(&["run", "bad.yaml", "--script", "-"], "dgx-9000");
    check(
        &["run", "good.yaml", "--script", "none.sh"],
        "error: cannot read the script none.sh: No such file",
    );
    check(&["run", "good.yaml"], "--script <FILE>");
    check(
        &["grade", "no-such", "--script", "-"],
        "no exercise and no folder is called \"no-such\"; the exercises are: first-gpu-pod",
    );
    check(&["grade", "first-gpu-pod", "--script", "-", "--lang", "fr"], "expected en or ko");
    check(&["shell", "no-such"], "no exercise and no folder");
    check(&["check", "first-gpu-pod", "--seeds", "0"], "--seeds must be at least 1");
}

#[test]
fn the_exercises_are_listed() {
    let folder = folder("list", &[]);
    let ran = clusterlab(&folder, &["exercises"], "");
    assert!(ran.stdout.starts_with("first-gpu-pod  Your first GPU pod (15 min)\n"), "{}", ran.stdout);
    let ran = clusterlab(&folder, &["exercises", "--json", "--lang", "ko"], "");
    let first: serde_json::Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["title"], "첫 번째 GPU 파드");
}

#[test]
fn a_shell_reads_from_a_pipe_as_well() {
    let folder = folder("shell", &[("lab.yaml", LAB)]);
    let ran = clusterlab(
        &folder,
        &["shell", "lab.yaml"],
        "echo one\n:advance 10m\nkubectl get -w pods\nexit 3\necho never\n",
    );
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("one\n") && !ran.stdout.contains("never"), "{}", ran.stdout);
}

#[test]
fn a_shell_tells_an_exercise_and_ticks_its_steps() {
    let folder = folder("lesson", &[]);
    let ran = clusterlab(&folder, &["shell", "first-gpu-pod"], &(solution() + ":hint\n"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("# Your first GPU pod\n"), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches('\u{2713}').count(), 5, "{}", ran.stdout);
    assert!(ran.stdout.contains("## What you have seen"), "{}", ran.stdout);
}

#[test]
fn a_saved_shell_goes_on_where_it_was_left() {
    let folder = folder("saved", &[("lab.yaml", LAB), ("cut.json", "{\"spec\": {\"na")]);
    let ran = clusterlab(&folder, &["shell", "lab.yaml"], "echo kept > a.txt\n:save lab.json\n");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = clusterlab(&folder, &["shell", "lab.json"], "cat a.txt\n");
    assert!(ran.stdout.contains("kept\n"), "{}{}", ran.stdout, ran.stderr);
    let ran = clusterlab(&folder, &["shell", "cut.json"], "");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("cut.json is not a saved lab"), "{}", ran.stderr);
}

#[test]
fn somebody_who_reads_no_further_is_no_error() {
    let folder = folder("pipe", &[("lab.yaml", LAB)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_clusterlab"))
        .args(["run", "lab.yaml", "--json", "--script", "-"])
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(b"echo a\necho b\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()));
}

#[test]
fn conform_replays_a_folder_and_tells_the_first_difference_of_what_does_not_agree() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/fixtures/kube-scheduler");
    let agreed = fixtures.to_str().unwrap();
    let ran = clusterlab(&folder("conform", &[]), &["conform", "kube", agreed], "");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.ends_with(" passed, 0 failed\n"), "{}", ran.stdout);

    let text = std::fs::read_to_string(fixtures.join("k0073-cordon-nodename.json")).unwrap();
    let wrong = text.replace("\"preassigned\"", "\"scheduled\"");
    assert_ne!(text, wrong);
    let folder = folder("conform-wrong", &[("one.json", &wrong)]);
    let ran = clusterlab(&folder, &["conform", "kube", ".", "--explain"], "");
    assert_eq!(ran.code, 1);
    let first = "k0073-cordon-nodename: p6: outcome is \"preassigned\", recorded \"scheduled\"\n";
    assert!(ran.stdout.starts_with(first), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nleft out: "), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\n0 passed, 1 failed\n"), "{}", ran.stdout);
    let ran = clusterlab(&folder, &["conform", "kube", ".", "--json"], "");
    let last: serde_json::Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last, serde_json::json!({"type": "total", "passed": 0, "failed": 1}));
}

/// A row of a log: job, submit time, run time, processors and estimate.
fn swf_row([job, submit, run, processors, estimate]: [i64; 5]) -> String {
    format!("{job} {submit} -1 {run} {processors} -1 -1 {processors} {estimate}{}\n", " -1".repeat(9))
}

/// Three jobs on four processors: the second waits for all of them, the third fits in before it.
fn swf_log() -> String {
    "; MaxProcs: 4\n".to_owned()
        + &swf_row([1, 100, 100, 3, 100])
        + &swf_row([2, 101, 50, 4, 50])
        + &swf_row([3, 102, 60, 1, 90])
}

#[test]
fn replay_starts_each_job_of_a_log_and_compares_it_with_a_table() {
    let folder = folder(
        "replay",
        &[
            ("log.swf", &swf_log()),
            ("right.csv", "rank,job,start_fcfs,start_easy\n0,1,0,0\n1,2,100,100\n2,3,150,2\n"),
            ("wrong.csv", "rank,job,start\n0,1,0\n1,2,100\n2,3,3\n"),
        ],
    );
    let ran = clusterlab(&folder, &["replay", "swf", "log.swf", "--out", "a.csv", "--plot", "a.svg"], "");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.starts_with("log: 3 jobs on 4 processors, of 3 rows\n  dropped: none\n"),
        "{}",
        ran.stdout
    );
    let table = std::fs::read_to_string(folder.join("a.csv")).unwrap();
    assert_eq!(table, "rank,job,start\n0,1,0\n1,2,100\n2,3,2\n");
    let svg = std::fs::read_to_string(folder.join("a.svg")).unwrap();
    assert!(svg.contains("<title id=\"title\">log: 3 jobs on 4 processors</title>"), "{svg}");

    let against = ["replay", "swf", "log.swf", "--policy", "fcfs,easy", "--against"];
    let ran = clusterlab(&folder, &[&against[..], &["right.csv"]].concat(), "");
    assert_eq!((ran.code, ran.stdout.matches("all 3 starts are those of the table").count()), (0, 2));
    let ran = clusterlab(&folder, &["replay", "swf", "log.swf", "--against", "wrong.csv"], "");
    assert_eq!(ran.code, 1);
    let told = "  1 of 3 jobs differ from the table; the first: rank 2, job 3: starts at 2 instead of 3\n";
    assert!(ran.stdout.ends_with(told), "{}", ran.stdout);

    // Mean wait (0 + 99 + 0) / 3; 560 of 600 processor seconds.
    let ran = clusterlab(&folder, &["replay", "swf", "log.swf", "--json"], "");
    let last: serde_json::Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["policy"], &last["meanWait"], &last["makespan"]),
        (&"easy".into(), &33.0.into(), &150.into())
    );
    assert!((last["utilization"].as_f64().unwrap() - 560.0 / 600.0).abs() < 1e-12);
}

#[test]
fn replay_tells_rows_that_are_no_job_by_line_and_counts_what_it_drops() {
    let text = swf_log()
        + "4 103 7\n"
        + &swf_row([5, 90, 10, 1, 10])
        + &swf_row([6, -5, 10, 1, 10])
        + &swf_row([7, 104, -1, 1, 10])
        + &swf_row([8, 104, 10, 5, 10]).replace("-1 -1 5", "x -1 5");
    let folder = folder(
        "replay-bad",
        &[("log.swf", &text), ("empty.swf", "1 2 3\n"), ("none.swf", "; MaxProcs: 1\n1 2 3\n")],
    );
    let ran = clusterlab(&folder, &["replay", "swf", "log.swf"], "");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "warning: log: line 5: 3 fields, expected 18; the row is dropped\n\
         warning: log: line 9: field 6 (average CPU time): \"x\" is not a number; the row is dropped\n\
         warning: log: line 8: with a negative run time; the row is dropped\n\
         warning: log: line 7: with a negative submit time; the row is dropped\n\
         warning: log: line 6: submitted earlier than a row before it; the row is sorted in\n"
    );
    let told = "log: 4 jobs on 4 processors, of 8 rows\n  dropped: 2 not well formed, 1 with a negative run time, \
                1 with a negative submit time\n";
    assert!(ran.stdout.starts_with(told), "{}", ran.stdout);

    let check = |arguments: &[&str], expect: &str| {
        let ran = clusterlab(&folder, &[&["replay", "swf"], arguments].concat(), "");
        assert_eq!((ran.code, ran.stderr.as_str()), (2, expect));
    };
    check(
        &["empty.swf"],
        "error: cannot replay empty.swf (line 1: 3 fields, expected 18): the header has neither MaxProcs nor MaxNodes \
         with a number above 0\n",
    );
    check(
        &["none.swf"],
        "error: cannot replay none.swf (line 2: 3 fields, expected 18): none of the 1 rows is a job: 1 not well formed\n",
    );
    let ran = clusterlab(&folder, &["replay", "swf", "log.swf", "--policy", "slurm"], "");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with(told), "{}", ran.stdout);
}
