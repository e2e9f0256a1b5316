//! From files to a [`Config`]: includes, lines, `DEFAULT` lines.

mod beside;

use std::sync::Arc;

use super::fields::{self, Field};
use super::lines::{Line, Pair, lines};
use super::table::{Parameter, Role, find};
use super::{
    Config, ControllerHost, DOWN_NODES, Diagnostic, FRONTEND, Fields, Kind, NODE, NODE_SET, PARAMETERS,
    PARTITION, Place, Record, Severity,
};

/// Files that include each other go no deeper.
const DEEPEST: usize = 16;

type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

struct Reader<'a> {
    read: Read<'a>,
    findings: Vec<Diagnostic>,
    /// Files that are being read, each included by the one before.
    stack: Vec<String>,
    config: Config,
    node_defaults: Fields,
    partition_defaults: Fields,
}

/// Reads `name` and the files beside it.
pub(super) fn read(name: &str, read: Read<'_>) -> (Config, Vec<Diagnostic>) {
    let mut reader = Reader {
        read,
        findings: Vec::new(),
        stack: Vec::new(),
        config: Config { file: name.to_owned(), ..Config::default() },
        node_defaults: Fields::default(),
        partition_defaults: Fields::default(),
    };
    match read(name) {
        Some(text) => reader.file(name, &text, &mut Reader::slurm_conf_line),
        None => {
            let place = Place { file: name.into(), line: 1, column: 1 };
            reader.error(place, Kind::Include, missing(name), "a file that is there");
        }
    }
    reader.other(name, "gres.conf", &mut Reader::gres_line);
    reader.other(name, "topology.conf", &mut Reader::topology_line);
    reader.other(name, "cgroup.conf", &mut Reader::cgroup_line);
    let path = beside(name, "plugstack.conf");
    if let Some(text) = read(&path) {
        reader.plugstack(&path, &text, 0);
    }
    (reader.config, reader.findings)
}

/// `name` in the directory of `file`.
fn beside(file: &str, name: &str) -> String {
    match file.rsplit_once('/') {
        _ if name.starts_with('/') => name.to_owned(),
        Some((directory, _)) => format!("{directory}/{name}"),
        None => name.to_owned(),
    }
}

fn missing(name: &str) -> String {
    format!(
        "s_p_parse_file: cannot stat file {name}: No such file or directory, retrying in 1sec up to 60sec"
    )
}

impl Reader<'_> {
    /// A file in the same directory, if it is there.
    fn other(&mut self, beside_this: &str, name: &str, take: &mut dyn FnMut(&mut Self, &Arc<str>, &Line)) {
        let path = beside(beside_this, name);
        if let Some(text) = (self.read)(&path) {
            self.file(&path, &text, take);
        }
    }

    fn error(&mut self, place: Place, kind: Kind, message: impl Into<String>, expected: impl Into<String>) {
        self.find(Severity::Error, place, kind, message, expected);
    }

    fn find(
        &mut self,
        severity: Severity,
        place: Place,
        kind: Kind,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) {
        let (message, expected) = (message.into(), expected.into());
        self.findings.push(Diagnostic {
            place,
            severity,
            kind,
            message,
            expected,
            rest: None,
            beyond: false,
        });
    }

    fn not_modelled(&mut self, place: Place, key: &str) {
        self.find(Severity::NotModelled, place, Kind::NotModelled, format!("not modelled: {key}"), "");
    }

    /// Each line of a file goes to `take`; `Include` lines are followed.
    fn file(&mut self, name: &str, text: &str, take: &mut dyn FnMut(&mut Self, &Arc<str>, &Line)) {
        self.stack.push(name.to_owned());
        let file: Arc<str> = name.into();
        for line in lines(text) {
            match line.include() {
                Some((target, start, end)) => self.include(&file, &line, (&target, start, end), take),
                None => take(self, &file, &line),
            }
        }
        self.stack.pop();
    }

    fn include(
        &mut self,
        file: &Arc<str>,
        line: &Line,
        (target, start, end): (&str, usize, usize),
        take: &mut dyn FnMut(&mut Self, &Arc<str>, &Line),
    ) {
        let before = self.errors();
        let place = spot(file, line, start);
        let mut target = target.to_owned();
        if target.contains("%c") {
            let cluster = self.config.parameters.text("ClusterName").to_ascii_lowercase();
            if cluster.is_empty() {
                let message = "_parse_for_format: Did not get ClusterName for include path";
                self.error(place.clone(), Kind::Include, message, "ClusterName above the line that uses %c");
            }
            target = target.replace("%c", &cluster);
        }
        let path = beside(file, target.strip_prefix("./").unwrap_or(&target));
        if self.errors() > before {
        } else if target.is_empty() {
            self.error(place.clone(), Kind::Include, "Include without a file", "the name of a file");
        } else if self.stack.contains(&path) || self.stack.len() >= DEEPEST {
            let message = format!("{path} includes itself");
            self.error(place.clone(), Kind::Include, message, "a file that does not include this one");
        } else {
            match (self.read)(&path) {
                Some(text) => self.file(&path, &text, take),
                None => self.error(place.clone(), Kind::Include, missing(&path), "a file that is there"),
            }
        }
        if self.errors() > before {
            let message = format!("\"Include\" failed in file {file} line {}", line.number);
            self.error(place, Kind::Include, message, "");
        } else {
            self.rest(file, line, end, false);
        }
    }

    fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    /// Only white space may follow.
    fn rest(&mut self, file: &Arc<str>, line: &Line, end: usize, beyond: bool) {
        let Some(at) = line.next_word(end) else { return };
        let rest = line.text(end, line.spots.len()).trim_end_matches('\r').to_owned();
        let message = format!("Parse error: \"{}\"", rest.trim());
        self.findings.push(Diagnostic {
            place: spot(file, line, at),
            severity: Severity::Error,
            kind: Kind::Syntax,
            message,
            expected: "key=value, or the end of the line".into(),
            rest: Some(rest),
            beyond,
        });
    }

    fn slurm_conf_line(&mut self, file: &Arc<str>, line: &Line) {
        let Some(pair) = line.pair(0) else {
            self.rest(file, line, 0, false);
            return;
        };
        let place = spot(file, line, pair.value_at);
        match pair.key.to_ascii_lowercase().as_str() {
            "nodename" => self.node_line(file, line, &pair),
            "partitionname" => {
                let mut record = self.record(file, line, &pair, PARTITION);
                record.fields.fill_from(&self.partition_defaults);
                if pair.value.eq_ignore_ascii_case("default") {
                    self.partition_defaults = record.fields;
                } else {
                    self.config.partitions.push(record);
                }
            }
            "nodeset" => {
                let record = self.record(file, line, &pair, NODE_SET);
                self.config.node_sets.push(record);
            }
            "downnodes" => {
                let record = self.record(file, line, &pair, DOWN_NODES);
                self.config.down_nodes.push(record);
            }
            "frontendname" => {
                self.record(file, line, &pair, FRONTEND);
                self.not_modelled(place, "FrontendName");
            }
            "slurmctldhost" => {
                match host(&pair.value) {
                    Some(host) => self.config.controllers.push(host),
                    None => {
                        let message = format!("Bad value \"{}\" for SlurmctldHost", pair.value);
                        self.error(place, Kind::Value, message, "name or name(address)");
                    }
                }
                self.rest(file, line, pair.end, false);
            }
            _ => self.parameter(file, line, &pair),
        }
    }

    fn parameter(&mut self, file: &Arc<str>, line: &Line, pair: &Pair) {
        let Some(row) = find(PARAMETERS, &pair.key) else {
            let message = format!("Parsing error at unrecognized key: {}", pair.key);
            let place = spot(file, line, pair.key_at);
            self.error(place, Kind::UnknownKey, message, "a parameter of slurm.conf");
            return;
        };
        let mut fields = std::mem::take(&mut self.config.parameters);
        self.set(&mut fields, row, file, line, pair);
        self.config.parameters = fields;
        self.rest(file, line, pair.end, false);
    }

    /// Puts a value under its key; a value that the key does not take leaves what was there. Whether it was taken.
    fn set(
        &mut self,
        fields: &mut Fields,
        row: &'static Parameter,
        file: &Arc<str>,
        line: &Line,
        pair: &Pair,
    ) -> bool {
        let place = spot(file, line, pair.value_at);
        if let Role::Removed(message) = row.role {
            self.error(spot(file, line, pair.key_at), Kind::Value, message, "");
            return false;
        }
        match fields::value(row, &pair.value) {
            Ok(value) => {
                if row.role == Role::NotModelled && !pair.value.eq_ignore_ascii_case(row.default) {
                    self.not_modelled(spot(file, line, pair.key_at), row.name);
                }
                let field = Field { value, text: pair.value.clone(), place: place.clone() };
                if fields.set(row.name, field).is_some() {
                    let message = format!("{} 1 specified more than once, latest value used", row.name);
                    self.find(Severity::Warning, place, Kind::Value, message, "each parameter once");
                }
                true
            }
            Err(message) => {
                self.error(place, Kind::Value, message, fields::expected(row));
                false
            }
        }
    }

    /// A line whose first key says what it is about. slurmctld leaves it at the first error; the others are found here
    /// too.
    fn record(&mut self, file: &Arc<str>, line: &Line, first: &Pair, table: &'static [Parameter]) -> Record {
        let mut fields = Fields::default();
        let mut end = first.end;
        let mut failed = false;
        while let Some(pair) = line.pair(end) {
            let before = self.findings.len();
            let taken = match find(table, &pair.key) {
                Some(row) => self.set(&mut fields, row, file, line, &pair),
                None => {
                    let message = format!("Parsing error at unrecognized key: {}", pair.key);
                    let names: Vec<&str> = table.iter().map(|row| row.name).collect();
                    let place = spot(file, line, pair.key_at);
                    self.error(place, Kind::UnknownKey, message, format!("one of {}", names.join(", ")));
                    false
                }
            };
            if !taken {
                for finding in &mut self.findings[before..] {
                    finding.beyond = failed;
                    finding.rest = Some(line.text(end, line.spots.len()).trim_end_matches('\r').to_owned());
                }
                failed = true;
            }
            end = pair.end;
        }
        self.rest(file, line, end, failed);
        Record { name: first.value.clone(), place: spot(file, line, first.value_at), fields }
    }

    fn node_line(&mut self, file: &Arc<str>, line: &Line, pair: &Pair) {
        let mut record = self.record(file, line, pair, NODE);
        if !pair.value.eq_ignore_ascii_case("default") {
            record.fields.fill_from(&self.node_defaults);
            self.config.nodes.push(record);
            return;
        }
        for key in ["NodeHostname", "BcastAddr", "NodeAddr"] {
            if let Some(field) = record.fields.get(key) {
                let message = format!("{key} not allowed with NodeName=DEFAULT");
                let place = field.place.clone();
                self.error(place, Kind::Value, message, "keys that all nodes can have");
            }
        }
        record.fields.fill_from(&self.node_defaults);
        self.node_defaults = record.fields;
    }
}

fn spot(file: &Arc<str>, line: &Line, at: usize) -> Place {
    let (line, column) = line.position(at);
    Place { file: file.clone(), line, column }
}

/// `name` or `name(address)`.
fn host(text: &str) -> Option<ControllerHost> {
    match text.split_once('(') {
        None => Some(ControllerHost { name: text.to_owned(), address: None }),
        Some((name, rest)) => {
            let address = rest.strip_suffix(')')?;
            Some(ControllerHost { name: name.to_owned(), address: Some(address.to_owned()) })
        }
    }
}
