//! Seam 1, order: atomic multicast to sets of groups.

use crate::command::{Command, SessionId};
use crate::id::{GroupId, ReplicaId, Timestamp};
use crate::log::{Position, Record};
use crate::signal::Signal;
use crate::snapshot::{Capture, Snapshot};
use crate::time::{LocalTime, LogTime, LogicalClock, Micros};
use crate::values::ValueCodec;
use bytes::Bytes;
use serde::Serialize;
use std::fmt::Debug;
use std::sync::Arc;

/// Atomic multicast as one replica of one group sees it.
///
/// **Uniform agreement**: what one replica delivers, all correct replicas of its destinations deliver. **Integrity**: a
/// command is delivered at most once, and only if it was handed in. **Prefix and acyclic order**: all deliveries fit one
/// partial order without cycles. The order does *not* respect real time across groups; rules R2 and R3 see to that.
///
/// Besides commands, a group's log carries what other groups' replicas signal ([`Multicast::signal`]), exactly once and
/// in the order in which each of them sent it, so that all replicas of the group see it at the same place of their log.
/// **A replica's state is a pure function of the deliveries.**
pub trait Multicast {
    /// What replicas say to each other to get there.
    type Msg: Clone + Debug + Serialize + serde::de::DeserializeOwned + Send + 'static;

    /// A client hands a command in at this replica. Returns what is to be told the client instead of an answer, if the
    /// command is not taken.
    fn submit(&mut self, now: LocalTime, command: Arc<Command>) -> Result<(), Refusal>;

    /// Takes a message of another replica.
    fn on_message(
        &mut self,
        now: LocalTime,
        from: ReplicaId,
        msg: Self::Msg,
        out: &mut Outbox<Self::Msg>,
    );

    /// Lets time pass: call it at least every [`TICK`].
    fn on_timer(&mut self, now: LocalTime, out: &mut Outbox<Self::Msg>);

    /// The next delivery, in the order of the group's log.
    fn poll_deliver(&mut self) -> Option<Delivery>;

    /// Sends a signal to another group. To be called while a delivery is applied, by every replica alike: which signals
    /// are sent, and in which order, is part of the state.
    fn signal(&mut self, to: GroupId, signal: Signal);

    /// Logs and sends all that has gathered. To be called once after each round of inputs, and until it returns `false`,
    /// with all deliveries polled in between.
    fn flush(
        &mut self,
        now: LocalTime,
        values: &mut dyn ValueCodec,
        out: &mut Outbox<Self::Msg>,
    ) -> bool;

    /// Whether this replica leads its group, as far as it knows.
    fn is_leader(&self) -> bool;

    /// Whether this replica takes full part: one that lost its memory does when its group has filled it.
    fn is_voter(&self) -> bool;

    /// The index of the replica that leads this group, as far as is known.
    fn leader(&self) -> Option<u8>;

    /// The replica of another group to which leader-bound messages go.
    fn leader_of(&self, group: GroupId) -> ReplicaId;

    /// How surely this replica leads, for reads that are not ordered: `None` unless it leads and has learned of all that was
    /// committed before.
    fn tenure(&self, now: LocalTime) -> Option<Tenure>;

    /// Asks the group to confirm that this replica leads, unless such a question is on its way.
    fn confirm(&mut self, now: LocalTime, out: &mut Outbox<Self::Msg>);

    /// The group's logical clock: no timestamp of what was delivered is greater.
    fn clock(&self) -> LogicalClock;

    /// The log's time: it grows with the leader's monotonic clock and with nothing else.
    fn time(&self) -> LogTime;

    /// The index of the last log entry applied.
    fn applied(&self) -> u64;

    /// A digest of the ordered state: equal at replicas that applied the same log entries.
    fn digest(&self) -> u64;

    /// A copy of the state, without the partition's part, if the log has grown long or another replica of the group waits
    /// for a snapshot. To be asked after [`flush`](Self::flush) has returned `false`, when all deliveries are applied.
    fn capture(&mut self) -> Option<Capture>;

    /// The last capture is where a replica that restarts will find it, so that the log behind it is not needed any more;
    /// or, where nothing is stored, its state can be captured again at any time. `snapshot` is there if one was wanted.
    fn captured(
        &mut self,
        now: LocalTime,
        last: Position,
        snapshot: Option<Snapshot>,
        out: &mut Outbox<Self::Msg>,
    );
}

/// What a leader knows of its being the only one. Both are times of its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// No later leader had been elected at this moment.
    pub confirmed: LocalTime,
    /// None will be elected before this moment, if clocks run about equally fast.
    pub until: LocalTime,
}

/// How often [`Multicast::on_timer`] wants to be called, in microseconds.
pub const TICK: Micros = 10_000;

/// Why a command was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another replica leads.
    NotLeader,
    /// The session is older than the group remembers.
    Expired,
    /// The group has all it can hold: the client repeats later.
    Busy,
}

/// What the multicast hands to the partition's engine, in log order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A command, at its place in the total order.
    Command {
        /// The command.
        command: Arc<Command>,
        /// Its final timestamp.
        timestamp: Timestamp,
        /// Its session had expired when this group logged it: it must not execute.
        expired: bool,
    },
    /// A signal of another group.
    Signal {
        /// The group that sent it.
        from: GroupId,
        /// What it says.
        signal: Signal,
    },
    /// A session is over: its outcomes may be forgotten.
    SessionEnded(SessionId),
    /// The replica starts over from a snapshot: this, encoded by [`Partition::image`](crate::Partition::image), takes the
    /// place of the partition's whole state.
    Restore(Bytes),
}

/// What a replica wants done: first `records` made durable, then `messages` sent.
#[derive(Debug)]
pub struct Outbox<M> {
    /// To be stored before any message is sent.
    pub records: Vec<Record>,
    /// Messages to other replicas, in the order they are to be sent.
    pub messages: Vec<(ReplicaId, M)>,
}

impl<M> Default for Outbox<M> {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            messages: Vec::new(),
        }
    }
}

impl<M> Outbox<M> {
    /// Sends `msg` to `to`.
    pub fn send(&mut self, to: ReplicaId, msg: M) {
        self.messages.push((to, msg));
    }
}
