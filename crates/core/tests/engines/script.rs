//! What a client would send, written down by hand.

use ssmr_core::{
    ClientId, Command, CommandId, GroupId, Groups, Hint, LogTime, LogicalClock, ObjectId,
    PartitionId, ReplicaId, Request, SessionId, Timestamp,
};
use std::sync::Arc;

/// Whose commands are written by hand.
pub(crate) const SCRIPT: ClientId = ClientId(1);

/// At home in p0.
pub(crate) const X: ObjectId = ObjectId::new(0, 1);
/// At home in p1.
pub(crate) const Y: ObjectId = ObjectId::new(1, 1);
/// At home in p2.
pub(crate) const Z: ObjectId = ObjectId::new(2, 1);

/// A partition's group.
pub(crate) fn group(partition: u8) -> GroupId {
    PartitionId(partition).into()
}

/// The groups of some partitions.
pub(crate) fn groups<const N: usize>(partitions: [u8; N]) -> Groups {
    partitions.into_iter().map(group).collect()
}

/// The replica that leads a partition.
pub(crate) fn leader(partition: u8) -> ReplicaId {
    let (group, index) = (group(partition), 0);
    ReplicaId { group, index }
}

/// The session of the commands that are written by hand.
pub(crate) fn session() -> SessionId {
    SessionId {
        client: SCRIPT,
        opened: LogTime::ZERO,
    }
}

/// The first attempt at the request of a number in [`session`].
pub(crate) fn id(number: u64) -> CommandId {
    CommandId {
        session: session(),
        number,
        attempt: 1,
    }
}

/// A command: the first attempt at a request, with nothing of its session answered yet.
pub(crate) fn command(number: u64, destinations: Groups, request: Request) -> Command {
    Command {
        low_watermark: 1,
        ..Command::new(id(number), destinations, request)
    }
}

/// The same, shared, as it is multicast.
pub(crate) fn shared(number: u64, destinations: Groups, request: Request) -> Arc<Command> {
    Arc::new(command(number, destinations, request))
}

/// A moment of the order.
pub(crate) fn timestamp(clock: u64) -> Timestamp {
    Timestamp::new(LogicalClock(clock), group(0))
}

/// What somebody may believe of an object's place.
pub(crate) fn hint(object: ObjectId, owner: u8, epoch: Timestamp) -> Hint {
    Hint {
        object,
        owner: PartitionId(owner),
        epoch,
    }
}
