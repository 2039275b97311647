//! An operator has a group change its leader, without an election time-out.
//!
//! The leader is asked again and again until another one leads: to ask twice changes nothing.

use super::message::{OperatorAnswer, OperatorMessage};
use super::{Operator, nonsense};
use crate::error::{ConnectError, HandOverError};
use crate::status::ReplicaStatus;
use futures_util::stream::{FuturesUnordered, StreamExt};
use ssmr_core::{GroupId, ReplicaId};
use ssmr_log::HandOverRefused;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long a replica may take to answer: others know who leads too.
const ANSWER: Duration = Duration::from_secs(1);
/// How often it is looked who leads.
const PAUSE: Duration = Duration::from_millis(10);

impl Operator {
    /// Has the leader of a group hand over to the voter that is most caught up, and waits until
    /// another replica leads. Returns that one. A client whose command waits for other
    /// groups just then may ask again before it is answered.
    ///
    /// # Errors
    /// If no other one leads in time: nobody led before, the leader refuses, or nobody takes over.
    pub async fn hand_over(&self, group: GroupId) -> Result<ReplicaId, HandOverError> {
        self.change_leader(group, None).await
    }

    /// Has the leader of a replica's group hand over to that replica, and waits until it leads.
    ///
    /// # Errors
    /// If it does not lead in time: see [`hand_over`](Self::hand_over). One that is not there, or
    /// is not a voter yet, may become one meanwhile.
    pub async fn hand_over_to(&self, replica: ReplicaId) -> Result<(), HandOverError> {
        self.peer(replica).map_err(ConnectError::from)?;
        let changed = self.change_leader(replica.group, Some(replica)).await;
        changed.map(|_| ())
    }

    async fn change_leader(
        &self,
        group: GroupId,
        to: Option<ReplicaId>,
    ) -> Result<ReplicaId, HandOverError> {
        let waited = self.patience;
        let mut former: Option<ReplicaId> = None;
        let mut failed = HandOverError::NoLeader { group, waited };
        let changing = async {
            loop {
                if let Some(leader) = self.find_leader(group).await? {
                    let id = leader.id;
                    let is_new = former.is_some_and(|former| former != id);
                    if to.map_or(is_new, |to| to == id) {
                        return Ok(id);
                    }
                    former = Some(former.unwrap_or(id));
                    match self.ask_to_hand_over(id, to).await {
                        Ok(Ok(index)) => {
                            let (leader, to) = (id, ReplicaId { group, index });
                            failed = HandOverError::NotTaken { leader, to, waited };
                        }
                        Ok(Err(why)) => {
                            failed = HandOverError::Refused { leader: id, why };
                            if to.is_none() && why == HandOverRefused::NoVoter {
                                return Err(failed.clone());
                            }
                        }
                        Err(error) if error.is_mismatch() => return Err(error.into()),
                        // It may have gone since: somebody else will lead.
                        Err(_) => {}
                    }
                }
                sleep(PAUSE).await;
            }
        };
        let changed = timeout(self.patience, changing).await;
        changed.unwrap_or(Err(failed))
    }

    async fn ask_to_hand_over(
        &self,
        leader: ReplicaId,
        to: Option<ReplicaId>,
    ) -> Result<Result<u8, HandOverRefused>, ConnectError> {
        let peer = self.peer(leader)?;
        let message = OperatorMessage::HandOver(to.map(|to| to.index));
        match timeout(ANSWER, self.ask_once(&peer, &message)).await {
            Ok(Ok(OperatorAnswer::HandingOver(begun))) => Ok(begun),
            Ok(Ok(_)) => Err(nonsense(&peer)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ConnectError::unreachable(
                &peer,
                std::io::ErrorKind::TimedOut.into(),
            )),
        }
    }

    /// The replica that leads a group by what a majority of it says, if there is one.
    async fn find_leader(&self, group: GroupId) -> Result<Option<ReplicaStatus>, ConnectError> {
        let status = |id| async move {
            let peer = self.peer(id)?;
            match timeout(ANSWER, self.ask_once(&peer, &OperatorMessage::Status)).await {
                Ok(Ok(OperatorAnswer::Status(status))) => Ok(Some(status)),
                Ok(Ok(_)) => Err(nonsense(&peer)),
                Ok(Err(error)) if error.is_mismatch() => Err(error),
                Ok(Err(_)) | Err(_) => Ok(None),
            }
        };
        let members = self.topology.members(group);
        let mut answers: FuturesUnordered<_> = members.map(status).collect();
        let count = answers.len();
        let mut heard: Vec<ReplicaStatus> = Vec::new();
        while let Some(answer) = answers.next().await {
            heard.extend(answer?);
            let latest = heard.iter().max_by_key(|it| (it.term, it.is_leader));
            let leader = latest.filter(|it| it.is_leader && heard.len() > count / 2);
            if let Some(leader) = leader {
                return Ok(Some(leader.clone()));
            }
        }
        Ok(None)
    }
}
