//! When a cache server is left alone, and how long it may take to answer. A state machine: no IO,
//! no clock of its own.
//!
//! A server that has failed some times in a row is left alone for a while (the breaker is *open*),
//! then asked one question whose answer nobody waits for (*probing*), and left alone for longer
//! each time that fails. How long an answer may take follows from how long answers took, as in
//! TCP (Jacobson, *Congestion Avoidance and Control*, SIGCOMM 1988).
//!
//! Invariant: while it is not closed, nobody waits for the server.

use std::time::Duration;
use tokio::time::Instant;

/// How many failures in a row open it.
const FAILURES: u32 = 3;
/// How long it is open at first.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How long it is open at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The shortest time-out: a process that waits for a processor is not a server that is gone.
const FLOOR: Duration = Duration::from_millis(5);
/// The longest time-out, and that of a server which has not answered yet. The strategy's patience
/// is not longer.
const CEILING: Duration = Duration::from_millis(50);

/// How many bytes of values a second go to a server at least, from which round trips of small
/// batches tell nothing: 50 MB, less than half of what a link of 1 Gbit/s carries.
const BYTES_A_SECOND: u32 = 50_000_000;

/// How much longer than others a batch may take that has so many bytes of values.
pub(super) fn time_of(bytes: usize) -> Duration {
    Duration::from_secs(bytes as u64) / BYTES_A_SECOND
}

/// How long a probe may take to look up the server's name, before it is asked.
pub(super) const LOOKUP: Duration = Duration::from_secs(1);

/// How a cache server is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BreakerState {
    /// It is asked.
    #[default]
    Closed,
    /// It is left alone: nothing is sent to it, and what is asked of it is answered with "down" at
    /// once.
    Open,
    /// The same, but for one question that shows whether it answers again.
    Probing,
}

/// Whether something may be sent to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Granted,
    Refused,
    /// Refused; but whoever asked is to see whether the server answers.
    Probe,
}

/// What there is to tell of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The server is left alone for so long, and was not before.
    Opened(Duration),
    /// It still does not answer, and is left alone for so long.
    StaysOpen(Duration),
    /// It is asked again.
    Closed,
}

/// The breaker of one server.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: BreakerState,
    /// When the state may change by itself: an open one is to be probed, a probe is lost.
    until: Option<Instant>,
    failures_in_a_row: u32,
    failed_at: Option<Instant>,
    pause: Duration,
    round_trip: Option<RoundTrip>,
}

impl Breaker {
    pub(super) fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether the server may be asked something now.
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        match self.state {
            BreakerState::Closed => Admission::Granted,
            _ if self.until.is_some_and(|until| now < until) => Admission::Refused,
            BreakerState::Open | BreakerState::Probing => {
                // Whoever probed before is gone, or it would have told what came of it.
                self.state = BreakerState::Probing;
                self.until = Some(now + LOOKUP + CEILING);
                Admission::Probe
            }
        }
    }

    /// How long the server may take to answer: some round trips, longer after it was too slow.
    pub(super) fn patience(&self) -> Duration {
        match (self.state, self.round_trip) {
            (BreakerState::Closed, Some(measured)) => {
                let patience = measured.patience().max(FLOOR);
                (patience * (1 << self.failures_in_a_row.min(4))).min(CEILING)
            }
            _ => CEILING,
        }
    }

    /// The mean round trip, once one was measured.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip.map(|measured| measured.mean)
    }

    /// The server has answered what it was asked at `asked`.
    pub(super) fn answered(&mut self, asked: Instant, now: Instant) -> Option<Change> {
        let took = now.saturating_duration_since(asked);
        match self.state {
            // An answer to what was asked before it was opened; the next probe will tell.
            BreakerState::Open => None,
            BreakerState::Probing => {
                self.round_trip = Some(RoundTrip::first(took));
                self.failures_in_a_row = 0;
                self.state = BreakerState::Closed;
                Some(Change::Closed)
            }
            BreakerState::Closed => {
                let measured = self.round_trip.map(|measured| measured.then(took));
                self.round_trip = measured.or(Some(RoundTrip::first(took)));
                self.failures_in_a_row = 0;
                None
            }
        }
    }

    /// What the server was asked at `asked` has failed. Questions that were under way at the same
    /// time and fail together are one failure.
    pub(super) fn failed(&mut self, asked: Instant, now: Instant) -> Option<Change> {
        match self.state {
            BreakerState::Open => None,
            BreakerState::Probing => {
                self.open(now, (2 * self.pause).min(LONGEST_PAUSE));
                Some(Change::StaysOpen(self.pause))
            }
            BreakerState::Closed if self.failed_at.is_some_and(|at| asked < at) => None,
            BreakerState::Closed => {
                self.failed_at = Some(now);
                self.failures_in_a_row += 1;
                if self.failures_in_a_row < FAILURES {
                    return None;
                }
                self.open(now, FIRST_PAUSE);
                Some(Change::Opened(self.pause))
            }
        }
    }

    fn open(&mut self, now: Instant, pause: Duration) {
        self.pause = pause;
        self.state = BreakerState::Open;
        self.until = Some(now + pause);
    }
}

/// How long a server takes to answer.
#[derive(Clone, Copy, Debug)]
struct RoundTrip {
    mean: Duration,
    deviation: Duration,
}

impl RoundTrip {
    fn first(took: Duration) -> Self {
        Self {
            mean: took,
            deviation: took / 2,
        }
    }

    fn then(self, took: Duration) -> Self {
        Self {
            mean: (7 * self.mean + took) / 8,
            deviation: (3 * self.deviation + self.mean.abs_diff(took)) / 4,
        }
    }

    fn patience(self) -> Duration {
        self.mean + (4 * self.deviation).max(2 * self.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// A breaker that has been told of so many failures, one a millisecond, and when the last was.
    fn failed(times: u32) -> (Breaker, Instant, Option<Change>) {
        let (mut breaker, mut now, mut change) = (Breaker::default(), Instant::now(), None);
        for _ in 0..times {
            now += MILLISECOND;
            change = breaker.failed(now, now);
        }
        (breaker, now, change)
    }

    #[test]
    fn failures_in_a_row_open_it_and_others_do_not() {
        let (mut breaker, now, change) = failed(FAILURES - 1);
        assert_eq!(change, None);
        breaker.answered(now, now);
        for _ in 1..FAILURES {
            assert_eq!(breaker.failed(now, now), None);
        }
        assert_eq!(breaker.admit(now), Admission::Granted);
        let (mut breaker, now, change) = failed(FAILURES);
        assert_eq!(change, Some(Change::Opened(FIRST_PAUSE)));
        assert_eq!(breaker.admit(now), Admission::Refused);
    }

    #[test]
    fn what_fails_together_is_one_failure() {
        let mut breaker = Breaker::default();
        let asked = Instant::now();
        for later in 1..10 * FAILURES {
            assert_eq!(breaker.failed(asked, asked + later * MILLISECOND), None);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn it_is_probed_by_one_and_stays_open_for_longer_and_longer_up_to_a_bound() {
        let (mut breaker, mut now, _) = failed(FAILURES);
        let mut pause = FIRST_PAUSE;
        for _ in 0..10 {
            now += pause - MILLISECOND;
            assert_eq!(breaker.admit(now), Admission::Refused);
            now += MILLISECOND;
            assert_eq!(breaker.admit(now), Admission::Probe);
            assert_eq!(breaker.admit(now), Admission::Refused);
            pause = (2 * pause).min(LONGEST_PAUSE);
            assert_eq!(breaker.failed(now, now), Some(Change::StaysOpen(pause)));
        }
        now += pause;
        assert_eq!(breaker.admit(now), Admission::Probe);
        assert_eq!(breaker.answered(now, now), Some(Change::Closed));
        assert_eq!(breaker.admit(now), Admission::Granted);
    }

    #[test]
    fn a_probe_that_nobody_tells_of_is_made_again() {
        let (mut breaker, now, _) = failed(FAILURES);
        let now = now + FIRST_PAUSE;
        assert_eq!(breaker.admit(now), Admission::Probe);
        assert_eq!(breaker.admit(now + LOOKUP), Admission::Refused);
        assert_eq!(breaker.admit(now + LOOKUP + CEILING), Admission::Probe);
    }

    #[test]
    fn late_answers_do_not_close_it() {
        let (mut breaker, now, _) = failed(FAILURES);
        assert_eq!(breaker.answered(now - MILLISECOND, now), None);
        assert_eq!(breaker.state(), BreakerState::Open);
    }

    #[test]
    fn many_bytes_have_more_time() {
        assert_eq!(time_of(0), Duration::ZERO);
        assert_eq!(time_of(5_000_000), Duration::from_millis(100));
    }

    #[test]
    fn patience_follows_from_what_was_measured() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.patience(), CEILING);
        let answer = |breaker: &mut Breaker, took: Duration| {
            let asked = Instant::now();
            for _ in 0..100 {
                let _ = breaker.answered(asked, asked + took);
            }
        };
        answer(&mut breaker, MILLISECOND / 10);
        assert_eq!(breaker.patience(), FLOOR);
        answer(&mut breaker, 4 * MILLISECOND);
        assert!((11 * MILLISECOND..14 * MILLISECOND).contains(&breaker.patience()));
        breaker.failed(Instant::now(), Instant::now());
        assert!(breaker.patience() >= 22 * MILLISECOND);
        answer(&mut breaker, 40 * MILLISECOND);
        assert_eq!(breaker.patience(), CEILING);
    }
}
