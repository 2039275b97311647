//! `harness cluster`: what is done once for a whole cluster, as a cluster file describes it.

use crate::described::{ClusterVisitor, Described, with_cluster};
use crate::ending::Ending;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::Workloads;
use crate::settings::cluster::{ClusterSettings, FoundSettings};
use anyhow::{Context, Result};
use ssmr_core::Application;
use ssmr_net::{Founded, Operator};
use tokio::runtime::Builder;

/// Does what the settings say.
///
/// # Errors
/// If there is no such cluster, or it cannot be done.
pub(crate) fn run<W: Workloads>(
    settings: &ClusterSettings,
    strategies: &Strategies,
) -> Result<Ending> {
    let ClusterSettings::Found(settings) = settings;
    let founded = with_cluster::<W, _>("FILE", &settings.file, strategies, Found(settings))?;
    let founded = founded.with_context(|| settings.file.display().to_string())?;
    let done = founded.groups.iter();
    done.for_each(|group| println!("{group} is founded"));
    let before = founded.before.iter();
    before.for_each(|group| println!("{group} was founded before"));
    Ok(Ending::Good)
}

/// Makes the replicas of a cluster, all of which hold nothing, its first members.
struct Found<'a>(&'a FoundSettings);

impl ClusterVisitor for Found<'_> {
    type Output = Result<Founded>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let operator = Operator::new::<A>(&cluster.file.config, cluster.oracle)?;
        let operator = operator.with_patience(self.0.timeout);
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot start an event loop")?;
        Ok(runtime.block_on(operator.found())?)
    }
}
