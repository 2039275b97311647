//! What is known of a registered strategy without its type, and the clusters it may be given.

use serde::{Deserialize, Serialize};
use ssmr_core::topology::TopologyError;
use ssmr_core::{Needs, Topology};

/// What can be said of a strategy without its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrategyInfo {
    /// The value of `--strategy` and of the CSV column.
    pub name: &'static str,
    /// What its clusters must have.
    pub needs: Needs,
    /// The name of its variant for `--directory home`, if it has one: what cluster files call it.
    pub with_directory: Option<&'static str>,
}

impl StrategyInfo {
    /// Whether it has a variant for `--directory home`.
    #[must_use]
    pub fn has_directory(&self) -> bool {
        self.with_directory.is_some()
    }

    /// The variants that it has, by the names that cluster files call them.
    pub(crate) fn variants(&self) -> impl Iterator<Item = (&'static str, Directory)> {
        let plain = (self.name, Directory::None);
        let with = self.with_directory.map(|name| (name, Directory::Home));
        [Some(plain), with].into_iter().flatten()
    }
}

/// Which variant of a strategy is wanted, where it has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Directory {
    /// The one without a directory: objects stay at home.
    None,
    /// The one whose homes know where an object has gone.
    Home,
}

/// The clusters that a strategy may be given.
#[derive(Clone, Copy, Debug)]
pub struct ClusterShape {
    /// The partitions alone.
    pub partitions: Topology,
    /// The partitions, and an oracle group.
    pub with_oracle: Topology,
    /// Which variant is wanted of a strategy that has two.
    pub directory: Directory,
}

impl ClusterShape {
    /// The topology of a strategy with these needs.
    #[must_use]
    pub fn topology(&self, needs: Needs) -> Topology {
        if needs.oracle_group {
            self.with_oracle
        } else {
            self.partitions
        }
    }
}

/// How many groups and replicas a cluster has, before anybody has looked whether that can be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Partitions.
    pub(crate) partitions: u8,
    /// Replicas of each.
    pub(crate) replicas: u8,
    /// Replicas of the oracle group, where there is one.
    pub(crate) oracle_replicas: u8,
}

/// Which of the sizes cannot be, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BadSize {
    /// Those of the partitions.
    Partitions(TopologyError),
    /// That of the oracle group.
    Oracle(TopologyError),
}

impl Sizes {
    /// The clusters of these sizes.
    ///
    /// # Errors
    /// If there can be none.
    pub(crate) fn shape(self, directory: Directory) -> Result<ClusterShape, BadSize> {
        let partitions = Topology::new(self.partitions, self.replicas);
        let partitions = partitions.map_err(BadSize::Partitions)?;
        let with_oracle = partitions.with_oracle(self.oracle_replicas);
        Ok(ClusterShape {
            partitions,
            with_oracle: with_oracle.map_err(BadSize::Oracle)?,
            directory,
        })
    }
}
