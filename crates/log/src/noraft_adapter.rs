//! Between `noraft` and this log: terms, votes, positions and members are the library's; the
//! entries themselves are here.
//!
//! Invariant: `entries` holds exactly the entries behind the library's snapshot position.

use crate::member::{MemberId, Members};
use crate::record::{Cut, LogEntry, LogPosition, Record, Stored};
use noraft::{Action, ClusterConfig, Log, LogEntries, LogIndex, Message, Node, NodeId, Term};
use std::collections::{BTreeSet, VecDeque};

/// One replica's consensus state.
#[derive(Debug)]
pub(crate) struct Consensus {
    me: MemberId,
    node: Node,
    /// The entries that are not compacted.
    entries: VecDeque<LogEntry>,
}

/// What the library wants done, in this log's words.
#[derive(Debug)]
pub(crate) enum Step {
    /// A new term or vote has to be stored.
    StoreVote {
        term: u64,
        voted_for: Option<MemberId>,
    },
    /// Entries that replace whatever the log held after a position.
    Append {
        after: LogPosition,
        entries: Vec<LogEntry>,
    },
    /// The election timer or, at a leader, the heartbeat timer starts again.
    ResetTimer,
    /// Something for every other member.
    Broadcast(Message),
    /// Something for one member.
    Send(MemberId, Message),
    /// A member's log ends before this one begins.
    NeedsSnapshot(MemberId),
}

impl Consensus {
    /// What was stored. Which entries are committed the group will tell. Where no snapshot says who
    /// took part before the first entry, nobody did, unless the founders are those of generation 0.
    pub(crate) fn restore(me: MemberId, replica_count: u8, stored: &Stored) -> Self {
        let members = match &stored.snapshot {
            Some(snapshot) => snapshot.members.clone(),
            None if me.generation() == 0 => Members::founders(replica_count),
            None => Members::default(),
        };
        let entries =
            LogEntries::from_iter(library(stored.base()), stored.entries.iter().map(kind));
        let log = Log::new(config(&members), entries);
        let node = Node::restart(
            id(me),
            Term::new(stored.term),
            stored.voted_for.map(id),
            log,
        );
        Self {
            me,
            node,
            entries: stored.entries.clone().into(),
        }
    }

    /// This replica goes on under another name.
    pub(crate) fn rename(&mut self, me: MemberId) {
        let node = &self.node;
        let (term, voted_for) = (node.current_term(), node.voted_for());
        self.node = Node::restart(id(me), term, voted_for, node.log().clone());
        self.me = me;
    }

    pub(crate) fn me(&self) -> MemberId {
        self.me
    }

    // who

    pub(crate) fn is_leader(&self) -> bool {
        self.node.role().is_leader()
    }

    /// Who leads, as far as is known.
    pub(crate) fn leader(&self) -> Option<MemberId> {
        let voted_for = self.node.voted_for()?;
        (!self.node.role().is_candidate()).then(|| member(voted_for))
    }

    /// Whether it follows this member in the present term.
    pub(crate) fn follows(&self, leader: MemberId) -> bool {
        self.node.role().is_follower() && self.leader() == Some(leader)
    }

    pub(crate) fn is_member(&self, member: MemberId) -> bool {
        self.node.config().contains(id(member))
    }

    /// Whether this replica's vote counts.
    pub(crate) fn may_vote(&self) -> bool {
        let config = self.node.config();
        config.voters.contains(&id(self.me)) || config.new_voters.contains(&id(self.me))
    }

    /// Whether those of whom `has` is true are a majority: of the voters, and during a change of
    /// the next ones too. Where nobody votes there is none.
    pub(crate) fn is_majority(&self, has: impl Fn(MemberId) -> bool) -> bool {
        let config = self.node.config();
        let most = |voters: &BTreeSet<NodeId>| {
            let count = voters.iter().filter(|voter| has(member(**voter))).count();
            count > voters.len() / 2
        };
        most(&config.voters) && (config.new_voters.is_empty() || most(&config.new_voters))
    }

    /// The other members; of a replica that is there in two generations only the later one.
    pub(crate) fn others(&self) -> Vec<MemberId> {
        let nodes = self.node.config().unique_nodes();
        let all: Vec<MemberId> = nodes
            .map(member)
            .filter(|other| *other != self.me)
            .collect();
        let superseded = |one: &MemberId| {
            let mut later = all.iter().filter(|other| *other > one);
            later.any(|other| other.index() == one.index())
        };
        all.iter().filter(|one| !superseded(one)).copied().collect()
    }

    /// Those that are filled and have no vote yet.
    pub(crate) fn learners(&self) -> impl Iterator<Item = MemberId> {
        self.node.config().non_voters.iter().copied().map(member)
    }

    /// Whether this replica's vote counts and will go on counting, as far as is committed.
    pub(crate) fn is_settled_voter(&self) -> bool {
        let log = self.node.log();
        let committed = log.get_position_and_config(self.node.commit_index());
        committed.is_some_and(|(_, committed)| {
            let settled = committed == self.node.config() && !committed.is_joint_consensus();
            settled && committed.voters.contains(&id(self.me))
        })
    }

    /// Who takes part before the first entry that is not compacted.
    pub(crate) fn base_members(&self) -> Members {
        members(self.node.log().snapshot_config())
    }

    /// Who takes part from now on, committed or not.
    pub(crate) fn members(&self) -> Members {
        members(self.node.config())
    }

    /// Who takes part as far as it is committed, unless a change is under way.
    pub(crate) fn settled_members(&self) -> Option<Members> {
        let log = self.node.log();
        let (_, committed) = log.get_position_and_config(self.node.commit_index())?;
        let settled = committed == self.node.config() && !committed.is_joint_consensus();
        settled.then(|| members(committed))
    }

    /// The last committed members and those behind them, with the indices of their entries.
    pub(crate) fn possible_members(&self) -> Vec<(u64, Members)> {
        let (base, committed) = (self.base().index, self.commit_index());
        let first = (base, self.base_members());
        let named = (base + 1..)
            .zip(&self.entries)
            .filter_map(|(index, entry)| match entry {
                LogEntry::Members(members) => Some((index, members.clone())),
                _ => None,
            });
        // Before the founding of a group there are none.
        let mut all: Vec<_> = std::iter::once(first)
            .filter(|(_, members)| !members.voters.is_empty())
            .chain(named)
            .collect();
        let known = all.iter().filter(|(index, _)| *index <= committed).count();
        all.drain(..known.saturating_sub(1));
        if known == 0 {
            all.clear();
        }
        all
    }

    // where

    pub(crate) fn term(&self) -> u64 {
        self.node.current_term().get()
    }

    pub(crate) fn commit_index(&self) -> u64 {
        self.node.commit_index().get()
    }

    /// The term of the last committed entry; `None` if that entry is compacted.
    pub(crate) fn commit_term(&self) -> Option<u64> {
        let log = self.node.log();
        let (at, _) = log.get_position_and_config(self.node.commit_index())?;
        Some(at.term.get())
    }

    /// The last entry.
    pub(crate) fn last(&self) -> LogPosition {
        position(self.node.log().last_position())
    }

    /// The entry before the first one that is not compacted.
    pub(crate) fn base(&self) -> LogPosition {
        position(self.node.log().snapshot_position())
    }

    /// The entry `index`; `None` if it is compacted or not there.
    pub(crate) fn entry(&self, index: u64) -> Option<&LogEntry> {
        let place = index.checked_sub(self.base().index + 1)?;
        self.entries.get(place as usize)
    }

    /// Where entry `index` stands; `None` if it is compacted or not there.
    pub(crate) fn position_of(&self, index: u64) -> Option<LogPosition> {
        let term = self.node.log().entries().get_term(LogIndex::new(index))?;
        let term = term.get();
        Some(LogPosition { term, index })
    }

    /// Whether the log holds the entry at this position.
    pub(crate) fn contains(&self, at: LogPosition) -> bool {
        self.node.log().entries().contains(library(at))
    }

    /// The entries with these indices, which are not compacted.
    pub(crate) fn range(&self, after: u64, until: u64) -> impl Iterator<Item = &LogEntry> {
        let base = self.base().index;
        self.entries
            .range((after - base) as usize..(until - base) as usize)
    }

    /// How many bytes the entries behind entry `index` have, as far as they are not compacted.
    pub(crate) fn bytes_behind(&self, index: u64) -> usize {
        let after = index.max(self.base().index);
        let behind = self.range(after, self.last().index.max(after));
        behind.map(LogEntry::size_bytes).sum()
    }

    /// How many entries are held.
    pub(crate) fn entry_count(&self) -> usize {
        self.entries.len()
    }

    /// How far a follower's log is known to match this leader's.
    pub(crate) fn matched(&self, follower: MemberId) -> u64 {
        let matched = self.node.follower_match_index(id(follower));
        matched.map_or(0, LogIndex::get)
    }

    /// The log at entry `index`.
    ///
    /// # Panics
    /// If the entry is compacted: a caller may only ask for what it has polled since.
    pub(crate) fn cut(&self, index: u64) -> Cut {
        let log = self.node.log();
        let Some((last, config)) = log.get_position_and_config(LogIndex::new(index)) else {
            panic!("entry {index} is not in the log any more");
        };
        Cut {
            last: position(last),
            members: members(config),
            tail: self.range(index, self.last().index).cloned().collect(),
        }
    }

    // changes

    /// Begins an empty log with its founders. The entry's term is 0: it is older than any election.
    pub(crate) fn begin(&mut self, founders: &Members) -> Record {
        let entry = LogEntry::Members(founders.clone());
        let after = LogPosition::ZERO;
        let entries = LogEntries::from_iter(library(after), [kind(&entry)]);
        let log = Log::new(self.node.log().snapshot_config().clone(), entries);
        let (term, voted_for) = (self.node.current_term(), self.node.voted_for());
        self.node = Node::restart(id(self.me), term, voted_for, log);
        self.entries.push_back(entry.clone());
        let entries = vec![entry];
        Record::Append { after, entries }
    }

    /// Proposes an entry; `false` if this replica does not lead.
    pub(crate) fn propose(&mut self) -> bool {
        !self.node.propose_command().is_invalid()
    }

    /// Proposes other members; `false` if that cannot be now.
    pub(crate) fn propose_members(&mut self, to: &Members) -> bool {
        !self.node.propose_config(config(to)).is_invalid()
    }

    /// The members on the way to `added` and without `removed`: joint consensus.
    pub(crate) fn joint(&self, added: &[MemberId], removed: &[MemberId]) -> Members {
        let ids = |members: &[MemberId]| members.iter().copied().map(id).collect::<Vec<_>>();
        let config = self.node.config();
        members(&config.to_joint_consensus(&ids(added), &ids(removed)))
    }

    pub(crate) fn campaign(&mut self) {
        self.node.handle_election_timeout();
    }

    pub(crate) fn heartbeat(&mut self) {
        self.node.heartbeat();
    }

    /// Takes a message. Returns whether this replica became the leader by it, in this term.
    ///
    /// # Panics
    /// If the library finds the log inconsistent: a broken invariant of the group.
    pub(crate) fn handle(&mut self, message: &Message) -> bool {
        let before = (self.is_leader(), self.term());
        if let Err(error) = self.node.handle_message(message) {
            panic!("the group's log is inconsistent: {error}");
        }
        self.is_leader() && before != (true, self.term())
    }

    /// What the library wants done. `payload` holds the entries that were proposed or received with
    /// the last call.
    pub(crate) fn take_steps(&mut self, payload: &[LogEntry]) -> Vec<Step> {
        let actions = std::mem::take(self.node.actions_mut());
        let mut steps = Vec::new();
        if actions.save_current_term || actions.save_voted_for {
            let voted_for = self.node.voted_for().map(member);
            let term = self.term();
            steps.push(Step::StoreVote { term, voted_for });
        }
        for action in actions {
            steps.extend(match action {
                Action::SetElectionTimeout => Some(Step::ResetTimer),
                Action::SaveCurrentTerm | Action::SaveVotedFor => None,
                Action::AppendLogEntries(appended) => Some(self.append(&appended, payload)),
                Action::BroadcastMessage(message) => Some(Step::Broadcast(message)),
                Action::SendMessage(to, message) => Some(Step::Send(member(to), message)),
                Action::InstallSnapshot(to) => Some(Step::NeedsSnapshot(member(to))),
            });
        }
        steps
    }

    /// Appends what the library has appended to its own bookkeeping; the last batches of `payload`
    /// are among it.
    fn append(&mut self, appended: &LogEntries, payload: &[LogEntry]) -> Step {
        let after = position(appended.prev_position());
        self.entries
            .truncate((after.index - self.base().index) as usize);
        let is_command = |entry: &noraft::LogEntry| matches!(entry, noraft::LogEntry::Command);
        let count = appended.iter().filter(is_command).count();
        let is_batch = |entry: &&LogEntry| matches!(entry, LogEntry::Batch(_));
        let batches: Vec<&LogEntry> = payload.iter().filter(is_batch).collect();
        let mut batches = batches[batches.len() - count..].iter();
        let entries: Vec<LogEntry> = appended
            .iter()
            .map(|entry| match entry {
                noraft::LogEntry::Term(term) => LogEntry::Term(term.get()),
                noraft::LogEntry::ClusterConfig(config) => LogEntry::Members(members(&config)),
                noraft::LogEntry::Command => batches
                    .next()
                    .copied()
                    .cloned()
                    .unwrap_or_else(|| unreachable!("they were counted")),
            })
            .collect();
        self.entries.extend(entries.iter().cloned());
        Step::Append { after, entries }
    }

    /// A snapshot takes the place of the log up to its last entry; `false` if the log needs none.
    /// Returns the entries that the log goes on with.
    pub(crate) fn install(&mut self, last: LogPosition, of: &Members) -> Option<Vec<LogEntry>> {
        let base = self.base().index;
        if !self
            .node
            .handle_snapshot_installed(library(last), config(of))
        {
            return None;
        }
        let kept = (self.last().index - last.index) as usize;
        self.entries
            .truncate(self.last().index.saturating_sub(base) as usize);
        let gone = self.entries.len() - kept.min(self.entries.len());
        self.entries.drain(..gone);
        Some(self.entries.iter().cloned().collect())
    }

    /// Forgets the entries up to `until`, but for the last `keep_bytes` of them.
    ///
    /// # Panics
    /// If the library does not agree: a broken invariant.
    pub(crate) fn compact(&mut self, until: u64, keep_bytes: usize) {
        let base = self.base().index;
        let count = until.saturating_sub(base) as usize;
        let sizes = self.entries.iter().take(count).map(LogEntry::size_bytes);
        let mut bytes: usize = sizes.sum();
        let mut gone = 0;
        while gone < count && bytes > keep_bytes {
            bytes -= self.entries[gone].size_bytes();
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
}

pub(crate) fn position(at: noraft::LogPosition) -> LogPosition {
    LogPosition {
        term: at.term.get(),
        index: at.index.get(),
    }
}

pub(crate) fn library(at: LogPosition) -> noraft::LogPosition {
    noraft::LogPosition::new(Term::new(at.term), LogIndex::new(at.index))
}

pub(crate) fn id(member: MemberId) -> NodeId {
    NodeId::new(member.number())
}

fn member(id: NodeId) -> MemberId {
    id.get().into()
}

pub(crate) fn kind(entry: &LogEntry) -> noraft::LogEntry {
    match entry {
        LogEntry::Term(term) => noraft::LogEntry::Term(Term::new(*term)),
        LogEntry::Batch(_) => noraft::LogEntry::Command,
        LogEntry::Members(members) => noraft::LogEntry::ClusterConfig(config(members)),
    }
}

fn members(config: &ClusterConfig) -> Members {
    let ids = |nodes: &BTreeSet<NodeId>| nodes.iter().copied().map(member).collect();
    Members {
        voters: ids(&config.voters),
        next_voters: ids(&config.new_voters),
        learners: ids(&config.non_voters),
    }
}

fn config(members: &Members) -> ClusterConfig {
    let nodes = |ids: &BTreeSet<MemberId>| ids.iter().copied().map(id).collect();
    ClusterConfig {
        voters: nodes(&members.voters),
        new_voters: nodes(&members.next_voters),
        non_voters: nodes(&members.learners),
    }
}
