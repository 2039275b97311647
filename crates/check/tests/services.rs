//! Services that break the rules of `Application`, each in one way, and some that keep them.

use serde::{Deserialize, Serialize};
use ssmr_check::{ApplicationFault, Effect, EncodedPart, UndeclaredAccess, check_application};
use ssmr_core::{Access, Application, ObjectId, Objects};
use std::cell::Cell;

const X: ObjectId = ObjectId::new(0, 1);
const Y: ObjectId = ObjectId::new(0, 2);

/// What the operation of [`Service`] does.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Op {
    /// Reads X and adds it to Y, unseen.
    Add,
    /// Writes both, unseen, and replies nothing of them.
    SetBoth,
    /// Reads X and updates Y, which is not declared.
    UpdateUndeclared,
    /// Updates X, which is declared to be read only.
    UpdateReadOnly,
    /// Reads Y, which is not declared.
    ReadUndeclared,
    /// Reads X, which is declared to be written only.
    ReadUnread,
    /// Replies the old value of X, which is not read.
    ReplyUnread,
    /// Replies whether X was at hand.
    ReplyPresence,
    /// Copies X to Y, neither of which is read.
    CopyUnread,
    /// Replies whether X or Y was at hand.
    ReplyEither,
    /// Replies how often anything ran.
    Count,
    /// Adds how often anything ran to X.
    AddCount,
    /// Replies the first element of a hash set.
    HashOrder,
    /// Declares another object each time.
    Declare,
}

/// Numbers, which its operations use as the rules allow, or not.
struct Service;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// How often somebody has asked.
fn count() -> u64 {
    COUNT.set(COUNT.get() + 1);
    COUNT.get()
}

#[expect(
    clippy::disallowed_types,
    reason = "a service that breaks the rule is wanted"
)]
fn first_of_a_hash_set() -> u64 {
    let set: std::collections::HashSet<u64> = (0..100).collect();
    set.into_iter().next().unwrap_or(0)
}

impl Application for Service {
    const NAME: &'static str = "service";
    type Object = u64;
    type Op = Op;
    type Reply = u64;

    fn access(op: &Op) -> Access {
        let (reads, writes) = match op {
            Op::Add => (vec![X], vec![Y]),
            Op::SetBoth | Op::CopyUnread | Op::ReplyEither => (vec![], vec![X, Y]),
            Op::UpdateUndeclared | Op::ReadUndeclared | Op::UpdateReadOnly => (vec![X], vec![]),
            Op::ReadUnread | Op::ReplyUnread | Op::ReplyPresence => (vec![], vec![X]),
            Op::Count | Op::HashOrder => (vec![X], vec![]),
            Op::AddCount => (vec![X], vec![X]),
            Op::Declare => (vec![ObjectId::new(0, count())], vec![]),
        };
        Access { reads, writes }
    }

    fn execute(op: &Op, objects: &mut Objects<u64>) -> u64 {
        match op {
            Op::Add => {
                let x = objects.get(X).copied().unwrap_or(0);
                objects.update(Y, |y| *y = y.wrapping_add(x));
                return x;
            }
            Op::SetBoth => {
                objects.update(X, |x| *x = 1);
                objects.update(Y, |y| *y = 2);
            }
            Op::UpdateUndeclared => objects.update(Y, |y| *y = 1),
            Op::UpdateReadOnly => objects.update(X, |x| *x = 1),
            Op::ReadUndeclared => return objects.get(Y).copied().unwrap_or(0),
            Op::ReadUnread => return objects.get(X).copied().unwrap_or(0),
            Op::ReplyUnread => {
                let mut old = 0;
                objects.update(X, |x| old = *x);
                return old;
            }
            Op::ReplyPresence => {
                let mut present = 0;
                objects.update(X, |_| present = 1);
                return present;
            }
            Op::CopyUnread => {
                let mut old = 0;
                objects.update(X, |x| old = *x);
                objects.update(Y, |y| *y = old);
            }
            Op::ReplyEither => {
                let mut present = 0;
                objects.update(X, |_| present = 1);
                objects.update(Y, |_| present = 1);
                return present;
            }
            Op::Count => return count(),
            Op::AddCount => objects.update(X, |x| *x = x.wrapping_add(count())),
            Op::HashOrder => return first_of_a_hash_set(),
            Op::Declare => {}
        }
        0
    }
}

fn fault(op: Op) -> ApplicationFault {
    let fault = check_application::<Service>([op], |_, number| number).unwrap_err();
    assert_eq!(fault.operation(), format!("{op:?}"));
    fault
}

fn undeclared(op: Op) -> UndeclaredAccess {
    match fault(op) {
        ApplicationFault::Undeclared { access, .. } => access,
        other => panic!("{other}"),
    }
}

fn unread(op: Op) -> (ObjectId, Effect) {
    match fault(op) {
        ApplicationFault::DependsOnUnread { object, effect, .. } => (object, effect),
        other => panic!("{other}"),
    }
}

fn nondeterministic(op: Op) -> Effect {
    match fault(op) {
        ApplicationFault::Nondeterministic { effect, .. } => effect,
        other => panic!("{other}"),
    }
}

#[test]
fn a_service_that_keeps_the_rules_passes() {
    let summary = check_application::<Service>([Op::Add, Op::SetBoth], |_, n| n).unwrap();
    assert_eq!((summary.operations, summary.with_unread), (2, 2));
    assert_eq!(summary.with_changes, 2);
    assert!(summary.runs > 50, "{summary:?}");
}

#[test]
fn no_operations_are_no_proof() {
    let summary = check_application::<Service>([], |_, number| number).unwrap();
    assert_eq!((summary.operations, summary.runs), (0, 0));
}

#[test]
fn undeclared_access_is_found() {
    assert_eq!(undeclared(Op::UpdateUndeclared), UndeclaredAccess::Write(Y));
    assert_eq!(undeclared(Op::UpdateReadOnly), UndeclaredAccess::Write(X));
    assert_eq!(undeclared(Op::ReadUndeclared), UndeclaredAccess::Read(Y));
    assert_eq!(undeclared(Op::ReadUnread), UndeclaredAccess::Read(X));
}

#[test]
fn what_depends_on_unread_objects_is_found() {
    assert_eq!(unread(Op::ReplyUnread), (X, Effect::Reply));
    assert_eq!(unread(Op::ReplyPresence), (X, Effect::Reply));
    assert_eq!(unread(Op::CopyUnread), (X, Effect::Change(Y)));
    assert_eq!(unread(Op::ReplyEither), (Y, Effect::Reply));
}

#[test]
fn chance_and_hidden_state_are_found() {
    assert_eq!(nondeterministic(Op::Count), Effect::Reply);
    assert_eq!(nondeterministic(Op::AddCount), Effect::Change(X));
    assert_eq!(nondeterministic(Op::HashOrder), Effect::Reply);
    assert_eq!(nondeterministic(Op::Declare), Effect::Access);
}

#[test]
fn a_fault_says_which_operation_and_object() {
    let text = "CopyUnread: the change of 0.2 depends on 0.1, which it writes but does not \
                declare to read";
    assert_eq!(fault(Op::CopyUnread).to_string(), text);
    let text = "UpdateUndeclared: it updates 0.2, which it does not declare to write";
    assert_eq!(fault(Op::UpdateUndeclared).to_string(), text);
}

/// A number that forgets itself when it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Forgetful(#[serde(serialize_with = "one_more")] u64);

fn one_more<S: serde::Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(number + 1)
}

/// A service whose value, or reply, or operation changes by being encoded.
struct Lossy<const PART: usize>;

/// Something that keeps its number, or not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Number {
    Kept(u64),
    Lost(Forgetful),
}

fn number(lost: bool) -> Number {
    match lost {
        true => Number::Lost(Forgetful(1)),
        false => Number::Kept(1),
    }
}

impl<const PART: usize> Application for Lossy<PART> {
    const NAME: &'static str = "lossy";
    type Object = Number;
    type Op = Number;
    type Reply = Number;

    fn access(_: &Number) -> Access {
        Access {
            reads: vec![X],
            writes: vec![X],
        }
    }

    fn execute(_: &Number, objects: &mut Objects<Number>) -> Number {
        objects.update(X, |value| *value = number(PART == 3));
        number(PART == 2)
    }
}

fn encoding<const PART: usize>() -> Option<EncodedPart> {
    let op = number(PART == 0);
    match check_application::<Lossy<PART>>([op], |_, _| number(PART == 1)) {
        Err(ApplicationFault::Encoding { encoded, .. }) => Some(encoded),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

#[test]
fn what_changes_by_being_encoded_is_found() {
    assert_eq!(encoding::<0>(), Some(EncodedPart::Operation));
    assert_eq!(encoding::<1>(), Some(EncodedPart::Object(X)));
    assert_eq!(encoding::<2>(), Some(EncodedPart::Reply));
    assert_eq!(encoding::<3>(), Some(EncodedPart::Object(X)));
    assert_eq!(encoding::<4>(), None);
}
