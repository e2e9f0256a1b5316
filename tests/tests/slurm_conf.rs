//! The page "slurm.conf" is made from the tables by which the file is read.
//!
//! This test makes the page and compares. With `CLUSTERLAB_UPDATE=1` in the environment it writes the page instead; then
//! bring the translation up to date (`cargo run -p xtask-site -- messages --root .`).

use std::fmt::Write as _;

use clusterlab::slurm::config::{
    CGROUP, DOWN_NODES, GRES, NODE, NODE_SET, OPTIONS, PARAMETERS, PARTITION, Parameter, Role, SWITCH, Unit,
    ValueKind,
};
use clusterlab::slurm::controller::NEEDS_RESTART;

#[test]
fn the_page_of_slurm_conf_is_that_of_the_tables() {
    clusterlab_tests::assert_page(&page(), "reference/slurm-conf.md", "slurm_conf");
}

const HEAD: &str = "\
# slurm.conf

This page is made from the tables by which the engine reads `slurm.conf`, `gres.conf`, `topology.conf` and `cgroup.conf`. Names, defaults
and units are those of Slurm 22.05. `scontrol show config` prints all parameters, those below and those that have no effect here.

## How the files are read

A `#` begins a comment unless a backslash stands before it, a backslash at the end of a line joins it with the next one, values
with blanks stand in double quotes, and keys may be written in either case. `Include NAME` reads another file, from the
directory of the one that names it; `%c` in the name is the cluster's name. Lines `NodeName=DEFAULT` and
`PartitionName=DEFAULT` hold for the lines below them. Numbers may be `UNLIMITED`, and `k` is times 1024.

Everything that is wrong is said at once, with file, line and column, and in the words of slurmctld. A parameter that the real
Slurm would honour and this engine does not is reported when it is not the default: `not modelled: Prolog (slurm.conf line 12)`.

After a change of the file, `scontrol reconfigure` takes it over while jobs run. A parameter marked *restart* keeps its
value until slurmctld is started again.

## Parameters
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    table(&mut page, PARAMETERS);
    options(&mut page, "SchedulerParameters");
    options(&mut page, "SelectTypeParameters");
    options(&mut page, "PriorityFlags");
    for (title, rows) in [
        ("Lines NodeName", NODE),
        ("Lines PartitionName", PARTITION),
        ("Lines NodeSet", NODE_SET),
        ("Lines DownNodes", DOWN_NODES),
        ("gres.conf", GRES),
        ("topology.conf", SWITCH),
        ("cgroup.conf", CGROUP),
    ] {
        let _ = write!(page, "\n## {title}\n");
        table(&mut page, rows);
    }
    page += "\n## What is reported as not modelled\n\n";
    let names: Vec<String> = PARAMETERS
        .iter()
        .filter(|row| row.role == Role::NotModelled)
        .map(|row| format!("`{}`", row.name))
        .collect();
    let _ = writeln!(page, "{}", names.join(", "));
    page
}

fn table(page: &mut String, rows: &[Parameter]) {
    *page += "\n| Parameter | Default | Range | What it does |\n| --- | --- | --- | --- |\n";
    for row in rows {
        let Role::Honoured { range, about } = row.role else { continue };
        let unit = match (row.unit, row.kind) {
            (Unit::None | Unit::NodesPerMinute | Unit::Percent, _) => "",
            (Unit::Seconds, _) => " s",
            (Unit::Minutes, _) => " min",
            (Unit::Microseconds, _) => " µs",
            (Unit::Mebibytes, _) => " MiB",
        };
        let default = match row.default.trim_start_matches("(null)") {
            "" => String::new(),
            text if row.kind == ValueKind::Text => format!("`{text}`"),
            text => format!("`{text}{unit}`"),
        };
        let restart = if NEEDS_RESTART.contains(&row.name) { " *restart*" } else { "" };
        let _ =
            writeln!(page, "| `{}`{restart} | {default} | `{range}`{} | {about} |", row.name, unit_of(unit));
    }
}

fn unit_of(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" `{}`", unit.trim()) }
}

fn options(page: &mut String, parameter: &str) {
    let _ = write!(
        page,
        "\n## {parameter}\n\n| Word | Default | Range | What it does |\n| --- | --- | --- | --- |\n"
    );
    for row in OPTIONS.iter().filter(|row| row.parameter == parameter) {
        let Role::Honoured { about, .. } = row.role else { continue };
        let (default, range) = match row.range {
            Some((low, high)) => (format!("`{}`", row.default), format!("`{low}-{high}`")),
            None => (String::new(), String::new()),
        };
        let _ = writeln!(page, "| `{}` | {default} | {range} | {about} |", row.word);
    }
    let rest: Vec<String> = OPTIONS
        .iter()
        .filter(|row| row.parameter == parameter && row.role == Role::NotModelled)
        .map(|row| format!("`{}`", row.word))
        .collect();
    if !rest.is_empty() {
        let _ = write!(page, "\nNot modelled: {}\n", rest.join(", "));
    }
}
