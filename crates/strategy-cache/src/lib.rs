//! Strategy **cache**: copies in a shared memcached cluster; a partition looks at its local copy first, then at the shared
//! memory.
//!
//! **Idea.** The fourth alternative of the note on dynamic objects. The home partition of an object (a pure function of
//! its id) is authority and directory; any partition may own it. Owners publish values and locations in the shared cache.
//! In a command that concerns several partitions an owner signals only revision and digest; the others find the bytes in
//! their local copies or in the cache, or ask the owner for them.
//!
//! **Why it is linearizable.** The cache is never an authority: an eviction would turn `add` into a second create, and a
//! miss is not an absence. The order chooses the revision; a value is published under a key that contains it and never
//! gets another value, so a hit is the right value and anything else is a miss. The digest is checked, and the bytes are
//! logged together with the signal, so replay needs no cache. Locations in it are hints.
//!
//! **What it costs.** A cache round trip where a value is needed elsewhere. A flushed, slow or dead cache costs time: a
//! circuit breaker opens, signals carry values again, and locations come from the homes.

mod breaker;

use breaker::Breaker;
use bytes::Bytes;
use ssmr_core::id::digest;
use ssmr_core::oracle::Unpacked;
use ssmr_core::two_generation_map::TwoGenerationMap;
use ssmr_core::{
    CacheCall, CacheReply, Carried, Change, Effects, Encoded, Found, Groups, Guess, Hint, Micros,
    Mutant, ObjectEvent, ObjectId, Oracle, PartitionId, Revision, Topology,
};

/// How many values of other partitions' objects are kept.
const COPIES: usize = 4096;
/// How long a question to the cache may stay unanswered.
const PATIENCE: Micros = 50_000;

/// The oracle of strategy cache.
#[derive(Clone, Debug)]
pub struct Cache {
    topology: Topology,
    incarnation: u64,
    breaker: Breaker,
    /// Local copies: the last value seen of other partitions' objects.
    copies: TwoGenerationMap<ObjectId, (Revision, Encoded)>,
    /// Values that the cache was asked for, by the digest of the key: when, or what it said.
    asked: TwoGenerationMap<u64, Asked>,
    hits: u64,
    misses: u64,
    mutant: Option<Mutant>,
}

#[derive(Clone, Debug)]
enum Asked {
    At(Micros),
    Said(Found),
}

impl Cache {
    /// The oracle for a cluster of this topology. The incarnation is a random number of the cluster: a later one on the same
    /// cache servers must not meet the values of an earlier one.
    #[must_use]
    pub fn new(topology: Topology, incarnation: u64) -> Self {
        let breaker = Breaker::default();
        let (copies, asked) = (TwoGenerationMap::new(COPIES), TwoGenerationMap::new(COPIES));
        Self {
            topology,
            incarnation,
            breaker,
            copies,
            asked,
            hits: 0,
            misses: 0,
            mutant: None,
        }
    }

    /// The same with a fault built in on purpose; for tests.
    #[must_use]
    pub fn with_mutant(mut self, mutant: Mutant) -> Self {
        self.mutant = Some(mutant);
        self
    }

    fn has_mutable_keys(&self) -> bool {
        self.mutant == Some(Mutant::MutableCacheKeys)
    }

    fn location_key(&self, object: ObjectId) -> Bytes {
        format!("{:x}:l:{object}", self.incarnation).into()
    }

    /// Immutable: no other value is ever stored under it.
    fn value_key(&self, object: ObjectId, revision: Revision) -> Bytes {
        let Revision { epoch, version } = if self.has_mutable_keys() {
            Revision::default()
        } else {
            revision
        };
        let (incarnation, ts, group) = (self.incarnation, epoch.ts, epoch.group().index());
        format!("{incarnation:x}:v:{object}:{ts:x}.{group:x}:{version:x}").into()
    }

    fn publish(
        &self,
        event: &ObjectEvent,
        value: Option<&Encoded>,
        owner: Option<PartitionId>,
        out: &mut Effects,
    ) {
        let (object, revision) = (event.object, event.revision);
        if let Some(value) = value {
            let (key, value) = (self.value_key(object, revision), value.clone());
            out.cache.push(CacheCall::Set { key, value });
        }
        if let Some(owner) = owner {
            let (key, epoch) = (self.location_key(object), revision.epoch);
            out.cache.push(CacheCall::Publish {
                key,
                hint: Hint {
                    object,
                    owner,
                    epoch,
                },
            });
        }
    }

    /// What the cache says, asking it if need be; `None` while it has not answered.
    fn fetch(&mut self, now: Micros, key: Bytes, out: &mut Effects) -> Option<Found> {
        let name = digest(&key);
        match self.asked.get(name).cloned() {
            Some(Asked::At(at)) if now < at + PATIENCE => None,
            Some(Asked::At(_)) => {
                self.breaker.failed(now);
                self.asked.remove(name);
                Some(Found::Down)
            }
            Some(Asked::Said(found)) => {
                self.asked.remove(name);
                Some(found)
            }
            None => {
                self.asked.insert(name, Asked::At(now));
                out.cache.push(CacheCall::Get { key });
                None
            }
        }
    }
}

impl Oracle for Cache {
    const NAME: &'static str = "cache";

    fn authority(&self, object: ObjectId) -> Groups {
        self.topology.home(object).into()
    }

    fn directory(&self, object: ObjectId) -> Groups {
        self.topology.home(object).into()
    }

    fn owner(&self, object: ObjectId, wish: Option<PartitionId>) -> PartitionId {
        wish.unwrap_or_else(|| self.topology.spread(object))
    }

    fn guess(&self, object: ObjectId) -> Guess {
        Guess::Shared {
            key: self.location_key(object),
            otherwise: self.authority(object),
        }
    }

    fn observe(&mut self, now: Micros, event: &ObjectEvent, out: &mut Effects) {
        if self.breaker.is_open(now) || !event.here {
            return;
        }
        match &event.change {
            Change::Created(owner, value) | Change::Moved(owner, value) => {
                self.publish(event, value.as_ref(), Some(*owner), out);
            }
            Change::Written(value) => self.publish(event, Some(value), None, out),
            Change::Deleted => {}
        }
    }

    fn pack(&mut self, now: Micros, _object: ObjectId, _revision: Revision, value: &mut Carried) {
        if let Carried::Value(bytes) = value
            && !self.breaker.is_open(now)
        {
            *value = Carried::Reference {
                digest: digest(bytes),
            };
        }
    }

    fn unpack(
        &mut self,
        now: Micros,
        object: ObjectId,
        revision: Revision,
        value: &mut Carried,
        out: &mut Effects,
    ) -> Unpacked {
        let Carried::Reference { digest: wanted } = *value else {
            return Unpacked::Ready;
        };
        let copy = self
            .copies
            .get(object)
            .filter(|(of, bytes)| *of == revision && digest(bytes) == wanted);
        if let Some((_, bytes)) = copy {
            *value = Carried::Value(bytes.clone());
            self.hits += 1;
            return Unpacked::Ready;
        }
        if self.breaker.is_open(now) {
            self.misses += 1;
            return Unpacked::Missing;
        }
        match self.fetch(now, self.value_key(object, revision), out) {
            None => Unpacked::Waiting,
            Some(Found::Hit(bytes)) if digest(&bytes) == wanted || self.has_mutable_keys() => {
                self.copies.insert(object, (revision, bytes.clone()));
                *value = Carried::Value(bytes);
                self.hits += 1;
                Unpacked::Ready
            }
            Some(_) => {
                self.misses += 1;
                Unpacked::Missing
            }
        }
    }

    fn on_cache(&mut self, now: Micros, reply: CacheReply) {
        match &reply.found {
            Found::Down => self.breaker.failed(now),
            Found::Hit(_) | Found::Miss => self.breaker.succeeded(),
        }
        let name = digest(&reply.key);
        if self.asked.get(name).is_some() {
            self.asked.insert(name, Asked::Said(reply.found));
        }
    }

    fn cache_counts(&self) -> (u64, u64) {
        (self.hits, self.misses)
    }
}
