//! Tables: the rows of objects under their headers.

use super::{Now, TabWriter, cells, columns};
use crate::kube::api::{Kind, Object};

/// What a table shows beside the columns of its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// The columns of `-o wide` too.
    pub wide: bool,
    /// No line of headers.
    pub no_headers: bool,
    /// The NAMESPACE column.
    pub namespace: bool,
    /// `pod/web` instead of `web`.
    pub kind: bool,
    /// The LABELS column.
    pub labels: bool,
    /// A column for each of these labels.
    pub label_columns: Vec<String>,
    /// The EVENT column of `--output-watch-events`.
    pub events: bool,
}

/// Prints objects of any kind, with a header whenever the kind changes.
///
/// Plain data, so that a watch can go on with the same columns.
#[derive(Clone, Debug)]
pub struct Table {
    options: TableOptions,
    writer: TabWriter,
    last: Option<Kind>,
}

impl Table {
    /// An empty table.
    pub const fn new(options: TableOptions) -> Self {
        Self { options, writer: TabWriter::table(), last: None }
    }

    /// Adds the row of an object; `event` is what happened to it (`ADDED`), for a table with that column.
    pub fn row(&mut self, object: &Object, event: &str, now: Now) {
        let kind = object.kind();
        let shown = columns(kind).iter().enumerate().filter(|(_, column)| self.options.wide || !column.wide);
        let namespace = self.options.namespace && kind.info().namespaced;
        if self.last != Some(kind) {
            if !self.options.no_headers {
                let mut headers: Vec<String> = Vec::new();
                if self.options.events {
                    headers.push("EVENT".to_owned());
                }
                if namespace {
                    headers.push("NAMESPACE".to_owned());
                }
                headers.extend(shown.clone().map(|(_, column)| column.name.to_owned()));
                headers.extend(
                    self.options
                        .label_columns
                        .iter()
                        .map(|label| label.rsplit('/').next().unwrap_or(label).to_uppercase()),
                );
                if self.options.labels {
                    headers.push("LABELS".to_owned());
                }
                self.writer.write(&(headers.join("\t") + "\n"));
            }
            self.last = Some(kind);
        }
        let all = cells(object, now);
        let mut row: Vec<String> = Vec::new();
        if self.options.events {
            row.push(event.to_owned());
        }
        if namespace {
            row.push(object.namespace().to_owned());
        }
        for (index, column) in shown {
            let cell = one_line(&all[index]);
            row.push(if self.options.kind && column.name == "NAME" {
                format!("{}/{cell}", kind.info().qualified_singular())
            } else {
                cell
            });
        }
        let labels = object.meta().labels.as_ref();
        row.extend(
            self.options
                .label_columns
                .iter()
                .map(|label| labels.and_then(|labels| labels.get(label)).cloned().unwrap_or_default()),
        );
        if self.options.labels {
            row.push(format_labels(labels));
        }
        self.writer.write(&(row.join("\t") + "\n"));
    }

    /// The rows since the last flush.
    pub fn flush(&mut self) -> String {
        self.writer.flush()
    }

    /// Begins a table of another kind: its columns owe nothing to those before.
    pub fn restart(&mut self) {
        self.writer.forget_widths();
        self.last = None;
    }
}

/// `a=b,c=d`, or `<none>`.
pub fn format_labels(labels: Option<&std::collections::BTreeMap<String, String>>) -> String {
    match labels {
        Some(labels) if !labels.is_empty() => {
            labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
        }
        _ => "<none>".to_owned(),
    }
}

/// A cell is one line, and sends nothing to the terminal but text.
fn one_line(text: &str) -> String {
    let mut shown = match text.find(['\n', '\r', '\u{c}']) {
        Some(at) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    };
    if shown.contains('\u{1b}') {
        shown = shown.replace('\u{1b}', "^[");
    }
    shown
}
