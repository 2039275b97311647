//! Digests of the state at places of the log that somebody named beforehand, so that replicas can
//! be compared while they work.
//!
//! Replicas that apply every entry take a digest for the same place after the same entry; one that
//! was filled meanwhile may take a later one. Invariant: a digest is told with the entry after
//! which it was taken.

use std::collections::BTreeMap;

/// How many places may be waited for. One more takes the place of the lowest.
const PLACES: usize = 8;

/// What a replica answers to whoever wants its digest from some place of the log on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Milestone {
    /// It has not come so far, or nothing was delivered since: ask again.
    Ahead,
    /// It was there already when it was asked first: name a later place.
    Passed,
    /// Its digest after the first entry from there on that led to a delivery.
    Reached {
        /// The entry's index.
        index: u64,
        /// The digest of its whole ordered state.
        digest: u64,
    },
}

/// The places that somebody named.
#[derive(Debug, Default)]
pub(super) struct Milestones(BTreeMap<u64, Option<(u64, u64)>>);

impl Milestones {
    /// What is known of a place; from now on it is waited for.
    pub(super) fn ask(&mut self, from: u64, applied: u64) -> Milestone {
        match self.0.get(&from) {
            Some(Some((index, digest))) => Milestone::Reached {
                index: *index,
                digest: *digest,
            },
            Some(None) => Milestone::Ahead,
            None if applied >= from => Milestone::Passed,
            None => {
                if self.0.len() == PLACES {
                    self.0.pop_first();
                }
                self.0.insert(from, None);
                Milestone::Ahead
            }
        }
    }

    /// An entry has led to a delivery, which has been dealt with.
    pub(super) fn reached(&mut self, index: u64, digest: impl FnOnce() -> u64) {
        let mut waiting = self.0.range_mut(..=index).filter(|(_, at)| at.is_none());
        let Some((_, first)) = waiting.next() else {
            return;
        };
        let digest = digest();
        *first = Some((index, digest));
        waiting.for_each(|(_, at)| *at = Some((index, digest)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_taken_once_at_the_first_delivery_from_there_on() {
        let mut milestones = Milestones::default();
        assert_eq!(milestones.ask(5, 5), Milestone::Passed);
        assert_eq!(milestones.ask(6, 5), Milestone::Ahead);
        assert_eq!(milestones.ask(7, 5), Milestone::Ahead);
        milestones.reached(5, || unreachable!("nobody wants it"));
        milestones.reached(8, || 80);
        milestones.reached(9, || unreachable!("it was taken"));
        let reached = Milestone::Reached {
            index: 8,
            digest: 80,
        };
        assert_eq!(milestones.ask(6, 9), reached);
        assert_eq!(milestones.ask(7, 9), reached);
    }

    #[test]
    fn few_places_are_waited_for() {
        let mut milestones = Milestones::default();
        for place in 1..=PLACES as u64 + 1 {
            assert_eq!(milestones.ask(place, 0), Milestone::Ahead);
        }
        assert_eq!(milestones.0.len(), PLACES);
        assert_eq!(milestones.ask(1, 7), Milestone::Passed, "it is forgotten");
    }
}
