//! A parsed script: small trees behind [`Arc`]s, so that a shell and all its
//! subshells share them and a clone in the middle of a run costs nothing.
//!
//! The shapes follow section 2.9 of the POSIX shell language and the bash
//! manual. Words are parsed as far as text alone allows: quotes are gone,
//! expansions are nodes, braces are expanded.

use std::sync::Arc;

/// Commands one after the other.
pub(crate) type Block = Arc<[Item]>;

/// One `and-or` list with its separator.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) chain: Arc<Chain>,
    /// Ended with `&`.
    pub(crate) background: bool,
    /// The number of the complete command: what bash reads and gives up as one.
    pub(crate) group: u32,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) first: Arc<Pipeline>,
    pub(crate) rest: Vec<(Join, Arc<Pipeline>)>,
    /// As `jobs` prints it.
    pub(crate) text: String,
}

impl Chain {
    pub(crate) fn pipeline(&self, at: usize) -> Option<&Arc<Pipeline>> {
        if at == 0 { Some(&self.first) } else { self.rest.get(at - 1).map(|(_, pipeline)| pipeline) }
    }
}

/// `&&` or `||`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    And,
    Or,
}

/// Commands joined by `|`.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// Begins with `!`.
    pub(crate) inverted: bool,
    pub(crate) timed: Option<Timed>,
    pub(crate) commands: Vec<Arc<Command>>,
}

/// What the reserved word `time` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timed {
    Bash,
    Posix,
}

/// One command with its redirections.
#[derive(Debug)]
pub(crate) struct Command {
    /// The line it begins at, from 1.
    pub(crate) line: u32,
    pub(crate) redirects: Vec<Redirect>,
    pub(crate) kind: CommandKind,
}

#[derive(Debug)]
pub(crate) enum CommandKind {
    Simple {
        assigns: Vec<Assign>,
        words: Vec<Word>,
    },
    Group(Block),
    Subshell(Block),
    If {
        arms: Vec<(Block, Block)>,
        otherwise: Option<Block>,
    },
    Loop {
        condition: Block,
        body: Block,
        until: bool,
    },
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: Block,
    },
    ForArithmetic {
        init: Word,
        condition: Word,
        step: Word,
        body: Block,
    },
    Case {
        word: Word,
        items: Vec<CaseItem>,
    },
    Arithmetic {
        word: Word,
        text: String,
    },
    Test(Test),
    Function(Arc<Function>),
    /// Parsed, but not modelled: what the shell says when it comes here.
    NotModelled(String),
    /// The text ends here, because bash could not read what follows.
    SyntaxError(super::parse::ScriptError),
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) body: Arc<Command>,
    /// As `declare -f` prints it.
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) struct CaseItem {
    pub(crate) patterns: Vec<Word>,
    pub(crate) body: Block,
    pub(crate) then: CaseEnd,
}

/// `;;`, `;&` or `;;&`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CaseEnd {
    Leave,
    FallThrough,
    TestNext,
}

/// `name=value`, `name[i]=value`, `name=(…)`, each also with `+=`.
#[derive(Clone, Debug)]
pub(crate) struct Assign {
    pub(crate) name: String,
    pub(crate) index: Option<Parts>,
    pub(crate) append: bool,
    pub(crate) value: AssignValue,
}

#[derive(Clone, Debug)]
pub(crate) enum AssignValue {
    Scalar(Word),
    Array(Vec<(Option<Parts>, Word)>),
}

#[derive(Debug)]
pub(crate) struct Redirect {
    /// The descriptor in front of the operator.
    pub(crate) fd: Option<u32>,
    pub(crate) target: Target,
}

#[derive(Debug)]
pub(crate) enum Target {
    Read(Word),
    Write {
        word: Word,
        clobber: bool,
    },
    Append(Word),
    ReadWrite(Word),
    /// `<&` and `>&`.
    Duplicate {
        word: Word,
        input: bool,
    },
    /// `&>` and `&>>`.
    Both {
        word: Word,
        append: bool,
    },
    HereDocument(Parts),
    HereString(Word),
    /// `< <(…)`.
    FromProcess(Block),
    /// `> >(…)`.
    ToProcess(Block),
}

/// The inside of `[[ … ]]`.
#[derive(Debug)]
pub(crate) enum Test {
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Not(Box<Test>),
    Unary(String, Word),
    Binary(Word, String, Word),
}

/// One word: its parts in order. A word that is the argument of a simple
/// command may be an assignment that `declare`, `local` and `export` understand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Word {
    pub(crate) parts: Parts,
    pub(crate) assign: Option<Arc<Assign>>,
}

pub(crate) type Parts = Arc<[Part]>;

#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Unquoted text.
    Literal(String),
    /// Text out of quotes or behind a backslash.
    Quoted(String),
    /// What stands in double quotes.
    Double(Parts),
    /// `~`, `~+`, `~-` or `~name` (without the tilde).
    Tilde(String),
    Parameter(Arc<Parameter>),
    /// `$(…)` and backquotes.
    Substitution(Block),
    /// `$((…))`.
    Arithmetic(Parts),
    /// `<(…)` as a word.
    ProcessSubstitution(Block),
    /// An expansion that bash refuses when it comes to it.
    Bad(String),
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Name,
    pub(crate) index: Option<Index>,
    /// `${!name}`.
    pub(crate) indirect: bool,
    pub(crate) operation: Operation,
    /// As it was written, for messages.
    pub(crate) text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Variable(String),
    Positional(usize),
    /// One of `@ * # ? - $ !`.
    Special(char),
}

#[derive(Clone, Debug)]
pub(crate) enum Index {
    /// `[@]`.
    At,
    /// `[*]`.
    Star,
    Of(Parts),
}

#[derive(Debug)]
pub(crate) enum Operation {
    Value,
    Length,
    /// `${!name[@]}`.
    Keys,
    /// `${!prefix*}` and `${!prefix@}`.
    Names,
    /// `-`, `=`, `?`, `+`, with a colon in front or not.
    Alternative {
        operator: char,
        colon: bool,
        word: Parts,
    },
    Trim {
        suffix: bool,
        longest: bool,
        pattern: Parts,
    },
    Replace {
        anchor: Anchor,
        pattern: Parts,
        replacement: Parts,
    },
    Substring {
        offset: Parts,
        length: Option<Parts>,
    },
    Case {
        upper: bool,
        all: bool,
        pattern: Option<Parts>,
    },
    /// `${name@Q}` and its like.
    Transform(char),
}

/// Where `${name/pattern/replacement}` looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    First,
    All,
    Prefix,
    Suffix,
}
