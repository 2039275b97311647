//! One strategy, one workload: start a cluster, load, warm up, measure, drain, check, tear down.
//!
//! ```text
//!   ready -> loaded -> warm-up ...|from ... measured ... until| -> drained -> replicas agree -> history judged
//! ```
//!
//! It writes no files. Invariant: whatever was measured is returned, also when the user ends the run early, and always
//! with the verdict on the complete history.

use crate::check::{Recorder, agreement};
use crate::cli::{DurabilityName, ExecutionName, RunArgs};
use crate::interrupt::Interrupt;
use crate::load::{ClientReport, Job, Load, Plan, Sample};
use crate::progress::Progress;
use crate::registry::Visitor;
use crate::results::measures::Applies;
use crate::results::table::Span;
use crate::time;
use crate::workload::Workload;
use anyhow::{Context, Result};
use ssmr_core::client::{Execution, Settings};
use ssmr_core::{Layout, Micros, Oracle};
use ssmr_net::{CacheChoice, Cluster, ClusterOptions, Durability, TrafficCount};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{interval, sleep};

/// How long a new cluster may take to elect its leaders.
const ELECTIONS: Duration = Duration::from_secs(30);

/// How much the embedded cache keeps.
const CACHE: u64 = 256 << 20;

/// One strategy on one workload. The strategy itself comes with [`Visitor::visit`].
pub(crate) struct Trial<'a, W> {
    pub(crate) args: &'a RunArgs,
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
    /// Processor time of this process in this span.
    pub(crate) processor_us: Micros,
    /// How many requests were checked, or what is wrong.
    pub(crate) verdict: Result<usize, String>,
}

/// Counters of a cluster at some moment.
#[derive(Clone, Copy, Default)]
struct Reading {
    at: Micros,
    processor_us: Micros,
    traffic: TrafficCount,
    values: (u64, u64),
}

impl<W: Workload> Visitor for Trial<'_, W> {
    /// `None` if the user ended it before anything was measured.
    type Output = Result<Option<Measured>>;

    fn visit<O: Oracle>(self, oracle: O, layout: Layout) -> Self::Output {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime
            .context("cannot start an event loop")?
            .block_on(self.run(oracle, layout))
    }
}

impl<W: Workload> Trial<'_, W> {
    async fn run<O: Oracle>(self, oracle: O, layout: Layout) -> Result<Option<Measured>> {
        self.say::<O>("starting", None);
        let applies = Applies::to(&oracle);
        let cluster = Cluster::<W::App, O>::start(self.options(oracle.clone(), layout, applies))?;
        let Some(()) = self
            .unless_interrupted(cluster.ready(ELECTIONS))
            .await
            .transpose()?
        else {
            return Ok(None);
        };
        let recorder = Recorder::default();
        let job = self.job(&cluster, recorder.clone(), applies);
        let execution = job.settings.execution;
        let mut load = Load::start(job, &oracle)?;
        self.say::<O>("loading", Some(self.workload.preload_count()));
        let loaded = self.load(&mut load).await?;

        let plan = self.plan(cluster.clock().now());
        let mut reports = Vec::new();
        let readings = if loaded {
            self.measure(&cluster, &mut load, plan, &mut reports)
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
        load.reports(&mut reports).await?;
        let agreed = agreement(&cluster).await;
        cluster.shutdown();
        let verdict = agreed.and_then(|()| recorder.judge());
        let Some((before, after)) = readings else {
            // Nothing to measure; still, what was loaded must be right.
            return verdict.map(|_| None).map_err(anyhow::Error::msg);
        };

        let sent: Vec<TrafficCount> = reports.iter().map(|report| report.sent).collect();
        let clients: TrafficCount = sent.into_iter().sum();
        let traffic = after.traffic - before.traffic;
        let samples: Vec<Sample> = reports
            .into_iter()
            .flat_map(|report| report.samples)
            .collect();
        Ok(Some(Measured {
            execution: match execution {
                Execution::Exchange => "exchange",
                Execution::Gather => "gather",
            },
            applies,
            span: Span {
                from: plan.from,
                until: after.at,
            },
            samples,
            message_count: traffic.messages_sent + clients.messages_sent,
            byte_count: traffic.bytes_sent + clients.bytes_sent,
            values: (
                after.values.0 - before.values.0,
                after.values.1 - before.values.1,
            ),
            processor_us: after.processor_us - before.processor_us,
            verdict,
        }))
    }

    fn options<O: Oracle>(&self, oracle: O, layout: Layout, applies: Applies) -> ClusterOptions<O> {
        let cache = match (applies.cache, &self.args.memcached[..]) {
            (false, _) => CacheChoice::None,
            (true, []) => CacheChoice::Embedded { bytes: CACHE },
            (true, servers) => CacheChoice::Servers(servers.to_vec()),
        };
        let durability = match self.args.durability {
            DurabilityName::Memory => Durability::Memory,
            DurabilityName::Async => Durability::Async(self.logs.into()),
            DurabilityName::Sync => Durability::Sync(self.logs.into()),
        };
        ClusterOptions {
            durability,
            seed: self.args.seed,
            incarnation: self.incarnation,
            base_port: self.args.base_port,
            cache,
            ..ClusterOptions::new(layout, oracle)
        }
    }

    fn job<O: Oracle>(
        &self,
        cluster: &Cluster<W::App, O>,
        recorder: Recorder<W::App>,
        applies: Applies,
    ) -> Job<W> {
        let execution = match self.args.execution {
            ExecutionName::Gather if applies.moves => Execution::Gather,
            _ => Execution::Exchange,
        };
        Job {
            workload: self.workload.clone(),
            config: cluster.config().clone(),
            clock: cluster.clock(),
            settings: Settings {
                execution,
                ..Settings::default()
            },
            recorder,
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

    /// Warms up and measures. Returns the readings at the beginning and at the end, if it came to that.
    async fn measure<O: Oracle>(
        &self,
        cluster: &Cluster<W::App, O>,
        load: &mut Load<W>,
        plan: Plan,
        reports: &mut Vec<ClientReport>,
    ) -> Result<Option<(Reading, Reading)>> {
        self.say::<O>("warming up", None);
        load.go(plan);
        let clock = cluster.clock();
        let until = |at: Micros| sleep(Duration::from_micros(at.saturating_sub(clock.now())));
        tokio::select! {
            () = until(plan.from) => {}
            () = self.interrupt.strikes() => return Ok(None),
        }
        let before = read(cluster).await;
        self.say::<O>("measuring", None);
        let all_ended = tokio::select! {
            () = until(plan.until) => false,
            ended = load.reports(reports) => ended.map(|()| true)?,
            () = self.interrupt.strikes() => {
                load.stop();
                false
            }
        };
        let mut after = read(cluster).await;
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
async fn read<A: ssmr_core::Application, O: Oracle>(cluster: &Cluster<A, O>) -> Reading {
    let mut reading = Reading {
        at: cluster.clock().now(),
        processor_us: time::processor_us(),
        traffic: cluster.traffic(),
        values: (0, 0),
    };
    for replica in cluster.running() {
        if let Some(status) = cluster.status(replica).await {
            reading.values.0 += status.counters.cache_hits;
            reading.values.1 += status.counters.cache_misses;
        }
    }
    reading
}
