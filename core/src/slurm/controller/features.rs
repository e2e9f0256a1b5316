//! `--constraint`: which sets of nodes have the features that a job asks for.
//!
//! `a&b` both, `a|b` either, `[a|b]` all nodes of the job the one or all the other, `[a*2&b*1]` so many nodes with
//! each, parentheses group (sbatch(1)).

use super::Controller;
use crate::slurm::model::{Bits, Job, Node};
use crate::slurm::select::{Ask, Machines, select};

/// A parsed `--constraint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Constraint {
    /// One feature.
    Feature(String),
    /// All of them on each node.
    And(Vec<Constraint>),
    /// At least one of them on each node.
    Or(Vec<Constraint>),
    /// One of them for all nodes alike.
    Xor(Vec<Constraint>),
    /// So many nodes with each.
    Counts(Vec<(Constraint, u32)>),
}

/// Parses the text of `--constraint`.
pub(super) fn parse(text: &str) -> Option<Constraint> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        if inner.contains('*') {
            let mut counts = Vec::new();
            for part in split(inner, '&')? {
                let (feature, count) = part
                    .split_once('*')
                    .map_or((part.as_str(), Some(1)), |(feature, count)| (feature, count.parse().ok()));
                counts.push((parse(feature)?, count?));
            }
            return Some(Constraint::Counts(counts));
        }
        return Some(Constraint::Xor(
            split(inner, '|')?.iter().map(|part| parse(part)).collect::<Option<_>>()?,
        ));
    }
    let any = split(text, '|')?;
    if any.len() > 1 {
        return Some(Constraint::Or(any.iter().map(|part| parse(part)).collect::<Option<_>>()?));
    }
    let all = split(text, '&')?;
    if all.len() > 1 {
        let parts = all.iter().map(|part| parse(part)).collect::<Option<Vec<_>>>()?;
        return Some(Constraint::And(parts));
    }
    if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return parse(inner);
    }
    if let Some((feature, count)) = text.split_once('*') {
        return Some(Constraint::Counts(vec![(parse(feature)?, count.parse().ok()?)]));
    }
    let plain = !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '=' | ':' | '/'));
    plain.then(|| Constraint::Feature(text.to_owned()))
}

/// Splits at `at` outside of brackets; `None` when they do not match.
fn split(text: &str, at: char) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
        if c == at && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    (depth == 0).then_some(parts)
}

impl Constraint {
    /// The features that it names.
    pub(super) fn features(&self) -> Vec<&str> {
        match self {
            Self::Feature(name) => vec![name],
            Self::And(parts) | Self::Or(parts) | Self::Xor(parts) => {
                parts.iter().flat_map(Self::features).collect()
            }
            Self::Counts(parts) => parts.iter().flat_map(|(part, _)| part.features()).collect(),
        }
    }

    /// Whether one node has what it asks of a node.
    pub(super) fn holds(&self, node: &Node) -> bool {
        match self {
            Self::Feature(name) => node.features.contains(name),
            Self::And(parts) => parts.iter().all(|part| part.holds(node)),
            Self::Or(parts) | Self::Xor(parts) => parts.iter().any(|part| part.holds(node)),
            Self::Counts(parts) => parts.iter().any(|(part, _)| part.holds(node)),
        }
    }
}

impl Controller {
    /// Whether some node of the cluster has each feature that the constraint names.
    pub(super) fn features_exist(&self, constraint: &Constraint) -> bool {
        constraint
            .features()
            .iter()
            .all(|name| self.nodes.iter().any(|node| node.features.iter().any(|other| other == name)))
    }

    /// The sets of nodes to try, best first. With counts the one set is narrowed to nodes that together make them up:
    /// for each part in its order the nodes that a job of that many nodes would get.
    pub(super) fn featured(
        &self,
        machines: &Machines<'_>,
        ask: &Ask<'_>,
        job: &Job,
        avail: &Bits,
    ) -> Vec<Bits> {
        let Some(constraint) = job.request.constraint.as_deref().and_then(parse) else {
            return vec![avail.clone()];
        };
        let having =
            |part: &Constraint| avail.iter().filter(|node| part.holds(&self.nodes[*node])).collect::<Bits>();
        match &constraint {
            Constraint::Xor(parts) => parts.iter().map(having).collect(),
            Constraint::Counts(parts) => {
                let mut chosen = Bits::new();
                for (part, count) in parts {
                    let mut left = having(part);
                    left.subtract(&chosen);
                    let none = Bits::new();
                    let per_task = ask.cpus_per_task.max(1);
                    let of_part = Ask {
                        min_nodes: *count,
                        want_nodes: *count,
                        max_nodes: *count,
                        min_cpus: count.saturating_mul(per_task),
                        ntasks: *count,
                        required: &none,
                        ..ask.clone()
                    };
                    // What a part could have now counts, whatever the others wait for (observed).
                    let found = select(&self.machines(), &of_part, &left)
                        .or_else(|| select(machines, &of_part, &left));
                    let Some(found) = found else { return Vec::new() };
                    found.shares.iter().for_each(|share| chosen.set(share.node));
                }
                vec![chosen]
            }
            _ => vec![having(&constraint)],
        }
    }
}
