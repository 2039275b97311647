//! Workload `kv`: a key-value service, with creates, deletes and moves among its reads and writes.
//!
//! Every client meets objects that others created, deleted or moved a moment ago, so `NotFound` and `AlreadyExists` are
//! ordinary outcomes. It does not follow up on them. Invariant: with as many creates as deletes the number of objects
//! keeps to what was loaded, for a client creates anew what it deleted of the loaded keys.
//!
//! The static attribute is the key itself: a key-value service knows nothing better.

mod service;

use super::{Workload, draw, payload, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Zipf};
use serde::Serialize;
use service::{KvService, Op};
use ssmr_core::{ObjectId, PartitionId, Request};
use std::collections::VecDeque;

/// The exponent of the Zipf distribution, as in YCSB.
const THETA: f64 = 0.99;

/// How many of a client's newest keys count as young.
const YOUNG: u64 = 16;

/// How often each key is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Distribution {
    /// All keys alike.
    Uniform,
    /// Few keys most of the time (exponent 0.99).
    Zipf,
}

/// The settings of the workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Kv {
    /// For the clients' random numbers.
    pub(crate) seed: u64,
    /// How many clients there are.
    pub(crate) clients: u64,
    /// How many partitions moves choose among.
    pub(crate) partitions: u8,
    /// How many keys are loaded.
    pub(crate) keys: u64,
    /// How often each of these is chosen.
    pub(crate) distribution: Distribution,
    /// The size of a value in bytes.
    pub(crate) object_size: usize,
    /// How many objects a multi-object access names.
    pub(crate) multi_objects: u64,
    /// Percentages of the operations, in the order of [`Workload::KINDS`].
    pub(crate) percentages: [u32; 6],
}

/// One command. Values follow from their stamps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum Step {
    Create { key: u64, stamp: u64 },
    Read { key: u64 },
    Update { key: u64, stamp: u64 },
    Delete { key: u64 },
    Move { key: u64, to: u8 },
    Multi { keys: Vec<u64>, stamp: u64 },
}

impl Workload for Kv {
    const NAME: &'static str = "kv";
    const KINDS: &'static [&'static str] = &["create", "read", "update", "delete", "move", "multi"];
    type App = KvService;
    type Step = Step;
    type Steps = Steps;

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
        let zipf = Zipf::new(self.keys as f64, THETA);
        Steps {
            zipf: zipf.unwrap_or_else(|error| unreachable!("{} keys: {error}", self.keys)),
            settings: self.clone(),
            client,
            rng: stream(self.seed, client),
            fresh_count: 0,
            own: VecDeque::new(),
            deleted: VecDeque::new(),
        }
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

    fn read(object: ObjectId) -> Request {
        Request::access::<KvService>(&Op::Read(object))
    }

    fn request(&self, step: Step) -> Request {
        let value = |stamp| payload(stamp, self.object_size);
        let access = |op| Request::access::<KvService>(&op);
        match step {
            Step::Create { key, stamp } => {
                Request::create::<KvService>(object(key), &value(stamp), None)
            }
            Step::Read { key } => access(Op::Read(object(key))),
            Step::Update { key, stamp } => access(Op::Update(object(key), value(stamp))),
            Step::Delete { key } => Request::delete(object(key)),
            Step::Move { key, to } => Request::relocate(object(key), PartitionId(to)),
            Step::Multi { keys, stamp } => access(Op::Multi(
                keys.into_iter().map(object).collect(),
                value(stamp),
            )),
        }
    }
}

/// The object of a key.
fn object(key: u64) -> ObjectId {
    ObjectId::new(key, 0)
}

/// The commands of one client.
#[derive(Debug)]
pub(crate) struct Steps {
    settings: Kv,
    client: u64,
    rng: ChaCha8Rng,
    zipf: Zipf<f64>,
    /// How many keys this client has made up.
    fresh_count: u64,
    /// Those of them that it has not deleted, the oldest first.
    own: VecDeque<u64>,
    /// Loaded keys that it has deleted and not created anew.
    deleted: VecDeque<u64>,
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let kind = draw(&mut self.rng, &self.settings.percentages);
        Some(match kind {
            0 => Step::Create {
                key: self.created(),
                stamp: self.rng.random(),
            },
            1 => Step::Read { key: self.any() },
            2 => Step::Update {
                key: self.any(),
                stamp: self.rng.random(),
            },
            3 => Step::Delete { key: self.doomed() },
            4 => Step::Move {
                key: self.any(),
                to: self.rng.random_range(0..self.settings.partitions),
            },
            _ => Step::Multi {
                keys: self.several(),
                stamp: self.rng.random(),
            },
        })
    }
}

impl Steps {
    /// A key that nobody has used, or one time in two a loaded one that this client has deleted: somebody else who deleted
    /// it too may have been faster.
    fn created(&mut self) -> u64 {
        if self.rng.random_bool(0.5)
            && let Some(key) = self.deleted.pop_front()
        {
            return key;
        }
        let key = self.fresh(self.client, self.fresh_count);
        self.fresh_count += 1;
        self.own.push_back(key);
        key
    }

    /// The oldest key that this client made up, or one time in four a loaded one.
    fn doomed(&mut self) -> u64 {
        if !self.rng.random_bool(0.25)
            && let Some(key) = self.own.pop_front()
        {
            return key;
        }
        let key = self.loaded();
        self.deleted.push_back(key);
        key
    }

    /// A loaded key, or one time in eight a young one of any client: it may not be there yet, or no more.
    fn any(&mut self) -> u64 {
        if self.fresh_count > 0 && self.rng.random_ratio(1, 8) {
            let age = self.rng.random_range(0..self.fresh_count.min(YOUNG));
            let maker = self.rng.random_range(0..self.settings.clients);
            return self.fresh(maker, self.fresh_count - 1 - age);
        }
        self.loaded()
    }

    /// Different keys. One that was drawn already gives way to its neighbour, so that this ends.
    fn several(&mut self) -> Vec<u64> {
        let mut keys: Vec<u64> = Vec::new();
        for _ in 0..self.settings.multi_objects {
            let mut key = self.any();
            while keys.contains(&key) {
                key = (key + 1) % self.settings.keys;
            }
            keys.push(key);
        }
        keys
    }

    fn loaded(&mut self) -> u64 {
        match self.settings.distribution {
            Distribution::Uniform => self.rng.random_range(0..self.settings.keys),
            Distribution::Zipf => {
                let rank = self.zipf.sample(&mut self.rng) as u64;
                rank.clamp(1, self.settings.keys) - 1
            }
        }
    }

    /// The `number`-th key that a client makes up. Everybody can tell.
    fn fresh(&self, client: u64, number: u64) -> u64 {
        self.settings.keys + number * self.settings.clients + client
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn kv() -> Kv {
        Kv {
            seed: 1,
            clients: 4,
            partitions: 2,
            keys: 100,
            distribution: Distribution::Uniform,
            object_size: 100,
            multi_objects: 3,
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
                object_size: 101,
                ..kv()
            },
            Kv {
                distribution: Distribution::Zipf,
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
            distribution: Distribution::Zipf,
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
    fn zipf_prefers_the_first_keys() {
        let kv = Kv {
            distribution: Distribution::Zipf,
            percentages: [0, 100, 0, 0, 0, 0],
            ..kv()
        };
        let steps = kv.steps(0).take(10_000);
        let first = steps.filter(|step| *step == Step::Read { key: 0 }).count();
        assert!((1_500..2_500).contains(&first), "{first}");
    }
}
