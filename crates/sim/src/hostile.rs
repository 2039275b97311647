//! A party that speaks the protocol of clients and keeps none of its rules.
//!
//! It gives one name to two commands, hands them in at different groups, claims clocks and sessions
//! from the far future, and names objects that others fight over. It may spoil its own session and
//! its own objects; whatever it does, the others' histories are judged as ever, and nobody waits
//! for it.

use crate::app::{Op, Register, Registers};
use crate::workload::{OWN_OBJECTS, object};
use crate::world::World;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ssmr_core::limits::CLOCK_LEAD;
use ssmr_core::{
    ClientId, Command, CommandId, GroupId, LogTime, LogicalClock, ObjectId, PartitionId, Placement,
    Request, SessionId,
};
use std::sync::Arc;

/// A client without rules.
#[derive(Debug)]
pub(crate) struct HostileClient {
    rng: ChaCha8Rng,
    id: ClientId,
    placement: Placement,
    /// What it has handed in, to be handed in again.
    said: Vec<Arc<Command>>,
    /// How many objects the honest clients fight over.
    objects: u64,
    number: u64,
}

impl HostileClient {
    pub(crate) fn new(seed: u64, placement: Placement, objects: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            id: ClientId(u64::MAX),
            placement,
            said: Vec::new(),
            objects,
            number: 0,
        }
    }

    /// Hands in two commands of one name, each group of their destinations one of them, or none.
    /// Returns how many were handed in at different groups with different contents.
    pub(crate) fn strike(&mut self, world: &mut World) -> u64 {
        self.repeat(world);
        let id = self.name();
        let twins = [self.command(world, id), self.command(world, id)];
        let groups = twins[0].destinations.union(twins[1].destinations);
        let mut handed_in = [false; 2];
        for group in groups.iter() {
            let which = self.rng.random_range(0..3_usize);
            let Some(command) = twins.get(which) else {
                continue;
            };
            if command.destinations.contains(group) {
                handed_in[which] = true;
                let members = world.topology.members(group);
                members.for_each(|to| world.hand_in(to, command));
            }
        }
        self.said.extend(twins.iter().cloned());
        let [first, second] = &twins;
        u64::from(handed_in == [true; 2] && first.request != second.request)
    }

    /// Hands something in once more, at one of its destinations.
    fn repeat(&mut self, world: &mut World) {
        if self.said.is_empty() {
            return;
        }
        let first = self.said.len().saturating_sub(12);
        let command = self.said[self.rng.random_range(first..self.said.len())].clone();
        let groups: Vec<GroupId> = command.destinations.iter().collect();
        let group = groups[self.rng.random_range(0..groups.len())];
        let members = world.topology.members(group);
        members.for_each(|to| world.hand_in(to, &command));
    }

    /// A name, new or used before.
    fn name(&mut self) -> CommandId {
        if self.number == 0 || self.rng.random_range(0..4) > 0 {
            self.number += 1;
        }
        let opened = match self.rng.random_range(0..4) {
            0 => LogTime::from_micros(u64::MAX >> self.rng.random_range(0..50)),
            _ => LogTime::ZERO,
        };
        CommandId {
            session: SessionId {
                client: self.id,
                opened,
            },
            number: self.number,
            attempt: self.rng.random_range(1..3),
        }
    }

    fn command(&mut self, world: &World, id: CommandId) -> Arc<Command> {
        let request = self.request();
        let mut destinations = request.required(&self.placement);
        let all = self.placement.topology().groups();
        let some = all.iter().filter(|_| self.rng.random_range(0..3) == 0);
        destinations = destinations.union(some.collect());
        if destinations.is_empty() || self.rng.random_range(0..8) == 0 {
            destinations = all;
        }
        // What a group has answered, it knows; beyond that it may claim anything.
        let answered = destinations.first().map(|group| world.clock(group).0);
        let clock = match self.rng.random_range(0..4) {
            0 => u64::MAX >> self.rng.random_range(0..64),
            1 => answered.unwrap_or_default().saturating_add(CLOCK_LEAD),
            _ => 0,
        };
        Arc::new(Command {
            low_watermark: self.rng.random_range(1..=id.number),
            clock: LogicalClock(clock),
            ..Command::new(id, destinations, request)
        })
    }

    /// What the others see of it is that it reads what they write.
    fn request(&mut self) -> Request {
        let own = self.own();
        match self.rng.random_range(0..6) {
            0 => {
                let value = Register::default();
                Request::create::<Registers>(own, &value, Some(self.partition()))
            }
            1 => Request::delete(own),
            2 => Request::relocate(own, self.partition()),
            3 => Request::lookup(self.theirs()),
            4 => Request::access::<Registers>(&Op::Read(vec![own, self.theirs()])),
            _ => {
                let mark = self.rng.random();
                Request::access::<Registers>(&Op::Update(vec![own, self.own()], mark))
            }
        }
    }

    fn own(&mut self) -> ObjectId {
        object(OWN_OBJECTS + self.rng.random_range(0..2))
    }

    fn theirs(&mut self) -> ObjectId {
        object(self.rng.random_range(0..self.objects))
    }

    fn partition(&mut self) -> PartitionId {
        let partitions = self.placement.topology().partition_count();
        PartitionId(self.rng.random_range(0..partitions))
    }
}
