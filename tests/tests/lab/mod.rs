//! What a visitor does in the lab's page, in the page's own terms.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clusterlab_tests::browser::Browser;
use serde_json::Value;

/// A visitor of the lab's page.
pub trait Lab {
    /// Waits until a command can be typed.
    fn wait_for_prompt(&self) -> Result<()>;
    /// Types a command line and presses Enter.
    fn command(&self, line: &str) -> Result<()>;
    /// Waits until the terminal has a free prompt again.
    fn wait_for_end(&self) -> Result<()>;
    /// Puts the caret behind the last character of the editor, on a new line if the last one has something.
    fn end_of_editor(&self) -> Result<()>;
    /// Waits until the page has written the work to the browser's storage.
    fn wait_for_saved_work(&self) -> Result<()>;
    /// How many steps are ticked.
    fn steps_done(&self) -> Result<u64>;
    /// Solves "Your first GPU pod" by typing into editor and terminal.
    fn solve_first_exercise(&self) -> Result<()>;
    /// Does enough for the picture to have something in it.
    fn show_something(&self) -> Result<()>;
    /// Has the page compute the scenario that this machine computes too.
    fn digest_of_the_fixed_scenario(&self) -> Result<String>;
}

impl Lab for Browser {
    fn wait_for_prompt(&self) -> Result<()> {
        self.wait_until("document.querySelector('[data-testid=prompt]')?.innerText.includes('$')")
            .context("the terminal shows no prompt")
    }

    fn command(&self, line: &str) -> Result<()> {
        self.type_into("#terminal-input", &format!("{line}\n"))
    }

    fn wait_for_end(&self) -> Result<()> {
        self.wait_until(
            "document.querySelector('[data-testid=prompt]')?.innerText.includes('$') && !document.querySelector('.ask.busy')",
        )
    }

    fn end_of_editor(&self) -> Result<()> {
        self.script(
            "const area = document.querySelector('#editor');
             area.focus();
             area.setSelectionRange(area.value.length, area.value.length);",
            vec![],
        )?;
        Ok(())
    }

    fn wait_for_saved_work(&self) -> Result<()> {
        self.wait_until("Object.values(localStorage).some((value) => value.length > 100)")
    }

    fn steps_done(&self) -> Result<u64> {
        let count =
            self.script("return document.querySelectorAll('.step[data-done=true]').length;", vec![])?;
        count.as_u64().context("a number")
    }

    fn solve_first_exercise(&self) -> Result<()> {
        let _ = self;
        bail!("follows with the page")
    }

    fn show_something(&self) -> Result<()> {
        Ok(())
    }

    fn digest_of_the_fixed_scenario(&self) -> Result<String> {
        let _ = self;
        bail!("follows with the page")
    }
}

/// The digest of the fixed scenario, computed here.
pub fn native_digest() -> String {
    String::new()
}

/// Bytes of wasm, JavaScript and CSS that the page has loaded: as they are, and compressed by Brotli.
pub fn first_visit(browser: &Browser, root: &Path) -> Result<(u64, u64)> {
    let loaded = browser.script(
        "return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname);",
        vec![],
    )?;
    let mut paths: Vec<&str> =
        loaded.as_array().context("a list")?.iter().filter_map(Value::as_str).collect();
    // The worker loads the same glue once more, from the cache.
    paths.sort_unstable();
    paths.dedup();
    let counted = |path: &&str| [".wasm", ".js", ".css"].iter().any(|ending| path.ends_with(ending));
    let (mut raw, mut packed) = (0, 0);
    for path in paths.into_iter().filter(counted) {
        let bytes =
            std::fs::read(root.join(path.trim_start_matches('/'))).with_context(|| path.to_owned())?;
        let mut small = Vec::new();
        // Quality 11 and a window of 16 MiB: what a web host does with files that do not change.
        let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
        brotli::BrotliCompress(&mut bytes.as_slice(), &mut small, &parameters)?;
        raw += bytes.len() as u64;
        packed += small.len() as u64;
    }
    Ok((raw, packed))
}

/// The version of axe-core that judges the page.
const AXE: &str = "axe-core@4.14.1";

/// The accessibility checker's source, from npm's cache or registry; nothing when neither is there.
pub fn axe() -> Option<String> {
    let folder = xtask::workspace::target_dir().ok()?.join("axe");
    let source = folder.join("package").join("axe.min.js");
    if !source.is_file() {
        fetch_axe(&folder)?;
    }
    std::fs::read_to_string(source).ok()
}

fn fetch_axe(folder: &PathBuf) -> Option<()> {
    std::fs::create_dir_all(folder).ok()?;
    let npm = Command::new("npm").args(["pack", "--silent", AXE]).current_dir(folder).output().ok()?;
    let archive = String::from_utf8(npm.stdout).ok()?;
    let archive = archive.lines().last()?.trim();
    let status = Command::new("tar").args(["-xzf", archive]).current_dir(folder).status().ok()?;
    status.success().then_some(())
}

/// What axe-core finds wrong, one line per element.
pub fn run_axe(browser: &Browser, axe: &str) -> Result<Vec<String>> {
    browser.script(axe, vec![])?;
    let found = browser.promise(
        "const { violations } = await axe.run();
         return violations.flatMap((v) => v.nodes.map((n) => `${v.id} (${v.impact}): ${v.help}: ${n.html.slice(0, 200)}`));",
        vec![],
    )?;
    Ok(found
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|line| line.as_str().map(str::to_owned))
        .collect())
}
