//! Commands that ask the controller, print, and end.

use super::{Follow, df, id};
use crate::process::Call;
use crate::slurm::cluster::host::JobHost;
use crate::slurm::commands::{self, CommandOutput, Session};
use crate::slurm::containers;

/// What became of a command.
pub(super) enum Answer {
    Printed(CommandOutput),
    /// It started something whose output is its own.
    Follow(Follow),
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
        let path = crate::process::files::resolve(&call.cwd, path);
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
        };
    }
    let words: Vec<String> = std::iter::once(name).chain(args).collect();
    let output =
        with_session(host, call, "", |controller, session| commands::run(controller, session, &words));
    host.cluster.changes += 1;
    Answer::Printed(output)
}
