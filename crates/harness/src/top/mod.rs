//! `harness top`: how a cluster is, again and again, as its replicas tell an operator.

mod look;
mod table;

use crate::described::{ClusterVisitor, Described, with_cluster};
use crate::ending::Ending;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::Workloads;
use crate::settings::top::TopSettings;
use anyhow::{Context, Result};
use futures_util::future::join_all;
use look::{Hot, Look, Told, hottest};
use ssmr_core::{Application, ReplicaId, Topology};
use ssmr_net::Operator;
use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::{MissedTickBehavior, interval};

/// How long a replica may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Clears a terminal, and goes to its first place.
const CLEAR: &str = "\x1b[2J";
/// Goes to the first place and clears what is behind it when the text is written.
const HOME: &str = "\x1b[H";
const CLEAR_REST: &str = "\x1b[J";

/// Shows how the cluster is until the user ends it, or once.
///
/// # Errors
/// If there is no such cluster, or nobody reads.
pub(crate) fn run<W: Workloads>(settings: &TopSettings, strategies: &Strategies) -> Result<Ending> {
    with_cluster::<W, _>("CLUSTER", &settings.file, strategies, Top(settings))?
}

struct Top<'a>(&'a TopSettings);

impl ClusterVisitor for Top<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let config = &cluster.file.config;
        let topology = config.topology;
        let operator = Operator::new::<A>(config, cluster.oracle)?;
        let operator = operator.with_patience(PATIENCE);
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot start an event loop")?;
        runtime.block_on(watch(self.0, &operator, topology))
    }
}

/// Looks and shows, at least twice: rates need a look before.
async fn watch(settings: &TopSettings, operator: &Operator, topology: Topology) -> Result<Ending> {
    let redraws = stdout().is_terminal() && !settings.once && !settings.json;
    if redraws {
        print!("{CLEAR}");
    }
    let mut ticks = interval(settings.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut before = ask(operator, topology).await;
    heat(operator, &before, settings.hottest).await;
    loop {
        ticks.tick().await;
        let now = ask(operator, topology).await;
        let look = Look::new(&now, &before, heat(operator, &now, settings.hottest).await);
        show(settings, &look, redraws)?;
        if settings.once {
            return Ok(match look.is_whole() {
                true => Ending::Good,
                false => Ending::Degraded,
            });
        }
        before = now;
    }
}

/// What all replicas tell.
async fn ask(operator: &Operator, topology: Topology) -> Told {
    let asked = topology.replicas().map(|id| async move {
        let told = operator.report(id).await;
        (id, told.map_err(|error| error.to_string()))
    });
    join_all(asked).await.into_iter().collect()
}

/// What the leaders say is hottest.
async fn heat(operator: &Operator, told: &Told, most: u16) -> Vec<Hot> {
    let leads = |id: &ReplicaId| {
        told[id]
            .as_ref()
            .is_ok_and(|report| report.status.is_leader)
    };
    let leaders = told.keys().copied().filter(|id| most > 0 && leads(id));
    let asked = leaders.map(|id| async move {
        // One that has just gone is silent in the next look.
        operator.hottest(id, most).await.ok().map(|hot| (id, hot))
    });
    let counted: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
    hottest(&counted, usize::from(most))
}

fn show(settings: &TopSettings, look: &Look, redraws: bool) -> Result<()> {
    let text = match settings.json {
        true => format!("{}\n", serde_json::to_string(look)?),
        false => table::tables(look),
    };
    let mut out = stdout().lock();
    if redraws {
        write!(out, "{HOME}{CLEAR_REST}")?;
    }
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
