//! The command line: every flag, its default, and what makes a value bad.
//!
//! It starts nothing. Invariant: whatever gets past [`RunArgs::check`] is within the protocol's bounds, and every refusal
//! names the flag. Refusals end with exit status 2, as clap's do.

use crate::fault::Fault;
use crate::node::NodeArgs;
use crate::registry;
use crate::sim::SimArgs;
use crate::workload::chirper::Behaviour;
use crate::workload::kv::Distribution;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use ssmr_core::Reads;
use ssmr_core::limits::{MAX_OBJECTS, MAX_REQUEST, MAX_VALUE};
use std::path::PathBuf;
use std::time::Duration;

/// Something that the user asked for and cannot have. Exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{flag}: {problem}")]
pub(crate) struct UsageError {
    /// The flag to look at.
    pub(crate) flag: &'static str,
    /// What is wrong with its value.
    pub(crate) problem: String,
}

impl UsageError {
    pub(crate) fn new(flag: &'static str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self { flag, problem }
    }
}

/// Dynamic object creation on scalable state machine replication: four strategies, measured and checked.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line. What is wrong with it is told by the flag's name, a negative number too.
    pub(crate) fn read() -> Self {
        let negative = |arg: Arg| {
            let has_value = arg.get_action().takes_values();
            arg.allow_negative_numbers(has_value)
        };
        let command = Self::command().mut_subcommands(|command| command.mut_args(negative));
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one workload under one or all strategies, check every history, print a table, write CSV files
    #[command(after_help = EXAMPLES)]
    Run(Box<RunArgs>),
    /// Simulate whole clusters in virtual time, with faults, from seeds; say how to replay a failure
    #[command(after_help = crate::sim::EXAMPLES)]
    Sim(SimArgs),
    /// Run one replica as a process of its own, from a cluster file
    #[command(after_help = crate::node::EXAMPLES)]
    Node(NodeArgs),
}

const EXAMPLES: &str = "\
Examples:
  Compare the four strategies:
    harness run --strategy all
  A social network on a real graph:
    harness run --strategy all --workload chirper --graph ego-facebook.txt --duration 5s
  Many moves, objects gathered before each access, eight partitions:
    harness run --strategy broker,cache --execution gather --partitions 8 --move 20 --read 30
  Latency at a fixed load, without coordinated omission:
    harness run --strategy static --rate 5000 --duration 30s
  Replicas in processes of their own, one killed each second:
    harness run --strategy all --deploy processes --durability sync --fault kill-random";

const FAULTS: &str = "\
What to break while it is measured, separated by commas. Times count from the start of measuring
  kill-leader:p0@3s[+2s]       kill the leader of a partition after 3 s; it is back 2 s later
  kill-oracle-leader@3s[+2s]   the same for the oracle of strategy broker
  kill-random                  each second kill a random replica of a random group; it is back a second later, and no
                               other one of its group is killed before it has caught up
  stop-cache@3s+2s             stop the embedded cache for 2 s; it comes back empty
  cut:p0r1@3s+2s               cut a replica off from all others for 2 s; clients still reach it
What is killed comes back, without a time after 1 s: with what it had stored, or, with --durability memory, as one that
has forgotten everything and is filled by the others before it votes. With --deploy processes it is killed by a signal,
with threads it is stopped. Faults that a strategy has no target for leave it alone. Afterwards every object that was
created is read once more";

/// The settings of a run, as given or by default.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct RunArgs {
    /// Strategies to run, one after the other, separated by commas
    #[arg(long, default_value = "all", value_delimiter = ',', value_name = "NAME", value_parser = strategies())]
    pub(crate) strategy: Vec<String>,

    /// What clients do
    #[arg(long, default_value = "kv", value_name = "NAME")]
    pub(crate) workload: WorkloadName,

    /// Partitions, 1 to 255
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=255))]
    pub(crate) partitions: u8,

    /// Replicas of each partition: an odd number
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = odd)]
    pub(crate) replicas: u8,

    /// Replicas of the broker's oracle group: an odd number
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = odd)]
    pub(crate) oracle_replicas: u8,

    /// Concurrent clients
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) clients: u64,

    /// Requests that a client keeps outstanding (closed loop)
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub(crate) window: u64,

    /// Commands a second, all clients together, whatever the answers take (open loop)
    #[arg(long, value_name = "N", conflicts_with = "window", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) rate: Option<u64>,

    /// How long to measure, e.g. 500ms, 5s, 1m
    #[arg(long, default_value = "10s", value_name = "TIME", allow_hyphen_values = true, value_parser = positive_time)]
    #[serde(serialize_with = "as_text")]
    pub(crate) duration: Duration,

    /// Measure so many commands of each client, however long they take
    #[arg(long, value_name = "N", conflicts_with = "duration", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) operations: Option<u64>,

    /// How long to run before measuring
    #[arg(long, default_value = "2s", value_name = "TIME", allow_hyphen_values = true, value_parser = humantime::parse_duration)]
    #[serde(serialize_with = "as_text")]
    pub(crate) warmup: Duration,

    /// For everything random
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,

    /// Where accesses to objects of several partitions execute
    #[arg(long, default_value = "exchange", value_name = "HOW")]
    pub(crate) execution: ExecutionName,

    /// How reads of objects at one partition are answered: in order like all commands, by the leader once a majority has
    /// confirmed it, or by the leader while a majority has promised to follow no other (trusts the machines' clocks)
    #[arg(long, default_value = Reads::Ordered.name(), value_name = "HOW", value_parser = reads())]
    pub(crate) reads: Reads,

    /// Where replicas keep their logs: nowhere, in files, or in files synced before anything leaves
    #[arg(long, default_value = "memory", value_name = "HOW")]
    pub(crate) durability: DurabilityName,

    /// Bytes of log after which a replica makes a snapshot and forgets the log before it
    #[arg(long, default_value_t = ssmr_net::LOG_BYTES, value_name = "BYTES", value_parser = log_bytes)]
    pub(crate) log_bytes: usize,

    /// Where replicas run: in threads of this process, or each in a process of its own
    #[arg(long, default_value = "threads", value_name = "WHERE")]
    pub(crate) deploy: DeployName,

    /// What to break while it is measured, separated by commas; see below
    #[arg(long, value_name = "SCHEDULE", value_delimiter = ',', conflicts_with = "operations", long_help = FAULTS)]
    pub(crate) fault: Vec<Fault>,

    /// Whether static placement keeps a directory, so that objects can move
    #[arg(long, default_value = "none", value_name = "WHERE")]
    pub(crate) directory: Directory,

    /// Folder for the result files
    #[arg(long, default_value = "results", value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// First port of the replicas; else whatever is free
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) base_port: Option<u16>,

    /// Running memcached servers for strategy cache, separated by commas; else an embedded server
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', value_parser = host_and_port)]
    pub(crate) memcached: Vec<String>,

    /// Print nothing but errors
    #[arg(long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) kv: KvArgs,

    #[command(flatten)]
    pub(crate) chirper: ChirperArgs,
}

/// Flags of workload kv. The percentages must add up to 100.
#[derive(Clone, Debug, Args, Serialize)]
#[command(next_help_heading = "Workload kv")]
pub(crate) struct KvArgs {
    /// Percentage of creates
    #[arg(long, default_value_t = 5, value_name = "%", value_parser = percentage())]
    pub(crate) create: u32,

    /// Percentage of reads
    #[arg(long, default_value_t = 45, value_name = "%", value_parser = percentage())]
    pub(crate) read: u32,

    /// Percentage of updates
    #[arg(long, default_value_t = 35, value_name = "%", value_parser = percentage())]
    pub(crate) update: u32,

    /// Percentage of deletes
    #[arg(long, default_value_t = 5, value_name = "%", value_parser = percentage())]
    pub(crate) delete: u32,

    /// Percentage of moves to another partition
    #[arg(long = "move", default_value_t = 5, value_name = "%", value_parser = percentage())]
    pub(crate) relocate: u32,

    /// Percentage of accesses that read and write several objects
    #[arg(long, default_value_t = 5, value_name = "%", value_parser = percentage())]
    pub(crate) multi: u32,

    /// Objects of such an access
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_OBJECTS as u64))]
    pub(crate) multi_objects: u64,

    /// Objects loaded before measuring
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) keys: u64,

    /// How often each of them is chosen
    #[arg(long, default_value = "uniform", value_name = "HOW")]
    pub(crate) distribution: Distribution,

    /// Size of a value in bytes
    #[arg(long, default_value_t = 100, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(0..=MAX_VALUE as u64 - 8))]
    pub(crate) object_size: u64,
}

/// Flags of workload chirper.
#[derive(Clone, Debug, Args, Serialize)]
#[command(next_help_heading = "Workload chirper")]
pub(crate) struct ChirperArgs {
    /// What the users do: growing is mix with 5 % of signups
    #[arg(long, default_value = "mix", value_name = "NAME")]
    pub(crate) mix: Behaviour,

    /// Who follows whom: an edge list, two integers a line; else a made-up graph of 4,039 users
    #[arg(long, value_name = "FILE")]
    pub(crate) graph: Option<PathBuf>,
}

/// A built-in workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WorkloadName {
    /// A key-value service
    Kv,
    /// A social network
    Chirper,
}

/// Where accesses to objects of several partitions execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExecutionName {
    /// At all of them, on values that they exchange
    Exchange,
    /// At one of them, after moving the objects there
    Gather,
}

/// Where replicas run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeployName {
    /// In threads of this process
    Threads,
    /// Each in a process of its own, on this machine
    Processes,
}

/// Where replicas keep their logs. Files are within the run's folder and go when the strategy is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DurabilityName {
    /// Nowhere
    Memory,
    /// In files, left to the operating system
    Async,
    /// In files, synced before anything that depends on them is sent
    Sync,
}

impl DurabilityName {
    /// The value of the CSV column.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Async => "async",
            Self::Sync => "sync",
        }
    }
}

/// Whether static placement keeps a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Directory {
    /// No: objects stay at home
    None,
    /// At home, which knows where an object has gone
    Home,
}

impl RunArgs {
    /// The strategies to run, each once, in the registry's order.
    pub(crate) fn strategies(&self) -> Vec<&'static str> {
        let asked = |name: &&str| self.strategy.iter().any(|s| s == "all" || s == name);
        registry::NAMES.into_iter().filter(asked).collect()
    }

    /// Percentages of kv's operations in the order of its kinds.
    pub(crate) fn percentages(&self) -> [u32; 6] {
        let kv = &self.kv;
        [
            kv.create,
            kv.read,
            kv.update,
            kv.delete,
            kv.relocate,
            kv.multi,
        ]
    }

    /// Checks what no flag shows by itself.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        if self.workload == WorkloadName::Kv {
            self.check_kv()?;
        }
        if self.chirper.graph.is_some() && self.workload != WorkloadName::Chirper {
            return Err(UsageError::new(
                "--graph",
                "only workload chirper has a graph",
            ));
        }
        Ok(())
    }

    fn check_kv(&self) -> Result<(), UsageError> {
        let sum: u32 = self.percentages().iter().sum();
        if sum != 100 {
            let flags = "--create, --read, --update, --delete, --move, --multi";
            return Err(UsageError::new(
                flags,
                format!("the percentages add up to {sum}, not 100"),
            ));
        }
        let kv = &self.kv;
        if kv.multi_objects > kv.keys {
            let problem = format!("{} different objects of {} keys", kv.multi_objects, kv.keys);
            return Err(UsageError::new("--multi-objects", problem));
        }
        let reply = (kv.object_size + 8) * kv.multi_objects;
        if kv.multi > 0 && reply > MAX_REQUEST as u64 {
            let problem = format!(
                "{} values of {} bytes are more than {MAX_REQUEST} bytes (see --object-size)",
                kv.multi_objects, kv.object_size
            );
            return Err(UsageError::new("--multi-objects", problem));
        }
        Ok(())
    }
}

fn strategies() -> PossibleValuesParser {
    PossibleValuesParser::new(registry::NAMES.into_iter().chain(["all"]))
}

fn reads() -> impl TypedValueParser<Value = Reads> {
    let named = |name: String| Reads::ALL.into_iter().find(|reads| reads.name() == name);
    PossibleValuesParser::new(Reads::ALL.map(Reads::name))
        .try_map(move |name| named(name).ok_or("unknown"))
}

fn percentage() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=100)
}

pub(crate) fn odd(text: &str) -> Result<u8, String> {
    match text.parse::<u8>() {
        Ok(count) if count % 2 == 1 => Ok(count),
        Ok(_) => {
            Err("an even number tolerates no more failures than one fewer: give an odd one".into())
        }
        Err(_) => Err("expected an odd number from 1 to 255".into()),
    }
}

fn log_bytes(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(bytes) if bytes >= 1_000 => Ok(bytes),
        Ok(_) => Err("a snapshot after less than 1,000 bytes of log is larger than the log".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn positive_time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time.is_zero() => Err("must be longer than 0".into()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    let good =
        |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0);
    if text.rsplit_once(':').is_some_and(good) {
        Ok(text.into())
    } else {
        Err("expected HOST:PORT".into())
    }
}

fn as_text<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&humantime::format_duration(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(flags: &[&str]) -> RunArgs {
        let words = ["harness", "run"].iter().chain(flags);
        let Command::Run(args) = Cli::try_parse_from(words).unwrap().command else {
            panic!("{flags:?} is another command")
        };
        *args
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_default_that_passes() {
        run(&[]).check().unwrap();
        assert_eq!(run(&[]).strategies(), registry::NAMES);
        assert_eq!(
            run(&["--strategy", "cache,global"]).strategies(),
            ["global", "cache"]
        );
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, millis) in [("500ms", 500), ("5s", 5_000), ("1m", 60_000)] {
            let time = run(&["--duration", text]).duration;
            assert_eq!(time, Duration::from_millis(millis));
        }
    }
}
