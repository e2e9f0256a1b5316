//! Validation: what may be stored, with the field path and the words of the real API server.

mod names;

pub use names::{is_dns1123_label, is_dns1123_subdomain, is_qualified_name, is_valid_label_value};

use super::{Object, Status, Subresource};

pub(super) fn on_create(_object: &Object) -> Result<(), Status> {
    Ok(())
}

pub(super) fn on_update(_old: &Object, _new: &Object, _subresource: Subresource) -> Result<(), Status> {
    Ok(())
}
