//! `cluster found`: making the replicas of a new cluster its first members.

use super::runtime;
use crate::described::{ClusterVisitor, Described};
use crate::ending::Ending;
use crate::settings::cluster::StartSettings;
use anyhow::{Context, Result};
use ssmr_core::Application;
use ssmr_net::Operator;

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
