//! What a program is made of: strategies and workloads to choose from, and the commands for them.

use crate::builtin::{self, BuiltinWorkloads};
use crate::cli::{self, Request};
use crate::ending::{Ending, exit_code};
use crate::error::RegistrationError;
use crate::registry::list::{Empty, With};
use crate::registry::strategies::Strategies;
use crate::registry::workloads::Workloads;
use crate::settings::cluster::ClusterSettings;
use crate::workload::contract::WorkloadFlags;
use crate::{cluster, events, from_git, log, node, peak, plot, report, run, sim, sweep, top};
use ssmr_core::Oracle;
use std::ffi::OsString;
use std::marker::PhantomData;
use std::process::ExitCode;

/// A program with every command of the harness, for the strategies and workloads that it
/// registers.
///
/// ```no_run
/// use harness::Harness;
/// use ssmr_core::{Groups, Guess, ObjectId, Oracle, PartitionId, Topology};
///
/// /// Everything is at the first partition.
/// #[derive(Debug)]
/// struct OnePlace;
///
/// impl Oracle for OnePlace {
///     fn name(&self) -> &'static str {
///         "one-place"
///     }
///     fn authority(&self, _: &Topology, _: ObjectId) -> Groups {
///         PartitionId(0).into()
///     }
///     fn owner(&self, _: &Topology, _: ObjectId, _: Option<PartitionId>) -> PartitionId {
///         PartitionId(0)
///     }
///     fn movable(&self) -> bool {
///         false
///     }
///     fn guess(&self, _: &Topology, _: ObjectId) -> Guess {
///         Guess::At(PartitionId(0))
///     }
/// }
///
/// fn main() -> std::process::ExitCode {
///     // `Harness::new()` would have the built-in strategies and workloads, too.
///     Harness::empty().strategy(OnePlace).main()
/// }
/// ```
///
/// With `run --deploy processes` the program starts itself, once for each replica, with the
/// command `node`: so [`Harness::main`] is to be all that its `main` does.
#[derive(Clone, Debug)]
#[must_use = "it does nothing before `main`"]
pub struct Harness<W> {
    strategies: Strategies,
    workloads: PhantomData<W>,
}

impl Harness<Empty> {
    /// The four strategies (global, broker, static, cache), and the workloads of
    /// `docs/workloads.md`.
    pub fn new() -> Harness<impl Workloads> {
        Harness {
            strategies: builtin::strategies(),
            workloads: PhantomData::<BuiltinWorkloads>,
        }
    }

    /// Nothing to choose from yet.
    pub fn empty() -> Self {
        Self {
            strategies: Strategies::default(),
            workloads: PhantomData,
        }
    }
}

impl<W: Workloads> Harness<W> {
    /// Adds a strategy, under its [name](Oracle::name).
    pub fn strategy(mut self, oracle: impl Oracle) -> Self {
        self.strategies.add(oracle);
        self
    }

    /// Adds a strategy of which `--directory` chooses a variant, `none` or `home`, under the name
    /// of `none`.
    pub fn strategy_with_directory(mut self, none: impl Oracle, home: impl Oracle) -> Self {
        self.strategies.add_with_directory(none, home);
        self
    }

    /// Adds a workload with its service, as the type of its flags. The first one is the default.
    pub fn workload<F: WorkloadFlags>(self) -> Harness<With<W, F>> {
        Harness {
            strategies: self.strategies,
            workloads: PhantomData,
        }
    }

    /// Checks what is registered, as [`Harness::main`] does, too.
    ///
    /// # Errors
    /// If a name is empty, bad or there twice, or nothing is registered.
    pub fn check(&self) -> Result<(), RegistrationError> {
        cli::command::<W>(&self.strategies).map(|_| ())
    }

    /// Does what the command line says. Returns 0, 1 (it failed, or a check found a violation or
    /// could not be made), 2 (bad usage) or 3 (all that was checked is right, but replicas are
    /// missing); ends by the signal if Ctrl-C ended it, which shells show as 130. Progress and
    /// errors go to the standard error stream; the machines' events, too, as `--log-level` and
    /// `--log-format` or the variables `RUST_LOG` and `SSMR_LOG_FORMAT` ask for them.
    pub fn main(self) -> ExitCode {
        exit_code(&self.carry_out(std::env::args_os()))
    }

    fn carry_out(&self, words: impl IntoIterator<Item = OsString>) -> anyhow::Result<Ending> {
        let strategies = &self.strategies;
        let command = cli::command::<W>(strategies)?;
        let words: Vec<OsString> = words.into_iter().collect();
        events::begin(&cli::events::chosen(&command, &words))?;
        match cli::read::<W>(&command, words, &strategies.infos())? {
            Request::Run(settings, flags) if settings.peak => {
                peak::run(&settings, strategies, &flags)
            }
            Request::Run(settings, flags) => run::run(&settings, strategies, &flags),
            Request::Load(begins, settings, flags) => {
                cluster::run::<W>(&ClusterSettings::Begin(begins), strategies)?;
                run::run(&settings, strategies, &flags)
            }
            Request::Sweep(settings, cells) => sweep::run(&settings, &cells, strategies),
            Request::Sim(settings) => sim::run(&settings, strategies),
            Request::Node(settings) => node::run::<W>(&settings, strategies),
            Request::Cluster(settings) => cluster::run::<W>(&settings, strategies),
            Request::Top(settings) => top::run::<W>(&settings, strategies),
            Request::Log(settings) => log::run(&settings),
            Request::Plot(settings) => plot::run(&settings),
            Request::Trace(settings) => from_git::run(&settings),
            Request::Report(settings) => report::run(&settings),
        }
    }
}
