//! Workloads: what is created before measuring, and what each client then asks for, without end.
//!
//! A workload knows nothing of strategies, and draws no conclusion from answers but within a
//! command that is a transaction. Invariant: the commands of a client are a pure function of the
//! workload's settings (seed included) and the client's number, so every strategy is asked the
//! same. Runs of different numbers ask the same of other objects ([`run_number`]).

pub(crate) mod append;
pub(crate) mod chirper;
pub(crate) mod churn;
pub(crate) mod contract;
pub(crate) mod graph;
mod home;
pub(crate) mod knobs;
pub(crate) mod kv;
pub(crate) mod linkbench;
pub(crate) mod popularity;
pub(crate) mod random;
pub(crate) mod run_number;
pub(crate) mod tpcc;
pub(crate) mod trace;
pub(crate) mod twitter;
pub(crate) mod value_size;
pub(crate) mod ycsb;
