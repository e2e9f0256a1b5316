//! `echo` and `printf`.

use super::super::escapes::{Dialect, unescape};
use super::super::params::quote_if_needed;
use super::super::run::Flow;
use super::super::shell::Shell;
use super::super::vars::{Key, is_name};
use crate::process::host::Host;
use crate::process::kernel::Sys;

/// Bytes that one `printf` may make: `%*d` asks for any width.
const MAX_OUTPUT: usize = 1 << 20;

impl Shell {
    pub(crate) fn echo<H: Host>(&mut self, sys: &mut Sys<'_, H>, args: &[String]) -> Flow<H::Program> {
        let (mut newline, mut escapes) = (true, false);
        let mut rest = args;
        while let [first, tail @ ..] = rest
            && first.len() > 1
            && first.starts_with('-')
            && first[1..].chars().all(|c| "neE".contains(c))
        {
            for c in first[1..].chars() {
                match c {
                    'n' => newline = false,
                    'e' => escapes = true,
                    _ => escapes = false,
                }
            }
            rest = tail;
        }
        let mut text = rest.join(" ");
        if escapes {
            let (resolved, ended) = unescape(&text, Dialect::Echo);
            text = resolved;
            newline &= !ended;
        }
        if newline {
            text.push('\n');
        }
        self.print(sys, "echo", &text)
    }

    pub(crate) fn printf<H: Host>(&mut self, sys: &mut Sys<'_, H>, args: &[String]) -> Flow<H::Program> {
        const USAGE: &str = "printf [-v var] format [arguments]";
        let (variable, args) = match args {
            [flag, name, rest @ ..] if flag == "-v" => (Some(name.clone()), rest),
            other => (None, other),
        };
        let args = if args.first().is_some_and(|arg| arg == "--") { &args[1..] } else { args };
        let Some((format, values)) = args.split_first() else {
            self.messages.push_str(&format!("printf: usage: {USAGE}\n"));
            return self.done(2);
        };
        if variable.is_none() && format.starts_with('-') && format.len() > 1 {
            return self.misuse("printf", &format!("{format}: invalid option"), USAGE);
        }
        let seconds = sys.host.epoch().timestamp(sys.now());
        let mut printer =
            Printer { values, at: 0, out: String::new(), errors: Vec::new(), stop: false, now: seconds };
        loop {
            let before = printer.at;
            if let Err(message) = printer.once(format) {
                printer.errors.push(message);
                break;
            }
            if printer.stop
                || printer.at >= values.len()
                || printer.at == before
                || printer.out.len() > MAX_OUTPUT
            {
                break;
            }
        }
        let (out, errors) = (printer.out, printer.errors);
        self.status = u8::from(!errors.is_empty());
        for error in errors {
            self.complain(&format!("printf: {error}"));
        }
        let Some(name) = variable else { return self.print_bytes(sys, "printf", out.as_bytes()) };
        let set = match name.split_once('[').and_then(|(name, rest)| Some((name, rest.strip_suffix(']')?))) {
            Some((name, index)) => {
                let key = index.parse().map_or_else(|_| Key::Text(index.to_owned()), Key::Number);
                self.vars.set_element(name, &key, out)
            }
            None if !is_name(&name) => {
                return self.fail("printf", &format!("`{name}': not a valid identifier"), 2);
            }
            None => self.vars.set(&name, out),
        };
        match set {
            Ok(()) => Flow::Go,
            Err(error) => self.fail("printf", &error.to_string(), 1),
        }
    }
}

struct Printer<'a> {
    values: &'a [String],
    at: usize,
    out: String,
    errors: Vec<String>,
    stop: bool,
    now: jiff::Timestamp,
}

/// One `%` directive.
#[derive(Default)]
struct Directive {
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

impl Printer<'_> {
    fn next(&mut self) -> Option<&str> {
        let value = self.values.get(self.at)?;
        self.at += 1;
        Some(value)
    }

    fn once(&mut self, format: &str) -> Result<(), String> {
        let mut rest = format;
        while !rest.is_empty() {
            let percent = rest.find('%').unwrap_or(rest.len());
            let (text, tail) = rest.split_at(percent);
            let (text, ended) = unescape(text, Dialect::Format);
            self.out.push_str(&text);
            if ended {
                self.stop = true;
                return Ok(());
            }
            let Some(tail) = tail.strip_prefix('%') else { return Ok(()) };
            rest = self.directive(tail)?;
            if self.stop {
                return Ok(());
            }
        }
        Ok(())
    }

    fn number(&mut self) -> i64 {
        let Some(value) = self.next().map(ToOwned::to_owned) else { return 0 };
        let text = value.trim_start();
        if let Some(rest) = text.strip_prefix(['\'', '"']) {
            return rest.chars().next().map_or(0, |c| c as i64);
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (radix, digits) =
            if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
                (16, hex)
            } else if digits.len() > 1 && digits.starts_with('0') {
                (8, &digits[1..])
            } else {
                (10, digits)
            };
        let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let parsed = i64::from_str_radix(&digits[..end], radix);
        if end < digits.len() || (digits.is_empty() && !value.is_empty()) {
            self.errors.push(format!("{value}: invalid number"));
        }
        match parsed {
            Ok(n) => {
                if negative {
                    -n
                } else {
                    n
                }
            }
            Err(_) if end > 0 => {
                if negative {
                    i64::MIN
                } else {
                    i64::MAX
                }
            }
            Err(_) => 0,
        }
    }

    fn directive<'f>(&mut self, format: &'f str) -> Result<&'f str, String> {
        let mut d = Directive::default();
        let mut chars = format.char_indices().peekable();
        while let Some((_, c)) = chars.next_if(|(_, c)| "-+ 0#".contains(*c)) {
            match c {
                '-' => d.minus = true,
                '+' => d.plus = true,
                ' ' => d.space = true,
                '0' => d.zero = true,
                _ => d.alternate = true,
            }
        }
        if chars.next_if(|(_, c)| *c == '*').is_some() {
            let width = self.number();
            d.minus |= width < 0;
            d.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
        }
        while let Some((_, c)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
            d.width = d.width.saturating_mul(10).saturating_add(c as usize - '0' as usize);
        }
        if chars.next_if(|(_, c)| *c == '.').is_some() {
            let mut precision = 0usize;
            if chars.next_if(|(_, c)| *c == '*').is_some() {
                precision = usize::try_from(self.number()).unwrap_or(0);
            }
            while let Some((_, c)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
                precision = precision.saturating_mul(10).saturating_add(c as usize - '0' as usize);
            }
            d.precision = Some(precision.min(MAX_OUTPUT));
        }
        d.width = d.width.min(MAX_OUTPUT);
        while chars.next_if(|(_, c)| "hlLjzt".contains(*c)).is_some() {}
        if let Some((start, _)) = chars.next_if(|(_, c)| *c == '(') {
            let inner = &format[start + 1..];
            let Some(end) = inner.find(")T") else { return Err("`(': missing format character".into()) };
            let mut at = self.now;
            if self.at < self.values.len() {
                let seconds = self.number();
                if seconds >= 0 {
                    at = jiff::Timestamp::from_second(seconds).unwrap_or(at);
                }
            }
            let text = crate::process::utilities::strftime(&inner[..end], at);
            self.pad(&d, &text);
            return Ok(&inner[end + 2..]);
        }
        let Some((at, c)) = chars.next() else {
            return Err(format!("`%{format}': missing format character"));
        };
        let rest = &format[at + c.len_utf8()..];
        match c {
            '%' => self.out.push('%'),
            's' | 'b' | 'q' => {
                let value = self.next().unwrap_or("").to_owned();
                let (mut text, ended) = match c {
                    'b' => unescape(&value, Dialect::Echo),
                    'q' => (quote_if_needed(&value), false),
                    _ => (value, false),
                };
                if let Some(precision) = d.precision {
                    text = text.chars().take(precision).collect();
                }
                self.pad(&d, &text);
                self.stop = ended;
            }
            'c' => {
                let text: String = self.next().unwrap_or("").chars().take(1).collect();
                self.pad(&d, &text);
            }
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => {
                let n = self.number();
                self.integer(&d, c, n);
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let value = self.next().unwrap_or("0").trim().to_owned();
                let n = value.parse::<f64>().unwrap_or_else(|_| {
                    if !value.is_empty() {
                        self.errors.push(format!("{value}: invalid number"));
                    }
                    0.0
                });
                let text = crate::process::utilities::float(n, c, d.precision.unwrap_or(6).min(512));
                let text = if d.plus && n >= 0.0 { format!("+{text}") } else { text };
                self.pad_number(&d, &text);
            }
            other => return Err(format!("`{other}': invalid format character")),
        }
        Ok(rest)
    }

    fn integer(&mut self, d: &Directive, c: char, n: i64) {
        let (sign, mut digits) = match c {
            'd' | 'i' => (
                if n < 0 {
                    "-"
                } else if d.plus {
                    "+"
                } else if d.space {
                    " "
                } else {
                    ""
                },
                n.unsigned_abs().to_string(),
            ),
            'u' => ("", (n as u64).to_string()),
            'o' => ("", format!("{:o}", n as u64)),
            'x' => ("", format!("{:x}", n as u64)),
            _ => ("", format!("{:X}", n as u64)),
        };
        if let Some(precision) = d.precision {
            digits = format!("{}{digits}", "0".repeat(precision.saturating_sub(digits.len())));
        }
        let prefix = match (d.alternate && n != 0, c) {
            (true, 'x') => "0x",
            (true, 'X') => "0X",
            (true, 'o') => "0",
            _ => "",
        };
        let text = format!("{sign}{prefix}{digits}");
        if d.precision.is_some() { self.pad(d, &text) } else { self.pad_number(d, &text) }
    }

    fn pad(&mut self, d: &Directive, text: &str) {
        let fill = " ".repeat(d.width.saturating_sub(text.chars().count()));
        if d.minus {
            self.out.push_str(text);
            self.out.push_str(&fill);
        } else {
            self.out.push_str(&fill);
            self.out.push_str(text);
        }
    }

    fn pad_number(&mut self, d: &Directive, text: &str) {
        if !d.zero || d.minus {
            return self.pad(d, text);
        }
        let signed = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
        self.out.push_str(&text[..signed]);
        self.out.push_str(&"0".repeat(d.width.saturating_sub(text.len())));
        self.out.push_str(&text[signed..]);
    }
}
