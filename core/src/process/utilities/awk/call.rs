//! awk's own functions, and `printf`.

use regex_lite::Regex;

use super::interpret::{Machine, Result, Stop};
use super::tree::Expr;
use super::value::Value;
use crate::process::utilities::World;
use crate::process::utilities::float;

/// The widest field of `printf`.
const MAX_WIDTH: usize = 10_000;

impl Machine<'_> {
    pub(super) fn builtin(&mut self, world: &mut World<'_>, name: &str, args: &[Expr]) -> Result<Value> {
        match name {
            "split" => return self.split_into(world, args),
            "sub" | "gsub" => return self.substitute(world, name == "gsub", args),
            "match" => {
                let text = self.argument(world, args, 0)?;
                let regex = self.pattern(world, args.get(1).ok_or_else(|| few(name))?)?;
                let found = regex.find(&text);
                let start = found.map_or(0, |found| text[..found.start()].chars().count() + 1);
                let length = found.map_or(-1.0, |found| found.as_str().chars().count() as f64);
                self.set_match(start as f64, length);
                return Ok(Value::Number(start as f64));
            }
            "length" => {
                if let Some(Expr::Var(slot)) = args.first()
                    && let Some(array) = self.known_array(*slot)
                {
                    return Ok(Value::Number(self.arrays[array].len() as f64));
                }
                let text = if args.is_empty() { self.record_text() } else { self.argument(world, args, 0)? };
                return Ok(Value::Number(text.chars().count() as f64));
            }
            _ => {}
        }
        let values = args.iter().map(|arg| self.value(world, arg)).collect::<Result<Vec<_>>>()?;
        let number = |at: usize| values.get(at).map_or(0.0, Value::number);
        let text =
            |machine: &Self, at: usize| values.get(at).map(|value| machine.text(value)).unwrap_or_default();
        Ok(match name {
            "substr" => Value::Text(substring(&text(self, 0), number(1), values.get(2).map(Value::number))),
            "index" => {
                let (text, wanted) = (text(self, 0), text(self, 1));
                let at = text.find(&wanted).map_or(0, |at| text[..at].chars().count() + 1);
                Value::Number(at as f64)
            }
            "sprintf" => Value::Text(self.format(&values)?),
            "toupper" => Value::Text(text(self, 0).to_uppercase()),
            "tolower" => Value::Text(text(self, 0).to_lowercase()),
            "int" => Value::Number(number(0).trunc()),
            "sqrt" => Value::Number(number(0).sqrt()),
            "exp" => Value::Number(number(0).exp()),
            "log" => Value::Number(number(0).ln()),
            "sin" => Value::Number(number(0).sin()),
            "cos" => Value::Number(number(0).cos()),
            "atan2" => Value::Number(number(0).atan2(number(1))),
            // The same numbers in every run, as of the first awks: a script that wants others calls `srand`.
            "rand" => {
                self.random = self
                    .random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                Value::Number((self.random >> 11) as f64 / (1u64 << 53) as f64)
            }
            _ => {
                let old = self.seed;
                self.seed = if values.is_empty() {
                    world.epoch.timestamp(world.now).as_second() as f64
                } else {
                    number(0)
                };
                self.random = self.seed.to_bits() | 1;
                Value::Number(old)
            }
        })
    }

    fn argument(&mut self, world: &mut World<'_>, args: &[Expr], at: usize) -> Result<String> {
        let value = self.value(world, args.get(at).ok_or_else(|| few("function"))?)?;
        Ok(self.text(&value))
    }

    fn split_into(&mut self, world: &mut World<'_>, args: &[Expr]) -> Result<Value> {
        let text = self.argument(world, args, 0)?;
        let array = self.array_argument(args.get(1))?;
        let parts = match args.get(2) {
            Some(Expr::Regex(pattern)) if text.is_empty() || pattern.is_empty() => Vec::new(),
            Some(Expr::Regex(pattern)) => self.regex(pattern)?.split(&text).map(ToOwned::to_owned).collect(),
            Some(_) => {
                let separator = self.argument(world, args, 2)?;
                self.split(&text, &separator)?
            }
            None => {
                let separator = self.special_text("FS");
                self.split(&text, &separator)?
            }
        };
        let count = parts.len();
        self.arrays[array] = parts
            .into_iter()
            .enumerate()
            .map(|(at, part)| ((at + 1).to_string(), Value::Input(part)))
            .collect();
        Ok(Value::Number(count as f64))
    }

    fn substitute(&mut self, world: &mut World<'_>, all: bool, args: &[Expr]) -> Result<Value> {
        let regex = self.pattern(world, args.first().ok_or_else(|| few("sub"))?)?;
        let replacement = self.argument(world, args, 1)?;
        let record = Expr::Field(Box::new(Expr::Number(0.0)));
        let target = args.get(2).unwrap_or(&record);
        let text = self.value(world, target)?;
        let text = self.text(&text);
        let (changed, count) = replace(&regex, &text, &replacement, all);
        if count > 0 {
            self.assign(world, target, Value::Text(changed))?;
        }
        Ok(Value::Number(count as f64))
    }

    /// `printf`.
    pub(super) fn format(&self, values: &[Value]) -> Result<String> {
        let Some((format, values)) = values.split_first() else { return Err(few("printf")) };
        let format = self.text(format);
        let mut values = values.iter();
        let mut out = String::new();
        let mut rest = format.as_str();
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                out.push('%');
                rest = after;
                continue;
            }
            let flags_len = rest.find(|c| !"-+ #0".contains(c)).unwrap_or(rest.len());
            let (flags, after) = rest.split_at(flags_len);
            rest = after;
            let mut count = |rest: &mut &str| -> Option<i64> {
                if let Some(after) = rest.strip_prefix('*') {
                    *rest = after;
                    return Some(values.next().map_or(0.0, Value::number) as i64);
                }
                let len = rest.bytes().take_while(u8::is_ascii_digit).count();
                let number = rest[..len].parse().ok();
                *rest = &rest[len..];
                number
            };
            let width = count(&mut rest).unwrap_or(0);
            let precision = match rest.strip_prefix('.') {
                Some(after) => {
                    rest = after;
                    Some(count(&mut rest).unwrap_or(0).clamp(0, MAX_WIDTH as i64) as usize)
                }
                None => None,
            };
            let Some(conversion) = rest.trim_start_matches(['l', 'h']).chars().next() else {
                out.push('%');
                break;
            };
            rest = &rest.trim_start_matches(['l', 'h'])[conversion.len_utf8()..];
            let value = values.next().cloned().unwrap_or_default();
            let (body, numeric) = match conversion {
                'd' | 'i' => (integer(value.number().trunc(), precision), true),
                'o' => (format!("{:o}", value.number() as i64), true),
                'x' => (format!("{:x}", value.number() as i64), true),
                'X' => (format!("{:X}", value.number() as i64), true),
                'u' => (format!("{}", value.number() as i64 as u64), true),
                'e' | 'f' | 'g' | 'F' => (float(value.number(), conversion, precision.unwrap_or(6)), true),
                'E' | 'G' => (float(value.number(), conversion, precision.unwrap_or(6)).to_uppercase(), true),
                'c' => match &value {
                    Value::Number(code) => {
                        (char::from_u32(*code as u32).map(String::from).unwrap_or_default(), false)
                    }
                    value => (self.text(value).chars().take(1).collect(), false),
                },
                's' => (self.text(&value).chars().take(precision.unwrap_or(usize::MAX)).collect(), false),
                other => {
                    out.push('%');
                    out.push(other);
                    continue;
                }
            };
            out.push_str(&pad(&body, flags, width, numeric));
        }
        out.push_str(rest);
        Ok(out)
    }
}

fn few(name: &str) -> Stop {
    Stop::Error(format!("not enough arguments to {name}"))
}

fn integer(number: f64, precision: Option<usize>) -> String {
    let text = format!("{:.0}", number + 0.0);
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    format!("{sign}{digits:0>width$}", width = precision.unwrap_or(0))
}

fn pad(body: &str, flags: &str, width: i64, numeric: bool) -> String {
    let left = flags.contains('-') || width < 0;
    let width = usize::try_from(width.unsigned_abs()).unwrap_or(MAX_WIDTH).min(MAX_WIDTH);
    let (sign, digits) = match body.strip_prefix('-') {
        Some(digits) if numeric => ("-", digits),
        _ if numeric && flags.contains('+') => ("+", body),
        _ if numeric && flags.contains(' ') => (" ", body),
        _ => ("", body),
    };
    let missing = width.saturating_sub(sign.len() + digits.chars().count());
    if left {
        format!("{sign}{digits}{}", " ".repeat(missing))
    } else if numeric && flags.contains('0') {
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else {
        format!("{}{sign}{digits}", " ".repeat(missing))
    }
}

/// The characters from `start` (from 1) on, as the rounding of POSIX has it.
fn substring(text: &str, start: f64, length: Option<f64>) -> String {
    let first = start.round();
    let end = length.map_or(f64::INFINITY, |length| first + length.round());
    text.chars()
        .enumerate()
        .filter(|(at, _)| (*at + 1) as f64 >= first && ((*at + 1) as f64) < end)
        .map(|(_, c)| c)
        .collect()
}

/// Replaces the first or all; in the replacement `&` is what matched, `\\&` a plain one.
fn replace(regex: &Regex, text: &str, replacement: &str, all: bool) -> (String, usize) {
    let (mut out, mut end, mut count) = (String::new(), 0, 0);
    for found in regex.find_iter(text) {
        out.push_str(&text[end..found.start()]);
        let mut chars = replacement.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '&' => out.push_str(found.as_str()),
                '\\' => match chars.next_if(|c| *c == '&' || *c == '\\') {
                    Some(c) => out.push(c),
                    None => out.push('\\'),
                },
                c => out.push(c),
            }
        }
        end = found.end();
        count += 1;
        if !all {
            break;
        }
    }
    out.push_str(&text[end..]);
    (out, count)
}
