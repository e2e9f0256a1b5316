//! `cargo xtask first-visit`: learns what a first visit needs of the lab's module, so that the rest can come later.
//!
//! The module is built so that it notes which of its functions run; a browser does the first exercise with it, and what
//! never ran is written to `web-lab/later.txt`, by which `cargo xtask lab` divides the module. Run it when the first visit
//! has become larger: functions that are not on the list are part of it.

use anyhow::Result;

use crate::lab::{self, Options};
use crate::needs;
use crate::workspace::{cargo, run as run_command, target_dir};

/// Builds the counting lab, visits it, and writes the list.
///
/// # Errors
/// When the build fails, or Chromium is missing or something does not show on the page.
pub fn run() -> Result<()> {
    needs::chromium()?;
    let site = target_dir()?.join("counting-site");
    lab::build(&Options { count: true, ..Options::default() }, &site)?;
    run_command(
        cargo(["run", "-p", "clusterlab-tests", "--example", "first_visit"]).env("CLUSTERLAB_SITE", site),
    )
}
