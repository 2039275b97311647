//! The commands of one client of workload `kv`.

use super::settings::{Distribution, Kv};
use crate::workload::random::{ZipfRanks, draw, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::collections::VecDeque;

/// How many of a client's newest keys count as young.
const YOUNG: u64 = 16;

/// One command. Values follow from their stamps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum Step {
    Create { key: u64, stamp: u64 },
    Read { key: u64 },
    Update { key: u64, stamp: u64 },
    Delete { key: u64 },
    Move { key: u64, to: u8 },
    Multi { keys: Vec<u64>, stamp: u64 },
}

/// The commands of one client.
#[derive(Debug)]
pub(crate) struct Steps {
    settings: Kv,
    client: u64,
    rng: ChaCha8Rng,
    ranks: ZipfRanks,
    /// How many keys this client has made up.
    fresh_count: u64,
    /// Those of them that it has not deleted, the oldest first.
    own: VecDeque<u64>,
    /// Loaded keys that it has deleted and not created anew.
    deleted: VecDeque<u64>,
}

impl Steps {
    /// The commands of this client.
    pub(super) fn new(settings: &Kv, client: u64) -> Self {
        Self {
            ranks: ZipfRanks::new(settings.keys),
            settings: settings.clone(),
            client,
            rng: stream(settings.seed, client),
            fresh_count: 0,
            own: VecDeque::new(),
            deleted: VecDeque::new(),
        }
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let kind = draw(&mut self.rng, &self.settings.percentages);
        Some(match kind {
            0 => Step::Create {
                key: self.created(),
                stamp: self.rng.random(),
            },
            1 => Step::Read { key: self.any() },
            2 => Step::Update {
                key: self.any(),
                stamp: self.rng.random(),
            },
            3 => Step::Delete { key: self.doomed() },
            4 => Step::Move {
                key: self.any(),
                to: self.rng.random_range(0..self.settings.partitions),
            },
            _ => Step::Multi {
                keys: self.several(),
                stamp: self.rng.random(),
            },
        })
    }
}

impl Steps {
    /// A key that nobody has used, or one time in two a loaded one that this client has deleted:
    /// somebody else who deleted it too may have been faster.
    fn created(&mut self) -> u64 {
        if self.rng.random_bool(0.5)
            && let Some(key) = self.deleted.pop_front()
        {
            return key;
        }
        let key = self.fresh(self.client, self.fresh_count);
        self.fresh_count += 1;
        self.own.push_back(key);
        key
    }

    /// The oldest key that this client made up, or one time in four a loaded one.
    fn doomed(&mut self) -> u64 {
        if !self.rng.random_bool(0.25)
            && let Some(key) = self.own.pop_front()
        {
            return key;
        }
        let key = self.loaded();
        self.deleted.push_back(key);
        key
    }

    /// A loaded key, or one time in eight a young one of any client: it may not be there yet, or no
    /// more.
    fn any(&mut self) -> u64 {
        if self.fresh_count > 0 && self.rng.random_ratio(1, 8) {
            let age = self.rng.random_range(0..self.fresh_count.min(YOUNG));
            let maker = self.rng.random_range(0..self.settings.clients);
            return self.fresh(maker, self.fresh_count - 1 - age);
        }
        self.loaded()
    }

    /// Different keys. One that was drawn already gives way to its neighbour, so that this ends.
    fn several(&mut self) -> Vec<u64> {
        let mut keys: Vec<u64> = Vec::new();
        for _ in 0..self.settings.multi_objects {
            let mut key = self.any();
            while keys.contains(&key) {
                key = (key + 1) % self.settings.keys;
            }
            keys.push(key);
        }
        keys
    }

    fn loaded(&mut self) -> u64 {
        match self.settings.distribution {
            Distribution::Uniform => self.rng.random_range(0..self.settings.keys),
            Distribution::Zipf => self.ranks.draw(&mut self.rng),
        }
    }

    /// The `number`-th key that a client makes up. Everybody can tell.
    fn fresh(&self, client: u64, number: u64) -> u64 {
        self.settings.keys + number * self.settings.clients + client
    }
}
