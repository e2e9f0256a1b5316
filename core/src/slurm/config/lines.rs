//! Lines of a configuration file, as Slurm's parser sees them.
//!
//! A `#` begins a comment unless a backslash stands before it; a backslash at the end of a line joins it with the next;
//! a backslash before any other character stands for that character (slurm.conf(5)). Every character keeps its place.

/// A character and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) c: char,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A line after comments are off and continued lines are joined.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) spots: Vec<Spot>,
    /// Number of its first line.
    pub(super) number: usize,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: String,
    /// Index of the key's first character.
    pub(super) key_at: usize,
    pub(super) value: String,
    /// Index of the value's first character, behind a quote.
    pub(super) value_at: usize,
    /// Index behind the value.
    pub(super) end: usize,
}

/// The lines of `text` that are not empty.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut all = Vec::new();
    let mut open: Option<Line> = None;
    for (at, raw) in text.split('\n').enumerate() {
        let number = at + 1;
        let spots: Vec<Spot> = without_comment(raw)
            .chars()
            .enumerate()
            .map(|(column, c)| Spot { c, line: number, column: column + 1 })
            .collect();
        let joined = continuation(&spots);
        let line = open.get_or_insert_with(|| Line { spots: Vec::new(), number });
        line.spots.extend_from_slice(&spots[..joined.unwrap_or(spots.len())]);
        if joined.is_none()
            && let Some(line) = open.take()
        {
            all.push(line);
        }
    }
    all.extend(open);
    for line in &mut all {
        unescape(&mut line.spots);
    }
    all.retain(|line| line.spots.iter().any(|spot| !spot.c.is_ascii_whitespace()));
    all
}

fn without_comment(line: &str) -> &str {
    let mut backslashes = 0;
    for (at, c) in line.char_indices() {
        match c {
            '#' if backslashes % 2 == 0 => return &line[..at],
            '\\' => backslashes += 1,
            _ => backslashes = 0,
        }
    }
    line
}

/// Where the line ends that a backslash continues.
fn continuation(spots: &[Spot]) -> Option<usize> {
    let end = spots.iter().rposition(|spot| !spot.c.is_ascii_whitespace())? + 1;
    let backslashes = spots[..end].iter().rev().take_while(|spot| spot.c == '\\').count();
    (backslashes % 2 == 1).then(|| end - 1)
}

fn unescape(spots: &mut Vec<Spot>) {
    let mut escaped = false;
    spots.retain(|spot| {
        escaped = !escaped && spot.c == '\\';
        !escaped
    });
}

impl Line {
    /// The next `key=value` from `from` on: only white space may stand before it. `None` when something else does.
    ///
    /// A key has letters, digits, `_` and `.`; a value is quoted, or ends at white space; one of `+ - * /` may stand
    /// before the equals sign.
    pub(super) fn pair(&self, from: usize) -> Option<Pair> {
        let spots = &self.spots;
        let space = |mut at: usize| {
            while spots.get(at).is_some_and(|spot| spot.c.is_ascii_whitespace()) {
                at += 1;
            }
            at
        };
        let key_at = space(from);
        let mut at = key_at;
        while spots.get(at).is_some_and(|spot| spot.c.is_ascii_alphanumeric() || "_.".contains(spot.c)) {
            at += 1;
        }
        let key: String = self.text(key_at, at);
        at = space(at);
        if spots.get(at).is_some_and(|spot| "+-*/".contains(spot.c)) {
            at += 1;
        }
        if key.is_empty() || spots.get(at).is_none_or(|spot| spot.c != '=') {
            return None;
        }
        at = space(at + 1);
        if spots.get(at)?.c == '"'
            && let Some(length) = spots[at + 1..].iter().position(|spot| spot.c == '"')
            && spots.get(at + length + 2).is_none_or(|spot| spot.c.is_ascii_whitespace())
        {
            let end = at + length + 2;
            return Some(Pair { key, key_at, value: self.text(at + 1, end - 1), value_at: at + 1, end });
        }
        let value_at = at;
        while spots.get(at).is_some_and(|spot| !spot.c.is_ascii_whitespace()) {
            at += 1;
        }
        (at > value_at).then(|| Pair { key, key_at, value: self.text(value_at, at), value_at, end: at })
    }

    /// The file name of `Include NAME`, with its index and the index behind it.
    pub(super) fn include(&self) -> Option<(String, usize, usize)> {
        let word = |at: usize| {
            let start = at + self.spots[at..].iter().take_while(|s| s.c.is_ascii_whitespace()).count();
            (start, start + self.spots[start..].iter().take_while(|s| !s.c.is_ascii_whitespace()).count())
        };
        let (start, end) = word(0);
        // The directive begins in the first column.
        if start != 0 || !self.text(start, end).eq_ignore_ascii_case("include") {
            return None;
        }
        let (start, end) = word(end);
        Some((self.text(start, end), start, end))
    }

    /// The characters from `from` to before `to`.
    pub(super) fn text(&self, from: usize, to: usize) -> String {
        self.spots[from.min(self.spots.len())..to.min(self.spots.len())].iter().map(|spot| spot.c).collect()
    }

    /// The index of the first character from `from` on that is not white space.
    pub(super) fn next_word(&self, from: usize) -> Option<usize> {
        self.spots.iter().skip(from).position(|spot| !spot.c.is_ascii_whitespace()).map(|at| from + at)
    }

    /// Line and column of a character; behind the last one, those of the line's end.
    pub(super) fn position(&self, at: usize) -> (usize, usize) {
        match self.spots.get(at) {
            Some(spot) => (spot.line, spot.column),
            None => self.spots.last().map_or((self.number, 1), |spot| (spot.line, spot.column + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_escapes_and_continued_lines_are_read() {
        let check = |text: &str, expect: &[(usize, &str)]| {
            let read: Vec<(usize, String)> =
                lines(text).iter().map(|line| (line.number, line.text(0, line.spots.len()))).collect();
            let read: Vec<(usize, &str)> = read.iter().map(|(at, text)| (*at, text.as_str())).collect();
            assert_eq!(read, expect, "{text:?}");
        };
        check("a=1 # one\n\n# two\nb=2", &[(1, "a=1 "), (4, "b=2")]);
        check("a=x\\#y # z", &[(1, "a=x#y ")]);
        check("a=x\\\\#y", &[(1, "a=x\\")]);
        check(
            "NodeName=n1 \\\n  CPUs=4 \\  \n  Weight=2\nb=1",
            &[(1, "NodeName=n1   CPUs=4   Weight=2"), (4, "b=1")],
        );
        check("a=1 \\", &[(1, "a=1 ")]);
        check("a=1\r\n", &[(1, "a=1\r")]);
    }

    #[test]
    fn pairs_are_read_as_the_manual_page_says() {
        let check = |text: &str, expect: Option<(&str, &str)>| {
            let line = lines(text).remove(0);
            let pair = line.pair(0);
            assert_eq!(pair.as_ref().map(|pair| (pair.key.as_str(), pair.value.as_str())), expect, "{text}");
        };
        check("Key=value", Some(("Key", "value")));
        check("  Key = value other", Some(("Key", "value")));
        check("Key=\"two words\" x", Some(("Key", "two words")));
        check("Key=\"\"", Some(("Key", "")));
        check("Key=\"open", Some(("Key", "\"open")));
        check("Key=", None);
        check("no pair", None);
        check("Key+=x", Some(("Key", "x")));
    }
}
