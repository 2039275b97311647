//! `harness node`: one replica as a process, as a cluster file says.
//!
//! It is driven by who started it, over its standard input and output (see [`Order`] and [`NodeReport`]), and ends when its
//! input closes: nothing is left running by a parent that died, however it died.

use crate::cli::{UsageError, WorkloadName};
use crate::deploy::{ClusterFile, FileError, NodeReport, Order, Status, Tally};
use crate::registry::{self, Visitor};
use crate::run::Ending;
use crate::time;
use crate::workload::Workload;
use crate::workload::chirper::Chirper;
use crate::workload::kv::Kv;
use anyhow::{Context, Result};
use clap::Args;
use ssmr_core::{Application, Oracle, ReplicaId, Topology};
use ssmr_net::{Clock, Leaders, NetError, ReplicaOptions, ReplicaStatus, ReplicaThread};
use std::io::{self, BufRead, Write};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::net::TcpListener;
use std::path::PathBuf;
use tokio::runtime::Builder;
use tokio::sync::watch;

pub(crate) const EXAMPLES: &str = "\
It runs until its standard input closes, takes orders there and reports on its standard output, one JSON value a line:
  {\"status\":1}   say how you are        \"listening\"
  {\"cut\":true}   leave the others       {\"leads\":true}

Example, with a cluster file that `harness run --deploy processes` has left in its folder:
  harness node --cluster results/latest/cluster-broker.toml --replica p0r1";

/// Which replica to be.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeArgs {
    /// The cluster: a file as a run with --deploy processes writes it
    #[arg(long, value_name = "FILE.toml")]
    cluster: PathBuf,

    /// The replica to be: p0r1 is replica 1 of partition 0, oracler0 one of the oracle
    #[arg(long, value_name = "NAME")]
    replica: String,

    /// It took part before: if nothing is stored it has lost its memory, and the others fill it before it votes
    #[arg(long)]
    rejoin: bool,
}

/// Runs the replica until the input closes.
pub(crate) fn run(args: &NodeArgs) -> Result<Ending> {
    let bad = |error: FileError| UsageError::new("--cluster", error.to_string());
    let file = ClusterFile::read(&args.cluster).map_err(bad)?;
    match file.workload {
        WorkloadName::Kv => Node::<<Kv as Workload>::App>::run(args, &file),
        WorkloadName::Chirper => Node::<<Chirper as Workload>::App>::run(args, &file),
    }
}

/// A replica of a service to be run. The strategy comes with [`Visitor::visit`].
struct Node<'a, A> {
    args: &'a NodeArgs,
    file: &'a ClusterFile,
    service: PhantomData<A>,
}

impl<'a, A: Application> Node<'a, A> {
    fn run(args: &'a NodeArgs, file: &'a ClusterFile) -> Result<Ending> {
        let node = Self {
            args,
            file,
            service: PhantomData,
        };
        let parts = file.parts().map_err(|problem| node.bad(&problem))?;
        registry::with(&file.strategy, &parts, node)
    }

    /// Something is wrong with the cluster file.
    fn bad(&self, problem: &str) -> UsageError {
        let path = self.args.cluster.display();
        UsageError::new("--cluster", format!("{path}: {problem}"))
    }

    fn id(&self, topology: &Topology) -> Result<ReplicaId, UsageError> {
        let asked = |id: &ReplicaId| id.to_string() == self.args.replica;
        topology.replicas().find(asked).ok_or_else(|| {
            let names: Vec<String> = topology.replicas().map(|id| id.to_string()).collect();
            let problem = format!("{} is not one of {}", self.args.replica, names.join(", "));
            UsageError::new("--replica", problem)
        })
    }
}

impl<A: Application> Visitor for Node<'_, A> {
    type Output = Result<Ending>;

    fn visit<O: Oracle>(self, oracle: O, topology: Topology) -> Self::Output {
        let config = self.file.config(topology);
        let config = config.map_err(|problem| self.bad(&problem))?;
        let id = self.id(&topology)?;
        let address = config.addresses[&id];
        let listener = TcpListener::bind(address).map_err(|error| {
            self.bad(&format!(
                "cannot listen on {address} (replica {id}): {error}"
            ))
        })?;
        let options = ReplicaOptions {
            id,
            config,
            oracle,
            seed: self.file.seed as u64,
            clock: Clock::start(),
            durability: self.file.durability(),
            rejoins: self.args.rejoin,
            log_bytes: self.file.log_bytes,
        };
        let started = ReplicaThread::start::<A, O>(options, listener);
        // It ends with the process: it stores before it speaks, so there is nothing to tidy up.
        let replica = ManuallyDrop::new(started.map_err(|error| self.blame(error))?);
        serve(id, &replica)?;
        Ok(Ending::Good)
    }
}

impl<A> Node<'_, A> {
    /// A log that cannot be used is the cluster file's business: it names the folder.
    fn blame(&self, error: NetError) -> anyhow::Error {
        match error {
            NetError::Storage(problem) => {
                UsageError::new("--cluster", format!("logs: {problem}")).into()
            }
            other => other.into(),
        }
    }
}

/// Reports and obeys until the input closes.
fn serve(id: ReplicaId, replica: &ReplicaThread) -> Result<()> {
    let runtime = Builder::new_current_thread().build();
    let runtime = runtime.context("cannot start an event loop")?;
    tell(&NodeReport::Listening)?;
    let leaders = replica.leaders();
    let herald = std::thread::Builder::new().name("herald".into());
    herald.spawn(move || proclaim(id, leaders))?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let order = serde_json::from_str(&line);
        match order.with_context(|| format!("standard input: no order: {line}"))? {
            Order::Cut(off) => replica.cut(off),
            Order::Status(number) => answer(number, runtime.block_on(replica.status()), replica)?,
            Order::Inspect(number) => {
                answer(number, runtime.block_on(replica.inspect()), replica)?;
            }
        }
    }
    Ok(())
}

/// Reports how the replica is, unless it has failed.
fn answer(number: u64, status: Option<ReplicaStatus>, replica: &ReplicaThread) -> Result<()> {
    let status = Status::from(status.context("the replica has failed")?);
    let tally = Tally {
        traffic: replica.traffic(),
        value_hits: status.value_hits,
        value_misses: status.value_misses,
        processor_us: time::processor_us(),
    };
    tell(&NodeReport::Status(number, status, tally))
}

/// Reports whether the replica leads, as it changes. A replica that fails takes its process with it.
fn proclaim(id: ReplicaId, mut leaders: watch::Receiver<Leaders>) {
    let Ok(runtime) = Builder::new_current_thread().build() else {
        std::process::exit(1)
    };
    while runtime.block_on(leaders.changed()).is_ok() {
        let leads = leaders.borrow_and_update().of(id.group).is_some();
        if tell(&NodeReport::Leads(leads)).is_err() {
            break;
        }
    }
    eprintln!("replica {id} has ended");
    std::process::exit(1);
}

fn tell(report: &NodeReport) -> Result<()> {
    let mut line = serde_json::to_string(report)?;
    line.push('\n');
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()?;
    Ok(())
}
