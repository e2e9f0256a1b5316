//! Amounts of resources as fixed vectors of integers.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::symbols::{Symbol, Symbols};
use crate::kube::quantity::Amount;

/// A kind of resource, as an index into [`Resources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(u16);

impl ResourceId {
    /// `cpu`, in thousandths of a core.
    pub const CPU: Self = Self(0);
    /// `memory`, in bytes.
    pub const MEMORY: Self = Self(1);
    /// `ephemeral-storage`, in bytes.
    pub const EPHEMERAL_STORAGE: Self = Self(2);

    /// How many are not scalar resources.
    const NATIVE: u16 = 3;

    /// Extended resources, huge pages and attachable volumes: all but the three named ones.
    pub const fn is_scalar(self) -> bool {
        self.0 >= Self::NATIVE
    }
}

/// The names of the resources that one scheduler has met.
#[derive(Clone, Debug)]
pub struct ResourceNames {
    names: Vec<Symbol>,
}

impl ResourceNames {
    /// A table that knows the native resources.
    pub fn new(symbols: &mut Symbols) -> Self {
        Self { names: ["cpu", "memory", "ephemeral-storage"].map(|name| symbols.intern(name)).into() }
    }

    /// The resource of that name, new or known.
    pub fn intern(&mut self, name: &str, symbols: &mut Symbols) -> ResourceId {
        let symbol = symbols.intern(name);
        // A cluster has a dozen resources.
        let index = self.names.iter().position(|&known| known == symbol).unwrap_or_else(|| {
            self.names.push(symbol);
            self.names.len() - 1
        });
        // More than 65,535 resources share the last index; validation stops at far fewer.
        ResourceId(u16::try_from(index).unwrap_or(u16::MAX))
    }

    /// The resource of that name, if any node or pod has it.
    pub fn get(&self, name: Symbol) -> Option<ResourceId> {
        self.names.iter().position(|&known| known == name).and_then(|i| u16::try_from(i).ok()).map(ResourceId)
    }

    /// The name of a resource.
    pub fn name(&self, id: ResourceId) -> Symbol {
        self.names[usize::from(id.0)]
    }
}

/// An amount of every resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Resources {
    native: [i64; ResourceId::NATIVE as usize],
    /// By index; what lies beyond the end is zero.
    scalar: Vec<i64>,
}

impl Resources {
    /// Reads a resource list (`cpu: 500m, nvidia.com/gpu: 1`). `pods` is no resource of this kind.
    pub fn from_list(
        list: &BTreeMap<String, Quantity>,
        names: &mut ResourceNames,
        symbols: &mut Symbols,
    ) -> Self {
        let mut resources = Self::default();
        for (name, amount) in list {
            if name != "pods" {
                let id = names.intern(name, symbols);
                resources.set(id, amount_of(id, amount));
            }
        }
        resources
    }

    /// How much of one resource.
    #[inline]
    pub fn get(&self, id: ResourceId) -> i64 {
        let index = usize::from(id.0);
        match self.native.get(index) {
            Some(&amount) => amount,
            None => self.scalar.get(index - self.native.len()).copied().unwrap_or(0),
        }
    }

    /// Sets one resource.
    pub fn set(&mut self, id: ResourceId, amount: i64) {
        *self.slot(id) = amount;
    }

    /// Adds `other`, saturating.
    pub fn add(&mut self, other: &Self) {
        self.zip(other, i64::saturating_add);
    }

    /// Takes `other` away, saturating.
    pub fn sub(&mut self, other: &Self) {
        self.zip(other, i64::saturating_sub);
    }

    /// The larger of each resource.
    pub fn max(&mut self, other: &Self) {
        self.zip(other, i64::max);
    }

    /// The scalar resources of which there is any.
    pub fn scalars(&self) -> impl Iterator<Item = (ResourceId, i64)> {
        (ResourceId::NATIVE..)
            .zip(&self.scalar)
            .filter(|&(_, &amount)| amount != 0)
            .map(|(i, &amount)| (ResourceId(i), amount))
    }

    /// Whether there is nothing at all.
    pub fn is_zero(&self) -> bool {
        self.native.iter().chain(&self.scalar).all(|&amount| amount == 0)
    }

    fn slot(&mut self, id: ResourceId) -> &mut i64 {
        let index = usize::from(id.0);
        if index < self.native.len() {
            return &mut self.native[index];
        }
        let index = index - self.native.len();
        if index >= self.scalar.len() {
            self.scalar.resize(index + 1, 0);
        }
        &mut self.scalar[index]
    }

    fn zip(&mut self, other: &Self, combine: fn(i64, i64) -> i64) {
        for (mine, theirs) in self.native.iter_mut().zip(&other.native) {
            *mine = combine(*mine, *theirs);
        }
        if self.scalar.len() < other.scalar.len() {
            self.scalar.resize(other.scalar.len(), 0);
        }
        for (mine, theirs) in self.scalar.iter_mut().zip(&other.scalar) {
            *mine = combine(*mine, *theirs);
        }
    }
}

/// The amount in the unit in which this resource is counted.
pub fn amount_of(id: ResourceId, quantity: &Quantity) -> i64 {
    let amount = parse(quantity);
    if id == ResourceId::CPU { amount.milli_value() } else { amount.value() }
}

/// A quantity; what does not parse counts as nothing, as the API server never lets it through.
pub fn parse(quantity: &Quantity) -> Amount {
    quantity.0.parse().unwrap_or_default()
}
