//! Faults on purpose: what `--fault` asks for, and who carries it out.

mod inflict;
mod schedule;

pub(crate) use inflict::{Faults, Mark};
pub(crate) use schedule::{Fault, check};
