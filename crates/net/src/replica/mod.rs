//! One replica on the wire: a thread of its own, one event loop, connections in and out.
//!
//! The thread runs a current-thread runtime. Tasks read and decode; the loop alone touches the
//! state machine, and never waits for anything but its inputs. A replica therefore always goes on
//! reading from its peers.
//!
//! It decides nothing. A replica that stopped may be started again: with what it had stored, vote
//! and log; or, where nothing is, in a new generation, which is no member until its group is
//! founded or fills it.

mod accept;
mod clients;
mod connected;
mod event_loop;
mod input;
mod intake;
mod lanes;
mod leaving;
#[cfg(feature = "metrics")]
mod metrics;
mod news;
mod options;
mod peers;
mod places;
mod recorder;
mod stopwatch;
mod storing;
mod telling;
mod visitors;

use crate::clock;
use crate::cut::Cut;
use crate::error::{ConfigError, NetError};
use crate::files;
use crate::greeting::Role;
use crate::leaders::{LeaderEntry, Leaders};
use crate::participant::Participant;
use crate::report::ReplicaReport;
use crate::status::ReplicaStatus;
use crate::traffic::{Traffic, TrafficCount};
use event_loop::{AnyReplica, EventLoop};
use input::{Question, Switches};
#[cfg(feature = "metrics")]
use metrics::MetricsServer;
pub use options::ReplicaOptions;
use ssmr_core::keyed_hash::set_hash_key;
use ssmr_core::topology::mix;
use ssmr_core::{
    Application, Difference, Engine, Identity, Partition, Placement, Replica, ReplicaId,
};
use ssmr_log::Stored;
use ssmr_multicast::{GroupMulticast, MulticastSettings};
use ssmr_storage::{Durability, LogStore, OpenOptions, Owner, RealFiles};
use std::hash::{BuildHasher, RandomState};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Once};
use std::thread::JoinHandle;
use stopwatch::{Stopwatch, Timed};
use tokio::sync::{mpsc, oneshot, watch};

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
    #[cfg(feature = "metrics")]
    metrics: Option<MetricsServer>,
    thread: Option<JoinHandle<()>>,
}

impl ReplicaThread {
    /// Starts a replica that listens with `listener`.
    ///
    /// # Errors
    /// If the configuration is not one of a cluster with this replica, its log cannot be opened, or
    /// the thread or its event loop cannot be started.
    pub fn start<A: Application>(
        options: ReplicaOptions,
        listener: TcpListener,
    ) -> Result<Self, NetError> {
        let (leaders, _) = watch::channel(Leaders::default());
        Self::start_among::<A>(options, listener, Arc::new(leaders))
    }

    /// The same, for one of several replicas that publish in `leaders` whether they lead.
    pub(crate) fn start_among<A: Application>(
        options: ReplicaOptions,
        listener: TcpListener,
        leaders: Arc<watch::Sender<Leaders>>,
    ) -> Result<Self, NetError> {
        let (oracle, topology) = (&options.oracle, options.config.topology);
        let identity = Identity::of::<A>(&**oracle, topology, options.config.incarnation);
        let engine = Engine::<A>::new(options.id.group, Placement::new(oracle.clone(), topology));
        Self::serve(options, listener, leaders, identity, Box::new(engine))
    }

    /// The part that is the same for every service.
    fn serve(
        options: ReplicaOptions,
        listener: TcpListener,
        leaders: Arc<watch::Sender<Leaders>>,
        identity: Identity,
        engine: Box<dyn Partition + Send>,
    ) -> Result<Self, NetError> {
        options.config.check(&*options.oracle)?;
        let id = options.id;
        if !options.config.addresses.contains_key(&id) {
            return Err(ConfigError::NoAddress(id).into());
        }
        let failed = |source| NetError::Start {
            what: format!("replica {id}"),
            source,
        };
        draw_hash_key();
        let mut options = options;
        options.limits = options.limits.within(files::raise_limit());
        let participant = Participant::new(identity, Role::Replica(id), &options.config)?;
        let at = listener.local_addr().map_err(failed)?;
        if participant.is_plain() && !options.insecure && !at.ip().is_loopback() {
            return Err(ConfigError::Insecure { at }.into());
        }
        let (log, stored) = open_log(&options, participant.cluster())?;
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
        #[cfg(feature = "metrics")]
        let metrics = {
            let start =
                |listen| MetricsServer::start(id, listen, questions.downgrade(), ended.clone());
            options.metrics.map(start).transpose()?
        };
        #[cfg(feature = "metrics")]
        let told = metrics.as_ref().map(MetricsServer::address);
        #[cfg(not(feature = "metrics"))]
        let told = None;
        say_start(&options, &participant, at, told);
        let participant = Arc::new(participant);
        let serve = move || {
            let _running = running;
            let leadership = LeaderEntry::new(id, leaders);
            runtime.block_on(async move {
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => {
                        let replica = assemble(&options, stored, engine);
                        let event_loop = EventLoop::new(
                            replica,
                            log,
                            options,
                            &participant,
                            listener,
                            &counted,
                            switched,
                        );
                        event_loop.run(asked, &leadership).await;
                        tracing::info!(%id, "the replica has ended");
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
            #[cfg(feature = "metrics")]
            metrics,
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
        let question = Question::Status { digest, answer };
        self.questions.as_ref()?.send(question).await.ok()?;
        answered.await.ok()
    }

    /// Asks the replica for all that it can tell of itself; `None` if it has stopped.
    pub async fn report(&self) -> Option<ReplicaReport> {
        let (answer, answered) = oneshot::channel();
        let question = Question::Report(answer);
        self.questions.as_ref()?.send(question).await.ok()?;
        answered.await.ok().map(|report| *report)
    }

    /// Where it serves its metrics, if it does.
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(MetricsServer::address)
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

    /// Cuts it off from others, or joins it to them again: what is said is dropped meanwhile, as on
    /// a network that fails, while connections stay.
    pub fn cut(&self, cut: Cut, off: bool) {
        self.switches.cuts.set(cut, off);
    }

    /// Whether its thread still runs. One that ended by itself has found its state broken.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }

    /// Stops it and waits until it has ended, without holding up the caller's thread. If it leads
    /// it hands over first, which takes a second at most: clients and the other replicas go on with
    /// the rest of its group at once. What it has stored is synced.
    pub async fn shutdown(mut self) {
        self.leave().await;
    }

    /// The same, while something is still to be asked of it.
    pub(crate) async fn leave(&mut self) {
        self.switches.hands_over.store(true, Relaxed);
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

    /// Stops it where it stands: its sockets are closed and its thread is gone when this returns.
    /// If it leads, its group has to notice that. See [`shutdown`](Self::shutdown).
    pub fn stop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(id = %self.id, "the replica had failed");
        }
        #[cfg(feature = "metrics")]
        self.metrics.iter_mut().for_each(MetricsServer::join);
    }
}

impl Drop for ReplicaThread {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Says what starts, and where.
fn say_start(
    options: &ReplicaOptions,
    participant: &Participant,
    at: SocketAddr,
    metrics: Option<SocketAddr>,
) {
    let identity = participant.cluster();
    tracing::info!(
        id = %options.id,
        version = env!("CARGO_PKG_VERSION"),
        address = %at,
        tls = !participant.is_plain(),
        metrics = metrics.map(tracing::field::display),
        service = %identity.value(Difference::Service),
        strategy = %identity.value(Difference::Strategy),
        cluster = %identity.value(Difference::Cluster),
        durability = ?options.durability,
        "the replica starts"
    );
}

/// Has the maps whose keys strangers choose hashed with a key that they do not know.
fn draw_hash_key() {
    static DRAWN: Once = Once::new();
    DRAWN.call_once(|| {
        let random = || RandomState::new().hash_one(0);
        set_hash_key([random(), random()]);
    });
}

/// Opens the replica's log, if it has one, and reads what it has stored: nothing but a new
/// generation if that is all there is.
fn open_log(
    options: &ReplicaOptions,
    identity: &Identity,
) -> Result<(Option<LogStore>, Stored), NetError> {
    let new_generation = clock::new_generation();
    let (folder, sync) = match &options.durability {
        Durability::Memory => {
            let stored = Stored {
                generation: new_generation,
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
        new_generation,
    };
    let opened = LogStore::open(&RealFiles, &folder, &options)?;
    Ok((Some(opened.log), opened.stored))
}

fn assemble(
    options: &ReplicaOptions,
    stored: Stored,
    engine: Box<dyn Partition + Send>,
) -> AnyReplica {
    let (id, topology) = (options.id, options.config.topology);
    let settings = MulticastSettings {
        // Replicas of one group must not draw the same election timeouts, or they split every vote.
        seed: mix(options.seed ^ mix(u64::from(id.group.index()) << 8 | u64::from(id.index))),
        log_bytes: options.log_bytes,
        round_trip: options.config.longest_round_trip(),
        ..MulticastSettings::default()
    };
    let multicast = GroupMulticast::restore(id, topology, settings, stored);
    let placement = Placement::new(options.oracle.clone(), topology);
    let stopwatch = options.stages.then(|| Stopwatch::new(options.clock));
    Replica::new(id, placement, multicast, Timed::new(engine, stopwatch))
        .with_secret(&options.secret)
}
