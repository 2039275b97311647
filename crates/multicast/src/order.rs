//! The replicated state of the multicast at one group, and how log entries change it: Skeen's
//! algorithm over logs.
//!
//! Each destination group gives a command a local timestamp when it logs it, and tells the others
//! through links; the greatest one is final; commands that share an object are delivered in the
//! order of final timestamps, and others do not wait for each other (`pending`). The groups' logs
//! make each timestamp as durable as the group (BaseCast, as FastCast's paper calls it; Coelho,
//! Schiper, Pedone, DSN 2017).
//!
//! ```text
//!   client          p0 log             p1 log
//!     |---submit---->|                  |
//!     |---submit--------------------------->|
//!     |              | ts = 5@p0        | ts = 9@p1
//!     |              |----- link: 5 ---->|
//!     |              |<---- link: 9 -----|
//!     |              | final 9@p1       | final 9@p1     clock >= 9 at both
//!     |              | deliver          | deliver
//! ```
//!
//! Invariant: everything here is a pure function of the log entries applied, in order. There is no
//! leader here, no time but the log's, and nothing that a replica could do differently from another
//! one.

use crate::batch::{Batch, Input, MAX_ELAPSED};
use crate::filter::{Filter, Freshness};
use crate::link::{Item, Links};
use crate::pending::PendingCommands;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::id::digest;
use ssmr_core::limits::{CLOCK_END, CLOCK_LEAD};
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::snapshot::StatePart;
use ssmr_core::{
    Command, Delivery, GroupId, LogTime, LogicalClock, MessageId, Micros, SessionId, Timestamp,
    codec,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The multicast state of one group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    group: GroupId,
    clock: LogicalClock,
    time: LogTime,
    pending: PendingCommands,
    /// Timestamps of commands that are not logged here.
    unlogged: BTreeMap<MessageId, Vec<Timestamp>>,
    filter: Filter,
    links: Links,
    /// Not state: what is delivered and not polled yet.
    #[serde(skip)]
    deliveries: VecDeque<Delivery>,
}

impl Order {
    pub(crate) fn new(group: GroupId, session_ttl: Micros) -> Self {
        Self {
            group,
            clock: LogicalClock::default(),
            time: LogTime::ZERO,
            pending: PendingCommands::default(),
            unlogged: BTreeMap::new(),
            filter: Filter::new(session_ttl),
            links: Links::default(),
            deliveries: VecDeque::new(),
        }
    }

    pub(crate) fn time(&self) -> LogTime {
        self.time
    }

    /// Whether any command was ever logged.
    pub(crate) fn is_used(&self) -> bool {
        self.clock > LogicalClock::default()
    }

    pub(crate) fn clock(&self) -> LogicalClock {
        self.clock
    }

    /// A digest of the state: equal at replicas that applied the same entries.
    pub(crate) fn digest(&self) -> u64 {
        let Self {
            clock,
            time,
            pending,
            unlogged,
            filter,
            links,
            ..
        } = self;
        digest(&codec::encode(&(
            clock,
            time,
            pending.sorted(),
            unlogged,
            filter.sorted(),
            links,
        )))
    }

    /// Mutant: forgets the last timestamps.
    pub(crate) fn turn_back(&mut self) {
        self.clock = LogicalClock(self.clock.0.saturating_sub(3));
    }

    /// Starts over from a snapshot's part; `partition` is the part that is the partition's.
    pub(crate) fn restore(&mut self, part: &[u8], partition: Bytes) {
        *self = codec::decode_own(part)
            .unwrap_or_else(|error| panic!("the snapshot of {}'s order: {error}", self.group));
        self.deliveries.push_back(Delivery::Restore(partition));
    }

    /// A cheap copy of the state, to be encoded later.
    pub(crate) fn image(&self) -> StatePart {
        let copy = Self {
            group: self.group,
            clock: self.clock,
            time: self.time,
            pending: self.pending.without_places(),
            unlogged: self.unlogged.clone(),
            filter: self.filter.clone(),
            links: self.links.clone(),
            deliveries: VecDeque::new(),
        };
        Box::new(move || codec::encode(&copy))
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    pub(crate) fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }

    pub(crate) fn poll_deliver(&mut self) -> Option<Delivery> {
        self.deliveries.pop_front()
    }

    pub(crate) fn has_deliveries(&self) -> bool {
        !self.deliveries.is_empty()
    }

    /// The first commands that are not delivered, with the groups they wait for; for diagnosis.
    pub(crate) fn describe(&self) -> String {
        let mut first = self.pending.sorted();
        first.truncate(3);
        format!("{first:?}, unlogged {:?}", self.unlogged)
    }

    /// Whether a session is remembered.
    pub(crate) fn remembers(&self, session: SessionId) -> bool {
        self.filter.remembers(session)
    }

    /// How many commands are logged and not delivered.
    pub(crate) fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// What would become of a command that is handed in now. One that another destination has
    /// timestamped is always welcome, whatever its session: that group waits for us.
    pub(crate) fn freshness(&self, command: &Command) -> Freshness {
        let id = command.message_id();
        if self.pending.contains(id) {
            Freshness::Seen
        } else if self.unlogged.contains_key(&id) {
            Freshness::Fresh
        } else if mutant::is_active(Mutant::ClocksRefused)
            && command.clock > self.clock.ahead(CLOCK_LEAD)
        {
            Freshness::Full
        } else {
            self.filter.freshness(command, self.time)
        }
    }

    /// A command that is logged and not delivered, to be relayed to a destination that does not
    /// have it.
    pub(crate) fn command(&self, id: MessageId) -> Option<&Arc<Command>> {
        self.pending.command(id)
    }

    /// Commands that other groups have timestamped and that are not logged here, with one of those
    /// groups.
    pub(crate) fn missing_commands(&self) -> impl Iterator<Item = (MessageId, GroupId)> {
        self.unlogged
            .iter()
            .filter_map(|(id, known)| Some((*id, known.first()?.group())))
    }

    /// Applies one log entry.
    pub(crate) fn apply(&mut self, batch: Batch) {
        self.time += batch.elapsed.min(MAX_ELAPSED);
        self.time = self.time.max(batch.told);
        for input in batch.inputs {
            match input {
                Input::Submit(command) => self.log(command),
                Input::Receive { from, first, items } => self.receive(from, first, items),
                Input::Acknowledged { by, upto } => self.links.acknowledged(by, upto),
            }
        }
        let over = self.filter.expire(self.time);
        self.deliveries
            .extend(over.into_iter().map(Delivery::SessionEnded));
    }

    fn log(&mut self, command: Arc<Command>) {
        // What the leader found when it was handed in says nothing: others were on their way then.
        if self.freshness(&command) != Freshness::Fresh {
            return;
        }
        let id = command.message_id();
        let unlogged = self.unlogged.remove(&id);
        let expired =
            unlogged.is_some() && self.filter.freshness(&command, self.time) == Freshness::Expired;
        if !expired {
            self.filter.enter(&command);
        }
        // A client that has seen a timestamp is ordered after it. No client may spoil the clock,
        // and none is turned away for what it was told: where the lead is too long it is cut, which
        // costs a retry at most, for no answer depends on a client's clock.
        let seen = command
            .clock
            .min(self.clock.ahead(CLOCK_LEAD))
            .min(CLOCK_END);
        self.clock = self.clock.max(seen).next();
        let own = Timestamp::new(self.clock, self.group);
        let others = command.destinations.without(self.group);
        for to in others.iter() {
            self.links.push(
                to,
                Item::Timestamp {
                    message: id,
                    timestamp: own,
                },
            );
        }
        if others.is_empty() && self.pending.is_clear(own, &command) {
            // Nobody to ask and nobody to wait for: the common case is never pending.
            self.hand_out(command, own, expired);
            return;
        }
        self.pending.enter(command, own, others, expired);
        for timestamp in unlogged.unwrap_or_default() {
            self.learn(id, timestamp);
        }
        self.deliver();
    }

    fn receive(&mut self, from: GroupId, first: u64, items: Vec<Item>) {
        for item in self.links.accept(from, first, items) {
            match item {
                Item::Timestamp { message, timestamp } if self.pending.contains(message) => {
                    self.learn(message, timestamp);
                    self.deliver();
                }
                Item::Timestamp { message, timestamp } => {
                    self.unlogged.entry(message).or_default().push(timestamp);
                }
                Item::Signal(signal) => {
                    self.deliveries.push_back(Delivery::Signal { from, signal });
                }
            }
        }
    }

    /// Another destination's timestamp of a pending command. Once the final one is known, nothing
    /// logged later may come before it.
    fn learn(&mut self, id: MessageId, timestamp: Timestamp) {
        if let Some(last) = self.pending.learn(id, timestamp) {
            self.clock = self.clock.max(last.clock);
        }
    }

    /// Delivers all whose turn has come, in ascending order of their final timestamps: what one of
    /// them has held back comes after it.
    fn deliver(&mut self) {
        while let Some(due) = self.pending.pop() {
            self.hand_out(due.command, due.timestamp, due.expired);
        }
    }

    fn hand_out(&mut self, command: Arc<Command>, timestamp: Timestamp, expired: bool) {
        if !expired {
            self.filter.leave(command.id);
        }
        self.deliveries.push_back(Delivery::Command {
            command,
            timestamp,
            expired,
        });
    }
}

#[cfg(test)]
mod tests;
