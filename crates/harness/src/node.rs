//! `harness node`: one replica as a process, as a cluster file says.
//!
//! SIGTERM and SIGINT end it. With `--orders` it is driven by who started it, over its standard
//! input and output (see [`Order`] and [`NodeReport`]), and ends when its input closes, too:
//! nothing is left running by a parent that died, however it died. Whichever it is, the log is
//! closed in order, so that one that was not synced can be believed after the machine was started
//! again.

use crate::deploy::deployment::{Status, Tally};
use crate::deploy::lines::{NodeReport, Order};
use crate::described::{ClusterVisitor, Described, with_cluster};
use crate::ending::Ending;
use crate::error::UsageError;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::Workloads;
use crate::settings::node::NodeSettings;
use crate::time;
use anyhow::{Context, Result};
use ssmr_core::{Application, ReplicaId};
use ssmr_net::{ClusterFile, NetError, Node, ReplicaStatus, ReplicaThread, Signals};
use std::io::{self, BufRead, Write};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

/// Where the user names the cluster file.
const FILE: &str = "--cluster";

/// Runs the replica until a signal comes, or, if it takes orders, its input closes.
///
/// # Errors
/// If there is no such replica, it cannot run, or it fails.
pub(crate) fn run<W: Workloads>(
    settings: &NodeSettings,
    strategies: &Strategies,
) -> Result<Ending> {
    let runs = Runs { settings };
    with_cluster::<W, _>(FILE, &settings.cluster, strategies, runs)?
}

/// A replica to be run.
struct Runs<'a> {
    settings: &'a NodeSettings,
}

impl Runs<'_> {
    /// The file, with what was asked for besides.
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables))]
    fn with_flags(&self, mut file: ClusterFile, id: ReplicaId) -> ClusterFile {
        file.insecure |= self.settings.insecure;
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.settings.metrics {
            file.places.entry(id).or_default().metrics = Some(metrics.clone());
        }
        file
    }

    /// What is wrong with what was asked for, or with what the file says. An address that is not
    /// there, or a disk that fails, may be right the next time: whoever restarts this is to try.
    fn blame(error: NetError) -> anyhow::Error {
        let flag = match &error {
            NetError::WhichReplica(_) => "--replica",
            NetError::Config(_) => FILE,
            _ => return error.into(),
        };
        UsageError::new(flag, error.to_string()).into()
    }
}

impl ClusterVisitor for Runs<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let Described { file, oracle } = cluster;
        let which = self.settings.replica;
        let id = which.of(&file.config.topology).map_err(Self::blame)?;
        let file = self.with_flags(file, id);
        let runtime = Builder::new_current_thread().enable_io().build();
        let runtime = runtime.context("cannot start an event loop")?;
        runtime.block_on(async {
            // From here on a signal waits until the log can be closed.
            let signals = Signals::listen().context("cannot listen for signals")?;
            let node = Node::start::<A>(&file, id, oracle).map_err(Self::blame)?;
            if self.settings.takes_orders {
                let served = serve(id, node.replica(), signals).await;
                node.shutdown().await;
                served?;
            } else {
                node.run(signals).await?;
            }
            // A replica whose machine is emptied must not count as one that has done its part of
            // the job: nobody would start it elsewhere.
            Ok(match self.settings.is_of_job {
                true => Ending::Interrupted,
                false => Ending::Good,
            })
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
