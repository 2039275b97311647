//! The cluster file: all that a process must know to be one of a cluster's replicas. TOML, for
//! people to read and write.
//!
//! It starts nothing. Invariant: a file that was read names a cluster that can be, with an address
//! for each replica.

use crate::error::FileError;
use crate::program;
use crate::registry::info::{BadSize, ClusterShape, Directory, Sizes};
use crate::settings::names::DurabilityName;
use serde::{Deserialize, Serialize};
use ssmr_core::Topology;
use ssmr_net::{ClusterConfig, Durability};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A cluster, as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterFile {
    /// The workload whose service is replicated.
    pub(crate) workload: String,
    /// The strategy's name.
    pub(crate) strategy: String,
    /// Partitions.
    pub(crate) partitions: u8,
    /// Replicas of each.
    pub(crate) replicas: u8,
    /// Replicas of the oracle group, where the strategy has one.
    pub(crate) oracle_replicas: u8,
    /// Whether static placement keeps a directory.
    pub(crate) directory: Directory,
    /// Tells this cluster from others at the same addresses or with the same cache. Integers of
    /// TOML have a sign; it means nothing here.
    pub(crate) incarnation: i64,
    /// For election timers.
    pub(crate) seed: i64,
    /// Where logs are kept.
    pub(crate) durability: DurabilityName,
    /// After how many bytes of log a replica makes a snapshot.
    pub(crate) log_bytes: usize,
    /// How many microseconds a leader takes for each thing that a client asks, to emulate a slower
    /// machine.
    pub(crate) service_time_us: Option<u64>,
    /// Whether replicas measure where the time of commands goes.
    #[serde(default)]
    pub(crate) stages: bool,
    /// The folder for them, if they are kept.
    pub(crate) logs: Option<PathBuf>,
    /// Shared caches, as `host:port`.
    pub(crate) cache_servers: Vec<String>,
    /// Where each replica listens, by its name.
    pub(crate) addresses: BTreeMap<String, SocketAddr>,
}

/// The names that a file may use.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Of the registered strategies.
    pub(crate) strategies: Vec<&'static str>,
    /// Of the registered workloads.
    pub(crate) workloads: Vec<&'static str>,
}

fn is_known(what: &str, name: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&name) {
        return Ok(());
    }
    Err(format!("{what}: {name} is not one of {}", known.join(", ")))
}

impl ClusterFile {
    /// Reads a file and checks that what it describes can be.
    ///
    /// # Errors
    /// If it is no such file, or names something unknown.
    pub(crate) fn read(path: &Path, known: &Known) -> Result<Self, FileError> {
        let failed = |source| FileError::Io {
            path: path.into(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Self::parse(&text, path, known)
    }

    /// Reads the text of the file at `path`.
    pub(crate) fn parse(text: &str, path: &Path, known: &Known) -> Result<Self, FileError> {
        let file: Self = toml::from_str(text).map_err(|source| FileError::Form {
            path: path.into(),
            source: Box::new(source),
        })?;
        let checked = file.check(known).map_err(|problem| FileError::Content {
            path: path.into(),
            problem,
        });
        checked.map(|()| file)
    }

    /// Writes the file.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(self)?;
        let about = program::named(
            "# A cluster. Each of its replicas runs with: PROGRAM node --cluster THIS_FILE \
             --replica NAME\n\
             # Once, when they run for the first time: PROGRAM cluster found THIS_FILE\n\n",
        );
        let failed = |source| FileError::Io {
            path: path.into(),
            source,
        };
        std::fs::write(path, format!("{about}{text}")).map_err(failed)?;
        Ok(())
    }

    fn check(&self, known: &Known) -> Result<(), String> {
        self.shape()?;
        is_known("strategy", &self.strategy, &known.strategies)?;
        is_known("workload", &self.workload, &known.workloads)?;
        if self.durability != DurabilityName::Memory && self.logs.is_none() {
            return Err("logs: a folder is needed for them, or durability = \"memory\"".into());
        }
        Ok(())
    }

    /// The clusters of these sizes.
    ///
    /// # Errors
    /// If there can be none.
    pub(crate) fn shape(&self) -> Result<ClusterShape, String> {
        let sizes = Sizes {
            partitions: self.partitions,
            replicas: self.replicas,
            oracle_replicas: self.oracle_replicas,
        };
        sizes.shape(self.directory).map_err(|bad| match bad {
            BadSize::Partitions(error) => format!("partitions, replicas: {error}"),
            BadSize::Oracle(error) => format!("oracle_replicas: {error}"),
        })
    }

    /// The cluster as replicas and clients see it, with the topology that its strategy has.
    pub(crate) fn config(&self, topology: Topology) -> Result<ClusterConfig, String> {
        let address = |id: ssmr_core::ReplicaId| {
            let address = self.addresses.get(&id.to_string());
            let address = address.ok_or_else(|| format!("addresses: {id} is missing"))?;
            Ok((id, *address))
        };
        let known = |name: &String| topology.replicas().any(|id| id.to_string() == **name);
        if let Some(stranger) = self.addresses.keys().find(|name| !known(name)) {
            return Err(format!(
                "addresses: {stranger} is no replica of this cluster"
            ));
        }
        let addresses = topology.replicas().map(address);
        let addresses = addresses.collect::<Result<_, String>>()?;
        let config = ClusterConfig::new(topology, self.incarnation as u64, addresses);
        Ok(config.with_cache_servers(self.cache_servers.clone()))
    }

    /// Where replicas keep their logs.
    pub(crate) fn durability(&self) -> Durability {
        let logs = self.logs.clone().unwrap_or_default();
        match self.durability {
            DurabilityName::Memory => Durability::Memory,
            DurabilityName::Async => Durability::Async(logs),
            DurabilityName::Sync => Durability::Sync(logs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known {
            strategies: vec!["static"],
            workloads: vec!["kv"],
        }
    }

    fn example() -> ClusterFile {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        ClusterFile {
            workload: "kv".into(),
            strategy: "static".into(),
            partitions: 2,
            replicas: 1,
            oracle_replicas: 1,
            directory: Directory::Home,
            incarnation: u64::MAX as i64,
            seed: 1,
            durability: DurabilityName::Sync,
            log_bytes: 1 << 20,
            service_time_us: Some(1_000),
            stages: true,
            logs: Some("logs".into()),
            cache_servers: Vec::new(),
            addresses: [("p0r0".into(), at(4000)), ("p1r0".into(), at(4001))].into(),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.toml");
        example().write(&path).unwrap();
        let read = ClusterFile::read(&path, &known()).unwrap();
        assert_eq!(read, example());
        let config = read.config(read.shape().unwrap().partitions).unwrap();
        assert_eq!((config.incarnation, config.addresses.len()), (u64::MAX, 2));
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.toml");
        let refused = |from: &str, to: &str| {
            let text = toml::to_string(&example()).unwrap();
            assert!(text.contains(from), "no {from} in {text}");
            std::fs::write(&path, text.replace(from, to)).unwrap();
            let error = ClusterFile::read(&path, &known()).unwrap_err().to_string();
            assert!(error.contains("cluster.toml"), "{error}");
            error
        };
        assert!(refused("partitions = 2", "partitions = two").contains("line 3"));
        assert!(refused("partitions = 2", "partitions = 0").contains("partitions"));
        assert!(refused("127.0.0.1:4000", "127.0.0.1").contains("127.0.0.1"));
        assert!(refused("\"static\"", "\"magic\"").contains("magic is not one of static"));
        assert!(refused("\"kv\"", "\"tpcc\"").contains("tpcc is not one of kv"));
        assert!(refused("logs = \"logs\"", "").contains("logs"));
        assert!(refused("seed = 1", "seeds = 1").contains("seeds"));
    }

    #[test]
    fn each_replica_has_exactly_one_address() {
        let config = |file: &ClusterFile| file.config(file.shape().unwrap().partitions);
        let mut file = example();
        let address = file.addresses.remove("p1r0").unwrap();
        assert!(config(&file).unwrap_err().contains("p1r0 is missing"));
        file.addresses.insert("p7r0".into(), address);
        assert!(config(&file).unwrap_err().contains("p7r0"));
    }
}
