//! The service that is replicated: numbers to which digits are appended, so that the order shows.

use serde::{Deserialize, Serialize};
use ssmr_core::{Access, Application, ObjectId, Objects, Request};

/// Numbers of decimal digits. Appending does not commute: a value tells what was appended, and in
/// which order. Appending to a number that is [`FULL`] panics.
#[derive(Debug)]
pub(crate) struct Digits;

/// A number that has no room for another digit.
pub(crate) const FULL: u64 = u64::MAX;

/// What one can do with them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Read some.
    Read(Vec<ObjectId>),
    /// Append a digit to some, unseen.
    Append(Vec<ObjectId>, u64),
    /// Read some and append a digit to each.
    Update(Vec<ObjectId>, u64),
}

impl Application for Digits {
    const NAME: &'static str = "digits";
    type Object = u64;
    type Op = Op;
    /// The values that were read, before the operation.
    type Reply = Vec<u64>;

    fn access(op: &Op) -> Access {
        let (reads, writes) = match op.clone() {
            Op::Read(objects) => (objects, Vec::new()),
            Op::Append(objects, _) => (Vec::new(), objects),
            Op::Update(objects, _) => (objects.clone(), objects),
        };
        Access { reads, writes }
    }

    fn execute(op: &Op, numbers: &mut Objects<u64>) -> Vec<u64> {
        let (reads, writes, digit): (&[_], &[_], _) = match op {
            Op::Read(objects) => (objects, &[], 0),
            Op::Append(objects, digit) => (&[], objects, *digit),
            Op::Update(objects, digit) => (objects, objects, *digit),
        };
        let values = reads.iter().filter_map(|&object| numbers.get(object));
        let reply = values.copied().collect();
        for &object in writes {
            numbers.update(object, |number| {
                let shifted = number.checked_mul(10).expect("room for a digit");
                *number = shifted + digit;
            });
        }
        reply
    }
}

/// Reads some numbers.
pub(crate) fn read(objects: &[ObjectId]) -> Request {
    Request::access::<Digits>(&Op::Read(objects.to_vec()))
}

/// Appends a digit to some numbers, unseen.
pub(crate) fn append(objects: &[ObjectId], digit: u64) -> Request {
    Request::access::<Digits>(&Op::Append(objects.to_vec(), digit))
}

/// Reads some numbers and appends a digit to each.
pub(crate) fn update(objects: &[ObjectId], digit: u64) -> Request {
    Request::access::<Digits>(&Op::Update(objects.to_vec(), digit))
}
