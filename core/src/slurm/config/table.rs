//! What each key of a configuration file takes, what it is when it is not given, and what the engine does with it.

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// A whole number up to 65535, or UNLIMITED.
    Number16,
    /// A whole number up to 4294967295, or UNLIMITED; `k` is times 1024.
    Number32,
    /// A whole number, or UNLIMITED; `k` is times 1024.
    Number64,
    /// YES or NO.
    Boolean,
}

/// The unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Unit {
    None,
    Seconds,
    Minutes,
    Microseconds,
    Mebibytes,
    NodesPerMinute,
    Percent,
}

impl Unit {
    /// The unit as `scontrol show config` prints it behind a number.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None | Self::Mebibytes => "",
            Self::Seconds => " sec",
            Self::Minutes => " min",
            Self::Microseconds => " usec",
            Self::NodesPerMinute => " nodes/min",
            Self::Percent => " percent",
        }
    }
}

/// What the engine does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It does what the real one does.
    Honoured {
        /// The values that are taken.
        range: &'static str,
        /// What it is for, in a sentence.
        about: &'static str,
    },
    /// It concerns daemons, logs, messages and programs of the real machine, which a simulated one does not have.
    HostOnly,
    /// The real one would honour it; reported when it is not the default.
    NotModelled,
    /// No longer a parameter; the error says what to use.
    Removed(&'static str),
}

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as the manual page writes it.
    pub name: &'static str,
    /// How its value is written.
    pub kind: ValueKind,
    /// The unit of a number.
    pub unit: Unit,
    /// Its default, as `scontrol show config` prints it without unit.
    pub default: &'static str,
    /// What the engine does with it.
    pub role: Role,
}

/// A row of a table.
pub(super) const fn p(
    name: &'static str,
    kind: ValueKind,
    unit: Unit,
    default: &'static str,
    role: Role,
) -> Parameter {
    Parameter { name, kind, unit, default, role }
}

/// The row of a key, whatever its case.
pub(super) fn find<'a>(table: &'a [Parameter], key: &str) -> Option<&'a Parameter> {
    table.iter().find(|row| row.name.eq_ignore_ascii_case(key))
}
