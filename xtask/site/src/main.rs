//! `xtask-site`: puts the site together from the compiled lab, its static files and the book.
//!
//! It is a program of its own, called by `cargo xtask lab`, because what it stands on (the bundler of wasm-bindgen,
//! mdBook, gettext for Markdown) takes a minute to compile, and most other tasks do not need it. It prints one line on
//! standard output for each part that it begins.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use lexopt::prelude::{Long, Value};
use xtask_site::bundle::First;
use xtask_site::split::Later;
use xtask_site::{book, bundle, messages};

const HELP: &str = "\
xtask-site --root DIR --wasm FILE [--slurm FILE] --out DIR [--dev|--count]   build the site
xtask-site messages --root DIR                        bring book/po/ko.po up to date with the source
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let (mut root, mut wasm, mut out) = (None::<PathBuf>, None::<PathBuf>, None::<PathBuf>);
    let mut slurm = None::<PathBuf>;
    let (mut dev, mut count, mut update) = (false, false, false);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("root") => root = Some(arguments.value()?.into()),
            Long("wasm") => wasm = Some(arguments.value()?.into()),
            Long("slurm") => slurm = Some(arguments.value()?.into()),
            Long("out") => out = Some(arguments.value()?.into()),
            Long("dev") => dev = true,
            Long("count") => count = true,
            Value(command) if command == "messages" => update = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let root = root.context(HELP)?;
    let book_root = root.join("book");
    if update {
        let report = messages::update(&book_root)?;
        println!("{report}");
        return Ok(());
    }
    let (wasm, out) = (wasm.context(HELP)?, out.context(HELP)?);
    std::fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    println!("bundling the lab");
    let lab = root.join("web-lab");
    let first = if count {
        First::Counting
    } else if dev {
        First::Whole
    } else {
        let list = lab.join("later.txt");
        let text = std::fs::read_to_string(&list).with_context(|| format!("no {}", list.display()))?;
        First::Split(Later::parse(&text)?)
    };
    let (files, exercises) = (lab.join("static"), root.join("exercises").join("data"));
    bundle::bundle(&wasm, slurm.as_deref(), &files, &exercises, &out, dev, &first)?;
    println!("rendering the book in English");
    book::render(&book_root, book::Language::English, &out.join("book"))?;
    println!("rendering the book in Korean");
    book::render(&book_root, book::Language::Korean, &out.join("book").join("ko"))?;
    Ok(())
}
