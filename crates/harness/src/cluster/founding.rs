//! `cluster found`: making the replicas of a new cluster its first members. Whoever starts a
//! cluster also waits until all of them take part.

use super::runtime;
use crate::described::{ClusterVisitor, Described};
use crate::ending::Ending;
use crate::settings::cluster::StartSettings;
use anyhow::{Context, Result, bail};
use ssmr_core::{Application, Topology};
use ssmr_net::Operator;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long until a replica is asked again. Nothing tells that a group has a leader.
const PAUSE: Duration = Duration::from_millis(20);

/// Founds the cluster if it is new, and waits until each replica takes part in its group.
pub(super) async fn begin(
    operator: &Operator,
    topology: &Topology,
    patience: Duration,
) -> Result<()> {
    operator.found_if_new().await?;
    let begun = Instant::now();
    for id in topology.replicas() {
        loop {
            let status = operator.status(id).await?;
            if status.takes_part() {
                break;
            }
            if begun.elapsed() > patience {
                bail!("{id} takes no part in its group after {patience:?}");
            }
            sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Begins with a cluster whose replicas start elsewhere.
pub(super) struct Begin<'a>(pub(super) &'a StartSettings);

impl ClusterVisitor for Begin<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let config = &cluster.file.config;
        let operator = Operator::new::<A>(config, cluster.oracle)?;
        let operator = operator.with_patience(self.0.timeout);
        let begun = runtime()?.block_on(begin(&operator, &config.topology, self.0.timeout));
        begun.with_context(|| self.0.file.display().to_string())?;
        Ok(Ending::Good)
    }
}

/// Makes the replicas of a cluster, all of which hold nothing, its first members.
pub(super) struct Found<'a>(pub(super) &'a StartSettings);

impl ClusterVisitor for Found<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let operator = Operator::new::<A>(&cluster.file.config, cluster.oracle)?;
        let operator = operator.with_patience(self.0.timeout);
        let founded = runtime()?.block_on(operator.found());
        let founded = founded.with_context(|| self.0.file.display().to_string())?;
        let done = founded.groups.iter();
        done.for_each(|group| println!("{group} is founded"));
        let before = founded.before.iter();
        before.for_each(|group| println!("{group} was founded before"));
        Ok(Ending::Good)
    }
}
