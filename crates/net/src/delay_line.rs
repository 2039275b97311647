//! When frames of one connection, in one direction, come to an emulated network's other end.
//!
//! ```text
//!   push --> waiting for the pipe --> sent, under way --> due
//!            (bandwidth, shared       (latency, jitter,
//!             by a pair of processes)  losses)
//! ```
//!
//! It holds no bytes, reads no clock and waits for nothing: its owner has the bytes, in order, and
//! asks how many of them are due. Invariants: order is kept, and nothing gets lost; what is drawn
//! for a connection's n-th frame depends on the seed, its ends and the frame's size alone.

use crate::network::{Network, Party, Route};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use ssmr_core::topology::mix;
use ssmr_core::{LocalTime, Micros};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Connections of one pair of processes take turns in pieces of this size.
const PIECE: usize = 16 << 10;

/// How far ahead a connection takes time of the pipe: timers are late now and then, which must not
/// leave the pipe idle, and others must not wait long.
const AHEAD: Micros = 5_000;

/// What goes over the connections from one process to another, which share its bandwidth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe(Arc<Mutex<Nanos>>);

/// Nanoseconds of the owner's clock: pieces take less than a microsecond on a fast network.
type Nanos = u64;

impl Pipe {
    /// Takes the pipe for so long, once it is free, from `earliest` on. Returns until when.
    fn take(&self, earliest: Nanos, time: Nanos) -> Nanos {
        let mut free_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *free_at = (*free_at).max(earliest) + time;
        *free_at
    }
}

/// The way of one connection in one direction.
#[derive(Debug)]
pub(crate) struct DelayLine {
    route: Route,
    pipe: Pipe,
    draws: ChaCha8Rng,
    /// Frames that have not been sent whole.
    waiting: VecDeque<Waiting>,
    /// Frames that were sent: when each comes, and its bytes.
    under_way: VecDeque<(LocalTime, usize)>,
    /// When the last frame comes.
    last: LocalTime,
    /// Until when this connection has the pipe.
    sending_until: Nanos,
    /// Since when the connection is up, if it is.
    up: Option<LocalTime>,
}

/// A frame that has not been sent whole.
#[derive(Debug)]
struct Waiting {
    since: LocalTime,
    bytes: usize,
    unsent: usize,
    /// How much longer than others it is under way.
    extra: Micros,
}

impl DelayLine {
    /// The way from one to the other. Connections that share a pipe have different `lane`s, and so
    /// different draws.
    pub(crate) fn new(network: &Network, from: Party, to: Party, lane: u64, pipe: Pipe) -> Self {
        let ends = [from, to].into_iter().map(number);
        let seed = ends.fold(network.seed(), |seed, end| mix(seed ^ mix(end)));
        let mut draws = ChaCha8Rng::seed_from_u64(seed);
        draws.set_stream(lane);
        Self {
            route: network.route(from, to).clone(),
            pipe,
            draws,
            waiting: VecDeque::new(),
            under_way: VecDeque::new(),
            last: LocalTime::ZERO,
            sending_until: 0,
            up: None,
        }
    }

    /// How many bytes the kernels and the wire would hold besides the queues of the processes.
    pub(crate) fn allowance(&self) -> usize {
        usize::try_from(self.route.under_way()).unwrap_or(usize::MAX)
    }

    /// A frame of so many bytes is sent behind the others.
    pub(crate) fn push(&mut self, now: LocalTime, bytes: usize) {
        let extra = self.draw(bytes);
        self.waiting.push_back(Waiting {
            since: now,
            bytes,
            unsent: bytes,
            extra,
        });
        self.send(now);
    }

    /// How many bytes are due, which are forgotten.
    pub(crate) fn take_due(&mut self, now: LocalTime) -> usize {
        self.send(now);
        let mut taken = 0;
        while let Some(&(due, bytes)) = self.under_way.front()
            && due <= now
        {
            self.under_way.pop_front();
            taken += bytes;
        }
        taken
    }

    /// Whether something is due.
    pub(crate) fn is_due(&self, now: LocalTime) -> bool {
        self.under_way.front().is_some_and(|(due, _)| *due <= now)
    }

    /// When to look again, if anything is waiting or under way: earlier than something is due,
    /// perhaps, for the pipe's sake.
    pub(crate) fn next_look(&mut self, now: LocalTime) -> Option<LocalTime> {
        self.send(now);
        let due = self.under_way.front().map(|(due, _)| *due);
        let half = AHEAD / 2;
        let turn = LocalTime::from_micros((self.sending_until / 1_000).saturating_sub(half));
        let turn = (self.up.is_some() && !self.waiting.is_empty()).then_some(turn);
        due.into_iter().chain(turn).min()
    }

    /// The connection is up: what was to be sent before is sent now.
    pub(crate) fn connected(&mut self, now: LocalTime) {
        self.up = Some(now);
        self.send(now);
    }

    /// The connection is gone, with all that was waiting and under way.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.under_way.clear();
        self.up = None;
    }

    /// Sends as much as the pipe takes now.
    fn send(&mut self, now: LocalTime) {
        let Some(up) = self.up else {
            return;
        };
        let limit = (now + AHEAD).micros() * 1_000;
        while self.sending_until < limit
            && let Some(frame) = self.waiting.front_mut()
        {
            let piece = match self.route.bandwidth {
                Some(_) => frame.unsent.min(PIECE),
                None => frame.unsent,
            };
            let time = nanoseconds(self.route.transmission(piece));
            let earliest = frame.since.max(up).micros() * 1_000;
            self.sending_until = match self.route.bandwidth {
                Some(_) => self.pipe.take(earliest, time),
                None => earliest,
            };
            frame.unsent -= piece;
            if frame.unsent == 0 {
                let latency = self.route.latency.as_micros() as Micros + frame.extra;
                let sent = LocalTime::from_micros(self.sending_until.div_ceil(1_000));
                self.last = self.last.max(sent + latency);
                self.under_way.push_back((self.last, frame.bytes));
                self.waiting.pop_front();
            }
        }
    }

    /// How much longer a frame is under way by chance. The same number of draws for each frame.
    fn draw(&mut self, bytes: usize) -> Micros {
        let [jitter, loss] = [(); 2].map(|()| self.draws.next_u64());
        let most = self.route.jitter.as_micros() as Micros;
        let jitter = (u128::from(jitter) * u128::from(most + 1)) >> 64;
        // 53 bits: evenly distributed in 0..1.
        let is_lost = ((loss >> 11) as f64) * (0.5_f64).powi(53) < self.route.loss_of(bytes);
        let late = match is_lost {
            true => self.route.retransmission_timeout.as_micros() as Micros,
            false => 0,
        };
        jitter as Micros + late
    }
}

fn nanoseconds(time: Duration) -> Nanos {
    Nanos::try_from(time.as_nanos()).unwrap_or(Nanos::MAX / 2)
}

/// A number for each end of a connection.
fn number(party: Party) -> u64 {
    match party {
        Party::Replica(id) => u64::from(id.group.index()) << 8 | u64::from(id.index),
        Party::Client(id) => mix(id.0),
        Party::Caches => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::ClientId;

    fn at(micros: u64) -> LocalTime {
        LocalTime::from_micros(micros)
    }

    fn line_of(network: &str, lane: u64, pipe: &Pipe) -> DelayLine {
        let network: Network = format!("sites = ['a']\n[within]\n{network}")
            .parse()
            .unwrap();
        let [from, to] = [1, 2].map(|client| Party::Client(ClientId(client)));
        let mut line = DelayLine::new(&network, from, to, lane, pipe.clone());
        line.connected(LocalTime::ZERO);
        line
    }

    fn line(network: &str) -> DelayLine {
        line_of(network, 0, &Pipe::default())
    }

    /// When each of the frames comes, and its bytes.
    fn arrivals(line: &mut DelayLine) -> Vec<(u64, usize)> {
        let (mut arrivals, mut now) = (Vec::new(), LocalTime::ZERO);
        while let Some(next) = line.next_look(now) {
            now = now.max(next);
            match line.take_due(now) {
                0 => {}
                bytes => arrivals.push((now.micros(), bytes)),
            }
        }
        arrivals
    }

    #[test]
    fn a_frame_comes_after_the_latency_and_not_before() {
        let mut line = line("latency = '40ms'");
        line.push(at(1_000), 7);
        line.push(at(3_000), 8);
        assert_eq!(line.next_look(at(3_000)), Some(at(41_000)));
        assert!(!line.is_due(at(40_999)) && line.is_due(at(41_000)));
        assert_eq!(line.take_due(at(40_999)), 0);
        assert_eq!(line.take_due(at(41_000)), 7);
        assert_eq!(line.take_due(at(99_000)), 8);
        assert_eq!(line.next_look(at(99_000)), None);
    }

    #[test]
    fn bytes_take_time_and_an_idle_pipe_saves_none() {
        // 8 Mbit a second are a byte a microsecond.
        let mut line = line("latency = '1ms'\nbandwidth = '8mbit'");
        line.push(at(0), 1_000);
        line.push(at(0), 500);
        line.push(at(5_000), 100);
        assert_eq!(
            arrivals(&mut line),
            [(2_000, 1_000), (2_500, 500), (6_100, 100)]
        );
    }

    #[test]
    fn connections_of_a_pair_take_turns() {
        let pipe = Pipe::default();
        let network = "bandwidth = '8mbit'";
        let (mut bulk, mut urgent) = (line_of(network, 0, &pipe), line_of(network, 1, &pipe));
        bulk.push(at(0), 4_000_000);
        urgent.push(at(100), 50);
        let came = arrivals(&mut urgent)[0].0;
        // It waits for the pieces that were begun, not for the four seconds.
        assert!(came <= AHEAD + 100 + PIECE as u64 + 50, "{came}");
        let ended = arrivals(&mut bulk)[0].0;
        assert_eq!(ended, 4_000_050, "together they have the bandwidth");
    }

    #[test]
    fn who_looks_late_still_gets_the_whole_bandwidth() {
        let mut line = line("bandwidth = '8mbit'");
        (0..10).for_each(|_| line.push(at(0), 10_000));
        assert_eq!(line.take_due(at(100_000)), 100_000);
    }

    #[test]
    fn a_loss_delays_what_is_behind_it_and_loses_nothing() {
        let mut line = line("latency = '10ms'\nretransmission_timeout = '300ms'\nloss = '1%'");
        (0..1_000).for_each(|frame| line.push(at(frame * 1_000), 100 + frame as usize));
        let arrivals = arrivals(&mut line);
        let bytes: usize = arrivals.iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(bytes, (100..1_100).sum());
        // After a loss all that was sent in the next 300 ms comes together.
        let longest = arrivals.windows(2).map(|pair| pair[1].0 - pair[0].0).max();
        assert!(longest > Some(250_000), "{longest:?}");
        assert!(arrivals.iter().any(|(_, bytes)| *bytes > 20_000));
        assert!(arrivals.last().unwrap().0 <= 999_000 + 310_000);
    }

    #[test]
    fn large_frames_are_lost_more_often() {
        let lost = |bytes: usize| {
            let mut line = line("retransmission_timeout = '1s'\nloss = '1%'");
            (0..1_000).filter(|_| line.draw(bytes) > 0).count()
        };
        let (small, large) = (lost(100), lost(100 * 1448));
        assert!((2..30).contains(&small), "{small}");
        assert!((550..720).contains(&large), "{large}");
    }

    #[test]
    fn draws_are_a_function_of_seed_ends_and_lane() {
        let network = "sites = ['a']\n[within]\njitter = '10s'\n";
        let network: Network = network.parse().unwrap();
        let drawn = |seed, ends: [u64; 2], lane| {
            let network = network.clone().with_seed(seed);
            let [from, to] = ends.map(|client| Party::Client(ClientId(client)));
            let mut line = DelayLine::new(&network, from, to, lane, Pipe::default());
            (0..4).map(|_| line.draw(10)).collect::<Vec<_>>()
        };
        let first = drawn(1, [1, 2], 0);
        assert_eq!(drawn(1, [1, 2], 0), first);
        for other in [
            drawn(2, [1, 2], 0),
            drawn(1, [2, 1], 0),
            drawn(1, [1, 3], 0),
            drawn(1, [1, 2], 1),
        ] {
            assert_ne!(other, first);
        }
        assert!(first.iter().all(|jitter| *jitter <= 10_000_000));
    }

    #[test]
    fn what_was_said_before_the_connection_was_up_is_sent_then() {
        let mut line = line("latency = '10ms'");
        line.clear();
        line.push(at(0), 5);
        assert_eq!(line.next_look(at(50_000)), None);
        line.connected(at(60_000));
        assert_eq!(arrivals(&mut line), [(70_000, 5)]);
        line.push(at(80_000), 5);
        line.clear();
        assert_eq!(line.take_due(at(999_000)), 0);
    }
}
