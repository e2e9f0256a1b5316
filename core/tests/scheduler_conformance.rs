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

/// A recording of a gang in which one fact after the other is made wrong: each must be noticed.
fn falsified(folder: &Path) -> Trial {
    let scenario = read(&folder.join("g0014-gang.json"));
    let profiles = read(&folder.join("profiles.json"));
    Trial::test("a wrong recording of a gang is noticed", move || {
        let config = conform::configuration(&profiles)?;
        for path in [
            "/outcome/finalPlacement/g0014~1g-0",
            "/outcome/steps/3/pods/g-1/node",
            "/outcome/podGroupConditions/g/0/status",
            "/outcome/podGroupAttempts/g0014~1g",
            "/outcome/podGroupLog/0/score",
            "/outcome/stepAttempts/g0014~1g-1/0/raw/g0014-n2/NodeResourcesFit",
            "/outcome/stepAttempts/g0014~1g-1/1/bound",
        ] {
            let mut wrong = scenario.clone();
            *wrong.pointer_mut(path).ok_or_else(|| format!("{path} is not in the recording"))? = 77.into();
            if conform::replay(&wrong, &config)?.differences.is_empty() {
                return Err(format!("{path}: nobody noticed").into());
            }
        }
        Ok(())
    })
}

fn main() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    let fixtures = package.join("tests/fixtures/kube-scheduler");
    trials("fixtures", &fixtures, &fixtures.join("profiles.json"), &mut all);
    all.push(falsified(&fixtures));
    let data = std::env::var_os("CLUSTERLAB_DATA")
        .map_or_else(|| package.join("../../shared/oracle"), PathBuf::from);
    if data.join("kube/scheduler").is_dir() {
        trials("recorded", &data.join("kube/scheduler"), &data.join("kube/profiles.json"), &mut all);
        trials("gang", &data.join("kube/gang"), &data.join("kube/profiles.json"), &mut all);
    } else {
        let text = format!("no recordings in {}: set CLUSTERLAB_DATA", data.display());
        all.push(Trial::test("recorded", move || Err(text.into())).with_ignored_flag(true));
    }
    libtest_mimic::run(&Arguments::from_args(), all).exit();
}
