//! Rules of the allocator.
