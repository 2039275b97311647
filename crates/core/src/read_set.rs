//! What one attempt at a transaction has read, and what that makes of the command at its end.
//!
//! It belongs to clients: replicas know commands alone, and what each expects.

use crate::answer::{Outcome, Touch};
use crate::id::{ObjectId, Revision};
use crate::request::{Intent, Request};
use std::collections::BTreeMap;

/// The objects that were read, with the revision of each; `None` for one that did not exist.
#[derive(Clone, Debug, Default)]
pub struct ReadSet {
    objects: BTreeMap<ObjectId, Option<Revision>>,
}

impl ReadSet {
    /// Adds what a read was told. Returns whether it fits what was read before.
    #[must_use]
    pub fn add(&mut self, touched: &[Touch]) -> bool {
        let mut fits = true;
        for touch in touched {
            let before = *self.objects.entry(touch.object).or_insert(touch.before);
            fits &= before == touch.before;
        }
        fits
    }

    /// Whether objects that somebody else has found existing or absent are so here too. Where
    /// existence decided, revisions are not told reliably.
    #[must_use]
    pub fn fits_existence(&self, touched: &[Touch]) -> bool {
        touched.iter().all(|touch| {
            let read = self.objects.get(&touch.object);
            read.is_none_or(|read| read.is_some() == touch.before.is_some())
        })
    }

    /// The request, to take effect only where all that was read is still as it was.
    ///
    /// # Errors
    /// How it would end, if there is no such state in which it could take effect:
    /// - [`Outcome::AlreadyExists`], if it creates an object that was found;
    /// - [`Outcome::NotFound`], if it needs one that was found absent.
    pub fn expected_by(&self, mut request: Request) -> Result<Request, Outcome> {
        for (&object, &read) in &self.objects {
            request = match (read, request.intent(object)) {
                (Some(_), Some(Intent::Create { .. })) => return Err(Outcome::AlreadyExists),
                // Only an owner knows revisions, and only who reads or changes an object asks it.
                (Some(revision), None | Some(Intent::Lookup)) => {
                    let request = request.and(object, Intent::Read);
                    request.expecting(object, revision)
                }
                (Some(revision), Some(_)) => request.expecting(object, revision),
                (None, None) => request.expecting_absent(object),
                // It can only be created if it is absent.
                (None, Some(Intent::Create { .. })) => request,
                (None, Some(_)) => return Err(Outcome::NotFound),
            };
        }
        Ok(request)
    }

    /// A request that does nothing, but asks whether all that was read is still as it was.
    #[must_use]
    pub fn question(&self) -> Request {
        let objects = self.objects.iter();
        objects.fold(Request::default(), |request, (&object, &read)| match read {
            Some(revision) => request
                .and(object, Intent::Read)
                .expecting(object, revision),
            None => request.expecting_absent(object),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{PartitionId, Timestamp};
    use crate::request::Expected;
    use crate::time::LogicalClock;

    const X: ObjectId = ObjectId::new(1, 1);
    const Y: ObjectId = ObjectId::new(1, 2);
    const Z: ObjectId = ObjectId::new(1, 3);

    fn revision(version: u64) -> Revision {
        Revision {
            epoch: Timestamp::new(LogicalClock(1), PartitionId(0).into()),
            version,
        }
    }

    fn touch(object: ObjectId, version: Option<u64>) -> Touch {
        let before = version.map(revision);
        Touch {
            object,
            before,
            after: before,
        }
    }

    /// X at version 5, and no Y.
    fn reads() -> ReadSet {
        let mut reads = ReadSet::default();
        assert!(reads.add(&[touch(X, Some(5)), touch(Y, None)]));
        reads
    }

    #[test]
    fn what_is_read_twice_must_be_the_same() {
        assert!(reads().add(&[touch(X, Some(5)), touch(Y, None), touch(Z, Some(1))]));
        assert!(!reads().add(&[touch(X, Some(6))]));
        assert!(!reads().add(&[touch(X, None)]));
        assert!(!reads().add(&[touch(Y, Some(1))]));
    }

    #[test]
    fn where_existence_decided_revisions_do_not_count() {
        assert!(reads().fits_existence(&[touch(X, Some(0)), touch(Z, None)]));
        assert!(!reads().fits_existence(&[touch(X, None)]));
        assert!(!reads().fits_existence(&[touch(Y, Some(0))]));
    }

    #[test]
    fn a_commit_expects_what_was_read_and_names_it_if_need_be() {
        let expected = [(X, Expected::At(revision(5))), (Y, Expected::Absent)];
        let delete = reads().expected_by(Request::delete(X)).unwrap();
        assert_eq!(delete.intents(), [(X, Intent::Delete), (Y, Intent::Lookup)]);
        assert_eq!(delete.expected(), expected);
        let other = reads().expected_by(Request::lookup(Z)).unwrap();
        assert_eq!(other.intent(X), Some(&Intent::Read));
        assert_eq!(other.intent(Z), Some(&Intent::Lookup));
        assert_eq!(other.expected(), expected);
        let asked = reads().expected_by(Request::lookup(X)).unwrap();
        assert_eq!(asked, reads().question());
        assert_eq!(asked.expected(), expected);
    }

    #[test]
    fn what_was_found_cannot_be_created_and_what_was_absent_only_that() {
        let create = |object| {
            let (at, value) = (None, crate::id::Encoded::new());
            Request::default().and(object, Intent::Create { at, value })
        };
        assert_eq!(reads().expected_by(create(X)), Err(Outcome::AlreadyExists));
        let absent = reads().expected_by(create(Y)).unwrap();
        assert_eq!(absent.expected_of(Y), None);
        assert_eq!(
            reads().expected_by(Request::delete(Y)),
            Err(Outcome::NotFound)
        );
    }
}
