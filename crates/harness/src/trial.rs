//! One strategy, one workload: start a cluster, load, warm up, measure, drain, check, tear down.
//!
//! ```text
//!   ready -> loaded -> warm-up ...|from ... measured ... until| -> drained -> replicas agree -> history judged
//! ```
//!
//! Where faults are asked for, they strike while it is measured; what is broken then comes back before the replicas are
//! compared, and every object that was created is looked at once more.
//!
//! It writes no files. Invariant: whatever was measured is returned, also when the user ends the run early, and always
//! with the verdict on the complete history.

use crate::audit::audit;
use crate::check::{Recorder, agreement};
use crate::cli::{DeployName, DurabilityName, ExecutionName, RunArgs};
use crate::deploy::{ClusterFile, Deployment, Processes, Tally, Threads};
use crate::fault::{Faults, Mark};
use crate::interrupt::Interrupt;
use crate::load::{ClientReport, Job, Load, Plan, Sample};
use crate::progress::Progress;
use crate::registry::Visitor;
use crate::results::measures::Applies;
use crate::results::table::Span;
use crate::violation::RunViolation;
use crate::workload::Workload;
use anyhow::{Context, Result};
use ssmr_core::client::{ClientSettings, Execution};
use ssmr_core::{Micros, Oracle, Reads, Topology};
use ssmr_net::{CacheChoice, Clock, ClusterOptions, Leaders, TrafficCount};
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{interval, sleep};

/// How long a new cluster may take to elect its leaders.
const ELECTIONS: Duration = Duration::from_secs(30);

/// One strategy on one workload. The strategy itself comes with [`Visitor::visit`].
pub(crate) struct Trial<'a, W> {
    pub(crate) args: &'a RunArgs,
    /// The run's folder.
    pub(crate) folder: &'a Path,
    /// Where the replicas' logs are, if they keep any.
    pub(crate) logs: &'a Path,
    pub(crate) workload: &'a Arc<W>,
    pub(crate) incarnation: u64,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: &'a Progress,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Where multi-partition accesses really executed: a strategy that cannot move cannot gather.
    pub(crate) execution: &'static str,
    /// How reads of objects at one partition were answered.
    pub(crate) reads: Reads,
    /// Which measures mean something.
    pub(crate) applies: Applies,
    /// Every command, those of the warm-up included.
    pub(crate) samples: Vec<Sample>,
    /// What was measured.
    pub(crate) span: Span,
    /// Messages and bytes of replicas and clients in this span.
    pub(crate) message_count: u64,
    pub(crate) byte_count: u64,
    /// Values that replicas found and did not find in the shared cache in this span.
    pub(crate) values: (u64, u64),
    /// Processor time of all processes in this span.
    pub(crate) processor_us: Micros,
    /// What was broken on purpose.
    pub(crate) marks: Vec<Mark>,
    /// How many requests were checked, or what is wrong.
    pub(crate) verdict: Result<usize, RunViolation>,
}

/// Counters of a cluster at some moment.
#[derive(Clone, Copy)]
struct Reading {
    at: Micros,
    tally: Tally,
}

impl<W: Workload> Visitor for Trial<'_, W> {
    /// `None` if the user ended it before anything was measured.
    type Output = Result<Option<Measured>>;

    fn visit<O: Oracle>(self, oracle: O, topology: Topology) -> Self::Output {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime
            .context("cannot start an event loop")?
            .block_on(self.run(oracle, topology))
    }
}

impl<W: Workload> Trial<'_, W> {
    async fn run<O: Oracle>(self, oracle: O, topology: Topology) -> Result<Option<Measured>> {
        self.say::<O>("starting", None);
        let applies = Applies::to(&oracle, &topology);
        let embed_cache = applies.cache && self.args.memcached.is_empty();
        match self.args.deploy {
            DeployName::Threads => {
                let options = self.options(oracle.clone(), topology, applies);
                let cluster = Threads::<W::App, O>::start(options, embed_cache)?;
                self.on(cluster, &oracle, applies).await
            }
            DeployName::Processes => {
                let path = self.folder.join(format!("cluster-{}.toml", O::NAME));
                let (file, port) = (self.file::<O>(applies), self.args.base_port);
                let cluster = Processes::start(file, topology, path, port, embed_cache).await?;
                self.on(cluster, &oracle, applies).await
            }
        }
    }

    /// The whole trial on a cluster that has just been started.
    async fn on<O: Oracle, D: Deployment>(
        &self,
        mut cluster: D,
        oracle: &O,
        applies: Applies,
    ) -> Result<Option<Measured>> {
        let topology = cluster.config().topology;
        let ready = Leaders::complete(cluster.leaders(), topology.groups(), ELECTIONS);
        let Some(()) = self.unless_interrupted(ready).await.transpose()? else {
            return Ok(None);
        };
        let job = self.job(&cluster, applies);
        let (clock, execution) = (job.clock, job.settings.execution);
        let (schedule, durability) = (&self.args.fault, self.args.durability);
        let mut faults = Faults::new(schedule, topology, durability, self.args.seed);
        let mut load = Load::start(job, oracle)?;
        self.say::<O>("loading", Some(self.workload.preload_count()));
        let loaded = self.load(&mut load).await?;

        let plan = self.plan(clock.now().micros());
        let mut reports = Vec::new();
        let readings = if loaded {
            self.measure::<O, D>(&mut cluster, &mut load, plan, &mut faults, &mut reports)
                .await?
        } else {
            None
        };
        self.say::<O>("draining and checking", None);
        if readings.is_none() {
            // The user ended it: clients that wait for the plan are to see that it is over.
            load.stop();
            load.go(plan);
        }
        faults.end(&mut cluster)?;
        load.reports(&mut reports).await?;
        let verdict = self.check(&mut cluster, &load, oracle, &faults).await;
        drop(cluster);
        let Some((before, after)) = readings else {
            // Nothing to measure; still, what was loaded must be right.
            return verdict.map(|_| None).map_err(anyhow::Error::from);
        };

        let sent: Vec<TrafficCount> = reports.iter().map(|report| report.sent).collect();
        let clients: TrafficCount = sent.into_iter().sum();
        let cost = after.tally - before.tally;
        let samples: Vec<Sample> = reports
            .into_iter()
            .flat_map(|report| report.samples)
            .collect();
        Ok(Some(Measured {
            execution: match execution {
                Execution::Exchange => "exchange",
                Execution::Gather => "gather",
            },
            reads: self.args.reads,
            applies,
            span: Span {
                from: plan.from,
                until: after.at,
            },
            samples,
            message_count: cost.traffic.messages_sent + clients.messages_sent,
            byte_count: cost.traffic.bytes_sent + clients.bytes_sent,
            values: (cost.value_hits, cost.value_misses),
            processor_us: cost.processor_us,
            marks: faults.marks(),
            verdict,
        }))
    }

    /// Looks at what is there after faults, compares the replicas, and judges the history.
    async fn check<O: Oracle, D: Deployment>(
        &self,
        cluster: &mut D,
        load: &Load<W>,
        oracle: &O,
        faults: &Faults,
    ) -> Result<usize, RunViolation> {
        let job = load.shared();
        // Without faults nothing is forgotten, and the time is better spent.
        if !faults.is_empty() {
            audit(&job, oracle.clone()).await?;
        }
        agreement(cluster, &faults.lost()).await?;
        job.recorder.judge()
    }

    /// A cluster of threads.
    fn options<O: Oracle>(
        &self,
        oracle: O,
        topology: Topology,
        applies: Applies,
    ) -> ClusterOptions<O> {
        ClusterOptions {
            durability: self.file::<O>(applies).durability(),
            seed: self.args.seed,
            incarnation: self.incarnation,
            base_port: self.args.base_port,
            log_bytes: self.args.log_bytes,
            cache: match self.memcached(applies) {
                [] => CacheChoice::None,
                servers => CacheChoice::Servers(servers.to_vec()),
            },
            ..ClusterOptions::new(topology, oracle)
        }
    }

    /// The same cluster for processes, but for the addresses.
    fn file<O: Oracle>(&self, applies: Applies) -> ClusterFile {
        let args = self.args;
        ClusterFile {
            workload: args.workload,
            strategy: O::NAME.into(),
            partitions: args.partitions,
            replicas: args.replicas,
            oracle_replicas: args.oracle_replicas,
            directory: args.directory,
            incarnation: self.incarnation as i64,
            seed: args.seed as i64,
            durability: args.durability,
            log_bytes: args.log_bytes,
            logs: (args.durability != DurabilityName::Memory).then(|| self.logs.into()),
            cache_servers: self.memcached(applies).to_vec(),
            addresses: BTreeMap::new(),
        }
    }

    /// The shared caches that run already, for a strategy that uses them.
    fn memcached(&self, applies: Applies) -> &[String] {
        let servers = &self.args.memcached;
        if applies.cache { servers } else { &[] }
    }

    fn job<D: Deployment>(&self, cluster: &D, applies: Applies) -> Job<W> {
        let execution = match self.args.execution {
            ExecutionName::Gather if applies.moves => Execution::Gather,
            _ => Execution::Exchange,
        };
        Job {
            workload: self.workload.clone(),
            config: cluster.config().clone(),
            // The replicas have clocks of their own, which need not agree with it.
            clock: Clock::start(),
            settings: ClientSettings::default()
                .with_execution(execution)
                .with_reads(self.args.reads),
            recorder: Recorder::default(),
            window: self.args.window as usize,
            rate: self.args.rate,
            operations: self.args.operations,
            loaded: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        }
    }

    /// Waits for the objects to be created. Returns whether all of them are.
    async fn load(&self, load: &mut Load<W>) -> Result<bool> {
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
        };
        Ok(loaded.transpose().context("loading failed")?.is_some())
    }

    fn plan(&self, now: Micros) -> Plan {
        let from = now + self.args.warmup.as_micros() as Micros;
        let until = match self.args.operations {
            Some(_) => Micros::MAX,
            None => from + self.args.duration.as_micros() as Micros,
        };
        Plan {
            start: now,
            from,
            until,
        }
    }

    /// Warms up and measures, while faults strike. Returns the readings at the beginning and at the end, if it came to that.
    async fn measure<O: Oracle, D: Deployment>(
        &self,
        cluster: &mut D,
        load: &mut Load<W>,
        plan: Plan,
        faults: &mut Faults,
        reports: &mut Vec<ClientReport>,
    ) -> Result<Option<(Reading, Reading)>> {
        self.say::<O>("warming up", None);
        load.go(plan);
        let clock = load.shared().clock;
        let until = |at: Micros| {
            sleep(Duration::from_micros(
                at.saturating_sub(clock.now().micros()),
            ))
        };
        tokio::select! {
            () = until(plan.from) => {}
            () = self.interrupt.strikes() => return Ok(None),
        }
        let before = read(cluster, clock).await;
        self.say::<O>("measuring", None);
        let tell = |what: &str| {
            let seconds = clock.now().micros().saturating_sub(plan.from) as f64 / 1e6;
            let told = format!("{}: measuring, {what} after {seconds:.1} s", O::NAME);
            self.progress.event(&told);
        };
        let all_ended = tokio::select! {
            () = until(plan.until) => false,
            ended = load.reports(reports) => ended.map(|()| true)?,
            failed = faults.strike(cluster, clock, plan.from, tell) => match failed? {},
            () = self.interrupt.strikes() => {
                load.stop();
                false
            }
        };
        let mut after = read(cluster, clock).await;
        if all_ended {
            // They may have been done a moment ago: the span ends with the last command.
            let samples = reports.iter().flat_map(|report| &report.samples);
            after.at = samples
                .map(|sample| sample.completed + 1)
                .max()
                .unwrap_or(after.at);
        }
        after.at = after.at.clamp(plan.from + 1, plan.until);
        Ok(Some((before, after)))
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

    fn say<O: Oracle>(&self, what: &str, steps: Option<u64>) {
        self.progress.phase(&format!("{}: {what}", O::NAME), steps);
    }
}

/// Reads a cluster's counters.
async fn read<D: Deployment>(cluster: &mut D, clock: Clock) -> Reading {
    let at = clock.now().micros();
    let tally = cluster.tally().await;
    Reading { at, tally }
}
