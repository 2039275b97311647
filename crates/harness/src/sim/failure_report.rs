//! How a failure is told: the violation, the same as small as it can be made with what happened, and the commands that show
//! them again.

use super::parts;
use super::sweep::Variant;
use crate::interrupt::Interrupt;
use crate::registry::{self, Visitor};
use crate::time;
use ssmr_core::{Execution, Micros, Oracle, Topology};
use ssmr_sim::{Failure, Options, chronicle, shrink};

/// How many simulations may be spent on making a failure smaller, and how much time.
const RUNS: u32 = 2_000;
const PATIENCE: Micros = 60_000_000;
/// How many lines of what happened are told.
const LINES: usize = 60;

/// Tells a failure, and if it is wanted in full, a smaller one.
pub(super) fn tell(variant: Variant, failure: &Failure, in_full: bool, interrupt: &Interrupt) {
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
        (!stops).then(|| variant.simulate(seed, options)).flatten()
    });
    let Failure {
        seed,
        options,
        violation,
        ..
    } = shrunk.failure;
    let command = command(variant, seed, &options);
    let lines = lines(variant, seed, options);
    println!(
        "\nsmaller, after {} simulations: {violation}\n{lines}replay: {command}",
        shrunk.runs
    );
}

/// The command that runs one simulation again. Mutants are for tests and have no flag.
fn command(variant: Variant, seed: u64, options: &Options) -> String {
    let Options {
        partitions,
        replicas,
        clients,
        window,
        requests,
        objects,
        execution,
        reads,
        profile,
        steps,
        log_bytes,
        ..
    } = options;
    let Variant { name, directory } = variant;
    let directory = match (name, directory) {
        ("static", true) => " --directory home",
        ("static", false) => " --directory none",
        _ => "",
    };
    let execution = match execution {
        Execution::Exchange => "exchange",
        Execution::Gather => "gather",
    };
    let (reads, end) = (reads.name(), seed + 1);
    format!(
        "harness sim --strategy {name}{directory} --profile {profile} --execution {execution} --reads {reads} --seeds \
         {seed}..{end} \
         --steps {steps} --partitions {partitions} --replicas {replicas} --clients {clients} --window {window} \
         --requests {requests} --objects {objects} --log-bytes {log_bytes}"
    )
}

/// What happened in one simulation.
fn lines(variant: Variant, seed: u64, options: Options) -> String {
    let told = FailureReport { seed, options };
    parts(&options, variant.directory).map_or_else(
        |error| error.to_string(),
        |parts| registry::with(variant.name, &parts, told),
    )
}

/// One simulation, to be told.
struct FailureReport {
    seed: u64,
    options: Options,
}

impl Visitor for FailureReport {
    type Output = String;

    fn visit<O: Oracle>(self, oracle: O, _topology: Topology) -> String {
        chronicle(&oracle, self.seed, self.options, LINES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::SimArgs;
    use clap::{Args, Command, FromArgMatches};
    use ssmr_core::Reads;
    use ssmr_sim::Profile;

    #[test]
    fn the_command_says_all_that_a_simulation_is_a_function_of() {
        let options = Options {
            partitions: 2,
            replicas: 5,
            clients: 7,
            window: 9,
            requests: 11,
            objects: 13,
            execution: Execution::Gather,
            reads: Reads::Lease,
            profile: Profile::Storm,
            steps: 17,
            log_bytes: 1_900,
            ..Options::default()
        };
        let variant = Variant {
            name: "static",
            directory: true,
        };
        let command = command(variant, 23, &options);
        let words = command.split_whitespace().skip(1);
        let matches = SimArgs::augment_args(Command::new("sim")).get_matches_from(words);
        let args = SimArgs::from_arg_matches(&matches).unwrap();
        assert_eq!(format!("{:?}", args.kinds(23)), format!("{:?}", [options]));
        assert_eq!(args.place(0).0, 23);
        let variants: Vec<_> = args.variants().map(Variant::label).collect();
        assert_eq!(variants, ["static with directory"]);
    }
}
