//! Traces: files of commands that were, or might have been, asked of some service, as lines of JSON
//! or as CSV. `docs/traces.md` describes them for those who write one.
//!
//! It knows no workload and no strategy. Invariant: what is read is within the protocol's bounds,
//! and what is written is read as the same.

pub(crate) mod command;
pub(crate) mod digest;
pub(crate) mod file;
pub(crate) mod line;
mod read_csv;
mod read_json;
pub(crate) mod reader;
pub(crate) mod writer;
