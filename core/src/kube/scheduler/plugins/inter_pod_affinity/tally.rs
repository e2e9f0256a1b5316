//! What pods mean to each other, per domain, kept from one cycle to the next.
//!
//! For pods of one crowd the sums are the same but for the nodes that have changed since the last of them: what such a
//! node contributed is taken back, and counted again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::super::cluster::{Labels, Moment, NodeId, PodInfo, PodTerm, Symbol};
use super::super::super::framework::Context;
use super::InterPodAffinity;

/// Of so many crowds the sums are kept.
const MOST: usize = 24;

/// What is summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A pod that is there does not want the incoming one near.
    Unwelcome,
    /// All affinity terms of the incoming pod speak of a pod that is there.
    Near,
    /// An anti-affinity term of the incoming pod speaks of a pod that is there.
    Away,
    /// Preferences, in both directions.
    Preferred,
}

const MEANINGS: usize = 4;

/// Sums per domain: label key and value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Domains(BTreeMap<(Symbol, Symbol), Sum>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    amount: i64,
    /// How many amounts make it up: a domain whose amounts cancel out is there all the same.
    entries: i64,
}

impl Domains {
    /// The sum of a domain; 0 for one that is not there.
    pub fn get(&self, domain: (Symbol, Symbol)) -> i64 {
        self.0.get(&domain).map_or(0, |sum| sum.amount)
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an amount (`entries` 1), or takes one back (-1).
    pub fn add(&mut self, domain: (Symbol, Symbol), amount: i64, entries: i64) {
        let sum = self.0.entry(domain).or_default();
        sum.amount += amount * entries;
        sum.entries += entries;
        if sum.entries == 0 {
            self.0.remove(&domain);
        }
    }
}

/// The sums that one pod looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums([Arc<Domains>; MEANINGS]);

impl Sums {
    /// One of them.
    pub fn of(&self, meaning: Meaning) -> &Domains {
        &self.0[meaning as usize]
    }

    /// One of them, to change.
    pub fn change(&mut self, meaning: Meaning) -> &mut Domains {
        Arc::make_mut(&mut self.0[meaning as usize])
    }
}

/// An amount for a domain.
type Entry = (Meaning, (Symbol, Symbol), i64);

/// The sums for pods that look and are looked at alike.
#[derive(Clone, Debug)]
struct Tally {
    namespace: Symbol,
    labels: Labels,
    required_affinity: Vec<PodTerm>,
    required_anti_affinity: Vec<PodTerm>,
    preferred_affinity: Vec<(i64, PodTerm)>,
    preferred_anti_affinity: Vec<(i64, PodTerm)>,
    seen: Moment,
    namespaces: u64,
    sums: Sums,
    by_node: Vec<Vec<Entry>>,
}

/// The sums that were used last.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies(Vec<Tally>);

impl Tallies {
    /// Brings the sums for the incoming pod up to date, and gives them.
    pub fn of(&mut self, plugin: InterPodAffinity, context: &Context<'_>) -> Sums {
        let pod = context.pod;
        let known = self.0.iter().position(|tally| tally.is_for(pod));
        // The one that was used last stands first.
        let place = known.unwrap_or_else(|| {
            self.0.truncate(MOST - 1);
            self.0.push(Tally::new(pod));
            self.0.len() - 1
        });
        self.0[..=place].rotate_right(1);
        let tally = &mut self.0[0];
        tally.catch_up(plugin, context);
        tally.sums.clone()
    }
}

impl Tally {
    fn new(pod: &PodInfo) -> Self {
        Self {
            namespace: pod.namespace,
            labels: pod.labels.clone(),
            required_affinity: pod.required_affinity.clone(),
            required_anti_affinity: pod.required_anti_affinity.clone(),
            preferred_affinity: pod.preferred_affinity.clone(),
            preferred_anti_affinity: pod.preferred_anti_affinity.clone(),
            seen: Moment::default(),
            namespaces: 0,
            sums: Sums::default(),
            by_node: Vec::new(),
        }
    }

    fn is_for(&self, pod: &PodInfo) -> bool {
        self.namespace == pod.namespace
            && self.labels == pod.labels
            && self.required_affinity == pod.required_affinity
            && self.required_anti_affinity == pod.required_anti_affinity
            && self.preferred_affinity == pod.preferred_affinity
            && self.preferred_anti_affinity == pod.preferred_anti_affinity
    }

    fn catch_up(&mut self, plugin: InterPodAffinity, context: &Context<'_>) {
        let cluster = context.cluster;
        let since = std::mem::replace(&mut self.seen, cluster.moment());
        let namespaces = std::mem::replace(&mut self.namespaces, cluster.namespaces_version());
        self.by_node.resize(cluster.node_slots(), Vec::new());
        // Terms may select namespaces by their labels.
        let changed = cluster.changed_since(since).filter(|_| namespaces == self.namespaces);
        match changed {
            Some(changed) => changed.iter().for_each(|id| self.count(plugin, context, *id)),
            None => cluster.node_ids().for_each(|id| self.count(plugin, context, id)),
        }
    }

    /// Counts a node anew.
    fn count(&mut self, plugin: InterPodAffinity, context: &Context<'_>, id: NodeId) {
        let node = context.cluster.node(id);
        let mut entries = Vec::new();
        if node.node.is_some() {
            for other in &node.pods {
                plugin.mean(context, other, node, &mut |meaning, domain, amount| {
                    entries.push((meaning, domain, amount));
                });
            }
        }
        let old = std::mem::replace(&mut self.by_node[id.index()], entries);
        let new = &self.by_node[id.index()];
        if old == *new {
            return;
        }
        // First the new ones, so that what stays is not made anew.
        for (sign, entries) in [(1, new), (-1, &old)] {
            for &(meaning, domain, amount) in entries {
                self.sums.change(meaning).add(domain, amount, sign);
            }
        }
    }
}
