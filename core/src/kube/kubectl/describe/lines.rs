//! The lines of a description, aligned at the end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::kube::kubectl::print::TabWriter;

/// Text that is being written, with tabs where columns are.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
}

/// Annotations longer than this are put on lines of their own, and cut.
const LONG: usize = 140;

impl Lines {
    /// A line, indented by two spaces per level.
    pub fn put(&mut self, level: usize, line: &str) {
        self.text.extend(std::iter::repeat_n("  ", level));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Text as it is.
    pub fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// `Labels:  a=b`, one per line.
    pub fn labels(&mut self, title: &str, labels: Option<&BTreeMap<String, String>>) {
        let lines = labels.into_iter().flatten().map(|(key, value)| format!("{key}={value}"));
        self.list(title, lines);
    }

    /// `Annotations:  a: b`, one per line, without what `kubectl apply` keeps there.
    pub fn annotations(&mut self, title: &str, annotations: Option<&BTreeMap<String, String>>) {
        let shown = annotations
            .into_iter()
            .flatten()
            .filter(|(key, _)| *key != crate::kube::kubectl::apply::LAST_APPLIED)
            .map(|(key, value)| {
                let value = value.strip_suffix('\n').unwrap_or(value);
                if value.len() + key.len() + 2 <= LONG && !value.contains('\n') {
                    return format!("{key}: {value}");
                }
                let lines = value.split('\n').map(|line| format!("\n\t  {}", shorten(line)));
                format!("{key}:{}", lines.collect::<String>())
            });
        self.list(title, shown);
    }

    /// A title with one or several lines beside it, or `<none>`.
    pub fn list(&mut self, title: &str, lines: impl Iterator<Item = String>) {
        let mut lines = lines.peekable();
        if lines.peek().is_none() {
            self.put(0, &format!("{title}:\t<none>"));
        }
        for (index, line) in lines.enumerate() {
            let head = if index == 0 { format!("{title}:") } else { String::new() };
            self.put(0, &format!("{head}\t{line}"));
        }
    }

    /// All lines, aligned.
    pub fn finish(self) -> String {
        let mut writer = TabWriter::describe();
        writer.write(&self.text);
        writer.flush()
    }
}

fn shorten(line: &str) -> String {
    let most = LONG - 2;
    if line.len() <= most {
        return line.to_owned();
    }
    let mut cut = most;
    while !line.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}...", &line[..cut])
}

/// `Mon, 23 Nov 2026 15:11:21 +0000`
pub(super) fn rfc1123(time: Option<&Time>) -> String {
    let Some(time) = time.and_then(|time| Timestamp::from_second(time.0.as_second()).ok()) else {
        return "Mon, 01 Jan 0001 00:00:00 +0000".to_owned();
    };
    time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
