//! One replica's part of a group's log.
//!
//! It joins the library (terms, votes, positions) with what that leaves to its user: the entries
//! themselves, the timers, pre-vote, flow control towards each follower, the transfer of snapshots,
//! and when members change. It deliberately does not store anything: [`Record`]s say what must be
//! durable, and whether before the messages leave.
//!
//! Invariant: what [`GroupLog::poll_committed`] returns is the same at every replica, in the same
//! order, and is never taken back.

mod filling;
mod handing_over;
mod heartbeats;
mod questions;

use crate::election::Election;
use crate::founding::{self, FoundingRefused, Holding};
use crate::hand_over::HandOver;
use crate::member::{MemberId, Members};
use crate::membership::{self, Joined, Joining};
use crate::message::{Append, Body, LogMessage};
use crate::noraft_adapter::{Consensus, Step};
use crate::outbox::LogOutbox;
use crate::read_index::{ConfirmedLeadership, ReadIndex, confirmed_leadership};
use crate::record::{Committed, LogEntry, Record, Snapshot, Stored};
use crate::replication::Followers;
use crate::timing::Timing;
use crate::transfer::{CHUNK_BYTES, Chunks, IncomingSnapshot, Transfers};
use crate::translation::{append_call, append_reply, body, term_only, vote_call, vote_reply};
use bytes::Bytes;
use noraft::Message;
use std::collections::BTreeSet;
use std::time::Duration;

/// How far ahead of its own term a replica believes another one to be. Terms grow by one with each
/// election: what says more is not one of the group's replicas, and must not use terms up.
const TERM_LEAD: u64 = 1 << 32;
/// The same for a replica that is no member: it has to catch up with all terms there were.
const STRANGER_TERM_LEAD: u64 = 1 << 56;

/// One replica's part of a group's log.
#[derive(Debug)]
pub struct GroupLog {
    me: MemberId,
    /// How many replicas the group has.
    replica_count: u8,
    consensus: Consensus,
    /// The last entry that was polled.
    polled: u64,
    /// What was installed and not polled.
    installed: Option<Snapshot>,
    election: Election,
    followers: Followers,
    read_index: ReadIndex,
    transfers: Transfers,
    incoming: IncomingSnapshot,
    joining: Joining,
    hand_over: HandOver,
    /// The replicas of the group in the generations in which they are at least: empty, or as
    /// whoever founds it has said.
    present: BTreeSet<MemberId>,
}

impl GroupLog {
    /// The empty log of replica `index` of a group of `replica_count` whose founders nobody has to
    /// name: all replicas in generation 0. That is for tests and simulations, where nobody restarts
    /// with the same command line; where somebody does, an empty replica begins a generation above
    /// 0 and is [founded](Self::found).
    ///
    /// The seed varies the election timeouts: replicas of one group need different ones, or they
    /// split every vote.
    #[must_use]
    pub fn new(index: u8, replica_count: u8, seed: u64) -> Self {
        Self::restore(index, replica_count, seed, Stored::default())
    }

    /// The log as it was stored. Which of its entries are committed the group will tell.
    #[must_use]
    pub fn restore(index: u8, replica_count: u8, seed: u64, stored: Stored) -> Self {
        let me = MemberId::new(index, stored.generation);
        let promised = stored.term > 0 && replica_count > 1;
        Self {
            me,
            replica_count,
            consensus: Consensus::restore(me, replica_count, &stored),
            polled: stored.base().index,
            installed: stored.snapshot,
            election: Election::new(index, seed, promised),
            followers: Followers::default(),
            read_index: ReadIndex::default(),
            transfers: Transfers::new(CHUNK_BYTES),
            incoming: IncomingSnapshot::default(),
            joining: Joining::default(),
            hand_over: HandOver::default(),
            present: BTreeSet::new(),
        }
    }

    /// The same that sends snapshots in messages of so many bytes, in place of [`CHUNK_BYTES`].
    #[must_use]
    pub fn with_chunk_bytes(self, chunk_bytes: usize) -> Self {
        let transfers = Transfers::new(chunk_bytes);
        Self { transfers, ..self }
    }

    /// The same, before it is used, for a group whose messages get anywhere and back in
    /// `round_trip`, beyond the time that a local network takes: heartbeats, elections and leases
    /// take so much longer. It must be the same at all replicas of the group, or leases do not
    /// hold.
    #[must_use]
    pub fn with_round_trip(self, round_trip: Duration) -> Self {
        let timing = Timing::allowing_for(round_trip);
        Self {
            election: self.election.with_timing(timing),
            followers: Followers::new(timing),
            ..self
        }
    }

    /// The group is about to be founded by these, each in its present generation: whatever the
    /// others said in earlier ones is ignored from now on. Every replica of the group must have
    /// agreed before one is told to [found](Self::found) it.
    ///
    /// # Errors
    /// If they are not one of each replica and this one among them, or something else is held here.
    pub fn prepare(&mut self, founders: &BTreeSet<MemberId>) -> Result<(), FoundingRefused> {
        founding::check(&self.consensus, self.replica_count, founders)?;
        self.present.clone_from(founders);
        Ok(())
    }

    /// Founds the group: these are its voters, by this replica's first log entry. To be told to the
    /// first replica of the group, and to no other. The records must be durable before anybody is
    /// told that it went well.
    ///
    /// # Errors
    /// As for [`prepare`](Self::prepare).
    pub fn found(
        &mut self,
        now: Duration,
        founders: &BTreeSet<MemberId>,
        out: &mut LogOutbox,
    ) -> Result<(), FoundingRefused> {
        self.election.unblock_vote_later(now);
        let holding = founding::check(&self.consensus, self.replica_count, founders)?;
        if self.me.index() != 0 {
            return Err(FoundingRefused::NotTheFirst);
        }
        if holding == Holding::Nothing {
            let founders = Members::voters(founders.clone());
            out.store(self.consensus.begin(&founders));
            self.start_pre_vote(now, out);
        }
        Ok(())
    }

    /// How surely this replica leads: `None` unless it leads and has polled all that its
    /// predecessors committed, which must be applied too before anybody relies on it.
    #[must_use]
    pub fn confirmed_leadership(&self, now: Duration) -> Option<ConfirmedLeadership> {
        let polled_all = self.polled >= self.consensus.commit_index();
        let moment = self.read_index.moment(now);
        let confirmed = || confirmed_leadership(moment, &self.consensus, &self.followers);
        let known = polled_all.then(confirmed).flatten()?;
        Some(if self.hand_over.has_asked() {
            known.without_lease()
        } else {
            known
        })
    }

    /// The moment of a read that comes now: after every question of
    /// [`confirm_leadership`](Self::confirm_leadership) so far, whatever the clock does. What was
    /// confirmed for this moment or a later one was asked for after the read had come.
    #[must_use]
    pub fn read_moment(&self, now: Duration) -> Duration {
        self.read_index.moment(now)
    }

    /// Asks the others to confirm that this replica leads, unless such a question is on its way.
    pub fn confirm_leadership(&mut self, now: Duration, out: &mut LogOutbox) {
        let asked = self.read_index.ask(now, &self.consensus, &self.followers);
        if let Some(asked) = asked {
            let term = self.term();
            self.tell_others(&Body::ConfirmLeadership { term, asked }, out);
        }
    }

    /// Proposes a batch. Does nothing unless this replica leads and does not
    /// [hand over](Self::is_handing_over); what is proposed may be lost with the leader.
    pub fn propose(&mut self, now: Duration, batch: Bytes, out: &mut LogOutbox) {
        if !self.is_handing_over() && self.consensus.propose() {
            self.carry_out(now, &[LogEntry::Batch(batch)], out);
        }
    }

    /// What comes next of what is committed.
    pub fn poll_committed(&mut self) -> Option<Committed> {
        if let Some(snapshot) = self.installed.take() {
            return Some(Committed::Snapshot(snapshot));
        }
        if self.polled >= self.consensus.commit_index() {
            return None;
        }
        let entry = self.consensus.entry(self.polled + 1)?.clone();
        self.polled += 1;
        Some(Committed::Entry(self.polled, entry))
    }

    /// Lets time pass.
    pub fn on_timer(&mut self, now: Duration, out: &mut LogOutbox) {
        self.election.unblock_vote_later(now);
        let timing = self.followers.timing();
        if self.joining.asks(now, &self.consensus, timing) {
            let others = (0..self.replica_count).filter(|index| *index != self.me.index());
            others.for_each(|index| self.tell(MemberId::new(index, 0), Body::Join, out));
        }
        self.go_on_handing_over(now, out);
        if !self.election.is_due(now) {
            return;
        }
        if self.is_leader() {
            self.send_heartbeats(now, out);
        } else {
            self.start_pre_vote(now, out);
        }
    }

    /// Takes a message of the group's replica `from`. One that no replica of the group would send
    /// is ignored.
    pub fn on_message(&mut self, now: Duration, from: u8, msg: LogMessage, out: &mut LogOutbox) {
        let stranger = from >= self.replica_count || from == self.me.index();
        if stranger || msg.generation > MemberId::LAST_GENERATION {
            return;
        }
        let from = MemberId::new(from, msg.generation);
        let later = |other: &MemberId| other.index() == from.index() && *other > from;
        let lead = if self.consensus.is_member(self.me) {
            TERM_LEAD
        } else {
            STRANGER_TERM_LEAD
        };
        let absurd = msg.body.term() > Some(self.term().saturating_add(lead));
        if absurd || self.present.iter().any(later) {
            return;
        }
        self.election.unblock_vote_later(now);
        match msg.body {
            Body::PreVoteCall { term, last } => {
                let (consensus, followers) = (&self.consensus, &self.followers);
                let reply = self
                    .election
                    .on_pre_vote_call(now, term, last, consensus, followers);
                reply
                    .into_iter()
                    .for_each(|reply| self.tell(from, reply, out));
            }
            Body::PreVoteReply { term, granted } if granted => {
                self.hear(now, from);
                if self
                    .election
                    .on_pre_vote_granted(from, term, &self.consensus)
                {
                    self.campaign_if_wanted(now, out);
                }
            }
            Body::PreVoteReply { term, .. } => {
                self.hear(now, from);
                self.handle(now, &term_only(from, term), out);
            }
            // Who was asked by the leader that this replica is bound to is voted for all the same.
            Body::VoteCall {
                requested: false, ..
            } if self.is_bound(now) => {}
            Body::VoteCall { term, last, .. } => {
                self.handle(now, &vote_call(from, term, last), out);
            }
            Body::VoteReply { term, granted } => {
                self.hear(now, from);
                self.handle(now, &vote_reply(from, term, granted), out);
            }
            Body::Append(append) => self.on_append(now, from, &append, out),
            Body::Appended {
                term,
                last,
                rejected,
            } => {
                self.hear(now, from);
                self.followers.on_appended(now, from, last, rejected);
                self.handle(now, &append_reply(from, term, last), out);
                self.go_on_handing_over(now, out);
            }
            Body::Chunk { term, chunk } => {
                if term == self.term() && !self.is_leader() {
                    self.on_chunk(now, from, chunk, out);
                }
            }
            Body::ChunkTaken { last, offset } => {
                self.hear(now, from);
                let mut chunks = Chunks::new();
                self.transfers
                    .on_taken(now, from, last, offset, &mut chunks);
                self.send_chunks(chunks, out);
            }
            Body::ConfirmLeadership { term, asked } => {
                if term == self.term() && self.consensus.follows(from) {
                    self.election.hear_leader(now, self.consensus.term());
                    self.election.restart_timer(now);
                    self.tell(from, Body::LeadershipConfirmed { term, asked }, out);
                }
            }
            Body::LeadershipConfirmed { term, asked } => {
                self.hear(now, from);
                if term == self.term() && self.is_leader() {
                    let moment = self.read_index.confirmable(asked);
                    moment
                        .into_iter()
                        .for_each(|at| self.followers.confirm(from, at));
                }
            }
            Body::TakeOver { term } => self.on_take_over(now, from, term, out),
            Body::Join if self.is_handing_over() => {}
            Body::Join => match membership::on_join(&mut self.consensus, from) {
                Joined::Proposed => self.carry_out(now, &[], out),
                Joined::Unready => {}
                Joined::Later { after } => {
                    let refused = from.generation();
                    self.tell(from, Body::JoinLater { refused, after }, out);
                }
            },
            Body::JoinLater { refused, after } if refused == self.me.generation() => {
                self.on_join_later(after, out);
            }
            Body::JoinLater { .. } => {}
        }
    }

    /// The group knows this replica in a generation that is not earlier, or far earlier, than the
    /// present one: begins another one behind that. Only for a replica that is no member: its name
    /// has promised nothing that counts.
    fn on_join_later(&mut self, after: u64, out: &mut LogOutbox) {
        let generation = membership::generation_after(after, self.me);
        let Some(generation) = generation.filter(|_| !self.consensus.is_member(self.me)) else {
            return;
        };
        self.me = MemberId::new(self.me.index(), generation);
        self.consensus.rename(self.me);
        out.store(Record::Generation(generation));
    }

    fn is_bound(&self, now: Duration) -> bool {
        self.election
            .is_bound(now, &self.consensus, &self.followers)
    }

    /// Asks whether an election could be won before disturbing anybody with one.
    fn start_pre_vote(&mut self, now: Duration, out: &mut LogOutbox) {
        if self.election.start_pre_vote(now, &self.consensus) {
            self.call_pre_votes(out);
            self.campaign_if_wanted(now, out);
        }
    }

    fn call_pre_votes(&self, out: &mut LogOutbox) {
        let (term, last) = (self.term() + 1, self.consensus.last());
        self.tell_others(&Body::PreVoteCall { term, last }, out);
    }

    fn campaign_if_wanted(&mut self, now: Duration, out: &mut LogOutbox) {
        if self
            .election
            .take_majority(now, &self.consensus, &self.followers)
        {
            self.consensus.campaign();
            self.carry_out(now, &[], out);
        }
    }

    fn on_append(&mut self, now: Duration, from: MemberId, append: &Append, out: &mut LogOutbox) {
        let replies = out.messages.len();
        self.take(&append_call(from, append));
        self.carry_out(now, &append.entries, out);
        let fits = self.consensus.contains(append.after);
        if append.term == self.term() {
            self.election.hear_leader(now, self.consensus.term());
        }
        for (_, reply) in &mut out.messages[replies..] {
            if let Body::Appended { rejected, .. } = &mut reply.body {
                *rejected = !fits;
            }
        }
    }

    /// Has the library take a message, and carries out what it wants done.
    fn handle(&mut self, now: Duration, message: &Message, out: &mut LogOutbox) {
        self.take(message);
        self.carry_out(now, &[], out);
    }

    /// Has the library take a message; begins a term as its leader if that makes this replica one.
    fn take(&mut self, message: &Message) {
        if self.consensus.handle(message) {
            let before = self.consensus.last().index - 1;
            self.followers.begin_term(&self.consensus.others(), before);
            self.transfers.begin_term();
            self.hand_over.begin_term();
            self.read_index = ReadIndex::default();
        }
    }

    /// Carries out what the library wants done; `payload` holds the entries that it is about to
    /// append.
    fn carry_out(&mut self, now: Duration, payload: &[LogEntry], out: &mut LogOutbox) {
        for step in self.consensus.take_steps(payload) {
            match step {
                Step::StoreVote { term, voted_for } => {
                    out.store(Record::Vote { term, voted_for });
                }
                Step::Append { after, entries } => {
                    // What is committed by this replica's copy alone must not be lost.
                    let alone = self.consensus.commit_index() > after.index;
                    let record = Record::Append { after, entries };
                    if self.is_leader() && !alone {
                        out.store_meanwhile(record);
                    } else {
                        out.store(record);
                    }
                }
                Step::ResetTimer if self.is_leader() => self.election.restart_heartbeat(now),
                Step::ResetTimer => self.election.restart_timer(now),
                Step::Broadcast(message) => {
                    for to in self.consensus.others() {
                        self.send(to, &message, true, out);
                    }
                }
                Step::Send(to, message) => self.send(to, &message, false, out),
                Step::NeedsSnapshot(of) => {
                    let (base, mut chunks) = (self.consensus.base(), Chunks::new());
                    self.transfers.need_snapshot(now, of, base, &mut chunks);
                    self.send_chunks(chunks, out);
                }
            }
        }
    }

    fn send(&mut self, to: MemberId, message: &Message, broadcast: bool, out: &mut LogOutbox) {
        let (consensus, followers) = (&self.consensus, &mut self.followers);
        let portion = |wanted: &_| followers.portion(consensus, to, wanted, broadcast);
        if let Some(mut body) = body(message, portion) {
            if let Body::VoteCall {
                term, requested, ..
            } = &mut body
            {
                *requested = self.hand_over.is_requested(*term);
            }
            self.tell(to, body, out);
        }
    }

    fn tell_others(&self, body: &Body, out: &mut LogOutbox) {
        let others = self.consensus.others().into_iter();
        others.for_each(|to| self.tell(to, body.clone(), out));
    }

    fn tell(&self, to: MemberId, body: Body, out: &mut LogOutbox) {
        let generation = self.me.generation();
        out.messages
            .push((to.index(), LogMessage { generation, body }));
    }

    /// A member says something.
    fn hear(&mut self, now: Duration, from: MemberId) {
        if self.consensus.is_member(from) {
            self.followers.hear(now, from);
        }
    }
}
