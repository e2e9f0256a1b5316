//! `clusterlab conform`: do the engines decide as the real systems did?

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use clusterlab::kube::scheduler::{SchedulerConfiguration, conform};
use clusterlab::slurm::conform as slurm;
use serde::Serialize;
use serde_json::Value;

use crate::output;

/// Replay recorded decisions of a real system and compare every field.
///
/// For each scenario that the engine decides otherwise, one line tells the first difference.
#[derive(Debug, Args)]
#[command(after_help = "\
DIR holds one scenario per *.json. The profiles that their pods name are read from profiles.json in DIR, else
in the folder above it.

Exit codes:
  0  every scenario agrees
  1  a scenario does not
  2  the folder, a scenario or the configuration cannot be read

With --json, one object per line:
  {\"type\": \"scenario\", \"id\": \"...\", \"agrees\": false, \"differences\": [\"...\"]}
  {\"type\": \"leftOut\", \"what\": \"...\", \"why\": \"...\"}             with --explain
  {\"type\": \"total\", \"passed\": 284, \"failed\": 0}")]
pub struct Conform {
    /// The system that was recorded
    #[arg(value_enum)]
    system: System,
    /// The folder of scenarios
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// A KubeSchedulerConfiguration in place of the recordings' own
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Tell what is not compared, and why
    #[arg(long)]
    explain: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// A system of which there are recordings.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum System {
    /// kube-scheduler
    Kube,
    /// slurmctld, its commands, Enroot and Pyxis
    Slurm,
}

/// What is told, as `--json` prints it.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Line<'a> {
    Scenario { id: &'a str, agrees: bool, differences: &'a [String] },
    LeftOut { what: &'a str, why: &'a str },
    Total { passed: usize, failed: usize },
}

impl Conform {
    /// Replays all scenarios.
    pub fn run(self) -> anyhow::Result<u8> {
        let files = scenarios(&self.folder)?;
        let left_out = match self.system {
            System::Kube => conform::LEFT_OUT,
            System::Slurm => slurm::LEFT_OUT,
        };
        let config = match self.system {
            System::Kube => Some(self.configuration()?),
            System::Slurm => None,
        };
        let (mut passed, mut failed) = (0, 0);
        for file in files {
            let (id, differences) = match &config {
                Some(config) => {
                    let verdict = conform::replay(&read(&file)?, config);
                    let verdict = verdict.map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
                    (verdict.id, verdict.differences)
                }
                None => slurm_scenario(&file)?,
            };
            let (id, differences) = (id.as_str(), differences.as_slice());
            let agrees = differences.is_empty();
            if agrees {
                passed += 1;
            } else {
                failed += 1;
            }
            if self.json {
                output::json_line(&Line::Scenario { id, agrees, differences })?;
            } else if let Some(first) = differences.first() {
                output::text(&format!("{id}: {first}\n"))?;
            }
        }
        if self.explain {
            for (what, why) in left_out {
                if self.json {
                    output::json_line(&Line::LeftOut { what, why })?;
                } else {
                    output::text(&format!("left out: {what}: {why}\n"))?;
                }
            }
        }
        if self.json {
            output::json_line(&Line::Total { passed, failed })?;
        } else {
            output::text(&format!("{passed} passed, {failed} failed\n"))?;
        }
        Ok(u8::from(failed > 0))
    }

    fn configuration(&self) -> anyhow::Result<SchedulerConfiguration> {
        if let Some(file) = &self.config {
            let name = file.display();
            let text =
                fs::read_to_string(file).with_context(|| format!("cannot read the configuration {name}"))?;
            return SchedulerConfiguration::from_yaml(&text)
                .map_err(|error| anyhow::anyhow!("the configuration {name} has mistakes:\n{error}"));
        }
        let above = self.folder.canonicalize()?.parent().map(|folder| folder.join("profiles.json"));
        let profiles = [Some(self.folder.join("profiles.json")), above];
        match profiles.into_iter().flatten().find(|path| path.is_file()) {
            Some(path) => conform::configuration(&read(&path)?)
                .map_err(|error| anyhow::anyhow!("{}: {error}", path.display())),
            None => conform::configuration(&serde_json::json!([{}])).map_err(anyhow::Error::msg),
        }
    }
}

/// The scenarios of a folder, by name.
fn scenarios(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let name = folder.display();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read the folder {name}"))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read the folder {name}"))?.path();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if is_json && path.file_name().is_none_or(|name| name != "profiles.json") {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("there is no scenario (*.json) in {name}");
    }
    files.sort();
    Ok(files)
}

/// Replays a recording of Slurm: its name and what differs.
fn slurm_scenario(path: &Path) -> anyhow::Result<(String, Vec<String>)> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let recording = slurm::Recording::read(&text).with_context(|| name.to_string())?;
    let differences = slurm::differences(&recording).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
    Ok((recording.name, differences.iter().map(ToString::to_string).collect()))
}

fn read(path: &Path) -> anyhow::Result<Value> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    serde_json::from_str(&text).with_context(|| format!("{name} is not JSON"))
}
