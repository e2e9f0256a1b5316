//! What slurmctld says of a configuration whose lines could be read: values that do not go together.

mod records;

use super::options::{find, words};
use super::table::Role;
use super::{Config, Diagnostic, Kind, Place, Severity};
use crate::slurm::units;

/// Findings beside those of the parser.
pub(super) struct Checker<'a> {
    config: &'a Config,
    findings: &'a mut Vec<Diagnostic>,
}

pub(super) fn check(config: &Config, findings: &mut Vec<Diagnostic>) {
    let mut checker = Checker { config, findings };
    checker.needed();
    checker.times();
    checker.limits();
    checker.plugins();
    checker.preemption();
    checker.option_words();
    checker.licenses();
    checker.records();
}

impl Checker<'_> {
    fn find(&mut self, severity: Severity, place: Place, message: String, expected: &str) {
        let kind = if severity == Severity::NotModelled { Kind::NotModelled } else { Kind::Value };
        let expected = expected.to_owned();
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

    /// A finding about a parameter: where it stands, else at the start of the file.
    fn at(&mut self, severity: Severity, name: &str, message: impl Into<String>, expected: &str) {
        let place = self.place(name);
        self.find(severity, place, message.into(), expected);
    }

    fn error(&mut self, name: &str, message: impl Into<String>, expected: &str) {
        self.at(Severity::Error, name, message, expected);
    }

    fn warning(&mut self, name: &str, message: impl Into<String>, expected: &str) {
        self.at(Severity::Warning, name, message, expected);
    }

    fn place(&self, name: &str) -> Place {
        self.config.parameters.get(name).map_or_else(
            || Place { file: self.config.file.as_str().into(), line: 1, column: 1 },
            |field| field.place.clone(),
        )
    }

    fn needed(&mut self) {
        if self.config.text("ClusterName").is_empty() {
            self.error("ClusterName", "ClusterName needs to be specified", "a line ClusterName=NAME");
        }
        let controllers = &self.config.controllers;
        if controllers.is_empty() && self.config.text("ControlMachine").is_empty() {
            self.warning("SlurmctldHost", "No SlurmctldHost defined.", "a line SlurmctldHost=NAME");
        }
        for (at, host) in controllers.iter().enumerate() {
            if controllers[..at].iter().any(|other| other.name == host.name) {
                let message = format!("Duplicate SlurmctldHost records: {}", host.name);
                self.error("SlurmctldHost", message, "each controller once");
            }
        }
    }

    fn times(&mut self) {
        let given = |name: &str| self.config.parameters.get(name).map(|field| field.text.clone());
        let infinite =
            |text: &str| ["-1", "infinite", "unlimited"].iter().any(|word| text.eq_ignore_ascii_case(word));
        for name in ["PriorityDecayHalfLife", "PriorityMaxAge"] {
            if let Some(text) = given(name).filter(|text| units::minutes(text).is_none() && !infinite(text)) {
                self.error(name, format!("Bad value \"{text}\" for {name}"), "a time such as 7-00:00:00");
            }
        }
        let period = given("PriorityCalcPeriod");
        if let Some(text) = period.filter(|text| units::minutes(text).is_none_or(|minutes| minutes < 1)) {
            let message = format!("Bad value \"{text}\" for PriorityCalcPeriod");
            self.error("PriorityCalcPeriod", message, "a time of a minute or more");
        }
        let given = |name: &str| self.config.parameters.get(name).map(|field| field.text.clone());
        let exempt = given("PreemptExemptTime");
        if let Some(text) = exempt.filter(|text| units::seconds(text).is_none() && !infinite(text)) {
            self.error(
                "PreemptExemptTime",
                format!("PreemptExemptTime={text} invalid"),
                "a time such as 00:10:00",
            );
        }
    }

    fn limits(&mut self) {
        let number = |name: &str| self.config.number::<u64>(name);
        let (first, last, jobs) = (number("FirstJobId"), number("MaxJobId"), number("MaxJobCount"));
        let (array, age, slice) = (number("MaxArraySize"), number("MinJobAge"), number("SchedulerTimeSlice"));
        if first == Some(0) {
            self.error("FirstJobId", "FirstJobId cannot be zero", "1 or more");
        } else if first > last {
            self.error("FirstJobId", "FirstJobId > MaxJobId", "at most MaxJobId");
        }
        if last.is_some_and(|last| last > 67_108_863) {
            self.warning(
                "MaxJobId",
                "MaxJobId can not exceed MAX_JOB_ID, resetting value",
                "at most 67108863",
            );
        }
        if jobs == Some(0) {
            self.error("MaxJobCount", "MaxJobCount=0, No jobs permitted", "1 or more");
        }
        if let Some(array) = array.filter(|array| *array > 4_000_001) {
            let message = format!("MaxArraySize value ({array}) is greater than 4000001");
            self.warning("MaxArraySize", message, "at most 4000001");
        }
        if age == Some(1) {
            self.warning("MinJobAge", "MinJobAge must be at least 2", "0, or 2 or more");
        }
        if slice.is_some_and(|slice| slice < 5) {
            self.warning("SchedulerTimeSlice", "SchedulerTimeSlice must be at least 5 seconds", "5 or more");
        }
        for unit in ["Mem"] {
            for limit in ["Def", "Max"] {
                let (cpu, node) = (format!("{limit}{unit}PerCPU"), format!("{limit}{unit}PerNode"));
                if self.config.parameters.get(&cpu).is_some() && self.config.parameters.get(&node).is_some() {
                    let message = format!("{cpu} ignored, since it's mutually exclusive with {node}");
                    self.warning(&cpu, message, "one of the two");
                }
            }
        }
    }

    fn plugins(&mut self) {
        let one_of = |name: &str, known: &[&str]| {
            let text = self.config.text(name).to_owned();
            (!text.is_empty() && !known.contains(&text.as_str())).then_some(text)
        };
        let topologies = ["topology/none", "topology/tree", "topology/3d_torus", "topology/hypercube"];
        let unknown = [
            ("SchedulerType", "sched", one_of("SchedulerType", &["sched/backfill", "sched/builtin"])),
            ("PriorityType", "priority", one_of("PriorityType", &["priority/basic", "priority/multifactor"])),
            (
                "SelectType",
                "select",
                one_of(
                    "SelectType",
                    &["select/linear", "select/cons_res", "select/cons_tres", "select/cray_aries"],
                ),
            ),
            (
                "PreemptType",
                "preempt",
                one_of("PreemptType", &["preempt/none", "preempt/partition_prio", "preempt/qos"]),
            ),
            ("TopologyPlugin", "topology", one_of("TopologyPlugin", &topologies)),
        ];
        for (name, kind, text) in unknown {
            if let Some(text) = text {
                self.error(
                    name,
                    format!("cannot create {kind} context for {text}"),
                    "a plugin that there is",
                );
            }
        }
        for (name, plugins) in [
            ("SelectType", ["select/cons_res", "select/cray_aries"]),
            ("TopologyPlugin", ["topology/3d_torus", "topology/hypercube"]),
        ] {
            let text = self.config.text(name).to_owned();
            // cons_res gives away what cons_tres does where no GPUs are asked for by job or task.
            if plugins.contains(&text.as_str()) && text != "select/cons_res" {
                self.at(Severity::NotModelled, name, format!("not modelled: {name}={text}"), "");
            }
        }
        let enforce = self.config.text("EnforcePartLimits").to_owned();
        if !["no", "any", "all", "yes"].iter().any(|word| enforce.eq_ignore_ascii_case(word)) {
            self.error("EnforcePartLimits", format!("Bad EnforcePartLimits: {enforce}"), "NO, ANY or ALL");
        }
        let enforce = self.config.text("AccountingStorageEnforce").to_owned();
        let known = ["none", "associations", "limits", "qos", "safe", "nojobs", "nosteps", "wckeys", "all"];
        for word in words(&enforce).map(|(word, _)| word.to_ascii_lowercase()) {
            if matches!(word.as_str(), "safe" | "nojobs" | "nosteps" | "wckeys" | "all") {
                let message = format!("not modelled: AccountingStorageEnforce={word}");
                self.at(Severity::NotModelled, "AccountingStorageEnforce", message, "");
            } else if !known.contains(&word.as_str()) && !matches!(word.as_str(), "0" | "1" | "2") {
                let message = format!("AccountingStorageEnforce invalid: {enforce}");
                self.error("AccountingStorageEnforce", message, &known.join(", "));
            }
        }
        let reset = self.config.text("PriorityUsageResetPeriod").to_owned();
        let known = ["none", "now", "daily", "weekly", "monthly", "quarterly", "yearly"];
        if !known.iter().any(|word| reset.eq_ignore_ascii_case(word)) {
            let message = format!("Bad value \"{reset}\" for PriorityUsageResetPeriod");
            self.error("PriorityUsageResetPeriod", message, &known.join(", "));
        }
    }

    fn preemption(&mut self) {
        let text = self.config.text("PreemptMode").to_owned();
        let known = ["off", "cancel", "gang", "requeue", "suspend", "within"];
        let has = |word: &str| self.config.has_word("PreemptMode", word);
        let modes = ["cancel", "requeue", "suspend"].iter().filter(|word| has(word)).count();
        let (gang, suspend, within) = (has("gang"), has("suspend"), has("within"));
        let wrong = words(&text).any(|(word, _)| !known.iter().any(|known| word.eq_ignore_ascii_case(known)));
        if wrong || modes > 1 {
            self.error(
                "PreemptMode",
                format!("PreemptMode={text} invalid"),
                "OFF, CANCEL, REQUEUE or SUSPEND, and GANG",
            );
        } else if suspend && !gang {
            self.error("PreemptMode", "PreemptMode=SUSPEND requires GANG too", "SUSPEND,GANG");
        } else if (self.config.text("PreemptType") == "preempt/none") != (modes == 0)
            // An unknown plugin has been reported already.
            && self.config.text("PreemptType").starts_with("preempt/")
        {
            self.error("PreemptMode", "PreemptType and PreemptMode values incompatible", "both, or neither");
        }
        if within {
            self.at(Severity::NotModelled, "PreemptMode", "not modelled: PreemptMode=WITHIN", "");
        }
    }

    fn option_words(&mut self) {
        for parameter in ["SchedulerParameters", "SelectTypeParameters", "PriorityFlags"] {
            let Some(field) = self.config.parameters.get(parameter) else { continue };
            let text = field.text.clone();
            for (word, value) in words(&text) {
                match (find(parameter, word), value) {
                    (Some(row), value) => {
                        if row.role == Role::NotModelled {
                            let message = format!("not modelled: {parameter}={word}");
                            self.at(Severity::NotModelled, parameter, message, "");
                        }
                        let number = value.and_then(|value| value.parse::<i64>().ok());
                        if let Some((low, high)) = row.range
                            && number.is_none_or(|number| !(low..=high).contains(&number))
                        {
                            // What is no number counts as 0 in the real one.
                            let message =
                                format!("Invalid {parameter} {}: {}", row.word, number.unwrap_or(0));
                            self.warning(parameter, message, &format!("a number from {low} to {high}"));
                        }
                    }
                    (None, _) if parameter == "SelectTypeParameters" => {
                        self.error(parameter, format!("Bad SelectTypeParameter: {text}"), "CR_* words");
                    }
                    (None, _) => {
                        let message = format!("not modelled: {parameter}={word}");
                        self.at(Severity::NotModelled, parameter, message, "");
                    }
                }
            }
        }
    }

    fn licenses(&mut self) {
        let text = self.config.text("Licenses").to_owned();
        let wrong = text.split(',').filter(|part| !part.is_empty()).any(|part| {
            let (name, count) = part.split_once([':', '*', '=']).unwrap_or((part, "1"));
            name.trim().is_empty() || count.trim().parse::<u32>().is_err()
        });
        if wrong {
            self.error("Licenses", format!("Invalid Licenses value: {text}"), "name:count, ...");
        }
    }
}
