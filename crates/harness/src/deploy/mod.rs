//! Where a run's replicas live: in threads of this process, in processes of their own, or wherever
//! somebody else runs them; and what they use besides, caches and disks. The load's clients are in
//! this process either way.

pub(crate) mod caches;
mod child;
pub(crate) mod claim;
pub(crate) mod deployment;
pub(crate) mod disks;
pub(crate) mod lines;
mod local_cache;
pub(crate) mod memcached;
pub(crate) mod processes;
mod relay;
pub(crate) mod remote;
pub(crate) mod running;
mod signal;
pub(crate) mod threads;
