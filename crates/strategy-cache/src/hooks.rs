//! What a leader does with the shared cache: publish what it owns, look up what it is sent
//! references to.
//!
//! All of it is outside the ordered state. Invariant: a value is believed only if it has the digest
//! that the signal bears.

use crate::breaker::Breaker;
use crate::keys::location_key;
use bytes::Bytes;
use ssmr_core::hooks::CacheCounts;
use ssmr_core::id::digest;
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::two_generation_map::TwoGenerationMap;
use ssmr_core::{
    CacheCall, CacheReply, Change, Encoded, Found, Hint, LeaderHooks, LocalTime, Micros,
    ObjectEvent, ObjectId, Revision, Unpacked, ValueCodec, ValueReference,
};
use std::collections::VecDeque;

/// How many values of other partitions' objects are kept.
const COPIES: usize = 4096;
/// How long a question to the cache may stay unanswered.
const PATIENCE: Micros = 50_000;

/// One leader's view of the shared cache.
#[derive(Debug)]
pub struct CacheHooks {
    breaker: Breaker,
    /// Local copies: the last value seen of other partitions' objects.
    copies: TwoGenerationMap<ObjectId, (Revision, Encoded)>,
    /// Values that the cache was asked for, by the digest of the key.
    questions: TwoGenerationMap<u64, Question>,
    calls: VecDeque<CacheCall>,
    counts: CacheCounts,
}

/// A question to the cache.
#[derive(Clone, Debug)]
enum Question {
    AskedAt(LocalTime),
    Answered(Found),
}

impl Default for CacheHooks {
    fn default() -> Self {
        Self {
            breaker: Breaker::default(),
            copies: TwoGenerationMap::new(COPIES),
            questions: TwoGenerationMap::new(COPIES),
            calls: VecDeque::new(),
            counts: CacheCounts::default(),
        }
    }
}

impl CacheHooks {
    fn publish_value(&mut self, event: &ObjectEvent, value: &Encoded) {
        let key = value_key(event.object, event.revision);
        let value = value.clone();
        self.calls.push_back(CacheCall::Set { key, value });
    }

    /// What the cache says, asking it if need be; `None` while it has not answered.
    fn fetch(&mut self, now: LocalTime, key: Bytes) -> Option<Found> {
        let name = digest(&key);
        match self.questions.get(name).cloned() {
            Some(Question::AskedAt(at)) if now < at + PATIENCE => None,
            Some(Question::AskedAt(_)) => {
                self.breaker.failed(now);
                self.questions.remove(name);
                Some(Found::Down)
            }
            Some(Question::Answered(found)) => {
                self.questions.remove(name);
                Some(found)
            }
            None => {
                self.questions.insert(name, Question::AskedAt(now));
                self.calls.push_back(CacheCall::Get { key });
                None
            }
        }
    }

    fn hit(&mut self, value: Encoded) -> Unpacked {
        self.counts.hits += 1;
        Unpacked::Ready(value)
    }

    fn miss(&mut self) -> Unpacked {
        self.counts.misses += 1;
        Unpacked::Missing
    }
}

impl ValueCodec for CacheHooks {
    fn pack(
        &mut self,
        now: LocalTime,
        _: ObjectId,
        _: Revision,
        value: &Encoded,
    ) -> Option<ValueReference> {
        let digest = || ValueReference {
            digest: digest(value),
        };
        (!self.breaker.is_open(now)).then(digest)
    }

    fn unpack(
        &mut self,
        now: LocalTime,
        object: ObjectId,
        revision: Revision,
        reference: ValueReference,
    ) -> Unpacked {
        let is_meant = |bytes: &Encoded| digest(bytes) == reference.digest;
        let copy = self.copies.get(object);
        if let Some((_, bytes)) = copy.filter(|(of, bytes)| *of == revision && is_meant(bytes)) {
            let bytes = bytes.clone();
            return self.hit(bytes);
        }
        if self.breaker.is_open(now) {
            return self.miss();
        }
        match self.fetch(now, value_key(object, revision)) {
            None => Unpacked::Waiting,
            Some(Found::Hit(bytes))
                if is_meant(&bytes) || mutant::is_active(Mutant::MutableCacheKeys) =>
            {
                self.copies.insert(object, (revision, bytes.clone()));
                self.hit(bytes)
            }
            Some(_) => self.miss(),
        }
    }
}

impl LeaderHooks for CacheHooks {
    fn on_change(&mut self, now: LocalTime, event: &ObjectEvent) {
        if self.breaker.is_open(now) || !event.here {
            return;
        }
        match &event.change {
            Change::Created(owner, value) | Change::Moved(owner, value) => {
                if let Some(value) = value {
                    self.publish_value(event, value);
                }
                let hint = Hint {
                    object: event.object,
                    owner: *owner,
                    epoch: event.revision.epoch,
                };
                let key = location_key(event.object);
                self.calls.push_back(CacheCall::Publish { key, hint });
            }
            Change::Written(value) => self.publish_value(event, value),
            Change::Deleted => {}
        }
    }

    fn on_cache_reply(&mut self, now: LocalTime, reply: CacheReply) {
        match &reply.found {
            Found::Down => self.breaker.failed(now),
            Found::Hit(_) | Found::Miss => self.breaker.succeeded(),
        }
        let name = digest(&reply.key);
        if self.questions.get(name).is_some() {
            self.questions.insert(name, Question::Answered(reply.found));
        }
    }

    fn poll_cache_call(&mut self) -> Option<CacheCall> {
        self.calls.pop_front()
    }

    fn cache_counts(&self) -> CacheCounts {
        self.counts
    }
}

/// The key of a value. It contains the revision, so no other value is ever stored under it.
fn value_key(object: ObjectId, revision: Revision) -> Bytes {
    let Revision { epoch, version } = if mutant::is_active(Mutant::MutableCacheKeys) {
        Revision::default()
    } else {
        revision
    };
    let (clock, group) = (epoch.clock, epoch.group().index());
    format!("v:{object}:{clock:x}.{group:x}:{version:x}").into()
}
