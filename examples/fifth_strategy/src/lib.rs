//! Strategy **ring**: consistent hashing. Partitions have places on a ring; an object is at home
//! at the first partition at or after its own place.
//!
//! The home is the object's authority: it alone says whether the object exists. It is also its
//! directory, so objects can move away and are still found. With one more partition only the
//! objects before its places have another home; with strategy static, most have.

use ssmr_core::topology::mix;
use ssmr_core::{Groups, Guess, ObjectId, Oracle, PartitionId, Topology};

/// How many places each partition has: the more, the more even are the shares.
const PLACES: u64 = 32;

/// The strategy. It has no state: the ring follows from the topology.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ring;

/// The partition whose place is the next one on the ring.
fn home(topology: &Topology, object: ObjectId) -> PartitionId {
    let at = mix(object.attribute ^ mix(object.key));
    let places = (0..topology.partition_count()).flat_map(|partition| {
        let place = move |number| mix(u64::from(partition) * PLACES + number);
        (0..PLACES).map(move |number| (place(number), partition))
    });
    let next = places.min_by_key(|(place, _)| place.wrapping_sub(at));
    PartitionId(next.map_or(0, |(_, partition)| partition))
}

impl Oracle for Ring {
    fn name(&self) -> &'static str {
        "ring"
    }

    fn authority(&self, topology: &Topology, object: ObjectId) -> Groups {
        home(topology, object).into()
    }

    fn directory(&self, topology: &Topology, object: ObjectId) -> Groups {
        home(topology, object).into()
    }

    fn owner(&self, topology: &Topology, object: ObjectId, _: Option<PartitionId>) -> PartitionId {
        home(topology, object)
    }

    fn guess(&self, topology: &Topology, object: ObjectId) -> Guess {
        Guess::At(home(topology, object))
    }
}
