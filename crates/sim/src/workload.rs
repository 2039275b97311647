//! What the simulated clients ask for: biased towards trouble, for undirected schedules miss real
//! bugs.
//!
//! Few objects, and races of create, delete, move and access on them. Hints grow stale, ids are
//! created twice, and commands touch several objects at once. Under some profiles every other
//! client only reads: one that also writes is soon stuck with a leader that was cut off.

use crate::app::{Op, Register, Registers};
use crate::options::Profile;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use ssmr_core::{Micros, ObjectId, PartitionId, Request, Revision, Touch};
use std::collections::BTreeMap;

/// Objects of clients that are not judged begin here: far beyond those of the others.
pub(crate) const OWN_OBJECTS: u64 = 1 << 20;

/// One client's source of requests.
#[derive(Debug)]
pub(crate) struct Workload {
    rng: ChaCha8Rng,
    /// For what is added to the requests.
    additions: ChaCha8Rng,
    /// The first object's number, and how many there are.
    first: u64,
    objects: u64,
    partitions: u8,
    reads_only: bool,
    next_mark: u64,
    /// The revisions that answers told last.
    seen: BTreeMap<ObjectId, Revision>,
}

impl Workload {
    pub(crate) fn new(rng: ChaCha8Rng, client: u64, objects: u64, partitions: u8) -> Self {
        let mut additions = rng.clone();
        additions.set_stream(1);
        Self {
            rng,
            additions,
            seen: BTreeMap::new(),
            first: 0,
            objects,
            partitions,
            reads_only: false,
            next_mark: client << 32,
        }
    }

    /// The same of a client that writes two objects that only its like touch.
    pub(crate) fn of_own(rng: ChaCha8Rng, client: u64, partitions: u8) -> Self {
        Self {
            first: OWN_OBJECTS,
            ..Self::new(rng, client, 2, partitions)
        }
    }

    /// The same of a client that reads single objects, and does nothing else.
    pub(crate) fn that_reads(self) -> Self {
        Self {
            reads_only: true,
            ..self
        }
    }

    /// An answer tells of revisions.
    pub(crate) fn learn(&mut self, touched: &[Touch]) {
        let told = touched
            .iter()
            .filter_map(|touch| Some((touch.object, touch.after?)));
        self.seen.extend(told);
    }

    /// Has a service that panics run what updates or writes, now and then.
    fn access(&mut self, op: Op) -> Request {
        let fragile = self.additions.random_range(0..5) == 0;
        let op = match op {
            Op::Update(objects, mark) if fragile => Op::FragileUpdate(objects, mark),
            Op::Write(objects, mark) if fragile => Op::FragileWrite(objects, mark),
            op => op,
        };
        let mut request = Request::access::<Registers>(&op);
        if self.additions.random_range(0..4) == 0 {
            let objects: Vec<ObjectId> = request.objects().collect();
            for object in objects {
                if let Some(&revision) = self.seen.get(&object) {
                    request = request.expecting(object, revision);
                }
            }
        }
        request
    }

    /// How long the client waits before its next request.
    pub(crate) fn pause(&mut self, profile: Profile) -> Micros {
        match profile.longest_pause(self.reads_only) {
            0 => 0,
            longest => self.rng.random_range(0..longest),
        }
    }

    /// The next request.
    pub(crate) fn request(&mut self) -> Request {
        if self.reads_only {
            return Request::access::<Registers>(&Op::Read(vec![self.object()]));
        }
        let object = self.object();
        match self.rng.random_range(0..100) {
            0..22 => {
                let value = Register {
                    writes: 0,
                    chain: self.mark(),
                };
                Request::create::<Registers>(object, &value, Some(self.partition()))
            }
            22..34 => Request::delete(object),
            34..52 => Request::relocate(object, self.partition()),
            52..56 => Request::lookup(object),
            56..72 => {
                let op = Op::Read(self.some());
                self.access(op)
            }
            72..90 => {
                let op = Op::Update(self.some(), self.mark());
                self.access(op)
            }
            90..97 => {
                let op = Op::Write(self.some(), self.mark());
                self.access(op)
            }
            _ => self.rehome(object),
        }
    }

    /// Deletes an object and creates another one, at once.
    fn rehome(&mut self, object: ObjectId) -> Request {
        let value = Register {
            writes: 0,
            chain: self.mark(),
        };
        let other = self.object();
        let create = ssmr_core::Intent::Create {
            at: None,
            value: ssmr_core::codec::encode(&value),
        };
        let request = Request::delete(object);
        if other == object {
            request
        } else {
            request.and(other, create)
        }
    }

    fn object(&mut self) -> ObjectId {
        object(self.first + self.rng.random_range(0..self.objects))
    }

    fn some(&mut self) -> Vec<ObjectId> {
        let count = [1, 1, 2, 2, 3][self.rng.random_range(0..5usize)];
        (0..count).map(|_| self.object()).collect()
    }

    fn partition(&mut self) -> PartitionId {
        PartitionId(self.rng.random_range(0..self.partitions))
    }

    fn mark(&mut self) -> u64 {
        self.next_mark += 1;
        self.next_mark
    }
}

/// The `n`-th object of the simulation.
pub(crate) fn object(n: u64) -> ObjectId {
    ObjectId::new(n, n)
}
