//! Messages of this log in the library's words.

use crate::member::MemberId;
use crate::message::Append;
use crate::noraft_adapter::{id, kind, library};
use crate::record::LogPosition;
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
