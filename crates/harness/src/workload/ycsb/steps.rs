//! The commands of one client of a YCSB workload.

use super::settings::Ycsb;
use crate::workload::popularity::{Picker, Popularity};
use crate::workload::random::{draw, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use ssmr_core::topology::mix;

/// One command. Fields follow from their stamps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum Step {
    Create { key: u64, stamp: u64 },
    Read { key: u64 },
    Update { key: u64, field: u16, stamp: u64 },
    Scan { first: u64, count: u64 },
    ReadModifyWrite { key: u64, field: u16, stamp: u64 },
}

/// The commands of one client.
#[derive(Debug)]
pub(crate) struct Steps {
    settings: Ycsb,
    client: u64,
    rng: ChaCha8Rng,
    picker: Picker,
    /// How many records this client has inserted.
    inserted: u64,
}

impl Steps {
    /// The commands of this client.
    pub(super) fn new(settings: &Ycsb, client: u64) -> Self {
        Self {
            picker: settings.popularity.among(settings.records),
            settings: settings.clone(),
            client,
            rng: stream(settings.seed, client),
            inserted: 0,
        }
    }

    /// A record, the popular ones more often.
    fn record(&mut self) -> u64 {
        let inserted = self.inserted * self.settings.clients;
        let record = self.picker.draw(&mut self.rng, inserted);
        match self.settings.popularity {
            Popularity::Zipf { .. } => mix(record) % self.settings.records,
            _ => record,
        }
    }

    /// The next record that this client inserts; no other client inserts it.
    fn fresh(&mut self) -> u64 {
        let Ycsb {
            records, clients, ..
        } = self.settings;
        let key = records + self.inserted * clients + self.client;
        self.inserted += 1;
        key
    }

    fn field(&mut self) -> u16 {
        self.rng.random_range(0..self.settings.fields)
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let kind = draw(&mut self.rng, &self.settings.mix.percentages);
        Some(match kind {
            0 => Step::Create {
                key: self.fresh(),
                stamp: self.rng.random(),
            },
            1 => Step::Read { key: self.record() },
            2 => Step::Update {
                key: self.record(),
                field: self.field(),
                stamp: self.rng.random(),
            },
            3 => {
                let count = self.rng.random_range(1..=self.settings.scan_length);
                let last = self.settings.records - count;
                Step::Scan {
                    first: self.record().min(last),
                    count,
                }
            }
            _ => Step::ReadModifyWrite {
                key: self.record(),
                field: self.field(),
                stamp: self.rng.random(),
            },
        })
    }
}
