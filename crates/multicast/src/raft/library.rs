//! Between `noraft` and this log: what the library wants done, and its words for positions, entries and messages.

use super::members;
use super::{Body, HEARTBEAT, RaftLog, RaftMessage};
use crate::log::{GroupLog, LogOutbox};
use noraft::{Action, LogEntries, LogIndex, LogPosition, Message, Term};
use ssmr_core::LocalTime;
use ssmr_core::log::{LogEntry, MemberId, Position, Record};

impl RaftLog {
    /// Carries out what the library wants done; `payload` holds the entries that it is about to append.
    pub(super) fn drain(
        &mut self,
        now: LocalTime,
        payload: &[LogEntry],
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let actions = std::mem::take(self.node.actions_mut());
        if actions.save_current_term || actions.save_voted_for {
            let voted_for = self.node.voted_for().map(|id| id.get().into());
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
                Action::SendMessage(to, message) => {
                    self.send(to.get().into(), &message, false, out);
                }
                Action::InstallSnapshot(to) => self.need_snapshot(now, to.get().into(), out),
            }
        }
    }

    fn set_timer(&mut self, now: LocalTime) {
        self.deadline = if self.node.role().is_leader() {
            // The library would put the heartbeat off with every proposal. But it is what finds lost messages, under load too.
            self.deadline.min(now + HEARTBEAT)
        } else {
            now + self.patience()
        };
    }

    /// Appends what the library has appended to its own bookkeeping; the last batches of `payload` are among it.
    fn store(
        &mut self,
        appended: &LogEntries,
        payload: &[LogEntry],
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let after = position(appended.prev_position());
        self.entries.truncate((after.0 - self.base().0) as usize);
        let is_command = |entry: &noraft::LogEntry| matches!(entry, noraft::LogEntry::Command);
        let count = appended.iter().filter(is_command).count();
        let batches = payload
            .iter()
            .filter(|entry| matches!(entry, LogEntry::Batch(_)));
        let batches: Vec<&LogEntry> = batches.collect();
        let mut batches = batches[batches.len() - count..].iter();
        let fresh: Vec<LogEntry> = appended
            .iter()
            .map(|entry| match entry {
                noraft::LogEntry::Term(term) => LogEntry::Term(term.get()),
                noraft::LogEntry::ClusterConfig(config) => {
                    LogEntry::Members(members::members(&config))
                }
                noraft::LogEntry::Command => batches
                    .next()
                    .copied()
                    .cloned()
                    .unwrap_or_else(|| unreachable!("they were counted")),
            })
            .collect();
        self.entries.extend(fresh.iter().cloned());
        out.records.push(Record::Append {
            after,
            entries: fresh,
        });
    }

    fn send(
        &mut self,
        to: MemberId,
        message: &Message,
        broadcast: bool,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let body = match message {
            Message::RequestVoteCall {
                term,
                last_position,
                ..
            } => Body::VoteCall {
                term: term.get(),
                last: position(*last_position),
            },
            Message::RequestVoteReply {
                term, vote_granted, ..
            } => Body::VoteReply {
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
                Body::Append {
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
            } => Body::Appended {
                term: term.get(),
                last: position(*last_position),
                rejected: false,
            },
        };
        self.tell(to, body, out);
    }
}

pub(super) fn position(at: LogPosition) -> Position {
    (at.index.get(), at.term.get())
}

pub(super) fn library((index, term): Position) -> LogPosition {
    LogPosition::new(Term::new(term), LogIndex::new(index))
}

pub(super) fn kind(entry: &LogEntry) -> noraft::LogEntry {
    match entry {
        LogEntry::Term(term) => noraft::LogEntry::Term(Term::new(*term)),
        LogEntry::Batch(_) => noraft::LogEntry::Command,
        LogEntry::Members(members) => noraft::LogEntry::ClusterConfig(members::config(members)),
    }
}
