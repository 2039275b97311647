//! The registered strategies, and how to work with one that is chosen by name.

use super::info::{ClusterShape, Directory, StrategyInfo};
use super::list::{Empty, With};
use ssmr_core::{Oracle, Topology};

/// Work to be done with a strategy.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it, with the strategy and the topology of its clusters.
    fn visit<O: Oracle>(self, oracle: O, topology: Topology) -> Self::Output;
}

/// A strategy under its name: one value, or two that `--directory` chooses from.
#[derive(Clone, Debug)]
pub struct Strategy<O> {
    /// The strategy, without a directory where it has another with one.
    plain: O,
    /// What `--directory home` asks for.
    with_directory: Option<O>,
}

impl<O: Oracle> Strategy<O> {
    /// A strategy of one kind.
    pub(crate) fn new(plain: O) -> Self {
        Self {
            plain,
            with_directory: None,
        }
    }

    /// A strategy of two kinds.
    pub(crate) fn with_directory(plain: O, with_directory: O) -> Self {
        Self {
            plain,
            with_directory: Some(with_directory),
        }
    }
}

/// A list of strategies.
pub trait Strategies: Sync {
    /// What can be said of each, in the order of registration.
    fn infos(&self) -> Vec<StrategyInfo>;

    /// Does the visitor's work with the strategy of this name.
    ///
    /// # Errors
    /// With the visitor, if there is no such strategy.
    fn with<V: Visitor>(
        &self,
        name: &str,
        shape: &ClusterShape,
        visitor: V,
    ) -> Result<V::Output, V>;

    /// The same with a name that is known to be registered.
    ///
    /// # Panics
    /// If it is not.
    fn with_known<V: Visitor>(&self, name: &str, shape: &ClusterShape, visitor: V) -> V::Output {
        self.with(name, shape, visitor)
            .unwrap_or_else(|_| unreachable!("strategy {name} is not registered"))
    }
}

impl Strategies for Empty {
    fn infos(&self) -> Vec<StrategyInfo> {
        Vec::new()
    }

    fn with<V: Visitor>(&self, _: &str, _: &ClusterShape, visitor: V) -> Result<V::Output, V> {
        Err(visitor)
    }
}

impl<Rest: Strategies, O: Oracle> Strategies for With<Rest, Strategy<O>> {
    fn infos(&self) -> Vec<StrategyInfo> {
        let mut infos = self.rest.infos();
        infos.push(StrategyInfo {
            name: O::NAME,
            needs: self.last.plain.needs(),
            has_directory: self.last.with_directory.is_some(),
        });
        infos
    }

    fn with<V: Visitor>(
        &self,
        name: &str,
        shape: &ClusterShape,
        visitor: V,
    ) -> Result<V::Output, V> {
        if name != O::NAME {
            return self.rest.with(name, shape, visitor);
        }
        let oracle = match (shape.directory, &self.last.with_directory) {
            (Directory::Home, Some(oracle)) => oracle,
            _ => &self.last.plain,
        };
        let topology = shape.topology(oracle.needs());
        Ok(visitor.visit(oracle.clone(), topology))
    }
}
