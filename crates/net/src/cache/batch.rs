//! One batch of calls to one cache server: a few round trips at most, however many calls there are.
//!
//! Values are stored and read in the first one, and hints read; those that are newer than what was
//! read are stored in the second, on the condition that nobody else was faster; those that lost are
//! read and stored once more.
//!
//! Invariant: nothing is sent that a server would refuse, for that would fail the rest of the batch
//! too.

use super::health::Health;
use super::{ITEM_OVERHEAD, MAX_ITEM, is_key};
use bytes::Bytes;
use memcache::exp::{AsyncMetaClient, Error, Get, Meta, MutationStatus, Op, OpResult, Set};
use ssmr_core::{CacheCall, CacheReply, Found, Hint, codec, published};
use std::collections::BTreeMap;

/// What came of asking the server something. The default is that nothing was answered.
pub(super) trait Outcome: Default {
    /// Whether the connection is of no more use.
    fn is_broken(&self) -> bool;
}

/// Calls that travel together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    gets: Vec<Bytes>,
    sets: Vec<(Bytes, Bytes)>,
    /// The last published value for each key.
    renewals: BTreeMap<Bytes, Bytes>,
    /// The newest hint for each key.
    hints: BTreeMap<Bytes, Hint>,
    /// What no server would take: gets of what can be no key, values that are too large.
    refused: Vec<CacheReply>,
}

impl Batch {
    /// Sorts calls by kind and leaves out what a server would refuse.
    pub(super) fn from(calls: &mut Vec<CacheCall>) -> Self {
        let mut batch = Self::default();
        for call in calls.drain(..) {
            match call {
                CacheCall::Get { key } if is_key(&key) => batch.gets.push(key),
                CacheCall::Set { key, value } if is_item(&key, &value) => {
                    batch.sets.push((key, value));
                }
                CacheCall::Renew { key, value } if is_item(&key, &value) => {
                    batch.renewals.insert(key, value);
                }
                CacheCall::Publish { key, hint } if is_key(&key) => {
                    let newest = batch.hints.entry(key).or_insert(hint);
                    if newest.epoch < hint.epoch {
                        *newest = hint;
                    }
                }
                CacheCall::Get { key } | CacheCall::Set { key, .. } => {
                    let found = Found::Miss;
                    batch.refused.push(CacheReply { key, found });
                }
                CacheCall::Renew { .. } | CacheCall::Publish { .. } => {}
            }
        }
        batch
    }

    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        let has_values = !self.sets.is_empty() || !self.renewals.is_empty();
        self.gets.is_empty() && !has_values && self.hints.is_empty()
    }

    /// Stores and reads values, and reads hints, in one round trip.
    pub(super) async fn exchange(&self, cache: &AsyncMetaClient) -> Exchange {
        let sets = self.sets.iter();
        let sets = sets.map(|(key, value)| Set::new(key, value).into());
        let gets = self.gets.iter().map(|key| Get::new(key).into());
        let hints = self.hints.keys().map(read_hint);
        let renewals = self.renewals.iter().map(|(key, value)| {
            let store = Set::new(key, value);
            store.ttl_raw(published::TTL_SECONDS).into()
        });
        let operations = sets.chain(gets).chain(hints).chain(renewals);
        let mut exchange = run(cache, operations.collect()).await;
        if exchange.is_refused {
            self.ask_again(cache, &mut exchange).await;
        }
        exchange
    }

    /// The server refuses to store a value, and with it says nothing of what comes behind: that is
    /// asked for once more without any value.
    async fn ask_again(&self, cache: &AsyncMetaClient, exchange: &mut Exchange) {
        let gets = self.gets.iter().map(|key| Get::new(key).into());
        let questions: Vec<Op> = gets.chain(self.hints.keys().map(read_hint)).collect();
        let places = self.sets.len()..self.sets.len() + questions.len();
        let answered = run(cache, questions).await;
        exchange.is_broken |= answered.is_broken;
        if let Some(asked) = exchange.results.get_mut(places) {
            asked
                .iter_mut()
                .zip(answered.results)
                .for_each(|(old, new)| *old = new);
        }
    }

    /// The bytes of values that are sent.
    pub(super) fn bytes(&self) -> usize {
        let sets = self.sets.iter().map(|(_, value)| value.len());
        let renewals = self.renewals.values().map(Bytes::len);
        sets.chain(renewals).sum()
    }

    /// The answers to all gets, and to the sets that failed, after an exchange.
    pub(super) fn replies(&self, exchange: &mut Exchange, health: &Health) -> Vec<CacheReply> {
        let mut replies = self.refused.clone();
        for (place, (key, _)) in self.sets.iter().enumerate() {
            let found = match exchange.result(place) {
                Some(OpResult::Mutation(done)) if done.status == MutationStatus::Applied => {
                    continue;
                }
                Some(_) => Found::Miss,
                None if exchange.is_refused => Found::Miss,
                None => Found::Down,
            };
            let key = key.clone();
            replies.push(CacheReply { key, found });
        }
        for (place, key) in (self.sets.len()..).zip(&self.gets) {
            let result = exchange.results.get_mut(place).and_then(Option::take);
            let found = found(result);
            if found != Found::Down {
                health.found(matches!(found, Found::Hit(_)));
            }
            let key = key.clone();
            replies.push(CacheReply { key, found });
        }
        replies
    }

    /// The hints that are newer than those that were read in the exchange.
    pub(super) fn newer_hints(self, exchange: &Exchange) -> NewerHints {
        let first = self.sets.len() + self.gets.len();
        NewerHints::among(self.hints, exchange, first)
    }
}

/// Answers to operations, in their order.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    results: Vec<Option<OpResult>>,
    is_broken: bool,
    /// The server works and refuses to do something: it has no room, say.
    is_refused: bool,
}

impl Exchange {
    fn result(&self, place: usize) -> Option<&OpResult> {
        self.results.get(place)?.as_ref()
    }
}

impl Outcome for Exchange {
    fn is_broken(&self) -> bool {
        self.is_broken
    }
}

/// Hints that the server is to have in place of what it has.
#[derive(Debug, Default)]
pub(super) struct NewerHints(Vec<NewerHint>);

#[derive(Debug)]
struct NewerHint {
    key: Bytes,
    hint: Hint,
    /// What the server must have under the key: this, or nothing.
    instead_of: Option<u64>,
}

impl NewerHints {
    /// Those that are newer than what was found under their keys, in the answers from `first` on.
    fn among(hints: BTreeMap<Bytes, Hint>, found: &Exchange, first: usize) -> Self {
        let mut newer = Vec::new();
        for (place, (key, hint)) in (first..).zip(hints) {
            let Some(OpResult::Get(got)) = found.result(place) else {
                continue;
            };
            let held = got.value.as_ref();
            let held = held.and_then(|bytes| codec::decode::<Hint>(bytes).ok());
            if held.is_none_or(|held| held.epoch < hint.epoch) {
                newer.push(NewerHint {
                    key,
                    hint,
                    instead_of: got.item.cas,
                });
            }
        }
        Self(newer)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Stores them. Those for which somebody else was faster are read again.
    pub(super) async fn store(self, cache: &AsyncMetaClient) -> Stored {
        let operations = self.0.iter().map(|newer| {
            let store = Set::new(&newer.key, codec::encode(&newer.hint));
            match newer.instead_of {
                Some(cas) => store.compare_cas(cas).into(),
                None => store.add().into(),
            }
        });
        let stored = run(cache, operations.collect()).await;
        let lost = self.0.into_iter().enumerate().filter(|(place, _)| {
            matches!(stored.result(*place), Some(OpResult::Mutation(done))
                if done.status != MutationStatus::Applied)
        });
        let lost: BTreeMap<_, _> = lost.map(|(_, newer)| (newer.key, newer.hint)).collect();
        let read = run(cache, lost.keys().map(read_hint).collect()).await;
        Stored {
            contested: Self::among(lost, &read, 0),
            is_broken: stored.is_broken || read.is_broken,
        }
    }
}

/// What came of storing hints.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// Those that are newer than what somebody else has stored meanwhile.
    pub(super) contested: NewerHints,
    is_broken: bool,
}

impl Outcome for Stored {
    fn is_broken(&self) -> bool {
        self.is_broken
    }
}

/// Runs operations, if there are any.
async fn run(cache: &AsyncMetaClient, operations: Vec<Op>) -> Exchange {
    if operations.is_empty() {
        return Exchange::default();
    }
    match cache.run_batch(operations).await {
        Ok(results) => {
            let errors = || results.iter().filter_map(|result| result.as_ref().err());
            let is_broken = errors().any(|error| !is_refusal(error));
            let is_refused = errors().any(is_refusal);
            Exchange {
                is_broken,
                is_refused,
                results: results.into_iter().map(Result::ok).collect(),
            }
        }
        Err(error) => {
            tracing::debug!(%error, "a batch to a cache server was not sent");
            Exchange::default()
        }
    }
}

/// Whether it is an answer of a server that works: it has no memory left, or takes a key for a bad
/// one, says so and goes on. The library takes all that is behind in the batch for lost with it,
/// and what would have been stored for perhaps stored.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Server(_) | Error::Rejected(_) => true,
        Error::Ambiguous { source, .. } => is_refusal(source),
        _ => false,
    }
}

fn found(result: Option<OpResult>) -> Found {
    match result {
        Some(OpResult::Get(got)) => match got.value {
            // Longer than any that was stored: somebody else's.
            Some(value) if value.len() <= MAX_ITEM => Found::Hit(value.into()),
            Some(_) | None => Found::Miss,
        },
        _ => Found::Down,
    }
}

fn read_hint(key: &Bytes) -> Op {
    Get::new(key).meta(Meta::NONE.cas()).into()
}

/// Whether a server takes a value under a key.
fn is_item(key: &[u8], value: &[u8]) -> bool {
    is_key(key) && key.len() + value.len() + ITEM_OVERHEAD <= MAX_ITEM
}
