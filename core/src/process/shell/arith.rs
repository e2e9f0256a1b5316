//! Shell arithmetic: the expressions of C over 64-bit integers that wrap around.
//!
//! An expression is evaluated while it is read, by precedence climbing; what a
//! short circuit skips is read with effects switched off. Variables hold
//! expressions themselves, so evaluation may recurse, to a depth that bash
//! limits too.

/// Where variables are found.
pub(crate) trait Variables {
    /// The text of `name` or `name[subscript]`; `None` if unset.
    fn get(&mut self, name: &str, subscript: Option<i64>) -> std::result::Result<Option<String>, String>;
    /// Sets one.
    fn set(&mut self, name: &str, subscript: Option<i64>, value: i64) -> std::result::Result<(), String>;
}

/// As bash: "expression recursion level exceeded".
const MAX_DEPTH: usize = 64;

/// The value of `text`, or what bash says behind `line N: `.
pub(crate) fn evaluate(text: &str, variables: &mut dyn Variables) -> std::result::Result<i64, String> {
    evaluate_at(text, variables, 0)
}

fn evaluate_at(text: &str, variables: &mut dyn Variables, depth: usize) -> std::result::Result<i64, String> {
    if text.trim().is_empty() {
        return Ok(0);
    }
    let mut parser = Parser { text: text.trim_start(), at: 0, last: 0, depth, skip: false, variables };
    let value = parser.comma()?;
    parser.space();
    if parser.at < parser.text.len() {
        parser.last = parser.at;
        let operator = parser.rest().starts_with(|c: char| "+-*/%<>=&|^!?:,()".contains(c));
        return Err(parser.error(if operator {
            "syntax error: operand expected"
        } else if parser.rest().starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            "syntax error in expression"
        } else {
            "syntax error: invalid arithmetic operator"
        }));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Where the last token began, for messages.
    last: usize,
    depth: usize,
    /// In a branch that is not taken.
    skip: bool,
    variables: &'a mut dyn Variables,
}

/// A value, and the variable that it came from.
struct Operand {
    value: i64,
    place: Option<(String, Option<i64>)>,
}

type Result<T> = std::result::Result<T, String>;

/// Binary operators by rising precedence, longest spelling first within a level.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

const ASSIGNMENTS: &[&str] = &["<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "="];

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        // Double quotes mean nothing in an expression.
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == '"').len();
    }

    fn error(&self, what: &str) -> String {
        format!("{}: {what} (error token is \"{}\")", self.text, &self.text[self.last.min(self.text.len())..])
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.last = self.at;
            self.at += token.len();
        }
        found
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error("expression recursion level exceeded"));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn comma(&mut self) -> Result<i64> {
        let mut value = self.assignment()?.value;
        while self.eat(",") {
            value = self.assignment()?.value;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Result<Operand> {
        self.deeper(Self::assignment_inner)
    }

    fn assignment_inner(&mut self) -> Result<Operand> {
        let left = self.conditional()?;
        self.space();
        if self.rest().starts_with("==") {
            return Ok(left);
        }
        let Some(operator) = ASSIGNMENTS.iter().find(|operator| self.rest().starts_with(**operator)) else {
            return Ok(left);
        };
        self.last = self.at;
        let Some(place) = left.place else {
            return Err(self.error("attempted assignment to non-variable"));
        };
        self.at += operator.len();
        let right = self.assignment()?.value;
        let value = match operator.strip_suffix('=') {
            Some("") | None => right,
            Some(operator) => self.apply(operator, left.value, right)?,
        };
        self.store(&place, value)?;
        Ok(Operand { value, place: None })
    }

    fn store(&mut self, place: &(String, Option<i64>), value: i64) -> Result<()> {
        if self.skip { Ok(()) } else { self.variables.set(&place.0, place.1, value) }
    }

    fn conditional(&mut self) -> Result<Operand> {
        let condition = self.binary(0)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let skip = self.skip;
        self.skip = skip || condition.value == 0;
        let yes = self.deeper(Self::comma)?;
        self.skip = skip;
        if !self.eat(":") {
            self.last = self.at;
            return Err(self.error("`:' expected for conditional expression"));
        }
        self.skip = skip || condition.value != 0;
        let no = self.assignment()?.value;
        self.skip = skip;
        Ok(Operand { value: if condition.value != 0 { yes } else { no }, place: None })
    }

    fn operator(&mut self, level: usize) -> Option<&'static str> {
        self.space();
        let rest = self.rest();
        if ASSIGNMENTS.iter().any(|op| rest.starts_with(op)) && !rest.starts_with("==") {
            return None;
        }
        let found = LEVELS[level].iter().find(|operator| rest.starts_with(**operator))?;
        // `|` is not the beginning of `||`, `<` not that of `<<`, `*` not that of `**`.
        let longer = LEVELS.iter().flat_map(|level| level.iter()).chain(&["**"]);
        let hidden = longer.filter(|other| other.len() > found.len()).any(|other| rest.starts_with(*other));
        if hidden {
            return None;
        }
        self.last = self.at;
        self.at += found.len();
        Some(found)
    }

    fn binary(&mut self, level: usize) -> Result<Operand> {
        if level == LEVELS.len() {
            return self.power();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            let skip = self.skip;
            self.skip = skip
                || match operator {
                    "&&" => left.value == 0,
                    "||" => left.value != 0,
                    _ => false,
                };
            let right = self.binary(level + 1)?;
            self.skip = skip;
            left = Operand { value: self.apply(operator, left.value, right.value)?, place: None };
        }
        Ok(left)
    }

    fn power(&mut self) -> Result<Operand> {
        let base = self.unary()?;
        if !self.eat("**") {
            return Ok(base);
        }
        let exponent = self.deeper(Self::power)?.value;
        if exponent < 0 && !self.skip {
            return Err(self.error("exponent less than 0"));
        }
        let exponent = u32::try_from(exponent.max(0)).unwrap_or(u32::MAX);
        Ok(Operand { value: base.value.wrapping_pow(exponent), place: None })
    }

    fn apply(&self, operator: &str, a: i64, b: i64) -> Result<i64> {
        if matches!(operator, "/" | "%") && b == 0 {
            return if self.skip {
                Ok(0)
            } else {
                let start = self.text[..self.at].trim_end();
                let token = start.rfind(['/', '%']).map_or("", |at| self.text[at + 1..].trim_start());
                Err(format!("{}: division by 0 (error token is \"{token}\")", self.text))
            };
        }
        Ok(match operator {
            "||" => i64::from(a != 0 || b != 0),
            "&&" => i64::from(a != 0 && b != 0),
            "|" => a | b,
            "^" => a ^ b,
            "&" => a & b,
            "==" => i64::from(a == b),
            "!=" => i64::from(a != b),
            "<=" => i64::from(a <= b),
            ">=" => i64::from(a >= b),
            "<" => i64::from(a < b),
            ">" => i64::from(a > b),
            "<<" => a.wrapping_shl((b & 63) as u32),
            ">>" => a.wrapping_shr((b & 63) as u32),
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            "/" => a.wrapping_div(b),
            _ => a.wrapping_rem(b),
        })
    }

    fn unary(&mut self) -> Result<Operand> {
        for (sign, step) in [("++", 1), ("--", -1)] {
            self.space();
            if self.rest().starts_with(sign) {
                let at = self.at;
                self.at += 2;
                self.space();
                if self.rest().starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                    let operand = self.primary()?;
                    if let Some(place) = operand.place {
                        let value = operand.value.wrapping_add(step);
                        self.store(&place, value)?;
                        return Ok(Operand { value, place: None });
                    }
                }
                self.at = at;
            }
        }
        for sign in ['!', '~', '-', '+'] {
            if self.eat(sign.encode_utf8(&mut [0; 4])) {
                let value = self.deeper(Self::unary)?.value;
                let value = match sign {
                    '!' => i64::from(value == 0),
                    '~' => !value,
                    '-' => value.wrapping_neg(),
                    _ => value,
                };
                return Ok(Operand { value, place: None });
            }
        }
        let operand = self.primary()?;
        for (sign, step) in [("++", 1), ("--", -1)] {
            self.space();
            if self.rest().starts_with(sign)
                && let Some(place) = &operand.place
            {
                self.at += 2;
                self.store(place, operand.value.wrapping_add(step))?;
                return Ok(Operand { value: operand.value, place: None });
            }
        }
        Ok(operand)
    }

    fn primary(&mut self) -> Result<Operand> {
        if self.eat("(") {
            let value = self.deeper(Self::comma)?;
            if !self.eat(")") {
                self.last = self.at;
                return Err(self.error("missing `)'"));
            }
            return Ok(Operand { value, place: None });
        }
        self.space();
        let rest = self.rest();
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_#@".contains(c))).unwrap_or(rest.len());
        let word = &rest[..end];
        if word.is_empty() {
            // The token that has no operand is the operator in front.
            if !rest.is_empty() {
                self.last = self.at;
            }
            return Err(self.error("syntax error: operand expected"));
        }
        self.last = self.at;
        self.at += end;
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(Operand { value: self.number(word)?, place: None });
        }
        let mut subscript = None;
        if self.rest().starts_with('[') {
            self.at += 1;
            subscript = Some(self.deeper(Self::comma)?);
            if !self.eat("]") {
                return Err(format!("{}: bad array subscript", self.text));
            }
        }
        let value = if self.skip { None } else { self.variables.get(word, subscript)? };
        let value = match value {
            None => 0,
            Some(text) => match text.trim().parse() {
                Ok(number) if !text.trim().starts_with('0') || text.trim() == "0" => number,
                _ if self.depth + 1 >= MAX_DEPTH => {
                    return Err(self.error("expression recursion level exceeded"));
                }
                _ => evaluate_at(&text, self.variables, self.depth + 1)?,
            },
        };
        Ok(Operand { value, place: Some((word.to_owned(), subscript)) })
    }

    fn number(&self, word: &str) -> Result<i64> {
        let (radix, digits) = if let Some((radix, digits)) = word.split_once('#') {
            match radix.parse::<u32>() {
                Ok(radix @ 2..=64) => (radix, digits),
                _ => return Err(self.error("invalid arithmetic base")),
            }
        } else if let Some(hex) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            (16, hex)
        } else if word.len() > 1 && word.starts_with('0') {
            (8, &word[1..])
        } else {
            (10, word)
        };
        let mut value: i64 = 0;
        for c in digits.chars() {
            let digit = match c {
                '0'..='9' => c as u32 - '0' as u32,
                'a'..='z' => c as u32 - 'a' as u32 + 10,
                'A'..='Z' if radix <= 36 => c as u32 - 'A' as u32 + 10,
                'A'..='Z' => c as u32 - 'A' as u32 + 36,
                '@' => 62,
                _ => 63,
            };
            if digit >= radix {
                return Err(self.error("value too great for base"));
            }
            value = value.wrapping_mul(i64::from(radix)).wrapping_add(i64::from(digit));
        }
        Ok(value)
    }
}
