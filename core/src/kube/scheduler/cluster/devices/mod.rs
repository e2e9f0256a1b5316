//! Devices that pods can claim: slices, classes, claims, and which devices are in use.

mod objects;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::order::InOrder;
use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim, ResourceSlice};

use super::symbols::{Symbol, Symbols};
pub use objects::{
    Allocation, Allotted, Claim, ClaimKey, Class, Consumer, Device, Reach, Request, Slice, Wanted,
};

/// A device, as an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(u32);

impl DeviceId {
    /// Its number, for tables indexed by device.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Names of all devices there ever were.
#[derive(Clone, Debug, Default)]
pub struct DeviceNames {
    names: Vec<(Symbol, Symbol, Symbol)>,
    // Only looked up, never iterated: its order cannot show.
    ids: HashMap<(Symbol, Symbol, Symbol), DeviceId>,
}

impl DeviceNames {
    fn intern(&mut self, driver: &str, pool: &str, device: &str, symbols: &mut Symbols) -> DeviceId {
        let name = (symbols.intern(driver), symbols.intern(pool), symbols.intern(device));
        *self.ids.entry(name).or_insert_with(|| {
            self.names.push(name);
            // Four thousand million devices do not fit in memory.
            DeviceId((self.names.len() - 1) as u32)
        })
    }
}

/// What a pod's claims got on its node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Claims that had nothing before, with what they got.
    pub claims: Vec<(ClaimKey, Arc<Allocation>)>,
    /// All claims that the pod uses.
    pub used: Vec<ClaimKey>,
    /// Devices for extended resources that the node does not have.
    pub extended: Option<Arc<Allocation>>,
}

/// Driver and pool.
type PoolKey = (Arc<str>, Arc<str>);

/// All slices, classes and claims, as they were last heard of.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    version: u64,
    names: DeviceNames,
    slices: BTreeMap<Arc<str>, Arc<Slice>>,
    /// Slices by name for the one node from which they can be reached.
    on_node: BTreeMap<Symbol, BTreeSet<Arc<str>>>,
    /// All other slices by name.
    shared: BTreeSet<Arc<str>>,
    pools: BTreeMap<PoolKey, BTreeSet<Arc<str>>>,
    classes: BTreeMap<Symbol, Arc<Class>>,
    /// The class behind an extended resource.
    by_resource: BTreeMap<Symbol, Symbol>,
    claims: BTreeMap<ClaimKey, Arc<Claim>>,
    /// What pods hold for extended resources, by namespace and name.
    extended: BTreeMap<(Symbol, Symbol), Arc<Allocation>>,
    /// How many claims hold each device.
    holders: Vec<u32>,
}

impl Devices {
    /// Another number whenever a slice came, changed or went.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Takes over a slice.
    pub fn set_slice(&mut self, slice: &ResourceSlice, symbols: &mut Symbols) {
        self.remove_slice(slice.metadata.name.as_deref().unwrap_or_default());
        let slice = Arc::new(Slice::new(slice, self.version, &mut self.names, symbols));
        let name = Arc::clone(&slice.name);
        match slice.reach {
            Some(Reach::Node(node)) => self.on_node.entry(node).or_default().insert(Arc::clone(&name)),
            _ => self.shared.insert(Arc::clone(&name)),
        };
        let pool = (Arc::clone(&slice.driver), Arc::clone(&slice.pool));
        self.pools.entry(pool).or_default().insert(Arc::clone(&name));
        self.slices.insert(name, slice);
    }

    /// Forgets a slice.
    pub fn remove_slice(&mut self, name: &str) {
        self.version += 1;
        let Some(old) = self.slices.remove(name) else { return };
        self.shared.remove(name);
        if let Some(Reach::Node(node)) = old.reach
            && let Some(names) = self.on_node.get_mut(&node)
        {
            names.remove(name);
        }
        let pool = (Arc::clone(&old.driver), Arc::clone(&old.pool));
        if let Some(names) = self.pools.get_mut(&pool) {
            names.remove(name);
            if names.is_empty() {
                self.pools.remove(&pool);
            }
        }
    }

    /// Takes over a class.
    pub fn set_class(&mut self, class: &DeviceClass, symbols: &mut Symbols) {
        let class = Arc::new(Class::new(class, symbols));
        self.classes.insert(class.name, class);
        self.map_resources(symbols);
    }

    /// Forgets a class.
    pub fn remove_class(&mut self, name: Symbol, symbols: &Symbols) {
        self.classes.remove(&name);
        self.map_resources(symbols);
    }

    /// Of several classes with one extended resource, the youngest counts; of those, the first by name.
    fn map_resources(&mut self, symbols: &Symbols) {
        self.by_resource.clear();
        let mut classes: Vec<_> = self.classes.values().collect();
        classes.order_by(|a, b| {
            b.created.cmp(&a.created).then_with(|| symbols.name(a.name).cmp(symbols.name(b.name)))
        });
        for class in classes {
            self.by_resource.insert(class.implicit_resource, class.name);
            if let Some(resource) = class.extended_resource {
                self.by_resource.entry(resource).or_insert(class.name);
            }
        }
    }

    /// Takes over a claim; answers what it was before.
    pub fn set_claim(
        &mut self,
        claim: &ResourceClaim,
        symbols: &mut Symbols,
    ) -> (Option<Arc<Claim>>, Arc<Claim>) {
        let new = Arc::new(Claim::new(claim, &mut self.names, symbols));
        (self.replace(Arc::clone(&new)), new)
    }

    /// Forgets a claim.
    pub fn remove_claim(&mut self, key: ClaimKey) {
        if let Some(allocation) = self.claims.remove(&key).and_then(|claim| claim.allocation.clone()) {
            self.hold(&allocation, false);
        }
    }

    fn replace(&mut self, new: Arc<Claim>) -> Option<Arc<Claim>> {
        if let Some(allocation) = new.allocation.clone() {
            self.hold(&allocation, true);
        }
        let old = self.claims.insert(new.key, new);
        if let Some(allocation) = old.as_ref().and_then(|claim| claim.allocation.clone()) {
            self.hold(&allocation, false);
        }
        old
    }

    fn change(&mut self, key: ClaimKey, change: impl FnOnce(&mut Claim)) {
        if let Some(claim) = self.claims.get(&key) {
            let mut claim = Claim::clone(claim);
            change(&mut claim);
            self.replace(Arc::new(claim));
        }
    }

    fn hold(&mut self, allocation: &Allocation, holds: bool) {
        for one in allocation.devices.iter().filter(|one| !one.admin) {
            let index = one.device.index();
            if self.holders.len() <= index {
                self.holders.resize(index + 1, 0);
            }
            let count = &mut self.holders[index];
            *count = if holds { *count + 1 } else { count.saturating_sub(1) };
        }
    }

    /// Gives the chosen devices to the claims, for a pod that is about to be bound.
    pub fn assume(&mut self, pod: (Symbol, Symbol), chosen: &Chosen) {
        for (key, allocation) in &chosen.claims {
            self.change(*key, |claim| {
                claim.allocation = Some(Arc::clone(allocation));
                claim.in_flight = true;
            });
        }
        if let Some(allocation) = &chosen.extended {
            self.hold(allocation, true);
            if let Some(old) = self.extended.insert(pod, Arc::clone(allocation)) {
                self.hold(&old, false);
            }
        }
    }

    /// Takes them back: the pod was not bound.
    pub fn revert(&mut self, pod: (Symbol, Symbol), chosen: &Chosen) {
        for (key, allocation) in &chosen.claims {
            self.change(*key, |claim| {
                if claim.allocation.as_ref() == Some(allocation) {
                    claim.allocation = None;
                    claim.in_flight = false;
                }
            });
        }
        self.release(pod);
    }

    /// The pod is bound: its claims are its own.
    pub fn settle(&mut self, consumer: &Consumer, chosen: &Chosen) {
        for key in &chosen.used {
            self.change(*key, |claim| {
                claim.in_flight = false;
                if !claim.is_reserved_for(&consumer.name, &consumer.uid) {
                    claim.reserved_for.push(consumer.clone());
                }
            });
        }
    }

    /// The pod is gone, and with it the claim that was made for its extended resources.
    pub fn release(&mut self, pod: (Symbol, Symbol)) {
        if let Some(allocation) = self.extended.remove(&pod) {
            self.hold(&allocation, false);
        }
    }

    /// Takes the devices of a claim away; nobody uses it.
    pub fn deallocate(&mut self, key: ClaimKey) {
        self.change(key, |claim| {
            claim.allocation = None;
            claim.reserved_for.clear();
        });
    }

    /// A claim.
    pub fn claim(&self, key: ClaimKey) -> Option<&Arc<Claim>> {
        self.claims.get(&key)
    }

    /// All claims.
    pub fn claims(&self) -> impl Iterator<Item = &Arc<Claim>> {
        self.claims.values()
    }

    /// A class.
    pub fn class(&self, name: Symbol) -> Option<&Arc<Class>> {
        self.classes.get(&name)
    }

    /// The class whose devices stand in for an extended resource.
    pub fn class_of_resource(&self, resource: Symbol) -> Option<&Arc<Class>> {
        self.classes.get(self.by_resource.get(&resource)?)
    }

    /// Whether there is any class at all.
    pub fn has_classes(&self) -> bool {
        !self.classes.is_empty()
    }

    /// All slices, by name.
    pub fn slices(&self) -> impl Iterator<Item = &Arc<Slice>> {
        self.slices.values()
    }

    /// The slices that may have devices for the node of that name: its own, and those that are not of one node.
    pub fn slices_near(&self, node: Symbol) -> impl Iterator<Item = &Arc<Slice>> {
        let own = self.on_node.get(&node).into_iter().flatten();
        own.chain(&self.shared).filter_map(|name| self.slices.get(name))
    }

    /// The slices of a pool, by name, of whatever generation.
    pub fn pool(&self, driver: &Arc<str>, pool: &Arc<str>) -> impl Iterator<Item = &Arc<Slice>> {
        let names = self.pools.get(&(Arc::clone(driver), Arc::clone(pool)));
        names.into_iter().flatten().filter_map(|name| self.slices.get(name))
    }

    /// Whether a claim holds the device.
    pub fn is_held(&self, device: DeviceId) -> bool {
        self.holders.get(device.index()).is_some_and(|count| *count > 0)
    }

    /// Driver, pool and name of a device.
    pub fn name(&self, device: DeviceId) -> (Symbol, Symbol, Symbol) {
        self.names.names[device.index()]
    }

    /// `driver/pool/device`
    pub fn text(&self, device: DeviceId, symbols: &Symbols) -> String {
        let (driver, pool, device) = self.name(device);
        format!("{}/{}/{}", symbols.name(driver), symbols.name(pool), symbols.name(device))
    }
}
