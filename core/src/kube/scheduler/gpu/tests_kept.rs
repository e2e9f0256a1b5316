//! With kept answers and without, the same is decided about shares of GPUs.

use proptest::prelude::*;
use serde_json::json;

use super::super::Recording;
use super::tests::{node, pod, scheduler};
use super::{GPU_CARD_MODEL, GPU_INDEX};
use crate::sim::SimTime;

/// A pod comes (of one of eight patterns) or one goes.
#[derive(Clone, Copy, Debug)]
enum Event {
    Comes(u8),
    Goes(u8),
}

/// Every pod with its node and message, and how many nodes were looked at.
fn decisions(policy: &str, events: &[Event], kept: bool) -> Vec<(String, Option<String>, String, usize)> {
    let mut scheduler = scheduler(policy, "best");
    scheduler.set_recording(Recording::Brief, 0);
    scheduler.set_answers_kept(kept);
    for (index, model) in ["A100", "A100", "T4", "T4", "V100"].iter().enumerate() {
        scheduler.add_node(node(&format!("n{index}"), 8 + index as u32, 2, model));
    }
    let mut log = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let name = format!("p{index}");
        match *event {
            Event::Goes(index) => scheduler.remove_pod("default", &format!("p{index}")),
            Event::Comes(pattern) => {
                let more = match pattern {
                    5 => json!({"annotations": {GPU_CARD_MODEL: "T4|V100"}}),
                    6 => json!({"annotations": {GPU_INDEX: "1"}}),
                    7 => json!({"annotations": {GPU_CARD_MODEL: "H100"}}),
                    _ => json!({}),
                };
                let (milli, count) = match pattern {
                    0 => (0, 0),
                    1 => (1000, 1),
                    2 => (1000, 2),
                    3 => (300, 1),
                    _ => (600, 1),
                };
                scheduler.add_pod(pod(&name, 1, milli, count, &more));
            }
        }
        while let Some(decision) = scheduler.schedule_one(SimTime::ZERO) {
            let node = decision.node().map(ToString::to_string);
            let (message, seen) = (decision.attempt.message.clone(), decision.attempt.evaluated);
            log.push((decision.name.to_string(), node, message, seen));
        }
    }
    log
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn kept_answers_change_nothing_for_pods_that_share_gpus(
        events in proptest::collection::vec(
            prop_oneof![4 => (0_u8..8).prop_map(Event::Comes), 1 => (0_u8..60).prop_map(Event::Goes)],
            1..60,
        ),
    ) {
        for policy in ["FGDScore", "BestFitScore"] {
            prop_assert_eq!(decisions(policy, &events, true), decisions(policy, &events, false));
        }
    }
}
