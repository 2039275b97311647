//! The law: the vocabulary of scalable state machine replication with dynamic objects, its three
//! seams, and the engines that all strategies share.
//!
//! - **Order**: [`Multicast`] delivers commands to sets of groups, in one order for each object.
//! - **Partition**: [`Partition`] applies what is delivered; [`Engine`] is the one implementation.
//! - **Oracle**: [`Oracle`] is the strategy: who has authority over an object, and where to look
//!   for it.
//!
//! [`Replica`] joins the three into one replica of one group, [`ClientEngine`] is the other end.
//! All of it are deterministic state machines: inputs come as calls with the time as an argument,
//! outputs are appended to an outbox. There is no IO, clock, randomness, thread or async here;
//! `ssmr-sim` and `ssmr-net` drive the same code.

pub mod answer;
pub mod application;
pub mod client;
pub mod codec;
pub mod command;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod hints;
pub mod hooks;
pub mod id;
mod id_text;
pub mod identity;
pub mod keyed_hash;
pub mod limits;
pub mod multicast;
pub mod mutant;
pub mod oracle;
pub mod published;
pub mod read;
mod read_set;
pub mod replica;
pub mod request;
pub mod secret;
pub mod shared_map;
pub mod signal;
pub mod snapshot;
pub mod time;
pub mod topology;
pub mod two_generation_map;
pub mod values;

pub use answer::{
    Answer, ClientMessage, Completion, Cost, Outcome, ServerMessage, Stages, Touch, Verdict,
};
pub use application::{Access, Application, Objects};
pub use client::{ClientEngine, ClientOutbox, Execution};
pub use command::{Command, CommandId, ContentDigest, MessageId, SessionId};
pub use hooks::{CacheCall, CacheReply, Change, Found, LeaderHooks, ObjectEvent};
pub use id::{
    ClientId, Encoded, GroupId, Groups, Hint, ObjectId, PartitionId, ReplicaId, Revision, Timestamp,
};
pub use id_text::ParseIdError;
pub use identity::{Difference, Identity, ServiceVersion};
pub use multicast::{ConfirmedReads, Delivery, Multicast, Outbox, Refusal, Snapshots, Status};
pub use mutant::Mutant;
pub use oracle::{Guess, Needs, Oracle, Placement};
pub use published::Published;
pub use read::{CacheReads, Query, Reads};
pub use read_set::ReadSet;
pub use replica::{Engine, Partition, PeerMessage, Replica, ReplicaOutbox};
pub use request::{Defect, Expected, Intent, Request};
pub use secret::{ReaderKey, Secret};
pub use signal::{ObjectReport, ObjectStatus, Signal};
pub use time::{LocalTime, LogTime, LogicalClock, Micros};
pub use topology::Topology;
pub use values::{Unpacked, ValueCodec, ValueReference};
