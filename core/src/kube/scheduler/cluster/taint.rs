//! Taints of nodes and tolerations of pods.

use k8s_openapi::api::core::v1::{Taint as ApiTaint, Toleration as ApiToleration};

use super::symbols::{Symbol, Symbols};

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// No new pod comes here.
    NoSchedule,
    /// New pods rather go elsewhere.
    PreferNoSchedule,
    /// No new pod comes here, and those that are here go.
    NoExecute,
}

impl Effect {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "NoSchedule" => Some(Self::NoSchedule),
            "PreferNoSchedule" => Some(Self::PreferNoSchedule),
            "NoExecute" => Some(Self::NoExecute),
            _ => None,
        }
    }
}

/// A taint of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taint {
    /// `nvidia.com/gpu`
    pub key: Symbol,
    /// Often empty.
    pub value: Symbol,
    /// What it does.
    pub effect: Effect,
}

impl Taint {
    /// Converts a taint; none if its effect is unknown, as no rule speaks of it then.
    pub fn new(taint: &ApiTaint, symbols: &mut Symbols) -> Option<Self> {
        Some(Self {
            key: symbols.intern(&taint.key),
            value: symbols.intern(taint.value.as_deref().unwrap_or_default()),
            effect: Effect::parse(&taint.effect)?,
        })
    }
}

/// A toleration of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Toleration {
    /// None tolerates every key.
    key: Option<Symbol>,
    /// None tolerates every value (`Exists`).
    value: Option<Symbol>,
    /// None tolerates every effect.
    effect: Option<Effect>,
}

impl Toleration {
    /// Converts a toleration; none if its operator or effect is unknown, as it tolerates nothing then.
    pub fn new(toleration: &ApiToleration, symbols: &mut Symbols) -> Option<Self> {
        let text = |field: &Option<String>| field.as_deref().unwrap_or_default().to_owned();
        let key = text(&toleration.key);
        let value = match text(&toleration.operator).as_str() {
            "" | "Equal" => Some(symbols.intern(&text(&toleration.value))),
            "Exists" => None,
            _ => return None,
        };
        let effect = text(&toleration.effect);
        Some(Self {
            key: if key.is_empty() { None } else { Some(symbols.intern(&key)) },
            value,
            effect: if effect.is_empty() { None } else { Some(Effect::parse(&effect)?) },
        })
    }

    /// Whether it tolerates a taint.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.effect.is_none_or(|effect| effect == taint.effect)
            && self.key.is_none_or(|key| key == taint.key)
            && self.value.is_none_or(|value| value == taint.value)
    }

    /// Whether it speaks of taints of that effect.
    pub fn covers(&self, effect: Effect) -> bool {
        self.effect.is_none_or(|own| own == effect)
    }
}

/// The first taint that keeps pods away and that none of the tolerations tolerates.
pub fn first_untolerated<'a>(taints: &'a [Taint], tolerations: &[Toleration]) -> Option<&'a Taint> {
    taints
        .iter()
        .filter(|taint| taint.effect != Effect::PreferNoSchedule)
        .find(|taint| !tolerations.iter().any(|toleration| toleration.tolerates(taint)))
}
