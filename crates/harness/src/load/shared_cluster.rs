//! Two runs on one cluster at the same time: neither disturbs the other's verdict.

use super::clients::Load;
use super::job::{Job, Plan};
use super::order::Order;
use crate::audit::{Audit, audit};
use crate::builtin::strategies;
use crate::check::{Judgement, Recorder};
use crate::deploy::caches::Caches;
use crate::deploy::deployment::Deployment;
use crate::deploy::threads::Threads;
use crate::registry::info::{Directory, Sizes};
use crate::registry::strategies::Chosen;
use crate::settings::memcached::Memcached;
use crate::workload::churn::Churn;
use crate::workload::contract::Workload;
use crate::workload::kv::settings::Kv;
use crate::workload::popularity::Popularity;
use crate::workload::run_number::RunNumber;
use crate::workload::value_size::ValueSize;
use anyhow::Result;
use ssmr_core::client::ClientSettings;
use ssmr_core::{CacheReads, Micros, ObjectId, Oracle};
use ssmr_net::{Clock, ClusterOptions, Leaders};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;
use tokio::sync::watch;

type App = <Kv as Workload>::App;

/// How long a new cluster may take to elect its leaders.
const ELECTIONS: Duration = Duration::from_secs(60);

/// A run with creates, deletes, moves, and accesses to several objects, besides which more are
/// created and moved; whatever its number, with the same seed, keys and clients.
fn job(run: u16, cluster: &Threads) -> Job<Kv> {
    let run = RunNumber::try_from(run).unwrap();
    let workload = Kv {
        seed: 1,
        clients: 3,
        run,
        partitions: 2,
        keys: 40,
        popularity: Popularity::Uniform,
        value_size: ValueSize::Constant(16),
        multi_objects: 2,
        multi_partitions: None,
        percentages: [10, 30, 30, 10, 10, 10],
    };
    Job {
        churn: Churn {
            create: 5,
            delete: 3,
            relocate: 5,
        },
        seed: workload.seed,
        run,
        config: cluster.config().clone(),
        first_id: 100 * u64::from(u16::from(run)),
        clock: Clock::start(),
        settings: ClientSettings::default().with_late_answers(true),
        cache_reads: CacheReads::Checked,
        recorder: Recorder::default(),
        window: 2,
        rate: None,
        operations: Some(150),
        order: Order::new(0, workload.clients),
        tape: None,
        loaded: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        abandon: watch::Sender::new(false),
        workload: Arc::new(workload),
    }
}

/// Loads, issues its commands, and reads all objects at the end. Returns the verdict, and the
/// objects that it had created.
async fn carry_out(
    job: Job<Kv>,
    oracle: &Arc<dyn Oracle>,
) -> Result<(Judgement, BTreeSet<ObjectId>)> {
    let mut load = Load::start(job, oracle)?;
    load.loaded().await?;
    let job = load.shared();
    let now = job.clock.now().micros();
    load.go(Plan {
        start: now,
        from: now,
        until: Micros::MAX,
    });
    load.reports(&mut Vec::new()).await?;
    let mut looked = Audit::default();
    audit(&job, oracle.clone(), &mut looked).await?;
    assert_eq!(looked.shortfall(), None);
    Ok((job.recorder.judge(), job.recorder.created()))
}

/// A cluster of a strategy that has elected its leaders.
async fn cluster(strategy: &str) -> (Threads, Arc<dyn Oracle>) {
    let sizes = Sizes {
        partitions: 2,
        replicas: 1,
        oracle_replicas: 1,
    };
    let shape = sizes.shape(Directory::None).unwrap();
    let Chosen {
        oracle, topology, ..
    } = strategies().choose_known(strategy, &shape);
    let caches = match oracle.needs().shared_cache {
        true => Caches::start(&Memcached::Embedded, false).await.unwrap(),
        false => Caches::None,
    };
    let options = ClusterOptions::new(topology, oracle.clone());
    let cluster = Threads::start::<App>(options, caches).await.unwrap();
    let leaders = Leaders::complete(cluster.leaders(), topology.groups(), ELECTIONS);
    leaders.await.unwrap();
    (cluster, oracle)
}

#[tokio::test]
async fn two_runs_share_a_cluster_and_are_both_linearizable() {
    for info in strategies().infos() {
        let (cluster, oracle) = cluster(info.name).await;
        let [one, other] = [1, 2].map(|run| carry_out(job(run, &cluster), &oracle));
        let (one, other) = tokio::join!(one, other);
        let [one, other] = [one, other].map(|run| {
            let (judgement, created) = run.unwrap();
            let counts = judgement
                .counts()
                .unwrap_or_else(|| panic!("{judgement:?}"));
            assert_eq!(counts.unjudged(), 0, "{}: {judgement:?}", info.name);
            assert!(counts.judged > 3 * 100, "{}: {judgement:?}", info.name);
            created
        });
        assert!(one.is_disjoint(&other) && one.len() > 40 && other.len() > 40);
    }
}

#[tokio::test]
async fn a_run_says_if_an_earlier_one_had_its_number() {
    let (cluster, oracle) = cluster("global").await;
    carry_out(job(1, &cluster), &oracle).await.unwrap();
    let again = Job {
        first_id: 1_000,
        ..job(1, &cluster)
    };
    let told = carry_out(again, &oracle).await.unwrap_err().to_string();
    assert!(told.contains("had number 1, too"), "{told}");
}
