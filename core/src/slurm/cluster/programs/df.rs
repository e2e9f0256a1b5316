//! `df`: the file systems that a process sees, in blocks of 1 KiB.

use crate::process::files::resolve;
use crate::process::{Call, Host as _};
use crate::slurm::cluster::host::JobHost;
use crate::slurm::commands::CommandOutput;

/// Runs `df [PATH]…`.
pub(super) fn run(host: &mut JobHost<'_>, call: &Call) -> CommandOutput {
    let mut output =
        CommandOutput::text("Filesystem           1K-blocks      Used Available Use% Mounted on\n");
    let operands: Vec<String> = call.argv[1..].to_vec();
    if let Some(option) = operands.iter().find(|operand| operand.starts_with('-')) {
        return CommandOutput::error(format!("df: not modelled: {option}\n"));
    }
    let paths = if operands.is_empty() { vec!["/".to_owned()] } else { operands };
    for path in paths {
        let full = resolve(&call.cwd, &path);
        if !host.files().exists(&full) {
            output.stderr.push_str(&format!("df: {path}: No such file or directory\n"));
            output.code = 1;
            continue;
        }
        let bind = host.inside().and_then(|view| {
            let below = |target: &str| full == target || full.starts_with(&format!("{target}/"));
            view.binds
                .iter()
                .filter(|bind| bind.source.is_none() && below(&bind.target))
                .max_by_key(|b| b.target.len())
        });
        let (name, target, files) = match bind {
            Some(bind) => ("tmpfs", bind.target.clone(), host.files().mounted(&bind.target).cloned()),
            None => ("/dev/vda", "/".to_owned(), None),
        };
        let (all, used) = match &files {
            Some(files) => (files.limit(), files.used()),
            None => (host.cluster.files.limit(), host.cluster.files.used()),
        };
        let (all, used) = (all / 1024, used.div_ceil(1024));
        let percent = (used * 100).div_ceil(all.max(1));
        output.stdout.push_str(&format!(
            "{name:<20} {all:>9} {used:>9} {:>9} {percent:>3}% {target}\n",
            all.saturating_sub(used)
        ));
    }
    output
}
