//! Hints on where objects are, as they come in from replicas and from the shared cache.
//!
//! A hint may be late or wrong (rule R7), and comes from outside: one that names a partition which
//! does not exist is ignored.

use super::driver::Turn;
use super::{ClientEngine, ClientOutbox};
use crate::codec;
use crate::hooks::{CacheReply, Found};
use crate::id::{Hint, ObjectId};
use crate::oracle::Guess;
use crate::time::LocalTime;

impl ClientEngine {
    /// Takes an answer of the shared cache.
    pub fn on_cache(&mut self, now: LocalTime, reply: CacheReply, out: &mut ClientOutbox) {
        let CacheReply { key, found } = reply;
        if self.on_peeked(now, &key, &found, out) {
            self.drive(now, out);
            return;
        }
        let hint = match found {
            Found::Hit(bytes) => codec::decode::<Hint>(&bytes).ok(),
            Found::Miss | Found::Down => None,
        };
        let of_key = |object: &ObjectId| match self.placement.guess(*object) {
            Guess::Shared { key: asked, .. } => asked == key,
            Guess::Ask(_) | Guess::At(_) => false,
        };
        let asked: Vec<ObjectId> = self.lookups.objects().filter(of_key).collect();
        for object in asked {
            let hint = hint.filter(|hint| hint.object == object && self.is_possible(hint));
            for ticket in self.lookups.waiters(object) {
                let cost = &mut self.tasks[*ticket].cost;
                cost.cache_hits += u32::from(hint.is_some());
                cost.cache_misses += u32::from(hint.is_none());
            }
            match hint {
                Some(hint) => {
                    self.learn(hint);
                    self.located(now, object, out);
                }
                None => self.consult(object, 0, out),
            }
        }
        self.drive(now, out);
    }

    /// Whether a hint names a partition that there is.
    fn is_possible(&self, hint: &Hint) -> bool {
        hint.owner.0 < self.placement.topology().partition_count()
    }

    /// Remembers a hint, if it can be true.
    pub(super) fn learn(&mut self, hint: Hint) {
        if self.is_possible(&hint) {
            self.hints.learn(hint);
        }
    }

    /// The request for a hint on an object is answered, with a hint or without: the tasks that wait
    /// for it go on.
    pub(super) fn located(&mut self, now: LocalTime, object: ObjectId, out: &mut ClientOutbox) {
        let owner = self.hints.get(object).map(|hint| hint.owner);
        for ticket in self.lookups.end(object) {
            if self.tasks[ticket].located(object, owner) {
                self.work.push_back(Turn::Next(ticket));
            }
        }
        self.drive(now, out);
    }
}
