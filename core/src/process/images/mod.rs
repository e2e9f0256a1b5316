//! Container images: names, what is in them, and the registries that have them.
//!
//! An image name is parsed as containerd parses it ([`Reference`]); a
//! [`Registry`] stands for all registries of the world at once and knows which
//! repositories and tags exist, how large they are and what they contain
//! ([`Image`]). What it does not have fails with the words of the real registry
//! ([`PullError`]).
//!
//! Nothing is downloaded and no layer is unpacked: an image is a list of the
//! programs and files that simulated processes may find in it.

mod catalogue;
mod image;
mod reference;
mod registry;

pub use image::{Image, Layer, Rootfs, Tool};
pub use reference::{InvalidReference, Reference};
pub use registry::{ImageSpec, PullError, Registry, Unknown};
