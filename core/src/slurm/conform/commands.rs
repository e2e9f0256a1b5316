//! Compares what `srun`, `salloc`, `enroot` and what they run printed.

use super::compare::Difference;
use super::recording::Show;
use super::{Answer, Recording};

/// Variables whose values are the recorded host's.
const OF_HOST: [&str; 7] = [
    "SLURM_CONF",
    "SLURM_PRIO_PROCESS",
    "SLURM_SRUN_COMM_PORT",
    "SLURM_STEP_LAUNCHER_PORT",
    "SLURM_SUBMIT_HOST",
    "SLURM_TASK_PID",
    "pid1",
];

/// Whether a command is compared here.
fn is_ours(show: &Show) -> bool {
    let name = show.cmd.first().map_or("", String::as_str);
    matches!(name, "srun" | "salloc" | "enroot" | "env" | "cat" | "sh" | "sattach" | "sbcast" | "strigger")
        || name == "sbatch" && show.cmd.iter().any(|arg| arg == "-W")
}

/// What of a command is left out: nothing, its texts, or all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeftOut {
    Nothing,
    Texts,
    All,
}

fn left_out(show: &Show) -> LeftOut {
    let has = |text: &str| show.cmd.iter().any(|arg| arg.contains(text));
    let in_container = has("--container-image") || has("--container-name");
    let fails_there =
        has("--container-unshare=net") || in_container && show.cmd.iter().any(|arg| arg == "-N2");
    if fails_there {
        return LeftOut::All;
    }
    let help = show.cmd.iter().any(|arg| matches!(arg.as_str(), "--help" | "help"))
        || show.out.starts_with("Usage: ");
    let of_kernel = has("/proc/") || has("/sys/") || has("ls -l") || has("df ");
    if help || of_kernel { LeftOut::Texts } else { LeftOut::Nothing }
}

/// Adds what differs.
pub(super) fn commands(recording: &Recording, here: &[Answer], found: &mut Vec<Difference>) {
    let nodes = node_names(recording);
    for (show, answer) in recording.shows.iter().zip(here).filter(|(show, _)| is_ours(show)) {
        let name = format!("show {:.2} {}", show.t, show.cmd.join(" "));
        let out = left_out(show);
        if out == LeftOut::All {
            continue;
        }
        let mut differ = |what: &str, recorded: &str, here: &str| {
            found.push(Difference {
                field: format!("{name}, {what}"),
                recorded: recorded.to_owned(),
                found: here.to_owned(),
            });
        };
        if show.rc != answer.code {
            differ("exit code", &show.rc.to_string(), &answer.code.to_string());
        }
        if out == LeftOut::Texts {
            continue;
        }
        let same = |recorded: &str, here: &str| {
            let (recorded, here) = (lines(recorded), lines(here));
            recorded == here || anywhere(&recorded, &nodes) == anywhere(&here, &nodes)
        };
        for (what, recorded, here) in
            [("stdout", &show.out, &answer.stdout), ("stderr", &show.err, &answer.stderr)]
        {
            if !same(recorded, here) {
                differ(what, recorded, here);
            }
        }
    }
}

fn node_names(recording: &Recording) -> Vec<String> {
    let lists = recording
        .slurm_conf
        .iter()
        .filter_map(|line| line.strip_prefix("NodeName=")?.split_whitespace().next());
    lists.flat_map(|list| crate::slurm::hostlist::expand(list).unwrap_or_default()).collect()
}

/// Lines without what is the recorded host's, in an order of their own.
fn lines(text: &str) -> Vec<String> {
    let statistics = text.lines().position(|line| line.starts_with("Creating 4.0 filesystem"));
    let mut lines: Vec<String> = text
        .trim_end()
        .lines()
        .take(statistics.map_or(usize::MAX, |at| at + 1))
        .filter(|line| !(line.starts_with("srun: job ") && line.contains("resources")))
        .map(|line| {
            let mut line = line.trim_end().to_owned();
            for name in OF_HOST {
                if let Some(at) = line.find(&format!("{name}=")) {
                    line.truncate(at + name.len());
                }
            }
            without_dialect(&without_pid(&line))
        })
        .collect();
    lines.sort();
    lines
}

/// What went wrong, without how a BusyBox, a bash or a GNU program words the line around it.
fn without_dialect(line: &str) -> String {
    let ours = ["srun", "salloc", "sbatch", "slurmstepd", "pyxis", "enroot", "[", "curl"];
    let whys = ["Read-only file system", "No such file or directory", "not found", "Permission denied"];
    let bare = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == ':');
    match whys.iter().find(|why| line.ends_with(*why)) {
        Some(why) if !ours.iter().any(|name| bare.starts_with(name)) => (*why).to_owned(),
        _ => line.to_owned(),
    }
}

/// `child 24890 failed` without the number.
fn without_pid(line: &str) -> String {
    match (line.split_once("pyxis: child "), line.split_once(" failed with")) {
        (Some((before, _)), Some((_, after))) => format!("{before}pyxis: child failed with{after}"),
        _ => line.to_owned(),
    }
}

/// The same lines with one name for all nodes.
fn anywhere(lines: &[String], nodes: &[String]) -> Vec<String> {
    let word = |word: &str| {
        let bare = word.trim_end_matches([':', ',']);
        let tail = &word[bare.len()..];
        let (head, name) = bare.rsplit_once(['-', '=', '"']).map_or(("", bare), |(head, name)| (head, name));
        if nodes.iter().any(|node| node == name) { format!("{head} NODE{tail}") } else { word.to_owned() }
    };
    let mut lines: Vec<String> =
        lines.iter().map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_recorded_hosts_does_not_count() {
        let nodes = ["g1".to_owned(), "g2".to_owned()];
        let check = |recorded: &str, here: &str, same: bool| {
            let (recorded, here) = (anywhere(&lines(recorded), &nodes), anywhere(&lines(here), &nodes));
            assert_eq!(recorded == here, same, "{recorded:?} {here:?}");
        };
        check("srun: error: g1: task 0: Killed\n", "srun: error: g2: task 0: Killed\n", true);
        check("srun: error: g1: task 0: Killed\n", "srun: error: g2: task 1: Killed\n", false);
        check("b\na\n", "a\nb\n", true);
        check(
            "slurmstepd-g2: error: pyxis: child 24 failed with error code: 1",
            "slurmstepd-g1: error: pyxis: child 7 failed with error code: 1\n",
            true,
        );
        check("SLURM_TASK_PID=17\nSLURM_NTASKS=1", "SLURM_TASK_PID=18\nSLURM_NTASKS=1", true);
        check("SLURM_NTASKS=2", "SLURM_NTASKS=1", false);
    }
}
