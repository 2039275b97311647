//! `harness node`: one replica as a process, as a cluster file says.
//!
//! It is driven by who started it, over its standard input and output (see [`Order`] and
//! [`NodeReport`]), and ends when its input closes: nothing is left running by a parent that died,
//! however it died.

use crate::deploy::deployment::{Status, Tally};
use crate::deploy::file::{ClusterFile, Known};
use crate::deploy::lines::{NodeReport, Order};
use crate::ending::Ending;
use crate::error::{FileError, UsageError};
use crate::registry::strategies::{Chosen, Strategies};
use crate::registry::workloads::{ServiceVisitor, Workloads};
use crate::settings::node::NodeSettings;
use crate::time;
use anyhow::{Context, Result};
use ssmr_core::{Application, Oracle, ReplicaId, Topology};
use ssmr_net::{Leaders, NetError, ReplicaOptions, ReplicaStatus, ReplicaThread};
use std::io::{self, BufRead, Write};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::watch;

/// Runs the replica until the input closes.
///
/// # Errors
/// If there is no such replica, it cannot run, or it fails.
pub(crate) fn run<W: Workloads>(
    settings: &NodeSettings,
    strategies: &Strategies,
) -> Result<Ending> {
    let known = Known {
        strategies: strategies.infos().iter().map(|info| info.name).collect(),
        workloads: W::infos().iter().map(|info| info.name).collect(),
    };
    let bad = |error: FileError| UsageError::new("--cluster", error.to_string());
    let file = ClusterFile::read(&settings.cluster, &known).map_err(bad)?;
    let service = Service {
        settings,
        file: &file,
        strategies,
    };
    W::with_service(&file.workload, service)
        .unwrap_or_else(|_| unreachable!("{} is known", file.workload))
}

/// A replica to be run. The service comes with [`ServiceVisitor::visit`].
struct Service<'a> {
    settings: &'a NodeSettings,
    file: &'a ClusterFile,
    strategies: &'a Strategies,
}

impl ServiceVisitor for Service<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self) -> Self::Output {
        let node = Node {
            settings: self.settings,
            file: self.file,
            service: PhantomData::<A>,
        };
        let shape = self.file.shape().map_err(|problem| node.bad(&problem))?;
        let strategies = self.strategies;
        node.serve(strategies.choose_known(&self.file.strategy, &shape))
    }
}

/// A replica of a service to be run.
struct Node<'a, A> {
    settings: &'a NodeSettings,
    file: &'a ClusterFile,
    service: PhantomData<A>,
}

impl<A> Node<'_, A> {
    /// Something is wrong with the cluster file.
    fn bad(&self, problem: &str) -> UsageError {
        let path = self.settings.cluster.display();
        UsageError::new("--cluster", format!("{path}: {problem}"))
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
}

impl<A: Application> Node<'_, A> {
    fn serve(self, strategy: Chosen) -> Result<Ending> {
        let Chosen {
            oracle, topology, ..
        } = strategy;
        let config = self.file.config(topology);
        let config = config.map_err(|problem| self.bad(&problem))?;
        let id = self.id(&topology)?;
        let address = config.addresses[&id];
        let listener = TcpListener::bind(address).map_err(|error| {
            self.bad(&format!(
                "cannot listen on {address} (replica {id}): {error}"
            ))
        })?;
        let options = ReplicaOptions::new(id, config, oracle)
            .with_seed(self.file.seed as u64)
            .with_durability(self.file.durability())
            .with_rejoins(self.settings.rejoin)
            .with_log_bytes(self.file.log_bytes);
        let started = ReplicaThread::start::<A>(options, listener);
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

/// Reports whether the replica leads, as it changes. A replica that fails takes its process with
/// it.
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
