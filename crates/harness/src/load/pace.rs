//! When commands are issued: as answers come (closed loop), or at fixed times whatever the answers
//! take (open loop).
//!
//! In an open loop latency counts from the time at which a command was due, so a stall is felt by
//! every command that should have been issued during it (no coordinated omission). The times are
//! kept by a thread that sleeps, for the runtime's timers are a millisecond coarse.

use super::job::Plan;
use crate::workload::contract::Arrival;
use ssmr_core::Micros;
use ssmr_net::Clock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How many requests a client keeps outstanding in an open loop, and how many due ones wait for it.
/// Beyond, the others wait too, and their latency tells.
const BOUND: usize = 1024;

/// How long after the end commands are still issued that were due before it. Where that does not
/// suffice, the rate is far out of reach and the rest would only take time.
const GRACE: Micros = 1_000_000;

/// The longest nap: how long an interrupt may go unnoticed.
const NAP: Duration = Duration::from_millis(50);

/// When one client issues its commands.
#[derive(Debug)]
pub(super) enum Pace {
    /// Whenever fewer than so many are outstanding.
    Closed(usize),
    /// Whenever one is due.
    Open(mpsc::Receiver<Micros>),
}

impl Pace {
    /// Whether a plan that lasts until then is carried out. In an open loop the keeper of the times
    /// knows, and every command that was due is issued.
    pub(super) fn is_over(&self, now: Micros, until: Micros) -> bool {
        matches!(self, Self::Closed(_)) && now >= until
    }

    /// When the next command is (or was) due, if it is time to issue one.
    pub(super) fn due(&mut self, outstanding: usize, now: Micros) -> Option<Micros> {
        match self {
            Self::Closed(window) => (outstanding < *window).then_some(now),
            Self::Open(times) if outstanding < BOUND => times.try_recv().ok(),
            Self::Open(_) => None,
        }
    }

    /// When a command is due whose time has come, but which must wait for others: in a closed loop
    /// that is when they have ended.
    pub(super) fn keeps(&self, at: Micros) -> Option<Micros> {
        matches!(self, Self::Open(_)).then_some(at)
    }

    /// Waits for the time of the next command: for ever, if it is for completions to make place for
    /// one. `None` if no more will come.
    pub(super) async fn next(&mut self, outstanding: usize) -> Option<Micros> {
        match self {
            Self::Open(times) if outstanding < BOUND => times.recv().await,
            _ => std::future::pending().await,
        }
    }
}

/// The paces of all clients.
#[derive(Debug)]
pub(super) struct Paces {
    window: usize,
    senders: Vec<mpsc::Sender<Micros>>,
    receivers: Vec<Option<mpsc::Receiver<Micros>>>,
}

impl Paces {
    /// Closed loops with this window, or open ones for so many clients.
    pub(super) fn new(window: usize, open: Option<u64>) -> Self {
        let channels = (0..open.unwrap_or(0)).map(|_| mpsc::channel(BOUND));
        let (senders, receivers) = channels.map(|(to, from)| (to, Some(from))).unzip();
        Self {
            window,
            senders,
            receivers,
        }
    }

    /// The pace of a client.
    pub(super) fn take(&mut self, client: u64) -> Pace {
        let receiver = self.receivers.get_mut(client as usize);
        receiver
            .and_then(Option::take)
            .map_or(Pace::Closed(self.window), Pace::Open)
    }
}

/// So many commands a second, of each client in turn.
pub(super) fn steady(rate: u64, clients: u64) -> impl Iterator<Item = Arrival> + Send {
    (0..).map(move |number: u64| Arrival {
        client: number % clients,
        after_us: (u128::from(number) * 1_000_000 / u128::from(rate)) as Micros,
    })
}

/// Tells clients when their next commands are due, until there are no more, the plan is over or all
/// have stopped listening.
pub(super) fn keep(
    arrivals: impl Iterator<Item = Arrival>,
    paces: &Paces,
    mut plan: watch::Receiver<Option<Plan>>,
    clock: Clock,
    stop: &AtomicBool,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let Ok(runtime) = runtime else { return };
    let plan = runtime.block_on(async {
        plan.wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|plan| *plan)
    });
    let Some(plan) = plan else { return };
    let mut listening: Vec<_> = paces.senders.iter().map(Some).collect();
    let mut left = listening.len();
    for Arrival { client, after_us } in arrivals {
        let due = plan.start.saturating_add(after_us);
        while clock.now().micros() < due && !stop.load(Relaxed) {
            thread::sleep(NAP.min(Duration::from_micros(
                due.saturating_sub(clock.now().micros()),
            )));
        }
        let hopeless = clock.now().micros() > plan.until.saturating_add(GRACE);
        if due >= plan.until || hopeless || stop.load(Relaxed) || left == 0 {
            return;
        }
        let Some(listener) = listening[client as usize] else {
            continue;
        };
        if listener.blocking_send(due).is_err() {
            listening[client as usize] = None;
            left -= 1;
        }
    }
}
