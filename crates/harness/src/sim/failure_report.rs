//! How a failure is told: the violation, the same as small as it can be made with what happened,
//! and the commands that show them again.

use super::variant::Variant;
use crate::interrupt::Interrupt;
use crate::registry::info::Directory;
use crate::registry::strategies::Strategies;
use crate::settings::names::execution_name;
use crate::{program, time};
use ssmr_core::Micros;
use ssmr_sim::{Failure, Options, chronicle, shrink};

/// How many simulations may be spent on making a failure smaller, and how much time.
const RUNS: u32 = 2_000;
const PATIENCE: Micros = 60_000_000;
/// How many lines of what happened are told.
const LINES: usize = 60;

/// Tells a failure, and if it is wanted in full, a smaller one.
pub(super) fn tell(
    strategies: &Strategies,
    variant: Variant,
    failure: &Failure,
    in_full: bool,
    interrupt: &Interrupt,
) {
    let Failure {
        seed,
        options,
        violation,
        ..
    } = failure;
    println!(
        "\n{violation}\nreplay: {}",
        command(variant, *seed, options)
    );
    if !in_full || interrupt.struck() {
        return;
    }
    let begun = time::elapsed_us();
    let shrunk = shrink(failure.clone(), RUNS, |seed, options| {
        let stops = interrupt.struck() || time::elapsed_us() > begun + PATIENCE;
        (!stops)
            .then(|| variant.simulate(strategies, seed, options))
            .flatten()
    });
    let Failure {
        seed,
        options,
        violation,
        ..
    } = shrunk.failure;
    let command = command(variant, seed, &options);
    let lines = lines(strategies, variant, seed, options);
    println!(
        "\nsmaller, after {} simulations: {violation}\n{lines}replay: {command}",
        shrunk.runs
    );
}

/// The command that runs one simulation again.
pub(crate) fn command(variant: Variant, seed: u64, options: &Options) -> String {
    let Options {
        partitions,
        replicas,
        clients,
        window,
        requests,
        objects,
        execution,
        reads,
        cache_reads,
        profile,
        steps,
        log_bytes,
        ..
    } = options;
    let Variant {
        strategy,
        directory,
    } = variant;
    let (program, name) = (program::name(), strategy.name);
    let directory = match (strategy.has_directory(), directory) {
        (false, _) => "",
        (true, Directory::None) => " --directory none",
        (true, Directory::Home) => " --directory home",
    };
    let execution = execution_name(*execution);
    let (reads, cache_reads, end) = (reads.name(), cache_reads.name(), seed + 1);
    format!(
        "{program} sim --strategy {name}{directory} --profile {profile} --execution {execution} \
         --reads {reads} --cache-reads {cache_reads} --seeds {seed}..{end} --steps {steps} \
         --partitions {partitions} \
         --replicas {replicas} --clients {clients} --window {window} --requests {requests} \
         --objects {objects} --log-bytes {log_bytes}{}",
        mutant(options)
    )
}

/// The flag that names the fault that is built in, if there is one.
#[cfg(feature = "mutants")]
fn mutant(options: &Options) -> String {
    let name = options.mutant.map(ssmr_core::Mutant::name);
    name.map_or_else(String::new, |name| format!(" --mutant {name}"))
}

/// There can be none.
#[cfg(not(feature = "mutants"))]
fn mutant(_: &Options) -> &'static str {
    ""
}

/// What happened in one simulation.
fn lines(strategies: &Strategies, variant: Variant, seed: u64, options: Options) -> String {
    match variant.shape(&options) {
        Ok(shape) => {
            let chosen = strategies.choose_known(variant.strategy.name, &shape);
            chronicle(&chosen.oracle, seed, options, LINES)
        }
        Err(error) => error.to_string(),
    }
}
