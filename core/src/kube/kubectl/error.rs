//! What kubectl says when something is wrong, and the exit code that goes with it
//! (`k8s.io/kubectl/pkg/cmd/util.CheckErr`).

use crate::kube::api::{Reason, Status};

/// Why a command failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Error {
    /// The API server refused; the message tells perhaps what kubectl was doing.
    Api(Status),
    /// kubectl itself found something wrong; printed after `error: `.
    Message(String),
    /// Printed as it is.
    Raw(String),
    /// Several failures of one command.
    Many(Vec<Error>),
}

pub(super) type Result<T> = std::result::Result<T, Error>;

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::Api(status)
    }
}

/// `error: TEXT`
pub(super) fn fail<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::Message(text.into()))
}

/// `error: TEXT`, then where help is.
pub(super) fn usage<T>(command: &str, text: impl AsRef<str>) -> Result<T> {
    Err(Error::Message(format!("{}\nSee '{command} -h' for help and examples", text.as_ref())))
}

impl Error {
    /// Puts what kubectl was doing before the server's message: `error when creating "a.yaml": …`.
    pub fn when(self, doing: &str, source: &str) -> Self {
        let prefix =
            |message: &str| format!("error when {doing} {}: {message}", super::print::go_quote(source));
        match self {
            Self::Api(mut status) => {
                status.message = prefix(&status.message);
                Self::Api(status)
            }
            Self::Message(message) => Self::Message(prefix(&message)),
            other => other,
        }
    }

    /// One error of many, or that one itself.
    pub fn collect(errors: Vec<Self>) -> Result<()> {
        let mut flat = Vec::new();
        for error in errors {
            match error {
                Self::Many(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Ok(()),
            1 => Err(flat.remove(0)),
            _ => Err(Self::Many(flat)),
        }
    }

    /// Whether the API server said that there is no such object.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(status) if status.reason == Reason::NotFound)
    }

    /// The bare text, without `error: `.
    pub fn text(&self) -> String {
        match self {
            Self::Api(status) => status.message.clone(),
            Self::Message(text) | Self::Raw(text) => text.clone(),
            Self::Many(errors) => {
                format!("[{}]", errors.iter().map(Self::text).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// What goes to standard error, with its final newline, and the exit code.
    pub fn report(&self) -> (String, u8) {
        let line = |mut text: String| {
            if !text.ends_with('\n') {
                text.push('\n');
            }
            text
        };
        match self {
            Self::Api(status) => match invalid(status) {
                Some(text) => (line(text), 1),
                None => (line(standard(status)), 1),
            },
            Self::Message(text) if text.starts_with("error: ") => (line(text.clone()), 1),
            Self::Message(text) => (line(format!("error: {text}")), 1),
            Self::Raw(text) => (line(text.clone()), 1),
            Self::Many(errors) => {
                let lines = errors.iter().map(|error| match error {
                    Self::Api(status) => line(standard(status)),
                    other => other.report().0,
                });
                (lines.collect(), 1)
            }
        }
    }
}

/// `Error from server (NotFound): …`
fn standard(status: &Status) -> String {
    format!("Error from server ({}): {}", reason_name(status.reason), status.message)
}

/// The reason as its JSON form names it.
fn reason_name(reason: Reason) -> String {
    format!("{reason:?}")
}

/// `The Pod "p" is invalid: …`, with one line per cause.
fn invalid(status: &Status) -> Option<String> {
    if status.reason != Reason::Invalid {
        return None;
    }
    let mut causes: Vec<String> = Vec::new();
    for (field, message) in &status.causes {
        let text = if field.is_empty() { message.clone() } else { format!("{field}: {message}") };
        if !causes.contains(&text) {
            causes.push(text);
        }
    }
    let kind = status.kind.split('.').next().unwrap_or_default();
    let head = if kind.is_empty() && status.name.is_empty() {
        if causes.is_empty() {
            format!("The request is invalid: {}", status.message)
        } else {
            "The request is invalid".to_owned()
        }
    } else {
        format!("The {kind} \"{}\" is invalid", status.name)
    };
    Some(match causes.as_slice() {
        [] => head,
        // The original ends each of these with a newline, whatever the cause itself ends with.
        [one] => format!("{head}: {one}\n"),
        several => {
            let lines: Vec<String> = several.iter().map(|cause| format!("* {cause}")).collect();
            format!("{head}: \n{}\n", lines.join("\n"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: &Error, expect: &str) {
        assert_eq!(error.report().0, expect);
    }

    #[test]
    fn refusals_are_told_as_recorded() {
        check(
            &Error::Api(Status::not_found("pods", "nope")),
            "Error from server (NotFound): pods \"nope\" not found\n",
        );
        let invalid = |causes: &[(&str, &str)]| {
            let causes = causes.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            Error::Api(Status::invalid("Deployment.apps", "p", causes)).when("creating", "x")
        };
        check(
            &invalid(&[("spec.containers", "Required value")]),
            "The Deployment \"p\" is invalid: spec.containers: Required value\n",
        );
        check(&invalid(&[("a", "x"), ("b", "y")]), "The Deployment \"p\" is invalid: \n* a: x\n* b: y\n");
    }

    #[test]
    fn one_of_many_is_itself() {
        assert_eq!(Error::collect(vec![Error::Raw("x".into())]), Err(Error::Raw("x".into())));
        check(
            &Error::Many(vec![Error::Message("a".into()), Error::Api(Status::not_found("pods", "b"))]),
            "error: a\nError from server (NotFound): pods \"b\" not found\n",
        );
    }
}
