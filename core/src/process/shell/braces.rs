//! Brace expansion: `{a,b}`, `{1..10..2}`, `{a..e}`.
//!
//! The first of bash's expansions, purely textual, so it is done once, when the
//! script is parsed.

use super::script::Part;

/// One character that may be syntax, or a part that certainly is not.
#[derive(Clone)]
enum Item {
    Char(char),
    Other(Part),
}

/// Words that one word may become. Beyond it the braces stay as they are, as in
/// bash when it finds no memory for them.
const MAX_WORDS: usize = 20_000;
const MAX_DEPTH: usize = 32;

/// The words that `parts` stands for, in order.
pub(crate) fn expand(parts: Vec<Part>) -> Vec<Vec<Part>> {
    if !parts.iter().any(|part| matches!(part, Part::Literal(text) if text.contains('{'))) {
        return vec![parts];
    }
    let mut items = Vec::new();
    for part in &parts {
        match part {
            Part::Literal(text) => items.extend(text.chars().map(Item::Char)),
            other => items.push(Item::Other(other.clone())),
        }
    }
    let Some(words) = expand_items(&items, 0) else { return vec![parts] };
    words.into_iter().map(|items| to_parts(&items)).filter(|parts| !parts.is_empty()).collect()
}

fn to_parts(items: &[Item]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for item in items {
        match (item, parts.last_mut()) {
            (Item::Char(c), Some(Part::Literal(text))) => text.push(*c),
            (Item::Char(c), _) => parts.push(Part::Literal(c.to_string())),
            (Item::Other(part), _) => parts.push(part.clone()),
        }
    }
    parts
}

/// `None`: too many.
fn expand_items(items: &[Item], depth: usize) -> Option<Vec<Vec<Item>>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut from = 0;
    while let Some(open) = (from..items.len()).find(|&i| matches!(items[i], Item::Char('{'))) {
        let Some((close, alternatives)) = alternatives(items, open) else {
            from = open + 1;
            continue;
        };
        let mut middles = Vec::new();
        for alternative in &alternatives {
            middles.extend(expand_items(alternative, depth + 1)?);
            if middles.len() > MAX_WORDS {
                return None;
            }
        }
        let tails = expand_items(&items[close + 1..], depth)?;
        if middles.len().saturating_mul(tails.len()) > MAX_WORDS {
            return None;
        }
        let mut words = Vec::with_capacity(middles.len() * tails.len());
        for middle in &middles {
            for tail in &tails {
                words.push([&items[..open], middle, tail].concat());
            }
        }
        return Some(words);
    }
    Some(vec![items.to_vec()])
}

/// The place of the brace that closes the one at `open`, and what is between, if that is a list or a range.
fn alternatives(items: &[Item], open: usize) -> Option<(usize, Vec<Vec<Item>>)> {
    let (mut depth, mut start) = (0, open + 1);
    let mut members = Vec::new();
    for (i, item) in items.iter().enumerate().skip(open + 1) {
        match item {
            Item::Char('{') => depth += 1,
            Item::Char('}') if depth > 0 => depth -= 1,
            Item::Char(',') if depth == 0 => {
                members.push(items[start..i].to_vec());
                start = i + 1;
            }
            Item::Char('}') => {
                members.push(items[start..i].to_vec());
                if members.len() > 1 {
                    return Some((i, members));
                }
                return range(&members[0]).map(|words| (i, words));
            }
            _ => {}
        }
    }
    None
}

fn range(items: &[Item]) -> Option<Vec<Vec<Item>>> {
    let text: String = items
        .iter()
        .map(|item| if let Item::Char(c) = item { Some(*c) } else { None })
        .collect::<Option<_>>()?;
    let mut pieces = text.split("..");
    let (first, last, step) = (pieces.next()?, pieces.next()?, pieces.next());
    if pieces.next().is_some() {
        return None;
    }
    let step: i64 = step.map_or(Some(1), |step| step.parse().ok())?;
    let step = usize::try_from(step.unsigned_abs().max(1)).ok()?;
    let words: Vec<String> =
        if let (Ok(first_number), Ok(last_number)) = (first.parse::<i64>(), last.parse::<i64>()) {
            if first_number.abs_diff(last_number) / step as u64 > MAX_WORDS as u64 {
                return None;
            }
            let padded = [first, last].iter().any(|s| {
                let digits = s.trim_start_matches('-');
                digits.len() > 1 && digits.starts_with('0')
            });
            let width = if padded { first.len().max(last.len()) } else { 0 };
            let print = |n: i64| format!("{n:0width$}");
            if first_number <= last_number {
                (first_number..=last_number).step_by(step).map(print).collect()
            } else {
                (last_number..=first_number).rev().step_by(step).map(print).collect()
            }
        } else {
            let letter = |s: &str| s.bytes().next().filter(|b| s.len() == 1 && b.is_ascii_alphabetic());
            let (first, last) = (letter(first)?, letter(last)?);
            let print = |b: u8| char::from(b).to_string();
            if first <= last {
                (first..=last).step_by(step).map(print).collect()
            } else {
                (last..=first).rev().step_by(step).map(print).collect()
            }
        };
    // What stands between `Z` and `a` is not syntax any more.
    Some(words.into_iter().map(|word| vec![Item::Other(Part::Literal(word))]).collect())
}
