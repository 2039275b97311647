//! The measure: runs strategies on identical workloads, checks every history, and writes what it
//! measured.
//!
//! A program is [`Harness::new`] with what its user registers, and [`Harness::main`]; the binary
//! `harness` registers nothing more. `examples/fifth_strategy` is a program with a strategy of
//! its own.
//!
//! Files import downwards only: settings know no command line, what measures knows no commands,
//! and no two files import each other.

mod audit;
mod builtin;
mod check;
mod cli;
mod cluster;
mod deploy;
mod described;
mod ending;
mod error;
mod events;
mod fault;
mod from_git;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod group_watch;
mod harness;
mod health;
mod interrupt;
mod load;
mod log;
mod machine;
mod memory;
mod node;
mod notes;
mod numbers;
mod peak;
mod plot;
mod program;
mod progress;
mod registry;
mod report;
mod results;
mod run;
mod settings;
mod setup;
mod sim;
mod sweep;
mod tables;
mod time;
mod top;
mod trace;
mod trial;
mod verdicts;
mod workload;

pub use clap;
pub use error::{RegistrationError, UsageError};
pub use harness::Harness;
pub use registry::info::{ClusterShape, Directory, StrategyInfo};
pub use registry::list::{Empty, With};
pub use registry::workloads::{ServiceVisitor, WorkloadVisitor, Workloads};
pub use ssmr_check::{Act, Shown, Terms};
pub use workload::contract::{
    Arrival, Invariants, LoadShape, Next, Workload, WorkloadFlags, WorkloadInfo,
};
pub use workload::knobs::{Knob, Knobs};
pub use workload::popularity::Popularity;
pub use workload::run_number::{NoRunNumber, RunNumber};
pub use workload::value_size::ValueSize;
