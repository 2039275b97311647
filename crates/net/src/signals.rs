//! The signals that end programs: Ctrl-C, and the one by which systems end them (SIGTERM).

use std::io;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C's number.
const INTERRUPT: i32 = 2;

/// The number of SIGTERM.
#[cfg(unix)]
const TERMINATE: i32 = 15;

/// The signals that end programs, which do not end this one any more.
#[derive(Debug)]
#[cfg(unix)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

#[cfg(unix)]
impl Signals {
    /// From now on they do not end the program. To be called within a runtime.
    ///
    /// # Errors
    /// If the system does not let them be listened for.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for one of them. Returns its number. Cancel safe.
    pub async fn strike(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.terminate.recv() => TERMINATE,
        }
    }
}

/// Ctrl-C.
#[derive(Debug)]
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// From now on it does not end the program.
    ///
    /// # Errors
    /// Never: elsewhere it can fail.
    #[allow(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for Ctrl-C. Returns the number that it has elsewhere. Cancel safe.
    pub async fn strike(&mut self) -> i32 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        INTERRUPT
    }
}
