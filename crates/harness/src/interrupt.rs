//! Ctrl-C, and the signal by which systems end programs (SIGTERM): the first one asks for a clean
//! end, the second one ends at once.
//!
//! Either way the program ends by the signal itself: a shell shows Ctrl-C as status 130, and ends
//! the loop that runs the program only then, for a program that exits by itself, with whatever
//! status, may have taken Ctrl-C for a key of its own.

use ssmr_net::Signals;
use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::thread;
use tokio::sync::watch;

/// Ctrl-C's number.
const INTERRUPT: i32 = 2;

/// The first process of a container: the kernel keeps such signals from it, unless it handles them
/// itself.
#[cfg(unix)]
const FIRST_PROCESS: u32 = 1;

/// What a shell adds to the number of the signal that ended a program.
const ENDED_BY_SIGNAL: i32 = 128;

/// The signal that came last.
static SIGNAL: AtomicI32 = AtomicI32::new(INTERRUPT);

/// Ends the program as the signal would if nobody listened; where that is not possible, returns the
/// status that tells the same.
pub(crate) fn end() -> ExitCode {
    // What was printed must not be lost with the process.
    let _ = io::Write::flush(&mut io::stdout());
    let signal = SIGNAL.load(Relaxed);
    #[cfg(unix)]
    if std::process::id() != FIRST_PROCESS {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    ExitCode::from((ENDED_BY_SIGNAL + signal) as u8)
}

/// Whether the program is to end.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens from now on, in a thread of its own: no event loop needs to run for it.
    pub(crate) fn listen() -> Self {
        let (struck, listener) = watch::channel(false);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                // Without signals it never strikes.
                let Ok(mut signals) = Signals::listen() else {
                    return std::future::pending().await;
                };
                SIGNAL.store(signals.strike().await, Relaxed);
                struck.send_replace(true);
                SIGNAL.store(signals.strike().await, Relaxed);
                end();
                std::process::exit(ENDED_BY_SIGNAL + SIGNAL.load(Relaxed));
            });
        });
        Self(listener)
    }

    /// Whether a signal has come.
    pub(crate) fn struck(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until one comes.
    pub(crate) async fn strikes(&self) {
        let mut listener = self.0.clone();
        if listener.wait_for(|struck| *struck).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
