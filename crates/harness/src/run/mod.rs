//! A run: the same workload under each strategy, one after the other; files, tables, exit status.
//!
//! It measures nothing itself ([`Trial`] does). Invariant: nothing is started before every flag has
//! been checked, and the rows of a strategy are on disk before the next one starts.

mod finished;
mod staleness;
mod whole;

use crate::deploy::claim::claim;
use crate::ending::Ending;
use crate::error::UsageError;
use crate::fault::check::check as check_faults;
use crate::interrupt::Interrupt;
use crate::load::churn;
use crate::machine::Machine;
use crate::notes;
use crate::progress::Progress;
use crate::registry::info::ClusterShape;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::{WorkloadVisitor, Workloads};
use crate::report;
use crate::results::folder::{Destination, Folder};
use crate::results::measures::Measures;
use crate::results::rows::{Point, Whole};
use crate::results::table::Table;
use crate::settings::names::DurabilityName;
use crate::settings::net;
use crate::settings::run::RunSettings;
use crate::setup;
use crate::time;
use crate::trial::Trial;
use crate::trial::measured::Measured;
use crate::workload::churn::Churn;
use crate::workload::contract::{Workload, WorkloadFlags};
use anyhow::{Context, Result};
pub(crate) use finished::Finished;
use finished::Remarks;
use serde::Serialize;
use ssmr_core::Application;
use ssmr_net::NetError;
use std::sync::Arc;
use std::time::Duration;
use whole::whole;

/// The content of `run.json`.
#[derive(Serialize)]
struct Description<'a, W> {
    command_line: &'a [String],
    settings: &'a RunSettings,
    /// The workload as it was made, with what it takes by default.
    workload: &'a W,
    digest: &'a str,
    /// The network that was emulated, and who was where on it.
    network: Option<net::Described>,
    machine: Machine,
    interrupted: bool,
    /// What is to be known of the workload.
    notes: &'a [String],
    /// What was noticed, by strategy.
    strategies: &'a [Remarks],
}

/// Carries out the command `run`.
///
/// # Errors
/// If the settings contradict each other or the machine, or something cannot be started.
pub(crate) fn run(
    settings: &RunSettings,
    strategies: &Strategies,
    workloads: &impl Workloads,
) -> Result<Ending> {
    let around = Surroundings {
        command_line: settings.command_line.clone(),
        destination: Destination::New(settings.out.clone()),
        interrupt: &Interrupt::listen(),
        progress: &Progress::new(settings.quiet),
    };
    let finished = carry_out(settings, strategies, workloads, around)?;
    finished.tell(settings.quiet);
    report::beside(&finished.folder, settings.quiet);
    Ok(finished.ending)
}

/// What is around a run.
pub(crate) struct Surroundings<'a> {
    /// The command that makes this run.
    pub(crate) command_line: Vec<String>,
    /// Where its files go.
    pub(crate) destination: Destination,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: &'a Progress,
}

/// Checks the settings, and measures and checks every strategy.
///
/// # Errors
/// If the settings contradict each other or the machine, or something cannot be started.
pub(crate) fn carry_out(
    settings: &RunSettings,
    strategies: &Strategies,
    workloads: &impl Workloads,
    around: Surroundings<'_>,
) -> Result<Finished> {
    let begin = Begin {
        settings,
        strategies,
        shape: checked_shape(settings, strategies)?,
        around,
    };
    let name = &settings.workload;
    let ended = workloads.with(name, begin);
    ended.unwrap_or_else(|_| unreachable!("workload {name} is registered"))
}

/// Checks the settings, and starts nothing. Returns how many commands there are, if they come to an
/// end.
///
/// # Errors
/// If they contradict each other or the machine.
pub(crate) fn check(
    settings: &RunSettings,
    strategies: &Strategies,
    workloads: &impl Workloads,
) -> Result<Option<u32>> {
    checked_shape(settings, strategies)?;
    let name = &settings.workload;
    let built = workloads.with(name, Build { settings });
    built.unwrap_or_else(|_| unreachable!("workload {name} is registered"))
}

fn checked_shape(settings: &RunSettings, strategies: &Strategies) -> Result<ClusterShape> {
    let shape = setup::shape(settings)?;
    check_faults(settings, &strategies.infos(), &shape)?;
    setup::check_cache_reads(settings)?;
    setup::check_memcached(settings)?;
    setup::check_disks(settings)?;
    setup::check_history(settings)?;
    setup::check_record(settings)?;
    Ok(shape)
}

/// Makes the workload and drops it.
struct Build<'a> {
    settings: &'a RunSettings,
}

impl WorkloadVisitor for Build<'_> {
    type Output = Result<Option<u32>>;

    fn visit<F: WorkloadFlags>(self, flags: &F) -> Self::Output {
        let (workload, _) = build(flags, self.settings)?;
        Ok(workload.command_count())
    }
}

/// A run whose workload is not made yet: it comes with [`WorkloadVisitor::visit`].
struct Begin<'a> {
    settings: &'a RunSettings,
    strategies: &'a Strategies,
    shape: ClusterShape,
    around: Surroundings<'a>,
}

impl WorkloadVisitor for Begin<'_> {
    type Output = Result<Finished>;

    fn visit<F: WorkloadFlags>(self, flags: &F) -> Self::Output {
        // What is wrong with the flags is told before a cluster is asked for anything.
        let (mut workload, churn) = build(flags, self.settings)?;
        let claimed = self.claimed::<<F::Workload as Workload>::App>()?;
        if let Some(claimed) = &claimed {
            (workload, _) = build(flags, claimed)?;
        }
        let begin = Begin {
            settings: claimed.as_ref().unwrap_or(self.settings),
            ..self
        };
        Run::begin(begin, workload, churn)?.carry_out()
    }
}

impl Begin<'_> {
    /// The settings with a number that no other run on the cluster has, if it is not the run's own.
    fn claimed<A: Application>(&self) -> Result<Option<RunSettings>> {
        let (Some(file), [strategy]) = (&self.settings.cluster, &self.settings.strategies[..])
        else {
            return Ok(None);
        };
        let strategy = self.strategies.choose_known(strategy.name, &self.shape);
        let named = || format!("--deploy {}", self.settings.deploy);
        let run = claim::<A>(&file.config, strategy.oracle).with_context(named)?;
        let settings = self.settings.clone();
        Ok(Some(RunSettings { run, ..settings }))
    }
}

/// Makes the workload, which must take the shared flags that were given, and what is to be mixed
/// into its commands.
fn build<F: WorkloadFlags>(
    flags: &F,
    settings: &RunSettings,
) -> Result<(F::Workload, Churn), UsageError> {
    let (name, knobs) = (&settings.workload, &settings.knobs);
    let own = <<F::Workload as Workload>::App as Application>::NAME;
    let there = settings.cluster.as_ref().and_then(|it| it.service.as_ref());
    if let Some(there) = there.filter(|there| **there != own) {
        let problem = format!("workload {name} needs service {own}, the cluster has {there}");
        return Err(UsageError::new("--workload", problem));
    }
    let taken = F::knobs(name);
    knobs.check(name, taken, settings.execution)?;
    let workload = flags.build(name, &settings.load_shape())?;
    let churn = knobs.churn(taken);
    churn::check(churn, &workload)?;
    Ok((workload, churn))
}

/// A run under way.
struct Run<'a, W> {
    settings: &'a RunSettings,
    strategies: &'a Strategies,
    shape: ClusterShape,
    workload: Arc<W>,
    /// What is mixed into its commands.
    churn: Churn,
    /// What is to be known of it.
    notes: Vec<String>,
    digest: String,
    command_line: Vec<String>,
    folder: Folder,
    interrupt: &'a Interrupt,
    progress: &'a Progress,
    rows: Vec<(Point, Measures, Whole)>,
    remarks: Vec<Remarks>,
    /// The worst of the strategies' endings so far.
    ending: Ending,
}

impl<'a, W: Workload> Run<'a, W> {
    fn begin(begin: Begin<'a>, workload: W, churn: Churn) -> Result<Self, UsageError> {
        let Surroundings {
            command_line,
            destination,
            interrupt,
            progress,
        } = begin.around;
        let folder = Folder::create(&destination)?;
        progress.phase("hashing the workload", None);
        Ok(Self {
            settings: begin.settings,
            strategies: begin.strategies,
            shape: begin.shape,
            digest: format!("{:016x}", churn.digest(workload.digest())),
            notes: workload.notes(),
            workload: Arc::new(workload),
            churn,
            command_line,
            folder,
            interrupt,
            progress,
            rows: Vec::new(),
            remarks: Vec::new(),
            ending: Ending::Good,
        })
    }

    fn carry_out(mut self) -> Result<Finished> {
        self.describe(false)?;
        for strategy in &self.settings.strategies {
            let strategy = strategy.name;
            if self.interrupt.struck() {
                break;
            }
            let logs = self.folder.path().join("logs").join(strategy);
            let trial = Trial {
                strategy: self.strategies.choose_known(strategy, &self.shape),
                settings: self.settings,
                logs: &logs,
                folder: self.folder.path(),
                workload: &self.workload,
                churn: self.churn,
                incarnation: time::unique(),
                interrupt: self.interrupt,
                progress: self.progress,
            };
            let measured = trial.carry_out();
            let measured = measured.map_err(|error| self.blame(strategy, error))?;
            let own = self.settings.cluster.is_none();
            if own && self.settings.durability != DurabilityName::Memory {
                std::fs::remove_dir_all(self.folder.path().join("logs"))?;
            }
            if let Some(measured) = measured {
                self.keep(strategy, &measured)?;
            }
        }
        self.describe(true)?;
        self.progress.finish();
        let name = self.workload.name();
        let notes = self.notes.iter();
        Ok(Finished {
            notes: notes.map(|note| format!("{name}: {note}")).collect(),
            ending: match self.interrupt.struck() {
                true => Ending::Interrupted,
                false => self.ending,
            },
            rows: self.rows,
            remarks: self.remarks,
            folder: self.folder.path().to_owned(),
        })
    }

    /// A port that the user chose is the user's to change.
    fn blame(&self, strategy: &str, error: anyhow::Error) -> anyhow::Error {
        self.progress.finish();
        let ports = matches!(
            error.downcast_ref(),
            Some(NetError::Bind { .. } | NetError::Ports { .. })
        );
        if ports && self.settings.base_port.is_some() {
            return UsageError::new("--base-port", error.to_string()).into();
        }
        error.context(format!("strategy {strategy}"))
    }

    /// Writes what was measured of one strategy.
    fn keep(&mut self, strategy: &'static str, measured: &Measured) -> Result<()> {
        let kinds = self.churn.kinds(W::KINDS);
        let table = Table::new(&measured.samples, &kinds, measured.span, measured.applies);
        let (summary, run_id) = (table.summary(), self.folder.run_id.clone());
        let latencies = summary.iter().map(|(op, _, latencies)| (*op, latencies));
        self.folder.keep_latencies(
            strategy,
            Duration::from_micros(measured.span.length()),
            latencies,
        )?;
        self.folder.line_up(&table.intervals(
            &run_id,
            strategy,
            &measured.marks,
            &measured.memory,
        ))?;
        let groups = measured.groups.intervals(&run_id, strategy, measured.span);
        self.folder.keep_groups(&groups)?;
        if self.settings.samples {
            self.folder.keep_samples(table.samples(&run_id, strategy))?;
        }
        let rows: Vec<_> = summary
            .into_iter()
            .map(|(op, measures, _)| {
                let whole = whole(op, &measures, measured, &table);
                (self.point(strategy, op, measured), measures, whole)
            })
            .collect();
        self.folder.summarise(&rows)?;
        let (verdicts, audit) = (&measured.verdicts, &measured.audit);
        let counts = verdicts.history.counts();
        self.ending = self.ending.max(verdicts.ending());
        let struck = measured.struck.iter();
        let (rss_first_mib, rss_last_mib) = measured.memory.first_and_last_mib(measured.span);
        self.remarks.push(Remarks {
            strategy,
            linearizable: verdicts.history.name(),
            judged_ops: counts.map(|counts| counts.judged),
            unjudged_ops: counts.map(|counts| counts.unjudged()),
            replicas_agree: verdicts.replicas_agree(),
            cluster: verdicts.cluster.health.name(),
            consistent: verdicts.invariants.name(),
            stale_values: verdicts.stale_values(),
            audited_objects: audit.as_ref().map(|audit| audit.read),
            faults: struck.map(|(word, count)| (word.name(), *count)).collect(),
            cache_evictions: measured.cache_evictions,
            rss_first_mib,
            rss_last_mib,
            problems: (verdicts.problems().into_iter())
                .chain(
                    rows.first().and_then(|(_, all, _)| {
                        notes::missed_rate(self.settings.rate, measured, all)
                    }),
                )
                .collect(),
            notes: rows.first().map_or_else(Vec::new, |(_, all, _)| {
                let notes = notes::notes(self.settings.rate, measured, all);
                let cut = self.workload.command_count();
                let cut = cut.and_then(|count| notes::cut_short(measured, count));
                cut.into_iter().chain(notes).collect()
            }),
        });
        self.rows.extend(rows);
        self.describe(false)
    }

    fn point(&self, strategy: &'static str, op: &'static str, measured: &Measured) -> Point {
        let settings = self.settings;
        Point {
            run_id: self.folder.run_id.clone(),
            strategy,
            workload: self.workload.name(),
            digest: self.digest.clone(),
            execution: measured.execution,
            partitions: settings.partitions.into(),
            replicas: settings.replicas.into(),
            clients: settings.clients,
            window: (settings.rate.is_none() && self.workload.arrivals().is_none())
                .then_some(settings.window),
            rate: settings.rate,
            durability: settings.durability.name(),
            seed: settings.seed,
            op,
        }
    }

    fn describe(&self, finished: bool) -> Result<()> {
        let (settings, shape) = (self.settings, &self.shape);
        let with_oracle = settings
            .strategies
            .iter()
            .any(|info| info.needs.oracle_group);
        let topology = match with_oracle {
            true => &shape.with_oracle,
            false => &shape.partitions,
        };
        let description = Description {
            command_line: &self.command_line,
            settings,
            workload: &*self.workload,
            digest: &self.digest,
            network: settings
                .net
                .described(topology, self.workload.client_count()),
            machine: Machine::describe(),
            interrupted: self.interrupt.struck(),
            notes: &self.notes,
            strategies: &self.remarks,
        };
        self.folder
            .describe(&description, finished.then(time::date))
    }
}
