//! Commands: attempts at requests, as they are multicast.
//!
//! The destinations of a command are the union over its request's intents.

use crate::id::{ClientId, GroupId, Groups};
use crate::limits::SESSION_WINDOW;
use crate::oracle::Placement;
use crate::request::{Defect, Request};
use crate::time::{LogTime, LogicalClock};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A client's session: the frame in which its commands take effect exactly once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId {
    /// Whose session it is.
    pub client: ClientId,
    /// The greatest log time that a group had told the client when it opened the session.
    pub opened: LogTime,
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{:?}", self.client, self.opened)
    }
}

/// One attempt at one request of one session: the name of a multicast message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommandId {
    /// The session.
    pub session: SessionId,
    /// The request's number within the session, from 1.
    pub number: u64,
    /// The attempt, from 1. Attempt k+1 exists only after attempt k was answered with a retry (rule
    /// R5).
    pub attempt: u32,
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}#{}.{}", self.session, self.number, self.attempt)
    }
}

/// An attempt at a request, as it is multicast to its destination groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its name.
    pub id: CommandId,
    /// The least number of the session that is still unanswered: below it, groups may forget
    /// outcomes.
    pub low_watermark: u64,
    /// The greatest timestamp that the client has seen: the command is ordered after it.
    pub clock: LogicalClock,
    /// The groups it is multicast to.
    pub destinations: Groups,
    /// What it intends to do and to run.
    pub request: Request,
}

impl Command {
    /// Whether `group` is the only destination.
    #[must_use]
    pub fn is_local_to(&self, group: GroupId) -> bool {
        self.destinations == Groups::from(group)
    }

    /// Why it must be refused, if it must: see [`Request::defect`]. Its destinations must be groups
    /// of the cluster, and none that the order depends on may be missing ([`Request::required`]).
    #[must_use]
    pub fn defect(&self, placement: &Placement) -> Option<Defect> {
        let topology = placement.topology();
        let defect = self.request.defect(topology);
        defect.or_else(|| {
            let known = self.destinations.is_subset(topology.groups());
            let CommandId {
                number, attempt, ..
            } = self.id;
            let window = self.low_watermark..self.low_watermark.saturating_add(SESSION_WINDOW);
            let numbered = attempt > 0 && self.low_watermark > 0 && window.contains(&number);
            let complete = self
                .request
                .required(placement)
                .is_subset(self.destinations);
            let ours = known && complete && numbered && !self.destinations.is_empty();
            (!ours).then_some(Defect::Malformed)
        })
    }
}
