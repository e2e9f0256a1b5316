//! Options as `getopt_long` reads them: `--long=value`, `--long value`, unique abbreviations, `-Nvalue`, bundles.

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// None.
    Nothing,
    /// One must follow.
    Value,
    /// Only with `=`.
    Optional,
}

/// An option that a command knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opt {
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
    pub(super) takes: Takes,
}

/// Short for a row of a table of options.
pub(super) const fn opt(long: &'static str, short: Option<char>, takes: Takes) -> Opt {
    Opt { long, short, takes }
}

/// An option that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) name: &'static str,
    pub(super) value: Option<String>,
}

/// What a command line says: options in order, then what is left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) options: Vec<Given>,
    pub(super) rest: Vec<String>,
}

/// Reads `args` (without the command's name); the first text is what getopt prints for the first mistake.
/// `permute`: options may come after other arguments (`scancel 1 -s KILL`); else the first argument ends them (`srun`).
pub(super) fn parse(command: &str, table: &[Opt], args: &[String], permute: bool) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut at = 0;
    while at < args.len() {
        let arg = &args[at];
        at += 1;
        if arg == "--" {
            parsed.rest.extend(args[at..].iter().cloned());
            break;
        }
        if let Some(body) = arg.strip_prefix("--") {
            let (name, inline) =
                body.split_once('=').map_or((body, None), |(name, value)| (name, Some(value.to_owned())));
            let option = find_long(command, table, name, body)?;
            let value = match (option.takes, inline) {
                (Takes::Nothing, Some(_)) => {
                    return Err(format!("{command}: option '--{}' doesn't allow an argument", option.long));
                }
                (Takes::Nothing | Takes::Optional, None) => None,
                (_, Some(value)) => Some(value),
                (Takes::Value, None) => {
                    let value = args.get(at).cloned().ok_or_else(|| {
                        format!("{command}: option '--{}' requires an argument", option.long)
                    })?;
                    at += 1;
                    Some(value)
                }
            };
            parsed.options.push(Given { name: option.long, value });
        } else if arg.len() > 1 && arg.starts_with('-') {
            let chars = arg[1..].char_indices();
            for (offset, short) in chars {
                let option = table
                    .iter()
                    .find(|option| option.short == Some(short))
                    .ok_or_else(|| format!("{command}: invalid option -- '{short}'"))?;
                if option.takes == Takes::Nothing {
                    parsed.options.push(Given { name: option.long, value: None });
                    continue;
                }
                let inline = &arg[1 + offset + short.len_utf8()..];
                let value = if !inline.is_empty() {
                    Some(inline.to_owned())
                } else if option.takes == Takes::Optional {
                    None
                } else {
                    let value = args
                        .get(at)
                        .cloned()
                        .ok_or_else(|| format!("{command}: option requires an argument -- '{short}'"))?;
                    at += 1;
                    Some(value)
                };
                parsed.options.push(Given { name: option.long, value });
                break;
            }
        } else {
            parsed.rest.push(arg.clone());
            if !permute {
                parsed.rest.extend(args[at..].iter().cloned());
                break;
            }
        }
    }
    Ok(parsed)
}

/// `typed` is the whole of it, which the first message shows.
fn find_long(command: &str, table: &[Opt], name: &str, typed: &str) -> Result<Opt, String> {
    if let Some(option) = table.iter().find(|option| option.long == name) {
        return Ok(*option);
    }
    let matching: Vec<&Opt> = table.iter().filter(|option| option.long.starts_with(name)).collect();
    match matching.as_slice() {
        [one] => Ok(**one),
        [] => Err(format!("{command}: unrecognized option '--{typed}'")),
        several => {
            let names: Vec<String> = several.iter().map(|option| format!("'--{}'", option.long)).collect();
            Err(format!("{command}: option '--{name}' is ambiguous; possibilities: {}", names.join(" ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [Opt; 4] = [
        opt("nodes", Some('N'), Takes::Value),
        opt("exclusive", None, Takes::Optional),
        opt("hold", Some('H'), Takes::Nothing),
        opt("nodelist", Some('w'), Takes::Value),
    ];

    fn check(line: &str, permute: bool, expect: Result<(&[(&str, Option<&str>)], &[&str]), &str>) {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let found = parse("sbatch", &TABLE, &args, permute);
        match (found, expect) {
            (Ok(parsed), Ok((options, rest))) => {
                let found: Vec<_> =
                    parsed.options.iter().map(|given| (given.name, given.value.as_deref())).collect();
                assert_eq!(
                    (found.as_slice(), parsed.rest),
                    (options, rest.iter().map(|s| (*s).to_owned()).collect()),
                    "{line}"
                );
            }
            (Err(found), Err(expect)) => assert_eq!(found, expect),
            (found, expect) => panic!("{line}: {found:?} instead of {expect:?}"),
        }
    }

    #[test]
    fn options_are_read_as_getopt_reads_them() {
        check("-N4 -H x", true, Ok((&[("nodes", Some("4")), ("hold", None)], &["x"])));
        check("-HN 4", true, Ok((&[("hold", None), ("nodes", Some("4"))], &[])));
        check(
            "--nodes=4 --exc=user x -H",
            true,
            Ok((&[("nodes", Some("4")), ("exclusive", Some("user")), ("hold", None)], &["x"])),
        );
        check("--exclusive x -H", false, Ok((&[("exclusive", None)], &["x", "-H"])));
        check("--nosuch", true, Err("sbatch: unrecognized option '--nosuch'"));
        check(
            "--node=1",
            true,
            Err("sbatch: option '--node' is ambiguous; possibilities: '--nodes' '--nodelist'"),
        );
        check("-N", true, Err("sbatch: option requires an argument -- 'N'"));
    }
}
