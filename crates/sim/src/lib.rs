//! The adversary: a deterministic simulator for the whole system. [`ssmr_check`] judges every run.
//!
//! The same replicas and clients that run over TCP run here in virtual time, on a network that
//! delays, reorders, loses and doubles, while replicas stop, clients die and the cache forgets. A
//! run is a pure function of its seed.
//!
//! - [`simulate()`]: one run, from seed to [`SimulationReport`] or [`Failure`].
//! - [`mod@conformance`]: what every strategy must pass, as a test of a few lines.

pub mod app;
mod cache;
pub mod conformance;
mod hostile;
mod network;
mod options;
mod replay;
mod report;
mod shrink;
mod simulate;
mod trace;
mod twins;
mod violation;
mod watch;
mod workload;
mod world;

pub use network::Seat;
pub use options::{Options, Profile};
pub use replay::{Recording, chronicle, record, trace};
pub use report::SimulationReport;
pub use shrink::{Shrunk, shrink};
pub use simulate::{Failure, simulate, simulate_seated, topology};
pub use ssmr_check::{Rejection, ViolationKind};
#[doc(no_inline)]
pub use ssmr_core::Oracle;
pub use trace::Timeline;
pub use violation::{Invariant, InvariantViolation, OrderViolation, Stall};
pub use world::{Seated, World};
