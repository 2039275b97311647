//! Creates, deletes and moves among the commands of whatever workload: one client's.
//!
//! What is created is like something that the workload has loaded, under an id that none of its
//! commands names; what is deleted was created so before, by the same client; what moves was
//! loaded. So each command of the workload finds what it would have found without them.
//!
//! Invariant: a pure function of the shares, the seed and the client.

use crate::error::UsageError;
use crate::workload::churn::Churn;
use crate::workload::contract::Workload;
use crate::workload::knobs::Knob;
use crate::workload::run_number::RunNumber;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ssmr_core::topology::mix;
use ssmr_core::{Intent, ObjectId, PartitionId, Request};

/// Keys of objects that are created have this bit, then the run's number, then in 16 bits the
/// client's (`--clients` is 10,000 at most), then their own.
pub(crate) const MADE: u64 = 1 << 63;
/// How many bits the number of an object has among those of its client.
const NUMBER: u32 = 32;

/// Checks that this can be mixed into the commands of a workload.
///
/// # Errors
/// If the workload is finite, has times of its own, counts its objects at the end, or loads
/// nothing.
pub(crate) fn check(churn: Churn, workload: &impl Workload) -> Result<(), UsageError> {
    if churn.is_none() {
        return Ok(());
    }
    let name = workload.name();
    let problem = if workload.command_count().is_some() || workload.arrivals().is_some() {
        format!("workload {name} says itself what is issued when")
    } else if churn.create > 0 && workload.invariants().is_some() {
        format!("workload {name} counts its objects at the end")
    } else if workload.preload_count() == 0 {
        format!("workload {name} loads nothing that could be created again or move")
    } else {
        return Ok(());
    };
    Err(UsageError::new(Knob::Churn.flag(), problem))
}

/// What one client mixes in.
pub(super) struct ClientChurn {
    churn: Churn,
    /// Which kind each of the three is.
    kinds: [usize; 3],
    rng: ChaCha8Rng,
    run: RunNumber,
    client: u64,
    partitions: u8,
    /// How many objects it has created, and deleted of them.
    made: u64,
    unmade: u64,
}

impl ClientChurn {
    /// That of a client with this number in a run, among operations of these kinds.
    pub(super) fn new(
        churn: Churn,
        own_kinds: &[&'static str],
        seed: u64,
        run: RunNumber,
        client: u64,
        partitions: u8,
    ) -> Self {
        let kinds = churn.kinds(own_kinds);
        let place = |(name, _)| kinds.iter().position(|kind| *kind == name);
        Self {
            kinds: churn.shares().map(place).map(Option::unwrap_or_default),
            churn,
            rng: ChaCha8Rng::seed_from_u64(mix(mix(seed) ^ mix(client) ^ MADE)),
            run,
            client,
            partitions,
            made: 0,
            unmade: 0,
        }
    }

    /// The next command, if it is none of the workload's: its kind and the request.
    pub(super) fn next(&mut self, workload: &impl Workload) -> Option<(usize, Request)> {
        if self.churn.is_none() {
            return None;
        }
        let Churn {
            create,
            delete,
            relocate,
        } = self.churn;
        let drawn = self.rng.random_range(0..100);
        // What is deleted has to be there first.
        let deletes = self.made > self.unmade;
        let [creating, deleting, moving] = self.kinds;
        if drawn < create || (drawn < create + delete && !deletes) {
            Some((creating, self.create(workload)?))
        } else if drawn < create + delete {
            let number = self.unmade;
            self.unmade += 1;
            let attribute = self.loaded(workload, number)?.0.attribute;
            let object = self.object(attribute, number);
            Some((deleting, Request::delete(object)))
        } else if drawn < create + delete + relocate {
            let number = self.rng.random();
            let (object, _) = self.loaded(workload, number)?;
            let to = PartitionId(self.rng.random_range(0..self.partitions));
            Some((moving, Request::relocate(object, to)))
        } else {
            None
        }
    }

    fn create(&mut self, workload: &impl Workload) -> Option<Request> {
        let number = self.made;
        self.made += 1;
        let (like, intent) = self.loaded(workload, number)?;
        let object = self.object(like.attribute, number);
        Some(Request::default().and(object, intent))
    }

    /// The object of this number among those that it creates.
    fn object(&self, attribute: u64, number: u64) -> ObjectId {
        let key = MADE | self.client << NUMBER | number;
        self.run.object(attribute, key)
    }

    /// An object that was loaded, with its creation: some other one for each number, in no order.
    fn loaded(&self, workload: &impl Workload, number: u64) -> Option<(ObjectId, Intent)> {
        let place = mix(mix(self.client) ^ number) % workload.preload_count();
        let request = workload.preload(place);
        let mut intents = request.intents().iter();
        intents.find_map(|(object, intent)| {
            matches!(intent, Intent::Create { .. }).then(|| (*object, intent.clone()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::contract::{LoadShape, WorkloadFlags};
    use crate::workload::knobs::Knobs;
    use crate::workload::ycsb::flags::YcsbFlags;
    use clap::{Args, Command, FromArgMatches};
    use std::collections::BTreeMap;

    fn ycsb() -> impl Workload {
        let command = YcsbFlags::augment_args(Command::new("test"));
        let matches = command.get_matches_from(["test"]);
        let flags = YcsbFlags::from_arg_matches(&matches).unwrap();
        let shape = LoadShape {
            seed: 1,
            clients: 2,
            run: RunNumber::ZERO,
            partitions: 3,
            quiet: true,
            knobs: Knobs::default(),
        };
        flags.build("ycsb-c", &shape).unwrap()
    }

    fn drawn(client: u64, count: usize) -> Vec<Option<(usize, Request)>> {
        let churn = Churn {
            create: 10,
            delete: 10,
            relocate: 20,
        };
        let mut own = ClientChurn::new(churn, &["read"], 7, RunNumber::ZERO, client, 3);
        let workload = ycsb();
        (0..count).map(|_| own.next(&workload)).collect()
    }

    #[test]
    fn each_share_is_what_was_asked_for_and_what_is_deleted_was_created_before() {
        let drawn = drawn(1, 4_000);
        let (mut counts, mut made) = (BTreeMap::new(), BTreeMap::new());
        for (kind, request) in drawn.iter().flatten() {
            *counts.entry(*kind).or_insert(0) += 1;
            let [(object, intent)] = request.intents() else {
                panic!("{request:?}")
            };
            match intent {
                Intent::Create { .. } => assert!(made.insert(*object, true).is_none()),
                Intent::Delete => assert_eq!(made.insert(*object, false), Some(true)),
                Intent::Move { to } => assert!(object.key & MADE == 0 && to.0 < 3),
                other => panic!("{other:?}"),
            }
        }
        for (kind, share) in [(1, 400), (2, 400), (3, 800)] {
            let count: i32 = counts[&kind];
            assert!((count - share).abs() < 100, "{kind}: {count}");
        }
    }

    #[test]
    fn it_is_a_pure_function_and_no_two_clients_create_the_same() {
        assert_eq!(drawn(1, 200), drawn(1, 200));
        let objects = |client| {
            let created = drawn(client, 200).into_iter().flatten();
            let created = created.filter(|(kind, _)| *kind == 1);
            created
                .map(|(_, request)| request.intents()[0].0)
                .collect::<Vec<_>>()
        };
        let [one, other] = [objects(0), objects(1)];
        assert!(!one.is_empty() && one.iter().all(|object| !other.contains(object)));
    }
}
