//! One strategy, one workload: start a cluster, load, warm up, measure, drain, check, tear down.
//!
//! ```text
//!   ready -> loaded -> warm-up ..|from .. measured .. until| -> drained -> audit -> verdicts
//! ```
//!
//! Where faults are asked for, they strike while it is measured; what is broken then comes back
//! before every object that could exist is looked at once more and the replicas are compared. A
//! group that loses its majority otherwise ends the phase: nothing would follow but time-outs.
//!
//! It writes no files. Invariant: whatever was measured is returned, also when it ends early, and
//! always with the verdict on the complete history.

mod blueprint;
pub(crate) mod measured;
mod window;

use crate::audit::{Audit, audit};
use crate::check::Recorder;
use crate::deploy::deployment::Deployment;
use crate::deploy::disks::Disks;
use crate::deploy::processes::Processes;
use crate::deploy::remote::Remote;
use crate::deploy::running::Running;
use crate::deploy::threads::Threads;
use crate::ending::Ending;
use crate::fault::inflict::Faults;
use crate::health::{inspect, loss};
use crate::interrupt::Interrupt;
use crate::load::clients::Load;
use crate::load::job::{Job, Plan};
use crate::load::order::Order;
use crate::load::sample::{ClientReport, Sample};
use crate::load::tape::Tape;
use crate::progress::Progress;
use crate::registry::strategies::Chosen;
use crate::results::measures::Applies;
use crate::results::span::Span;
use crate::settings::deploy::Deploy;
use crate::settings::names::execution_name;
use crate::settings::run::RunSettings;
use crate::time;
use crate::verdicts::{Consistency, Verdicts};
use crate::workload::churn::Churn;
use crate::workload::contract::Workload;
use anyhow::{Context, Result, bail};
use blueprint::Blueprint;
use measured::Measured;
use ssmr_core::client::{ClientSettings, Execution};
use ssmr_core::{Application, CacheReads, Micros, Oracle, Topology};
use ssmr_net::{Clock, Leaders, Operator, TrafficCount, reserve};
use std::collections::BTreeSet;
use std::future::Future;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{interval, sleep};
use window::{Looks, Readings, Window};

/// How long a new cluster may take to elect its leaders.
const ELECTIONS: Duration = Duration::from_secs(30);

/// How long the groups that are left have for answering what is outstanding once one is lost.
const GRACE: Duration = Duration::from_secs(1);

/// One strategy on one workload.
pub(crate) struct Trial<'a, W> {
    pub(crate) strategy: Chosen,
    pub(crate) settings: &'a RunSettings,
    /// The run's folder.
    pub(crate) folder: &'a Path,
    /// Where the replicas' logs are, if they keep any.
    pub(crate) logs: &'a Path,
    pub(crate) workload: &'a Arc<W>,
    /// What is mixed into its commands.
    pub(crate) churn: Churn,
    pub(crate) incarnation: u64,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: &'a Progress,
}

impl<W: Workload> Trial<'_, W> {
    /// Starts a cluster, measures and checks. `None` if the user ended it before anything was
    /// measured.
    pub(crate) fn carry_out(self) -> Result<Option<Measured>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.context("cannot start an event loop")?;
        runtime.block_on(self.run())
    }

    async fn run(self) -> Result<Option<Measured>> {
        self.say("starting", None);
        let Chosen {
            name,
            oracle,
            topology,
        } = self.strategy.clone();
        let applies = Applies::to(&*oracle, &topology);
        let blueprint = Blueprint {
            settings: self.settings,
            service: <W::App as Application>::NAME,
            applies,
            logs: self.logs,
            incarnation: self.incarnation,
        };
        let caches = blueprint.caches().await?;
        // They must be there before the first replica, and go after the last one.
        let disks = blueprint.disks(&topology)?;
        let cluster = match &self.settings.deploy {
            Deploy::Threads => {
                let options = blueprint.options(oracle.clone(), topology);
                Running::Threads(Threads::start::<W::App>(options, caches).await?)
            }
            Deploy::Processes => {
                let path = self.folder.join(format!("cluster-{name}.toml"));
                let host = Ipv4Addr::LOCALHOST.into();
                let reserved = reserve(&topology, host, self.settings.base_port)?;
                let file = blueprint.file(&*oracle, topology, &reserved, &caches);
                let asked = oracle.clone();
                let cluster = Processes::start::<W::App>(file, asked, path, reserved, caches);
                Running::Processes(cluster.await?)
            }
            Deploy::Cluster(path) => {
                let Some(file) = &self.settings.cluster else {
                    unreachable!("{} was read with the command line", path.display())
                };
                let config = match self.settings.cache_reads {
                    CacheReads::Checked => file.config.clone(),
                    CacheReads::Stale => file.config_for_stale_reads()?,
                };
                let cluster = Remote::reach::<W::App>(config, oracle.clone()).await;
                Running::Remote(cluster.with_context(|| path.display().to_string())?)
            }
        };
        self.on(cluster, &oracle, applies, &disks).await
    }

    /// The whole trial on a cluster that has just been started.
    async fn on(
        &self,
        mut cluster: Running,
        oracle: &Arc<dyn Oracle>,
        applies: Applies,
        disks: &Disks,
    ) -> Result<Option<Measured>> {
        let topology = cluster.config().topology;
        let is_uncached = cluster.config().cache_servers.is_empty();
        if !self.ready(&mut cluster).await? {
            return Ok(None);
        }
        let job = self.job(&cluster, applies)?;
        let (clock, execution) = (job.clock, job.settings.execution);
        let (schedule, durability) = (&self.settings.fault, self.settings.durability);
        let mut faults = Faults::new(schedule, topology, durability, self.settings.seed, disks);
        let mut load = Load::start(job, oracle)?;
        self.say("loading", Some(self.workload.preload_count()));
        let loaded = self.load(&mut load, &mut cluster).await?;

        let plan = self.plan(clock.now().micros());
        let (mut reports, mut looks) = (Vec::new(), Looks::default());
        let operator = Operator::new::<W::App>(cluster.config(), oracle.clone())?;
        let readings = if loaded {
            let window = Window {
                strategy: self.strategy.name,
                plan,
                clock,
                interrupt: self.interrupt,
                progress: self.progress,
                operator,
            };
            window
                .measure(
                    &mut cluster,
                    &mut load,
                    &mut faults,
                    &mut reports,
                    &mut looks,
                )
                .await?
        } else {
            None
        };
        self.say("draining and checking", None);
        if readings.is_none() {
            // It is over: clients that wait for the plan are to see that.
            load.stop();
            load.go(plan);
        }
        faults.end(&mut cluster).await?;
        drain(&mut cluster, &mut load, &mut reports).await?;
        // Before all is loaded, nothing must hold of it.
        let must_hold = loaded && self.workload.invariants().is_some();
        let audit = match must_hold || self.settings.audit || !faults.is_empty() {
            true => Some(self.audit(&mut cluster, &load, oracle).await?),
            false => None,
        };
        let verdicts = Verdicts {
            cluster: inspect(&mut cluster).await,
            history: load.shared().recorder.judge(),
            invariants: match &audit {
                Some(audit) if must_hold => Consistency::of(audit.broken.clone()),
                _ => Consistency::NotAsked,
            },
            stale: match self.settings.cache_reads {
                CacheReads::Checked => None,
                CacheReads::Stale => Some(load.shared().recorder.judge_stale()),
            },
        };
        let cache_evictions = cluster.caches().evictions().await;
        drop(cluster);
        self.keep_history(&load)?;
        let recorded = self.end_tape(&load)?;
        let Some(readings) = readings else {
            return self.without_measures(&verdicts);
        };

        let Readings {
            before,
            after,
            lost,
        } = readings;
        let sent: Vec<TrafficCount> = reports.iter().map(|report| report.sent).collect();
        let clients: TrafficCount = sent.into_iter().sum();
        let cost = after.tally - before.tally;
        let samples: Vec<Sample> = reports
            .into_iter()
            .flat_map(|report| report.samples)
            .collect();
        let span = Span {
            from: plan.from,
            until: after.at,
        };
        let lost = lost.map(|group| {
            let seconds = (span.until - span.from) as f64 / 1e6;
            format!("measuring ended after {seconds:.1} s: {group} had lost its majority")
        });
        let uncached = (applies.cache && is_uncached).then(|| {
            "the cluster has no memcached: its share of the work is done by homes and owners"
                .to_owned()
        });
        let mishaps = lost.into_iter().chain(faults.gone).chain(recorded);
        let mishaps = mishaps.chain(uncached);
        Ok(Some(Measured {
            execution: execution_name(execution),
            reads: self.settings.reads,
            applies,
            span,
            samples,
            message_count: cost.traffic.messages_sent + clients.messages_sent,
            byte_count: cost.traffic.bytes_sent + clients.bytes_sent,
            values: (cost.value_hits, cost.value_misses),
            processor_us: cost.processor_us,
            service_time_us: (self.settings.service_time).map(|time| time.as_micros() as Micros),
            net: self.settings.net.name().to_owned(),
            mishaps: mishaps.collect(),
            marks: faults.marks,
            struck: faults.struck,
            cache_evictions,
            memory: looks.memory,
            groups: looks.groups,
            verdicts,
            audit,
        }))
    }

    /// Waits until every group has a leader. Returns whether it has: not if the user ends it.
    async fn ready(&self, cluster: &mut Running) -> Result<bool> {
        let groups = cluster.config().topology.groups();
        let ready = Leaders::complete(cluster.leaders(), groups, ELECTIONS);
        tokio::select! {
            ready = self.unless_interrupted(ready) => Ok(ready.transpose()?.is_some()),
            group = loss(cluster, BTreeSet::new()) => {
                bail!("{group} has lost its majority before it had a leader")
            }
        }
    }

    /// Reads what is there, after faults, where something must hold of it, or where that is asked
    /// for. A cluster that has lost a group would not answer.
    async fn audit(
        &self,
        cluster: &mut Running,
        load: &Load<W>,
        oracle: &Arc<dyn Oracle>,
    ) -> Result<Audit> {
        let (job, mut done) = (load.shared(), Audit::default());
        tokio::select! {
            biased;
            _ = loss(cluster, BTreeSet::new()) => {}
            read = audit(&job, oracle.clone(), &mut done) => read?,
        }
        Ok(done)
    }

    /// Writes the complete history, if it is asked for.
    fn keep_history(&self, load: &Load<W>) -> Result<()> {
        let strategy = self.strategy.name;
        let path = self.settings.history_of(strategy);
        let Some((path, file)) = path.zip(self.settings.history.as_ref()) else {
            return Ok(());
        };
        let about = [("strategy", strategy), ("workload", self.workload.name())];
        let recorder = &load.shared().recorder;
        let written = recorder.write(&path, file.form, &W::terms(), &about);
        written.with_context(|| format!("--history: {}", path.display()))
    }

    /// What is left of a trial of which nothing was measured: what was loaded must still be right.
    fn without_measures(&self, verdicts: &Verdicts) -> Result<Option<Measured>> {
        let problems = verdicts.problems().join("; ");
        match verdicts.ending() {
            _ if !self.interrupt.struck() => bail!("nothing was measured: {problems}"),
            Ending::Wrong => bail!("{problems}"),
            _ => Ok(None),
        }
    }

    /// Where what is issued is written down, if it is asked for.
    fn tape(&self, clock: Clock, topology: Topology) -> Result<Option<Tape>> {
        let file = self.settings.record_of(self.strategy.name);
        let tape = file.map(|file| {
            let tape = Tape::begin(&file, clock, topology, self.settings.run);
            tape.with_context(|| format!("--record: {}", file.path().display()))
        });
        tape.transpose()
    }

    /// Ends the recording, if there is one. Returns what it is known by.
    fn end_tape(&self, load: &Load<W>) -> Result<Option<String>> {
        let job = load.shared();
        let Some(tape) = &job.tape else {
            return Ok(None);
        };
        let digest = tape.end().context("--record")?;
        Ok(Some(format!("the recorded trace has the digest {digest}")))
    }

    fn job(&self, cluster: &Running, applies: Applies) -> Result<Job<W>> {
        // The replicas have clocks of their own, which need not agree with it.
        let clock = Clock::start();
        let tape = self.tape(clock, cluster.config().topology)?;
        let execution = match self.settings.execution {
            Execution::Gather if applies.moves => Execution::Gather,
            _ => Execution::Exchange,
        };
        // Where others are at work, their clients have other ids.
        let first_id = match cluster.shared() {
            Some(_) => cluster.config().client_id(time::unique())?.0,
            None => 0,
        };
        Ok(Job {
            workload: self.workload.clone(),
            churn: self.churn,
            seed: self.settings.seed,
            run: self.settings.run,
            config: cluster.config().clone(),
            first_id,
            clock,
            settings: ClientSettings::default()
                .with_execution(execution)
                .with_reads(self.settings.reads)
                .with_late_answers(true),
            cache_reads: self.settings.cache_reads,
            recorder: Recorder::default(),
            window: self.settings.window as usize,
            rate: self.settings.rate,
            operations: self.settings.operations,
            order: Order::new(
                self.workload.command_count().unwrap_or(0),
                self.workload.client_count(),
            ),
            tape,
            loaded: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            abandon: watch::Sender::new(false),
        })
    }

    /// Waits for the objects to be created. Returns whether all of them are: not if the user ends
    /// it or a group is lost.
    async fn load(&self, load: &mut Load<W>, cluster: &mut Running) -> Result<bool> {
        let job = load.shared();
        let mut look = interval(Duration::from_millis(100));
        let watch = async {
            loop {
                look.tick().await;
                self.progress.at(job.loaded.load(Relaxed));
            }
        };
        let loaded = tokio::select! {
            loaded = self.unless_interrupted(load.loaded()) => loaded,
            () = watch => unreachable!("it watches for ever"),
            _ = loss(cluster, BTreeSet::new()) => None,
        };
        Ok(loaded.transpose().context("loading failed")?.is_some())
    }

    fn plan(&self, now: Micros) -> Plan {
        let from = now + self.settings.warmup.as_micros() as Micros;
        let until = match self.settings.operations {
            Some(_) => Micros::MAX,
            None => from + self.settings.duration.as_micros() as Micros,
        };
        Plan {
            start: now,
            from,
            until,
        }
    }

    /// The result, or `None` if the user ends the run first.
    async fn unless_interrupted<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Option<Result<T, E>> {
        tokio::select! {
            done = work => Some(done),
            () = self.interrupt.strikes() => None,
        }
    }

    fn say(&self, what: &str, steps: Option<u64>) {
        self.progress
            .phase(&format!("{}: {what}", self.strategy.name), steps);
    }
}

/// Waits until nothing is outstanding, or until a group has been lost for so long that what is
/// outstanding must be waiting for it.
async fn drain<W: Workload>(
    cluster: &mut Running,
    load: &mut Load<W>,
    reports: &mut Vec<ClientReport>,
) -> Result<()> {
    tokio::select! {
        drained = load.reports(reports) => return drained,
        () = async {
            loss(cluster, BTreeSet::new()).await;
            sleep(GRACE).await;
        } => load.abandon(),
    }
    load.reports(reports).await
}
