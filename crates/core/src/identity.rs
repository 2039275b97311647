//! What makes a cluster this one and no other. Connections compare it, and so does a replica with
//! its data folder: both must name what differs.

use crate::application::Application;
use crate::oracle::Oracle;
use crate::topology::Topology;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A service and the version of its types: [`Application::NAME`] and [`Application::VERSION`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceVersion {
    /// What it is called.
    pub name: String,
    /// The version of its types.
    pub version: u32,
}

impl ServiceVersion {
    /// What an application says of itself.
    #[must_use]
    pub fn of<A: Application>() -> Self {
        Self {
            name: A::NAME.to_owned(),
            version: A::VERSION,
        }
    }
}

impl fmt::Display for ServiceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (version {})", self.name, self.version)
    }
}

/// What all replicas and clients of a cluster agree on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Tells the cluster from others at the same addresses or in the same folder.
    pub incarnation: u64,
    /// What is replicated.
    pub service: ServiceVersion,
    /// The strategy's name. It decides which group logs which command, so a log makes sense under
    /// one strategy only.
    pub strategy: String,
    /// The groups.
    pub topology: Topology,
}

/// Something on which two identities differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// They are two clusters, or two incarnations of one.
    Cluster,
    /// Another service, or another version of it.
    Service,
    /// Another strategy.
    Strategy,
    /// Other groups.
    Topology,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cluster => "cluster",
            Self::Service => "service",
            Self::Strategy => "strategy",
            Self::Topology => "topology",
        })
    }
}

impl Identity {
    /// A cluster of this service and strategy.
    pub fn of<A: Application>(oracle: &dyn Oracle, topology: Topology, incarnation: u64) -> Self {
        Self {
            incarnation,
            service: ServiceVersion::of::<A>(),
            strategy: oracle.name().to_owned(),
            topology,
        }
    }

    /// The first thing on which another one differs.
    #[must_use]
    pub fn difference(&self, theirs: &Self) -> Option<Difference> {
        if self.incarnation != theirs.incarnation {
            return Some(Difference::Cluster);
        }
        if self.service != theirs.service {
            return Some(Difference::Service);
        }
        if self.strategy != theirs.strategy {
            return Some(Difference::Strategy);
        }
        (self.topology != theirs.topology).then_some(Difference::Topology)
    }

    /// What it says there, for people.
    #[must_use]
    pub fn value(&self, of: Difference) -> String {
        match of {
            Difference::Cluster => format!("{:016x}", self.incarnation),
            Difference::Service => self.service.to_string(),
            Difference::Strategy => self.strategy.clone(),
            Difference::Topology => self.topology.to_string(),
        }
    }
}
