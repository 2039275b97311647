//! Whoever looks after a cluster: asks its replicas how they are, founds its groups, and has them
//! change their leaders.
//!
//! Founding is done once in a cluster's life; see `founding.rs` of crate `ssmr-log` for what makes
//! it safe, whoever forgets or repeats it. What is added here is the view over all groups: they are
//! founded together or not at all. What groups have told each other is part of their state, so one
//! that was lost cannot begin anew beside others that remember it.
//!
//! Invariant: nothing is founded before each replica of the cluster has said what it holds.

mod hand_over;
pub(crate) mod message;

use crate::config::ClusterConfig;
use crate::endpoint::Endpoint;
use crate::error::{ConfigError, ConnectError, FoundError};
use crate::greeting::Role;
use crate::hottest::HotObjects;
use crate::link::{FIRST_PAUSE, LONGEST_PAUSE};
use crate::participant::Participant;
use crate::peer::Peer;
use crate::report::ReplicaReport;
use crate::status::ReplicaStatus;
use crate::wire::{Frames, Incoming, Reader, Writer, frame, invalid};
use futures_util::future::try_join_all;
use message::{OperatorAnswer, OperatorMessage};
use ssmr_core::replica::Milestone;
use ssmr_core::{Application, GroupId, Identity, Oracle, ReplicaId, Topology, codec};
use ssmr_log::{Founding, Holding, MemberId};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// How long to wait for a replica unless it is said otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever looks after a cluster.
#[derive(Clone, Debug)]
pub struct Operator {
    participant: Participant,
    topology: Topology,
    addresses: BTreeMap<ReplicaId, Endpoint>,
    patience: Duration,
}

/// What became of the groups that were to be founded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Founded {
    /// Those that were founded now.
    pub groups: Vec<GroupId>,
    /// Those that had been founded by just these replicas already, with nothing done since: by
    /// somebody else, or by an attempt that was interrupted.
    pub before: Vec<GroupId>,
}

/// What the replicas of a cluster hold, group by group.
#[derive(Debug, Default)]
struct Survey {
    due: Vec<(GroupId, BTreeSet<MemberId>)>,
    done: Vec<GroupId>,
    refused: Vec<(ReplicaId, Holding)>,
}

impl Operator {
    /// An operator of the cluster of service `A` that the configuration describes.
    ///
    /// # Errors
    /// If the configuration does not describe a cluster of this strategy, or the operator's
    /// certificate cannot be used.
    pub fn new<A: Application>(
        config: &ClusterConfig,
        oracle: impl Oracle,
    ) -> Result<Self, ConfigError> {
        let (oracle, topology) = (oracle.into_shared(), config.topology);
        config.check(&*oracle)?;
        let identity = Identity::of::<A>(&*oracle, topology, config.incarnation);
        Self::of(identity, config)
    }

    /// An operator of the cluster of this identity, which the configuration fits.
    pub(crate) fn of(identity: Identity, config: &ClusterConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            participant: Participant::new(identity, Role::Operator, config)?,
            topology: config.topology,
            addresses: config.addresses.clone(),
            patience: PATIENCE,
        })
    }

    /// This operator, waiting so long for an answer of each replica: it may not run yet.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Asks a replica how it is.
    ///
    /// # Errors
    /// If it does not answer in time, or somebody else answers in its place.
    pub async fn status(&self, id: ReplicaId) -> Result<ReplicaStatus, ConnectError> {
        self.ask_status(id, &OperatorMessage::Status).await
    }

    /// The same with the digest of its state. The replica does nothing else while it works that
    /// out.
    ///
    /// # Errors
    /// If it does not answer in time, or somebody else answers in its place.
    pub async fn inspect(&self, id: ReplicaId) -> Result<ReplicaStatus, ConnectError> {
        self.ask_status(id, &OperatorMessage::Inspect).await
    }

    async fn ask_status(
        &self,
        id: ReplicaId,
        message: &OperatorMessage,
    ) -> Result<ReplicaStatus, ConnectError> {
        match self.ask(id, message).await? {
            (_, OperatorAnswer::Status(status)) => Ok(status),
            (peer, _) => Err(nonsense(&peer)),
        }
    }

    /// Asks a replica for the digest of its state after the first entry of its log from this index
    /// on that led to a delivery. It goes on meanwhile, so that replicas can be compared at the
    /// same entry under load: name an index that none of them has applied, and ask again until each
    /// has [reached](Milestone::Reached) it. The cost is that of [`inspect`](Self::inspect), once.
    ///
    /// # Errors
    /// If it does not answer in time, or somebody else answers in its place.
    pub async fn milestone(&self, id: ReplicaId, from: u64) -> Result<Milestone, ConnectError> {
        match self.ask(id, &OperatorMessage::Milestone(from)).await? {
            (_, OperatorAnswer::Milestone(milestone)) => Ok(milestone),
            (peer, _) => Err(nonsense(&peer)),
        }
    }

    /// Asks a replica for all that it can tell of itself.
    ///
    /// # Errors
    /// If it does not answer in time, or somebody else answers in its place.
    pub async fn report(&self, id: ReplicaId) -> Result<ReplicaReport, ConnectError> {
        match self.ask(id, &OperatorMessage::Report).await? {
            (_, OperatorAnswer::Report(report)) => Ok(*report),
            (peer, _) => Err(nonsense(&peer)),
        }
    }

    /// Asks a replica which objects were named the most in the last seconds, so many at most. It
    /// counts from the first question on, until nobody has asked for ten seconds: the first answer
    /// is empty. Commands are counted at all replicas of their destinations, reads that are not
    /// ordered at the one that leads.
    ///
    /// # Errors
    /// If it does not answer in time, or somebody else answers in its place.
    pub async fn hottest(&self, id: ReplicaId, most: u16) -> Result<HotObjects, ConnectError> {
        match self.ask(id, &OperatorMessage::Hottest(most)).await? {
            (_, OperatorAnswer::Hottest(hottest)) => Ok(hottest),
            (peer, _) => Err(nonsense(&peer)),
        }
    }

    /// Asks a replica how it is, again and again after such a time, and hands each answer on. While
    /// it cannot be reached it tries to. To be dropped at will.
    ///
    /// # Errors
    /// If the cluster has no such replica.
    pub async fn watch(
        &self,
        replica: ReplicaId,
        every: Duration,
        mut heard: impl FnMut(ReplicaStatus),
    ) -> Result<Infallible, ConfigError> {
        let peer = self.peer(replica)?;
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            // It may be down, or silent: the next tick tries again.
            if let Ok(Ok(mut connection)) = timeout(self.patience, self.connect(&peer)).await {
                while let Ok(Ok(OperatorAnswer::Status(status))) =
                    timeout(self.patience, connection.ask(&OperatorMessage::Status)).await
                {
                    heard(status);
                    ticks.tick().await;
                }
            }
            ticks.tick().await;
        }
    }

    /// Founds a cluster: all of its groups, which all of its replicas must hold nothing of. To be
    /// done once, when it has been started for the first time. Waits until every replica can be
    /// reached. A founding that was interrupted is completed, and one that is repeated at once
    /// changes nothing.
    ///
    /// A cluster whose replicas have all forgotten holds nothing as well, and is founded as a new
    /// one. It should have another incarnation then, for clients may remember the former one.
    ///
    /// # Errors
    /// If a replica cannot be reached in time, or holds something. Nothing is founded then.
    pub async fn found(&self) -> Result<Founded, FoundError> {
        let survey = self.survey().await?;
        match survey.refused.first() {
            Some((replica, holding)) => Err(FoundError::Holds {
                replica: *replica,
                holding: holding.clone(),
            }),
            None => self.carry_out(survey).await,
        }
    }

    /// The same for a cluster that may be old: where all groups hold something nothing is done.
    ///
    /// # Errors
    /// If a replica cannot be reached in time, or one group holds nothing and another one
    /// something. Nothing is founded then.
    pub async fn found_if_new(&self) -> Result<Founded, FoundError> {
        let survey = self.survey().await?;
        match (survey.due.first(), survey.refused.first()) {
            (Some((empty, _)), Some((replica, holding))) => Err(FoundError::Lost {
                empty: *empty,
                replica: *replica,
                holding: holding.clone(),
            }),
            (None, Some(_)) => Ok(Founded::default()),
            (_, None) => self.carry_out(survey).await,
        }
    }

    /// Asks all replicas what they hold.
    async fn survey(&self) -> Result<Survey, FoundError> {
        let all = try_join_all(self.topology.replicas().map(|id| self.status(id))).await?;
        let mut survey = Survey::default();
        for group in self.topology.groups().iter() {
            let members = all.iter().filter(|status| status.id.group == group);
            let said: Vec<_> = members
                .map(|status| (status.member, status.holding.clone()))
                .collect();
            match Founding::of(&said) {
                Founding::Due(founders) => survey.due.push((group, founders)),
                Founding::Done => survey.done.push(group),
                Founding::Refused(member, holding) => {
                    let index = member.index();
                    survey.refused.push((ReplicaId { group, index }, holding));
                }
            }
        }
        Ok(survey)
    }

    async fn carry_out(&self, survey: Survey) -> Result<Founded, FoundError> {
        let prepared = survey.due.iter().flat_map(|(group, founders)| {
            let message = OperatorMessage::Prepare(founders.clone());
            let members = self.topology.members(*group);
            members.map(move |id| self.order(id, message.clone()))
        });
        try_join_all(prepared).await?;
        let founded = survey.due.iter().map(|(group, founders)| {
            let (group, index) = (*group, 0);
            let message = OperatorMessage::Found(founders.clone());
            self.order(ReplicaId { group, index }, message)
        });
        try_join_all(founded).await?;
        Ok(Founded {
            groups: survey.due.into_iter().map(|(group, _)| group).collect(),
            before: survey.done,
        })
    }

    /// Has a replica do something.
    async fn order(&self, replica: ReplicaId, message: OperatorMessage) -> Result<(), FoundError> {
        match self.ask(replica, &message).await? {
            (_, OperatorAnswer::Done(done)) => {
                done.map_err(|why| FoundError::Refused { replica, why })
            }
            (peer, _) => Err(nonsense(&peer).into()),
        }
    }

    /// Says something to a replica, which may not run yet, and waits for the answer.
    async fn ask(
        &self,
        replica: ReplicaId,
        message: &OperatorMessage,
    ) -> Result<(Peer, OperatorAnswer), ConnectError> {
        let peer = self.peer(replica)?;
        let mut failed = None;
        let asked = async {
            let mut pause = FIRST_PAUSE;
            loop {
                match self.ask_once(&peer, message).await {
                    Err(error) if !error.is_mismatch() => failed = Some(error),
                    answered => return answered,
                }
                sleep(pause).await;
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
        };
        let answered = timeout(self.patience, asked).await;
        let silent = || ConnectError::unreachable(&peer, io::ErrorKind::TimedOut.into());
        let answer = answered.unwrap_or_else(|_| Err(failed.unwrap_or_else(silent)))?;
        Ok((peer, answer))
    }

    async fn ask_once(
        &self,
        peer: &Peer,
        message: &OperatorMessage,
    ) -> Result<OperatorAnswer, ConnectError> {
        self.connect(peer).await?.ask(message).await
    }

    async fn connect(&self, peer: &Peer) -> Result<Connection, ConnectError> {
        let (frames, writer) = self.participant.dial(peer).await?;
        Ok(Connection {
            peer: peer.clone(),
            frames,
            writer,
        })
    }

    fn peer(&self, replica: ReplicaId) -> Result<Peer, ConfigError> {
        let address = self.addresses.get(&replica).cloned();
        let address = address.ok_or(ConfigError::NoAddress(replica))?;
        Ok(Peer { replica, address })
    }
}

/// A replica that has been greeted.
struct Connection {
    peer: Peer,
    frames: Frames<Reader>,
    writer: Writer,
}

impl Connection {
    /// Says something and waits for the answer.
    async fn ask(&mut self, message: &OperatorMessage) -> Result<OperatorAnswer, ConnectError> {
        let peer = &self.peer;
        let failed = |error| ConnectError::of(peer, error);
        let message = frame(&[&codec::encode(message)]);
        self.writer.write_all(&message).await.map_err(failed)?;
        self.writer.flush().await.map_err(failed)?;
        match self.frames.next().await.map_err(failed)? {
            Incoming::Message(answer, _) => Ok(answer),
            Incoming::Farewell => Err(ConnectError::ShutDown { peer: peer.clone() }),
        }
    }
}

/// A replica answers something else than it was asked.
fn nonsense(peer: &Peer) -> ConnectError {
    ConnectError::unreachable(peer, invalid("its answer makes no sense"))
}

#[cfg(test)]
mod tests;
