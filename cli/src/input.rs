//! What the commands are given: scripts, specs, exercises.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use clusterlab::lab::LabSpec;
use clusterlab_exercises::{Exercise, Lang};

/// A script that is larger is a mistake.
const LARGEST_SCRIPT: u64 = 16 << 20;

/// Reads a script; `-` is standard input.
pub fn script(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(LARGEST_SCRIPT + 1).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read the script {name}"))?;
        file.take(LARGEST_SCRIPT + 1).read_to_string(&mut text)
    };
    let length = read.with_context(|| format!("cannot read the script {name}"))?;
    if length as u64 > LARGEST_SCRIPT {
        bail!("the script {name} is larger than {LARGEST_SCRIPT} bytes");
    }
    Ok(text)
}

/// Reads a lab spec.
pub fn spec(path: &Path) -> anyhow::Result<LabSpec> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the lab spec {name}"))?;
    LabSpec::from_yaml(&text).with_context(|| format!("the lab spec {name} has a mistake"))
}

/// The exercise of an id, or that of a folder.
pub fn exercise(name: &str) -> anyhow::Result<Exercise> {
    let folder = PathBuf::from(name);
    // An id has neither a separator nor a dot; what is a folder and an id is the id,
    // as `./NAME` can always name the folder.
    if let Some(exercise) = Exercise::find(name)? {
        return Ok(exercise);
    }
    if !folder.is_dir() {
        let known: Vec<_> = Exercise::all()?.into_iter().map(|exercise| exercise.id).collect();
        bail!("no exercise and no folder is called \"{name}\"; the exercises are: {}", known.join(", "));
    }
    Exercise::load(&folder).map_err(|error| anyhow!("the exercise in {name} has mistakes:\n{error}"))
}

/// The language of what is told to people.
#[derive(Clone, Copy, Debug, Args)]
pub struct Language {
    /// Language of titles and hints [default: from the environment variable LANG, else en]
    #[arg(long, value_parser = parse_lang, value_name = "en|ko")]
    lang: Option<Lang>,
}

impl Language {
    /// The one that was asked for, or that of the environment.
    pub fn get(self) -> Lang {
        let korean = || ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok());
        self.lang.unwrap_or_else(|| {
            if korean().is_some_and(|value| value.starts_with("ko")) { Lang::Ko } else { Lang::En }
        })
    }
}

fn parse_lang(text: &str) -> Result<Lang, String> {
    Lang::ALL.into_iter().find(|lang| lang.code() == text).ok_or_else(|| "expected en or ko".to_owned())
}
