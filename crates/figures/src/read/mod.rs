//! The files of a run or a sweep, as far as figures need them.

pub(crate) mod folder;
pub(crate) mod groups;
pub(crate) mod intervals;
pub(crate) mod latencies;
pub(crate) mod summary;
pub(crate) mod table;
