//! `torchrun`: one rank per GPU of this container.

use super::super::{ContainerProgram, Printed, python};
use super::{DIRECTIVE, directive, start, visible};
use crate::process::Call;
use crate::process::container::ContainerHost;

/// `torchrun [OPTIONS] SCRIPT [ARGS]`: how many ranks, and what each runs.
pub(in super::super) fn torchrun(call: &Call, args: &[String], host: &ContainerHost<'_>) -> ContainerProgram {
    const USAGE: &str = "usage: torchrun [-h] [--nnodes NNODES] [--nproc-per-node NPROC_PER_NODE] [--standalone] \
                         [--max-restarts MAX_RESTARTS] training_script ...\n";
    let visible = visible(host, call.env.get("CUDA_VISIBLE_DEVICES").map(String::as_str)).len();
    let mut ranks = 1;
    let mut rest = args.iter();
    let script = loop {
        let Some(arg) = rest.next() else {
            let problem = "torchrun: error: the following arguments are required: training_script, training_script_args\n";
            return Printed::error(2, format!("{USAGE}{problem}")).into();
        };
        if !arg.starts_with("--") {
            break arg;
        }
        let (name, attached) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (arg.as_str(), None),
        };
        let name = name.replace('_', "-");
        if name == "--standalone" {
            continue;
        }
        let Some(value) = attached.or_else(|| rest.next().map(String::as_str)) else {
            return Printed::error(
                2,
                format!("{USAGE}torchrun: error: argument {name}: expected one argument\n"),
            )
            .into();
        };
        match (name.as_str(), value) {
            ("--nproc-per-node", "gpu" | "auto") => ranks = visible.max(1),
            ("--nproc-per-node", count) => match count.parse() {
                Ok(count @ 1..=1024) => ranks = count,
                _ => {
                    return Printed::error(
                        1,
                        format!("ValueError: Unsupported nproc_per_node value: {count}\n"),
                    )
                    .into();
                }
            },
            ("--nnodes", "1" | "1:1") | ("--max-restarts" | "--node-rank" | "--log-dir" | "--rdzv-id", _) => {
            }
            ("--nnodes" | "--rdzv-backend" | "--rdzv-endpoint" | "--master-addr" | "--master-port", _) => {
                return Printed::error(
                    1,
                    format!("not modelled: torchrun {name} (training over several nodes)\n"),
                )
                .into();
            }
            _ => {
                return Printed::error(2, format!("{USAGE}torchrun: error: unrecognized arguments: {arg}\n"))
                    .into();
            }
        }
    };
    let rest: Vec<String> = rest.cloned().collect();
    match python::load(host, &call.cwd, script) {
        Ok(source) => match directive(&source) {
            Some(defaults) => start(script, &defaults, &rest, call, host, Some(ranks)),
            None => {
                Printed::error(1, format!("not modelled: torchrun of a script without \"{DIRECTIVE}\"\n"))
                    .into()
            }
        },
        Err(path) => Printed::error(
            2,
            format!("/usr/bin/python3: can't open file '{path}': [Errno 2] No such file or directory\n"),
        )
        .into(),
    }
}
