//! Seam 1, order: atomic multicast to sets of groups.
//!
//! [`Multicast`] says order and nothing else: one sequencer or three rounds of consensus, the
//! engines cannot tell. What replicas store is the implementation's own. Two more traits stand
//! apart, for an order without them is still an order: [`ConfirmedReads`] and [`Snapshots`].

use crate::command::{Command, SessionId};
use crate::id::{ClientId, GroupId, ReplicaId, Timestamp};
use crate::signal::Signal;
use crate::snapshot::StatePart;
use crate::time::{LocalTime, LogTime, LogicalClock, Micros};
use crate::values::ValueCodec;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{self, Debug};
use std::sync::Arc;

/// Atomic multicast as one replica of one group sees it.
///
/// **Uniform agreement**: what one replica delivers, all correct replicas of its destinations
/// deliver. **Integrity**: a command is delivered at most once, and only if it was handed in.
/// **Prefix and acyclic order per object**: the replicas of a group deliver the same sequence, and
/// all groups agree on each command's timestamp. Commands that name a common object are delivered
/// in ascending order of timestamps, wherever both are; others in any order that is the same at all
/// replicas of the group, so the timestamps of one group's deliveries may fall. The order does
/// *not* respect real time across groups; rules R2 and R3 see to that.
///
/// Besides commands, a group's log carries what other groups' replicas signal
/// ([`Multicast::signal`]), exactly once and in the order in which each of them sent it, so that
/// all replicas of the group see it at the same place of their log. **A replica's state is a pure
/// function of the deliveries.**
pub trait Multicast {
    /// What replicas say to each other to get there.
    type Msg: Clone + Debug + Serialize + DeserializeOwned + Send + 'static;

    /// What a replica stores: see [`Outbox`].
    type Record: Clone + Debug + Send + 'static;

    /// A client hands a command in at this replica.
    ///
    /// # Errors
    /// The refusal to send the client, if the command is not taken.
    fn submit(&mut self, now: LocalTime, command: Arc<Command>) -> Result<(), Refusal>;

    /// Takes a message of another replica.
    fn on_message(
        &mut self,
        now: LocalTime,
        from: ReplicaId,
        msg: Self::Msg,
        out: &mut Outbox<Self>,
    );

    /// Lets time pass: call it at least every [`TICK`].
    fn on_timer(&mut self, now: LocalTime, out: &mut Outbox<Self>);

    /// The next delivery, in the order of the group's log.
    fn poll_deliver(&mut self) -> Option<Delivery>;

    /// A signal of another group that has reached this replica and is not logged yet: `None` at a
    /// follower. It is a fact, for it follows from what that group has committed, but this group
    /// may not have it when this replica is gone: nothing of the state may depend on it. It is
    /// handed out before it is delivered, and perhaps again later.
    fn poll_arrived(&mut self) -> Option<(GroupId, Signal)> {
        None
    }

    /// Sends a signal to another group. To be called while a delivery is applied, by every replica
    /// alike: which signals are sent, and in which order, is part of the state.
    fn signal(&mut self, to: GroupId, signal: Signal);

    /// Logs and sends all that has gathered; values travel as the codec has them. To be called once
    /// after each round of inputs, and until it returns `false`, with all deliveries polled in
    /// between.
    fn flush(
        &mut self,
        now: LocalTime,
        values: &mut dyn ValueCodec,
        out: &mut Outbox<Self>,
    ) -> bool;

    /// The next client of which a command was taken and will not be ordered by this replica, since
    /// another one leads: it is told which. Others find out by themselves.
    fn poll_turned_away(&mut self) -> Option<ClientId> {
        None
    }

    /// The replica of a group to which leader-bound messages go.
    fn leader_of(&self, group: GroupId) -> ReplicaId;

    /// How this replica stands. Cheap.
    fn status(&self) -> Status;

    /// A digest of the ordered state: equal at replicas that applied the same log entries. Costs as
    /// much as the state.
    fn digest(&self) -> u64;
}

/// How a replica stands in its group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether it leads, as far as it knows.
    pub is_leader: bool,
    /// The index of the replica that leads, as far as is known.
    pub leader: Option<u8>,
    /// Whether it leads and has applied all that earlier leaders had committed, so that what it
    /// knows is what the group knows.
    pub is_current: bool,
    /// Whether it takes full part: one that lost its memory does when its group has filled it.
    pub is_voter: bool,
    /// The group's logical clock: no timestamp of what was delivered is greater.
    pub clock: LogicalClock,
    /// The log's time: it grows with the leader's monotonic clock and with nothing else.
    pub log_time: LogTime,
    /// The index of the last log entry applied.
    pub applied: u64,
}

/// An order whose leader can make sure that it leads, for reads that are not ordered.
pub trait ConfirmedReads: Multicast {
    /// How surely this replica leads: `None` unless it leads and has learned of all that was
    /// committed before.
    fn confirmed_leadership(&self, now: LocalTime) -> Option<ConfirmedLeadership>;

    /// The moment of a read that comes now: later than every question that was asked so far, though
    /// the clock should stand still. It is answered by what is confirmed for that moment or a later
    /// one.
    fn read_moment(&self, now: LocalTime) -> LocalTime;

    /// Asks the group to confirm that this replica leads, unless such a question is on its way.
    fn confirm_leadership(&mut self, now: LocalTime, out: &mut Outbox<Self>);
}

/// What a leader knows of its being the only one. Both are times of its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfirmedLeadership {
    /// No later leader had been elected at this moment.
    pub confirmed_at: LocalTime,
    /// None will be elected before this moment, if clocks run about equally fast. Zero if that
    /// cannot be counted on.
    pub lease_until: LocalTime,
}

/// An order whose log can be cut short: a snapshot of the whole state takes the place of its oldest
/// entries.
pub trait Snapshots: Multicast {
    /// A copy of the whole state, for the driver to encode and store where that holds nobody up.
    type Capture: Debug + Send;

    /// What the driver says when that is done.
    type Captured: Debug + Send;

    /// A copy of the state, if the log has grown long or another replica of the group waits for a
    /// snapshot; `partition` makes the partition's part. To be asked after
    /// [`flush`](Multicast::flush) has returned `false`, when all deliveries are applied.
    fn capture(&mut self, partition: &dyn Fn() -> StatePart) -> Option<Self::Capture>;

    /// A capture is where a replica that restarts will find it, so that the log behind it is not
    /// needed any more; or, where nothing is stored, its state can be captured again at any time.
    fn on_captured(&mut self, now: LocalTime, captured: Self::Captured, out: &mut Outbox<Self>);
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
    /// A command, behind all with lower timestamps that name one of its objects.
    Command {
        /// As its client handed it in.
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
    /// The replica starts over from a snapshot: this, encoded by
    /// [`Partition::image`](crate::Partition::image), takes the place of the partition's whole
    /// state.
    Restore(Bytes),
}

/// What a multicast wants done: first `records` made durable, then `messages` sent; the other way
/// round is safe too unless `store_first` is set.
pub struct Outbox<M: Multicast + ?Sized> {
    /// To be stored before the next input is taken.
    pub records: Vec<M::Record>,
    /// Whether anything that leaves in this round depends on the records: nothing may leave before
    /// these are durable.
    pub store_first: bool,
    /// Messages to other replicas, in the order they are to be sent.
    pub messages: Vec<(ReplicaId, M::Msg)>,
}

impl<M: Multicast + ?Sized> Default for Outbox<M> {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            store_first: false,
            messages: Vec::new(),
        }
    }
}

impl<M: Multicast + ?Sized> Debug for Outbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("records", &self.records)
            .field("store_first", &self.store_first)
            .field("messages", &self.messages)
            .finish()
    }
}

impl<M: Multicast + ?Sized> Outbox<M> {
    /// Sends `msg` to `to`.
    pub fn send(&mut self, to: ReplicaId, msg: M::Msg) {
        self.messages.push((to, msg));
    }
}
