//! What lists and changes files: `ls`, `mkdir`, `rm`, `cp`, `mv`, `touch`, `chmod`, `find`.

use super::World;
use super::options::parse;
use super::time::strftime;
use crate::order::InOrder;
use crate::process::files::{FileError, join};

/// A size as `ls -h` writes it.
fn human(size: u64) -> String {
    let (mut value, mut unit) = (size as f64, 0);
    while value >= 1024.0 && unit < 5 {
        value /= 1024.0;
        unit += 1;
    }
    let suffix = ["", "K", "M", "G", "T", "P"][unit];
    if unit > 0 && value < 10.0 {
        format!("{:.1}{suffix}", (value * 10.0).ceil() / 10.0)
    } else {
        format!("{:.0}{suffix}", value.ceil())
    }
}

pub(super) fn ls(world: &mut World<'_>) -> u8 {
    let long = [
        ("all", 'a'),
        ("almost-all", 'A'),
        ("human-readable", 'h'),
        ("recursive", 'R'),
        ("reverse", 'r'),
        ("directory", 'd'),
        ("color", '_'),
    ];
    let options = match parse(world, "laA1hRrtdFSp_", &long) {
        Ok(options) => options,
        Err(code) => return if code == 1 { 2 } else { code },
    };
    let operands = if options.operands.is_empty() { vec![".".to_owned()] } else { options.operands.clone() };
    let (mut files, mut directories, mut code) = (Vec::new(), Vec::new(), 0);
    for operand in operands {
        let path = world.path(&operand);
        match world.files.metadata(&path) {
            Ok(metadata) if metadata.is_dir && !options.has('d') => directories.push(operand),
            Ok(_) => files.push(operand),
            Err(error) => {
                world.complain(&format!("cannot access '{operand}': {error}"));
                code = 2;
            }
        }
    }
    let show = |world: &mut World<'_>, base: Option<&str>, mut names: Vec<String>| {
        if options.has('r') {
            names.reverse();
        }
        let place = |world: &World<'_>, name: &str| match base {
            Some(base) => world.path(&join(base, name)),
            None => world.path(name),
        };
        if options.has('t') {
            names.order_by_key(|name| {
                std::cmp::Reverse(world.files.metadata(&place(world, name)).map(|m| m.modified).ok())
            });
        }
        let mut rows = Vec::new();
        for name in names {
            let path = place(world, &name);
            let Ok(metadata) = world.files.metadata(&path) else { continue };
            let mark = if (options.has('F') || options.has('p')) && metadata.is_dir { "/" } else { "" };
            if !options.has('l') {
                world.say(&format!("{name}{mark}"));
                continue;
            }
            let mode = match (metadata.is_dir, metadata.executable) {
                (true, _) => "drwxr-xr-x",
                (false, true) => "-rwxr-xr-x",
                (false, false) => "-rw-r--r--",
            };
            let bytes = if metadata.is_dir { 4096 } else { metadata.len };
            let size = if options.has('h') { human(bytes) } else { bytes.to_string() };
            let when = strftime("%b %e %H:%M", world.epoch.timestamp(metadata.modified));
            rows.push((mode, if metadata.is_dir { 2 } else { 1 }, size, when, format!("{name}{mark}")));
        }
        let width = rows.iter().map(|row| row.2.len()).max().unwrap_or(0);
        let owner = world.call.env.get("USER").cloned().unwrap_or_else(|| "root".to_owned());
        for (mode, links, size, when, name) in rows {
            world.say(&format!("{mode} {links} {owner} {owner} {size:>width$} {when} {name}"));
        }
    };
    show(world, None, files.clone());
    let many = directories.len() + files.len() > 1 || options.has('R');
    let mut first = files.is_empty();
    let mut queue = std::collections::VecDeque::from(directories);
    while let Some(directory) = queue.pop_front() {
        let path = world.path(&directory);
        let mut names = world.files.list(&path).unwrap_or_default();
        if !options.has('a') && !options.has('A') {
            names.retain(|name| !name.starts_with('.'));
        }
        if many {
            let gap = if first { "" } else { "\n" };
            world.say(&format!("{gap}{directory}:"));
        }
        first = false;
        if options.has('R') {
            let below = names.iter().filter(|name| world.files.is_dir(&join(&path, name)));
            let below: Vec<_> = below.map(|name| join(&directory, name)).collect();
            for child in below.into_iter().rev() {
                queue.push_front(child);
            }
        }
        if options.has('a') {
            names.splice(0..0, [".".to_owned(), "..".to_owned()]);
        }
        if options.has('l') {
            world.say("total 0");
        }
        show(world, Some(&directory), names);
    }
    code
}

pub(super) fn mkdir(world: &mut World<'_>) -> u8 {
    let options = match parse(world, "pvm:", &[("parents", 'p'), ("verbose", 'v'), ("mode", 'm')]) {
        Ok(options) => options,
        Err(code) => return code,
    };
    if options.operands.is_empty() {
        return world.misuse("missing operand");
    }
    let mut code = 0;
    for operand in &options.operands {
        let path = world.path(operand);
        let made = if options.has('p') {
            world.files.create_dir_all(&path, world.now)
        } else {
            world.files.create_dir(&path, world.now)
        };
        if let Err(error) = made {
            code = world.complain(&format!("cannot create directory '{operand}': {error}"));
        }
    }
    code
}

/// `rm`, and `rmdir` by its name.
pub(super) fn rm(world: &mut World<'_>) -> u8 {
    let directories = world.name() == "rmdir";
    let long = [("recursive", 'r'), ("force", 'f'), ("verbose", 'v')];
    let options = match parse(world, "rRfidv", &long) {
        Ok(options) => options,
        Err(code) => return code,
    };
    if options.operands.is_empty() {
        return if options.has('f') { 0 } else { world.misuse("missing operand") };
    }
    let recursive = options.has('r') || options.has('R');
    let mut code = 0;
    for operand in &options.operands {
        let path = world.path(operand);
        let is_dir = world.files.is_dir(&path);
        let removed = match (is_dir, directories) {
            (true, false) if recursive => world.files.remove_all(&path),
            (true, false) => Err(FileError::IsDirectory),
            (false, true) if world.files.exists(&path) => Err(FileError::NotDirectory),
            _ => world.files.remove(&path),
        };
        match removed {
            Ok(()) => {}
            Err(FileError::NotFound) if options.has('f') => {}
            Err(error) if directories => {
                code = world.complain(&format!("failed to remove '{operand}': {error}"));
            }
            Err(error) => code = world.complain(&format!("cannot remove '{operand}': {error}")),
        }
    }
    code
}

/// Where `cp` and `mv` put `source`: into a directory, or onto a name.
fn destination(world: &World<'_>, source: &str, target: &str) -> String {
    let path = world.path(target);
    if world.files.is_dir(&path) {
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
        join(&path, name)
    } else {
        path
    }
}

fn transfer(
    world: &mut World<'_>,
    short: &str,
    verb: &str,
    mut one: impl FnMut(&mut World<'_>, &str, &str, bool) -> Result<(), FileError>,
) -> u8 {
    let long = [("recursive", 'r'), ("archive", 'a'), ("force", 'f'), ("verbose", 'v'), ("no-clobber", 'n')];
    let options = match parse(world, short, &long) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let recursive = options.has('r') || options.has('R') || options.has('a');
    let (sources, target) = match options.operands.split_last() {
        None => return world.misuse("missing file operand"),
        Some((only, [])) => return world.misuse(&format!("missing destination file operand after '{only}'")),
        Some((target, sources)) => (sources, target),
    };
    if sources.len() > 1 && !world.files.is_dir(&world.path(target)) {
        return world.complain(&format!("target '{target}' is not a directory"));
    }
    let mut code = 0;
    for source in sources {
        let (from, to) = (world.path(source), destination(world, source, target));
        if !world.files.exists(&from) {
            code = world.complain(&format!("cannot stat '{source}': {}", FileError::NotFound));
        } else if from == to {
            code = world.complain(&format!("'{source}' and '{target}' are the same file"));
        } else if verb == "copy" && world.files.is_dir(&from) && !recursive {
            code = world.complain(&format!("-r not specified; omitting directory '{source}'"));
        } else if let Err(error) = one(world, &from, &to, recursive) {
            code = world.complain(&format!("cannot {verb} '{source}' to '{target}': {error}"));
        }
    }
    code
}

pub(super) fn cp(world: &mut World<'_>) -> u8 {
    transfer(world, "rRafpvn", "copy", |world, from, to, _| world.files.copy(from, to, world.now))
}

pub(super) fn mv(world: &mut World<'_>) -> u8 {
    transfer(world, "fvn", "move", |world, from, to, _| world.files.rename(from, to, world.now))
}

pub(super) fn touch(world: &mut World<'_>) -> u8 {
    let options = match parse(world, "acm", &[("no-create", 'c')]) {
        Ok(options) => options,
        Err(code) => return code,
    };
    if options.operands.is_empty() {
        return world.misuse("missing file operand");
    }
    let mut code = 0;
    for operand in &options.operands {
        let path = world.path(operand);
        let touched = if world.files.exists(&path) {
            world.files.set_modified(&path, world.now)
        } else if options.has('c') {
            Ok(())
        } else {
            world.files.write(&path, "", world.now)
        };
        if let Err(error) = touched {
            code = world.complain(&format!("cannot touch '{operand}': {error}"));
        }
    }
    code
}

/// `chmod`: of a file's mode only whether it can be executed is kept.
pub(super) fn chmod(world: &mut World<'_>) -> u8 {
    let operands: Vec<String> =
        world.args.iter().filter(|arg| *arg != "-R" && *arg != "-v").cloned().collect();
    let Some((mode, paths)) = operands.split_first() else { return world.misuse("missing operand") };
    if paths.is_empty() {
        return world.misuse(&format!("missing operand after '{mode}'"));
    }
    let executable = match mode.as_str() {
        octal if octal.bytes().all(|b| (b'0'..=b'7').contains(&b)) && octal.len() <= 4 => {
            Some(octal.bytes().any(|b| (b - b'0') & 1 == 1))
        }
        symbolic => match symbolic.split_once(['+', '-', '=']) {
            Some((who, what))
                if who.chars().all(|c| "ugoa".contains(c)) && what.chars().all(|c| "rwxXst".contains(c)) =>
            {
                what.contains('x').then(|| !symbolic.contains('-'))
            }
            _ => return world.misuse(&format!("invalid mode: '{mode}'")),
        },
    };
    let mut code = 0;
    for operand in paths {
        let path = world.path(operand);
        let changed = match executable {
            Some(executable) => world.files.set_executable(&path, executable),
            None if world.files.exists(&path) => Ok(()),
            None => Err(FileError::NotFound),
        };
        if let Err(error) = changed {
            code = world.complain(&format!("cannot access '{operand}': {error}"));
        }
    }
    code
}

/// Every entry below `operand`, in the order of names, with its place.
fn walk(world: &World<'_>, operand: &str) -> Vec<String> {
    let mut found = vec![operand.to_owned()];
    let mut at = 0;
    // Depth first, as find walks: children are put behind their parent.
    while let Some(entry) = found.get(at).cloned() {
        let path = world.path(&entry);
        if world.files.is_dir(&path) {
            let children = world.files.list(&path).unwrap_or_default();
            let children: Vec<_> = children.iter().map(|name| join(&entry, name)).collect();
            found.splice((at + 1)..=at, children);
        }
        at += 1;
    }
    found
}

/// The regular files below `operand`.
pub(super) fn regular_files(world: &World<'_>, operand: &str) -> Vec<String> {
    walk(world, operand).into_iter().filter(|entry| !world.files.is_dir(&world.path(entry))).collect()
}

/// `find [PATH…] [-name GLOB] [-type f|d] [-maxdepth N]`
pub(super) fn find(world: &mut World<'_>) -> u8 {
    let split = world.args.iter().position(|arg| arg.starts_with('-')).unwrap_or(world.args.len());
    let (paths, tests) = world.args.split_at(split);
    let paths = if paths.is_empty() { vec![".".to_owned()] } else { paths.to_vec() };
    let (mut name, mut kind, mut depth) = (None, None, usize::MAX);
    let mut tests = tests.iter();
    while let Some(test) = tests.next() {
        let value = match test.as_str() {
            "-print" => continue,
            "-name" | "-iname" | "-type" | "-maxdepth" => tests.next(),
            other if ["-exec", "-delete", "-size", "-mtime", "-path", "-o", "-not"].contains(&other) => {
                return world.complain(&format!("not modelled: {other}"));
            }
            other => return world.complain(&format!("unknown predicate `{other}'")),
        };
        let Some(value) = value else { return world.complain(&format!("missing argument to `{test}'")) };
        match test.as_str() {
            "-type" => kind = Some(value.clone()),
            "-maxdepth" => match value.parse() {
                Ok(number) => depth = number,
                Err(_) => {
                    return world.complain(&format!(
                        "Expected a positive decimal integer argument to -maxdepth, but got '{value}'"
                    ));
                }
            },
            _ => name = Some(value.clone()),
        }
    }
    let mut code = 0;
    for operand in paths {
        if !world.files.exists(&world.path(&operand)) {
            code = world.complain(&format!("'{operand}': {}", FileError::NotFound));
            continue;
        }
        let level = |entry: &str| entry.trim_end_matches('/').matches('/').count();
        let base = level(&operand);
        for entry in walk(world, &operand) {
            let last = entry.trim_end_matches('/').rsplit('/').next().unwrap_or(&entry).to_owned();
            let is_dir = world.files.is_dir(&world.path(&entry));
            let named = name.as_deref().is_none_or(|glob| matches(glob, &last));
            let typed = kind.as_deref().is_none_or(|kind| (kind == "d") == is_dir);
            if named && typed && level(&entry) - base <= depth {
                world.say(&entry);
            }
        }
    }
    code
}

/// Whether a name matches a glob of `*`, `?` and literal characters.
fn matches(glob: &str, name: &str) -> bool {
    match glob.chars().next() {
        None => name.is_empty(),
        Some('*') => (0..=name.len())
            .filter(|at| name.is_char_boundary(*at))
            .any(|at| matches(&glob[1..], &name[at..])),
        Some(c) => match name.chars().next() {
            Some(n) if c == '?' || c == n => matches(&glob[c.len_utf8()..], &name[n.len_utf8()..]),
            _ => false,
        },
    }
}
