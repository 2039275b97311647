//! Workload `append`: transactions that read lists and append to them, as Elle wants them.
//!
//! Every element is another number, so whoever reads a list sees which transactions came before,
//! and in which order: two lists in one answer show it across partitions. Lists stay short because
//! clients go on to fresh ones, which they race to create.
//!
//! K. Kingsbury, P. Alvaro, *Elle: Inferring Isolation Anomalies from Experimental Observations*,
//! VLDB 2020. The static attribute is the list itself.

pub(crate) mod flags;
mod service;
mod settings;
mod steps;
mod workload;
