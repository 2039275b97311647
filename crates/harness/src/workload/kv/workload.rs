//! Workload `kv` as the harness sees it: its kinds, and the requests that its commands make.

use super::service::{self, KvService, Op};
use super::settings::Kv;
use super::steps::{Step, Steps};
use crate::workload::contract::Workload;
use crate::workload::home::home;
use crate::workload::random::payload;
use ssmr_check::Terms;
use ssmr_core::{ObjectId, PartitionId, Request};

impl Workload for Kv {
    const KINDS: &'static [&'static str] = &["create", "read", "update", "delete", "move", "multi"];
    type App = KvService;
    type Step = Step;
    type Steps = Steps;

    fn name(&self) -> &'static str {
        "kv"
    }

    fn preload_count(&self) -> u64 {
        self.keys
    }

    fn preload(&self, number: u64) -> Request {
        self.request(Step::Create {
            key: number,
            stamp: number,
        })
    }

    fn client_count(&self) -> u64 {
        self.clients
    }

    fn steps(&self, client: u64) -> Steps {
        Steps::new(self, client)
    }

    fn kind(step: &Step) -> usize {
        match step {
            Step::Create { .. } => 0,
            Step::Read { .. } => 1,
            Step::Update { .. } => 2,
            Step::Delete { .. } => 3,
            Step::Move { .. } => 4,
            Step::Multi { .. } => 5,
        }
    }

    fn written_bytes(&self, step: &Step) -> Vec<(ObjectId, u64)> {
        let (keys, stamp) = match step {
            Step::Create { key, stamp } | Step::Update { key, stamp } => {
                (std::slice::from_ref(key), stamp)
            }
            Step::Multi { keys, stamp } => (&keys[..], stamp),
            Step::Read { .. } | Step::Delete { .. } | Step::Move { .. } => return Vec::new(),
        };
        let size = self.value_size.of(*stamp) as u64;
        keys.iter().map(|key| (self.object(*key), size)).collect()
    }

    fn read(object: ObjectId) -> Request {
        Request::access::<KvService>(&Op::Read(object))
    }

    fn terms() -> Terms<KvService> {
        service::terms()
    }

    fn request(&self, step: Step) -> Request {
        let value = |stamp| payload(stamp, self.value_size.of(stamp));
        let access = |op| Request::access::<KvService>(&op);
        match step {
            Step::Create { key, stamp } => {
                let at = self.multi_partitions.map(|_| self.home(key));
                Request::create::<KvService>(self.object(key), &value(stamp), at)
            }
            Step::Read { key } => access(Op::Read(self.object(key))),
            Step::Update { key, stamp } => access(Op::Update(self.object(key), value(stamp))),
            Step::Delete { key } => Request::delete(self.object(key)),
            Step::Move { key, to } => Request::relocate(self.object(key), PartitionId(to)),
            Step::Multi { keys, stamp } => access(Op::Multi(
                keys.into_iter().map(|key| self.object(key)).collect(),
                value(stamp),
            )),
        }
    }
}

impl Kv {
    /// The home of a key.
    pub(super) fn home(&self, key: u64) -> PartitionId {
        home(self.partitions, self.object(key))
    }

    /// The object of a key.
    fn object(&self, key: u64) -> ObjectId {
        self.run.object(key, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::popularity::Popularity;
    use crate::workload::run_number::RunNumber;
    use crate::workload::value_size::ValueSize;
    use ssmr_core::{Intent, Topology};
    use std::collections::BTreeSet;

    fn kv() -> Kv {
        Kv {
            seed: 1,
            clients: 4,
            run: RunNumber::ZERO,
            partitions: 2,
            keys: 100,
            popularity: Popularity::Uniform,
            value_size: ValueSize::Constant(100),
            multi_objects: 3,
            multi_partitions: None,
            percentages: [5, 45, 35, 5, 5, 5],
        }
    }

    #[test]
    fn commands_are_a_pure_function_of_settings_seed_and_client() {
        let first = |kv: Kv, client| kv.steps(client).take(1000).collect::<Vec<_>>();
        assert_eq!(first(kv(), 2), first(kv(), 2));
        assert_ne!(first(kv(), 2), first(kv(), 3));
        assert_ne!(first(kv(), 2), first(Kv { seed: 2, ..kv() }, 2));
    }

    #[test]
    fn the_digest_tells_settings_apart() {
        assert_eq!(kv().digest(), kv().digest());
        let others = [
            Kv { seed: 2, ..kv() },
            Kv { clients: 5, ..kv() },
            Kv {
                value_size: ValueSize::Constant(101),
                ..kv()
            },
            Kv {
                popularity: Popularity::ZIPF,
                ..kv()
            },
        ];
        let digests: BTreeSet<u64> = others.iter().map(Workload::digest).collect();
        assert!(digests.len() == 4 && !digests.contains(&kv().digest()));
    }

    #[test]
    fn kinds_come_as_often_as_asked_for() {
        let mut counts = [0u32; 6];
        for step in kv().steps(0).take(20_000) {
            counts[Kv::kind(&step)] += 1;
        }
        for (count, percentage) in counts.iter().zip(kv().percentages) {
            let expected = percentage * 200;
            assert!(count.abs_diff(expected) < expected / 5, "{counts:?}");
        }
    }

    #[test]
    fn objects_neither_die_out_nor_pile_up() {
        let kv = Kv { keys: 1000, ..kv() };
        let mut alive: BTreeSet<u64> = (0..kv.keys).collect();
        let mut clients: Vec<Steps> = (0..kv.clients).map(|c| kv.steps(c)).collect();
        for _ in 0..20_000 {
            for steps in &mut clients {
                match steps.next() {
                    Some(Step::Create { key, .. }) => _ = alive.insert(key),
                    Some(Step::Delete { key }) => _ = alive.remove(&key),
                    _ => {}
                }
            }
        }
        let loaded = alive.iter().filter(|&&key| key < kv.keys).count();
        assert!(loaded > 900, "{loaded} of the loaded keys are left");
        assert!(alive.len() < 2000, "{} objects", alive.len());
    }

    #[test]
    fn several_objects_are_different_ones() {
        let kv = Kv {
            keys: 5,
            multi_objects: 5,
            popularity: Popularity::ZIPF,
            percentages: [0, 0, 0, 0, 0, 100],
            ..kv()
        };
        for step in kv.steps(1).take(100) {
            let Step::Multi { keys, .. } = &step else {
                panic!("{step:?}")
            };
            assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 5);
            assert_eq!(kv.request(step).intents().len(), 5);
        }
    }

    #[test]
    fn several_objects_are_at_as_many_partitions_as_asked_for() {
        for (wanted, objects) in [(1, 3), (2, 2), (3, 5), (4, 4)] {
            let kv = Kv {
                partitions: 4,
                multi_objects: objects,
                multi_partitions: Some(wanted),
                popularity: Popularity::ZIPF,
                percentages: [20, 0, 0, 30, 0, 50],
                ..kv()
            };
            let topology = Topology::new(4, 3).unwrap();
            for step in kv.steps(1).take(500) {
                if let Step::Delete { key } = step {
                    assert!(key >= kv.keys, "then an access would touch fewer");
                    continue;
                }
                let is_create = matches!(step, Step::Create { .. });
                let request = kv.request(step);
                let homes: BTreeSet<_> = request.objects().map(|o| topology.home(o)).collect();
                if is_create {
                    let wished = request.intents().iter().map(|(_, intent)| match intent {
                        Intent::Create { at, .. } => *at,
                        _ => None,
                    });
                    assert!(wished.eq(homes.into_iter().map(Some)));
                } else {
                    assert_eq!(homes.len(), usize::from(wanted));
                    assert_eq!(request.intents().len() as u64, objects);
                }
            }
        }
    }

    #[test]
    fn the_latest_keys_are_those_that_clients_made() {
        let kv = Kv {
            popularity: Popularity::Latest,
            percentages: [50, 50, 0, 0, 0, 0],
            ..kv()
        };
        let reads = kv.steps(0).take(10_000).skip(2_000);
        let reads = reads.filter_map(|step| match step {
            Step::Read { key } => Some(key),
            _ => None,
        });
        let reads: Vec<u64> = reads.collect();
        let made = reads.iter().filter(|key| **key >= kv.keys).count();
        assert_eq!(made, reads.len());
    }

    #[test]
    fn zipf_prefers_the_first_keys() {
        let kv = Kv {
            popularity: Popularity::ZIPF,
            percentages: [0, 100, 0, 0, 0, 0],
            ..kv()
        };
        let steps = kv.steps(0).take(10_000);
        let first = steps.filter(|step| *step == Step::Read { key: 0 }).count();
        assert!((1_500..2_500).contains(&first), "{first}");
    }
}
