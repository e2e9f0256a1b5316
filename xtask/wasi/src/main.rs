//! `xtask-wasi PROGRAM.wasm ARGUMENTS…`: runs a program that was compiled for `wasm32-wasip1`.
//!
//! Cargo calls it for `cargo test --target wasm32-wasip1`, as that target's runner, so that the engine's own tests run
//! as the WebAssembly that the browser gets: 32-bit addresses, its own floating point, no system below. The interpreter
//! is `wasmi`, a library, so nothing has to be installed; it starts at once, where a compiler would spend longer on
//! translating the test binary than most tests take.
//!
//! The world of the program is small: its arguments, the variables that tests know, standard output and error, a
//! clock, and the workspace's files, read-only. [`wasi`] provides it; every other call answers "not supported".

mod files;
mod wasi;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use wasmi::{Config, Engine, Linker, Module, Store};

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(101)
        }
    }
}

fn run() -> Result<u8> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let program = arguments.first().context("usage: xtask-wasi PROGRAM.wasm [ARGUMENT]...")?.clone();
    // What a test program is called decides nothing, but its own path would show in its output.
    arguments[0] = Path::new(&program).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let binary = std::fs::read(&program).with_context(|| format!("cannot read {program}"))?;

    let engine = Engine::new(&Config::default());
    let module =
        Module::new(&engine, &binary).with_context(|| format!("{program} is no module that can run here"))?;
    let mut linker = Linker::new(&engine);
    wasi::define(&mut linker, &module)?;
    let mut store = Store::new(&engine, wasi::World::new(arguments, workspace_folders()?));
    let outcome = linker
        .instantiate_and_start(&mut store, &module)
        .and_then(|instance| instance.get_typed_func::<(), ()>(&store, "_start"))
        .and_then(|start| start.call(&mut store, ()));
    let Err(error) = outcome else { return Ok(0) };
    if let Some(status) = error.i32_exit_status() {
        return Ok(u8::try_from(status).unwrap_or(u8::MAX));
    }
    // A failed test ends the program here: this target cannot unwind. Its message stands above.
    let refused: Vec<_> = store.data().refused().collect();
    if !refused.is_empty() {
        eprintln!("calls that are not supported here: {}", refused.join(", "));
    }
    Err(anyhow::Error::msg(error.to_string()).context("the program was stopped"))
}

/// What the program may read: the current folder under `.` (cargo sets it to the package's), and the whole workspace
/// under its full path, because `env!("CARGO_MANIFEST_DIR")` is absolute.
fn workspace_folders() -> Result<Vec<(String, std::path::PathBuf)>> {
    let here = std::env::current_dir()?.canonicalize()?;
    let is_workspace = |folder: &&Path| {
        std::fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.contains("[workspace]"))
    };
    let root = here.ancestors().find(is_workspace).unwrap_or(&here);
    Ok(vec![(".".into(), here.clone()), (root.to_string_lossy().into_owned(), root.to_path_buf())])
}
