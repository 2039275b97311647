//! The command `sim`: the deterministic simulator over a range of seeds, on all cores.
//!
//! Each simulation is a pure function of strategy, profile, execution, seed and the flags, so a failure is told as the one
//! command that shows it again. It opens no socket and reads no clock but for its progress.

mod failure_report;
mod record;
mod sweep;

use crate::cli::UsageError;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::registry::{self, Parts};
use crate::run::Ending;
use clap::Args;
use clap::builder::PossibleValuesParser;
use record::Record;
use ssmr_core::{Execution, Reads, Topology};
use ssmr_sim::{Options, Profile};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Mutex;
use sweep::{Sweep, Variant};

pub(crate) const EXAMPLES: &str = "\
Examples:
  A hundred seeds of everything:
    harness sim --seeds 0..100
  One strategy while its replicas crash and come back:
    harness sim --strategy broker --profile crash --seeds 0..1000
  A night's work that may be interrupted and taken up again:
    harness sim --seeds 0..100000 --resume night.json";

/// The value of `--reads` for each in turn.
const EACH: &str = "each";

/// The settings of simulations, as given or by default.
#[derive(Clone, Debug, Args)]
pub(crate) struct SimArgs {
    /// Strategies, separated by commas
    #[arg(long, default_value = "all", value_delimiter = ',', value_name = "NAME", value_parser = strategies())]
    strategy: Vec<String>,

    /// The seeds: from the first up to, not including, the second
    #[arg(long, default_value = "0..20", value_name = "A..B", value_parser = seeds)]
    seeds: Range<u64>,

    /// Which faults strike, separated by commas: calm, reorder, lossy, slow, cut, depose, stop, crash, wipe, clock,
    /// deaths, cache, storm; by default each in turn
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    profile: Vec<Profile>,

    /// Where multi-partition accesses execute
    #[arg(long, default_value = "both", value_name = "MODE", value_parser = ["exchange", "gather", "both"])]
    execution: String,

    /// How reads of objects at one partition are answered; each: it changes with the seed
    #[arg(long, default_value = EACH, value_name = "HOW", value_parser = reads())]
    reads: String,

    /// After how many steps the faults end at the latest
    #[arg(long, default_value_t = Options::default().steps, value_name = "N")]
    steps: u64,

    /// Partitions
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=255))]
    partitions: u8,

    /// Replicas of each group: an odd number
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = crate::cli::odd)]
    replicas: u8,

    /// Clients
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    clients: u64,

    /// Requests that each client keeps outstanding
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    window: u16,

    /// Requests that each client makes
    #[arg(long, default_value_t = 25, value_name = "N")]
    requests: usize,

    /// Objects that the clients fight over
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    objects: u64,

    /// After how many bytes of log a replica makes a snapshot
    #[arg(long, default_value_t = Options::default().log_bytes, value_name = "N")]
    log_bytes: usize,

    /// Whether static placement keeps a directory
    #[arg(long, default_value = "both", value_name = "WHERE", value_parser = ["none", "home", "both"])]
    directory: String,

    /// Keep in this file what is done, and go on from there if it exists
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,

    /// Show no progress, only results
    #[arg(long)]
    quiet: bool,
}

fn reads() -> PossibleValuesParser {
    PossibleValuesParser::new(Reads::ALL.map(Reads::name).into_iter().chain([EACH]))
}

fn strategies() -> PossibleValuesParser {
    PossibleValuesParser::new(registry::NAMES.into_iter().chain(["all"]))
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (first, end) = text
        .split_once("..")
        .ok_or("expected A..B, such as 0..100")?;
    let number = |text: &str| {
        text.parse::<u64>()
            .map_err(|error| format!("'{text}': {error}"))
    };
    let range = number(first)?..number(end)?;
    if range.is_empty() {
        Err(format!("{text} is empty"))
    } else {
        Ok(range)
    }
}

impl SimArgs {
    /// The strategies that were asked for.
    fn variants(&self) -> impl Iterator<Item = Variant> {
        let chosen = |name: &&str| self.strategy.iter().any(|s| s == *name || s == "all");
        let wanted = |name: &str, directory: bool| match self.directory.as_str() {
            _ if name != "static" => !directory,
            "none" => !directory,
            "home" => directory,
            _ => true,
        };
        let all = registry::NAMES.into_iter().filter(chosen);
        all.flat_map(|name| [false, true].map(|directory| Variant { name, directory }))
            .filter(move |variant| wanted(variant.name, variant.directory))
    }

    /// The combinations of profile and execution that were asked for, for one seed.
    fn kinds(&self, seed: u64) -> Vec<Options> {
        let given = Reads::ALL
            .into_iter()
            .find(|reads| reads.name() == self.reads);
        let reads = given.unwrap_or(Reads::ALL[(seed % Reads::ALL.len() as u64) as usize]);
        let wanted = |profile: &Profile| self.profile.is_empty() || self.profile.contains(profile);
        let executions: &[Execution] = match self.execution.as_str() {
            "exchange" => &[Execution::Exchange],
            "gather" => &[Execution::Gather],
            _ => &[Execution::Exchange, Execution::Gather],
        };
        let options = |profile, execution| Options {
            partitions: self.partitions,
            replicas: self.replicas,
            clients: self.clients,
            window: self.window.into(),
            requests: self.requests,
            objects: self.objects,
            execution,
            reads,
            profile,
            steps: self.steps,
            log_bytes: self.log_bytes,
            ..Options::default()
        };
        let profiles = Profile::ALL.into_iter().filter(wanted);
        profiles
            .flat_map(|profile| executions.iter().map(move |&e| options(profile, e)))
            .collect()
    }

    /// How many simulations there are of each strategy.
    fn count(&self) -> u64 {
        (self.seeds.end - self.seeds.start) * self.kinds(0).len() as u64
    }

    /// Seed and options of one of the simulations.
    fn place(&self, number: u64) -> (u64, Options) {
        let kinds = self.kinds(0).len() as u64;
        let seed = self.seeds.start + number / kinds;
        (seed, self.kinds(seed)[(number % kinds) as usize])
    }

    /// What the simulations of a strategy, and their numbers, are a function of.
    fn settings(&self) -> BTreeMap<String, String> {
        let profiles: Vec<String> = self.profile.iter().map(ToString::to_string).collect();
        let settings = [
            (
                "--seeds",
                format!("{}..{}", self.seeds.start, self.seeds.end),
            ),
            ("--profile", profiles.join(",")),
            ("--execution", self.execution.clone()),
            ("--reads", self.reads.clone()),
            ("--steps", self.steps.to_string()),
            ("--partitions", self.partitions.to_string()),
            ("--replicas", self.replicas.to_string()),
            ("--clients", self.clients.to_string()),
            ("--window", self.window.to_string()),
            ("--requests", self.requests.to_string()),
            ("--objects", self.objects.to_string()),
            ("--log-bytes", self.log_bytes.to_string()),
        ];
        settings
            .into_iter()
            .map(|(flag, value)| (flag.to_owned(), value))
            .collect()
    }
}

/// What the strategies of a simulation are made from.
fn parts(options: &Options, directory: bool) -> Result<Parts, UsageError> {
    let usage = |error: ssmr_core::topology::TopologyError| {
        UsageError::new("--partitions", error.to_string())
    };
    let topology = Topology::new(options.partitions, options.replicas).map_err(usage)?;
    Ok(Parts {
        topology,
        with_oracle: topology.with_oracle(options.replicas).map_err(usage)?,
        directory,
        incarnation: 1,
    })
}

/// Runs the simulations. Tells the counters of each strategy, and failures with how to replay them.
///
/// # Errors
/// If the topology is impossible, or the file of an earlier run does not fit.
pub(crate) fn run(args: &SimArgs) -> anyhow::Result<Ending> {
    // A simulation that fails an assertion reports it; the default hook would print it, too.
    std::panic::set_hook(Box::new(|_| {}));
    let (_, options) = args.place(0);
    let (progress, interrupt) = (Progress::new(args.quiet), Interrupt::listen());
    let record = Mutex::new(Record::open(args)?);
    let mut failed = 0;
    for variant in args.variants() {
        if interrupt.struck() {
            break;
        }
        let sweep = Sweep {
            args,
            variant,
            progress: &progress,
            interrupt: &interrupt,
            record: &record,
        };
        failed += sweep.run(&parts(&options, variant.directory)?)?;
    }
    progress.finish();
    if interrupt.struck() {
        println!("interrupted: this is what was done until then");
    }
    Ok(if failed == 0 {
        Ending::Good
    } else {
        Ending::Violated
    })
}
