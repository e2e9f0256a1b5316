//! `sinfo`: partitions and nodes.

mod fields;

use super::format::{self, Format};
use super::getopt::{self, Opt, Takes, opt};
use super::{CommandOutput, Session};
use crate::slurm::controller::{Controller, NodeStateText};
use crate::slurm::model::{Node, NodeBase, NodeFlags, NodeIdx};
use crate::slurm::units::{clock, stamp};
use fields::{Row, View};

const TABLE: &[Opt] = &[
    opt("all", Some('a'), Takes::Nothing),
    opt("cluster", None, Takes::Value),
    opt("clusters", Some('M'), Takes::Value),
    opt("dead", Some('d'), Takes::Nothing),
    opt("exact", Some('e'), Takes::Nothing),
    opt("federation", None, Takes::Nothing),
    opt("future", Some('F'), Takes::Nothing),
    opt("Format", Some('O'), Takes::Value),
    opt("format", Some('o'), Takes::Value),
    opt("help", None, Takes::Nothing),
    opt("hide", None, Takes::Nothing),
    opt("iterate", Some('i'), Takes::Value),
    opt("json", None, Takes::Nothing),
    opt("list-reasons", Some('R'), Takes::Nothing),
    opt("local", None, Takes::Nothing),
    opt("long", Some('l'), Takes::Nothing),
    opt("Node", Some('N'), Takes::Nothing),
    opt("noconvert", None, Takes::Nothing),
    opt("nodes", Some('n'), Takes::Value),
    opt("noheader", Some('h'), Takes::Nothing),
    opt("partition", Some('p'), Takes::Value),
    opt("reservation", Some('T'), Takes::Nothing),
    opt("responding", Some('r'), Takes::Nothing),
    opt("sort", Some('S'), Takes::Value),
    opt("states", Some('t'), Takes::Value),
    opt("summarize", Some('s'), Takes::Nothing),
    opt("usage", None, Takes::Nothing),
    opt("verbose", Some('v'), Takes::Nothing),
    opt("version", Some('V'), Takes::Nothing),
    opt("yaml", None, Takes::Nothing),
];

/// Options of the real command that have no meaning here yet.
const NOT_MODELLED: [&str; 6] = ["clusters", "cluster", "iterate", "json", "yaml", "help"];

/// The message's own list, odd entries included (recorded in bad_inputs).
const STATES: &str = "unknown,down,idle,allocated,?,mixed,future,drain,drained,draining,no_respond,reserved,perfctrs,cloud,completing,\
                      powering_down,powered_down,power_down,powering_up,fail,maint,reboot,reboot^,unknown";

/// Runs `sinfo` with these arguments (without the name itself).
pub fn sinfo(controller: &Controller, session: &Session<'_>, args: &[String]) -> CommandOutput {
    let parsed = match getopt::parse("sinfo", TABLE, args, true) {
        Ok(parsed) => parsed,
        Err(message) => {
            return CommandOutput::error(format!("{message}\nTry \"sinfo --help\" for more information\n"));
        }
    };
    let value = |name: &str| {
        parsed.options.iter().rev().find(|given| given.name == name).and_then(|given| given.value.clone())
    };
    let flag = |name: &str| parsed.options.iter().any(|given| given.name == name);
    let or_env =
        |name: &str, variable: &str| value(name).or_else(|| session.variable(variable).map(str::to_owned));
    if flag("version") {
        return CommandOutput::text("slurm-wlm 22.05.8\n");
    }
    if let Some(output) = super::no_contact(controller, "slurm_load_partitions") {
        return output;
    }
    if let Some(name) = NOT_MODELLED
        .iter()
        .find(|name| flag(name) && value(name).as_deref() != Some(controller.params.cluster.as_str()))
    {
        return CommandOutput::error(format!("sinfo: not modelled: --{name}\n"));
    }
    let header = !flag("noheader");
    if flag("reservation") {
        return CommandOutput::text(reservations(controller, header));
    }
    let states = controller.node_states();
    let view = View { controller, states: &states };
    let (by_node, reasons, long, summary) =
        (flag("Node"), flag("list-reasons"), flag("long"), flag("summarize"));
    let wanted_states = match value("states").map(|list| state_filter(&list)).transpose() {
        Ok(wanted) => wanted,
        Err(word) => {
            let valid =
                format!("sinfo: error: Bad state string: \"{word}\"\nsinfo: error: valid states: {STATES}\n");
            return CommandOutput::error(valid);
        }
    };
    let wanted_nodes = value("nodes").map(|list| {
        let names = crate::slurm::hostlist::expand(&list).unwrap_or_default();
        names.iter().filter_map(|name| controller.node(name)).collect::<Vec<_>>()
    });
    let wanted_partitions = or_env("partition", "SINFO_PARTITION").map(|list| format::words(&list));
    let mut output = CommandOutput::default();
    let mut format = chosen_format(session, &value, &flag);
    let mut columns = Vec::new();
    format.columns.retain(|column| match fields::known(&column.key) {
        Some(known) => {
            columns.push(known);
            true
        }
        None => {
            output
                .stderr
                .push_str(&format!("sinfo: error: Invalid node format specification: {}\n", column.key));
            false
        }
    });
    let takes = |at: NodeIdx| {
        let node = &controller.nodes[at];
        let state = &states[at];
        (node.base != NodeBase::Future || flag("future"))
            && wanted_nodes.as_ref().is_none_or(|nodes| nodes.contains(&at))
            && wanted_states
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|wanted| wanted.matches(node, state)))
            && (!reasons || has_reason(node))
            && (!flag("dead") || node.flags.has(NodeFlags::NO_RESPOND))
            && (!flag("responding") || !node.flags.has(NodeFlags::NO_RESPOND))
    };
    let shown = |at: usize| {
        let part = &controller.partitions[at];
        (flag("all") || session.variable("SINFO_ALL").is_some() || !part.hidden)
            && wanted_partitions.as_ref().is_none_or(|wanted| wanted.contains(&part.name))
    };
    let partitions: Vec<usize> = (0..controller.partitions.len()).filter(|at| shown(*at)).collect();
    let letters: Vec<char> = columns.iter().map(|(letter, _)| *letter).collect();
    let mut rows = rows(&view, &partitions, &letters, &takes, &flag);
    let default_sort = if by_node { "N" } else { "#P,-t" };
    sort(&view, &mut rows, &or_env("sort", "SINFO_SORT").unwrap_or_else(|| default_sort.to_owned()));
    if long && !summary {
        output.stdout.push_str(&format::date_line(controller.time()));
        output.stdout.push('\n');
    }
    let mut lines: Vec<Vec<String>> = Vec::new();
    if header {
        lines.push(columns.iter().map(|(_, title)| (*title).to_owned()).collect());
    }
    lines.extend(rows.iter().map(|row| letters.iter().map(|letter| view.value(row, *letter)).collect()));
    output.stdout.push_str(&format.lines(&lines));
    output
}

#[allow(clippy::fn_params_excessive_bools, reason = "each is an option of the command line")]
fn chosen_format(
    session: &Session<'_>,
    value: &dyn Fn(&str) -> Option<String>,
    flag: &dyn Fn(&str) -> bool,
) -> Format {
    if let Some(names) = value("Format") {
        return Format::names(&names);
    }
    if let Some(text) = value("format") {
        return if text == "%all" { Format::letters(&fields::all()) } else { Format::letters(&text) };
    }
    let text = match (flag("summarize"), flag("Node"), flag("list-reasons"), flag("long")) {
        (true, ..) => "%#P %.5a %.10l %.16F %N",
        (_, true, _, true) => "%#N %.6D %.#P %.11T %4c %.8z %.6m %.8d %.6w %.8f %20E",
        (_, true, _, false) => "%#N %.6D %.#P %6t",
        (_, _, true, true) => "%20E %12U %19H %6t %N",
        (_, _, true, false) => "%20E %9u %19H %N",
        (.., true) => "%#P %.5a %.10l %.10s %.4r %.8h %.10g %.6D %.11T %N",
        _ => match (session.variable("SINFO_FORMAT"), session.variable("SINFO_FORMAT2")) {
            (Some(text), _) => return Format::letters(text),
            (None, Some(names)) => return Format::names(names),
            (None, None) => "%#P %.5a %.10l %.6D %.6t %N",
        },
    };
    Format::letters(text)
}

/// Nodes that `-R` lists: those out of use, or about to be.
fn has_reason(node: &Node) -> bool {
    node.base == NodeBase::Down || node.flags.has(NodeFlags::DRAIN) || node.flags.has(NodeFlags::FAIL)
}

/// Puts nodes together that look alike in what is shown.
fn rows(
    view: &View<'_>,
    partitions: &[usize],
    letters: &[char],
    takes: &dyn Fn(NodeIdx) -> bool,
    flag: &dyn Fn(&str) -> bool,
) -> Vec<Row> {
    let (by_node, empty, exact) = (flag("Node"), !flag("list-reasons"), flag("exact"));
    // Two nodes that differ only in a list of names (%N) are one row.
    let apart = |letter: &char| {
        fields::TELLS_NODES_APART.contains(*letter) && *letter != 'N'
            || (exact && fields::EXACT.contains(*letter))
    };
    let mut made: Vec<(Vec<String>, Row)> = Vec::new();
    for partition in partitions {
        let Some(part) = view.controller.partitions.get(*partition) else { continue };
        let whole = Row { partition: *partition, nodes: Vec::new() };
        let of_partition: Vec<String> = letters
            .iter()
            .filter(|letter| fields::TELLS_PARTITIONS_APART.contains(**letter))
            .map(|letter| view.value(&whole, *letter))
            .collect();
        let mut any = false;
        for at in part.nodes.iter().filter(|at| *at < view.controller.nodes.len() && takes(*at)) {
            any = true;
            let one = Row { partition: *partition, nodes: vec![at] };
            let mut key = of_partition.clone();
            key.extend(letters.iter().filter(|letter| apart(letter)).map(|letter| view.value(&one, *letter)));
            if by_node {
                key.push(view.controller.nodes[at].name.clone());
            }
            match made.iter_mut().find(|(other, _)| *other == key) {
                Some((_, row)) if row.nodes.contains(&at) => {}
                Some((_, row)) => row.nodes.push(at),
                None => made.push((key, one)),
            }
        }
        // A partition without any node to show has a row of its own (recorded: `sinfo -n n99`).
        if !any && empty && !by_node {
            made.push((of_partition, whole));
        }
    }
    made.into_iter().map(|(_, row)| row).collect()
}

/// Sorts rows by keys such as `#P,-t`; `#P` is the order of the configuration.
fn sort(view: &View<'_>, rows: &mut [Row], keys: &str) {
    let order =
        |row: &Row| row.nodes.first().and_then(|at| view.states.get(*at)).map_or(0, |state| state.order);
    for key in keys.split(',').rev() {
        let (reverse, key) = match key.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, key.trim_start_matches('+')),
        };
        rows.sort_by(|a, b| {
            let ordering = match key {
                "#P" => a.partition.cmp(&b.partition),
                "t" | "T" => order(a).cmp(&order(b)),
                "N" | "n" => format::natural(&view.value(a, 'N')).cmp(&format::natural(&view.value(b, 'N'))),
                _ => match key.chars().next().and_then(|letter| fields::known(&letter.to_string())) {
                    None => std::cmp::Ordering::Equal,
                    Some((letter, _)) => {
                        let (a, b) = (view.value(a, letter), view.value(b, letter));
                        let number = |text: &str| text.trim_end_matches('+').parse::<u64>().ok();
                        match (number(&a), number(&b)) {
                            (Some(a), Some(b)) => a.cmp(&b),
                            _ => a.cmp(&b),
                        }
                    }
                },
            };
            if reverse { ordering.reverse() } else { ordering }
        });
    }
}

/// A state asked for with `-t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Base(&'static str),
    Flag(NodeFlags),
    Drained,
    Draining,
    Completing,
}

impl Wanted {
    fn matches(self, node: &Node, state: &NodeStateText) -> bool {
        match self {
            Self::Base(base) => {
                state.flags.split('+').next() == Some(base)
                    && (base == "DOWN" || !node.flags.has(NodeFlags::DRAIN))
            }
            Self::Flag(flag) => node.flags.has(flag),
            Self::Drained => node.flags.has(NodeFlags::DRAIN) && !state.allocated,
            Self::Draining => node.flags.has(NodeFlags::DRAIN) && state.allocated,
            Self::Completing => state.flags.contains("+COMPLETING"),
        }
    }
}

fn state_filter(list: &str) -> Result<Vec<Wanted>, String> {
    if list.eq_ignore_ascii_case("all") {
        let bases = ["UNKNOWN", "DOWN", "IDLE", "ALLOCATED", "MIXED", "FUTURE"].map(Wanted::Base);
        return Ok(bases.into_iter().chain([Wanted::Flag(NodeFlags::DRAIN)]).collect());
    }
    let one = |word: &String| {
        Ok(match word.to_ascii_lowercase().as_str() {
            "unknown" | "unk" => Wanted::Base("UNKNOWN"),
            "down" => Wanted::Base("DOWN"),
            "idle" => Wanted::Base("IDLE"),
            "alloc" | "allocated" => Wanted::Base("ALLOCATED"),
            "mix" | "mixed" => Wanted::Base("MIXED"),
            "future" | "futr" => Wanted::Base("FUTURE"),
            "drain" => Wanted::Flag(NodeFlags::DRAIN),
            "drained" => Wanted::Drained,
            "draining" | "drng" => Wanted::Draining,
            "comp" | "completing" => Wanted::Completing,
            "no_respond" => Wanted::Flag(NodeFlags::NO_RESPOND),
            "resv" | "reserved" => Wanted::Flag(NodeFlags::RESERVED),
            "fail" => Wanted::Flag(NodeFlags::FAIL),
            "maint" => Wanted::Flag(NodeFlags::MAINT),
            "planned" | "plnd" => Wanted::Flag(NodeFlags::PLANNED),
            "reboot" | "reboot_requested" => Wanted::Flag(NodeFlags::REBOOT_REQUESTED),
            "reboot^" | "reboot_issued" => Wanted::Flag(NodeFlags::REBOOT_ISSUED),
            "power_down" => Wanted::Flag(NodeFlags::POWER_DOWN),
            "powered_down" => Wanted::Flag(NodeFlags::POWERED_DOWN),
            "powering_down" => Wanted::Flag(NodeFlags::POWERING_DOWN),
            "powering_up" => Wanted::Flag(NodeFlags::POWERING_UP),
            _ => return Err(word.clone()),
        })
    };
    format::words(list).iter().map(one).collect()
}

/// `sinfo -T`.
fn reservations(controller: &Controller, header: bool) -> String {
    if controller.reservations.is_empty() {
        return "No reservations in the system\n".into();
    }
    let width = controller.reservations.iter().map(|resv| resv.name.chars().count()).fold(9, usize::max);
    let now = controller.time();
    let mut out = String::new();
    if header {
        out = format!(
            "{:<width$}  {:>8}  {:>19}  {:>19}  {:>11}  NODELIST\n",
            "RESV_NAME", "STATE", "START_TIME", "END_TIME", "DURATION"
        );
    }
    for resv in &controller.reservations {
        let state = if resv.is_active(now) { "ACTIVE" } else { "INACTIVE" };
        let (start, end) = (stamp(resv.start), stamp(resv.end));
        let duration = clock(resv.end - resv.start);
        let nodes = controller.names_of(&resv.nodes);
        out.push_str(&format!(
            "{:<width$}  {state:>8}  {start:>19}  {end:>19}  {duration:>11}  {nodes}\n",
            resv.name
        ));
    }
    out
}
