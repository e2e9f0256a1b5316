//! Selectors: which objects a list or a watch is about.
//!
//! Both grammars are the real ones (`k8s.io/apimachinery/pkg/labels` and
//! `pkg/fields`), with their error texts.

mod fields;
mod labels;

pub use fields::FieldSelector;
pub use labels::LabelSelector;

use super::{Kind, ListOptions, Object, Status};

/// Both selectors of a request, ready to match.
#[derive(Clone, Debug, Default)]
pub(super) struct Selectors {
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selectors {
    pub(super) fn parse(kind: Kind, options: &ListOptions) -> Result<Self, Status> {
        Ok(Self {
            labels: LabelSelector::parse(&options.label_selector)?,
            fields: FieldSelector::parse(kind, &options.field_selector)?,
        })
    }

    pub(super) fn matches(&self, object: &Object) -> bool {
        self.labels.matches(object.meta().labels.as_ref()) && self.fields.matches(object)
    }
}
