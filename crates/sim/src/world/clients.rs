//! Clients: how they are connected, and who is who where several processes go by one id.

use super::{CLIENT_TICK, User, World, WorldEvent};
use crate::app::Registers;
use crate::network::Seat;
use rand::RngExt;
use ssmr_core::client::{ClientSettings, StaleReads};
use ssmr_core::{ClientEngine, ClientId, Command, Oracle, Placement, Secret};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

impl World {
    /// Adds a client.
    pub fn connect(&mut self, id: ClientId, oracle: &Arc<dyn Oracle>) {
        self.connect_until(id, oracle, self.options.profile.deadline());
    }

    /// Adds one of several processes that go by one client's id. What it sees is not judged.
    pub(crate) fn connect_twin(
        &mut self,
        seat: ClientId,
        shared: ClientId,
        oracle: &Arc<dyn Oracle>,
    ) {
        self.twins.entry(shared).or_default().push(seat);
        self.connect_as(seat, shared, oracle, Duration::MAX);
    }

    /// Adds a client whose calls live for so long.
    pub(crate) fn connect_until(
        &mut self,
        id: ClientId,
        oracle: &Arc<dyn Oracle>,
        deadline: Duration,
    ) {
        self.connect_as(id, id, oracle, deadline);
    }

    /// A process that is not judged goes. What it has handed in goes on.
    pub(crate) fn disconnect(&mut self, seat: ClientId) {
        self.users.remove(&seat);
    }

    fn connect_as(
        &mut self,
        seat: ClientId,
        id: ClientId,
        oracle: &Arc<dyn Oracle>,
        deadline: Duration,
    ) {
        let settings = ClientSettings::default()
            .with_execution(self.options.execution)
            .with_reads(self.options.possible_reads())
            .with_resend_after(self.options.profile.resend_after())
            .allowing_for(self.options.profile.round_trip())
            .with_session_ttl(self.options.profile.session_ttl())
            .with_deadline(deadline)
            .with_late_answers(true);
        let oracle = (self.seated)(oracle, Seat::Client(id));
        // Replicas have the secret that they have where nobody names one.
        let key = Secret::of_incarnation(0).reader_key();
        let client = ClientEngine::new(id, Placement::new(oracle, self.topology), settings)
            .with_stale_reads(StaleReads::of::<Registers>(key));
        self.users.insert(
            seat,
            User {
                client,
                requests: BTreeMap::new(),
            },
        );
        self.schedule(CLIENT_TICK, WorldEvent::ClientTick(seat));
    }

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
