//! Expressions, fields and records.

use super::{Cell, MAX_CALLS, Machine, Result, Stop, special};
use crate::process::utilities::World;
use crate::process::utilities::awk::tree::{Expr, Slot};
use crate::process::utilities::awk::value::Value;

/// The highest field.
const MAX_FIELDS: usize = 32_767;

impl Machine<'_> {
    pub(in super::super) fn value(&mut self, world: &mut World<'_>, expr: &Expr) -> Result<Value> {
        self.tick()?;
        let yes = |truth: bool| Value::Number(f64::from(u8::from(truth)));
        Ok(match expr {
            Expr::Number(number) => Value::Number(*number),
            Expr::Text(text) => Value::Text(text.clone()),
            Expr::Regex(pattern) => {
                let regex = self.regex(pattern)?;
                let text = self.text(&self.fields[0].clone());
                yes(regex.is_match(&text))
            }
            Expr::Var(slot) => match self.cell(*slot) {
                Cell::Value(value) => value.clone(),
                Cell::Array(_) => return Err(Stop::Error("an array is used as a scalar".to_owned())),
            },
            Expr::Field(index) => {
                let index = self.value(world, index)?.number();
                if index < 0.0 {
                    return Err(Stop::Error(format!("negative field index ${index}")));
                }
                self.fields.get(index as usize).cloned().unwrap_or_default()
            }
            Expr::Element(array, index) => {
                let key = self.key(world, index)?;
                let array = self.array(*array)?;
                self.arrays[array].entry(key).or_default().clone()
            }
            Expr::Assign(target, operator, right) => {
                let mut right = self.value(world, right)?;
                if let Some(operator) = operator {
                    let left = self.value(world, target)?.number();
                    right = Value::Number(arithmetic(*operator, left, right.number())?);
                }
                self.assign(world, target, right.clone())?;
                right
            }
            Expr::Condition(test, then, otherwise) => {
                if self.value(world, test)?.truth() {
                    self.value(world, then)?
                } else {
                    self.value(world, otherwise)?
                }
            }
            Expr::And(left, right) => {
                yes(self.value(world, left)?.truth() && self.value(world, right)?.truth())
            }
            Expr::Or(left, right) => {
                yes(self.value(world, left)?.truth() || self.value(world, right)?.truth())
            }
            Expr::In(index, array) => {
                let key = self.key(world, index)?;
                let array = self.array(*array)?;
                yes(self.arrays[array].contains_key(&key))
            }
            Expr::Match { negated, text, pattern } => {
                let text = self.value(world, text)?;
                let text = self.text(&text);
                let regex = self.pattern(world, pattern)?;
                yes(regex.is_match(&text) != *negated)
            }
            Expr::Compare(sign, left, right) => {
                let (left, right) = (self.value(world, left)?, self.value(world, right)?);
                let order = left.compare(&right, &self.special_text("CONVFMT"));
                yes(order.is_some_and(|order| match *sign {
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    "==" => order.is_eq(),
                    "!=" => order.is_ne(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                }))
            }
            Expr::Concat(left, right) => {
                let (left, right) = (self.value(world, left)?, self.value(world, right)?);
                let text = self.text(&left) + &self.text(&right);
                if text.len() > 1 << 24 {
                    return Err(Stop::Error("not modelled: a string this long".to_owned()));
                }
                Value::Text(text)
            }
            Expr::Arithmetic(sign, left, right) => {
                let (left, right) = (self.value(world, left)?, self.value(world, right)?);
                Value::Number(arithmetic(*sign, left.number(), right.number())?)
            }
            Expr::Negative(inner) => Value::Number(-self.value(world, inner)?.number()),
            Expr::Positive(inner) => Value::Number(self.value(world, inner)?.number()),
            Expr::Not(inner) => yes(!self.value(world, inner)?.truth()),
            Expr::Step { before, by, target } => {
                let old = self.value(world, target)?.number();
                self.assign(world, target, Value::Number(old + by))?;
                Value::Number(if *before { old } else { old + by })
            }
            Expr::Call(number, args) => self.call(world, *number, args)?,
            Expr::Builtin(name, args) => self.builtin(world, name, args)?,
        })
    }

    /// The regular expression that stands there, or that a text is.
    pub(in super::super) fn pattern(
        &mut self,
        world: &mut World<'_>,
        expr: &Expr,
    ) -> Result<regex_lite::Regex> {
        if let Expr::Regex(pattern) = expr {
            return self.regex(pattern);
        }
        let value = self.value(world, expr)?;
        let text = self.text(&value);
        self.regex(&text)
    }

    pub(in super::super) fn assign(
        &mut self,
        world: &mut World<'_>,
        target: &Expr,
        value: Value,
    ) -> Result<()> {
        match target {
            Expr::Var(slot) => self.set_slot(*slot, value),
            Expr::Element(array, index) => {
                let key = self.key(world, index)?;
                let array = self.array(*array)?;
                self.arrays[array].insert(key, value);
                Ok(())
            }
            Expr::Field(index) => {
                let index = self.value(world, index)?.number();
                if !(0.0..=MAX_FIELDS as f64).contains(&index) {
                    return Err(Stop::Error(format!("index out of range: ${index}")));
                }
                let index = index as usize;
                let value = Value::Input(self.text(&value));
                if index == 0 {
                    let text = value.text("");
                    return self.set_record(&text, false);
                }
                if self.fields.len() <= index {
                    self.fields.resize(index + 1, Value::Unset);
                }
                self.fields[index] = value;
                let count = self.fields.len() - 1;
                self.set_special("NF", count as f64);
                self.rebuild();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn rebuild(&mut self) {
        let texts: Vec<String> = self.fields[1..].iter().map(|field| self.text(field)).collect();
        self.fields[0] = Value::Input(texts.join(&self.special_text("OFS")));
    }

    /// NF was set: fields come or go.
    pub(super) fn resize(&mut self) {
        if let Cell::Value(value) = &self.globals[special("NF")] {
            let count = (value.number().max(0.0) as usize).min(MAX_FIELDS);
            self.fields.resize(count + 1, Value::Unset);
            self.rebuild();
        }
    }

    /// Makes `text` the record.
    pub(super) fn set_record(&mut self, text: &str, lines: bool) -> Result<()> {
        let separator = self.special_text("FS");
        let parts = if lines && separator != " " {
            text.split('\n').map(|line| self.split(line, &separator)).collect::<Result<Vec<_>>>()?.concat()
        } else {
            self.split(text, &separator)?
        };
        self.set_special("NF", parts.len() as f64);
        self.fields = std::iter::once(text.to_owned()).chain(parts).map(Value::Input).collect();
        Ok(())
    }

    /// Splits as FS does: a blank stands for any white space, one character for itself.
    pub(in super::super) fn split(&mut self, text: &str, separator: &str) -> Result<Vec<String>> {
        if separator == " " {
            return Ok(text.split_whitespace().map(ToOwned::to_owned).collect());
        }
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut chars = separator.chars();
        match (chars.next(), chars.next()) {
            (None, _) => Ok(text.chars().map(String::from).collect()),
            (Some(c), None) if c != '\\' => Ok(text.split(c).map(ToOwned::to_owned).collect()),
            _ => {
                let regex = self.regex(separator)?;
                Ok(regex.split(text).map(ToOwned::to_owned).collect())
            }
        }
    }

    fn call(&mut self, world: &mut World<'_>, number: usize, args: &[Expr]) -> Result<Value> {
        let program = self.program;
        let function = &program.functions[number];
        if function.body.is_empty() && function.arrays.is_empty() && !args.is_empty() {
            return Err(Stop::Error("function never defined".to_owned()));
        }
        if args.len() > function.arrays.len() {
            return Err(Stop::Error("too many arguments in call".to_owned()));
        }
        if self.frames.len() >= MAX_CALLS {
            return Err(Stop::Error("not modelled: calls nested this deep".to_owned()));
        }
        let mut frame = Vec::with_capacity(function.arrays.len());
        for (position, is_array) in function.arrays.iter().enumerate() {
            frame.push(match args.get(position) {
                Some(Expr::Var(slot)) if *is_array => Cell::Array(self.array(*slot)?),
                Some(Expr::Var(slot)) => self.cell(*slot).clone(),
                Some(expr) => Cell::Value(self.value(world, expr)?),
                None => Cell::Value(Value::Unset),
            });
        }
        self.frames.push(frame);
        let result = self.block(world, &function.body);
        self.frames.pop();
        match result {
            Ok(()) => Ok(Value::Unset),
            Err(Stop::Return(value)) => Ok(value),
            Err(stop) => Err(stop),
        }
    }

    /// Whether nothing was given where `$0` stands for it.
    pub(in super::super) fn record_text(&self) -> String {
        self.text(&self.fields[0])
    }

    /// The array that stands as an argument.
    pub(in super::super) fn array_argument(&mut self, expr: Option<&Expr>) -> Result<usize> {
        match expr {
            Some(Expr::Var(slot)) => self.array(*slot),
            _ => Err(Stop::Error("an array was expected".to_owned())),
        }
    }

    /// The array of that variable, if it is one already.
    pub(in super::super) fn known_array(&mut self, slot: Slot) -> Option<usize> {
        match self.cell(slot) {
            Cell::Array(number) => Some(*number),
            Cell::Value(_) => None,
        }
    }
}

fn arithmetic(sign: char, left: f64, right: f64) -> Result<f64> {
    Ok(match sign {
        '+' => left + right,
        '-' => left - right,
        '*' => left * right,
        '/' if right == 0.0 => return Err(Stop::Error("division by zero".to_owned())),
        '/' => left / right,
        '%' if right == 0.0 => return Err(Stop::Error("division by zero in %".to_owned())),
        '%' => left % right,
        _ => left.powf(right),
    })
}
