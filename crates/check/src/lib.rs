//! The judge.
mod blackbox;
mod check;
mod history;
mod interner;
mod operation;
mod spec;
mod summary;
mod violation;
mod witness;

pub use history::History;
pub use summary::Summary;
pub use violation::{Misfit, Rejection, Violation, ViolationKind};
