//! A program as a tree.

/// A variable: one of the program's, or one of the function that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Global(usize),
    Local(usize),
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Number(f64),
    Text(String),
    /// Alone it is matched against `$0`.
    Regex(String),
    Var(Slot),
    Field(Box<Expr>),
    Element(Slot, Vec<Expr>),
    Assign(Box<Expr>, Option<char>, Box<Expr>),
    Condition(Box<Expr>, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    In(Vec<Expr>, Slot),
    Match {
        negated: bool,
        text: Box<Expr>,
        pattern: Box<Expr>,
    },
    Compare(&'static str, Box<Expr>, Box<Expr>),
    Concat(Box<Expr>, Box<Expr>),
    Arithmetic(char, Box<Expr>, Box<Expr>),
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    Not(Box<Expr>),
    /// `++x`, `x--`: whether the value is that before, and what is added.
    Step {
        before: bool,
        by: f64,
        target: Box<Expr>,
    },
    /// One of the program's functions.
    Call(usize, Vec<Expr>),
    /// One of awk's.
    Builtin(&'static str, Vec<Expr>),
}

#[derive(Clone, Debug)]
pub(super) enum Statement {
    Expr(Expr),
    Print {
        args: Vec<Expr>,
        formatted: bool,
        /// The file, and whether it is appended to.
        to: Option<(Expr, bool)>,
    },
    If(Expr, Box<Statement>, Option<Box<Statement>>),
    While(Expr, Box<Statement>),
    Do(Box<Statement>, Expr),
    For(Option<Box<Statement>>, Option<Expr>, Option<Box<Statement>>, Box<Statement>),
    ForIn(Slot, Slot, Box<Statement>),
    Block(Vec<Statement>),
    Next,
    Exit(Option<Expr>),
    Return(Option<Expr>),
    Break,
    Continue,
    Delete(Slot, Vec<Expr>),
}

#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Begin,
    End,
    Always,
    When(Expr),
    Range(Expr, Expr),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Function {
    /// Which parameters are arrays.
    pub(super) arrays: Vec<bool>,
    pub(super) body: Vec<Statement>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub(super) globals: Vec<String>,
    pub(super) functions: Vec<Function>,
    pub(super) rules: Vec<(Pattern, Option<Vec<Statement>>)>,
}
