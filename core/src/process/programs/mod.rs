//! The programs that are simulated inside containers.
//!
//! Each is a small state machine that is stepped at an instant, prints to its
//! streams and says when it wants to be woken. None knows the container that it
//! runs in; what a program needs to see is handed to each step.

pub mod nvidia_smi;
