//! Which objects a command line means: `pods`, `pod a b`, `pods,nodes`, `pod/a node/b`, `all`
//! (`k8s.io/cli-runtime/pkg/resource.Builder`).

use super::command::Run;
use super::error::{Error, Result, fail};
use crate::kube::api::{Kind, ListOptions, Object};

/// Objects of one kind that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub kind: Kind,
    /// One object, or all that match.
    pub name: Option<String>,
}

/// The arguments, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// In the order in which they are looked up.
    pub wanted: Vec<Wanted>,
    /// Exactly one object by its name.
    pub single: bool,
    /// Kinds in groups (`all`, `pods,nodes`), so that names carry their kind.
    pub several_kinds: bool,
    /// Lines for standard error.
    pub warnings: Vec<String>,
}

impl Selection {
    /// Understands `args`.
    ///
    /// # Errors
    ///
    /// The builder's own: unknown resource types, mixed forms, …
    pub fn parse(args: &[String]) -> Result<Self> {
        let args = comma_separated_with_spaces(args);
        let mut selection = Self::default();
        let slashes = args.iter().filter(|arg| arg.contains('/')).count();
        if slashes > 0 {
            if slashes != args.len() {
                return fail(
                    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
                );
            }
            for arg in &args {
                let parts: Vec<&str> = arg.split('/').collect();
                let [resource, name] = parts[..] else {
                    return fail("arguments in resource/name form may not have more than one slash");
                };
                if resource.is_empty() || name.is_empty() {
                    return fail("arguments in resource/name form must have a single resource and name");
                }
                let kind = selection.kind(resource)?;
                selection.wanted.push(Wanted { kind, name: Some(name.to_owned()) });
            }
            selection.single = selection.wanted.len() == 1;
            return Ok(selection);
        }
        let Some((types, names)) = args.split_first() else { return Ok(selection) };
        let mut kinds: Vec<Kind> = Vec::new();
        for word in types.split(',').filter(|word| !word.is_empty()) {
            if word == "all" {
                selection.several_kinds = true;
                // Of the kinds in this category only pods exist here.
                if !kinds.contains(&Kind::Pod) {
                    kinds.push(Kind::Pod);
                }
                continue;
            }
            let kind = selection.kind(word)?;
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        // With names, only what is found counts.
        selection.several_kinds = names.is_empty() && (selection.several_kinds || kinds.len() > 1);
        for kind in kinds {
            if names.is_empty() {
                selection.wanted.push(Wanted { kind, name: None });
            }
            selection.wanted.extend(names.iter().map(|name| Wanted { kind, name: Some(name.clone()) }));
        }
        selection.single = names.len() == 1 && selection.wanted.len() == 1;
        Ok(selection)
    }

    fn kind(&mut self, word: &str) -> Result<Kind> {
        let kind = kind_of(word)?;
        if word == "ev" {
            self.warnings.push(
                "Warning: short name \"ev\" could also match lower priority resource events.events.k8s.io"
                    .to_owned(),
            );
        }
        Ok(kind)
    }
}

/// The kind that a user means.
///
/// # Errors
///
/// `the server doesn't have a resource type "foo"`
pub(super) fn kind_of(word: &str) -> Result<Kind> {
    let unknown = || {
        let resource = word.split('.').next().unwrap_or(word);
        Error::Message(format!(
            "the server doesn't have a resource type {}",
            super::print::go_quote(resource)
        ))
    };
    Kind::from_user_input(word).ok_or_else(unknown)
}

/// `pods, nodes` is one argument in two words.
fn comma_separated_with_spaces(args: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for arg in args {
        match out.last_mut() {
            Some(last) if last.ends_with(',') && !arg.contains('/') => last.push_str(arg),
            _ => out.push(arg.clone()),
        }
    }
    out
}

/// Which objects of a kind are listed, by the flags that every such command has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// Empty for all namespaces.
    pub namespace: String,
    pub options: ListOptions,
}

impl Scope {
    /// Reads `-n`, `-A`, `-l` and `--field-selector`.
    pub fn of(run: &Run<'_, '_>) -> Self {
        let namespace = if run.flags.on("all-namespaces") { String::new() } else { run.namespace() };
        let options = ListOptions {
            label_selector: run.flags.text_or_empty("selector").to_owned(),
            field_selector: run.flags.text_or_empty("field-selector").to_owned(),
        };
        Self { namespace, options }
    }

    /// Whether only some objects are asked for.
    pub fn selects(&self) -> bool {
        !self.options.label_selector.is_empty() || !self.options.field_selector.is_empty()
    }
}

/// Looks up what was asked for: what there is, and what went wrong with the rest.
pub(super) fn look_up(run: &Run<'_, '_>, selection: &Selection, scope: &Scope) -> (Vec<Object>, Vec<Error>) {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for wanted in &selection.wanted {
        match &wanted.name {
            None => match run.ctx.api.list(wanted.kind, &scope.namespace, &scope.options) {
                Ok(list) => found.extend(list.items),
                Err(mut status) => {
                    if status.message.starts_with("Unable to") || !status.message.contains("Unable to find") {
                        status.message = list_message(wanted.kind, &scope.options, &status.message);
                    }
                    errors.push(status.into());
                }
            },
            Some(_) if scope.selects() => {
                errors
                    .push(Error::Message("name cannot be provided when a selector is specified".to_owned()));
                break;
            }
            Some(_) if scope.namespace.is_empty() && wanted.kind.info().namespaced => {
                errors.push(Error::Message(
                    "a resource cannot be retrieved by name across all namespaces".to_owned(),
                ));
                break;
            }
            Some(name) => match run.ctx.api.get(wanted.kind, &scope.namespace, name) {
                Ok(object) => found.push(object),
                Err(status) => errors.push(status.into()),
            },
        }
    }
    (found, errors)
}

/// How kubectl words a list that the server refused.
fn list_message(kind: Kind, options: &ListOptions, message: &str) -> String {
    if message.starts_with("Unable to find") {
        return message.to_owned();
    }
    let info = kind.info();
    format!(
        "Unable to find \"{}, Resource={}\" that match label selector {}, field selector {}: {message}",
        group_version(kind),
        info.plural,
        super::print::go_quote(&options.label_selector),
        super::print::go_quote(&options.field_selector),
    )
}

/// `/v1` or `scheduling.k8s.io/v1`, as Go prints a `schema.GroupVersion`.
pub(super) fn group_version(kind: Kind) -> String {
    let info = kind.info();
    format!("{}/{}", info.group, info.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: &str) {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let text = match Selection::parse(&args) {
            Ok(selection) => selection
                .wanted
                .iter()
                .map(|wanted| format!("{}/{}", wanted.kind, wanted.name.as_deref().unwrap_or("*")))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.text(),
        };
        assert_eq!(text, expect, "{line}");
    }

    #[test]
    fn arguments_in_every_form() {
        check("pods", "Pod/*");
        check("po a b", "Pod/a Pod/b");
        check("pods,no,pod", "Pod/* Node/*");
        check("pods, nodes", "Pod/* Node/*");
        check("pod/a node/b", "Pod/a Node/b");
        check("all", "Pod/*");
    }

    #[test]
    fn errors_as_recorded() {
        check("foo", "the server doesn't have a resource type \"foo\"");
        check("foos.example.com", "the server doesn't have a resource type \"foos\"");
        check("pod/", "arguments in resource/name form must have a single resource and name");
        check("pod/a/b", "arguments in resource/name form may not have more than one slash");
    }
}
