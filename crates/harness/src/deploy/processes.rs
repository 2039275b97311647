//! Replicas as processes of their own, which really die when they are killed. All are on this
//! machine.
//!
//! The processes are children of this one and learn what they are from a cluster file; see `node`.
//! The caches are what the run was told to use.

use super::caches::Caches;
use super::child::{Child, LeaderBoard};
use super::deployment::{Deployment, ProcessIds, Status, Tally};
use super::lines::Order;
use crate::program;
use crate::time;
use anyhow::{Context, Result};
use ssmr_core::{Application, Oracle, ReplicaId};
use ssmr_net::{Clock, ClusterConfig, ClusterFile, Cut, Leaders, Operator, Reservations};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a replica may take to say what it has counted before it is counted as of its last
/// answer.
const COUNTING: Duration = Duration::from_millis(500);

/// What stands at the head of the cluster's file.
const ABOUT: &str = "\
A cluster. Each of its replicas runs with: PROGRAM node --cluster THIS_FILE --replica NAME
Once, when they run for the first time: PROGRAM cluster found THIS_FILE
";

/// A cluster of processes.
pub(crate) struct Processes {
    file: PathBuf,
    config: ClusterConfig,
    children: BTreeMap<ReplicaId, Child>,
    caches: Caches,
    processes: watch::Sender<ProcessIds>,
    board: LeaderBoard,
    leaders: watch::Receiver<Leaders>,
    /// What processes had counted that were killed.
    former: Tally,
    /// Where the replicas listen, also while one of them is down.
    _reserved: Reservations,
}

impl Processes {
    /// Writes the cluster to `path`, and starts a process for each replica, where an address is
    /// reserved for it. All of them listen when this returns, and the cluster is founded.
    pub(crate) async fn start<A: Application>(
        cluster: ClusterFile,
        oracle: Arc<dyn Oracle>,
        path: PathBuf,
        reserved: Reservations,
        caches: Caches,
    ) -> Result<Self> {
        cluster.write(&path, &program::named(ABOUT))?;
        let (leaders, listener) = watch::channel(Leaders::default());
        let board = LeaderBoard {
            leaders: Arc::new(leaders),
            clock: Clock::start(),
        };
        let mut children = BTreeMap::new();
        for id in cluster.config.topology.replicas() {
            children.insert(id, Child::start(&path, id, board.clone())?);
        }
        for child in children.values_mut() {
            child.listening().await?;
        }
        let ids = children.iter().map(|(id, child)| (*id, child.process_id()));
        let processes = watch::Sender::new(ids.collect());
        let config = cluster.config_for_stale_reads()?;
        Operator::new::<A>(&config, oracle)?.found().await?;
        Ok(Self {
            config,
            file: path,
            children,
            caches,
            processes,
            board,
            leaders: listener,
            former: Tally::default(),
            _reserved: reserved,
        })
    }
}

impl Deployment for Processes {
    fn config(&self) -> &ClusterConfig {
        &self.config
    }

    fn leaders(&self) -> watch::Receiver<Leaders> {
        self.leaders.clone()
    }

    fn running(&mut self) -> BTreeSet<ReplicaId> {
        let children = self.children.iter_mut();
        let running = children.filter_map(|(id, child)| child.runs().then_some(*id));
        running.collect()
    }

    async fn status(&mut self, id: ReplicaId) -> Option<Status> {
        self.children.get_mut(&id)?.status().await
    }

    async fn inspect(&mut self, id: ReplicaId) -> Option<Status> {
        self.children.get_mut(&id)?.inspect().await
    }

    async fn tally(&mut self) -> Tally {
        let mut tally = self.former;
        tally.processor_us += time::processor_us();
        self.children.values_mut().for_each(Child::ask);
        for child in self.children.values_mut() {
            child.answer(COUNTING).await;
            tally += child.tally();
        }
        tally
    }

    async fn kill(&mut self, id: ReplicaId) {
        if let Some(child) = self.children.get_mut(&id) {
            // What it has counted dies with it. One that does not answer at once is killed all the
            // same.
            child.ask();
            child.answer(COUNTING).await;
            child.kill();
            self.former += child.tally();
        }
        self.children.remove(&id);
        self.processes.send_modify(|ids| {
            ids.remove(&id);
        });
    }

    fn restart(&mut self, id: ReplicaId) -> Result<()> {
        let child = Child::start(&self.file, id, self.board.clone());
        let child = child.with_context(|| format!("replica {id} does not come back"))?;
        let process = child.process_id();
        self.children.insert(id, child);
        self.processes.send_modify(|ids| {
            ids.insert(id, process);
        });
        Ok(())
    }

    fn pause(&mut self, id: ReplicaId, still: bool) {
        if let Some(child) = self.children.get_mut(&id) {
            child.pause(still);
        }
    }

    fn cut(&mut self, id: ReplicaId, cut: Cut, off: bool) {
        if let Some(child) = self.children.get_mut(&id) {
            child.order(Order::Cut(cut, off));
        }
    }

    fn caches(&mut self) -> &mut Caches {
        &mut self.caches
    }

    fn process_ids(&self) -> watch::Receiver<ProcessIds> {
        self.processes.subscribe()
    }
}
