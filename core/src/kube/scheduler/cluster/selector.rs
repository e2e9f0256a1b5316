//! Label selectors and node selectors, compiled to symbols.

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::node_info::NodeInfo;
use super::symbols::{Labels, Symbol, Symbols};

/// What a requirement asks of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
}

/// `key operator values`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Requirement {
    key: Symbol,
    operator: Operator,
    values: Vec<Symbol>,
}

impl Requirement {
    /// Compiles one requirement; none if the operator does not exist or the bound of `Gt` and `Lt` is no integer.
    fn new(key: &str, operator: &str, values: &[String], symbols: &mut Symbols) -> Option<Self> {
        let operator = match operator {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            "Gt" => Operator::Gt,
            "Lt" => Operator::Lt,
            _ => return None,
        };
        let values: Vec<_> = values.iter().map(|value| symbols.intern(value)).collect();
        if matches!(operator, Operator::Gt | Operator::Lt) {
            let [bound] = values[..] else { return None };
            symbols.number(bound)?;
        }
        Some(Self { key: symbols.intern(key), operator, values })
    }

    fn matches(&self, value: Option<Symbol>, symbols: &Symbols) -> bool {
        let number_above = |low: Option<Symbol>, high: Option<Symbol>| {
            low.and_then(|s| symbols.number(s)) < high.and_then(|s| symbols.number(s))
        };
        match (self.operator, value) {
            (Operator::In, Some(value)) => self.values.contains(&value),
            (Operator::NotIn, Some(value)) => !self.values.contains(&value),
            (Operator::Exists, value) => value.is_some(),
            (Operator::DoesNotExist, value) => value.is_none(),
            (Operator::NotIn, None) => true,
            (Operator::In | Operator::Gt | Operator::Lt, None) => false,
            (Operator::Gt, Some(value)) => {
                symbols.number(value).is_some() && number_above(self.values.first().copied(), Some(value))
            }
            (Operator::Lt, Some(value)) => {
                symbols.number(value).is_some() && number_above(Some(value), self.values.first().copied())
            }
        }
    }
}

/// A label selector (`metav1.LabelSelector`): all its requirements must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector {
    /// None matches nothing, and an empty list everything.
    requirements: Option<Vec<Requirement>>,
}

impl Selector {
    /// Compiles a selector; an absent or malformed one matches nothing.
    pub fn new(selector: Option<&LabelSelector>, symbols: &mut Symbols) -> Self {
        let Some(selector) = selector else { return Self::default() };
        let equalities = selector.match_labels.iter().flatten();
        let mut requirements: Option<Vec<_>> = equalities
            .map(|(key, value)| Requirement::new(key, "In", std::slice::from_ref(value), symbols))
            .collect();
        for expression in selector.match_expressions.iter().flatten() {
            let values = expression.values.as_deref().unwrap_or_default();
            let requirement = Requirement::new(&expression.key, &expression.operator, values, symbols);
            requirements = requirements.zip(requirement).map(|(mut all, one)| {
                all.push(one);
                all
            });
        }
        Self { requirements }
    }

    /// A selector of labels that must all be equal (a Service's, a ReplicationController's).
    pub fn of_labels<'a>(
        labels: impl IntoIterator<Item = (&'a String, &'a String)>,
        symbols: &mut Symbols,
    ) -> Self {
        let labels = labels.into_iter();
        Self {
            requirements: labels
                .map(|(key, value)| Requirement::new(key, "In", std::slice::from_ref(value), symbols))
                .collect(),
        }
    }

    /// The selector that matches everything.
    pub const fn everything() -> Self {
        Self { requirements: Some(Vec::new()) }
    }

    /// Asks also for `key` to be `value`, or not to be it (`matchLabelKeys`, `mismatchLabelKeys`).
    pub fn require(&mut self, key: Symbol, value: Symbol, equal: bool) {
        if let Some(requirements) = &mut self.requirements {
            let operator = if equal { Operator::In } else { Operator::NotIn };
            requirements.push(Requirement { key, operator, values: vec![value] });
        }
    }

    /// Asks for all that `other` asks for, too.
    pub fn and(&mut self, other: &Self) {
        match (&mut self.requirements, &other.requirements) {
            (Some(mine), Some(theirs)) => mine.extend_from_slice(theirs),
            (mine, _) => *mine = None,
        }
    }

    /// Whether labels satisfy it.
    pub fn matches(&self, labels: &Labels, symbols: &Symbols) -> bool {
        self.requirements
            .as_ref()
            .is_some_and(|all| all.iter().all(|r| r.matches(labels.get(r.key), symbols)))
    }

    /// Whether it asks for nothing: either it matches nothing or everything.
    pub fn is_empty(&self) -> bool {
        self.requirements.as_ref().is_none_or(Vec::is_empty)
    }

    /// Whether it matches everything.
    pub fn is_everything(&self) -> bool {
        self.requirements.as_ref().is_some_and(Vec::is_empty)
    }
}

/// One term of a node selector: all its requirements must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeTerm {
    expressions: Vec<Requirement>,
    fields: Vec<Requirement>,
}

impl NodeTerm {
    /// Compiles a term; none for an empty or malformed one, which matches no node.
    pub fn new(term: &NodeSelectorTerm, symbols: &mut Symbols) -> Option<Self> {
        let mut compile = |list: &Option<Vec<NodeSelectorRequirement>>| -> Option<Vec<_>> {
            let list = list.iter().flatten();
            list.map(|r| {
                Requirement::new(&r.key, &r.operator, r.values.as_deref().unwrap_or_default(), symbols)
            })
            .collect()
        };
        let term =
            Self { expressions: compile(&term.match_expressions)?, fields: compile(&term.match_fields)? };
        (!term.expressions.is_empty() || !term.fields.is_empty()).then_some(term)
    }

    /// Whether a node satisfies it.
    pub fn matches(&self, node: &NodeInfo, symbols: &Symbols) -> bool {
        // `metadata.name` is the only field there is; validation refuses others.
        self.expressions.iter().all(|r| r.matches(node.labels.get(r.key), symbols))
            && self.fields.iter().all(|r| r.matches(Some(node.name), symbols))
    }

    /// Whether labels satisfy it, of something that has no name to look at.
    fn matches_labels(&self, labels: &Labels, symbols: &Symbols) -> bool {
        self.expressions.iter().all(|r| r.matches(labels.get(r.key), symbols))
            && self.fields.iter().all(|r| r.matches(None, symbols))
    }

    /// The nodes to which `metadata.name In (…)` limits this term; none if it has no such requirement.
    pub fn node_names(&self) -> Option<Vec<Symbol>> {
        let mut names: Option<Vec<Symbol>> = None;
        for requirement in self.fields.iter().filter(|r| r.operator == Operator::In) {
            match &mut names {
                None => names = Some(requirement.values.clone()),
                Some(names) => names.retain(|name| requirement.values.contains(name)),
            }
        }
        names
    }
}

/// The terms of a node selector: one of them must hold.
///
/// A term that is empty or malformed keeps its place as a term that matches no node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeTerms(Vec<Option<NodeTerm>>);

impl NodeTerms {
    /// Compiles a list of terms.
    pub fn new(terms: &[NodeSelectorTerm], symbols: &mut Symbols) -> Self {
        Self(terms.iter().map(|term| NodeTerm::new(term, symbols)).collect())
    }

    /// Whether a node satisfies any of them.
    pub fn matches(&self, node: &NodeInfo, symbols: &Symbols) -> bool {
        self.0.iter().flatten().any(|term| term.matches(node, symbols))
    }

    /// Whether labels satisfy any of them; the node's name is not looked at (`CheckNodeAffinity` of volumes).
    pub fn matches_labels(&self, labels: &Labels, symbols: &Symbols) -> bool {
        self.0.iter().flatten().any(|term| term.matches_labels(labels, symbols))
    }

    /// The nodes to which `metadata.name In (…)` limits the pod; none if a term leaves the name open.
    pub fn node_names(&self) -> Option<Vec<Symbol>> {
        let mut names = Vec::new();
        for term in &self.0 {
            names.extend(term.as_ref()?.node_names()?);
        }
        (!self.0.is_empty()).then_some(names)
    }
}
