//! Which policies there are.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A way to choose which job starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// First come, first served: the head of the queue starts when it fits, and nobody passes it.
    Fcfs,
    /// Shortest job first: the same with the queue in order of estimates.
    Sjf,
    /// EASY backfilling (Lifka 1995): the head has a reservation, and any other job may pass that does not delay it.
    Easy,
    /// The same with the queue in order of estimates.
    EasySjf,
    /// Conservative backfilling: at every event the whole queue is planned anew, in order of arrival.
    Conservative,
    /// Conservative backfilling as Mu'alem and Feitelson (2001) describe it: a reservation on arrival, which later only moves
    /// forward.
    MualemFeitelson,
}

/// A name that is no policy.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no policy is called \"{0}\"; there are fcfs, sjf, easy, easy-sjf, cons, cons-mf")]
pub struct UnknownPolicy(pub String);

impl Policy {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Fcfs, Self::Sjf, Self::Easy, Self::EasySjf, Self::Conservative, Self::MualemFeitelson];

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fcfs => "fcfs",
            Self::Sjf => "sjf",
            Self::Easy => "easy",
            Self::EasySjf => "easy-sjf",
            Self::Conservative => "cons",
            Self::MualemFeitelson => "cons-mf",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, UnknownPolicy> {
        Self::ALL
            .into_iter()
            .find(|policy| policy.name() == name)
            .ok_or_else(|| UnknownPolicy(name.to_owned()))
    }
}
