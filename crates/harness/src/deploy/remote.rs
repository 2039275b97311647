//! A cluster that somebody else runs, wherever it is: known from its file, asked over TCP.
//!
//! It was there before and stays when the run is over. What breaks there breaks by itself, or by
//! somebody's hand: nothing is stopped, killed or cut from here. Others may use it at the same
//! time.

use super::caches::Caches;
use super::deployment::{Deployment, ProcessIds, Status, Tally};
use crate::time;
use anyhow::{Context, Result, bail};
use ssmr_core::{Application, GroupId, LocalTime, Oracle, ReplicaId, Topology};
use ssmr_net::{Clock, ClusterConfig, Cut, Leaders, Operator, ReplicaStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How often each replica is asked how it is.
const LOOK: Duration = Duration::from_millis(100);

/// How long a replica may be silent before it counts as one that does not run: a name that is
/// looked up again, or a leader that is elected, takes no longer.
const SILENT: Duration = Duration::from_secs(10);

/// How long a replica has for an answer, also one with a digest, before its connection is given up.
const ANSWER: Duration = Duration::from_secs(5);

/// How long the replicas may take to be reached for the first time.
const REACHING: Duration = Duration::from_secs(30);

/// A cluster that runs elsewhere.
pub(crate) struct Remote {
    config: ClusterConfig,
    operator: Operator,
    caches: Caches,
    clock: Clock,
    heard: watch::Receiver<Heard>,
    leaders: watch::Receiver<Leaders>,
    processes: watch::Receiver<ProcessIds>,
    _watching: JoinSet<()>,
}

/// What the replicas have said.
#[derive(Clone, Debug, Default)]
struct Heard(BTreeMap<ReplicaId, Told>);

/// What one of them has said last, and what it cost before it was started again.
#[derive(Clone, Debug)]
struct Told {
    at: LocalTime,
    status: ReplicaStatus,
    former: Tally,
}

impl Told {
    /// What the replica has cost so far, as often as it was started.
    fn tally(&self) -> Tally {
        let mut tally = self.former;
        tally += counted(&self.status);
        tally
    }
}

impl Heard {
    fn take(&mut self, at: LocalTime, status: ReplicaStatus) {
        let former = match self.0.get(&status.id) {
            // One that was started again has counted from nothing.
            Some(told) if told.status.uptime_us > status.uptime_us => told.tally(),
            Some(told) => told.former,
            None => Tally::default(),
        };
        self.0.insert(status.id, Told { at, status, former });
    }

    /// The groups of which less than a majority was ever heard.
    fn unreached(&self, topology: &Topology) -> Option<GroupId> {
        topology.groups().iter().find(|group| {
            let heard = self.0.keys().filter(|id| id.group == *group).count();
            heard <= usize::from(topology.replica_count(*group)) / 2
        })
    }
}

/// What a replica's own counters add to a tally.
fn counted(status: &ReplicaStatus) -> Tally {
    Tally {
        traffic: status.traffic,
        value_hits: status.counters.cache_hits,
        value_misses: status.counters.cache_misses,
        processor_us: status.processor_us,
    }
}

impl Remote {
    /// Looks for the replicas. A majority of each group has answered when this returns.
    pub(crate) async fn reach<A: Application>(
        config: ClusterConfig,
        oracle: Arc<dyn Oracle>,
    ) -> Result<Self> {
        let operator = Operator::new::<A>(&config, oracle)?.with_patience(ANSWER);
        let topology = config.topology;
        let clock = Clock::start();
        let (hears, heard) = watch::channel(Heard::default());
        let (leads, leaders) = watch::channel(Leaders::default());
        let (hears, leads) = (Arc::new(hears), Arc::new(leads));
        let mut watching = JoinSet::new();
        for id in topology.replicas() {
            let (asks, hears, leads) = (operator.clone(), hears.clone(), leads.clone());
            watching.spawn(async move {
                let told = |status: ReplicaStatus| {
                    let now = clock.now();
                    let since = status.is_leader.then_some(now);
                    leads.send_if_modified(|leaders| leaders.note(id, since));
                    hears.send_modify(|heard| heard.take(now, status));
                };
                // It never ends, for the cluster has this replica.
                let _ = asks.watch(id, LOOK, told).await;
            });
        }
        let caches = match &config.cache_servers[..] {
            [] => Caches::None,
            servers => Caches::Servers(servers.to_vec()),
        };
        let mut remote = Self {
            config,
            operator,
            caches,
            clock,
            heard,
            leaders,
            processes: watch::channel(ProcessIds::new()).1,
            _watching: watching,
        };
        remote.reached(&topology).await?;
        Ok(remote)
    }

    async fn reached(&mut self, topology: &Topology) -> Result<()> {
        let reached = self
            .heard
            .wait_for(|heard| heard.unreached(topology).is_none());
        if timeout(REACHING, reached).await.is_ok() {
            return Ok(());
        }
        let heard = self.heard.borrow().clone();
        let missing = topology.replicas().find(|id| !heard.0.contains_key(id));
        if let Some(id) = missing {
            let why = self.operator.status(id).await.err();
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            bail!("a group of the cluster has no majority after {REACHING:?}{why}");
        }
        Ok(())
    }

    fn silent(&self, told: &Told) -> bool {
        let silent = self.clock.now().since(told.at);
        Duration::from_micros(silent) > SILENT
    }
}

impl Deployment for Remote {
    fn config(&self) -> &ClusterConfig {
        &self.config
    }

    fn leaders(&self) -> watch::Receiver<Leaders> {
        self.leaders.clone()
    }

    fn running(&mut self) -> BTreeSet<ReplicaId> {
        let heard = self.heard.borrow();
        let speaking = heard.0.iter().filter(|(_, told)| !self.silent(told));
        speaking.map(|(id, _)| *id).collect()
    }

    async fn status(&mut self, id: ReplicaId) -> Option<Status> {
        let told = self.heard.borrow().0.get(&id).cloned()?;
        (!self.silent(&told)).then(|| told.status.into())
    }

    async fn inspect(&mut self, id: ReplicaId) -> Option<Status> {
        self.operator.inspect(id).await.ok().map(Status::from)
    }

    async fn tally(&mut self) -> Tally {
        // As of now, not of the last look.
        let mut asked = self.heard.clone();
        let _ = timeout(2 * LOOK, asked.changed()).await;
        let mut tally = Tally {
            processor_us: time::processor_us(),
            ..Tally::default()
        };
        for told in self.heard.borrow().0.values() {
            tally += told.tally();
        }
        tally
    }

    fn shared(&self) -> Option<&Operator> {
        Some(&self.operator)
    }

    async fn kill(&mut self, _id: ReplicaId) {}

    fn restart(&mut self, id: ReplicaId) -> Result<()> {
        None.with_context(|| format!("{id} is not run from here"))
    }

    fn pause(&mut self, _id: ReplicaId, _still: bool) {}

    fn cut(&mut self, _id: ReplicaId, _cut: Cut, _off: bool) {}

    fn caches(&mut self) -> &mut Caches {
        &mut self.caches
    }

    fn process_ids(&self) -> watch::Receiver<ProcessIds> {
        self.processes.clone()
    }
}
