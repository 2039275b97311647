//! The group's log on `noraft`: Raft (Ongaro and Ousterhout, 2014) without IO, clock or randomness.
//!
//! The library keeps terms, votes and positions. What it leaves to its user is here: the entries themselves, the timers,
//! pre-vote (section 9.6 of Ongaro's thesis), and flow control towards each follower.
//!
//! It deliberately does not store anything: [`Record`]s say what must be durable before the messages leave.

mod elections;
mod followers;

use crate::log::{GroupLog, LogOutbox, Stored};
use bytes::Bytes;
use followers::Follower;
use noraft::{
    Action, ClusterConfig, Log, LogEntries, LogIndex, LogPosition, Message, Node, NodeId, Term,
};
use serde::{Deserialize, Serialize};
use ssmr_core::Micros;
use ssmr_core::layout::mix;
use ssmr_core::multicast::{LogEntry, Record};
use std::collections::VecDeque;

/// How often a leader that has nothing to say says so.
const HEARTBEAT: Micros = 75_000;
/// How long a follower waits for its leader: at least this, less than twice this.
const ELECTION: Micros = 500_000;
/// How soon replica 0 tries again while the group has never had a leader.
const FIRST_ELECTION: Micros = 40_000;

/// Index and term of a log entry.
type Position = (u64, u64);

/// What the replicas of a group say to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RaftMessage {
    /// Would you vote for me in this term? Binds nobody.
    PreVoteCall {
        /// The term that the sender would campaign in.
        term: u64,
        /// Its last entry.
        last: Position,
    },
    /// The answer to a pre-vote call.
    PreVoteReply {
        /// If granted, the term that was asked about; if not, the sender's own, which the asker has missed.
        term: u64,
        /// I would vote for you.
        granted: bool,
    },
    /// Vote for me.
    VoteCall {
        /// The candidate's term.
        term: u64,
        /// Its last entry.
        last: Position,
    },
    /// The answer to a call for votes.
    VoteReply {
        /// The voter's term.
        term: u64,
        /// Whether it voted for the candidate.
        granted: bool,
    },
    /// Append these entries, or none: a heartbeat.
    Append {
        /// The leader's term.
        term: u64,
        /// The leader's commit index.
        commit: u64,
        /// The entry before the first one.
        after: Position,
        /// The entries.
        entries: Vec<LogEntry>,
    },
    /// The answer to `Append`.
    Appended {
        /// The follower's term.
        term: u64,
        /// Its last entry.
        last: Position,
        /// The entries did not fit its log.
        rejected: bool,
    },
}

/// One replica's part of a group's log.
#[derive(Debug)]
pub struct RaftLog {
    index: u8,
    node: Node,
    /// The entries from index 1 on.
    entries: VecDeque<LogEntry>,
    polled: u64,
    followers: Vec<Follower>,
    pre_votes: u32,
    /// A follower: when it loses patience. A leader: when the next heartbeat is due.
    deadline: Micros,
    /// When the leader was last heard of; `None` if there never was one.
    contact: Option<Micros>,
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
        let mut config = ClusterConfig::new();
        config
            .voters
            .extend((0..count).map(|i| NodeId::new(i.into())));
        let kinds = stored.entries.iter().map(kind);
        let log = Log::new(config, LogEntries::from_iter(LogPosition::ZERO, kinds));
        let voted_for = stored.voted_for.map(|index| NodeId::new(index.into()));
        let id = NodeId::new(index.into());
        let node = Node::restart(id, Term::new(stored.term), voted_for, log);

        let deadline = if index == 0 {
            0
        } else {
            ELECTION + mix(seed) % ELECTION
        };
        Self {
            index,
            node,
            entries: stored.entries.into(),
            polled: 0,
            followers: vec![Follower::default(); count.into()],
            pre_votes: 0,
            deadline,
            contact: None,
            seed,
        }
    }

    fn others(&self) -> impl Iterator<Item = u8> + use<> {
        let (count, own) = (self.followers.len() as u8, self.index);
        (0..count).filter(move |&index| index != own)
    }

    fn last(&self) -> Position {
        position(self.node.log().last_position())
    }

    fn patience(&mut self) -> Micros {
        self.seed = mix(self.seed);
        if self.contact.is_none() && self.index == 0 {
            FIRST_ELECTION
        } else {
            ELECTION + self.seed % ELECTION
        }
    }

    // -- the library's wishes ------------------------------------------------------------------------------------

    /// Carries out what the library wants done; `payload` holds the entries that it is about to append.
    fn drain(&mut self, now: Micros, payload: &[LogEntry], out: &mut LogOutbox<RaftMessage>) {
        let actions = std::mem::take(self.node.actions_mut());
        if actions.save_current_term || actions.save_voted_for {
            let voted_for = self.node.voted_for().map(|id| id.get() as u8);
            out.records.push(Record::Vote {
                term: self.term(),
                voted_for,
            });
        }
        for action in actions {
            match action {
                Action::SetElectionTimeout => self.set_timer(now),
                Action::SaveCurrentTerm | Action::SaveVotedFor => {}
                Action::AppendLogEntries(appended) => self.store(&appended, payload, out),
                Action::BroadcastMessage(message) => {
                    for to in self.others() {
                        self.send(to, &message, true, out);
                    }
                }
                Action::SendMessage(to, message) => self.send(to.get() as u8, &message, false, out),
                Action::InstallSnapshot(_) => unreachable!("the log is never truncated"),
            }
        }
    }

    fn set_timer(&mut self, now: Micros) {
        self.deadline = now
            + if self.node.role().is_leader() {
                HEARTBEAT
            } else {
                self.patience()
            };
    }

    /// Appends what the library has appended to its own bookkeeping; the last entries of `payload` are those.
    fn store(
        &mut self,
        appended: &LogEntries,
        payload: &[LogEntry],
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let after = position(appended.prev_position());
        self.entries.truncate(after.0 as usize);
        let own_term = [LogEntry::Term(self.term())];
        // An entry that nobody handed in is the one with which a new leader opens its term.
        let source = if payload.is_empty() {
            &own_term[..]
        } else {
            payload
        };
        let fresh = &source[source.len() - appended.len()..];
        self.entries.extend(fresh.iter().cloned());
        out.records.push(Record::Append {
            after,
            entries: fresh.to_vec(),
        });
    }

    fn send(
        &mut self,
        to: u8,
        message: &Message,
        broadcast: bool,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let message = match message {
            Message::RequestVoteCall {
                term,
                last_position,
                ..
            } => RaftMessage::VoteCall {
                term: term.get(),
                last: position(*last_position),
            },
            Message::RequestVoteReply {
                term, vote_granted, ..
            } => RaftMessage::VoteReply {
                term: term.get(),
                granted: *vote_granted,
            },
            Message::AppendEntriesCall {
                term,
                commit_index,
                entries,
                ..
            } => {
                let Some((after, entries)) = self.portion(to, entries, broadcast) else {
                    return;
                };
                RaftMessage::Append {
                    term: term.get(),
                    commit: commit_index.get(),
                    after,
                    entries,
                }
            }
            Message::AppendEntriesReply {
                term,
                last_position,
                ..
            } => RaftMessage::Appended {
                term: term.get(),
                last: position(*last_position),
                rejected: false,
            },
        };
        out.messages.push((to, message));
    }

    fn on_append(
        &mut self,
        now: Micros,
        from: u8,
        head: (u64, u64),
        after: Position,
        entries: &[LogEntry],
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let (term, commit) = head;
        let kinds = entries.iter().map(kind);
        let call = Message::AppendEntriesCall {
            from: NodeId::new(from.into()),
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
            if let RaftMessage::Appended { rejected, .. } = reply {
                *rejected = !fits;
            }
        }
    }

    fn on_appended(&mut self, now: Micros, from: u8, last: Position, rejected: bool) {
        self.followers[usize::from(from)].heard = now;
        // One lost message makes the follower reject all that were behind it: rewind once, not once for each.
        if rejected && now >= self.followers[usize::from(from)].rewound + HEARTBEAT / 4 {
            self.rewind(now, from, last.0);
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
            for follower in &mut self.followers {
                follower.sent = before;
                follower.matched = 0;
            }
        }
    }
}

impl GroupLog for RaftLog {
    type Msg = RaftMessage;

    fn is_leader(&self) -> bool {
        self.node.role().is_leader()
    }

    fn leader(&self) -> Option<u8> {
        if self.node.role().is_candidate() {
            return None;
        }
        self.node.voted_for().map(|id| id.get() as u8)
    }

    fn term(&self) -> u64 {
        self.node.current_term().get()
    }

    fn propose(&mut self, now: Micros, batch: Bytes, out: &mut LogOutbox<RaftMessage>) {
        if !self.node.propose_command().is_invalid() {
            self.drain(now, &[LogEntry::Batch(batch)], out);
        }
    }

    fn on_message(
        &mut self,
        now: Micros,
        from: u8,
        msg: RaftMessage,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        if usize::from(from) >= self.followers.len() || from == self.index {
            return;
        }
        let sender = NodeId::new(from.into());
        let message = match msg {
            RaftMessage::PreVoteCall { term, last } => {
                return self.on_pre_vote(now, from, term, last, out);
            }
            RaftMessage::PreVoteReply {
                term,
                granted: true,
            } => {
                self.followers[usize::from(from)].heard = now;
                if term == self.term() + 1 && self.pre_votes != 0 {
                    self.pre_votes |= 1 << from;
                    self.campaign_if_wanted(now, out);
                }
                return;
            }
            RaftMessage::PreVoteReply {
                term,
                granted: false,
            } => {
                self.followers[usize::from(from)].heard = now;
                // A message that does nothing but bear the term.
                let last_position = LogPosition::ZERO;
                Message::AppendEntriesReply {
                    from: sender,
                    term: Term::new(term),
                    last_position,
                }
            }
            RaftMessage::Append {
                term,
                commit,
                after,
                entries,
            } => {
                return self.on_append(now, from, (term, commit), after, &entries, out);
            }
            RaftMessage::VoteCall { term, last } => Message::RequestVoteCall {
                from: sender,
                term: Term::new(term),
                last_position: library(last),
            },
            RaftMessage::VoteReply { term, granted } => {
                self.followers[usize::from(from)].heard = now;
                Message::RequestVoteReply {
                    from: sender,
                    term: Term::new(term),
                    vote_granted: granted,
                }
            }
            RaftMessage::Appended {
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
        };
        self.handle(&message);
        self.drain(now, &[], out);
    }

    fn on_timer(&mut self, now: Micros, out: &mut LogOutbox<RaftMessage>) {
        if now < self.deadline {
            return;
        }
        if self.node.role().is_leader() {
            self.heartbeat(now, out);
        } else {
            self.canvass(now, out);
        }
    }

    fn poll_committed(&mut self) -> Option<(u64, LogEntry)> {
        if self.polled >= self.node.commit_index().get() {
            return None;
        }
        let entry = self.entries.get(self.polled as usize)?.clone();
        self.polled += 1;
        Some((self.polled, entry))
    }

    fn in_flight(&self) -> u64 {
        self.last().0 - self.node.commit_index().get()
    }
}

fn position(at: LogPosition) -> Position {
    (at.index.get(), at.term.get())
}

fn library((index, term): Position) -> LogPosition {
    LogPosition::new(Term::new(term), LogIndex::new(index))
}

fn kind(entry: &LogEntry) -> noraft::LogEntry {
    match entry {
        LogEntry::Term(term) => noraft::LogEntry::Term(Term::new(*term)),
        LogEntry::Batch(_) => noraft::LogEntry::Command,
    }
}
