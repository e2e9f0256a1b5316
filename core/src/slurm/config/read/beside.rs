//! The files beside `slurm.conf`: `gres.conf`, `topology.conf`, `cgroup.conf`, `plugstack.conf`.

use std::sync::Arc;

use super::{DEEPEST, Reader, beside, spot};
use crate::slurm::config::error::base_name;
use crate::slurm::config::fields::{self, Field};
use crate::slurm::config::lines::{Line, Pair};
use crate::slurm::config::table::find;
use crate::slurm::config::{CGROUP, GRES, Kind, Place, SWITCH, Severity, SpankPlugin};

impl Reader<'_> {
    pub(super) fn gres_line(&mut self, file: &Arc<str>, line: &Line) {
        let Some(pair) = line.pair(0) else {
            self.rest(file, line, 0, false);
            return;
        };
        match pair.key.to_ascii_lowercase().as_str() {
            "nodename" => {
                let record = self.record(file, line, &pair, GRES);
                self.config.gres.push(record);
            }
            "name" => {
                let mut record = self.record(file, line, &pair, GRES);
                let name = std::mem::take(&mut record.name);
                let field = Field {
                    value: fields::Value::Text(name.clone()),
                    text: name,
                    place: record.place.clone(),
                };
                record.fields.set("Name", field);
                self.config.gres.push(record);
            }
            "autodetect" if matches!(pair.value.to_ascii_lowercase().as_str(), "off") => {
                self.rest(file, line, pair.end, false);
            }
            "autodetect" => {
                self.not_modelled(spot(file, line, pair.key_at), "AutoDetect");
                self.rest(file, line, pair.end, false);
            }
            _ => self.unknown(file, line, &pair, "NodeName, Name or AutoDetect"),
        }
    }

    fn unknown(&mut self, file: &Arc<str>, line: &Line, pair: &Pair, expected: &str) {
        let message = format!("Parsing error at unrecognized key: {}", pair.key);
        self.error(spot(file, line, pair.key_at), Kind::UnknownKey, message, expected);
    }

    pub(super) fn topology_line(&mut self, file: &Arc<str>, line: &Line) {
        let Some(pair) = line.pair(0) else {
            self.rest(file, line, 0, false);
            return;
        };
        if pair.key.eq_ignore_ascii_case("switchname") {
            let record = self.record(file, line, &pair, SWITCH);
            self.config.switches.push(record);
        } else {
            self.unknown(file, line, &pair, "SwitchName");
        }
    }

    pub(super) fn cgroup_line(&mut self, file: &Arc<str>, line: &Line) {
        let Some(pair) = line.pair(0) else {
            self.rest(file, line, 0, false);
            return;
        };
        match find(CGROUP, &pair.key) {
            Some(row) => {
                let mut fields = std::mem::take(&mut self.config.cgroup);
                self.set(&mut fields, row, file, line, &pair);
                self.config.cgroup = fields;
                self.rest(file, line, pair.end, false);
            }
            None => self.unknown(file, line, &pair, "a parameter of cgroup.conf"),
        }
    }

    /// `required PATH ARGUMENT…`, `optional …`, `include FILE` (spank(7)); other lines are left out with a warning.
    pub(super) fn plugstack(&mut self, name: &str, text: &str, depth: usize) {
        for (at, raw) in text.lines().enumerate() {
            let line = raw.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [kind @ ("required" | "optional"), path, arguments @ ..] => {
                    self.config.plugins.push(SpankPlugin {
                        required: *kind == "required",
                        path: (*path).to_owned(),
                        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
                    });
                }
                ["include", target] if depth < DEEPEST => {
                    let path = beside(name, target);
                    // A pattern that matches no file includes none.
                    if let Some(text) = (self.read)(&path) {
                        self.plugstack(&path, &text, depth + 1);
                    }
                }
                _ => {
                    let place = Place { file: name.into(), line: at + 1, column: 1 };
                    let message = format!("spank: {}: {}: Invalid line. Ignoring.", base_name(name), at + 1);
                    self.find(
                        Severity::Warning,
                        place,
                        Kind::Syntax,
                        message,
                        "required PATH, optional PATH or include FILE",
                    );
                }
            }
        }
    }
}
