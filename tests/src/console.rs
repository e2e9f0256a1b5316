//! The book's console blocks: what a reader is told to type, and what the page says will be printed.
//!
//! A block marked `console` is a session at the lab's terminal:
//!
//! ````text
//! ```console
//! $ kubectl get nodes
//! NAME    STATUS   ROLES    AGE   VERSION
//! gpu-1   Ready    <none>   ...
//! ...
//! ```
//! ````
//!
//! A line that begins with `$ ` is typed, and so are the lines of a here-document behind it, which begin with `> `. All
//! other lines are what is printed. `...` inside a line stands for any text within it; a line that is only `...`
//! stands for any number of lines, also none. Spaces at the ends of lines do not count.
//!
//! The blocks of a page run one after the other in one lab, as a reader would type them. A page may prepare the lab by a
//! comment, which no reader sees: `<!-- lab: spec.yaml -->` names the lab's spec, relative to the page, and
//! `<!-- file: NAME -->` in front of a code block writes that block to a file, as a reader would in the editor.

/// A command and what the page says it prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The line of the page that it stands on, from 1.
    pub line: usize,
    /// What is typed; several lines for a here-document.
    pub typed: String,
    /// What is printed, line by line.
    pub printed: Vec<String>,
}

/// What a page asks of its lab, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Begin with a lab of this spec; a path relative to the page.
    Lab(String),
    /// Write a file as the reader would in the editor.
    File {
        /// Its name.
        name: String,
        /// Its text.
        text: String,
    },
    /// Type a command and compare.
    Command(Command),
}

/// Reads the steps of a page.
///
/// # Errors
/// When output stands before any command of its block, or a block has no end. The message names the line.
pub fn steps(page: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut file: Option<String> = None;
    let mut lines = page.lines().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((opened, line)) = lines.next() {
        if let Some(spec) = comment(line, "lab:") {
            steps.push(Step::Lab(spec));
        } else if let Some(name) = comment(line, "file:") {
            file = Some(name);
        } else if let Some(fence) = line.trim_start().strip_prefix("```") {
            let mut block = Vec::new();
            loop {
                let Some((number, line)) = lines.next() else {
                    return Err(format!("line {opened}: the block that begins here has no end"));
                };
                if line.trim() == "```" {
                    break;
                }
                block.push((number, line));
            }
            if let Some(name) = file.take() {
                let text = block.iter().flat_map(|(_, line)| [line, "\n"]).collect();
                steps.push(Step::File { name, text });
            } else if fence.trim() == "console" {
                steps.extend(commands(&block)?.into_iter().map(Step::Command));
            }
        }
    }
    Ok(steps)
}

/// `<!-- key value -->` → `value`.
fn comment(line: &str, key: &str) -> Option<String> {
    let inner = line.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    inner.strip_prefix(key).map(|value| value.trim().to_owned())
}

fn commands(block: &[(usize, &str)]) -> Result<Vec<Command>, String> {
    let mut commands: Vec<Command> = Vec::new();
    for (number, line) in block {
        if let Some(typed) = line.strip_prefix("$ ") {
            commands.push(Command { line: *number, typed: typed.to_owned(), printed: Vec::new() });
            continue;
        }
        let Some(command) = commands.last_mut() else {
            return Err(format!("line {number}: nothing was typed yet that could print this"));
        };
        match line.strip_prefix("> ").or((*line == ">").then_some("")) {
            Some(more) if command.printed.is_empty() => {
                command.typed.push('\n');
                command.typed.push_str(more);
            }
            _ => command.printed.push((*line).trim_end().to_owned()),
        }
    }
    Ok(commands)
}

/// Whether `actual` is what the page shows.
///
/// # Errors
/// Both texts, one above the other.
pub fn compare(expected: &[String], actual: &str) -> Result<(), String> {
    let actual: Vec<&str> = actual.trim_end().lines().map(str::trim_end).collect();
    let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    while expected.last() == Some(&"") {
        expected.pop();
    }
    if lines_match(&expected, &actual) {
        return Ok(());
    }
    Err(format!("the page shows:\n{}\nthe lab prints:\n{}", indented(&expected), indented(&actual)))
}

fn indented(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

fn lines_match(expected: &[&str], actual: &[&str]) -> bool {
    match (expected.split_first(), actual.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => (0..=actual.len()).any(|skipped| lines_match(rest, &actual[skipped..])),
        (Some((pattern, expected)), Some((line, actual))) => {
            line_matches(pattern, line) && lines_match(expected, actual)
        }
        _ => false,
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("...");
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: &str, actual: &str, same: bool) {
        let expected: Vec<String> = expected.lines().map(str::to_owned).collect();
        assert_eq!(compare(&expected, actual).is_ok(), same, "{expected:?} and {actual:?}");
    }

    #[test]
    fn dots_stand_for_any_text_within_a_line_and_alone_for_any_lines() {
        check("gpu-1   Ready   ...   v1.36.2", "gpu-1   Ready   3m   v1.36.2\n", true);
        check("gpu-1   Ready   ...   v1.36.2", "gpu-1   Ready   3m   v1.35.0\n", false);
        check("a\n...\nd", "a\nb\nc\nd\n", true);
        check("a\n...\nd", "a\nd\n", true);
        check("a\n...", "b\n", false);
        check("x...y...z", "x1y2z", true);
        check("x...y...z", "x1z", false);
        check("ab...b", "ab", false);
    }

    #[test]
    fn everything_that_is_printed_must_be_shown() {
        check("", "surprise\n", false);
        check("pod/cuda-first created", "", false);
        check("pod/cuda-first created", "pod/cuda-first created\n", true);
    }

    #[test]
    fn a_page_prepares_its_lab_writes_files_and_types() {
        let page = "<!-- lab: two.yaml -->\ntext\n<!-- file: pod.yaml -->\n```yaml\nkind: Pod\n```\n\
                    ```console\n$ cat <<E\n> x\n> E\nx\n$ true\n```\n```yaml\nnot: typed\n```\n";
        let command = |line, typed: &str, printed: &[&str]| {
            let printed = printed.iter().map(|&line| line.to_owned()).collect();
            Step::Command(Command { line, typed: typed.to_owned(), printed })
        };
        assert_eq!(
            steps(page).unwrap(),
            [
                Step::Lab("two.yaml".into()),
                Step::File { name: "pod.yaml".into(), text: "kind: Pod\n".into() },
                command(8, "cat <<E\nx\nE", &["x"]),
                command(12, "true", &[]),
            ]
        );
    }

    #[test]
    fn a_mistake_in_a_page_is_named_with_its_line() {
        assert!(steps("```console\nNAME\n```\n").unwrap_err().starts_with("line 2:"));
        assert!(steps("text\n```console\n$ true\n").unwrap_err().starts_with("line 2:"));
    }
}
