//! Extended resources that no node counts, but that devices of a class stand in for.

use std::sync::Arc;

use crate::order::InOrder;

use super::super::super::cluster::devices::{Claim, Request, Wanted};
use super::super::super::cluster::{Cluster, ContainerRequests, NodeInfo, PodInfo, Symbol};

/// The extended resources of a pod that devices stand in for, and the name of their class.
pub(super) fn resources(pod: &PodInfo, cluster: &Cluster) -> Vec<(Arc<str>, Arc<str>)> {
    if !cluster.devices.has_classes() {
        return Vec::new();
    }
    let mut found: Vec<_> = (pod.requests.exact.scalars())
        .filter_map(|(id, _)| {
            let resource = cluster.resources.name(id);
            let class = cluster.devices.class_of_resource(resource)?;
            let name = |symbol: Symbol| Arc::clone(cluster.symbols.name(symbol));
            Some((name(resource), name(class.name)))
        })
        .collect();
    found.sort();
    found
}

/// The claim to devices for what a node does not have of them; none if it has all (`filterExtendedResources`).
pub(super) fn claim(
    pod: &PodInfo,
    cluster: &Cluster,
    node: &NodeInfo,
    resources: &[(Arc<str>, Arc<str>)],
) -> Option<Arc<Claim>> {
    let mut requests = Vec::new();
    for (resource, class) in resources {
        let symbol = cluster.symbols.get(resource);
        let id = symbol.and_then(|symbol| cluster.resources.get(symbol));
        if id.is_some_and(|id| node.allocatable.get(id) == 0) {
            requests.extend(of_containers(pod, resource, class));
        }
    }
    if requests.is_empty() {
        return None;
    }
    requests.order_by(|a: &Request, b| a.name.cmp(&b.name));
    Some(Arc::new(Claim {
        key: (pod.namespace, pod.name),
        controller_uid: None,
        terminating: false,
        requests,
        constraints: Vec::new(),
        allocation: None,
        reserved_for: Vec::new(),
        in_flight: false,
    }))
}

/// One request per container that runs to the end, and one for what the largest init container needs beyond what
/// later containers have anyway.
fn of_containers(pod: &PodInfo, resource: &str, class: &Arc<str>) -> Vec<Request> {
    let containers = &pod.rest.extended;
    let is_short = |index: usize| containers[index].ends_early;
    let asks_for = |container: &ContainerRequests| {
        let asked = container.asked.iter().find(|(name, ..)| **name == *resource);
        asked.map(|(_, place, amount)| (*amount, *place)).unwrap_or_default()
    };
    let asked: Vec<(usize, usize)> = containers.iter().map(asks_for).collect();
    let request = |index: usize, count: usize| {
        let name: Arc<str> = format!("container-{index}-request-{}", asked[index].1).into();
        let wanted = Wanted {
            name: Arc::clone(&name),
            class: Arc::clone(class),
            selectors: Vec::new(),
            count: Some(count),
            admin: false,
            tolerations: Vec::new(),
            not_modelled: None,
        };
        Request { name, choices: vec![wanted], prioritized: false }
    };
    let mut largest: Option<(usize, usize)> = None;
    for index in (0..containers.len()).filter(|index| is_short(*index)) {
        let later: usize =
            (index..containers.len()).filter(|later| !is_short(*later)).map(|later| asked[later].0).sum();
        let missing = asked[index].0.saturating_sub(later);
        if missing > largest.map_or(0, |(_, count)| count) {
            largest = Some((index, missing));
        }
    }
    let long = (0..containers.len()).filter(|index| !is_short(*index) && asked[*index].0 > 0);
    let long = long.map(|index| (index, asked[index].0));
    largest.into_iter().chain(long).map(|(index, count)| request(index, count)).collect()
}
