//! A tiny service and a model of it with revisions, to write histories by hand: run requests one
//! after the other, then falsify what the clients were told. The model shares no code with the
//! specification that the checks use.

use serde::{Deserialize, Serialize};
use ssmr_check::History;
use ssmr_core::{
    Access, Application, ClientId, CommandId, Completion, Cost, Expected, GroupId, Intent,
    LocalTime, LogTime, LogicalClock, Micros, ObjectId, Objects, Outcome, PartitionId, Request,
    Revision, SessionId, Timestamp, Touch, codec,
};
use std::collections::BTreeMap;

/// Numbers that can be read, added to and set.
#[derive(Debug)]
pub(super) struct Cells;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Op {
    pub(super) reads: Vec<ObjectId>,
    pub(super) adds: Vec<(ObjectId, u64)>,
    pub(super) sets: Vec<(ObjectId, u64)>,
}

impl Application for Cells {
    const NAME: &'static str = "cells";
    type Object = u64;
    type Op = Op;
    type Reply = Vec<u64>;

    fn access(op: &Op) -> Access {
        let adds = op.adds.iter().map(|(object, _)| *object);
        let sets = op.sets.iter().map(|(object, _)| *object);
        Access {
            reads: op.reads.iter().copied().chain(adds.clone()).collect(),
            writes: adds.chain(sets).collect(),
        }
    }

    fn execute(op: &Op, cells: &mut Objects<u64>) -> Vec<u64> {
        for &(object, amount) in &op.adds {
            cells.update(object, |cell| *cell += amount);
        }
        for &(object, value) in &op.sets {
            cells.update(object, |cell| *cell = value);
        }
        let adds = op.adds.iter().map(|(object, _)| object);
        let seen = op.reads.iter().chain(adds);
        seen.filter_map(|&object| cells.get(object).copied())
            .collect()
    }
}

pub(super) fn object(key: u64) -> ObjectId {
    ObjectId::new(0, key)
}

pub(super) const X: ObjectId = ObjectId::new(0, 1);
pub(super) const Y: ObjectId = ObjectId::new(0, 2);

pub(super) fn create(object: ObjectId, value: u64) -> Request {
    Request::create::<Cells>(object, &value, None)
}

pub(super) fn read(objects: &[ObjectId]) -> Request {
    Request::access::<Cells>(&Op {
        reads: objects.to_vec(),
        ..Op::default()
    })
}

pub(super) fn add(object: ObjectId, amount: u64) -> Request {
    Request::access::<Cells>(&Op {
        adds: vec![(object, amount)],
        ..Op::default()
    })
}

pub(super) fn set(objects: &[ObjectId], value: u64) -> Request {
    Request::access::<Cells>(&Op {
        sets: objects.iter().map(|&object| (object, value)).collect(),
        ..Op::default()
    })
}

/// A state of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) cells: BTreeMap<ObjectId, (Revision, u64)>,
    /// Each object has its own clock: objects that never meet drift apart.
    clocks: BTreeMap<ObjectId, u64>,
}

impl Model {
    /// The timestamp of a command on these objects.
    fn tick(&mut self, objects: &[ObjectId]) -> Timestamp {
        let clocks = objects.iter().filter_map(|object| self.clocks.get(object));
        let ts = clocks.max().unwrap_or(&0) + 1;
        self.clocks
            .extend(objects.iter().map(|&object| (object, ts)));
        Timestamp::new(LogicalClock(ts), GroupId::from(PartitionId(0)))
    }

    /// A move that is in no history.
    pub(super) fn shift(&mut self, object: ObjectId) {
        let epoch = self.tick(&[object]);
        if let Some((revision, _)) = self.cells.get_mut(&object) {
            revision.epoch = epoch;
        }
    }

    /// Runs a request alone.
    pub(super) fn run(&mut self, request: &Request) -> (Outcome, Timestamp, Vec<Touch>) {
        let timestamp = self.tick(&request.objects().collect::<Vec<_>>());
        let creates = |intent: &Intent| matches!(intent, Intent::Create { .. });
        let told = |model: &Self, create: bool| {
            let intents = request.intents().iter();
            let fits = intents.filter(|(object, intent)| {
                let to_be_absent = request.expected_of(*object) == Some(Expected::Absent);
                let decides = creates(intent) == create && !to_be_absent;
                decides && model.cells.contains_key(object) == create
            });
            let found = |object| model.cells.get(object).map(|(revision, _)| *revision);
            fits.map(|(object, _)| Touch {
                object: *object,
                before: found(object),
                after: found(object),
            })
            .collect::<Vec<_>>()
        };
        let (existing, absent) = (told(self, true), told(self, false));
        if !existing.is_empty() {
            return (Outcome::AlreadyExists, timestamp, existing);
        }
        if !absent.is_empty() {
            return (Outcome::NotFound, timestamp, absent);
        }
        let found = self.cells.clone();
        let reply = self.access(request);
        for (object, intent) in request.intents() {
            self.place(*object, intent, timestamp);
        }
        let touch = |(object, _): &(ObjectId, Intent)| Touch {
            object: *object,
            before: found.get(object).map(|cell| cell.0),
            after: self.cells.get(object).map(|cell| cell.0),
        };
        let touched = request.intents().iter().map(touch).collect();
        (Outcome::Done(reply), timestamp, touched)
    }

    fn access(&mut self, request: &Request) -> ssmr_core::Encoded {
        if request.op.is_empty() {
            return ssmr_core::Encoded::new();
        }
        let op: Op = codec::decode(&request.op).unwrap();
        for (object, amount) in &op.adds {
            self.cells.get_mut(object).unwrap().1 += amount;
        }
        for (object, value) in &op.sets {
            self.cells.get_mut(object).unwrap().1 = *value;
        }
        let seen = op
            .reads
            .iter()
            .chain(op.adds.iter().map(|(object, _)| object));
        codec::encode(&seen.map(|object| self.cells[object].1).collect::<Vec<_>>())
    }

    fn place(&mut self, object: ObjectId, intent: &Intent, epoch: Timestamp) {
        match intent {
            Intent::Create { value, .. } => {
                let cell = (
                    Revision { epoch, version: 0 },
                    codec::decode(value).unwrap(),
                );
                self.cells.insert(object, cell);
            }
            Intent::Delete => {
                self.cells.remove(&object);
            }
            Intent::Write | Intent::Update => {
                let revision = &mut self.cells.get_mut(&object).unwrap().0;
                *revision = revision.written();
            }
            Intent::Move { .. } => self.cells.get_mut(&object).unwrap().0.epoch = epoch,
            Intent::Read | Intent::Lookup => {}
        }
    }
}

/// One request and what the client was told.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) request: Request,
    pub(super) completion: Completion,
}

impl Act {
    /// Replaces what the client was told by what another one was told.
    pub(super) fn hear(&mut self, other: (Outcome, Timestamp, Vec<Touch>)) {
        self.completion.outcome = other.0;
        self.completion.timestamp = Some(other.1);
        self.completion.touched = other.2;
    }

    /// The client is told nothing.
    pub(super) fn forget(&mut self) {
        self.completion.outcome = Outcome::Unknown;
        self.completion.timestamp = None;
        self.completion.touched.clear();
    }

    /// The client is told another reply.
    pub(super) fn reply(&mut self, values: &[u64]) {
        self.completion.outcome = Outcome::Done(codec::encode(&values.to_vec()));
    }
}

/// A history in the making: requests run in the order in which they are told.
#[derive(Clone, Debug, Default)]
pub(super) struct HistoryBuilder {
    pub(super) model: Model,
    pub(super) acts: Vec<Act>,
}

impl HistoryBuilder {
    /// The next request takes effect, and is invoked and answered at these times.
    pub(super) fn then(
        &mut self,
        request: Request,
        (invoked, completed): (Micros, Micros),
    ) -> &mut Act {
        let (outcome, timestamp, touched) = self.model.run(&request);
        let act = self.lost(request, (invoked, completed));
        act.hear((outcome, timestamp, touched));
        act
    }

    /// A request that takes no effect and is not answered.
    pub(super) fn lost(
        &mut self,
        request: Request,
        (invoked, completed): (Micros, Micros),
    ) -> &mut Act {
        let number = self.acts.len() as u64 + 1;
        let session = SessionId {
            client: ClientId(number),
            opened: LogTime::ZERO,
        };
        let completion = Completion {
            ticket: number,
            outcome: Outcome::Unknown,
            timestamp: None,
            touched: Vec::new(),
            last_attempt: Some(CommandId {
                session,
                number,
                attempt: 1,
            }),
            invoked: LocalTime::from_micros(invoked),
            completed: LocalTime::from_micros(completed),
            cost: Cost::default(),
        };
        self.acts.push(Act {
            request,
            completion,
        });
        self.acts.last_mut().unwrap()
    }

    pub(super) fn history(&self) -> History<Cells> {
        let mut history = History::default();
        for (client, act) in (1..).zip(&self.acts) {
            history.push(ClientId(client), &act.request, &act.completion);
        }
        history
    }
}
