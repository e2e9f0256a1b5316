//! The recordings' files.

use serde::Deserialize;
use serde_json::Value;

/// What happened in a recording, and when.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A job was submitted under a name.
    Submit {
        /// Its name in the recording.
        name: String,
        /// Who.
        user: String,
        /// What was typed.
        argv: Vec<String>,
    },
    /// Another command.
    Command {
        /// Its number among the recorded answers.
        at: usize,
        /// Who.
        user: String,
        /// What was typed.
        argv: Vec<String>,
        /// The recorder did not wait for its end.
        background: bool,
    },
    /// A slurmd and its steps were killed.
    KillDaemon(String),
    /// It was started again.
    StartDaemon(String),
    /// The controller was stopped.
    StopController,
    /// It was started again.
    StartController,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct RecordedEvent {
    /// Seconds after the recording's zero.
    pub(super) at: f64,
    pub(super) what: What,
}

/// One accounting record.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[allow(missing_docs, reason = "the names are those of sacct(1)")]
pub struct JobRecord {
    pub jobid: String,
    pub user: String,
    pub account: String,
    pub partition: String,
    pub qos: String,
    pub state: String,
    pub exit: String,
    pub submit: Option<i64>,
    pub eligible: Option<i64>,
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub nodes: String,
    pub alloc_tres: String,
    pub req_tres: String,
    pub priority: String,
    pub timelimit: String,
    pub reason: String,
    pub flags: String,
}

/// What a submission answered.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[allow(missing_docs, reason = "the recordings' README explains the fields")]
pub struct Submit {
    pub t: f64,
    pub user: String,
    pub argv: Vec<String>,
    pub rc: i64,
    pub out: String,
    pub err: String,
    pub jobid: Option<u32>,
}

/// What another command answered.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[allow(missing_docs, reason = "the recordings' README explains the fields")]
pub struct Show {
    pub t: f64,
    #[serde(rename = "as")]
    pub user: String,
    pub cmd: Vec<String>,
    pub rc: i64,
    pub out: String,
    pub err: String,
}

/// A recording.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the recordings' README explains the fields")]
pub struct Recording {
    pub name: String,
    pub about: String,
    pub t0_epoch: i64,
    pub slurm_conf: Vec<String>,
    pub gres_conf: Vec<String>,
    pub topology: Vec<String>,
    pub no_slurmd: Vec<String>,
    pub acct_setup: Vec<(String, i64, String, String)>,
    pub submits: Vec<(String, Submit)>,
    pub jobs: Vec<(String, Vec<JobRecord>)>,
    pub timeline: Vec<(String, Vec<(f64, String, String, String, u32)>)>,
    pub shows: Vec<Show>,
    pub scontrol_final: Vec<String>,
    pub until: f64,
    pub(super) events: Vec<RecordedEvent>,
}

#[derive(Deserialize)]
struct File {
    name: String,
    #[serde(default)]
    about: String,
    t0_epoch: i64,
    scenario: Value,
    #[serde(default)]
    scontrol_final: Vec<String>,
    slurm_conf: Vec<String>,
    #[serde(default)]
    gres_conf: Vec<String>,
    #[serde(default)]
    acct_setup: Vec<(String, i64, String, String)>,
    #[serde(default)]
    submits: serde_json::Map<String, Value>,
    #[serde(default)]
    jobs: serde_json::Map<String, Value>,
    #[serde(default)]
    timeline: serde_json::Map<String, Value>,
    #[serde(default)]
    shows: Vec<Show>,
    /// When daemons were stopped and started: later than asked for where the recorder was held up.
    #[serde(default)]
    events: Vec<(f64, String)>,
}

fn entries<T: serde::de::DeserializeOwned>(
    map: serde_json::Map<String, Value>,
) -> Result<Vec<(String, T)>, serde_json::Error> {
    map.into_iter().map(|(name, value)| Ok((name, serde_json::from_value(value)?))).collect()
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    ///
    /// What is not as the recordings' README says, with line and column.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let file: File = serde_json::from_str(text)?;
        let submits: Vec<(String, Submit)> = entries(file.submits)?;
        let actions = file.scenario.get("actions").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut events: Vec<RecordedEvent> = Vec::new();
        for (name, submit) in &submits {
            let what =
                What::Submit { name: name.clone(), user: submit.user.clone(), argv: submit.argv.clone() };
            events.push(RecordedEvent { at: submit.t, what });
        }
        for (at, show) in file.shows.iter().enumerate() {
            let background = actions.iter().any(|action| {
                let typed = action.get("cmd").and_then(Value::as_array).map(|words| {
                    words.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
                });
                typed.as_ref() == Some(&show.cmd) && action.get("bg").and_then(Value::as_bool) == Some(true)
            });
            let what = What::Command { at, user: show.user.clone(), argv: show.cmd.clone(), background };
            events.push(RecordedEvent { at: show.t, what });
        }
        for action in &actions {
            let asked = action.get("at").and_then(Value::as_f64).unwrap_or(0.0);
            let text = |key: &str| action.get(key).and_then(Value::as_str).map(str::to_owned);
            let done = |what: String| {
                let event = file.events.iter().find(|(at, text)| *at >= asked && *text == what);
                event.map_or(asked, |(at, _)| *at)
            };
            let at = if let Some(node) = text("kill_slurmd") {
                done(format!("slurmd killed on {node}"))
            } else if let Some(node) = text("start_slurmd") {
                done(format!("slurmd started on {node}"))
            } else if action.get("stop_ctld").is_some() {
                done("slurmctld stopped".into())
            } else if action.get("start_ctld").is_some() {
                done("slurmctld started".into())
            } else {
                asked
            };
            if let Some(node) = text("kill_slurmd") {
                events.push(RecordedEvent { at, what: What::KillDaemon(node) });
            } else if let Some(node) = text("start_slurmd") {
                events.push(RecordedEvent { at, what: What::StartDaemon(node) });
            } else if action.get("stop_ctld").is_some() {
                events.push(RecordedEvent { at, what: What::StopController });
            } else if action.get("start_ctld").is_some() {
                events.push(RecordedEvent { at, what: What::StartController });
            }
        }
        // Stable: what happened at one instant stays in the order of the recording.
        events.sort_by(|a, b| a.at.total_cmp(&b.at));
        let last = events.last().map_or(0.0, |event| event.at);
        let until = file.scenario.get("until").and_then(Value::as_f64).unwrap_or(0.0).max(last);
        let timeline: Vec<(String, Vec<(f64, String, String, String, u32)>)> = entries(file.timeline)?;
        let seen = timeline
            .iter()
            .flat_map(|(_, changes)| changes.iter().map(|change| change.0))
            .fold(until, f64::max);
        let topology = file.scenario.get("topology").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(Self {
            name: file.name,
            about: file.about,
            t0_epoch: file.t0_epoch,
            slurm_conf: file.slurm_conf,
            gres_conf: file.gres_conf,
            topology: topology.iter().filter_map(|line| line.as_str().map(str::to_owned)).collect(),
            no_slurmd: file
                .scenario
                .get("no_slurmd")
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
                .unwrap_or_default(),
            acct_setup: file.acct_setup,
            submits,
            jobs: entries(file.jobs)?,
            timeline,
            shows: file.shows,
            scontrol_final: file.scontrol_final,
            until: seen.min(10_000.0),
            events,
        })
    }
}
