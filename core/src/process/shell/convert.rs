//! From the grammar's tree to ours.

use std::sync::Arc;

use brush_parser::ast::{self, SourceLocation};

use super::parse::ScriptError;
use super::script::{
    Assign, AssignValue, Block, CaseEnd, CaseItem, Chain, Command, CommandKind, Function, Item, Join, Part,
    Pipeline, Redirect, Target, Test, Timed, Word,
};
use super::word::{Place, parse_here, parse_word, parse_words};

type Result<T> = std::result::Result<T, ScriptError>;

/// A whole script that begins at `place`.
pub(crate) fn program(program: &ast::Program, place: Place) -> Result<Block> {
    let converter = Converter { place };
    let mut items = Vec::new();
    for (group, list) in (0..).zip(&program.complete_commands) {
        converter.items(list, group, &mut items)?;
    }
    Ok(items.into())
}

struct Converter {
    place: Place,
}

impl Converter {
    fn line(&self, node: &impl SourceLocation) -> u32 {
        let line = node.location().map_or(1, |span| span.start.line.max(1));
        u32::try_from(self.place.line + line - 1).unwrap_or(u32::MAX)
    }

    fn place(&self, word: &ast::Word) -> Place {
        let line = word.loc.as_ref().map_or(1, |span| span.start.line.max(1));
        Place { line: self.place.line + line - 1, depth: self.place.depth }
    }

    fn at_line(&self, line: u32) -> Place {
        Place { line: line as usize, depth: self.place.depth }
    }

    fn block(&self, list: &ast::CompoundList) -> Result<Block> {
        let mut items = Vec::new();
        self.items(list, 0, &mut items)?;
        Ok(items.into())
    }

    fn items(&self, list: &ast::CompoundList, group: u32, items: &mut Vec<Item>) -> Result<()> {
        for ast::CompoundListItem(and_or, separator) in &list.0 {
            let background = matches!(separator, ast::SeparatorOperator::Async);
            items.push(Item { chain: Arc::new(self.chain(and_or, background)?), background, group });
        }
        Ok(())
    }

    fn chain(&self, list: &ast::AndOrList, background: bool) -> Result<Chain> {
        let mut rest = Vec::with_capacity(list.additional.len());
        for and_or in &list.additional {
            rest.push(match and_or {
                ast::AndOr::And(pipeline) => (Join::And, Arc::new(self.pipeline(pipeline)?)),
                ast::AndOr::Or(pipeline) => (Join::Or, Arc::new(self.pipeline(pipeline)?)),
            });
        }
        let text = if background { list.to_string() } else { String::new() };
        Ok(Chain { first: Arc::new(self.pipeline(&list.first)?), rest, text })
    }

    fn pipeline(&self, pipeline: &ast::Pipeline) -> Result<Pipeline> {
        let timed =
            pipeline.timed.as_ref().map(|t| if t.is_posix_output() { Timed::Posix } else { Timed::Bash });
        let commands =
            pipeline.seq.iter().map(|command| self.command(command).map(Arc::new)).collect::<Result<_>>()?;
        Ok(Pipeline { inverted: pipeline.bang, timed, commands })
    }

    fn command(&self, command: &ast::Command) -> Result<Command> {
        match command {
            ast::Command::Simple(simple) => self.simple(simple),
            ast::Command::Compound(compound, redirects) => self.compound(compound, redirects.as_ref()),
            ast::Command::Function(function) => {
                let body = Arc::new(self.compound(&function.body.0, function.body.1.as_ref())?);
                let function =
                    Function { name: function.fname.value.clone(), text: function.to_string(), body };
                let line = function.body.line;
                Ok(Command { line, redirects: Vec::new(), kind: CommandKind::Function(Arc::new(function)) })
            }
            ast::Command::ExtendedTest(test, redirects) => {
                let line = self.line(test);
                let kind = CommandKind::Test(self.test(&test.expr, self.at_line(line))?);
                Ok(Command { line, redirects: self.redirects(redirects.as_ref(), line)?, kind })
            }
        }
    }

    fn simple(&self, simple: &ast::SimpleCommand) -> Result<Command> {
        let line = self.line(simple);
        let (mut assigns, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        for item in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
            match item {
                ast::CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                    assigns.push(self.assign(assignment, self.place(word))?);
                }
                other => self.item(other, line, &mut words, &mut redirects)?,
            }
        }
        if let Some(name) = &simple.word_or_name {
            words.extend(parse_words(&name.value, self.place(name))?);
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            self.item(item, line, &mut words, &mut redirects)?;
        }
        Ok(Command { line, redirects, kind: CommandKind::Simple { assigns, words } })
    }

    fn item(
        &self,
        item: &ast::CommandPrefixOrSuffixItem,
        line: u32,
        words: &mut Vec<Word>,
        redirects: &mut Vec<Redirect>,
    ) -> Result<()> {
        match item {
            ast::CommandPrefixOrSuffixItem::IoRedirect(redirect) => {
                self.redirect(redirect, line, redirects)?;
            }
            ast::CommandPrefixOrSuffixItem::Word(word) => {
                words.extend(parse_words(&word.value, self.place(word))?);
            }
            ast::CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                let place = self.place(word);
                let assign = Arc::new(self.assign(assignment, place)?);
                let mut expanded = parse_words(&word.value, place)?;
                if let [only] = expanded.as_mut_slice() {
                    only.assign = Some(assign);
                }
                words.extend(expanded);
            }
            ast::CommandPrefixOrSuffixItem::ProcessSubstitution(kind, subshell) => {
                let part = match kind {
                    ast::ProcessSubstitutionKind::Read => {
                        Part::ProcessSubstitution(self.block(&subshell.list)?)
                    }
                    ast::ProcessSubstitutionKind::Write => {
                        Part::Bad("not modelled: process substitution >(…) as an argument".into())
                    }
                };
                words.push(Word { parts: [part].into(), assign: None });
            }
        }
        Ok(())
    }

    fn assign(&self, assignment: &ast::Assignment, place: Place) -> Result<Assign> {
        let (name, index) = match &assignment.name {
            ast::AssignmentName::VariableName(name) => (name.clone(), None),
            ast::AssignmentName::ArrayElementName(name, index) => {
                (name.clone(), Some(parse_word(index, place, false)?.parts))
            }
        };
        let value = match &assignment.value {
            ast::AssignmentValue::Scalar(word) => AssignValue::Scalar(parse_word(&word.value, place, true)?),
            ast::AssignmentValue::Array(elements) => {
                let mut values = Vec::new();
                for (index, value) in elements {
                    match index {
                        Some(index) => values.push((
                            Some(parse_word(&index.value, place, false)?.parts),
                            parse_word(&value.value, place, true)?,
                        )),
                        None => values
                            .extend(parse_words(&value.value, place)?.into_iter().map(|word| (None, word))),
                    }
                }
                AssignValue::Array(values)
            }
        };
        Ok(Assign { name, index, append: assignment.append, value })
    }

    fn redirects(&self, list: Option<&ast::RedirectList>, line: u32) -> Result<Vec<Redirect>> {
        let mut redirects = Vec::new();
        for redirect in list.iter().flat_map(|list| &list.0) {
            self.redirect(redirect, line, &mut redirects)?;
        }
        Ok(redirects)
    }

    fn redirect(&self, redirect: &ast::IoRedirect, line: u32, out: &mut Vec<Redirect>) -> Result<()> {
        let number = |fd: Option<i32>| fd.and_then(|fd| u32::try_from(fd).ok());
        let plain = |word: &ast::Word| parse_word(&word.value, self.at_line(line), false);
        let (fd, target) = match redirect {
            ast::IoRedirect::OutputAndError(word, append) => {
                (None, Target::Both { word: plain(word)?, append: *append })
            }
            ast::IoRedirect::HereString(fd, word) => (number(*fd), Target::HereString(plain(word)?)),
            ast::IoRedirect::HereDocument(fd, here) => {
                let body =
                    if here.remove_tabs { strip_tabs(&here.doc.value) } else { here.doc.value.clone() };
                let parts = if here.requires_expansion {
                    parse_here(&body, self.at_line(line + 1))?
                } else {
                    [Part::Quoted(body)].into()
                };
                (number(*fd), Target::HereDocument(parts))
            }
            ast::IoRedirect::File(fd, kind, target) => {
                use ast::IoFileRedirectKind as Kind;
                let target = match target {
                    ast::IoFileRedirectTarget::Filename(word) => {
                        let word = plain(word)?;
                        match kind {
                            Kind::Read | Kind::DuplicateInput => Target::Read(word),
                            Kind::Write | Kind::DuplicateOutput => Target::Write { word, clobber: false },
                            Kind::Clobber => Target::Write { word, clobber: true },
                            Kind::Append => Target::Append(word),
                            Kind::ReadAndWrite => Target::ReadWrite(word),
                        }
                    }
                    ast::IoFileRedirectTarget::Fd(number) => Target::Duplicate {
                        word: parse_word(&number.to_string(), self.at_line(line), false)?,
                        input: matches!(kind, Kind::DuplicateInput),
                    },
                    ast::IoFileRedirectTarget::Duplicate(word) => {
                        Target::Duplicate { word: plain(word)?, input: matches!(kind, Kind::DuplicateInput) }
                    }
                    ast::IoFileRedirectTarget::ProcessSubstitution(kind, subshell) => {
                        let block = self.block(&subshell.list)?;
                        match kind {
                            ast::ProcessSubstitutionKind::Read => Target::FromProcess(block),
                            ast::ProcessSubstitutionKind::Write => Target::ToProcess(block),
                        }
                    }
                };
                (number(*fd), target)
            }
        };
        out.push(Redirect { fd, target });
        Ok(())
    }

    fn compound(
        &self,
        compound: &ast::CompoundCommand,
        redirects: Option<&ast::RedirectList>,
    ) -> Result<Command> {
        let line = self.line(compound);
        let here = |text: &str| parse_here(text, self.at_line(line));
        let word = |text: Option<&ast::UnexpandedArithmeticExpr>| -> Result<Word> {
            let parts = here(text.map_or("", |expression| expression.value.trim()))?;
            Ok(Word { parts, assign: None })
        };
        let kind = match compound {
            ast::CompoundCommand::Arithmetic(command) => {
                CommandKind::Arithmetic { word: word(Some(&command.expr))?, text: command.expr.value.clone() }
            }
            ast::CompoundCommand::ArithmeticForClause(command) => CommandKind::ForArithmetic {
                init: word(command.initializer.as_ref())?,
                condition: word(command.condition.as_ref())?,
                step: word(command.updater.as_ref())?,
                body: self.block(&command.body.list)?,
            },
            ast::CompoundCommand::BraceGroup(group) => CommandKind::Group(self.block(&group.list)?),
            ast::CompoundCommand::Subshell(subshell) => CommandKind::Subshell(self.block(&subshell.list)?),
            ast::CompoundCommand::ForClause(command) => {
                let words = match &command.values {
                    None => None,
                    Some(values) => {
                        let mut words = Vec::new();
                        for value in values {
                            words.extend(parse_words(&value.value, self.place(value))?);
                        }
                        Some(words)
                    }
                };
                CommandKind::For {
                    name: command.variable_name.clone(),
                    words,
                    body: self.block(&command.body.list)?,
                }
            }
            ast::CompoundCommand::CaseClause(command) => {
                let mut items = Vec::new();
                for case in &command.cases {
                    let patterns = case
                        .patterns
                        .iter()
                        .map(|pattern| parse_word(&pattern.value, self.place(pattern), false))
                        .collect::<Result<_>>()?;
                    let body = case.cmd.as_ref().map_or_else(|| Ok([].into()), |list| self.block(list))?;
                    let then = match case.post_action {
                        ast::CaseItemPostAction::ExitCase => CaseEnd::Leave,
                        ast::CaseItemPostAction::UnconditionallyExecuteNextCaseItem => CaseEnd::FallThrough,
                        ast::CaseItemPostAction::ContinueEvaluatingCases => CaseEnd::TestNext,
                    };
                    items.push(CaseItem { patterns, body, then });
                }
                let word = parse_word(&command.value.value, self.place(&command.value), false)?;
                CommandKind::Case { word, items }
            }
            ast::CompoundCommand::IfClause(command) => {
                let mut arms = vec![(self.block(&command.condition)?, self.block(&command.then)?)];
                let mut otherwise = None;
                for clause in command.elses.iter().flatten() {
                    match &clause.condition {
                        Some(condition) => arms.push((self.block(condition)?, self.block(&clause.body)?)),
                        None => otherwise = Some(self.block(&clause.body)?),
                    }
                }
                CommandKind::If { arms, otherwise }
            }
            ast::CompoundCommand::WhileClause(command) => CommandKind::Loop {
                condition: self.block(&command.0)?,
                body: self.block(&command.1.list)?,
                until: false,
            },
            ast::CompoundCommand::UntilClause(command) => CommandKind::Loop {
                condition: self.block(&command.0)?,
                body: self.block(&command.1.list)?,
                until: true,
            },
            ast::CompoundCommand::Coprocess(_) => CommandKind::NotModelled("coproc".into()),
        };
        Ok(Command { line, redirects: self.redirects(redirects, line)?, kind })
    }

    fn test(&self, test: &ast::ExtendedTestExpr, place: Place) -> Result<Test> {
        let word = |word: &ast::Word| parse_word(&word.value, place, false);
        Ok(match test {
            ast::ExtendedTestExpr::And(a, b) => {
                Test::And(Box::new(self.test(a, place)?), Box::new(self.test(b, place)?))
            }
            ast::ExtendedTestExpr::Or(a, b) => {
                Test::Or(Box::new(self.test(a, place)?), Box::new(self.test(b, place)?))
            }
            ast::ExtendedTestExpr::Not(a) => Test::Not(Box::new(self.test(a, place)?)),
            ast::ExtendedTestExpr::Parenthesized(a) => self.test(a, place)?,
            ast::ExtendedTestExpr::UnaryTest(predicate, operand) => {
                Test::Unary(predicate.to_string(), word(operand)?)
            }
            ast::ExtendedTestExpr::BinaryTest(predicate, left, right) => {
                let operator = match predicate {
                    // A quoted regular expression: its quotes say what is literal.
                    ast::BinaryPredicate::StringContainsSubstring => "=~".to_owned(),
                    other => other.to_string(),
                };
                Test::Binary(word(left)?, operator, word(right)?)
            }
        })
    }
}

fn strip_tabs(text: &str) -> String {
    text.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect()
}
