//! Options as `getopt_long` takes them: clusters of letters, `--long=value`, operands between.

use super::World;

/// What was found: letters with their values, and the operands.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) flags: Vec<(char, String)>,
    pub(super) operands: Vec<String>,
}

impl Options {
    /// Whether the flag was given.
    pub(super) fn has(&self, letter: char) -> bool {
        self.flags.iter().any(|(flag, _)| *flag == letter)
    }

    /// The last value of a flag.
    pub(super) fn value(&self, letter: char) -> Option<&str> {
        self.flags.iter().rev().find(|(flag, _)| *flag == letter).map(|(_, value)| value.as_str())
    }
}

/// Parses the arguments. `short` lists the letters, each followed by `:` if it takes a value;
/// `long` maps long names to letters.
///
/// # Errors
///
/// The exit code after the complaint that getopt makes.
pub(super) fn parse(world: &mut World<'_>, short: &str, long: &[(&str, char)]) -> Result<Options, u8> {
    let mut options = Options::default();
    let takes = |letter: char| short.find(letter).map(|at| short[at + letter.len_utf8()..].starts_with(':'));
    let mut args = world.args.iter();
    let mut only_operands = false;
    while let Some(arg) = args.next() {
        if only_operands || arg == "-" || !arg.starts_with('-') {
            options.operands.push(arg.clone());
        } else if arg == "--" {
            only_operands = true;
        } else if let Some(name) = arg.strip_prefix("--") {
            let (name, value) = name.split_once('=').map_or((name, None), |(n, v)| (n, Some(v.to_owned())));
            let Some((_, letter)) = long.iter().find(|(known, _)| *known == name) else {
                return Err(world.misuse(&format!("unrecognized option '--{name}'")));
            };
            let value = match (takes(*letter), value) {
                (Some(true), None) => match args.next() {
                    Some(value) => value.clone(),
                    None => return Err(world.misuse(&format!("option '--{name}' requires an argument"))),
                },
                (_, value) => value.unwrap_or_default(),
            };
            options.flags.push((*letter, value));
        } else {
            let letters: Vec<char> = arg[1..].chars().collect();
            let mut at = 0;
            while at < letters.len() {
                let letter = letters[at];
                at += 1;
                match takes(letter) {
                    None => return Err(world.misuse(&format!("invalid option -- '{letter}'"))),
                    Some(false) => options.flags.push((letter, String::new())),
                    Some(true) => {
                        let rest: String = letters[at..].iter().collect();
                        at = letters.len();
                        let value = match (rest.is_empty(), args.as_slice().first()) {
                            (false, _) => rest,
                            (true, Some(_)) => args.next().cloned().unwrap_or_default(),
                            (true, None) => {
                                return Err(
                                    world.misuse(&format!("option requires an argument -- '{letter}'"))
                                );
                            }
                        };
                        options.flags.push((letter, value));
                    }
                }
            }
        }
    }
    Ok(options)
}
