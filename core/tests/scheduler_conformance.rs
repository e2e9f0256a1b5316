//! kube-scheduler's recorded decisions, replayed: one test per scenario.
//!
//! Some scenarios are in the repository. All others are read from
//! `$CLUSTERLAB_DATA` (by default `../shared/oracle` beside the repository);
//! where they are absent, and where a scenario needs what is not modelled yet,
//! the test is ignored.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clusterlab::kube::scheduler::{SchedulerConfiguration, conform};
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One test per scenario of a folder.
fn trials(kind: &str, folder: &Path, profiles: &Path, trials: &mut Vec<Trial>) {
    let config: Arc<SchedulerConfiguration> =
        Arc::new(conform::configuration(&read(profiles)).expect("profiles that are modelled"));
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == "profiles" || file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let scenario = read(&file);
        let ignored = conform::not_modelled(&scenario).is_some();
        let config = Arc::clone(&config);
        let trial = Trial::test(format!("{kind}::{name}"), move || {
            let verdict = conform::replay(&scenario, &config)?;
            if verdict.differences.is_empty() { Ok(()) } else { Err(verdict.differences.join("\n").into()) }
        });
        trials.push(trial.with_ignored_flag(ignored));
    }
}

fn main() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    let fixtures = package.join("tests/fixtures/kube-scheduler");
    trials("fixtures", &fixtures, &fixtures.join("profiles.json"), &mut all);
    let data = std::env::var_os("CLUSTERLAB_DATA")
        .map_or_else(|| package.join("../../shared/oracle"), PathBuf::from);
    if data.join("kube/scheduler").is_dir() {
        trials("recorded", &data.join("kube/scheduler"), &data.join("kube/profiles.json"), &mut all);
    } else {
        let text = format!("no recordings in {}: set CLUSTERLAB_DATA", data.display());
        all.push(Trial::test("recorded", move || Err(text.into())).with_ignored_flag(true));
    }
    libtest_mimic::run(&Arguments::from_args(), all).exit();
}
