//! The simulated shared cache: what memcached promises, which is little, and one that lies.

use bytes::Bytes;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use ssmr_core::{CacheCall, CacheReply, Found, Hint, Micros, PartitionId, codec};
use std::collections::BTreeMap;

/// What may happen to the shared cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ailment {
    /// It forgets everything.
    Flushed,
    /// It answers late.
    Slow,
    /// It does not answer, and forgets everything.
    Dead,
    /// It answers with what it was told under other keys, and with wrong places.
    Lying,
}

/// A shared cache that may be flushed, evict, be slow, be dead, or lie.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    values: BTreeMap<(u64, Bytes), Bytes>,
    /// The cluster that uses it: another one's keys are others.
    pub(crate) incarnation: u64,
    dead: bool,
    slow: bool,
    lying: bool,
    /// How often it was hurt.
    blows: u64,
    /// What a liar says: the value that came before the last one, for each kind of key.
    forgeries: BTreeMap<u8, [Bytes; 2]>,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

impl Cache {
    /// Carries out a call. Returns the reply, if there is one, and how long it takes.
    pub(crate) fn call(
        &mut self,
        rng: &mut ChaCha8Rng,
        call: CacheCall,
    ) -> Option<(Micros, CacheReply)> {
        let delay = if self.slow {
            rng.random_range(10_000..200_000)
        } else {
            rng.random_range(50..400)
        };
        match call {
            CacheCall::Set { key, .. } if self.dead => {
                let found = Found::Down;
                return Some((delay, CacheReply { key, found }));
            }
            CacheCall::Set { key, value } => {
                self.remember(&key, &value);
                self.values.insert((self.incarnation, key), value);
            }
            // It forgets them only when it is hurt: then they are as stale as can be.
            CacheCall::Renew { key, value } if !self.dead => {
                self.remember(&key, &value);
                self.values.insert((self.incarnation, key), value);
            }
            CacheCall::Publish { key, hint } if !self.dead => {
                let key = (self.incarnation, key);
                let known = self
                    .values
                    .get(&key)
                    .and_then(|bytes| codec::decode::<Hint>(bytes).ok());
                if known.is_none_or(|known| known.epoch < hint.epoch) {
                    self.values.insert(key, codec::encode(&hint));
                }
            }
            CacheCall::Get { key } => return Some((delay, self.get(key))),
            CacheCall::Renew { .. } | CacheCall::Publish { .. } => {}
        }
        None
    }

    /// Keeps a value to lie with.
    fn remember(&mut self, key: &Bytes, value: &Bytes) {
        let forgeries = self.forgeries.entry(kind(key)).or_default();
        if *value != forgeries[1] {
            forgeries.swap(0, 1);
            forgeries[1] = value.clone();
        }
    }

    fn get(&mut self, key: Bytes) -> CacheReply {
        let found = match self.values.get(&(self.incarnation, key.clone())) {
            _ if self.dead => Found::Down,
            Some(value) if self.lying => Found::Hit(self.lie(&key, value)),
            Some(value) => Found::Hit(value.clone()),
            None => Found::Miss,
        };
        self.hits += u64::from(matches!(found, Found::Hit(_)));
        self.misses += u64::from(found == Found::Miss);
        CacheReply { key, found }
    }

    /// Something that looks like `value` and is not: another value, or another place.
    fn lie(&self, key: &Bytes, value: &Bytes) -> Bytes {
        match codec::decode::<Hint>(value) {
            Ok(hint) if codec::encode(&hint) == *value => {
                let owner = PartitionId(hint.owner.0 ^ 1);
                codec::encode(&Hint { owner, ..hint })
            }
            _ => {
                let [before, last] = self.forgeries.get(&kind(key)).cloned().unwrap_or_default();
                if *value == last { before } else { last }
            }
        }
    }

    /// Something happens to the cache. Returns what.
    pub(crate) fn hurt(&mut self, rng: &mut ChaCha8Rng) -> &'static str {
        // It takes no number, so that a seed hurts the cache as it did before there were lies.
        self.blows += 1;
        self.lying = self.blows.is_multiple_of(3);
        match rng.random_range(0..5) {
            0 => {
                self.values.clear();
                "forgets everything"
            }
            1 => {
                self.values.retain(|_, _| rng.random_range(0..2) == 0);
                "forgets some of what it has"
            }
            2 => {
                self.slow = !self.slow;
                if self.slow {
                    "is slow"
                } else {
                    "is slow no more"
                }
            }
            3 => {
                self.dead = !self.dead;
                self.values.clear();
                if self.dead {
                    "does not answer"
                } else {
                    "answers again, and is empty"
                }
            }
            _ => {
                self.revive();
                "works"
            }
        }
    }

    /// This happens to it.
    pub(crate) fn suffer(&mut self, ailment: Ailment) {
        match ailment {
            Ailment::Flushed => self.values.clear(),
            Ailment::Slow => self.slow = true,
            Ailment::Lying => self.lying = true,
            Ailment::Dead => {
                self.dead = true;
                self.values.clear();
            }
        }
    }

    /// It works again, if it did not.
    pub(crate) fn revive(&mut self) {
        self.dead = false;
        self.slow = false;
        self.lying = false;
    }
}

/// The first letter of a key.
fn kind(key: &[u8]) -> u8 {
    key.first().copied().unwrap_or_default()
}
