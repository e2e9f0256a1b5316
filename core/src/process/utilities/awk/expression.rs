//! The grammar of expressions, from the loosest operator to the tightest.

use super::{Parser, Problem, Result};
use crate::process::utilities::awk::lex::Token;
use crate::process::utilities::awk::tree::{Expr, Slot};

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

fn assignable(expr: &Expr) -> bool {
    matches!(expr, Expr::Var(_) | Expr::Field(_) | Expr::Element(..))
}

impl Parser {
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.deeper(|parser| {
            let left = parser.condition()?;
            let operators = [
                ("=", None),
                ("+=", Some('+')),
                ("-=", Some('-')),
                ("*=", Some('*')),
                ("/=", Some('/')),
                ("%=", Some('%')),
                ("^=", Some('^')),
            ];
            for (sign, operator) in operators {
                if assignable(&left) && parser.eat(sign) {
                    parser.newlines();
                    return Ok(Expr::Assign(boxed(left), operator, boxed(parser.expr()?)));
                }
            }
            Ok(left)
        })
    }

    fn condition(&mut self) -> Result<Expr> {
        let test = self.or()?;
        if !self.eat("?") {
            return Ok(test);
        }
        self.newlines();
        let yes = self.expr()?;
        self.newlines();
        self.expect(":")?;
        self.newlines();
        Ok(Expr::Condition(boxed(test), boxed(yes), boxed(self.expr()?)))
    }

    fn or(&mut self) -> Result<Expr> {
        let mut left = self.and()?;
        while self.eat("||") {
            self.newlines();
            left = Expr::Or(boxed(left), boxed(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let mut left = self.membership()?;
        while self.eat("&&") {
            self.newlines();
            left = Expr::And(boxed(left), boxed(self.membership()?));
        }
        Ok(left)
    }

    fn membership(&mut self) -> Result<Expr> {
        let mut left = self.matching()?;
        while !self.no_in && self.eat_word("in") {
            let Token::Name(name) = self.next() else { return Err(self.unexpected()) };
            left = Expr::In(vec![left], self.array(&name));
        }
        Ok(left)
    }

    fn matching(&mut self) -> Result<Expr> {
        let mut left = self.comparison()?;
        loop {
            let negated = self.is("!~");
            if !self.eat("~") && !self.eat("!~") {
                return Ok(left);
            }
            let pattern = boxed(self.comparison()?);
            left = Expr::Match { negated, text: boxed(left), pattern };
        }
    }

    fn comparison(&mut self) -> Result<Expr> {
        let left = self.concat()?;
        for sign in ["<", "<=", "==", "!=", ">", ">="] {
            if self.is(sign) && !(sign == ">" && self.no_greater) {
                self.at += 1;
                return Ok(Expr::Compare(sign, boxed(left), boxed(self.concat()?)));
            }
        }
        Ok(left)
    }

    /// Whether what comes can begin an operand that is joined to the one before.
    fn joins(&self) -> bool {
        match self.peek() {
            Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Call(_) | Token::Regex(_) => true,
            Token::Word(word) => !matches!(
                *word,
                "in" | "getline"
                    | "BEGIN"
                    | "END"
                    | "function"
                    | "if"
                    | "else"
                    | "while"
                    | "for"
                    | "do"
                    | "print"
                    | "printf"
            ),
            Token::Sign(sign) => matches!(*sign, "(" | "$" | "!" | "-" | "+" | "++" | "--"),
            _ => false,
        }
    }

    pub(super) fn concat(&mut self) -> Result<Expr> {
        let mut left = self.sum()?;
        while self.joins() {
            left = Expr::Concat(boxed(left), boxed(self.sum()?));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expr> {
        let mut left = self.product()?;
        loop {
            let sign = if self.eat("+") {
                '+'
            } else if self.eat("-") {
                '-'
            } else {
                return Ok(left);
            };
            left = Expr::Arithmetic(sign, boxed(left), boxed(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expr> {
        let mut left = self.unary()?;
        loop {
            let sign = if self.eat("*") {
                '*'
            } else if self.eat("/") {
                '/'
            } else if self.eat("%") {
                '%'
            } else {
                return Ok(left);
            };
            left = Expr::Arithmetic(sign, boxed(left), boxed(self.unary()?));
        }
    }

    fn unary(&mut self) -> Result<Expr> {
        self.deeper(|parser| {
            if parser.eat("!") {
                return Ok(Expr::Not(boxed(parser.unary()?)));
            }
            if parser.eat("-") {
                return Ok(Expr::Negative(boxed(parser.unary()?)));
            }
            if parser.eat("+") {
                return Ok(Expr::Positive(boxed(parser.unary()?)));
            }
            parser.power()
        })
    }

    fn power(&mut self) -> Result<Expr> {
        let base = self.stepped()?;
        if !self.eat("^") {
            return Ok(base);
        }
        // To the right, and a sign may stand in front of the exponent.
        Ok(Expr::Arithmetic('^', boxed(base), boxed(self.unary()?)))
    }

    fn stepped(&mut self) -> Result<Expr> {
        for (sign, by) in [("++", 1.0), ("--", -1.0)] {
            if self.eat(sign) {
                let target = self.deeper(Self::stepped)?;
                if !assignable(&target) {
                    return Err(self.unexpected());
                }
                return Ok(Expr::Step { before: false, by, target: boxed(target) });
            }
        }
        let expr = self.primary()?;
        if assignable(&expr) {
            for (sign, by) in [("++", 1.0), ("--", -1.0)] {
                if self.eat(sign) {
                    return Ok(Expr::Step { before: true, by, target: boxed(expr) });
                }
            }
        }
        Ok(expr)
    }

    fn primary(&mut self) -> Result<Expr> {
        let problem = self.unexpected();
        match self.next() {
            Token::Number(number) => Ok(Expr::Number(number)),
            Token::Text(text) => Ok(Expr::Text(text)),
            Token::Regex(pattern) => Ok(Expr::Regex(pattern)),
            Token::Sign("$") => {
                let index = if self.is("++") || self.is("--") {
                    self.deeper(Self::stepped)?
                } else if self.eat("-") {
                    Expr::Negative(boxed(self.deeper(Self::primary)?))
                } else {
                    self.deeper(Self::primary)?
                };
                Ok(Expr::Field(boxed(index)))
            }
            Token::Sign("(") => self.parenthesis(),
            Token::Name(name) => {
                if self.eat("[") {
                    let index = self.inside("]")?;
                    let array = self.array(&name);
                    return Ok(Expr::Element(array, index));
                }
                Ok(Expr::Var(self.slot(&name)))
            }
            Token::Call(name) => {
                self.expect("(")?;
                let args = self.inside(")")?;
                let number = self.function_number(&name);
                if let Some(function) = self.function {
                    for (its, arg) in args.iter().enumerate() {
                        if let Expr::Var(Slot::Local(local)) = arg {
                            self.passed.push((function, *local, number, its));
                        }
                    }
                }
                Ok(Expr::Call(number, args))
            }
            Token::Word(word) => self.builtin(word, problem),
            _ => {
                self.at -= 1;
                Err(problem)
            }
        }
    }

    /// Inside brackets nothing of the outside holds.
    fn inside(&mut self, close: &str) -> Result<Vec<Expr>> {
        let outer = (std::mem::take(&mut self.no_greater), std::mem::take(&mut self.no_in));
        let list = self.list(close);
        (self.no_greater, self.no_in) = outer;
        list
    }

    fn parenthesis(&mut self) -> Result<Expr> {
        let list = self.inside(")")?;
        if self.is_word("in") && list.len() > 1 {
            self.at += 1;
            let Token::Name(name) = self.next() else { return Err(self.unexpected()) };
            return Ok(Expr::In(list, self.array(&name)));
        }
        match <[Expr; 1]>::try_from(list) {
            // So that `(a) = 1` and `(a)++` are refused, and `(a)` is handed over by value.
            Ok([inner @ Expr::Var(_)]) => {
                Ok(Expr::Condition(boxed(Expr::Number(1.0)), boxed(inner), boxed(Expr::Number(0.0))))
            }
            Ok([inner]) => Ok(inner),
            Err(_) => Err(self.unexpected()),
        }
    }

    fn builtin(&mut self, word: &'static str, problem: Problem) -> Result<Expr> {
        if matches!(word, "getline" | "system" | "close" | "fflush") {
            return Err(self.problem(&format!("not modelled: {word}")));
        }
        let known = matches!(
            word,
            "length"
                | "substr"
                | "index"
                | "split"
                | "sub"
                | "gsub"
                | "match"
                | "sprintf"
                | "toupper"
                | "tolower"
                | "int"
                | "sqrt"
                | "exp"
                | "log"
                | "sin"
                | "cos"
                | "atan2"
                | "rand"
                | "srand"
        );
        if !known {
            self.at -= 1;
            return Err(problem);
        }
        let args = if self.eat("(") {
            self.inside(")")?
        } else if word == "length" {
            Vec::new()
        } else {
            return Err(self.unexpected());
        };
        if word == "split"
            && let Some(Expr::Var(slot)) = args.get(1)
        {
            let slot = *slot;
            self.mark(slot);
        }
        Ok(Expr::Builtin(word, args))
    }
}
