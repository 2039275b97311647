//! What an operator and a replica say to each other: one answer to each message.

use crate::status::ReplicaStatus;
use serde::{Deserialize, Serialize};
use ssmr_log::{FoundingRefused, MemberId};
use std::collections::BTreeSet;

/// To a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OperatorMessage {
    /// Say how you are.
    Status,
    /// Your group is about to be founded by these.
    Prepare(BTreeSet<MemberId>),
    /// Found your group: these are its voters.
    Found(BTreeSet<MemberId>),
}

/// From a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OperatorAnswer {
    /// How it is.
    Status(ReplicaStatus),
    /// It did what was ordered, and has stored it; or why it did not.
    Done(Result<(), FoundingRefused>),
}
