//! The command line of `nvidia-smi`, with the messages of the real one.
//!
//! The real program has three parsers: one for subcommands (`topo`, `mig`,
//! ...), one for `--query-*`, and one for everything else; each words its
//! complaints a little differently, and so do we.

use std::time::Duration;

use super::Answer;
use super::query::{Kind, Query};

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Summary,
    Help,
    HelpQuery(Kind),
    Version,
    List,
    Query(Query),
    /// `-q`, with the sections of `-d`; none means all.
    Detail(Vec<String>),
    Topology,
    NvLinkStatus,
    MigProfiles,
    MigPlacements,
    MigInstances,
}

/// A parsed command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub command: Command,
    /// The GPUs of `-i`.
    pub ids: Option<Vec<String>>,
    /// The interval of `-l`.
    pub every: Option<Duration>,
}

/// An option as it was typed, its meaning, and its value if it takes one.
struct Given<'a> {
    typed: &'a str,
    option: Opt,
    value: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Opt {
    Help,
    Version,
    List,
    Query,
    Display,
    Id,
    Loop,
    LoopMs,
    Format,
    Select(Kind),
    HelpSelect(Kind),
    /// A real option that is not modelled.
    Other,
}

/// Names and whether a value follows (`Some(false)`: it may).
const TABLE: &[(&[&str], Opt, Option<bool>)] = &[
    (&["-h", "--help"], Opt::Help, None),
    (&["--version"], Opt::Version, None),
    (&["-L", "--list-gpus"], Opt::List, None),
    (&["-q", "--query"], Opt::Query, None),
    (&["-d", "--display"], Opt::Display, Some(true)),
    (&["-i", "--id"], Opt::Id, Some(true)),
    (&["-l", "--loop"], Opt::Loop, Some(false)),
    (&["-lms", "--loop-ms"], Opt::LoopMs, Some(true)),
    (&["--format"], Opt::Format, Some(true)),
    (&["--query-gpu"], Opt::Select(Kind::Gpu), Some(true)),
    (&["--query-compute-apps"], Opt::Select(Kind::ComputeApps), Some(true)),
    (&["--help-query-gpu"], Opt::HelpSelect(Kind::Gpu), None),
    (&["--help-query-compute-apps"], Opt::HelpSelect(Kind::ComputeApps), None),
    (&["-x", "--xml-format", "-u", "--unit", "--dtd", "-B", "--list-excluded-gpus"], Opt::Other, None),
    (&["-f", "--filename", "-pm", "--persistence-mode", "-c", "--compute-mode"], Opt::Other, Some(true)),
    (
        &["-e", "--ecc-config", "-p", "--reset-ecc-errors", "-mig", "--multi-instance-gpu"],
        Opt::Other,
        Some(true),
    ),
    (
        &["-pl", "--power-limit", "-ac", "--applications-clocks", "-lgc", "--lock-gpu-clocks"],
        Opt::Other,
        Some(true),
    ),
    (
        &["-lmc", "--lock-memory-clocks", "--query-retired-pages", "--query-remapped-rows"],
        Opt::Other,
        Some(true),
    ),
    (&["--query-accounted-apps", "--query-supported-clocks"], Opt::Other, Some(true)),
    (
        &["-r", "--gpu-reset", "-rac", "--reset-applications-clocks", "-rgc", "--reset-gpu-clocks"],
        Opt::Other,
        None,
    ),
];

/// Subcommands of the real program that are not modelled.
const OTHER_SUBCOMMANDS: [&str; 14] = [
    "dmon",
    "pmon",
    "daemon",
    "replay",
    "drain",
    "vgpu",
    "clocks",
    "c2c",
    "compute-policy",
    "boost-slider",
    "power-hint",
    "conf-compute",
    "encodersessions",
    "fbcsessions",
];

impl Options {
    /// Parses the arguments.
    pub(super) fn parse(args: &[String]) -> Result<Self, Answer> {
        match args.first().map(String::as_str) {
            Some(name @ ("topo" | "nvlink" | "mig")) => subcommand(name, &args[1..]),
            Some(name) if OTHER_SUBCOMMANDS.contains(&name) => {
                Err(Answer::fail(2, format!("not modelled: nvidia-smi {name}\n")))
            }
            _ => main(args),
        }
    }
}

fn unknown(option: &str, in_query: bool) -> Answer {
    if in_query {
        let text =
            format!("ERROR: Option {option} is not recognized. Please run 'nvidia-smi -h' for help.\n\n");
        Answer::fail(2, text)
    } else {
        Answer::fail(
            255,
            format!("ERROR: Option {option} is not recognized. Please run 'nvidia-smi -h'.\n\n"),
        )
    }
}

fn main(args: &[String]) -> Result<Options, Answer> {
    let in_query = args.iter().any(|arg| arg.starts_with("--query-"));
    let given = split(args, in_query)?;
    // Commands that stand alone complain of any other option, whichever comes first.
    if let Some(alone) =
        given.iter().find(|g| matches!(g.option, Opt::Help | Opt::Version | Opt::List | Opt::HelpSelect(_)))
    {
        if let Some(other) = given.iter().find(|g| !std::ptr::eq(*g, alone)) {
            let text = format!(
                "ERROR: Option {} is not valid for this command. Please run 'nvidia-smi -h' for help.\n\n",
                other.typed
            );
            return Err(Answer::fail(2, text));
        }
        let command = match alone.option {
            Opt::Help => Command::Help,
            Opt::Version => Command::Version,
            Opt::HelpSelect(kind) => Command::HelpQuery(kind),
            _ => Command::List,
        };
        return Ok(Options { command, ids: None, every: None });
    }
    let mut options = Options { command: Command::Summary, ids: None, every: None };
    let (mut query, mut display, mut format, mut select) = (false, None, None, None);
    for given in &given {
        let value = given.value.unwrap_or_default();
        match given.option {
            Opt::Query => query = true,
            Opt::Display => display = Some(value),
            Opt::Id => options.ids = Some(value.split(',').map(str::to_owned).collect()),
            Opt::Loop => options.every = Some(interval(given.value, 1000)?),
            Opt::LoopMs => options.every = Some(interval(given.value, 1)?),
            Opt::Format => format = Some(value),
            Opt::Select(_) if select.is_some() => {
                return Err(Answer::fail(2, "Only one --query-* switch can be used at a time.\n"));
            }
            Opt::Select(kind) => select = Some((kind, value)),
            Opt::Other if matches!(given.typed, "-x" | "--xml-format") && !query && !in_query => {
                return Err(Answer::fail(
                    2,
                    "Invalid combination of input arguments. Specify -q/--query and -x/--xml-format to run an XML \
                     query.  Please run 'nvidia-smi -h' for help.\n\n",
                ));
            }
            Opt::Other => {
                return Err(Answer::fail(2, format!("not modelled: nvidia-smi {}\n", given.typed)));
            }
            Opt::Help | Opt::Version | Opt::List | Opt::HelpSelect(_) => {}
        }
    }
    if let Some((kind, fields)) = select {
        options.command = Command::Query(Query::parse(kind, fields, format)?);
    } else if query {
        options.command = Command::Detail(display.map_or(Ok(Vec::new()), super::detail::sections)?);
    } else if display.is_some() {
        return Err(Answer::fail(
            2,
            "Invalid combination of input arguments. Specify -q/--query and -d/--display to run a filtered query.  \
             Please run 'nvidia-smi -h' for help.\n\n",
        ));
    }
    Ok(options)
}

/// Splits the arguments into options and their values.
fn split(args: &[String], in_query: bool) -> Result<Vec<Given<'_>>, Answer> {
    // `nvidia-smi -L extra`: a stray word is a bad option, and its wording depends on the command.
    let alone =
        args.iter().any(|a| matches!(a.as_str(), "-L" | "--list-gpus" | "-h" | "--help" | "--version"));
    let mut given = Vec::new();
    let mut rest = args.iter().map(String::as_str).peekable();
    while let Some(arg) = rest.next() {
        let (name, attached) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (arg, None),
        };
        let row = TABLE.iter().find(|(names, ..)| names.contains(&name));
        let stray = Given { typed: arg, option: Opt::Other, value: None };
        let (option, takes) = match row {
            // `--format` without a query is not an option.
            Some((_, Opt::Format, _)) if !in_query => return Err(unknown(arg, false)),
            Some((_, option, takes)) => (*option, *takes),
            None if alone => {
                given.push(stray);
                continue;
            }
            None => return Err(unknown(arg, in_query)),
        };
        let value = match takes {
            None if attached.is_some() => return Err(unknown(arg, in_query)),
            None => None,
            Some(_) if attached.is_some() => attached,
            Some(must) => match rest.peek() {
                Some(next) if must || !next.starts_with('-') => rest.next(),
                _ if must => {
                    let text = format!(
                        "ERROR: Option {arg} is missing its value. Please run 'nvidia-smi -h' for help.\n\n"
                    );
                    return Err(Answer::fail(255, text));
                }
                _ => None,
            },
        };
        given.push(Given { typed: arg, option, value });
    }
    Ok(given)
}

/// The interval of `-l` (seconds, 5 if none is said) or `-lms` (milliseconds).
fn interval(value: Option<&str>, unit_ms: u64) -> Result<Duration, Answer> {
    // What is no number loops at the default, as the real one does.
    let count = value.and_then(|v| v.parse::<u64>().ok()).unwrap_or(5);
    if count == 0 {
        let text =
            "Provided [-l(ms) | --loop(-ms)=] value is incorrect. Loop frequency must be greater than 0.\n\n";
        return Err(Answer::fail(2, text));
    }
    Ok(Duration::from_millis(count.saturating_mul(unit_ms)))
}

/// `nvidia-smi topo|nvlink|mig ...`.
fn subcommand(name: &str, args: &[String]) -> Result<Options, Answer> {
    let mut ids = None;
    let mut command = None;
    let mut rest = args.iter().map(String::as_str);
    while let Some(arg) = rest.next() {
        match (name, arg) {
            (_, "-h" | "--help") => command = None,
            (_, "-i" | "--id") => {
                let Some(value) = rest.next() else {
                    return Err(Answer::fail(2, format!("Option \"{arg}\" is missing its value.\n")));
                };
                ids = Some(value.split(',').map(str::to_owned).collect());
            }
            ("topo", "-m" | "--matrix") => command = Some(Command::Topology),
            ("nvlink", "-s" | "--status") => command = Some(Command::NvLinkStatus),
            ("mig", "-lgip" | "--list-gpu-instance-profiles") => command = Some(Command::MigProfiles),
            ("mig", "-lgipp" | "--list-gpu-instance-possible-placements") => {
                command = Some(Command::MigPlacements);
            }
            ("mig", "-lgi" | "--list-gpu-instances" | "-lci" | "--list-compute-instances") => {
                command = Some(Command::MigInstances);
            }
            ("topo", "-mp" | "-c" | "-n" | "-p" | "-p2p" | "-C" | "-M" | "-gnid")
            | ("nvlink", "-c" | "-p" | "-R" | "-e" | "-ec" | "-re" | "-gt" | "-l")
            | ("mig", "-cgi" | "-dgi" | "-cci" | "-dci" | "-lcip" | "-C" | "-gi" | "-ci") => {
                return Err(Answer::fail(2, format!("not modelled: nvidia-smi {name} {arg}\n")));
            }
            _ => return Err(Answer::fail(2, format!("Option \"{arg}\" is not recognized.\n"))),
        }
    }
    match command {
        Some(Command::Topology) if ids.is_some() => Err(Answer::fail(
            255,
            "The -i command line argument must be used in conjunction with -n or -p.\n\n",
        )),
        Some(command) => Ok(Options { command, ids, every: None }),
        None => Err(Answer { text: usage(name), code: 0 }),
    }
}

/// The help of a subcommand: what is modelled of it.
fn usage(name: &str) -> String {
    let (about, options) = match name {
        "topo" => (
            "Display topological information about the system.",
            "    [-m | --matrix]: Display the GPUDirect communication matrix for the system.\n",
        ),
        "nvlink" => (
            "Display NvLink information.",
            "    [-i | --id]: Enumeration index, PCI bus ID or UUID.\n\
             \x20   [-s | --status]: Display link state (active/inactive).\n",
        ),
        _ => (
            "Multi Instance GPU management.",
            "    [-i | --id]: Enumeration index, PCI bus ID or UUID.\n\
             \x20   [-lgip | --list-gpu-instance-profiles]: List supported GPU instance profiles.\n\
             \x20   [-lgipp | --list-gpu-instance-possible-placements]: List possible GPU instance placements\n\
             \x20   [-lgi | --list-gpu-instances]: List GPU instances.\n\
             \x20   [-lci | --list-compute-instances]: List compute instances.\n",
        ),
    };
    format!(
        "\n    {name} -- {about}\n\n    Usage: nvidia-smi {name} [options]\n\n    Options include:\n{options}\n"
    )
}
