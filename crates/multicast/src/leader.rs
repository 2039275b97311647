//! What a leader has taken in and not proposed. All of it is volatile: whatever is lost with a
//! leader is sent again by somebody.

use crate::batch::{Batch, Input, MAX_ELAPSED};
use ssmr_core::keyed_hash::KeyedSet;
use ssmr_core::{ClientId, Command, GroupId, LocalTime, LogTime, MessageId, Micros};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many inputs may wait for a batch. Clients are turned away beyond it, other groups never.
const INBOX: usize = 1 << 14;
/// And how many batches in bytes, likewise.
const INBOX_BATCHES: usize = 16;
/// How long an acknowledgement may wait for other inputs to share a log entry with.
const LAZY: Micros = 50_000;
/// How long a command that another group has timestamped may take to come from its client before it
/// is fetched.
const FETCH: Micros = 100_000;

/// By how much another group's log time must be ahead for this group's to follow it.
pub(crate) const FAR_AHEAD: Micros = 5 * MAX_ELAPSED;

/// A leader's volatile state, in one term.
#[derive(Debug)]
pub(crate) struct LeaderState {
    /// The term in which this replica leads.
    pub(crate) term: u64,
    /// How many bytes one batch carries, unless a single input is larger.
    batch_bytes: usize,
    /// What others take longer than on a local network to be heard of.
    round_trip: Micros,
    inbox: Vec<Input>,
    inbox_bytes: usize,
    /// What is in the inbox waits for the end of a hand-over.
    pub(crate) hands_over: bool,
    /// Commands that are in the inbox or proposed.
    taken: KeyedSet<MessageId>,
    /// Commands that the driver holds back and will hand in.
    announced: KeyedSet<MessageId>,
    /// Acknowledgements that wait for company.
    acknowledgements: BTreeMap<GroupId, u64>,
    /// The greatest log time that another group's leader told.
    told: LogTime,
    /// A client's session is from far ahead of this group's time: others may know a later one.
    wants_time: bool,
    asked_for_time: LocalTime,
    proposed_at: LocalTime,
    fetched_at: LocalTime,
    /// What was asked for last.
    fetching: BTreeMap<MessageId, GroupId>,
}

impl LeaderState {
    /// A leader that begins its term.
    pub(crate) fn new(term: u64, now: LocalTime, batch_bytes: usize, round_trip: Micros) -> Self {
        Self {
            term,
            batch_bytes,
            round_trip,
            inbox: Vec::new(),
            inbox_bytes: 0,
            hands_over: false,
            taken: KeyedSet::default(),
            announced: KeyedSet::default(),
            acknowledgements: BTreeMap::new(),
            told: LogTime::ZERO,
            wants_time: false,
            asked_for_time: now,
            proposed_at: now,
            fetched_at: now,
            fetching: BTreeMap::new(),
        }
    }

    /// Whether clients are turned away.
    pub(crate) fn is_full(&self) -> bool {
        self.inbox.len() >= INBOX || self.inbox_bytes >= INBOX_BATCHES * self.batch_bytes
    }

    /// The clients whose commands wait to be logged.
    pub(crate) fn waiting_clients(&self) -> BTreeSet<ClientId> {
        let client = |input: &Input| match input {
            Input::Submit(command) => Some(command.id.session.client),
            Input::Receive { .. } | Input::Acknowledged { .. } => None,
        };
        self.inbox.iter().filter_map(client).collect()
    }

    /// Takes an input, to be logged.
    pub(crate) fn take(&mut self, input: Input) {
        self.inbox_bytes += input.size();
        self.inbox.push(input);
    }

    /// A command will be handed in, so nobody needs to fetch it. Returns how it stands.
    pub(crate) fn announce(&mut self, id: MessageId) -> Announced {
        match () {
            () if self.taken.contains(&id) => Announced::Needless,
            () if self.announced.insert(id) => Announced::New,
            () => Announced::Before,
        }
    }

    /// A command is held back no more.
    pub(crate) fn withdraw(&mut self, id: MessageId) {
        self.announced.remove(&id);
    }

    /// Takes a command, unless it was taken already.
    pub(crate) fn take_command(&mut self, command: Arc<Command>) {
        if self.taken.insert(command.message_id()) {
            self.take(Input::Submit(command));
        }
    }

    /// A command is logged.
    pub(crate) fn logged(&mut self, id: MessageId) {
        self.taken.remove(&id);
    }

    /// Another group has logged our link's items up to this number.
    pub(crate) fn acknowledged(&mut self, by: GroupId, upto: u64) {
        self.acknowledgements.insert(by, upto);
    }

    /// Another group's leader has told its log time.
    pub(crate) fn told_time(&mut self, time: LogTime) {
        self.told = self.told.max(time);
    }

    /// This group's time may be far behind that of others.
    pub(crate) fn ask_for_time(&mut self) {
        self.wants_time = true;
    }

    /// Whether to ask the other groups for their time now: not more often than each second, however
    /// often clients claim that it is late.
    pub(crate) fn asks_for_time(&mut self, now: LocalTime) -> bool {
        let asks = self.wants_time && now >= self.asked_for_time + MAX_ELAPSED;
        if asks {
            (self.wants_time, self.asked_for_time) = (false, now);
        }
        asks
    }

    /// What to propose now, if anything is worth an entry; `time` is the log's time so far, which
    /// goes on if the group is `used`. Where nothing has happened since it was founded nothing
    /// ages, and its log stays as the founding left it.
    pub(crate) fn next_batch(
        &mut self,
        now: LocalTime,
        time: LogTime,
        used: bool,
    ) -> Option<Batch> {
        let waited = now.since(self.proposed_at);
        let lazy = !self.acknowledgements.is_empty() && waited >= LAZY;
        let is_behind = self.told > time + FAR_AHEAD;
        let ages = waited >= MAX_ELAPSED && (used || is_behind);
        if self.inbox.is_empty() && !lazy && !ages {
            return None;
        }
        let mut inputs = self.next_inputs();
        self.inbox_bytes -= inputs.iter().map(Input::size).sum::<usize>();
        let acknowledgements = std::mem::take(&mut self.acknowledgements).into_iter();
        inputs.extend(acknowledgements.map(|(by, upto)| Input::Acknowledged { by, upto }));
        self.proposed_at = now;
        Some(Batch {
            elapsed: waited.min(MAX_ELAPSED),
            told: if is_behind { self.told } else { LogTime::ZERO },
            inputs,
        })
    }

    /// As many inputs as fit one batch.
    fn next_inputs(&mut self) -> Vec<Input> {
        if self.inbox_bytes <= self.batch_bytes {
            return std::mem::take(&mut self.inbox);
        }
        let mut bytes = 0;
        let fits = |input: &&Input| {
            let room = bytes < self.batch_bytes;
            bytes += input.size();
            room
        };
        let count = self.inbox.iter().take_while(fits).count();
        self.inbox.drain(..count).collect()
    }

    /// Whether a command is here, or will be.
    fn is_here(&self, id: MessageId) -> bool {
        self.taken.contains(&id) || self.announced.contains(&id)
    }

    /// Which of the commands that other groups have timestamped to fetch now, from which group; and
    /// whether each was asked for the last time, too.
    pub(crate) fn commands_to_fetch(
        &mut self,
        now: LocalTime,
        missing: impl Iterator<Item = (MessageId, GroupId)>,
    ) -> Vec<Fetch> {
        if now < self.fetched_at + FETCH + self.round_trip {
            return Vec::new();
        }
        self.fetched_at = now;
        let wanted: BTreeMap<_, _> = missing.filter(|(id, _)| !self.is_here(*id)).collect();
        let before = std::mem::replace(&mut self.fetching, wanted);
        let fetch = |(&id, &from): (&MessageId, &GroupId)| Fetch {
            id,
            from,
            repeated: before.contains_key(&id),
        };
        self.fetching.iter().map(fetch).collect()
    }
}

/// How a command stands that a driver wants to hold back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// It is to be handed in later, once.
    New,
    /// It was announced and not handed in yet: this copy is not needed.
    Before,
    /// There is nothing to wait for: hand it in at once, to be refused or found known.
    Needless,
}

/// A command to be fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fetch {
    pub(crate) id: MessageId,
    /// A group that has timestamped it.
    pub(crate) from: GroupId,
    /// It was asked for the last time already.
    pub(crate) repeated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::{CommandId, SessionId};

    #[test]
    fn what_the_driver_holds_back_is_not_fetched() {
        let session = SessionId {
            client: ClientId(1),
            opened: LogTime::ZERO,
        };
        let id = MessageId {
            command: CommandId {
                session,
                number: 1,
                attempt: 1,
            },
            content: None,
        };
        let mut leader = LeaderState::new(1, LocalTime::ZERO, 1 << 20, 0);
        let mut now = LocalTime::ZERO;
        let mut fetched = |leader: &mut LeaderState| {
            now += FETCH;
            let missing = [(id, GroupId::ORACLE)].into_iter();
            leader.commands_to_fetch(now, missing).len()
        };
        assert_eq!(fetched(&mut leader), 1);
        assert_eq!(leader.announce(id), Announced::New);
        assert_eq!(leader.announce(id), Announced::Before);
        assert_eq!(fetched(&mut leader), 0);
        // It was handed in and refused.
        leader.withdraw(id);
        assert_eq!(fetched(&mut leader), 1);
        leader.taken.insert(id);
        assert_eq!(leader.announce(id), Announced::Needless);
    }
}
