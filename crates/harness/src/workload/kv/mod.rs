//! Workload `kv`: a key-value service, with creates, deletes and moves among its reads and writes.
//!
//! Every client meets objects that others created, deleted or moved a moment ago, so `NotFound` and
//! `AlreadyExists` are ordinary outcomes. It does not follow up on them. Invariant: with as many
//! creates as deletes the number of objects keeps to what was loaded, for a client creates anew
//! what it deleted of the loaded keys.
//!
//! The static attribute is the key itself: a key-value service knows nothing better.

pub(crate) mod flags;
pub(crate) mod service;
pub(crate) mod settings;
mod steps;
mod workload;
