//! Floor 1: the machines.
