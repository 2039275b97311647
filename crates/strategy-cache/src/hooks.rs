//! What a leader does with the shared cache: publish what it owns, look up what it is sent
//! references to.
//!
//! For clients whose reads may be stale it publishes values besides, for a while after one of them
//! has asked for it.
//!
//! All of it is outside the ordered state. Invariant: a value is believed only if it has the digest
//! that the signal bears, which whoever runs the cache can neither compute nor choose.
//!
//! A value that somebody did not find is stored again; one that could not be stored is sent in full
//! for a while. So a server that is away costs its own share of the keys only, and one that has
//! forgotten everything is filled by what is read. Which servers are left alone for a while is the
//! business of whoever carries the calls out.

use crate::keys::location_key;
use bytes::Bytes;
use ssmr_core::hooks::CacheCounts;
use ssmr_core::id::digest;
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::published::INTEREST_US;
use ssmr_core::two_generation_map::TwoGenerationMap;
use ssmr_core::{
    CacheCall, CacheReply, Change, Encoded, Found, LeaderHooks, LocalTime, Micros, ObjectEvent,
    ObjectId, Published, ReaderKey, Revision, Secret, Unpacked, ValueCodec, ValueReference,
};
use std::collections::VecDeque;

/// How many values of other partitions' objects are kept.
const COPIES: usize = 4096;
/// How many bytes they have at most, and how many those that the cache has sent and nobody has
/// fetched yet.
const BYTES: usize = 64 << 20;
/// How long a question to the cache may stay unanswered.
const PATIENCE: Micros = 50_000;
/// How long a value that could not be stored is sent in full before it is tried again.
const PAUSE: Micros = 1_000_000;

/// One leader's view of the shared cache.
#[derive(Debug)]
pub struct CacheHooks {
    secret: Secret,
    /// What published values are sealed with.
    reader_key: ReaderKey,
    /// When a client has asked last that values be published.
    wanted: Option<LocalTime>,
    /// Local copies: the last value seen of other partitions' objects.
    copies: TwoGenerationMap<ObjectId, LocalCopy>,
    /// Values that could not be stored, by the digest of the key, and when.
    not_stored: TwoGenerationMap<u64, LocalTime>,
    /// Values that the cache was asked for, by the digest of the key.
    questions: TwoGenerationMap<u64, Question>,
    calls: VecDeque<CacheCall>,
    counts: CacheCounts,
}

/// A value of another partition's object.
#[derive(Clone, Debug)]
struct LocalCopy {
    revision: Revision,
    reference: ValueReference,
    bytes: Encoded,
}

impl LocalCopy {
    fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// A question to the cache.
#[derive(Clone, Debug)]
enum Question {
    AskedAt(LocalTime),
    Answered(Found),
}

impl Question {
    fn size(&self) -> usize {
        match self {
            Self::Answered(Found::Hit(bytes)) => bytes.len(),
            Self::Answered(Found::Miss | Found::Down) | Self::AskedAt(_) => 0,
        }
    }
}

impl CacheHooks {
    /// Those of a cluster with this secret.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self {
            secret: *secret,
            reader_key: secret.reader_key(),
            wanted: None,
            copies: TwoGenerationMap::new(COPIES).with_weights(BYTES, LocalCopy::size),
            not_stored: TwoGenerationMap::new(COPIES),
            questions: TwoGenerationMap::new(COPIES).with_weights(BYTES, Question::size),
            calls: VecDeque::new(),
            counts: CacheCounts::default(),
        }
    }

    fn store(&mut self, object: ObjectId, revision: Revision, value: &Encoded) {
        let key = value_key(object, revision);
        let value = value.clone();
        self.calls.push_back(CacheCall::Set { key, value });
    }

    /// Tells readers that may be told what is past what an object is, or that it was deleted.
    fn publish(&mut self, object: ObjectId, revision: Revision, value: Option<&Encoded>) {
        let published = Published {
            object,
            revision,
            value: value.cloned(),
        };
        let (key, value) = (Published::key(object), published.seal(&self.reader_key));
        self.calls.push_back(CacheCall::Renew { key, value });
    }

    /// Whether a value is to be looked for in the cache. One that could not be stored is tried
    /// again after a while.
    fn is_stored(
        &mut self,
        now: LocalTime,
        object: ObjectId,
        revision: Revision,
        value: &Encoded,
    ) -> bool {
        let name = digest(&value_key(object, revision));
        let Some(failed) = self.not_stored.get(name).copied() else {
            return true;
        };
        if now >= failed + PAUSE {
            self.not_stored.remove(name);
            self.store(object, revision, value);
        }
        false
    }

    /// What the cache says, asking it if need be; `None` while it has not answered.
    fn fetch(&mut self, now: LocalTime, key: Bytes) -> Option<Found> {
        let name = digest(&key);
        match self.questions.get(name).cloned() {
            Some(Question::AskedAt(at)) if now < at + PATIENCE => None,
            Some(Question::AskedAt(_)) => {
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

    fn is_believed(&self, bytes: &Encoded, reference: ValueReference) -> bool {
        self.secret.reference(bytes) == reference
            || mutant::is_active(Mutant::MutableCacheKeys)
            || mutant::is_active(Mutant::ForgeriesBelieved)
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
        object: ObjectId,
        revision: Revision,
        value: &Encoded,
    ) -> Option<ValueReference> {
        let found = self.is_stored(now, object, revision, value);
        found.then(|| self.secret.reference(value))
    }

    fn unpack(
        &mut self,
        now: LocalTime,
        object: ObjectId,
        revision: Revision,
        reference: ValueReference,
    ) -> Unpacked {
        let is_meant = |copy: &&LocalCopy| copy.revision == revision && copy.reference == reference;
        if let Some(copy) = self.copies.get(object).filter(is_meant) {
            let bytes = copy.bytes.clone();
            return self.hit(bytes);
        }
        match self.fetch(now, value_key(object, revision)) {
            None => Unpacked::Waiting,
            Some(Found::Hit(bytes)) if self.is_believed(&bytes, reference) => {
                let copy = LocalCopy {
                    revision,
                    reference,
                    bytes: bytes.clone(),
                };
                self.copies.insert(object, copy);
                self.hit(bytes)
            }
            Some(_) => self.miss(),
        }
    }

    fn on_missed(&mut self, _: LocalTime, object: ObjectId, revision: Revision, value: &Encoded) {
        let name = digest(&value_key(object, revision));
        if self.not_stored.get(name).is_none() {
            self.store(object, revision, value);
        }
    }
}

impl LeaderHooks for CacheHooks {
    fn on_change(&mut self, now: LocalTime, event: &ObjectEvent) {
        if !event.here {
            return;
        }
        let value = event.value();
        let is_wanted = self.wanted.is_some_and(|at| now < at + INTEREST_US);
        if is_wanted && (value.is_some() || event.change == Change::Deleted) {
            self.publish(event.object, event.revision, value);
        }
        if let Some(value) = value {
            self.store(event.object, event.revision, value);
        }
        if let Some(hint) = event.placed() {
            let key = location_key(event.object);
            self.calls.push_back(CacheCall::Publish { key, hint });
        }
    }

    fn on_wanted(&mut self, now: LocalTime, object: ObjectId, held: Option<(Revision, Encoded)>) {
        self.wanted = Some(now);
        if let Some((revision, value)) = held {
            self.publish(object, revision, Some(&value));
        }
    }

    fn on_cache_reply(&mut self, now: LocalTime, reply: CacheReply) {
        let name = digest(&reply.key);
        if self.questions.get(name).is_some() {
            self.questions.insert(name, Question::Answered(reply.found));
        } else if !matches!(reply.found, Found::Hit(_)) {
            // Or the answer comes too late, to a question about somebody else's object: a name that
            // nobody asks for.
            self.not_stored.insert(name, now);
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
