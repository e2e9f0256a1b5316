//! Usage of associations and fair share: Fair Tree, and the classic formula.

use super::{Controller, MultifactorParams};
use crate::slurm::Time;
use crate::slurm::accounting::Shares;
use crate::slurm::model::{Job, JobBase, JobId};

/// What an association used, and what follows from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssociationUsage {
    /// Association id.
    pub id: u32,
    /// Billed TRES-seconds, decayed.
    pub raw: f64,
    /// Shares as a part of the siblings' (Fair Tree) or of the whole (classic).
    pub norm_shares: f64,
    /// Usage as a part of root's.
    pub norm: f64,
    /// Effective usage.
    pub effective: f64,
    /// Level fair share of Fair Tree.
    pub level: f64,
    /// The fair-share factor; only users' associations have one.
    pub factor: f64,
}

impl Controller {
    /// What an association used.
    pub fn usage_of(&self, id: u32) -> Option<&AssociationUsage> {
        self.associations.iter().find(|usage| usage.id == id)
    }

    /// The fair-share factor of an association.
    pub(super) fn fair_share(&self, id: u32) -> f64 {
        self.usage_of(id).map_or(0.0, |usage| usage.factor)
    }

    /// Makes the table of usage match the associations, and works the shares out.
    pub(super) fn refresh_associations(&mut self) {
        let known = std::mem::take(&mut self.associations);
        self.associations = self
            .accounting
            .associations
            .iter()
            .map(|assoc| {
                known
                    .iter()
                    .find(|usage| usage.id == assoc.id)
                    .cloned()
                    .unwrap_or(AssociationUsage { id: assoc.id, ..AssociationUsage::default() })
            })
            .collect();
        if let Some(params) = self.params.multifactor.clone() {
            self.norm_shares(&params);
            self.share_out(&params, None);
        }
    }

    fn shares(&self, id: u32) -> f64 {
        match self.accounting.association(id).map(|assoc| assoc.shares) {
            Some(Shares::Number(n)) => f64::from(n),
            _ => 0.0,
        }
    }

    /// Associations directly below one, in Slurm's order: users before accounts, by name.
    pub fn children(&self, id: u32) -> Vec<u32> {
        let mut below: Vec<_> = self
            .accounting
            .associations
            .iter()
            .filter(|assoc| assoc.parent == id && assoc.id != id)
            .collect();
        below.sort_by_key(|assoc| {
            (assoc.user.is_none(), assoc.user.clone().unwrap_or_else(|| assoc.account.clone()))
        });
        below.iter().map(|assoc| assoc.id).collect()
    }

    /// Shares as parts: of the siblings', and for the classic formula of the whole.
    fn norm_shares(&mut self, params: &MultifactorParams) {
        let mut todo = vec![(1_u32, 1.0_f64)];
        while let Some((id, above)) = todo.pop() {
            let children = self.children(id);
            let all: f64 = children.iter().map(|child| self.shares(*child)).sum();
            for child in children {
                let part = if all > 0.0 { self.shares(child) / all } else { 0.0 };
                let norm = if params.fair_tree { part } else { part * above };
                if let Some(usage) = self.associations.iter_mut().find(|usage| usage.id == child) {
                    usage.norm_shares = norm;
                }
                todo.push((child, norm));
            }
        }
    }

    /// A calc period is over: old usage decays, running jobs add what they used since.
    pub(super) fn decay_usage(&mut self, params: &MultifactorParams) {
        let now = self.time();
        let since = std::mem::replace(&mut self.last_decay, now);
        let factor = decay_per_second(params);
        let passed = (now - since).max(0);
        // The power of libm: the standard library's is each platform's own.
        let decayed = libm::pow(factor, passed as f64);
        for usage in &mut self.associations {
            usage.raw *= decayed;
        }
        // Accounts are normalised before the tick's new usage, users after it (observed with the classic formula).
        let before: Vec<(u32, f64)> = self.associations.iter().map(|usage| (usage.id, usage.raw)).collect();
        let running: Vec<JobId> = self.jobs.active.iter().copied().collect();
        for id in running {
            self.charge(id, params);
        }
        self.share_out(params, Some(&before));
    }

    /// Adds what a job used since it was last charged to its association and those above.
    pub(super) fn charge(&mut self, id: JobId, params: &MultifactorParams) {
        let now = self.time();
        let Some(job) = self.jobs.get(id) else { return };
        if job.start == 0 || job.assoc == 0 {
            return;
        }
        let until = if job.end != 0 && job.state.is_finished() { job.end.min(now) } else { now };
        let ran = ran_between(job, job.charged.max(job.start), until);
        let billing = job.alloc_tres.as_ref().map_or(0.0, |tres| tres.billing);
        let usage_factor = self.accounting.qos(&job.qos).map_or(1.0, |qos| qos.usage_factor);
        let assoc = job.assoc;
        let amount = ran as f64 * libm::pow(decay_per_second(params), ran as f64) * billing * usage_factor;
        if let Some(job) = self.jobs.get_mut(id) {
            job.charged = until;
        }
        let chain: Vec<u32> = self.accounting.chain(assoc).map(|assoc| assoc.id).collect();
        for usage in self.associations.iter_mut().filter(|usage| chain.contains(&usage.id)) {
            usage.raw += amount;
        }
    }

    /// Works out usage as parts and the fair-share factors.
    fn share_out(&mut self, params: &MultifactorParams, before: Option<&[(u32, f64)]>) {
        let root = self.usage_of(1).map_or(0.0, |usage| usage.raw);
        let raw_of = |controller: &Self, id: u32| controller.usage_of(id).map_or(0.0, |usage| usage.raw);
        let norm: Vec<(u32, f64)> = self
            .associations
            .iter()
            .map(|usage| {
                let is_user = self.accounting.association(usage.id).is_some_and(|assoc| assoc.user.is_some());
                let (raw, root) = match before.filter(|_| !params.fair_tree && !is_user) {
                    Some(before) => {
                        let of = |id: u32| {
                            before.iter().find(|(other, _)| *other == id).map_or(0.0, |(_, raw)| *raw)
                        };
                        (of(usage.id), of(1))
                    }
                    None => (usage.raw, root),
                };
                (usage.id, if root > 0.0 { raw / root } else { 0.0 })
            })
            .collect();
        for (usage, (_, norm)) in self.associations.iter_mut().zip(&norm) {
            usage.norm = norm.min(1.0);
        }
        let _ = raw_of;
        if params.fair_tree { self.fair_tree() } else { self.classic(params) }
    }

    /// 2^(−(effective usage ÷ shares) ÷ damping).
    fn classic(&mut self, params: &MultifactorParams) {
        let mut todo = vec![1_u32];
        while let Some(id) = todo.pop() {
            let children = self.children(id);
            let all: f64 = children.iter().map(|child| self.shares(*child)).sum();
            let above = self.usage_of(id).cloned().unwrap_or_default();
            for child in children {
                let own_shares = self.shares(child);
                let parent =
                    self.accounting.association(child).is_some_and(|assoc| assoc.shares == Shares::Parent);
                let Some(usage) = self.associations.iter_mut().find(|usage| usage.id == child) else {
                    continue;
                };
                usage.effective = if parent {
                    above.effective
                } else if id == 1 {
                    usage.norm
                } else if all > 0.0 {
                    usage.norm + (above.effective - usage.norm) * own_shares / all
                } else {
                    usage.norm
                };
                let shares = if parent { above.norm_shares } else { usage.norm_shares };
                usage.factor = if shares > 0.0 {
                    libm::pow(2.0, -(usage.effective / shares) / f64::from(params.damp.max(1)))
                } else {
                    0.0
                };
                todo.push(child);
            }
        }
    }

    /// Fair Tree: siblings by shares ÷ usage, depth first; the rank of a user among all gives the factor.
    fn fair_tree(&mut self) {
        let users = self.accounting.associations.iter().filter(|assoc| assoc.user.is_some()).count();
        for id in self.accounting.associations.iter().map(|assoc| assoc.id).collect::<Vec<_>>() {
            self.level(id);
        }
        let mut rank = users;
        let mut rank_for_ties = users;
        self.rank_level(&[1], users, &mut rank, &mut rank_for_ties, false);
    }

    /// The level fair share of an association.
    fn level(&mut self, id: u32) {
        let Some(assoc) = self.accounting.association(id) else { return };
        let (shares, parent) = (assoc.shares, assoc.parent);
        let above = self.usage_of(parent).map_or(0.0, |usage| usage.raw);
        let Some(usage) = self.associations.iter_mut().find(|usage| usage.id == id) else { return };
        usage.effective = if id == 1 {
            1.0
        } else if above > 0.0 {
            usage.raw / above
        } else {
            0.0
        };
        usage.level = match shares {
            Shares::Parent => f64::INFINITY,
            Shares::Number(0) => 0.0,
            Shares::Number(_) if usage.effective == 0.0 => f64::INFINITY,
            Shares::Number(_) => usage.norm_shares / usage.effective,
        };
    }

    /// Ranks what is below `accounts`, the best first. A tie of accounts passes the tie on to the first child only
    /// (observed; the documented merging of tied accounts does not happen).
    fn rank_level(
        &mut self,
        accounts: &[u32],
        users: usize,
        rank: &mut usize,
        rank_for_ties: &mut usize,
        tied: bool,
    ) {
        let mut below: Vec<u32> = accounts.iter().flat_map(|id| self.children(*id)).collect();
        // Equal ones: users before accounts; of accounts the later one by name first.
        below.reverse();
        let key = |controller: &Self, id: u32| {
            let level = controller.usage_of(id).map_or(0.0, |usage| usage.level);
            let user = controller.accounting.association(id).is_some_and(|assoc| assoc.user.is_some());
            (level, user)
        };
        below.sort_by(|a, b| {
            let ((level_a, user_a), (level_b, user_b)) = (key(self, *a), key(self, *b));
            level_b.total_cmp(&level_a).then(user_b.cmp(&user_a))
        });
        let mut previous: Option<f64> = None;
        let mut is_tied = tied;
        for id in below {
            let (level, user) = key(self, id);
            if previous.is_some_and(|previous| previous.total_cmp(&level).is_eq()) {
                is_tied = true;
            } else if previous.is_some() {
                is_tied = false;
            }
            if user {
                if !is_tied {
                    *rank_for_ties = *rank;
                }
                let factor = *rank_for_ties as f64 / users as f64;
                if let Some(usage) = self.associations.iter_mut().find(|usage| usage.id == id) {
                    usage.factor = factor;
                }
                *rank = rank.saturating_sub(1);
            } else {
                self.rank_level(&[id], users, rank, rank_for_ties, is_tied);
            }
            previous = Some(level);
        }
    }
}

fn decay_per_second(params: &MultifactorParams) -> f64 {
    if params.decay_half_life <= 0 { 1.0 } else { 1.0 - 0.693 / params.decay_half_life as f64 }
}

/// Seconds that a job ran in a span; suspension does not count.
fn ran_between(job: &Job, from: Time, to: Time) -> i64 {
    if job.state.base == JobBase::Suspended {
        return (job.suspended_at.min(to) - from).max(0);
    }
    (to - from).max(0)
}
