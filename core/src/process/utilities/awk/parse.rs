//! Tokens to a tree: the grammar of POSIX awk without `getline` and pipes.

use super::lex::{Token, tokens};
use super::tree::{Expr, Function, Pattern, Program, Slot, Statement};

/// Parentheses and blocks in one another.
const MAX_DEPTH: usize = 100;
/// The variables that awk itself knows, in the order of their slots.
pub(super) const SPECIAL: [&str; 13] = [
    "NF", "NR", "FNR", "FS", "OFS", "ORS", "RS", "FILENAME", "SUBSEP", "RSTART", "RLENGTH", "CONVFMT", "OFMT",
];

/// The line, and what is wrong there.
pub(super) type Problem = (usize, String);
type Result<T> = std::result::Result<T, Problem>;

pub(super) struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
    program: Program,
    names: Vec<String>,
    /// Parameters of the function that is being read, and its number.
    locals: Vec<String>,
    function: Option<usize>,
    /// `>` ends an expression: it stands behind `print`.
    no_greater: bool,
    /// `in` ends an expression: it stands behind `for (`.
    no_in: bool,
    /// A parameter handed on: (function, parameter, called function, its parameter).
    passed: Vec<(usize, usize, usize, usize)>,
}

/// Reads a program.
///
/// # Errors
///
/// Where and what.
pub(super) fn parse(text: &str) -> Result<Program> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        program: Program {
            globals: SPECIAL.iter().map(|name| (*name).to_owned()).collect(),
            ..Program::default()
        },
        names: Vec::new(),
        locals: Vec::new(),
        function: None,
        no_greater: false,
        no_in: false,
        passed: Vec::new(),
    };
    parser.items()?;
    // A parameter that is handed on as an array is one.
    for _ in 0..parser.passed.len() {
        for (function, parameter, callee, its) in parser.passed.clone() {
            if parser.program.functions.get(callee).and_then(|f| f.arrays.get(its)) == Some(&true) {
                parser.program.functions[function].arrays[parameter] = true;
            }
        }
    }
    Ok(parser.program)
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if *found == word)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.at += usize::from(found);
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        if self.eat(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn problem(&self, what: &str) -> Problem {
        let last = self.tokens.last().map_or(1, |(_, line)| *line);
        (self.tokens.get(self.at).map_or(last, |(_, line)| *line), what.to_owned())
    }

    fn unexpected(&self) -> Problem {
        let near = match self.peek() {
            Token::End => return self.problem("syntax error at or near end of line"),
            Token::Newline => "end of line".to_owned(),
            Token::Number(number) => number.to_string(),
            Token::Text(text) => format!("\"{text}\""),
            Token::Regex(text) => format!("/{text}/"),
            Token::Name(name) | Token::Call(name) => name.clone(),
            Token::Word(word) | Token::Sign(word) => (*word).to_owned(),
        };
        self.problem(&format!("syntax error at or near {near}"))
    }

    fn newlines(&mut self) {
        while *self.peek() == Token::Newline {
            self.at += 1;
        }
    }

    fn separators(&mut self) {
        while *self.peek() == Token::Newline || self.is(";") {
            self.at += 1;
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.problem("not modelled: nested this deep"));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn items(&mut self) -> Result<()> {
        loop {
            self.separators();
            if *self.peek() == Token::End {
                return Ok(());
            }
            if self.eat_word("function") {
                self.function_item()?;
                continue;
            }
            let pattern = if self.eat_word("BEGIN") {
                Pattern::Begin
            } else if self.eat_word("END") {
                Pattern::End
            } else if self.is("{") {
                Pattern::Always
            } else {
                let from = self.expr()?;
                if self.eat(",") {
                    self.newlines();
                    Pattern::Range(from, self.expr()?)
                } else {
                    Pattern::When(from)
                }
            };
            let body = if self.is("{") { Some(self.block()?) } else { None };
            if body.is_none() && matches!(pattern, Pattern::Begin | Pattern::End) {
                return Err(self.unexpected());
            }
            self.program.rules.push((pattern, body));
        }
    }

    fn function_number(&mut self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.program.functions.push(Function::default());
            self.names.len() - 1
        })
    }

    fn function_item(&mut self) -> Result<()> {
        let (Token::Call(name) | Token::Name(name)) = self.next() else { return Err(self.unexpected()) };
        let number = self.function_number(&name);
        self.expect("(")?;
        self.locals.clear();
        while !self.is(")") {
            let Token::Name(parameter) = self.next() else { return Err(self.unexpected()) };
            self.locals.push(parameter);
            if !self.eat(",") {
                break;
            }
            self.newlines();
        }
        self.expect(")")?;
        self.newlines();
        self.program.functions[number].arrays = vec![false; self.locals.len()];
        self.function = Some(number);
        let body = self.block()?;
        self.program.functions[number].body = body;
        self.locals.clear();
        self.function = None;
        Ok(())
    }

    fn block(&mut self) -> Result<Vec<Statement>> {
        self.expect("{")?;
        let mut statements = Vec::new();
        loop {
            self.separators();
            if self.eat("}") {
                return Ok(statements);
            }
            statements.push(self.statement()?);
        }
    }

    /// What ends a simple statement.
    fn end(&mut self) -> Result<()> {
        if self.is("}") || *self.peek() == Token::End {
            return Ok(());
        }
        if self.eat(";") || *self.peek() == Token::Newline {
            return Ok(());
        }
        Err(self.unexpected())
    }

    /// The statement behind `if (…)` and its like, which may stand on the next line.
    fn body(&mut self) -> Result<Box<Statement>> {
        self.newlines();
        if self.eat(";") {
            return Ok(Box::new(Statement::Block(Vec::new())));
        }
        Ok(Box::new(self.statement()?))
    }

    fn statement(&mut self) -> Result<Statement> {
        self.deeper(Self::statement_inner)
    }

    fn statement_inner(&mut self) -> Result<Statement> {
        if self.is("{") {
            return Ok(Statement::Block(self.block()?));
        }
        if self.eat_word("if") {
            self.expect("(")?;
            let condition = self.expr()?;
            self.expect(")")?;
            let then = self.body()?;
            let before = self.at;
            self.separators();
            let otherwise = if self.eat_word("else") {
                Some(self.body()?)
            } else {
                self.at = before;
                None
            };
            return Ok(Statement::If(condition, then, otherwise));
        }
        if self.eat_word("while") {
            self.expect("(")?;
            let condition = self.expr()?;
            self.expect(")")?;
            return Ok(Statement::While(condition, self.body()?));
        }
        if self.eat_word("for") {
            return self.for_statement();
        }
        if self.eat_word("do") {
            let body = self.body()?;
            self.separators();
            if !self.eat_word("while") {
                return Err(self.unexpected());
            }
            self.expect("(")?;
            let condition = self.expr()?;
            self.expect(")")?;
            self.end()?;
            return Ok(Statement::Do(body, condition));
        }
        let statement = self.simple()?;
        self.end()?;
        Ok(statement)
    }

    fn for_statement(&mut self) -> Result<Statement> {
        self.expect("(")?;
        if let (
            Token::Name(name),
            Some((Token::Word("in"), _)),
            Some((Token::Name(array), _)),
            Some((Token::Sign(")"), _)),
        ) = (
            self.peek().clone(),
            self.tokens.get(self.at + 1).cloned(),
            self.tokens.get(self.at + 2).cloned(),
            self.tokens.get(self.at + 3).cloned(),
        ) {
            self.at += 4;
            let (name, array) = (self.slot(&name), self.array(&array));
            return Ok(Statement::ForIn(name, array, self.body()?));
        }
        let first = if self.is(";") { None } else { Some(Box::new(self.simple()?)) };
        self.expect(";")?;
        self.newlines();
        let condition = if self.is(";") { None } else { Some(self.expr()?) };
        self.expect(";")?;
        self.newlines();
        let step = if self.is(")") { None } else { Some(Box::new(self.simple()?)) };
        self.expect(")")?;
        Ok(Statement::For(first, condition, step, self.body()?))
    }

    fn ends_here(&self) -> bool {
        matches!(self.peek(), Token::Newline | Token::End) || self.is(";") || self.is("}")
    }

    fn simple(&mut self) -> Result<Statement> {
        let value = |parser: &mut Self| if parser.ends_here() { Ok(None) } else { parser.expr().map(Some) };
        if self.eat_word("next") {
            return Ok(Statement::Next);
        }
        if self.eat_word("break") {
            return Ok(Statement::Break);
        }
        if self.eat_word("continue") {
            return Ok(Statement::Continue);
        }
        if self.eat_word("exit") {
            return Ok(Statement::Exit(value(self)?));
        }
        if self.eat_word("return") {
            return Ok(Statement::Return(value(self)?));
        }
        if self.eat_word("delete") {
            let Token::Name(name) = self.next() else { return Err(self.unexpected()) };
            let array = self.array(&name);
            let index = if self.eat("[") { self.list("]")? } else { Vec::new() };
            return Ok(Statement::Delete(array, index));
        }
        let formatted = self.is_word("printf");
        if formatted || self.is_word("print") {
            self.at += 1;
            return self.print(formatted);
        }
        Ok(Statement::Expr(self.expr()?))
    }

    fn print(&mut self, formatted: bool) -> Result<Statement> {
        let outer = std::mem::replace(&mut self.no_greater, true);
        let mut args = Vec::new();
        let start = self.at;
        // `print (a, b)`, but not `print (a)(b)`.
        if self.eat("(") {
            self.no_greater = false;
            let inside = self.list(")");
            self.no_greater = true;
            match inside {
                Ok(list) if self.ends_here() || self.is(">") || self.is(">>") || self.is("|") => args = list,
                Ok(_) => self.at = start,
                Err(problem) => return Err(problem),
            }
        }
        if args.is_empty() && !self.ends_here() && !self.is(">") && !self.is(">>") && !self.is("|") {
            args.push(self.expr()?);
            while self.eat(",") {
                self.newlines();
                args.push(self.expr()?);
            }
        }
        if self.is("|") {
            return Err(self.problem("not modelled: a pipe"));
        }
        let append = self.is(">>");
        let to = if self.eat(">") || self.eat(">>") { Some((self.concat()?, append)) } else { None };
        self.no_greater = outer;
        Ok(Statement::Print { args, formatted, to })
    }

    /// Expressions up to the closing sign, over it.
    fn list(&mut self, close: &str) -> Result<Vec<Expr>> {
        let mut list = Vec::new();
        self.newlines();
        while !self.is(close) {
            list.push(self.expr()?);
            self.newlines();
            if !self.eat(",") {
                break;
            }
            self.newlines();
        }
        self.expect(close)?;
        Ok(list)
    }

    pub(super) fn slot(&mut self, name: &str) -> Slot {
        if let Some(local) = self.locals.iter().position(|known| known == name) {
            return Slot::Local(local);
        }
        let globals = &mut self.program.globals;
        Slot::Global(globals.iter().position(|known| known == name).unwrap_or_else(|| {
            globals.push(name.to_owned());
            globals.len() - 1
        }))
    }

    fn array(&mut self, name: &str) -> Slot {
        let slot = self.slot(name);
        self.mark(slot);
        slot
    }

    fn mark(&mut self, slot: Slot) {
        if let (Slot::Local(local), Some(function)) = (slot, self.function) {
            self.program.functions[function].arrays[local] = true;
        }
    }
}

#[path = "expression.rs"]
mod expression;
