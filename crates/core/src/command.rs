//! Commands: attempts at requests, as they are multicast.
//!
//! The destinations of a command are the union over its request's intents.

use crate::codec;
use crate::id::{ClientId, GroupId, Groups};
use crate::limits::SESSION_WINDOW;
use crate::mutant::{self, Mutant};
use crate::oracle::Placement;
use crate::request::{Defect, Intent, Request};
use crate::time::{LogTime, LogicalClock};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU128;
use std::sync::Arc;

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

/// One attempt at one request of one session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommandId {
    /// The session.
    pub session: SessionId,
    /// The attempt's number within the session, from 1. Each attempt has one of its own.
    pub number: u64,
    /// The how-manieth attempt at its request it is, from 1; 0 for a query. Attempt k+1 exists only
    /// after attempt k was answered with what changes nothing: a retry, or an expired session (rule
    /// R5).
    pub attempt: u32,
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}#{}.{}", self.session, self.number, self.attempt)
    }
}

/// A digest of all that a command says: 128 bits of BLAKE3 over its encoding.
///
/// A client cannot make two commands of one digest without some 2^64 trials.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContentDigest(NonZeroU128);

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The name of a multicast message: an attempt, and what it says.
///
/// An honest client says one thing with one attempt. One that gives two contents to an attempt has
/// made two messages: groups that were told different ones do not take them for the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageId {
    /// The attempt.
    pub command: CommandId,
    /// What it says, where more than one group has to name it.
    pub content: Option<ContentDigest>,
}

impl From<CommandId> for MessageId {
    /// The name of a command that has no digest.
    fn from(command: CommandId) -> Self {
        let content = None;
        Self { command, content }
    }
}

impl Hash for MessageId {
    /// The digest tells messages apart, where there is one.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.content {
            Some(ContentDigest(digest)) => state.write_u64(digest.get() as u64),
            None => self.command.hash(state),
        }
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.command)
    }
}

/// An attempt at a request, as it is multicast to its destination groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its name.
    pub id: CommandId,
    /// The least number of the session that is unanswered and may have been sent to one of the
    /// destinations: below it, they may forget outcomes.
    pub low_watermark: u64,
    /// The greatest timestamp that the client has seen: the command is ordered after it.
    pub clock: LogicalClock,
    /// The groups it is multicast to.
    pub destinations: Groups,
    /// What it intends to do and to run.
    pub request: Request,
    /// A digest of all of the above, once a replica has taken it from its client: see
    /// [`Command::with_digest`].
    pub content: Option<ContentDigest>,
}

impl Command {
    /// An attempt of a client that waits for nothing before it and has seen no timestamps.
    #[must_use]
    pub fn new(id: CommandId, destinations: Groups, request: Request) -> Self {
        Self {
            id,
            low_watermark: id.number,
            clock: LogicalClock::default(),
            destinations,
            request,
            content: None,
        }
    }

    /// Its name as a multicast message.
    #[must_use]
    pub fn message_id(&self) -> MessageId {
        MessageId {
            command: self.id,
            content: self.content,
        }
    }

    /// The command with the digest of what it says, whatever it had come with: for the replica that
    /// takes it from its client. A command to one group has none, for that group's log alone tells
    /// its attempts apart.
    #[must_use]
    pub fn with_digest(self: Arc<Self>) -> Arc<Self> {
        let content = self.digest_content();
        if content == self.content {
            return self;
        }
        let mut command = self;
        Arc::make_mut(&mut command).content = content;
        command
    }

    fn digest_content(&self) -> Option<ContentDigest> {
        if self.destinations.len() < 2 || mutant::is_active(Mutant::ContentsConfused) {
            return None;
        }
        let Self {
            id,
            low_watermark,
            clock,
            destinations,
            request,
            content: _,
        } = self;
        let encoded = codec::encode(&(id, low_watermark, clock, destinations, request));
        let digest = blake3::hash(&encoded);
        let half = digest
            .as_bytes()
            .first_chunk()
            .map(|half| u128::from_le_bytes(*half));
        // No digest is zero, but for one of 2^128.
        let half = half.and_then(NonZeroU128::new).unwrap_or(NonZeroU128::MIN);
        Some(ContentDigest(half))
    }

    /// Whether `group` is the only destination.
    #[must_use]
    pub fn is_local_to(&self, group: GroupId) -> bool {
        self.destinations == Groups::from(group)
    }

    /// Why it must be refused, if it must: see [`Request::defect`]. Its destinations must be groups
    /// of the cluster, and none that the order depends on may be missing ([`Request::required`]).
    /// Where the strategy moves nothing, nobody may: the authority of what was moved would deny it.
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
            let is_move = |(_, intent): &(_, Intent)| matches!(intent, Intent::Move { .. });
            let possible = placement.movable() || !self.request.intents().iter().any(is_move);
            let named = !self.destinations.is_empty();
            let ours = known && complete && numbered && possible && named;
            (!ours).then_some(Defect::Malformed)
        })
    }
}
