//! One batch of calls to the shared cache: two round trips at most, however many calls there are.
//!
//! Values are stored and read in the first one, and hints read; those that are newer than what was
//! read are stored in the second, on the condition that nobody else was faster. Who was not fast
//! enough tries once more, then lets it be: a hint that is not stored costs somebody a
//! consultation.
//!
//! Invariant: nothing is sent that a server would refuse, for that would fail the rest of the batch
//! too.

use super::{ITEM_OVERHEAD, MAX_ITEM, is_key};
use bytes::Bytes;
use memcache::exp::{AsyncMetaClient, Get, Meta, MutationStatus, Op, OpResult, Set};
use ssmr_core::{CacheCall, CacheReply, Found, Hint, codec};
use std::collections::BTreeMap;

/// Calls that travel together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    gets: Vec<Bytes>,
    sets: Vec<(Bytes, Bytes)>,
    /// The newest hint for each key.
    hints: BTreeMap<Bytes, Hint>,
    /// Gets of what can be no key.
    refused: Vec<Bytes>,
}

impl Batch {
    /// Sorts calls by kind and leaves out what a server would refuse.
    pub(super) fn from(calls: &mut Vec<CacheCall>) -> Self {
        let mut batch = Self::default();
        for call in calls.drain(..) {
            match call {
                CacheCall::Get { key } if is_key(&key) => batch.gets.push(key),
                CacheCall::Get { key } => batch.refused.push(key),
                CacheCall::Set { key, value } => {
                    if is_key(&key) && key.len() + value.len() + ITEM_OVERHEAD <= MAX_ITEM {
                        batch.sets.push((key, value));
                    }
                }
                CacheCall::Publish { key, hint } if is_key(&key) => {
                    let newest = batch.hints.entry(key).or_insert(hint);
                    if newest.epoch < hint.epoch {
                        *newest = hint;
                    }
                }
                CacheCall::Publish { .. } => {}
            }
        }
        batch
    }

    /// Runs all of it: values and hints are read and values stored in one round trip, newer hints
    /// stored in a second.
    pub(super) async fn run(mut self, cache: Option<&AsyncMetaClient>) -> Vec<CacheReply> {
        let mut replies: Vec<_> = std::mem::take(&mut self.refused)
            .into_iter()
            .map(down)
            .collect();
        let sets = self.sets.iter();
        let mut operations: Vec<Op> = sets
            .map(|(key, value)| Set::new(key, value).into())
            .collect();
        let sets = operations.len();
        operations.extend(self.gets.iter().map(|key| Get::new(key).into()));
        operations.extend(self.hints.keys().map(read_hint));
        let mut results = run(cache, operations).await.into_iter().skip(sets);
        for key in self.gets {
            let found = found(results.next().flatten());
            replies.push(CacheReply { key, found });
        }
        if let Some(cache) = cache {
            let contested = publish(cache, self.hints, results).await;
            let operations = contested.keys().map(read_hint).collect();
            let results = run(Some(cache), operations).await.into_iter();
            publish(cache, contested, results).await;
        }
        replies
    }
}

/// Runs operations; `None` for each that failed.
async fn run(cache: Option<&AsyncMetaClient>, operations: Vec<Op>) -> Vec<Option<OpResult>> {
    let count = operations.len();
    match cache {
        Some(cache) if count > 0 => match cache.run_batch(operations).await {
            Ok(results) => results.into_iter().map(Result::ok).collect(),
            Err(error) => {
                tracing::debug!(%error, "a batch to the cache was not sent");
                vec![None; count]
            }
        },
        _ => vec![None; count],
    }
}

fn found(result: Option<OpResult>) -> Found {
    match result {
        Some(OpResult::Get(got)) => got
            .value
            .map_or(Found::Miss, |value| Found::Hit(value.into())),
        _ => Found::Down,
    }
}

fn read_hint(key: &Bytes) -> Op {
    Get::new(key).meta(Meta::NONE.cas()).into()
}

/// Stores the hints that are newer than what was read under their keys. Returns those whose key was
/// changed meanwhile.
async fn publish(
    cache: &AsyncMetaClient,
    hints: BTreeMap<Bytes, Hint>,
    read: impl Iterator<Item = Option<OpResult>>,
) -> BTreeMap<Bytes, Hint> {
    let mut newer = Vec::new();
    for ((key, hint), result) in hints.into_iter().zip(read) {
        let Some(OpResult::Get(got)) = result else {
            continue;
        };
        let held = got
            .value
            .and_then(|bytes| codec::decode::<Hint>(&bytes).ok());
        if held.is_some_and(|held| held.epoch >= hint.epoch) {
            continue;
        }
        let store = Set::new(&key, codec::encode(&hint));
        let store = match got.item.cas {
            Some(cas) => store.compare_cas(cas),
            None => store.add(),
        };
        newer.push((key, hint, store));
    }
    let operations = newer.iter().map(|(_, _, store)| store.clone().into());
    let results = run(Some(cache), operations.collect()).await;
    let contested = newer
        .into_iter()
        .zip(results)
        .filter(|(_, result)| lost(result.as_ref()));
    contested.map(|((key, hint, _), _)| (key, hint)).collect()
}

/// The answer to a get that nobody answered.
pub(super) fn down(key: Bytes) -> CacheReply {
    let found = Found::Down;
    CacheReply { key, found }
}

/// Whether somebody else was faster.
fn lost(result: Option<&OpResult>) -> bool {
    matches!(result, Some(OpResult::Mutation(done)) if done.status != MutationStatus::Applied)
}
