//! What the client believes of the places of objects, and what answers make of that.
//!
//! Beliefs decide where a request goes, never how it ends (rule R7).

use crate::answer::{Answer, Verdict};
use crate::hints::HintTable;
use crate::id::{Hint, ObjectId, PartitionId};
use crate::oracle::Placement;
use crate::request::{Intent, Request};
use std::collections::{BTreeMap, BTreeSet};

/// What the client believes of the places of one request's objects.
#[derive(Debug, Default)]
pub(super) struct Beliefs {
    /// The believed owners.
    pub(super) owners: BTreeMap<ObjectId, PartitionId>,
    /// Objects whose owner is unknown or was refuted: an authority must come along (rule R1).
    pub(super) doubted: BTreeSet<ObjectId>,
}

impl Beliefs {
    /// The attempt that was planned by these beliefs was answered with a retry, and with the hints
    /// of its groups. What these do not confirm is forgotten, here and in the table of hints.
    pub(super) fn refute(&mut self, request: &Request, told: &[Hint], hints: &mut HintTable) {
        let used = std::mem::take(&mut self.owners);
        for object in request.objects() {
            let told = told.iter().find(|hint| hint.object == object);
            let believed = hints.get(object);
            let stands = told.is_some_and(|told| {
                believed.is_some_and(|hint| hint.epoch <= told.epoch)
                    || used.get(&object) == Some(&told.owner)
            });
            if !stands {
                hints.forget(object);
                self.doubted.insert(object);
            }
        }
    }
}

/// Learns from the answer to a request where its objects are, or that they are no more.
pub(super) fn learn(
    hints: &mut HintTable,
    placement: &Placement,
    request: &Request,
    answer: &Answer,
) {
    for touch in &answer.touched {
        let object = touch.object;
        let owner = match request.intent(object) {
            Some(Intent::Create { at, .. }) => placement.owner(object, *at),
            Some(Intent::Move { to }) => *to,
            _ => {
                if touch.after.is_none() {
                    hints.forget(object);
                }
                continue;
            }
        };
        let took_place = matches!(answer.verdict, Verdict::Done | Verdict::Failed);
        let placed = touch.after.filter(|_| took_place);
        if let Some(revision) = placed {
            hints.learn(Hint {
                object,
                owner,
                epoch: revision.epoch,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{P0, P1, X, answer, hint, placement, revision};
    use super::*;
    use crate::answer::Touch;

    fn request() -> Request {
        Request::default().and(X, Intent::Read)
    }

    /// What is left of the belief that X is at p0 since `believed`, after a retry with this hint.
    fn after_a_retry(told: Option<Hint>, believed: u64) -> (Beliefs, Option<Hint>) {
        let mut hints = HintTable::default();
        hints.learn(hint(X, P0, believed));
        let mut beliefs = Beliefs::default();
        beliefs.owners.insert(X, P0);
        told.iter().for_each(|told| hints.learn(*told));
        beliefs.refute(&request(), told.as_slice(), &mut hints);
        let known = hints.get(X);
        (beliefs, known)
    }

    #[test]
    fn a_retry_without_a_hint_refutes_what_was_believed() {
        let (beliefs, known) = after_a_retry(None, 5);
        assert_eq!(known, None);
        assert!(beliefs.owners.is_empty());
        assert!(beliefs.doubted.contains(&X));
    }

    #[test]
    fn a_newer_hint_takes_the_place_of_what_was_believed() {
        let newer = hint(X, P1, 9);
        let (beliefs, known) = after_a_retry(Some(newer), 5);
        assert_eq!(known, Some(newer));
        assert!(beliefs.doubted.is_empty());
    }

    #[test]
    fn an_older_hint_of_another_place_refutes_both() {
        let (beliefs, known) = after_a_retry(Some(hint(X, P1, 3)), 5);
        assert_eq!(known, None);
        assert!(beliefs.doubted.contains(&X));
    }

    #[test]
    fn an_older_hint_of_the_same_place_confirms_it() {
        let (beliefs, known) = after_a_retry(Some(hint(X, P0, 3)), 5);
        assert_eq!(known, Some(hint(X, P0, 5)));
        assert!(beliefs.doubted.is_empty());
    }

    #[test]
    fn what_was_created_or_moved_is_known_and_what_is_absent_is_forgotten() {
        let mut hints = HintTable::default();
        let mut tell = |request: &Request, verdict, after| {
            let mut answer = answer(verdict);
            answer.touched.push(Touch {
                object: X,
                before: None,
                after,
            });
            learn(&mut hints, &placement(), request, &answer);
            hints.get(X)
        };
        let moved = Request::relocate(X, P1);
        let placed = Some(revision(7));
        assert_eq!(tell(&moved, Verdict::Retry, placed), None);
        assert_eq!(tell(&moved, Verdict::Done, placed), Some(hint(X, P1, 7)));
        let read = request();
        assert_eq!(tell(&read, Verdict::Done, placed), Some(hint(X, P1, 7)));
        // The service panicked, but the move beside its operation took effect.
        let again = Request::relocate(X, P0);
        let newer = Some(revision(8));
        assert_eq!(tell(&again, Verdict::Failed, newer), Some(hint(X, P0, 8)));
        assert_eq!(tell(&read, Verdict::NotFound, None), None);
    }
}
