//! The commands of one client of a workload `twitter-...`.

use super::settings::Twitter;
use crate::workload::popularity::Picker;
use crate::workload::random::{draw, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::collections::VecDeque;

/// How many younger keys that come back a client makes before one does.
const YOUNGER: usize = 16;

/// One command. Values follow from their stamps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum Step {
    Create { key: u64, stamp: u64 },
    Read { key: u64 },
    Update { key: u64, stamp: u64 },
    Delete { key: u64 },
    ReadModifyWrite { key: u64, stamp: u64 },
}

/// The commands of one client.
#[derive(Debug)]
pub(crate) struct Steps {
    settings: Twitter,
    client: u64,
    rng: ChaCha8Rng,
    picker: Picker,
    /// How many keys this client has made up.
    fresh: u64,
    /// Those of them that are to come back, the oldest first.
    coming: VecDeque<u64>,
    /// Loaded keys that it has deleted and not created anew, the oldest first.
    deleted: VecDeque<u64>,
    /// How many these may be.
    missing: usize,
}

impl Steps {
    /// The commands of this client.
    pub(super) fn new(settings: &Twitter, client: u64) -> Self {
        Self {
            picker: settings.popularity.among(settings.items),
            settings: settings.clone(),
            client,
            rng: stream(settings.seed, client),
            fresh: 0,
            coming: VecDeque::new(),
            deleted: VecDeque::new(),
            missing: settings.missing_each(),
        }
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let cluster = self.settings.cluster;
        let (new_write, new_read) = cluster.new_chances();
        Some(match draw(&mut self.rng, &cluster.weights()) {
            0 => Step::Read {
                key: match self.rng.random_bool(new_read) {
                    true => self.fresh(),
                    false => self.known(),
                },
            },
            1 => match self.rng.random_bool(new_write) {
                true => self.create(),
                false => self.set(),
            },
            2 => match self.rng.random_bool(new_write) {
                true => self.create(),
                false => self.add(),
            },
            3 => self.delete(),
            _ => Step::ReadModifyWrite {
                key: self.known(),
                stamp: self.rng.random(),
            },
        })
    }
}

impl Steps {
    /// Creates a new object, which comes back or does not.
    fn create(&mut self) -> Step {
        let key = self.fresh();
        let one_hit = self.settings.cluster.one_hit_pct / 100.0;
        if !self.rng.random_bool(one_hit) {
            self.coming.push_back(key);
        }
        let stamp = self.rng.random();
        Step::Create { key, stamp }
    }

    /// Creates an object anew that this client has deleted; overwrites one if there is none.
    fn set(&mut self) -> Step {
        let anew = self.deleted.pop_front();
        let key = anew.unwrap_or_else(|| self.known());
        let stamp = self.rng.random();
        match anew {
            Some(_) => Step::Create { key, stamp },
            None => Step::Update { key, stamp },
        }
    }

    /// Creates an object that is there already.
    fn add(&mut self) -> Step {
        let (key, stamp) = (self.known(), self.rng.random());
        Step::Create { key, stamp }
    }

    fn delete(&mut self) -> Step {
        if self.deleted.len() >= self.missing {
            return Step::Delete { key: self.fresh() };
        }
        let key = self.rng.random_range(0..self.settings.items);
        self.deleted.push_back(key);
        Step::Delete { key }
    }

    /// A key of this client that is to come back, or a loaded one.
    fn known(&mut self) -> u64 {
        if self.coming.len() > YOUNGER
            && let Some(key) = self.coming.pop_front()
        {
            return key;
        }
        self.picker.draw(&mut self.rng, 0)
    }

    /// A key that nobody uses but this command.
    fn fresh(&mut self) -> u64 {
        let key = self.settings.items + self.fresh * self.settings.clients + self.client;
        self.fresh += 1;
        key
    }
}
