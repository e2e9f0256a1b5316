//! `id` and `whoami`: who a process is, also in a user namespace.

use crate::slurm::cluster::host::JobHost;
use crate::slurm::commands::CommandOutput;

/// Runs `id` or `whoami` with these arguments.
pub(super) fn run(host: &JobHost<'_>, name: &str, args: &[String]) -> CommandOutput {
    let root = host.uid == 0 || host.inside().is_some_and(|view| view.root);
    let user = host.cluster.controller.users.by_uid(host.uid);
    let (uid, gid) = if root { (0, 0) } else { (host.uid, user.map_or(host.uid, |user| user.gid)) };
    let user_name =
        if root { "root".to_owned() } else { user.map_or(host.uid.to_string(), |user| user.name.clone()) };
    let group = if root {
        "root".to_owned()
    } else {
        user.and_then(|user| user.groups.first().cloned()).unwrap_or_else(|| gid.to_string())
    };
    if name == "whoami" {
        return CommandOutput::text(format!("{user_name}\n"));
    }
    // Enroot's own start maps one user and no supplementary group (recorded in pyxis_enroot).
    let groups = host.inside().is_none_or(|view| view.groups);
    let text = match args.first().map(String::as_str) {
        None if groups => format!("uid={uid}({user_name}) gid={gid}({group}) groups={gid}({group})"),
        None => format!("uid={uid}({user_name}) gid={gid}({group})"),
        Some("-u") => uid.to_string(),
        Some("-g" | "-G") => gid.to_string(),
        Some("-un" | "-nu") => user_name,
        Some("-gn" | "-ng" | "-Gn" | "-nG") => group,
        Some(other) if other.starts_with('-') => {
            return CommandOutput::error(format!("id: not modelled: {other}\n"));
        }
        Some(other) => match host.cluster.controller.users.by_name(other) {
            Some(user) => {
                let group = user.groups.first().map_or("", String::as_str);
                format!("uid={0}({other}) gid={1}({group}) groups={1}({group})", user.uid, user.gid)
            }
            None => return CommandOutput::error(format!("id: '{other}': no such user\n")),
        },
    };
    CommandOutput::text(format!("{text}\n"))
}
