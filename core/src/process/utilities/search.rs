//! `grep`.

use std::collections::VecDeque;

use regex_lite::{Regex, RegexBuilder};

use super::World;
use super::options::parse;

/// One search.
#[derive(Clone, Debug)]
pub(super) struct Grep {
    patterns: Vec<Regex>,
    invert: bool,
    count: bool,
    quiet: bool,
    number: bool,
    only: bool,
    names_only: bool,
    limit: Option<usize>,
    before: usize,
    after: usize,
    /// The name that stands in front of each line.
    label: Option<String>,
    line_number: usize,
    matches: usize,
    waiting: VecDeque<(usize, Vec<u8>)>,
    trailing: usize,
    last_shown: usize,
}

const LONG: &[(&str, char)] = &[
    ("ignore-case", 'i'),
    ("invert-match", 'v'),
    ("line-number", 'n'),
    ("count", 'c'),
    ("extended-regexp", 'E'),
    ("fixed-strings", 'F'),
    ("perl-regexp", 'P'),
    ("quiet", 'q'),
    ("silent", 'q'),
    ("only-matching", 'o'),
    ("word-regexp", 'w'),
    ("line-regexp", 'x'),
    ("recursive", 'r'),
    ("files-with-matches", 'l'),
    ("no-messages", 's'),
    ("no-filename", 'h'),
    ("with-filename", 'H'),
    ("max-count", 'm'),
    ("after-context", 'A'),
    ("before-context", 'B'),
    ("context", 'C'),
    ("regexp", 'e'),
    // Colours are never used here: the terminal gets plain text, as a pipe does.
    ("color", '_'),
    ("colour", '_'),
    ("line-buffered", '_'),
];

impl Grep {
    /// Reads the arguments; answers the search and the files.
    ///
    /// # Errors
    ///
    /// Exit code 2 after the complaint.
    pub(super) fn new(world: &mut World<'_>) -> Result<(Self, Vec<String>), u8> {
        let options = parse(world, "ivncEFGPqowxrRlshHm:A:B:C:e:_", LONG).map_err(|_| 2u8)?;
        let mut operands = options.operands.clone();
        let mut given: Vec<String> =
            options.flags.iter().filter(|(flag, _)| *flag == 'e').map(|(_, value)| value.clone()).collect();
        if given.is_empty() {
            if operands.is_empty() {
                let usage =
                    "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n";
                world.err.extend_from_slice(usage.as_bytes());
                return Err(2);
            }
            given.push(operands.remove(0));
        }
        let mut patterns = Vec::new();
        for text in given.iter().flat_map(|text| text.split('\n')) {
            let mut pattern = if options.has('F') {
                regex_lite::escape(text)
            } else if options.has('E') || options.has('P') {
                text.to_owned()
            } else {
                from_basic(text)
            };
            if options.has('w') {
                pattern = format!(r"\b(?:{pattern})\b");
            }
            if options.has('x') {
                pattern = format!("^(?:{pattern})$");
            }
            match RegexBuilder::new(&pattern).case_insensitive(options.has('i')).build() {
                Ok(regex) => patterns.push(regex),
                Err(error) => {
                    world.complain(&error.to_string());
                    return Err(2);
                }
            }
        }
        let number = |letter: char| options.value(letter).map(str::parse::<usize>);
        let mut context = [0; 3];
        for (slot, letter) in context.iter_mut().zip(['A', 'B', 'C']) {
            match number(letter) {
                Some(Ok(lines)) => *slot = lines,
                Some(Err(_)) => {
                    let value = options.value(letter).unwrap_or_default().to_owned();
                    world.complain(&format!("{value}: invalid context length argument"));
                    return Err(2);
                }
                None => {}
            }
        }
        let many = operands.len() > 1 || options.has('r') || options.has('R');
        let grep = Self {
            patterns,
            invert: options.has('v'),
            count: options.has('c'),
            quiet: options.has('q'),
            number: options.has('n'),
            only: options.has('o'),
            names_only: options.has('l'),
            limit: number('m').and_then(Result::ok),
            before: context[1].max(context[2]),
            after: context[0].max(context[2]),
            label: (many && !options.has('h') || options.has('H')).then(String::new),
            line_number: 0,
            matches: 0,
            waiting: VecDeque::new(),
            trailing: 0,
            last_shown: 0,
        };
        let recursive = options.has('r') || options.has('R');
        if recursive {
            if operands.is_empty() {
                operands.push(".".to_owned());
            }
            operands = operands.iter().flat_map(|operand| super::fs::regular_files(world, operand)).collect();
        }
        Ok((grep, operands))
    }

    /// Searches files one after the other.
    pub(super) fn files(&self, world: &mut World<'_>, operands: &[String]) -> u8 {
        let (mut found, mut failed) = (false, 0);
        for operand in operands {
            let bytes = match world.files.read(&world.path(operand)) {
                Ok(bytes) => bytes.to_vec(),
                Err(error) => {
                    world.complain(&format!("{operand}: {error}"));
                    failed = 2;
                    continue;
                }
            };
            let mut one = self.clone();
            if one.label.is_some() {
                one.label = Some(operand.clone());
            }
            for line in bytes.split_inclusive(|b| *b == b'\n') {
                if one.line(world, line).is_some() {
                    break;
                }
            }
            if one.names_only {
                if one.matches > 0 {
                    world.say(operand);
                }
            } else {
                one.end(world);
            }
            found |= one.matches > 0;
        }
        if failed > 0 { failed } else { u8::from(!found) }
    }

    /// Looks at one line; an exit code if nothing more is wanted.
    pub(super) fn line(&mut self, world: &mut World<'_>, line: &[u8]) -> Option<u8> {
        self.line_number += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let text = String::from_utf8_lossy(line);
        let hit = self.patterns.iter().any(|pattern| pattern.is_match(&text)) != self.invert;
        if hit {
            self.matches += 1;
            if self.quiet {
                return Some(0);
            }
            if self.names_only {
                return Some(0);
            }
            if !self.count {
                self.show_match(world, &text);
            }
            if self.limit.is_some_and(|limit| self.matches >= limit) {
                if self.count {
                    self.end(world);
                }
                return Some(0);
            }
        } else if !self.count && !self.only {
            if self.trailing > 0 {
                self.trailing -= 1;
                self.print(world, self.line_number, '-', &text);
            } else if self.before > 0 {
                self.waiting.push_back((self.line_number, line.to_vec()));
                if self.waiting.len() > self.before {
                    self.waiting.pop_front();
                }
            }
        }
        None
    }

    fn show_match(&mut self, world: &mut World<'_>, text: &str) {
        if self.only {
            if !self.invert {
                let found: Vec<String> = self
                    .patterns
                    .iter()
                    .flat_map(|p| p.find_iter(text))
                    .map(|m| m.as_str().to_owned())
                    .collect();
                for part in found.iter().filter(|part| !part.is_empty()) {
                    self.print(world, self.line_number, ':', part);
                }
            }
            return;
        }
        let first = self.waiting.front().map_or(self.line_number, |(number, _)| *number);
        if (self.before > 0 || self.after > 0) && self.last_shown > 0 && first > self.last_shown + 1 {
            world.say("--");
        }
        for (number, line) in std::mem::take(&mut self.waiting) {
            self.print(world, number, '-', &String::from_utf8_lossy(&line));
        }
        self.print(world, self.line_number, ':', text);
        self.trailing = self.after;
    }

    fn print(&mut self, world: &mut World<'_>, number: usize, mark: char, text: &str) {
        let mut line = String::new();
        if let Some(label) = &self.label {
            line.push_str(if label.is_empty() { "(standard input)" } else { label });
            line.push(mark);
        }
        if self.number {
            line.push_str(&format!("{number}{mark}"));
        }
        line.push_str(text);
        world.say(&line);
        self.last_shown = number;
    }

    /// Everything has been read.
    pub(super) fn end(&mut self, world: &mut World<'_>) -> u8 {
        if self.count && !self.quiet {
            let label = self.label.as_ref().map_or_else(String::new, |label| format!("{label}:"));
            world.say(&format!("{label}{}", self.matches));
        }
        u8::from(self.matches == 0)
    }
}

/// Rewrites a basic regular expression (POSIX) as an extended one: `\(a\|b\)\+` is `(a|b)+`, and
/// `(`, `|`, `+`, `?`, `{` alone are themselves.
pub(super) fn from_basic(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '[' if !in_class => {
                in_class = true;
                out.push(c);
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str("\\]");
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(c);
            }
            _ if in_class => out.push(c),
            '\\' => match chars.next() {
                Some(meta @ ('(' | ')' | '{' | '}' | '|' | '+' | '?')) => out.push(meta),
                Some('<' | '>') => out.push_str("\\b"),
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push_str("\\\\"),
            },
            '(' | ')' | '{' | '}' | '|' | '+' | '?' => {
                out.push('\\');
                out.push(c);
            }
            '*' if out.is_empty() => out.push_str("\\*"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_expressions_become_extended_ones() {
        for (basic, extended) in [
            (r"a\|b", "a|b"),
            ("a+b", r"a\+b"),
            (r"\(x\)\{2\}", "(x){2}"),
            ("[a+]*", "[a+]*"),
            ("*x", r"\*x"),
            (r"\.", r"\."),
        ] {
            assert_eq!(from_basic(basic), extended, "{basic}");
        }
    }
}
