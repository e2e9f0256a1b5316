//! The terminal's screen: bytes with escape sequences in, coloured lines out.
//!
//! It is a log rather than a grid: lines stay as they are once a newline has
//! ended them. Of the control sequences (ECMA-48) it knows those that a shell
//! and line-based programs print: colours, carriage return, backspace, erase in
//! line, and "home and clear", by which `watch` draws again. Others are
//! swallowed whole, so that they never show as rubbish.

use std::rc::Rc;

/// How many lines are kept; older ones are dropped.
pub const SCROLLBACK: usize = 4000;

/// One of the sixteen colours: 0–7, bright 8–15; `None` is the terminal's own.
pub type Colour = Option<u8>;

/// How a run of characters looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Of the letters.
    pub foreground: Colour,
    /// Behind them.
    pub background: Colour,
    /// Bold.
    pub bold: bool,
    /// Faint.
    pub dim: bool,
    /// Underlined.
    pub underline: bool,
    /// Foreground and background exchanged.
    pub reverse: bool,
}

impl Style {
    /// The CSS classes that draw it.
    pub fn classes(&self) -> String {
        let mut out = String::new();
        let mut add = |class: &str| {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(class);
        };
        let named = [
            ("bold", self.bold),
            ("dim", self.dim),
            ("underline", self.underline),
            ("reverse", self.reverse),
        ];
        for (class, _) in named.iter().filter(|(_, on)| *on) {
            add(class);
        }
        if let Some(n) = self.foreground {
            add(&format!("fg{n}"));
        }
        if let Some(n) = self.background {
            add(&format!("bg{n}"));
        }
        out
    }
}

/// What kind of line it is, for its looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineKind {
    /// What a program printed.
    #[default]
    Output,
    /// The prompt and what was typed after it.
    Input,
    /// A word from the page itself ("went back to …").
    Note,
}

/// One line of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Grows by one for each line; the page's key for it.
    pub id: u64,
    /// What kind of line it is.
    pub kind: LineKind,
    /// Its text in runs of one style.
    pub spans: Vec<(Style, String)>,
}

impl Line {
    /// Its text without style.
    pub fn text(&self) -> String {
        self.spans.iter().map(|(_, text)| text.as_str()).collect()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Parser {
    #[default]
    Text,
    Escape,
    Csi(String),
    Osc,
}

/// The screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    lines: Vec<Rc<Line>>,
    current: Vec<(char, Style)>,
    column: usize,
    style: Style,
    parser: Parser,
    next_id: u64,
    home: u64,
}

impl Screen {
    /// Takes what a program printed.
    pub fn feed(&mut self, text: &str) {
        for c in text.chars() {
            match std::mem::take(&mut self.parser) {
                Parser::Text => self.character(c),
                Parser::Escape => match c {
                    '[' => self.parser = Parser::Csi(String::new()),
                    ']' => self.parser = Parser::Osc,
                    _ => {}
                },
                Parser::Csi(mut parameters) => match c {
                    '\x40'..='\x7e' => self.control(&parameters, c),
                    // A sequence that never ends is no sequence.
                    _ if parameters.len() < 64 => {
                        parameters.push(c);
                        self.parser = Parser::Csi(parameters);
                    }
                    _ => {}
                },
                Parser::Osc if c == '\x07' || c == '\x1b' => {}
                Parser::Osc => self.parser = Parser::Osc,
            }
        }
    }

    /// Adds whole lines of a kind, after ending the one that is open.
    pub fn add(&mut self, kind: LineKind, text: &str) {
        self.end_line();
        for part in text.split('\n') {
            let spans = vec![(Style::default(), part.to_owned())];
            self.push(kind, spans);
        }
        if kind == LineKind::Input {
            self.home = self.next_id;
            self.style = Style::default();
        }
    }

    /// Ends the line that is open with what was typed there.
    pub fn reply(&mut self, text: &str) {
        let prompt = self.open().unwrap_or_default();
        self.current.clear();
        self.add(LineKind::Input, &(prompt + text));
    }

    /// The text of the line that is open, if anything stands in it: a program's prompt.
    pub fn open(&self) -> Option<String> {
        (!self.current.is_empty()).then(|| self.current.iter().map(|(c, _)| *c).collect())
    }

    /// Forgets everything, as Ctrl-L and `clear` do.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.current.clear();
        self.column = 0;
        self.home = self.next_id;
    }

    /// The finished lines, and the one that is open if anything stands in it.
    pub fn lines(&self) -> Vec<Rc<Line>> {
        let mut all = self.lines.clone();
        if !self.current.is_empty() {
            all.push(Rc::new(Line { id: self.next_id, kind: LineKind::Output, spans: spans(&self.current) }));
        }
        all
    }

    /// How many lines there have ever been: a mark to [`truncate`](Self::truncate) to.
    pub const fn mark(&self) -> u64 {
        self.next_id
    }

    /// Forgets all lines from that mark on: what an undone command printed.
    pub fn truncate(&mut self, mark: u64) {
        self.lines.retain(|line| line.id < mark);
        self.current.clear();
        self.column = 0;
    }

    /// The text of the whole screen, for the clipboard and for saving.
    pub fn text(&self) -> String {
        self.lines().iter().map(|line| line.text() + "\n").collect()
    }

    fn push(&mut self, kind: LineKind, spans: Vec<(Style, String)>) {
        self.lines.push(Rc::new(Line { id: self.next_id, kind, spans }));
        self.next_id += 1;
        if self.lines.len() > SCROLLBACK + SCROLLBACK / 8 {
            self.lines.drain(..self.lines.len() - SCROLLBACK);
        }
    }

    fn end_line(&mut self) {
        if !self.current.is_empty() {
            let spans = spans(&self.current);
            self.current.clear();
            self.push(LineKind::Output, spans);
        }
        self.column = 0;
    }

    fn character(&mut self, c: char) {
        match c {
            '\n' => {
                let spans = spans(&self.current);
                self.current.clear();
                self.column = 0;
                self.push(LineKind::Output, spans);
            }
            '\r' => self.column = 0,
            '\x08' => self.column = self.column.saturating_sub(1),
            '\x1b' => self.parser = Parser::Escape,
            '\t' => self.put('\t'),
            c if c.is_control() => {}
            c => self.put(c),
        }
    }

    fn put(&mut self, c: char) {
        let cell = (c, self.style);
        if let Some(place) = self.current.get_mut(self.column) {
            *place = cell;
        } else {
            self.current.push(cell);
        }
        self.column += 1;
    }

    fn control(&mut self, parameters: &str, last: char) {
        match (parameters, last) {
            (_, 'm') => self.colour(parameters),
            ("" | "0", 'K') => self.current.truncate(self.column),
            ("2", 'K') => self.current.clear(),
            // `clear` erases the scrollback too (3J); home or 2J alone draws over the command's own lines.
            ("3", 'J') => self.clear(),
            ("" | "1;1" | "1", 'H') | ("2", 'J') => {
                let home = self.home;
                self.truncate(home);
            }
            _ => {}
        }
    }

    fn colour(&mut self, parameters: &str) {
        let mut codes = parameters.split(';').map(|code| code.parse::<u8>().unwrap_or(0));
        while let Some(code) = codes.next() {
            let style = &mut self.style;
            match code {
                0 => *style = Style::default(),
                1 => style.bold = true,
                2 => style.dim = true,
                4 => style.underline = true,
                7 => style.reverse = true,
                22 => (style.bold, style.dim) = (false, false),
                24 => style.underline = false,
                27 => style.reverse = false,
                30..=37 => style.foreground = Some(code - 30),
                39 => style.foreground = None,
                40..=47 => style.background = Some(code - 40),
                49 => style.background = None,
                90..=97 => style.foreground = Some(code - 82),
                100..=107 => style.background = Some(code - 92),
                // 256 colours and true colour: their first sixteen, else the terminal's own.
                38 | 48 => {
                    let colour = match codes.next() {
                        Some(5) => codes.next().filter(|n| *n < 16),
                        Some(2) => {
                            codes.by_ref().take(3).for_each(drop);
                            None
                        }
                        _ => None,
                    };
                    if code == 38 {
                        style.foreground = colour;
                    } else {
                        style.background = colour;
                    }
                }
                _ => {}
            }
        }
    }
}

fn spans(cells: &[(char, Style)]) -> Vec<(Style, String)> {
    let mut out: Vec<(Style, String)> = Vec::new();
    for (c, style) in cells {
        match out.last_mut() {
            Some((last, text)) if last == style => text.push(*c),
            _ => out.push((*style, c.to_string())),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(input: &str, expect: &str) {
        let mut screen = Screen::default();
        screen.feed(input);
        assert_eq!(screen.text(), expect, "{input:?}");
    }

    #[test]
    fn an_answer_stands_behind_the_prompt_of_the_program_that_asks() {
        let mut screen = Screen::default();
        screen.feed("two\nname: ");
        assert_eq!(screen.open().as_deref(), Some("name: "));
        screen.reply("kim");
        screen.feed("hello\n");
        assert_eq!(screen.text(), "two\nname: kim\nhello\n");
        assert_eq!((screen.lines()[1].kind, screen.open()), (LineKind::Input, None));
    }

    #[test]
    fn control_characters_move_within_the_line() {
        check("10 %\r20 %\n", "20 %\n");
        check("abc\x08X\n", "abX\n");
        check("abcdef\r\x1b[Kxy\n", "xy\n");
        check("bell\x07 \x1b]0;title\x07after\n", "bell after\n");
        check("unknown \x1b[?25lsequence\n", "unknown sequence\n");
    }

    #[test]
    fn watch_draws_over_its_own_lines_and_clear_forgets_all() {
        let mut screen = Screen::default();
        screen.feed("old\n");
        screen.add(LineKind::Input, "$ watch");
        screen.feed("\x1b[H\x1b[2Jone\ntwo\n");
        screen.feed("\x1b[H\x1b[2Jthree\n");
        assert_eq!(screen.text(), "old\n$ watch\nthree\n");
        screen.feed("\x1b[H\x1b[2J\x1b[3J");
        assert_eq!(screen.text(), "");
    }

    #[test]
    fn colours_become_classes() {
        let mut screen = Screen::default();
        screen.feed("\x1b[1;31merror\x1b[0m: \x1b[92mok\x1b[39m \x1b[38;5;4mblue\x1b[38;2;1;2;3mtrue\n");
        let lines = screen.lines();
        let classes: Vec<(String, &str)> =
            lines[0].spans.iter().map(|(style, text)| (style.classes(), text.as_str())).collect();
        let classes: Vec<(&str, &str)> = classes.iter().map(|(c, t)| (c.as_str(), *t)).collect();
        assert_eq!(
            classes,
            [("bold fg1", "error"), ("", ": "), ("fg10", "ok"), ("", " "), ("fg4", "blue"), ("", "true")]
        );
    }

    #[test]
    fn undoing_a_command_takes_its_lines_away() {
        let mut screen = Screen::default();
        screen.feed("one\n");
        let mark = screen.mark();
        screen.add(LineKind::Input, "$ two");
        screen.feed("output\nhalf a line");
        screen.truncate(mark);
        assert_eq!(screen.text(), "one\n");
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_bounded_screen_however_they_are_cut(text in "[\\x00-\\x7f가-힣]{0,200}", cut in any::<prop::sample::Index>()) {
            let mut whole = Screen::default();
            whole.feed(&text);
            let chars: Vec<char> = text.chars().collect();
            let at = if chars.is_empty() { 0 } else { cut.index(chars.len()) };
            let mut parts = Screen::default();
            parts.feed(&chars[..at].iter().collect::<String>());
            parts.feed(&chars[at..].iter().collect::<String>());
            prop_assert_eq!(whole, parts);
        }
    }
}
