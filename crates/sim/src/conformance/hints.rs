//! The law of authority, and what false hints may do: cost time, and nothing else (rules R1 and
//! R7).

use super::scenario::{
    LONG, P0, P1, Scenario, create, first, read, register, update, value, values,
};
use crate::options::Options;
use crate::simulate::topology;
use ssmr_core::{
    ClientId, GroupId, Hint, LogicalClock, ObjectId, Oracle, Outcome, PartitionId, Placement,
    Request, Timestamp,
};
use std::sync::Arc;

/// A hint that somebody might believe.
pub(super) fn hint(object: ObjectId, owner: PartitionId, epoch: u64) -> Hint {
    let epoch = Timestamp::new(LogicalClock(epoch), GroupId::from(owner));
    Hint {
        object,
        owner,
        epoch,
    }
}

/// Authority and directory are never empty or foreign, depend on object and topology alone, and
/// owners are partitions.
pub fn the_law_of_authority(oracle: &Arc<dyn Oracle>) {
    for partitions in [1, 2, 3, 8, 255] {
        let options = Options {
            partitions,
            ..Options::default()
        };
        let topology = topology(&options, oracle.needs());
        let one = Placement::new(oracle.clone(), topology);
        let other = Placement::new(oracle.clone(), topology);
        for n in 0..1_000 {
            let object = ObjectId::new(n % 50, n);
            let authority = one.authority(object);
            assert!(!authority.is_empty());
            assert!(
                authority
                    .union(one.directory(object))
                    .is_subset(topology.groups())
            );
            assert_eq!(authority, other.authority(object));
            assert_eq!(one.directory(object), other.directory(object));
            for wish in [
                None,
                Some(PartitionId(0)),
                Some(PartitionId(partitions - 1)),
            ] {
                assert!(one.owner(object, wish).0 < partitions);
                assert_eq!(one.owner(object, wish), other.owner(object, wish));
            }
        }
    }
}

/// Clients and replicas that are told lies (wrong owners, objects that do not exist, epochs of the
/// future) still get right outcomes, only later.
pub fn false_hints_cost_time_only(oracle: &Arc<dyn Oracle>) -> String {
    first([0, 1 << 20, 1 << 60].into_iter().map(|epoch| {
        let mut scenario = Scenario::with(oracle, epoch, Options::default());
        let (x, y, z) = (
            scenario.object(P0, 1),
            scenario.object(P1, 2),
            scenario.object(P0, 3),
        );
        scenario.done(1, create(x, 7, P0));
        scenario.done(1, create(y, 8, P1));
        scenario.read(2, z);
        for round in 0..3u8 {
            scenario.hush(round >= 1);
            let wrong = |object, by| {
                hint(
                    object,
                    PartitionId((by + round) % 3),
                    epoch + u64::from(round),
                )
            };
            let lies = vec![wrong(x, 1), wrong(y, 2), wrong(z, 0)];
            scenario.world.tell_replicas(&lies);
            scenario.world.tell_client(ClientId(2), lies);
            scenario.pass(1_000);
            assert_eq!(scenario.read(2, z), None);
            let both = scenario.done(2, update(&[x, y], u64::from(round)));
            assert!(values(&both).is_some_and(|v| v.iter().all(|r| r.writes == u64::from(round))));
            assert_eq!(
                scenario.run(2, create(x, 9, P1)).outcome,
                Outcome::AlreadyExists
            );
        }
        scenario.hush(false);
        scenario.done(2, Request::delete(y));
        let gone = scenario.run(3, read(&[x, y]));
        assert_eq!(value(&gone), None);
        scenario.done(2, create(z, 5, P1));
        scenario.pass(LONG);
        assert_eq!(scenario.read(3, z), Some(register(5)));
        scenario.close()
    }))
}
