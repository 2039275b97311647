//! Order without replication: one sequencer that all replicas share, for tests of what stands on
//! [`Multicast`].
//!
//! Nothing is lost, nothing is sent, nothing waits: what is handed in is ordered at once, and each
//! replica polls its group's sequence at its own pace. It shows that the seam is one, for the
//! engines cannot tell it from three rounds of consensus.

use ssmr_core::multicast::{
    ConfirmedLeadership, ConfirmedReads, Multicast, Outbox, Refusal, Snapshots, Status,
};
use ssmr_core::snapshot::StatePart;
use ssmr_core::{
    Command, Delivery, GroupId, LocalTime, LogTime, LogicalClock, MessageId, ReplicaId, SessionId,
    Signal, Timestamp, ValueCodec,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

/// The order of all groups. Copies of it are the same sequencer.
#[derive(Clone, Debug, Default)]
pub struct Sequencer(Rc<RefCell<Sequence>>);

#[derive(Debug, Default)]
struct Sequence {
    clock: LogicalClock,
    ordered: BTreeSet<MessageId>,
    ended: BTreeSet<SessionId>,
    groups: BTreeMap<GroupId, Group>,
}

#[derive(Debug, Default)]
struct Group {
    deliveries: Vec<Delivery>,
    /// How many signals its replicas have sent: each sends all of them, the first one's count.
    signals: u64,
}

impl Sequencer {
    /// One replica's end of it.
    #[must_use]
    pub fn replica(&self, id: ReplicaId) -> IdealMulticast {
        IdealMulticast {
            id,
            sequencer: self.clone(),
            polled: 0,
            signals: 0,
        }
    }

    /// Orders a command at its destinations, as if a client had handed it in everywhere. Once is
    /// enough.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "it is handed in, as to a multicast"
    )]
    pub fn order(&self, command: Arc<Command>) {
        let mut sequence = self.0.borrow_mut();
        if !sequence.ordered.insert(command.message_id()) {
            return;
        }
        sequence.clock = sequence.clock.max(command.clock).next();
        let expired = sequence.ended.contains(&command.id.session);
        let first = command.destinations.first();
        let group = first.unwrap_or_else(|| unreachable!("a command has a destination"));
        let timestamp = Timestamp::new(sequence.clock, group);
        for group in command.destinations.iter() {
            let delivery = Delivery::Command {
                command: command.clone(),
                timestamp,
                expired,
            };
            let group = sequence.groups.entry(group).or_default();
            group.deliveries.push(delivery);
        }
    }

    /// Ends a session: a group forgets its outcomes, and what comes later of it is expired
    /// everywhere.
    pub fn end_session(&self, session: SessionId, at: GroupId) {
        let mut sequence = self.0.borrow_mut();
        sequence.ended.insert(session);
        let group = sequence.groups.entry(at).or_default();
        group.deliveries.push(Delivery::SessionEnded(session));
    }

    fn signal(&self, from: GroupId, number: u64, to: GroupId, signal: Signal) {
        let mut sequence = self.0.borrow_mut();
        let sender = sequence.groups.entry(from).or_default();
        if number > sender.signals {
            sender.signals = number;
            let receiver = sequence.groups.entry(to).or_default();
            receiver.deliveries.push(Delivery::Signal { from, signal });
        }
    }
}

/// One replica's end of a [`Sequencer`]. Replica 0 of each group leads.
#[derive(Debug)]
pub struct IdealMulticast {
    id: ReplicaId,
    sequencer: Sequencer,
    polled: usize,
    signals: u64,
}

impl Multicast for IdealMulticast {
    type Msg = ();
    type Record = Infallible;

    fn submit(&mut self, _: LocalTime, command: Arc<Command>) -> Result<(), Refusal> {
        if self.id.index != 0 {
            return Err(Refusal::NotLeader);
        }
        self.sequencer.order(command);
        Ok(())
    }

    fn on_message(&mut self, _: LocalTime, _: ReplicaId, (): (), _: &mut Outbox<Self>) {}

    fn on_timer(&mut self, _: LocalTime, _: &mut Outbox<Self>) {}

    fn poll_deliver(&mut self) -> Option<Delivery> {
        let sequence = self.sequencer.0.borrow();
        let deliveries = &sequence.groups.get(&self.id.group)?.deliveries;
        let delivery = deliveries.get(self.polled)?.clone();
        self.polled += 1;
        Some(delivery)
    }

    fn signal(&mut self, to: GroupId, signal: Signal) {
        self.signals += 1;
        let sequencer = &self.sequencer;
        sequencer.signal(self.id.group, self.signals, to, signal);
    }

    fn flush(&mut self, _: LocalTime, _: &mut dyn ValueCodec, _: &mut Outbox<Self>) -> bool {
        false
    }

    fn leader_of(&self, group: GroupId) -> ReplicaId {
        ReplicaId { group, index: 0 }
    }

    fn status(&self) -> Status {
        Status {
            is_leader: self.id.index == 0,
            leader: Some(0),
            is_current: self.id.index == 0,
            is_voter: true,
            clock: self.sequencer.0.borrow().clock,
            log_time: LogTime::ZERO,
            applied: self.polled as u64,
        }
    }

    fn digest(&self) -> u64 {
        self.polled as u64
    }
}

impl ConfirmedReads for IdealMulticast {
    fn confirmed_leadership(&self, now: LocalTime) -> Option<ConfirmedLeadership> {
        (self.id.index == 0).then_some(ConfirmedLeadership {
            confirmed_at: now,
            lease_until: now,
        })
    }

    fn read_moment(&self, now: LocalTime) -> LocalTime {
        now
    }

    fn confirm_leadership(&mut self, _: LocalTime, _: &mut Outbox<Self>) {}
}

impl Snapshots for IdealMulticast {
    type Capture = Infallible;
    type Captured = Infallible;

    fn capture(&mut self, _: &dyn Fn() -> StatePart) -> Option<Infallible> {
        None
    }

    fn on_captured(&mut self, _: LocalTime, captured: Infallible, _: &mut Outbox<Self>) {
        match captured {}
    }
}
