//! What every strategy must pass, and two things that a ring promises.

use fifth_strategy::Ring;

ssmr_sim::conformance!(Ring);

mod promises {
    use super::Ring;
    use ssmr_core::{ObjectId, Oracle, PartitionId, Topology};

    fn homes(partitions: u8) -> Vec<PartitionId> {
        let topology = Topology::new(partitions, 1).unwrap();
        let objects = (0..10_000).map(|key| ObjectId::new(7, key));
        objects
            .map(|object| Ring.owner(&topology, object, None))
            .collect()
    }

    #[test]
    fn every_partition_has_a_fair_share() {
        for partition in 0..4 {
            let share = homes(4).iter().filter(|home| home.0 == partition).count();
            assert!((1_200..5_000).contains(&share), "{partition}: {share}");
        }
    }

    #[test]
    fn one_more_partition_takes_objects_and_moves_no_others() {
        let (before, after) = (homes(4), homes(5));
        let changed = before.iter().zip(&after).filter(|(old, new)| old != new);
        let new: Vec<_> = changed.map(|(_, new)| new.0).collect();
        assert!(!new.is_empty() && new.len() < 4_000, "{}", new.len());
        assert!(new.iter().all(|home| *home == 4));
    }
}
