//! Pods per domain, kept from one cycle to the next.
//!
//! Between two pods of one crowd, few nodes change. So the counts are not made anew for each pod: what a node
//! contributed is taken back when the node has changed, and counted again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::super::cluster::{Moment, NodeId, PodClass, SpreadConstraint, Symbol};
use super::super::super::framework::Context;
use super::{Hard, counts_node, has_all_keys, matching_pods};

/// Of so many crowds the counts are kept.
const MOST: usize = 8;

/// The domains of one constraint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Domains {
    /// Pods per domain.
    pods: BTreeMap<Symbol, i64>,
    /// How many domains have that many pods.
    sizes: BTreeMap<i64, usize>,
}

impl Domains {
    /// How many pods are in a domain; none if no node that counts is in it.
    pub fn get(&self, domain: Symbol) -> Option<i64> {
        self.pods.get(&domain).copied()
    }

    /// How many domains there are.
    pub fn len(&self) -> usize {
        self.pods.len()
    }

    /// How many pods the emptiest domain has.
    pub fn emptiest(&self) -> Option<i64> {
        self.sizes.keys().next().copied()
    }

    /// Adds pods to a domain, which is there from now on.
    pub fn add(&mut self, domain: Symbol, amount: i64) {
        let before = self.pods.insert(domain, self.get(domain).unwrap_or(0) + amount);
        if let Some(before) = before {
            self.forget_size(before);
        }
        *self.sizes.entry(before.unwrap_or(0) + amount).or_default() += 1;
    }

    fn remove(&mut self, domain: Symbol) {
        if let Some(pods) = self.pods.remove(&domain) {
            self.forget_size(pods);
        }
    }

    fn forget_size(&mut self, pods: i64) {
        if let Some(count) = self.sizes.get_mut(&pods) {
            *count -= 1;
            if *count == 0 {
                self.sizes.remove(&pods);
            }
        }
    }
}

/// What a node contributes to each constraint: its domain, and how many of its pods count.
type Contribution = Vec<Option<(Symbol, i64)>>;

/// The counts of pods that are spread alike.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    namespace: Symbol,
    class: PodClass,
    constraints: Arc<[SpreadConstraint]>,
    seen: Moment,
    domains: Arc<Vec<Domains>>,
    /// How many nodes make up each domain, by constraint.
    nodes: Vec<BTreeMap<Symbol, usize>>,
    by_node: Vec<Contribution>,
}

/// The counts that were used last.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies(Vec<Tally>);

impl Tallies {
    /// Brings the counts for the incoming pod up to date, and gives them.
    pub fn of(&mut self, context: &Context<'_>, constraints: &[SpreadConstraint]) -> Option<Hard> {
        let pod = context.pod;
        if !pod.class.is_known() {
            return None;
        }
        let known = self.0.iter().position(|tally| {
            tally.class == pod.class && tally.namespace == pod.namespace && *tally.constraints == *constraints
        });
        // The one that was used last stands first.
        let place = known.unwrap_or_else(|| {
            self.0.truncate(MOST - 1);
            self.0.push(Tally {
                namespace: pod.namespace,
                class: pod.class,
                constraints: constraints.into(),
                seen: Moment::default(),
                domains: Arc::new(vec![Domains::default(); constraints.len()]),
                nodes: vec![BTreeMap::new(); constraints.len()],
                by_node: Vec::new(),
            });
            self.0.len() - 1
        });
        self.0[..=place].rotate_right(1);
        let tally = self.0.first_mut()?;
        tally.catch_up(context);
        Some(Hard { constraints: Arc::clone(&tally.constraints), domains: Arc::clone(&tally.domains) })
    }
}

impl Tally {
    fn catch_up(&mut self, context: &Context<'_>) {
        let cluster = context.cluster;
        let since = std::mem::replace(&mut self.seen, cluster.moment());
        self.by_node.resize(cluster.node_slots(), Contribution::new());
        match cluster.changed_since(since) {
            Some(changed) => changed.iter().for_each(|id| self.count(context, *id)),
            None => cluster.node_ids().for_each(|id| self.count(context, id)),
        }
    }

    /// Counts a node anew.
    fn count(&mut self, context: &Context<'_>, id: NodeId) {
        let node = context.cluster.node(id);
        let contribution = if node.node.is_some() && has_all_keys(node, &self.constraints) {
            let of = |constraint: &SpreadConstraint| {
                let value = node.labels.get(constraint.topology_key)?;
                let counts = counts_node(constraint, context, node);
                counts.then(|| (value, matching_pods(constraint, context, node)))
            };
            self.constraints.iter().map(of).collect()
        } else {
            Contribution::new()
        };
        let old = std::mem::replace(&mut self.by_node[id.index()], contribution);
        let new = &self.by_node[id.index()];
        if old == *new {
            return;
        }
        let domains = Arc::make_mut(&mut self.domains);
        for (index, domains) in domains.iter_mut().enumerate() {
            let nodes = &mut self.nodes[index];
            if let Some((domain, pods)) = new.get(index).copied().flatten() {
                domains.add(domain, pods);
                *nodes.entry(domain).or_default() += 1;
            }
            if let Some((domain, pods)) = old.get(index).copied().flatten() {
                domains.add(domain, -pods);
                let left = nodes.get_mut(&domain).map_or(0, |count| {
                    *count -= 1;
                    *count
                });
                if left == 0 {
                    nodes.remove(&domain);
                    domains.remove(domain);
                }
            }
        }
    }
}
