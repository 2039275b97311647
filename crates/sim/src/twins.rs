//! Two processes that go by one client's id, each of which keeps all rules.
//!
//! An answer reaches either of them, whichever was asked for it, and a name means something else to
//! each. What they see is not judged, so they write objects of their own; whatever they do, the
//! others' histories are judged as ever, and nobody waits for them.

use crate::app::{Op, Registers};
use crate::options::Options;
use crate::workload::{OWN_OBJECTS, Workload, object};
use crate::world::World;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ssmr_core::{ClientId, Oracle, Request};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The id that both go by.
const SHARED: ClientId = ClientId(u64::MAX - 1);

/// What the two ask for.
#[derive(Debug)]
pub(crate) struct Twins {
    rng: ChaCha8Rng,
    /// By the seat of the process: its source of requests, and how many are left.
    processes: BTreeMap<ClientId, (Workload, usize)>,
    /// How many objects the others fight over.
    objects: u64,
}

impl Twins {
    /// Connects both.
    pub(crate) fn new(
        world: &mut World,
        oracle: &Arc<dyn Oracle>,
        seed: u64,
        options: &Options,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let seats = [ClientId(u64::MAX - 2), ClientId(u64::MAX - 3)];
        let mut processes = BTreeMap::new();
        for seat in seats {
            world.connect_twin(seat, SHARED, oracle);
            let source = ChaCha8Rng::seed_from_u64(rng.random());
            let workload = Workload::of_own(source, seat.0, options.partitions);
            processes.insert(seat, (workload, options.requests));
        }
        let objects = options.objects;
        let mut twins = Self {
            rng,
            processes,
            objects,
        };
        for seat in seats {
            (0..options.window).for_each(|_| twins.ask(world, seat));
        }
        twins
    }

    /// Both go, whatever they wait for: else what they send again would never end.
    pub(crate) fn go(&self, world: &mut World) {
        self.processes
            .keys()
            .for_each(|seat| world.disconnect(*seat));
    }

    /// The process asks for one thing more: it may read what the others write.
    pub(crate) fn ask(&mut self, world: &mut World, seat: ClientId) {
        let Some((workload, left)) = self.processes.get_mut(&seat) else {
            return;
        };
        let next = left.checked_sub(1);
        let Some(next) = next else { return };
        *left = next;
        let request = if self.rng.random_range(0..4) == 0 {
            let own = object(OWN_OBJECTS + self.rng.random_range(0..2));
            let theirs = object(self.rng.random_range(0..self.objects));
            Request::access::<Registers>(&Op::Read(vec![own, theirs]))
        } else {
            workload.request()
        };
        world.submit(seat, request);
    }
}
