//! How much a pod asks for: containers side by side, init containers one after the other,
//! sidecars throughout (`k8s.io/component-helpers/resource`, `PodRequests`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::resources::{ResourceId, ResourceNames, Resources, amount_of};
use super::symbols::Symbols;

/// What a container without a cpu request is taken to use when nodes are scored: 100m.
pub const DEFAULT_MILLI_CPU: i64 = 100;
/// What a container without a memory request is taken to use when nodes are scored: 200 MiB.
pub const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

/// The three ways in which the scheduler counts a pod's requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Requests {
    /// As asked for: what filters check and nodes account for.
    pub exact: Resources,
    /// With defaults for containers that ask for no cpu or no memory: what a bound pod counts in scores.
    pub nonzero: Resources,
    /// Like `nonzero`, but blind to pod-level resources: what `NodeResourcesFit` scores for the
    /// incoming pod (in v1.36 its scorer is never told that pod-level resources are enabled).
    pub scored: Resources,
}

impl Requests {
    /// Adds up a pod's requests. A limit without a request is also the request, as the API server defaults it.
    pub fn new(pod: &Pod, names: &mut ResourceNames, symbols: &mut Symbols) -> Self {
        let Some(spec) = &pod.spec else { return Self::default() };
        let mut read = |resources: Option<&ResourceRequirements>| {
            Resources::from_list(&effective(resources), names, symbols)
        };
        let containers: Vec<_> = spec.containers.iter().map(|c| read(c.resources.as_ref())).collect();
        let init: Vec<_> = spec
            .init_containers
            .iter()
            .flatten()
            .map(|c| (is_sidecar(c), read(c.resources.as_ref()), c.resources.as_ref()))
            .collect();
        let with_default = |resources: Option<&ResourceRequirements>, exact: &Resources| {
            let list = effective(resources);
            let mut filled = exact.clone();
            if !list.contains_key("cpu") {
                filled.set(ResourceId::CPU, DEFAULT_MILLI_CPU);
            }
            if !list.contains_key("memory") {
                filled.set(ResourceId::MEMORY, DEFAULT_MEMORY);
            }
            filled
        };
        let filled: Vec<_> = spec
            .containers
            .iter()
            .zip(&containers)
            .map(|(c, exact)| with_default(c.resources.as_ref(), exact))
            .collect();
        let filled_init: Vec<_> =
            init.iter().map(|(sidecar, exact, list)| (*sidecar, with_default(*list, exact))).collect();
        let init: Vec<_> = init.into_iter().map(|(sidecar, exact, _)| (sidecar, exact)).collect();

        let mut exact = total(&containers, &init);
        let mut scored = total(&filled, &filled_init);
        let mut nonzero = scored.clone();
        for (name, amount) in effective(spec.resources.as_ref()) {
            if name == "cpu" || name == "memory" || name.starts_with("hugepages-") {
                let id = names.intern(&name, symbols);
                exact.set(id, amount_of(id, &amount));
                nonzero.set(id, amount_of(id, &amount));
            }
        }
        if let Some(overhead) = &spec.overhead {
            let overhead = Resources::from_list(overhead, names, symbols);
            exact.add(&overhead);
            nonzero.add(&overhead);
            scored.add(&overhead);
        }
        Self { exact, nonzero, scored }
    }
}

/// Whether an init container keeps running beside the others.
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// Requests, and limits where there is no request.
fn effective(resources: Option<&ResourceRequirements>) -> BTreeMap<String, Quantity> {
    let mut list = BTreeMap::new();
    if let Some(resources) = resources {
        list.extend(resources.limits.clone().unwrap_or_default());
        list.extend(resources.requests.clone().unwrap_or_default());
    }
    list
}

/// The most that is needed at any moment of the pod's life.
fn total(containers: &[Resources], init: &[(bool, Resources)]) -> Resources {
    let mut running = Resources::default();
    for container in containers {
        running.add(container);
    }
    let mut sidecars = Resources::default();
    let mut starting = Resources::default();
    for (is_sidecar, container) in init {
        if *is_sidecar {
            running.add(container);
            sidecars.add(container);
            starting.max(&sidecars);
        } else {
            let mut step = container.clone();
            step.add(&sidecars);
            starting.max(&step);
        }
    }
    running.max(&starting);
    running
}
