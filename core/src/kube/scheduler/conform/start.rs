//! At which node the search stood when a scenario began.
//!
//! One scheduler answered all scenarios in turn, and a recording does not say
//! where the last one had left it. But the order in which the nodes of the first
//! attempts were found shows it: they are the nodes in their order, begun
//! somewhere; and that place moves only when a pod limits the nodes itself.

use serde_json::{Value, json};

use super::super::engine::Scheduler;
use super::list;

/// The place in the order of nodes, as far as the recording shows it: the first that agrees
/// with all attempts up to the one that moves it; 0 if none shows anything.
pub(super) fn shown_by(scenario: &Value, scheduler: &mut Scheduler) -> usize {
    let order: Vec<String> = scheduler.known_nodes().iter().map(ToString::to_string).collect();
    let mut possible: Vec<usize> = (0..order.len().max(1)).collect();
    let attempts = list(&scenario["outcome"]["pods"]).iter().flat_map(|pod| list(&pod["attempts"]));
    for attempt in attempts {
        let Some(considered) = attempt["considered"].as_u64() else { continue };
        let found: Vec<&str> = list(&attempt["feasible"]).iter().filter_map(Value::as_str).collect();
        if considered != order.len() as u64 {
            // One node alone is the one that the pod was nominated to: its search moves nothing.
            if considered == 1 && found.len() == 1 && attempt.get("filter").is_none_or(|f| *f == json!({})) {
                continue;
            }
            break;
        }
        possible.retain(|&start| {
            let (before, after) = order.split_at(start.min(order.len()));
            let mut nodes = after.iter().chain(before);
            found.iter().all(|name| nodes.any(|node| node == name))
        });
    }
    possible.first().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::scheduler::SchedulerConfiguration;

    fn shown(attempts: &Value) -> usize {
        let mut scheduler = Scheduler::new(&SchedulerConfiguration::default()).unwrap();
        for name in ["a", "b", "c"] {
            let node = json!({"metadata": {"name": name}});
            scheduler.add_node(serde_json::from_value::<k8s_openapi::api::core::v1::Node>(node).unwrap());
        }
        shown_by(&json!({"outcome": {"pods": [{"attempts": attempts}]}}), &mut scheduler)
    }

    #[test]
    fn attempts_show_together_where_the_search_began() {
        let all = |found: &[&str]| json!({"considered": 3, "feasible": found});
        assert_eq!(shown(&json!([])), 0);
        assert_eq!(shown(&json!([all(&["b", "c", "a"])])), 1);
        // The first leaves b and c to choose from, the second says which.
        assert_eq!(shown(&json!([all(&["c", "a"])])), 1);
        assert_eq!(shown(&json!([all(&["c", "a"]), all(&["c", "b"])])), 2);
        // What comes after a pod that chose its nodes itself shows nothing of the beginning.
        let limited = json!({"considered": 2, "feasible": ["a"]});
        assert_eq!(shown(&json!([all(&["c", "a"]), limited, all(&["c", "b"])])), 1);
    }
}
