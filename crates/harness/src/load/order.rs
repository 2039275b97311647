//! Commands that wait for earlier ones, also for those of other clients.
//!
//! Who issues such a command looks here first. Invariant: each command ends once, or is passed over
//! once, when its client stops before it; so nobody waits for what will not come. Of the commands
//! that have not ended the first one waits for nothing, so somebody can always go on.

use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A command that has not ended.
const OPEN: u8 = 0;

/// One that has, however it did.
const ENDED: u8 = 1;

/// One that will never be issued.
const PASSED_OVER: u8 = 2;

/// Whether a command can be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Yes.
    Now,
    /// Not yet: its client is woken when something has changed.
    Later,
    /// Never: something before it was never issued.
    Never,
}

/// What has become of the commands that others wait for.
#[derive(Debug, Default)]
pub(crate) struct Order {
    states: Vec<AtomicU8>,
    /// Which clients wait for a command.
    waiting: Mutex<FxHashMap<u32, Vec<u64>>>,
    wake: Vec<Notify>,
}

impl Order {
    /// None of so many commands has ended yet.
    pub(crate) fn new(commands: u32, clients: u64) -> Self {
        // Where nothing waits there is nothing to be kept.
        let clients = if commands == 0 { 0 } else { clients };
        Self {
            states: (0..commands).map(|_| AtomicU8::new(OPEN)).collect(),
            waiting: Mutex::default(),
            wake: (0..clients).map(|_| Notify::new()).collect(),
        }
    }

    /// Whether a client may issue a command that comes after these.
    pub(super) fn turn(&self, client: u64, after: &[u32]) -> Turn {
        for &number in after {
            let state = match self.state(number) {
                OPEN => self.enlist(client, number),
                state => state,
            };
            match state {
                OPEN => return Turn::Later,
                PASSED_OVER => return Turn::Never,
                _ => {}
            }
        }
        Turn::Now
    }

    /// Waits until [`turn`](Self::turn) may have another answer for a client. Cancel safe.
    pub(super) async fn changed(&self, client: u64) {
        match self.wake.get(client as usize) {
            Some(wake) => wake.notified().await,
            None => std::future::pending().await,
        }
    }

    /// A command has ended.
    pub(super) fn end(&self, number: u32) {
        self.settle(number, ENDED);
    }

    /// A command will not be issued.
    pub(super) fn pass_over(&self, number: u32) {
        self.settle(number, PASSED_OVER);
    }

    fn settle(&self, number: u32, state: u8) {
        self.states[number as usize].store(state, Ordering::Release);
        // Who has looked before enlists under the same lock, and looks again.
        let waiting = self.lock().remove(&number);
        for client in waiting.into_iter().flatten() {
            self.wake[client as usize].notify_one();
        }
    }

    /// Has a client woken when a command ends. Returns what has become of it meanwhile.
    fn enlist(&self, client: u64, number: u32) -> u8 {
        let mut waiting = self.lock();
        let state = self.state(number);
        if state == OPEN {
            let clients = waiting.entry(number).or_default();
            if !clients.contains(&client) {
                clients.push(client);
            }
        }
        state
    }

    fn state(&self, number: u32) -> u8 {
        self.states[number as usize].load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, FxHashMap<u32, Vec<u64>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Waker};

    /// Whether a client has been woken since it was asked last.
    fn woken(order: &Order, client: u64) -> bool {
        let changed = pin!(order.changed(client));
        changed
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn a_command_waits_for_all_before_it_and_its_client_is_woken() {
        let order = Order::new(3, 2);
        assert_eq!(order.turn(1, &[]), Turn::Now);
        assert_eq!(order.turn(1, &[0, 1]), Turn::Later);
        assert_eq!(order.turn(1, &[0, 1]), Turn::Later);
        order.end(1);
        assert!(!woken(&order, 1), "it waits for 0 first");
        order.end(0);
        assert!(woken(&order, 1) && !woken(&order, 1));
        assert_eq!(order.turn(1, &[0, 1]), Turn::Now);
    }

    #[test]
    fn nobody_waits_for_what_will_not_come() {
        let order = Order::new(2, 2);
        assert_eq!(order.turn(0, &[1]), Turn::Later);
        order.pass_over(1);
        assert!(woken(&order, 0));
        assert_eq!(order.turn(0, &[1]), Turn::Never);
    }

    #[test]
    fn where_nothing_is_ordered_everything_may_go() {
        let order = Order::new(0, 5);
        assert_eq!(order.turn(4, &[]), Turn::Now);
        assert!(!woken(&order, 4));
    }
}
