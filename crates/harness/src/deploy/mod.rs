//! Where a run's replicas live: in threads of this process, or in processes of their own. The
//! load's clients are in this process either way.

mod child;
pub(crate) mod deployment;
pub(crate) mod file;
pub(crate) mod lines;
pub(crate) mod processes;
pub(crate) mod threads;
