//! Ctrl-C: the first one asks for a clean end, the second one ends at once.

use std::thread;
use tokio::sync::watch;

/// The exit status of a program that a signal ended at once, by convention.
const AT_ONCE: i32 = 130;

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
                        std::process::exit(AT_ONCE);
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
