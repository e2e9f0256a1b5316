//! Commands of a recording that run, some for a while.

use super::{Answer, world};
use crate::process::{Call, Stream};
use crate::sim::SimTime;
use crate::slurm::cluster::{ProcId, SlurmCluster};

/// The recorder killed what ran longer, and noted this code.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
const OUT_OF_PATIENCE: i64 = 124;

/// Whose answer it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A submission's, by its name.
    Submit(String),
    /// That of another command, by its number.
    Show(usize),
}

/// A command that has not ended.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) whose: Whose,
    id: ProcId,
    since: SimTime,
    pub(super) background: bool,
    answer: Answer,
}

/// Starts a command of a user.
pub(super) fn start(
    cluster: &mut SlurmCluster,
    whose: Whose,
    user: &str,
    argv: &[String],
    conf: &str,
    background: bool,
) -> Result<Running, (Whose, Answer)> {
    let uid = cluster.controller.users.by_name(user).map_or(0, |user| user.uid);
    let call = Call { argv: argv.to_vec(), env: world::environment(user, conf), cwd: "/tmp".into(), pid: 0 };
    match cluster.start_command(call, uid, false) {
        Ok(id) => {
            cluster.close_input(id);
            let answer = Answer { code: 0, stdout: String::new(), stderr: String::new() };
            Ok(Running { whose, id, since: cluster.now(), background, answer })
        }
        Err(error) => Err((whose, Answer { code: 127, stdout: String::new(), stderr: error.to_string() })),
    }
}

/// Takes what commands printed; answers those that are over.
pub(super) fn poll(cluster: &mut SlurmCluster, running: &mut Vec<Running>) -> Vec<(Whose, Answer)> {
    let mut over = Vec::new();
    let now = cluster.now();
    running.retain_mut(|command| {
        let late = now.since(command.since) >= PATIENCE;
        for (stream, bytes) in cluster.take_output(command.id) {
            let text = String::from_utf8_lossy(&bytes);
            match stream {
                Stream::Stdout => command.answer.stdout.push_str(&text),
                Stream::Stderr => command.answer.stderr.push_str(&text),
            }
        }
        let code = match cluster.end_of(command.id) {
            Some(end) => i64::from(end.code),
            None if late => OUT_OF_PATIENCE,
            None => return true,
        };
        cluster.forget(command.id);
        command.answer.code = code;
        over.push((command.whose.clone(), command.answer.clone()));
        false
    });
    over
}
