//! The text that tells why a pod waits (`framework.FitError`).

use std::collections::BTreeMap;
use std::fmt::Write;

use super::framework::{NodeStatuses, Reason};

/// `0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s).`
///
/// `pre_filter` is the message of a rejection before any node was looked at, and
/// `post_filter` what the post-filters said; both may be empty.
pub fn fit_error(all_nodes: usize, pre_filter: &str, statuses: &NodeStatuses, post_filter: &str) -> String {
    let mut message = format!("0/{all_nodes} nodes are available:");
    // Writing to a string cannot fail.
    if pre_filter.is_empty() {
        let mut histogram: BTreeMap<&str, usize> = BTreeMap::new();
        for (status, nodes) in statuses.counted() {
            for reason in &status.reasons {
                *histogram.entry(reason.as_str()).or_default() += nodes;
            }
        }
        let absent = all_nodes.saturating_sub(statuses.rejected());
        if absent > 0 {
            for reason in statuses.absent.reasons.iter().map(Reason::as_str) {
                *histogram.entry(reason).or_default() += absent;
            }
        }
        let mut parts: Vec<_> =
            histogram.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        // As text: "10 x" comes before "2 y".
        parts.sort_unstable();
        if !parts.is_empty() {
            let _ = write!(message, " {}.", parts.join(", "));
        }
    } else {
        let _ = write!(message, " {pre_filter}.");
    }
    if !post_filter.is_empty() {
        let _ = write!(message, " {post_filter}");
    }
    message
}
