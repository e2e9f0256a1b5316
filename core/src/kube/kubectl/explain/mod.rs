//! `kubectl explain`: what a kind and its fields are.
//!
//! Names, types and which fields are required are the API's (`structure.txt`); every sentence is this
//! project's own (`words.txt`), written for somebody who meets the field for the first time. A
//! field without a sentence there is listed without one.

use super::command::{Next, Run};
use super::error::{Error, Result, fail};
use crate::kube::api::Kind;

const STRUCTURE: &str = include_str!("structure.txt");
const WORDS: &str = include_str!("words.txt");
/// Texts are broken before this column.
const WIDTH: usize = 80;

/// A field of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    name: &'static str,
    /// `[]Container`, `map[string]Quantity`, `string`
    shape: &'static str,
    required: bool,
}

/// The fields of a type, in order; `None` for plain values.
fn fields(name: &str) -> Option<Vec<Field>> {
    let line = STRUCTURE.lines().find(|line| line.split(' ').next() == Some(name))?;
    let field = |text: &'static str| {
        let (name, shape) = text.split_once(':').unwrap_or((text, "string"));
        let (shape, required) = shape.strip_suffix('!').map_or((shape, false), |shape| (shape, true));
        Field { name, shape, required }
    };
    Some(line.split(' ').skip(1).map(field).collect())
}

/// The type inside lists and maps.
fn inner(shape: &str) -> &str {
    let shape = shape.trim_start_matches("[]");
    shape.strip_prefix("map[string]").unwrap_or(shape)
}

fn words(key: &str) -> Option<&'static str> {
    WORDS.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
}

/// What there is to say of a type, or of a field of one.
fn about_field(parent: &str, field: &Field) -> Vec<&'static str> {
    let any = format!("*.{}", field.name);
    let is_kind = Kind::ALL.iter().any(|kind| kind.info().kind == parent);
    let own = words(&format!("{parent}.{}", field.name)).or_else(|| if is_kind { words(&any) } else { None });
    own.into_iter().collect()
}

fn choices(parent: &str, field: &str) -> Vec<&'static str> {
    let key = format!("{parent}.{field}=");
    WORDS
        .lines()
        .find_map(|line| line.strip_prefix(&key))
        .map(|rest| rest.split('|').collect())
        .unwrap_or_default()
}

pub(super) fn run(run: &mut Run<'_, '_>) -> Result<Next> {
    let [path] = run.args() else {
        if run.args().is_empty() {
            return fail(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.",
            );
        }
        let args = run.args().join(" ");
        return fail(
            format!("We accept only this format: explain RESOURCE\n{args}")
                .lines()
                .next()
                .unwrap_or_default(),
        );
    };
    match run.flags.text_or_empty("output") {
        "" | "plaintext" => {}
        other => return fail(format!("not modelled: --output={other}")),
    }
    let path = path.clone();
    let mut steps = path.split('.').filter(|step| !step.is_empty());
    let word = steps.next().unwrap_or_default();
    let Some(kind) = Kind::from_user_input(word) else {
        return Err(Error::Raw(format!(
            "the server doesn't have a resource type {}",
            super::print::go_quote(word)
        )));
    };
    let steps: Vec<&str> = steps.collect();
    let recursive = run.flags.on("recursive");
    let text = head(kind);
    run.out.push_str(&text);
    let body = body(kind, &steps, recursive)?;
    run.out.push_str(&body);
    Ok(Next::Done)
}

fn head(kind: Kind) -> String {
    let info = kind.info();
    let group = if info.group.is_empty() { String::new() } else { format!("GROUP:      {}\n", info.group) };
    format!("{group}KIND:       {}\nVERSION:    {}\n\n", info.kind, info.version)
}

fn body(kind: Kind, steps: &[&str], recursive: bool) -> Result<String> {
    let mut name = kind.info().kind;
    let mut found: Option<(&str, Field)> = None;
    for step in steps {
        let field = fields(name).into_iter().flatten().find(|field| field.name == *step);
        let Some(field) = field else {
            return fail(format!("field {} does not exist", super::print::go_quote(step)));
        };
        found = Some((name, field));
        name = inner(field.shape);
    }
    let mut out = String::new();
    let mut texts: Vec<&str> = Vec::new();
    if let Some((parent, field)) = &found {
        out.push_str(&format!("FIELD: {} <{}>\n", field.name, field.shape));
        let choices = choices(parent, field.name);
        if choices.is_empty() {
            out.push('\n');
        } else {
            out.push_str("ENUM:\n");
            for choice in choices {
                out.push_str(&format!("    {choice}\n"));
            }
        }
        out.push('\n');
        texts.extend(about_field(parent, field));
    }
    texts.extend(words(name));
    texts.dedup();
    out.push_str("DESCRIPTION:\n");
    for text in texts {
        out.push_str(&wrap(text, 4));
    }
    out.push_str("    \n");
    match fields(name) {
        None => out.push('\n'),
        Some(all) if recursive => {
            out.push_str("FIELDS:\n");
            let mut above = vec![name];
            for field in &all {
                list(name, field, 1, &mut above, &mut out);
            }
            out.push('\n');
        }
        Some(all) => {
            out.push_str("FIELDS:\n");
            for field in &all {
                out.push_str(&line(field, 1));
                let choices = choices(name, field.name);
                if !choices.is_empty() {
                    out.push_str(&format!("  enum: {}\n", choices.join(", ")));
                }
                for text in about_field(name, field) {
                    out.push_str(&wrap(text, 4));
                }
                out.push('\n');
            }
            out.push('\n');
        }
    }
    Ok(out)
}

fn line(field: &Field, level: usize) -> String {
    let required = if field.required { " -required-" } else { "" };
    format!("{}{}\t<{}>{required}\n", "  ".repeat(level), field.name, field.shape)
}

/// The names of all fields at any depth; a type within itself is not entered again.
fn list<'a>(parent: &str, field: &Field, level: usize, above: &mut Vec<&'a str>, out: &mut String)
where
    'static: 'a,
{
    out.push_str(&line(field, level));
    let choices = choices(parent, field.name);
    if !choices.is_empty() {
        let (shown, more) = choices.split_at(choices.len().min(4));
        let more = if more.is_empty() { "" } else { ", ...." };
        out.push_str(&format!("{}enum: {}{more}\n", "  ".repeat(level), shown.join(", ")));
    }
    let name = inner(field.shape);
    if above.contains(&name) {
        return;
    }
    above.push(name);
    for field in fields(name).into_iter().flatten() {
        list(name, &field, level + 1, above, out);
    }
    above.pop();
}

/// Breaks a text into lines.
fn wrap(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_is_about_a_field_that_there_is() {
        for line in WORDS.lines() {
            let (key, _) = line.split_once([':', '=']).unwrap_or_else(|| panic!("{line}"));
            let known = match key.split_once('.') {
                Some(("*", _)) => true,
                Some((name, field)) => fields(name).is_some_and(|all| all.iter().any(|f| f.name == field)),
                None => fields(key).is_some(),
            };
            assert!(known, "{key}");
        }
    }

    #[test]
    fn every_type_that_is_named_is_there_or_is_a_plain_value() {
        let plain = ["string", "integer", "boolean", "number", "Quantity", "IntOrString", "FieldsV1"];
        for line in STRUCTURE.lines() {
            for field in fields(line.split(' ').next().unwrap_or_default()).into_iter().flatten() {
                let name = inner(field.shape);
                assert!(plain.contains(&name) || fields(name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn a_field_is_explained_in_the_layout_of_kubectl() {
        let text = head(Kind::Pod) + &body(Kind::Pod, &["spec", "containers", "resources"], false).unwrap();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn choices_stand_below_their_field() {
        insta::assert_snapshot!(body(Kind::Pod, &["status", "phase"], false).unwrap());
        insta::assert_snapshot!(body(Kind::Pod, &["spec", "affinity", "nodeAffinity"], true).unwrap());
    }
}
