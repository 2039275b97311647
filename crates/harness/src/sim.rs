//! The command `sim`: the deterministic simulator over a range of seeds, on all cores.
//!
//! Each simulation is a pure function of strategy, profile, execution, seed and the flags, so a failure is told as the one
//! command that shows it again. It opens no socket and reads no clock but for its progress.

use crate::cli::UsageError;
use crate::progress::Progress;
use crate::registry::{self, Parts, Visitor};
use crate::run::Ending;
use clap::Args;
use clap::builder::PossibleValuesParser;
use ssmr_core::{Execution, Layout, Oracle};
use ssmr_sim::{Failure, Options, Profile, Report, simulate};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many failures are told in full.
const TOLD: usize = 3;

pub(crate) const EXAMPLES: &str = "\
Examples:
  A hundred seeds of everything:
    harness sim --seeds 0..100
  One strategy while its replicas crash and come back:
    harness sim --strategy broker --profile crash --seeds 0..1000";

/// The settings of simulations, as given or by default.
#[derive(Clone, Debug, Args)]
pub(crate) struct SimArgs {
    /// Strategies, separated by commas
    #[arg(long, default_value = "all", value_delimiter = ',', value_name = "NAME", value_parser = strategies())]
    strategy: Vec<String>,

    /// The seeds: from the first up to, not including, the second
    #[arg(long, default_value = "0..20", value_name = "A..B", value_parser = seeds)]
    seeds: Range<u64>,

    /// Which faults strike, separated by commas: calm, reorder, lossy, slow, cut, stop, crash, deaths, cache, storm; by
    /// default each in turn
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    profile: Vec<Profile>,

    /// Where multi-partition accesses execute
    #[arg(long, default_value = "both", value_name = "MODE", value_parser = ["exchange", "gather", "both"])]
    execution: String,

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

    /// Requests that each client makes
    #[arg(long, default_value_t = 25, value_name = "N")]
    requests: usize,

    /// Objects that the clients fight over
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    objects: u64,

    /// Show no progress
    #[arg(long)]
    quiet: bool,
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

/// Runs the simulations. Tells the counters of each strategy, and failures with how to replay them.
///
/// # Errors
/// If the layout is impossible.
pub(crate) fn run(args: &SimArgs) -> anyhow::Result<Ending> {
    // A simulation that fails an assertion reports it; the default hook would print it, too.
    std::panic::set_hook(Box::new(|_| {}));
    let progress = Progress::new(args.quiet);
    let layout = Layout::new(args.partitions, args.replicas)
        .map_err(|error| UsageError::new("--partitions", error.to_string()))?;
    let with_oracle = layout.with_oracle(args.replicas)?;
    let parts = Parts {
        layout,
        with_oracle,
        directory: false,
        incarnation: 1,
    };
    let mut failed = 0;
    for name in registry::NAMES {
        if !args
            .strategy
            .iter()
            .any(|chosen| chosen == name || chosen == "all")
        {
            continue;
        }
        for directory in [false, true] {
            if directory && name != "static" {
                continue;
            }
            let parts = Parts { directory, ..parts };
            let label = if directory {
                format!("{name} with directory")
            } else {
                name.to_owned()
            };
            let band = registry::with(
                name,
                &parts,
                Band {
                    args,
                    progress: &progress,
                    label,
                },
            );
            failed += band;
        }
    }
    progress.finish();
    Ok(if failed == 0 {
        Ending::Good
    } else {
        Ending::Violated
    })
}

/// All simulations of one strategy.
struct Band<'a> {
    args: &'a SimArgs,
    progress: &'a Progress,
    label: String,
}

impl Visitor for Band<'_> {
    /// How many failed.
    type Output = usize;

    fn visit<O: Oracle>(self, oracle: O, _layout: Layout) -> usize {
        let Self {
            args,
            progress,
            label,
        } = self;
        let kinds = kinds(args);
        let count = (args.seeds.end - args.seeds.start) * kinds.len() as u64;
        progress.phase(&label, Some(count));
        let next = AtomicU64::new(0);
        let outcome = Mutex::new((Report::default(), Vec::new()));
        let work = |oracle: O| {
            while let Some(number) =
                Some(next.fetch_add(1, Relaxed)).filter(|number| *number < count)
            {
                let options = kinds[(number % kinds.len() as u64) as usize];
                let seed = args.seeds.start + number / kinds.len() as u64;
                let result = simulate(|_| oracle.clone(), seed, options);
                let mut outcome = outcome
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                match result {
                    Ok(report) => outcome.0.add(report),
                    Err(failure) => outcome.1.push(failure),
                }
                progress.at(number);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                let oracle = oracle.clone();
                scope.spawn(move || work(oracle));
            }
        });
        let (report, failures) = outcome
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        println!(
            "{label}: {count} simulations, {} failed: {report}",
            failures.len()
        );
        failures
            .iter()
            .take(TOLD)
            .for_each(|failure| tell(failure, args));
        failures.len()
    }
}

/// The combinations of profile and execution that were asked for.
fn kinds(args: &SimArgs) -> Vec<Options> {
    let wanted = |profile: &Profile| args.profile.is_empty() || args.profile.contains(profile);
    let executions = match args.execution.as_str() {
        "exchange" => vec![Execution::Exchange],
        "gather" => vec![Execution::Gather],
        _ => vec![Execution::Exchange, Execution::Gather],
    };
    let profiles = Profile::ALL.into_iter().filter(wanted);
    let options = |profile, execution| Options {
        profile,
        execution,
        steps: args.steps,
        partitions: args.partitions,
        replicas: args.replicas,
        clients: args.clients,
        requests: args.requests,
        objects: args.objects,
        ..Options::default()
    };
    profiles
        .flat_map(|profile| {
            executions
                .iter()
                .map(move |&execution| options(profile, execution))
        })
        .collect()
}

/// Tells a failure with the command that shows it again.
fn tell(failure: &Failure, args: &SimArgs) {
    let Failure {
        strategy,
        seed,
        options,
        violation,
    } = failure;
    let execution = if options.execution == Execution::Gather {
        "gather"
    } else {
        "exchange"
    };
    println!(
        "\n{violation}\nreplay: harness sim --strategy {strategy} --profile {} --execution {execution} --seeds {seed}..{} --steps {} --partitions {} --replicas {} --clients {} --requests {} --objects {}",
        options.profile,
        seed + 1,
        args.steps,
        args.partitions,
        args.replicas,
        args.clients,
        args.requests,
        args.objects
    );
}
