//! `awk`: patterns, actions, fields, arrays, functions, as mawk and gawk agree on them.
//!
//! Modelled: `-F`, `-v`, `-f`; everything of POSIX awk but `getline`, pipes, `system` and `close`, which say so. A
//! program ends after [`MAX_STEPS`] steps: one that never ends must not hold the lab.

mod call;
mod interpret;
mod lex;
mod parse;
mod regex;
mod tree;
mod value;

use std::collections::BTreeMap;

use self::interpret::{Machine, Stop};
use self::lex::unescape;
use super::World;
use crate::order::Collected;
use value::Value;

/// Statements, expressions and turns of loops that one program may take.
const MAX_STEPS: usize = 5_000_000;

/// `awk [-F fs] [-v name=value]… [-f file | program] [file | name=value]…`
pub(super) fn awk(world: &mut World<'_>, stdin: &[u8]) -> u8 {
    let mut separator = None;
    let mut assigned: Vec<String> = Vec::new();
    let mut files: Vec<String> = Vec::new();
    let mut args = world.args.iter();
    let mut operands: Vec<String> = Vec::new();
    while let Some(arg) = args.next() {
        let (option, value) = match arg.get(..2) {
            Some("--") if arg.len() == 2 => {
                operands.extend(args.by_ref().cloned());
                break;
            }
            Some(option @ ("-F" | "-v" | "-f")) => (option, &arg[2..]),
            _ if arg.starts_with('-') && arg.len() > 1 => {
                let text = format!("not an option: {arg}");
                return world.complain(&text).max(2);
            }
            _ => {
                operands.push(arg.clone());
                operands.extend(args.by_ref().cloned());
                break;
            }
        };
        let value = match (value, args.as_slice().first()) {
            ("", Some(_)) => args.next().cloned().unwrap_or_default(),
            ("", None) => {
                return world.complain(&format!("option requires an argument -- {}", &option[1..])).max(2);
            }
            (value, _) => value.to_owned(),
        };
        match option {
            "-F" => separator = Some(if value == "t" { "\t".to_owned() } else { unescape(&value) }),
            "-v" => assigned.push(value),
            _ => files.push(value),
        }
    }
    let mut text = String::new();
    for file in &files {
        match world.files.read(&world.path(file)) {
            Ok(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
            Err(error) => {
                let message = format!("couldn't open file {file} ({error})");
                return world.complain(&message).max(2);
            }
        }
    }
    if files.is_empty() {
        if operands.is_empty() {
            world.err.extend_from_slice(b"Usage: awk [options] 'program' [file ...]\n");
            return 2;
        }
        text = operands.remove(0);
    }
    let program = match parse::parse(&text) {
        Ok(program) => program,
        Err((line, message)) if message.starts_with("not modelled") => {
            return world.complain(&format!("{message} (line {line})")).max(2);
        }
        Err((line, message)) => return world.complain(&format!("line {line}: {message}")).max(2),
    };
    let environment: BTreeMap<String, Value> =
        world.call.env.iter().map(|(name, value)| (name.clone(), Value::Input(value.clone()))).into_map();
    let mut machine = Machine::new(&program, environment, &operands);
    if let Some(separator) = separator {
        machine.set_named("FS", Value::Text(separator));
    }
    for assignment in &assigned {
        let Some((name, value)) = assignment.split_once('=') else {
            return world.complain(&format!("improper assignment: -v {assignment}")).max(2);
        };
        machine.set_named(name, Value::Input(unescape(value)));
    }
    let outcome = run(&mut machine, world, stdin, &operands);
    machine.flush(world);
    match outcome {
        Ok(code) | Err(Stop::Exit(code)) => code,
        Err(Stop::Error(message)) => world.complain(&message).max(2),
        Err(_) => 0,
    }
}

fn run(
    machine: &mut Machine<'_>,
    world: &mut World<'_>,
    stdin: &[u8],
    operands: &[String],
) -> Result<u8, Stop> {
    let mut code = 0;
    let mut exited = false;
    match machine.begin(world) {
        Ok(()) => {}
        Err(Stop::Exit(status)) => (code, exited) = (status, true),
        Err(stop) => return Err(stop),
    }
    if !exited && machine.reads() {
        let mut read_any = false;
        for operand in operands {
            if let Some((name, value)) = operand.split_once('=')
                && !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && !name.as_bytes()[0].is_ascii_digit()
            {
                machine.set_named(name, Value::Input(unescape(value)));
                continue;
            }
            read_any = true;
            let bytes = if operand == "-" {
                stdin.to_vec()
            } else {
                match world.files.read(&world.path(operand)) {
                    Ok(bytes) => bytes.to_vec(),
                    Err(error) => {
                        code = world.complain(&format!("cannot open {operand} ({error})")).max(2);
                        continue;
                    }
                }
            };
            match machine.file(world, operand, &bytes) {
                Ok(()) => {}
                Err(Stop::Exit(status)) => {
                    (code, exited) = (status, true);
                    break;
                }
                Err(stop) => return Err(stop),
            }
        }
        if !read_any && !exited {
            match machine.file(world, "", stdin) {
                Ok(()) => {}
                Err(Stop::Exit(status)) => (code, exited) = (status, true),
                Err(stop) => return Err(stop),
            }
        }
    }
    let _ = exited;
    match machine.end(world, code) {
        Err(Stop::Exit(status)) => Ok(status),
        Err(stop) => Err(stop),
        Ok(()) => Ok(code),
    }
}
