//! A service that counts, and clusters of it.

#![allow(dead_code, reason = "each test uses some of it")]

use serde::{Deserialize, Serialize};
use ssmr::{Access, Application, LocalCluster, ObjectId, Objects, Oracle};
use std::time::Duration;

/// For what must come, however slow the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Counters.
#[derive(Debug)]
pub(crate) struct Counters;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Add to some of them; the sum afterwards.
    Add(Vec<ObjectId>, u64),
    /// The sum of some of them.
    Sum(Vec<ObjectId>),
    /// The service panics.
    Divide(ObjectId, u64),
}

impl Application for Counters {
    const NAME: &'static str = "counters";
    const VERSION: u32 = 3;
    type Object = u64;
    type Op = Op;
    type Reply = u64;

    fn access(op: &Op) -> Access {
        let (reads, writes) = match op {
            Op::Add(counters, _) => (counters.clone(), counters.clone()),
            Op::Sum(counters) => (counters.clone(), vec![]),
            Op::Divide(counter, _) => (vec![*counter], vec![*counter]),
        };
        Access { reads, writes }
    }

    fn execute(op: &Op, counters: &mut Objects<u64>) -> u64 {
        let sum = |counters: &Objects<u64>, all: &[ObjectId]| {
            all.iter()
                .filter_map(|counter| counters.get(*counter))
                .sum()
        };
        match op {
            Op::Add(all, amount) => {
                for counter in all {
                    counters.update(*counter, |value| *value += amount);
                }
                sum(counters, all)
            }
            Op::Sum(all) => sum(counters, all),
            Op::Divide(counter, divisor) => counters.get(*counter).unwrap_or(&1) / divisor,
        }
    }
}

pub(crate) fn object(key: u64) -> ObjectId {
    ObjectId::new(key, key)
}

pub(crate) async fn cluster(oracle: impl Oracle) -> LocalCluster<Counters> {
    let cluster = LocalCluster::builder(oracle).partitions(2).replicas(1);
    cluster.start().await.unwrap()
}
