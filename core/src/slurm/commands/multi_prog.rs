//! `srun --multi-prog`: a file that says which tasks run which program (srun(1), MULTIPLE PROGRAM CONFIGURATION).

/// Most tasks that a file may name.
const MOST: u32 = 1 << 20;

/// What the tasks of a step run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Programs {
    lines: Vec<Line>,
}

/// One line: its tasks in the order in which it names them, and what it has behind them, with the lines on which it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    ranks: Ranks,
    spec: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Ranks {
    /// `*`: all that no line before has.
    Others,
    These(Vec<u32>),
}

impl Programs {
    /// Reads the file `name`. Without a number of tasks (`--ntasks`) there are as many as the file names; the number
    /// comes back.
    ///
    /// # Errors
    ///
    /// The lines that `srun` prints, without its name.
    pub(crate) fn read(text: &str, name: &str, ntasks: Option<u32>) -> Result<(Self, u32), Vec<String>> {
        let mut programs = Self::default();
        if let Some(count) = ntasks.filter(|count| *count > MOST) {
            return Err(vec![format!("Invalid task count {count}")]);
        }
        let mut taken: Vec<bool> = vec![false; ntasks.unwrap_or(1) as usize];
        let mut fixed = ntasks.is_some();
        for (number, line) in joined(text) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (ranks, spec) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
            let read = if spec.lines().next().is_none_or(|line| line.trim().is_empty()) {
                Err(Vec::new())
            } else if ranks == "*" {
                fixed = true;
                taken.fill(true);
                Ok(Ranks::Others)
            } else if programs.lines.iter().any(|line| line.ranks == Ranks::Others) {
                Err(vec!["Task range specification with asterisk must be last".to_owned()])
            } else {
                these(ranks, &mut taken, &mut fixed).map(Ranks::These)
            };
            match read {
                Ok(ranks) => programs.lines.push(Line { ranks, spec: spec.to_owned() }),
                Err(mut said) => {
                    said.push(format!("Line {number} of configuration file {name} invalid"));
                    return Err(said);
                }
            }
        }
        if let Some(rank) = taken.iter().position(|taken| !taken) {
            return Err(vec![format!("Configuration file {name} invalid, no record for task id {rank}")]);
        }
        Ok((programs, taken.len() as u32))
    }

    /// The command of a task: `%t` is its rank, `%o` its place among the tasks of its line (of `*` its rank); `more` is what stands behind
    /// the file on the command line. Nothing if the line names no program.
    ///
    /// # Errors
    ///
    /// What `slurmstepd` prints, without its name.
    pub(crate) fn argv(&self, rank: u32, more: &[String]) -> Result<Vec<String>, String> {
        let found = self.lines.iter().find_map(|line| match &line.ranks {
            Ranks::Others => Some((line, rank as usize)),
            Ranks::These(ranks) => ranks.iter().position(|other| *other == rank).map(|at| (line, at)),
        });
        let Some((line, offset)) = found else { return Ok(Vec::new()) };
        let mut words = words(&line.spec, rank, offset)?;
        words.extend(more.iter().cloned());
        Ok(words)
    }
}

/// The lines of a file with the number of their first line, and with those on which they go on after a backslash at the end.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (at, line) in text.lines().enumerate() {
        match lines.last_mut().filter(|_| goes_on) {
            Some((_, whole)) => *whole = format!("{whole}\n{line}"),
            None => lines.push((at + 1, line.trim_start().to_owned())),
        }
        goes_on = line.ends_with('\\');
    }
    lines
}

/// The words of a line as slurmstepd reads them (`multi_prog_get_argv`): single quotes keep what is between them, a backslash
/// the character behind it, or it goes on with the next line; `%` and a character that is neither `t` nor `o` are dropped.
/// Double quotes are characters like others.
fn words(spec: &str, rank: u32, offset: usize) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = spec.chars();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match c {
            '%' => match chars.next() {
                Some('t') => word.push_str(&rank.to_string()),
                Some('o') => word.push_str(&offset.to_string()),
                _ => {}
            },
            '\\' => word.extend(chars.next().filter(|next| *next != '\n')),
            '\'' => {
                let mut closed = false;
                // What a quoted text has on a second line is lost there.
                let mut lost = false;
                for quoted in chars.by_ref() {
                    match quoted {
                        '\'' => {
                            closed = true;
                            break;
                        }
                        '\n' => lost = true,
                        _ if lost => {}
                        _ => word.push(quoted),
                    }
                }
                if !closed {
                    let last = words.last().map_or("(null)", String::as_str);
                    return Err(format!("Program arguments specification format invalid: {last}."));
                }
            }
            _ => word.push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// `0-2,5`: tasks that no line before has.
fn these(text: &str, taken: &mut Vec<bool>, fixed: &mut bool) -> Result<Vec<u32>, Vec<String>> {
    let mut ranks = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number < MOST);
        let (low, high) = match part.split_once('-') {
            Some((low, high)) if low.bytes().all(|c| c.is_ascii_digit()) => {
                let invalid = || vec!["Invalid task range specification".to_owned()];
                let low = if low.is_empty() { 0 } else { number(low).ok_or_else(invalid)? };
                (low, number(high).ok_or_else(invalid)?)
            }
            _ => {
                let rank =
                    number(part).ok_or_else(|| vec![format!("Invalid task range specification ({part})")])?;
                (rank, rank)
            }
        };
        if low > high {
            return Err(vec![format!("Invalid task range, {low}-{high}")]);
        }
        if high as usize >= taken.len() {
            if *fixed {
                return Err(vec![format!("Invalid task id, {high} >= ntasks")]);
            }
            taken.resize(high as usize + 1, false);
        }
        for rank in low..=high {
            if std::mem::replace(&mut taken[rank as usize], true) {
                return Err(vec![format!("Duplicate record for task {rank}")]);
            }
            ranks.push(rank);
        }
    }
    Ok(ranks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(text: &str, ntasks: Option<u32>, rank: u32) -> String {
        let (programs, _) = Programs::read(text, "f", ntasks).unwrap();
        programs.argv(rank, &["more".to_owned()]).map_or_else(|error| error, |argv| argv.join("|"))
    }

    #[test]
    fn a_task_runs_the_program_of_its_line() {
        let text =
            "# who does what\n4-6       hostname\n1,7       echo  task:%t\n0,2-3     echo  'of %t' o%o\n";
        assert_eq!(Programs::read(text, "f", None).unwrap().1, 8);
        assert_eq!(argv(text, None, 5), "hostname|more");
        assert_eq!(argv(text, None, 7), "echo|task:7|more");
        assert_eq!(argv(text, None, 3), "echo|of %t|o2|more");
        assert_eq!(argv("0 a\n* b\\\n c%o\n", Some(3), 2), "b|c2|more");
        // A backslash behind a space begins a word, in which there is nothing.
        assert_eq!(argv("0 a\n* b \\\n c%o\n", Some(3), 2), "b||c2|more");
    }

    #[test]
    fn single_quotes_and_backslashes_keep_characters_and_double_quotes_do_not() {
        let check =
            |line: &str, expect: &str| assert_eq!(argv(&format!("0 {line}\n"), None, 0), expect, "{line}");
        check(r#"echo "a b""#, r#"echo|"a|b"|more"#);
        check(r"echo a\ b\%t \'c\\", r"echo|a b%t|'c\|more");
        check("echo 100%% x%y", "echo|100|x|more");
        check("echo a'b c'd ''", "echo|ab cd||more");
        check("echo a\\\nb c", "echo|ab|c|more");
        check("echo x 'a b", "Program arguments specification format invalid: x.");
        check("'a", "Program arguments specification format invalid: (null).");
        check("echo 'a\\\nb' c", "echo|a\\|c|more");
    }

    #[test]
    fn a_file_that_does_not_say_what_every_task_runs_is_refused() {
        let check = |text: &str, ntasks: Option<u32>, expect: &[&str]| {
            assert_eq!(Programs::read(text, "f", ntasks).unwrap_err(), expect, "{text}");
        };
        let invalid = "Line 1 of configuration file f invalid";
        check("0\n", None, &[invalid]);
        check("a hostname\n", None, &["Invalid task range specification (a)", invalid]);
        check("3-1 hostname\n", None, &["Invalid task range, 3-1", invalid]);
        check("1-x hostname\n", None, &["Invalid task range specification", invalid]);
        check("99999999999-3 hostname\n", None, &["Invalid task range specification", invalid]);
        check("* hostname\n", Some(u32::MAX), &["Invalid task count 4294967295"]);
        check("0-7 hostname\n", Some(4), &["Invalid task id, 7 >= ntasks", invalid]);
        check("0,0 hostname\n", Some(4), &["Duplicate record for task 0", invalid]);
        check("99999999999 hostname\n", None, &["Invalid task range specification (99999999999)", invalid]);
        check("0 hostname\n", Some(2), &["Configuration file f invalid, no record for task id 1"]);
        check("", None, &["Configuration file f invalid, no record for task id 0"]);
        check(
            "* a\n0 b\n",
            Some(2),
            &[
                "Task range specification with asterisk must be last",
                "Line 2 of configuration file f invalid",
            ],
        );
    }
}
