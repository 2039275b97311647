//! The flags of `cluster`.

use super::cluster_job::{self, JobArgs};
use super::values::{odd, positive_time};
use crate::program;
use crate::settings::cluster::{
    CertifySettings, ClusterSettings, Doors, InitSettings, RollSettings, StartSettings,
    StatusSettings,
};
use clap::{Args, Subcommand};
use ssmr_core::ReplicaId;
use ssmr_net::{Endpoint, Holder};
use std::path::PathBuf;
use std::time::Duration;

const INIT_EXAMPLES: &str = "\
Replicas of one group go to different hosts, as far as there are enough.

Examples:
  PROGRAM cluster init cluster.toml
  PROGRAM cluster init cluster.toml --strategy cache --hosts host-a,host-b,host-c \\
    --tls --data /var/lib/things --memcached cache-a:11211,cache-b:11211";

const CERTIFY_EXAMPLES: &str = "\
The authority is made if there is none; else its key is needed, ca.key, which no member of the
cluster has to have. A member needs ca.pem and its own file. New files in place of old ones count
from the next connection on: nothing has to be started again. A client's id begins with its account,
so it cannot pose as one of another.

Examples:
  PROGRAM cluster certify cluster.toml                  # all of them anew
  PROGRAM cluster certify cluster.toml --replica p0r1
  PROGRAM cluster certify cluster.toml --client 7 --out for-client-7";

const START_EXAMPLES: &str = "\
Each replica is a process in the background. What it says, and the number of its process, are in a
folder beside the file, cluster.run for cluster.toml. Replicas that run already are left alone. A
cluster that is new is founded.

Example:
  PROGRAM cluster start cluster.toml && PROGRAM run --deploy cluster.toml";

/// What founding is, and how to do it.
const FOUND_EXAMPLES: &str = "\
Run it once, when the replicas have been started for the first time; it waits for them. It makes
them the first members of their groups, each in its present generation: one that forgets is another
one afterwards, and its group takes it in. It refuses a cluster of which a replica holds anything,
and founds nothing then; the exit status is 1. Interrupted or repeated at once it does no harm.

Example, with each replica running as a process (PROGRAM node):
  PROGRAM cluster found cluster.toml";

const STATUS_EXAMPLES: &str = "\
A replica leads, follows, is filled by its group, or waits for its group to be founded or to take it
in. Digests of a group's replicas are equal where they have applied the same entries; working one
out holds the replica up. The exit status is 3 if some replica takes no part.

Example:
  PROGRAM cluster status cluster.toml";

const ROLL_EXAMPLES: &str = "\
Followers come first, the leader of each group last: asked to end by SIGTERM, it hands its
leadership over. The next one has its turn when all replicas of the group take part again. A replica
that keeps its state in memory is filled by its group.

Examples:
  PROGRAM cluster roll cluster.toml
  PROGRAM cluster roll cluster.toml --with 'docker restart --time 60 things-{}-1'";

/// What to do with a cluster.
#[derive(Clone, Debug, Args)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    command: ClusterCommand,
}

/// What can be done with a cluster.
#[derive(Clone, Debug, Subcommand)]
enum ClusterCommand {
    /// Write the file of a cluster
    Init(InitArgs),
    /// Issue certificates of the replicas, of an operator, of clients
    Certify(CertifyArgs),
    /// Say what a file describes, whether its hosts are known here, and until when the certificates
    /// that are here are valid (3 if some are not)
    Check(FileArgs),
    /// Start all replicas as processes of this machine
    Start(StartArgs),
    /// Make the replicas of a new cluster, which hold nothing, its first members
    Found(StartArgs),
    /// Show how each replica is
    Status(StatusArgs),
    /// Restart each replica, one after the other, while the cluster goes on
    Roll(RollArgs),
    /// End the processes that `start` has started
    Stop(FileArgs),
    /// Be one of the processes of a batch job that is a cluster and its load: the job's number 0
    /// makes the load, the others are the replicas
    Job(JobArgs),
}

/// Which cluster.
#[derive(Clone, Debug, Args)]
struct FileArgs {
    /// The cluster's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Which cluster to describe.
#[derive(Clone, Debug, Args)]
struct InitArgs {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Replace a file that is there
    #[arg(long)]
    force: bool,

    /// The strategy, by default the first: one with a directory has a name of its own
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,

    /// The service of the replicas, by default that of the first workload
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Partitions, 1 to 255
    #[arg(
        long,
        default_value_t = 2,
        value_name = "N",
        value_parser = clap::value_parser!(u8).range(1..=255)
    )]
    partitions: u8,

    /// Replicas of each, and of the oracle where there is one: an odd number
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = odd)]
    replicas: u8,

    /// Names or addresses of hosts, separated by commas
    #[arg(
        long,
        default_value = "127.0.0.1",
        value_delimiter = ',',
        value_name = "HOST"
    )]
    hosts: Vec<String>,

    /// The first port on each host
    #[arg(
        long,
        default_value_t = 4000,
        value_name = "PORT",
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    base_port: u16,

    /// Keep logs in this folder, synced before they count; else everything is in memory
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// memcached servers for strategy cache, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "HOST:PORT")]
    memcached: Vec<Endpoint>,

    /// Make an authority and certificates, in a folder beside the file (cluster.tls for
    /// cluster.toml): nobody takes part without one (cargo feature `tls`)
    #[arg(long)]
    tls: bool,

    /// Let replicas listen beyond their hosts without TLS: whoever reaches one may speak
    #[arg(long, conflicts_with = "tls")]
    insecure: bool,
}

/// Which certificates to issue.
#[derive(Clone, Debug, Args)]
struct CertifyArgs {
    #[command(flatten)]
    cluster: FileArgs,

    /// One of this replica
    #[arg(long, value_name = "NAME", group = "holder")]
    replica: Option<ReplicaId>,

    /// One of whoever looks after the cluster
    #[arg(long, group = "holder")]
    operator: bool,

    /// One of the clients of an account, 0 to 65535, or of any
    #[arg(long, value_name = "ACCOUNT|any", group = "holder", value_parser = account)]
    client: Option<Holder>,

    /// How long it is valid, e.g. 90days
    #[arg(
        long,
        default_value = "365days",
        value_name = "TIME",
        allow_hyphen_values = true,
        value_parser = positive_time
    )]
    valid: Duration,

    /// Write to this folder, not to that of the cluster
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl CertifyArgs {
    fn settings(self) -> CertifySettings {
        let operator = self.operator.then_some(Holder::Operator);
        let replica = self.replica.map(Holder::Replica);
        CertifySettings {
            file: self.cluster.file,
            holder: replica.or(operator).or(self.client),
            valid: self.valid,
            out: self.out,
        }
    }
}

/// Reads whose clients a certificate is of.
fn account(text: &str) -> Result<Holder, String> {
    match text {
        "any" => Ok(Holder::AnyClient),
        number => number
            .parse()
            .map(Holder::Client)
            .map_err(|_| "it is neither a number of 0 to 65535 nor \"any\"".into()),
    }
}

/// Which cluster to start or found.
#[derive(Clone, Debug, Args)]
struct StartArgs {
    #[command(flatten)]
    cluster: FileArgs,

    /// How long to wait for the replicas, e.g. 30s
    #[arg(
        long,
        default_value = "30s",
        value_name = "TIME",
        allow_hyphen_values = true,
        value_parser = positive_time
    )]
    timeout: Duration,
}

impl StartArgs {
    fn settings(self) -> StartSettings {
        StartSettings {
            file: self.cluster.file,
            timeout: self.timeout,
        }
    }
}

/// Which cluster to ask.
#[derive(Clone, Debug, Args)]
struct StatusArgs {
    #[command(flatten)]
    cluster: FileArgs,

    /// How long to wait for each replica, e.g. 5s
    #[arg(
        long,
        default_value = "5s",
        value_name = "TIME",
        allow_hyphen_values = true,
        value_parser = positive_time
    )]
    timeout: Duration,

    /// Write a line of JSON for each replica
    #[arg(long)]
    json: bool,
}

/// Which cluster to restart.
#[derive(Clone, Debug, Args)]
struct RollArgs {
    #[command(flatten)]
    cluster: FileArgs,

    /// A command for the shell that restarts one replica, whose name stands for {}; without it the
    /// replicas are processes of this machine that `start` has started
    #[arg(long, value_name = "COMMAND")]
    with: Option<String>,

    /// How long a group may take until all of its replicas take part again, e.g. 2m
    #[arg(
        long,
        default_value = "2m",
        value_name = "TIME",
        allow_hyphen_values = true,
        value_parser = positive_time
    )]
    timeout: Duration,
}

impl ClusterArgs {
    /// The job to be part of, if that is what to do.
    pub(super) fn job(&self) -> Option<&JobArgs> {
        match &self.command {
            ClusterCommand::Job(args) => Some(args),
            _ => None,
        }
    }

    /// The settings.
    pub(super) fn settings(self) -> ClusterSettings {
        match self.command {
            ClusterCommand::Init(args) => ClusterSettings::Init(InitSettings {
                file: args.file,
                force: args.force,
                strategy: args.strategy,
                service: args.service,
                partitions: args.partitions,
                replicas: args.replicas,
                hosts: args.hosts,
                base_port: args.base_port,
                data: args.data,
                memcached: args.memcached,
                doors: match (args.tls, args.insecure) {
                    (true, _) => Some(Doors::Tls),
                    (false, true) => Some(Doors::Insecure),
                    (false, false) => None,
                },
            }),
            ClusterCommand::Certify(args) => ClusterSettings::Certify(args.settings()),
            ClusterCommand::Check(FileArgs { file }) => ClusterSettings::Check(file),
            ClusterCommand::Start(args) => ClusterSettings::Start(args.settings()),
            ClusterCommand::Found(args) => ClusterSettings::Found(args.settings()),
            ClusterCommand::Status(args) => ClusterSettings::Status(StatusSettings {
                file: args.cluster.file,
                timeout: args.timeout,
                json: args.json,
            }),
            ClusterCommand::Roll(args) => ClusterSettings::Roll(RollSettings {
                file: args.cluster.file,
                with: args.with,
                timeout: args.timeout,
            }),
            ClusterCommand::Stop(FileArgs { file }) => ClusterSettings::Stop(file),
            ClusterCommand::Job(_) => unreachable!("it is read before"),
        }
    }
}

/// Adds what to say at the end of each help.
pub(super) fn with_examples(command: clap::Command) -> clap::Command {
    let texts = [
        ("init", INIT_EXAMPLES),
        ("certify", CERTIFY_EXAMPLES),
        ("start", START_EXAMPLES),
        ("found", FOUND_EXAMPLES),
        ("status", STATUS_EXAMPLES),
        ("roll", ROLL_EXAMPLES),
        ("job", cluster_job::EXAMPLES),
    ];
    texts.into_iter().fold(command, |command, (name, text)| {
        command.mut_subcommand(name, |it| it.after_help(program::named(text)))
    })
}
