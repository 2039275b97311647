//! The lengths of time that everything else is measured by.
//!
//! All replicas of a group must have the same ones: a lease ends before what followers have
//! promised.

use std::time::Duration;

const HEARTBEAT: Duration = Duration::from_millis(75);
const ELECTION: Duration = Duration::from_millis(500);
const FIRST_ELECTION: Duration = Duration::from_millis(40);

/// How long things take, on a network with given round trips.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// How often a leader that has nothing to say says so. What was sent a heartbeat ago and not
    /// taken is lost, so an answer must have come by then.
    pub(crate) heartbeat: Duration,
    /// How long a follower waits for its leader: at least this, less than twice this. An election
    /// takes two round trips, and heartbeats are lost or late now and then.
    pub(crate) election: Duration,
    /// How soon replica 0 tries again while the group has never had a leader.
    pub(crate) first_election: Duration,
}

impl Timing {
    /// For a group whose messages get anywhere and back in `round_trip`, beyond the time that a
    /// local network takes.
    pub(crate) fn allowing_for(round_trip: Duration) -> Self {
        Self {
            heartbeat: HEARTBEAT + round_trip,
            election: ELECTION + 5 * round_trip,
            first_election: FIRST_ELECTION + 2 * round_trip,
        }
    }

    /// How long a follower waits for its leader this time.
    pub(crate) fn timeout(&self, random: u64) -> Duration {
        self.election + Duration::from_micros(random % self.election.as_micros() as u64)
    }

    /// How long a confirmed leader may count on it.
    pub(crate) fn lease(&self) -> Duration {
        self.election * 4 / 5
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::allowing_for(Duration::ZERO)
    }
}
