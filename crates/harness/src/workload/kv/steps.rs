//! The commands of one client of workload `kv`.

use super::settings::Kv;
use crate::workload::popularity::{Picker, Popularity};
use crate::workload::random::{draw, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use ssmr_core::PartitionId;
use std::collections::{BTreeSet, VecDeque};

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
    picker: Picker,
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
            picker: settings.popularity.among(settings.keys),
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

    /// The oldest key that this client made up, or one time in four a loaded one. Loaded ones live
    /// if accesses name them to touch so many partitions; then a client that has no other deletes
    /// what is not there yet.
    fn doomed(&mut self) -> u64 {
        if self.settings.multi_partitions.is_some() {
            let next = self.fresh(self.client, self.fresh_count);
            return self.own.pop_front().unwrap_or(next);
        }
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
    /// more. Where the latest are the popular ones, all are younger.
    fn any(&mut self) -> u64 {
        if self.settings.popularity == Popularity::Latest {
            let made = self.fresh_count * self.settings.clients;
            return self.picker.draw(&mut self.rng, made);
        }
        if self.fresh_count > 0 && self.rng.random_ratio(1, 8) {
            let age = self.rng.random_range(0..self.fresh_count.min(YOUNG));
            let maker = self.rng.random_range(0..self.settings.clients);
            return self.fresh(maker, self.fresh_count - 1 - age);
        }
        self.loaded()
    }

    /// Different keys, at as many partitions as asked for. One that does not fit gives way to the
    /// next one that does.
    fn several(&mut self) -> Vec<u64> {
        let mut keys: Vec<u64> = Vec::new();
        let mut homes = Homes::default();
        for _ in 0..self.settings.multi_objects {
            // Whether a young key is there, and with it how many partitions take part, is unknown.
            let mut key = match self.settings.multi_partitions {
                None => self.any(),
                Some(_) => self.loaded(),
            };
            while keys.contains(&key) || !homes.take(&self.settings, key) {
                key = (key + 1) % self.settings.keys;
            }
            keys.push(key);
        }
        keys
    }

    fn loaded(&mut self) -> u64 {
        self.picker.draw(&mut self.rng, 0)
    }

    /// The `number`-th key that a client makes up. Everybody can tell.
    fn fresh(&self, client: u64, number: u64) -> u64 {
        self.settings.keys + number * self.settings.clients + client
    }
}

/// The partitions of the keys of a command.
#[derive(Debug, Default)]
struct Homes(BTreeSet<PartitionId>);

impl Homes {
    /// Takes a key in, unless that would make too many partitions, or leave too few.
    fn take(&mut self, settings: &Kv, key: u64) -> bool {
        let Some(wanted) = settings.multi_partitions else {
            return true;
        };
        let home = settings.home(key);
        let enough = self.0.len() >= usize::from(wanted);
        match self.0.contains(&home) {
            true => enough,
            false => !enough && self.0.insert(home),
        }
    }
}
