//! `RandomScore`: one of the feasible nodes, by chance.

use serde::Deserialize;
use serde_json::Value;

use super::super::cluster::{Cluster, NodeId, NodeInfo};
use super::super::framework::{
    Context, CycleState, MAX_NODE_SCORE, Plugin, PreScore, Prepare, Score, Status,
};
use super::super::plugins::arguments;
use super::super::queue::EventKinds;
use crate::sim::{Rng, Seed};

pub(super) const NAME: &str = "RandomScore";

/// `RandomScoreArgs`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Args {
    /// Where the chance comes from.
    seed: u64,
    /// For files of the authors, who give every policy these arguments.
    dim_ext_method: String,
    /// As `dim_ext_method`.
    norm_method: String,
}

#[derive(Clone, Debug)]
struct Random {
    rng: Rng,
    /// This cycle's dice: one generator per cycle, as not all nodes are known before the filters ran.
    dice: Rng,
}

/// The node on which it fell.
#[derive(Clone, Copy, Debug)]
struct Drawn(NodeId);

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let args: Args = arguments(args)?;
    let rng = Seed::new(args.seed).rng(NAME);
    Ok(Box::new(Random { dice: rng.clone(), rng }))
}

impl Plugin for Random {
    fn name(&self) -> &str {
        NAME
    }

    fn prepare(&mut self) -> Option<&mut dyn Prepare> {
        Some(self)
    }

    fn pre_score(&self) -> Option<&dyn PreScore> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn Score> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

impl Prepare for Random {
    fn prepare(&mut self, _: &Context<'_>, _: &mut CycleState) {
        self.dice = self.rng.clone();
        self.rng.next_u64();
    }
}

impl PreScore for Random {
    fn pre_score(&self, _: &Context<'_>, state: &mut CycleState, nodes: &[NodeId]) -> Status {
        let at = self.dice.clone().below(nodes.len() as u64) as usize;
        let Some(node) = nodes.get(at) else { return Status::skip() };
        state.write(Drawn(*node));
        Status::success()
    }
}

impl Score for Random {
    fn score(&self, _: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64 {
        let drawn = state.read::<Drawn>().is_some_and(|drawn| drawn.0 == node.id);
        if drawn { MAX_NODE_SCORE } else { 0 }
    }
}
