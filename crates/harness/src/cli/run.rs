//! The flags of `run`: their defaults, and what makes a value bad.

use super::choices::{DIRECTORIES, DURABILITIES, EXECUTIONS, cache_reads, choices, reads};
use super::values::{chosen, history_file, log_bytes, memcached, odd, positive_time, service_time};
use crate::fault::grammar::Fault;
use crate::registry::check::ALL;
use crate::registry::info::{Directory, StrategyInfo};
use crate::settings::deploy::Deploy;
use crate::settings::history::HistoryFile;
use crate::settings::memcached::Memcached;
use crate::settings::names::DurabilityName;
use crate::settings::net::Net;
use crate::settings::run::{FOR_EVER_DAYS, RunSettings};
use crate::time;
use crate::trace::file::TraceFile;
use crate::workload::knobs::Knobs;
use crate::workload::run_number::RunNumber;
use clap::Args;
use serde_json::{Map, Value};
use ssmr_core::{CacheReads, Execution, Reads};
use ssmr_net::LOG_BYTES;
use std::path::PathBuf;
use std::time::Duration;

/// Commands to begin with: what each is for, and the command.
pub(super) const EXAMPLES: &str = "\
  Compare the four strategies:
    PROGRAM run --strategy all
  A social network on a real graph:
    PROGRAM run --strategy all --workload chirper --graph ego-facebook.txt --duration 5s
  Published mixes with creates and deletes, on more objects:
    PROGRAM run --strategy all --workload linkbench --nodes 100000 --duration 30s
  Transactions that create orders, on a warehouse for each of four partitions:
    PROGRAM run --strategy all --workload tpcc --partitions 4 --duration 30s
  Half of the commands touch exactly three of four partitions:
    PROGRAM run --partitions 4 --multi-partitions 3 --multi 50 --move 0 --read 5
  Many moves, objects gathered before each access, eight partitions:
    PROGRAM run --strategy broker,cache --execution gather --partitions 8 --move 20 --read 30
  Latency at a fixed load, without coordinated omission:
    PROGRAM run --strategy static --rate 5000 --duration 30s
  How much each can do, and the latencies at half and three quarters of that:
    PROGRAM run --strategy all --peak --duration 2s
  What an earlier run did, with another seed:
    PROGRAM run --from results/latest --seed 2
  Replicas at three sites on two continents, emulated:
    PROGRAM run --strategy all --net wan --duration 30s
  Replicas in processes of their own, one killed each second:
    PROGRAM run --strategy all --deploy processes --durability sync --fault kill-random";

/// What scripts learn from how it ends.
pub(super) const EXIT_STATUS: &str = "\
Exit status:
  0    every history was judged and is linearizable, and every replica is there at the end
  1    a violation, also of what a workload promises of its objects; or a history that is
       unchecked, for more than 1 % of it could not be judged; or a group that lost its majority;
       or something else that failed
  2    the command line was wrong
  3    every history was judged and is linearizable, but at the end replicas are missing
  130  Ctrl-C; what was measured until then is written";

/// The workload that has an end of its own.
const TRACE: &str = "trace";

/// What `--help` says of schedules.
const FAULTS: &str = "\
What to break while it is measured, separated by commas. Times count from the start of
measuring
  kill:p0r1@3s[+2s]           kill a replica after 3 s; it is back 2 s later
  kill-leader:p0@3s[+2s]      the same for the leader of a partition
  kill-oracle-leader@3s[+2s]  the same for the leader of the oracle of strategy broker
  pause:p0r1@3s+2s            stop a replica's process where it is, for 2 s
  cut:p0r1@3s+2s              cut a replica off from all others for 2 s; clients still
                              reach it
  cut-in:p0r1@3s+2s           the same, but the others hear it
  cut-out:p0r1@3s+2s          the same, but it hears the others
  cut-client:p0r1@3s+2s       cut a replica off from all clients; the others still reach it
  full-disk:p0r1@3s+2s        fill the disk of a replica, so that it stops; 2 s later it
                              is free, and the replica is started again. Data folders lie
                              on small file systems in memory then, which takes root
  stop-cache@3s+2s            stop the embedded cache for 2 s; it comes back empty
  kill-cache:0@3s[+2s]        kill a server of --memcached local:N after 3 s; it is back 2 s
                              later, empty
  freeze-cache:0@3s+2s        stop such a server where it is, for 2 s
  cut-cache:0@3s+2s           cut such a server off from replicas and clients for 2 s
  flush-cache@3s              have the caches forget everything
  random:kill+pause+...       each second draw one of these words and whom it strikes, by
                              --seed; what lasts is over after 0.2 to 3 s, and no group in
                              which a replica has not recovered is struck
  kill-random                 short for random:kill
What is killed comes back, without a time after 1 s: with what it had stored, or, with
--durability memory, as one that has forgotten everything and is filled by the others
before it votes. With --deploy processes it is killed by a signal, with threads it is
stopped. Faults that a strategy has no target for leave it alone. At the end everything is
put right, and every object that could exist is read once more (see --audit)";

/// The settings of a run, as given or by default.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// Do what an earlier run did: its run.json, or its folder. What is given besides counts more
    // Its flags are put in its place before this is read: see `from`.
    #[arg(long, value_name = "FILE")]
    #[allow(dead_code, reason = "see above")]
    from: Option<PathBuf>,

    /// Strategies to run, one after the other, separated by commas
    // Possible values are what is registered: see `command`.
    #[arg(long, default_value = ALL, value_delimiter = ',', value_name = "NAME")]
    strategy: Vec<String>,

    /// What clients do
    // Default and possible values are what is registered: see `command`.
    #[arg(long, value_name = "NAME")]
    workload: String,

    /// Partitions, 1 to 255
    #[arg(
        long,
        default_value_t = 2,
        value_name = "N",
        value_parser = clap::value_parser!(u8).range(1..=255)
    )]
    partitions: u8,

    /// Replicas of each partition: an odd number
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = odd)]
    replicas: u8,

    /// Replicas of the broker's oracle group: an odd number
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = odd)]
    oracle_replicas: u8,

    /// Concurrent clients
    #[arg(
        long,
        default_value_t = 16,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=10_000)
    )]
    clients: u64,

    /// Requests that a client keeps outstanding (closed loop)
    #[arg(
        long,
        default_value_t = 1,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=1024)
    )]
    window: u64,

    /// Commands a second, all clients together, whatever the answers take (open loop)
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "window",
        value_parser = clap::value_parser!(u64).range(1..=10_000_000)
    )]
    rate: Option<u64>,

    /// Search for the highest throughput of each strategy, first with more and more outstanding
    /// requests, then with rates; then measure latencies at 50 % and 75 % of it. Each step takes
    /// --duration
    #[arg(
        long,
        conflicts_with_all = ["window", "rate", "operations", "fault", "history", "record"]
    )]
    peak: bool,

    /// How long to measure, e.g. 500ms, 5s, 1m; a trace without this until its end
    #[arg(
        long,
        default_value = "10s",
        default_value_if("workload", TRACE, FOR_EVER_DAYS),
        value_name = "TIME",
        allow_hyphen_values = true,
        value_parser = positive_time
    )]
    duration: Duration,

    /// Measure so many commands of each client, however long they take
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "duration",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    operations: Option<u64>,

    /// How long to run before measuring; a trace without this not at all
    #[arg(
        long,
        default_value = "2s",
        default_value_if("workload", TRACE, "0s"),
        value_name = "TIME",
        allow_hyphen_values = true,
        value_parser = time::length
    )]
    warmup: Duration,

    /// For everything random
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,

    /// Where accesses to objects of several partitions execute
    #[arg(long, default_value = "exchange", value_name = "HOW", value_parser = choices(EXECUTIONS))]
    execution: Execution,

    /// How reads of objects at one partition are answered: in order like all commands, by the
    /// leader once a majority has confirmed it, or by the leader while a majority has promised to
    /// follow no other (trusts the machines' clocks)
    #[arg(long, default_value = Reads::Ordered.name(), value_name = "HOW", value_parser = reads())]
    reads: Reads,

    /// Whether the shared cache of strategy cache may answer reads of single objects alone: with
    /// what an object was, not what it is. Such reads are no part of the checked history and of
    /// other rows: see docs/memcached.md
    #[arg(
        long,
        default_value = CacheReads::Checked.name(),
        value_name = "HOW",
        value_parser = cache_reads()
    )]
    cache_reads: CacheReads,

    /// Where replicas keep their logs: nowhere, in files, or in files synced before they count
    #[arg(long, default_value = "memory", value_name = "HOW", value_parser = choices(DURABILITIES))]
    durability: DurabilityName,

    /// Bytes of log after which a replica makes a snapshot and forgets the log before it
    #[arg(long, default_value_t = LOG_BYTES, value_name = "BYTES", value_parser = log_bytes)]
    log_bytes: usize,

    /// Emulate slower machines, so that partitions can pay off although all share this one: each
    /// leader takes at most one command, unordered read or look-up in this time (1ms, 500us);
    /// followers are not slowed
    #[arg(long, value_name = "TIME", value_parser = service_time)]
    service_time: Option<Duration>,

    /// Measure where the time of commands goes: ordering, waiting, executing, answering
    #[arg(long)]
    breakdown: bool,

    /// Emulate a network between sites: lan, wan, or one that a file describes, with latency,
    /// jitter, bandwidth and loss (docs/network.md)
    #[arg(long, default_value = "none", value_name = "NAME|FILE", value_parser = Net::named)]
    net: Net,

    /// Where replicas run: threads, in this process; processes, each in one of its own on this
    /// machine; or FILE.toml, a cluster that somebody else runs, wherever it is, as its file
    /// describes it (docs/clusters.md)
    #[arg(long, default_value = "threads", value_name = "WHERE")]
    deploy: Deploy,

    /// What to break while it is measured, separated by commas; see below
    #[arg(
        long,
        value_name = "SCHEDULE",
        value_delimiter = ',',
        conflicts_with = "operations",
        long_help = FAULTS
    )]
    fault: Vec<Fault>,

    /// Read every object that could exist at the end, so that the check of the history covers it
    /// all; after faults that is always done
    #[arg(long)]
    audit: bool,

    /// Write down each command that was measured, in samples.csv
    #[arg(long)]
    samples: bool,

    /// Write the complete history to this file, for judges from outside: as lines of JSON if it
    /// ends in .jsonl, in Jepsen's format if in .edn; of several strategies each into a file of
    /// its own, FILE-STRATEGY (docs/outside-judges.md)
    #[arg(long, value_name = "FILE", value_parser = history_file)]
    history: Option<HistoryFile>,

    /// Write what the clients issue to this file, as a trace that --trace can replay: lines of JSON
    /// if it ends in .jsonl, rows if in .csv; of several strategies each into a file of its own,
    /// FILE-STRATEGY (docs/traces.md)
    #[arg(long, value_name = "FILE", value_parser = TraceFile::parse)]
    record: Option<TraceFile>,

    /// Whether static placement keeps a directory, so that objects can move
    #[arg(long, default_value = "none", value_name = "WHERE", value_parser = choices(DIRECTORIES))]
    directory: Directory,

    /// Folder for the result files
    #[arg(long, default_value = "results", value_name = "DIR")]
    out: PathBuf,

    /// First port of the replicas; else whatever is free
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    base_port: Option<u16>,

    /// memcached servers for strategy cache: running ones as HOST:PORT, separated by commas, or
    /// local:N to have N of them started on this machine, local:N:8MiB with so much memory each
    /// instead of 64MiB; else an embedded server
    #[arg(long, value_name = "SERVERS", value_parser = memcached)]
    memcached: Option<Memcached>,

    /// Print nothing but errors
    #[arg(long)]
    quiet: bool,

    #[command(flatten)]
    knobs: Knobs,
}

impl RunArgs {
    /// The settings, with what is registered, the flags of the workloads, and the command as it was
    /// given.
    pub(super) fn settings(
        self,
        registered: &[StrategyInfo],
        workload_flags: Map<String, Value>,
        command_line: Vec<String>,
    ) -> RunSettings {
        RunSettings {
            command_line,
            strategies: chosen(&self.strategy, registered),
            strategy: self.strategy,
            workload: self.workload,
            partitions: self.partitions,
            replicas: self.replicas,
            oracle_replicas: self.oracle_replicas,
            clients: self.clients,
            window: self.window,
            rate: self.rate,
            peak: self.peak,
            duration: self.duration,
            operations: self.operations,
            warmup: self.warmup,
            seed: self.seed,
            run: RunNumber::ZERO,
            execution: self.execution,
            reads: self.reads,
            cache_reads: self.cache_reads,
            durability: self.durability,
            log_bytes: self.log_bytes,
            service_time: self.service_time,
            breakdown: self.breakdown,
            net: self.net,
            deploy: self.deploy,
            cluster: None,
            fault: self.fault,
            audit: self.audit,
            samples: self.samples,
            history: self.history,
            record: self.record,
            directory: self.directory,
            out: self.out,
            base_port: self.base_port,
            memcached: self.memcached.unwrap_or(Memcached::Embedded),
            quiet: self.quiet,
            knobs: self.knobs,
            workload_flags,
        }
    }
}
