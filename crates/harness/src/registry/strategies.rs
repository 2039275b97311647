//! The registered strategies, and the one that is chosen by name.

use super::info::{ClusterShape, Directory, StrategyInfo};
use ssmr_core::{Oracle, Topology};
use std::sync::Arc;

/// A strategy under its name: one value, or two that `--directory` chooses from.
#[derive(Clone, Debug)]
struct Strategy {
    /// The strategy, without a directory where it has another with one.
    plain: Arc<dyn Oracle>,
    /// What `--directory home` asks for.
    with_directory: Option<Arc<dyn Oracle>>,
}

/// A strategy that was chosen, and its clusters.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// The value of `--strategy`.
    pub(crate) name: &'static str,
    /// The strategy.
    pub(crate) oracle: Arc<dyn Oracle>,
    /// The topology of its clusters.
    pub(crate) topology: Topology,
}

/// The registered strategies, in the order of registration.
///
/// Invariant: they are checked before the command line is read, so a name that got past it is found
/// once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strategies(Vec<Strategy>);

impl Strategies {
    /// Adds a strategy of one kind.
    pub(crate) fn add(&mut self, plain: impl Oracle) {
        self.0.push(Strategy {
            plain: plain.into_shared(),
            with_directory: None,
        });
    }

    /// Adds a strategy of two kinds, under the name of the one without a directory.
    pub(crate) fn add_with_directory(&mut self, plain: impl Oracle, with: impl Oracle) {
        self.0.push(Strategy {
            plain: plain.into_shared(),
            with_directory: Some(with.into_shared()),
        });
    }

    /// What can be said of each.
    pub(crate) fn infos(&self) -> Vec<StrategyInfo> {
        let info = |strategy: &Strategy| StrategyInfo {
            name: strategy.plain.name(),
            needs: strategy.plain.needs(),
            with_directory: strategy.with_directory.as_ref().map(Oracle::name),
        };
        self.0.iter().map(info).collect()
    }

    /// The strategy of this name and its variant for a cluster, if there is one.
    pub(crate) fn choose(&self, name: &str, shape: &ClusterShape) -> Option<Chosen> {
        let strategy = self.0.iter().find(|known| known.plain.name() == name)?;
        let oracle = match (shape.directory, &strategy.with_directory) {
            (Directory::Home, Some(oracle)) => oracle,
            _ => &strategy.plain,
        };
        Some(Chosen {
            name: strategy.plain.name(),
            oracle: oracle.clone(),
            topology: shape.topology(oracle.needs()),
        })
    }

    /// The strategy that cluster files know by this name, which is known to be registered.
    ///
    /// # Panics
    /// If it is not.
    pub(crate) fn known_oracle(&self, name: &str) -> Arc<dyn Oracle> {
        let variants = self.0.iter().flat_map(|strategy| {
            let variants = [Some(&strategy.plain), strategy.with_directory.as_ref()];
            variants.into_iter().flatten()
        });
        let found = variants.clone().find(|oracle| oracle.name() == name);
        let oracle = found.unwrap_or_else(|| unreachable!("{name} is not registered"));
        oracle.clone()
    }

    /// The same with a name that is known to be registered.
    ///
    /// # Panics
    /// If it is not.
    pub(crate) fn choose_known(&self, name: &str, shape: &ClusterShape) -> Chosen {
        self.choose(name, shape)
            .unwrap_or_else(|| unreachable!("strategy {name} is not registered"))
    }
}
