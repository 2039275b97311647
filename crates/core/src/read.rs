//! Reads that are not ordered: a leader answers them alone, from what it has applied.
//!
//! ```text
//!   client            leader              followers
//!     |---- query ------>|
//!     |                  |---- confirm ------->|     index: after each query; lease: now and then
//!     |                  |<--- confirmed ------|
//!     |                  | applied all that was committed before the query came;
//!     |                  | no command on these objects is queued (rule R3)
//!     |<--- answer ------|
//! ```
//!
//! What was acknowledged before the query was made has been delivered at this group if it concerns
//! the objects (rule R2: it waited for this group's signal), so it has either finished here or is
//! still queued. In the second case, or where the group does not own all the objects, the leader
//! declines, and the client goes the ordered way. It never says that something does not exist (rule
//! R1).

use crate::command::CommandId;
use crate::limits::MAX_QUERY;
use crate::request::{Defect, Intent, Request};
use crate::topology::Topology;
use serde::{Deserialize, Serialize};

/// How reads of objects that are together at one partition are answered. All other commands are
/// ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reads {
    /// In order, like everything else.
    #[default]
    Ordered,
    /// By the leader alone, once a majority has confirmed that it still leads (section 6.4 of
    /// Ongaro's thesis).
    Index,
    /// By the leader alone and at once, while a majority has promised to follow nobody else
    /// (section 6.4.1 there).
    ///
    /// It trusts that the monotonic clocks of a group's machines run about equally fast, and that
    /// none stands still while its machine does: one that is suspended and resumed as a whole may
    /// answer with a past value.
    Lease,
}

impl Reads {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ordered, Self::Index, Self::Lease];

    /// The value of `--reads`, and of the CSV column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Index => "index",
            Self::Lease => "lease",
        }
    }
}

/// Whether a client's reads may be answered by a shared cache alone, where the strategy has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheReads {
    /// No: what a cache has is used only where an owner vouches for it in order.
    #[default]
    Checked,
    /// Reads of single objects are: with what the object was, which need not be what it is.
    Stale,
}

impl CacheReads {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Checked, Self::Stale];

    /// The value of `--cache-reads`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::Stale => "stale",
        }
    }
}

/// A request that only reads, for one partition's leader to answer without ordering it.
///
/// It has no effect, so it may be lost, repeated and given up freely (rule R5 is about attempts).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The request's name, with attempt 0.
    pub id: CommandId,
    /// What makes sure that the answer is not a past one.
    pub reads: Reads,
    /// What it reads, and the operation to run on that.
    pub request: Request,
}

impl Query {
    /// Whether a request may be a query at all: it reads something, does and expects nothing else,
    /// and is not larger than [`MAX_QUERY`].
    #[must_use]
    pub fn suits(request: &Request) -> bool {
        let intents = request.intents();
        let reads = |(_, intent): &(_, Intent)| matches!(intent, Intent::Read);
        let plain = intents.iter().all(reads) && request.expected().is_empty();
        !intents.is_empty() && plain && request.size() <= MAX_QUERY
    }

    /// Why it must be refused, if it must: its request breaks a bound, or none of our clients would
    /// send it.
    #[must_use]
    pub fn defect(&self, topology: &Topology) -> Option<Defect> {
        let ours =
            self.id.attempt == 0 && self.reads != Reads::Ordered && Self::suits(&self.request);
        let malformed = (!ours).then_some(Defect::Malformed);
        self.request.defect(topology).or(malformed)
    }
}
