//! What a program has registered: strategies, and workloads as a list of types.
//!
//! A workload is a type: it brings its service's types and flags, and who works with one that is
//! chosen at run time brings a visitor. Invariant: the lists are checked before the command line is
//! read, so a name that got past it is found once.

pub(crate) mod check;
pub(crate) mod info;
pub(crate) mod list;
pub(crate) mod strategies;
pub(crate) mod workloads;
