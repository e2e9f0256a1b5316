//! Answers that are kept: what equal pods were told of nodes that have not changed since.
//!
//! Most pods of a cluster come in crowds of equals, and between two of them one node changes: the one that the first
//! was given. Filters and scores that look only at the pod and one node ([`Filter::is_local`](super::framework::Filter),
//! [`Score::is_local`](super::framework::Score)) are therefore asked once per class of pods and version of a node. Nothing is
//! decided here: with or without kept answers the decisions are the same, which a property test proves.

use super::cluster::{Cluster, NodeId, PodClass};
use super::framework::{
    Code, Context, CycleState, Filters, PluginId, PluginSet, Score, Status, first_refusal,
};

/// Of so many classes the answers are kept, however many nodes there are. Each takes some 80 bytes per node.
const FEWEST: usize = 8;
/// Of so many, however few nodes there are.
const MOST: usize = 256;
/// Between these, classes times nodes are no more than this.
const ANSWERS: usize = 1 << 18;

/// Answers of the classes that were met last.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    kept: Vec<Kept>,
    /// How often something was asked for.
    asked: u64,
    /// Turned off, every pod is looked at anew.
    pub off: bool,
}

impl Answers {
    /// What is kept for a pod of that class under that profile; none if nothing is to be kept.
    pub fn of(&mut self, profile: usize, class: PodClass, cluster: &Cluster) -> Option<&mut Kept> {
        if self.off || !class.is_known() {
            return None;
        }
        let known = self.kept.iter().position(|kept| kept.profile == profile && kept.class == class);
        let place = known.unwrap_or_else(|| {
            let most = (ANSWERS / cluster.node_slots().max(1)).clamp(FEWEST, MOST);
            while self.kept.len() >= most {
                // The one that was not asked for longest goes.
                let oldest = (0..self.kept.len()).min_by_key(|place| self.kept[*place].last_asked);
                self.kept.swap_remove(oldest.unwrap_or_default());
            }
            self.kept.push(Kept { profile, class, ..Kept::default() });
            self.kept.len() - 1
        });
        self.asked += 1;
        let kept = &mut self.kept[place];
        kept.last_asked = self.asked;
        kept.refresh(cluster);
        Some(kept)
    }
}

/// Answers for the pods of one class.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    profile: usize,
    class: PodClass,
    last_asked: u64,
    image_version: u64,
    /// The filters that were asked.
    filters: PluginSet,
    verdicts: Vec<Answer<Verdict>>,
    /// Different refusals, by whom and why; the first [`Kept::REFUSALS`] that were met.
    refusals: Vec<(PluginId, Status)>,
    rows: Vec<(PluginId, Vec<Answer<i64>>)>,
}

/// What the local filters say of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Verdict {
    pub code: Code,
    /// The place in [`Kept::refusals`] of a refusal that is kept.
    why: u8,
}

/// An answer, and the version of the node that it was about.
#[derive(Clone, Copy, Debug)]
struct Answer<T> {
    version: u32,
    value: T,
}

impl<T: Default> Answer<T> {
    /// Of a version that no node has before it has changed four thousand million times.
    fn none() -> Self {
        Self { version: u32::MAX, value: T::default() }
    }
}

impl Kept {
    /// So many different refusals of one class are kept.
    pub const REFUSALS: usize = 16;

    fn refresh(&mut self, cluster: &Cluster) {
        if self.image_version != cluster.image_version() {
            self.image_version = cluster.image_version();
            self.rows.clear();
        }
    }

    /// What the local filters say of a node.
    #[inline]
    pub fn verdict(
        &mut self,
        filters: &Filters<'_>,
        context: &Context<'_>,
        state: &CycleState,
        id: NodeId,
    ) -> Verdict {
        let version = version(context.cluster, id);
        if let Some(answer) = self.verdicts.get(id.index()).filter(|answer| answer.version == version) {
            return answer.value;
        }
        let value = match first_refusal(filters.local(), context, state, context.cluster.node(id)) {
            None => Verdict::default(),
            Some(refusal) => self.keep(refusal),
        };
        if self.verdicts.len() <= id.index() {
            self.verdicts.resize_with(context.cluster.node_versions().len(), Answer::none);
        }
        self.verdicts[id.index()] = Answer { version, value };
        value
    }

    fn keep(&mut self, refusal: (PluginId, Status)) -> Verdict {
        let code = refusal.1.code;
        let known = self.refusals.iter().position(|known| *known == refusal);
        let why = known.unwrap_or(self.refusals.len());
        // An error is not told twice; the plugin is asked again.
        if why == self.refusals.len() && why < Self::REFUSALS && code != Code::Error {
            self.refusals.push(refusal);
        }
        Verdict { code, why: why as u8 }
    }

    /// Who refused the node and why, and the place of that among the refusals; none if it is not kept.
    pub fn refusal(&self, verdict: Verdict) -> Option<(usize, &(PluginId, Status))> {
        let why = usize::from(verdict.why);
        Some((why, self.refusals.get(why).filter(|(_, status)| status.code == verdict.code)?))
    }

    /// Before the verdicts of a cycle: which filters are asked.
    pub fn asks(&mut self, filters: &Filters<'_>) {
        let mut asked = PluginSet::default();
        for (id, _) in filters.local() {
            asked.insert(*id);
        }
        if self.filters != asked {
            self.filters = asked;
            self.verdicts.clear();
            self.refusals.clear();
        }
    }

    /// The scores of a local plugin.
    pub fn scores(
        &mut self,
        plugin: PluginId,
        score: &dyn Score,
        context: &Context<'_>,
        state: &CycleState,
        nodes: &[NodeId],
        out: &mut [i64],
    ) {
        let versions = context.cluster.node_versions();
        let place = self.rows.iter().position(|(id, _)| *id == plugin).unwrap_or_else(|| {
            self.rows.push((plugin, Vec::new()));
            self.rows.len() - 1
        });
        let row = &mut self.rows[place].1;
        if row.len() < versions.len() {
            row.resize_with(versions.len(), Answer::none);
        }
        for (id, out) in nodes.iter().zip(out) {
            let answer = &mut row[id.index()];
            if answer.version != versions[id.index()] {
                let value = score.score(context, state, context.cluster.node(*id));
                *answer = Answer { version: versions[id.index()], value };
            }
            *out = answer.value;
        }
    }
}

#[inline]
fn version(cluster: &Cluster, id: NodeId) -> u32 {
    cluster.node_versions()[id.index()]
}
