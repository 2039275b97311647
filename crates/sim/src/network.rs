//! The simulated network: who can reach whom, and when a message arrives, once, twice or never.

use crate::options::Profile;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use ssmr_core::{ClientId, Micros, ReplicaId};
use std::collections::{BTreeMap, BTreeSet};

/// Anybody who can send or receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seat {
    /// A replica.
    Replica(ReplicaId),
    /// A client.
    Client(ClientId),
}

impl Seat {
    /// Where it is, if sites are apart.
    fn site(self) -> u64 {
        match self {
            Self::Replica(id) => id.index.into(),
            Self::Client(id) => id.0,
        }
    }
}

/// Delays, losses and cuts.
#[derive(Debug)]
pub(crate) struct Network {
    profile: Profile,
    /// Directed: nothing gets from the first to the second.
    cut: BTreeSet<(Seat, Seat)>,
    /// Directed: what the first sends to the second waits until it is released.
    held: BTreeSet<(Seat, Seat)>,
    /// Directed: takes so much longer.
    slow: BTreeMap<(ReplicaId, ReplicaId), Micros>,
    /// What every message takes, if that is not left to chance.
    even: Option<Micros>,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    /// Copies that come long after.
    pub(crate) late: u64,
}

impl Network {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            cut: BTreeSet::new(),
            held: BTreeSet::new(),
            slow: BTreeMap::new(),
            even: None,
            lost: 0,
            doubled: 0,
            late: 0,
        }
    }

    /// After which delays a message arrives: none if it is lost, two if it is doubled.
    pub(crate) fn delays(&mut self, rng: &mut ChaCha8Rng, from: Seat, to: Seat) -> Vec<Micros> {
        if self.cut.contains(&(from, to)) {
            self.lost += 1;
            return Vec::new();
        }
        let mut extra = self.profile.distance(from.site(), to.site());
        if let (Seat::Replica(from), Seat::Replica(to)) = (from, to) {
            extra += self.slow.get(&(from, to)).copied().unwrap_or_default();
        }
        if rng.random_range(0..1000) < self.profile.loss() {
            self.lost += 1;
            return Vec::new();
        }
        if let Some(delay) = self.even {
            return vec![extra + delay];
        }
        let longest = self.profile.longest_delay();
        let mut delay =
            || extra + 50 + rng.random_range(0..longest) * rng.random_range(0..=100) / 100;
        let mut delays = vec![delay()];
        if rng.next_u32() % 1000 < self.profile.doubling() {
            self.doubled += 1;
            let second = extra + rng.random_range(50..longest * 20);
            delays.push(second);
        }
        delays
    }

    /// After how long another copy of a message comes that has long arrived, if one does: a tenth
    /// of a second, a minute, or anything between.
    pub(crate) fn late_copy(&mut self, rng: &mut ChaCha8Rng) -> Option<Micros> {
        if !self.profile.copies_late() || rng.random_range(0..100) > 0 {
            return None;
        }
        self.late += 1;
        let most = match rng.random_range(0..20) {
            0 => 60_000_000,
            1..10 => 10_000_000,
            _ => 1_000_000,
        };
        Some(rng.random_range(100_000..=most))
    }

    /// From now on every message that is not lost takes so long.
    pub(crate) fn even_out(&mut self, delay: Micros) {
        self.even = Some(delay);
    }

    /// Loses what the one sends to the other, until it is healed.
    pub(crate) fn cut(&mut self, from: Seat, to: Seat) {
        self.cut.insert((from, to));
    }

    /// Has what the one sends to the other wait.
    pub(crate) fn hold(&mut self, from: Seat, to: Seat) {
        self.held.insert((from, to));
    }

    /// Whether what the one sends to the other waits.
    pub(crate) fn holds(&self, from: Seat, to: Seat) -> bool {
        self.held.contains(&(from, to))
    }

    /// Holds nothing back any more.
    pub(crate) fn let_through(&mut self) {
        self.held.clear();
    }

    /// Cuts somebody off from others, in one direction or both.
    pub(crate) fn isolate(&mut self, rng: &mut ChaCha8Rng, victim: Seat, others: &[Seat]) {
        let (hears, speaks) = match rng.random_range(0..4) {
            0 => (false, true),
            1 => (true, false),
            _ => (false, false),
        };
        for &other in others {
            // Sometimes only from some of them.
            if other == victim || rng.random_range(0..5) == 0 {
                continue;
            }
            if !speaks {
                self.cut(victim, other);
            }
            if !hears {
                self.cut(other, victim);
            }
        }
    }

    /// Makes the links of a replica slow.
    pub(crate) fn slow_down(
        &mut self,
        rng: &mut ChaCha8Rng,
        victim: ReplicaId,
        others: &[ReplicaId],
    ) {
        for &other in others {
            let extra = rng.random_range(1_000..200_000);
            self.slow.insert((victim, other), extra);
            self.slow.insert((other, victim), extra);
        }
    }

    /// Ends cuts and slowness, and with `calm` all other faults too.
    pub(crate) fn heal(&mut self, calm: bool) {
        self.cut.clear();
        self.slow.clear();
        if calm {
            self.profile = Profile::Calm;
        }
    }
}
