//! The lab's files for the browser: wasm-bindgen's output and the static files beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::split::{self, Counted, Later};

/// The crate's name in file names.
const NAME: &str = "clusterlab_web";
/// The same for the module that knows Slurm too, and the page that loads it.
const SLURM: &str = "clusterlab_slurm";
const SLURM_PAGE: &str = "slurm.html";

/// The script through which a page and its worker get the rest of a module.
const REST_SCRIPT: &str = "rest.js";
/// What it is in a module that counts: it answers everybody who asks which functions ran.
const COUNTING_SCRIPT: &str = r#"export const restOf = (exports) => {
  const channel = new BroadcastChannel("ran");
  channel.onmessage = ({ data }) => {
    if (data !== "who?") return;
    const ran = [];
    new Uint8Array(exports.ran.buffer).forEach((passed, point) => passed && ran.push(point));
    channel.postMessage(ran);
  };
  return () => {};
};
"#;
/// The functions of a module that counts, one per line: how many points, size, name.
pub const FUNCTIONS: &str = "functions.txt";

/// What is done with the module of the first visit.
#[derive(Debug)]
pub enum First {
    /// Nothing: for development.
    Whole,
    /// These functions go to a module of their own.
    Split(Later),
    /// It notes which functions run.
    Counting,
}

/// Writes `index.html` to `out`, and everything that it loads to `out/assets/<fingerprint>/`.
///
/// Inside the static folder all files stand side by side and name each other by relative paths. They stay side by
/// side; only `index.html` moves up, and its references are rewritten.
///
/// Each folder of `exercises` becomes a file of its own, which is loaded when the exercise is opened.
///
/// With `slurm`, a second module of the same crate, there is a second page, `slurm.html`: exercises about Slurm are done
/// there, so that a first visit does not load what it does not need.
///
/// # Errors
/// When a file cannot be read or written, or wasm-bindgen refuses the module.
pub fn bundle(
    wasm: &Path,
    slurm: Option<&Path>,
    static_files: &Path,
    exercises: &Path,
    out: &Path,
    dev: bool,
    first: &First,
) -> Result<()> {
    let assets = out.join("assets");
    if assets.is_dir() {
        fs::remove_dir_all(&assets)?;
    }
    let fresh = assets.join("fresh");
    fs::create_dir_all(&fresh)?;
    for (module, name) in [(Some(wasm), NAME), (slurm, SLURM)] {
        let Some(module) = module else { continue };
        // The names say which functions can come later.
        let names = dev || (name == NAME && !matches!(first, First::Whole));
        Bindgen::new()
            .input_path(module)
            .out_name(name)
            .web(true)?
            .typescript(false)
            .debug(dev)
            .keep_debug(dev)
            .demangle(dev)
            .remove_name_section(!names)
            .remove_producers_section(!dev)
            .generate(&fresh)
            .with_context(|| format!("wasm-bindgen on {}", module.display()))?;
    }
    let module = fresh.join(format!("{NAME}_bg.wasm"));
    match first {
        First::Whole => {}
        First::Split(later) => {
            let parts = split::split(&fs::read(&module)?, later)?;
            fs::write(&module, parts.first)?;
            fs::write(fresh.join(format!("{NAME}_rest.wasm")), parts.rest)?;
        }
        First::Counting => {
            let (counting, functions) = split::counting(&fs::read(&module)?)?;
            fs::write(&module, counting)?;
            let line = |counted: &Counted| format!("{} {} {}", counted.points, counted.size, counted.name);
            fs::write(out.join(FUNCTIONS), functions.iter().map(line).collect::<Vec<_>>().join("\n"))?;
        }
    }
    for folder in folders(exercises)? {
        let (id, files) = exercise(&folder)?;
        fs::write(fresh.join(format!("exercise-{id}.json")), files)?;
    }
    let mut page = None;
    for entry in fs::read_dir(static_files).with_context(|| format!("no {}", static_files.display()))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == "index.html") {
            page = Some(fs::read_to_string(&path)?);
        } else if path.is_file() {
            fs::copy(&path, fresh.join(path.file_name().unwrap_or_default()))?;
        }
    }
    if matches!(first, First::Counting) {
        fs::write(fresh.join(REST_SCRIPT), COUNTING_SCRIPT)?;
    }
    let Some(page) = page else { bail!("{} has no index.html", static_files.display()) };
    let names = file_names(&fresh)?;
    let fingerprint = fingerprint(&fresh, &names)?;
    fs::rename(&fresh, assets.join(&fingerprint))?;
    let folder = format!("assets/{fingerprint}/");
    fs::write(out.join("index.html"), with_folder(&page, &names, &folder))?;
    // In a build for development one module knows everything.
    let module = if slurm.is_some() { SLURM } else { NAME };
    let page = with_folder(&slurm_page(&page, module), &names, &folder);
    fs::write(out.join(SLURM_PAGE), page.replace("boot.js\"", &format!("boot.js?module={module}\"")))?;
    Ok(())
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(parent).with_context(|| format!("no {}", parent.display()))?;
    let mut folders: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    folders.retain(|path| path.is_dir());
    Ok(folders)
}

/// The id of an exercise and its files, by path, as JSON: without what only the verification of exercises reads, the
/// scripts that go wrong and the text of the solution. A learner could look them up.
fn exercise(folder: &Path) -> Result<(String, String)> {
    let mut files = BTreeMap::new();
    read_into(&mut files, folder, "")?;
    files.retain(|path, _| !path.starts_with("wrong/"));
    files.entry("solution.sh".to_owned()).and_modify(String::clear);
    let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((id, serde_json::to_string(&files)?))
}

fn read_into(files: &mut BTreeMap<String, String>, folder: &Path, prefix: &str) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let relative = format!("{prefix}{name}");
        if path.is_dir() {
            read_into(files, &path, &format!("{relative}/"))?;
        } else {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            files.insert(relative, text);
        }
    }
    Ok(())
}

/// The page for exercises about Slurm: another module, and one more sheet of styles.
fn slurm_page(page: &str, module: &str) -> String {
    let style = "<link rel=\"stylesheet\" href=\"style.css\">";
    page.replace(NAME, module)
        .replace(style, &format!("{style}\n<link rel=\"stylesheet\" href=\"slurm.css\">"))
}

fn file_names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// FNV-1a over names and contents. It tells versions apart; nobody attacks it.
fn fingerprint(folder: &Path, names: &[String]) -> Result<String> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for name in names {
        for byte in name.bytes().chain(fs::read(folder.join(name))?) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    Ok(format!("{hash:016x}"))
}

/// Puts the folder before each reference to one of the files.
fn with_folder(page: &str, names: &[String], folder: &str) -> String {
    let mut page = page.to_owned();
    for name in names {
        for attribute in ["href", "src"] {
            for before in ["", "./"] {
                page = page.replace(
                    &format!("{attribute}=\"{before}{name}\""),
                    &format!("{attribute}=\"{folder}{name}\""),
                );
            }
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_an_exercise_has_what_a_learner_gets_and_not_the_solution() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../exercises/data");
        for folder in folders(&data).unwrap() {
            let (id, files) = exercise(&folder).unwrap();
            let files: BTreeMap<String, String> = serde_json::from_str(&files).unwrap();
            for name in ["exercise.yaml", "lab.yaml", "en.md", "ko.md"] {
                assert!(files.get(name).is_some_and(|text| !text.is_empty()), "{id}: {name}");
            }
            assert_eq!(files.get("solution.sh").map(String::as_str), Some(""), "{id}");
            assert!(files.keys().all(|name| !name.starts_with("wrong/")), "{id}");
        }
    }

    #[test]
    fn references_of_the_page_are_moved_and_links_elsewhere_stay() {
        let page = r#"<link href="style.css"><script src="./boot.js"></script><a href="book/">book</a>"#;
        let names = ["boot.js".to_owned(), "style.css".to_owned()];
        assert_eq!(
            with_folder(page, &names, "assets/0/"),
            r#"<link href="assets/0/style.css"><script src="assets/0/boot.js"></script><a href="book/">book</a>"#
        );
    }
}
