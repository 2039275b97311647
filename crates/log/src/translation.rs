//! Messages of this log in the library's words.

use crate::member::MemberId;
use crate::message::{Append, Body};
use crate::noraft_adapter::{id, kind, library, position};
use crate::record::{LogEntry, LogPosition};
use noraft::{LogEntries, LogIndex, Message, Term};

pub(crate) fn vote_call(from: MemberId, term: u64, last: LogPosition) -> Message {
    Message::RequestVoteCall {
        from: id(from),
        term: Term::new(term),
        last_position: library(last),
    }
}

pub(crate) fn vote_reply(from: MemberId, term: u64, granted: bool) -> Message {
    Message::RequestVoteReply {
        from: id(from),
        term: Term::new(term),
        vote_granted: granted,
    }
}

pub(crate) fn append_call(from: MemberId, append: &Append) -> Message {
    let kinds = append.entries.iter().map(kind);
    Message::AppendEntriesCall {
        from: id(from),
        term: Term::new(append.term),
        commit_index: LogIndex::new(append.commit_index),
        entries: LogEntries::from_iter(library(append.after), kinds),
    }
}

pub(crate) fn append_reply(from: MemberId, term: u64, last: LogPosition) -> Message {
    Message::AppendEntriesReply {
        from: id(from),
        term: Term::new(term),
        last_position: library(last),
    }
}

/// A message that does nothing but bear the term.
pub(crate) fn term_only(from: MemberId, term: u64) -> Message {
    append_reply(from, term, LogPosition::ZERO)
}

/// A message of the library in this log's words. `portion` says what of the entries is sent now;
/// `None` if nothing is.
pub(crate) fn body(
    message: &Message,
    portion: impl FnOnce(&LogEntries) -> Option<(LogPosition, Vec<LogEntry>)>,
) -> Option<Body> {
    Some(match message {
        Message::RequestVoteCall {
            term,
            last_position,
            ..
        } => Body::VoteCall {
            term: term.get(),
            last: position(*last_position),
            requested: false,
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
            let (after, entries) = portion(entries)?;
            Body::Append(Append {
                term: term.get(),
                commit_index: commit_index.get(),
                after,
                entries,
            })
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
    })
}
