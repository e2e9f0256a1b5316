//! What passes text on as it comes: `cat`, `head`, `tail`, `tee`, and `grep`'s input.

use std::collections::VecDeque;

use super::World;
use super::options::{Options, parse};
use super::search::Grep;
use crate::process::host::Step;
use crate::sim::SimTime;
use std::time::Duration;

/// A utility that passes its input on as it comes.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    state: Option<State>,
    code: u8,
    partial: Vec<u8>,
}

#[derive(Clone, Debug)]
enum State {
    Cat {
        number: Option<usize>,
    },
    Head {
        lines: usize,
        bytes: Option<usize>,
    },
    Tee(Vec<String>),
    Grep(Box<Grep>),
    Tail {
        lines: VecDeque<Vec<u8>>,
        keep: usize,
        from: Option<usize>,
        seen: usize,
    },
    /// `tail -f`: the file, and how much of it was printed.
    Follow {
        path: String,
        printed: usize,
        next: SimTime,
    },
}

impl Stream {
    pub(super) fn step(&mut self, world: &mut World<'_>, stdin: &mut Vec<u8>, closed: bool) -> Step {
        let mut ended = closed;
        if self.state.is_none() {
            let begun = match world.name().to_owned().as_str() {
                "cat" => self.begin_cat(world, stdin),
                "head" => self.begin_head(world),
                "tail" => self.begin_tail(world),
                "tee" => begin_tee(world),
                _ => Self::begin_grep(world),
            };
            match begun {
                Ok((state, read)) => {
                    self.state = Some(state);
                    if let Some(read) = read {
                        // Files were named: standard input has no part in it.
                        let all = std::mem::replace(stdin, read);
                        let step = self.feed(world, stdin, true);
                        *stdin = all;
                        return step;
                    }
                }
                Err(code) => return Step::Exit(code),
            }
        }
        if let Some(State::Follow { path, printed, next }) = &mut self.state {
            let bytes = world.files.read(path).unwrap_or_default();
            if let Some(new) = bytes.get(*printed..).filter(|new| !new.is_empty()) {
                world.out.extend_from_slice(new);
            }
            *printed = bytes.len();
            *next = world.now + Duration::from_secs(1);
            return Step::Until(*next);
        }
        if matches!(self.state, Some(State::Follow { .. })) {
            ended = false;
        }
        self.feed(world, stdin, ended)
    }

    /// Works on what has come.
    fn feed(&mut self, world: &mut World<'_>, input: &mut Vec<u8>, ended: bool) -> Step {
        self.partial.append(input);
        let Some(state) = &mut self.state else { return Step::Exit(1) };
        match state {
            State::Cat { number: None } => {
                world.out.append(&mut self.partial);
            }
            State::Tee(paths) => {
                for path in paths.iter() {
                    // A file that cannot be written was complained about at the start.
                    let _refused = world.files.append(path, &self.partial, world.now);
                }
                world.out.append(&mut self.partial);
            }
            State::Head { bytes: Some(left), .. } => {
                let take = self.partial.len().min(*left);
                world.out.extend(self.partial.drain(..take));
                *left -= take;
                if *left == 0 {
                    return Step::Exit(self.code);
                }
            }
            _ => {
                let lines = take_lines(&mut self.partial, ended);
                for line in lines {
                    if let Some(code) = state.line(world, line) {
                        return Step::Exit(code.max(self.code));
                    }
                }
            }
        }
        if !ended {
            return Step::Input;
        }
        let code = state.end(world);
        if let State::Follow { next, .. } = state {
            return Step::Until(*next);
        }
        Step::Exit(code.max(self.code))
    }

    fn begin_cat(&mut self, world: &mut World<'_>, stdin: &[u8]) -> Result<(State, Option<Vec<u8>>), u8> {
        let options = parse(world, "nbAevtsuET", &[("number", 'n'), ("show-all", 'A')])?;
        let number = options.has('n').then_some(1);
        if options.operands.is_empty() || options.operands == ["-"] {
            return Ok((State::Cat { number }, None));
        }
        let (read, code) = world.inputs(&options.operands, stdin);
        self.code = code;
        let all = read.into_iter().flat_map(|(_, bytes)| bytes).collect();
        Ok((State::Cat { number }, Some(all)))
    }

    fn begin_head(&mut self, world: &mut World<'_>) -> Result<(State, Option<Vec<u8>>), u8> {
        let (options, lines) = line_options(world, "n:c:qv")?;
        let bytes = count(world, &options, 'c', "bytes")?;
        let lines = count(world, &options, 'n', "lines")?.or(lines).unwrap_or(10);
        let state = State::Head { lines, bytes };
        if options.operands.is_empty() {
            return Ok((state, None));
        }
        let (read, code) = world.inputs(&options.operands, &[]);
        self.code = code;
        if read.len() == 1 {
            return Ok((state, read.into_iter().next().map(|(_, bytes)| bytes)));
        }
        for (index, (name, content)) in read.iter().enumerate() {
            let gap = if index > 0 { "\n" } else { "" };
            world.say(&format!("{gap}==> {name} <=="));
            let kept: Vec<u8> = match bytes {
                Some(bytes) => content[..bytes.min(content.len())].to_vec(),
                None => content.split_inclusive(|b| *b == b'\n').take(lines).flatten().copied().collect(),
            };
            world.out.extend(kept);
        }
        Err(code)
    }

    fn begin_tail(&mut self, world: &mut World<'_>) -> Result<(State, Option<Vec<u8>>), u8> {
        let (options, lines) = line_options(world, "n:c:fFqv")?;
        if options.has('c') {
            return Err(world.complain("not modelled: -c"));
        }
        let from = options.value('n').and_then(|v| v.strip_prefix('+')).and_then(|v| v.parse().ok());
        let keep = if from.is_some() { None } else { count(world, &options, 'n', "lines")? };
        let keep = keep.or(lines).unwrap_or(10);
        let state = State::Tail { lines: VecDeque::new(), keep, from, seen: 0 };
        if options.operands.is_empty() {
            return Ok((state, None));
        }
        let (read, code) = world.inputs(&options.operands, &[]);
        self.code = code;
        let Some((name, bytes)) = read.into_iter().next() else { return Err(code) };
        if options.has('f') || options.has('F') {
            let path = world.path(&name);
            let printed = bytes.len();
            let kept: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
            let skip = kept.len().saturating_sub(keep);
            world.out.extend(kept[skip..].concat());
            return Ok((State::Follow { path, printed, next: world.now }, None));
        }
        Ok((state, Some(bytes)))
    }

    fn begin_grep(world: &mut World<'_>) -> Result<(State, Option<Vec<u8>>), u8> {
        let (grep, operands) = Grep::new(world)?;
        if operands.is_empty() {
            return Ok((State::Grep(Box::new(grep)), None));
        }
        Err(grep.files(world, &operands))
    }
}

/// Splits off whole lines (and the rest, if nothing more comes).
fn take_lines(partial: &mut Vec<u8>, ended: bool) -> Vec<Vec<u8>> {
    let end =
        if ended { partial.len() } else { partial.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1) };
    let whole: Vec<u8> = partial.drain(..end).collect();
    whole.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}

impl State {
    /// One line; an exit code if nothing more is wanted.
    fn line(&mut self, world: &mut World<'_>, line: Vec<u8>) -> Option<u8> {
        match self {
            Self::Cat { number: Some(number) } => {
                world.out.extend_from_slice(format!("{number:6}\t").as_bytes());
                world.out.extend(line);
                *number += 1;
            }
            Self::Head { lines, .. } => {
                if *lines > 0 {
                    world.out.extend(line);
                    *lines -= 1;
                }
                return (*lines == 0).then_some(0);
            }
            Self::Grep(grep) => return grep.line(world, &line),
            Self::Tail { lines, keep, from, seen } => {
                *seen += 1;
                match from {
                    Some(from) => {
                        if *seen >= *from {
                            world.out.extend(line);
                        }
                    }
                    None => {
                        lines.push_back(line);
                        if lines.len() > *keep {
                            lines.pop_front();
                        }
                    }
                }
            }
            _ => world.out.extend(line),
        }
        None
    }

    fn end(&mut self, world: &mut World<'_>) -> u8 {
        match self {
            Self::Tail { lines, .. } => {
                world.out.extend(lines.drain(..).flatten());
                0
            }
            Self::Grep(grep) => grep.end(world),
            _ => 0,
        }
    }
}

fn begin_tee(world: &mut World<'_>) -> Result<(State, Option<Vec<u8>>), u8> {
    let options = parse(world, "ai", &[("append", 'a')])?;
    let mut paths = Vec::new();
    for operand in &options.operands {
        let path = world.path(operand);
        let made = if options.has('a') {
            world.files.append(&path, b"", world.now)
        } else {
            world.files.write(&path, "", world.now)
        };
        match made {
            Ok(()) => paths.push(path),
            Err(error) => {
                world.complain(&format!("{operand}: {error}"));
            }
        }
    }
    Ok((State::Tee(paths), None))
}

/// Options of `head` and `tail`, where `-5` is `-n 5`.
fn line_options(world: &mut World<'_>, short: &str) -> Result<(Options, Option<usize>), u8> {
    let old = world.args.first().and_then(|arg| arg.strip_prefix('-')).and_then(|digits| digits.parse().ok());
    let args = world.args;
    if old.is_some() {
        world.args = &args[1..];
    }
    let long = [("lines", 'n'), ("bytes", 'c'), ("follow", 'f'), ("quiet", 'q'), ("verbose", 'v')];
    Ok((parse(world, short, &long)?, old))
}

fn count(world: &mut World<'_>, options: &Options, letter: char, what: &str) -> Result<Option<usize>, u8> {
    let Some(text) = options.value(letter) else { return Ok(None) };
    match text.trim_start_matches('-').parse() {
        Ok(count) => Ok(Some(count)),
        Err(_) => Err(world.complain(&format!("invalid number of {what}: '{text}'"))),
    }
}
