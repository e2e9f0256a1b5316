//! Conditions: `[[ … ]]` and `test`.

use regex_lite::Regex;

use super::expand::{Expander, Fault, Piece, Result};
use super::script::{Parts, Test};
use super::vars::Value;
use crate::process::files::resolve;
use crate::process::pattern::Pattern;

impl Expander<'_> {
    /// `[[ … ]]`.
    pub(crate) fn test(&mut self, test: &Test) -> Result<bool> {
        Ok(match test {
            Test::And(a, b) => self.test(a)? && self.test(b)?,
            Test::Or(a, b) => self.test(a)? || self.test(b)?,
            Test::Not(a) => !self.test(a)?,
            Test::Unary(operator, word) => {
                let text = self.text(&word.parts)?;
                self.unary(operator, &text)
            }
            Test::Binary(left, operator, right) => {
                let left_text = self.text(&left.parts)?;
                match operator.as_str() {
                    "==" | "=" | "!=" => {
                        let pattern = self.pattern(&right.parts)?;
                        Pattern::new(&pattern).matches(&left_text) == (operator != "!=")
                    }
                    "=~" => self.regex(&left_text, &right.parts)?,
                    "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => {
                        let right = self.text(&right.parts)?;
                        let (a, b) = (self.evaluate(&left_text)?, self.evaluate(&right)?);
                        compare(operator, a, b)
                    }
                    _ => {
                        let right = self.text(&right.parts)?;
                        self.binary(&left_text, operator, &right).unwrap_or(false)
                    }
                }
            }
        })
    }

    fn regex(&mut self, text: &str, parts: &Parts) -> Result<bool> {
        let mut source = String::new();
        for piece in self.pieces(parts)? {
            match piece {
                Piece::Text { text, quoted: true } => source.push_str(&regex_lite::escape(&text)),
                Piece::Text { text, quoted: false } => source.push_str(&text),
                Piece::Break => source.push(' '),
            }
        }
        // A wrong expression makes the status 2 in bash, without a word.
        let Ok(regex) = Regex::new(&source) else {
            return Err(Fault::Discard(format!("{source}: syntax error in regular expression")));
        };
        let found = regex.captures(text);
        let groups = found
            .iter()
            .flat_map(|found| found.iter())
            .map(|group| group.map_or("", |m| m.as_str()).to_owned());
        self.shell.vars.set_value("BASH_REMATCH", Value::Array(groups.enumerate().collect()))?;
        Ok(found.is_some())
    }

    fn unary(&mut self, operator: &str, text: &str) -> bool {
        let path = resolve(&self.shell.cwd, text);
        let found = if text.is_empty() { None } else { self.files.metadata(&path).ok() };
        match operator {
            "-n" => !text.is_empty(),
            "-z" => text.is_empty(),
            "-e" | "-a" => found.is_some(),
            "-f" => found.is_some_and(|found| !found.is_dir && !found.is_device),
            "-d" => found.is_some_and(|found| found.is_dir),
            "-c" => found.is_some_and(|found| found.is_device),
            "-s" => found.is_some_and(|found| found.is_dir || found.len > 0),
            "-x" => found.is_some_and(|found| found.is_dir || found.executable),
            "-r" | "-w" | "-O" | "-G" | "-N" => found.is_some(),
            "-v" => match text.split_once('[') {
                Some((name, rest)) => {
                    let key = rest.trim_end_matches(']');
                    match self.variable(name) {
                        Some(Value::Array(array)) => key.parse().is_ok_and(|n: usize| array.contains_key(&n)),
                        Some(Value::Map(map)) => map.contains_key(key),
                        _ => false,
                    }
                }
                None => self.variable(text).is_some_and(|value| super::params::scalar(&value).is_some()),
            },
            "-o" => self.shell.options.by_name(text).is_some_and(|flag| *flag),
            "-t" => self.shell.options.interactive && matches!(text, "0" | "1" | "2"),
            // No links, sockets, pipes with names, set-id bits here.
            _ => false,
        }
    }

    fn binary(&mut self, left: &str, operator: &str, right: &str) -> Option<bool> {
        let time = |text: &str| {
            self.files.metadata(&resolve(&self.shell.cwd, text)).ok().map(|found| found.modified)
        };
        Some(match operator {
            "=" | "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-nt" => match (time(left), time(right)) {
                (Some(a), Some(b)) => a > b,
                (a, _) => a.is_some(),
            },
            "-ot" => match (time(left), time(right)) {
                (Some(a), Some(b)) => a < b,
                (_, b) => b.is_some(),
            },
            "-ef" => {
                time(left).is_some() && resolve(&self.shell.cwd, left) == resolve(&self.shell.cwd, right)
            }
            _ => return None,
        })
    }

    /// `test` and `[`: the arguments decide what is an operator.
    pub(crate) fn test_words(&mut self, args: &[String]) -> std::result::Result<bool, String> {
        let mut parser = Words { expander: self, args, at: 0, depth: 0 };
        if let Some(answer) = parser.few(args)? {
            return Ok(answer);
        }
        let answer = parser.or()?;
        match args.get(parser.at) {
            None => Ok(answer),
            Some(_) if parser.at == 1 && args.len() == 3 => {
                Err(format!("{}: binary operator expected", args[1]))
            }
            Some(_) => Err("too many arguments".into()),
        }
    }
}

fn compare(operator: &str, a: i64, b: i64) -> bool {
    match operator {
        "-eq" => a == b,
        "-ne" => a != b,
        "-lt" => a < b,
        "-le" => a <= b,
        "-gt" => a > b,
        _ => a >= b,
    }
}

const UNARY: &[&str] = &[
    "-a", "-b", "-c", "-d", "-e", "-f", "-g", "-h", "-k", "-n", "-o", "-p", "-r", "-s", "-t", "-u", "-v",
    "-w", "-x", "-z", "-G", "-L", "-N", "-O", "-R", "-S",
];
const BINARY: &[&str] =
    &["=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"];

struct Words<'a, 'b> {
    expander: &'a mut Expander<'b>,
    args: &'a [String],
    at: usize,
    depth: usize,
}

impl Words<'_, '_> {
    /// Up to four arguments mean what POSIX says, whatever they look like.
    fn few(&mut self, args: &[String]) -> std::result::Result<Option<bool>, String> {
        Ok(match args {
            [] => Some(false),
            [only] => Some(!only.is_empty()),
            [not, only] if not == "!" => Some(only.is_empty()),
            [operator, operand] if UNARY.contains(&operator.as_str()) => {
                Some(self.expander.unary(operator, operand))
            }
            [operator, _] => return Err(format!("{operator}: unary operator expected")),
            [left, operator, right] if BINARY.contains(&operator.as_str()) => {
                Some(self.binary(left, operator, right)?)
            }
            [not, rest @ ..] if not == "!" && rest.len() < 4 => self.few(rest)?.map(|answer| !answer),
            [open, only, close] if open == "(" && close == ")" => Some(!only.is_empty()),
            _ => None,
        })
    }

    fn binary(&mut self, left: &str, operator: &str, right: &str) -> std::result::Result<bool, String> {
        if let Some(answer) = self.expander.binary(left, operator, right) {
            return Ok(answer);
        }
        let number = |text: &str| {
            text.trim().parse::<i64>().map_err(|_| format!("{text}: integer expression expected"))
        };
        Ok(compare(operator, number(left)?, number(right)?))
    }

    fn or(&mut self) -> std::result::Result<bool, String> {
        self.depth += 1;
        if self.depth > 64 {
            return Err("too many arguments".into());
        }
        let mut answer = self.and()?;
        while self.args.get(self.at).is_some_and(|arg| arg == "-o") {
            self.at += 1;
            answer |= self.and()?;
        }
        self.depth -= 1;
        Ok(answer)
    }

    fn and(&mut self) -> std::result::Result<bool, String> {
        let mut answer = self.primary()?;
        while self.args.get(self.at).is_some_and(|arg| arg == "-a") {
            self.at += 1;
            answer &= self.primary()?;
        }
        Ok(answer)
    }

    fn primary(&mut self) -> std::result::Result<bool, String> {
        let mut negate = false;
        while self.args.get(self.at).is_some_and(|arg| arg == "!") && self.args.len() > self.at + 1 {
            negate = !negate;
            self.at += 1;
        }
        let rest = &self.args[self.at.min(self.args.len())..];
        let answer = match rest {
            [] => return Err("argument expected".into()),
            [left, operator, right, ..] if BINARY.contains(&operator.as_str()) => {
                self.at += 3;
                self.binary(left, operator, right)?
            }
            [open, ..] if open == "(" => {
                self.at += 1;
                let answer = self.or()?;
                if self.args.get(self.at).is_none_or(|arg| arg != ")") {
                    return Err("`)' expected".into());
                }
                self.at += 1;
                answer
            }
            [operator, operand, ..] if UNARY.contains(&operator.as_str()) => {
                self.at += 2;
                self.expander.unary(operator, operand)
            }
            [only, ..] => {
                self.at += 1;
                !only.is_empty()
            }
        };
        Ok(answer != negate)
    }
}
