//! What reads all of its input first: `wc`, `sort`, `uniq`, `cut`, `tr`, `tac`, `rev`, `sha256sum`.

use crate::order::InOrder;
use sha2::{Digest as _, Sha256};

use super::World;
use super::options::parse;

fn lines_of(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|b| *b == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line)).collect()
}

/// All inputs one after the other.
fn gather(world: &mut World<'_>, operands: &[String], stdin: &[u8]) -> (Vec<u8>, u8) {
    let (read, code) = world.inputs(operands, stdin);
    (read.into_iter().flat_map(|(_, bytes)| bytes).collect(), code)
}

pub(super) fn wc(world: &mut World<'_>, stdin: &[u8]) -> u8 {
    let long = [("lines", 'l'), ("words", 'w'), ("bytes", 'c'), ("chars", 'm')];
    let options = match parse(world, "lwcm", &long) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let (read, code) = world.inputs(&options.operands, stdin);
    let default = options.flags.is_empty();
    let mut rows = Vec::new();
    let mut total = [0; 4];
    for (name, bytes) in &read {
        let text = String::from_utf8_lossy(bytes);
        let counts =
            [text.matches('\n').count(), text.split_whitespace().count(), text.chars().count(), bytes.len()];
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
        rows.push((counts, if options.operands.is_empty() { "" } else { name.as_str() }));
    }
    if options.operands.len() > 1 {
        rows.push((total, "total"));
    }
    let shown = |counts: &[usize; 4]| -> Vec<usize> {
        [('l', 0), ('w', 1), ('m', 2), ('c', 3)]
            .into_iter()
            .filter(|(letter, _)| options.has(*letter) || default && *letter != 'm')
            .map(|(_, index)| counts[index])
            .collect()
    };
    let columns = shown(&total).len();
    let width = match (rows.len(), columns, options.operands.is_empty()) {
        (1, 1, _) => 1,
        (_, _, true) => 7,
        _ => total.iter().max().map_or(1, |max| max.to_string().len()),
    };
    for (counts, name) in rows {
        let mut cells: Vec<_> = shown(&counts).iter().map(|count| format!("{count:width$}")).collect();
        if !name.is_empty() {
            cells.push(name.to_owned());
        }
        world.say(&cells.join(" "));
    }
    code
}

pub(super) fn sort(world: &mut World<'_>, stdin: &[u8]) -> u8 {
    let long =
        [("numeric-sort", 'n'), ("reverse", 'r'), ("unique", 'u'), ("key", 'k'), ("field-separator", 't')];
    let options = match parse(world, "nrufbghVsk:t:", &long) {
        Ok(options) => options,
        Err(code) => return if code == 1 { 2 } else { code },
    };
    let (all, code) = gather(world, &options.operands, stdin);
    let text = String::from_utf8_lossy(&all).into_owned();
    let separator = options.value('t').and_then(|t| t.chars().next());
    let key = options.value('k').map(str::to_owned);
    let (field, letters) = key.as_deref().map_or((None, ""), |key| {
        let digits = key.find(|c: char| !c.is_ascii_digit()).unwrap_or(key.len());
        (key[..digits].parse::<usize>().ok(), &key[digits..])
    });
    let only = key.as_deref().is_some_and(|key| key.contains(','));
    let has = |letter: char| options.has(letter) || letters.contains(letter);
    let of = |line: &str| -> String {
        let Some(field) = field.filter(|f| *f > 0) else { return line.to_owned() };
        let fields: Vec<&str> = match separator {
            Some(separator) => line.split(separator).collect(),
            None => line.split_whitespace().collect(),
        };
        let end = if only { field } else { fields.len() };
        fields.get(field - 1..end.max(field - 1)).unwrap_or_default().join(" ")
    };
    let number = |text: &str| -> f64 {
        let text = text.trim_start();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
        let value: f64 = text[..end].parse().unwrap_or(0.0);
        let scale = if has('h') { "KMGTPE".find(text[end..].chars().next().unwrap_or(' ')) } else { None };
        value * scale.map_or(1.0, |power| 1024f64.powi(power as i32 + 1))
    };
    let mut lines: Vec<&str> = text.lines().collect();
    let compare = |a: &str, b: &str| {
        let (ka, kb) = (of(a), of(b));
        let by_key = if has('n') || has('g') || has('h') {
            number(&ka).total_cmp(&number(&kb))
        } else if has('f') {
            ka.to_uppercase().cmp(&kb.to_uppercase())
        } else {
            ka.cmp(&kb)
        };
        if has('r') { by_key.reverse() } else { by_key }
    };
    if options.has('u') {
        lines.order_by(|a, b| compare(a, b));
        lines.dedup_by(|a, b| compare(a, b).is_eq());
    } else {
        let last = |a: &str, b: &str| if options.has('r') { b.cmp(a) } else { a.cmp(b) };
        lines.order_by(|a, b| {
            compare(a, b).then_with(|| if options.has('s') { std::cmp::Ordering::Equal } else { last(a, b) })
        });
    }
    for line in lines {
        world.say(line);
    }
    code
}

pub(super) fn uniq(world: &mut World<'_>, stdin: &[u8]) -> u8 {
    let options = match parse(world, "cdui", &[("count", 'c'), ("repeated", 'd'), ("unique", 'u')]) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let (all, code) = gather(world, &options.operands, stdin);
    let text = String::from_utf8_lossy(&all).into_owned();
    let same = |a: &str, b: &str| if options.has('i') { a.eq_ignore_ascii_case(b) } else { a == b };
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for line in text.lines() {
        match groups.last_mut() {
            Some((last, count)) if same(last, line) => *count += 1,
            _ => groups.push((line, 1)),
        }
    }
    for (line, count) in groups {
        if options.has('d') && count < 2 || options.has('u') && count > 1 {
            continue;
        }
        let text = if options.has('c') { format!("{count:7} {line}") } else { line.to_owned() };
        world.say(&text);
    }
    code
}

pub(super) fn cut(world: &mut World<'_>, stdin: &[u8]) -> u8 {
    let long = [("delimiter", 'd'), ("fields", 'f'), ("characters", 'c'), ("only-delimited", 's')];
    let options = match parse(world, "d:f:c:b:s", &long) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let list = options.value('f').or(options.value('c')).or(options.value('b'));
    let Some(list) = list.map(str::to_owned) else {
        return world.misuse("you must specify a list of bytes, characters, or fields");
    };
    let mut ranges = Vec::new();
    for part in list.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str, open: usize| if text.is_empty() { Some(open) } else { text.parse().ok() };
        match (number(from, 1), number(to, usize::MAX)) {
            (Some(0), _) => return world.misuse("fields are numbered from 1"),
            (Some(from), Some(to)) if from <= to => ranges.push(from..=to),
            _ => return world.misuse(&format!("invalid field value '{part}'")),
        }
    }
    let chosen = |index: usize| ranges.iter().any(|range| range.contains(&index));
    let delimiter = options.value('d').and_then(|d| d.chars().next()).unwrap_or('\t');
    let (all, code) = gather(world, &options.operands, stdin);
    for line in String::from_utf8_lossy(&all).lines() {
        let text = if options.has('f') {
            if !line.contains(delimiter) {
                if !options.has('s') {
                    world.say(line);
                }
                continue;
            }
            let fields = line.split(delimiter).enumerate().filter(|(i, _)| chosen(i + 1)).map(|(_, f)| f);
            fields.collect::<Vec<_>>().join(&delimiter.to_string())
        } else {
            line.chars().enumerate().filter(|(i, _)| chosen(i + 1)).map(|(_, c)| c).collect()
        };
        world.say(&text);
    }
    code
}

pub(super) fn tr(world: &mut World<'_>, stdin: &[u8]) -> u8 {
    let options =
        match parse(world, "dscC", &[("delete", 'd'), ("squeeze-repeats", 's'), ("complement", 'c')]) {
            Ok(options) => options,
            Err(code) => return code,
        };
    let sets: Vec<Vec<char>> = options.operands.iter().map(|set| character_set(set)).collect();
    let Some(first) = sets.first() else { return world.misuse("missing operand") };
    let complement = options.has('c') || options.has('C');
    let inside = |c: char| first.contains(&c) != complement;
    if sets.len() == 1 && !options.has('d') && !options.has('s') {
        let text = format!("missing operand after '{}'", options.operands[0]);
        return world.misuse(&text);
    }
    let mut out = String::new();
    let squeeze = if options.has('s') { sets.last() } else { None };
    for c in String::from_utf8_lossy(stdin).chars() {
        let mapped = if options.has('d') {
            if inside(c) {
                continue;
            }
            c
        } else if let (true, Some(second)) = (inside(c), sets.get(1)) {
            let index = if complement { usize::MAX } else { first.iter().position(|x| *x == c).unwrap_or(0) };
            second.get(index).or(second.last()).copied().unwrap_or(c)
        } else {
            c
        };
        if squeeze.is_some_and(|set| set.contains(&mapped)) && out.ends_with(mapped) {
            continue;
        }
        out.push(mapped);
    }
    world.out.extend_from_slice(out.as_bytes());
    0
}

/// Whether a character belongs to a class.
type Test = fn(&char) -> bool;

/// `a-z`, `[:upper:]`, `\n`.
fn character_set(text: &str) -> Vec<char> {
    let classes: [(&str, Test); 7] = [
        ("[:upper:]", char::is_ascii_uppercase),
        ("[:lower:]", char::is_ascii_lowercase),
        ("[:digit:]", char::is_ascii_digit),
        ("[:alpha:]", char::is_ascii_alphabetic),
        ("[:alnum:]", char::is_ascii_alphanumeric),
        ("[:space:]", |c| c.is_ascii_whitespace() || *c == '\x0b'),
        ("[:punct:]", char::is_ascii_punctuation),
    ];
    let mut set = Vec::new();
    let mut rest = text;
    'next: while let Some(c) = rest.chars().next() {
        for (name, test) in classes {
            if let Some(after) = rest.strip_prefix(name) {
                set.extend((0..=127u8).map(char::from).filter(test));
                rest = after;
                continue 'next;
            }
        }
        rest = &rest[c.len_utf8()..];
        let c = match (c, rest.chars().next()) {
            ('\\', Some(escaped)) => {
                rest = &rest[escaped.len_utf8()..];
                match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    other => other,
                }
            }
            _ => c,
        };
        let mut ahead = rest.chars();
        match (ahead.next(), ahead.next()) {
            (Some('-'), Some(end)) if end >= c && (end as u32 - c as u32) < 4096 => {
                set.extend(c..=end);
                rest = ahead.as_str();
            }
            _ => set.push(c),
        }
    }
    set
}

pub(super) fn tac(world: &mut World<'_>, stdin: &[u8]) -> u8 {
    let operands = world.args.to_vec();
    let (all, code) = gather(world, &operands, stdin);
    for line in lines_of(&all).into_iter().rev() {
        world.out.extend_from_slice(line);
        world.out.push(b'\n');
    }
    code
}

pub(super) fn rev(world: &mut World<'_>, stdin: &[u8]) -> u8 {
    let operands = world.args.to_vec();
    let (all, code) = gather(world, &operands, stdin);
    for line in String::from_utf8_lossy(&all).lines() {
        let reversed: String = line.chars().rev().collect();
        world.say(&reversed);
    }
    code
}

pub(super) fn sha256sum(world: &mut World<'_>, stdin: &[u8]) -> u8 {
    let operands = world.args.to_vec();
    let (read, code) = world.inputs(&operands, stdin);
    for (name, bytes) in read {
        let mut sum = String::new();
        for byte in Sha256::digest(&bytes) {
            sum.push_str(&format!("{byte:02x}"));
        }
        world.say(&format!("{sum}  {name}"));
    }
    code
}
