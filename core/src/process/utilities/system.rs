//! Small questions about the system, and pure arguments: `hostname`, `seq`, `basename`.

use std::time::Duration;

use super::World;
use super::options::parse;
use super::time::float;

/// What `basename PATH [SUFFIX]` prints.
pub(super) fn basename(world: &mut World<'_>) -> u8 {
    let Some(path) = world.args.first() else { return world.misuse("missing operand") };
    let trimmed = path.trim_end_matches('/');
    let name = if trimmed.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or(trimmed) };
    let suffix = world.args.get(1).map_or("", String::as_str);
    let stem = name.strip_suffix(suffix).filter(|stem| !stem.is_empty()).unwrap_or(name).to_owned();
    world.say(&stem);
    0
}

pub(super) fn dirname(world: &mut World<'_>) -> u8 {
    if world.args.is_empty() {
        return world.misuse("missing operand");
    }
    for path in world.args {
        let trimmed = path.trim_end_matches('/');
        let parent = match trimmed.rsplit_once('/') {
            None if path.starts_with('/') => "/",
            None => ".",
            Some((parent, _)) if parent.trim_end_matches('/').is_empty() => "/",
            Some((parent, _)) => parent.trim_end_matches('/'),
        };
        world.say(parent);
    }
    0
}

/// `env` without a command, and `printenv [NAME…]`.
pub(super) fn env(world: &mut World<'_>) -> u8 {
    let env = &world.call.env;
    if world.args.is_empty() {
        for (name, value) in env {
            world.say(&format!("{name}={value}"));
        }
        return 0;
    }
    if world.name() == "env" {
        let text = "not modelled: env with arguments";
        return world.complain(text).max(125);
    }
    let mut code = 0;
    for name in world.args {
        match env.get(name) {
            Some(value) => world.say(value),
            None => code = 1,
        }
    }
    code
}

pub(super) fn hostname(world: &mut World<'_>) -> u8 {
    let name = match world.args {
        [] => world.hostname.clone(),
        [flag] if flag == "-s" => world.hostname.split('.').next().unwrap_or_default().to_owned(),
        [flag] if flag == "-f" => world.hostname.clone(),
        _ => return world.complain("you must be root to change the host name"),
    };
    world.say(&name);
    0
}

fn user<'a>(world: &'a World<'_>) -> (&'a str, u32) {
    match world.call.env.get("USER").map(String::as_str) {
        None | Some("root") => ("root", 0),
        Some(name) => (name, 1000),
    }
}

pub(super) fn whoami(world: &mut World<'_>) -> u8 {
    let name = user(world).0.to_owned();
    world.say(&name);
    0
}

pub(super) fn id(world: &mut World<'_>) -> u8 {
    let (name, id) = user(world);
    let text = match world.args.first().map(String::as_str) {
        None => format!("uid={id}({name}) gid={id}({name}) groups={id}({name})"),
        Some("-u" | "-g" | "-G") => id.to_string(),
        Some("-un" | "-gn" | "-nu") => name.to_owned(),
        Some(other) => {
            let text = format!("{}: no such user", other.to_owned());
            return world.complain(&text);
        }
    };
    world.say(&text);
    0
}

pub(super) fn nproc(world: &mut World<'_>) -> u8 {
    let count = world.call.env.get("CLUSTERLAB_CPUS").cloned().unwrap_or_else(|| "1".to_owned());
    world.say(&count);
    0
}

pub(super) fn uname(world: &mut World<'_>) -> u8 {
    let options = match parse(world, "asnrvmpio", &[("all", 'a')]) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let all = options.has('a');
    let parts = [
        ('s', "Linux".to_owned()),
        ('n', world.hostname.clone()),
        ('r', "6.8.0-90-generic".to_owned()),
        ('v', "#91-Ubuntu SMP PREEMPT_DYNAMIC".to_owned()),
        ('m', "x86_64".to_owned()),
        ('o', "GNU/Linux".to_owned()),
    ];
    let wanted = |letter: char| all || options.has(letter) || letter == 's' && options.flags.is_empty();
    let shown: Vec<_> =
        parts.into_iter().filter(|(letter, _)| wanted(*letter)).map(|(_, text)| text).collect();
    world.say(&shown.join(" "));
    0
}

/// Most numbers that one `seq` prints; the real one is limited by patience.
const MAX_SEQUENCE: usize = 1_000_000;

pub(super) fn seq(world: &mut World<'_>) -> u8 {
    let (mut width, mut separator, mut numbers) = (false, "\n".to_owned(), Vec::new());
    let mut args = world.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-w" | "--equal-width" => width = true,
            "-s" => separator = args.next().cloned().unwrap_or_default(),
            _ if arg.starts_with("-s") => arg[2..].clone_into(&mut separator),
            _ => numbers.push(arg.clone()),
        }
    }
    let mut values = Vec::new();
    for text in &numbers {
        match text.parse::<f64>().ok().filter(|v| v.is_finite()) {
            Some(value) => values.push(value),
            None => return world.misuse(&format!("invalid floating point argument: '{text}'")),
        }
    }
    let (first, step, last) = match values[..] {
        [last] => (1.0, 1.0, last),
        [first, last] => (first, 1.0, last),
        [first, step, last] => (first, step, last),
        [] => return world.misuse("missing operand"),
        _ => return world.misuse(&format!("extra operand '{}'", numbers[3])),
    };
    if step == 0.0 {
        return world.misuse(&format!("invalid Zero increment value: '{}'", numbers[1]));
    }
    let places = |text: &str| text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits = numbers.iter().take(numbers.len().max(2) - 1).map(|text| places(text)).max().unwrap_or(0);
    let count = ((last - first) / step + 1e-10).floor();
    let count = if count < 0.0 { 0 } else { (count as usize + 1).min(MAX_SEQUENCE) };
    let mut shown: Vec<String> = (0..count).map(|i| float(first + step * i as f64, 'f', digits)).collect();
    if width {
        let widest = shown.iter().map(String::len).max().unwrap_or(0);
        shown = shown.into_iter().map(|text| format!("{text:0>widest$}")).collect();
    }
    if !shown.is_empty() {
        let text = shown.join(&separator);
        world.say(&text);
    }
    0
}

/// The sum of `sleep`'s operands; `infinity` is the end of time.
pub(super) fn sleep_span(world: &mut World<'_>) -> Result<Duration, u8> {
    if world.args.is_empty() {
        return Err(world.misuse("missing operand"));
    }
    let mut total = Duration::ZERO;
    for text in world.args {
        match interval(text) {
            Some(span) => total = total.saturating_add(span),
            None => return Err(world.misuse(&format!("invalid time interval '{text}'"))),
        }
    }
    Ok(total)
}

/// A span as `sleep` and `timeout` read it: `5`, `1.5m`, `infinity`.
pub(crate) fn interval(text: &str) -> Option<Duration> {
    let (number, unit) = match text.find(|c: char| "smhd".contains(c)) {
        Some(at) if at + 1 == text.len() && text != "inf" => (&text[..at], &text[at..]),
        _ => (text, "s"),
    };
    let factor = match unit {
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => 1.0,
    };
    match number {
        "infinity" | "inf" => Some(Duration::MAX),
        _ => match number.parse::<f64>() {
            Ok(value) if value >= 0.0 => {
                Some(Duration::try_from_secs_f64(value * factor).unwrap_or(Duration::MAX))
            }
            _ => None,
        },
    }
}
