//! What every schedule of a policy keeps.
