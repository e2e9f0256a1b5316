//! Which text can stand plain in YAML: go-yaml's resolver and libyaml's analysis of scalars.

/// What a scalar allows, found in one pass over its characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// It may stand without quotes in block context.
    pub plain_allowed: bool,
    /// It may stand in single quotes.
    pub single_quoted_allowed: bool,
    /// It may be a literal block.
    pub block_allowed: bool,
}

impl Facts {
    /// Analyses a text (`yaml_emitter_analyze_scalar`).
    pub fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let last = chars.len().saturating_sub(1);
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut special, mut line_breaks) = (false, false);
        let (mut edge_space, mut trailing_space) = (false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut previous_space, mut previous_break) = (false, false);
        let mut after_blank = true;
        for (i, &c) in chars.iter().enumerate() {
            let before_blank = chars.get(i + 1).is_none_or(|&next| matches!(next, ' ' | '\t'));
            indicators |= if i == 0 {
                match c {
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
                    | '@' | '`' => true,
                    '?' | ':' | '-' => before_blank,
                    _ => false,
                }
            } else {
                (c == ':' && before_blank) || (c == '#' && after_blank)
            };
            special |= !is_printable(c);
            let is_break = is_break(c);
            line_breaks |= is_break;
            if c == ' ' {
                edge_space |= i == 0 || i == last;
                trailing_space |= i == last;
                break_space |= previous_break;
                (previous_space, previous_break) = (true, false);
            } else if is_break {
                edge_space |= i == 0 || i == last;
                space_break |= previous_space;
                (previous_space, previous_break) = (false, true);
            } else {
                (previous_space, previous_break) = (false, false);
            }
            after_blank = matches!(c, ' ' | '\t') || is_break;
        }
        Self {
            // A space beside a line break needs a line break.
            plain_allowed: !(indicators || edge_space || special || line_breaks),
            single_quoted_allowed: !(break_space || space_break || special),
            block_allowed: !(text.is_empty() || trailing_space || space_break || special),
        }
    }
}

const fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What libyaml prints as it is. A tab is not.
pub(super) const fn is_printable(c: char) -> bool {
    matches!(c,
        '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// Whether a text without quotes would be read as something else than text.
pub(super) fn needs_quotes(text: &str) -> bool {
    is_keyword(text) || is_number(text) || is_timestamp(text) || is_base60(text)
}

fn is_keyword(text: &str) -> bool {
    const WORDS: [&str; 7] = ["yes", "true", "on", "no", "false", "off", "null"];
    if matches!(text, "" | "~" | "<<" | "y" | "Y" | "n" | "N") {
        return true;
    }
    let lower = text.to_ascii_lowercase();
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
    };
    if WORDS.contains(&lower.as_str()) {
        return text == lower || text == lower.to_ascii_uppercase() || text == capital(&lower);
    }
    matches!(
        text,
        ".nan"
            | ".NaN"
            | ".NAN"
            | ".inf"
            | ".Inf"
            | ".INF"
            | "+.inf"
            | "+.Inf"
            | "+.INF"
            | "-.inf"
            | "-.Inf"
            | "-.INF"
    )
}

fn is_number(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return false;
    }
    let plain = text.replace('_', "");
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let radix = |prefixes: [&str; 2], digits: fn(char) -> bool| {
        prefixes
            .iter()
            .find_map(|prefix| unsigned.strip_prefix(prefix))
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(digits))
    };
    if radix(["0x", "0X"], |c| c.is_ascii_hexdigit())
        || radix(["0b", "0B"], |c| matches!(c, '0' | '1'))
        || radix(["0o", "0O"], |c| matches!(c, '0'..='7'))
    {
        return true;
    }
    // ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let exponent_ok = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    mantissa_ok && exponent_ok
}

/// `2006-1-2` and what may follow it.
fn is_timestamp(text: &str) -> bool {
    let digits = |text: &str, most: usize| {
        !text.is_empty() && text.len() <= most && text.chars().all(|c| c.is_ascii_digit())
    };
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    if year.len() != 4 || !digits(year, 4) || !digits(month, 2) {
        return false;
    }
    let day_length = rest.chars().take_while(char::is_ascii_digit).count();
    if !digits(&rest[..day_length], 2) {
        return false;
    }
    let time = &rest[day_length..];
    if time.is_empty() {
        return true;
    }
    let Some(clock) = time.strip_prefix(['T', 't', ' ']) else { return false };
    let zoned = !time.starts_with(' ');
    let end = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(end);
    let fields: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = fields.as_slice() else { return false };
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let clock_ok = digits(hour, 2)
        && digits(minute, 2)
        && digits(second, 2)
        && fraction.chars().all(|c| c.is_ascii_digit());
    let zone_ok =
        if zoned { zone == "Z" || (zone.len() == 6 && zone.as_bytes()[3] == b':') } else { zone.is_empty() };
    clock_ok && zone_ok
}

/// `10:30`, a number to base 60 in YAML 1.1.
fn is_base60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    if !first.starts_with(|c: char| c.is_ascii_digit())
        || !first.chars().all(|c| c.is_ascii_digit() || c == '_')
    {
        return false;
    }
    let rest: Vec<&str> = parts.collect();
    let sixtieth = |text: &str| matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let Some((last, middle)) = rest.split_last() else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    middle.iter().all(|part| sixtieth(part))
        && sixtieth(last)
        && fraction.chars().all(|c| c.is_ascii_digit() || c == '_')
}
