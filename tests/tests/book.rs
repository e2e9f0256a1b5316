//! The book's console blocks are run through the lab: what a page shows is what a reader sees.

use std::path::{Path, PathBuf};

use clusterlab::lab::{Lab, LabSpec};
use clusterlab_tests::console::{Step, compare, steps};

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages.extend(self::pages(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages
}

/// Runs a page; gives how many commands it ran, and what differs.
fn run(page: &Path) -> (usize, Vec<String>) {
    let text = std::fs::read_to_string(page).unwrap();
    let steps = match steps(&text) {
        Ok(steps) => steps,
        Err(error) => return (0, vec![error]),
    };
    let mut lab: Option<Lab> = None;
    let (mut commands, mut differences) = (0, Vec::new());
    for step in steps {
        match (step, &mut lab) {
            (Step::Lab(spec), _) => {
                let path = page.with_file_name(spec);
                let spec =
                    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                let spec = LabSpec::from_yaml(&spec).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                lab = Some(Lab::new(spec).unwrap());
            }
            (Step::File { name, text }, Some(lab)) => lab.write_file(&name, &text),
            (Step::Command(command), Some(lab)) => {
                commands += 1;
                let output = lab.run(&command.typed);
                // A terminal shows both in one window; no command of the book mixes them.
                let shown = output.shown();
                if let Err(difference) = compare(&command.printed, &shown) {
                    differences.push(format!("line {}: $ {}\n{difference}", command.line, command.typed));
                }
            }
            (Step::File { .. } | Step::Command(_), None) => {
                differences.push("a console block stands before `<!-- lab: … -->`".to_owned());
                return (commands, differences);
            }
        }
    }
    (commands, differences)
}

#[test]
fn every_console_block_of_the_book_prints_what_the_page_shows() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src");
    let (mut commands, mut report) = (0, Vec::new());
    for page in pages(&source) {
        let (ran, differences) = run(&page);
        commands += ran;
        let name = page.strip_prefix(&source).unwrap().display().to_string();
        report.extend(differences.iter().map(|difference| format!("{name}: {difference}\n")));
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
    assert!(commands > 10, "the book has {commands} commands only");
}
