//! The extension points, and which plugins of a profile take part at each.

use super::{Plugin, PluginId};

/// An extension point, as `plugins` of a profile names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the extension point of that name; see `Plugin`")]
pub enum Point {
    PreEnqueue,
    QueueSort,
    PreFilter,
    Filter,
    PostFilter,
    PreScore,
    Score,
    Reserve,
    Permit,
    PreBind,
    Bind,
    PostBind,
}

impl Point {
    /// All of them, in the order in which a pod meets them.
    pub const ALL: [Self; 12] = [
        Self::PreEnqueue,
        Self::QueueSort,
        Self::PreFilter,
        Self::Filter,
        Self::PostFilter,
        Self::PreScore,
        Self::Score,
        Self::Reserve,
        Self::Permit,
        Self::PreBind,
        Self::Bind,
        Self::PostBind,
    ];

    /// `preFilter`
    pub const fn field(self) -> &'static str {
        match self {
            Self::PreEnqueue => "preEnqueue",
            Self::QueueSort => "queueSort",
            Self::PreFilter => "preFilter",
            Self::Filter => "filter",
            Self::PostFilter => "postFilter",
            Self::PreScore => "preScore",
            Self::Score => "score",
            Self::Reserve => "reserve",
            Self::Permit => "permit",
            Self::PreBind => "preBind",
            Self::Bind => "bind",
            Self::PostBind => "postBind",
        }
    }

    /// `PreFilterPlugin`, as messages name it.
    pub const fn interface(self) -> &'static str {
        match self {
            Self::PreEnqueue => "PreEnqueuePlugin",
            Self::QueueSort => "QueueSortPlugin",
            Self::PreFilter => "PreFilterPlugin",
            Self::Filter => "FilterPlugin",
            Self::PostFilter => "PostFilterPlugin",
            Self::PreScore => "PreScorePlugin",
            Self::Score => "ScorePlugin",
            Self::Reserve => "ReservePlugin",
            Self::Permit => "PermitPlugin",
            Self::PreBind => "PreBindPlugin",
            Self::Bind => "BindPlugin",
            Self::PostBind => "PostBindPlugin",
        }
    }

    /// Whether a plugin has something to say there.
    pub fn is_implemented_by(self, plugin: &mut dyn Plugin) -> bool {
        match self {
            Self::PreEnqueue => plugin.pre_enqueue().is_some(),
            Self::QueueSort => plugin.queue_sort().is_some(),
            Self::PreFilter => plugin.pre_filter().is_some(),
            Self::Filter => plugin.filter().is_some(),
            Self::PostFilter => plugin.post_filter().is_some(),
            Self::PreScore => plugin.pre_score().is_some(),
            Self::Score => plugin.score().is_some(),
            Self::Reserve => plugin.reserve().is_some(),
            Self::Permit => plugin.permit().is_some(),
            Self::PreBind => plugin.pre_bind().is_some(),
            Self::Bind => plugin.bind().is_some(),
            Self::PostBind => plugin.post_bind().is_some(),
        }
    }
}

/// The plugins of each extension point, in their order.
#[derive(Clone, Debug, Default)]
pub struct Points([Vec<PluginId>; Point::ALL.len()]);

impl Points {
    /// Those of one point.
    pub fn at(&self, point: Point) -> &[PluginId] {
        &self.0[point as usize]
    }

    pub(in super::super) const fn at_mut(&mut self, point: Point) -> &mut Vec<PluginId> {
        &mut self.0[point as usize]
    }
}
