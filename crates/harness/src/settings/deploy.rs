//! Where the replicas of a run are.

use serde::{Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The value of `--deploy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deploy {
    /// In threads of this process.
    Threads,
    /// Each in a process of its own, on this machine.
    Processes,
    /// Where a cluster file says: somebody else runs them.
    Cluster(PathBuf),
}

impl FromStr for Deploy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "threads" => Ok(Self::Threads),
            "processes" => Ok(Self::Processes),
            _ if Path::new(text).extension().is_some_and(|it| it == "toml") => {
                Ok(Self::Cluster(text.into()))
            }
            _ => Err("it is neither threads nor processes nor a cluster's FILE.toml".into()),
        }
    }
}

impl fmt::Display for Deploy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Threads => f.write_str("threads"),
            Self::Processes => f.write_str("processes"),
            Self::Cluster(path) => path.display().fmt(f),
        }
    }
}

impl Serialize for Deploy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
