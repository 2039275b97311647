//! `cluster roll`: each replica ends and is started again, one after the other, while the cluster
//! goes on.
//!
//! Invariant: no replica is touched before all replicas of its group take part and have applied
//! what the furthest of them had.

use super::local::Processes;
use super::runtime;
use crate::described::{ClusterVisitor, Described};
use crate::ending::Ending;
use crate::settings::cluster::RollSettings;
use anyhow::{Context, Result, bail};
use futures_util::future::join_all;
use ssmr_core::{Application, GroupId, ReplicaId, Topology};
use ssmr_net::{Operator, ReplicaStatus};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What stands for the replica's name in the user's command.
const NAME: &str = "{}";

/// How long until replicas are asked again. Nothing tells when one has caught up.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a replica has for an answer before it is asked again.
const ANSWER: Duration = Duration::from_secs(2);

/// Restarts all replicas, one after the other.
pub(super) struct Roll<'a>(pub(super) &'a RollSettings);

impl ClusterVisitor for Roll<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let config = &cluster.file.config;
        let operator = Operator::new::<A>(config, cluster.oracle)?.with_patience(ANSWER);
        let topology = config.topology;
        let processes = Processes::of(&self.0.file)?;
        let _alone = match &self.0.with {
            Some(_) => None,
            None => Some(processes.alone()?),
        };
        runtime()?.block_on(async {
            for group in topology.groups().iter() {
                // The leader last: it hands over to one that has been started again already.
                let mut members = self.settled(&operator, &topology, group).await?;
                members.sort_by_key(|status| status.is_leader);
                for before in members {
                    let id = before.id;
                    let asked = Instant::now();
                    self.restart(&processes, id).await?;
                    self.is_new(&operator, id, asked).await?;
                    let others = self.settled(&operator, &topology, group).await?;
                    let back = others.iter().find(|status| status.id == id);
                    let back = back.with_context(|| format!("{id} is gone"))?;
                    let how = match back.member == before.member {
                        true => "with what it had stored",
                        false => "filled by its group",
                    };
                    println!("{id} is back, {how}");
                }
            }
            Ok(Ending::Good)
        })
    }
}

impl Roll<'_> {
    async fn restart(&self, processes: &Processes, id: ReplicaId) -> Result<()> {
        let Some(command) = &self.0.with else {
            if !processes.stop(id).await? {
                bail!("{id} was not started here: say with --with how to restart it");
            }
            processes.start(id)?;
            return Ok(());
        };
        let line = command.replace(NAME, &id.to_string());
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(&line)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let ended = tokio::task::spawn_blocking(move || shell.status()).await?;
        let ended = ended.with_context(|| format!("--with: {line}"))?;
        if !ended.success() {
            bail!("--with: {line}: {ended}");
        }
        Ok(())
    }

    /// Waits until a replica has been started since: whatever was to restart it may have returned
    /// before it did, or not at all.
    async fn is_new(&self, operator: &Operator, id: ReplicaId, asked: Instant) -> Result<()> {
        loop {
            let status = operator.status(id).await;
            let uptime = status.map(|status| Duration::from_micros(status.uptime_us));
            match uptime {
                Ok(uptime) if uptime < asked.elapsed() => return Ok(()),
                _ if asked.elapsed() < self.0.timeout => sleep(PAUSE).await,
                Ok(uptime) => bail!("{id} was not restarted: it has run for {uptime:?}"),
                Err(why) => bail!("{id} does not come back: {why}"),
            }
        }
    }

    /// Waits until all replicas of a group take part, have a leader, and have applied what the
    /// furthest of them had when it was asked first. Returns how they are.
    async fn settled(
        &self,
        operator: &Operator,
        topology: &Topology,
        group: GroupId,
    ) -> Result<Vec<ReplicaStatus>> {
        let begun = Instant::now();
        let mut least = 0;
        loop {
            let asked = topology.members(group).map(|id| operator.status(id));
            let told = join_all(asked).await;
            let furthest = told.iter().flatten().map(|status| status.committed).max();
            if least == 0 {
                least = furthest.unwrap_or(0);
            }
            let is_settled =
                |status: &ReplicaStatus| status.takes_part() && status.applied >= least;
            let unsettled = told
                .iter()
                .find(|told| !told.as_ref().is_ok_and(is_settled));
            match unsettled {
                None => return Ok(told.into_iter().flatten().collect()),
                Some(_) if begun.elapsed() < self.0.timeout => sleep(PAUSE).await,
                Some(Err(why)) => bail!("{group} does not recover: {why}"),
                Some(Ok(status)) => {
                    let after = self.0.timeout;
                    bail!(
                        "{group} does not recover: {} has not caught up after {after:?}",
                        status.id
                    )
                }
            }
        }
    }
}
