//! Shell patterns (`*`, `?`, `[a-z]`): for file names, `case`, `${v%pattern}`, `find -name`.
//!
//! A pattern is matched by following all its states at once, so that the time is
//! the product of the two lengths and no pattern, however nested its stars, can
//! stall the lab.

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    Any,
    Star,
    Set { negated: bool, members: Vec<Member> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Member {
    Range(char, char),
    Class(String),
}

impl Member {
    fn has(&self, c: char) -> bool {
        match self {
            Self::Range(a, b) => (*a..=*b).contains(&c),
            Self::Class(name) => match name.as_str() {
                "alnum" => c.is_alphanumeric(),
                "alpha" => c.is_alphabetic(),
                "blank" => c == ' ' || c == '\t',
                "cntrl" => c.is_control(),
                "digit" => c.is_ascii_digit(),
                "graph" => !c.is_control() && !c.is_whitespace(),
                "lower" => c.is_lowercase(),
                "print" => !c.is_control(),
                "punct" => c.is_ascii_punctuation(),
                "space" => c.is_whitespace(),
                "upper" => c.is_uppercase(),
                "xdigit" => c.is_ascii_hexdigit(),
                _ => false,
            },
        }
    }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Any | Self::Star => true,
            Self::Set { negated, members } => members.iter().any(|member| member.has(c)) != *negated,
        }
    }
}

/// Steps that one search may take before it gives up and finds nothing.
const BUDGET: usize = 50_000_000;

impl Pattern {
    /// Compiles a pattern; a backslash takes the meaning from the next character.
    pub fn new(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut tokens = Vec::new();
        let mut i = 0;
        while let Some(&c) = chars.get(i) {
            i += 1;
            match c {
                '\\' => {
                    tokens.push(Token::Char(chars.get(i).copied().unwrap_or('\\')));
                    i += 1;
                }
                '?' => tokens.push(Token::Any),
                '*' if tokens.last() == Some(&Token::Star) => {}
                '*' => tokens.push(Token::Star),
                '[' => match set(&chars, i) {
                    Some((token, end)) => {
                        tokens.push(token);
                        i = end;
                    }
                    None => tokens.push(Token::Char('[')),
                },
                c => tokens.push(Token::Char(c)),
            }
        }
        Self { tokens }
    }

    /// The text that alone matches, if the pattern has no wildcard.
    pub fn literal(&self) -> Option<String> {
        self.tokens.iter().map(|token| if let Token::Char(c) = token { Some(*c) } else { None }).collect()
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        let mut whole = false;
        self.run(chars.iter().copied(), chars.len(), |n| whole = n == chars.len());
        whole
    }

    /// How many characters the shortest or longest matching prefix of `chars` has.
    pub fn prefix(&self, chars: &[char], longest: bool) -> Option<usize> {
        let mut found: Option<usize> = None;
        self.run(chars.iter().copied(), chars.len(), |n| {
            if longest || found.is_none() {
                found = Some(n);
            }
        });
        found
    }

    /// How many characters the shortest or longest matching suffix of `chars` has.
    pub fn suffix(&self, chars: &[char], longest: bool) -> Option<usize> {
        let reversed = Self { tokens: self.tokens.iter().rev().cloned().collect() };
        let mut found: Option<usize> = None;
        reversed.run(chars.iter().rev().copied(), chars.len(), |n| {
            if longest || found.is_none() {
                found = Some(n);
            }
        });
        found
    }

    /// Replaces the first or every longest match by `replacement`, a text or a function of the match.
    pub fn replace(&self, text: &str, replacement: &str, all: bool) -> String {
        if let Some(literal) = self.literal() {
            return match (literal.is_empty(), all) {
                (true, _) => text.to_owned(),
                (false, true) => text.replace(&literal, replacement),
                (false, false) => text.replacen(&literal, replacement, 1),
            };
        }
        let chars: Vec<char> = text.chars().collect();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        let mut work = 0;
        while at < chars.len() {
            work += (chars.len() - at) * self.tokens.len();
            let found = if work > BUDGET { None } else { self.prefix(&chars[at..], true) };
            match found {
                Some(n) if n > 0 => {
                    out.push_str(replacement);
                    at += n;
                    if !all {
                        break;
                    }
                }
                _ => {
                    out.push(chars[at]);
                    at += 1;
                }
            }
        }
        out.extend(&chars[at..]);
        out
    }

    /// Calls `found` with each number of leading characters that match the whole pattern.
    fn run(&self, chars: impl Iterator<Item = char>, len: usize, mut found: impl FnMut(usize)) {
        let states = self.tokens.len();
        if len.saturating_mul(states) > BUDGET {
            return;
        }
        let mut now = vec![false; states + 1];
        let mut next = vec![false; states + 1];
        now[0] = true;
        self.skip_stars(&mut now);
        if now[states] {
            found(0);
        }
        for (n, c) in chars.enumerate() {
            next.fill(false);
            let mut alive = false;
            for (i, token) in self.tokens.iter().enumerate().filter(|(i, _)| now[*i]) {
                if token.takes(c) {
                    next[if *token == Token::Star { i } else { i + 1 }] = true;
                    alive = true;
                }
            }
            if !alive {
                return;
            }
            self.skip_stars(&mut next);
            std::mem::swap(&mut now, &mut next);
            if now[states] {
                found(n + 1);
            }
        }
    }

    fn skip_stars(&self, states: &mut [bool]) {
        for (i, token) in self.tokens.iter().enumerate() {
            if states[i] && *token == Token::Star {
                states[i + 1] = true;
            }
        }
    }
}

/// The set whose text begins at `at`, behind its `[`, and where it ends; `None` if it never ends.
fn set(chars: &[char], at: usize) -> Option<(Token, usize)> {
    let mut i = at;
    let negated = matches!(chars.get(i), Some('!' | '^'));
    if negated {
        i += 1;
    }
    let start = i;
    let mut members = Vec::new();
    loop {
        let mut c = *chars.get(i)?;
        if c == ']' && i > start {
            return Some((Token::Set { negated, members }, i + 1));
        }
        if c == '[' && chars.get(i + 1) == Some(&':') {
            let rest = &chars[i + 2..];
            if let Some(end) = rest.windows(2).position(|pair| pair == [':', ']']) {
                members.push(Member::Class(rest[..end].iter().collect()));
                i += end + 4;
                continue;
            }
        }
        if c == '\\' {
            i += 1;
            c = *chars.get(i)?;
        }
        i += 1;
        if chars.get(i) == Some(&'-') && chars.get(i + 1).is_some_and(|&end| end != ']') {
            let mut end = chars[i + 1];
            i += 2;
            if end == '\\' {
                end = *chars.get(i)?;
                i += 1;
            }
            members.push(Member::Range(c, end));
        } else {
            members.push(Member::Range(c, c));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let pattern = Pattern::new(pattern);
        for text in yes {
            assert!(pattern.matches(text), "{pattern:?} {text}");
        }
        for text in no {
            assert!(!pattern.matches(text), "{pattern:?} {text}");
        }
    }

    #[test]
    fn wildcards_match_what_the_posix_chapter_says() {
        check("*.txt", &["a.txt", ".txt"], &["a.txt.gz", "txt"]);
        check("a?c", &["abc", "a가c"], &["ac", "abbc"]);
        check("[a-c]x[!0-9]", &["axz", "cx-"], &["dxz", "ax0"]);
        check("[[:digit:][:upper:]]*", &["1", "Zoo"], &["a", ""]);
        check("[]a]", &["]", "a"], &["b"]);
        check("[", &["["], &["x"]);
        check("\\*\\[", &["*["], &["x["]);
        check("", &[""], &["x"]);
    }

    #[test]
    fn prefixes_and_suffixes_are_found_short_and_long() {
        let chars: Vec<char> = "a/b/c.d.e".chars().collect();
        assert_eq!(Pattern::new("*/").prefix(&chars, false), Some(2));
        assert_eq!(Pattern::new("*/").prefix(&chars, true), Some(4));
        assert_eq!(Pattern::new(".*").suffix(&chars, false), Some(2));
        assert_eq!(Pattern::new(".*").suffix(&chars, true), Some(4));
        assert_eq!(Pattern::new("x").suffix(&chars, true), None);
    }

    proptest! {
        #[test]
        fn any_pattern_is_matched_in_bounded_time(pattern in "[*?a\\[\\]!^:\\\\-]{0,40}", text in "a{0,400}") {
            let pattern = Pattern::new(&pattern);
            pattern.matches(&text);
            pattern.replace(&text, "b", true);
        }

        #[test]
        fn a_text_with_its_wildcards_escaped_matches_itself_alone(text in "[*?a\\[\\]\\\\]{0,12}", other in "[*?a\\[\\]\\\\]{0,12}") {
            let escaped: String = text.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert_eq!(Pattern::new(&escaped).matches(&other), text == other);
        }
    }
}
