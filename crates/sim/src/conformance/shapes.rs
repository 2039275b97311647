//! Scenario 15: commands and values of odd shapes and sizes.

use super::scenario::{LONG, P0, P1, Scenario, create, is_done, read, register, update, values};
use crate::options::Options;
use ssmr_core::limits::{MAX_OBJECTS, MAX_VALUE};
use ssmr_core::{Defect, Intent, ObjectId, Oracle, Outcome, PartitionId, Request};
use std::sync::Arc;

/// A command names the same object twice, no object, an object of every partition, 1,000 objects,
/// too many.
pub fn odd_shapes_of_commands(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::with(
        oracle,
        15,
        Options {
            partitions: 8,
            ..Options::default()
        },
    );
    let x = scenario.object(P0, 1);
    scenario.done(1, create(x, 7, P0));
    let twice = scenario.done(1, update(&[x, x], 1));
    assert_eq!(values(&twice), Some(vec![register(7); 2]));
    let nothing = scenario.done(1, Request::default());
    assert_eq!(nothing.cost.groups, 0, "no group was asked");

    let everywhere: Vec<ObjectId> = (0..8).map(|p| scenario.object(PartitionId(p), 2)).collect();
    scenario.hush(true);
    for (p, &object) in (0..).zip(&everywhere) {
        scenario.done(1, create(object, u64::from(p), PartitionId(p)));
    }
    scenario.hush(false);
    scenario
        .world
        .note(|| "an object was created at each partition".into());
    let seen = values(&scenario.done(2, update(&everywhere, 1)));
    assert_eq!(seen, Some((0..8).map(register).collect()));

    let many: Vec<ObjectId> = (0..1_000).map(|n| ObjectId::new(n, 3)).collect();
    let place = |n: usize| Some(PartitionId((n % 8) as u8));
    let intent = |n| Intent::Create {
        at: place(n),
        value: ssmr_core::codec::encode(&register(n as u64)),
    };
    let all = many.iter().enumerate();
    let creation = all.fold(Request::default(), |request, (n, &object)| {
        request.and(object, intent(n))
    });
    scenario.done(1, creation.clone());
    scenario.pass(LONG);
    let seen = values(&scenario.done(2, read(&many)));
    assert_eq!(seen, Some((0..1_000).map(register).collect()));
    assert_eq!(scenario.run(3, creation).outcome, Outcome::AlreadyExists);

    let few = vec![x; MAX_OBJECTS + 1];
    assert!(
        is_done(&scenario.run(1, read(&few))),
        "only different objects count"
    );
    let too_many: Vec<ObjectId> = (0..=MAX_OBJECTS as u64)
        .map(|n| ObjectId::new(n, 4))
        .collect();
    let refused = scenario.run(1, read(&too_many)).outcome;
    assert_eq!(refused, Outcome::Refused(Defect::TooManyObjects));
    let nowhere = scenario
        .run(1, create(ObjectId::new(1, 5), 1, PartitionId(8)))
        .outcome;
    assert_eq!(nowhere, Outcome::Refused(Defect::NoSuchPartition));
    scenario.close()
}

/// An empty value, a value of 1 MiB that moves, and one over the limit: refused with a clear error,
/// nothing changed.
pub fn values_up_to_the_limit(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 15);
    let put = |object, size: usize| {
        let intent = Intent::Create {
            at: Some(P0),
            value: vec![0; size].into(),
        };
        Request::default().and(object, intent)
    };
    let [empty, large, larger] = [1, 2, 3].map(|n| scenario.object(P1, n));
    scenario.done(1, put(empty, 0));
    scenario.done(1, put(large, MAX_VALUE));
    let refused = scenario.run(1, put(larger, MAX_VALUE + 1)).outcome;
    assert_eq!(refused, Outcome::Refused(Defect::ValueTooLarge));
    assert!(
        Defect::ValueTooLarge
            .to_string()
            .contains("larger than 1048576 bytes")
    );
    for object in [empty, large] {
        let moved = is_done(&scenario.run(1, Request::relocate(object, P1)));
        assert_eq!(moved, scenario.oracle.movable());
        assert!(is_done(&scenario.run(2, Request::lookup(object))));
    }
    assert_eq!(
        scenario.run(2, Request::lookup(larger)).outcome,
        Outcome::NotFound
    );
    scenario.done(2, Request::delete(large));
    scenario.done(2, create(larger, 1, P0));
    scenario.close()
}
