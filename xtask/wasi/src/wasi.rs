//! The calls of WASI preview 1 that a test program of Rust's standard library makes. Numbers and layouts are those of
//! the specification (`wasi_snapshot_preview1`).

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use wasmi::{Caller, Error, ExternType, Linker, Module, Val};

use crate::files::{Files, Open, errno};

const PREVIEW_1: &str = "wasi_snapshot_preview1";
/// The address of a pointer into the program's memory.
type Pointer = u32;
type Answer<T> = Result<T, i32>;

/// What the program sees of the world.
#[derive(Debug)]
pub struct World {
    arguments: Vec<String>,
    environment: Vec<String>,
    files: Files,
    began: Instant,
    random: u64,
    refused: BTreeSet<String>,
    /// The line of standard error that is not finished yet.
    error_line: Vec<u8>,
}

impl World {
    pub fn new(arguments: Vec<String>, folders: Vec<(String, PathBuf)>) -> Self {
        let passed_on = |name: &str| {
            ["RUST_", "INSTA_", "PROPTEST_", "CLUSTERLAB_"].iter().any(|prefix| name.starts_with(prefix))
        };
        let mut environment: Vec<String> = std::env::vars()
            .filter(|(name, _)| passed_on(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        // A failed test ends the program, and with it what the harness holds back: show everything at once.
        environment.push("RUST_TEST_NOCAPTURE=1".into());
        // insta would ask `cargo` for the workspace, and write what differs; neither is possible here.
        if let Some((root, _)) = folders.last() {
            environment.push(format!("INSTA_WORKSPACE_ROOT={root}"));
        }
        environment.push("INSTA_UPDATE=no".into());
        Self {
            arguments,
            environment,
            files: Files::new(folders),
            began: Instant::now(),
            random: 1,
            refused: BTreeSet::new(),
            error_line: Vec::new(),
        }
    }
}

impl World {
    /// The calls that were answered with "not supported".
    pub fn refused(&self) -> impl Iterator<Item = &str> {
        self.refused.iter().map(String::as_str)
    }

    /// Standard error, line by line, without what proptest says at each test on this target: that it cannot write
    /// a failing case down beside its source. The native run does that.
    fn write_error(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.error_line.push(*byte);
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.error_line);
                if !line.starts_with(b"proptest: F") {
                    // Whoever read our output has gone: the program need not know. The same below.
                    std::io::stderr().write_all(&line).ok();
                }
            }
        }
    }
}

/// Gives the linker what `module` asks for. A call that is not among ours is answered with "not supported".
///
/// # Errors
/// When the module imports something that is not a function of WASI.
pub fn define(linker: &mut Linker<World>, module: &Module) -> Result<()> {
    linker.func_wrap(
        PREVIEW_1,
        "args_sizes_get",
        |c: Caller<'_, World>, count: Pointer, size: Pointer| {
            let list = c.data().arguments.clone();
            sizes(c, &list, count, size)
        },
    )?;
    linker.func_wrap(PREVIEW_1, "args_get", |c: Caller<'_, World>, list: Pointer, text: Pointer| {
        let strings = c.data().arguments.clone();
        write_strings(c, &strings, list, text)
    })?;
    linker.func_wrap(
        PREVIEW_1,
        "environ_sizes_get",
        |c: Caller<'_, World>, count: Pointer, size: Pointer| {
            let list = c.data().environment.clone();
            sizes(c, &list, count, size)
        },
    )?;
    linker.func_wrap(PREVIEW_1, "environ_get", |c: Caller<'_, World>, list: Pointer, text: Pointer| {
        let strings = c.data().environment.clone();
        write_strings(c, &strings, list, text)
    })?;
    linker.func_wrap(PREVIEW_1, "proc_exit", |status: i32| -> Result<(), Error> {
        Err(Error::i32_exit(status))
    })?;
    linker.func_wrap(PREVIEW_1, "sched_yield", || errno::SUCCESS)?;
    linker.func_wrap(PREVIEW_1, "random_get", random)?;
    linker.func_wrap(PREVIEW_1, "clock_time_get", clock)?;
    linker.func_wrap(
        PREVIEW_1,
        "fd_write",
        |c: Caller<'_, World>, fd: i32, at: Pointer, n: u32, out: Pointer| code(write(c, fd, at, n, out)),
    )?;
    linker.func_wrap(
        PREVIEW_1,
        "fd_read",
        |c: Caller<'_, World>, fd: i32, at: Pointer, n: u32, out: Pointer| code(read(c, fd, at, n, out)),
    )?;
    linker.func_wrap(
        PREVIEW_1,
        "fd_seek",
        |c: Caller<'_, World>, fd: i32, by: i64, from: i32, out: Pointer| code(seek(c, fd, by, from, out)),
    )?;
    linker.func_wrap(PREVIEW_1, "fd_close", |mut c: Caller<'_, World>, fd: i32| {
        code(c.data_mut().files.close(fd))
    })?;
    linker.func_wrap(PREVIEW_1, "fd_fdstat_get", |c: Caller<'_, World>, fd: i32, out: Pointer| {
        code(state(c, fd, out))
    })?;
    linker.func_wrap(PREVIEW_1, "fd_filestat_get", |c: Caller<'_, World>, fd: i32, out: Pointer| {
        code(file_state(c, fd, out))
    })?;
    linker.func_wrap(PREVIEW_1, "fd_prestat_get", |c: Caller<'_, World>, fd: i32, out: Pointer| {
        code(opened_before(c, fd, out))
    })?;
    linker.func_wrap(
        PREVIEW_1,
        "fd_prestat_dir_name",
        |c: Caller<'_, World>, fd: i32, out: Pointer, n: u32| code(opened_before_name(c, fd, out, n)),
    )?;
    linker.func_wrap(PREVIEW_1, "fd_readdir", list)?;
    linker.func_wrap(PREVIEW_1, "path_open", open)?;
    linker.func_wrap(
        PREVIEW_1,
        "path_filestat_get",
        |c: Caller<'_, World>, fd: i32, _follow: i32, path: Pointer, length: u32, out: Pointer| {
            code(path_state(c, fd, path, length, out))
        },
    )?;
    // There are no links as far as the program can see, so no name is one.
    linker.func_wrap(
        PREVIEW_1,
        "path_readlink",
        |_fd: i32, _path: Pointer, _length: u32, _out: Pointer, _room: u32, _written: Pointer| errno::INVAL,
    )?;
    define_the_rest(linker, module)
}

fn define_the_rest(linker: &mut Linker<World>, module: &Module) -> Result<()> {
    for import in module.imports() {
        let ExternType::Func(kind) = import.ty() else {
            anyhow::bail!("the program asks for {}.{}, which is no function", import.module(), import.name());
        };
        let name = import.name().to_owned();
        let not_supported = move |mut caller: Caller<'_, World>, _: &[Val], results: &mut [Val]| {
            caller.data_mut().refused.insert(name.clone());
            if let [result] = results {
                *result = Val::I32(errno::NOSYS);
            }
            Ok(())
        };
        // It fails for a name that is defined above, which then stays as it is.
        linker.func_new(import.module(), import.name(), kind.clone(), not_supported).ok();
    }
    Ok(())
}

fn code(answer: Answer<()>) -> i32 {
    answer.err().unwrap_or(errno::SUCCESS)
}

/// The program's memory together with the world.
fn split<'a>(caller: &'a mut Caller<'_, World>) -> Answer<(&'a mut [u8], &'a mut World)> {
    let memory = caller.get_export("memory").and_then(wasmi::Extern::into_memory).ok_or(errno::FAULT)?;
    Ok(memory.data_and_store_mut(caller))
}

fn slice(memory: &mut [u8], at: Pointer, length: u32) -> Answer<&mut [u8]> {
    let (at, length) = (at as usize, length as usize);
    at.checked_add(length).and_then(|end| memory.get_mut(at..end)).ok_or(errno::FAULT)
}

fn put(memory: &mut [u8], at: Pointer, bytes: &[u8]) -> Answer<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| errno::FAULT)?;
    slice(memory, at, length)?.copy_from_slice(bytes);
    Ok(())
}

fn get_u32(memory: &mut [u8], at: Pointer) -> Answer<u32> {
    let bytes = slice(memory, at, 4)?;
    Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn get_text(memory: &mut [u8], at: Pointer, length: u32) -> Answer<String> {
    String::from_utf8(slice(memory, at, length)?.to_vec()).map_err(|_| errno::INVAL)
}

fn sizes(mut caller: Caller<'_, World>, list: &[String], count: Pointer, size: Pointer) -> i32 {
    code(split(&mut caller).and_then(|(memory, _)| {
        let bytes: usize = list.iter().map(|text| text.len() + 1).sum();
        put(memory, count, &(list.len() as u32).to_le_bytes())?;
        put(memory, size, &(bytes as u32).to_le_bytes())
    }))
}

fn write_strings(mut caller: Caller<'_, World>, strings: &[String], list: Pointer, text: Pointer) -> i32 {
    code(split(&mut caller).and_then(|(memory, _)| {
        let mut at = text;
        for (index, string) in strings.iter().enumerate() {
            put(memory, list + 4 * index as u32, &at.to_le_bytes())?;
            put(memory, at, string.as_bytes())?;
            at += string.len() as u32;
            put(memory, at, &[0])?;
            at += 1;
        }
        Ok(())
    }))
}

/// Not random at all: a fixed sequence, so that a run can be repeated. Tests ask for it to seed hash maps.
fn random(mut caller: Caller<'_, World>, out: Pointer, length: u32) -> i32 {
    code(split(&mut caller).and_then(|(memory, world)| {
        for byte in slice(memory, out, length)? {
            world.random =
                world.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (world.random >> 56) as u8;
        }
        Ok(())
    }))
}

fn clock(mut caller: Caller<'_, World>, id: i32, _precision: i64, out: Pointer) -> i32 {
    code(split(&mut caller).and_then(|(memory, world)| {
        let now = match id {
            0 => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            _ => world.began.elapsed(),
        };
        put(memory, out, &(now.as_nanos() as u64).to_le_bytes())
    }))
}

fn write(mut caller: Caller<'_, World>, fd: i32, vectors: Pointer, count: u32, out: Pointer) -> Answer<()> {
    let (memory, world) = split(&mut caller)?;
    let mut bytes = Vec::new();
    for index in 0..count {
        let (at, length) = (get_u32(memory, vectors + 8 * index)?, get_u32(memory, vectors + 8 * index + 4)?);
        bytes.extend_from_slice(slice(memory, at, length)?);
    }
    match world.files.get(fd)? {
        Open::Output => {
            std::io::stdout().write_all(&bytes).and_then(|()| std::io::stdout().flush()).ok();
        }
        Open::Error => world.write_error(&bytes),
        _ => return Err(errno::ROFS),
    }
    put(memory, out, &(bytes.len() as u32).to_le_bytes())
}

fn read(mut caller: Caller<'_, World>, fd: i32, vectors: Pointer, count: u32, out: Pointer) -> Answer<()> {
    let (memory, world) = split(&mut caller)?;
    let mut total = 0_u32;
    match world.files.get(fd)? {
        Open::Input => {}
        Open::File { bytes, at } => {
            for index in 0..count {
                let (to, length) =
                    (get_u32(memory, vectors + 8 * index)?, get_u32(memory, vectors + 8 * index + 4)?);
                let rest = bytes.get(*at as usize..).unwrap_or_default();
                let part = &rest[..rest.len().min(length as usize)];
                put(memory, to, part)?;
                *at += part.len() as u64;
                total += part.len() as u32;
            }
        }
        _ => return Err(errno::BADF),
    }
    put(memory, out, &total.to_le_bytes())
}

fn seek(mut caller: Caller<'_, World>, fd: i32, by: i64, from: i32, out: Pointer) -> Answer<()> {
    let (memory, world) = split(&mut caller)?;
    let Open::File { bytes, at } = world.files.get(fd)? else { return Err(errno::BADF) };
    let base = match from {
        0 => 0,
        1 => *at,
        2 => bytes.len() as u64,
        _ => return Err(errno::INVAL),
    };
    *at = base.checked_add_signed(by).ok_or(errno::INVAL)?;
    let now = *at;
    put(memory, out, &now.to_le_bytes())
}

/// File types of the specification.
fn kind(open: &Open) -> u8 {
    match open {
        Open::Folder { .. } => 3,
        Open::File { .. } => 4,
        _ => 2,
    }
}

fn state(mut caller: Caller<'_, World>, fd: i32, out: Pointer) -> Answer<()> {
    let (memory, world) = split(&mut caller)?;
    let mut record = [0_u8; 24];
    record[0] = kind(world.files.get(fd)?);
    // All rights, for the descriptor and for what is opened below it: what may not be is refused where it is tried.
    record[8..].fill(0xff);
    put(memory, out, &record)
}

fn put_file_state(memory: &mut [u8], out: Pointer, kind: u8, size: u64) -> Answer<()> {
    let mut record = [0_u8; 64];
    record[16] = kind;
    record[24] = 1;
    record[32..40].copy_from_slice(&size.to_le_bytes());
    put(memory, out, &record)
}

fn file_state(mut caller: Caller<'_, World>, fd: i32, out: Pointer) -> Answer<()> {
    let (memory, world) = split(&mut caller)?;
    let open = world.files.get(fd)?;
    let size = if let Open::File { bytes, .. } = open { bytes.len() as u64 } else { 0 };
    let kind = kind(open);
    put_file_state(memory, out, kind, size)
}

fn path_state(
    mut caller: Caller<'_, World>,
    fd: i32,
    path: Pointer,
    length: u32,
    out: Pointer,
) -> Answer<()> {
    let (memory, world) = split(&mut caller)?;
    let path = get_text(memory, path, length)?;
    let metadata = world.files.locate(fd, &path)?.metadata().map_err(|_| errno::NOENT)?;
    put_file_state(memory, out, if metadata.is_dir() { 3 } else { 4 }, metadata.len())
}

fn opened_before(mut caller: Caller<'_, World>, fd: i32, out: Pointer) -> Answer<()> {
    let (memory, world) = split(&mut caller)?;
    let Open::Folder { name: Some(name), .. } = world.files.get(fd)? else { return Err(errno::BADF) };
    let mut record = [0_u8; 8];
    record[4..].copy_from_slice(&(name.len() as u32).to_le_bytes());
    put(memory, out, &record)
}

fn opened_before_name(mut caller: Caller<'_, World>, fd: i32, out: Pointer, length: u32) -> Answer<()> {
    let (memory, world) = split(&mut caller)?;
    let Open::Folder { name: Some(name), .. } = world.files.get(fd)? else { return Err(errno::BADF) };
    put(memory, out, &name.as_bytes()[..name.len().min(length as usize)])
}

/// As many entries of a folder as there is room for, beginning with number `from`; the last one may be cut.
fn list(mut caller: Caller<'_, World>, fd: i32, out: Pointer, room: u32, from: i64, used: Pointer) -> i32 {
    code(split(&mut caller).and_then(|(memory, world)| {
        let Open::Folder { path, .. } = world.files.get(fd)? else { return Err(errno::NOTDIR) };
        let mut entries: Vec<_> = std::fs::read_dir(path)
            .map_err(|_| errno::NOENT)?
            .flatten()
            .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path().is_dir()))
            .collect();
        entries.sort();
        let mut bytes = Vec::new();
        for (index, (name, is_folder)) in entries.iter().enumerate().skip(usize::try_from(from).unwrap_or(0))
        {
            bytes.extend_from_slice(&(index as u64 + 1).to_le_bytes());
            bytes.extend_from_slice(&[0; 8]);
            bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&[if *is_folder { 3 } else { 4 }, 0, 0, 0]);
            bytes.extend_from_slice(name.as_bytes());
        }
        bytes.truncate(room as usize);
        put(memory, out, &bytes)?;
        put(memory, used, &(bytes.len() as u32).to_le_bytes())
    }))
}

#[allow(clippy::too_many_arguments, reason = "the call's signature is the specification's")]
fn open(
    mut caller: Caller<'_, World>,
    folder: i32,
    _follow: i32,
    path: Pointer,
    length: u32,
    creation: i32,
    _rights: i64,
    _inherited: i64,
    _flags: i32,
    out: Pointer,
) -> i32 {
    code(split(&mut caller).and_then(|(memory, world)| {
        // Create, exclusive, truncate: all of them would write.
        if creation & 0b1101 != 0 {
            return Err(errno::ROFS);
        }
        let path = get_text(memory, path, length)?;
        let descriptor = world.files.open(folder, &path)?;
        put(memory, out, &descriptor.to_le_bytes())
    }))
}
