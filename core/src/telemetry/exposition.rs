//! Prometheus' text format, version 0.0.4.
//!
//! Written here rather than with a library, because names and the order of labels have to be those of another
//! exporter: OpenMetrics appends `_total` to counters, and registries sort labels.

use std::fmt::Write as _;

/// What kind of series a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// It goes up and down.
    Gauge,
    /// It only goes up, until whoever counts is started anew.
    Counter,
}

/// A text that grows by families of series.
///
/// ```
/// use clusterlab::telemetry::exposition::{Exposition, MetricType};
///
/// let mut text = Exposition::default();
/// text.family("temperature", MetricType::Gauge, "Degrees Celsius.");
/// text.sample("temperature", &[("room", "a \"b\"")], "21");
/// assert_eq!(
///     text.into_text(),
///     "# HELP temperature Degrees Celsius.\n# TYPE temperature gauge\ntemperature{room=\"a \\\"b\\\"\"} 21\n"
/// );
/// ```
#[derive(Clone, Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Begins a family; its series follow.
    pub fn family(&mut self, name: &str, kind: MetricType, help: &str) {
        let kind = match kind {
            MetricType::Gauge => "gauge",
            MetricType::Counter => "counter",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// One series with its value, in the order of `labels`.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.0.push_str(name);
        for (i, (label, text)) in labels.iter().enumerate() {
            self.0.push(if i == 0 { '{' } else { ',' });
            self.0.push_str(label);
            self.0.push_str("=\"");
            for c in text.chars() {
                match c {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    c => self.0.push(c),
                }
            }
            self.0.push('"');
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }
}
