//! The flags of `sim`: their defaults, and what makes a value bad.

use super::choices::{DIRECTORIES, EXECUTIONS, cache_reads_or_each, reads_or_each};
use super::mutant;
use super::values::{chosen, odd, seeds};
use crate::registry::check::ALL;
use crate::registry::info::StrategyInfo;
use crate::settings::sim::{BOTH, EACH, SimSettings};
use clap::Args;
use ssmr_core::{CacheReads, Reads};
use ssmr_sim::{Options, Profile};
use std::ops::Range;
use std::path::PathBuf;

/// Commands to begin with: what each is for, and the command.
pub(super) const EXAMPLES: &str = "\
  A hundred seeds of everything:
    PROGRAM sim --seeds 0..100
  One strategy while its replicas crash and come back:
    PROGRAM sim --strategy broker --profile crash --seeds 0..1000
  A night's work that may be interrupted and taken up again:
    PROGRAM sim --seeds 0..100000 --resume night.json
  All that happens in one simulation, to be read, and to be drawn by https://ui.perfetto.dev:
    PROGRAM sim --strategy broker --profile crash --execution exchange --seeds 7..8 --trace \\
      --trace-json trace.json";

/// The settings of simulations, as given or by default.
#[derive(Clone, Debug, Args)]
pub(crate) struct SimArgs {
    /// Strategies, separated by commas
    // Possible values are what is registered: see `command`.
    #[arg(long, default_value = ALL, value_delimiter = ',', value_name = "NAME")]
    strategy: Vec<String>,

    /// The seeds: from the first up to, not including, the second
    #[arg(long, default_value = "0..20", value_name = "A..B", value_parser = seeds)]
    seeds: Range<u64>,

    /// Which faults strike, separated by commas: calm, reorder, lossy, slow, far, cut, depose,
    /// stop, crash, wipe, clock, drift, pause, unreachable, late, busy, dead, deaths, cache,
    /// hostile, disk, expiry, twins, limits, handover, storm; by default each in turn
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    profile: Vec<Profile>,

    /// Where multi-partition accesses execute
    #[arg(
        long,
        default_value = BOTH,
        value_name = "MODE",
        value_parser = ["exchange", "gather", BOTH]
    )]
    execution: String,

    /// How reads of objects at one partition are answered; each: it changes with the seed
    #[arg(long, default_value = EACH, value_name = "HOW", value_parser = reads_or_each())]
    reads: String,

    /// Whether reads of single objects may be answered by a shared cache alone, where there is one;
    /// each: it changes with the seed
    #[arg(long, default_value = EACH, value_name = "HOW", value_parser = cache_reads_or_each())]
    cache_reads: String,

    /// After how many steps the faults end at the latest
    #[arg(long, default_value_t = Options::default().steps, value_name = "N")]
    steps: u64,

    /// Partitions
    #[arg(
        long,
        default_value_t = 3,
        value_name = "N",
        value_parser = clap::value_parser!(u8).range(1..=255)
    )]
    partitions: u8,

    /// Replicas of each group: an odd number
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = odd)]
    replicas: u8,

    /// Clients
    #[arg(
        long,
        default_value_t = 4,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=1000)
    )]
    clients: u64,

    /// Requests that each client keeps outstanding
    #[arg(
        long,
        default_value_t = 2,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    window: u16,

    /// Requests that each client makes
    #[arg(long, default_value_t = 25, value_name = "N")]
    requests: usize,

    /// Objects that the clients fight over
    #[arg(
        long,
        default_value_t = 4,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=10_000)
    )]
    objects: u64,

    /// After how many bytes of log a replica makes a snapshot
    #[arg(long, default_value_t = Options::default().log_bytes, value_name = "N")]
    log_bytes: usize,

    /// Whether static placement keeps a directory
    #[arg(long, default_value = BOTH, value_name = "WHERE", value_parser = ["none", "home", BOTH])]
    directory: String,

    /// Keep in this file what is done, and go on from there if it exists
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,

    /// Write every counter to this CSV file, a row for each strategy and profile
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Tell all that happens in one simulation, whether it fails or not: the other flags name it,
    /// as those of a `replay:` do
    #[arg(long, conflicts_with_all = ["resume", "out"])]
    trace: bool,

    /// Write the same to this file, to be drawn over time by <https://ui.perfetto.dev> or
    /// `chrome://tracing`: Trace Event Format, JSON
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "out"])]
    trace_json: Option<PathBuf>,

    /// Break one rule of the protocol on purpose, such as no-signal-wait
    #[arg(
        long,
        value_name = "NAME",
        value_parser = mutant::named,
        hide = !cfg!(feature = "mutants")
    )]
    mutant: Option<mutant::Choice>,

    /// Show no progress, only results
    #[arg(long)]
    quiet: bool,
}

impl SimArgs {
    /// The settings, with what is registered.
    pub(super) fn settings(self, registered: &[StrategyInfo]) -> SimSettings {
        #[cfg(not(feature = "mutants"))]
        let None = self.mutant;
        let executions = EXECUTIONS.iter();
        let directories = DIRECTORIES.iter();
        SimSettings {
            strategies: chosen(&self.strategy, registered),
            directories: directories
                .filter(|choice| [choice.name, BOTH].contains(&&self.directory[..]))
                .map(|choice| choice.value)
                .collect(),
            seeds: self.seeds,
            profiles: self.profile,
            executions: executions
                .filter(|choice| [choice.name, BOTH].contains(&&self.execution[..]))
                .map(|choice| choice.value)
                .collect(),
            reads: Reads::ALL
                .into_iter()
                .find(|reads| reads.name() == self.reads),
            cache_reads: CacheReads::ALL
                .into_iter()
                .find(|reads| reads.name() == self.cache_reads),
            options: Options {
                partitions: self.partitions,
                replicas: self.replicas,
                clients: self.clients,
                window: self.window.into(),
                requests: self.requests,
                objects: self.objects,
                steps: self.steps,
                log_bytes: self.log_bytes,
                #[cfg(feature = "mutants")]
                mutant: self.mutant,
                ..Options::default()
            },
            resume: self.resume,
            out: self.out,
            trace: self.trace,
            trace_json: self.trace_json,
            quiet: self.quiet,
        }
    }
}
