//! The machine that runs a program.

use std::collections::BTreeMap;

use regex_lite::Regex;

use super::MAX_STEPS;
use super::parse::SPECIAL;
use super::regex::compile;
use super::tree::{Expr, Pattern, Program, Slot, Statement};
use super::value::Value;
use crate::order::Collected;
use crate::process::utilities::World;

/// Calls of functions in one another.
const MAX_CALLS: usize = 200;

/// What breaks off the flow of statements.
pub(super) enum Stop {
    Next,
    Break,
    Continue,
    Return(Value),
    Exit(u8),
    Error(String),
}

pub(super) type Result<T> = std::result::Result<T, Stop>;

/// What a variable holds.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Value(Value),
    /// The number of an array.
    Array(usize),
}

pub(super) struct Machine<'a> {
    program: &'a Program,
    globals: Vec<Cell>,
    frames: Vec<Vec<Cell>>,
    pub(super) arrays: Vec<BTreeMap<String, Value>>,
    /// `$0`, then the fields.
    fields: Vec<Value>,
    regexes: BTreeMap<String, Regex>,
    inside: Vec<bool>,
    steps: usize,
    pub(super) seed: f64,
    pub(super) random: u64,
    /// The files that `>` has opened.
    written: Vec<String>,
    out: Vec<u8>,
}

fn special(name: &str) -> usize {
    SPECIAL.iter().position(|known| *known == name).unwrap_or(0)
}

impl<'a> Machine<'a> {
    pub(super) fn new(
        program: &'a Program,
        environment: BTreeMap<String, Value>,
        operands: &[String],
    ) -> Self {
        let mut machine = Self {
            program,
            globals: vec![Cell::Value(Value::Unset); program.globals.len()],
            frames: Vec::new(),
            arrays: Vec::new(),
            fields: vec![Value::Unset],
            regexes: BTreeMap::new(),
            inside: vec![false; program.rules.len()],
            steps: 0,
            seed: 0.0,
            random: 1,
            written: Vec::new(),
            out: Vec::new(),
        };
        for (name, text) in [
            ("FS", " "),
            ("OFS", " "),
            ("ORS", "\n"),
            ("RS", "\n"),
            ("SUBSEP", "\x1c"),
            ("CONVFMT", "%.6g"),
            ("OFMT", "%.6g"),
        ] {
            machine.set_named(name, Value::Text(text.to_owned()));
        }
        machine.set_named("RLENGTH", Value::Number(-1.0));
        machine.set_named("ARGC", Value::Number((operands.len() + 1) as f64));
        let arguments = std::iter::once("awk").chain(operands.iter().map(String::as_str)).enumerate();
        let arguments =
            arguments.map(|(at, text)| (at.to_string(), Value::Input(text.to_owned()))).into_map();
        for (name, array) in [("ENVIRON", environment), ("ARGV", arguments)] {
            if let Some(at) = program.globals.iter().position(|known| known == name) {
                machine.arrays.push(array);
                machine.globals[at] = Cell::Array(machine.arrays.len() - 1);
            }
        }
        machine
    }

    /// Sets a variable from outside; one that the program does not name is of no use.
    pub(super) fn set_named(&mut self, name: &str, value: Value) {
        if let Some(at) = self.program.globals.iter().position(|known| known == name) {
            self.globals[at] = Cell::Value(value);
        }
    }

    pub(super) fn special_text(&self, name: &str) -> String {
        match &self.globals[special(name)] {
            Cell::Value(value) => value.text("%.6g"),
            Cell::Array(_) => String::new(),
        }
    }

    fn set_special(&mut self, name: &str, number: f64) {
        self.globals[special(name)] = Cell::Value(Value::Number(number));
    }

    pub(super) fn set_match(&mut self, start: f64, length: f64) {
        self.set_special("RSTART", start);
        self.set_special("RLENGTH", length);
    }

    fn tick(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(Stop::Error("not modelled: a program that runs this long".to_owned()));
        }
        Ok(())
    }

    pub(super) fn text(&self, value: &Value) -> String {
        match value {
            Value::Number(_) => value.text(&self.special_text("CONVFMT")),
            value => value.text(""),
        }
    }

    /// Hands over what was printed.
    pub(super) fn flush(&mut self, world: &mut World<'_>) {
        world.out.append(&mut self.out);
    }

    pub(super) fn begin(&mut self, world: &mut World<'_>) -> Result<()> {
        self.rules(world, |pattern| matches!(pattern, Pattern::Begin))
    }

    pub(super) fn end(&mut self, world: &mut World<'_>, code: u8) -> Result<()> {
        self.rules(world, |pattern| matches!(pattern, Pattern::End)).map_err(|stop| match stop {
            // `exit` without a number keeps the one before.
            Stop::Exit(0) => Stop::Exit(code),
            stop => stop,
        })
    }

    /// Whether there is anything to do for records.
    pub(super) fn reads(&self) -> bool {
        self.program.rules.iter().any(|(pattern, _)| !matches!(pattern, Pattern::Begin))
    }

    fn rules(&mut self, world: &mut World<'_>, wanted: impl Fn(&Pattern) -> bool) -> Result<()> {
        let program = self.program;
        for (pattern, body) in &program.rules {
            if wanted(pattern)
                && let Some(body) = body
            {
                self.block(world, body)?;
            }
        }
        Ok(())
    }

    /// Runs the rules for each record of a file.
    pub(super) fn file(&mut self, world: &mut World<'_>, name: &str, bytes: &[u8]) -> Result<()> {
        self.globals[special("FILENAME")] = Cell::Value(Value::Text(name.to_owned()));
        self.set_special("FNR", 0.0);
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut rest = text.as_str();
        loop {
            let separator = self.special_text("RS");
            if separator.is_empty() {
                rest = rest.trim_start_matches('\n');
            }
            if rest.is_empty() {
                return Ok(());
            }
            let (start, end) = match separator.chars().count() {
                0 => rest
                    .find("\n\n")
                    .map_or((rest.trim_end_matches('\n').len(), rest.len()), |at| (at, at + 2)),
                1 => rest
                    .find(separator.as_str())
                    .map_or((rest.len(), rest.len()), |at| (at, at + separator.len())),
                _ => {
                    let regex = self.regex(&separator)?;
                    regex
                        .find(rest)
                        .map_or((rest.len(), rest.len()), |found| (found.start(), found.end().max(1)))
                }
            };
            let record = rest[..start].to_owned();
            rest = &rest[end..];
            for counter in ["NR", "FNR"] {
                let at = special(counter);
                if let Cell::Value(value) = &self.globals[at] {
                    let next = value.number() + 1.0;
                    self.globals[at] = Cell::Value(Value::Number(next));
                }
            }
            self.set_record(&record, separator.is_empty())?;
            self.record(world)?;
        }
    }

    fn record(&mut self, world: &mut World<'_>) -> Result<()> {
        let program = self.program;
        for (number, (pattern, body)) in program.rules.iter().enumerate() {
            let applies = match pattern {
                Pattern::Begin | Pattern::End => false,
                Pattern::Always => true,
                Pattern::When(condition) => self.value(world, condition)?.truth(),
                Pattern::Range(from, to) => {
                    let starts = self.inside[number] || self.value(world, from)?.truth();
                    if starts {
                        self.inside[number] = !self.value(world, to)?.truth();
                    }
                    starts
                }
            };
            if !applies {
                continue;
            }
            let done = match body {
                Some(body) => self.block(world, body),
                None => {
                    self.say(&[]);
                    Ok(())
                }
            };
            match done {
                Err(Stop::Next) => return Ok(()),
                done => done?,
            }
        }
        Ok(())
    }

    fn block(&mut self, world: &mut World<'_>, statements: &[Statement]) -> Result<()> {
        statements.iter().try_for_each(|statement| self.statement(world, statement))
    }

    /// The body of a loop; whether the loop goes on.
    fn turn(&mut self, world: &mut World<'_>, body: &Statement) -> Result<bool> {
        match self.statement(world, body) {
            Ok(()) | Err(Stop::Continue) => Ok(true),
            Err(Stop::Break) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    fn statement(&mut self, world: &mut World<'_>, statement: &Statement) -> Result<()> {
        self.tick()?;
        match statement {
            Statement::Expr(expr) => {
                self.value(world, expr)?;
            }
            Statement::Print { args, formatted, to } => self.print(world, args, *formatted, to.as_ref())?,
            Statement::If(condition, then, otherwise) => {
                if self.value(world, condition)?.truth() {
                    self.statement(world, then)?;
                } else if let Some(otherwise) = otherwise {
                    self.statement(world, otherwise)?;
                }
            }
            Statement::While(condition, body) => {
                while self.value(world, condition)?.truth() {
                    if !self.turn(world, body)? {
                        break;
                    }
                }
            }
            Statement::Do(body, condition) => {
                while self.turn(world, body)? && self.value(world, condition)?.truth() {}
            }
            Statement::For(first, condition, step, body) => {
                if let Some(first) = first {
                    self.statement(world, first)?;
                }
                loop {
                    if let Some(condition) = condition
                        && !self.value(world, condition)?.truth()
                    {
                        break;
                    }
                    if !self.turn(world, body)? {
                        break;
                    }
                    if let Some(step) = step {
                        self.statement(world, step)?;
                    }
                }
            }
            Statement::ForIn(name, array, body) => {
                let array = self.array(*array)?;
                for key in self.arrays[array].keys().cloned().collect::<Vec<_>>() {
                    self.set_slot(*name, Value::Input(key))?;
                    if !self.turn(world, body)? {
                        break;
                    }
                }
            }
            Statement::Block(statements) => self.block(world, statements)?,
            Statement::Next => return Err(Stop::Next),
            Statement::Exit(code) => {
                let code = code.as_ref().map_or(Ok(Value::Unset), |code| self.value(world, code))?;
                return Err(Stop::Exit(code.number() as i64 as u8));
            }
            Statement::Return(value) => {
                let value = value.as_ref().map_or(Ok(Value::Unset), |value| self.value(world, value))?;
                return Err(Stop::Return(value));
            }
            Statement::Break => return Err(Stop::Break),
            Statement::Continue => return Err(Stop::Continue),
            Statement::Delete(array, index) => {
                let array = self.array(*array)?;
                if index.is_empty() {
                    self.arrays[array].clear();
                } else {
                    let key = self.key(world, index)?;
                    self.arrays[array].remove(&key);
                }
            }
        }
        Ok(())
    }

    fn say(&mut self, values: &[Value]) {
        let text = self.line(values);
        self.out.extend_from_slice(text.as_bytes());
    }

    fn line(&self, values: &[Value]) -> String {
        let format = self.special_text("OFMT");
        let texts: Vec<String> = if values.is_empty() {
            vec![self.fields[0].text(&format)]
        } else {
            values.iter().map(|value| value.text(&format)).collect()
        };
        texts.join(&self.special_text("OFS")) + &self.special_text("ORS")
    }

    fn print(
        &mut self,
        world: &mut World<'_>,
        args: &[Expr],
        formatted: bool,
        to: Option<&(Expr, bool)>,
    ) -> Result<()> {
        let values = args.iter().map(|arg| self.value(world, arg)).collect::<Result<Vec<_>>>()?;
        let text = if formatted { self.format(&values)? } else { self.line(&values) };
        let Some((file, append)) = to else {
            self.out.extend_from_slice(text.as_bytes());
            return Ok(());
        };
        let file = self.value(world, file)?;
        let name = self.text(&file);
        match name.as_str() {
            "/dev/stdout" | "-" => self.out.extend_from_slice(text.as_bytes()),
            "/dev/stderr" => world.err.extend_from_slice(text.as_bytes()),
            _ => {
                let path = world.path(&name);
                let first = !self.written.contains(&path);
                let written = if first && !append {
                    world.files.write(&path, text.into_bytes(), world.now)
                } else {
                    world.files.append(&path, text.as_bytes(), world.now)
                };
                if first {
                    self.written.push(path);
                }
                written
                    .map_err(|error| Stop::Error(format!("cannot open \"{name}\" for output ({error})")))?;
            }
        }
        Ok(())
    }

    pub(super) fn regex(&mut self, pattern: &str) -> Result<Regex> {
        if let Some(regex) = self.regexes.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = compile(pattern).map_err(Stop::Error)?;
        if self.regexes.len() > 200 {
            self.regexes.clear();
        }
        self.regexes.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }

    fn cell(&mut self, slot: Slot) -> &mut Cell {
        match slot {
            Slot::Global(at) => &mut self.globals[at],
            Slot::Local(at) => match self.frames.last_mut() {
                Some(frame) => &mut frame[at],
                None => &mut self.globals[0],
            },
        }
    }

    /// The array of a variable, which becomes one if it was nothing yet.
    pub(super) fn array(&mut self, slot: Slot) -> Result<usize> {
        let fresh = self.arrays.len();
        match self.cell(slot) {
            Cell::Array(number) => Ok(*number),
            cell @ Cell::Value(Value::Unset) => {
                *cell = Cell::Array(fresh);
                self.arrays.push(BTreeMap::new());
                Ok(fresh)
            }
            Cell::Value(_) => Err(Stop::Error("a scalar is used as an array".to_owned())),
        }
    }

    fn set_slot(&mut self, slot: Slot, value: Value) -> Result<()> {
        match self.cell(slot) {
            Cell::Array(_) => return Err(Stop::Error("an array is used as a scalar".to_owned())),
            cell @ Cell::Value(_) => *cell = Cell::Value(value),
        }
        if slot == Slot::Global(special("NF")) {
            self.resize();
        }
        Ok(())
    }

    /// The subscript that several expressions make.
    pub(super) fn key(&mut self, world: &mut World<'_>, index: &[Expr]) -> Result<String> {
        let mut texts = Vec::new();
        for expr in index {
            let value = self.value(world, expr)?;
            texts.push(self.text(&value));
        }
        Ok(texts.join(&self.special_text("SUBSEP")))
    }
}

#[path = "evaluate.rs"]
mod evaluate;
