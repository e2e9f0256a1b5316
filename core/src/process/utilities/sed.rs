//! `sed`: its common core. Addresses (number, `$`, `/regex/`, ranges), `s`, `p`, `d`, `q`, `a`, `i`, `=`.

use regex_lite::{Regex, RegexBuilder};

use super::World;
use super::options::parse;
use super::search::from_basic;

#[derive(Clone, Debug)]
enum Address {
    Line(usize),
    Last,
    Regex(Regex),
}

#[derive(Clone, Debug)]
enum Action {
    Substitute { pattern: Regex, replacement: String, global: bool, nth: usize, print: bool },
    Print,
    Delete,
    Quit,
    Number,
    Append(String),
    Insert(String),
}

#[derive(Clone, Debug)]
struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negate: bool,
    action: Action,
    /// Inside the range that `from` and `to` enclose.
    inside: bool,
}

pub(super) fn sed(world: &mut World<'_>, stdin: &[u8]) -> u8 {
    let long =
        [("quiet", 'n'), ("silent", 'n'), ("expression", 'e'), ("regexp-extended", 'E'), ("in-place", 'i')];
    let options = match parse(world, "ne:Eri", &long) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let mut operands = options.operands.clone();
    let mut scripts: Vec<String> =
        options.flags.iter().filter(|(flag, _)| *flag == 'e').map(|(_, value)| value.clone()).collect();
    if scripts.is_empty() {
        if operands.is_empty() {
            world.err.extend_from_slice(
                b"Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n",
            );
            return 1;
        }
        scripts.push(operands.remove(0));
    }
    let extended = options.has('E') || options.has('r');
    let commands = match compile(&scripts.join("\n"), extended) {
        Ok(commands) => commands,
        Err(message) => return world.complain(&format!("-e expression #1, {message}")),
    };
    let quiet = options.has('n');
    if options.has('i') {
        let mut code = 0;
        for operand in &operands {
            let path = world.path(operand);
            let edited = match world.files.read(&path) {
                Ok(bytes) => run(&mut commands.clone(), &String::from_utf8_lossy(bytes), quiet),
                Err(error) => {
                    code = world.complain(&format!("can't read {operand}: {error}")).max(2);
                    continue;
                }
            };
            if let Err(error) = world.files.write(&path, edited, world.now) {
                code = world.complain(&format!("couldn't write {operand}: {error}")).max(4);
            }
        }
        return code;
    }
    let (read, code) = world.inputs(&operands, stdin);
    let all: Vec<u8> = read.into_iter().flat_map(|(_, bytes)| bytes).collect();
    let text = run(&mut commands.clone(), &String::from_utf8_lossy(&all), quiet);
    world.out.extend_from_slice(text.as_bytes());
    if code > 0 { 2 } else { 0 }
}

fn run(commands: &mut [Command], text: &str, quiet: bool) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        let (number, last) = (index + 1, index + 1 == lines.len());
        let mut space = (*line).to_owned();
        let (mut deleted, mut quit, mut after) = (false, false, String::new());
        for command in commands.iter_mut() {
            if command.applies(&space, number, last) == command.negate {
                continue;
            }
            match &command.action {
                Action::Print => out.push_str(&format!("{space}\n")),
                Action::Number => out.push_str(&format!("{number}\n")),
                Action::Insert(text) => out.push_str(&format!("{text}\n")),
                Action::Append(text) => after.push_str(&format!("{text}\n")),
                Action::Delete => {
                    deleted = true;
                    break;
                }
                Action::Quit => {
                    quit = true;
                    break;
                }
                Action::Substitute { pattern, replacement, global, nth, print } => {
                    if let Some(changed) = substitute(pattern, replacement, &space, *global, *nth) {
                        space = changed;
                        if *print {
                            out.push_str(&format!("{space}\n"));
                        }
                    }
                }
            }
        }
        if !deleted && !quiet {
            out.push_str(&space);
            out.push('\n');
        }
        out.push_str(&after);
        if quit {
            break;
        }
    }
    if !text.ends_with('\n') && out.ends_with('\n') && !text.is_empty() {
        out.pop();
    }
    out
}

impl Address {
    fn is(&self, line: &str, number: usize, last: bool) -> bool {
        match self {
            Self::Line(wanted) => *wanted == number,
            Self::Last => last,
            Self::Regex(regex) => regex.is_match(line),
        }
    }
}

impl Command {
    fn applies(&mut self, line: &str, number: usize, last: bool) -> bool {
        let Some(from) = &self.from else { return true };
        let Some(to) = &self.to else { return from.is(line, number, last) };
        if self.inside {
            self.inside = match to {
                Address::Line(end) => number < *end,
                to => !to.is(line, number, last),
            };
            // A range that ends at a line already passed is one line long.
            return !matches!(to, Address::Line(end) if number > *end);
        }
        if from.is(line, number, last) {
            self.inside = !matches!(to, Address::Line(end) if *end <= number);
            return true;
        }
        false
    }
}

fn substitute(pattern: &Regex, replacement: &str, line: &str, global: bool, nth: usize) -> Option<String> {
    let mut out = String::new();
    let (mut end, mut count, mut changed) = (0, 0, false);
    for captures in pattern.captures_iter(line) {
        let whole = captures.get(0)?;
        count += 1;
        if count < nth || changed && !global {
            continue;
        }
        out.push_str(&line[end..whole.start()]);
        let mut chars = replacement.chars();
        while let Some(c) = chars.next() {
            match c {
                '&' => out.push_str(whole.as_str()),
                '\\' => match chars.next() {
                    Some(digit @ '0'..='9') => {
                        let group = digit as usize - '0' as usize;
                        out.push_str(captures.get(group).map_or("", |m| m.as_str()));
                    }
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some(other) => out.push(other),
                    None => out.push('\\'),
                },
                _ => out.push(c),
            }
        }
        end = whole.end();
        changed = true;
    }
    out.push_str(&line[end..]);
    changed.then_some(out)
}

/// The script's commands, or what sed says of it after `-e expression #1, `.
fn compile(script: &str, extended: bool) -> Result<Vec<Command>, String> {
    let mut reader = Reader { text: script, at: 0, extended };
    let mut commands = Vec::new();
    loop {
        reader.skip(|c| c.is_whitespace() || c == ';');
        if reader.peek().is_none() {
            return Ok(commands);
        }
        let from = reader.address()?;
        let to = if from.is_some() && reader.take(',') {
            match reader.address()? {
                Some(to) => Some(to),
                None => return Err(reader.error("unexpected `,'")),
            }
        } else {
            None
        };
        reader.skip(|c| c == ' ');
        let negate = reader.take('!');
        let action = match reader.next() {
            Some('p') => Action::Print,
            Some('d') => Action::Delete,
            Some('q') => Action::Quit,
            Some('=') => Action::Number,
            Some('a') => Action::Append(reader.text_argument()),
            Some('i') => Action::Insert(reader.text_argument()),
            Some('s') => reader.substitution()?,
            Some(
                '{' | '}' | 'y' | 'n' | 'N' | 'D' | 'P' | 'h' | 'H' | 'g' | 'G' | 'x' | 'b' | 't' | 'c' | 'r'
                | 'w',
            ) => {
                return Err(reader.error("not modelled: this command"));
            }
            Some(other) => return Err(reader.error(&format!("unknown command: `{other}'"))),
            None => return Err(reader.error("missing command")),
        };
        commands.push(Command { from, to, negate, action, inside: false });
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    extended: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.at += wanted.len_utf8();
        }
        there
    }

    fn skip(&mut self, what: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&what) {
            self.next();
        }
    }

    fn error(&self, message: &str) -> String {
        format!("char {}: {message}", self.at)
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        match self.peek() {
            Some('$') => {
                self.next();
                Ok(Some(Address::Last))
            }
            Some(c) if c.is_ascii_digit() => {
                let start = self.at;
                self.skip(|c| c.is_ascii_digit());
                let number = self.text[start..self.at].parse();
                number
                    .map(|n| Some(Address::Line(n)))
                    .map_err(|_| self.error("invalid usage of line address"))
            }
            Some('/') => {
                self.next();
                let pattern = self.until('/').ok_or_else(|| self.error("unterminated address regex"))?;
                Ok(Some(Address::Regex(self.regex(&pattern, false)?)))
            }
            _ => Ok(None),
        }
    }

    /// The text up to an unescaped `end`.
    fn until(&mut self, end: char) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.next()? {
                c if c == end => return Some(text),
                '\\' => match self.next()? {
                    c if c == end => text.push(c),
                    c => {
                        text.push('\\');
                        text.push(c);
                    }
                },
                c => text.push(c),
            }
        }
    }

    fn regex(&self, pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        let pattern = if self.extended { pattern.to_owned() } else { from_basic(pattern) };
        RegexBuilder::new(&pattern)
            .case_insensitive(ignore_case)
            .build()
            .map_err(|error| self.error(&error.to_string()))
    }

    fn text_argument(&mut self) -> String {
        self.skip(|c| c == ' ');
        self.take('\\');
        self.skip(char::is_whitespace);
        let rest = &self.text[self.at..];
        let line = rest.split('\n').next().unwrap_or(rest);
        self.at += line.len();
        line.to_owned()
    }

    fn substitution(&mut self) -> Result<Action, String> {
        let unterminated = |reader: &Self| reader.error("unterminated `s' command");
        let end = self.next().ok_or_else(|| unterminated(self))?;
        let pattern = self.until(end).ok_or_else(|| unterminated(self))?;
        let replacement = self.until(end).ok_or_else(|| unterminated(self))?;
        let (mut global, mut print, mut ignore_case, mut nth) = (false, false, false, 1);
        loop {
            match self.peek() {
                Some('g') => global = true,
                Some('p') => print = true,
                Some('i' | 'I') => ignore_case = true,
                Some(c @ '1'..='9') => nth = c as usize - '0' as usize,
                Some(';' | '\n' | ' ' | '}') | None => break,
                Some(_) => return Err(self.error("unknown option to `s'")),
            }
            self.next();
        }
        let pattern = self.regex(&pattern, ignore_case)?;
        Ok(Action::Substitute { pattern, replacement, global, nth, print })
    }
}
