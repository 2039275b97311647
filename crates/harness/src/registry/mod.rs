//! What a program has registered: strategies and workloads, as lists of types.
//!
//! A strategy or workload is a type, not an object behind a pointer, so that measuring one costs
//! no indirection. Who works with one that is chosen at run time brings a visitor. Invariant: the
//! lists are checked before the command line is read, so a name that got past it is found once.

pub(crate) mod check;
pub(crate) mod info;
pub(crate) mod list;
pub(crate) mod strategies;
pub(crate) mod workloads;
