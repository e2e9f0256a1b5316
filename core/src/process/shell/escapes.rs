//! Backslash escapes: `$'…'`, `echo -e`, the format and the `%b` of `printf`.

/// Which dialect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `$'…'`: octal `\nnn`, `\'`, `\"`, `\cx`.
    AnsiC,
    /// `echo -e` and `%b`: octal `\0nnn`, and `\c` ends the output.
    Echo,
    /// The format of `printf`: octal `\nnn`.
    Format,
}

/// The text with its escapes resolved, and whether `\c` ended it.
pub(crate) fn unescape(text: &str, dialect: Dialect) -> (String, bool) {
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let Some(c) = chars.next() else {
            bytes.push(b'\\');
            break;
        };
        let mut digits = |radix: u32, most: usize| {
            let mut value = None;
            for _ in 0..most {
                let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else { break };
                value = Some(value.unwrap_or(0) * radix + digit);
                chars.next();
            }
            value
        };
        match c {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'e' | 'E' => bytes.push(27),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            '\\' => bytes.push(b'\\'),
            '\'' | '"' | '?' if dialect == Dialect::AnsiC => bytes.push(c as u8),
            '"' if dialect == Dialect::Format => bytes.push(b'"'),
            'c' if dialect == Dialect::Echo => return (String::from_utf8_lossy(&bytes).into_owned(), true),
            'c' if dialect == Dialect::AnsiC => {
                if let Some(c) = chars.next() {
                    bytes.push((c as u32 & 0x1f) as u8);
                }
            }
            'x' => match digits(16, 2) {
                Some(value) => bytes.push(value as u8),
                None => bytes.extend_from_slice(b"\\x"),
            },
            'u' | 'U' => match digits(16, if c == 'u' { 4 } else { 8 }) {
                Some(value) => {
                    let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                None => bytes.extend([b'\\', c as u8]),
            },
            '0' if dialect == Dialect::Echo => bytes.push(digits(8, 3).unwrap_or(0) as u8),
            '0'..='7' if dialect != Dialect::Echo => {
                let mut value = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    value = value * 8 + digit;
                    chars.next();
                }
                bytes.push(value as u8);
            }
            other => {
                bytes.push(b'\\');
                bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    (String::from_utf8_lossy(&bytes).into_owned(), false)
}

/// The inside of `$'…'`.
pub(crate) fn ansi_c(text: &str) -> String {
    unescape(text, Dialect::AnsiC).0
}
