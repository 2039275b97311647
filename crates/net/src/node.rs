//! A node: one replica of a cluster that a file describes, as a process runs it.
//!
//! The same command line is right each time, and on each host: which replica a process is may
//! follow from what started it.

use crate::cluster_file::ClusterFile;
use crate::endpoint::Endpoint;
use crate::error::{ConfigError, NetError};
use crate::ordinal::Ordinal;
use crate::replica::{ReplicaOptions, ReplicaThread};
use crate::signals::Signals;
use ssmr_core::{Application, GroupId, Oracle, ReplicaId, Topology};

/// Which replica of its cluster a process is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhichReplica {
    /// This one.
    Named(ReplicaId),
    /// The one of this group that the process's ordinal says.
    OfGroup(GroupId),
    /// The one that the process's ordinal says, among all replicas of the cluster: those of p0 come
    /// first, those of the oracle last.
    #[default]
    ByOrdinal,
}

impl WhichReplica {
    /// The replica.
    ///
    /// # Errors
    /// If there is no such replica, or this process has no [`Ordinal`].
    pub fn of(self, topology: &Topology) -> Result<ReplicaId, NetError> {
        self.among(topology, Ordinal::of_process)
    }

    fn among(
        self,
        topology: &Topology,
        ordinal: impl FnOnce() -> Result<Ordinal, NetError>,
    ) -> Result<ReplicaId, NetError> {
        let no_such = |asked: String| {
            let names: Vec<String> = topology.replicas().map(|id| id.to_string()).collect();
            let why = format!("{asked} is not one of {}", names.join(", "));
            NetError::WhichReplica(why)
        };
        match self {
            Self::Named(id) => {
                let known = topology.replicas().any(|known| known == id);
                known.then_some(id).ok_or_else(|| no_such(id.to_string()))
            }
            Self::OfGroup(group) => {
                if !topology.groups().contains(group) {
                    let why = format!("there is no group {group}");
                    return Err(NetError::WhichReplica(why));
                }
                let ordinal = ordinal()?;
                let found = topology.members(group).nth(ordinal.number());
                found.ok_or_else(|| no_such(of_what(&ordinal, &group.to_string())))
            }
            Self::ByOrdinal => {
                let ordinal = ordinal()?;
                let found = topology.replicas().nth(ordinal.number());
                found.ok_or_else(|| no_such(of_what(&ordinal, "the cluster")))
            }
        }
    }
}

fn of_what(ordinal: &Ordinal, what: &str) -> String {
    format!("replica number {} of {what} ({ordinal})", ordinal.number())
}

/// A running replica of a cluster that a file describes. Dropping it stops it and holds up the
/// thread meanwhile.
#[derive(Debug)]
pub struct Node {
    id: ReplicaId,
    replica: ReplicaThread,
}

impl Node {
    /// Starts a replica, which listens when this returns. Its log is read from disk meanwhile.
    ///
    /// # Errors
    /// If there is no such replica, the file describes a cluster of another service or strategy,
    /// nobody can listen there, or the replica's log cannot be read.
    pub fn start<A: Application>(
        file: &ClusterFile,
        id: ReplicaId,
        oracle: impl Oracle,
    ) -> Result<Self, NetError> {
        if let Some(named) = file.service.as_ref().filter(|named| **named != A::NAME) {
            return Err(NetError::Config(ConfigError::OtherService {
                named: named.clone(),
                service: A::NAME,
            }));
        }
        let oracle = oracle.into_shared();
        if oracle.needs().shared_cache && file.config.cache_servers.is_empty() {
            let strategy = oracle.name();
            tracing::warn!(
                strategy,
                "the cluster's file names no memcached: homes and owners do its work"
            );
        }
        let options = file.replica_options(id, oracle)?;
        let options = with_metrics(options, file.serves_metrics_at(id))?;
        let listener = file.listen(id)?;
        let replica = ReplicaThread::start::<A>(options, listener)?;
        Ok(Self { id, replica })
    }

    /// Which replica it is.
    #[must_use]
    pub fn id(&self) -> ReplicaId {
        self.id
    }

    /// The replica.
    #[must_use]
    pub fn replica(&self) -> &ReplicaThread {
        &self.replica
    }

    /// Runs until one of the signals comes, then stops in order: the log is closed.
    ///
    /// # Errors
    /// If the replica ends by itself: it has found its disk or its state broken.
    pub async fn run(self, mut signals: Signals) -> Result<(), NetError> {
        let mut leaders = self.replica.leaders();
        // The sender goes with the replica.
        let failed = async { while leaders.changed().await.is_ok() {} };
        let id = self.id;
        let ended = tokio::select! {
            _ = signals.strike() => Ok(()),
            () = failed => Err(NetError::Failed(id)),
        };
        self.shutdown().await;
        ended
    }

    /// Stops it in order, and waits until it has ended.
    pub async fn shutdown(self) {
        self.replica.shutdown().await;
    }
}

/// Has a replica serve its metrics there.
#[cfg(feature = "metrics")]
fn with_metrics(
    options: ReplicaOptions,
    at: Option<&Endpoint>,
) -> Result<ReplicaOptions, NetError> {
    let Some(at) = at else { return Ok(options) };
    let found = at.look_up_now();
    let failed = |source| NetError::Bind {
        address: format!("{at} (metrics)"),
        source,
    };
    Ok(options.with_metrics(found.map_err(failed)?))
}

/// Nobody is left without metrics who has asked for them.
#[cfg(not(feature = "metrics"))]
fn with_metrics(
    options: ReplicaOptions,
    at: Option<&Endpoint>,
) -> Result<ReplicaOptions, NetError> {
    match at {
        None => Ok(options),
        Some(_) => Err(ConfigError::NoMetrics.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        which: WhichReplica,
        variables: &[(&str, &str)],
        host: &str,
    ) -> Result<String, String> {
        let topology = Topology::new(2, 3).unwrap().with_oracle(1).unwrap();
        let variable = |asked: &str| {
            let found = variables.iter().find(|(name, _)| *name == asked);
            found.map(|(_, value)| (*value).to_owned())
        };
        let chosen = which.among(&topology, || Ordinal::of(variable, host));
        let named = chosen.map(|id| id.to_string());
        named.map_err(|error| error.to_string())
    }

    #[test]
    fn a_process_is_what_it_is_told_or_what_started_it_says() {
        let job = ("JOB_COMPLETION_INDEX", "4");
        let task = ("SLURM_PROCID", "6");
        let (by, p1) = (
            WhichReplica::ByOrdinal,
            WhichReplica::OfGroup("p1".parse().unwrap()),
        );
        let named = WhichReplica::Named("p1r2".parse().unwrap());
        assert_eq!(chosen(named, &[job], "host-0").unwrap(), "p1r2");
        assert_eq!(chosen(by, &[task, job], "host-0").unwrap(), "p1r1");
        assert_eq!(chosen(by, &[task], "host-0").unwrap(), "oracler0");
        assert_eq!(chosen(by, &[], "host-0").unwrap(), "p0r0");
        assert_eq!(chosen(p1, &[], "things-p1-2").unwrap(), "p1r2");
    }

    #[test]
    fn what_is_nobody_is_refused_with_its_source() {
        let by = WhichReplica::ByOrdinal;
        let refused = |which, variables, host: &str| chosen(which, variables, host).unwrap_err();
        let named = WhichReplica::Named("p2r0".parse().unwrap());
        assert!(refused(named, &[], "h").contains("p2r0 is not one of p0r0"));
        let p1 = WhichReplica::OfGroup("p1".parse().unwrap());
        assert!(refused(p1, &[], "things-3").contains("number 3 of p1 (the host's name things-3)"));
        let p7 = WhichReplica::OfGroup("p7".parse().unwrap());
        assert!(refused(p7, &[], "things-3").contains("no group p7"));
        assert!(refused(by, &[("SLURM_PROCID", "x")], "h-0").contains("SLURM_PROCID=x"));
        assert!(refused(by, &[("SLURM_PROCID", "7")], "h-0").contains("SLURM_PROCID=7"));
        assert!(refused(by, &[], "laptop").contains("does not end with -NUMBER"));
    }
}
