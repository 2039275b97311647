//! Workload `trace`: the commands of a file (`docs/traces.md`), in the file's order as far as they
//! have objects in common.
//!
//! The file is read once and kept in memory, some 50 bytes a command of one object. Invariant:
//! what a client asks for is a pure function of the file and of how many clients and partitions
//! there are.

pub(crate) mod flags;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod memory;
mod reading;
mod service;
mod source;
mod steps;
mod workload;
