//! The settings of `sim`: which simulations there are, and what each of them is a function of.

use super::names::execution_name;
use crate::registry::info::{Directory, StrategyInfo};
use ssmr_core::{CacheReads, Execution, Reads};
use ssmr_sim::{Options, Profile};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// The name of reading in each way in turn.
pub(crate) const EACH: &str = "each";

/// The name of both ways of execution.
pub(crate) const BOTH: &str = "both";

/// Which simulations to run.
#[derive(Clone, Debug)]
pub(crate) struct SimSettings {
    /// The strategies, each once, in the order of registration.
    pub(crate) strategies: Vec<StrategyInfo>,
    /// Which variants of strategies that have two.
    pub(crate) directories: Vec<Directory>,
    /// The seeds. There is at least one.
    pub(crate) seeds: Range<u64>,
    /// Which faults strike; nothing means each in turn.
    pub(crate) profiles: Vec<Profile>,
    /// Where multi-partition accesses execute.
    pub(crate) executions: Vec<Execution>,
    /// How reads are answered; nothing means that it changes with the seed.
    pub(crate) reads: Option<Reads>,
    /// Whether a shared cache answers reads alone; nothing means that it changes with the seed.
    pub(crate) cache_reads: Option<CacheReads>,
    /// All else that a simulation is a function of.
    pub(crate) options: Options,
    /// The file that keeps what is done.
    pub(crate) resume: Option<PathBuf>,
    /// The file that every counter is written to.
    pub(crate) out: Option<PathBuf>,
    /// Whether to tell all that happens in the only simulation.
    pub(crate) trace: bool,
    /// The file that it is drawn to.
    pub(crate) trace_json: Option<PathBuf>,
    /// Whether to show no progress.
    pub(crate) quiet: bool,
}

impl SimSettings {
    /// The combinations of profile and execution that were asked for, for one seed.
    pub(crate) fn kinds(&self, seed: u64) -> Vec<Options> {
        let of_seed = Reads::ALL[(seed % Reads::ALL.len() as u64) as usize];
        let reads = self.reads.unwrap_or(of_seed);
        let of_seed = CacheReads::ALL[(seed / Reads::ALL.len() as u64 % 2) as usize];
        let cache_reads = self.cache_reads.unwrap_or(of_seed);
        let wanted =
            |profile: &Profile| self.profiles.is_empty() || self.profiles.contains(profile);
        let options = |profile, execution| Options {
            execution,
            reads,
            cache_reads,
            profile,
            ..self.options
        };
        let profiles = Profile::ALL.into_iter().filter(wanted);
        profiles
            .flat_map(|profile| self.executions.iter().map(move |&e| options(profile, e)))
            .collect()
    }

    /// How many simulations there are of each strategy.
    pub(crate) fn count(&self) -> u64 {
        (self.seeds.end - self.seeds.start) * self.kinds(0).len() as u64
    }

    /// Seed and options of one of the simulations.
    pub(crate) fn place(&self, number: u64) -> (u64, Options) {
        let kinds = self.kinds(0).len() as u64;
        let seed = self.seeds.start + number / kinds;
        (seed, self.kinds(seed)[(number % kinds) as usize])
    }

    /// What the simulations of a strategy, and their numbers, are a function of, by flag.
    pub(crate) fn identity(&self) -> BTreeMap<String, String> {
        let profiles: Vec<String> = self.profiles.iter().map(ToString::to_string).collect();
        let execution = match self.executions[..] {
            [execution] => execution_name(execution),
            _ => BOTH,
        };
        let options = &self.options;
        let settings = [
            (
                "--seeds",
                format!("{}..{}", self.seeds.start, self.seeds.end),
            ),
            ("--profile", profiles.join(",")),
            ("--execution", execution.into()),
            ("--reads", self.reads.map_or(EACH, Reads::name).into()),
            (
                "--cache-reads",
                self.cache_reads.map_or(EACH, CacheReads::name).into(),
            ),
            ("--steps", options.steps.to_string()),
            ("--partitions", options.partitions.to_string()),
            ("--replicas", options.replicas.to_string()),
            ("--clients", options.clients.to_string()),
            ("--window", options.window.to_string()),
            ("--requests", options.requests.to_string()),
            ("--objects", options.objects.to_string()),
            ("--log-bytes", options.log_bytes.to_string()),
            ("--mutant", mutant(options)),
        ];
        settings
            .into_iter()
            .map(|(flag, value)| (flag.to_owned(), value))
            .collect()
    }
}

/// The fault that is built in.
fn mutant(options: &Options) -> String {
    #[cfg(feature = "mutants")]
    if let Some(mutant) = options.mutant {
        return mutant.name();
    }
    let _ = options;
    "none".into()
}
