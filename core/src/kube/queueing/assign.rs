//! Which flavors one workload would get (Kueue's `flavorassigner`).

use std::collections::{BTreeMap, BTreeSet};

use crate::order::Collected;
use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Taint, Toleration};

use super::quota::{Flavor, Group, PodSet, Queue, Request, Usage, quantity};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// There is quota now: by pod set and resource, the flavor.
    Fits(Vec<BTreeMap<String, String>>),
    /// There would be if others went.
    NeedsPreemption {
        /// By pod set and resource, the flavor.
        flavors: Vec<BTreeMap<String, String>>,
        /// Flavors and resources of which there is too little.
        short: BTreeSet<(String, String)>,
        /// Why it does not fit now.
        message: String,
    },
    /// There is not.
    Refused {
        /// Why.
        message: String,
    },
}

/// How well one flavor serves; the better one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Refused,
    Preempt,
    Fits,
}

/// Finds flavors for all pod sets; `usage` is what others take of the queue's quota.
pub fn assign(
    queue: &Queue,
    flavors: &BTreeMap<String, Flavor>,
    usage: &Usage,
    request: &Request,
) -> Assignment {
    let mut own = Usage::new();
    let mut chosen = Vec::new();
    let mut problems: Vec<(String, Vec<String>)> = Vec::new();
    let mut worst = Mode::Fits;
    let mut short = BTreeSet::new();
    for set in &request.pod_sets {
        let mut assigned = BTreeMap::new();
        let mut reasons = Vec::new();
        let requests: BTreeMap<&String, i64> = set
            .requests
            .iter()
            .filter(|(_, amount)| **amount > 0)
            .map(|(name, amount)| (name, *amount))
            .into_map();
        for &resource in requests.keys() {
            if assigned.contains_key(resource) || worst == Mode::Refused {
                continue;
            }
            let Some(group) = queue.groups.iter().find(|group| group.covered.contains(resource)) else {
                reasons.push(format!("resource {resource} unavailable in ClusterQueue"));
                worst = Mode::Refused;
                continue;
            };
            let wanted: BTreeMap<&String, i64> = requests
                .iter()
                .filter(|(name, _)| group.covered.contains(name))
                .map(|(name, amount)| (*name, *amount))
                .into_map();
            let (mode, flavor, mut said) =
                best_flavor(queue, group, flavors, usage, &own, set, &wanted, &mut short);
            reasons.append(&mut said);
            worst = worst.min(mode);
            if let Some(flavor) = flavor {
                for (name, amount) in wanted {
                    assigned.insert(name.clone(), flavor.clone());
                    *own.entry((flavor.clone(), name.clone())).or_default() += amount;
                }
            }
        }
        chosen.push(assigned);
        if !reasons.is_empty() {
            reasons.sort();
            problems.push((set.name.clone(), reasons));
        }
    }
    let texts: Vec<String> = problems
        .into_iter()
        .map(|(name, reasons)| format!("couldn't assign flavors to pod set {name}: {}", reasons.join(", ")))
        .collect();
    let message = texts.join("; ");
    match worst {
        Mode::Fits => Assignment::Fits(chosen),
        Mode::Preempt => Assignment::NeedsPreemption { flavors: chosen, short, message },
        Mode::Refused => Assignment::Refused { message },
    }
}

/// The first flavor that fits; else the first from which others could be evicted.
#[allow(clippy::too_many_arguments, reason = "what is known of one pod set at this point")]
fn best_flavor(
    queue: &Queue,
    group: &Group,
    flavors: &BTreeMap<String, Flavor>,
    usage: &Usage,
    own: &Usage,
    set: &PodSet,
    wanted: &BTreeMap<&String, i64>,
    short: &mut BTreeSet<(String, String)>,
) -> (Mode, Option<String>, Vec<String>) {
    let mut reasons = Vec::new();
    let mut second_best = None;
    for (name, _) in &group.flavors {
        let Some(flavor) = flavors.get(name) else {
            reasons.push(format!("flavor {name} not found"));
            continue;
        };
        if let Some(taint) = untolerated(flavor, &set.spec) {
            let value = taint.value.clone().unwrap_or_default();
            reasons.push(format!(
                "untolerated taint {{{} {value} {} <nil>}} in flavor {name}",
                taint.key, taint.effect
            ));
            continue;
        }
        if !selects(&set.spec, &flavor.labels) {
            reasons.push(format!("flavor {name} doesn't match node affinity"));
            continue;
        }
        let mut mode = Mode::Fits;
        let mut missing = BTreeSet::new();
        for (resource, amount) in wanted {
            let key = (name.clone(), (*resource).clone());
            let before = own.get(&key).copied().unwrap_or(0);
            let total = before.saturating_add(*amount);
            let nominal = queue.nominal(name, resource);
            if total > nominal {
                let show = |amount| quantity(resource, amount);
                reasons.push(format!(
                    "insufficient quota for {resource} in flavor {name}, previously considered podsets requests ({}) + \
                     current podset request ({}) > maximum capacity ({})",
                    show(before),
                    show(*amount),
                    show(nominal)
                ));
                mode = Mode::Refused;
                break;
            }
            let available = nominal - usage.get(&key).copied().unwrap_or(0);
            if total > available {
                reasons.push(format!(
                    "insufficient unused quota for {resource} in flavor {name}, {} more needed",
                    quantity(resource, total - available)
                ));
                mode = mode.min(Mode::Preempt);
                missing.insert(key);
            }
        }
        match mode {
            Mode::Fits => return (mode, Some(name.clone()), Vec::new()),
            Mode::Preempt if second_best.is_none() => second_best = Some((name.clone(), missing)),
            _ => {}
        }
    }
    match second_best {
        Some((name, missing)) => {
            short.extend(missing);
            (Mode::Preempt, Some(name), reasons)
        }
        None => (Mode::Refused, None, reasons),
    }
}

/// The first taint of the flavor that keeps the pods away.
fn untolerated<'a>(flavor: &'a Flavor, spec: &PodSpec) -> Option<&'a Taint> {
    let tolerations = || spec.tolerations.iter().flatten().chain(&flavor.tolerations);
    let hard = |taint: &&Taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    flavor
        .taints
        .iter()
        .filter(hard)
        .find(|taint| !tolerations().any(|toleration| tolerates(toleration, taint)))
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let text = |value: &'_ Option<String>| value.clone().unwrap_or_default();
    let (effect, key) = (text(&toleration.effect), text(&toleration.key));
    if (!effect.is_empty() && effect != taint.effect) || (!key.is_empty() && key != taint.key) {
        return false;
    }
    match toleration.operator.as_deref() {
        Some("Exists") => true,
        _ => !key.is_empty() && text(&toleration.value) == text(&taint.value),
    }
}

/// Whether nodes with these labels would do, as far as the pod asks for any of these labels.
fn selects(spec: &PodSpec, labels: &BTreeMap<String, String>) -> bool {
    let mut selector = spec.node_selector.iter().flatten();
    if selector.any(|(key, value)| labels.get(key).is_some_and(|known| known != value)) {
        return false;
    }
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    let Some(required) = required else { return true };
    let of_flavor = |term: &NodeSelectorTerm| -> Vec<NodeSelectorRequirement> {
        let all = term.match_expressions.iter().flatten();
        all.filter(|requirement| labels.contains_key(&requirement.key)).cloned().collect()
    };
    let terms: Vec<_> = required.node_selector_terms.iter().map(of_flavor).collect();
    // A term that says nothing of these labels lets the flavor pass, as terms are alternatives.
    terms.iter().any(Vec::is_empty) || terms.iter().any(|term| term.iter().all(|r| holds(r, labels)))
}

fn holds(requirement: &NodeSelectorRequirement, labels: &BTreeMap<String, String>) -> bool {
    let value = labels.get(&requirement.key);
    let values = requirement.values.as_deref().unwrap_or_default();
    let number = |text: &String| text.parse::<i64>().ok();
    let compare = || Some((number(value?)?, number(values.first()?)?));
    match requirement.operator.as_str() {
        "In" => value.is_some_and(|value| values.contains(value)),
        "NotIn" => value.is_none_or(|value| !values.contains(value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compare().is_some_and(|(value, bound)| value > bound),
        "Lt" => compare().is_some_and(|(value, bound)| value < bound),
        _ => false,
    }
}
