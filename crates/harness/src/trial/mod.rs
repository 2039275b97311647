//! One strategy, one workload: start a cluster, load, warm up, measure, drain, check, tear down.
//!
//! ```text
//!   ready -> loaded -> warm-up ..|from .. measured .. until| -> drained -> agreement -> judgement
//! ```
//!
//! Where faults are asked for, they strike while it is measured; what is broken then comes back
//! before the replicas are compared, and every object that was created is looked at once more.
//!
//! It writes no files. Invariant: whatever was measured is returned, also when the user ends the
//! run early, and always with the verdict on the complete history.

mod blueprint;
pub(crate) mod measured;
mod window;

use crate::audit::audit;
use crate::check::{Recorder, agreement};
use crate::deploy::deployment::Deployment;
use crate::deploy::processes::Processes;
use crate::deploy::threads::Threads;
use crate::fault::inflict::Faults;
use crate::interrupt::Interrupt;
use crate::load::clients::Load;
use crate::load::job::{Job, Plan};
use crate::load::sample::Sample;
use crate::progress::Progress;
use crate::registry::strategies::Chosen;
use crate::results::measures::Applies;
use crate::results::table::Span;
use crate::settings::names::{DeployName, execution_name};
use crate::settings::run::RunSettings;
use crate::violation::RunViolation;
use crate::workload::contract::Workload;
use anyhow::{Context, Result};
use blueprint::Blueprint;
use measured::Measured;
use ssmr_core::client::{ClientSettings, Execution};
use ssmr_core::{Micros, Oracle};
use ssmr_net::{Clock, Leaders, TrafficCount};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::interval;
use window::{Readings, Window};

/// How long a new cluster may take to elect its leaders.
const ELECTIONS: Duration = Duration::from_secs(30);

/// One strategy on one workload.
pub(crate) struct Trial<'a, W> {
    pub(crate) strategy: Chosen,
    pub(crate) settings: &'a RunSettings,
    /// The run's folder.
    pub(crate) folder: &'a Path,
    /// Where the replicas' logs are, if they keep any.
    pub(crate) logs: &'a Path,
    pub(crate) workload: &'a Arc<W>,
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
            strategy: name,
            workload: W::NAME,
            applies,
            logs: self.logs,
            incarnation: self.incarnation,
        };
        let embed_cache = blueprint.embeds_cache();
        match self.settings.deploy {
            DeployName::Threads => {
                let options = blueprint.options(oracle.clone(), topology);
                let cluster = Threads::<W::App>::start(options, embed_cache).await?;
                self.on(cluster, &oracle, applies).await
            }
            DeployName::Processes => {
                let path = self.folder.join(format!("cluster-{name}.toml"));
                let (file, port) = (blueprint.file(), self.settings.base_port);
                let asked = oracle.clone();
                let cluster =
                    Processes::start::<W::App>(file, asked, topology, path, port, embed_cache);
                let cluster = cluster.await?;
                self.on(cluster, &oracle, applies).await
            }
        }
    }

    /// The whole trial on a cluster that has just been started.
    async fn on<D: Deployment>(
        &self,
        mut cluster: D,
        oracle: &Arc<dyn Oracle>,
        applies: Applies,
    ) -> Result<Option<Measured>> {
        let topology = cluster.config().topology;
        let ready = Leaders::complete(cluster.leaders(), topology.groups(), ELECTIONS);
        let Some(()) = self.unless_interrupted(ready).await.transpose()? else {
            return Ok(None);
        };
        let job = self.job(&cluster, applies);
        let (clock, execution) = (job.clock, job.settings.execution);
        let (schedule, durability) = (&self.settings.fault, self.settings.durability);
        let mut faults = Faults::new(schedule, topology, durability, self.settings.seed);
        let mut load = Load::start(job, oracle)?;
        self.say("loading", Some(self.workload.preload_count()));
        let loaded = self.load(&mut load).await?;

        let plan = self.plan(clock.now().micros());
        let mut reports = Vec::new();
        let readings = if loaded {
            let window = Window {
                strategy: self.strategy.name,
                plan,
                clock,
                interrupt: self.interrupt,
                progress: self.progress,
            };
            window
                .measure(&mut cluster, &mut load, &mut faults, &mut reports)
                .await?
        } else {
            None
        };
        self.say("draining and checking", None);
        if readings.is_none() {
            // The user ended it: clients that wait for the plan are to see that it is over.
            load.stop();
            load.go(plan);
        }
        faults.end(&mut cluster)?;
        load.reports(&mut reports).await?;
        let verdict = self.check(&mut cluster, &load, oracle, &faults).await;
        drop(cluster);
        let Some(Readings { before, after }) = readings else {
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
            execution: execution_name(execution),
            reads: self.settings.reads,
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
    async fn check<D: Deployment>(
        &self,
        cluster: &mut D,
        load: &Load<W>,
        oracle: &Arc<dyn Oracle>,
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

    fn job<D: Deployment>(&self, cluster: &D, applies: Applies) -> Job<W> {
        let execution = match self.settings.execution {
            Execution::Gather if applies.moves => Execution::Gather,
            _ => Execution::Exchange,
        };
        Job {
            workload: self.workload.clone(),
            config: cluster.config().clone(),
            // The replicas have clocks of their own, which need not agree with it.
            clock: Clock::start(),
            settings: ClientSettings::default()
                .with_execution(execution)
                .with_reads(self.settings.reads),
            recorder: Recorder::default(),
            window: self.settings.window as usize,
            rate: self.settings.rate,
            operations: self.settings.operations,
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
