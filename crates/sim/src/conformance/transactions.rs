//! Scenarios of commands that do not take effect as a whole: expected revisions that have passed,
//! and a service that panics.

use super::failures::two_apart;
use super::scenario::{P0, P1, Scenario, create, is_done, read, register, update, value, values};
use crate::app::{Op, Registers};
use ssmr_core::{Completion, ObjectId, Oracle, Outcome, Request, Revision};
use std::sync::Arc;

/// The revision of an object after a command.
fn left(completion: &Completion, object: ObjectId) -> Revision {
    let mut touched = completion.touched.iter();
    let touch = touched.find(|touch| touch.object == object);
    let after = touch.and_then(|touch| touch.after);
    after.unwrap_or_else(|| panic!("{completion:?} tells nothing of {object}"))
}

/// Scenario 24: Two clients read two objects of different partitions and update both if they are as
/// they were: one does, the other is told that they have changed, and nothing of its command took
/// effect. So it is after a move, and after the object was deleted and created again.
pub fn expectations_that_have_passed(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 24);
    let objects = two_apart(&mut scenario);
    let [x, y] = objects;
    let expecting = |read: &Completion, mark| {
        let request = update(&objects, mark);
        let request = request.expecting(x, left(read, x));
        request.expecting(y, left(read, y))
    };
    let [first, second] = [1, 2].map(|client| scenario.done(client, read(&objects)));
    scenario.done(1, expecting(&first, 1));
    let late = scenario.run(2, expecting(&second, 2));
    assert_eq!(late.outcome, Outcome::Changed);
    assert_eq!(late.touched.len(), 2, "both have changed");
    // One of the two suffices.
    let again = scenario.done(2, read(&objects));
    scenario.done(1, update(&[x], 3));
    let late = scenario.run(2, expecting(&again, 4));
    assert_eq!(late.outcome, Outcome::Changed);
    assert_eq!(left(&late, x).version, 2);
    assert_eq!(late.touched.len(), 1, "only one has changed");
    // A move begins another epoch, though the value is the same.
    let before = scenario.done(2, read(&objects));
    if is_done(&scenario.run(1, Request::relocate(x, P1))) {
        let late = scenario.run(2, expecting(&before, 5));
        assert_eq!(late.outcome, Outcome::Changed);
    }
    // As many writes as before, but another object.
    let before = scenario.done(2, read(&objects));
    scenario.done(1, Request::delete(x));
    let gone = scenario.run(2, expecting(&before, 6));
    assert_eq!(gone.outcome, Outcome::NotFound);
    scenario.done(1, create(x, 7, P0));
    scenario.done(1, update(&[x], 8));
    scenario.done(1, update(&[x], 9));
    assert_eq!(
        scenario.run(2, expecting(&before, 10)).outcome,
        Outcome::Changed
    );
    let now = scenario.done(2, read(&objects));
    scenario.done(2, expecting(&now, 11));
    scenario.close()
}

/// Scenario 26: A client found an object absent and rests on that: it updates another object, which
/// is elsewhere, only while the first one does not exist. That is so before somebody creates it,
/// not while it exists, wherever it was moved, and so again after it was deleted.
pub fn absence_is_expected(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 26);
    let [x, _] = two_apart(&mut scenario);
    let z = scenario.object(P1, 77);
    let without_z = |mark| update(&[x], mark).expecting_absent(z);
    let first = scenario.done(1, without_z(1));
    let told = first.touched.iter().find(|touch| touch.object == z);
    assert!(told.is_some_and(|touch| touch.before.is_none() && touch.after.is_none()));
    scenario.done(2, create(z, 2, P1));
    let late = scenario.run(1, without_z(3));
    assert_eq!(late.outcome, Outcome::Changed);
    assert_eq!(late.touched.len(), 1, "only what exists is named");
    if is_done(&scenario.run(2, Request::relocate(z, P0))) {
        assert_eq!(scenario.run(1, without_z(4)).outcome, Outcome::Changed);
    }
    scenario.done(2, Request::delete(z));
    scenario.done(1, without_z(5));
    // What is missing besides counts first.
    let missing = scenario.object(P0, 78);
    let neither = update(&[x, missing], 6).expecting_absent(z);
    assert_eq!(scenario.run(1, neither).outcome, Outcome::NotFound);
    let writes = scenario.read(3, x).map(|register| register.writes);
    assert_eq!(writes, Some(2));
    scenario.close()
}

/// Scenario 25: The service panics. On values that all partitions read, the operation fails at all
/// of them and changes nothing; in the update of an object that only its owner sees, that object
/// stays as it was and the others are written. What the same command creates takes effect. Replicas
/// go on.
pub fn a_service_that_panics(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 25);
    let objects = two_apart(&mut scenario);
    let [x, y] = objects;
    let access = |op: &Op| Request::access::<Registers>(op);
    scenario.done(1, update(&[x], 1));
    let before = values(&scenario.done(2, read(&objects)));
    let fragile = access(&Op::FragileUpdate(objects.to_vec(), 2));
    let failed = scenario.run(1, fragile.clone());
    assert_eq!(failed.outcome, Outcome::Failed);
    assert_eq!(
        values(&scenario.done(2, read(&objects))),
        before,
        "nothing is written"
    );
    for touch in &failed.touched {
        assert_eq!(touch.before, touch.after, "and no revision has changed");
    }
    // With a create in the same command.
    let z = scenario.object(P1, 77);
    let creating = create(z, 3, P1);
    let (_, intent) = creating.intents()[0].clone();
    let failed = scenario.run(1, fragile.clone().and(z, intent));
    assert_eq!(failed.outcome, Outcome::Failed);
    assert_eq!(
        scenario.read(2, z),
        Some(register(3)),
        "what it creates is created"
    );
    // Unseen: x has seen one write, y none.
    let unseen = access(&Op::FragileWrite(objects.to_vec(), 4));
    scenario.done(1, unseen);
    assert_eq!(scenario.read(2, x), before.as_ref().map(|values| values[0]));
    assert_eq!(scenario.read(2, y).map(|register| register.writes), Some(1));
    // The same operation may succeed later.
    scenario.done(1, update(&[x], 5));
    scenario.done(1, fragile);
    let last = scenario.done(3, read(&[x]));
    assert_eq!(value(&last).map(|register| register.writes), Some(3));
    scenario.close()
}
