//! The first frame of each connection in each direction: who speaks, and of which cluster.
//!
//! ```text
//!   who dialled                                   who accepted
//!     |---- magic, version, greeting ------------------>|   compares it with its own
//!     |<--- magic, version, greeting, refusal or none --|   closes the connection after a refusal
//!     | compares that with its own
//! ```
//!
//! Both ends compare, so each of them names what differs. Magic and version stand in front of every
//! version's greeting: what follows is looked at only if the versions are equal.
//! What a greeting says is proven by a certificate, or by nothing: see
//! [`transport`](crate::transport).
//!
//! Invariant: a stranger that does not speak the protocol is told nothing, and costs its own
//! connection.

use crate::error::ConnectError;
use crate::limits::GREETING_TIMEOUT;
use crate::peer::Peer;
use crate::wire::{Frames, MAX_CLIENT_FRAME, frame, invalid};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::{ClientId, Difference, Identity, ReplicaId, codec, limits};
use std::fmt;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// The version of the protocol that is spoken here.
pub(crate) const PROTOCOL: u16 = 9;

const MAX_GREETING: usize = 16 << 10;
/// The largest frame that an operator may send: the founders of a group fit many times.
const MAX_OPERATOR_FRAME: usize = 16 << 10;
const MAGIC: [u8; 4] = *b"ssmr";
/// Magic and version.
const PREAMBLE: usize = 6;

/// Who is at an end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// A replica of the cluster.
    Replica(ReplicaId),
    /// A client.
    Client(ClientId),
    /// Somebody who looks after the cluster: see [`Operator`](crate::Operator).
    Operator,
}

/// What each end says first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Greeting {
    pub(crate) identity: Identity,
    pub(crate) role: Role,
}

/// What the acceptor says.
#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    greeting: Greeting,
    /// Why the connection is closed, if it is.
    refusal: Option<Refusal>,
}

/// Why a connection is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Refusal {
    /// Whoever dialled cannot take part, for this reason.
    Mismatch(String),
    /// There are as many clients as may be.
    Full {
        /// How many may be.
        limit: usize,
    },
}

impl Refusal {
    /// Why the connection is closed.
    fn into_error(self) -> io::Error {
        let kind = match self {
            Self::Mismatch(_) => io::ErrorKind::InvalidData,
            Self::Full { .. } => io::ErrorKind::QuotaExceeded,
        };
        io::Error::new(kind, self.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch(why) => f.write_str(why),
            Self::Full { limit } => write!(f, "{limit} clients are here, and no more are taken"),
        }
    }
}

impl Greeting {
    /// The greeting of `role`.
    pub(crate) fn new(identity: Identity, role: Role) -> Self {
        Self { identity, role }
    }

    /// Why a connection of this one is not accepted by `own`.
    fn refusal(&self, own: &Self) -> Option<Refusal> {
        self.mismatch(own).map(Refusal::Mismatch)
    }

    fn mismatch(&self, own: &Self) -> Option<String> {
        if let Some(difference) = own.identity.difference(&self.identity) {
            let (ours, theirs) = (&own.identity, &self.identity);
            let (ours, theirs) = (ours.value(difference), theirs.value(difference));
            return Some(format!("another {difference}: here {ours}, there {theirs}"));
        }
        match self.role {
            Role::Replica(id) if !own.may_be_spoken_to_by(id) => {
                Some(format!("{id} is no other replica of this cluster"))
            }
            _ => None,
        }
    }

    fn may_be_spoken_to_by(&self, id: ReplicaId) -> bool {
        let mut members = self.identity.topology.members(id.group);
        members.any(|known| known == id) && self.role != Role::Replica(id)
    }

    /// Why the replica that answered is not the one that was dialled.
    fn disagreement(&self, peer: &Peer, reply: Reply) -> Option<ConnectError> {
        let (ours, theirs) = (self.identity.clone(), reply.greeting.identity);
        let peer = peer.clone();
        if let Some(difference) = ours.difference(&theirs) {
            return Some(match difference {
                Difference::Cluster => ConnectError::WrongCluster {
                    peer,
                    ours: ours.incarnation,
                    theirs: theirs.incarnation,
                },
                Difference::Service => ConnectError::WrongService {
                    peer,
                    ours: ours.service,
                    theirs: theirs.service,
                },
                Difference::Strategy => ConnectError::WrongStrategy {
                    peer,
                    ours: ours.strategy,
                    theirs: theirs.strategy,
                },
                Difference::Topology => ConnectError::WrongTopology {
                    peer,
                    ours: ours.topology,
                    theirs: theirs.topology,
                },
            });
        }
        match reply.greeting.role {
            Role::Replica(found) if found != peer.replica => {
                Some(ConnectError::WrongReplica { peer, found })
            }
            _ => reply.refusal.map(|refusal| match refusal {
                Refusal::Mismatch(why) => ConnectError::Refused { peer, why },
                Refusal::Full { limit } => ConnectError::Full { peer, limit },
            }),
        }
    }
}

/// A frame of this version.
fn framed<T: Serialize>(body: &T) -> Bytes {
    let preamble = codec::encode(&(MAGIC, PROTOCOL));
    frame(&[&preamble, &codec::encode(body)])
}

/// What `greeted` comes to, or an error if it takes longer than a greeting may.
pub(crate) async fn in_time<T>(greeted: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let silent = |_| io::Error::new(io::ErrorKind::TimedOut, "no greeting in time");
    timeout(GREETING_TIMEOUT, greeted).await.map_err(silent)?
}

/// Waits for the other end's greeting. Returns its version and what follows.
async fn hear<R: AsyncRead + Unpin>(frames: &mut Frames<R>) -> io::Result<(u16, Bytes)> {
    let mut frame = Bytes::from(frames.next_frame().await?);
    let preamble = frame.split_to(PREAMBLE.min(frame.len()));
    match codec::decode(&preamble) {
        Ok((MAGIC, version)) => Ok((version, frame)),
        _ => Err(invalid("no greeting: it does not speak this protocol")),
    }
}

/// What a connection that was accepted says of itself, checked against `own` and by `admit`, and
/// answered. Returns what `admit` made of it, and the frames that follow, which may be as large as
/// the sender's kind allows. The caller bounds the time.
pub(crate) async fn welcome<R, W, H>(
    reader: R,
    writer: &mut W,
    own: &Greeting,
    admit: impl FnOnce(Role) -> Result<H, Refusal>,
) -> io::Result<(Frames<R>, H)>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut frames = Frames::new(reader, MAX_GREETING);
    let (version, body) = hear(&mut frames).await?;
    let checked = if version == PROTOCOL {
        let theirs: Greeting = codec::decode(&body).map_err(|error| invalid(&error.to_string()))?;
        let refusal = theirs.refusal(own);
        let admitted = refusal.map_or_else(|| admit(theirs.role), Err);
        admitted.map(|held| (theirs.role, held))
    } else {
        let why = format!("another version: here {PROTOCOL}, there {version}");
        Err(Refusal::Mismatch(why))
    };
    let reply = Reply {
        greeting: own.clone(),
        refusal: checked.as_ref().err().cloned(),
    };
    writer.write_all(&framed(&reply)).await?;
    writer.flush().await?;
    let (role, held) = checked.map_err(Refusal::into_error)?;
    frames.limit(match role {
        Role::Replica(_) => limits::MAX_FRAME,
        Role::Client(_) => MAX_CLIENT_FRAME,
        Role::Operator => MAX_OPERATOR_FRAME,
    });
    Ok((frames, held))
}

/// Greets the replica that was dialled, and checks its answer. Returns the frames that follow.
///
/// # Errors
/// What differs, or why no answer came.
pub(crate) async fn introduce<R, W>(
    reader: R,
    writer: &mut W,
    own: &Greeting,
    peer: &Peer,
) -> Result<Frames<R>, ConnectError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let failed = |error| ConnectError::of(peer, error);
    let mut frames = Frames::new(reader, MAX_GREETING);
    writer.write_all(&framed(own)).await.map_err(failed)?;
    writer.flush().await.map_err(failed)?;
    let (version, body) = in_time(hear(&mut frames)).await.map_err(failed)?;
    if version != PROTOCOL {
        return Err(ConnectError::WrongVersion {
            peer: peer.clone(),
            ours: PROTOCOL,
            theirs: version,
        });
    }
    let reply = codec::decode::<Reply>(&body);
    let reply = reply.map_err(|error| failed(invalid(&error.to_string())))?;
    if let Some(disagreement) = own.disagreement(peer, reply) {
        return Err(disagreement);
    }
    frames.limit(limits::MAX_FRAME);
    Ok(frames)
}

#[cfg(test)]
#[path = "greeting_tests.rs"]
mod tests;
