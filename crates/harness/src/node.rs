//! `harness node`: one replica as a process, as a cluster file says.
//!
//! It is driven by who started it, over its standard input and output (see [`Order`] and
//! [`NodeReport`]), and ends when its input closes: nothing is left running by a parent that died,
//! however it died. SIGTERM and SIGINT end it too. Whichever it is, the log is closed in order, so
//! that one that was not synced can be believed after the machine was started again.

use crate::deploy::deployment::{Status, Tally};
use crate::deploy::lines::{NodeReport, Order};
use crate::described::{ClusterVisitor, Described, with_cluster};
use crate::ending::Ending;
use crate::error::UsageError;
use crate::interrupt::Signals;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::Workloads;
use crate::settings::node::NodeSettings;
use crate::time;
use anyhow::{Context, Result};
use ssmr_core::{Application, ReplicaId, Topology};
use ssmr_net::{NetError, ReplicaOptions, ReplicaStatus, ReplicaThread};
use std::io::{self, BufRead, Write};
use std::net::TcpListener;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::mpsc;

/// Where the user names the cluster file.
const FILE: &str = "--cluster";

/// Runs the replica until the input closes or a signal comes.
///
/// # Errors
/// If there is no such replica, it cannot run, or it fails.
pub(crate) fn run<W: Workloads>(
    settings: &NodeSettings,
    strategies: &Strategies,
) -> Result<Ending> {
    let node = Node { settings };
    with_cluster::<W, _>(FILE, &settings.cluster, strategies, node)?
}

/// A replica to be run.
struct Node<'a> {
    settings: &'a NodeSettings,
}

impl Node<'_> {
    /// Something is wrong with the cluster file.
    fn bad(&self, problem: &str) -> UsageError {
        let path = self.settings.cluster.display();
        UsageError::new(FILE, format!("{path}: {problem}"))
    }

    fn id(&self, topology: &Topology) -> Result<ReplicaId, UsageError> {
        let asked = |id: &ReplicaId| id.to_string() == self.settings.replica;
        topology.replicas().find(asked).ok_or_else(|| {
            let names: Vec<String> = topology.replicas().map(|id| id.to_string()).collect();
            let problem = format!(
                "{} is not one of {}",
                self.settings.replica,
                names.join(", ")
            );
            UsageError::new("--replica", problem)
        })
    }

    /// A log that cannot be used is the cluster file's business: it names the folder.
    fn blame(error: NetError) -> anyhow::Error {
        match error {
            NetError::Storage(problem) => UsageError::new(FILE, format!("logs: {problem}")).into(),
            other => other.into(),
        }
    }
}

impl ClusterVisitor for Node<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let Described {
            file,
            oracle,
            config,
        } = cluster;
        let id = self.id(&config.topology)?;
        let address = config.addresses[&id];
        let listener = TcpListener::bind(address).map_err(|error| {
            self.bad(&format!(
                "cannot listen on {address} (replica {id}): {error}"
            ))
        })?;
        let options = ReplicaOptions::new(id, config, oracle)
            .with_seed(file.seed as u64)
            .with_durability(file.durability())
            .with_log_bytes(file.log_bytes)
            .with_service_time(file.service_time_us.map(Duration::from_micros))
            .with_stages(file.stages);
        let runtime = Builder::new_current_thread().enable_io().build();
        let runtime = runtime.context("cannot start an event loop")?;
        runtime.block_on(async {
            // From here on a signal waits until the log can be closed.
            let signals = Signals::listen().context("cannot listen for signals")?;
            let started = ReplicaThread::start::<A>(options, listener);
            let replica = started.map_err(Self::blame)?;
            let served = serve(id, &replica, signals).await;
            replica.shutdown().await;
            served.map(|()| Ending::Good)
        })
    }
}

/// Reports and obeys until the input closes or a signal comes.
async fn serve(id: ReplicaId, replica: &ReplicaThread, mut signals: Signals) -> Result<()> {
    let mut leaders = replica.leaders();
    let mut lines = input()?;
    tell(&NodeReport::Listening)?;
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => obey(&line?, replica).await?,
                None => return Ok(()),
            },
            changed = leaders.changed() => {
                changed.with_context(|| format!("replica {id} has ended"))?;
                let leads = leaders.borrow_and_update().of(id.group).is_some();
                tell(&NodeReport::Leads(leads))?;
            }
            _ = signals.strike() => return Ok(()),
        }
    }
}

/// The lines of the standard input. A thread waits for them, which ends with the process.
fn input() -> Result<mpsc::Receiver<io::Result<String>>> {
    let (sender, lines) = mpsc::channel(16);
    let reader = std::thread::Builder::new().name("orders".into());
    reader.spawn(move || {
        let mut lines = io::stdin().lock().lines();
        lines.try_for_each(|line| sender.blocking_send(line))
    })?;
    Ok(lines)
}

async fn obey(line: &str, replica: &ReplicaThread) -> Result<()> {
    let order = serde_json::from_str(line);
    match order.with_context(|| format!("standard input: no order: {line}"))? {
        Order::Cut(cut, off) => {
            replica.cut(cut, off);
            Ok(())
        }
        Order::Status(number) => answer(number, replica.status().await, replica),
        Order::Inspect(number) => answer(number, replica.inspect().await, replica),
    }
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

fn tell(report: &NodeReport) -> Result<()> {
    let mut line = serde_json::to_string(report)?;
    line.push('\n');
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()?;
    Ok(())
}
