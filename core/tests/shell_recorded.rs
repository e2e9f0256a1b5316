//! The simulated shell against the real one: what bash 5.2 and Debian's utilities answered to the scripts in
//! `fixtures/shell` (see `record.sh` there), and what ours answers in virtual time.
//!
//! A script that is not answered alike stands in `fixtures/shell/open.txt` with the reason: the test fails when one
//! differs that is not listed, and when one is listed that agrees by now.

mod shell_machine;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use clusterlab::process::{Process, ProcessState, Stream};
use serde::Deserialize;
use shell_machine::{Machine, bash};

/// Instants that a script may take: none of them needs a tenth of it.
const MAX_INSTANTS: usize = 2_000;

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Answer {
    name: String,
    stdout: String,
    stderr: String,
    code: u8,
}

fn answer(name: &str, script: &str) -> Answer {
    let mut machine = Machine::new();
    let mut process = Process::exec(bash(script), &mut machine).unwrap();
    process.close_stdin();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut code = None;
    for _ in 0..MAX_INSTANTS {
        let state = process.advance(&mut machine);
        for (stream, bytes) in process.take_output() {
            if stream == Stream::Stdout { &mut stdout } else { &mut stderr }.extend(bytes);
        }
        match state {
            ProcessState::Running { wake: Some(wake), .. } => machine.now = wake.max(machine.now),
            ProcessState::Exited(status) => {
                code = Some(status);
                break;
            }
            state => {
                stderr.extend(format!("stuck: {state:?}\n").into_bytes());
                break;
            }
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Answer {
        name: name.to_owned(),
        stdout: text(stdout),
        stderr: text(stderr),
        code: code.unwrap_or(u8::MAX),
    }
}

/// The scripts of an area by name.
fn scripts(text: &str) -> BTreeMap<&str, String> {
    let mut scripts = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        match line.strip_prefix("#### ") {
            Some(next) => name = next,
            None if name.is_empty() => {}
            None => {
                let script: &mut String = scripts.entry(name).or_default();
                if !script.is_empty() {
                    script.push('\n');
                }
                script.push_str(line);
            }
        }
    }
    scripts.into_iter().map(|(name, text)| (name, text.trim_end_matches('\n').to_owned())).collect()
}

#[test]
fn every_recorded_script_answers_as_the_real_bash_does() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/shell");
    let open_text = std::fs::read_to_string(folder.join("open.txt")).unwrap();
    let open: BTreeSet<&str> = open_text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split('\t').next())
        .collect();
    let mut areas: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".json").map(ToOwned::to_owned))
        .collect();
    areas.sort();
    let only = std::env::var("SHELL_CASE").ok();
    let (mut alike, mut refused, mut report, mut seen) = (0, 0, String::new(), BTreeSet::new());
    for area in &areas {
        let text = std::fs::read_to_string(folder.join(format!("{area}.sh"))).unwrap();
        let scripts = scripts(&text);
        let recorded: Vec<Answer> =
            serde_json::from_str(&std::fs::read_to_string(folder.join(format!("{area}.json"))).unwrap())
                .unwrap();
        assert_eq!(recorded.len(), scripts.len(), "{area}: record it again");
        for expected in &recorded {
            let id = format!("{area}: {}", expected.name);
            if only.as_ref().is_some_and(|only| !id.contains(only.as_str())) {
                continue;
            }
            let got = answer(&expected.name, &scripts[expected.name.as_str()]);
            let listed = open.contains(id.as_str());
            seen.insert(id.clone());
            if got == *expected {
                alike += 1;
                if listed {
                    writeln!(report, "{id}: agrees by now; take it off open.txt").unwrap();
                }
                continue;
            }
            if format!("{}{}", got.stdout, got.stderr).contains("not modelled: ") {
                refused += 1;
            }
            if !listed || only.is_some() {
                writeln!(
                    report,
                    "=== {id}\n{}\n--- real {}\n{}",
                    scripts[expected.name.as_str()],
                    expected.code,
                    expected.stdout
                )
                .unwrap();
                writeln!(
                    report,
                    "2> {}\n--- ours {}\n{}\n2> {}",
                    expected.stderr, got.code, got.stdout, got.stderr
                )
                .unwrap();
            }
        }
    }
    println!(
        "{alike} of {} scripts alike; {} open, {refused} of them refused as not modelled",
        seen.len(),
        open.len()
    );
    assert!(report.is_empty(), "{report}");
    assert!(
        open.iter().all(|id| only.is_some() || seen.contains(*id)),
        "open.txt names scripts that are gone"
    );
}
