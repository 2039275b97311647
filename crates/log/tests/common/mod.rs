//! Three replicas of a group on trial: they lose messages, crash in the middle of writes, compact
//! their logs, send each other snapshots, forget everything and come back as new members.
//!
//! The state is a hash over all entries, so a snapshot that stands for the wrong prefix shows at
//! the next entry.
#![allow(dead_code, unreachable_pub, reason = "no file of tests uses all of it")]

pub mod group;

use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ssmr_log::{Committed, Cut, GroupLog, LogMessage, LogOutbox, MemberId, Snapshot, Stored};
use std::collections::BTreeMap;
use std::time::Duration;
use twox_hash::XxHash3_64;

const STEP: Duration = Duration::from_millis(2);

/// Spreads neighbouring numbers (SplitMix64's finalizer).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// One replica with its disk.
pub struct Seat {
    pub log: Option<GroupLog>,
    pub disk: Stored,
    pub applied: u64,
    hash: u64,
}

pub struct Trial {
    pub rng: ChaCha8Rng,
    pub now: Duration,
    pub seats: Vec<Seat>,
    wire: Vec<(u8, u8, LogMessage)>,
    /// The hash after each entry, from whoever applied it first.
    pub agreed: BTreeMap<u64, u64>,
    proposed: u64,
    pub generations: u64,
    /// Of 1,000 messages.
    loss: u32,
    pub installs: u64,
    /// It does nothing now, and its mail waits.
    pub busy: Option<u8>,
}

impl Trial {
    /// A group whose founders are taken for granted.
    pub fn new(seed: u64, loss: u32) -> Self {
        let log = |index| Some(GroupLog::new(index, 3, mix(seed ^ u64::from(index))));
        Self::of(seed, loss, log)
    }

    /// Three replicas that hold nothing.
    pub fn empty(seed: u64, loss: u32) -> Self {
        let mut trial = Self::of(seed, loss, |_| None);
        for index in 0..3 {
            trial.forget(index);
            trial.start(index);
        }
        trial
    }

    fn of(seed: u64, loss: u32, log: impl Fn(u8) -> Option<GroupLog>) -> Self {
        let seat = |index| Seat {
            log: log(index),
            disk: Stored::default(),
            applied: 0,
            hash: 0,
        };
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            now: Duration::ZERO,
            seats: (0..3).map(seat).collect(),
            wire: Vec::new(),
            agreed: BTreeMap::new(),
            proposed: 0,
            generations: 0,
            loss,
            installs: 0,
            busy: None,
        }
    }

    /// Lets a replica do something, stores what it wants stored, and sends what it says.
    pub fn with(&mut self, index: u8, act: impl FnOnce(&mut GroupLog, &mut LogOutbox)) {
        let seat = &mut self.seats[usize::from(index)];
        let Some(log) = &mut seat.log else { return };
        let mut out = LogOutbox::default();
        act(log, &mut out);
        let records = out.records.into_iter();
        records.for_each(|record| seat.disk.add(record));
        let sent = out.messages.into_iter();
        self.wire
            .extend(sent.map(|(to, message)| (index, to, message)));
        self.apply(index);
    }

    fn apply(&mut self, index: u8) {
        let seat = &mut self.seats[usize::from(index)];
        while let Some(committed) = seat.log.as_mut().and_then(GroupLog::poll_committed) {
            match committed {
                Committed::Entry(place, entry) => {
                    assert_eq!(place, seat.applied + 1, "r{index} skips entries");
                    seat.hash =
                        mix(seat.hash ^ XxHash3_64::oneshot(format!("{entry:?}").as_bytes()));
                    seat.applied = place;
                }
                Committed::Snapshot(snapshot) => {
                    seat.hash = u64::from_le_bytes(snapshot.state[..8].try_into().unwrap());
                    seat.applied = snapshot.last.index;
                    self.installs += 1;
                }
            }
            let first = *self.agreed.entry(seat.applied).or_insert(seat.hash);
            assert_eq!(first, seat.hash, "replicas differ at {}", seat.applied);
        }
    }

    /// A step of time: timers, some proposals, messages that are lost, doubled and late.
    pub fn step(&mut self) {
        self.now += STEP;
        let now = self.now;
        let busy = self.busy;
        for index in (0..3).filter(|index| busy != Some(*index)) {
            self.with(index, |log, out| log.on_timer(now, out));
            if self.rng.random_range(0..3) > 0 && self.leads(index) {
                self.proposed += 1;
                let batch = Bytes::from(self.proposed.to_le_bytes().to_vec());
                self.with(index, |log, out| log.propose(now, batch, out));
            }
        }
        for (from, to, message) in std::mem::take(&mut self.wire) {
            if self.busy == Some(to) {
                self.wire.push((from, to, message));
                continue;
            }
            let fate = self.rng.random_range(0..1000);
            if fate < self.loss {
                continue;
            }
            if fate < 4 * self.loss {
                self.wire.push((from, to, message.clone()));
            }
            if fate >= 3 * self.loss {
                self.with(to, |log, out| log.on_message(now, from, message, out));
            }
        }
    }

    /// What is on its way to a replica never arrives.
    pub fn drop_mail(&mut self, index: u8) {
        self.wire.retain(|(_, to, _)| *to != index);
    }

    pub fn log(&self, index: u8) -> Option<&GroupLog> {
        self.seats[usize::from(index)].log.as_ref()
    }

    pub fn leads(&self, index: u8) -> bool {
        self.log(index).is_some_and(GroupLog::is_leader)
    }

    pub fn start(&mut self, index: u8) {
        let seed = self.rng.random();
        let seat = &mut self.seats[usize::from(index)];
        if seat.log.is_none() {
            (seat.applied, seat.hash) = (0, 0);
            seat.log = Some(GroupLog::restore(index, 3, seed, seat.disk.clone()));
        }
    }

    /// Compacts a replica's log, and sends a snapshot if one is wanted.
    pub fn compact(&mut self, index: u8) {
        let now = self.now;
        let seat = &mut self.seats[usize::from(index)];
        let Some(log) = seat.log.as_mut().filter(|_| seat.applied > 0) else {
            return;
        };
        let Cut { last, members, .. } = log.cut(seat.applied);
        let mut state = seat.hash.to_le_bytes().to_vec();
        // More than one chunk.
        state.resize(3 << 20, 1);
        let state = state.into();
        let snapshot = Snapshot {
            last,
            members,
            state,
        };
        seat.disk.compact(snapshot.clone());
        let wanted = log.wants_snapshot();
        self.with(index, |log, out| {
            log.compact(last, 200);
            if wanted {
                log.offer(now, snapshot, out);
            }
        });
    }

    /// Whether all three are voters in their present generations.
    pub fn is_whole(&self) -> bool {
        let member =
            |(index, seat): (usize, &Seat)| MemberId::new(index as u8, seat.disk.generation);
        let present = self.seats.iter().enumerate().map(member).collect();
        let settled = |index| self.log(index)?.settled_members();
        (0..3).any(|index| settled(index).is_some_and(|members| members.voters == present))
    }

    /// Something breaks, or comes back.
    pub fn strike(&mut self) {
        let index = self.rng.random_range(0..3u8);
        match self.rng.random_range(0..8) {
            0 => self.seats[usize::from(index)].log = None,
            1 => self.tear(index),
            2 if self.is_whole() => {
                // The calendar that it begins a generation by may be wrong.
                let generation = self.rng.random_range(1..1 << 48);
                self.forget_in(index, generation);
            }
            3 | 4 => self.compact(index),
            _ => (0..3).for_each(|index| self.start(index)),
        }
    }

    /// A replica goes down and loses its disk: it will come back in a new generation.
    pub fn forget(&mut self, index: u8) {
        self.generations += 1;
        self.forget_in(index, self.generations);
    }

    /// The same, in this generation: none that it has had.
    pub fn forget_in(&mut self, index: u8, generation: u64) {
        let seat = &mut self.seats[usize::from(index)];
        seat.log = None;
        seat.disk = Stored {
            generation,
            ..Stored::default()
        };
    }

    /// A crash in the middle of a write: a part of its records is stored, nothing is sent.
    pub fn tear(&mut self, index: u8) {
        let now = self.now + Duration::from_secs(2);
        let seat = &mut self.seats[usize::from(index)];
        let Some(mut log) = seat.log.take() else {
            return;
        };
        let mut out = LogOutbox::default();
        log.on_timer(now, &mut out);
        log.propose(now, Bytes::from_static(b"torn"), &mut out);
        let kept = self.rng.random_range(0..=out.records.len());
        for record in out.records.into_iter().take(kept) {
            seat.disk.add(record);
        }
    }

    /// All is well from now on: everybody must catch up, while proposals go on.
    pub fn heal(&mut self) {
        self.loss = 0;
        (0..3).for_each(|index| self.start(index));
        let begun = self.now;
        let goal = self.agreed.keys().next_back().copied().unwrap_or(0) + 100;
        while self.seats.iter().any(|seat| seat.applied < goal) || !self.is_whole() {
            self.step();
            if self.now > begun + Duration::from_secs(20) {
                let applied: Vec<u64> = self.seats.iter().map(|seat| seat.applied).collect();
                panic!("no progress: {applied:?} of {goal}, {}", self.is_whole());
            }
            for index in 0..3 {
                if self.log(index).is_some_and(GroupLog::wants_snapshot) {
                    self.compact(index);
                }
            }
        }
    }
}
