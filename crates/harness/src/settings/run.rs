//! The settings of `run`, with defaults filled in. `run.json` keeps them.

use super::deploy::Deploy;
use super::history::HistoryFile;
use super::memcached::Memcached;
use super::names::{DurabilityName, execution_as_text};
use super::net::Net;
use crate::fault::grammar::Fault;
use crate::registry::info::{Directory, Sizes, StrategyInfo};
use crate::trace::file::TraceFile;
use crate::workload::contract::LoadShape;
use crate::workload::knobs::Knobs;
use crate::workload::run_number::RunNumber;
use serde::Serialize;
use serde_json::{Map, Value};
use ssmr_core::{CacheReads, Execution, Reads};
use ssmr_net::ClusterFile;
use std::path::PathBuf;
use std::time::Duration;

/// What `--duration` is where a workload ends by itself, in days and as a time.
pub(crate) const FOR_EVER_DAYS: &str = "365days";
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What to run, and how.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunSettings {
    /// The command that asks for it, in full.
    #[serde(skip)]
    pub(crate) command_line: Vec<String>,
    /// The strategies as they were asked for.
    pub(crate) strategy: Vec<String>,
    /// The same strategies, each once, in the order of registration.
    #[serde(skip)]
    pub(crate) strategies: Vec<StrategyInfo>,
    /// The workload's name.
    pub(crate) workload: String,
    /// Partitions.
    pub(crate) partitions: u8,
    /// Replicas of each.
    pub(crate) replicas: u8,
    /// Replicas of the oracle group, where a strategy has one.
    pub(crate) oracle_replicas: u8,
    /// Concurrent clients.
    pub(crate) clients: u64,
    /// Requests that a client keeps outstanding; in a closed loop.
    pub(crate) window: u64,
    /// Commands a second; in an open loop.
    pub(crate) rate: Option<u64>,
    /// Whether to search for the highest throughput.
    pub(crate) peak: bool,
    /// How long to measure.
    #[serde(serialize_with = "time_as_text")]
    pub(crate) duration: Duration,
    /// How many commands of each client to measure, if not those of a time.
    pub(crate) operations: Option<u64>,
    /// How long to run before measuring.
    #[serde(serialize_with = "time_as_text")]
    pub(crate) warmup: Duration,
    /// For everything random.
    pub(crate) seed: u64,
    /// Which run of its cluster it is; 0 where the cluster is its own.
    #[serde(skip_serializing_if = "RunNumber::is_zero")]
    pub(crate) run: RunNumber,
    /// Where accesses to objects of several partitions execute, if the strategy can.
    #[serde(serialize_with = "execution_as_text")]
    pub(crate) execution: Execution,
    /// How reads of objects at one partition are answered.
    pub(crate) reads: Reads,
    /// Whether reads of single objects may be answered by the shared cache alone.
    pub(crate) cache_reads: CacheReads,
    /// Where replicas keep their logs.
    pub(crate) durability: DurabilityName,
    /// After how many bytes of log a replica makes a snapshot.
    pub(crate) log_bytes: usize,
    /// How long leaders take for each thing that a client asks, if longer than they really do.
    #[serde(serialize_with = "some_time_as_text")]
    pub(crate) service_time: Option<Duration>,
    /// Whether to measure where the time of commands goes.
    pub(crate) breakdown: bool,
    /// The network that is emulated.
    pub(crate) net: Net,
    /// Where replicas run.
    pub(crate) deploy: Deploy,
    /// The cluster, if somebody else runs it.
    #[serde(skip)]
    pub(crate) cluster: Option<ClusterFile>,
    /// What to break while it is measured.
    pub(crate) fault: Vec<Fault>,
    /// Whether to read every object at the end, without faults too.
    pub(crate) audit: bool,
    /// Whether to write down each command.
    pub(crate) samples: bool,
    /// Where to write the complete history.
    pub(crate) history: Option<HistoryFile>,
    /// Where to write what the clients issue, as a trace.
    pub(crate) record: Option<TraceFile>,
    /// Which variant to run of strategies that have two.
    pub(crate) directory: Directory,
    /// The folder for result files.
    pub(crate) out: PathBuf,
    /// The first port of the replicas.
    pub(crate) base_port: Option<u16>,
    /// The shared cache.
    pub(crate) memcached: Memcached,
    /// Whether to print nothing but errors.
    pub(crate) quiet: bool,
    /// The flags that workloads share, as they were given.
    pub(crate) knobs: Knobs,
    /// The flags of each workload, by its name.
    #[serde(flatten)]
    pub(crate) workload_flags: Map<String, Value>,
}

impl RunSettings {
    /// How long a strategy is measured at least: a number of commands, and a trace, may be over at
    /// once.
    pub(crate) fn least_time(&self) -> Duration {
        match self.operations.is_some() || self.duration >= FOR_EVER {
            true => self.warmup,
            false => self.warmup + self.duration,
        }
    }

    /// The sizes of the clusters.
    pub(crate) fn sizes(&self) -> Sizes {
        Sizes {
            partitions: self.partitions,
            replicas: self.replicas,
            oracle_replicas: self.oracle_replicas,
        }
    }

    /// The files for the histories of all strategies.
    pub(crate) fn history_files(&self) -> impl Iterator<Item = PathBuf> {
        let names = self.strategies.iter().map(|info| info.name);
        names.filter_map(|name| self.history_of(name))
    }

    /// The file for the history of one strategy.
    pub(crate) fn history_of(&self, strategy: &str) -> Option<PathBuf> {
        let several = self.strategies.len() > 1;
        let file = self.history.as_ref();
        file.map(|file| file.of(strategy, several))
    }

    /// The trace of what the clients issue under one strategy.
    pub(crate) fn record_of(&self, strategy: &str) -> Option<TraceFile> {
        let several = self.strategies.len() > 1;
        let file = self.record.as_ref();
        file.map(|file| file.of(strategy, several))
    }

    /// What every workload is made from.
    pub(crate) fn load_shape(&self) -> LoadShape {
        LoadShape {
            seed: self.seed,
            clients: self.clients,
            partitions: self.partitions,
            run: self.run,
            quiet: self.quiet,
            knobs: self.knobs,
        }
    }
}

fn some_time_as_text<S: serde::Serializer>(
    time: &Option<Duration>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let text = time.map(|time| humantime::format_duration(time).to_string());
    text.serialize(to)
}

fn time_as_text<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&humantime::format_duration(*time))
}
