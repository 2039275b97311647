//! One replica on the wire: a thread of its own, one event loop, connections in and out.
//!
//! The thread runs a current-thread runtime. Tasks read and decode; the loop alone touches the
//! state machine, and never waits for anything but its inputs. A replica therefore always goes on
//! reading from its peers.
//!
//! It decides nothing. A replica that stopped may be started again: with what it had stored, vote
//! and log; or, where that is gone, in a new generation, as a member that never voted, to be filled
//! by its group.

mod accept;
mod event_loop;

use crate::clock::{self, Clock};
use crate::config::ClusterConfig;
use crate::error::{ConfigError, NetError};
use crate::leaders::Leaders;
use crate::traffic::{Traffic, TrafficCount};
use event_loop::{EventLoop, Switches};
use ssmr_core::replica::Counters;
use ssmr_core::topology::mix;
use ssmr_core::{Application, Engine, Identity, LocalTime, Oracle, Placement, Replica, ReplicaId};
use ssmr_log::Stored;
use ssmr_multicast::{GroupMulticast, MulticastSettings};
use ssmr_storage::{Durability, LogStore, OpenOptions, Owner, RealFiles};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot, watch};

/// What one replica is made of.
#[derive(Clone, Debug)]
pub struct ReplicaOptions<O> {
    /// Which replica it is.
    pub id: ReplicaId,
    /// The cluster that it belongs to.
    pub config: ClusterConfig,
    /// The strategy.
    pub oracle: O,
    /// For the multicast's election timers.
    pub seed: u64,
    /// Its clock.
    pub clock: Clock,
    /// Where it keeps its log: in a folder of its own within the one named here.
    pub durability: Durability,
    /// It took part before. If its folder is new, or it has none, it has lost its memory, and must
    /// not vote as if it had never voted.
    pub rejoins: bool,
    /// After how many bytes of log it makes a snapshot.
    pub log_bytes: usize,
}

/// What a replica says of itself.
#[derive(Clone, Copy, Debug)]
pub struct ReplicaStatus {
    /// Whether it believes that it leads its group.
    pub is_leader: bool,
    /// Whether it takes full part: not while it is filled after it lost its memory.
    pub is_voter: bool,
    /// The index of the last entry of its group's log that it has applied.
    pub applied: u64,
    /// The digest of its state, if that was asked for: equal at replicas of a group that applied
    /// the same entries.
    pub digest: Option<u64>,
    /// Counters since the start.
    pub counters: Counters,
}

/// Somebody wants to know how a replica is.
#[derive(Debug)]
struct Question {
    /// With the digest of its state, which takes time in proportion to it.
    digest: bool,
    answer: oneshot::Sender<ReplicaStatus>,
}

/// A running replica. Dropping it stops it.
#[derive(Debug)]
pub struct ReplicaThread {
    id: ReplicaId,
    traffic: Arc<Traffic>,
    switches: Switches,
    leaders: watch::Receiver<Leaders>,
    /// The sender is gone when the event loop has ended.
    ended: watch::Receiver<()>,
    /// Closing it ends the event loop.
    questions: Option<mpsc::Sender<Question>>,
    thread: Option<JoinHandle<()>>,
}

impl ReplicaThread {
    /// Starts a replica that listens with `listener`.
    ///
    /// # Errors
    /// If the configuration is not one of a cluster with this replica, its log cannot be opened, or
    /// the thread or its event loop cannot be started.
    pub fn start<A: Application, O: Oracle>(
        options: ReplicaOptions<O>,
        listener: TcpListener,
    ) -> Result<Self, NetError> {
        let (leaders, _) = watch::channel(Leaders::default());
        Self::start_among::<A, O>(options, listener, Arc::new(leaders))
    }

    /// The same, for one of several replicas that publish in `leaders` whether they lead.
    pub(crate) fn start_among<A: Application, O: Oracle>(
        options: ReplicaOptions<O>,
        listener: TcpListener,
        leaders: Arc<watch::Sender<Leaders>>,
    ) -> Result<Self, NetError> {
        options.config.check(&options.oracle)?;
        let id = options.id;
        if !options.config.addresses.contains_key(&id) {
            return Err(ConfigError::NoAddress(id).into());
        }
        let failed = |source| NetError::Start {
            what: format!("replica {id}"),
            source,
        };
        let identity = Identity::of::<A, O>(
            &options.oracle,
            options.config.topology,
            options.config.incarnation,
        );
        let (log, stored) = open_log(&options, &identity)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let traffic = Arc::new(Traffic::default());
        let (questions, asked) = mpsc::channel(16);
        let (running, ended) = watch::channel(());
        let listening = leaders.subscribe();
        let switches = Switches::default();
        let (counted, switched) = (traffic.clone(), switches.clone());
        let serve = move || {
            let _running = running;
            let office = InOffice { id, leaders };
            runtime.block_on(async move {
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => {
                        let replica = assemble::<A, O>(&options, stored);
                        let event_loop = EventLoop::new(
                            replica, log, options, identity, listener, &counted, switched,
                        );
                        event_loop.run(asked, &office).await;
                    }
                    Err(error) => tracing::error!(%id, %error, "the replica cannot listen"),
                }
            });
        };
        let thread = std::thread::Builder::new().name(id.to_string());
        let thread = Some(thread.spawn(serve).map_err(failed)?);
        let questions = Some(questions);
        Ok(Self {
            id,
            traffic,
            switches,
            leaders: listening,
            ended,
            questions,
            thread,
        })
    }

    /// Asks the replica how it is; `None` if it has stopped.
    pub async fn status(&self) -> Option<ReplicaStatus> {
        self.ask(false).await
    }

    /// The same with the digest of its state. The replica does nothing else while it works that
    /// out.
    pub async fn inspect(&self) -> Option<ReplicaStatus> {
        self.ask(true).await
    }

    async fn ask(&self, digest: bool) -> Option<ReplicaStatus> {
        let (answer, answered) = oneshot::channel();
        let question = Question { digest, answer };
        self.questions.as_ref()?.send(question).await.ok()?;
        answered.await.ok()
    }

    /// What it has sent and received so far, also after it has stopped.
    #[must_use]
    pub fn traffic(&self) -> TrafficCount {
        self.traffic.count()
    }

    /// Whether it leads its group, as it changes. The sender goes with the replica.
    #[must_use]
    pub fn leaders(&self) -> watch::Receiver<Leaders> {
        self.leaders.clone()
    }

    /// Cuts it off from all other replicas, or joins it to them again: what they say to each other
    /// is dropped meanwhile, as on a network that fails. Clients still reach it.
    pub fn cut(&self, off: bool) {
        self.switches.cut.store(off, Relaxed);
    }

    /// Whether its thread still runs. One that ended by itself has found its state broken.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }

    /// Stops it and waits until it has ended, without holding up the caller's thread. Clients and
    /// the other replicas see that it is gone and go on with the rest of its group; what it has
    /// stored is synced.
    pub async fn shutdown(mut self) {
        self.begin_to_stop();
        self.ended().await;
        self.stop();
    }

    /// Has it stop. See [`ended`](Self::ended).
    pub(crate) fn begin_to_stop(&mut self) {
        self.questions = None;
    }

    /// Has it tell its clients, when it stops, that the whole cluster has ended.
    pub(crate) fn is_last_stop(&self) {
        self.switches.farewell.store(true, Relaxed);
    }

    /// Waits until it has stopped.
    pub(crate) async fn ended(&mut self) {
        // Nothing is ever sent there: it ends when the sender is gone.
        let _ = self.ended.changed().await;
    }

    /// Stops it: its sockets are closed and its thread is gone when this returns.
    pub fn stop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(id = %self.id, "the replica had failed");
        }
    }
}

impl Drop for ReplicaThread {
    fn drop(&mut self) {
        self.stop();
    }
}

type TheReplica<A, O> = Replica<GroupMulticast, Engine<A, O>, O>;

/// Opens the replica's log, if it has one, and reads what it has stored: nothing but a new
/// generation if it has lost its memory.
fn open_log<O>(
    options: &ReplicaOptions<O>,
    identity: &Identity,
) -> Result<(Option<LogStore>, Stored), NetError> {
    let new_generation = clock::new_generation();
    let (folder, sync) = match &options.durability {
        Durability::Memory => {
            let generation = if options.rejoins { new_generation } else { 0 };
            let stored = Stored {
                generation,
                ..Stored::default()
            };
            return Ok((None, stored));
        }
        Durability::Async(folder) => (folder, false),
        Durability::Sync(folder) => (folder, true),
    };
    let folder = folder.join(options.id.to_string());
    let options = OpenOptions {
        owner: Owner {
            replica: options.id,
            cluster: identity.clone(),
        },
        sync,
        rejoins: options.rejoins,
        new_generation,
    };
    let opened = LogStore::open(&RealFiles, &folder, &options)?;
    Ok((Some(opened.log), opened.stored))
}

fn assemble<A: Application, O: Oracle>(
    options: &ReplicaOptions<O>,
    stored: Stored,
) -> TheReplica<A, O> {
    let (id, topology) = (options.id, options.config.topology);
    let settings = MulticastSettings {
        // Replicas of one group must not draw the same election timeouts, or they split every vote.
        seed: mix(options.seed ^ mix(u64::from(id.group.index()) << 8 | u64::from(id.index))),
        log_bytes: options.log_bytes,
    };
    let multicast = GroupMulticast::restore(id, topology, settings, stored);
    let placement = Placement::new(options.oracle.clone(), topology);
    let engine = Engine::new(id.group, placement.clone());
    Replica::new(id, placement, multicast, engine)
}

/// A replica's entry among the leaders. It goes with the thread, however that ends.
struct InOffice {
    id: ReplicaId,
    leaders: Arc<watch::Sender<Leaders>>,
}

impl InOffice {
    /// Publishes that the replica leads since `since`, or that it does not lead.
    fn publish(&self, since: Option<LocalTime>) {
        self.leaders
            .send_if_modified(|leaders| leaders.note(self.id, since));
    }
}

impl Drop for InOffice {
    fn drop(&mut self) {
        self.publish(None);
    }
}
