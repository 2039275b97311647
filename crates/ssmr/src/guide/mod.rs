//! How to use it, page by page. Each example here starts a cluster and runs.
//!
//! - [`services`]: objects, operations and replies; what must be deterministic; several things in
//!   one command.
//! - [`strategies`]: which of the four to take, and how to choose at run time.
//! - [`exactly_once`]: what a call's end says, time-outs, dropped futures, back-pressure, shutdown.
//! - [`transactions`]: commands that depend on what was read before.
//! - [`runtimes`]: which executors and flavours, and what runs in which thread.
//! - [`deployment`]: durable clusters, configurations in files, a process for each replica.
//! - [`evolution`]: how a service's types change while its objects stay.

/// Objects, operations, replies.
#[doc = include_str!("services.md")]
pub mod services {}

/// Which strategy.
#[doc = include_str!("strategies.md")]
pub mod strategies {}

/// What a call's end says.
#[doc = include_str!("exactly_once.md")]
pub mod exactly_once {}

/// What depends on what is read.
#[doc = include_str!("transactions.md")]
pub mod transactions {}

/// Where it runs.
#[doc = include_str!("runtimes.md")]
pub mod runtimes {}

/// Clusters that last.
#[doc = include_str!("deployment.md")]
pub mod deployment {}

/// Types that change.
#[doc = include_str!("evolution.md")]
pub mod evolution {}
