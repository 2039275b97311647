//! Stopping a child's process where it is, and letting it go on.

use std::process::Child;

/// Stops a process where it is, or lets it go on. Nobody may have waited for its end yet: until
/// then its id is its own.
#[cfg(unix)]
pub(super) fn hold(process: &Child, still: bool) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = if still { Signal::STOP } else { Signal::CONT };
    let _ = kill_process(Pid::from_child(process), signal);
}

/// There are no such signals here.
#[cfg(not(unix))]
pub(super) fn hold(_process: &Child, _still: bool) {
    tracing::error!("processes cannot be paused on this system");
}
