//! Names that several processes share.

use super::World;
use rand::RngExt;
use ssmr_core::{ClientId, Command};

impl World {
    /// The process that hears what a replica tells a client: of several that go by its id, one.
    pub(super) fn one_of(&mut self, client: ClientId) -> ClientId {
        let Some(seats) = self.twins.get(&client) else {
            return client;
        };
        seats[self.rng.random_range(0..seats.len())]
    }

    /// Counts what a twin names as the other one has named something else.
    pub(super) fn note_name(&mut self, client: ClientId, command: &Command) {
        if self.twins.contains_key(&client) {
            let first = self.named.entry(command.id);
            let first = first.or_insert_with(|| command.request.clone());
            self.report.conflicts += u64::from(*first != command.request);
        }
    }
}
