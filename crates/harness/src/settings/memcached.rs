//! Which shared cache strategy cache uses.

use serde::{Serialize, Serializer};
use std::fmt;

/// Which shared cache there is, for strategies that use one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Memcached {
    /// One within this process.
    Embedded,
    /// memcached servers that are started for it, on this machine.
    Local {
        /// How many.
        count: u8,
        /// How much each of them keeps, in MiB.
        megabytes: u32,
    },
    /// Servers that run already, as `host:port`.
    Servers(Vec<String>),
}

impl Memcached {
    /// How much a server of the run's own keeps unless it is said otherwise, in MiB.
    pub(crate) const MEGABYTES: u32 = 64;

    /// How many servers are started for it.
    pub(crate) fn local_count(&self) -> usize {
        match self {
            Self::Local { count, .. } => usize::from(*count),
            _ => 0,
        }
    }
}

impl fmt::Display for Memcached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Local { count, megabytes } => {
                write!(f, "local:{count}")?;
                match *megabytes {
                    Self::MEGABYTES => Ok(()),
                    megabytes => write!(f, ":{megabytes}MiB"),
                }
            }
            Self::Servers(servers) => f.write_str(&servers.join(",")),
        }
    }
}

impl Serialize for Memcached {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
