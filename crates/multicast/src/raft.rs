//! The group's log on `noraft`: Raft (Ongaro and Ousterhout, 2014) without IO, clock or randomness.
//!
//! The library keeps terms, votes, positions and members. What it leaves to its user is here: the entries themselves, the
//! timers, pre-vote (section 9.6 of Ongaro's thesis), flow control towards each follower, the transfer of snapshots, and
//! when members change.
//!
//! It deliberately does not store anything: [`Record`](ssmr_core::log::Record)s say what must be durable before the messages leave.

mod elections;
mod followers;
mod library;
mod members;
mod message;
mod tenure;
mod transfer;

pub use message::{Body, RaftMessage};

use crate::log::{Committed, Cut, GroupLog, LogOutbox, Stored};
use bytes::Bytes;
use followers::Follower;
use library::{kind, library, position};
use noraft::{Log, LogEntries, LogIndex, LogPosition, Message, Node, NodeId, Term};
use ssmr_core::log::{LogEntry, MemberId, Members, Position};
use ssmr_core::multicast::Tenure;
use ssmr_core::snapshot::Snapshot;
use ssmr_core::topology::mix;
use ssmr_core::{LocalTime, Micros};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use transfer::{IncomingSnapshot, Transfers};

/// How often a leader that has nothing to say says so.
const HEARTBEAT: Micros = 75_000;
/// How long a follower waits for its leader: at least this, less than twice this.
const ELECTION: Micros = 500_000;
/// How soon replica 0 tries again while the group has never had a leader.
const FIRST_ELECTION: Micros = 40_000;

/// One replica's part of a group's log.
#[derive(Debug)]
pub struct RaftLog {
    me: MemberId,
    /// How many replicas the group has.
    count: u8,
    node: Node,
    /// The entries that are not compacted.
    entries: VecDeque<LogEntry>,
    polled: u64,
    /// What was installed and not polled.
    installed: Option<Snapshot>,
    followers: BTreeMap<MemberId, Follower>,
    transfers: Transfers,
    incoming: IncomingSnapshot,
    pre_votes: BTreeSet<MemberId>,
    /// A follower: when it loses patience. A leader: when the next heartbeat is due.
    deadline: LocalTime,
    /// When the leader was last heard of; `None` if there never was one.
    contact: Option<LocalTime>,
    /// When this replica asked last to be taken in.
    asked: LocalTime,
    /// When this leader asked last to be confirmed.
    confirm_asked: Option<LocalTime>,
    /// It may have promised something before it was started, and does not know when that was.
    drowsy: bool,
    /// State of the timers' random numbers.
    seed: u64,
}

impl RaftLog {
    /// The empty log of replica `index` of a group of `count`. The seed varies the election timeouts.
    #[must_use]
    pub fn new(index: u8, count: u8, seed: u64) -> Self {
        Self::restore(index, count, seed, Stored::default())
    }

    /// The log as it was stored. Which of its entries are committed the group will tell.
    #[must_use]
    pub fn restore(index: u8, count: u8, seed: u64, stored: Stored) -> Self {
        let me = MemberId::new(index, stored.generation);
        let founders = Members {
            voters: (0..count).map(|index| MemberId::new(index, 0)).collect(),
            ..Members::default()
        };
        let members = stored
            .snapshot
            .as_ref()
            .map_or(&founders, |snapshot| &snapshot.members);
        let kinds = stored.entries.iter().map(kind);
        let entries = LogEntries::from_iter(library(stored.base()), kinds);
        let log = Log::new(members::config(members), entries);
        let voted_for = stored.voted_for.map(|id| NodeId::new(id.number()));
        let node = Node::restart(
            NodeId::new(me.number()),
            Term::new(stored.term),
            voted_for,
            log,
        );

        let deadline = if index == 0 {
            LocalTime::ZERO
        } else {
            LocalTime::ZERO + ELECTION + mix(seed) % ELECTION
        };
        Self {
            me,
            count,
            node,
            polled: stored.base().0,
            entries: stored.entries.into(),
            installed: stored.snapshot,
            followers: BTreeMap::new(),
            transfers: Transfers::default(),
            incoming: IncomingSnapshot::default(),
            pre_votes: BTreeSet::new(),
            deadline,
            contact: None,
            asked: LocalTime::ZERO,
            confirm_asked: None,
            drowsy: stored.term > 0 && count > 1,
            seed,
        }
    }

    fn last(&self) -> Position {
        position(self.node.log().last_position())
    }

    /// The entry before the first one that is not compacted.
    fn base(&self) -> Position {
        position(self.node.log().snapshot_position())
    }

    fn tell(&self, to: MemberId, body: Body, out: &mut LogOutbox<RaftMessage>) {
        let generation = self.me.generation();
        out.messages
            .push((to.index(), RaftMessage { generation, body }));
    }

    fn patience(&mut self) -> Micros {
        self.seed = mix(self.seed);
        if self.contact.is_none() && self.me.index() == 0 {
            FIRST_ELECTION
        } else {
            ELECTION + self.seed % ELECTION
        }
    }

    fn on_append(
        &mut self,
        now: LocalTime,
        from: MemberId,
        head: (u64, u64),
        after: Position,
        entries: &[LogEntry],
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let (term, commit) = head;
        let kinds = entries.iter().map(kind);
        let call = Message::AppendEntriesCall {
            from: NodeId::new(from.number()),
            term: Term::new(term),
            commit_index: LogIndex::new(commit),
            entries: LogEntries::from_iter(library(after), kinds),
        };
        self.handle(&call);
        let replies = out.messages.len();
        self.drain(now, entries, out);
        let fits = self.node.log().entries().contains(library(after));
        if term == self.term() {
            self.contact = Some(now);
        }
        for (_, reply) in &mut out.messages[replies..] {
            if let Body::Appended { rejected, .. } = &mut reply.body {
                *rejected = !fits;
            }
        }
    }

    fn on_appended(&mut self, now: LocalTime, from: MemberId, last: Position, rejected: bool) {
        self.hear(now, from);
        if let Some(follower) = self.followers.get_mut(&from) {
            follower.told = last.0;
        }
        // One lost message makes the follower reject all that were behind it: rewind once, not once for each.
        let due = self
            .followers
            .get(&from)
            .is_some_and(|follower| now >= follower.rewound + HEARTBEAT / 4);
        if rejected && due {
            self.rewind(now, from, last.0);
        }
    }

    /// A member says something.
    fn hear(&mut self, now: LocalTime, from: MemberId) {
        if self.node.config().contains(NodeId::new(from.number())) {
            self.followers.entry(from).or_default().heard = now;
        }
    }

    fn handle(&mut self, message: &Message) {
        let (led, term) = (self.node.role().is_leader(), self.term());
        if let Err(error) = self.node.handle_message(message) {
            panic!("the group's log is inconsistent: {error}");
        }
        let leads = self.node.role().is_leader();
        if leads && (!led || term != self.term()) {
            let before = self.node.log().last_position().index.get() - 1;
            for id in self.others() {
                let heard = self
                    .followers
                    .get(&id)
                    .map_or(LocalTime::ZERO, |follower| follower.heard);
                self.followers.insert(
                    id,
                    Follower {
                        sent: before,
                        heard,
                        ..Follower::default()
                    },
                );
            }
            self.transfers = Transfers::default();
            self.confirm_asked = None;
        }
    }
}

impl GroupLog for RaftLog {
    type Msg = RaftMessage;

    fn is_leader(&self) -> bool {
        self.node.role().is_leader()
    }

    fn is_voter(&self) -> bool {
        self.settled_members()
            .is_some_and(|members| members.voters.contains(&self.me))
    }

    fn leader(&self) -> Option<u8> {
        if self.node.role().is_candidate() {
            return None;
        }
        let id: MemberId = self.node.voted_for()?.get().into();
        Some(id.index())
    }

    fn term(&self) -> u64 {
        self.node.current_term().get()
    }

    fn propose(&mut self, now: LocalTime, batch: Bytes, out: &mut LogOutbox<RaftMessage>) {
        if !self.node.propose_command().is_invalid() {
            self.drain(now, &[LogEntry::Batch(batch)], out);
        }
    }

    fn on_message(
        &mut self,
        now: LocalTime,
        from: u8,
        msg: RaftMessage,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        if from >= self.count
            || from == self.me.index()
            || msg.generation > MemberId::LAST_GENERATION
        {
            return;
        }
        self.wake(now);
        let from = MemberId::new(from, msg.generation);
        let sender = NodeId::new(from.number());
        let message = match msg.body {
            Body::PreVoteCall { term, last } => {
                return self.on_pre_vote(now, from, term, last, out);
            }
            Body::PreVoteReply {
                term,
                granted: true,
            } => return self.on_pre_vote_granted(now, from, term, out),
            Body::PreVoteReply {
                term,
                granted: false,
            } => {
                self.hear(now, from);
                // A message that does nothing but bear the term.
                let last_position = LogPosition::ZERO;
                Message::AppendEntriesReply {
                    from: sender,
                    term: Term::new(term),
                    last_position,
                }
            }
            Body::Append {
                term,
                commit,
                after,
                entries,
            } => {
                return self.on_append(now, from, (term, commit), after, &entries, out);
            }
            Body::VoteCall { .. } if self.is_bound(now) => return,
            Body::VoteCall { term, last } => Message::RequestVoteCall {
                from: sender,
                term: Term::new(term),
                last_position: library(last),
            },
            Body::VoteReply { term, granted } => {
                self.hear(now, from);
                Message::RequestVoteReply {
                    from: sender,
                    term: Term::new(term),
                    vote_granted: granted,
                }
            }
            Body::Appended {
                term,
                last,
                rejected,
            } => {
                self.on_appended(now, from, last, rejected);
                Message::AppendEntriesReply {
                    from: sender,
                    term: Term::new(term),
                    last_position: library(last),
                }
            }
            Body::Chunk {
                term,
                last,
                members,
                total,
                digest,
                offset,
                bytes,
            } => {
                if term == self.term() && !self.is_leader() {
                    self.on_chunk(
                        now,
                        from,
                        (last, members),
                        (total, digest),
                        (offset, bytes),
                        out,
                    );
                }
                return;
            }
            Body::ChunkTaken { last, offset } => {
                self.hear(now, from);
                return self.on_chunk_taken(now, from, last, offset, out);
            }
            Body::Confirm { term, asked } => return self.on_confirm(now, from, term, asked, out),
            Body::Confirmed { term, asked } => return self.on_confirmed(now, from, term, asked),
            Body::Join => return self.on_join(now, from, out),
        };
        self.handle(&message);
        self.drain(now, &[], out);
    }

    fn on_timer(&mut self, now: LocalTime, out: &mut LogOutbox<RaftMessage>) {
        self.wake(now);
        self.ask_to_join(now, out);
        if now < self.deadline {
            return;
        }
        if self.node.role().is_leader() {
            self.heartbeat(now, out);
        } else {
            self.canvass(now, out);
        }
    }

    fn poll_committed(&mut self) -> Option<Committed> {
        if let Some(snapshot) = self.installed.take() {
            return Some(Committed::Snapshot(snapshot));
        }
        if self.polled >= self.node.commit_index().get() {
            return None;
        }
        let place = self.polled - self.base().0;
        let entry = self.entries.get(place as usize)?.clone();
        self.polled += 1;
        Some(Committed::Entry(self.polled, entry))
    }

    fn cut(&self, index: u64) -> Cut {
        let log = self.node.log();
        let Some((last, config)) = log.get_position_and_config(LogIndex::new(index)) else {
            panic!("entry {index} is not in the log any more");
        };
        let (last, members) = (position(last), members::members(config));
        let held = (self.last().0 - self.base().0) as usize;
        let tail = self.entries.range((index - self.base().0) as usize..held);
        Cut {
            last,
            members,
            tail: tail.cloned().collect(),
        }
    }

    fn wants_snapshot(&self) -> bool {
        self.is_leader() && !self.transfers.wanting.is_empty()
    }

    fn offer(&mut self, now: LocalTime, snapshot: Snapshot, out: &mut LogOutbox<RaftMessage>) {
        self.begin_transfers(now, snapshot, out);
    }

    fn compact(&mut self, last: Position, keep: usize) {
        let base = self.base().0;
        let until = self
            .transfers
            .holds()
            .map_or(last.0, |held| held.0.min(last.0));
        let count = until.saturating_sub(base) as usize;
        let mut bytes: usize = self.entries.iter().take(count).map(LogEntry::size).sum();
        let mut gone = 0;
        while gone < count && bytes > keep {
            bytes -= self.entries[gone].size();
            gone += 1;
        }
        let index = LogIndex::new(base + gone as u64);
        let Some((at, config)) = self.node.log().get_position_and_config(index) else {
            panic!("entry {index:?} is not in the log any more");
        };
        let config = config.clone();
        let compacted = self.node.handle_snapshot_installed(at, config);
        assert!(compacted, "the log cannot be compacted to {at:?}");
        self.entries.drain(..gone);
    }

    fn tenure(&self, now: LocalTime) -> Option<Tenure> {
        self.current_tenure(now)
    }

    fn confirm(&mut self, now: LocalTime, out: &mut LogOutbox<RaftMessage>) {
        self.ask_to_be_confirmed(now, out);
    }

    fn in_flight(&self) -> u64 {
        self.last().0 - self.node.commit_index().get()
    }
}
