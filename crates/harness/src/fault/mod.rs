//! Faults on purpose: what `--fault` asks for, whether it can be, and who carries it out.

pub(crate) mod agenda;
pub(crate) mod ailments;
pub(crate) mod check;
pub(crate) mod dice;
pub(crate) mod grammar;
pub(crate) mod inflict;
pub(crate) mod mark;
pub(crate) mod target;
pub(crate) mod trouble;
pub(crate) mod word;
