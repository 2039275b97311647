//! What an operator and a replica say to each other: one answer to each message.

use crate::hottest::HotObjects;
use crate::report::ReplicaReport;
use crate::status::ReplicaStatus;
use serde::{Deserialize, Serialize};
use ssmr_core::replica::Milestone;
use ssmr_log::{FoundingRefused, HandOverRefused, MemberId};
use std::collections::BTreeSet;

/// To a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OperatorMessage {
    /// Say how you are.
    Status,
    /// The same with the digest of your state, which takes time in proportion to it.
    Inspect,
    /// Say your digest after the first entry from this index on that led to a delivery.
    Milestone(u64),
    /// Your group is about to be founded by these.
    Prepare(BTreeSet<MemberId>),
    /// Found your group: these are its voters.
    Found(BTreeSet<MemberId>),
    /// Say all that you can of yourself.
    Report,
    /// Say which objects are named the most, so many at most.
    Hottest(u16),
    /// Hand your leadership over: to the replica of this index in your group, or to whoever is
    /// best.
    HandOver(Option<u8>),
}

/// From a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OperatorAnswer {
    /// How it is.
    Status(ReplicaStatus),
    /// What is known of its digest there.
    Milestone(Milestone),
    /// It did what was ordered, and has stored it; or why it did not.
    Done(Result<(), FoundingRefused>),
    /// All that it can say of itself.
    Report(Box<ReplicaReport>),
    /// The objects that are named the most.
    Hottest(HotObjects),
    /// To which replica of the group it hands over, by its index; or why it does not.
    HandingOver(Result<u8, HandOverRefused>),
}
