//! The search for devices: claim after claim, request after request, device after device, all the way back where it
//! fails (`k8s.io/dynamic-resource-allocation/structured`). The first solution counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::super::cluster::devices::{
    Allocation, Allotted, Claim, Class, Device, DeviceId, Reach, Slice, Wanted,
};
use super::super::super::cluster::{Cluster, NodeInfo};
use super::cel::Selectors;
use super::constraints::{Constraint, keeps_away};
use super::pools::{Pool, pools};

/// A claim never gets more devices than this (`AllocationResultsMaxSize`).
const MOST_DEVICES: usize = 32;

/// After so many tries the search gives up. Upstream has a time-out of ten seconds instead, which no clock here can
/// tell; a search that finds something needs a few dozen.
const MOST_STEPS: u32 = 200_000;

/// Why there is no allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Something is wrong with a claim, a class or a pool: scheduling of the pod ends with this.
    Error(String),
    /// Not on this node.
    Node(String),
}

/// How a branch of the search ended.
enum Stop {
    Failure(Failure),
    /// More devices than a claim can have.
    TooMany,
}

/// What one choice of a request comes to on the node.
struct Choice<'a> {
    wanted: &'a Wanted,
    class: &'a Class,
    count: usize,
    /// All devices that fit, where all are wanted.
    all: Option<Vec<Place>>,
}

/// Pool, slice, device.
type Place = (usize, usize, usize);

/// Where the search is: claim, request, choice once there is one, and how many devices that has.
#[derive(Clone, Copy)]
struct At {
    claim: usize,
    request: usize,
    choice: Option<usize>,
    device: usize,
}

pub(super) struct Allocator<'a> {
    cluster: &'a Cluster,
    selectors: &'a Selectors,
    node: &'a NodeInfo,
    claims: &'a [Arc<Claim>],
    pools: Vec<Pool<'a>>,
    /// By claim and request.
    choices: Vec<Vec<Vec<Choice<'a>>>>,
    constraints: Vec<Vec<Constraint>>,
    /// Devices that the search holds at present, with the claims for which it does.
    taken: BTreeMap<DeviceId, Vec<usize>>,
    results: Vec<Vec<(Allotted, Place)>>,
    steps: u32,
}

/// Finds devices for claims on a node; none if there are not enough that suit.
pub(super) fn allocate(
    cluster: &Cluster,
    selectors: &Selectors,
    node: &NodeInfo,
    claims: &[Arc<Claim>],
) -> Result<Option<Vec<Allocation>>, Failure> {
    let mut search = Allocator {
        cluster,
        selectors,
        node,
        claims,
        pools: pools(cluster, node)?,
        choices: Vec::new(),
        constraints: Vec::new(),
        taken: BTreeMap::new(),
        results: vec![Vec::new(); claims.len()],
        steps: 0,
    };
    search.prepare()?;
    let start = At { claim: 0, request: 0, choice: None, device: 0 };
    match search.step(start, (0, 0, 0)) {
        Ok(true) => Ok(Some(search.allocations())),
        Err(Stop::Failure(failure)) => Err(failure),
        Ok(false) | Err(Stop::TooMany) => {
            if search.pools.iter().any(|pool| pool.invalid) {
                return Err(Failure::Node("invalid resource pools were encountered".to_owned()));
            }
            Ok(None)
        }
    }
}

impl<'a> Allocator<'a> {
    /// Looks at all requests before any device is taken.
    fn prepare(&mut self) -> Result<(), Failure> {
        for (index, claim) in self.claims.iter().enumerate() {
            let name = || claim.text(&self.cluster.symbols);
            let mut requests = Vec::new();
            let mut fewest = 0;
            for request in &claim.requests {
                let mut choices = Vec::new();
                for wanted in &request.choices {
                    choices.push(self.choice(index, wanted)?);
                }
                fewest += choices.iter().map(|choice| choice.count).min().unwrap_or(0);
                requests.push(choices);
            }
            if fewest > MOST_DEVICES {
                return Err(Failure::Error(format!(
                    "claim {}: number of requested devices {fewest} exceeds the claim limit of {MOST_DEVICES}",
                    name()
                )));
            }
            let constraints: Option<Vec<_>> = claim.constraints.iter().map(Constraint::new).collect();
            let constraints = constraints.ok_or_else(|| {
                let number = claim.constraints.iter().position(|one| Constraint::new(one).is_none());
                Failure::Error(format!(
                    "claim {}, constraint #{}: empty constraint (unsupported constraint type?)",
                    name(),
                    number.unwrap_or(0)
                ))
            })?;
            self.choices.push(requests);
            self.constraints.push(constraints);
        }
        Ok(())
    }

    fn choice(&self, index: usize, wanted: &'a Wanted) -> Result<Choice<'a>, Failure> {
        let symbols = &self.cluster.symbols;
        let claim = self.claims[index].text(symbols);
        if let Some(what) = wanted.not_modelled {
            return Err(Failure::Error(format!("not modelled: {what}")));
        }
        // The name of an alternative without its request's.
        let name = wanted.name.rsplit('/').next().unwrap_or_default();
        let known = symbols.get(&wanted.class).and_then(|class| self.cluster.devices.class(class));
        let class = known.ok_or_else(|| {
            let class = &wanted.class;
            Failure::Error(format!(
                "claim {claim}, request {name}: could not retrieve device class {class}: \
                 deviceclass.resource.k8s.io {class:?} not found"
            ))
        })?;
        let Some(count) = wanted.count else {
            let mut all = Vec::new();
            for (p, pool) in self.pools.iter().enumerate() {
                let state = match (pool.incomplete, pool.invalid) {
                    (true, _) => "being updated",
                    (false, true) => "invalid",
                    (false, false) => "",
                };
                if !state.is_empty() {
                    let pool = format!("{}/{}", pool.driver, pool.name);
                    return Err(Failure::Error(format!(
                        "claim {claim}, request {name}: asks for all devices, but resource pool {pool} is \
                         currently {state}"
                    )));
                }
                for (s, slice) in pool.slices.iter().enumerate() {
                    for (d, device) in slice.devices.iter().enumerate() {
                        if self.selects(index, wanted, class, slice, device)? {
                            all.push((p, s, d));
                        }
                    }
                }
            }
            return Ok(Choice { wanted, class, count: all.len(), all: Some(all) });
        };
        Ok(Choice { wanted, class, count, all: None })
    }

    /// Whether a device is of the class, and as the request wants it.
    fn selects(
        &self,
        claim: usize,
        wanted: &Wanted,
        class: &Class,
        slice: &Slice,
        device: &Device,
    ) -> Result<bool, Failure> {
        let symbols = &self.cluster.symbols;
        for (number, selector) in class.selectors.iter().enumerate() {
            let verdict = self.selectors.answer(selector, device.id).map_err(|error| {
                Failure::Error(format!("class {}: selector #{number}: {error}", symbols.name(class.name)))
            });
            if !verdict? {
                return Ok(false);
            }
        }
        for (number, selector) in wanted.selectors.iter().enumerate() {
            let verdict = self.selectors.answer(selector, device.id).map_err(|error| {
                let claim = self.claims[claim].text(symbols);
                Failure::Error(format!("claim {claim}: selector #{number}: {error}"))
            });
            if !verdict? {
                return Ok(false);
            }
        }
        Ok(slice.reaches(device, self.node, symbols))
    }

    /// Takes the next device, and all that come after it; says whether that worked out.
    fn step(&mut self, at: At, from: Place) -> Result<bool, Stop> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(Stop::Failure(Failure::Node("timed out trying to allocate devices".to_owned())));
        }
        if at.claim >= self.claims.len() {
            return Ok(true);
        }
        if at.request >= self.claims[at.claim].requests.len() {
            let next = At { claim: at.claim + 1, request: 0, choice: None, device: 0 };
            return match self.step(next, (0, 0, 0)) {
                Err(Stop::TooMany) => Ok(false),
                other => other,
            };
        }
        let Some(number) = at.choice else { return self.choose(at) };
        let choice = &self.choices[at.claim][at.request][number];
        let (wanted, class, count) = (choice.wanted, choice.class, choice.count);
        let mut place = None;
        if let Some(all) = &choice.all {
            if all.is_empty() {
                return Ok(false);
            }
            place = all.get(at.device).copied();
        }
        if at.device >= count {
            let next = At { request: at.request + 1, choice: None, device: 0, ..at };
            return self.step(next, (0, 0, 0));
        }
        if self.results[at.claim].len() + count - at.device > MOST_DEVICES {
            return Err(Stop::TooMany);
        }
        let next = At { device: at.device + 1, ..at };
        if let Some(place) = place {
            // All are wanted, so this one is, and no other will do.
            if !self.take(at, wanted, place, true)? {
                return Ok(false);
            }
            let done = self.step(next, (0, 0, 0));
            if !matches!(done, Ok(true)) {
                self.give_back(at.claim, wanted);
            }
            return done;
        }
        for p in from.0..self.pools.len() {
            if self.pools[p].incomplete || self.pools[p].invalid {
                continue;
            }
            let first_slice = if p == from.0 { from.1 } else { 0 };
            for s in first_slice..self.pools[p].slices.len() {
                let slice = Arc::clone(self.pools[p].slices[s]);
                let first = if (p, s) == (from.0, from.1) { from.2 } else { 0 };
                for d in first..slice.devices.len() {
                    let device = &slice.devices[d];
                    if !self.is_free(device.id, at.claim, wanted.admin)
                        || !self.selects(at.claim, wanted, class, &slice, device).map_err(Stop::Failure)?
                        || !self.take(at, wanted, (p, s, d), false)?
                    {
                        continue;
                    }
                    // Devices of one request come in their order: sets are tried, not sequences.
                    let done = self.step(next, (p, s, d + 1));
                    if matches!(done, Ok(true)) {
                        return done;
                    }
                    self.give_back(at.claim, wanted);
                    done?;
                }
            }
        }
        Ok(false)
    }

    /// Tries the alternatives of a request, the best first.
    fn choose(&mut self, at: At) -> Result<bool, Stop> {
        let prioritized = self.claims[at.claim].requests[at.request].prioritized;
        let mut always_too_many = true;
        for number in 0..self.choices[at.claim][at.request].len() {
            match self.step(At { choice: Some(number), ..at }, (0, 0, 0)) {
                Err(Stop::TooMany) if prioritized => {}
                Ok(false) => always_too_many = false,
                other => return other,
            }
        }
        if always_too_many && prioritized { Err(Stop::TooMany) } else { Ok(false) }
    }

    fn is_free(&self, device: DeviceId, claim: usize, admin: bool) -> bool {
        let holders = self.taken.get(&device).map(Vec::as_slice).unwrap_or_default();
        if admin {
            !holders.contains(&claim)
        } else {
            holders.is_empty() && !self.cluster.devices.is_held(device)
        }
    }

    /// Takes a device, if it is free, its taints are tolerated and all constraints hold.
    fn take(&mut self, at: At, wanted: &Wanted, place: Place, must: bool) -> Result<bool, Stop> {
        let slice = Arc::clone(self.pools[place.0].slices[place.1]);
        let device = &slice.devices[place.2];
        if !self.is_free(device.id, at.claim, wanted.admin) {
            return Ok(false);
        }
        let taints = device.object.taints.as_deref().unwrap_or_default();
        if taints.iter().any(|taint| keeps_away(taint, &wanted.tolerations)) {
            return Ok(false);
        }
        for index in 0..self.constraints[at.claim].len() {
            if self.constraints[at.claim][index].add(&wanted.name, &slice.driver, &device.object) {
                continue;
            }
            for earlier in &mut self.constraints[at.claim][..index] {
                earlier.remove(&wanted.name);
            }
            if must {
                let symbols = &self.cluster.symbols;
                let claim = self.claims[at.claim].text(symbols);
                let name = wanted.name.rsplit('/').next().unwrap_or_default();
                let device = self.cluster.devices.text(device.id, symbols);
                return Err(Stop::Failure(Failure::Error(format!(
                    "claim {claim}, request {name}: cannot add device {device} because a claim constraint would \
                     not be satisfied"
                ))));
            }
            return Ok(false);
        }
        self.taken.entry(device.id).or_default().push(at.claim);
        let allotted = Allotted { request: Arc::clone(&wanted.name), device: device.id, admin: wanted.admin };
        self.results[at.claim].push((allotted, place));
        Ok(true)
    }

    /// Gives back the device that a claim took last.
    fn give_back(&mut self, claim: usize, wanted: &Wanted) {
        for constraint in &mut self.constraints[claim] {
            constraint.remove(&wanted.name);
        }
        if let Some((allotted, _)) = self.results[claim].pop()
            && let Some(holders) = self.taken.get_mut(&allotted.device)
        {
            holders.retain(|holder| *holder != claim);
        }
    }

    fn allocations(&self) -> Vec<Allocation> {
        let of_claim = |results: &Vec<(Allotted, Place)>| Allocation {
            devices: results.iter().map(|(allotted, _)| allotted.clone()).collect(),
            reach: self.reach(results),
        };
        self.results.iter().map(of_claim).collect()
    }

    /// Where all devices of a claim can be reached: on this node alone, if any of them is bound to it.
    fn reach(&self, results: &[(Allotted, Place)]) -> Reach {
        let mut selected = Vec::new();
        for (_, (p, s, d)) in results {
            let slice = self.pools[*p].slices[*s];
            let device = &slice.devices[*d];
            match slice.reach.as_ref().or(device.reach.as_ref()) {
                Some(Reach::Node(_)) => return Reach::Node(self.node.name),
                _ if device.binds_to_node => return Reach::Node(self.node.name),
                Some(Reach::Selected(terms)) => selected.extend(terms.iter().cloned()),
                _ => {}
            }
        }
        if selected.is_empty() { Reach::Everywhere } else { Reach::Selected(selected) }
    }
}
