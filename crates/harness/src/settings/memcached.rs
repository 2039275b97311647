//! Which shared cache strategy cache uses.

use serde::{Serialize, Serializer};
use std::fmt;

/// Which shared cache there is, for strategies that use one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Memcached {
    /// One within this process.
    Embedded,
    /// So many memcached servers that are started for it, on this machine.
    Local(u8),
    /// Servers that run already, as `host:port`.
    Servers(Vec<String>),
}

impl Memcached {
    /// How many servers are started for it.
    pub(crate) fn local_count(&self) -> usize {
        match self {
            Self::Local(count) => usize::from(*count),
            _ => 0,
        }
    }
}

impl fmt::Display for Memcached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Local(count) => write!(f, "local:{count}"),
            Self::Servers(servers) => f.write_str(&servers.join(",")),
        }
    }
}

impl Serialize for Memcached {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
