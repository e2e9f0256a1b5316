//! What `srun` says of tasks that ended.

use crate::slurm::cluster::End;
use crate::slurm::model::SIG_OOM;

/// Ranks as `srun` lists them: `0-2,5`.
fn ranks(list: &[u32]) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for rank in list {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *rank => *last = *rank,
            _ => parts.push((*rank, *rank)),
        }
    }
    let text = |(first, last): &(u32, u32)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    parts.iter().map(text).collect::<Vec<_>>().join(",")
}

/// The name of a signal in the words of `strsignal(3)`.
pub(super) fn signal_name(signal: u8) -> String {
    let name = match signal {
        1 => "Hangup",
        2 => "Interrupt",
        3 => "Quit",
        4 => "Illegal instruction",
        6 => "Aborted",
        7 => "Bus error",
        8 => "Floating point exception",
        9 => "Killed",
        10 => "User defined signal 1",
        11 => "Segmentation fault",
        12 => "User defined signal 2",
        13 => "Broken pipe",
        14 => "Alarm clock",
        15 => "Terminated",
        24 => "CPU time limit exceeded",
        SIG_OOM => "Out Of Memory",
        other => return format!("Unknown signal {other}"),
    };
    name.to_owned()
}

/// The lines for tasks that ended since the last look: node, rank, end. Tasks of one node that ended alike share a line.
pub(super) fn lines(ended: &[(String, u32, End)]) -> Vec<String> {
    let mut groups: Vec<(&str, End, Vec<u32>)> = Vec::new();
    for (node, rank, end) in ended {
        if end.code == 0 && end.signal.is_none() {
            continue;
        }
        match groups.iter_mut().find(|(of, how, _)| of == node && how == end) {
            Some((_, _, ranks)) => ranks.push(*rank),
            None => groups.push((node, *end, vec![*rank])),
        }
    }
    let line = |(node, end, list): &(&str, End, Vec<u32>)| {
        let tasks = if list.len() == 1 { "task" } else { "tasks" };
        let how = match end.signal {
            Some(signal) => signal_name(signal),
            None => format!("Exited with exit code {}", end.code),
        };
        format!("srun: error: {node}: {tasks} {}: {how}\n", ranks(list))
    };
    groups.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_that_ended_alike_share_a_line() {
        let code = |code| End { code, signal: None };
        let ended = [
            ("g1".to_owned(), 0, code(1)),
            ("g1".to_owned(), 1, code(1)),
            ("g1".to_owned(), 3, code(1)),
            ("g2".to_owned(), 2, End { code: 137, signal: Some(9) }),
            ("g2".to_owned(), 4, code(0)),
        ];
        assert_eq!(
            lines(&ended),
            ["srun: error: g1: tasks 0-1,3: Exited with exit code 1\n", "srun: error: g2: task 2: Killed\n"]
        );
    }
}
