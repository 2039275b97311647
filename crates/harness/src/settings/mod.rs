//! What the commands were asked to do, as plain values: no command line, no defaults.

pub(crate) mod cluster;
pub(crate) mod deploy;
pub(crate) mod events;
pub(crate) mod history;
pub(crate) mod log;
pub(crate) mod memcached;
pub(crate) mod names;
pub(crate) mod net;
pub(crate) mod node;
pub(crate) mod plot;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod sim;
pub(crate) mod sweep;
pub(crate) mod top;
pub(crate) mod trace;
