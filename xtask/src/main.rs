//! Reads the command line and calls the library.

use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::prelude::{Long, Short, Value, ValueExt};

const HELP: &str = "\
cargo xtask lab [--port N] [--open] [--dev] [--out DIR]
    Build the browser lab and the book and serve both on http://127.0.0.1:8787/.
    --port N    another port (0: any free one)
    --open      open the address in the browser
    --dev       compile the lab without optimising: quicker to build, larger to load
    --release   compile the lab for size (the default)
    --out DIR   write the site to DIR instead of serving it; it works on any static
                web host, under any path

cargo xtask test [--fast] [--nightly] [--only STEP]...
    Run every check. What it needs and does not find it installs, where it may.
    --fast      leave out the checks that build the browser lab
    --nightly   also the checks that take their time
    --only STEP run this step alone (may be repeated)
    --list      print the steps

cargo xtask first-visit
    Do the first exercise in a browser, note which functions of the lab run, and write
    the others to web-lab/later.txt: they are downloaded when they are called.

cargo xtask gpu-check [--build DIR]
    On a machine with NVIDIA GPUs: compare what we read with its nvidia-smi, and print
    the record for nvml-backend/HARDWARE.md.
    --build DIR only write the program to DIR; it runs on a GPU machine without anything else
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
    let mut arguments = lexopt::Parser::from_env();
    match arguments.next()? {
        Some(Value(command)) if command == "lab" => lab(&mut arguments),
        Some(Value(command)) if command == "test" => test(&mut arguments),
        Some(Value(command)) if command == "first-visit" => match arguments.next()? {
            None => xtask::first_visit::run(),
            Some(other) => Err(other.unexpected().into()),
        },
        Some(Value(command)) if command == "gpu-check" => gpu_check(&mut arguments),
        None | Some(Short('h') | Long("help")) => {
            print!("{HELP}");
            Ok(())
        }
        Some(Value(command)) => bail!("unknown command {}\n\n{HELP}", command.display()),
        Some(other) => Err(other.unexpected().into()),
    }
}

fn lab(arguments: &mut lexopt::Parser) -> Result<()> {
    let mut options = xtask::lab::Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => options.port = arguments.value()?.parse()?,
            Long("open") => options.open = true,
            Long("dev") => options.dev = true,
            Long("release") => options.dev = false,
            Long("out") => options.out = Some(arguments.value()?.into()),
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    xtask::lab::run(&options)
}

fn test(arguments: &mut lexopt::Parser) -> Result<()> {
    let mut options = xtask::test::Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("fast") => options.fast = true,
            Long("nightly") => options.nightly = true,
            Long("only") => options.only.push(arguments.value()?.string()?),
            Long("list") => {
                print!("{}", xtask::test::list());
                return Ok(());
            }
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    xtask::test::run(&options)
}

fn gpu_check(arguments: &mut lexopt::Parser) -> Result<()> {
    let mut build: Option<std::path::PathBuf> = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("build") => build = Some(arguments.value()?.into()),
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    xtask::gpu_check::run(build.as_deref())
}
