//! Conditions of Kueue's objects.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Sets a condition; the time of its last transition stays if its status does. Says whether anything changed.
pub(super) fn set(
    conditions: &mut Vec<Condition>,
    kind: &str,
    status: bool,
    reason: &str,
    message: &str,
    generation: Option<i64>,
    now: &Time,
) -> bool {
    let status = if status { "True" } else { "False" };
    let known = conditions.iter_mut().find(|condition| condition.type_ == kind);
    let since = known.as_ref().filter(|known| known.status == status);
    let condition = Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        observed_generation: generation,
        last_transition_time: since.map_or_else(|| now.clone(), |known| known.last_transition_time.clone()),
    };
    match known {
        Some(known) if *known == condition => false,
        Some(known) => {
            *known = condition;
            true
        }
        None => {
            conditions.push(condition);
            true
        }
    }
}

/// The condition of that type, if it is true.
pub(super) fn is_true<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind && condition.status == "True")
}

/// Turns a condition off that was on, and keeps what it said.
pub(super) fn reset(
    conditions: &mut Vec<Condition>,
    kind: &str,
    reason: &str,
    generation: Option<i64>,
    now: &Time,
) {
    if let Some(before) = is_true(conditions, kind) {
        let message = format!("Previously: {}", before.message);
        set(conditions, kind, false, reason, &message, generation, now);
    }
}
