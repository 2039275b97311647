//! The Twitter workloads as the harness sees them: their kinds, and the requests that their
//! commands make to the key-value service.

use super::settings::Twitter;
use super::steps::{Step, Steps};
use crate::workload::contract::Workload;
use crate::workload::kv::service::{self, KvService, Op};
use crate::workload::random::payload;
use bytes::Bytes;
use ssmr_check::Terms;
use ssmr_core::{ObjectId, Request};

impl Workload for Twitter {
    const KINDS: &'static [&'static str] =
        &["create", "read", "update", "delete", "read-modify-write"];
    type App = KvService;
    type Step = Step;
    type Steps = Steps;

    fn name(&self) -> &'static str {
        self.cluster.name
    }

    fn preload_count(&self) -> u64 {
        self.items
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
            Step::ReadModifyWrite { .. } => 4,
        }
    }

    fn read(object: ObjectId) -> Request {
        Request::access::<KvService>(&Op::Read(object))
    }

    fn terms() -> Terms<KvService> {
        service::terms()
    }

    fn request(&self, step: Step) -> Request {
        let access = |op| Request::access::<KvService>(&op);
        match step {
            Step::Create { key, stamp } => {
                Request::create::<KvService>(self.object(key), &self.value(stamp), None)
            }
            Step::Read { key } => access(Op::Read(self.object(key))),
            Step::Update { key, stamp } => access(Op::Update(self.object(key), self.value(stamp))),
            Step::Delete { key } => Request::delete(self.object(key)),
            Step::ReadModifyWrite { key, stamp } => {
                access(Op::Multi(vec![self.object(key)], self.value(stamp)))
            }
        }
    }
}

impl Twitter {
    /// A value with its key, of which nobody knows more than its size.
    fn value(&self, stamp: u64) -> Bytes {
        payload(stamp, self.cluster.key_size + self.value_size.of(stamp))
    }

    /// The object of a key.
    fn object(&self, key: u64) -> ObjectId {
        self.run.object(key, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{CLUSTERS, Cluster};
    use super::*;
    use crate::workload::popularity::Popularity;
    use crate::workload::run_number::RunNumber;
    use crate::workload::value_size::ValueSize;
    use std::collections::{BTreeMap, BTreeSet};

    fn twitter(cluster: &'static Cluster) -> Twitter {
        Twitter {
            cluster,
            seed: 1,
            clients: 4,
            run: RunNumber::ZERO,
            items: 1_000,
            popularity: Popularity::zipf(cluster.zipf),
            value_size: ValueSize::Constant(cluster.value_size),
        }
    }

    fn key(step: &Step) -> u64 {
        match step {
            Step::Create { key, .. }
            | Step::Read { key }
            | Step::Update { key, .. }
            | Step::Delete { key }
            | Step::ReadModifyWrite { key, .. } => *key,
        }
    }

    const COMMANDS: usize = 40_000;

    #[test]
    fn operations_come_as_often_as_published() {
        for cluster in &CLUSTERS {
            let mut counts = [0_f64; 5];
            for step in twitter(cluster).steps(0).take(COMMANDS) {
                counts[Twitter::kind(&step)] += 100.0 / COMMANDS as f64;
            }
            let [create, read, update, delete, change] = counts;
            let weights = cluster.weights();
            let all: u32 = weights.iter().sum();
            let shares = weights.map(|weight| f64::from(weight * 100) / f64::from(all));
            for (found, share) in [
                (read, shares[0]),
                (create + update, shares[1] + shares[2]),
                (delete, shares[3]),
                (change, shares[4]),
            ] {
                let near = (found - share).abs() < 1.0;
                assert!(near, "{}: {found} % for {share} %", cluster.name);
            }
        }
    }

    #[test]
    fn keys_are_new_and_come_back_as_often_as_published() {
        for cluster in &CLUSTERS {
            let mut hits: BTreeMap<u64, u32> = BTreeMap::new();
            let mut created = 0;
            let twitter = twitter(cluster);
            let steps = twitter.steps(0).take(COMMANDS);
            for step in steps.filter(|step| !matches!(step, Step::Delete { .. })) {
                let count = hits.entry(key(&step)).or_default();
                let is_new = key(&step) >= twitter.items && *count == 0;
                created += u32::from(is_new && matches!(step, Step::Create { .. }));
                *count += 1;
            }
            let fresh: Vec<u32> = hits.range(twitter.items..).map(|(_, hits)| *hits).collect();
            let first = fresh.len() as f64 * 100.0 / COMMANDS as f64;
            assert!(
                (first - cluster.first_pct).abs() < 1.0,
                "{}: {first} %",
                cluster.name
            );
            // What was only read was never created.
            let read_only = fresh.len() as u32 - created;
            let once = fresh.iter().filter(|hits| **hits == 1).count() as u32 - read_only;
            let one_hit = f64::from(once) * 100.0 / f64::from(created);
            let near = (one_hit - cluster.one_hit_pct).abs() < 4.0;
            assert!(near, "{}: {one_hit} % once", cluster.name);
        }
    }

    #[test]
    fn commands_are_a_pure_function_of_settings_seed_and_client() {
        let first = |seed, client| {
            let twitter = Twitter {
                seed,
                ..twitter(&CLUSTERS[3])
            };
            twitter.steps(client).take(1000).collect::<Vec<_>>()
        };
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }

    #[test]
    fn reads_miss_about_as_often_as_published() {
        let twitter = twitter(&CLUSTERS[1]);
        let mut alive: BTreeSet<u64> = (0..twitter.items).collect();
        let mut clients: Vec<_> = (0..twitter.clients).map(|c| twitter.steps(c)).collect();
        let (mut reads, mut misses, mut anew) = (0, 0, 0);
        for _ in 0..20_000 {
            for steps in &mut clients {
                match steps.next().unwrap() {
                    Step::Create { key, .. } => {
                        anew += u32::from(alive.insert(key) && key < twitter.items);
                    }
                    Step::Delete { key } => _ = alive.remove(&key),
                    Step::Read { key } => {
                        reads += 1;
                        misses += u32::from(!alive.contains(&key));
                    }
                    _ => {}
                }
            }
        }
        assert!(
            anew > 7_000,
            "{anew} of 80,000 commands create an object anew"
        );
        let share = misses * 100 / reads;
        assert!((9..15).contains(&share), "{share} % miss");
    }

    #[test]
    fn an_object_is_as_large_as_its_key_and_value() {
        let twitter = twitter(&CLUSTERS[0]);
        assert_eq!(twitter.value(1).len(), 44 + 1030);
    }
}
