//! Commands that ask the controller, print, and end.

use super::{Follow, df, id};
use crate::process::Call;
use crate::process::files::{FileError, resolve};
use crate::slurm::cluster::host::JobHost;
use crate::slurm::commands::{self, CommandOutput, Session, Writes};
use crate::slurm::containers;

/// What became of a command.
pub(super) enum Answer {
    Printed(CommandOutput),
    /// It started something whose output is its own.
    Follow(Follow),
    /// It takes its time.
    Work(Box<containers::Work>),
}

/// Lends `work` the session of the one who runs a program, and the controller.
pub(super) fn with_session<T>(
    host: &mut JobHost<'_>,
    call: &Call,
    stdin: &str,
    work: impl FnOnce(&mut crate::slurm::controller::Controller, &Session<'_>) -> T,
) -> T {
    let files = host.cluster.files.clone();
    let read = |path: &str| {
        let path = resolve(&call.cwd, path);
        files.read(&path).ok().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let gid = host.cluster.controller.users.by_uid(host.uid).map_or(host.uid, |user| user.gid);
    let session = Session {
        uid: host.uid,
        gid,
        env: &call.env,
        cwd: &call.cwd,
        host: &host.hostname.clone(),
        sid: host.cluster.session_id,
        stdin,
        read_file: &read,
    };
    work(&mut host.cluster.controller, &session)
}

pub(super) fn run(host: &mut JobHost<'_>, call: &Call) -> Answer {
    let name = call.argv[0].rsplit('/').next().unwrap_or_default().to_owned();
    let args = call.argv[1..].to_vec();
    if matches!(name.as_str(), "id" | "whoami") {
        return Answer::Printed(id::run(host, &name, &args));
    }
    if name == "df" {
        return Answer::Printed(df::run(host, call));
    }
    if name == "enroot" {
        return match containers::enroot(host, call) {
            containers::Outcome::Printed(output) => Answer::Printed(output),
            containers::Outcome::Started(child) => Answer::Follow(Follow::new(child)),
            containers::Outcome::Working(work) => Answer::Work(work),
        };
    }
    let words: Vec<String> = std::iter::once(name).chain(args).collect();
    let mut output =
        with_session(host, call, "", |controller, session| commands::run(controller, session, &words));
    if let Some(writes) = output.writes.take()
        && let Err(why) = write(host, call, &writes)
    {
        output = CommandOutput::error(format!("{}: error: {why}\n", words[0]));
    }
    host.cluster.changes += 1;
    Answer::Printed(output)
}

fn write(host: &mut JobHost<'_>, call: &Call, writes: &Writes) -> Result<(), FileError> {
    let now = host.cluster.now();
    let files = &mut host.cluster.files;
    match writes {
        Writes::Text(to, text) => files.write(&resolve(&call.cwd, to), text.as_bytes(), now),
        Writes::Copy(from, to) => files.copy(&resolve(&call.cwd, from), &resolve(&call.cwd, to), now),
    }
}
