//! Founding: how a group gets its first members, once in its life.
//!
//! A replica with nothing stored cannot know whether it never took part or has forgotten that it
//! did. So it is nobody's voter until somebody who knows says so: Raft's bootstrap (section 4 of
//! Ongaro's thesis, 2014). The first log entry names the voters.
//!
//! ```text
//!   who founds                      r0/5                     r1/7           r2/9
//!     |---- what do you hold? ------->|----------------------->|------------->|
//!     |<--- nothing ------------------|<-----------------------|<-------------|
//!     |---- prepare {r0/5 r1/7 r2/9} >|----------------------->|------------->|
//!     |<--- nothing still ------------|<-----------------------|<-------------|
//!     |---- found {r0/5 r1/7 r2/9} -->|                        |              |
//!     |                               | log: the founders      |              |
//!     |<--- yes ----------------------|                        |              |
//!     |                               |---- pre-vote, vote, append: as ever ->|
//! ```
//!
//! Founders are named with their present generations, so a founding makes no voter of a replica
//! that has forgotten since: that one is in another generation. The first replica of the group
//! decides, and the others learn the entry from it as they learn any other: so a founding that was
//! begun completes itself. A vote that an empty replica gives meanwhile counts only where a log
//! names the generation in which it was given.
//!
//! A group has one founding, even if several people found it at once and replicas forget meanwhile.
//! The first replica takes one in each of its generations. Say it took one, forgot it, and takes
//! another: each of the founders of that one was [prepared](crate::GroupLog::prepare) for it, held
//! nothing then, and has since ignored whoever spoke in an earlier generation than theirs; so none
//! of them can learn the former one any more.
//!
//! Invariant: who holds anything but this very founding refuses it.

use crate::member::{MemberId, Members};
use crate::noraft_adapter::Consensus;
use crate::record::{LogEntry, LogPosition};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// What a replica's log amounts to, for whoever wants to found its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holding {
    /// Nothing: it waits to be founded, or to be taken in by a group that there is.
    Nothing,
    /// The founding by these, and nothing behind it but elections.
    Founding(BTreeSet<MemberId>),
    /// A log, up to this entry.
    Log(LogPosition),
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "nothing"),
            Self::Founding(founders) => write!(f, "a founding by {founders:?}"),
            Self::Log(last) => write!(f, "a log up to entry {}", last.index),
        }
    }
}

/// Why a replica does not found its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FoundingRefused {
    /// The founders are not one of each replica of the group.
    NotTheGroup,
    /// Only the first replica of a group founds it.
    NotTheFirst,
    /// The replica is not among them in its present generation, which is this one.
    OtherGeneration(u64),
    /// The replica holds something, and it is not this founding.
    Holds(Holding),
}

impl fmt::Display for FoundingRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTheGroup => write!(f, "the founders are not one of each of its replicas"),
            Self::NotTheFirst => write!(f, "only the first replica of a group founds it"),
            Self::OtherGeneration(present) => {
                write!(f, "it has begun anew since: it is in generation {present}")
            }
            Self::Holds(holding) => write!(f, "it holds {holding}"),
        }
    }
}

impl std::error::Error for FoundingRefused {}

/// What is to be done about a group, by what each of its replicas has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Founding {
    /// Nobody holds anything: it is to be founded by these.
    Due(BTreeSet<MemberId>),
    /// It is founded by just these replicas in their present generations, and nothing has happened
    /// since.
    Done,
    /// A replica holds something: there is a group, or there was one.
    Refused(MemberId, Holding),
}

impl Founding {
    /// By what the replicas of one group have said of themselves.
    #[must_use]
    pub fn of(said: &[(MemberId, Holding)]) -> Self {
        let present: BTreeSet<MemberId> = said.iter().map(|(member, _)| *member).collect();
        let nothing = |(_, holding): &&(MemberId, Holding)| *holding != Holding::Nothing;
        let mut holders = said.iter().filter(nothing).peekable();
        if holders.peek().is_none() {
            return Self::Due(present);
        }
        let this = Holding::Founding(present);
        match holders.find(|(_, holding)| *holding != this) {
            None => Self::Done,
            Some((member, holding)) => Self::Refused(*member, holding.clone()),
        }
    }
}

/// What a replica's log amounts to.
pub(crate) fn holding(consensus: &Consensus) -> Holding {
    let (base, last) = (consensus.base(), consensus.last());
    let mut entries = consensus.range(base.index, last.index).peekable();
    let before = consensus.base_members();
    let founders = match entries.peek() {
        _ if base != LogPosition::ZERO => None,
        // Those of generation 0, whom no entry names.
        _ if before != Members::default() => Some(before),
        None => return Holding::Nothing,
        Some(LogEntry::Members(founders)) => {
            let founders = founders.clone();
            entries.next();
            Some(founders)
        }
        Some(_) => None,
    };
    let mut elections = entries.map(|entry| matches!(entry, LogEntry::Term(_)));
    match founders.filter(|_| elections.all(|is_one| is_one)) {
        Some(founders) => Holding::Founding(founders.voters),
        None => Holding::Log(last),
    }
}

/// Whether the group can be founded by these, or is already, as far as this replica knows.
pub(crate) fn check(
    consensus: &Consensus,
    replica_count: u8,
    founders: &BTreeSet<MemberId>,
) -> Result<Holding, FoundingRefused> {
    let indices: BTreeSet<u8> = founders.iter().map(|founder| founder.index()).collect();
    if !indices.iter().copied().eq(0..replica_count) || founders.len() != indices.len() {
        return Err(FoundingRefused::NotTheGroup);
    }
    if !founders.contains(&consensus.me()) {
        let present = consensus.me().generation();
        return Err(FoundingRefused::OtherGeneration(present));
    }
    let holding = holding(consensus);
    match &holding {
        Holding::Nothing => Ok(holding),
        Holding::Founding(held) if held == founders => Ok(holding),
        _ => Err(FoundingRefused::Holds(holding)),
    }
}
