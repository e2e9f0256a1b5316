//! `read` and `mapfile`.

use std::time::Duration;

use super::super::run::Flow;
use super::super::shell::{Frame, Read, Shell};
use super::super::vars::{Value, is_name};
use crate::order::Collected;
use crate::process::host::Host;
use crate::process::kernel::{State, Sys};

/// The longest line that `read` takes.
const MAX_LINE: usize = 4 << 20;

impl Shell {
    pub(crate) fn read<H: Host>(&mut self, sys: &mut Sys<'_, H>, args: &[String]) -> Flow<H::Program> {
        const USAGE: &str = "read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]";
        let mut read = Read::default();
        let mut args = args.iter().peekable();
        while let Some(flags) = args.next_if(|arg| arg.starts_with('-') && arg.len() > 1) {
            if flags == "--" {
                break;
            }
            let mut letters = flags[1..].chars();
            while let Some(letter) = letters.next() {
                match letter {
                    'r' => read.raw = true,
                    's' | 'e' => {}
                    'a' | 'd' | 'n' | 'N' | 'p' | 't' | 'u' | 'i' => {
                        let rest: String = letters.by_ref().collect();
                        let value = if rest.is_empty() { args.next().cloned() } else { Some(rest) };
                        let Some(value) = value else {
                            return self.misuse(
                                "read",
                                &format!("-{letter}: option requires an argument"),
                                USAGE,
                            );
                        };
                        match letter {
                            'a' => read.array = Some(value),
                            'd' => read.delimiter = Some(value.bytes().next().unwrap_or(0)),
                            'n' | 'N' => {
                                let Ok(count) = value.parse() else {
                                    return self.fail("read", &format!("{value}: invalid number"), 1);
                                };
                                read.count = Some(count);
                                read.exactly = letter == 'N';
                            }
                            't' => {
                                let Some(span) =
                                    value.parse().ok().and_then(|s: f64| Duration::try_from_secs_f64(s).ok())
                                else {
                                    return self.fail(
                                        "read",
                                        &format!("{value}: invalid timeout specification"),
                                        1,
                                    );
                                };
                                read.deadline = Some(sys.now() + span);
                            }
                            'u' => match value.parse() {
                                Ok(fd) => read.fd = fd,
                                Err(_) => {
                                    let message = format!("{value}: invalid file descriptor specification");
                                    return self.fail("read", &message, 1);
                                }
                            },
                            'p' if self.options.interactive => self.messages.push_str(&value),
                            _ => {}
                        }
                    }
                    other => return self.misuse("read", &format!("-{other}: invalid option"), USAGE),
                }
            }
        }
        read.names = args.cloned().collect();
        if let Some(bad) = read.names.iter().find(|name| !is_name(name)) {
            return self.fail("read", &format!("`{bad}': not a valid identifier"), 1);
        }
        if sys.fd(read.fd).is_none() {
            let message = format!("{}: invalid file descriptor: Bad file descriptor", read.fd);
            return self.fail("read", &message, 1);
        }
        self.frames.push(Frame::Read(read));
        Flow::Go
    }

    /// Takes what has come; ends with the line.
    pub(crate) fn read_step<H: Host>(&mut self, sys: &mut Sys<'_, H>, mut read: Read) -> Flow<H::Program> {
        let handle = sys.fd(read.fd);
        let (bytes, closed) = sys.take_input(handle);
        let delimiter = read.delimiter.unwrap_or(b'\n');
        let mut used = 0;
        let mut ended = read.count == Some(0);
        while used < bytes.len() && !ended {
            let byte = bytes[used];
            used += 1;
            let escaped = !read.raw && odd_backslashes(&read.line);
            if byte == delimiter
                && !read.exactly
                && !(escaped && byte == b'\n')
                && !(escaped && delimiter != b'\n')
            {
                ended = true;
                break;
            }
            if byte == b'\n' && escaped {
                read.line.pop();
                continue;
            }
            read.line.push(byte);
            let whole = std::str::from_utf8(&read.line).map(|text| text.chars().count());
            if read.count.is_some() && whole.ok() == read.count {
                ended = true;
            }
        }
        sys.return_input(handle, bytes[used..].to_vec(), bytes.len());
        sys.kernel.spent += used / 256;
        if ended || closed || read.line.len() > MAX_LINE {
            return self.read_end(&read, ended);
        }
        if read.deadline.is_some_and(|deadline| deadline <= sys.now()) {
            let flow = self.read_end(&read, false);
            self.status = 142;
            return flow;
        }
        let deadline = read.deadline;
        self.frames.push(Frame::Read(read));
        match deadline {
            // Looks again when something comes or the time is over, whichever is first.
            Some(deadline) => Flow::Block(State::Sleep(deadline)),
            None => Flow::Block(State::Input { seen: 0 }),
        }
    }

    fn read_end<P>(&mut self, read: &Read, complete: bool) -> Flow<P> {
        self.status = u8::from(!complete);
        let text = String::from_utf8_lossy(&read.line).into_owned();
        let ifs =
            if read.exactly { String::new() } else { self.vars.text("IFS").unwrap_or(" \t\n").to_owned() };
        let result = if let Some(array) = &read.array {
            let mut fields = Vec::new();
            let mut rest = text.as_str();
            while let Some((field, tail)) = next_field(rest, &ifs, read.raw, false) {
                fields.push(field);
                rest = tail;
            }
            self.vars.set_value(array, Value::Array(fields.into_iter().enumerate().into_map()))
        } else if read.names.is_empty() {
            self.vars.set("REPLY", unescaped(&text, read.raw))
        } else {
            let mut rest = text.as_str();
            let last = read.names.len() - 1;
            let mut result = Ok(());
            for (i, name) in read.names.iter().enumerate() {
                let (field, tail) = next_field(rest, &ifs, read.raw, i == last).unwrap_or_default();
                rest = tail;
                result = result.and(self.vars.set(name, field));
            }
            result
        };
        if let Err(error) = result {
            return self.fail("read", &error.to_string(), 1);
        }
        Flow::Go
    }

    pub(crate) fn mapfile<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        name: &str,
        args: &[String],
    ) -> Flow<H::Program> {
        let strip = args.iter().any(|arg| arg == "-t");
        if let Some(flag) = args.iter().find(|arg| arg.starts_with('-') && *arg != "-t") {
            return self.fail(name, &format!("not modelled: {flag}"), 2);
        }
        let array =
            args.iter().find(|arg| !arg.starts_with('-')).map_or("MAPFILE", String::as_str).to_owned();
        let handle = sys.fd(0);
        let (bytes, closed) = sys.take_input(handle);
        if !closed {
            // All or nothing: the lines come when the input has ended.
            let seen = bytes.len();
            sys.return_input(handle, bytes, seen);
            let mut argv = vec![super::super::script::Word::default()];
            argv.clear();
            let words = std::iter::once(name.to_owned()).chain(args.iter().cloned());
            let words = words
                .map(|text| super::super::script::Word {
                    parts: [super::super::script::Part::Quoted(text)].into(),
                    assign: None,
                })
                .collect();
            let kind = super::super::script::CommandKind::Simple { assigns: Vec::new(), words };
            let command = super::super::script::Command { line: self.line, redirects: Vec::new(), kind };
            self.frames.push(Frame::Command { command: command.into(), memo: Vec::new() });
            return Flow::Block(State::Input { seen });
        }
        sys.return_input(handle, Vec::new(), bytes.len());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines = text
            .split_inclusive('\n')
            .map(|line| if strip { line.trim_end_matches('\n').to_owned() } else { line.to_owned() });
        match self.vars.set_value(&array, Value::Array(lines.enumerate().into_map())) {
            Ok(()) => self.done(0),
            Err(error) => self.fail(name, &error.to_string(), 1),
        }
    }
}

fn odd_backslashes(line: &[u8]) -> bool {
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

fn unescaped(text: &str, raw: bool) -> String {
    if raw {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' { out.extend(chars.next()) } else { out.push(c) }
    }
    out
}

/// The next field of a line and what follows it; the last variable takes all the rest.
fn next_field<'a>(text: &'a str, ifs: &str, raw: bool, last: bool) -> Option<(String, &'a str)> {
    let blank = |c: char| c.is_ascii_whitespace() && ifs.contains(c);
    let text = text.trim_start_matches(blank);
    if text.is_empty() {
        return None;
    }
    let mut field = String::new();
    let mut chars = text.char_indices();
    let mut end = None;
    while let Some((at, c)) = chars.next() {
        if c == '\\' && !raw {
            field.extend(chars.next().map(|(_, c)| c));
        } else if ifs.contains(c) {
            end = Some(at);
            break;
        } else {
            field.push(c);
        }
    }
    let Some(end) = end else { return Some((field, "")) };
    let separator = &text[end..];
    let mut rest = separator.trim_start_matches(blank);
    if let Some(c) = rest.chars().next()
        && ifs.contains(c)
    {
        rest = rest[c.len_utf8()..].trim_start_matches(blank);
    }
    if last && !rest.is_empty() {
        // All the rest, with the separators in it; blanks at its end go.
        return Some((unescaped(text.trim_end_matches(blank), raw), ""));
    }
    Some((field, rest))
}
