//! What the devices of a claim must have in common, or must not; and taints.

use k8s_openapi::api::resource::v1::{
    Device, DeviceAttribute, DeviceConstraint, DeviceTaint, DeviceToleration,
};

/// A constraint, and the devices that were added to it.
#[derive(Clone, Debug)]
pub(super) struct Constraint {
    attribute: String,
    /// Empty for all requests of the claim.
    requests: Vec<String>,
    distinct: bool,
    /// What the devices have, the latest last.
    values: Vec<DeviceAttribute>,
}

impl Constraint {
    /// None for a kind of constraint that does not exist.
    pub fn new(constraint: &DeviceConstraint) -> Option<Self> {
        let (matching, distinct) = (&constraint.match_attribute, &constraint.distinct_attribute);
        Some(Self {
            attribute: matching.clone().or_else(|| distinct.clone())?,
            requests: constraint.requests.clone().unwrap_or_default(),
            distinct: matching.is_none(),
            values: Vec::new(),
        })
    }

    /// Whether it speaks of a request; `request/alternative` is spoken of by either name.
    fn applies(&self, request: &str) -> bool {
        let parent = request.split_once('/').map_or(request, |(parent, _)| parent);
        self.requests.is_empty() || self.requests.iter().any(|name| name == request || name == parent)
    }

    /// Adds a device, unless that breaks the constraint. Once it is broken, more devices never mend it.
    pub fn add(&mut self, request: &str, driver: &str, device: &Device) -> bool {
        if !self.applies(request) {
            return true;
        }
        let Some(value) = attribute(device, driver, &self.attribute) else { return false };
        let fits = if self.distinct {
            self.values.iter().all(|known| !same(known, value))
        } else {
            self.values.first().is_none_or(|known| same(known, value))
        };
        if fits {
            self.values.push(value.clone());
        }
        fits
    }

    /// Takes back the device that was added last.
    pub fn remove(&mut self, request: &str) {
        if self.applies(request) {
            self.values.pop();
        }
    }
}

/// An attribute by its full name; drivers may leave out their own domain.
fn attribute<'a>(device: &'a Device, driver: &str, name: &str) -> Option<&'a DeviceAttribute> {
    let attributes = device.attributes.as_ref()?;
    attributes.get(name).or_else(|| {
        let (domain, id) = name.split_once('/')?;
        attributes.get(id).filter(|_| domain == driver)
    })
}

/// Whether both have one value of one type. Versions are equal only if they are written alike.
fn same(a: &DeviceAttribute, b: &DeviceAttribute) -> bool {
    (a.string.is_some() && a.string == b.string)
        || (a.int.is_some() && a.int == b.int)
        || (a.bool.is_some() && a.bool == b.bool)
        || (a.version.is_some() && a.version == b.version)
}

/// Whether a taint of a device keeps a request away that tolerates these.
pub(super) fn keeps_away(taint: &DeviceTaint, tolerations: &[DeviceToleration]) -> bool {
    let tolerates = |toleration: &DeviceToleration| {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted.is_empty() || wanted == found)
        };
        let value = taint.value.as_deref().unwrap_or_default();
        is(&toleration.effect, &taint.effect)
            && is(&toleration.key, &taint.key)
            && match toleration.operator.as_deref() {
                Some("Exists") => true,
                None | Some("" | "Equal") => toleration.value.as_deref().unwrap_or_default() == value,
                Some(_) => false,
            }
    };
    matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute") && !tolerations.iter().any(tolerates)
}
