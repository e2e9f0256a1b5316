//! One expression: parsed once, its names checked, evaluated often.

use std::collections::BTreeSet;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, ExecutionError, Value};
use clusterlab::kube::api::Kind;

use super::functions::FUNCTIONS;

/// CEL's own functions, as far as this build has them.
const STANDARD: &[&str] = &[
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "hasValue",
    "int",
    "or",
    "orValue",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
    "value",
];

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// It is not CEL.
    #[error("not a CEL expression: {message} (line {line}, column {column} of the expression)")]
    Syntax {
        /// What is wrong.
        message: String,
        /// The line within the expression, from 1.
        line: usize,
        /// The column within the line, from 1.
        column: usize,
    },
    /// It names something that no lab has.
    #[error("unknown {what} \"{name}\", expected one of: {known}")]
    Unknown {
        /// `name` or `function`.
        what: &'static str,
        /// The name as it was written.
        name: String,
        /// What there is.
        known: String,
    },
    /// It gave no answer: a type that does not fit, a division by zero.
    #[error("{0}")]
    Evaluation(String),
    /// It gave an answer, but not one of the kind that is needed.
    #[error("gives {got}, expected {expected}")]
    Type {
        /// The type of the answer.
        got: String,
        /// What it should have been.
        expected: &'static str,
    },
}

/// Which parts of a lab an expression looks at: only these are prepared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Kinds of objects.
    pub kinds: BTreeSet<Kind>,
    /// The learner's files.
    pub files: bool,
    /// The logs of pods.
    pub logs: bool,
    /// The STATUS column of pods.
    pub statuses: bool,
    /// The clock.
    pub now: bool,
    /// The Slurm cluster.
    pub slurm: bool,
}

impl Uses {
    /// Whether what is looked at can change although no object and no file does.
    pub const fn moves(&self) -> bool {
        self.logs || self.now || self.slurm
    }

    /// Adds what `other` looks at.
    pub fn add(&mut self, other: &Self) {
        self.kinds.extend(&other.kinds);
        self.files |= other.files;
        self.logs |= other.logs;
        self.statuses |= other.statuses;
        self.now |= other.now;
        self.slurm |= other.slurm;
    }
}

/// A CEL expression over the state of a lab.
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    tree: IdedExpr,
    uses: Uses,
}

impl Expression {
    /// Parses `source` and checks that everything it names exists.
    ///
    /// # Errors
    ///
    /// [`CheckError::Syntax`] or [`CheckError::Unknown`].
    pub fn parse(source: &str) -> Result<Self, CheckError> {
        let tree = cel::parser::PrattParser::new().parse(source).map_err(|errors| {
            let first = errors.errors.first();
            let place = |at: isize| usize::try_from(at).unwrap_or(0).max(1);
            CheckError::Syntax {
                message: first.map_or_else(|| "empty".to_owned(), |error| error.msg.clone()),
                line: first.map_or(1, |error| place(error.pos.0)),
                column: first.map_or(1, |error| place(error.pos.1)),
            }
        })?;
        let mut names = Names::default();
        names.visit(&tree, &mut Vec::new())?;
        Ok(Self { source: source.to_owned(), tree, uses: names.uses })
    }

    /// The text it was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Which parts of a lab it looks at.
    pub const fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Whether it holds. What is not there is not so.
    ///
    /// # Errors
    ///
    /// A mistake in the expression that only shows when it is evaluated.
    pub fn holds(&self, context: &Context<'_, '_>) -> Result<bool, CheckError> {
        match self.evaluate(context)? {
            Some(Value::Bool(answer)) => Ok(answer),
            Some(other) => {
                Err(CheckError::Type { got: other.type_of().to_string(), expected: "true or false" })
            }
            None => Ok(false),
        }
    }

    /// Its answer as text: a string as it is, a number or truth value as CEL
    /// writes it; `None` if what it asks for is not there.
    ///
    /// # Errors
    ///
    /// As [`holds`](Self::holds); also an answer that is a list or an object.
    pub fn text(&self, context: &Context<'_, '_>) -> Result<Option<String>, CheckError> {
        Ok(Some(match self.evaluate(context)? {
            Some(Value::String(text)) => text.as_str().to_owned(),
            Some(Value::Int(number)) => number.to_string(),
            Some(Value::UInt(number)) => number.to_string(),
            Some(Value::Float(number)) => number.to_string(),
            Some(Value::Bool(answer)) => answer.to_string(),
            Some(other) => {
                return Err(CheckError::Type {
                    got: other.type_of().to_string(),
                    expected: "a text, a number or a truth value",
                });
            }
            None => return Ok(None),
        }))
    }

    fn evaluate(&self, context: &Context<'_, '_>) -> Result<Option<Value>, CheckError> {
        match Value::resolve(&self.tree, context) {
            Ok(value) => Ok(Some(value)),
            Err(ExecutionError::NoSuchKey(_) | ExecutionError::IndexOutOfBounds(_)) => Ok(None),
            Err(error) => Err(CheckError::Evaluation(error.to_string())),
        }
    }
}

/// Collects what an expression names, and refuses what no lab has.
#[derive(Default)]
struct Names {
    uses: Uses,
}

impl Names {
    /// Visits `node`; `scope` holds the variables of the macros around it.
    fn visit<'a>(&mut self, node: &'a IdedExpr, scope: &mut Vec<&'a str>) -> Result<(), CheckError> {
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => {
                if scope.contains(&name.as_str()) {
                    Ok(())
                } else {
                    self.variable(name)
                }
            }
            Expr::Call(call) => {
                self.function(&call.func_name)?;
                call.target.iter().try_for_each(|target| self.visit(target, scope))?;
                call.args.iter().try_for_each(|argument| self.visit(argument, scope))
            }
            Expr::Comprehension(comprehension) => {
                self.visit(&comprehension.iter_range, scope)?;
                self.visit(&comprehension.accu_init, scope)?;
                let outer = scope.len();
                scope.push(&comprehension.accu_var);
                scope.push(&comprehension.iter_var);
                scope.extend(comprehension.iter_var2.as_deref());
                self.visit(&comprehension.loop_cond, scope)?;
                self.visit(&comprehension.loop_step, scope)?;
                self.visit(&comprehension.result, scope)?;
                scope.truncate(outer);
                Ok(())
            }
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.visit(element, scope)),
            Expr::Select(select) => self.visit(&select.operand, scope),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| self.entry(&entry.expr, scope)),
            Expr::Struct(object) => {
                object.entries.iter().try_for_each(|entry| self.entry(&entry.expr, scope))
            }
        }
    }

    fn entry<'a>(&mut self, entry: &'a EntryExpr, scope: &mut Vec<&'a str>) -> Result<(), CheckError> {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value, scope),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, scope)?;
                self.visit(&entry.value, scope)
            }
        }
    }

    fn variable(&mut self, name: &str) -> Result<(), CheckError> {
        // `@result` and its like are the macros' own; type names are values in CEL.
        self.uses.now |= name == "now";
        if name == "now" || name.starts_with('@') || STANDARD.contains(&name) || name == "null_type" {
            return Ok(());
        }
        if name == "files" {
            self.uses.files = true;
            return Ok(());
        }
        if name == "slurm" {
            self.uses.slurm = true;
            return Ok(());
        }
        let kind = Kind::ALL.iter().find(|kind| kind.info().plural == name);
        self.uses.kinds.insert(*kind.ok_or_else(|| {
            let kinds = Kind::ALL.iter().map(|kind| kind.info().plural);
            CheckError::Unknown {
                what: "name",
                name: name.to_owned(),
                known: kinds.chain(["files", "now", "slurm"]).collect::<Vec<_>>().join(", "),
            }
        })?);
        Ok(())
    }

    fn function(&mut self, name: &str) -> Result<(), CheckError> {
        match name {
            "pod" => _ = self.uses.kinds.insert(Kind::Pod),
            "node" => _ = self.uses.kinds.insert(Kind::Node),
            "logs" => self.uses.logs = true,
            "job" => self.uses.slurm = true,
            "status" => self.uses.statuses = true,
            _ => {}
        }
        // Operators are functions too: `_==_`, `!_`, `@in`.
        let operator = name.contains(|c: char| !c.is_ascii_alphanumeric());
        if operator || STANDARD.contains(&name) || FUNCTIONS.contains(&name) {
            return Ok(());
        }
        Err(CheckError::Unknown {
            what: "function",
            name: name.to_owned(),
            known: [FUNCTIONS, STANDARD].concat().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(source: &str, expect: &str) {
        let got = Expression::parse(source).map(|expression| format!("{:?}", expression.uses().kinds));
        assert_eq!(got.unwrap_or_else(|error| error.to_string()), expect, "{source}");
    }

    #[test]
    fn it_knows_which_kinds_it_looks_at() {
        check("1 + 1 == 2", "{}");
        check("pods.exists(p, nodes.exists(n, n.metadata.name == p.spec.nodeName))", "{Node, Pod}");
        check("pod('a').status.phase == 'Running' && now > 5", "{Pod}");
    }

    #[test]
    fn a_misspelt_name_is_found_when_the_exercise_is_loaded() {
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.info().plural).collect();
        let known = kinds.join(", ");
        check(
            "podz.size() == 1",
            &format!("unknown name \"podz\", expected one of: {known}, files, now, slurm"),
        );
        // The variable of one macro is unknown outside it.
        assert!(Expression::parse("pods.exists(p, true) && p.x").is_err());
        assert!(
            Expression::parse("pods.exsts(p, true)")
                .unwrap_err()
                .to_string()
                .starts_with("unknown function \"exsts\"")
        );
    }

    #[test]
    fn what_is_not_cel_says_where() {
        check(
            "pods.exists(p,\n  p.x ==)",
            "not a CEL expression: unexpected token (line 2, column 9 of the expression)",
        );
        check(
            "",
            "not a CEL expression: Syntax error: mismatched input '<EOF>' expecting expression \
             (line 1, column 1 of the expression)",
        );
    }

    proptest! {
        #[test]
        fn any_text_is_an_expression_or_an_error(
            source in "[pods.exits(,) '\"!&|=<>0-9\\[\\]{}:?ab\\\\\n가]{0,40}",
        ) {
            let _ = Expression::parse(&source);
        }

        #[test]
        fn any_unicode_is_an_expression_or_an_error(source in any::<String>()) {
            let _ = Expression::parse(&source);
        }
    }
}
