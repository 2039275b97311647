//! Ctrl-C: the first one asks for a clean end, the second one ends at once.
//!
//! Either way the program ends by the signal itself: a shell shows that as status 130, and ends the
//! loop that runs the program only then, for a program that exits by itself, with whatever status,
//! may have taken Ctrl-C for a key of its own.

use std::process::ExitCode;
use std::thread;
use tokio::sync::watch;

/// The exit status that a shell shows of a program that Ctrl-C ended.
const ENDED_BY_INTERRUPT: u8 = 130;

/// Ends the program as Ctrl-C would if nobody listened; where that is not possible, returns the
/// status that tells the same.
pub(crate) fn end() -> ExitCode {
    // What was printed must not be lost with the process.
    let _ = std::io::Write::flush(&mut std::io::stdout());
    #[cfg(unix)]
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGINT);
    ExitCode::from(ENDED_BY_INTERRUPT)
}

/// Whether Ctrl-C was pressed.
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
                if tokio::signal::ctrl_c().await.is_ok() {
                    struck.send_replace(true);
                    if tokio::signal::ctrl_c().await.is_ok() {
                        end();
                        std::process::exit(ENDED_BY_INTERRUPT.into());
                    }
                }
                // Without signals it never strikes.
                std::future::pending::<()>().await;
            });
        });
        Self(listener)
    }

    /// Whether it has been pressed.
    pub(crate) fn struck(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is pressed.
    pub(crate) async fn strikes(&self) {
        let mut listener = self.0.clone();
        if listener.wait_for(|struck| *struck).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
