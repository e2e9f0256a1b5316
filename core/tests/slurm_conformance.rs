//! What the real Slurm did, replayed: one test per recording.
//!
//! `tests/fixtures/slurm/open.txt` names the recordings that still differ, and why. Such a test is ignored; one that
//! agrees although it is named there fails, so that the list stays true.

use std::fs;
use std::path::Path;

use clusterlab::slurm::conform::{self, Recording};
use libtest_mimic::{Arguments, Failed, Trial};

fn differences(path: &Path) -> Result<Vec<String>, Failed> {
    let recording = Recording::read(&fs::read_to_string(path)?)?;
    Ok(conform::differences(&recording)?.iter().map(ToString::to_string).collect())
}

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slurm");
    let open = fs::read_to_string(folder.join("open.txt")).expect("the list of recordings that differ");
    let open: Vec<String> = open
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    let mut trials = Vec::new();
    let mut still_open = Vec::new();
    for file in files.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "json"))
    {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_open = open.contains(&name);
        if is_open {
            still_open.push(file.clone());
        }
        let trial = Trial::test(name, move || {
            let differ = differences(&file)?;
            if differ.is_empty() { Ok(()) } else { Err(differ.join("\n").into()) }
        });
        trials.push(trial.with_ignored_flag(is_open));
    }
    trials.push(Trial::test("recordings that are listed as different differ", move || {
        for file in still_open {
            if differences(&file)?.is_empty() {
                return Err(format!("{} agrees: take it off open.txt", file.display()).into());
            }
        }
        Ok(())
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
