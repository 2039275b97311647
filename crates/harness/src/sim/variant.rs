//! What is simulated of a strategy: itself, or each of its two variants.

use crate::error::UsageError;
use crate::registry::info::{BadSize, ClusterShape, Directory, Sizes, StrategyInfo};
use crate::registry::strategies::Strategies;
use crate::settings::sim::SimSettings;
use ssmr_sim::{Failure, Options, simulate};

/// A strategy, or one of the two that share its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    /// The strategy.
    pub(crate) strategy: StrategyInfo,
    /// Which of the two.
    pub(crate) directory: Directory,
}

/// The variants that were asked for, in the order of registration.
pub(crate) fn variants(settings: &SimSettings) -> impl Iterator<Item = Variant> {
    settings.strategies.iter().flat_map(|strategy| {
        let directories: &[Directory] = if strategy.has_directory() {
            &settings.directories
        } else {
            &[Directory::None]
        };
        directories.iter().map(|directory| Variant {
            strategy: *strategy,
            directory: *directory,
        })
    })
}

impl Variant {
    /// How it is called in results.
    pub(crate) fn label(self) -> String {
        let with = match self.directory {
            Directory::None => "",
            Directory::Home => " with directory",
        };
        format!("{}{with}", self.strategy.name)
    }

    /// The clusters of its simulations.
    ///
    /// # Errors
    /// If there can be none of these sizes.
    pub(super) fn shape(self, options: &Options) -> Result<ClusterShape, UsageError> {
        let sizes = Sizes {
            partitions: options.partitions,
            replicas: options.replicas,
            oracle_replicas: options.replicas,
        };
        sizes.shape(self.directory).map_err(|bad| {
            let (BadSize::Partitions(error) | BadSize::Oracle(error)) = bad;
            UsageError::new("--partitions", error.to_string())
        })
    }

    /// Runs one simulation. The flags have been checked, and a topology that is smaller than
    /// theirs is possible, too.
    pub(super) fn simulate(
        self,
        strategies: &Strategies,
        seed: u64,
        options: Options,
    ) -> Option<Failure> {
        let shape = self.shape(&options).ok()?;
        let chosen = strategies.choose_known(self.strategy.name, &shape);
        simulate(&chosen.oracle, seed, options).err()
    }
}
