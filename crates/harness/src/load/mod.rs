//! The load: the clients of a run, through loading, warming up, measuring and draining.
//!
//! It judges nothing; it hands every completion to the history and keeps a [`sample::Sample`] of
//! each measured command. Invariant: a client that has submitted a request waits for its
//! completion, or notes that nobody will answer it, so the history lacks nothing.

pub(crate) mod churn;
mod client;
pub(crate) mod clients;
pub(crate) mod job;
pub(crate) mod order;
mod pace;
pub(crate) mod sample;
pub(crate) mod tape;
mod transaction;

#[cfg(test)]
mod asked;
#[cfg(test)]
mod shared_cluster;
